"""What the public sees, built only from engine events."""
