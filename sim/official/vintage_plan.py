"""Closes for days on which only one price line of several vintages is published.

Nobody publishes what each vintage closed at on every day, but a day's closes are the next day's
references (TR-20), so they cannot be chosen day by day: a composite price that stands still while
the trades' mean lies elsewhere says where some vintage must have stood the evening before. The
search keeps a few sets of closes (a beam), plays each day from each of them with
``vintage_day.trades_for``, and prefers closes from which the coming days look possible. It is
deterministic. What it returns is one possible history, not the historical one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import NamedTuple

from engine.units import BP, half_up
from sim.official.composite_path import ANY
from sim.official.realise import Deal
from sim.official.vintage_day import (
    COMPOSITE_LINE,
    VintageDay,
    closing_sum,
    limits_of,
    trades_for,
)

Prices = tuple[int, ...]
STATES_MAX = 6  # sets of closes kept after each day
NEXT_MAX = 6  # days played from each of them
TRIES_MAX = 60  # closes tried for these, once one was found anywhere
TRIES_AT_ALL_MAX = 600
THOROUGH_TRIES = 8
STARTS_MAX = 64
COST_OF_BULK = 20.0  # the day's bulk deals cannot be made from these references
AHEAD = 3  # days looked ahead


class Planned(NamedTuple):
    """How a day is played: every vintage's reference, the listed trades, the closes they give.

    ``fresh``: the references are not the closes before but assumed, to begin with.
    """

    references: Prices
    deals: tuple[Deal, ...]
    closes: Prices
    fresh: bool


class _State(NamedTuple):
    cost: float
    closes: Prices
    before: _State | None
    planned: Planned | None


def plan(days: Sequence[VintageDay]) -> list[Planned | None]:
    """Return how to play each day, in order; None where nothing was found.

    After a day that is None, and before the first, references are assumed anew.
    """
    found: list[Planned | None] = []
    states: list[_State] = []
    for number in range(len(days)):
        after = _play(days, number, [_entered(days, number, state) for state in states], False)
        if not after:
            found += _told(states)
            starts = [_State(0.0, prices, None, None) for prices in _starts(days, number)]
            after = _play(days, number, starts, True)
            if not after:
                found.append(None)
        states = after
    return found + _told(states)


def _told(states: Sequence[_State]) -> list[Planned | None]:
    """Return the days of the best state, oldest first."""
    told: list[Planned | None] = []
    state = states[0] if states else None
    while state is not None and state.planned is not None:
        told.append(state.planned)
        state = state.before
    return told[::-1]


def _entered(days: Sequence[VintageDay], number: int, state: _State) -> _State:
    """Give vintages that start trading today their reference: the composite close (TR-24)."""
    new = len(days[number].weights) - len(state.closes)
    if new <= 0 or not number:
        return state
    weights = days[number - 1].weights
    close = half_up(closing_sum(weights, state.closes), sum(weights))
    return state._replace(closes=(*state.closes, *(close,) * new))


def _play(
    days: Sequence[VintageDay], number: int, states: Iterable[_State], fresh: bool
) -> list[_State]:
    """Play a day from every state; return the best states after it."""
    after: dict[Prices, _State] = {}
    for state in states:
        if len(state.closes) != len(days[number].weights):
            continue
        extra = 0.0 if _bulk_fits(days[number], state) else COST_OF_BULK
        for closes, deals, cost in _evenings(days, number, state, bool(after)):
            known = after.get(closes)
            if known is None or cost + extra < known.cost:
                day = Planned(state.closes, deals, closes, fresh)
                after[closes] = _State(cost + extra, closes, state, day)
    return sorted(after.values(), key=lambda state: (state.cost, state.closes))[:STATES_MAX]


def _bulk_fits(day: VintageDay, state: _State) -> bool:
    """Whether some vintage's bulk limits hold the day's mean bulk price (TR-21)."""
    if not day.bulk_qty_tonnes:
        return True
    fen, qty = day.bulk_turnover_fen, day.bulk_qty_tonnes
    limits = limits_of(state.closes, day.bulk_band_bp)
    return any(low * qty <= fen <= high * qty for low, high in limits)


def _evenings(
    days: Sequence[VintageDay], number: int, state: _State, found: bool
) -> Iterator[tuple[Prices, tuple[Deal, ...], float]]:
    """Yield (closes, deals, cost so far) of ways in which the day may go on from a state."""
    day = days[number]
    if not day.qty_tonnes:
        if _idle_fits(day, state.closes):
            yield state.closes, (), state.cost
        return
    ranked = sorted(
        (_cost(days, number, state.closes, closes), closes)
        for closes in _candidates(days, number, state.closes)
    )
    played = 0
    for tried, (cost, closes) in enumerate(ranked[:TRIES_AT_ALL_MAX]):
        if tried >= TRIES_MAX and (found or played):
            return
        deals = trades_for(day, state.closes, closes, thorough=tried < THOROUGH_TRIES)
        if deals is not None:
            yield closes, deals, state.cost + cost
            played += 1
            if played == NEXT_MAX:
                return


def _idle_fits(day: VintageDay, closes: Prices) -> bool:
    """Whether a day without listed trades ends as published: nothing moves (TR-100, TR-105)."""
    if day.closes not in (None, closes):
        return False
    if day.own == COMPOSITE_LINE:
        stands = half_up(closing_sum(day.weights, closes), sum(day.weights))
    else:
        stands = closes[day.own]
    return day.close_ticks in (None, stands) and day.open_ticks in (None, 0, stands)


def _candidates(days: Sequence[VintageDay], number: int, references: Prices) -> set[Prices]:
    """Return closes worth trying: standing still, the day's mean, and what coming days suggest."""
    day = days[number]
    if day.closes is not None:
        return {day.closes}
    limits = limits_of(references, day.band_bp)
    options = [
        [price for price in dict.fromkeys(prices) if low <= price <= high]
        for prices, (low, high) in zip(_options(days, number, references), limits, strict=True)
    ]
    if day.own != COMPOSITE_LINE:
        return set(product(*options))
    return set(_closing_at(day, options, limits))


def _options(
    days: Sequence[VintageDay], number: int, references: Prices
) -> Iterator[Iterator[int]]:
    """Yield, vintage by vintage, the closes it might have."""
    day = days[number]
    coming = list(_coming(days, number))
    for row, reference in enumerate(references):
        suited = [price for vintage, price in coming if vintage in (None, row)]
        if row == day.own and day.close_ticks is not None:
            yield iter((day.close_ticks,))
        elif day.own != COMPOSITE_LINE:
            yield iter((reference, day.mean_ticks, *suited, *_beside_own(day)))
        else:
            mean, close = day.mean_ticks, day.close_ticks or day.mean_ticks
            others = sum(day.weights) - 1
            even = (sum(day.weights) * close - mean) // others if others > 0 else close
            yield iter((reference, mean, *suited, even, close, mean + 1, mean - 1))


def _beside_own(day: VintageDay) -> tuple[int, ...]:
    """Return the mean of what is left for the others if the published vintage trades little."""
    own = [day.open_ticks, day.low_ticks, day.high_ticks]
    prices = {price for price in own if price is not None}
    left = day.qty_tonnes - len(prices)
    return (half_up(day.turnover_fen - sum(prices), left),) if left > 0 else ()


def _closing_at(
    day: VintageDay, options: Sequence[Sequence[int]], limits: Sequence[tuple[int, int]]
) -> Iterator[Prices]:
    """Yield closes whose composite price is the published one: one vintage makes up the sum."""
    wanted_sums = _wanted_sums(day, sum(day.weights))
    rows = range(len(options))
    most = 20 if len(options) <= 3 else 6
    for free in (row for row in rows if day.weights[row]):
        for chosen in product(*(options[row][:most] for row in rows if row != free)):
            fixed = (*chosen[:free], 0, *chosen[free:])
            has = closing_sum(day.weights, fixed)
            for wanted in wanted_sums:
                left = wanted - has
                price, odd = divmod(left, day.weights[free])
                closes = (*chosen[:free], price, *chosen[free:])
                within = limits[free][0] <= price <= limits[free][1] and not odd
                if within and min(closes) - 1 <= day.mean_ticks <= max(closes) + 1:
                    yield closes


def _wanted_sums(day: VintageDay, total: int) -> list[int]:
    """Return sums of weight x close to aim at: the middle, on narrow days what is beside it too."""
    span = day.sums().close
    if span == ANY or day.close_ticks is None:
        return [total * day.mean_ticks]
    middle = total * day.close_ticks
    near = sorted(range(span[0], span[1] + 1), key=lambda each: abs(each - middle))
    return near[: 3 if day.narrow else 1]


def _coming(days: Sequence[VintageDay], number: int) -> Iterator[tuple[int | None, int]]:
    """Yield (vintage or None for any, price) where it is good to stand before the coming days."""
    for later in range(number + 1, min(number + 1 + AHEAD, len(days))):
        day, before = days[later], days[later - 1]
        if day.closes is not None:
            yield from enumerate(day.closes)
            continue
        if not day.qty_tonnes:
            continue
        if day.own != COMPOSITE_LINE:
            yield from ((day.own, price) for price in (day.open_ticks, day.close_ticks) if price)
        else:
            single = _single(day, before)
            if single is not None:
                yield from ((None, single + tick) for tick in ((0, -1, 1) if day.narrow else (0,)))
        yield None, day.mean_ticks


def _single(day: VintageDay, before: VintageDay) -> int | None:
    """Return where a vintage must stand if it alone, trading at the mean, makes the day's move."""
    lines = day.own == before.own == COMPOSITE_LINE
    if not lines or day.close_ticks is None or before.close_ticks is None:
        return None
    return day.mean_ticks - sum(day.weights) * (day.close_ticks - before.close_ticks)


def _cost(days: Sequence[VintageDay], number: int, references: Prices, closes: Prices) -> float:
    """Return how unwelcome an evening is: large moves, closes far apart, a hard next day."""
    cost = sum(abs(a - b) for a, b in zip(references, closes, strict=True)) / 400
    if number + 1 == len(days):
        return cost
    day = days[number + 1]
    cost += (max(closes) - min(closes)) / 300
    if day.qty_tonnes and not min(closes) - 2 <= day.mean_ticks <= max(closes) + 2:
        cost += 1
    if day.own != COMPOSITE_LINE and day.own < len(closes):
        low, high = limits_of(closes, day.band_bp)[day.own]
        if (day.low_ticks or low) < low or (day.high_ticks or high) > high:
            cost += 50
    if day.closes is not None:
        pairs = list(zip(day.closes, limits_of(closes, day.band_bp), strict=False))
        cost += 50 * sum(not low <= close <= high for close, (low, high) in pairs)
        cost += sum(abs(a - b) for a, b in zip(closes, day.closes, strict=False)) / 100
    return cost + _cost_ahead(days, number, closes)


def _cost_ahead(days: Sequence[VintageDay], number: int, closes: Prices) -> float:
    """Return the cost of standing where no coming day's single vintage can begin."""
    cost = 0.0
    for later in range(number + 1, min(number + 1 + AHEAD, len(days))):
        single = _single(days[later], days[later - 1])
        if single is None or days[later].closes is not None:
            break
        away = min(abs(close - single) for close in closes)
        if later == number + 1:
            cost += min(away, 60) / 30
        if days[later].narrow and away > 2:
            cost += 6 / (later - number)
    return cost


def _starts(days: Sequence[VintageDay], number: int) -> list[Prices]:
    """Return references to begin with, from what the first days say about each vintage."""
    day = days[number]
    options = []
    for row in range(len(day.weights)):
        found = [day.closes[row]] if day.closes is not None else []
        for later in days[number : number + 12]:
            if later.own == row:
                prices = (later.open_ticks, later.high_ticks, later.close_ticks)
                found += [price for price in prices if price]
                break
        line = (day.open_ticks, day.mean_ticks)
        found += [price for price in line if price]
        found += [half_up(price * BP, BP + day.band_bp) for price in (day.high_ticks,) if price]
        options.append(list(dict.fromkeys(found))[:4])
    return list(product(*options))[:STARTS_MAX]
