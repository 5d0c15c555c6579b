"""The season simulator's commands; each imports what it runs only when it runs."""
