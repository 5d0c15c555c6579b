"""What is said on the sockets: every message, its encodings, its refusals, its description."""
