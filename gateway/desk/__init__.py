"""From messages to commands, and from events back to reports and answers."""
