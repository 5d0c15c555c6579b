"""The composite price (TR-104…107): a weighted mean, rounded only when it is published."""

from __future__ import annotations

from tests.reference.rounding import half_up
from tests.reference.venue import Venue
from tests.reference.vocabulary import Event


def current_sum(venue: Venue) -> int:
    """Sum of weight × current price."""
    return sum(row.weight * row.current for row in venue.instruments)


def note_trade(venue: Venue) -> None:
    """After a listed trade of any vintage: open at the first one, extremes at each (TR-105)."""
    latest, composite = current_sum(venue), venue.composite
    if not composite.open:
        composite.open = composite.high = composite.low = latest
    composite.high = max(composite.high, latest)
    composite.low = min(composite.low, latest)


def set_close(venue: Venue) -> None:
    """The close, from the closes, which counts among the extremes; without a trade it stays."""
    composite = venue.composite
    if composite.weights and composite.open:
        total = sum(row.weight * row.close for row in venue.instruments)
        composite.close = half_up(total, composite.weights)
        composite.high = max(composite.high, total)
        composite.low = min(composite.low, total)


def tell_figures(venue: Venue) -> None:
    """Publish open, high, low and close of the day; 0 where there is none (TR-105, E29)."""
    composite = venue.composite
    opened = high = low = 0
    if composite.weights:
        weights, opened = composite.weights, composite.close
        if composite.open:
            opened = half_up(composite.open, weights)
            high, low = half_up(composite.high, weights), half_up(composite.low, weights)
    venue.tell(Event.COMPOSITE_OPEN_SET, price_ticks=opened)
    venue.tell(Event.COMPOSITE_HIGH_SET, price_ticks=high)
    venue.tell(Event.COMPOSITE_LOW_SET, price_ticks=low)
    venue.tell(Event.COMPOSITE_SET, price_ticks=composite.close)
