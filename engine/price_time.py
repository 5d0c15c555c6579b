"""Continuous price-time priority: a second mode of the same book, for research and comparison.

Same accounts, checks, freezes and events as the listed market; only who meets whom differs: an
incoming order trades at once with the best opposite levels, oldest order first.
"""

from __future__ import annotations

from typing import Any

from engine.jit import inlined
from engine.ladder import next_occupied, rank_of, words_at
from engine.ledger import freeze, lock_fen, release, shortfall, shortfall_beyond
from engine.listed import too_many_open
from engine.orders import (
    blocked,
    book_of,
    deal,
    end_order,
    enter_book,
    entry_reason,
    find_open,
    in_session,
    is_account,
    leave_book,
    new_order,
    qty_reason,
)
from engine.reasons import Reason
from engine.records import (
    PRICE_TICKS_MAX,
    QTY_TONNES_MAX,
    Event,
    Modality,
    Mode,
    OrderStatus,
    Phase,
    Side,
)
from engine.reports import refuse, write_order
from engine.state import Array, Arrays

_PRICE_TIME = int(Mode.PRICE_TIME)
_BUY = int(Side.BUY)
_UNKNOWN_ACCOUNT = int(Reason.UNKNOWN_ACCOUNT)
_WRONG_MODE = int(Reason.WRONG_MODE)
_PHASE_CLOSED = int(Reason.PHASE_CLOSED)
_PRICE_INVALID = int(Reason.PRICE_INVALID)
_OUT_OF_BAND = int(Reason.PRICE_OUT_OF_BAND)
_QTY_INVALID = int(Reason.QTY_INVALID)
_QTY_ABOVE_MAX = int(Reason.QTY_ABOVE_MAX)
_QTY_BELOW_FILLED = int(Reason.QTY_BELOW_FILLED)
_UNKNOWN_ORDER = int(Reason.UNKNOWN_ORDER)
_SELF_TRADE = int(Reason.SELF_TRADE)
_TOO_MANY = int(Reason.TOO_MANY_OPEN_ORDERS)
_MODALITY = int(Modality.LISTED)
_RESTRICTED = int(Reason.ACCOUNT_RESTRICTED)
_MARKET_HALTED = int(Reason.MARKET_HALTED)
_INSTRUMENT_HALTED = int(Reason.INSTRUMENT_HALTED)
_BY_OWNER = int(Reason.BY_OWNER)
_ACCEPTED = int(Event.ACCEPTED)
_CANCELLED = int(Event.CANCELLED)
_PULLED = int(Event.PULLED)
_AMENDED = int(Event.AMENDED)
_STATUS_CANCELLED = int(OrderStatus.CANCELLED)
_LUNCH = int(Phase.LUNCH)


@inlined
def matchable(a: Arrays, instrument: int, side: int, price_ticks: int, qty: int) -> int:
    """Return an upper bound of the trades of an incoming order; 0 if it does not cross.

    Each trade moves a tonne at least, so a deep level is not counted beyond what is wanted.
    """
    book = book_of(instrument, 3 - side)
    rank = a.books[book]["best_rank"]
    limit = rank_of(a, instrument, 3 - side, price_ticks)
    count = 0
    while rank <= limit and rank < a.width and qty > 0:
        level = a.levels[book * a.width + rank]
        count += min(level["orders"], qty)
        qty -= level["qty_tonnes"]
        rank = next_occupied(a.words, words_at(a.width, book), a.width, rank + 1)
    return count


@inlined
def lacks_room(a: Arrays, events: Array, n: int, trades: int) -> bool:
    """Say whether events or trades could run out of room during a match."""
    return n + trades + 3 > len(events) or a.market[0]["trades"] + trades > len(a.trades)


@inlined
def match(a: Arrays, c: Any, events: Array, n: int, first: int, row: int) -> int:
    """Trade an incoming order while prices cross; stop before an own order (TR-50)."""
    order = a.orders[row]
    instrument, side = order["instrument"], order["side"]
    book = book_of(instrument, 3 - side)
    limit = rank_of(a, instrument, 3 - side, order["price_ticks"])
    while order["leaves_qty"] > 0:
        rank = a.books[book]["best_rank"]
        if rank > limit or rank == a.width:
            return n
        resting = a.levels[book * a.width + rank]["head"]
        if a.orders[resting]["account"] == order["account"]:
            event = write_order(a, c, events, n, n - first, _CANCELLED, row, 0)
            event["reason"] = _SELF_TRADE
            end_order(a, row, _STATUS_CANCELLED, _SELF_TRADE)
            return n + 1
        qty = min(a.orders[resting]["leaves_qty"], order["leaves_qty"])
        n = deal(a, c, events, n, n - first, row, resting, qty)
    return n


@inlined
def rest(a: Arrays, events: Array, announced: int, row: int) -> None:
    """Let what is left of an incoming order rest, and say so in the event that announced it."""
    if a.orders[row]["leaves_qty"] > 0:
        frozen = freeze(a, _MODALITY, row)
        enter_book(a, row)
        events[announced]["leaves_qty"] = a.orders[row]["leaves_qty"]
        events[announced]["amount_fen"] = frozen
    else:
        a.orders[row]["frozen_fen"] = 0


@inlined
def add(a: Arrays, c: Any, events: Array, n: int) -> int:
    """ADD: match at once what crosses, let the rest queue."""
    reason = entry_reason(a, c, _PRICE_TIME)
    account, instrument, side = c["account"], c["instrument"], c["side"]
    price, qty = c["price_ticks"], c["qty_tonnes"]
    trades = 0
    if reason == 0:
        if too_many_open(a, account):
            reason = _TOO_MANY
        else:
            reason = shortfall(a, _MODALITY, account, instrument, side, price, qty)
    if reason != 0:
        return refuse(a, c, events, n, reason, 0)
    trades = matchable(a, instrument, side, price, qty)
    if trades > 0 and lacks_room(a, events, n, trades):
        return -1
    lock = lock_fen(a, _MODALITY, price, qty) if side == _BUY else 0
    row = new_order(a, c, instrument, side, price, lock)
    write_order(a, c, events, n, 0, _ACCEPTED, row, 0)
    first = n
    n += 1
    if trades > 0:
        n = match(a, c, events, n, first, row)
    rest(a, events, first, row)
    return n


@inlined
def amend_shortfall(a: Arrays, row: int, price_ticks: int, left: int) -> int:
    """Return why an account cannot cover an amended order, or 0."""
    order = a.orders[row]
    account, instrument, side = order["account"], order["instrument"], order["side"]
    own = (order["frozen_fen"], order["leaves_qty"])
    terms = (price_ticks, left)
    return shortfall_beyond(a, _MODALITY, account, instrument, side, terms, own)


@inlined
def amend_reason(a: Arrays, c: Any, row: int) -> int:
    """Return the first reason against an amendment of the order in ``row`` (0 = none), or 0."""
    if not is_account(a, c["account"]):
        return _UNKNOWN_ACCOUNT
    if not in_session(a):
        return _PHASE_CLOSED
    if a.market[0]["halted"] != 0:
        return _MARKET_HALTED
    price, qty = c["price_ticks"], c["qty_tonnes"]
    if price < 1 or price > PRICE_TICKS_MAX:
        return _PRICE_INVALID
    if qty < 1 or qty > QTY_TONNES_MAX:
        return _QTY_INVALID
    if row == 0 or a.orders[row]["account"] != c["account"]:
        return _UNKNOWN_ORDER
    order = a.orders[row]
    instrument = a.instruments[order["instrument"]]
    if instrument["halted"] != 0:
        return _INSTRUMENT_HALTED
    if instrument["mode"] != _PRICE_TIME:
        return _WRONG_MODE
    if price < instrument["lower_limit_ticks"] or price > instrument["upper_limit_ticks"]:
        return _OUT_OF_BAND
    reason = qty_reason(a, qty, 0)
    if reason != 0:
        return reason
    left = qty - (order["qty_tonnes"] - order["leaves_qty"])
    if left < 1:
        return _QTY_BELOW_FILLED
    if blocked(a, c["account"], order["side"]):
        return _RESTRICTED
    return amend_shortfall(a, row, price, left)


@inlined
def reduce_in_place(a: Arrays, row: int, qty: int) -> None:
    """Lower an order's quantity without losing its place; what it no longer needs is released."""
    order = a.orders[row]
    instrument, side = order["instrument"], order["side"]
    release(a, row)
    less = order["qty_tonnes"] - qty
    order["qty_tonnes"] = qty
    order["leaves_qty"] -= less
    rank = rank_of(a, instrument, side, order["price_ticks"])
    a.levels[book_of(instrument, side) * a.width + rank]["qty_tonnes"] -= less
    if side == _BUY:
        order["frozen_fen"] = lock_fen(a, _MODALITY, order["price_ticks"], order["leaves_qty"])
    freeze(a, _MODALITY, row)


@inlined
def amend(a: Arrays, c: Any, events: Array, n: int) -> int:
    """AMEND: same price and no larger keeps its place; anything else comes back as new."""
    row = find_open(a, c["ref"])
    reason = amend_reason(a, c, row)
    if reason != 0:
        return refuse(a, c, events, n, reason, c["ref"])
    order = a.orders[row]
    price, qty = c["price_ticks"], c["qty_tonnes"]
    stays = price == order["price_ticks"] and qty <= order["qty_tonnes"]
    left = qty - (order["qty_tonnes"] - order["leaves_qty"])
    trades = 0
    if not stays:
        trades = matchable(a, order["instrument"], order["side"], price, left)
        if lacks_room(a, events, n, trades):
            return -1
    first = n
    write_order(a, c, events, n, 0, _PULLED, row, order["frozen_fen"])
    if stays:
        reduce_in_place(a, row, qty)
    else:
        release(a, row)
        leave_book(a, row)
        order["price_ticks"] = price
        order["qty_tonnes"] = qty
        order["leaves_qty"] = left
        order["seq"] = c["seq"]
        if order["side"] == _BUY:
            order["frozen_fen"] = lock_fen(a, _MODALITY, price, left)
    event = write_order(a, c, events, n + 1, 1, _AMENDED, row, order["frozen_fen"])
    event["qty_tonnes"] = qty
    event["leaves_qty"] = left
    n += 2
    if not stays:
        events[first + 1]["leaves_qty"] = 0
        events[first + 1]["amount_fen"] = 0
        n = match(a, c, events, n, first, row)
        rest(a, events, first + 1, row)
    return n


@inlined
def cancel(a: Arrays, c: Any, events: Array, n: int) -> int:
    """CANCEL, in either mode: the rest of an order leaves and its lock with it (TR-43)."""
    row = find_open(a, c["ref"])
    phase = a.market[0]["phase"]
    reason = 0
    if not is_account(a, c["account"]):
        reason = _UNKNOWN_ACCOUNT
    elif not in_session(a) and phase != _LUNCH:
        reason = _PHASE_CLOSED
    elif row == 0 or a.orders[row]["account"] != c["account"]:
        reason = _UNKNOWN_ORDER
    if reason != 0:
        return refuse(a, c, events, n, reason, c["ref"])
    released = release(a, row)
    leave_book(a, row)
    event = write_order(a, c, events, n, 0, _CANCELLED, row, released)
    event["reason"] = _BY_OWNER
    end_order(a, row, _STATUS_CANCELLED, _BY_OWNER)
    return n + 1
