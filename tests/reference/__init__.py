"""The slow twin: the whole exchange once more, written from the rulebook and its contract alone.

It shares no line with ``engine``: own numbers, own calendar, own arithmetic, ordinary objects.
Property tests drive both with the same commands and compare every field of every event.
"""

from tests.reference.twin import Twin

__all__ = ["Twin"]
