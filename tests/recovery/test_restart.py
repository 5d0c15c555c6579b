"""What a restart finds again: state, private streams, client order ids, the feed, the day's end."""

import asyncio
import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from engine.records import EVENT, Phase
from gateway import recovery
from gateway.client import Client, RefusedError
from gateway.desk import day_record
from gateway.desk.reports import reports
from gateway.recovery import gathered
from gateway.venue import Venue
from gateway.wire.codec import JSON
from tests.e2e.live_venue import LiveVenue, live_venue

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def many_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A short day is taken in like a long one: in many batches, whose streams grow in parts."""
    monkeypatch.setattr(recovery, "REPLAY_ROWS", 20)
    monkeypatch.setattr(day_record, "RECALLED_REFS", 30)


async def some_trading(venue: LiveVenue) -> None:
    a, b = (Client(venue.url, key.key_id, key.secret) for key in venue.keys[:2])
    async with a, b:
        for n in range(30):
            order = await a.list("CEA25", "sell", price_ticks=7500 + n % 3, qty=10 + n)
            if n % 3 == 0:
                await b.take_best("CEA25", "buy", price_ticks=7600, qty=12)
            if n % 15 == 10:  # one that nobody takes
                await a.cancel(order)
        with pytest.raises(RefusedError):
            await a.list("CEA25", "sell", price_ticks=9999, qty=1)


def streams(venue: Venue) -> dict[int, bytes]:
    """Every private stream of the day as the clients would get it."""
    record, found = venue.record, {}
    for account in sorted(record.streams):
        refs = record.refs(account, 1, 10**6)
        made = reports(record, venue.desk.codes, refs, np.arange(1, len(refs) + 1))
        found[account] = JSON.encode(made)
    return found


def picture(venue: Venue) -> dict[str, object]:
    """What the public sees now, without the numbers of the feed's life."""
    venue.feed.flush()
    found: dict[str, object] = {}
    for code in venue.feed.codes:
        seen = venue.feed.snapshot(code)
        assert seen.depth is not None
        assert seen.quote is not None
        line = [getattr(seen.quote, name) for name in seen.quote.__struct_fields__[5:]]
        tape = [(trade.trade_no, trade.price_ticks, trade.qty_tonnes) for trade in seen.trades]
        found[code] = (seen.depth.bids, seen.depth.asks, line, tape)
    return found


async def test_a_restart_finds_everything_again(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        await some_trading(venue)
        await venue.settled()
        before = venue.running.venue
        kept = (before.exchange.digest(), streams(before), before.record.ids, picture(before))
    recovered = Venue.recover(tmp_path)
    try:
        again = (
            recovered.exchange.digest(),
            streams(recovered),
            recovered.record.ids,
            picture(recovered),
        )
    finally:
        recovered.journal.close()
        recovered.registry.close()
    assert again[0] == kept[0]
    assert again[1] == kept[1]
    assert len(kept[1][0]) > 1000
    assert {k: v for k, v in again[2].items() if v} == {k: v for k, v in kept[2].items() if v}
    assert again[3] == kept[3]


async def test_a_restart_on_the_next_day_forgets_the_ids_of_yesterday(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        await some_trading(venue)
        venue.clock.leap_to(dt.datetime(2026, 1, 5, 15, 0, 1))
        await venue.phase(Phase.POSTED)
        venue.clock.leap_to(dt.datetime(2026, 1, 6, 9, 30, 1))
        await venue.phase(Phase.MORNING)
        digest = venue.running.venue.exchange.digest()
        assert not any(venue.running.venue.record.ids.values())
    recovered = Venue.recover(tmp_path)
    try:
        assert recovered.exchange.digest() == digest
        assert not any(recovered.record.ids.values())
        assert recovered.record.streams == {}
        assert recovered.feed.bulletin(20260105) is not None
    finally:
        recovered.journal.close()
        recovered.registry.close()


async def test_a_disputed_day_holds_the_next_open_and_says_why(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        await some_trading(venue)
        # the exchange's books are changed behind the registry's back
        state = venue.running.venue.exchange.state
        state.accounts[2]["cash_available_fen"] += 1
        venue.clock.leap_to(dt.datetime(2026, 1, 5, 15, 0, 1))
        await venue.phase(Phase.DISPUTED)
        venue.clock.leap_to(dt.datetime(2026, 1, 6, 10, 0))
        await asyncio.sleep(0.7)
        assert int(state.market[0]["phase"]) == Phase.DISPUTED
        assert "20260105" in venue.running.venue.held
        assert "ST-17" in venue.running.venue.held
        state.accounts[2]["cash_available_fen"] -= 1  # mended
        await venue.phase(Phase.MORNING)
        assert venue.running.venue.held == ""


def test_small_batches_are_gathered_without_loss() -> None:
    batches = [np.zeros(n, EVENT) for n in (1, 2, 3, 9, 1, 1)]
    joined = list(gathered(iter(batches), 5))
    assert [len(each) for each in joined] == [6, 9, 2]
    assert list(gathered(iter([]), 5)) == []
