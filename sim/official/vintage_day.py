"""One published day of several vintages: from closes that are wanted to listed trades that are it.

The exchange publishes one price line (the composite price, TR-104, or one vintage's) beside the
volume of all vintages. Given each vintage's reference and the close it shall have, ``trades_for``
looks for listed trades of all vintages together that are exactly the row: volume and turnover to
the fen, every price inside its vintage's limits, every vintage's close the mean of its own trades,
and the line's open, high, low and close. What it returns is checked trade by trade before it is
returned (``fits``); that it finds nothing does not prove that there is nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.units import half_up, price_limits
from sim.official.composite_path import ANY, Step, Sums, paths, sums_at
from sim.official.realise import Deal
from sim.official.vintage_split import Odd, Share, Vintage, split

COMPOSITE_LINE = -1


@dataclass(frozen=True, slots=True)
class VintageDay:
    """A published day in ticks, tonnes and fen; None = not published.

    ``own``: row of the vintage whose price line is published, COMPOSITE_LINE for the composite's.
    ``weights``: of the vintages in the composite price. ``closes``: of all vintages, where known.
    """

    date: dt.date
    own: int
    weights: tuple[int, ...]
    open_ticks: int | None
    high_ticks: int | None
    low_ticks: int | None
    close_ticks: int | None
    qty_tonnes: int
    turnover_fen: int
    bulk_qty_tonnes: int
    bulk_turnover_fen: int
    closes: tuple[int, ...] | None
    band_bp: int
    bulk_band_bp: int

    @property
    def mean_ticks(self) -> int:
        """The listed trades' mean price, rounded; 0 without volume."""
        return half_up(self.turnover_fen, self.qty_tonnes) if self.qty_tonnes else 0

    @property
    def narrow(self) -> bool:
        """Whether little can move: few tonnes, or a composite price that hardly stirs."""
        spread = (self.high_ticks or 10**6) - (self.low_ticks or 0)
        return self.qty_tonnes < 100 or spread < 10

    def sums(self) -> Sums:
        """Return the composite figures as ranges of the sum of weight x price (TR-104)."""
        total = sum(self.weights)
        opened, high, low, close = (
            ANY if ticks is None else sums_at(ticks, total)
            for ticks in (self.open_ticks, self.high_ticks, self.low_ticks, self.close_ticks)
        )
        return Sums(opened, high, low, close)


def limits_of(references: Sequence[int], band_bp: int) -> list[tuple[int, int]]:
    """Return every vintage's price limits (TR-20, TR-23)."""
    return [price_limits(reference, band_bp) for reference in references]


def closing_sum(weights: Sequence[int], prices: Sequence[int]) -> int:
    """Return the sum of weight x price."""
    return sum(weight * price for weight, price in zip(weights, prices, strict=True))


def trades_for(
    day: VintageDay, references: Sequence[int], closes: Sequence[int], *, thorough: bool = True
) -> tuple[Deal, ...] | None:
    """Return listed trades in time order that are the day and give these closes, or None.

    ``thorough`` tries more ways of moving the composite price.
    """
    limits = limits_of(references, day.band_bp)
    pairs = zip(closes, limits, strict=True)
    if not day.qty_tonnes or any(not low <= close <= high for close, (low, high) in pairs):
        return None
    for steps in _steps(day, references, closes, limits, thorough):
        vintages = _vintages(day, references, closes, limits, steps)
        shares = split(vintages, day.qty_tonnes, day.turnover_fen)
        if shares is None:
            continue
        for deals in _orders(steps, closes, vintages, shares):
            if fits(day, references, closes, deals):
                return tuple(deals)
    return None


def fits(
    day: VintageDay, references: Sequence[int], closes: Sequence[int], deals: Sequence[Deal]
) -> bool:
    """Whether the deals are exactly the day: live it trade by trade (TR-100…105)."""
    limits, prices = limits_of(references, day.band_bp), list(references)
    tonnes, fen = [0] * len(prices), [0] * len(prices)
    line: list[int] = []
    total = sum(day.weights)
    for price, qty, row in deals:
        if qty < 1 or not limits[row][0] <= price <= limits[row][1]:
            return False
        prices[row] = price
        tonnes[row] += qty
        fen[row] += price * qty
        if day.own == COMPOSITE_LINE:
            line.append(half_up(closing_sum(day.weights, prices), total))
        elif day.own == row:
            line.append(price)
    found = [
        half_up(fen[row], tonnes[row]) if tonnes[row] else reference
        for row, reference in enumerate(references)
    ]
    if (sum(tonnes), sum(fen)) != (day.qty_tonnes, day.turnover_fen) or found != list(closes):
        return False
    if day.own == COMPOSITE_LINE:
        close = half_up(closing_sum(day.weights, found), total)
        extremes = [*line, close]
    else:
        close, extremes = found[day.own], line
    if not line:
        return False
    lived = (line[0], max(extremes), min(extremes), close)
    wanted = (day.open_ticks, day.high_ticks, day.low_ticks, day.close_ticks)
    return all(each in (None, own) for each, own in zip(wanted, lived, strict=True))


def _steps(
    day: VintageDay,
    references: Sequence[int],
    closes: Sequence[int],
    limits: Sequence[tuple[int, int]],
    thorough: bool,
) -> Iterator[list[Step]]:
    """Yield ways of stepping from the references to the closes, through what is published."""
    if day.own == COMPOSITE_LINE:
        by_mean = sorted(
            range(len(closes)), key=lambda row: abs(closes[row] - day.mean_ticks)
        )  # who can carry the volume comes first
        yield from paths(
            day.weights, references, closes, limits, day.sums(), by_mean, thorough=thorough
        )
        return
    prices = (day.open_ticks, day.low_ticks, day.high_ticks)
    yield [Step(day.own, price) for price in dict.fromkeys(prices) if price is not None]


def _vintages(
    day: VintageDay,
    references: Sequence[int],
    closes: Sequence[int],
    limits: Sequence[tuple[int, int]],
    steps: Sequence[Step],
) -> list[Vintage]:
    """Return what each vintage has to trade: the steps that are not its close, then the rest.

    On composite days the rest stays within a tick of the close, so that the composite price does
    too; on a vintage's day it may lie anywhere between the published low and high.
    """
    found = []
    for row, close in enumerate(closes):
        own = [step.price_ticks for step in steps if step.vintage == row]
        low, high = limits[row]
        if day.own == COMPOSITE_LINE:
            if own and own[-1] == close:
                own.pop()  # the rest itself is this step
                must = True
            else:
                must = bool(own) or close != references[row]
            low, high = max(low, close - 1), min(high, close + 1)
        else:
            must = bool(own) or close != references[row]
            if row == day.own:
                low, high = max(low, day.low_ticks or low), min(high, day.high_ticks or high)
            else:
                low, high = max(low, close - 30), min(high, close + 30)
        found.append(Vintage(close, low, high, Odd(len(own), sum(own)), must))
    return found


def _orders(
    steps: Sequence[Step],
    closes: Sequence[int],
    vintages: Sequence[Vintage],
    shares: dict[int, Share],
) -> Iterator[list[Deal]]:
    """Yield orders of the trades: each vintage's rest where its last step to the close is."""
    last = {step.vintage: number for number, step in enumerate(steps)}
    rests = {
        row: _rest(row, closes[row], vintages[row].odd, share) for row, share in shares.items()
    }
    deals: list[Deal] = []
    for number, (row, price) in enumerate(steps):
        at_close = price == closes[row] and vintages[row].odd.tonnes < sum(
            step.vintage == row for step in steps
        )
        if last[row] == number and at_close:
            deals += rests.pop(row, [])
        else:
            deals.append(Deal(price, 1, row))
    for rest in rests.values():
        deals += rest
    yield deals
    # A tick beside the close may leave the day's range at one time and not at another.
    beside = [deal for deal in deals if deal.price_ticks != closes[deal.instrument]]
    beside = [deal for deal in beside if deal.qty_tonnes > 1]
    others = [deal for deal in deals if deal not in beside]
    if beside:
        for place in range(1, len(others) + 1):
            yield [*others[:place], *beside, *others[place:]]


def _rest(row: int, close: int, odd: Odd, share: Share) -> list[Deal]:
    """Return what a vintage trades beside its odd tonnes: at its close and a tick beside it."""
    rest = share.tonnes - odd.tonnes
    if not rest:
        return []
    over = share.fen - odd.fen - close * rest
    if abs(over) <= rest:
        beside = Deal(close + (1 if over > 0 else -1), abs(over), row)
        found = [Deal(close, rest - abs(over), row), beside]
    else:
        price, above = divmod(share.fen - odd.fen, rest)
        found = [Deal(price, rest - above, row), Deal(price + 1, above, row)]
    return [deal for deal in found if deal.qty_tonnes]
