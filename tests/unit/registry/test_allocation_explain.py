"""The steps that are told are those that were taken: each ends in the number of the result."""

from __future__ import annotations

import re

import pytest

from registry.allocation import plan_file
from registry.allocation.explain import Step, entity_steps, unit_steps
from tests.unit.registry.allocation_tables import allocated

COAL = {
    "class": "I",
    "generated_mwh": "1234567.891",
    "supplied_mwh": "1200000.5",
    "heat_gj": "765432.1",
    "heat_ratio_pct": "12.5",
    "load_factor_pct": "44.44",
    "cooling": "air",
    "base_emissions_t": "1000001",
    "base_electricity_mwh": "1111111",
    "emissions_t": "2500000",
}
GAS = {**COAL, "unit": "g", "class": "IV", "emissions_t": "700000"}
POWER = [
    (name, year)
    for name in plan_file.names()
    if name.startswith("power")
    for year in plan_file.load(name).years
]


def last(steps: list[Step], what: str) -> int:
    """Return the tonnes of the last step that is called so."""
    text = [step.after for step in steps if step.what == what][-1]
    return int(re.sub(r"[^0-9].*", "", text.replace(",", "")))


@pytest.mark.parametrize(("name", "year"), POWER)
def test_power_steps_end_in_the_results(name: str, year: int) -> None:
    of = allocated(name, year, COAL, GAS)
    for i in range(2):
        steps = unit_steps(of, i)
        assert last(steps, "unit quota") == of.unit.quota_t[i]
        assert last(steps, "part of pre-allocation") == of.unit.pre_allocation_t[i]
    steps = entity_steps(of, 0)
    assert last(steps, "sum of the units") == of.entity.quota_t[0]
    changed = [step for step in steps if step.what.startswith("shortage")]
    assert changed
    side = "obligation" if year < 2021 else "approved"
    assert {step.calculation for step in changed} == {side}
    result = (of.entity.obligation_t if year < 2021 else of.entity.approved_t)[0]
    assert last(changed, changed[-1].what) == result
    assert last(steps, "true-up") == of.entity.issue.final_issue_t[0]
    assert last(steps, "balance") == of.entity.shortfall_t[0]


@pytest.mark.parametrize(("name", "year"), POWER)
def test_clauses_are_those_of_the_plan(name: str, year: int) -> None:
    of = allocated(name, year, COAL, GAS)
    cited = {step.clause for i in range(2) for step in unit_steps(of, i)}
    cited |= {step.clause for step in entity_steps(of, 0)}
    expected = {
        2019: {"AL-10", "AL-11", "AL-12", "AL-13"},
        2021: {"AL-20", "AL-21", "AL-22", "AL-23"},
        2023: {"AL-31", "AL-32", "AL-33", "AL-34", "AL-35", "AL-36"},
        2025: {"AL-60", "AL-61", "AL-62", "AL-63", "AL-64", "AL-67"},
    }[year - (year + 1) % 2]
    assert cited == expected | {"AL-02", "AL-03", "AL-62", "CP-30"}


def test_special_cases_say_their_name() -> None:
    of = allocated(
        "power-2025-2026",
        2025,
        {"special": "special_gas"},
        {"entity": "F", "class": "III", "generated_mwh": "5", "emissions_t": "100"},
    )
    assert [step.what for step in unit_steps(of, 0)] == [
        "quota = verified emissions: special gases only"
    ]
    assert unit_steps(of, 1)[0].what.endswith("an entity below 26,000 t")
    out = allocated("power-2023-2024", 2024, COAL, {"unit": "n", "special": "new"})
    [step] = unit_steps(out, 1)
    assert (step.clause, step.after) == ("AL-04", "no quota")


def test_deduction_and_differentiated_issue_are_told() -> None:
    facts = {"deduction_t": "70000", "pre_allocated_t": "50000", "emissions_t": "30000"}
    of = allocated("power-2025-2026", 2025, {"special": "biomass", **facts})
    [step] = [step for step in entity_steps(of, 0) if step.what == "deduction"]
    assert step.clause == "AL-67"
    assert step.calculation == "50,000 t of it early, 20,000 t credited back"
    assert step.after == "30,000 t deducted, 40,000 t carried on"
    of = allocated("power-2023-2024", 2024, {**COAL, "differentiated": "unpaid"})
    [step] = [step for step in entity_steps(of, 0) if step.what == "differentiated issue"]
    assert step.clause == "AL-40"
    assert step.after.endswith("500,000 t still owed")


def test_industry_in_2024_is_one_step() -> None:
    of = allocated("industry-2024", 2024, {"sector": "cement"})
    assert [(s.clause, s.after) for s in unit_steps(of, 0)] == [("AL-80", "1,000,000 t")]
