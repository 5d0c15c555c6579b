"""A small country for the tests of the compliance year: entities, figures, and the people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from sqlalchemy import select

from registry.compliance.rows import AllocationRow
from registry.institution import Registry
from registry.schema import accounts
from registry.windows import nanoseconds

PLATFORM, REGISTRAR, ENTITY, PROVINCE, VERIFIER = 11, 12, 21, 31, 41
PLANS = {
    2019: "power-2019-2020",
    2020: "power-2019-2020",
    2021: "power-2021-2022",
    2022: "power-2021-2022",
    2023: "power-2023-2024",
    2024: "power-2023-2024",
    2025: "power-2025-2026",
    2026: "power-2025-2026",
}
DOCUMENT = "letter of the province"


def at(year: int, month: int, day: int, hour: int = 10, minute: int = 0, second: int = 0) -> int:
    """Return a Beijing wall time in nanoseconds."""
    return nanoseconds(dt.date(year, month, day), dt.time(hour, minute, second))


class Town:
    """Entities P1, P2 … of power in Hubei, S1 of steel in Hebei; what happens to them by year."""

    def __init__(self, registry: Registry, power: int = 2) -> None:
        self.registry = registry
        self.compliance = registry.compliance
        registry.monitoring.open_provinces()
        rows = [(f"P{i}", f"Power {i}", "42", "power") for i in range(1, power + 1)]
        registry.monitoring.add_entities([*rows, ("S1", "Steel 1", "13", "steel")])
        registry.monitoring.open_accounts()

    def verified(self, year: int, **tonnes: int) -> None:
        """Write verified emissions of a year down, by entity."""
        rows = [(entity, year, value) for entity, value in tonnes.items()]
        self.registry.monitoring.record_verified_many(rows, VERIFIER, at(year + 1, 6, 30))

    def issue(
        self,
        year: int,
        stage: str,
        tonnes: Mapping[str, int],
        at_ns: int | None = None,
        plan: str = "",
        reasons: Mapping[str, str] | None = None,
    ) -> None:
        """Issue a stage; the test fails if a row goes back."""
        rows = [AllocationRow(e, t, (reasons or {}).get(e, "")) for e, t in tonnes.items()]
        when = at(year + 1, 9, 1) if at_ns is None else at_ns
        found = self.compliance.issue(
            plan or PLANS[year], year, stage, rows, PLATFORM, REGISTRAR, when, DOCUMENT
        )
        assert found.request is not None, found.handover
        assert found.request.status == "approved"

    def year(self, year: int, emissions: Mapping[str, int], allocation: Mapping[str, int]) -> None:
        """Verify, issue (nothing early) and notify a year of power."""
        self.verified(year, **emissions)
        self.issue(year, "pre", dict.fromkeys(allocation, 0))
        self.issue(year, "final", allocation)
        self.compliance.notify(year, at(year + 1, 10, 1))

    def has(self, entity: str, vintage: str, kind: str = "registry_available") -> int:
        """Return what an entity has of a vintage in one state."""
        index = self.index(entity)
        holding = self.registry.balances(index).holdings.get(vintage)
        return 0 if holding is None else int(getattr(holding, kind))

    def index(self, entity: str) -> int:
        """Return the trading index of an entity."""
        with self.registry.database.read() as tx:
            query = select(accounts.c.trading_index).where(accounts.c.code == entity)
            return int(tx.execute(query).scalar_one())

    def surrender(self, entity: str, year: int, vintage: str, tonnes: int, at_ns: int) -> int:
        """Apply and approve; return the application's number."""
        made = self.compliance.apply(entity, year, vintage, tonnes, ENTITY, at_ns)
        self.compliance.approve(made.number, PROVINCE, at_ns)
        return made.number
