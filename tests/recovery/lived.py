"""A venue that lived three short days, over real sockets: what starts and replays are tested on."""

import datetime as dt
from pathlib import Path

import pytest

from engine.records import Phase
from gateway.client import Client
from gateway.journal.journal import Journal
from tests.e2e.live_venue import LiveVenue, live_venue

DAYS = (dt.date(2026, 1, 5), dt.date(2026, 1, 6), dt.date(2026, 1, 7))
SMALL_SEGMENT_BYTES = 4096


def use_small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a journal of three short days have many segments, so that some are archived."""
    monkeypatch.setattr(
        Journal.__init__, "__kwdefaults__", {"disk": None, "segment_bytes": SMALL_SEGMENT_BYTES}
    )


async def traded(venue: LiveVenue, day: int) -> None:
    """Deals, open orders, a cancel and a refusal, so that a day leaves all kinds of traces."""
    a, b, c = (Client(venue.url, key.key_id, key.secret) for key in venue.keys)
    async with a, b, c:
        orders = [
            await a.list("CEA25", "sell", price_ticks=7400 + n, qty=10 + n + day) for n in range(9)
        ]
        await b.take_best("CEA25", "buy", price_ticks=7450, qty=12)
        await c.take_best("CEA25", "buy", price_ticks=7450, qty=5)
        await a.cancel(orders[-1])
        await c.list("CEA25", "buy", price_ticks=7390 - day, qty=3)
    await venue.settled()


async def lived(folder: Path) -> None:
    """Three days, the last one still running when it is stopped."""
    start = dt.datetime.combine(DAYS[0], dt.time(9, 45))
    async with live_venue(folder, local=start) as venue:
        for day, date in enumerate(DAYS):
            if day:
                venue.clock.leap_to(dt.datetime.combine(date, dt.time(9, 30, 1)))
                await venue.phase(Phase.MORNING)
            await traded(venue, day)
            if date != DAYS[-1]:
                venue.clock.leap_to(dt.datetime.combine(date, dt.time(15, 0, 1)))
                await venue.phase(Phase.POSTED)


async def lived_on(folder: Path) -> None:
    """Somebody goes on with it on the third day."""
    start = dt.datetime.combine(DAYS[-1], dt.time(10, 0))
    async with live_venue(folder, local=start) as venue:
        await traded(venue, 7)
