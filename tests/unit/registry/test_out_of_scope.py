"""Units that nobody owes for (AL-04, AL-86), and the balance value that stays (AL-82)."""

from __future__ import annotations

from typing import Any

import pytest

from registry.allocation import engine, plan_file, reading
from registry.compliance import books, rows
from registry.compliance.rows import AllocationRow
from registry.errors import RefusalError
from registry.institution import Registry
from tests.unit.registry.compliance_town import DOCUMENT, PLATFORM, REGISTRAR, VERIFIER, Town, at

INDUSTRY, POWER = "industry-2025-2026", "power-2023-2024"
FINAL, LATER = at(2026, 9, 20), at(2026, 11, 20)


@pytest.fixture
def town(registry: Registry) -> Town:
    """Kilns C1, C2 and C3 of Hebei, beside the power plants of Hubei."""
    made = Town(registry)
    kilns = [(f"C{n}", f"Kiln {n}", "13", "cement") for n in (1, 2, 3)]
    registry.monitoring.add_entities(kilns)
    registry.monitoring.open_accounts()
    return made


def kiln(entity: str, emissions: int, output: int, **cells: str) -> dict[str, str]:
    row = {"entity": entity, "unit": "1", "province": "13", "year": "2025", "sector": "cement"}
    return {**row, "emissions_t": str(emissions), "output_t": str(output), **cells}


def hand_over(town: Town, units: list[dict[str, str]], stage: str, at_ns: int) -> Any:
    """Compute what the registry is to find again, hand it over and approve it."""
    plan = plan_file.load(INDUSTRY)
    read = reading.read_rows(plan, enumerate(units, 1), 2025)
    with town.registry.database.read() as tx:
        known = books.balance_values(tx, books.order(INDUSTRY, 2025, stage))
    given = rows.of_result(engine.allocate(plan, read.units[2025], known), stage)
    order = (INDUSTRY, 2025, stage, given, PLATFORM, REGISTRAR, at_ns, DOCUMENT)
    done = town.compliance.issue(*order, units=units)
    assert done.handover.mismatches == ()
    assert done.handover.refused == ()
    return {row.entity: row for row in given}


def test_a_unit_out_of_scope_is_neither_given_for_nor_owed_for(town: Town) -> None:
    """AL-86, CP-30: 300 t of the new kiln come off the 1,300 t that were verified of C1."""
    town.verified(2025, C1=1_300)
    town.issue(2025, "pre", {"C1": 0}, at(2026, 4, 1), INDUSTRY)
    units = [kiln("C1", 1_000, 1_200), kiln("C1", 300, 400, unit="2", special="new")]
    given = hand_over(town, units, "final", FINAL)
    assert (given["C1"].tonnes, given["C1"].waived_tonnes) == (1_000, 300)
    town.compliance.notify(2025, at(2026, 10, 1))
    (owed,) = town.compliance.obligations(year=2025)
    assert (owed.verified_tonnes, owed.waived_tonnes, owed.tonnes) == (1_300, 300, 1_000)
    assert owed.ccer_max_tonnes == 50  # of what is owed (CP-35)


def test_the_platform_says_what_of_a_power_plant_is_out_of_scope(town: Town) -> None:
    """AL-04, CP-30: its word of 40 t stands for 2023; more than was emitted is refused."""
    town.verified(2023, P1=100)
    town.issue(2023, "pre", {"P1": 0})
    wanted = (PLATFORM, REGISTRAR, at(2024, 9, 1), DOCUMENT)

    def issue(waived: int) -> Any:
        given = [AllocationRow("P1", 60, waived_tonnes=waived)]
        return town.compliance.issue(POWER, 2023, "final", given, *wanted)

    (bad,) = issue(101).handover.refused
    assert (bad.field, bad.code) == ("waived_tonnes", "tonnes_invalid")
    assert issue(40).request.status == "approved"
    town.compliance.notify(2023, at(2024, 10, 1))
    (owed,) = town.compliance.obligations(year=2023)
    assert (owed.tonnes, owed.waived_tonnes) == (60, 40)


def test_what_is_not_in_the_plan_s_year_is_refused(town: Town) -> None:
    """AL-80: the industries' first plan leaves no unit out and relieves nobody in its early."""
    town.verified(2025, C1=100)
    given = [AllocationRow("C1", 0, waived_tonnes=1)]
    when = (PLATFORM, REGISTRAR, at(2026, 4, 1), DOCUMENT)
    done = town.compliance.issue(INDUSTRY, 2025, "pre", given, *when)
    assert [one.code for one in done.handover.refused] == ["not_in_plan"]


def test_the_balance_value_of_the_first_issue_stays_al_82(town: Town) -> None:
    """AL-82, RG-18: who comes later, or is corrected, moves nobody's balance, his own included."""
    town.verified(2025, C1=1_000_000, C2=2_000_000, C3=1_000_000)
    town.issue(2025, "pre", {"C1": 0, "C2": 0, "C3": 0}, at(2026, 4, 1), INDUSTRY)
    first = [kiln("C1", 1_000_000, 1_200_000), kiln("C2", 2_000_000, 2_100_000)]
    given = hand_over(town, first, "final", FINAL)
    assert abs(sum(row.tonnes for row in given.values()) - 3_000_000) <= 2  # I13
    with town.registry.database.read() as tx:
        kept = books.balance_values(tx, books.order(INDUSTRY, 2025, "final"))
    assert list(kept) == ["cement"]
    alone = [
        kiln("C3", 1_000_000, 1_200_000)
    ]  # as good as C1: it alone would balance at its emissions
    assert hand_over(town, alone, "final", LATER)["C3"].tonnes == given["C1"].tonnes != 1_000_000
    town.registry.monitoring.record_verified("C3", 2025, 900_000, VERIFIER, LATER)
    worse = [kiln("C3", 900_000, 1_200_000)]
    corrected = hand_over(town, worse, "additional", at(2026, 12, 1))
    with town.registry.database.read() as tx:
        assert books.balance_values(tx, books.order(INDUSTRY, 2025, "final")) == kept
    of = engine.allocate(plan_file.load(INDUSTRY), _units(worse), kept)
    assert corrected["C3"].tonnes == int(of.entity.approved_t[0]) != 900_000


def _units(given: list[dict[str, str]]) -> Any:
    read = reading.read_rows(plan_file.load(INDUSTRY), enumerate(given, 1), 2025)
    return read.units[2025]


def test_a_balance_of_one_s_own_goes_back(town: Town) -> None:
    """7.3, AL-82: a platform that has solved anew for a late-comer differs from the registry."""
    town.verified(2025, C1=1_000_000, C2=2_000_000, C3=1_000_000)
    town.issue(2025, "pre", {"C1": 0, "C2": 0, "C3": 0}, at(2026, 4, 1), INDUSTRY)
    hand_over(
        town, [kiln("C1", 1_000_000, 1_200_000), kiln("C2", 2_000_000, 2_100_000)], "final", FINAL
    )
    when = (PLATFORM, REGISTRAR, LATER, DOCUMENT)
    anew = [AllocationRow("C3", 1_000_000)]
    done = town.compliance.issue(
        INDUSTRY, 2025, "final", anew, *when, units=[kiln("C3", 1_000_000, 1_200_000)]
    )
    (differs,) = done.handover.mismatches
    assert (differs.entity, differs.field, differs.platform) == ("C3", "tonnes", 1_000_000)
    with pytest.raises(RefusalError, match="final_missing"):
        town.compliance.notify(2025, LATER, ["C3"])
