"""What the institutions' people do over the wire: court orders with a new owner, rules, keys."""

import asyncio
from pathlib import Path

import pytest

from engine.records import Phase
from gateway.client import Client, OfficeClient, RefusedError
from gateway.keys import request_signature
from gateway.market import CCER, CEA
from gateway.serve import Options, running
from gateway.wire.rare_messages import HoldingDeducted, HoldingFrozen, ParameterChanged
from tests.e2e.live_venue import LiveVenue, RunningClock, fund, live_venue
from tests.e2e.test_three_ways import DAY, at, client, come_true, officer, until

pytestmark = pytest.mark.anyio
TONNES = 50_000
ORDER = {"account": 0, "vintage": "CEA25", "side": "trading", "document": "Order 7 of the court"}


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def until_posted(venue: LiveVenue, day: int = 5) -> None:
    for hour, phase in ((12, Phase.LUNCH), (14, Phase.AFTERNOON), (15, Phase.POSTED)):
        venue.clock.leap_to(at(hour, 1).replace(day=day))
        await venue.phase(phase)


async def holdings(line: Client) -> tuple[dict, dict]:
    """CEA25 on the trading side and at the registry."""
    account = await line.get("/api/account")
    sides = (account["holdings"], account["registry"]["holdings"])
    one, two = ({each["instrument"]: each for each in side} for side in sides)
    return one["CEA25"], two["CEA25"]


async def statement_line(line: Client) -> dict:
    """CEA25 in the statement of the day."""
    state = await line.get("/api/statements/20260105")
    (found,) = [each for each in state["holdings"] if each["vintage"] == "CEA25"]
    return found


async def court_order(
    maker: OfficeClient, checker: OfficeClient, action: str, qty: int, **more: object
) -> dict:
    """Ask for a court order at the registry and approve it."""
    values = {**ORDER, "qty_tonnes": qty, **more}
    asked = await maker.post("/api/registry/requests", {"action": action, "values": values})
    decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
    return await checker.post("/api/registry/decisions", decision)


async def outcome(maker: OfficeClient, number: int) -> tuple[str, str]:
    """What became of an approved request at the exchange, and why."""
    async with asyncio.timeout(10):
        while True:
            found = (await maker.get("/api/registry/requests"))["requests"]
            (mine,) = [each for each in found if each["number"] == number]
            if mine["outcome"] != "pending":
                return mine["outcome"], mine["reason"]


async def test_a_court_gives_tonnes_to_a_new_owner(tmp_path: Path) -> None:
    """RG-15, RG-23, E51, ST-07: registry's maker and checker -> exchange -> both owners; no trade,
    no price; the new owner may transfer them in and sell them on the same day."""
    fund(tmp_path, 3, tonnes=TONNES)
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 0) as old,
        client(venue, 1) as new,
        client(venue, 2) as other,
        officer(venue, "registry_maker") as maker,
        officer(venue, "registry_checker") as checker,
    ):
        before = await other.get("/api/depth/CEA25")
        listing = await old.list("CEA25", "sell", price="74.05", qty=TONNES)
        frozen = asyncio.create_task(until(old, HoldingFrozen))
        deducted = asyncio.create_task(until(old, HoldingDeducted))
        await asyncio.sleep(0)
        await court_order(maker, checker, "freeze", 500)
        assert (await frozen).qty_tonnes == 500
        await come_true(lambda: old.orders[listing.order_no].status == "cancelled")
        decided = await court_order(maker, checker, "deduct", 300, new_owner=1)
        told = await deducted
        assert (told.qty_tonnes, told.account, told.client_order_id) == (300, 0, "")
        assert await outcome(maker, decided["number"]) == ("done", "")
        trading, registry = await holdings(old)
        assert (trading["available_tonnes"], trading["judicial_tonnes"]) == (TONNES - 500, 200)
        trading, registry = await holdings(new)
        assert (trading["available_tonnes"], registry["available_tonnes"]) == (TONNES, 300)
        for line, words in ((old, ("frozen", "deducted")), (new, ("came by a court",))):
            notices = [each["sentence"] for each in (await line.get("/api/notices"))["notices"]]
            assert all(any(word in each for each in notices) for word in words), notices
        mine = [each["kind"] for each in (await other.get("/api/notices"))["notices"]]
        assert mine == [] or set(mine) == {"court"}, "others hear what the public hears"
        after = await other.get("/api/depth/CEA25")
        assert after["quote"]["last_ticks"] == before["quote"]["last_ticks"]

        await new.transfer_in("CEA25", qty=300)
        sold = await new.list("CEA25", "sell", price="74.05", qty=TONNES + 300)
        await other.take(sold.order_no, 10)
        await until_posted(venue)
        line = await statement_line(new)
        assert (line["moved_in_tonnes"], line["closing_tonnes"]) == (TONNES + 300, TONNES + 290)
        line = await statement_line(old)
        assert (line["court_frozen_tonnes"], line["closing_tonnes"]) == (500, TONNES - 500)
        books = venue.running.venue
        assert books.registry.violations(books.exchange.state) == []


async def test_a_deduction_that_cannot_be_done_says_so(tmp_path: Path) -> None:
    """More than the court has frozen: the exchange refuses, the maker reads it, nothing moves."""
    async with (
        live_venue(tmp_path) as venue,
        client(venue, 1) as new,
        officer(venue, "registry_maker") as maker,
        officer(venue, "registry_checker") as checker,
    ):
        values = {**ORDER, "qty_tonnes": 5, "new_owner": 1}
        page = "/api/registry/requests"
        with pytest.raises(RefusedError, match="unknown_account"):
            await maker.post(page, {"action": "deduct", "values": values | {"new_owner": 99}})
        own = await maker.post(page, {"action": "deduct", "values": values | {"new_owner": 0}})
        decision = {"number": own["number"], "approve": True, "sha256": own["sha256"]}
        with pytest.raises(RefusedError, match="same_account"):
            await checker.post("/api/registry/decisions", decision)
        asked = await maker.post("/api/registry/requests", {"action": "deduct", "values": values})
        decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
        await checker.post("/api/registry/decisions", decision)
        answered = await outcome(maker, asked["number"])
        assert answered == ("refused", "insufficient_holding")
        _, registry = await holdings(new)
        assert registry["available_tonnes"] == 0


async def test_makers_take_back_what_nobody_has_decided(tmp_path: Path) -> None:
    """ST-07: at the registry and at the exchange; afterwards it cannot be approved."""
    async with (
        live_venue(tmp_path) as venue,
        officer(venue, "registry_maker") as maker,
        officer(venue, "registry_maker") as colleague,
        officer(venue, "registry_checker") as checker,
    ):
        values = {**ORDER, "qty_tonnes": 5}
        asked = await maker.post("/api/registry/requests", {"action": "freeze", "values": values})
        taken = {"number": asked["number"], "note": "wrong account"}
        page = "/api/registry/withdrawals"
        with pytest.raises(RefusedError, match="not_the_maker"):
            await colleague.post(page, taken)
        with pytest.raises(RefusedError, match="not_permitted"):
            await checker.post(page, taken)
        with pytest.raises(RefusedError, match="text_invalid"):
            await maker.post(page, taken | {"note": ""})
        done = await maker.post(page, taken)
        assert (done["status"], done["note"]) == ("withdrawn", "wrong account")
        decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
        for late in (
            maker.post(page, taken),
            checker.post("/api/registry/decisions", decision),
        ):
            with pytest.raises(RefusedError, match="decided_before"):
                await late
        proposal = await maker.propose(
            "freeze_holding", account=0, instrument="CEA25", qty_tonnes=5
        )
        assert (await maker.withdraw_proposal(proposal.proposal_id)).status == "withdrawn"
        with pytest.raises(RefusedError, match="proposal_decided"):
            await checker.approve(proposal.proposal_id)
        (shown,) = (await checker.get("/api/proposals"))["proposals"]
        assert shown["status"] == "withdrawn"


async def test_a_rule_that_two_people_change_is_in_force_the_next_day(tmp_path: Path) -> None:
    """TR-14, TR-27, ST-07: the morning's rulebook does not undo it, nor does a restart."""
    async with (
        live_venue(tmp_path) as venue,
        officer(venue, "exchange_operator") as maker,
        officer(venue, "supervisor") as supervisor,
        client(venue, 0) as trader,
    ):
        fees = {"parameter": "listed_band_bp", "value": 500}
        early = await maker.propose("set_parameter", **fees)
        await supervisor.approve(early.proposal_id)
        before = await trader.get("/api/instruments")
        await until_posted(venue)
        proposal = await maker.propose("set_parameter", **fees)
        told = asyncio.create_task(until(maker, ParameterChanged))
        await asyncio.sleep(0)
        assert (await supervisor.approve(proposal.proposal_id)).status == "approved"
        changed = await told
        assert (changed.parameter, changed.value) == ("listed_band_bp", 500)
    async with live_venue(tmp_path, local=DAY.replace(day=6, hour=9, minute=45)) as venue:
        assert int(venue.running.venue.exchange.state.rules[0]["listed_band_bp"]) == 500
        async with client(venue, 0) as trader:
            after = await trader.get("/api/instruments")
            assert after != before
            with pytest.raises(RefusedError, match="price_out_of_band"):
                await trader.list("CEA25", "sell", price="79.00", qty=1)


async def test_a_key_of_one_market_opens_no_door_of_another(tmp_path: Path) -> None:
    fund(tmp_path, 1)
    clock = RunningClock(at(9, 45))
    options = Options(clock=lambda _: clock, port=0, data_dir=tmp_path, markets=(CEA, CCER))
    async with running(options) as server:
        key = server.venue.keys.create(0, "a")
        async with Client(server.url, key.key_id, key.secret) as line:
            await come_true(lambda: server.venue.exchange.state.market[0]["accounts"])
            await line.get("/api/account")
        stranger = Client(server.url, key.key_id, key.secret, market="ccer")
        with pytest.raises(RefusedError, match="bad_credentials"):
            await stranger.connect()
        with pytest.raises(RefusedError, match="bad_credentials"):
            await stranger.get("/api/account")
        target = "/ccer/api/account"
        signature = request_signature(key.secret, 10**15, "GET", target)
        ccer = server.venues["ccer"].keys
        assert ccer.check_request("a", 10**15, "GET", target, signature, 10**15) is None
        given = ccer.create(0, "a", secret=key.secret)
        async with Client(server.url, given.key_id, given.secret, market="ccer") as line:
            assert line.welcome is not None
