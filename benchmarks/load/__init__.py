"""``tanshi load``: an open-loop load tester that checks what a venue tells it while it loads."""
