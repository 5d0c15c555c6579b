"""The steps that are told are those that were taken: each ends in the number of the result."""

from __future__ import annotations

import re

import pytest

from registry.allocation import plan_file
from registry.allocation.engine import Allocation
from registry.allocation.explain import unit_steps
from registry.allocation.explain_entity import entity_steps
from registry.allocation.steps import Step
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
    cap = "obligation is at most" if year < 2021 else "approved is at least"
    result = (of.entity.obligation_t if year < 2021 else of.entity.approved_t)[0]
    assert last(steps, cap) == result
    assert last(steps, "pre-allocation") == of.entity.issue.pre_issued_t[0]
    assert last(steps, "true-up") == of.entity.issue.final_issue_t[0]
    assert last(steps, "balance") == of.entity.shortfall_t[0]


@pytest.mark.parametrize(("name", "year"), POWER)
def test_clauses_are_those_of_the_plan(name: str, year: int) -> None:
    of = allocated(name, year, COAL, GAS)
    cited = {step.clause for i in range(2) for step in unit_steps(of, i)}
    cited |= {step.clause for step in entity_steps(of, 0)}
    expected = {
        2019: {"AL-10", "AL-11", "AL-12", "AL-13"},
        2021: {"AL-20", "AL-21", "AL-22", "AL-23", "AL-24"},
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


@pytest.mark.parametrize(
    ("name", "year", "load", "text"),
    [
        ("power-2019-2020", 2019, "82", "from 80 %, below 85 %: 1 + 0.0014 x (85 - 82)"),
        ("power-2021-2022", 2021, "76.5", "from 75 %, below 80 %: 1.007 + 0.0016 x (80 - 76.5)"),
        ("power-2023-2024", 2024, "64.9", "below 65 %: 1.015^(16 - 20 x 64.9 %)"),
        (
            *("power-2025-2026", 2025, "40"),
            "below 50 %: 7.254 - 0.633 x (1 - e^(-40/29.822)) - 5.643 x (1 - e^(-40/6.871))",
        ),
        ("power-2023-2024", 2024, "65", "from 65 %"),
    ],
)
def test_the_load_factor_is_told_as_a_formula(name: str, year: int, load: str, text: str) -> None:
    row = {**COAL, "heat_gj": "", "load_factor_pct": load}
    [step] = [step for step in unit_steps(allocated(name, year, row), 0) if "Ff" in step.what]
    assert step.calculation == f"F = {load} %, {text}"


def cap_of(of: Allocation) -> Step:
    [step] = [step for step in entity_steps(of, 0) if "least" in step.what or "most" in step.what]
    return step


def test_caps_are_told_with_their_numbers_reached_or_not() -> None:
    rows = {"class": "III", "generated_mwh": "900000", "emissions_t": "1100001"}
    step = cap_of(allocated("power-2023-2024", 2024, rows))
    assert step.clause == "AL-36"
    assert step.calculation == "0.80 x 1,100,001 t emitted = 880,000.8 t"
    assert (step.before, step.rounding, step.after) == (
        *("741,960 t", "down to whole tonnes"),
        "880,000 t",
    )
    rich = {**rows, "generated_mwh": "1500000"}
    step = cap_of(allocated("power-2023-2024", 2024, rich))
    assert step.after == "1,236,600 t, not reached"
    old = {**rows, "supplied_mwh": "500000", "cooling": "water"}
    step = cap_of(allocated("power-2019-2020", 2019, old))
    assert (step.clause, step.certainty) == ("AL-13", "likely")
    assert step.calculation == "573,000 t + 0.20 x 1,100,001 t emitted = 793,000.2 t"
    assert step.after == "793,000 t"


def test_what_may_be_borrowed_is_told() -> None:
    row = {"class": "III", "supplied_mwh": "900000", "emissions_t": "1100000", "cooling": "water"}
    steps = entity_steps(allocated("power-2021-2022", 2021, row), 0)
    assert (steps[-1].clause, steps[-1].after) == ("AL-24", "110,000 t")
    small = {**row, "emissions_t": "850000"}
    steps = entity_steps(allocated("power-2021-2022", 2021, small), 0)
    assert (steps[-1].clause, steps[-1].after) == ("AL-24", "0 t, the shortage is too small")


def test_a_given_pre_allocation_and_a_gas_unit_that_is_not_short_are_told() -> None:
    row = {**GAS, "generated_mwh": "3000000", "pre_allocated_t": "400000"}
    of = allocated("power-2025-2026", 2025, row)
    [step] = [step for step in unit_steps(of, 0) if step.what.startswith("gas unit")]
    assert (step.clause, step.what) == ("AL-64", "gas unit: not short")
    [step] = [step for step in entity_steps(of, 0) if step.what == "pre-allocation"]
    assert (step.clause, step.calculation, step.after) == ("AL-63", "as given", "400,000 t")
    late = {**GAS, "differentiated": "unpaid"}
    steps = entity_steps(allocated("power-2025-2026", 2025, late), 0)
    [step] = [step for step in steps if step.what == "pre-allocation"]
    assert (step.clause, step.after) == ("AL-66", "0 t")
