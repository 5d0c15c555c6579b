"""Official trading days realised through the exchange, to the tonne and the fen."""
