"""Days of several vintages: the composite's ranges, the split, the path, the trades, the plan."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.units import half_up
from sim.official.composite_path import sums_at
from sim.official.realise import Deal
from sim.official.vintage_day import COMPOSITE_LINE, VintageDay, fits, limits_of, trades_for
from sim.official.vintage_plan import plan
from sim.official.vintage_split import Odd, Vintage, interval, split

REFERENCES = (9000, 9200, 9400)


def day(**changes: Any) -> VintageDay:
    """A quiet composite day: 1,000 t at 92.00, nothing moves."""
    quiet = VintageDay(
        date=dt.date(2024, 6, 3),
        own=COMPOSITE_LINE,
        weights=(1, 1, 1),
        open_ticks=9200,
        high_ticks=9200,
        low_ticks=9200,
        close_ticks=9200,
        qty_tonnes=1_000,
        turnover_fen=9_200_000,
        bulk_qty_tonnes=0,
        bulk_turnover_fen=0,
        closes=None,
        band_bp=1_000,
        bulk_band_bp=3_000,
    )
    return replace(quiet, **changes)


def lived(references: tuple[int, ...], deals: list[Deal], own: int) -> VintageDay:
    """Return the row that would have been published had these trades been made."""
    prices = list(references)
    tonnes, fen = [0] * len(prices), [0] * len(prices)
    line = []
    for price, qty, row in deals:
        prices[row] = price
        tonnes[row] += qty
        fen[row] += price * qty
        if own in (COMPOSITE_LINE, row):
            line.append(half_up(sum(prices), len(prices)) if own == COMPOSITE_LINE else price)
    closes = [
        half_up(fen[row], tonnes[row]) if tonnes[row] else references[row]
        for row in range(len(prices))
    ]
    close = half_up(sum(closes), len(closes)) if own == COMPOSITE_LINE else closes[own]
    extremes = [*line, close] if own == COMPOSITE_LINE else line
    return day(
        own=own,
        weights=(1,) * len(prices),
        open_ticks=line[0],
        high_ticks=max(extremes),
        low_ticks=min(extremes),
        close_ticks=close,
        qty_tonnes=sum(tonnes),
        turnover_fen=sum(fen),
        closes=tuple(closes),
    )


def random_day(chance: random.Random, references: tuple[int, ...]) -> VintageDay:
    """Trades of a lively day: hundreds of tonnes at prices near where each vintage stands."""
    deals = []
    for _ in range(chance.randint(2, 12)):
        row = chance.randrange(len(references))
        low, high = limits_of(references, 1_000)[row]
        price = references[row] + chance.randint(-300, 300)
        deals.append(Deal(min(max(price, low), high), chance.randint(100, 50_000), row))
    own = chance.choice([COMPOSITE_LINE, deals[0].instrument])
    return lived(references, deals, own)


@given(st.integers(1, 12_000), st.integers(1, 6))
def test_range_of_sums_is_what_rounds_to_the_price_u30(price: int, weights: int) -> None:
    least, most = sums_at(price, weights)
    assert {half_up(total, weights) for total in range(least, most + 1)} == {price}
    assert half_up(least - 1, weights) == price - 1
    assert half_up(most + 1, weights) == price + 1


@given(st.integers(2, 50), st.integers(1, 40))
def test_interval_is_what_closes_as_wanted_tr_100(close: int, tonnes: int) -> None:
    vintage = Vintage(close, 1, 10**6, Odd(0, 0), True)
    closing = [fen for fen in range(1, 60 * tonnes) if half_up(fen, tonnes) == close]
    # Turnovers below one tick a tonne cannot happen.
    assert interval(vintage, tonnes) == (max(closing[0], tonnes), closing[-1])
    assert interval(vintage._replace(odd=Odd(tonnes + 1, 5)), tonnes) is None


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_split_adds_up_and_closes_as_wanted(data: st.DataObject) -> None:
    closes = data.draw(st.lists(st.integers(4_000, 11_000), min_size=1, max_size=4))
    tonnes = data.draw(st.lists(st.integers(1, 10**6), min_size=len(closes), max_size=len(closes)))
    vintages = [Vintage(close, close - 1, close + 1, Odd(0, 0), True) for close in closes]
    total, fen = sum(tonnes), sum(map(int.__mul__, closes, tonnes))
    shares = split(vintages, total, fen)
    if len(set(closes)) < 3:
        assert shares is not None  # one or two prices: the true split is among those tried
    if shares is None:
        return
    assert sum(share.tonnes for share in shares.values()) == total
    assert sum(share.fen for share in shares.values()) == fen
    for row, share in shares.items():
        assert half_up(share.fen, share.tonnes) == closes[row]


def test_trades_are_found_for_days_that_happened() -> None:
    chance = random.Random(7)
    found = 0
    for _ in range(300):
        references = tuple(chance.randint(8_000, 10_000) for _ in range(chance.choice((3, 4))))
        happened = random_day(chance, references)
        assert happened.closes is not None
        deals = trades_for(happened, references, happened.closes)
        if deals is not None:
            found += 1
            again = lived(references, list(deals), happened.own)
            assert again == happened
    assert found >= 285, f"{found} of 300"  # a search, not a decision


def test_flat_day_trades_one_vintage_at_its_reference() -> None:
    assert trades_for(day(), REFERENCES, REFERENCES) == (Deal(9200, 1_000, 1),)
    # 93.00 is nobody's price, but two vintages make it, one tonne moving nothing.
    flat = day(turnover_fen=9_300_000)
    deals = trades_for(flat, REFERENCES, REFERENCES)
    assert deals is not None
    assert fits(flat, REFERENCES, REFERENCES, deals)
    assert {deal.instrument for deal in deals} >= {0, 2} or {1, 2} == {
        deal.instrument for deal in deals
    }


def test_open_high_and_low_are_walked_through_tr_105() -> None:
    moved = day(open_ticks=9210, high_ticks=9300, low_ticks=9100, close_ticks=9190)
    closes = (8990, 9180, 9400)
    deals = trades_for(moved, REFERENCES, closes)
    assert deals is not None
    assert fits(moved, REFERENCES, closes, deals)


@pytest.mark.parametrize(
    "change",
    [
        {"open_ticks": 9201},
        {"high_ticks": 9201},
        {"low_ticks": 9199},
        {"close_ticks": 9201},
        {"qty_tonnes": 1_001},
        {"turnover_fen": 9_200_001},
        {"own": 0},
    ],
)
def test_fits_notices_every_figure(change: dict[str, int]) -> None:
    deals = (Deal(9200, 1_000, 1),)
    assert fits(day(), REFERENCES, REFERENCES, deals)
    assert not fits(day(**change), REFERENCES, REFERENCES, deals)


def test_fits_notices_limits_closes_and_empty_deals() -> None:
    assert not fits(day(), REFERENCES, (9000, 9201, 9400), (Deal(9200, 1_000, 1),))
    assert not fits(day(), (9000, 10_223, 9400), REFERENCES, (Deal(9200, 1_000, 1),))
    assert not fits(day(), REFERENCES, REFERENCES, (Deal(9200, 1_000, 1), Deal(9200, 0, 1)))
    assert not fits(day(), REFERENCES, REFERENCES, ())


def test_vintages_own_line_needs_its_own_trades_tr_101() -> None:
    own = day(own=2, open_ticks=9400, high_ticks=9500, low_ticks=9400, close_ticks=9420)
    deals = trades_for(own, REFERENCES, (9000, 9200, 9420))
    assert deals is not None
    mine = [deal.price_ticks for deal in deals if deal.instrument == 2]
    assert (mine[0], max(mine), min(mine)) == (9400, 9500, 9400)


def test_close_outside_the_limits_is_never_traded_tr_20() -> None:
    assert trades_for(day(close_ticks=None), REFERENCES, (9901, 9200, 9400)) is None


def test_plan_stands_where_the_next_day_needs_it() -> None:
    # The second day trades 5 t at 91.50 and moves nothing: some vintage must stand there already.
    first = day(
        qty_tonnes=60_000,
        turnover_fen=60_000 * 9_160,
        high_ticks=9230,
        low_ticks=9120,
        close_ticks=9160,
    )
    second = day(
        date=dt.date(2024, 6, 4),
        open_ticks=9160,
        high_ticks=9160,
        low_ticks=9160,
        close_ticks=9160,
        qty_tonnes=5,
        turnover_fen=45_750,
    )
    ways = plan([first, second])
    assert all(way is not None for way in ways)
    early, late = ways
    assert early is not None
    assert late is not None
    assert early.fresh
    assert not late.fresh
    assert late.references == early.closes
    assert min(abs(close - 9_150) for close in early.closes) <= 2
    assert fits(second, late.references, late.closes, late.deals)


def test_plan_of_random_days_goes_on_from_its_own_closes() -> None:
    chance = random.Random(11)
    references: tuple[int, ...] = (9000, 9100, 9200)
    days, closes = [], references
    for _ in range(12):
        happened = random_day(chance, closes)
        assert happened.closes is not None
        closes = happened.closes
        days.append(replace(happened, closes=None))
    ways = plan(days)
    played = [(each, way) for each, way in zip(days, ways, strict=True) if way is not None]
    assert len(played) == len(days)
    for each, way in played:
        assert fits(each, way.references, way.closes, way.deals)
    for (_, before), (_, after) in pairwise(played):
        assert after.fresh or after.references == before.closes


def test_vintage_that_enters_stands_at_the_composite_close_tr_24() -> None:
    four = day(weights=(1, 1, 1, 1), date=dt.date(2024, 6, 4))
    ways = plan([day(), four])
    assert ways[1] is not None
    assert ways[1].references[3] == 9200


def test_day_that_cannot_be_is_none_and_the_next_begins_afresh() -> None:
    impossible = day(qty_tonnes=5, turnover_fen=5 * 20_000)
    ways = plan([day(), impossible, day()])
    assert [way is None for way in ways] == [False, True, False]
    assert ways[2] is not None
    assert ways[2].fresh


def test_bulk_price_chooses_the_references_tr_21() -> None:
    # 54.58 is 30 % below 77.97 and below nothing higher: some vintage must stand that low.
    bulk = {"bulk_qty_tonnes": 100_000, "bulk_turnover_fen": 545_800_000}
    own = {"own": 2, "open_ticks": 7797, "high_ticks": 7797, "low_ticks": 7797}
    (way,) = plan([day(**own, close_ticks=7797, turnover_fen=7_797_000, **bulk)])
    assert way is not None
    assert any(low <= 5458 <= high for low, high in limits_of(way.references, 3_000))


def test_plan_looks_two_days_ahead() -> None:
    # Flat at 91.60 with a mean of 91.80, then flat with 5 t at 91.50: both must stand before.
    flat = {"open_ticks": 9160, "high_ticks": 9160, "low_ticks": 9160, "close_ticks": 9160}
    days = [
        day(
            open_ticks=8979,
            high_ticks=9117,
            low_ticks=8979,
            close_ticks=9046,
            qty_tonnes=66_000,
            turnover_fen=66_000 * 8_841,
        ),
        day(**flat, qty_tonnes=10_000, turnover_fen=91_800_000),
        day(**flat, qty_tonnes=5, turnover_fen=45_750),
    ]
    ways = plan(days)
    for each, way in zip(days, ways, strict=True):
        assert way is not None
        assert fits(each, way.references, way.closes, way.deals)
    assert [way.fresh for way in ways if way] == [True, False, False]


def test_idle_day_moves_nothing_tr_105() -> None:
    idle = day(qty_tonnes=0, turnover_fen=0, high_ticks=0, low_ticks=0, open_ticks=0)
    ways = plan([day(), idle])
    assert ways[1] is not None
    assert ways[1].deals == ()
    assert plan([day(), replace(idle, close_ticks=9300)])[1] is None
