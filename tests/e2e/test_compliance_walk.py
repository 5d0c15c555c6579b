"""One data year over REST on a live venue: each step by its own role, nobody beyond his own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.keys import Key
from registry.institution import Registry
from registry.monitoring.deposits import Deposit
from registry.monitoring.entities import Facility
from registry.monitoring.roster import Listing
from registry.windows import nanoseconds
from tests.e2e.live_venue import MORNING, LiveVenue, fund, live_venue
from tests.security.test_fuzz_wire import signed

pytestmark = pytest.mark.anyio
BEFORE_NS = nanoseconds(MORNING.date().replace(year=2024, month=12, day=1), MORNING.time())
THEN_NS = nanoseconds(MORNING.date().replace(day=2), MORNING.time())
CELLS = {
    "fuel": ("60000", "t"),
    "ncv": ("20", "GJ/t"),
    "carbon_content": ("0.027", "tC/GJ"),
    "oxidation": ("99", "%"),
    "generated": ("140000", "MWh"),
    "supplied": ("131600", "MWh"),
    "hours": ("720", "h"),
}
EMITTED = 12 * 117_612  # 60,000 x 20 x 0.027 x 99 % x 44/12 a month


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def prepare(folder: Path) -> None:
    """Two entities with accounts, in Hubei and Hebei; eleven months of the first are deposited."""
    fund(folder, 3)
    with Registry.open(f"sqlite:///{folder / 'registry.db'}") as registry:
        monitoring = registry.monitoring
        monitoring.open_provinces()
        rows = [("E0000", "River", "42", "power"), ("E0001", "Hill", "13", "power")]
        monitoring.add_entities(rows)
        monitoring.add_facilities([Facility("E0000", "U1", "unit", "II", "350", "coal")])
        both = [code for code, *_ in rows]
        monitoring.record_verified_many([(code, 2024, 1_400_001) for code in both], 9, BEFORE_NS)
        listings = [Listing(code, "threshold", 1_400_001) for code in both]
        monitoring.publish_roster(2025, listings, "notice 17", 9, BEFORE_NS)
        monitoring.file_plans(2025, [(code, {"meters": "scales"}) for code in both], 9, BEFORE_NS)
        months = [Deposit("E0000", "U1", 202500 + month, CELLS) for month in range(1, 12)]
        monitoring.deposit(months, 9, THEN_NS)


class Desk:
    """Asks pages of a live venue as somebody."""

    def __init__(self, venue: LiveVenue, web: httpx.AsyncClient) -> None:
        self._web, keys = web, venue.running.venue.keys
        self.river = keys.create(0, None, ("compliance",))
        self.hill = keys.create(1, None, ("compliance",))
        self.hubei = keys.create_office("provincial_authority", "Hubei", province="42")
        self.hebei = keys.create_office("provincial_authority", "Hebei", province="13")
        self.verifier = keys.create_office("verifier")
        self.maker = keys.create_office("registry_maker")
        self.checker = keys.create_office("registry_checker")
        self.ministry = keys.create_office("ministry")

    async def ask(self, key: Key, page: str, content: Any = None, status: int = 0) -> Any:
        """Return what a page answers; it must answer with 200, 201 or the status named."""
        method, body = ("GET", b"") if content is None else ("POST", json.dumps(content).encode())
        headers = signed(key, method, page, body) | {"content-type": "application/json"}
        found = await self._web.request(method, page, content=body, headers=headers)
        assert found.status_code in ({status} if status else {200, 201}), found.text
        return found.json()

    async def issue(self, stage: str, tonnes: int) -> None:
        """Hand an allocation over and approve it, by two people."""
        rows = [{"entity": "E0000", "tonnes": tonnes}]
        order = {"plan": "power-2025-2026", "year": 2025, "stage": stage, "document": "Hubei 19"}
        made = await self.ask(self.maker, "/api/compliance/handovers", {**order, "rows": rows})
        request = made["request"]
        decision = {"number": request["number"], "approve": True, "sha256": request["sha256"]}
        decided = await self.ask(self.checker, "/api/registry/decisions", decision)
        assert decided["status"] == "approved"


async def test_a_year_each_in_his_role(tmp_path: Path) -> None:
    prepare(tmp_path)
    async with live_venue(tmp_path) as venue, httpx.AsyncClient(base_url=venue.url) as web:
        desk, digest = Desk(venue, web), venue.running.venue.exchange.digest()
        await report_and_verify(desk)
        await desk.issue("pre", 700_000)
        await desk.issue("final", 1_346_856)
        await surrender(desk)
        await publish(desk, web)
        assert venue.running.venue.exchange.digest() == digest
        assert venue.running.venue.registry.violations() == []


async def report_and_verify(desk: Desk) -> None:
    deposit = {"facility": "U1", "month": 202512, "reported": CELLS}
    made = await desk.ask(desk.river, "/api/monitoring/deposits", deposit)
    assert made["emissions_t"] == "117612"
    await desk.ask(desk.hill, "/api/monitoring/deposits", deposit, 404)  # its facility is no U1
    report = await desk.ask(desk.river, "/api/monitoring/reports", {"year": 2025})
    assert report["emissions_tonnes"] == EMITTED
    look = {"year": 2025, "words": "site visit"}
    await desk.ask(desk.river, "/api/monitoring/verifications", look, 403)
    done = await desk.ask(desk.verifier, "/api/monitoring/verifications", look)
    assert [row["emissions_tonnes"] for row in done["verified"]] == [EMITTED]
    told = await desk.ask(desk.hubei, "/api/monitoring/feedbacks", {"year": 2025})
    assert told["told"] == ["E0000"]
    assert await desk.ask(desk.hebei, "/api/monitoring/reports/2025") == {"reports": []}
    (notice,) = (await desk.ask(desk.river, "/api/notices"))["notices"]
    assert f"{EMITTED:,} t" in notice["sentence"]


async def surrender(desk: Desk) -> None:
    page = "/api/compliance/applications"
    wanted = {"year": 2025, "vintage": "CEA25", "tonnes": 1_346_856}
    early = await desk.ask(desk.river, page, wanted, 409)
    assert early["code"] == "no_notice"  # it comes first (CP-32)
    assert await desk.ask(desk.hebei, "/api/compliance/notices", {"year": 2025}) == {
        "notified": [],
        "without_allocation": [],
    }
    done = await desk.ask(desk.hubei, "/api/compliance/notices", {"year": 2025})
    assert done["notified"] == ["E0000"]
    first = await desk.ask(desk.river, page, wanted)
    over = await desk.ask(desk.river, page, wanted, 409)
    assert over["code"] == "more_than_owed"
    help_with = {"entity": "E0000", "tonnes": EMITTED - 1_346_856, "document": "consent 5"}
    early = await desk.ask(desk.hill, page, {**wanted, **help_with}, 409)
    assert early["code"] == "transfer_out_first"  # what it has lies on the trading side
    verdict = {"numbers": [first["number"]], "approve": True}
    await desk.ask(desk.hebei, "/api/compliance/decisions", verdict, 404)
    await desk.ask(desk.hill, "/api/compliance/withdrawals", {"number": first["number"]}, 404)
    await desk.ask(desk.hubei, "/api/compliance/decisions", verdict)
    (owed,) = (await desk.ask(desk.river, "/api/compliance/obligations?year=2025"))["obligations"]
    assert (owed["surrendered_tonnes"], owed["missing_tonnes"]) == (1_346_856, 64_488)
    assert await desk.ask(desk.hill, "/api/compliance/obligations?year=2025") == {"obligations": []}


async def publish(desk: Desk, web: httpx.AsyncClient) -> None:
    warned = await desk.ask(desk.ministry, "/api/compliance/warnings", {"price_fen": 8000})
    assert (warned["open"], warned["at_risk"]) == (1, 0)  # it has as much on the trading side
    assert warned["guards"] == 0
    year = await desk.ask(desk.ministry, "/api/compliance/disclosures", {"year": 2025})
    assert year["content"]["annual"]["fulfilled_tonnes"] == 1_346_856
    shown = (await web.get(f"/api/disclosures/{year['number']}")).json()
    assert shown == year
    (row,) = shown["content"]["provinces"]
    assert (row["group"], row["completion_tonnes_pct"]) == ("42", "95.43")
