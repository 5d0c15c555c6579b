"""The mass work of monitoring, for the registry's benchmark: from deposits to figures told.

Every unit of the fleet went to work in December, so one month of deposits makes a whole year's
report: each unit deposits, every entity reports, is verified and told its figure. Plans, roster
and units are entered before and belong to no figure.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from benchmarks.registry_world import ENTITY, PROVINCE, VERIFIER, Fleet, at
from registry.institution import Registry
from registry.monitoring.deposits import Deposit
from registry.monitoring.entities import Facility
from registry.monitoring.roster import Listing

YEAR, MONTH = 2025, 202512
MW = "500"
HOURS = 720
CELLS = {  # what every unit reports alike; electricity and fuel are its own
    "ncv": ("20", "GJ/t"),
    "carbon_content": ("0.026", "tC/GJ"),
    "oxidation": ("99", "%"),
    "heat": ("50000", "GJ"),
    "load": ("58", "%"),
    "heat_ratio": ("3", "%"),
    "hours": (str(HOURS), "h"),
}


def deposits(fleet: Fleet) -> list[Deposit]:
    """Return the month of every unit."""
    return [
        Deposit(fleet.codes[owner], str(number), MONTH, _cells(place))
        for place, (owner, number) in enumerate(
            zip(fleet.entity.tolist(), fleet.number.tolist(), strict=True)
        )
    ]


def _cells(place: int) -> dict[str, tuple[str, str]]:
    generated = 200_000 + place % 10_000
    own = {
        "generated": (str(generated), "MWh"),
        "supplied": (str(generated * 94 // 100), "MWh"),
        "fuel": (str(95_000 + place % 5_000), "t"),
    }
    return CELLS | own


def due(rows: list[Deposit]) -> dict[str, int]:
    """Return what each entity's figure must be, in tonnes: each unit's rounded half up (U27)."""
    found: dict[str, int] = {}
    for row in rows:
        burnt = [Fraction(row.reported[name][0]) for name in ("fuel", "ncv", "carbon_content")]
        oxidised = math.prod(burnt) * Fraction(CELLS["oxidation"][0]) / 100
        tonnes = math.floor(oxidised * Fraction(44, 12) + Fraction(1, 2))
        found[row.entity] = found.get(row.entity, 0) + tonnes
    return found


def enter(registry: Registry, fleet: Fleet) -> None:
    """Enter units, roster and plans: what deposits need to be taken."""
    monitoring = registry.monitoring
    monitoring.add_facilities(
        [
            Facility(fleet.codes[owner], str(number), "unit", "I", MW, "coal", 20251201)
            for owner, number in zip(fleet.entity.tolist(), fleet.number.tolist(), strict=True)
        ]
    )
    listings = [Listing(code, "threshold", 1_000_000) for code in fleet.codes]
    monitoring.publish_roster(YEAR, listings, "list", PROVINCE, at(2024, 10, 30))
    plan = {"parameters": "all measured"}
    monitoring.file_plans(YEAR, [(code, plan) for code in fleet.codes], ENTITY, at(2024, 12, 30))


def measure(registry: Registry, fleet: Fleet, clock: Any) -> None:
    """Time deposits, reports, verification and feedback; every figure is what was deposited."""
    enter(registry, fleet)
    monitoring, rows, people = registry.monitoring, deposits(fleet), len(fleet.codes)
    taken = clock.time("deposit", lambda: monitoring.deposit(rows, ENTITY, at(2026, 1, 20)))
    assert len(taken) == len(rows)
    done, refused = clock.time(
        "report", lambda: monitoring.report_all(YEAR, ENTITY, at(2026, 3, 20))
    )
    assert (len(done), refused) == (people, []), refused[:3]
    found = clock.time(
        "verify", lambda: monitoring.verify(YEAR, VERIFIER, at(2026, 6, 10), "as reported")
    )
    assert (len(found.versions), found.refused) == (people, []), found.refused[:3]
    told = clock.time("feed_back", lambda: monitoring.feed_back(YEAR, VERIFIER, at(2026, 6, 12)))
    assert len(told) == people
    assert monitoring.verified_of_year(YEAR) == due(rows), "a figure is not what was deposited"
