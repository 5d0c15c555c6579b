"""F20: a wall that jumps or stands still changes no order and no day; and the phases wait."""

import asyncio
import datetime as dt
from pathlib import Path

import pytest

from engine.records import Phase
from gateway.client import Client
from gateway.clock import DOUBT_NS, SECOND_NS, BeijingClock
from gateway.daycycle import nanoseconds
from gateway.replay import Player
from gateway.serve import Options, running
from tests.e2e.live_venue import MORNING, LiveVenue, RunningClock, fund

HOUR_NS = 3600 * SECOND_NS


class Time:
    """A wall and the time that passes, both by hand."""

    def __init__(self) -> None:
        self.wall_ns = nanoseconds(MORNING)
        self.real_ns = 77

    def clock(self, last_ns: int = 0) -> BeijingClock:
        return BeijingClock(last_ns, lambda: self.wall_ns, lambda: self.real_ns)

    def pass_s(self, seconds: float) -> None:
        self.wall_ns += round(seconds * SECOND_NS)
        self.real_ns += round(seconds * SECOND_NS)


JUMPS = {"back an hour": -HOUR_NS, "ahead a day": 24 * HOUR_NS}


@pytest.mark.parametrize("jump", JUMPS)
def test_a_wall_that_jumps_is_not_believed_until_it_is_right_again(jump: str) -> None:
    time = Time()
    clock = time.clock()
    before = clock.now_ns()
    time.wall_ns += JUMPS[jump]
    assert ("ahead of" if JUMPS[jump] > 0 else "behind") in clock.doubt
    assert clock.now_ns() == before
    time.pass_s(10)
    assert clock.now_ns() == before + 10 * SECOND_NS, "it runs on as time does"
    time.wall_ns -= JUMPS[jump]
    assert clock.doubt == ""
    assert clock.now_ns() == time.wall_ns


def test_a_frozen_wall_is_noticed() -> None:
    time = Time()
    clock = time.clock()
    time.real_ns += DOUBT_NS + SECOND_NS
    assert "behind" in clock.doubt
    assert clock.now_ns() == time.wall_ns + DOUBT_NS + SECOND_NS


def test_a_wall_that_is_put_right_by_a_little_is_followed() -> None:
    time = Time()
    clock = time.clock()
    time.wall_ns += 90 * SECOND_NS
    assert clock.doubt == ""
    assert clock.now_ns() == time.wall_ns
    time.wall_ns -= 60 * SECOND_NS
    assert clock.doubt == ""
    assert clock.now_ns() == time.wall_ns + 60 * SECOND_NS, "it never falls"


async def live(folder: Path, time: Time) -> None:
    """Trade while the wall goes mad; the day goes on only when it is right."""
    fund(folder, 1)
    clocked = time.clock()
    async with running(Options(clock=lambda _: clocked, port=0, data_dir=folder)) as server:
        (key,) = server.venue.keys.create_many([(0, "k")])
        venue = LiveVenue(server, RunningClock(MORNING), [key])
        await venue.phase(Phase.MORNING)
        async with Client(server.url, key.key_id, key.secret) as client:
            for number, jump in enumerate((*JUMPS.values(), 0)):
                time.wall_ns += jump
                time.pass_s(1)
                await client.list("CEA25", "sell", price_ticks=7500 + number, qty=5)
                await asyncio.sleep(0.6)
                market = server.venue.exchange.state.market[0]
                assert int(market["phase"]) == Phase.MORNING
                assert int(market["date"]) == int(f"{MORNING:%Y%m%d}")
                assert int(market["time_ns"]) - nanoseconds(MORNING) < 60 * SECOND_NS
                assert bool(server.venue.held) == bool(jump)
                time.wall_ns -= jump
        await asyncio.sleep(0.3)
        time.pass_s((dt.datetime.combine(MORNING, dt.time(11, 31)) - MORNING).total_seconds())
        await venue.phase(Phase.LUNCH)
        assert server.venue.held == ""


def test_orders_go_on_and_the_day_waits(tmp_path: Path) -> None:
    asyncio.run(live(tmp_path, Time()))
    result = Player(tmp_path).play()
    assert result.phase == "lunch"
