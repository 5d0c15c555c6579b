"""A trader's brakes over real sockets: lost lines, timers, rates, also over a restart (P13)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from engine.records import Event, Kind
from gateway.client import Client, RefusedError
from gateway.desk import safeguards
from gateway.limits import Limits
from tests.e2e.live_venue import LiveVenue, live_venue
from tests.security.raw_line import TEXT, framed, raw_line
from tests.unit.gateway.inline_desk import order

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


# the same under a full flood: what counts is the order of numbers, not time

FREE = Limits(orders_per_second=0, questions_per_second=0, lines_per_account_max=64)
FLOOD_FRAME = 100


async def flood(venue: LiveVenue, account: int, over: asyncio.Event) -> None:
    """Frames of listings and a cancel of all, as fast as they are taken, until told to stop."""
    async with raw_line(venue.url) as line:
        await line.login(venue.keys[account])
        reading = asyncio.create_task(line.gone(within_s=60))
        for number in range(10**6):
            if over.is_set() or reading.done():
                break
            orders = [
                order(f"{number}-{n}", price=None, price_ticks=7000 + n, qty_tonnes=1)
                for n in range(FLOOD_FRAME - 1)
            ]
            orders.append({"type": "cancel_all", "client_order_id": f"{number}-c"})
            line.send(framed(TEXT, json.dumps(orders).encode()))
            await line.writer.drain()
            await asyncio.sleep(0)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_a_kill_is_effective_within_one_batch_of_a_flood(tmp_path: Path) -> None:
    """P13, TR-115: the kill is numbered first of the batch that follows; nothing comes after it."""
    async with live_venue(tmp_path, accounts=3, limits=FREE) as venue:
        served = venue.running.venue
        over = asyncio.Event()
        floods = [asyncio.create_task(flood(venue, account, over)) for account in (0, 1, 2)]
        operator = served.keys.create_office("exchange_operator")
        waited: list[int] = []
        enter_urgent = served.sequencer.enter_urgent

        def noting(body: tuple[object, ...]) -> int:
            waited.append(served.sequencer.next_seq)
            return enter_urgent(body)

        served.sequencer.enter_urgent = noting
        async with raw_line(venue.url) as line:
            await line.login(operator)
            while served.exchange.seq < 2_000:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            line.say({"type": "kill", "client_order_id": "k", "account": 0})
            killed = await line.until("killed", within_s=30)
            await asyncio.sleep(0.2)
        over.set()
        await asyncio.gather(*floods)
        await venue.settled()
        assert killed["seq"] <= waited[0], "it overtakes what waits"
        record = served.desk.record
        commands = record.commands.all[killed["seq"] - record.first_seq :]
        assert ((commands["account"] == 0) & (commands["kind"] == Kind.LIST)).sum() > FLOOD_FRAME
        events = record.events.all
        after = events[events["seq"] > killed["seq"]]
        assert not ((after["account"] == 0) & (after["kind"] == Event.ACCEPTED)).any()
        assert ((after["account"] == 1) & (after["kind"] == Event.ACCEPTED)).any()
        assert await open_orders(venue, 0) == 0


async def test_a_lost_line_ends_its_orders_within_the_grace_and_a_second(tmp_path: Path) -> None:
    async with live_venue(tmp_path, limits=FREE) as venue:
        over = asyncio.Event()
        flooding = asyncio.create_task(flood(venue, 1, over))
        async with raw_line(venue.url) as line:
            await line.login(venue.keys[0], cancel_on_disconnect=True, grace_ms=300)
            line.say(order("a", qty_tonnes=1), order("b", price="80.06", qty_tonnes=1))
            assert await line.until("accepted")
        await no_orders(venue, 0, within_s=0.3 + 1 + 5)  # five more for a busy machine
        over.set()
        await flooding


async def test_self_trades_bands_and_sizes_hold_under_a_flood(tmp_path: Path) -> None:
    """TR-50, TR-20, TR-62: none of many thousand orders gets past them."""
    async with live_venue(tmp_path, limits=FREE) as venue:
        served, over = venue.running.venue, asyncio.Event()
        flooding = asyncio.create_task(flood(venue, 1, over))
        async with raw_line(venue.url) as line:
            await line.login(venue.keys[0])
            line.say(order("own", price="80.00", qty_tonnes=1))
            own = (await line.until("accepted", within_s=30))["order_no"]
            took = {"type": "take", "client_order_id": "self", "order_no": own, "qty_tonnes": 1}
            for message, code in (
                (took, "self_trade"),
                (order("high", price="999.00"), "price_out_of_band"),
                (order("low", price="1.00"), "price_out_of_band"),
                (order("big", qty_tonnes=100_000), "qty_above_max"),
            ):
                line.say(message)
                assert (await line.until("refused", within_s=30))["code"] == code, message
        over.set()
        await flooding
        await venue.settled()
        trades = served.desk.record.events.all
        trades = trades[trades["kind"] == Event.TRADED]
        assert not (trades["account"] == trades["counterparty"]).any()
