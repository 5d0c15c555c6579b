"""Writing events: every field of a row is written, since rows are reused memory."""

from __future__ import annotations

from typing import Any

from engine.jit import inlined
from engine.records import Event, Modality
from engine.state import Array, Arrays

_REFUSED = int(Event.REFUSED)
_LISTED = int(Modality.LISTED)


@inlined
def write(a: Arrays, c: Any, events: Array, n: int, index: int, kind: int) -> Any:
    """Fill row ``n`` with the general fields of an event and return it for the particular ones."""
    event = events[n]
    event["seq"] = c["seq"]
    event["time_ns"] = c["time_ns"]
    event["order_no"] = 0
    event["other_order_no"] = 0
    event["trade_no"] = 0
    event["qty_tonnes"] = 0
    event["leaves_qty"] = 0
    event["other_leaves_qty"] = 0
    event["amount_fen"] = 0
    event["fee_fen"] = 0
    event["other_fee_fen"] = 0
    event["index"] = index
    event["account"] = -1
    event["counterparty"] = -1
    event["price_ticks"] = 0
    event["date"] = a.market[0]["date"]
    event["instrument"] = -1
    event["kind"] = kind
    event["reason"] = 0
    event["side"] = 0
    event["modality"] = 0
    event["phase"] = a.market[0]["phase"]
    event["leg"] = 0
    event["from_minute"] = 0
    event["until_minute"] = 0
    event["mode"] = 0
    event["tail"] = 0
    event["spare"] = 0
    return event


@inlined
def refuse(a: Arrays, c: Any, events: Array, n: int, reason: int, ref: int) -> int:
    """Write the refusal of a command, which has changed nothing; return the new count of events."""
    event = write(a, c, events, n, 0, _REFUSED)
    event["order_no"] = ref
    event["account"] = c["account"]
    event["instrument"] = c["instrument"]
    event["side"] = c["side"]
    event["price_ticks"] = c["price_ticks"]
    event["qty_tonnes"] = c["qty_tonnes"]
    event["leg"] = c["leg"]
    event["reason"] = reason
    return n + 1


@inlined
def write_order(
    a: Arrays, c: Any, events: Array, n: int, index: int, kind: int, row: int, amount_fen: int
) -> Any:
    """Write an event about one order: its names, price, open quantity and cash; return the row."""
    order = a.orders[row]
    event = write(a, c, events, n, index, kind)
    event["order_no"] = a.market[0]["order_base"] + row
    event["account"] = order["account"]
    event["instrument"] = order["instrument"]
    event["side"] = order["side"]
    event["price_ticks"] = order["price_ticks"]
    event["qty_tonnes"] = order["leaves_qty"]
    event["amount_fen"] = amount_fen
    event["modality"] = _LISTED
    return event
