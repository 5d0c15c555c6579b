"""Bulk negotiations: who talks to whom about which offer, on which terms, and how it ends (TR-72).

Rows of the state's ``negotiations``; the commands that move them are in engine/bulk.py.
"""

from __future__ import annotations

import numpy as np

from engine import declarations as d
from engine.outcome import Outcome
from engine.reasons import Reason
from engine.records import Event, Modality, NegotiationStatus, OrderStatus
from engine.state import Array, State
from engine.verbs import Pair

BULK = Modality.BULK
COUNTERED, AGREED = int(NegotiationStatus.COUNTERED), int(NegotiationStatus.AGREED)  # both stand


class Talk:
    """Who acts on which offer: both accounts, and their negotiation if there is an open one."""

    def __init__(self, state: State, c: Array, row: int) -> None:
        offer = state.orders[row]
        self.row = row
        self.instrument = int(offer["instrument"])
        self.side = int(offer["side"])  # the initiator's
        self.directed_at = int(offer["counterparty"])
        self.me = int(c["account"])
        self.initiator = int(offer["account"])
        self.leads = self.me == self.initiator
        self.responder = int(c["counterparty"]) if self.leads else self.me
        self.other = self.responder if self.leads else self.initiator
        self.my_side = self.side if self.leads else 3 - self.side
        self.at = find_negotiation(state, row, self.responder)
        self.known = self.at >= 0
        talk = state.negotiations[self.at] if self.known else None
        self.status = int(talk["status"]) if talk is not None else 0
        self.proposer = int(talk["proposer"]) if talk is not None else self.initiator
        latest = talk if talk is not None else offer
        self.terms = (int(latest["price_ticks"]), int(latest["qty_tonnes"]))


def find_negotiation(state: State, offer_row: int, responder: int) -> int:
    """Return the row of an open negotiation, or -1."""
    for at in negotiations_of(state, offer_row):
        if int(state.negotiations[at]["responder"]) == responder:
            return at
    return -1


def standing(state: State) -> tuple[Array, Array]:
    """Return the day's negotiations and which of them are open (shape (n,), bool)."""
    rows = state.negotiations[: int(state.market[0]["negotiations"])]
    status = rows["status"]
    return rows, (status == COUNTERED) | (status == AGREED)


def negotiations_of(state: State, offer_row: int) -> list[int]:
    """Return the open negotiations about an offer in the order they were opened."""
    rows, stands = standing(state)
    found: list[int] = np.flatnonzero(stands & (rows["offer_row"] == offer_row)).tolist()
    return found


def end_negotiations(state: State, offer_row: int, reason: Reason, outcome: Outcome) -> None:
    """End all open negotiations about an offer, in the order they were opened."""
    initiator = int(state.orders[offer_row]["account"])
    for at in negotiations_of(state, offer_row):
        end_negotiation(state, at, reason, initiator, outcome)


def end_negotiation(state: State, at: int, reason: Reason, ended_by: int, outcome: Outcome) -> None:
    """End one negotiation; an agreed responder's order is cancelled with it."""
    row = state.negotiations[at]
    offer_row, responder = int(row["offer_row"]), int(row["responder"])
    order = state.orders[offer_row]
    other = responder if ended_by == int(order["account"]) else int(order["account"])
    row["status"] = NegotiationStatus.ENDED
    outcome.add(
        Event.BULK_DECLINED,
        order_no=d.order_no(state, offer_row),
        account=ended_by,
        counterparty=other,
        instrument=int(order["instrument"]),
        side=int(order["side"]),
        reason=int(reason),
        modality=BULK,
    )
    answer = int(row["answer_row"])
    if answer and int(state.orders[answer]["status"]) == OrderStatus.OPEN:
        why = reason
        if reason == Reason.BY_OWNER and ended_by != responder:
            why = Reason.DECLINED
        d.cancel(state, answer, why, outcome)


def end_answer(state: State, answer_row: int, reason: Reason, outcome: Outcome) -> None:
    """End the negotiation whose responder's locked order has to go; the order goes with it."""
    rows, stands = standing(state)
    (at,) = np.flatnonzero(stands & (rows["answer_row"] == answer_row)).tolist()
    end_negotiation(state, at, reason, int(rows[at]["responder"]), outcome)


def expire_all(state: State, outcome: Outcome) -> None:
    """After the close lapsed all offers and answers: their negotiations end too (E36)."""
    rows, stands = standing(state)
    for at in np.flatnonzero(stands).tolist():
        initiator = int(state.orders[int(rows[at]["offer_row"])]["account"])
        end_negotiation(state, at, Reason.END_OF_DAY, initiator, outcome)


def say(
    state: State, talk: Talk, kind: Event, outcome: Outcome, terms: Pair, **fields: int
) -> None:
    """Write an event of a negotiation, seen from who acts."""
    outcome.add(
        kind,
        order_no=d.order_no(state, talk.row),
        account=talk.me,
        counterparty=talk.other,
        instrument=talk.instrument,
        side=talk.side,
        price_ticks=terms[0],
        qty_tonnes=terms[1],
        modality=BULK,
        **fields,
    )
