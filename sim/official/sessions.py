"""One-way bidding sessions: the known ones (TR-94), and bids that clear at a published result.

A seller offers at least 100,000 t from a floor (the reference or 10 % below it); bids are ranked by
price, then time (TR-84). A uniform session clears at one whole-tick price; an average between two
ticks needs pay-as-bid (TR-83). Less may be sold than was offered (TR-86).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import NamedTuple

from engine.records import Pricing
from engine.units import price_limits
from sim.official.realise import Contradiction, yuan


class Bid(NamedTuple):
    """A sealed bid to make."""

    price_ticks: int
    qty_tonnes: int


class Session(NamedTuple):
    """One session to hold: what is offered from which floor, how it is priced, who bids what."""

    instrument: int
    floor_ticks: int
    offered_tonnes: int
    pricing: Pricing
    bids: tuple[Bid, ...]

    @property
    def winners(self) -> int:
        """How many of the bids, which come by rank, win something (TR-84, TR-87)."""
        left, found = self.offered_tonnes, 0
        for bid in self.bids:
            found += left > 0
            left -= bid.qty_tonnes
        return found


class Field(NamedTuple):
    """What a session of an instrument may be: its two floors and the highest bid (TR-22)."""

    instrument: int
    reference_ticks: int
    lower_ticks: int
    upper_ticks: int


class Known(NamedTuple):
    """A session of which the exchange published the result (TR-94)."""

    date: dt.date
    code: str
    reference_ticks: int
    qty_tonnes: int
    turnover_fen: int


KNOWN = (
    Known(dt.date(2025, 7, 16), "CEA23", 7410, 100_000, 745_220_000),  # average 74.522
    Known(dt.date(2025, 7, 16), "CEA24", 7597, 30_000, 231_930_000),  # 77.31
    Known(dt.date(2025, 8, 28), "CEA24", 6978, 5_000, 34_890_000),  # 69.78, the reference
    Known(dt.date(2025, 9, 5), "CEA23", 6730, 2_000, 13_460_000),  # 67.30, the reference
    Known(dt.date(2025, 10, 30), "CEA24", 4433, 100_000, 447_500_000),  # 44.75
    Known(dt.date(2025, 11, 4), "CEA24", 4872, 100_000, 489_485_000),  # average 48.9485
    Known(dt.date(2026, 5, 22), "CEA25", 8043, 1_000, 8_043_000),  # 80.43, the reference
)


def field_of(instrument: int, reference_ticks: int, band_bp: int) -> Field:
    """Return the field of an instrument with this reference (TR-22, TR-23)."""
    return Field(instrument, reference_ticks, *price_limits(reference_ticks, band_bp))


def find_sessions(
    qty_tonnes: int, fen: int, fields: Sequence[Field], offer_min: int
) -> tuple[Session, ...] | Contradiction:
    """Return a session that sells exactly this volume for this turnover, or the rule it breaks.

    Args:
        fields: the vintages' fields of the day, the vintage to be used first first.
        offer_min: least tonnes of an application (TR-13).
    """
    if not qty_tonnes:
        return Contradiction("ST-15", f"no bidding volume but turnover {yuan(fen)}") if fen else ()
    mean, over = divmod(fen, qty_tonnes)
    for field in fields:
        if field.lower_ticks <= mean and mean + (over > 0) <= field.upper_ticks:
            floor = field.reference_ticks if mean >= field.reference_ticks else field.lower_ticks
            offered = max(qty_tonnes, offer_min)
            if over:
                bids = (Bid(mean + 1, over), Bid(mean, qty_tonnes - over))
                return (Session(field.instrument, floor, offered, Pricing.PAY_AS_BID, bids),)
            winners = _uniform(mean, qty_tonnes, offered, floor, field.upper_ticks)
            return (Session(field.instrument, floor, offered, Pricing.UNIFORM, winners),)
    spans = ", ".join(f"{yuan(each.lower_ticks)} to {yuan(each.upper_ticks)}" for each in fields)
    return Contradiction("TR-22, TR-23", f"bidding mean {yuan(mean)} is outside {spans}")


def _uniform(
    price: int, qty_tonnes: int, offered: int, floor: int, highest: int
) -> tuple[Bid, ...]:
    """Return bids whose last winner names ``price``: a higher one, the marginal one (cut where all
    that is offered sells, TR-87), and then one that loses if the floor leaves room for it."""
    best = qty_tonnes // 2
    sold_out = qty_tonnes == offered
    marginal = qty_tonnes - best
    bids = [Bid(min(price + 1, highest), best)] if best else []
    bids.append(Bid(price, marginal + (marginal // 2 if sold_out else 0)))
    if sold_out and price > floor:
        bids.append(Bid(price - 1, marginal))
    return tuple(bids)
