"""A trader's brakes over real sockets: lost lines, timers, rates, also over a restart (P13)."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from gateway import safeguards
from gateway.client import Client, RefusedError
from gateway.limits import Limits
from tests.e2e.live_venue import LiveVenue, live_venue

GRACE_S = 0.3
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client(venue: LiveVenue, account: int) -> Client:
    key = venue.keys[account]
    return Client(venue.url, key.key_id, key.secret, on_rate_limit="raise")


async def lose(line: Client) -> None:
    """Cut the line below the client: no good bye of any kind."""
    line.abort()


async def open_orders(venue: LiveVenue, account: int) -> int:
    return int(venue.running.venue.exchange.state.accounts[account]["open_orders"])


async def no_orders(venue: LiveVenue, account: int, within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while await open_orders(venue, account):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_lost_line_and_a_killed_venue_end_the_orders_a_logout_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(safeguards, "GRACE_AT_START_S", GRACE_S)
    async with live_venue(tmp_path) as venue:
        async with client(venue, 0) as stays:
            await stays.list("CEA25", "sell", price="80.00", qty=10)
        leaves, is_cut = client(venue, 1), client(venue, 2)
        for one in (leaves, is_cut):
            await one.connect()
            await one.list("CEA25", "sell", price="80.00", qty=10)
        assert is_cut.welcome is not None
        monkeypatch.setattr(venue.running.venue.desk.sessions[2][0], "grace_ms", 200)
        await lose(is_cut)
        await no_orders(venue, 2)
        assert [await open_orders(venue, account) for account in (0, 1)] == [1, 1]
    async with live_venue(tmp_path) as venue:  # account 1 was connected when the venue stopped
        assert await open_orders(venue, 1) == 1
        await no_orders(venue, 1)
        assert await open_orders(venue, 0) == 1
        state = venue.running.venue.exchange.state
        assert not state.accounts["cancel_on_disconnect"].any()


async def test_a_timer_survives_a_restart(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, client(venue, 0) as one:
        await one.list("CEA25", "sell", price="80.00", qty=10)
        assert (await one.cancel_after(1_500)).timeout_ms == 1_500
    async with live_venue(tmp_path) as venue:
        await no_orders(venue, 0)


async def test_orders_above_the_rate_are_refused_over_the_wire(tmp_path: Path) -> None:
    limits = Limits(orders_per_second=1, orders_burst=3)
    async with live_venue(tmp_path, limits=limits) as venue, client(venue, 0) as one:
        for ticks in range(3):
            await one.list("CEA25", "sell", price_ticks=8000 + ticks, qty=10)
        with pytest.raises(RefusedError, match="rate_limited"):
            await one.list("CEA25", "sell", price="80.10", qty=10)
        assert (await one.cancel_all()).cancelled == 3


async def test_there_are_so_many_lines_and_no_more(tmp_path: Path) -> None:
    limits = Limits(lines_max=2, lines_waiting_max=1, lines_per_account_max=1)
    async with live_venue(tmp_path, limits=limits) as venue:
        url = venue.url.replace("http", "ws")
        async with connect(url + "/ws/trade"):
            with pytest.raises(InvalidStatus, match="503"):
                await connect(url + "/ws/trade")
        async with client(venue, 0):
            with pytest.raises(RefusedError, match="too_many_lines"):
                await client(venue, 0).connect()
            async with client(venue, 1):
                with pytest.raises(InvalidStatus, match="503"):
                    await connect(url + "/ws/trade")
        async with connect(url + "/ws/md"), connect(url + "/ws/md"):
            with pytest.raises(InvalidStatus, match="503"):
                await connect(url + "/ws/md")
