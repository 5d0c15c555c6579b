"""People of a compliance year at a running venue, over REST; each asks with a key of his own."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from gateway.keys import Key, Keys
from gateway.serve import Options, Running, running
from registry.institution import Registry
from registry.schema import accounts
from tests.e2e.live_venue import LiveVenue, RunningClock
from tests.security.test_fuzz_wire import signed

PLANS = {
    2019: "power-2019-2020",
    2020: "power-2019-2020",
    2021: "power-2021-2022",
    2022: "power-2021-2022",
    2023: "power-2023-2024",
    2024: "power-2023-2024",
    2025: "power-2025-2026",
}
ENTITIES = ("P1", "P2", "P3")
OFFICES = (
    *("registry_maker", "registry_checker", "verifier", "ministry", "exchange_operator"),
    *("provincial_authority", "second_of_province"),
)


def open_books(folder: Path) -> None:
    """Three power plants of Hubei with accounts; the rest goes over REST."""
    with Registry.open(f"sqlite:///{folder / 'registry.db'}") as registry:
        registry.monitoring.open_provinces()
        rows = [(code, f"Power {code}", "42", "power") for code in ENTITIES]
        registry.monitoring.add_entities(rows)
        registry.monitoring.open_accounts()


class People:
    """Asks pages of a running venue as somebody: an entity by its code, an office by its role."""

    def __init__(
        self, venue: LiveVenue | None, web: httpx.AsyncClient, keys: Mapping[str, Key]
    ) -> None:
        self.venue, self._web, self._keys = venue, web, keys

    async def send(self, who: str, page: str, content: Any = None) -> tuple[int, Any]:
        """Return status and content of what a page answers."""
        method, body = ("GET", b"") if content is None else ("POST", json.dumps(content).encode())
        headers = signed(self._keys[who], method, page, body)
        headers["content-type"] = "application/json"
        found = await self._web.request(method, page, content=body, headers=headers)
        return found.status_code, found.json()

    async def ask(self, who: str, page: str, content: Any = None, code: str = "") -> Any:
        """Return what a page answers: 200 or 201, or a problem of this ``code``."""
        status, said = await self.send(who, page, content)
        told = "" if status in {200, 201} else said["code"]
        assert told == code, (who, page, content, said)
        return said

    async def table(self, who: str, page: str, rows: list[dict[str, Any]]) -> Any:
        """Hand a table in of which every row is good."""
        said = await self.ask(who, page, rows)
        assert said["refused"] == [], said
        return said

    async def by_two(self, action: str, **values: Any) -> Any:
        """Ask as the registry's maker and approve as its checker."""
        wanted = {"action": action, "values": values}
        return await self.approve(
            await self.ask("registry_maker", "/api/registry/requests", wanted)
        )

    async def approve(self, asked: Mapping[str, Any]) -> Any:
        """Approve a request as the registry's checker."""
        decision = {"number": asked["number"], "approve": True, "sha256": asked["sha256"]}
        return await self.ask("registry_checker", "/api/registry/decisions", decision)

    async def issue(self, year: int, stage: str, reasons: Any = None, **tonnes: int) -> None:
        """Hand a stage over and approve it."""
        rows = [
            {"entity": code, "tonnes": t, "reason": (reasons or {}).get(code, "")}
            for code, t in tonnes.items()
        ]
        if not tonnes:
            return
        order = f"plan={PLANS[year]}&year={year}&stage={stage}&document=Hubei"
        page = f"/api/compliance/tables/allocations?{order}"
        done = await self.approve((await self.table("registry_maker", page, rows))["request"])
        assert (done["status"], done["outcome"]) == ("approved", "done")

    async def open_year(
        self, year: int, emitted: Mapping[str, int], given: Mapping[str, int], **reasons: str
    ) -> None:
        """Verify, issue and notify a year, each by whose business it is (CP-10, RG-09, CP-32)."""
        rows = [{"entity": code, "emissions_tonnes": t} for code, t in emitted.items()]
        await self.table("verifier", f"/api/monitoring/tables/verified?year={year}", rows)
        await self.issue(year, "pre", None, **{c: 0 for c in given if c not in reasons})
        await self.issue(year, "final", reasons, **given)
        notified = await self.ask("provincial_authority", "/api/compliance/notices", {"year": year})
        assert notified["notified"] == sorted(emitted)

    async def surrender(self, who: str, year: int, vintage: str, tonnes: int) -> Any:
        """Apply, and let the province approve."""
        wanted = {"year": year, "vintage": vintage, "tonnes": tonnes}
        made = await self.ask(who, "/api/compliance/applications", wanted)
        await self.decide("surrender", made["number"])
        return made

    async def decide(self, paper: str, number: int, who: str = "provincial_authority") -> Any:
        """Approve a paper for the province."""
        verdict = {"numbers": [number], "approve": True, "paper": paper}
        return await self.ask(who, "/api/compliance/decisions", verdict)

    async def standing(self, entity: str, year: int) -> Any:
        """Return where an obligation stands, as its entity sees it."""
        said = await self.ask(entity, f"/api/compliance/obligations?year={year}")
        return said["obligations"][0]

    async def holdings(self, entity: str) -> dict[tuple[str, str], int]:
        """Return what an entity has, by vintage and bucket."""
        said = await self.ask(entity, "/api/registry/holdings")
        return {(row["vintage"], row["bucket"]): row["tonnes"] for row in said["holdings"]}

    def leap_to(self, *moment: int) -> None:
        """Let the venue's clock jump ahead."""
        assert self.venue is not None
        self.venue.clock.leap_to(dt.datetime(*moment))  # type: ignore[arg-type, misc]


def keys_of(folder: Path, keys: Keys) -> dict[str, Key]:
    """Make a key for each entity and office, by code and role."""
    books = f"sqlite:///{folder / 'registry.db'}"
    with Registry.open(books) as registry, registry.database.read() as tx:
        rows = tx.execute(accounts.select().where(accounts.c.code.in_(ENTITIES))).all()
    found = {
        row.code: keys.create(row.trading_index, None, ("compliance", "registry", "viewer"))
        for row in rows
    }
    for name in OFFICES:
        of_province = name in OFFICES[-2:]
        role, province = ("provincial_authority", "42") if of_province else (name, "")
        found[name] = keys.create_office(role, name, province=province)
    return found


async def accounts_come(server: Running) -> None:
    """Return once the exchange knows the entities' accounts: they come by instruction."""
    async with asyncio.timeout(10):
        market = server.venue.exchange.state.market
        while int(market[0]["accounts"]) < len(ENTITIES):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def people(folder: Path, *moment: int) -> AsyncIterator[People]:
    """Serve the venue of a folder from a moment in Beijing on, until the block ends."""
    clock = RunningClock(dt.datetime(*moment))  # type: ignore[arg-type, misc]
    options = Options(clock=lambda _: clock, port=0, data_dir=folder)
    async with running(options) as server, httpx.AsyncClient(base_url=server.url) as web:
        venue = LiveVenue(server, clock, [])
        await accounts_come(server)
        yield People(venue, web, keys_of(folder, server.venue.keys))
        assert server.venue.registry.violations() == []
