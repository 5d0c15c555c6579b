"""The solver finds trades for a published day exactly when there are any."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from itertools import combinations_with_replacement
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.units import half_up
from sim.official.days import Row
from sim.official.realise import Bounds, Contradiction, Deal, Target, realise, target_of

WIDE = Bounds(reference_ticks=5000, lower_ticks=4500, upper_ticks=5500, qty_max=99_999)


def assert_is(deals: tuple[Deal, ...] | Contradiction, target: Target, bounds: Bounds) -> None:
    """The deals are the target: open, extremes, close, volume, turnover, sizes, limits."""
    assert not isinstance(deals, Contradiction)
    prices = [deal.price_ticks for deal in deals]
    assert all(1 <= deal.qty_tonnes <= bounds.qty_max for deal in deals)
    assert all(bounds.lower_ticks <= price <= bounds.upper_ticks for price in prices)
    assert sum(deal.qty_tonnes for deal in deals) == target.qty_tonnes
    turnover = sum(deal.price_ticks * deal.qty_tonnes for deal in deals)
    assert turnover == target.turnover_fen
    assert target.open_ticks in (None, prices[0])
    assert target.high_ticks in (None, max(prices))
    assert target.low_ticks in (None, min(prices))
    assert target.close_ticks in (None, half_up(turnover, target.qty_tonnes))


def possible(target: Target, bounds: Bounds) -> bool:
    """Try every multiset of one price per tonne: the slow truth."""
    fixed = {target.open_ticks, target.high_ticks, target.low_ticks} - {None}
    mean = half_up(target.turnover_fen, target.qty_tonnes)
    if target.close_ticks not in (None, mean):
        return False
    prices = range(bounds.lower_ticks, bounds.upper_ticks + 1)
    return any(
        sum(each) == target.turnover_fen
        and fixed <= set(each)
        and target.high_ticks in (None, max(each))
        and target.low_ticks in (None, min(each))
        for each in combinations_with_replacement(prices, target.qty_tonnes)
    )


@st.composite
def small_cases(draw: st.DrawFn) -> tuple[Target, Bounds]:
    lower = draw(st.integers(1, 20))
    upper = lower + draw(st.integers(0, 5))
    bounds = Bounds(lower, lower, upper, draw(st.integers(1, 4)))
    price = st.none() | st.integers(max(0, lower - 1), upper + 1)
    qty = draw(st.integers(1, 6))
    turnover = draw(st.integers(max(0, lower * qty - 2), upper * qty + 2))
    close = draw(st.none() | st.just(half_up(turnover, qty)) | st.integers(lower, upper))
    return Target(draw(price), draw(price), draw(price), close, qty, turnover), bounds


@settings(max_examples=3000, deadline=None)
@given(small_cases())
def test_finds_trades_exactly_when_there_are_any(case: tuple[Target, Bounds]) -> None:
    target, bounds = case
    deals = realise(target, bounds)
    if isinstance(deals, Contradiction):
        assert not possible(target, bounds)
        assert deals.clauses
        assert deals.sentence
    else:
        assert_is(deals, target, bounds)


@st.composite
def large_days(draw: st.DrawFn) -> tuple[Target, Bounds]:
    """A day made of real trades, some of its figures not published."""
    reference = draw(st.integers(100, 20_000))
    lower, upper = half_up(reference * 9, 10), half_up(reference * 11, 10)
    trade = st.tuples(st.integers(lower, upper), st.integers(1, 99_999))
    trades = draw(st.lists(trade, min_size=1, max_size=30))
    prices = [price for price, _ in trades]
    qty = sum(tonnes for _, tonnes in trades)
    turnover = sum(price * tonnes for price, tonnes in trades)

    def shown(figure: int) -> int | None:
        return figure if draw(st.booleans()) else None

    target = Target(
        *(shown(prices[0]), shown(max(prices)), shown(min(prices))),
        *(shown(half_up(turnover, qty)), qty, turnover),
    )
    return target, Bounds(reference, lower, upper, 99_999)


@settings(max_examples=500, deadline=None)
@given(large_days())
def test_every_day_that_happened_can_be_realised(case: tuple[Target, Bounds]) -> None:
    target, bounds = case
    assert_is(realise(target, bounds), target, bounds)


def test_launch_day_is_split_below_the_size_limit_tr_11() -> None:
    target = Target(4800, None, None, 5123, 4_103_953, 21_023_005_325)
    bounds = Bounds(4800, 4320, 5280, 99_999)
    deals = realise(target, bounds)
    assert_is(deals, target, bounds)
    assert isinstance(deals, tuple)
    assert len(deals) == 43
    assert deals[0].price_ticks == 4800


@pytest.mark.parametrize(
    ("target", "deals"),
    [
        (Target(5870, 5870, 5870, 5870, 20_000, 117_400_000), ((5870, 20_000),)),
        (Target(5000, 5000, 5000, 5000, 1, 5000), ((5000, 1),)),
        (Target(5000, 5001, 5000, 5001, 2, 10_001), ((5000, 1), (5001, 1))),
        (Target(5001, 5002, 5000, 5001, 3, 15_003), ((5001, 1), (5000, 1), (5002, 1))),
        (Target(None, None, None, None, 3, 15_001), ((5000, 2), (5001, 1))),
    ],
)
def test_small_days(target: Target, deals: tuple[tuple[int, int], ...]) -> None:
    bounds = WIDE._replace(upper_ticks=6000)
    assert realise(target, bounds) == tuple(Deal(*deal) for deal in deals)


@pytest.mark.parametrize(
    ("target", "clauses", "words"),
    [
        (Target(4400, 5000, 4400, None, 100, 490_000), "TR-20, TR-23", "open 44.00 is outside"),
        (Target(5000, 5600, 5000, None, 100, 510_000), "TR-20, TR-23", "high 56.00 is outside"),
        (Target(5000, 5000, 4499, None, 100, 490_000), "TR-20, TR-23", "low 44.99 is outside"),
        (Target(5000, 4900, 5100, None, 100, 500_000), "TR-101, TR-102", "in this order"),
        (Target(5200, 5100, 4900, None, 100, 500_000), "TR-101, TR-102", "in this order"),
        (Target(5000, 5100, 4900, 5001, 100, 500_000), "TR-100", "close 50.01 is not turnover"),
        (Target(5000, 5100, 4900, None, 2, 10_000), "TR-10, TR-102", "2 t cannot trade at 3"),
        (Target(5000, 5100, 4900, None, 100, 509_701), "ST-15, TR-102", "is not between 4903.00"),
        (Target(5000, None, None, None, 100, 549_501), "ST-15, TR-20", "is not between 4505.00"),
        (Target(None, None, None, None, 0, 1), "ST-15", "no volume but turnover 0.01"),
        (Target(5001, None, None, None, 0, 0), "TR-101", "the open is 50.00"),
        (Target(5000, 5000, None, None, 0, 0), "TR-102", "no high and no low"),
        (Target(5000, 0, 0, 5001, 0, 0), "TR-100", "close stays 50.00"),
    ],
)
def test_contradictions_name_the_rule(target: Target, clauses: str, words: str) -> None:
    found = realise(target, WIDE)
    assert isinstance(found, Contradiction)
    assert found.clauses == clauses
    assert words in found.sentence


def test_turnover_at_the_edges_of_what_can_happen() -> None:
    least = Target(5000, 5100, 4900, None, 100, 5000 + 5100 + 98 * 4900)
    most = least._replace(turnover_fen=5000 + 4900 + 98 * 5100)
    for target in (least, most):
        assert_is(realise(target, WIDE), target, WIDE)
    for target, step in ((least, -1), (most, 1)):
        beyond = target._replace(turnover_fen=target.turnover_fen + step)
        assert isinstance(realise(beyond, WIDE), Contradiction)


def test_day_without_trades() -> None:
    assert realise(Target(5000, 0, 0, 5000, 0, 0), WIDE) == ()
    assert realise(Target(None, None, None, None, 0, 0), WIDE) == ()


def row(**changes: Any) -> Row:
    base = Row(
        line=2,
        date=dt.date(2021, 7, 19),
        basis="listed",
        open=Decimal("52.80"),
        high=Decimal("53.00"),
        low=Decimal("52.08"),
        close=Decimal("52.30"),
        listed_qty=Decimal(130_800),
        listed_turnover=Decimal("6841289.00"),
        bulk_qty=None,
        auction_qty=None,
    )
    return base._replace(**changes)


def test_units_are_exact() -> None:
    assert target_of(row()) == Target(5280, 5300, 5208, 5230, 130_800, 684_128_900)
    assert target_of(row(high=None, close=Decimal("52.3000"))) == Target(
        5280, None, 5208, 5230, 130_800, 684_128_900
    )


@pytest.mark.parametrize(
    ("changes", "clauses"),
    [
        ({"open": Decimal("52.805")}, "TR-10"),
        ({"high": Decimal("123456789")}, "TR-10"),
        ({"listed_qty": Decimal("0.5")}, "TR-10"),
        ({"listed_qty": Decimal(10**9)}, "TR-10"),
        ({"listed_turnover": Decimal("6841289.001")}, "ST-15"),
    ],
)
def test_numbers_off_the_grid_e08(changes: dict[str, Any], clauses: str) -> None:
    found = target_of(row(**changes))
    assert isinstance(found, Contradiction)
    assert found.clauses == clauses
