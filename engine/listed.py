"""Listed agreement (TR-60…69): click-and-deal, no automatic match, no time priority.

Each handler first walks its ladder of refusals in the fixed order of docs/reference/engine.md,
then passes the point of no return, then writes. A handler returns the new count of events, or -1,
before any write, when the events or trades could lack room.
"""

from __future__ import annotations

from typing import Any

from engine.jit import inlined
from engine.ladder import next_occupied, rank_of, words_at
from engine.ledger import freeze, lock_fen, shortfall
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
    new_order,
    qty_reason,
)
from engine.reasons import Reason
from engine.records import Event, Modality, Mode, OrderStatus, Side
from engine.reports import refuse, write_order
from engine.state import Array, Arrays

_LISTED = int(Mode.LISTED)
_MODALITY = int(Modality.LISTED)
_RESTRICTED = int(Reason.ACCOUNT_RESTRICTED)
_MARKET_HALTED = int(Reason.MARKET_HALTED)
_INSTRUMENT_HALTED = int(Reason.INSTRUMENT_HALTED)
_BUY = int(Side.BUY)
_UNKNOWN_ACCOUNT = int(Reason.UNKNOWN_ACCOUNT)
_WRONG_MODE = int(Reason.WRONG_MODE)
_PHASE_CLOSED = int(Reason.PHASE_CLOSED)
_UNKNOWN_ORDER = int(Reason.UNKNOWN_ORDER)
_SELF_TRADE = int(Reason.SELF_TRADE)
_OUTSIDE = int(Reason.OUTSIDE_FIVE_LEVELS)
_BETTER = int(Reason.BETTER_PRICE_AVAILABLE)
_ABOVE_LEAVES = int(Reason.QTY_ABOVE_LEAVES)
_WOULD_CROSS = int(Reason.WOULD_CROSS)
_NOTHING = int(Reason.NOTHING_TO_TAKE)
_TOO_MANY = int(Reason.TOO_MANY_OPEN_ORDERS)
_REMAINDER = int(Reason.TAKE_REMAINDER)
_ACCEPTED = int(Event.ACCEPTED)
_CANCELLED = int(Event.CANCELLED)
_STATUS_CANCELLED = int(OrderStatus.CANCELLED)


@inlined
def crosses(a: Arrays, instrument: int, side: int, price_ticks: int) -> bool:
    """Say whether a declaration would meet the best opposite price (TR-67)."""
    book = book_of(instrument, 3 - side)
    best = a.books[book]["best_rank"]
    if best == a.width:
        return False
    return best <= rank_of(a, instrument, 3 - side, price_ticks)


@inlined
def too_many_open(a: Arrays, account: int) -> bool:
    """Say whether an account has used up its open orders (reliability 8.1)."""
    limit = a.rules[0]["open_orders_max"]
    return limit > 0 and a.accounts[account]["open_orders"] >= limit


@inlined
def listing_reason(a: Arrays, c: Any) -> int:
    """Return the first reason against a listing, or 0."""
    reason = entry_reason(a, c, _LISTED)
    if reason != 0:
        return reason
    instrument, side, price = c["instrument"], c["side"], c["price_ticks"]
    if a.rules[0]["allow_crossed_listings"] == 0 and crosses(a, instrument, side, price):
        return _WOULD_CROSS
    if too_many_open(a, c["account"]):
        return _TOO_MANY
    return shortfall(a, _MODALITY, c["account"], instrument, side, price, c["qty_tonnes"])


@inlined
def list_order(a: Arrays, c: Any, events: Array, n: int) -> int:
    """LIST: rest a listing (TR-60), with its funds or goods frozen (TR-42)."""
    reason = listing_reason(a, c)
    if reason != 0:
        return refuse(a, c, events, n, reason, 0)
    price = c["price_ticks"]
    lock = lock_fen(a, _MODALITY, price, c["qty_tonnes"]) if c["side"] == _BUY else 0
    row = new_order(a, c, c["instrument"], c["side"], price, lock)
    frozen = freeze(a, _MODALITY, row)
    enter_book(a, row)
    event = write_order(a, c, events, n, 0, _ACCEPTED, row, frozen)
    event["leaves_qty"] = c["qty_tonnes"]
    return n + 1


@inlined
def priority_reason(a: Arrays, account: int, instrument: int, side: int, rank: int) -> int:
    """Return why a level may not be taken yet, or 0 (TR-61, TR-65).

    The level must be among the best five, and on every better one only the taker's own listings,
    which it cannot take (TR-50), may stand.
    """
    book = book_of(instrument, side)
    base = words_at(a.width, book)
    better = a.books[book]["best_rank"]
    passed = 0
    foreign = False
    if a.rules[0]["take_levels_max"] == 0:  # an exchange that was never given its rules
        return _OUTSIDE
    while better < rank:
        passed += 1
        if passed >= a.rules[0]["take_levels_max"]:
            return _OUTSIDE
        if not foreign and foreign_head(a, book, better, account) != 0:
            foreign = True
        better = next_occupied(a.words, base, a.width, better + 1)
    return _BETTER if foreign else 0


@inlined
def foreign_head(a: Arrays, book: int, rank: int, account: int) -> int:
    """Return the oldest listing of a level that is not the account's own, or 0."""
    row = a.levels[book * a.width + rank]["head"]
    while row != 0 and a.orders[row]["account"] == account:
        row = a.orders[row]["next"]
    return row


@inlined
def take_reason(a: Arrays, c: Any, row: int) -> int:
    """Return the first reason against a take of the listing in ``row`` (0 = none), or 0."""
    account = c["account"]
    if not is_account(a, account):
        return _UNKNOWN_ACCOUNT
    if not in_session(a):
        return _PHASE_CLOSED
    if a.market[0]["halted"] != 0:
        return _MARKET_HALTED
    reason = qty_reason(a, c["qty_tonnes"], c["total_qty_tonnes"])
    if reason != 0:
        return reason
    if row == 0:
        return _UNKNOWN_ORDER
    listing = a.orders[row]
    instrument, side, price = listing["instrument"], listing["side"], listing["price_ticks"]
    if a.instruments[instrument]["halted"] != 0:
        return _INSTRUMENT_HALTED
    if a.instruments[instrument]["mode"] != _LISTED:
        return _WRONG_MODE
    if listing["account"] == account:
        return _SELF_TRADE
    reason = priority_reason(a, account, instrument, side, rank_of(a, instrument, side, price))
    if reason != 0:
        return reason
    if c["qty_tonnes"] > listing["leaves_qty"]:
        return _ABOVE_LEAVES
    if blocked(a, account, 3 - side):
        return _RESTRICTED
    return shortfall(a, _MODALITY, account, instrument, 3 - side, price, c["qty_tonnes"])


@inlined
def take(a: Arrays, c: Any, events: Array, n: int) -> int:
    """TAKE: deal with one listing at its price for the declared quantity (TR-61…66)."""
    if a.market[0]["trades"] >= len(a.trades):
        return -1
    resting = find_open(a, c["ref"])
    reason = take_reason(a, c, resting)
    if reason != 0:
        return refuse(a, c, events, n, reason, c["ref"])
    listing = a.orders[resting]
    side, price = 3 - listing["side"], listing["price_ticks"]
    lock = lock_fen(a, _MODALITY, price, c["qty_tonnes"]) if side == _BUY else 0
    row = new_order(a, c, listing["instrument"], side, price, lock)
    event = write_order(a, c, events, n, 0, _ACCEPTED, row, 0)
    event["leg"] = c["leg"]
    n = deal(a, c, events, n + 1, 1, row, resting, c["qty_tonnes"])
    events[n - 1]["leg"] = c["leg"]
    a.orders[row]["frozen_fen"] = 0
    return n


@inlined
def takeable(a: Arrays, c: Any) -> int:
    """Return how many listings a take-best can touch at most: an upper bound of its trades."""
    side = 3 - c["side"]
    book = book_of(c["instrument"], side)
    limit = rank_of(a, c["instrument"], side, c["price_ticks"])
    rank = a.books[book]["best_rank"]
    levels = 0
    count = 0
    while rank <= limit and rank < a.width and levels < a.rules[0]["take_levels_max"]:
        if foreign_head(a, book, rank, c["account"]) != 0:
            count += min(a.levels[book * a.width + rank]["orders"], c["qty_tonnes"])
        levels += 1
        rank = next_occupied(a.words, words_at(a.width, book), a.width, rank + 1)
    return count


@inlined
def sweep_level(a: Arrays, c: Any, events: Array, n: int, first: int, row: int, level: int) -> int:
    """Take from one level, oldest first, own listings skipped; return events so far."""
    resting = a.levels[level]["head"]
    while resting != 0 and a.orders[row]["leaves_qty"] > 0:
        following = a.orders[resting]["next"]
        if a.orders[resting]["account"] != c["account"]:
            qty = min(a.orders[resting]["leaves_qty"], a.orders[row]["leaves_qty"])
            n = deal(a, c, events, n, n - first, row, resting, qty)
        resting = following
    return n


@inlined
def take_best(a: Arrays, c: Any, events: Array, n: int) -> int:
    """TAKE_BEST: the venue picks best level first, oldest first, within five levels and a limit."""
    reason = entry_reason(a, c, _LISTED)
    instrument, side, price = c["instrument"], c["side"], c["price_ticks"]
    if reason == 0:
        count = takeable(a, c)
        if count == 0:
            reason = _NOTHING
        elif n + count + 2 > len(events) or a.market[0]["trades"] + count > len(a.trades):
            return -1
        else:
            reason = shortfall(a, _MODALITY, c["account"], instrument, side, price, c["qty_tonnes"])
    if reason != 0:
        return refuse(a, c, events, n, reason, 0)
    lock = lock_fen(a, _MODALITY, price, c["qty_tonnes"]) if side == _BUY else 0
    row = new_order(a, c, instrument, side, price, lock)
    write_order(a, c, events, n, 0, _ACCEPTED, row, 0)
    first = n
    n += 1
    book = book_of(instrument, 3 - side)
    limit = rank_of(a, instrument, 3 - side, price)
    rank = a.books[book]["best_rank"]
    levels = 0
    while (
        rank <= limit
        and rank < a.width
        and levels < a.rules[0]["take_levels_max"]
        and a.orders[row]["leaves_qty"] > 0
    ):
        n = sweep_level(a, c, events, n, first, row, book * a.width + rank)
        levels += 1
        rank = next_occupied(a.words, words_at(a.width, book), a.width, rank + 1)
    if a.orders[row]["leaves_qty"] > 0:
        event = write_order(a, c, events, n, n - first, _CANCELLED, row, 0)
        event["reason"] = _REMAINDER
        n += 1
        end_order(a, row, _STATUS_CANCELLED, _REMAINDER)
    a.orders[row]["frozen_fen"] = 0
    return n
