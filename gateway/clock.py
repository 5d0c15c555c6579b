"""Clocks a venue can live by: the wall in Beijing, a demo's accelerated days, a test's own hand.

All give nanoseconds since 1970 (UTC) that never fall; Beijing wall time is eight hours ahead.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import time
from collections.abc import Callable
from typing import Protocol

from engine.calendar import date_of, is_trading_day, next_trading_day
from engine.exchange import Exchange
from engine.records import Phase
from engine.rulebook import Rulebook

SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
BEIJING_NS = 8 * 60 * MINUTE_NS
EPOCH_DAY = dt.date(1970, 1, 1).toordinal()
LOOK_AGAIN_S = 0.25  # a demo clock may jump: nobody sleeps longer on it without looking
LOOK_AGAIN_WALL_S = 5.0  # a wall may be set
AHEAD_MAX_NS = 5 * MINUTE_NS
DOUBT_NS = 2 * MINUTE_NS  # daemons that keep a wall right move it by less


class ClockAheadError(ValueError):
    """The journal ends in the wall's future: it was written under a demo clock."""


class Clock(Protocol):
    """The venue's time."""

    @property
    def label(self) -> str:
        """What people are told about this time, a few words."""
        ...

    def now_ns(self) -> int:
        """Return nanoseconds since 1970 (UTC); may repeat, never falls."""
        ...

    async def wait_until(self, time_ns: int) -> None:
        """Return once ``now_ns()`` has reached ``time_ns``."""
        ...


def beijing_ns(day: dt.date, minute: int) -> int:
    """Return nanoseconds since 1970 (UTC) of a minute after midnight in Beijing."""
    return (day.toordinal() - EPOCH_DAY) * 24 * 60 * MINUTE_NS + minute * MINUTE_NS - BEIJING_NS


def beijing_day(time_ns: int) -> dt.date:
    """Return the date in Beijing."""
    days = (time_ns + BEIJING_NS) // (24 * 60 * MINUTE_NS)
    return dt.date.fromordinal(EPOCH_DAY + days)


def running_ns() -> int:
    """Return nanoseconds that nobody can set: they count on while the machine sleeps."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


class BeijingClock:
    """Real time, as long as the wall is to be believed (F20).

    A wall that is set back a little stands until it has caught up. One that has gone another way
    than time itself by more than ``DOUBT_NS`` (set back an hour, a day ahead, standing still) is
    not believed: the clock runs on from what it last believed, ``doubt`` says so, and phases do not
    change by themselves until the wall is right again or the venue is started anew.

    Args:
        last_ns: time of the journal's last command.
        wall_ns: the wall, for tests.
        real_ns: time that cannot be set, for tests.

    Raises:
        ClockAheadError: ``last_ns`` lies more than five minutes ahead of the wall.
    """

    label = "Beijing time"

    def __init__(
        self,
        last_ns: int = 0,
        wall_ns: Callable[[], int] = time.time_ns,
        real_ns: Callable[[], int] = running_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._real_ns = real_ns
        self._apart_ns = wall_ns() - real_ns()
        self._last_ns = last_ns
        if last_ns > wall_ns() + AHEAD_MAX_NS:
            raise ClockAheadError(
                f"the journal ends on {beijing_day(last_ns)}, which is still to come: it was "
                "written under the demo clock. Go on with that clock, or take another data folder."
            )

    @property
    def doubt(self) -> str:
        """Why the wall is not believed; "" while it is."""
        wall_ns, expected_ns = self._readings()
        off_ns = wall_ns - expected_ns
        if abs(off_ns) <= DOUBT_NS:
            return ""
        way = "ahead of" if off_ns > 0 else "behind"
        return (
            f"The machine's clock is {abs(off_ns) // SECOND_NS} s {way} the time that has passed:"
            " phases do not change by themselves. Set it right, or start the venue anew if it is"
            " right now."
        )

    def now_ns(self) -> int:
        """Return the wall's time while it is believed; never less than before."""
        wall_ns, expected_ns = self._readings()
        believed = abs(wall_ns - expected_ns) <= DOUBT_NS
        self._last_ns = max(self._last_ns, wall_ns if believed else expected_ns)
        return self._last_ns

    def _readings(self) -> tuple[int, int]:
        """Return what the wall shows, and what it should show by the time that has passed."""
        return self._wall_ns(), self._real_ns() + self._apart_ns

    async def wait_until(self, time_ns: int) -> None:
        """Return once the wall shows ``time_ns``; a set wall is noticed within seconds."""
        while (left_ns := time_ns - self.now_ns()) > 0:
            left_s = left_ns / SECOND_NS
            await asyncio.sleep(min(left_s, LOOK_AGAIN_WALL_S))


class DemoClock:
    """Trading days one after the other, accelerated; nights, weekends and holidays are left out.

    A day runs from 09:25 to 15:10 at ``speed``, over lunch ``LUNCH_FACTOR`` times faster. At its
    end the clock stands until ``settled()``, then it is 09:25 of the next trading day. The default
    speed makes a day of about three and a half minutes.

    Args:
        start_ns: venue time now; outside 09:25-15:10 of a trading day the next 09:25 is taken.
        speed: venue seconds per real second, above 0.
        settled: whether the evening is done.
        real_ns: real time, for tests; need not be the wall's, must not fall.
    """

    OPENS_MINUTE = 9 * 60 + 25
    CLOSES_MINUTE = 15 * 60 + 10
    LUNCH_FACTOR = 8
    SPEED = 75.0

    def __init__(
        self,
        start_ns: int,
        speed: float = SPEED,
        settled: Callable[[], bool] = lambda: True,
        real_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if not speed > 0:
            raise ValueError(f"a clock's speed is above 0, not {speed}")
        self.speed = speed
        self._settled = settled
        self._real_ns = real_ns
        self._seen_ns = real_ns()
        self._now_ns = self._end_ns = 0
        self._enter(start_ns)

    @classmethod
    def continuing(
        cls,
        exchange: Exchange,
        speed: float = SPEED,
        real_ns: Callable[[], int] = time.monotonic_ns,
        today: Callable[[], dt.date] = lambda: beijing_day(time.time_ns()),
    ) -> DemoClock:
        """Return the clock of a venue whose journal was replayed into ``exchange``.

        Within a day it goes on from the last command. A new venue, or one whose last day is posted,
        gets 09:25: of today or the first trading day after it, never before what was.
        """
        market = exchange.state.market[0]
        last_ns, phase = int(market["time_ns"]), int(market["phase"])
        last_day = date_of(int(market["date"]))
        if phase == Phase.POSTED and last_day is not None:
            start_ns = beijing_ns(next_trading_day(last_day), cls.OPENS_MINUTE)
        elif phase == Phase.NEW:
            start_ns = beijing_ns(today(), cls.OPENS_MINUTE)
        else:
            start_ns = last_ns
        resting = (Phase.NEW, Phase.POSTED)
        return cls(
            max(start_ns, last_ns),
            speed,
            lambda: int(exchange.state.market[0]["phase"]) in resting,
            real_ns,
        )

    @property
    def label(self) -> str:
        """What people are told about this time."""
        return f"demo clock, {self.speed:g} times as fast"

    def now_ns(self) -> int:
        """Return the venue's time: it runs, stands in the evening, jumps over the night."""
        real_ns = self._real_ns()
        passed_ns, self._seen_ns = real_ns - self._seen_ns, real_ns
        left_ns = int(passed_ns * self.speed)
        while left_ns > 0:
            end_ns, factor = self._stretch()
            if left_ns * factor < end_ns - self._now_ns:
                self._now_ns += left_ns * factor
                break
            left_ns -= (end_ns - self._now_ns) // factor
            self._now_ns = end_ns
            if end_ns == self._end_ns:
                if self._settled():
                    self._begin(next_trading_day(self._day))
                break  # what was left belongs to the night
        return self._now_ns

    async def wait_until(self, time_ns: int) -> None:
        """Return once the venue's time has reached ``time_ns``."""
        while (left_ns := time_ns - self.now_ns()) > 0:
            factor = self._stretch()[1]
            real_s = left_ns / SECOND_NS / self.speed / factor
            await asyncio.sleep(min(real_s, LOOK_AGAIN_S))

    def _enter(self, time_ns: int) -> None:
        day = beijing_day(time_ns)
        if not is_trading_day(day):
            self._begin(next_trading_day(day))
            return
        self._begin(day)
        if time_ns > self._end_ns and self._settled():
            self._begin(next_trading_day(day))
        self._now_ns = max(self._now_ns, time_ns)
        self._end_ns = max(self._end_ns, self._now_ns)

    def _begin(self, day: dt.date) -> None:
        self._day = day
        self._now_ns = beijing_ns(day, self.OPENS_MINUTE)
        self._end_ns = beijing_ns(day, self.CLOSES_MINUTE)
        morning, afternoon = Rulebook.on(day).listed_windows
        self._lunch_ns = (
            beijing_ns(day, morning.closes_minute),
            beijing_ns(day, afternoon.opens_minute),
        )

    def _stretch(self) -> tuple[int, int]:
        """Return until when, and how many times ``speed``, time runs from now on."""
        begins_ns, ends_ns = self._lunch_ns
        if self._now_ns < begins_ns:
            return begins_ns, 1
        if self._now_ns < ends_ns:
            return ends_ns, self.LUNCH_FACTOR
        return self._end_ns, 1


class ManualClock:
    """Stands until somebody moves it."""

    label = "manual clock"

    def __init__(self, start_ns: int) -> None:
        self._now_ns = start_ns
        self._moved = asyncio.Event()

    def now_ns(self) -> int:
        """Return where it was put."""
        return self._now_ns

    def advance_to(self, time_ns: int) -> None:
        """Put it on; those who wait for it wake up.

        Raises:
            ValueError: ``time_ns`` lies in the past.
        """
        if time_ns < self._now_ns:
            raise ValueError("a clock never falls")
        self._now_ns = time_ns
        self._moved.set()
        self._moved = asyncio.Event()

    def advance(self, seconds: float) -> None:
        """Put it on by a span."""
        self.advance_to(self._now_ns + round(seconds * SECOND_NS))

    async def wait_until(self, time_ns: int) -> None:
        """Return once somebody has put it on ``time_ns`` or later."""
        while self._now_ns < time_ns:
            await self._moved.wait()
