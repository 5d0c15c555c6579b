"""The vectorised allocation equals slow exact fractions, tonne for tonne (AL-62, AL-87)."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from registry.allocation import exact, plan_file
from registry.allocation.engine import Allocation, allocate
from registry.allocation.exact import FACTOR, MICRO, Term
from registry.allocation.industry import IndustryParts
from registry.allocation.power import PowerParts
from registry.allocation.units import Entities, LineInputs, PowerInputs, Units

PLANS = {
    year: plan
    for name in plan_file.names()
    if name.startswith("power")
    for plan in [plan_file.load(name)]
    for year in plan.years
}
INDUSTRY = plan_file.load("industry-2025-2026")


class Draw(NamedTuple):
    """One unit in scaled integers."""

    kind: int
    electricity: int
    heat: int
    load: int
    ratio: int
    air: bool
    emissions: int
    base: int


def ints(values: list[int]) -> exact.Ints:
    return np.array(values, dtype=np.int64)


def entities_of(m: int) -> Entities:
    none = np.full(m, -1)
    names = tuple(f"E{j}" for j in range(m))
    return Entities(names, ("Hubei",) * m, ints([0] * m), none, none, np.ones(m, dtype=bool))


def units_of(year: int, draws: list[Draw]) -> Units:
    n = len(draws)
    electricity, heat = ints([d.electricity for d in draws]), ints([d.heat for d in draws])
    inputs = PowerInputs(
        electricity,
        heat,
        ints([d.load for d in draws]),
        ints([d.ratio for d in draws]),
        np.array([d.air for d in draws]),
        electricity,
        heat,
    )
    return Units(
        year,
        entities_of((n + 1) // 2),
        tuple(map(str, range(n))),
        tuple(range(2, n + 2)),
        ints([i // 2 for i in range(n)]),
        ints([d.kind for d in draws]),
        ints([d.emissions for d in draws]),
        ints([d.base for d in draws]),
        np.full(n, -1),
        inputs,
        None,
    )


# ---- the slow twin: written from the clauses, with fractions and 60 digits


BENCHMARKS = {
    2019: ("0.877 0.126", "0.979 0.126", "1.146 0.126", "0.392 0.059"),  # AL-11
    2022: ("0.8177 0.1105", "0.8729 0.1105", "0.9303 0.1105", "0.3901 0.0557"),  # AL-21
    2024: ("0.791 0.1033", "0.8049 0.1033", "0.8244 0.1033", "0.3288 0.0533"),  # AL-31
    2025: ("0.7902 0.1027", "0.8017 0.1027", "0.8162 0.1027", "0.3288 0.0533"),  # AL-60
}


def rounded(value: Decimal, decimals: int) -> Fraction:
    """Half up: the floor of value + 0.5 in units of the last decimal."""
    scaled = value.scaleb(decimals) + Decimal("0.5")
    return Fraction(int(scaled.to_integral_value(ROUND_FLOOR)), 10**decimals)


def slow_load_factor(year: int, draw: Draw) -> Fraction:
    if draw.kind > 1 or (year <= 2020 and draw.heat):
        return Fraction(1)
    with localcontext(prec=60):
        f = Decimal(draw.load) / MICRO
        if year >= 2025:  # AL-61
            if f >= 50:
                return Fraction(1)
            first = Decimal("0.633") * (1 - (-f / Decimal("29.822")).exp())
            second = Decimal("5.643") * (1 - (-f / Decimal("6.871")).exp())
            return rounded(Decimal("7.254") - first - second, 6)
        if year >= 2023 and f >= 65:  # AL-32
            return Fraction(1)
        if year < 2023 and f >= 75:  # AL-10
            if f >= 85:
                return Fraction(1)
            if f >= 80:
                return rounded(1 + Decimal("0.0014") * (85 - f), 12)
            return rounded(Decimal("1.007") + Decimal("0.0016") * (80 - f), 12)
        return rounded(Decimal("1.015") ** (16 - 20 * f / 100), 12)


def slow_quota(year: int, draw: Draw) -> int:
    electricity, heat = map(Fraction, BENCHMARKS[year][draw.kind].split())
    first = Fraction(draw.electricity, MICRO) * electricity * slow_load_factor(year, draw)
    if year <= 2022:
        if draw.kind < 3 and draw.air:
            first *= Fraction(105, 100)
        slope = Fraction(6, 10) if draw.kind == 3 else Fraction(22, 100)
        first *= 1 - slope * Fraction(draw.ratio, 100 * MICRO)
    second = Fraction(draw.heat, MICRO) * heat
    if year >= 2025:
        return first.__floor__() + second.__floor__()
    return (first + second).__floor__()


AMOUNT = st.one_of(
    st.integers(0, 10**13),
    st.integers(0, 10**7).map(lambda mwh: mwh * MICRO),
    st.integers(0, 10**4).map(lambda mwh: mwh * 10**9),
    st.just(0),
)
TONNES = st.integers(30_000, 10**7)
DRAW = st.builds(
    Draw,
    kind=st.integers(0, 3),
    electricity=AMOUNT,
    heat=AMOUNT,
    load=st.one_of(st.integers(0, 100 * MICRO), st.integers(0, 200).map(lambda x: x * MICRO // 2)),
    ratio=st.integers(0, 100 * MICRO),
    air=st.booleans(),
    emissions=TONNES,
    base=TONNES,
)
YEARS = st.sampled_from(sorted(BENCHMARKS))


@given(YEARS, st.lists(DRAW, min_size=1, max_size=6))
@example(2024, [Draw(0, 10**6 * MICRO, 0, 65 * MICRO, 0, False, 10**6, 0)])
@example(2024, [Draw(0, 1_000 * MICRO, 10_000 * MICRO, 70 * MICRO, 0, False, 10**6, 0)])
def test_quotas_equal_exact_fractions(year: int, draws: list[Draw]) -> None:
    of = allocate(PLANS[year], units_of(year, draws))
    assert of.unit.quota_t.tolist() == [slow_quota(year, draw) for draw in draws]


@pytest.mark.parametrize("year", sorted(BENCHMARKS))
def test_every_load_to_a_hundredth_of_a_per_cent(year: int) -> None:
    """Doubles alone would round a few of these to the wrong side."""
    draws = [Draw(0, MICRO, 0, load * 10**4, 0, False, 10**6, 0) for load in range(10_001)]
    of = allocate(PLANS[year], units_of(year, draws))
    assert isinstance(of.parts, PowerParts)
    found = [Fraction(int(value), FACTOR) for value in of.parts.load]
    assert found == [slow_load_factor(year, draw) for draw in draws]


@given(YEARS, st.lists(DRAW, min_size=1, max_size=6))
def test_entities_equal_exact_fractions(year: int, draws: list[Draw]) -> None:
    of = allocate(PLANS[year], units_of(year, draws))
    for j in range((len(draws) + 1) // 2):
        mine = draws[2 * j : 2 * j + 2]
        emitted = sum(d.emissions for d in mine)
        approved, due = 0, 0
        for d in mine:
            quota = slow_quota(year, d)
            gas = d.kind == 3
            approved += max(quota, d.emissions) if gas and year > 2020 else quota
            due += min(quota, d.emissions) if gas and year <= 2020 else d.emissions
        if year > 2020:  # AL-23, AL-36, AL-64
            approved = max(approved, Fraction(emitted * 8, 10).__floor__())
        else:  # AL-13
            due = min(due, approved + Fraction(emitted * 2, 10).__floor__())
        assert (of.entity.approved_t[j], of.entity.obligation_t[j]) == (approved, due)
        if year > 2020:
            share = 5 if year >= 2025 else 7
            early = sum(Fraction(d.base * share, 10).__floor__() for d in mine)
            assert of.entity.issue.pre_issued_t[j] == early
        ratio = Fraction(max(due - approved, 0) * 10_000, emitted) + Fraction(1, 2)
        assert of.entity.shortfall_bp[j] == ratio.__floor__()


@given(YEARS, st.lists(DRAW, min_size=1, max_size=8))
def test_nothing_is_negative_and_sums_agree(year: int, draws: list[Draw]) -> None:
    of = allocate(PLANS[year], units_of(year, draws))
    e, issue = of.entity, of.entity.issue
    for array in (*vars(of.unit).values(), *vars(issue).values(), e.approved_t, e.shortfall_t):
        assert (array >= 0).all()
    assert e.quota_t.sum() == of.unit.quota_t.sum()
    assert (e.approved_t == e.quota_t + e.gas_top_up_t + e.cap_top_up_t).all()
    assert (e.approved_t - e.obligation_t == e.surplus_t - e.shortfall_t).all()
    paid = issue.pre_issued_t + issue.final_issue_t - issue.take_back_t + issue.deducted_t
    assert (paid == e.approved_t).all()


@given(YEARS, DRAW, AMOUNT, st.integers(0, 100 * MICRO))
def test_more_output_never_gives_less_and_more_load_never_gives_more(
    year: int, draw: Draw, more: int, load: int
) -> None:
    higher = draw._replace(electricity=max(draw.electricity, more))
    busier = draw._replace(load=max(draw.load, load))
    of = allocate(PLANS[year], units_of(year, [draw, higher, busier]))
    plain, with_more, with_load = of.unit.quota_t.tolist()
    assert with_more >= plain >= with_load


# ---- industry, and the floor itself


def lines_of(rows: list[tuple[int, int]]) -> Units:
    n = len(rows)
    emissions = ints([e for e, _ in rows])
    lines = LineInputs(emissions * MICRO, ints([o for _, o in rows]))
    return Units(
        2025,
        entities_of((n + 1) // 2),
        tuple(map(str, range(n))),
        tuple(range(2, n + 2)),
        ints([i // 2 for i in range(n)]),
        ints([1] * n),
        emissions,
        ints([0] * n),
        np.full(n, -1),
        None,
        lines,
    )


LINE = st.tuples(TONNES, st.integers(10**4 * MICRO, 10**7 * MICRO))


@given(st.lists(LINE, min_size=1, max_size=8))
@example([(10**6, 10**12), (10**6, 10**12)])
def test_industry_quotas_equal_exact_fractions(rows: list[tuple[int, int]]) -> None:
    of: Allocation = allocate(INDUSTRY, lines_of(rows))
    assert isinstance(of.parts, IndustryParts)
    value = Fraction(int(of.parts.balance_value[1]), FACTOR)
    for i, (emitted, output) in enumerate(rows):
        x = 1 - Fraction(emitted * MICRO, output) / value
        alpha = max(Fraction(-3, 100), min(Fraction(3, 100), Fraction(15, 100) * x))
        assert of.unit.quota_t[i] == (emitted * (1 + alpha)).__floor__()
    assert of.unit.quota_t.sum() <= of.units.emissions_t.sum() + 1


@given(
    st.integers(-(10**9), 10**9),
    st.integers(1, 10**9),
    st.integers(1, 10**12),
    st.integers(1, 10**12),
    st.integers(-1, 1),
)
def test_floor_at_and_beside_an_integer(whole: int, q: int, a: int, b: int, off: int) -> None:
    """A product that is whole, or misses it by one part in 10^24, is floored as it is."""
    assume(abs(whole) < 10**9)
    first = Term((ints([whole]), ints([a]), q, ints([b])), (ints([b]), ints([a]), q))
    terms = (first, Term((off,), (q, b, 10**3)))
    expected = (Fraction(whole) + Fraction(off, q * b * 10**3)).__floor__()
    assert exact.floor_of(terms, 1).tolist() == [expected]


def test_whole_products_lose_nothing(base_seed: int) -> None:
    """In doubles, about two of five of these come out beside the whole number."""
    dice = np.random.default_rng(base_seed)
    whole = dice.integers(1, 10**9, 5_000)
    a, b, c = (dice.integers(1, 10**12, 5_000) for _ in range(3))
    product = Term((whole, a, b, c), (c, a, b))
    assert (exact.floor_of((product,), 5_000) == whole).all()
    less = (product, Term((-1,), (10**12,)))
    assert (exact.floor_of(less, 5_000) == whole - 1).all()


def test_a_float_product_would_lose_a_tonne() -> None:
    assert 0.29 * 100 < 29  # in doubles
    product = Term((ints([29 * 10**10]), ints([100])), (FACTOR,))
    assert exact.floor_of((product,), 1).tolist() == [29]


def test_the_twin_covers_every_power_plan() -> None:
    assert {PLANS[year].name for year in BENCHMARKS} == {plan.name for plan in PLANS.values()}
