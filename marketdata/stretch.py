"""Long stretches of events about listed orders, taken in by columns: a start replays a whole day.

What the feed does event by event comes to the same when the books are looked at only afterwards:
of every order the first and the last word count, of every bar its trades together. Numbers, facts
and bars are those of the loop in ``marketdata.feed``, which stays for what comes in small batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from engine.outcome import as_bytes
from engine.records import EVENT, Event, Modality
from marketdata.bars import LISTED_ROW, MINUTE_NS, MinuteBars
from marketdata.book import BookSide
from marketdata.charts import Charts
from marketdata.composite import CompositePrice
from marketdata.figures import Figures
from marketdata.history import Outbox
from marketdata.quiet import NEVER_RESTED
from marketdata.tape import Trades

_ACCEPTED, _TRADED = int(Event.ACCEPTED), int(Event.TRADED)
_CANCELLED, _LAPSED = int(Event.CANCELLED), int(Event.LAPSED)
_PULLED, _AMENDED, _REFUSED = int(Event.PULLED), int(Event.AMENDED), int(Event.REFUSED)
_PLAIN = np.isin(
    np.arange(256), (_ACCEPTED, _TRADED, _CANCELLED, _LAPSED, _PULLED, _AMENDED, _REFUSED)
)
_ENDED = np.isin(np.arange(256), (_CANCELLED, _LAPSED))
_GONE = tuple(NEVER_RESTED)
_LISTED = int(Modality.LISTED)


LONG = 1024  # events from which looking for stretches pays


def plain(events: np.ndarray) -> np.ndarray:
    """Return which events are about listed orders only: shape (n,), bool."""
    chosen: np.ndarray = _PLAIN[events["kind"]] & (
        (events["modality"] == _LISTED) | (events["kind"] == _REFUSED)
    )
    return chosen


def parts(events: np.ndarray, chosen: np.ndarray) -> Iterator[tuple[np.ndarray, bool]]:
    """Yield events in order, cut into long runs of chosen ones (True) and what lies between."""
    edges = np.flatnonzero(np.diff(chosen.astype(np.int8), prepend=0, append=0))
    at = 0
    for begin, end in edges.reshape(-1, 2).tolist():
        if end - begin < LONG:
            continue
        if at < begin:
            yield events[at:begin], False
        yield events[begin:end], True
        at = end
    if at < len(events):
        yield events[at:], False


def chosen_of(events: np.ndarray, which: np.ndarray) -> np.ndarray:
    """Return a copy of the events at places (int) or marked (bool), copied as bytes: it is fast."""
    found: np.ndarray = as_bytes(events)[which]
    return found.view(EVENT)


def _audible(events: np.ndarray) -> np.ndarray:
    """Return the plain events that change something the public sees."""
    kinds = events["kind"]
    silent = (kinds == _REFUSED) | ((kinds == _ACCEPTED) & (events["leaves_qty"] == 0))
    silent |= _ENDED[kinds] & np.isin(events["reason"], _GONE)
    return chosen_of(events, ~silent) if silent.any() else events


class _Words(NamedTuple):
    """What was said of resting orders, in order; ``comes``: as the youngest of its level."""

    order_no: np.ndarray
    row: np.ndarray
    price: np.ndarray
    leaves: np.ndarray
    comes: np.ndarray


def _move_books(sides: Sequence[BookSide], events: np.ndarray) -> None:
    """Bring the books to where audible plain events (whole commands) leave them."""
    words = _words(events)
    if not len(words.order_no):
        return
    low = int(words.order_no.min())
    number = words.order_no - low
    room, place = int(number.max()) + 1, np.arange(len(number))
    first, last, came = (np.full(room, -1) for _ in range(3))
    first[number[::-1]] = place[::-1]  # of equal numbers the last one written stands
    last[number] = place
    came[number[words.comes]] = place[words.comes]
    known = np.flatnonzero(last >= 0)
    first, last, came = first[known], last[known], came[known]
    rested = ~words.comes[first]  # before this stretch
    leaves = words.leaves[last]
    goes = rested & ((came >= 0) | (leaves == 0))
    _each(sides, words, first[goes], np.zeros(int(goes.sum()), np.int64), add=False)
    stays = rested & (came < 0) & (leaves > 0)
    _each(sides, words, last[stays], leaves[stays], add=False)
    comes = np.flatnonzero((came >= 0) & (leaves > 0))
    comes = comes[np.argsort(came[comes], kind="stable")]
    _each(sides, words, last[comes], leaves[comes], add=True)


def _each(
    sides: Sequence[BookSide], words: _Words, at: np.ndarray, leaves: np.ndarray, *, add: bool
) -> None:
    columns = (words.row[at], words.price[at], words.order_no[at], leaves)
    for row, price, order_no, left in zip(*(each.tolist() for each in columns), strict=True):
        if add:
            sides[row].add(price, order_no, left)
        else:
            sides[row].reduce(price, order_no, left)


def _words(events: np.ndarray) -> _Words:
    """One word per event; two of an order that was amended and lost its place."""
    kinds = np.ascontiguousarray(events["kind"])
    traded, amended = kinds == _TRADED, np.flatnonzero(kinds == _AMENDED)
    side = np.where(traded, 3 - events["side"], events["side"]).astype(np.int64)
    order_no = np.where(traded, events["other_order_no"], events["order_no"])
    leaves = np.where(traded, events["other_leaves_qty"], events["leaves_qty"])
    leaves[_ENDED[kinds]] = 0
    comes = kinds == _ACCEPTED
    price = events["price_ticks"].astype(np.int64)
    if len(amended):
        pulled = np.flatnonzero(kinds == _PULLED)
        stays = (price[amended] == price[pulled]) & (
            leaves[amended] <= events["qty_tonnes"][pulled]
        )
        comes[amended[~stays]] = True
        side[pulled] = side[amended]
    row = 2 * events["instrument"].astype(np.int64) + side - 1
    return _Words(order_no, row, price, leaves, comes)


def _last_touches(events: np.ndarray) -> dict[int, int]:
    """Return the time of the last event of each instrument, in the order of their first ones."""
    lines, first = np.unique(events["instrument"], return_index=True)
    times = events["time_ns"]
    return {
        line: int(times[np.flatnonzero(events["instrument"] == line)[-1]])
        for line in lines[np.argsort(first)].tolist()
    }


def _trades_of(events: np.ndarray, figures: Figures) -> Trades:
    """Return the trades among audible plain events; nothing is counted yet."""
    at = np.flatnonzero(events["kind"] == _TRADED)
    rows = chosen_of(events, at)
    instrument, price = rows["instrument"].astype(np.int64), rows["price_ticks"].astype(np.int64)
    moved = np.zeros(len(rows), np.int64)
    for line in np.unique(instrument).tolist():
        mine, vintage = instrument == line, figures.vintages[line]
        before = np.concatenate(([vintage.current], price[mine][:-1]))
        moved[mine] = vintage.weight * (price[mine] - before)
    weighted = figures.composite.weighted + np.cumsum(moved)
    columns = (rows[name] for name in ("qty_tonnes", "amount_fen", "trade_no", "side"))
    qty, value, trade_no, side = columns
    return Trades(at, rows["time_ns"], instrument, price, qty, value, trade_no, side, weighted)


def _count(figures: Figures, trades: Trades) -> None:
    """Count listed trades in the figures of the day (TR-101, TR-102, TR-104)."""
    if not len(trades.at):
        return
    _move_composite(figures.composite, trades.weighted)
    for line in np.unique(trades.instrument).tolist():
        mine, vintage = trades.instrument == line, figures.vintages[line]
        prices = trades.price[mine]
        vintage.totals[LISTED_ROW].add(int(trades.qty[mine].sum()), int(trades.value[mine].sum()))
        if not vintage.deals:
            vintage.open = vintage.high = vintage.low = int(prices[0])
        vintage.high = max(vintage.high, int(prices.max()))
        vintage.low = min(vintage.low, int(prices.min()))
        vintage.last = int(prices[-1])
        vintage.deals.update(zip(trades.trade_no[mine].tolist(), prices.tolist(), strict=True))


def _move_composite(composite: CompositePrice, weighted: np.ndarray) -> None:
    composite.weighted = int(weighted[-1])
    if not composite.open_sum:
        weighted = weighted[np.argmax(weighted != 0) :]
        composite.open_sum = composite.high_sum = composite.low_sum = int(weighted[0])
    composite.high_sum = max(composite.high_sum, int(weighted.max()))
    composite.low_sum = min(composite.low_sum, int(weighted.min()))


def _until_bar_ends(bars: MinuteBars, times: np.ndarray, trades: Trades, begin: int) -> int:
    """Return the first position after ``begin`` whose event ends a bar; their number if none."""
    end_ns = bars.end_ns
    following = int(np.searchsorted(trades.at, begin))
    if following < len(trades.at):
        end_ns = min(end_ns, (int(trades.time_ns[following]) // MINUTE_NS + 1) * MINUTE_NS)
    return int(np.searchsorted(times, end_ns))


def take_in(
    events: np.ndarray, sides: Sequence[BookSide], figures: Figures, charts: Charts, outbox: Outbox
) -> tuple[dict[int, int], int]:
    """Take in plain events of whole commands, in order.

    Returns the time of each instrument's last event, and of the last trade (0: there is none).
    """
    events = _audible(events)
    times, trades = events["time_ns"], _trades_of(events, figures)
    _count(figures, trades)
    _move_books(sides, events)
    at = 0
    while at < len(events):
        if times[at] >= charts.bars.end_ns:
            charts.end(int(times[at]))
        end = _until_bar_ends(charts.bars, times, trades, at)
        mine = trades.between(at, end)
        charts.trades(outbox.number + mine.at - at + np.arange(1, len(mine.at) + 1), mine)
        outbox.number += end - at + len(mine.at)
        at = end
    return _last_touches(events), int(trades.time_ns[-1]) if len(trades.at) else 0
