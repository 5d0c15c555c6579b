"""Steel, cement and aluminium: the balance value and alpha; the edge cases E63 to E65 and I13."""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from registry.allocation import industry, plan_file
from registry.allocation.engine import Allocation
from registry.allocation.exact import FACTOR
from registry.allocation.plan import Balance
from registry.allocation.report import balance_values, entities, units
from registry.errors import RefusalError
from tests.reference import allocation as twin
from tests.unit.registry.allocation_tables import allocated, entity_of, read

OLD, NEW = "industry-2024", "industry-2025-2026"


def cement(emissions: str, output: str, name: str = "1", **cells: str) -> dict[str, str]:
    return {
        "sector": "cement",
        "unit": name,
        "emissions_t": emissions,
        "output_t": output,
        **cells,
    }


def steel(emissions: str, iron: str, **cells: str) -> dict[str, str]:
    """A steel enterprise whose key process emits 900 t."""
    processes = {"ironmaking_emissions_t": "600", "sintering_emissions_t": "300"}
    facts = {"sector": "steel", "emissions_t": emissions, "iron_output_t": iron}
    return {**facts, **processes, **cells}


def rules() -> Balance:
    found = plan_file.load(NEW).industry
    assert found is not None
    assert found.balance is not None
    return found.balance


@pytest.mark.parametrize(
    ("emissions", "alpha", "quota"),
    [
        ("800000", "0.03", 824_000),  # E63: X = 20 % exactly
        ("800100", "0.029985", 824_090),  # X = 19.99 %: 824,090.9985
        ("799999", "0.03", 823_998),
        ("900000", "0.015", 913_500),
        ("1000000", "0", 1_000_000),
        ("1199900", "-0.029985", 1_163_920),  # X = -19.99 %: 1,163,920.9985
        ("1200000", "-0.03", 1_164_000),  # X = -20 % exactly
        ("1500000", "-0.03", 1_455_000),
    ],
)
def test_al81_e63_alpha_and_its_limits(emissions: str, alpha: str, quota: int) -> None:
    of = allocated(NEW, 2025, cement(emissions, "1000000"), cement="1")
    row = units(of)[0]
    assert (row["alpha"], row["quota_t"], row["balance_value"]) == (alpha, quota, "1")
    assert isinstance(of.parts, industry.IndustryParts)
    assert bool(of.parts.clamp[0]) == (alpha.removeprefix("-") == "0.03")


def test_e64_and_al83_steel_alpha_of_the_key_process_for_the_whole_enterprise() -> None:
    of = allocated(NEW, 2025, steel("1000001", "1000"), steel="1")  # I = 0.9, X = 10 %
    row = units(of)[0]
    assert (row["intensity"], row["alpha"]) == ("0.9", "0.015")
    assert row["quota_t"] == 1_015_001  # floor of 1,015,001.015
    assert row["unit"] == "enterprise"


def test_e65_al80_in_2024_the_allocation_is_the_emissions() -> None:
    found = entity_of(OLD, 2024, cement("123457", "1", pre_allocated_t=""))
    assert (found["approved_t"], found["shortfall_t"]) == (123_457, 0)
    assert (found["pre_allocation_t"], found["final_issue_t"]) == (0, 123_457)
    assert allocated(OLD, 2024, {"sector": "steel", "unit": ""}).unit.quota_t[0] == 1_000_000


def test_al84_pre_allocation() -> None:
    row = cement("1000000", "1000000", base_emissions_t="900001")
    assert entity_of(NEW, 2025, row)["pre_issued_t"] == 630_000
    assert entity_of(NEW, 2026, row)["pre_issued_t"] == 450_000


def test_al82_a_line_alone_balances_itself() -> None:
    of = allocated(NEW, 2025, cement("1000003", "1234567"))
    assert units(of)[0]["quota_t"] == 1_000_003
    [value] = balance_values([of])
    exact = Fraction(1_000_003, 1_234_567)
    assert value["solved"] == "yes"
    assert abs(Fraction(str(value["balance_value"])) - exact) <= Fraction(1, FACTOR)


def population(seed: int, n: int, spread: float) -> list[dict[str, str]]:
    dice = random.Random(seed)
    rows = []
    for i in range(n):
        output = dice.randint(100_000, 3_000_000)
        emissions = int(output * dice.lognormvariate(-0.16, spread)) + 26_000
        rows.append(cement(str(emissions), str(output), f"line {i}"))
    return rows


def exact_total(of: Allocation) -> Fraction:
    """The sum of E (1 + alpha) before any rounding."""
    assert of.units.lines is not None
    assert isinstance(of.parts, industry.IndustryParts)
    total = Fraction(0)
    for i, emitted in enumerate(of.units.emissions_t.tolist()):
        key = int(of.units.lines.key_emissions_micro[i])
        output = int(of.units.lines.output_micro[i])
        value = int(of.parts.balance_value[of.units.kind[i]])
        total += emitted * (1 + industry.alpha(rules(), value, key, output))
    return total


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("spread", [0.02, 0.15, 0.6])
def test_i13_allocations_sum_to_the_emissions_before_rounding(
    seed: int, spread: float, base_seed: int
) -> None:
    of = allocated(NEW, 2025, *population(seed + base_seed, 60, spread))
    emitted, approved = int(of.units.emissions_t.sum()), int(of.unit.quota_t.sum())
    assert abs(exact_total(of) - emitted) < Fraction(1, 1000)
    assert emitted - 61 <= approved <= emitted  # each line is rounded down by less than a tonne
    assert max(int(row["surplus_t"]) for row in entities(of)) <= emitted * 3 // 100


@pytest.mark.parametrize("seed", range(20))
def test_al82_bisection_agrees_with_the_exact_solution(seed: int, base_seed: int) -> None:
    dice = random.Random(seed + base_seed)
    emissions = [dice.randint(1, 10**7) for _ in range(12)]
    outputs = [dice.randint(1, 10**7) for _ in range(12)]
    found = industry.solve(
        rules(), np.array(emissions), np.array(emissions) * 10**6, np.array(outputs) * 10**6
    )
    exact = twin.balance_value(
        [(e, Fraction(e, o)) for e, o in zip(emissions, outputs, strict=True)]
    )
    assert abs(Fraction(found, FACTOR) - exact) <= max(exact, 1) * Fraction(3, FACTOR)


def test_al82_a_published_balance_value_is_not_solved() -> None:
    shipped = Path(plan_file.__file__).parent / "plans" / f"{NEW}.toml"
    table = '\n[balance.2025]\ncement = { value = 0.85, clause = "AL-82" }\n'
    plan = plan_file.parse(shipped.read_text("utf-8") + table)
    of = allocated(plan, 2025, cement("900000", "1000000"))
    [value] = balance_values([of])
    assert (value["balance_value"], value["solved"]) == ("0.85", "no")
    assert units(of)[0]["alpha"] == "-0.008823529"  # 0.15 x (0.85 - 0.9) / 0.85
    assert units(of)[0]["quota_t"] == 892_058
    with pytest.raises(RefusalError, match="is no sector of the plan"):
        plan_file.parse(shipped.read_text("utf-8") + table.replace("cement", "glass"))


def test_al82_only_the_lines_of_the_formula_balance_and_sectors_stand_apart() -> None:
    rows = [
        cement("900000", "1000000", "a"),
        cement("1100000", "1000000", "b"),
        cement("5000000", "1000000", "white", special="white_clinker"),
        cement("70000", "1000000", "small", entity="F"),
        {"sector": "aluminium", "entity": "G", "output_t": "500000"},
    ]
    of = allocated(NEW, 2025, *rows)
    values = {str(row["sector"]): str(row["balance_value"]) for row in balance_values([of])}
    assert Decimal(values["aluminium"]) == 2
    without = allocated(NEW, 2025, rows[0], rows[1], rows[3])
    assert values["cement"] == balance_values([without])[0]["balance_value"]
    assert units(of)[2]["quota_t"] == 5_000_000


def test_al65_al85_al86_special_cases_by_year() -> None:
    line = cement("500000", "", special="closed")
    assert not allocated(NEW, 2025, line).unit.in_scope[0]
    assert allocated(NEW, 2026, line).unit.quota_t[0] == 500_000
    found = entity_of(OLD, 2024, cement("70000", ""), cement("50000", "", "2", special="closed"))
    assert (found["approved_t"], found["emissions_t"], found["units"]) == (70_000, 70_000, 1)
    small = cement("25999", "26000", "s")
    assert units(allocated(NEW, 2025, small))[0]["special"] == "below_threshold"
    steelworks = steel("500000", "1000", special="hydrogen_blast_furnace")
    assert allocated(NEW, 2026, steelworks).unit.quota_t[0] == 500_000
    refused = read(NEW, steelworks, cement("1", "1", special="heat_only"), year=2025).refused
    assert [row.code for row in refused] == ["unknown_special", "unknown_special"]


def test_what_has_no_intensity_is_refused() -> None:
    rows = (
        cement("100000", "0"),
        cement("0", "100"),
        cement("1001", "1"),
        steel("899", "1000"),
        cement("100000", ""),
        {**steel("1000", "1000"), "iron_output_t": ""},
        {"sector": "glass"},
    )
    refused = read(NEW, *rows, year=2025).refused
    assert [(row.field, row.code) for row in refused] == [
        *(("output_t", "out_of_range"), ("output_t", "out_of_range")),
        *(("output_t", "out_of_range"), ("emissions_t", "out_of_range")),
        *(("output_t", "missing_value"), ("iron_output_t", "missing_value")),
        ("sector", "unknown_sector"),
    ]


def test_a_steel_enterprise_has_one_row() -> None:
    row = steel("1000000", "1000")
    refused = read(NEW, row, row, year=2025).refused
    assert [(r.row, r.code) for r in refused] == [(3, "duplicate_entity")]
