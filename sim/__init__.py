"""People and seasons; today: official trading days realised through the exchange."""
