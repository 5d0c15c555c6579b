"""Published figures of the market that may be shipped, and the targets computed from them."""
