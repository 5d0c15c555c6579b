"""Bulk agreement and one-way bidding as traders send them (TR-70…95), into commands.

A counterparty is named by the number of its trading account: an anonymous code while one
negotiates; identities stand in the deal record (U5).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.records import Kind, Pricing, Side
from gateway.desk import terms
from gateway.desk.commands import body
from gateway.wire import trader_messages as t

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

BUY_SELL = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
PRICINGS = {pricing.name.lower(): int(pricing) for pricing in Pricing}
MODE_UNKNOWN = 127  # the exchange refuses it in its turn (MODE_INVALID)
Handlers = dict[type, Callable[[Any, Any], None]]


class Negotiations:
    """The handlers of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.handlers: Handlers = {
            t.BulkOffer: self._offer,
            t.BulkCounter: self._terms(Kind.BULK_COUNTER),
            t.BulkAccept: self._terms(Kind.BULK_ACCEPT),
            t.BulkConfirm: self._answer(Kind.BULK_CONFIRM),
            t.BulkDecline: self._answer(Kind.BULK_DECLINE),
            t.BulkWithdraw: self._answer(Kind.BULK_WITHDRAW),
            t.ApplySession: self._apply,
            t.Bid: self._bid,
            t.CancelBid: self._answer(Kind.CANCEL_BID),
        }

    def _offer(self, session: Session, message: t.BulkOffer) -> None:
        instrument = self._desk.row_of(session, message)
        price = terms.ticks(session, message) if instrument is not None else None
        if instrument is None or price is None:
            return
        made = body(
            session,
            Kind.BULK_OFFER,
            instrument=instrument,
            side=BUY_SELL.get(message.side, 0),
            price_ticks=price,
            qty_tonnes=message.qty_tonnes,
            counterparty=_nobody(message.counterparty),
        )
        self._desk.enter(session, message.client_order_id, made)

    def _terms(self, kind: Kind) -> Callable[[Any, Any], None]:
        def handle(session: Session, message: t.BulkCounter | t.BulkAccept) -> None:
            price = terms.ticks(session, message)
            if price is None:
                return
            made = body(
                session,
                kind,
                ref=message.order_no,
                price_ticks=price,
                qty_tonnes=message.qty_tonnes,
                counterparty=_nobody(message.counterparty),
            )
            self._desk.enter(session, message.client_order_id, made)

        return handle

    def _answer(self, kind: Kind) -> Callable[[Any, Any], None]:
        def handle(session: Session, message: Any) -> None:
            other = _nobody(getattr(message, "counterparty", None))
            made = body(session, kind, ref=message.order_no, counterparty=other)
            self._desk.enter(session, message.client_order_id, made)

        return handle

    def _apply(self, session: Session, message: t.ApplySession) -> None:
        instrument = self._desk.row_of(session, message)
        price = terms.ticks(session, message) if instrument is not None else None
        if instrument is None or price is None:
            return
        made = body(
            session,
            Kind.APPLY_SESSION,
            instrument=instrument,
            side=BUY_SELL.get(message.side, 0),
            price_ticks=price,
            qty_tonnes=message.qty_tonnes,
            mode=PRICINGS.get(message.pricing, MODE_UNKNOWN),
        )
        self._desk.enter(session, message.client_order_id, made)

    def _bid(self, session: Session, message: t.Bid) -> None:
        price = terms.ticks(session, message)
        if price is None:
            return
        made = body(
            session,
            Kind.BID,
            ref=message.session_no,
            price_ticks=price,
            qty_tonnes=message.qty_tonnes,
        )
        self._desk.enter(session, message.client_order_id, made)


def _nobody(counterparty: int | None) -> int:
    return -1 if counterparty is None else counterparty
