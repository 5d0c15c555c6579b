"""The shipped plans say what the rulebook says, and a wrong plan is refused with a sentence."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from importlib.resources import files

import numpy as np
import pytest

from registry.allocation import factors, plan_file
from registry.allocation.exact import FACTOR, MICRO
from registry.allocation.plan import UNIT_CLASSES, LoadFactor, Plan
from registry.errors import RefusalError

# Year, clause, then electricity (t/MWh) and heat (t/GJ) of the classes I, II, III, IV.
BENCHMARKS = (
    (2019, "AL-11", "0.877 0.126  0.979 0.126  1.146 0.126  0.392 0.059"),
    (2020, "AL-11", "0.877 0.126  0.979 0.126  1.146 0.126  0.392 0.059"),
    (2021, "AL-21", "0.8218 0.1111  0.8773 0.1111  0.935 0.1111  0.392 0.056"),
    (2022, "AL-21", "0.8177 0.1105  0.8729 0.1105  0.9303 0.1105  0.3901 0.0557"),
    (2023, "AL-31", "0.795 0.1038  0.809 0.1038  0.8285 0.1038  0.3305 0.0536"),
    (2024, "AL-31", "0.791 0.1033  0.8049 0.1033  0.8244 0.1033  0.3288 0.0533"),
    (2025, "AL-60", "0.7902 0.1027  0.8017 0.1027  0.8162 0.1027  0.3288 0.0533"),
    (2026, "AL-60", "0.7894 0.1021  0.7985 0.1021  0.8080 0.1021  0.3288 0.0533"),
)
BALANCE_VALUES = (  # AL-20, AL-31: published beside the benchmarks, of electricity
    (2021, "0.821 0.892 0.9627 0.393"),
    (2023, "0.7982 0.8155 0.8352 0.3239"),
)
POWER_OF_YEAR = {
    year: name
    for name in plan_file.names()
    if name.startswith("power")
    for year in plan_file.load(name).years
}


def plan_text(name: str) -> str:
    return (files("registry.allocation") / "plans" / f"{name}.toml").read_text("utf-8")


def power(year: int) -> Plan:
    return plan_file.load(POWER_OF_YEAR[year])


def load_factor(year: int) -> LoadFactor:
    rules = power(year).power
    assert rules is not None
    assert rules.load is not None
    return rules.load


def ff(year: int, load_pct: str, unit_class: str = "I", heat_gj: int = 0) -> Decimal:
    loads = np.array([int(Decimal(load_pct) * MICRO)])
    kind = np.array([UNIT_CLASSES.index(unit_class)])
    found = factors.load(load_factor(year), kind, np.array([heat_gj * MICRO]), loads)
    return Decimal(int(found[0])) / FACTOR


def test_every_year_has_its_plan() -> None:
    assert plan_file.names() == [
        *("industry-2024", "industry-2025-2026"),
        *("power-2019-2020", "power-2021-2022", "power-2023-2024", "power-2025-2026"),
    ]
    assert sorted(POWER_OF_YEAR) == list(range(2019, 2027))
    assert power(2026).version == "2026-draft"  # U13


@pytest.mark.parametrize(("year", "clause", "numbers"), BENCHMARKS)
def test_benchmarks(year: int, clause: str, numbers: str) -> None:
    values = [Decimal(number) for number in numbers.split()]
    rules = power(year).power
    assert rules is not None
    found = [number for b in rules.benchmarks[year] for number in (b.electricity, b.heat)]
    assert found == values
    assert {b.clause for b in rules.benchmarks[year]} == {clause}


@pytest.mark.parametrize(("year", "numbers"), BALANCE_VALUES)
def test_published_balance_values(year: int, numbers: str) -> None:
    rules = power(year).power
    assert rules is not None
    found = [b.electricity for b in rules.balance_values[year]]
    assert found == [Decimal(number) for number in numbers.split()]


@pytest.mark.parametrize(
    ("load_pct", "factor"),
    [("49.99", "1.100321"), ("45", "1.126059"), ("40", "1.160254"), ("30", "1.281146")],
)
def test_al61_check_values(load_pct: str, factor: str) -> None:
    for unit_class in ("I", "II"):
        assert ff(2025, load_pct, unit_class) == Decimal(factor)
        assert ff(2026, load_pct, unit_class) == Decimal(factor)


def test_al61_cliff() -> None:
    assert ff(2025, "49.999999") == Decimal("1.100276")
    assert ff(2025, "50") == 1
    assert ff(2025, "75") == 1


def test_al32_e55_cliff_at_65() -> None:
    assert round(ff(2024, "64.9"), 4) == Decimal("1.0460")
    assert round(ff(2024, "64.999999"), 4) == Decimal("1.0457")
    assert ff(2024, "65.0") == 1
    assert ff(2023, "60") == Decimal("1.061363550625")  # 1.015^4


@pytest.mark.parametrize("year", [2019, 2020, 2021, 2022])
@pytest.mark.parametrize(
    ("load_pct", "factor"),
    [
        *(("100", "1"), ("85", "1"), ("84", "1.0014"), ("80", "1.007"), ("79.5", "1.0078")),
        *(("75", "1.015"), ("70", "1.030225"), ("65", "1.045678375")),
    ],
)
def test_al10_al20_steps_of_the_load_factor(year: int, load_pct: str, factor: str) -> None:
    assert ff(year, load_pct) == Decimal(factor)


def test_load_factor_scope() -> None:
    assert ff(2019, "70", heat_gj=1) == 1  # AL-10, U15: condensing units only
    assert ff(2021, "70", heat_gj=1) > 1  # AL-20, U15: heat and power too
    for year in POWER_OF_YEAR:  # E57
        assert ff(year, "40", "III") == 1
        assert ff(year, "40", "IV") == 1


def test_order_and_side_of_relief() -> None:
    for year, side in ((2019, "obligation"), (2021, "allocation"), (2023, "allocation")):
        relief = power(year).relief
        assert [step.step for step in relief] == ["gas_units", "entity_cap"]
        assert {step.side for step in relief} == {side}
        assert relief[1].share == Decimal("0.20")


@pytest.mark.parametrize(
    ("name", "year", "share", "base_year"),
    [
        *(("power-2019-2020", 2019, "0.70", 2018), ("power-2019-2020", 2020, "0.70", 2018)),
        *(("power-2021-2022", 2021, "0.70", 2021), ("power-2021-2022", 2022, "0.70", 2021)),
        *(("power-2023-2024", 2023, "0.70", 2022), ("power-2023-2024", 2024, "0.70", 2023)),
        *(("power-2025-2026", 2025, "0.50", 2024), ("power-2025-2026", 2026, "0.50", 2025)),
        *(("industry-2025-2026", 2025, "0.70", 2024), ("industry-2025-2026", 2026, "0.50", 2025)),
    ],
)
def test_pre_allocation(name: str, year: int, share: str, base_year: int) -> None:
    rule = plan_file.load(name).pre_allocation[year]
    assert (rule.share.value, rule.base_year.value) == (Decimal(share), base_year)
    assert rule.of_output.value == (name == "power-2019-2020")  # AL-12


def test_carry_over_and_dates() -> None:
    rules = [plan_file.load(name).carry_over for name in ("power-2023-2024", "industry-2024")]
    bases = [(rule.base_tonnes.value, rule.net_sales_multiple.value) for rule in rules if rule]
    assert bases == [(10_000, Decimal("1.5")), (100_000, Decimal("1.5"))]  # AL-51, AL-58
    dates = power(2023).dates
    assert dates[2023, "surrender_due"].value == dt.date(2024, 12, 31)  # AL-39
    assert plan_file.load("industry-2024").pre_allocation == {}  # AL-80
    assert power(2021).borrowing is not None  # AL-24
    assert power(2023).borrowing is None  # AL-37


def test_every_clause_is_named() -> None:
    for name in plan_file.names():
        text = plan_text(name)
        assert len(re.findall(r'clause = "(AL|CP|CA)-\d\d"', text)) == text.count("clause = ")


BROKEN = (
    ("I = { electricity = 0.7950,", "I = { electricty = 0.7950,", "electricity is missing"),
    ('heat = 0.1038, clause = "AL-31" }', "heat = 0.1038 }", "has no clause"),
    ('clause = "AL-36"', 'clause = "36"', "no clause such as AL-32"),
    ('title = "', 'author = "me"\ntitle = "', "author is not known here"),
    ("from_pct = 65", "from_pct = 0", "must fall"),
    ("from_pct = 65", "from_pct = 100", "must fall"),
    ("from_pct = 0", "from_pct = 10", "must end with a step from_pct = 0"),
    ("at = 1\n", "at = 1.2\n", "must not rise with the load"),
    ("base = 1.015", "base = 0.985", "must not rise with the load"),
    ("exponent_slope = 20", "exponent_slope = 19", "the curve gives"),
    ("factor = 1.0460", "factor = 1.0461", "the curve gives 1.0460"),
    ("[2023, 2024]", "[2024, 2023]", "rising"),
    ("[2023, 2024]", "[2023, 2024, 2025]", "benchmarks.2025 is missing"),
    ("electricity = 0.7950", "electricity = -0.7950", "must lie from"),
    ("electricity = 0.7950", 'electricity = "0.7950"', "must be a number"),
    ("electricity = 0.7950", "electricity = nan", "must be a number"),
    ("electricity = 0.7950", "electricity = 0.1234567", "too many decimals"),
    ("share = { value = 0.70", "share = { value = 1.70", "must lie from 0 to 1"),
    ('step = "entity_cap"', 'step = "gas_units"', "lists gas_units twice"),
    ('code = "new"', 'code = "closed"', "lists closed twice"),
    ('treatment = "out_of_scope"', 'treatment = "half"', "it may be emissions, out_of_scope"),
    ("2024-12-31, clause", '"2024-12-31", clause', "must be a date"),
    ("[dates.2023]", "[dates.2022]", "dates.2022 is no year of the plan"),
    ('sectors = ["power"]', 'sectors = ["glass"]', "it may have power"),
    ("reasons = [", 'reasons = ["unpaid", ', "each once"),
    ('certainty = "likely"', 'certainty = "sure"', "it may be certain, likely, choice"),
)


@pytest.mark.parametrize(("before", "after", "sentence"), BROKEN)
def test_a_wrong_plan_is_refused(before: str, after: str, sentence: str) -> None:
    text = plan_text("power-2023-2024")
    assert before in text
    with pytest.raises(RefusalError, match=re.escape(sentence)) as refusal:
        plan_file.parse(text.replace(before, after, 1))
    assert refusal.value.code == "plan_invalid"


def test_industry_alpha_may_not_jump() -> None:
    text = plan_text("industry-2025-2026").replace(
        "alpha_max = { value = 0.03", "alpha_max = { value = 0.04"
    )
    with pytest.raises(RefusalError, match="alpha must not jump"):
        plan_file.parse(text)


def test_an_unknown_plan_is_refused_with_the_known_ones() -> None:
    with pytest.raises(RefusalError, match="power-2023-2024") as refusal:
        plan_file.load("power-2030")
    assert refusal.value.code == "plan_unknown"
    with pytest.raises(RefusalError) as refusal:
        plan_file.load("nowhere/plan.toml")
    assert refusal.value.code == "plan_unknown"
    with pytest.raises(RefusalError) as refusal:
        plan_file.parse("name = ")
    assert refusal.value.code == "plan_unreadable"
