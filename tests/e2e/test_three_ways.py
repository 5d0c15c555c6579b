"""Bulk, bidding, transfers, halts, two people: three clients and the institutions, real sockets."""

import asyncio
import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.invariants import violations
from engine.records import Phase
from gateway.client import Client, MarketData, OfficeClient, RefusedError
from gateway.market import CCER, CEA
from gateway.messages import List
from gateway.rare_messages import HoldingFrozen, SessionClosed, SessionOpened, TradeVoided
from gateway.serve import Options, running
from registry.institution import Registry
from registry.profiles import VOLUNTARY
from tests.e2e.live_venue import LiveVenue, RunningClock, fund, live_venue

pytestmark = pytest.mark.anyio
QTY = 100_000
DAY = dt.datetime(2026, 1, 5)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def client(venue: LiveVenue, account: int) -> Client:
    key = venue.keys[account]
    return Client(venue.url, key.key_id, key.secret)


def officer(venue: LiveVenue, role: str) -> OfficeClient:
    key = venue.running.venue.keys.create_office(role)
    return OfficeClient(venue.url, key.key_id, key.secret)


def at(hour: int, minute: int = 0) -> dt.datetime:
    return DAY.replace(hour=hour, minute=minute)


async def come_true(condition: Callable[[], object], within_s: float = 10) -> None:
    """Return once ``condition`` holds."""
    async with asyncio.timeout(within_s):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def until(line: Client | OfficeClient, kind: type, within_s: float = 10) -> object:
    async with asyncio.timeout(within_s):
        async for report in line.reports():
            if isinstance(report, kind):
                return report
    raise AssertionError("the connection ended")


async def test_a_bulk_negotiation_between_three_clients(tmp_path: Path) -> None:
    """TR-70…76, U5, U7."""
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 0) as seller,
        client(venue, 1) as buyer,
        client(venue, 2) as other,
        MarketData(venue.url, instruments=["CEA25"]) as md,
    ):
        with pytest.raises(RefusedError, match="phase_closed"):
            await seller.bulk_offer("CEA25", "sell", price="74.00", qty=QTY)
        venue.clock.leap_to(at(13, 1))
        await venue.phase(Phase.AFTERNOON)
        offer = await seller.bulk_offer("CEA25", "sell", price="74.00", qty=QTY)
        await buyer.bulk_counter(offer.order_no, price="73.00", qty=QTY)
        mine = (await seller.get("/api/negotiations"))["negotiations"]
        assert [(each["status"], each["counterparty"], each["initiator"]) for each in mine] == [
            ("countered", 1, True)
        ]
        assert (await other.get("/api/negotiations"))["negotiations"] == []
        board = await other.get("/api/bulk/CEA25")
        assert [each["price_ticks"] for each in board["offers"]] == [7400]
        await seller.bulk_counter(offer.order_no, price="73.50", qty=QTY, counterparty=1)
        agreed = await buyer.bulk_accept(offer.order_no, price="73.50", qty=QTY)
        assert agreed.frozen_fen == 7350 * QTY
        fill = await seller.bulk_confirm(offer.order_no, counterparty=1)
        assert (fill.modality, fill.price_ticks) == ("bulk", 7350)
        second = await seller.bulk_offer("CEA25", "sell", price="74.00", qty=QTY, counterparty=2)
        declined = await other.bulk_decline(second.order_no)
        assert declined.by_you
        third = await seller.bulk_offer("CEA25", "sell", price="74.00", qty=QTY)
        assert (await seller.bulk_withdraw(third.order_no)).status == "cancelled"
        async with asyncio.timeout(5):
            async for message in md:
                if message.__class__.__name__ == "Trade":
                    assert (message.modality, message.qty_tonnes) == (20, QTY)
                    break
        trade = (await buyer.get("/api/trades"))["trades"][0]
        assert (trade["modality"], trade["counterparty"]) == ("bulk", 0)
        assert violations(venue.running.venue.exchange.state) == []


async def test_a_bidding_session_opens_and_closes_by_its_window(tmp_path: Path) -> None:
    """TR-81…91: noticed by the operator, opened and cleared by the venue."""
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 0) as seller,
        client(venue, 1) as one,
        client(venue, 2) as two,
        officer(venue, "exchange_operator") as operator,
    ):
        applied = await seller.apply_session("CEA25", price="74.63", qty=QTY)
        with pytest.raises(RefusedError, match="window"):
            await operator.notice_session(applied.session_no, opens="09:00", closes="09:30")
        noticed = await operator.notice_session(applied.session_no, opens="10:00", closes="10:30")
        assert (noticed.opens, noticed.closes) == ("10:00", "10:30")
        with pytest.raises(RefusedError, match="unknown_session"):
            await one.bid(applied.session_no, price="75.00", qty=10)
        opening = asyncio.create_task(until(seller, SessionOpened))
        await asyncio.sleep(0)
        venue.clock.leap_to(at(10))
        await opening
        closing = asyncio.create_task(until(seller, SessionClosed))
        first = await one.bid(applied.session_no, price="75.00", qty=60_000)
        await two.bid(applied.session_no, price="74.80", qty=60_000)
        spare = await two.bid(applied.session_no, price="74.70", qty=10)
        assert (await two.cancel_bid(spare)).status == "cancelled"
        (session,) = (await one.get("/api/sessions/CEA25"))["sessions"]
        assert (session["status"], session["dealt_qty_tonnes"]) == ("open", 0)
        venue.clock.leap_to(at(10, 30))
        closed = await closing
        assert isinstance(closed, SessionClosed)
        assert (closed.price_ticks, closed.qty_tonnes) == (7480, QTY)
        await venue.settled()
        assert one.orders[first.order_no].status == "filled"
        (session,) = (await one.get("/api/sessions/CEA25"))["sessions"]
        assert (session["status"], session["clearing_ticks"]) == ("closed", 7480)


async def test_sessions_go_on_after_a_restart_and_end_before_the_close(tmp_path: Path) -> None:
    """TR-81: an open session whose window ends while the venue is down is cleared; a session that
    could not be opened in its window is rejected."""
    async with live_venue(tmp_path) as venue, client(venue, 0) as seller, client(venue, 1) as one:
        async with officer(venue, "exchange_operator") as operator:
            for window in (("10:00", "10:30"), ("10:40", "11:00")):
                applied = await seller.apply_session("CEA25", price="74.63", qty=QTY)
                opens, closes = window
                await operator.notice_session(applied.session_no, opens=opens, closes=closes)
        venue.clock.leap_to(at(10))
        async with asyncio.timeout(5):
            while True:
                try:
                    await one.bid(1, price="75.00", qty=500)
                    break
                except RefusedError:
                    await asyncio.sleep(0.02)
    async with live_venue(tmp_path, local=at(11, 10)) as venue, client(venue, 1) as one:
        async with asyncio.timeout(10):
            while len((await one.get("/api/trades"))["trades"]) == 0:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            while True:
                sessions = (await one.get("/api/sessions/CEA25"))["sessions"]
                if [each["status"] for each in sessions] == ["closed", "rejected"]:
                    break
                await asyncio.sleep(0.02)


async def test_allowances_and_money_move_within_their_windows(tmp_path: Path) -> None:
    """RG-07, RG-08, ST-14, U11, E44: usable on both sides when it is answered."""
    fund(tmp_path, 3)
    with Registry.open(f"sqlite:///{tmp_path / 'registry.db'}") as registry:
        registry.issue("CEA25", 0, 500)
    async with live_venue(tmp_path) as venue, client(venue, 0) as a, client(venue, 1) as b:
        before = await a.get("/api/account")
        moved = await a.transfer_in("CEA25", qty=500, client_order_id="in-1")
        assert (moved.direction, moved.client_order_id) == ("in", "in-1")
        paid = await a.cash_in("123.45")
        assert paid.amount_fen == 12345
        after = await a.get("/api/account")
        assert after["cash_available_fen"] == before["cash_available_fen"] + 12345
        held = {each["instrument"]: each for each in after["holdings"]}
        known = {each["instrument"]: each for each in after["registry"]["holdings"]}
        assert held["CEA25"]["available_tonnes"] == 1_000_500
        assert known["CEA25"]["available_tonnes"] == 0
        await a.transfer_out("CEA25", qty=200)
        await a.cash_out(amount_fen=45)
        with pytest.raises(RefusedError) as refused:
            await a.transfer_in("CEA25", qty=10_000, client_order_id="in-2")
        assert refused.value.code == "insufficient_holding"
        for again in ("in-1",):
            with pytest.raises(RefusedError, match="duplicate"):
                await a.transfer_in("CEA25", qty=1, client_order_id=again)
        with pytest.raises(RefusedError, match="unknown_instrument"):
            await a.transfer_in("CEA99", qty=1)
        listing = await b.list("CEA25", "sell", price="74.05", qty=100)
        await a.take(listing.order_no, 100)
        with pytest.raises(RefusedError, match="bought today"):
            await a.transfer_out("CEA25", qty=1_000_400)
        venue.clock.leap_to(at(14, 59))
        await venue.phase(Phase.AFTERNOON)
        await a.cash_out("1.00")
        venue.clock.leap_to(at(15, 1))
        await venue.settled()
        for late in (a.transfer_out("CEA25", qty=1), a.cash_out("1.00")):
            with pytest.raises(RefusedError, match="window_closed"):
                await late
        assert violations(venue.running.venue.exchange.state) == []


async def test_halts_the_kill_switch_and_a_voided_trade(tmp_path: Path) -> None:
    """TR-115, TR-117, TR-121, ST-07."""
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 0) as a,
        client(venue, 1) as b,
        officer(venue, "exchange_operator") as maker,
        officer(venue, "exchange_operator") as checker,
        officer(venue, "supervisor") as supervisor,
    ):
        listing = await a.list("CEA25", "sell", price="74.05", qty=100)
        taken = await b.take(listing.order_no, 40)
        proposal = await maker.propose("void_trade", trade_no=taken.fills[0].trade_no)
        with pytest.raises(RefusedError, match="of his own"):
            await maker.approve(proposal.proposal_id)
        told = asyncio.create_task(until(b, TradeVoided))
        await asyncio.sleep(0)
        assert (await checker.approve(proposal.proposal_id)).status == "approved"
        voided = await told
        assert isinstance(voided, TradeVoided)
        assert (voided.side, voided.qty_tonnes) == ("buy", 40)
        assert (await b.get("/api/trades"))["trades"][0]["void"] is True
        await maker.halt_market()
        with pytest.raises(RefusedError, match="market_halted"):
            await a.list("CEA25", "sell", price="74.06", qty=1)
        await maker.resume_market()
        killed = await a.kill()
        assert killed.cancelled == 1
        with pytest.raises(RefusedError, match="account_restricted"):
            await a.list("CEA25", "sell", price="74.06", qty=1)
        await maker.block_account(0, [])
        await a.list("CEA25", "sell", price="74.06", qty=1)
        (proposals,) = (await checker.get("/api/proposals"))["proposals"]
        assert proposals["status"] == "approved"
        report = await supervisor.get("/api/surveillance/20260105")
        assert len(report["voided_trades"]) == 1
        with pytest.raises(RefusedError, match="not_permitted"):
            await a.get("/api/surveillance/20260105")
        with pytest.raises(RefusedError, match="not_permitted"):
            await supervisor.halt_market()


async def test_a_kill_takes_effect_under_a_flood(tmp_path: Path) -> None:
    """TR-117, reliability 8.2: the halt is numbered before what waited when it came."""
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 0) as a,
        officer(venue, "exchange_operator") as operator,
    ):
        stop = asyncio.Event()

        async def flood() -> int:
            sent = 0
            while not stop.is_set():
                batch = [
                    List(
                        client_order_id=f"f{sent + n}",
                        instrument="CEA25",
                        side="sell",
                        qty_tonnes=1,
                        price_ticks=7500 + n,
                    )
                    for n in range(60)
                ]
                await a.enter_many(batch)
                sent += 60
            return sent

        flooding = asyncio.create_task(flood())
        await asyncio.sleep(0.3)
        async with asyncio.timeout(5):
            await operator.kill()
        await asyncio.sleep(0.1)
        stop.set()
        assert await flooding > 0
        state = venue.running.venue.exchange.state
        assert int(state.market[0]["open_orders"]) == 0
        assert int(state.market[0]["halted"]) == 1


async def test_an_admin_makes_a_key_that_logs_in_and_is_cut_off(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, client(venue, 0) as admin:
        made = await admin.create_key(roles=["trader", "viewer"], key_id="night-desk")
        async with Client(venue.url, made.key_id, made.secret) as trader:
            await trader.list("CEA25", "sell", price="74.05", qty=1)
            with pytest.raises(RefusedError, match="not_permitted"):
                await trader.cash_out("1.00")
            changed = await admin.rotate_key("night-desk")
            await come_true(lambda: trader.bye)
            assert trader.bye is not None
            assert trader.bye.code == "key_changed"
        with pytest.raises(RefusedError, match="bad_credentials"):
            await Client(venue.url, made.key_id, made.secret).connect()
        async with Client(venue.url, changed.key_id, changed.secret) as again:
            assert len((await again.get("/api/orders"))["orders"]) == 1
        keys = (await admin.get("/api/keys"))["keys"]
        assert {each["key_id"] for each in keys} == {"key-0", "night-desk"}
        await admin.revoke_key("night-desk")
        with pytest.raises(RefusedError, match="bad_credentials"):
            await Client(venue.url, changed.key_id, changed.secret).connect()


async def test_statements_and_objections(tmp_path: Path) -> None:
    """ST-05, ST-06, E53."""
    async with live_venue(tmp_path) as venue, client(venue, 0) as a, client(venue, 1) as b:
        listing = await a.list("CEA25", "sell", price="74.05", qty=100)
        await b.take(listing.order_no, 100)
        with pytest.raises(RefusedError, match="no statement"):
            await b.get("/api/statements/20260105")
        for hour, phase in ((12, Phase.LUNCH), (14, Phase.AFTERNOON), (15, Phase.POSTED)):
            venue.clock.leap_to(at(hour, 1))
            await venue.phase(phase)
        statement = await b.get("/api/statements/20260105")
        assert (statement["buy_amount"], statement["status"]) == (7405 * 100, "open")
        made = await b.post("/api/objections", {"date": 20260105, "wording": "Not what I bought."})
        assert made["date"] == 20260105
        assert (await b.get("/api/statements/20260105"))["status"] == "objected"
        with pytest.raises(RefusedError, match="invalid_request"):
            await b.post("/api/objections", {"date": 20260105})
        reader = venue.running.venue.keys.create(1, "reader", ("viewer",))
        async with Client(venue.url, reader.key_id, reader.secret) as viewer:
            with pytest.raises(RefusedError, match="not_permitted"):
                await viewer.post("/api/objections", {"date": 20260105, "wording": "x"})
        assert (await a.get("/api/notices"))["notices"] is not None


async def test_the_registrys_people_decide_in_twos(tmp_path: Path) -> None:
    """ST-07, RG-15, ST-12: a court's freeze asked for at the registry reaches the exchange."""
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 0) as owner,
        officer(venue, "registry_maker") as maker,
        officer(venue, "registry_checker") as checker,
    ):
        values = {
            "account": 0,
            "vintage": "CEA25",
            "qty_tonnes": 50,
            "side": "trading",
            "document": "Order 7 of the court",
        }
        freezing = asyncio.create_task(until(owner, HoldingFrozen))
        await asyncio.sleep(0)
        asked = await maker.post("/api/registry/requests", {"action": "freeze", "values": values})
        assert asked["status"] == "open"
        decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
        with pytest.raises(RefusedError, match="not_permitted"):
            await maker.post("/api/registry/decisions", decision)
        with pytest.raises(RefusedError, match="values_differ"):
            await checker.post("/api/registry/decisions", decision | {"sha256": "0" * 64})
        decided = await checker.post("/api/registry/decisions", decision)
        assert (decided["status"], decided["checker"] > decided["maker"]) == ("approved", True)
        frozen = await freezing
        assert isinstance(frozen, HoldingFrozen)
        assert (frozen.qty_tonnes, frozen.client_order_id) == (50, "")
        held = {each["instrument"]: each for each in (await owner.get("/api/account"))["holdings"]}
        assert held["CEA25"]["judicial_tonnes"] == 50
        with pytest.raises(RefusedError, match="action_invalid"):
            await maker.post("/api/registry/requests", {"action": "steal", "values": {}})
        with pytest.raises(RefusedError, match="invalid_request"):
            await maker.post("/api/registry/requests", {"action": "freeze"})
        assert len((await checker.get("/api/registry/requests"))["requests"]) == 1
        assert (await checker.get("/api/registry/defaults"))["defaults"] == []


async def test_two_markets_in_one_process(tmp_path: Path) -> None:
    """VM-01, VM-03, VM-05…09: other rules, institution and accounts, 6 per mille, no bulk."""
    fund(tmp_path, 2)
    folder = tmp_path / "ccer"
    folder.mkdir()
    with Registry.open(f"sqlite:///{folder / 'registry.db'}", VOLUNTARY) as registry:
        rows = registry.open_accounts([("P0", "Project 0"), ("P1", "Project 1")])
        registry.deposit_many([(row, 10**9) for row in rows])
        registry.issue("WIND1", 0, 1_000)
    clock = RunningClock(at(8, 30))
    options = Options(clock=lambda _: clock, port=0, data_dir=tmp_path, markets=(CEA, CCER))
    async with running(options) as server:
        ccer = server.venues["ccer"]
        key = ccer.keys.create_office("exchange_operator")
        async with OfficeClient(server.url, key.key_id, key.secret, market="ccer") as operator:
            await operator.admit_instrument("WIND1", price="80.00")
        clock.leap_to(at(9, 45))
        both = [server.venue, ccer]
        await come_true(
            lambda: {int(v.exchange.state.market[0]["phase"]) for v in both} == {Phase.MORNING}
        )
        keys = ccer.keys.create_many([(0, "p0"), (1, "p1")])
        lines = [Client(server.url, k.key_id, k.secret, market="ccer") for k in keys]
        async with lines[0] as seller, lines[1] as buyer:
            with pytest.raises(RefusedError, match="unknown_instrument"):
                await seller.list("CEA25", "sell", price="74.00", qty=1)
            await seller.transfer_in("WIND1", qty=1_000)
            listing = await seller.list("WIND1", "sell", price="200.00", qty=100)
            taken = await buyer.take(listing.order_no, 100)
            assert taken.fills[0].fee_fen == 20_000 * 100 * 6 // 1000
            with pytest.raises(RefusedError, match="modality_unavailable"):
                await seller.apply_session("WIND1", price="80.00", qty=QTY)
            listed = (await buyer.get("/api/instruments"))["instruments"]
            assert [each["code"] for each in listed] == ["WIND1"]
        national = server.venue.keys.create(0)
        async with Client(server.url, national.key_id, national.secret) as trader:
            listing = await trader.list("CEA25", "sell", price="74.05", qty=1)
            assert listing.status == "open"
        assert [violations(v.exchange.state) for v in both] == [[], []]
