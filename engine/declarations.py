"""Orders of the rare ways of trading: bulk offers, their answers, bids, applications.

They live in the same array as listings (so they have numbers, states and a place among the day's
orders) but never in a ladder. Plain Python; the ledger moves through engine/verbs.py.
"""

from __future__ import annotations

from typing import Any

from engine.outcome import Outcome
from engine.reasons import Reason
from engine.records import (
    MODALITIES,
    PRICE_TICKS_MAX,
    QTY_TONNES_MAX,
    AccountStatus,
    Event,
    Modality,
    OrderStatus,
    Phase,
    Side,
)
from engine.state import Array, State
from engine.units import DAY_MINUTES, minute_of_day
from engine.verbs import modality_of, release_order, settle

TRADING = (Phase.MORNING, Phase.AFTERNOON)
DAYTIME = (Phase.PRE_OPEN, Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON)
_OPEN = (OrderStatus.OPEN, OrderStatus.PART_FILLED)
TOTAL_ROW = {modality: row for row, modality in enumerate(MODALITIES)}


def is_account(state: State, account: int) -> bool:
    """Say whether a trading account exists (TR-08)."""
    if not 0 <= account < int(state.market[0]["accounts"]):
        return False
    return bool(state.accounts[account]["status"] == AccountStatus.OPEN)


def is_instrument(state: State, instrument: int) -> bool:
    """Say whether the exchange has admitted an instrument (RG-24)."""
    return 0 <= instrument < int(state.market[0]["instruments"])


def blocked(state: State, account: int, side: int) -> bool:
    """Say whether an account is restricted from a side (TR-113…116)."""
    return side in (Side.BUY, Side.SELL) and bool(int(state.accounts[account]["blocks"]) & side)


def phase_reason(state: State, phases: tuple[Phase, ...], halts: bool = True) -> Reason:
    """Return PHASE_CLOSED or MARKET_HALTED, or NONE if the command is taken now."""
    if int(state.market[0]["phase"]) not in phases:
        return Reason.PHASE_CLOSED
    return Reason.MARKET_HALTED if halts and int(state.market[0]["halted"]) else Reason.NONE


def halt_reason(state: State, instrument: int) -> Reason:
    """Return INSTRUMENT_HALTED, or NONE (TR-117)."""
    return Reason.INSTRUMENT_HALTED if state.instruments[instrument]["halted"] else Reason.NONE


def price_reason(price_ticks: int) -> Reason:
    """Refuse numbers that no way of trading takes as a price (TR-10)."""
    return Reason.NONE if 1 <= price_ticks <= PRICE_TICKS_MAX else Reason.PRICE_INVALID


def qty_reason(qty: int) -> Reason:
    """Refuse numbers that no way of trading takes as a quantity (TR-10)."""
    return Reason.NONE if 1 <= qty <= QTY_TONNES_MAX else Reason.QTY_INVALID


def frozen_for(state: State, row: int) -> tuple[int, int]:
    """Return (fen, tonnes) that an open order has frozen; tonnes of a buyer are those it wants."""
    order = state.orders[row]
    return int(order["frozen_fen"]), int(order["leaves_qty"])


def cancel(state: State, row: int, reason: Reason, outcome: Outcome, **fields: int) -> int:
    """Cancel an open order of a rare modality and say so; return the fen released."""
    qty = int(state.orders[row]["leaves_qty"])
    modality = int(modality_of(int(state.orders[row]["kind"])))
    released = end_order(state, row, OrderStatus.CANCELLED, reason)
    known = {"qty_tonnes": qty, "amount_fen": released, "modality": modality}
    order_event(state, row, Event.CANCELLED, outcome, **{**known, "reason": int(reason), **fields})
    return released


def find_order(state: State, order_no: int, kind: int) -> int:
    """Return the row of an open order of today made by a command of this kind, or 0."""
    base, count = int(state.market[0]["order_base"]), int(state.market[0]["orders"])
    row = order_no - base
    if not 1 <= row < count:
        return 0
    order = state.orders[row]
    return row if int(order["kind"]) == kind and int(order["status"]) in _OPEN else 0


def order_no(state: State, row: int) -> int:
    """Return the number of an order's row."""
    return int(state.market[0]["order_base"]) + row


def too_many_open(state: State, account: int) -> bool:
    """Say whether an account has used up its open orders (reliability 8.1)."""
    limit = int(state.rules[0]["open_orders_max"])
    return limit > 0 and int(state.accounts[account]["open_orders"]) >= limit


def new_order(state: State, c: Array, lock: int, **fields: Any) -> int:
    """Give a declaration the next order number and a row; fields override the command's own."""
    state.ensure_orders(1)
    row = int(state.market[0]["orders"])
    state.market["orders"] = row + 1
    order = state.orders[row]
    for field in ("seq", "time_ns", "price_ticks", "account", "instrument", "kind", "side"):
        order[field] = fields.get(field, c[field])
    qty = fields.get("qty_tonnes", c["qty_tonnes"])
    order["qty_tonnes"] = order["leaves_qty"] = qty
    order["frozen_fen"] = lock
    order["status"] = OrderStatus.OPEN
    return row


def open_order(state: State, row: int) -> None:
    """Count an order among those open."""
    state.accounts["open_orders"][int(state.orders[row]["account"])] += 1
    state.market["open_orders"] += 1


def end_order(state: State, row: int, status: OrderStatus, reason: Reason) -> int:
    """Release what an open order has frozen and give it its final state; return the fen."""
    released = release_order(state, row)
    order = state.orders[row]
    order["leaves_qty"] = order["frozen_fen"] = 0
    order["status"], order["reason"] = status, reason
    state.accounts["open_orders"][int(order["account"])] -= 1
    state.market["open_orders"] -= 1
    return released


def order_event(state: State, row: int, kind: Event, outcome: Outcome, **fields: int) -> None:
    """Write an event about one order; fields override or add."""
    order = state.orders[row]
    known = {
        "order_no": order_no(state, row),
        "account": int(order["account"]),
        "instrument": int(order["instrument"]),
        "side": int(order["side"]),
        "price_ticks": int(order["price_ticks"]),
        "qty_tonnes": int(order["leaves_qty"]),
    }
    outcome.add(kind, **{**known, **fields})


def trade(
    state: State,
    c: Array,
    modality: Modality,
    taker_row: int,
    other_row: int,
    price: int,
    qty: int,
    left: int = 0,
) -> tuple[int, int, int]:
    """Settle a deal between two released orders and write it among the day's trades.

    Returns (trade number, taker's fee, other's fee) in fen; ``left``: what the buyer's order still
    wants afterwards.
    """
    buying = int(state.orders[taker_row]["side"]) == Side.BUY
    buy_row, sell_row = (taker_row, other_row) if buying else (other_row, taker_row)
    buy_fee, sell_fee = settle(state, modality, buy_row, sell_row, price, qty, left)
    state.ensure_trades(1)
    number = int(state.market[0]["trades"])
    state.market["trades"] = number + 1
    record = state.trades[number]
    record["seq"], record["time_ns"] = c["seq"], c["time_ns"]
    record["qty_tonnes"], record["price_ticks"] = qty, price
    record["buy_order_no"], record["sell_order_no"] = (
        order_no(state, buy_row),
        order_no(state, sell_row),
    )
    record["buy_fee_fen"], record["sell_fee_fen"] = buy_fee, sell_fee
    record["buyer"] = state.orders[buy_row]["account"]
    record["seller"] = state.orders[sell_row]["account"]
    record["instrument"] = state.orders[taker_row]["instrument"]
    record["modality"], record["void"] = modality, 0
    record["taker_side"] = state.orders[taker_row]["side"]
    total = state.totals[int(record["instrument"]), TOTAL_ROW[modality]]
    total["day_qty_tonnes"] += qty
    total["day_turnover_fen"] += price * qty
    fees = (buy_fee, sell_fee) if buying else (sell_fee, buy_fee)
    return int(state.market[0]["trade_base"]) + number + 1, *fees


def window_reason(c: Array) -> Reason:
    """Return WINDOW_INVALID unless the window lies in the day and ends later than now (TR-81)."""
    begins, ends = int(c["from_minute"]), int(c["until_minute"])
    known = 0 <= begins < ends <= DAY_MINUTES and minute_of_day(int(c["time_ns"])) < ends
    return Reason.NONE if known else Reason.WINDOW_INVALID
