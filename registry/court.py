"""Court orders: freeze, release, deduct, on whichever side the allowances lie (RG-15, RG-16, E51).

On the registry side an order is one transaction. On the trading side it is a directive to the
exchange, and is booked when the exchange has done it: open sell orders give way there (U26). A
deduction gives the tonnes to their new owner's registry side without a trade, so no price moves;
the public is told. They are not "bought": T+1 does not apply to them (RG-23).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection

from engine.records import Event
from registry import directives, ledger, notices
from registry.accounts import id_of
from registry.errors import RefusalError, StopError
from registry.ledger import Bucket, Move
from registry.schema import JUDICIAL, REGISTRY_AVAILABLE, TRADING_AVAILABLE, TRADING_JUDICIAL

SIDES = ("registry", "trading")
WORDS_BY_EVENT = {
    int(Event.HOLDING_FROZEN): "freeze",
    int(Event.HOLDING_RELEASED): "release",
    int(Event.HOLDING_DEDUCTED): "deduct",
}
TRANSACTION = {"freeze": "freeze", "release": "release", "deduct": "deduction"}
FREE = {"registry": REGISTRY_AVAILABLE, "trading": TRADING_AVAILABLE}
FROZEN = {"registry": JUDICIAL, "trading": TRADING_JUDICIAL}


class Order(NamedTuple):
    """What a court asks for; accounts are ids, ``owner`` is whom a deduction is for."""

    word: str  # freeze, release, deduct
    account: int
    unit: int
    qty_tonnes: int
    document: str
    owner: int | None = None


def on_registry_side(tx: Connection, order: Order, at_ns: int) -> int:
    """Carry an order out on the registry side and return the transaction's number."""
    number = _book(tx, order, "registry", at_ns)
    _tell(tx, order, at_ns)
    return number


def on_trading_side(tx: Connection, order: Order, maker: int, checker: int) -> int:
    """Direct the exchange to carry an order out and return the directive's number."""
    row = {
        "kind": order.word,
        "account": order.account,
        "unit": order.unit,
        "amount": order.qty_tonnes,
        "owner": order.owner,
        "maker": maker,
        "checker": checker,
        "document": order.document,
    }
    return directives.direct(tx, [row])


def heard(tx: Connection, word: str, event: Any, row: Any, code: str) -> int:
    """Book what a court command did at the exchange and return the transaction's number.

    ``row``: the directive, or None if the exchange acted without one; deducted tonnes then wait,
    still frozen, on the owner's registry side until the registry is told whose they are.
    """
    owner = None if row is None else row.owner
    document = "the exchange's own order" if row is None else row.document
    account = id_of(tx, int(event["account"]))
    unit, qty = ledger.unit_of(tx, code), int(event["qty_tonnes"])
    order = Order(word, account, unit, qty, document, owner)
    try:
        number = _book(tx, order, "trading", int(event["time_ns"]))
    except RefusalError as refusal:
        raise StopError(
            "out_uncovered",
            f"The exchange did {word} at seq {event['seq']} what the registry does not see: "
            f"{refusal.sentence}",
        ) from refusal
    _tell(tx, order, int(event["time_ns"]))
    return number


def _book(tx: Connection, order: Order, side: str, at_ns: int) -> int:
    free = Bucket(order.account, order.unit, FREE[side])
    frozen = Bucket(order.account, order.unit, FROZEN[side])
    if order.word == "freeze":
        move = Move(free, frozen, order.qty_tonnes)
    elif order.word == "release":
        move = Move(frozen, free, order.qty_tonnes)
    elif order.owner is None:
        move = Move(frozen, frozen._replace(kind=JUDICIAL), order.qty_tonnes)
    else:
        there = Bucket(order.owner, order.unit, REGISTRY_AVAILABLE)
        move = Move(frozen, there, order.qty_tonnes)
    return ledger.book(tx, TRANSACTION[order.word], order.document, [move], at_ns)


def _tell(tx: Connection, order: Order, at_ns: int) -> None:
    qty = f"{order.qty_tonnes:,} t"
    done = {"freeze": "frozen", "release": "released", "deduct": "deducted"}[order.word]
    sentence = f"{qty} were {done} by order of a court: {order.document}."
    notices.tell(tx, "court", sentence, order.account, at_ns)
    if order.owner is not None:
        notices.tell(tx, "court", f"{qty} came by a court's deduction.", order.owner, at_ns)
        notices.tell(
            tx, "court", f"{qty} changed owner by deduction: {order.document}.", None, at_ns
        )
