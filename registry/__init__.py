"""The other institution: accounts, holdings, settlement. Owns a real database."""
