"""People and seasons: official days replayed, seasons simulated, both through the exchange."""
