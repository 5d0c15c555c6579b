"""What every order goes through: common refusals, a row of its own, resting, leaving, dealing."""

from __future__ import annotations

from typing import Any

from engine.jit import inlined
from engine.ladder import link, rank_of, unlink
from engine.ledger import (
    buyer_fee,
    collect_fees,
    deal_fee,
    move_goods,
    pay,
    receive,
    release,
)
from engine.reasons import Reason
from engine.records import (
    PRICE_TICKS_MAX,
    QTY_TONNES_MAX,
    AccountStatus,
    Event,
    Kind,
    Modality,
    OrderStatus,
    Phase,
    Side,
)
from engine.reports import write
from engine.state import Array, Arrays
from engine.units import value_kernel

_UNKNOWN_ACCOUNT = int(Reason.UNKNOWN_ACCOUNT)
_UNKNOWN_INSTRUMENT = int(Reason.UNKNOWN_INSTRUMENT)
_WRONG_MODE = int(Reason.WRONG_MODE)
_RESTRICTED = int(Reason.ACCOUNT_RESTRICTED)
_MARKET_HALTED = int(Reason.MARKET_HALTED)
_INSTRUMENT_HALTED = int(Reason.INSTRUMENT_HALTED)
_ADD = int(Kind.ADD)
_LIST = int(Kind.LIST)
_PHASE_CLOSED = int(Reason.PHASE_CLOSED)
_SIDE_INVALID = int(Reason.SIDE_INVALID)
_PRICE_INVALID = int(Reason.PRICE_INVALID)
_OUT_OF_BAND = int(Reason.PRICE_OUT_OF_BAND)
_QTY_INVALID = int(Reason.QTY_INVALID)
_QTY_ABOVE_MAX = int(Reason.QTY_ABOVE_MAX)
_MORNING = int(Phase.MORNING)
_AFTERNOON = int(Phase.AFTERNOON)
_ACCOUNT_OPEN = int(AccountStatus.OPEN)
_BUY = int(Side.BUY)
_SELL = int(Side.SELL)
_OPEN = int(OrderStatus.OPEN)
_PART_FILLED = int(OrderStatus.PART_FILLED)
_FILLED = int(OrderStatus.FILLED)
_TRADED = int(Event.TRADED)
_LISTED = int(Modality.LISTED)


@inlined
def is_account(a: Arrays, account: int) -> bool:
    """Say whether a trading account exists and may act (TR-08)."""
    if account < 0 or account >= a.market[0]["accounts"]:
        return False
    return a.accounts[account]["status"] == _ACCOUNT_OPEN


@inlined
def blocked(a: Arrays, account: int, side: int) -> bool:
    """Say whether an account is restricted from a side; sides are bits of Block (TR-113…116)."""
    if side not in (_BUY, _SELL):
        return False
    return (a.accounts[account]["blocks"] & side) != 0


@inlined
def in_session(a: Arrays) -> bool:
    """Say whether declarations are taken now (TR-30, TR-33, TR-34)."""
    phase = a.market[0]["phase"]
    return phase in (_MORNING, _AFTERNOON)


@inlined
def qty_reason(a: Arrays, qty: int, total: int) -> int:
    """Return why a listed quantity is refused, or 0 (TR-10, TR-11, TR-66)."""
    if qty < 1 or qty > QTY_TONNES_MAX:
        return _QTY_INVALID
    if max(qty, total) > a.rules[0]["listed_qty_max"]:
        return _QTY_ABOVE_MAX
    return 0


@inlined
def entry_reason(a: Arrays, c: Any, mode: int) -> int:
    """Return the first of the common reasons (ranks 1-9) against a declaration, or 0."""
    if not is_account(a, c["account"]):
        return _UNKNOWN_ACCOUNT
    if blocked(a, c["account"], c["side"]):
        return _RESTRICTED
    instrument = c["instrument"]
    if instrument < 0 or instrument >= a.market[0]["instruments"]:
        return _UNKNOWN_INSTRUMENT
    row = a.instruments[instrument]
    if row["mode"] != mode:
        return _WRONG_MODE
    if not in_session(a):
        return _PHASE_CLOSED
    if a.market[0]["halted"] != 0:
        return _MARKET_HALTED
    if row["halted"] != 0:
        return _INSTRUMENT_HALTED
    if c["side"] != _BUY and c["side"] != _SELL:
        return _SIDE_INVALID
    price = c["price_ticks"]
    if price < 1 or price > PRICE_TICKS_MAX:
        return _PRICE_INVALID
    if price < row["lower_limit_ticks"] or price > row["upper_limit_ticks"]:
        return _OUT_OF_BAND
    return qty_reason(a, c["qty_tonnes"], 0)


@inlined
def find_open(a: Arrays, order_no: int) -> int:
    """Return the row of an open order of today that stands in a ladder, or 0."""
    market = a.market[0]
    base = market["order_base"]
    if order_no <= base or order_no >= base + market["orders"]:
        return 0
    row = order_no - base
    status, kind = a.orders[row]["status"], a.orders[row]["kind"]
    if status in (_OPEN, _PART_FILLED) and kind in (_ADD, _LIST):
        return row
    return 0


@inlined
def book_of(instrument: int, side: int) -> int:
    """Return the row of a side's book; int() because the records' fields are narrow."""
    return int(instrument) * 2 + int(side) - 1


@inlined
def new_order(a: Arrays, c: Any, instrument: int, side: int, price_ticks: int, lock: int) -> int:
    """Give an accepted declaration the next order number and a row; return the row.

    ``lock`` (fen, buyers only) is what it may cost at most; see :func:`engine.ledger.freeze`.
    """
    row = a.market[0]["orders"]
    a.market[0]["orders"] = row + 1
    order = a.orders[row]
    order["qty_tonnes"] = c["qty_tonnes"]
    order["leaves_qty"] = c["qty_tonnes"]
    order["frozen_fen"] = lock
    order["seq"] = c["seq"]
    order["time_ns"] = c["time_ns"]
    order["price_ticks"] = price_ticks
    order["account"] = c["account"]
    order["instrument"] = instrument
    order["kind"] = c["kind"]
    order["side"] = side
    order["status"] = _OPEN
    return row


@inlined
def enter_book(a: Arrays, row: int) -> None:
    """Put an order with something left into its level."""
    order = a.orders[row]
    instrument, side = order["instrument"], order["side"]
    rank = rank_of(a, instrument, side, order["price_ticks"])
    link(a, book_of(instrument, side), rank, row)
    a.accounts[order["account"]]["open_orders"] += 1
    a.market[0]["open_orders"] += 1


@inlined
def leave_book(a: Arrays, row: int) -> None:
    """Take an order out of its level."""
    order = a.orders[row]
    instrument, side = order["instrument"], order["side"]
    rank = rank_of(a, instrument, side, order["price_ticks"])
    unlink(a, book_of(instrument, side), rank, row)
    a.accounts[order["account"]]["open_orders"] -= 1
    a.market[0]["open_orders"] -= 1


@inlined
def end_order(a: Arrays, row: int, status: int, reason: int) -> None:
    """Give an order its final state; nothing of it is left open."""
    order = a.orders[row]
    order["leaves_qty"] = 0
    order["frozen_fen"] = 0
    order["status"] = status
    order["reason"] = reason


@inlined
def fill(a: Arrays, row: int, qty: int) -> int:
    """Lower an order's open quantity; return what is left."""
    order = a.orders[row]
    left = order["leaves_qty"] - qty
    order["leaves_qty"] = left
    order["status"] = _FILLED if left == 0 else _PART_FILLED
    return left


@inlined
def print_composite(a: Arrays, figures: Any, price_ticks: int) -> None:
    """Recompute the composite price as a sum of weight x current price (TR-105).

    Kept as a numerator: the weights are fixed for the day, so extremes of the sum are extremes of
    the price, and nothing is divided (or rounded) before it is published.
    """
    market = a.market[0]
    if market["composite_weights"] == 0:
        return
    before = figures["last_ticks"] if figures["open_ticks"] != 0 else figures["reference_ticks"]
    latest = market["composite_sum"] + figures["weight"] * (price_ticks - before)
    market["composite_sum"] = latest
    if market["composite_open_sum"] == 0:
        market["composite_open_sum"] = latest
        market["composite_low_sum"] = latest
    market["composite_high_sum"] = max(market["composite_high_sum"], latest)
    market["composite_low_sum"] = min(market["composite_low_sum"], latest)


@inlined
def print_trade(a: Arrays, instrument: int, price_ticks: int, qty: int, value: int) -> None:
    """Carry a deal into the day's figures (TR-100…102)."""
    figures = a.instruments[instrument]
    print_composite(a, figures, price_ticks)
    if figures["open_ticks"] == 0:
        figures["open_ticks"] = price_ticks
        figures["low_ticks"] = price_ticks
    figures["high_ticks"] = max(figures["high_ticks"], price_ticks)
    figures["low_ticks"] = min(figures["low_ticks"], price_ticks)
    figures["last_ticks"] = price_ticks
    total = a.totals[int(instrument) * 3]
    total["day_qty_tonnes"] += qty
    total["day_turnover_fen"] += value


@inlined
def record_trade(
    a: Arrays, c: Any, row: int, resting: int, qty: int, buy_fee: int, sell_fee: int
) -> int:
    """Write the deal into the day's trades; return its number (TR-46)."""
    taker, maker = a.orders[row], a.orders[resting]
    market = a.market[0]
    trade = a.trades[market["trades"]]
    market["trades"] += 1
    base = market["order_base"]
    buying = taker["side"] == _BUY
    trade["seq"] = c["seq"]
    trade["time_ns"] = c["time_ns"]
    trade["qty_tonnes"] = qty
    trade["buy_order_no"] = base + (row if buying else resting)
    trade["sell_order_no"] = base + (resting if buying else row)
    trade["buy_fee_fen"] = buy_fee
    trade["sell_fee_fen"] = sell_fee
    trade["price_ticks"] = maker["price_ticks"]
    trade["buyer"] = taker["account"] if buying else maker["account"]
    trade["seller"] = maker["account"] if buying else taker["account"]
    trade["instrument"] = maker["instrument"]
    trade["modality"] = _LISTED
    trade["taker_side"] = taker["side"]
    trade["void"] = 0
    return market["trade_base"] + market["trades"]


@inlined
def deal(
    a: Arrays, c: Any, events: Array, n: int, index: int, row: int, resting: int, qty: int
) -> int:
    """Let an incoming order trade with a resting one at the resting price; return events so far.

    Both orders change here and only here: quantities, level, ledger, figures, trade, event.
    """
    taker, maker = a.orders[row], a.orders[resting]
    instrument, price = maker["instrument"], maker["price_ticks"]
    value = value_kernel(price, qty)
    taker_left, maker_left = fill(a, row, qty), fill(a, resting, qty)
    buying = taker["side"] == _BUY
    buy_row = row if buying else resting
    seller = maker["account"] if buying else taker["account"]
    buy_fee = buyer_fee(a, _LISTED, buy_row, value, taker_left if buying else maker_left)
    sell_fee = min(deal_fee(a, _LISTED, value), value)
    move_goods(a, instrument, a.orders[buy_row]["account"], seller, qty, buying)
    pay(a, buy_row, value + buy_fee, qty, not buying)
    receive(a, seller, value - sell_fee)
    collect_fees(a, _LISTED, value, buy_fee, sell_fee)
    a.levels[
        book_of(instrument, maker["side"]) * a.width + rank_of(a, instrument, maker["side"], price)
    ]["qty_tonnes"] -= qty
    if maker_left == 0:
        release(a, resting)
        leave_book(a, resting)
    print_trade(a, instrument, price, qty, value)
    trade_no = record_trade(a, c, row, resting, qty, buy_fee, sell_fee)
    event = write(a, c, events, n, index, _TRADED)
    event["order_no"] = a.market[0]["order_base"] + row
    event["other_order_no"] = a.market[0]["order_base"] + resting
    event["trade_no"] = trade_no
    event["qty_tonnes"] = qty
    event["leaves_qty"] = taker_left
    event["other_leaves_qty"] = maker_left
    event["amount_fen"] = value
    event["fee_fen"] = buy_fee if buying else sell_fee
    event["other_fee_fen"] = sell_fee if buying else buy_fee
    event["account"] = taker["account"]
    event["counterparty"] = maker["account"]
    event["price_ticks"] = price
    event["instrument"] = instrument
    event["side"] = taker["side"]
    event["modality"] = _LISTED
    return n + 1
