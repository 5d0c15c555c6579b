"""A venue whose time an operator moves: from day to day, through everything that is due between.

A manual clock stands. ``Mover.move`` puts it on to the next moment at which a venue has something
to do (a day or a session that begins, a timer), waits until that is done, evenings and settlement
included, and goes on to where it was told.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gateway.clock import SECOND_NS, ManualClock, beijing_day, beijing_ns
from gateway.daycycle import NEVER_NS
from gateway.venue import Venue

FIRST_DAY = dt.date(2019, 1, 1)  # of the first year that anybody owes for (AL-10)
LAST_DAY = dt.date(2099, 12, 31)
DAYS_AT_ONCE_MAX = 400  # a slip of the pen must not cost hours
SNAPSHOT_EVERY = 20  # days of a move: each costs more the more days there have been
LOOK_S = 0.001
PATIENCE_S = 5.0  # longer than a registry that was silent once is asked again
PATIENCE_AT_WORK_S = 120.0


class MoveError(ValueError):
    """The clock cannot go there; ``code`` is stable."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Moved(NamedTuple):
    """Where the clock stands (nanoseconds since 1970), and how many days have begun on the way."""

    time_ns: int
    days: int


def manual_clock(venue: Venue, first: dt.date | None, file: Path) -> ManualClock:
    """Return the clock of a venue: where the last move ended, else the journal, else ``first``.

    Without ``first`` a new venue begins today at 00:00. ``file`` is where a mover notes its moves.
    """
    last_ns = int(venue.exchange.state.market[0]["time_ns"])
    if file.exists():
        last_ns = max(last_ns, int(json.loads(file.read_text("utf-8"))["time_ns"]))
    return ManualClock(last_ns or beijing_ns(first or beijing_day(time.time_ns()), 0))


class Mover:
    """Moves the clock that venues of one process share; one move at a time."""

    def __init__(self, clock: ManualClock, venues: Sequence[Venue], file: Path) -> None:
        self._clock = clock
        self._venues = venues
        self._file = file
        self._moving = asyncio.Lock()
        self._days = 0  # begun while moving

    @property
    def time_ns(self) -> int:
        """Where the clock stands."""
        return self._clock.now_ns()

    @property
    def wants_snapshot(self) -> bool:
        """Whether the day that is about to begin is one that a start may go on from."""
        return not self._moving.locked() or self._days % SNAPSHOT_EVERY == 0

    async def move(self, until_ns: int) -> Moved:
        """Move the clock to ``until_ns`` through everything that is due until then.

        Raises:
            MoveError: clock_behind (it never falls), clock_too_far (more than 400 days), or
                market_held: an institution holds the market; the clock stands where that was.
        """
        async with self._moving:
            self._refuse(until_ns)
            days = self._days
            try:
                for venue in self._venues:
                    venue.cycle.rests_until_ns = 0  # something may have been asked for just now
                while True:
                    await self._rest()
                    if self.time_ns >= until_ns:
                        return Moved(self.time_ns, self._days - days)
                    before = self._day()
                    self._clock.advance_to(min(until_ns, self._next_ns()))
                    await self._rest()
                    self._days += self._day() != before
            finally:
                self._note()

    def _refuse(self, until_ns: int) -> None:
        if until_ns < self.time_ns:
            raise MoveError("clock_behind", "A clock never falls: that moment has passed.")
        if until_ns - self.time_ns > DAYS_AT_ONCE_MAX * 24 * 3600 * SECOND_NS:
            raise MoveError(
                "clock_too_far", f"Move the clock by at most {DAYS_AT_ONCE_MAX} days at once."
            )

    def _day(self) -> int:
        return int(self._venues[0].exchange.state.market[0]["date"])

    def _next_ns(self) -> int:
        """Return when the next venue has something to do."""
        found = [venue.cycle.rests_until_ns for venue in self._venues]
        for venue in self._venues:
            timers = venue.exchange.state.accounts["cancel_at_ns"]
            found += timers[np.flatnonzero(timers)].tolist()
        return min(found, default=NEVER_NS)

    async def _rest(self) -> None:
        """Return once every venue has done what is due now; MoveError market_held."""
        began_s = time.monotonic()
        while self._next_ns() <= self.time_ns:
            waited_s = time.monotonic() - began_s
            held = " ".join(filter(None, (venue.held for venue in self._venues)))
            if (held and waited_s > PATIENCE_S) or waited_s > PATIENCE_AT_WORK_S:
                raise MoveError("market_held", held or "The day cycle does not come on.")
            await asyncio.sleep(LOOK_S)
        for venue in self._venues:
            if venue.held:
                raise MoveError("market_held", venue.held)

    def _note(self) -> None:
        """Keep where the clock stands: the journal knows only when its last command came."""
        draft = self._file.with_suffix(".new")
        draft.write_text(json.dumps({"time_ns": self.time_ns}), "utf-8")
        os.replace(draft, self._file)
