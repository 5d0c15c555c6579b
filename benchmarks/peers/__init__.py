"""The published Python order books, each driven over the messages that our engine is given.

``tanshi bench peers`` is ``question.py``; every other file of this room is one book's adapter or
serves the processes in which they play. docs/reference/peers.md says what is fair and what is not.
"""
