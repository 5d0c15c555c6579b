"""A trading day through real sockets: two accounts, both encodings, REST, market data, evening."""

import asyncio
import datetime as dt
import json
import threading
import time
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.typing import Origin, Subprotocol

from engine.invariants import violations
from engine.records import Phase
from gateway.client import Client, LineLostError, MarketData, Order, RefusedError
from gateway.keys import login_signature, request_signature
from gateway.limits import Limits
from gateway.wire.codec import JSON
from gateway.wire.messages import Accepted, Lapsed
from marketdata.messages import Notice, Snapshot, Trade
from tests.e2e.live_venue import LiveVenue, live_venue

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client(venue: LiveVenue, account: int) -> Client:
    key = venue.keys[account]
    return Client(venue.url, key.key_id, key.secret)


async def test_two_accounts_trade_with_the_client_library(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, client(venue, 0) as a, client(venue, 1) as b:
        listing = await a.list("CEA25", "sell", price="74.05", qty=100)
        assert (listing.status, listing.price) == ("open", "74.05")
        taken = await b.take(listing.order_no, 40)
        assert (taken.status, taken.filled_qty) == ("filled", 40)
        second = await a.list("CEA25", "sell", price="74.06", qty=50)
        first_leg, second_leg = await b.sweep([(listing.order_no, 60), (second.order_no, 10)])
        assert isinstance(first_leg, Order)
        assert isinstance(second_leg, Order)
        best = await b.take_best("CEA25", "buy", price="74.10", qty=15)
        assert (best.filled_qty, best.status) == (15, "filled")
        third = await a.list("CEA25", "sell", price="74.20", qty=5)
        assert (await a.cancel(third)).status == "cancelled"
        with pytest.raises(RefusedError, match="would cross") as refusal:
            await b.list("CEA25", "buy", price="74.30", qty=5)
        assert (refusal.value.code, refusal.value.clauses) == ("would_cross", "TR-67")
        account = await b.get("/api/account")
        (held,) = [each for each in account["holdings"] if each["instrument"] == "CEA25"]
        assert held["bought_today_tonnes"] == 125
        seller = await a.get("/api/account")
        assert seller["proceeds_today_fen"] == 40 * 7405 + 60 * 7405 + 25 * 7406
        assert seller["withdrawable_fen"] == (
            seller["cash_available_fen"] - seller["proceeds_today_fen"]
        )
        assert violations(venue.running.venue.exchange.state) == []


async def test_rest_pages(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, client(venue, 0) as a, client(venue, 1) as b:
        order = await a.list("CEA25", "sell", price="74.05", qty=100, client_order_id="first")
        await b.take(order.order_no, 30, client_order_id="mine")
        await a.list("CEA25", "sell", price="74.07", qty=1)
        orders = await a.get("/api/orders")
        assert [each["leaves_qty"] for each in orders["orders"]] == [70, 1]
        assert orders["orders"][0]["client_order_id"] == "first"
        assert orders["orders"][0]["status"] == "part_filled"
        assert (await a.get(f"/api/orders?after={order.order_no}&open=true"))["orders"][0][
            "price_ticks"
        ] == 7407
        (trade,) = (await b.get("/api/trades"))["trades"]
        assert (trade["client_order_id"], trade["side"], trade["taker"]) == ("mine", "buy", True)
        async with httpx.AsyncClient(base_url=venue.url) as web:
            listed = (await web.get("/api/instruments")).json()
            assert [each["code"] for each in listed["instruments"]][-1] == "CEA25"
            assert listed["instruments"][-1]["upper_limit_ticks"] == 8209
            depth = (await web.get("/api/depth/CEA25")).json()
            assert depth["depth"]["asks"][0]["qty_tonnes"] == 70
            assert (await web.get("/api/depth/XYZ")).status_code == 404
            assert (await web.get("/api/bulletins/20990101")).json()["code"] == "unknown_date"
            assert (await web.get("/api/bulletins/abc")).json()["code"] == "invalid_request"
            assert (await web.get("/healthz")).json()["status"] == "ok"
            schema = (await web.get("/openapi.json")).json()
            assert "AccountView" in schema["components"]["schemas"]
            assert schema["paths"]["/api/orders"]["get"]["responses"]["401"]


async def test_private_pages_want_a_fresh_signature_of_the_very_request(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        key, now_us = venue.keys[0], time.time_ns() // 1000

        def headers(secret: str, time_us: int, target: str) -> dict[str, str]:
            signature = request_signature(secret, time_us, "GET", target)
            names = ("X-Tanshi-Key", "X-Tanshi-Time", "X-Tanshi-Signature")
            return dict(zip(names, (key.key_id, str(time_us), signature), strict=True))

        good = headers(key.secret, now_us, "/api/account")
        bad = [
            {},
            headers("0" * 64, now_us, "/api/account"),
            headers(key.secret, now_us, "/api/orders"),
            headers(key.secret, now_us - 120_000_000, "/api/account"),
            good | {"X-Tanshi-Key": "nobody"},
            good | {"X-Tanshi-Time": "soon"},
        ]
        async with httpx.AsyncClient(base_url=venue.url) as web:
            assert (await web.get("/api/account", headers=good)).status_code == 200
            for wrong in bad:
                answer = await web.get("/api/account", headers=wrong)
                assert (answer.status_code, answer.json()["code"]) == (401, "bad_credentials")
        early = venue.running.venue.keys.create(3_000, "early")  # the exchange has not heard of it
        async with Client(venue.url, early.key_id, early.secret) as line:
            with pytest.raises(RefusedError, match="account_not_open"):
                await line.get("/api/account")


async def test_json_by_hand_over_a_plain_websocket(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        key = venue.keys[0]
        url = venue.url.replace("http", "ws") + "/ws/trade"
        async with connect(url, subprotocols=[Subprotocol("json.v1")]) as line:
            challenge = json.loads(await line.recv())
            now_us = time.time_ns() // 1000
            signature = login_signature(key.secret, challenge["nonce"], now_us)
            login = {"type": "login", "key_id": key.key_id, "time_us": now_us}
            await line.send(json.dumps(login | {"signature": signature}))
            assert json.loads(await line.recv())["type"] == "welcome"
            order = {
                "type": "list",
                "client_order_id": "a-1",
                "instrument": "CEA25",
                "side": "sell",
                "price": "74.05",
                "qty_tonnes": 3,
            }
            await line.send(json.dumps([order, order | {"client_order_id": "a-2"}]))
            both = json.loads(await line.recv())
            assert [each["type"] for each in both] == ["accepted", "accepted"]
            assert [each["report_seq"] for each in both] == [1, 2]
            await line.send("{oops")
            assert json.loads(await line.recv())["code"] == "malformed_frame"
            await line.send(json.dumps({"type": "logout"}))
            assert json.loads(await line.recv())["type"] == "bye"
            with pytest.raises(ConnectionClosed) as closed:
                await line.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 1000


async def test_handshakes_that_are_refused(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        for path in ("/ws/trade", "/ws/md"):
            url = venue.url.replace("http", "ws") + path
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, subprotocols=[Subprotocol("xml.v1")])
            assert refused.value.response.status_code == 400
            with pytest.raises(InvalidStatus) as refused:
                await connect(url, origin=Origin("https://elsewhere.example"))
            assert refused.value.response.status_code == 403
            async with connect(url, origin=Origin(venue.url)) as line:
                assert line.subprotocol is None
            async with connect(
                url, subprotocols=[Subprotocol("x"), Subprotocol("json.v1")]
            ) as line:
                assert line.subprotocol == "json.v1"


async def test_too_big_frames_and_silent_lines_are_closed(tmp_path: Path) -> None:
    async with live_venue(tmp_path, limits=Limits(login_within_ms=200)) as venue:
        url = venue.url.replace("http", "ws") + "/ws/trade"
        for content, code in ((" " * 17_000, 4009), (" " * 70_000, 1009), (None, 4008)):
            async with connect(url) as line:
                if content is not None:
                    await line.send(content)
                await line.wait_closed()
                assert line.close_code == code


async def test_wrong_secret_is_refused_and_a_lost_line_says_so(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        with pytest.raises(RefusedError, match="bad_credentials"):
            await Client(venue.url, venue.keys[0].key_id, "wrong").connect()
        synced = threading.Event()
        journal = venue.running.venue.journal
        append = journal.append

        def slow_append(records: bytes, first_seq: int) -> None:
            synced.wait(10)
            append(records, first_seq)

        journal.append = slow_append
        async with client(venue, 0) as a:
            waiting = asyncio.create_task(
                a.list("CEA25", "sell", price="74.05", qty=1, client_order_id="lost")
            )
            await asyncio.sleep(0.05)
            assert not waiting.done(), "nothing is told before the sync"
            a.abort()
            with pytest.raises(LineLostError):
                await waiting
        synced.set()
        async with client(venue, 0) as a:
            assert (await a.status("lost")).outcome == "accepted"


async def test_market_data_gap_is_seen_and_closed(tmp_path: Path) -> None:
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 0) as a,
        client(venue, 1) as b,
        MarketData(venue.url, ["CEA25"]) as md,
    ):
        await md.wait_for(Snapshot)
        listing = await a.list("CEA25", "sell", price="74.05", qty=100)
        lost = 0

        async def take_in(message: object) -> bool:
            nonlocal lost
            if isinstance(message, Trade) and message.qty_tonnes == 2 and lost == 0:
                lost += 1
                return False
            return await original(message)

        original, md._take_in = md._take_in, take_in
        for qty in (1, 2, 3):
            await b.take(listing.order_no, qty)
            await asyncio.sleep(0.15)  # a flush of the feed between two trades
        seen = [(await md.wait_for(Trade)).qty_tonnes for _ in range(3)]
        assert (seen, lost, md.gaps) == ([1, 2, 3], 1, 1)
        assert [trade.qty_tonnes for trade in md.tape] == [1, 2, 3]
        assert md.depth["CEA25"].asks[0].qty_tonnes == 94
        assert md.quote["CEA25"].qty_tonnes == 6


async def test_market_data_refusals_keep_the_line(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        url = venue.url.replace("http", "ws") + "/ws/md"
        async with connect(url, subprotocols=[Subprotocol("json.v1")]) as line:
            for sent, code in (
                ({"type": "subscribe", "instruments": ["CEA99"]}, "unknown_instrument"),
                ({"type": "subscribe", "channels": ["gossip"]}, "unknown_channel"),
                ({"type": "subscribe", "symbols": []}, "unknown_field"),
                ({"type": "list"}, "unknown_message"),
            ):
                await line.send(json.dumps(sent))
                assert json.loads(await line.recv())["code"] == code
            await line.send(json.dumps({"type": "subscribe", "instruments": ["CEA25"]}))
            subscribed = json.loads(await line.recv())
            while isinstance(subscribed, list):
                subscribed = subscribed[0]
            assert subscribed["type"] == "subscribed"
            await line.send(json.dumps({"type": "replay", "epoch": 1, "after": 5}))
            replayed = json.loads(await line.recv())
            assert [each["type"] for each in replayed] == ["snapshot", "replayed"]
            assert replayed[-1]["whole"] is False


async def test_the_day_ends_settles_and_the_next_one_begins(tmp_path: Path) -> None:
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 0) as a,
        client(venue, 1) as b,
        MarketData(venue.url, ["CEA25"], ["notice"]) as md,
    ):
        reports = a.reports()
        listing = await a.list("CEA25", "sell", price="74.05", qty=100)
        await b.take(listing.order_no, 40)
        venue.clock.leap_to(dt.datetime(2026, 1, 5, 15, 0, 1))
        lapsed = await anext(each async for each in reports if isinstance(each, Lapsed))
        assert (lapsed.qty_tonnes, lapsed.code) == (60, "end_of_day")
        await venue.phase(Phase.POSTED)
        notice = await md.wait_for(Notice)
        assert (notice.date, notice.qty_tonnes) == (20260105, 40)
        async with httpx.AsyncClient(base_url=venue.url) as web:
            bulletin = (await web.get("/api/bulletins/20260105")).json()
            assert bulletin["vintages"][-1]["price"]["close_ticks"] == 7405
            assert (await web.get("/api/bulletins")).json()["dates"] == [20260105]
        held = (await b.get("/api/account"))["holdings"]
        assert [each["bought_today_tonnes"] for each in held] == [0, 0]
        venue.clock.leap_to(dt.datetime(2026, 1, 6, 9, 30, 1))
        await venue.phase(Phase.MORNING)
        again = await a.list("CEA25", "sell", price="74.05", qty=1)
        assert again.order_no == 3
        first = [each async for each in _until(reports, 1)]
        assert isinstance(first[0], Accepted)
        assert first[0].report_seq == 1


async def _until(reports, count: int):
    for _ in range(count):
        yield await anext(reports)


async def test_foreign_orders_are_unknown_orders(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, client(venue, 0) as a, client(venue, 1) as b:
        listing = await a.list("CEA25", "sell", price="74.05", qty=100, client_order_id="own")
        answers = []
        for number in (listing.order_no, 4711):
            with pytest.raises(RefusedError) as refused:
                await b.cancel(number)
            answers.append((refused.value.code, refused.value.sentence))
        assert answers[0] == answers[1]
        assert (await b.status("own")).outcome == "unknown"
        assert (await b.get("/api/orders"))["orders"] == []
        assert (await a.status("own")).order_status == "open"


async def test_a_reconnected_client_asks_and_repeats(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        async with client(venue, 0) as a:
            order = await a.list("CEA25", "sell", price="74.05", qty=9, client_order_id="x")
        async with client(venue, 0) as a:
            assert a.welcome is not None
            assert a.welcome.report_seq == 1
            assert (await a.status("x")).order_no == order.order_no
            again = await a.list("CEA25", "sell", price="74.05", qty=9, client_order_id="x")
            assert (again.order_no, again.repeated) == (order.order_no, True)
            assert (await a.status("y")).outcome == "unknown"


async def test_json_frames_hold_what_the_reference_shows() -> None:
    shown = JSON.encode_messages([Accepted(1, 29, 3, "a-1", 7, "CEA25", "sell", 8005, 10, 10, 0)])
    assert json.loads(shown) == {
        "type": "accepted",
        "report_seq": 1,
        "seq": 29,
        "time_us": 3,
        "client_order_id": "a-1",
        "order_no": 7,
        "instrument": "CEA25",
        "side": "sell",
        "price_ticks": 8005,
        "qty_tonnes": 10,
        "leaves_qty": 10,
        "frozen_fen": 0,
    }
