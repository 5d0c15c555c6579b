"""From a published row to listed trades that are exactly that row, or the rule it breaks.

The question: are there trades (price in ticks, tonnes) in time order whose first price is the open,
whose extremes are the high and the low, whose tonnes add up to the volume and whose price × tonnes
add up to the turnover, every price inside the day's limits? Tonnes and ticks are whole numbers, so
every tonne has one whole price. At least one tonne trades at each of open, high and low: set one
aside for each of them that is published. The R tonnes left have whole prices from low to high, and
R such prices can add up to every whole amount from R × low to R × high and to no other. So the row
can happen exactly if the amount left lies in that interval, and then the prices just below and just
above the mean do it. tests/unit/sim compares this with trying everything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from engine.records import PRICE_TICKS_MAX
from engine.units import half_up
from sim.official.days import Row

QTY_PER_DAY_MAX = 10**8  # beyond any day the market could have; keeps a replay finite
_FEN = Decimal(100)


class Target(NamedTuple):
    """A published day in the venue's units; None = not published."""

    open_ticks: int | None
    high_ticks: int | None
    low_ticks: int | None
    close_ticks: int | None
    qty_tonnes: int
    turnover_fen: int


class Bounds(NamedTuple):
    """What the day's rules allow: reference, price limits, most tonnes of one declaration."""

    reference_ticks: int
    lower_ticks: int
    upper_ticks: int
    qty_max: int


class Deal(NamedTuple):
    """One listed trade to make, in an instrument named by its row."""

    price_ticks: int
    qty_tonnes: int
    instrument: int = 0


@dataclass(frozen=True, slots=True)
class Contradiction:
    """The row cannot have happened under the rules: the clauses it breaks and how."""

    clauses: str
    sentence: str


def target_of(row: Row) -> Target | Contradiction:
    """Convert a row to ticks, tonnes and fen, exactly; numbers off the grid are contradictions."""
    ticks: dict[str, int | None] = {}
    for name in ("open", "high", "low", "close"):
        value: Decimal | None = getattr(row, name)
        price = None if value is None else _whole(value * _FEN)
        if value is not None and price is None:
            return Contradiction("TR-10", f"{name} {value} is not a multiple of 0.01 yuan")
        if price is not None and price > PRICE_TICKS_MAX:
            return Contradiction("TR-10", f"{name} {value} is above any price the venue takes")
        ticks[name] = price
    qty = _whole(row.listed_qty)
    if qty is None:
        return Contradiction("TR-10", f"volume {row.listed_qty} is not a whole number of tonnes")
    if qty > QTY_PER_DAY_MAX:
        return Contradiction("TR-10", f"volume {qty} t is above {QTY_PER_DAY_MAX} t a day")
    fen = _whole(row.listed_turnover * _FEN)
    if fen is None:
        return Contradiction(
            "ST-15", f"turnover {row.listed_turnover} is not a whole number of fen"
        )
    return Target(ticks["open"], ticks["high"], ticks["low"], ticks["close"], qty, fen)


def realise(target: Target, bounds: Bounds) -> tuple[Deal, ...] | Contradiction:
    """Return deals in time order that are exactly ``target``, or the rule it breaks.

    Every deal has 1 … ``bounds.qty_max`` tonnes and a price within the limits. A solution is found
    whenever there is one. Without listed volume there is nothing to trade: ``()``.
    """
    broken = _contradiction(target, bounds) if target.qty_tonnes else _idle(target, bounds)
    if broken is not None:
        return broken
    if not target.qty_tonnes:
        return ()
    tonnes: dict[int, int] = {}  # by price, in the order in which they will trade
    for price in _fixed(target):
        tonnes[price] = tonnes.get(price, 0) + 1
    rest = target.qty_tonnes - len(tonnes)
    if rest:
        mean, above = divmod(target.turnover_fen - sum(tonnes), rest)
        tonnes[mean] = tonnes.get(mean, 0) + rest - above
        if above:
            tonnes[mean + 1] = tonnes.get(mean + 1, 0) + above
    return tuple(
        Deal(price, qty)
        for price, total in tonnes.items()
        for qty in _pieces(total, bounds.qty_max)
    )


def yuan(ticks: int) -> str:
    """Write ticks or fen as yuan, e.g. ``48.00``."""
    return f"{ticks // 100}.{ticks % 100:02d}"


def _whole(value: Decimal) -> int | None:
    return int(value) if value == value.to_integral_value() else None


def _fixed(target: Target) -> list[int]:
    """Return the distinct prices at which at least one tonne must trade, the open first."""
    prices = (target.open_ticks, target.low_ticks, target.high_ticks)
    return list(dict.fromkeys(price for price in prices if price is not None))


def _pieces(total: int, most: int) -> Iterator[int]:
    while total > 0:
        yield min(total, most)
        total -= most


def _idle(target: Target, bounds: Bounds) -> Contradiction | None:
    """Check a day without listed trades: nothing turned over, prices stand still."""
    reference = bounds.reference_ticks
    if target.turnover_fen:
        return Contradiction("ST-15", f"no volume but turnover {yuan(target.turnover_fen)}")
    if target.open_ticks not in (None, 0, reference):
        return Contradiction("TR-101", f"no listed trade, so the open is {yuan(reference)}")
    if target.high_ticks not in (None, 0) or target.low_ticks not in (None, 0):
        return Contradiction("TR-102", "no listed trade, so there is no high and no low")
    if target.close_ticks not in (None, reference):
        return Contradiction("TR-100", f"no listed trade, so the close stays {yuan(reference)}")
    return None


def _contradiction(target: Target, bounds: Bounds) -> Contradiction | None:
    """Return the first rule a day with listed trades breaks, None if it can have happened."""
    for name in ("open", "high", "low"):
        price = getattr(target, f"{name}_ticks")
        if price is not None and not bounds.lower_ticks <= price <= bounds.upper_ticks:
            return Contradiction(
                "TR-20, TR-23",
                f"{name} {yuan(price)} is outside {yuan(bounds.lower_ticks)} to "
                f"{yuan(bounds.upper_ticks)} (reference {yuan(bounds.reference_ticks)})",
            )
    low = bounds.lower_ticks if target.low_ticks is None else target.low_ticks
    high = bounds.upper_ticks if target.high_ticks is None else target.high_ticks
    if not low <= (low if target.open_ticks is None else target.open_ticks) <= high or low > high:
        return Contradiction("TR-101, TR-102", "low, open and high are not in this order")
    mean = half_up(target.turnover_fen, target.qty_tonnes)
    if target.close_ticks not in (None, mean):
        return Contradiction(
            "TR-100",
            f"close {yuan(target.close_ticks or 0)} is not turnover ÷ volume, {yuan(mean)}",
        )
    fixed = _fixed(target)
    rest = target.qty_tonnes - len(fixed)
    if rest < 0:
        return Contradiction(
            "TR-10, TR-102", f"{target.qty_tonnes} t cannot trade at {len(fixed)} prices"
        )
    least, most = sum(fixed) + rest * low, sum(fixed) + rest * high
    if not least <= target.turnover_fen <= most:
        by_band = target.low_ticks is None or target.high_ticks is None
        return Contradiction(
            "ST-15, TR-20" if by_band else "ST-15, TR-102",
            f"turnover {yuan(target.turnover_fen)} is not between {yuan(least)} and {yuan(most)}, "
            f"what {target.qty_tonnes} t can cost at these prices",
        )
    return None
