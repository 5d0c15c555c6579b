"""The pages that are asked: public, private, of institutions; and the trading page itself."""
