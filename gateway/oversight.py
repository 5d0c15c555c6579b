"""Surveillance without a price on the way of an order: it reads the day's record when it is asked.

Only when a day ends is the rest read at once, before the record begins anew.
"""

from __future__ import annotations

import numpy as np

from gateway.desk.day_record import DayRecord, day_begins, listed_only
from marketdata.surveillance import Surveillance
from marketdata.surveillance_report import SurveillanceReport


class Oversight:
    """The supervisor's reports of a venue; ``codes``: instruments by row, shared with the feed."""

    def __init__(self, record: DayRecord, codes: list[str]) -> None:
        self._record = record
        self._surveillance = Surveillance(codes)
        self._seen = 0  # events of the record

    def before(self, commands: np.ndarray, events: np.ndarray) -> None:
        """These come next into the record: read what a new day would make it forget."""
        if not listed_only(commands) and day_begins(events) is not None:
            self._catch_up()
            self._surveillance.absorb(events)
            self._seen = -1

    def after(self) -> None:
        """They are in the record now."""
        if self._seen < 0:
            self._seen = self._record.events.size

    def caught_up(self) -> Surveillance:
        """Return what a snapshot has to remember of the days so far."""
        self._catch_up()
        return self._surveillance

    def report(self, date: int) -> SurveillanceReport | None:
        """Return the report of a day (YYYYMMDD), of today as it stands; None if there is none."""
        self._catch_up()
        return self._surveillance.report(date)

    @property
    def dates(self) -> list[int]:
        """Days there is a report of."""
        self._catch_up()
        return self._surveillance.dates

    def _catch_up(self) -> None:
        new = self._record.events.all[self._seen :]
        if len(new):
            self._surveillance.absorb(new)
        self._seen = self._record.events.size
