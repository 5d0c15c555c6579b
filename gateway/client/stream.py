"""The account's private stream: which report comes next, which was told, where one is missing.

Reports are numbered 1, 2, 3 … per account and day, the same in every connection and after a
restart. Each is taken in once and in order: one that comes too early means that some are missing
and is dropped, as the venue is asked to tell all that follow the last one again.
"""

from __future__ import annotations

from enum import Enum
from typing import Any


class Place(Enum):
    """Where a report stands in the stream."""

    NEXT = "next"
    TOLD = "told"  # to be told to listeners again: ``resume`` asked for it
    KNOWN = "known"
    EARLY = "early"


class Stream:
    """What one client was told. ``last`` is the number of the last report taken in."""

    def __init__(self) -> None:
        self.date = 0
        self.first = 0  # reports up to this one are older than the client
        self.last = 0
        self.gaps = 0
        self._taken_in = 0  # the largest number ever taken in today
        self._seq = 0  # journal position of the last report
        self._asked = False  # what follows ``last`` was asked for
        self._until = 0  # the replay ends with this number

    @property
    def whole(self) -> bool:
        """Whether nothing that was asked for is missing."""
        return not self._asked and self.last >= self._until

    def begin(self, date: int, report_seq: int, seq: int = 0) -> None:
        """Follow from here on."""
        self.date, self.first, self.last = date, report_seq, report_seq
        self._taken_in, self._seq = report_seq, seq
        self._asked, self._until = False, 0

    def turn(self, date: int, seq: int) -> bool:
        """Enter a day that begins with the journal's ``seq``; False if that is known."""
        if date == self.date:
            return False
        if self._seq < seq:
            self.begin(date, 0, self._seq)
        self.date = date
        return True

    def place(self, report: Any) -> Place:
        """Return where a report stands, and count it if it is the next one."""
        number, seq = report.report_seq, report.seq
        if seq > self._seq and number <= self.last:  # numbers begin anew: so does the day
            self.begin(self.date, 0, self._seq)
        if number <= self.last:
            return Place.KNOWN
        if number > self.last + 1:
            return Place.EARLY
        self.last = number
        told = number <= self._taken_in
        self._taken_in, self._seq = max(self._taken_in, number), max(self._seq, seq)
        return Place.TOLD if told else Place.NEXT

    def missing(self, report_seq: int) -> bool:
        """Whether a number says that reports are missing which nobody has asked for."""
        if report_seq <= self.last or self._asked:
            return False
        self.gaps += 1
        return True

    def ask(self) -> tuple[int, int]:
        """Return date and number to resume from; it counts as asked."""
        self._asked = True
        return self.date, self.last

    def rewind(self, after: int) -> bool:
        """Go back to a number; True if orders have to be learnt from the beginning."""
        older = after < self.first
        if older:
            self.first = self._taken_in = after
        self.last = min(self.last, after)
        self._asked = True
        return older

    def resumed(self, report_seq: int) -> None:
        """The venue tells what follows, up to this number."""
        self._asked, self._until = False, report_seq
