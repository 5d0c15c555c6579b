"""From a day's bulk volume and turnover to bulk deals that are exactly that (TR-12, TR-21, TR-70).

A bulk deal has at least 100,000 t at one whole-tick price within ±30 % of its vintage's reference.
If turnover ÷ volume is a whole tick, one deal does it. Otherwise two deals are looked for, a tonnes
at a price above the mean and the rest below: with m ticks between the prices, the lower one j below
the mean's tick, a = (what is over + j x volume) / m has to be whole and leave both deals large
enough. The published sums say nothing about how many deals there were: these are possible ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sim.official.realise import Contradiction, yuan


class BulkDeal(NamedTuple):
    """One bulk agreement to make, in an instrument named by its row."""

    price_ticks: int
    qty_tonnes: int
    instrument: int = 0


class Limits(NamedTuple):
    """What prices an instrument may have in a modality today."""

    instrument: int
    lower_ticks: int
    upper_ticks: int


def find_bulk(
    qty_tonnes: int, fen: int, limits: Sequence[Limits], qty_min: int
) -> tuple[BulkDeal, ...] | Contradiction:
    """Return bulk deals with exactly this volume and turnover, or the rule they break.

    Args:
        limits: the vintages' bulk limits of the day, the vintage to be used first first.
        qty_min: least tonnes of a deal.
    """
    if not qty_tonnes:
        return Contradiction("ST-15", f"no bulk volume but turnover {yuan(fen)}") if fen else ()
    if qty_tonnes < qty_min:
        return Contradiction("TR-12", f"bulk volume {qty_tonnes} t is below {qty_min} t")
    lower, upper = (
        min(each.lower_ticks for each in limits),
        max(each.upper_ticks for each in limits),
    )
    if not lower * qty_tonnes <= fen <= upper * qty_tonnes:
        words = f"bulk mean {yuan(fen // qty_tonnes)} is outside {yuan(lower)} to {yuan(upper)}"
        return Contradiction("TR-21, TR-23", words)
    mean, over = divmod(fen, qty_tonnes)
    single = holder(mean, limits)
    if not over and single is not None:
        return (BulkDeal(mean, qty_tonnes, single),)
    found = _two_deals(mean, over, qty_tonnes, limits, qty_min)
    if found:
        return found
    return Contradiction(
        "TR-10, TR-12",
        f"bulk turnover {yuan(fen)} for {qty_tonnes} t is no whole-tick price, "
        f"nor two deals of at least {qty_min} t",
    )


def holder(price_ticks: int, limits: Sequence[Limits]) -> int | None:
    """Return the first instrument whose limits hold the price, None if there is none."""
    for each in limits:
        if each.lower_ticks <= price_ticks <= each.upper_ticks:
            return each.instrument
    return None


def _two_deals(
    mean: int, over: int, qty_tonnes: int, limits: Sequence[Limits], qty_min: int
) -> tuple[BulkDeal, ...]:
    """Return two deals whose prices lie as close around ``mean`` as possible; () if none do."""
    widest = max(each.upper_ticks for each in limits) - min(each.lower_ticks for each in limits)
    for apart in range(1, widest + 1):
        # a = (over + below x qty) / apart must lie between qty_min and qty - qty_min.
        least = -(-(qty_min * apart - over) // qty_tonnes)
        most = ((qty_tonnes - qty_min) * apart - over) // qty_tonnes
        for below in range(max(0, least), most + 1):
            tonnes, odd = divmod(over + below * qty_tonnes, apart)
            low, high = mean - below, mean - below + apart
            rows = (holder(high, limits), holder(low, limits))
            if not odd and rows[0] is not None and rows[1] is not None:
                return (
                    BulkDeal(high, tonnes, rows[0]),
                    BulkDeal(low, qty_tonnes - tonnes, rows[1]),
                )
    return ()
