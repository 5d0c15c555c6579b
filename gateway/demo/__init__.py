"""The crowd that trades in ``make run``, and the live view of what it does."""
