"""Most batches hold nothing but listed orders that rest or end: they are taken in by columns."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from engine.reasons import Reason
from engine.records import Event, Modality
from marketdata.book import BookSide

NEVER_RESTED = frozenset((int(Reason.TAKE_REMAINDER), int(Reason.SELF_TRADE)))
_SHORT_LIVED = np.isin(np.arange(256), tuple(NEVER_RESTED))
_ACCEPTED, _REFUSED = int(Event.ACCEPTED), int(Event.REFUSED)
_KINDS = (_ACCEPTED, int(Event.CANCELLED), int(Event.LAPSED), _REFUSED)
_QUIET = np.isin(np.arange(256), _KINDS)
_LISTED = int(Modality.LISTED)


def heard(events: np.ndarray) -> np.ndarray:
    """Leave out what is silent: refusals, and orders of which nothing rests."""
    kinds = events["kind"]
    silent = (kinds == _REFUSED) | ((kinds == _ACCEPTED) & (events["leaves_qty"] == 0))
    loud: np.ndarray = events[~silent]
    return loud


def only_rest_or_end(events: np.ndarray, before_ns: int) -> bool:
    """Whether a batch (EVENT, shape (n,)) holds nothing else but refusals, all of before a time."""
    if events["time_ns"][-1] >= before_ns:
        return False
    return bool(_QUIET[events["kind"]].all() and (events["modality"] == _LISTED).all())


def come_and_go(sides: Sequence[BookSide], events: np.ndarray) -> tuple[int, dict[int, int]]:
    """Bring the books up to date with such a batch, refusals left out.

    Returns how many events were seen, and the time of the last one of each instrument.
    """
    comes = events["kind"] == _ACCEPTED
    unseen = _SHORT_LIVED[events["reason"]] & ~comes
    if unseen.any():
        events, comes = events[~unseen], comes[~unseen]
    row = 2 * events["instrument"] + events["side"] - 1
    leaves = np.where(comes, events["leaves_qty"], 0)
    columns = (row, events["price_ticks"], events["order_no"], leaves)
    for at, price, order_no, left in zip(*(each.tolist() for each in columns), strict=True):
        side = sides[at]
        key = price * side.sign
        level = side.levels.get(key)
        if left and level is not None:  # most come to a price that is there
            level[order_no] = left
            side.tonnes[key] += left
        elif left:
            side.add(price, order_no, left)
        else:
            side.reduce(price, order_no, 0)
    touched, first = np.unique(events["instrument"], return_index=True)
    last = {}
    for instrument in touched[np.argsort(first)].tolist():  # in the order of their first event
        last[instrument] = int(events["time_ns"][events["instrument"] == instrument][-1])
    return len(events), last
