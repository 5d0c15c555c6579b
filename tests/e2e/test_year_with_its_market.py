"""Where the compliance year meets the market, on one running server whose clock an operator moves:
what must not be sold, what a shortage costs, what the other market's reductions are good for."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.client import Client, OfficeClient, RefusedError
from gateway.market import CCER, CEA
from gateway.moving import manual_clock
from gateway.serve import Options, Running, running
from registry.institution import Registry
from registry.profiles import VOLUNTARY
from tests.e2e.registry_desk import ENTITIES, People, accounts_come, keys_of, open_books
from tests.unit.gateway.test_rest_offsets import BATCH, PROJECT

pytestmark = pytest.mark.anyio
CASH_FEN = 10**9
PENALTIES, OFFSETS = "/api/compliance/penalties", "/api/compliance/offsets"


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Country(People):
    """People of a year and of both markets; traders of an entity are called ``P1 trader``."""

    def __init__(self, server: Running, web: httpx.AsyncClient, folder: Path) -> None:
        self.keys = keys_of(folder, server.venue.keys)
        for code in ENTITIES:
            roles = ("trader", "registry", "viewer")
            account = self.keys[code].account
            self.keys[f"{code} trader"] = server.venue.keys.create(account, None, roles)
        other = server.venues["ccer"].keys
        self.keys["ccer P1"] = other.create(0, None, ("registry", "viewer"))
        for office in ("registry_maker", "registry_checker"):
            self.keys[f"ccer {office}"] = other.create_office(office)
        super().__init__(None, web, self.keys)
        self.url = server.url

    async def move(self, until: str) -> None:
        """Let the operator move the clock."""
        moved = await self.ask("exchange_operator", "/api/clock", {"until": until})
        assert moved["beijing"][: len(until)] == until

    def trader(self, code: str) -> Client:
        """Return a line of an entity's trader, to be entered."""
        key = self.keys[f"{code} trader"]
        return Client(self.url, key.key_id, key.secret)

    async def price(self, vintage: str, more_ticks: int = 0) -> str:
        """Return the reference of a vintage, and some ticks, in yuan."""
        rows = (await self.ask("P1", "/api/instruments"))["instruments"]
        (ticks,) = (row["reference_ticks"] for row in rows if row["code"] == vintage)
        return f"{(ticks + more_ticks) // 100}.{(ticks + more_ticks) % 100:02}"

    async def deal(self, vintage: str, qty: int, more_ticks: int = 0) -> int:
        """P1 sells to P2; return the turnover in fen."""
        price = await self.price(vintage, more_ticks)
        async with self.trader("P1") as giving, self.trader("P2") as taking:
            await giving.list(vintage, "sell", price=price, qty=qty)
            await taking.take_best(vintage, "buy", price=price, qty=qty)
        return int(price.replace(".", "")) * qty

    async def bring(self, vintage: str, qty: int) -> None:
        """P1 brings allowances to the trading side, within the window of the day (RG-08)."""
        async with self.trader("P1") as line:
            await line.transfer_in(vintage, qty=qty)
            async with asyncio.timeout(10):
                while await available(line, vintage) < qty:  # noqa: ASYNC110 - by instruction
                    await asyncio.sleep(0.02)


async def available(line: Client, vintage: str) -> int:
    """Return what an account can sell of a vintage, in tonnes."""
    rows = (await line.get("/api/account"))["holdings"]
    return sum(row["available_tonnes"] for row in rows if row["instrument"] == vintage)


@contextlib.asynccontextmanager
async def country(folder: Path, first: dt.date) -> AsyncIterator[Country]:
    """Serve both markets from a day on; P1 … have accounts, P2 has money."""
    open_books(folder)
    with Registry.open(f"sqlite:///{folder / 'registry.db'}") as registry:
        index = [account for account, code in enumerate(ENTITIES) if code == "P2"]
        registry.deposit_many([(account, CASH_FEN) for account in index])
    (folder / "ccer").mkdir()
    with Registry.open(f"sqlite:///{folder / 'ccer' / 'registry.db'}", VOLUNTARY) as registry:
        registry.open_accounts([("P1", "Power P1")])
    options = Options(
        clock=lambda venue: manual_clock(venue, first, folder / "clock.json"),
        port=0,
        data_dir=folder,
        markets=(CEA, CCER),
    )
    async with (
        running(options) as server,
        httpx.AsyncClient(base_url=server.url, timeout=120) as web,
    ):
        await accounts_come(server)
        async with asyncio.timeout(10):
            market = server.venues["ccer"].exchange.state.market
            while int(market[0]["accounts"]) < 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        yield Country(server, web, folder)
        for venue in server.venues.values():
            assert venue.registry.violations() == []


async def test_who_has_sold_too_much_is_guarded_and_sells_no_more(tmp_path: Path) -> None:
    """CP-40, TR-116: the trade, the watch, the operator's order; the exchange refuses the rest."""
    async with country(tmp_path, dt.date(2026, 9, 1)) as desk:
        await desk.move("2026-09-01T10:00")
        await desk.open_year(2025, {"P1": 1000, "P2": 1000}, {"P1": 1200, "P2": 700})
        await desk.bring("CEA25", 1200)
        await desk.deal("CEA25", 600)
        await desk.move("2026-09-02T10:00")  # settled; the registry has it
        watched = await desk.ask("ministry", "/api/compliance/warnings", {"price_fen": 8000})
        assert (watched["open"], watched["at_risk"], watched["guards"]) == (2, 1, 1)
        said = await desk.ask("provincial_authority", "/api/compliance/warnings")
        (warned,) = said["warnings"]
        assert (warned["entity"], warned["short_tonnes"]) == ("P1", 400)
        (guard,) = (await desk.ask("exchange_operator", "/api/compliance/guards"))["guards"]
        assert (guard["entity"], guard["vintage"], guard["tonnes"]) == ("P1", "CEA25", 600)
        key = desk.keys["exchange_operator"]
        async with OfficeClient(desk.url, key.key_id, key.secret) as office:
            await office.guard_holding(guard["account"], "CEA25", qty=guard["tonnes"])
        price = await desk.price("CEA25")
        async with desk.trader("P1") as line:
            with pytest.raises(RefusedError) as no:
                await line.list("CEA25", "sell", price=price, qty=1)
            assert "TR-116" in no.value.clauses
        assert (await desk.ask("P1", "/api/orders"))["orders"] == []


async def test_a_fine_by_the_average_of_the_venue_s_own_december(tmp_path: Path) -> None:
    """CP-61, CP-63: November does not count; 100 t short cost 5 to 10 times the average."""
    async with country(tmp_path, dt.date(2024, 11, 29)) as desk:
        await desk.move("2024-11-29T10:00")
        emitted = {"P1": 1000, "P2": 1000}
        await desk.open_year(2023, emitted, {"P1": 1300, "P2": 900})
        await desk.bring("CEA23", 300)
        await desk.deal("CEA23", 10, 40)
        await desk.move("2024-12-02T10:00")
        first_fen = await desk.deal("CEA23", 30)
        await desk.move("2024-12-31T10:00")
        last_fen = await desk.deal("CEA23", 20, 30)
        await desk.surrender("P1", 2023, "CEA23", 1000)
        await desk.surrender("P2", 2023, "CEA23", 900)
        case: dict[str, Any] = {"entity": "P2", "offence": "short_surrender", "year": 2023}
        case["document"] = "case 1"
        await desk.ask("provincial_authority", PENALTIES, case, code="not_due")
        await desk.move("2025-01-02T10:00")
        fined = await desk.ask("provincial_authority", PENALTIES, case)
        assert (fined["regime"], fined["clause"]) == ("order_775", "CP-61")
        assert (fined["turnover_fen"], fined["volume_tonnes"]) == (first_fen + last_fen, 50)
        average_fen = (first_fen + last_fen) / 50
        assert fined["short_tonnes"] == 100
        for field, times in (("least_fen", 5), ("most_fen", 10)):
            assert abs(fined[field] - times * average_fen * 100) <= times * 100
        await desk.decide("penalty", fined["number"], "second_of_province")
        (decided,) = (await desk.ask("P2", PENALTIES))["penalties"]
        assert (decided["status"], decided["fine_fen"]) == ("approved", fined["least_fen"])


async def test_reductions_of_the_other_market_fulfil_an_obligation(tmp_path: Path) -> None:
    """VM-10, VM-11, RG-12, CP-35: cancelled and proved there, used here, once and up to 5 %."""
    async with country(tmp_path, dt.date(2026, 9, 1)) as desk:
        await desk.move("2026-09-01T10:00")
        await desk.open_year(2025, {"P1": 1000, "P2": 1000}, {"P1": 950, "P2": 1000})
        for page, content in (("projects", PROJECT), ("batches", BATCH)):
            asked = await desk.ask("ccer registry_maker", f"/ccer/api/offsets/{page}", content)
            decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
            await desk.ask("ccer registry_checker", "/ccer/api/registry/decisions", decision)
        proof, spare = await cancelled(desk, 50), await cancelled(desk, 1)
        wanted = {"year": 2025, "proof": proof["number"], "sha256": proof["sha256"]}
        await desk.ask("P2", OFFSETS, wanted, code="unknown_proof")  # it was cancelled for P1
        await desk.ask("P1", OFFSETS, {**wanted, "proof": "P99999999"}, code="unknown_proof")
        made = await desk.ask("P1", OFFSETS, wanted)
        assert (made["tonnes"], made["status"]) == (50, "pending")
        again = await desk.send("P1", OFFSETS, wanted)
        assert again[0] == 409
        await desk.decide("offset", made["number"])
        more = {"year": 2025, "proof": spare["number"], "sha256": spare["sha256"]}
        over = await desk.send("P1", OFFSETS, more)
        assert (over[0], "CP-35" in over[1]["reason"]) == (409, True), over
        await desk.surrender("P1", 2025, "CEA25", 950)
        owed = await desk.standing("P1", 2025)
        assert (owed["offset_tonnes"], owed["surrendered_tonnes"]) == (50, 950)
        assert owed["is_fulfilled"]
        held = await desk.ask("ccer P1", "/ccer/api/registry/holdings")
        assert {row["bucket"]: row["tonnes"] for row in held["holdings"]} == {
            "registry_available": 49,
            "cancelled": 51,
        }


async def cancelled(desk: Country, tonnes: int) -> Any:
    """Cancel reductions for P1's year 2025, by two people; return the proof."""
    wanted = {"batch": "SEA26", "tonnes": tonnes, "kind": "offset", "purpose": "2025"}
    wanted |= {"document": "d", "beneficiary": "P1", "obligation_year": 2025}
    made = await desk.ask("ccer P1", "/ccer/api/offsets/cancellations", wanted)
    decision = {"number": made["number"], "approve": True, "sha256": made["sha256"]}
    done = await desk.ask("ccer registry_checker", "/ccer/api/offsets/decisions", decision)
    return await desk.ask("ccer P1", f"/ccer/api/offsets/proofs/{done['proof']}")
