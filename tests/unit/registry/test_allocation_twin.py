"""The engine and its twin of fractions agree, tonne for tonne, in every plan year (AL-01 … AL-87).

Both read the same texts, so classes, merged units, special cases and the facts of entities are
compared too, not only the formulas.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from registry.allocation import plan_file
from registry.allocation.engine import Allocation
from registry.allocation.plan import Plan
from registry.allocation.report import balance_values, entities, units
from tests.reference import allocation as twin
from tests.unit.registry.allocation_tables import allocated

Row = dict[str, str]
PLANS = {
    (year, bool(plan.power)): plan
    for plan in map(plan_file.load, plan_file.names())
    for year in plan.years
}
POWER_YEARS = sorted(year for year, power in PLANS if power)
INDUSTRY_YEARS = sorted(year for year, power in PLANS if not power)
FIELDS = (
    *("approved_t", "obligation_t", "pre_issued_t", "deducted_t", "deduction_left_t"),
    *("final_issue_t", "take_back_t", "released_t", "still_owed_t"),
)


def decimals(most: int, places: int = 6) -> st.SearchStrategy[str]:
    """Plain decimals as texts, whole numbers among them."""
    fine = st.integers(0, most * 10**places).map(
        lambda n: f"{n // 10**places}.{n % 10**places:0{places}d}"
    )
    return st.one_of(fine, st.integers(0, most).map(str))


EDGES = ("49.99", "49.999999", "50", "64.9", "64.999999", "65", "74.999999", "75", "80", "85")
LOADS = st.one_of(st.sampled_from(EDGES), st.integers(101, 10_000).map(lambda n: f"{n / 100:.2f}"))
KINDS = st.one_of(
    st.sampled_from(["I", "II", "III", "IV", "I+II", "III+I", "II+III"]).map(
        lambda name: {"class": name}
    ),
    st.sampled_from(["350", "399.999", "400", "330+600", "600+1000"]).map(
        lambda mw: {"fuel": "coal", "capacity_mw": mw}
    ),
    st.sampled_from(["50", "50.000001", "100"]).map(
        lambda pct: {"fuel": "coal", "capacity_mw": "600", "unconventional_pct": pct}
    ),
    st.just({"fuel": "gas", "other_fuel_pct": "10"}),
)
SMALL = st.sampled_from([12_999, 13_000, 25_999, 26_000])  # beside the threshold (AL-65)
TONNES = st.one_of(st.integers(1, 10**7), st.integers(1, 40_000), SMALL).map(str)


@st.composite
def power_row(draw: st.DrawFn, plan: Plan, year: int) -> Row:
    """One unit; a special case now and then."""
    row = {**draw(KINDS), "emissions_t": draw(TONNES), "base_emissions_t": draw(TONNES)}
    codes = [one.code for one in plan.special if year in one.years]
    if draw(st.integers(0, 5)) == 0:
        row["special"] = draw(st.sampled_from(codes))
    output = draw(st.one_of(decimals(10**7), st.integers(0, 10**4).map(lambda n: f"{n}000")))
    row |= {"supplied_mwh": output, "generated_mwh": output, "load_factor_pct": draw(LOADS)}
    row |= {"cooling": draw(st.sampled_from(["water", "air"])), "heat_ratio_pct": draw(LOADS)}
    row["heat_gj"] = draw(st.one_of(st.just(""), decimals(10**7)))
    return row | {"base_electricity_mwh": draw(decimals(10**7)), "base_heat_gj": draw(decimals(9))}


@st.composite
def line_row(draw: st.DrawFn, plan: Plan, year: int) -> Row:
    """One line, process or steel enterprise."""
    sector = draw(st.sampled_from(plan.sectors))
    emitted = draw(st.integers(1_000, 10**7))
    row = {"sector": sector, "emissions_t": str(emitted), "base_emissions_t": draw(TONNES)}
    codes = [one.code for one in plan.special if year in one.years and sector in one.sectors]
    if draw(st.integers(0, 5)) == 0:
        row["special"] = draw(st.sampled_from(codes))
    key = emitted // 2 if sector == "steel" else emitted
    output = Fraction(key * 10**4, draw(st.integers(7_000, 14_000))).__ceil__()
    output = draw(st.sampled_from([output, key, key * 10 // 8, key * 10 // 12]))
    if sector == "steel":
        row |= {"ironmaking_emissions_t": str(key - key // 3), "iron_output_t": str(output)}
        return row | {"sintering_emissions_t": str(key // 3)}
    return row | {"output_t": str(output)}


@st.composite
def table(draw: st.DrawFn, power: bool) -> tuple[int, list[Row]]:
    """A year and its rows: few entities, some with deductions or a reason of differentiation."""
    year = draw(st.sampled_from(POWER_YEARS if power else INDUSTRY_YEARS))
    plan = PLANS[year, power]
    one = power_row(plan, year) if power else line_row(plan, year)
    rows: list[Row] = []
    for i, row in enumerate(draw(st.lists(one, min_size=1, max_size=7))):
        entity = f"steel {i}" if row.get("sector") == "steel" else draw(st.sampled_from("ABC"))
        if row.get("sector") != "steel":
            entity = f"{entity} of {row.get('sector', 'power')}"
        rows.append({"entity": entity, "unit": str(i), **row})
    for entity in sorted({row["entity"] for row in rows}):
        mine = [row for row in rows if row["entity"] == entity]
        mine[-1].update(draw(facts(plan, year, mine)))
    return year, rows


@st.composite
def facts(draw: st.DrawFn, plan: Plan, year: int, rows: Sequence[Row]) -> Row:
    """What one entity owes, got early, or is suspected of."""
    found: Row = {}
    if plan.deductions and draw(st.booleans()):
        found["deduction_t"] = draw(TONNES)
    if plan.differentiated and draw(st.integers(0, 3)) == 0:
        found["differentiated"] = draw(st.sampled_from(plan.differentiated.reasons))
    elif year in plan.pre_allocation and year > 2020 and draw(st.booleans()):
        whole = sum(int(row["base_emissions_t"]) for row in rows)
        most = (plan.pre_allocation[year].share.value * whole).__floor__()
        found["pre_allocated_t"] = str(draw(st.integers(0, most)))
    return found


def agree(of: Allocation, rows: list[Row], balance: dict[str, Fraction]) -> None:
    expected, of_entity = twin.allocate(of.units.year, rows, balance)
    for found, wanted in zip(units(of), expected, strict=True):
        assert (found["in_scope"] == "yes") == wanted.in_scope
        assert found["quota_t"] == wanted.quota
        assert found["approved_t"] == wanted.approved
        assert found["gas_waived_t"] == wanted.waived
        assert found["pre_allocation_t"] == wanted.early
    for row in entities(of):
        mine = of_entity[str(row["entity"])]
        assert tuple(row[field] for field in FIELDS) == tuple(mine[: len(FIELDS)])
        hundredths = Fraction(str(row["shortfall_pct"])) * 100
        assert hundredths == mine.shortfall_hundredths
        assert row["borrow_max_t"] == mine.borrow_max


@given(table(power=True))
def test_power_of_every_plan_year(given_table: tuple[int, list[Row]]) -> None:
    year, rows = given_table
    event(f"year {year}")
    agree(allocated(PLANS[year, True], year, *rows), rows, {})


@given(table(power=False))
def test_industry_of_every_plan_year(given_table: tuple[int, list[Row]]) -> None:
    year, rows = given_table
    of = allocated(PLANS[year, False], year, *rows)
    solved = {str(row["sector"]): str(row["balance_value"]) for row in balance_values([of])}
    agree(of, rows, {sector: Fraction(text) for sector, text in solved.items()})
    for sector, text in solved.items():
        lines = [
            (int(row["emissions_t"]), twin.intensity_of(row))
            for row, found in zip(rows, units(of), strict=True)
            if row["sector"] == sector and found["balance_value"]
        ]
        assert abs(Fraction(text) - twin.balance_value(lines)) <= Fraction(4, 10**12)


@pytest.mark.parametrize("year", POWER_YEARS)
@pytest.mark.parametrize("name", twin.CLASSES)
def test_a_million_of_each_is_the_benchmarks(year: int, name: str) -> None:
    """AL-11, AL-21, AL-31, AL-60: at full load, without cooling or heat factor."""
    row = {"class": name, "supplied_mwh": "1000000", "generated_mwh": "1000000"}
    row |= {"heat_gj": "1000000", "heat_ratio_pct": "0", "cooling": "water"}
    row |= {"load_factor_pct": "85", "emissions_t": "1", "entity": "E"}
    row["emissions_t"] = "30000"
    words = twin.BENCHMARKS[year].split()
    per_mwh, per_gj = words[twin.CLASSES.index(name)], words[5 if name == "IV" else 4]
    expected = (Fraction(per_mwh) + Fraction(per_gj)) * 10**6
    assert units(allocated(PLANS[year, True], year, row))[0]["quota_t"] == expected
    assert twin.power_quota(year, row) == expected
