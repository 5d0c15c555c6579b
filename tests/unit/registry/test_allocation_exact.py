"""The vectorised allocation equals slow exact fractions, tonne for tonne (AL-62, AL-87)."""

from __future__ import annotations

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
from registry.allocation.report import decimal_text
from registry.allocation.units import Entities, LineInputs, PowerInputs, Units
from tests.reference import allocation as twin

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


# ---- the twin of fractions, asked about a drawn unit


def cells_of(draw: Draw) -> dict[str, str]:
    electricity, heat, load, ratio = (
        decimal_text(value, MICRO) for value in (draw.electricity, draw.heat, draw.load, draw.ratio)
    )
    return {
        "class": twin.CLASSES[draw.kind],
        "supplied_mwh": electricity,
        "generated_mwh": electricity,
        "heat_gj": heat,
        "load_factor_pct": load,
        "heat_ratio_pct": ratio,
        "cooling": "air" if draw.air else "water",
    }


def slow_load_factor(year: int, draw: Draw) -> Fraction:
    load = decimal_text(draw.load, MICRO)
    return twin.peak_factor(year, twin.CLASSES[draw.kind], Fraction(draw.heat, MICRO), load)


def slow_quota(year: int, draw: Draw) -> int:
    return twin.power_quota(year, cells_of(draw))


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
YEARS = st.sampled_from(sorted(PLANS))


@given(YEARS, st.lists(DRAW, min_size=1, max_size=6))
@example(2024, [Draw(0, 10**6 * MICRO, 0, 65 * MICRO, 0, False, 10**6, 0)])
@example(2024, [Draw(0, 1_000 * MICRO, 10_000 * MICRO, 70 * MICRO, 0, False, 10**6, 0)])
def test_quotas_equal_exact_fractions(year: int, draws: list[Draw]) -> None:
    of = allocate(PLANS[year], units_of(year, draws))
    assert of.unit.quota_t.tolist() == [slow_quota(year, draw) for draw in draws]


@pytest.mark.parametrize("year", sorted(PLANS))
def test_every_load_to_a_hundredth_of_a_per_cent(year: int) -> None:
    """Doubles alone would round a few of these to the wrong side."""
    draws = [Draw(0, MICRO, 0, load * 10**4, 0, False, 10**6, 0) for load in range(10_001)]
    of = allocate(PLANS[year], units_of(year, draws))
    assert isinstance(of.parts, PowerParts)
    found = [Fraction(int(value), FACTOR) for value in of.parts.load]
    assert found == [slow_load_factor(year, draw) for draw in draws]


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
        alpha = twin.alpha(value, Fraction(emitted * MICRO, output))
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


def test_the_twin_covers_every_power_year() -> None:
    assert set(twin.BENCHMARKS) == set(PLANS)
