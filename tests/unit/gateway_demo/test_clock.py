"""Clocks: they never fall, a demo day takes minutes, nights are left out, a restart goes on."""

from __future__ import annotations

import asyncio
import datetime as dt

import pytest

from engine.exchange import Exchange
from engine.records import Phase
from gateway.clock import (
    MINUTE_NS,
    SECOND_NS,
    BeijingClock,
    Clock,
    ClockAheadError,
    DemoClock,
    ManualClock,
    beijing_day,
    beijing_ns,
)
from gateway.daycycle import beijing

FRIDAY = dt.date(2026, 11, 20)
MONDAY = dt.date(2026, 11, 23)


class Real:
    """Real time by hand."""

    def __init__(self) -> None:
        self.ns = 5_000

    def __call__(self) -> int:
        return self.ns

    def pass_s(self, seconds: float) -> None:
        self.ns += round(seconds * SECOND_NS)


def at(day: dt.date, hour: int, minute: int = 0) -> int:
    return beijing_ns(day, hour * 60 + minute)


def stopped_in(phase: Phase, date: int, time_ns: int) -> Exchange:
    exchange = Exchange()
    market = exchange.state.market[0]
    market["phase"], market["date"], market["time_ns"] = phase, date, time_ns
    return exchange


def test_beijing_wall_time_and_back() -> None:
    time_ns = at(FRIDAY, 9, 25)
    assert beijing(time_ns) == dt.datetime(2026, 11, 20, 9, 25)
    assert beijing_day(time_ns) == FRIDAY
    assert beijing_day(at(FRIDAY, 0) - 1) == FRIDAY - dt.timedelta(days=1)


def test_a_demo_day_takes_between_three_and_four_minutes() -> None:
    real = Real()
    clock = DemoClock(at(FRIDAY, 9, 25), real_ns=real)
    seconds = 0
    while beijing_day(clock.now_ns()) == FRIDAY:
        real.pass_s(1)
        seconds += 1
    assert 180 <= seconds <= 240
    assert beijing(clock.now_ns()).time() == dt.time(9, 25)
    assert beijing_day(clock.now_ns()) == MONDAY  # a weekend was left out


def test_demo_time_never_falls_and_lunch_is_faster() -> None:
    real = Real()
    clock = DemoClock(at(FRIDAY, 9, 25), speed=60, real_ns=real)
    before = clock.now_ns()
    seen = []
    for _ in range(4000):
        real.pass_s(0.1)
        now = clock.now_ns()
        assert now >= before
        seen.append((beijing(before).time(), now - before))
        before = now
    morning = {step for time, step in seen if dt.time(10) < time < dt.time(11)}
    lunch = {step for time, step in seen if dt.time(11, 31) < time < dt.time(12, 50)}
    assert morning == {6 * SECOND_NS}
    assert lunch == {48 * SECOND_NS}


def test_the_demo_clock_stands_in_the_evening_until_all_is_settled() -> None:
    real, settled = Real(), [False]
    clock = DemoClock(at(FRIDAY, 14, 59), settled=lambda: settled[0], real_ns=real)
    real.pass_s(10_000)
    assert clock.now_ns() == at(FRIDAY, 15, 10)
    real.pass_s(10_000)
    assert clock.now_ns() == at(FRIDAY, 15, 10)
    settled[0] = True
    real.pass_s(0.001)
    assert clock.now_ns() == at(MONDAY, 9, 25)
    real.pass_s(1)
    assert clock.now_ns() == at(MONDAY, 9, 25) + 75 * SECOND_NS


def test_a_long_pause_ends_the_day_and_not_the_week() -> None:
    real = Real()
    clock = DemoClock(at(FRIDAY, 10), real_ns=real)
    real.pass_s(100_000)
    assert clock.now_ns() == at(MONDAY, 9, 25)


@pytest.mark.parametrize(
    ("today", "first"),
    [(FRIDAY, FRIDAY), (dt.date(2026, 11, 21), MONDAY), (dt.date(2026, 10, 1), (2026, 10, 8))],
)
def test_a_new_venue_begins_today_or_on_the_next_trading_day(today: dt.date, first: object) -> None:
    clock = DemoClock.continuing(stopped_in(Phase.NEW, 0, 0), real_ns=Real(), today=lambda: today)
    want = first if isinstance(first, dt.date) else dt.date(*first)
    assert clock.now_ns() == at(want, 9, 25)


def test_after_a_restart_the_demo_goes_on_from_the_journal() -> None:
    last_ns = at(FRIDAY, 13, 20) + 17
    inside = DemoClock.continuing(stopped_in(Phase.AFTERNOON, 20261120, last_ns), real_ns=Real())
    assert inside.now_ns() == last_ns
    posted = stopped_in(Phase.POSTED, 20261120, at(FRIDAY, 15, 1))
    assert DemoClock.continuing(posted, real_ns=Real()).now_ns() == at(MONDAY, 9, 25)
    evening_ns = at(FRIDAY, 16, 45)  # the evening was cut short, later than the demo's own
    real, exchange = Real(), stopped_in(Phase.CLOSED, 20261120, evening_ns)
    clock = DemoClock.continuing(exchange, real_ns=real)
    real.pass_s(50)
    assert clock.now_ns() == evening_ns
    exchange.state.market[0]["phase"] = Phase.POSTED
    real.pass_s(0.001)
    assert clock.now_ns() == at(MONDAY, 9, 25)


def test_what_was_journalled_before_the_first_day_is_not_undercut() -> None:
    exchange = stopped_in(Phase.NEW, 0, at(FRIDAY, 9, 26))
    clock = DemoClock.continuing(exchange, real_ns=Real(), today=lambda: dt.date(2026, 11, 2))
    assert clock.now_ns() == at(FRIDAY, 9, 26)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_clock_that_would_not_run_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        DemoClock(at(FRIDAY, 9, 25), speed=speed)


def test_waiting_on_the_demo_clock_ends_in_time() -> None:
    async def main() -> float:
        clock = DemoClock(at(FRIDAY, 10), speed=600)
        loop = asyncio.get_running_loop()
        began = loop.time()
        await clock.wait_until(at(FRIDAY, 10, 2))
        assert clock.now_ns() >= at(FRIDAY, 10, 2)
        return loop.time() - began

    assert 0.15 < asyncio.run(main()) < 2


def test_the_beijing_clock_never_falls_with_its_wall() -> None:
    wall = Real()
    wall.ns = at(FRIDAY, 10)
    clock = BeijingClock(wall_ns=wall)
    assert clock.now_ns() == at(FRIDAY, 10)
    wall.ns -= MINUTE_NS
    assert clock.now_ns() == at(FRIDAY, 10)
    wall.ns += 2 * MINUTE_NS
    assert clock.now_ns() == at(FRIDAY, 10, 1)


def test_the_beijing_clock_refuses_a_journal_from_the_future() -> None:
    wall = Real()
    wall.ns = at(FRIDAY, 10)
    assert BeijingClock(at(FRIDAY, 10, 4), wall).now_ns() == at(FRIDAY, 10, 4)
    with pytest.raises(ClockAheadError, match="2026-11-23"):
        BeijingClock(at(MONDAY, 10), wall)


def test_the_manual_clock_moves_by_hand_and_wakes_its_waiters() -> None:
    async def main() -> list[int]:
        clock: Clock = ManualClock(100)
        assert isinstance(clock, ManualClock)
        woken: list[int] = []

        async def wait(time_ns: int) -> None:
            await clock.wait_until(time_ns)
            woken.append(time_ns)

        tasks = [asyncio.create_task(wait(time_ns)) for time_ns in (100, 150, 10**9)]
        await asyncio.sleep(0)
        clock.advance_to(160)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        first = list(woken)
        clock.advance(1)
        await asyncio.gather(*tasks)
        with pytest.raises(ValueError, match="never falls"):
            clock.advance_to(5)
        return first

    assert asyncio.run(main()) == [100, 150]


@pytest.mark.parametrize(
    "clock", [BeijingClock(), DemoClock(at(FRIDAY, 10)), ManualClock(0)], ids=lambda c: c.label
)
def test_clocks_say_what_they_are(clock: Clock) -> None:
    assert clock.label
