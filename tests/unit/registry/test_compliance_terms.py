"""Terms between notice and deadline: corrections in ten working days, 95 % by the interim day."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring import provinces
from registry.offices import notices
from tests.unit.registry.compliance_town import ENTITY, PROVINCE, VERIFIER, Town, at

CHANGED = at(2024, 12, 2)  # a Monday
LAST_DAY = at(2024, 12, 16, 23, 59)  # the tenth working day


@pytest.fixture
def town(registry: Registry) -> Town:
    """P1 and P2 owe 100 t each for 2023."""
    made = Town(registry)
    made.year(2023, {"P1": 100, "P2": 100}, {"P1": 90, "P2": 120})
    return made


def change(town: Town, tonnes: int, at_ns: int = CHANGED) -> None:
    town.registry.monitoring.record_verified("P1", 2023, tonnes, VERIFIER, at_ns)


def warnings(town: Town, province: str = "42") -> list[str]:
    with town.registry.database.read() as tx:
        account = provinces.all_of(tx)[province].account
        chosen = (notices.c.kind == "warning", notices.c.account == account)
        query = select(notices.c.sentence).where(*chosen).order_by(notices.c.id)
        return list(tx.execute(query).scalars())


def test_a_changed_figure_is_processed_within_ten_working_days_rg_18(town: Town) -> None:
    """RG-18: the tenth working day is in time, the eleventh is not; weekends do not count."""
    terms = town.compliance.terms
    assert terms.adjustments(2023) == []
    change(town, 110)
    one = terms.adjustments(2023)[0]
    assert (one.entity, one.before_tonnes, one.emissions_tonnes) == ("P1", 100, 110)
    assert (one.due_ns, one.done_ns) == (at(2024, 12, 17, 0), 0)
    assert not one.is_overdue(LAST_DAY)
    assert one.is_overdue(at(2024, 12, 17, 0))
    town.compliance.notify(2023, LAST_DAY)
    done = terms.adjustments(2023)[0]
    assert (done.done_ns, done.told_ns, done.issued_ns) == (LAST_DAY, LAST_DAY, 0)
    assert not done.is_overdue(at(2025, 6, 1))


def test_what_is_processed_later_stays_overdue_rg_18(town: Town) -> None:
    change(town, 110)
    town.issue(2023, "additional", {"P1": 95}, at(2024, 12, 10))
    town.compliance.notify(2023, at(2024, 12, 17, 0))
    one = town.compliance.terms.adjustments(2023)[0]
    assert (one.issued_ns, one.done_ns) == (at(2024, 12, 10), at(2024, 12, 17, 0))
    assert one.is_overdue(at(2024, 12, 17, 0))


def test_an_industry_allocation_follows_its_emissions_rg_18(town: Town) -> None:
    """RG-18, AL-80: the notice alone does not do; the additional issue is due as well."""
    town.verified(2024, S1=1_000)
    town.issue(2024, "final", {"S1": 1_000}, at(2025, 11, 20), plan="industry-2024")
    town.compliance.notify(2024, at(2025, 11, 21))
    when = at(2025, 11, 24)
    town.registry.monitoring.record_verified("S1", 2024, 900, VERIFIER, when)
    town.compliance.notify(2024, at(2025, 11, 25))
    terms = town.compliance.terms
    assert terms.adjustments(2024)[0].done_ns == 0
    assert [one.entity for one in terms.remind(2024, at(2025, 12, 9))] == ["S1"]
    assert warnings(town, "13") == [
        "S1: 2024 was changed from 1,000 to 900 t; the additional issue was due by 2025-12-08"
        " (RG-18)."
    ]
    town.issue(2024, "additional", {"S1": 900}, at(2025, 12, 9), plan="industry-2024")
    assert town.has("S1", "CEA24") == 900  # the difference was handed back
    assert terms.adjustments(2024)[0].done_ns == at(2025, 12, 9)
    assert terms.remind(2024, at(2025, 12, 10)) == []


def test_a_change_before_the_final_issue_is_no_correction_of_it(registry: Registry) -> None:
    made = Town(registry)
    made.verified(2023, P1=100)
    made.registry.monitoring.record_verified("P1", 2023, 110, VERIFIER, at(2024, 7, 2))
    made.issue(2023, "pre", {"P1": 0})
    made.issue(2023, "final", {"P1": 90})
    assert made.compliance.terms.adjustments(2023) == []


def cycle(registry: Registry, year: int, power: int, when: int) -> Town:
    """P1 … owe 10 t each for a year and hold it."""
    made = Town(registry, power)
    names = [f"P{n}" for n in range(1, power + 1)]
    made.verified(year, **dict.fromkeys(names, 10))
    made.issue(year, "pre", dict.fromkeys(names, 0), when)
    made.issue(year, "final", dict.fromkeys(names, 10), when)
    made.compliance.notify(year, when)
    return made


def apply(town: Town, number: int, year: int, vintage: str, at_ns: int) -> int:
    made = town.compliance.apply(f"P{number}", year, vintage, 10, ENTITY, at_ns)
    return made.number


@pytest.mark.parametrize(
    ("year", "vintage", "end"),
    [(2020, "CEA", at(2021, 12, 15, 17)), (2022, "CEA22", at(2023, 11, 16, 0))],
)
def test_ninety_five_percent_by_the_interim_deadline_al_14_al_25(
    registry: Registry, year: int, vintage: str, end: int
) -> None:
    """AL-14: 2021-12-15 17:00; AL-25: 2023-11-15: 19 of 20 are 95 %, 18 are not."""
    town = cycle(registry, year, 20, end - 10**15)
    terms = town.compliance.terms
    early = [apply(town, n, year, vintage, end - 1) for n in range(1, 20)]
    late = apply(town, 20, year, vintage, end)
    for number in (*early[:18], late):
        town.compliance.approve(number, PROVINCE, end + 10**9)
    found = terms.warn(year, end + 10**9)
    assert (found.nation.completed, found.nation.completion_pct) == (18, "90.00")
    assert [one.province for one in found.behind] == ["42"]
    assert found.end_ns == end
    clause = found.milestone.clause
    assert [f"({clause})." in one for one in warnings(town)] == [True]
    assert "18 of 20 entities (90.00 %) have surrendered" in warnings(town)[0]
    assert "95 % were due by" in warnings(town)[0]
    town.compliance.approve(early[18], PROVINCE, end + 10**10)  # applied for in time (CP-41)
    met = terms.warn(year, end + 10**10)
    assert (met.nation.completion_pct, met.behind) == ("95.00", ())
    assert len(warnings(town)) == 1
    before = terms.progress(year, end - 2)
    assert (before.nation.completed, before.nation.missing) == (0, 20)


def test_an_entity_is_through_when_both_years_of_the_cycle_are(registry: Registry) -> None:
    """AL-25, CP-34: 2021 and 2022 are cleared together."""
    town = cycle(registry, 2021, 1, at(2023, 8, 1))
    town.verified(2022, P1=10)
    town.issue(2022, "pre", {"P1": 0}, at(2023, 8, 1))
    town.issue(2022, "final", {"P1": 10}, at(2023, 8, 1))
    town.compliance.notify(2022, at(2023, 8, 2))
    when = at(2023, 11, 1)
    town.compliance.approve(apply(town, 1, 2021, "CEA21", when), PROVINCE, when)
    assert town.compliance.terms.progress(2022, when).nation.completed == 0
    town.compliance.approve(apply(town, 1, 2022, "CEA22", when), PROVINCE, when)
    assert town.compliance.terms.progress(2021, when).nation.completed == 1


@pytest.mark.parametrize("year", [2018, 2023, 2024, 2025, 2026])
def test_later_cycles_have_no_interim_deadline(registry: Registry, year: int) -> None:
    """AL-39, AL-69: only the first two cycles have one."""
    town = Town(registry)
    with pytest.raises(RefusalError, match=r"AL-14, AL-25.*no_milestone"):
        town.compliance.terms.progress(year, at(2025, 1, 1))


def test_who_owes_nothing_yet_is_told(registry: Registry) -> None:
    with pytest.raises(RefusalError, match=r"2021 and 2022.*no_notice"):
        Town(registry).compliance.terms.progress(2021, at(2023, 11, 1))


def test_a_missed_interim_deadline_costs_nothing(registry: Registry) -> None:
    """CP-60, AL-25: the fine is for the deadline of 31 December."""
    town = cycle(registry, 2022, 1, at(2023, 8, 1))
    apply(town, 1, 2022, "CEA22", at(2023, 12, 31, 23))
    found = town.compliance.standing("P1", 2022)
    assert found.pending_tonnes == 10
    town.compliance.approve(1, PROVINCE, at(2024, 1, 3))
    assert town.compliance.standing("P1", 2022).is_met_in_time
