"""Bulk deals for a published volume and turnover are found exactly when one or two deals do it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.official.bulk_deals import BulkDeal, Limits, find_bulk, holder
from sim.official.realise import Contradiction

ONE = [Limits(0, 3368, 6254)]


def possible(qty: int, fen: int, limits: list[Limits], least: int) -> bool:
    """Try every price of one deal and every pair of deals: the slow truth."""
    prices = [price for each in limits for price in range(each.lower_ticks, each.upper_ticks + 1)]
    if qty >= least and any(price * qty == fen for price in prices):
        return True
    return any(
        high * tonnes + low * (qty - tonnes) == fen
        for tonnes in range(least, qty - least + 1)
        for high in prices
        for low in prices
    )


@st.composite
def small_cases(draw: st.DrawFn) -> tuple[int, int, list[Limits], int]:
    limits = []
    for row in range(draw(st.integers(1, 2))):
        lower = draw(st.integers(1, 12))
        limits.append(Limits(row, lower, lower + draw(st.integers(0, 5))))
    qty, least = draw(st.integers(1, 14)), draw(st.integers(1, 5))
    return qty, draw(st.integers(1, 18 * qty)), limits, least


@settings(max_examples=1500, deadline=None)
@given(small_cases())
def test_finds_deals_exactly_when_there_are_any(
    case: tuple[int, int, list[Limits], int],
) -> None:
    qty, fen, limits, least = case
    found = find_bulk(qty, fen, limits, least)
    if isinstance(found, Contradiction):
        assert not possible(qty, fen, limits, least)
        return
    assert sum(deal.qty_tonnes for deal in found) == qty
    assert sum(deal.qty_tonnes * deal.price_ticks for deal in found) == fen
    for deal in found:
        assert deal.qty_tonnes >= least
        span = limits[deal.instrument]
        assert span.lower_ticks <= deal.price_ticks <= span.upper_ticks


def test_whole_tick_is_one_deal_and_the_edge_counts_tr_23() -> None:
    assert find_bulk(100_000, 529_200_000, ONE, 100_000) == (BulkDeal(5292, 100_000),)
    # 54.58 is the half-up edge of 77.97 (exactly 54.579), as on 2024-01-02.
    edge = [Limits(2, 5458, 10136)]
    assert find_bulk(100_000, 545_800_000, edge, 100_000) == (BulkDeal(5458, 100_000, 2),)
    assert isinstance(find_bulk(100_000, 545_700_000, edge, 100_000), Contradiction)


@pytest.mark.parametrize(
    ("qty", "fen"),
    [(279_856, 1_410_069_372), (8_403_359, 35_115_974_056), (205_000, 902_000_100)],
)
def test_two_deals_at_the_closest_prices(qty: int, fen: int) -> None:
    found = find_bulk(qty, fen, ONE, 100_000)
    assert isinstance(found, tuple)
    assert len(found) == 2
    assert sum(deal.price_ticks * deal.qty_tonnes for deal in found) == fen


def test_two_vintages_share_what_neither_can_alone_tr_21() -> None:
    limits = [Limits(0, 50, 50), Limits(3, 60, 60)]
    assert find_bulk(5, 280, limits, 2) == (BulkDeal(60, 3, 3), BulkDeal(50, 2, 0))
    assert holder(55, limits) is None


@pytest.mark.parametrize(
    ("qty", "fen", "clauses"),
    [
        (0, 1, "ST-15"),
        (99_999, 499_995_000, "TR-12"),
        (100_000, 500_000_001, "TR-10, TR-12"),
        (199_999, 999_995_001, "TR-10, TR-12"),
        (100_000, 625_500_000, "TR-21, TR-23"),
        (300_000, 1_010_100_000, "TR-21, TR-23"),
    ],
)
def test_contradictions_name_the_rule(qty: int, fen: int, clauses: str) -> None:
    found = find_bulk(qty, fen, ONE, 100_000)
    assert isinstance(found, Contradiction)
    assert found.clauses == clauses


def test_no_bulk_is_no_deal() -> None:
    assert find_bulk(0, 0, ONE, 100_000) == ()
