"""One example of every message for its description, made from the fields of its Struct.

A field has the value that its name has in ``VALUES``, or one that its type allows; what a request
may leave out is left out unless ``CHOSEN`` wants it. Tests decode every example as its Struct.
"""

from __future__ import annotations

import types
import typing
from typing import Any

import msgspec

from gateway import market_messages as md
from gateway import messages as m
from gateway import office_messages as office
from gateway import trader_messages as trader
from marketdata import messages as feed

NONCE = "9f86d081884c7d659a2feaa0c55ad015"
SIGNED = "811b51d7462028d41698484be12bb72ea9c5f2518aaff79c3a42840a62a95b96"
NOW_US = 1767577500000000
VALUES: dict[str, Any] = {
    "client_order_id": "a-1",
    "request_id": "a-1",
    "key_id": "trader1",
    "signature": SIGNED,
    "nonce": NONCE,
    "salt": NONCE,
    "time_us": NOW_US,
    "start_us": NOW_US,
    "epoch": NOW_US,
    "date": 20260105,
    "phase": "morning",
    "instrument": "CEA25",
    "instruments": ["CEA25"],
    "channels": ["depth", "trade"],
    "side": "sell",
    "price_ticks": 9805,
    "qty_tonnes": 100,
    "leaves_qty": 100,
    "login_within_ms": 3000,
    "timeout_ms": 30_000,
    "opens": "10:00",
    "closes": "10:30",
    "pricing": "uniform",
    "kind": "list",
    "modality": "listed",
    "interval": "1m",
    "roles": ["trader"],
    "blocks": ["buy", "sell"],
    "stage": 1,
    "direction": "in",
    "amount_fen": 980_500,
    "action": "void_trade",
    "maker": 1_000_001,
    "person": 7,
    "parameter": "open_orders_max",
    "outcome": "accepted",
    "status": "pending",
    "code": "by_owner",
    "reason": "Cancelled by its owner.",
    "channel": "depth",
    "merged": 0,
    "ref": 7,
    "seq": 29,
    "prev": 28,
    "trades": 1,
}
BY_UNIT = {"_ticks": 9805, "_tonnes": 100, "_fen": 980_500, "_us": NOW_US}
PRICE = {"price": "98.05"}
CHOSEN: dict[type[msgspec.Struct], dict[str, Any]] = {
    m.List: PRICE,
    m.Take: {"order_no": 1, "qty_tonnes": 100},
    m.TakeBest: {"side": "buy"} | PRICE,
    m.Add: PRICE,
    m.Amend: PRICE,
    trader.BulkOffer: PRICE | {"qty_tonnes": 150_000},
    trader.BulkCounter: PRICE | {"qty_tonnes": 150_000},
    trader.BulkAccept: PRICE | {"qty_tonnes": 150_000},
    trader.ApplySession: PRICE,
    trader.Bid: PRICE,
    trader.CashIn: {"amount": "1000.00"},
    trader.CashOut: {"amount": "1000.00"},
    office.AdmitInstrument: PRICE,
    office.Propose: {"trade_no": 1},
    m.Refused: {
        "code": "price_out_of_band",
        "reason": "The price lies outside today's price limits of the instrument.",
        "client_order_id": "a-1",
        "sequenced": True,
        "report_seq": 2,
        "seq": 30,
        "time_us": NOW_US,
    },
    m.Error: {"code": "unknown_message", "reason": "There is no message of this type."},
    m.Bye: {"code": "logout", "reason": "Good bye."},
    m.Status: {"seq": 29, "report_seq": 1, "order_no": 1, "order_status": "open"},
    md.Subscribe: {"instruments": ["CEA25"], "channels": ["depth", "trade"]},
    md.SnapshotRequest: {"instruments": ["CEA25"]},
    feed.Trade: {"modality": 10},
    feed.TradeVoided: {"modality": 10},
    feed.BulkOffer: {"status": "open"},
    feed.Bidding: {"status": "noticed"},
}
MADE_UP = {int: 1, str: "", bool: True}


def example(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return a message of this type as it travels in JSON."""
    sample = _sample(kind) | CHOSEN.get(kind, {})
    full: dict[str, Any] = msgspec.to_builtins(msgspec.convert(sample, kind))
    return {name: value for name, value in full.items() if name in sample}


def _sample(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Return the fields that a message of this type cannot do without."""
    hints = typing.get_type_hints(kind)
    tag = kind.__struct_config__.tag
    made: dict[str, Any] = {} if tag is None else {"type": tag}
    for each in msgspec.structs.fields(kind):
        if each.required:
            made[each.name] = _value(each.name, hints[each.name])
    return made


def _value(name: str, hint: Any) -> Any:
    """Return a sensible value of this type for a field of this name."""
    if name in VALUES and _fits(VALUES[name], hint):
        return VALUES[name]
    for unit, value in BY_UNIT.items():
        if name.endswith(unit) and hint is int:
            return value
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _value(name, inner[0])
    if origin is tuple and inner[1:] != (...,):
        return [_value(name, each) for each in inner]
    if origin in (list, tuple):
        return [_value("", inner[0])]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return _sample(hint)
    return MADE_UP[hint]


def _fits(value: Any, hint: Any) -> bool:
    try:
        msgspec.convert(value, hint)
    except msgspec.ValidationError:
        return False
    return True
