"""Bulk agreement (TR-70…76): offers, counter-offers, acceptance, confirmation.

An offer is an order with its lock frozen; a negotiation is a row (offer, responder, latest terms).
The contract, with every precedence: docs/reference/engine-negotiated.md.
"""

from __future__ import annotations

from engine import declarations as d
from engine.outcome import Outcome
from engine.reasons import Reason
from engine.records import Event, Kind, NegotiationStatus, OrderStatus, Phase, Side
from engine.state import Array, State
from engine.talks import BULK, Talk, end_negotiation, end_negotiations, say
from engine.verbs import Pair, cover, freeze_order, release_order

PUBLIC = -1
_AFTERNOON = (Phase.AFTERNOON,)


def band_reason(state: State, instrument: int, price_ticks: int) -> Reason:
    """Hold a price against the day's +-30 % (TR-21, TR-74)."""
    row = state.instruments[instrument]
    inside = row["bulk_lower_limit_ticks"] <= price_ticks <= row["bulk_upper_limit_ticks"]
    return Reason.NONE if inside else Reason.PRICE_OUT_OF_BAND


def size_reason(state: State, qty: int) -> Reason:
    """Hold a quantity against the smallest of the modality (TR-12, TR-74)."""
    return Reason.QTY_BELOW_MIN if qty < state.rules[0]["bulk_qty_min"] else Reason.NONE


def offer_reason(state: State, c: Array) -> Reason:
    """Return the first reason against an offer but the ledger's, or NONE."""
    account, instrument, side = int(c["account"]), int(c["instrument"]), int(c["side"])
    other = int(c["counterparty"])
    if not d.is_account(state, account):
        return Reason.UNKNOWN_ACCOUNT
    if d.blocked(state, account, side):
        return Reason.ACCOUNT_RESTRICTED
    if not d.is_instrument(state, instrument):
        return Reason.UNKNOWN_INSTRUMENT
    if not state.rules[0]["bulk_enabled"]:
        return Reason.MODALITY_UNAVAILABLE
    reason = d.phase_reason(state, _AFTERNOON) or d.halt_reason(state, instrument)
    if reason:
        return reason
    if side not in (Side.BUY, Side.SELL):
        return Reason.SIDE_INVALID
    reason = _offer_terms_reason(state, instrument, int(c["price_ticks"]), int(c["qty_tonnes"]))
    if reason:
        return reason
    if other != PUBLIC and not d.is_account(state, other):
        return Reason.UNKNOWN_COUNTERPARTY
    if other == account:
        return Reason.SELF_TRADE
    return Reason.TOO_MANY_OPEN_ORDERS if d.too_many_open(state, account) else Reason.NONE


def _offer_terms_reason(state: State, instrument: int, price: int, qty: int) -> Reason:
    """Price first (valid, in the band), then quantity (valid, large enough)."""
    return (
        d.price_reason(price)
        or band_reason(state, instrument, price)
        or d.qty_reason(qty)
        or size_reason(state, qty)
    )


def offer(state: State, c: Array, outcome: Outcome) -> None:
    """BULK_OFFER: the initiator is locked at once (TR-73); public or directed (TR-75)."""
    terms = (int(c["price_ticks"]), int(c["qty_tonnes"]))
    reason, lock = offer_reason(state, c), 0
    if not reason:
        account, instrument, side = int(c["account"]), int(c["instrument"]), int(c["side"])
        reason, lock = cover(state, BULK, account, instrument, side, terms)
    if reason:
        return outcome.refuse(reason)
    row = d.new_order(state, c, lock)
    state.orders[row]["counterparty"] = c["counterparty"]
    frozen = freeze_order(state, BULK, row)
    d.open_order(state, row)
    return d.order_event(
        state,
        row,
        Event.BULK_OFFERED,
        outcome,
        counterparty=int(c["counterparty"]),
        leaves_qty=terms[1],
        amount_fen=frozen,
        modality=BULK,
    )


def reach(
    state: State, c: Array, *, terms: bool = False, talking: bool = False, halts: bool = True
) -> tuple[Reason, Talk | None]:
    """Ranks 1-10 of every answer to an offer; the Talk if nothing speaks against it so far.

    ``terms``: the command names a price and a quantity. ``talking``: an open negotiation is needed
    of a responder too (an initiator always needs one).
    """
    if not d.is_account(state, int(c["account"])):
        return Reason.UNKNOWN_ACCOUNT, None
    reason = d.phase_reason(state, _AFTERNOON, halts=halts)
    if not reason and terms:
        reason = d.price_reason(int(c["price_ticks"])) or d.qty_reason(int(c["qty_tonnes"]))
    if reason:
        return reason, None
    row = d.find_order(state, int(c["ref"]), Kind.BULK_OFFER)
    if row == 0:
        return Reason.UNKNOWN_ORDER, None
    talk = Talk(state, c, row)
    if not talk.leads and talk.directed_at not in (PUBLIC, talk.me):
        return Reason.UNKNOWN_ORDER, None
    if halts and d.halt_reason(state, talk.instrument):
        return Reason.INSTRUMENT_HALTED, None
    if not talk.known and (talk.leads or talking):
        return Reason.UNKNOWN_NEGOTIATION, None
    return Reason.NONE, talk


def counter(state: State, c: Array, outcome: Outcome) -> None:
    """BULK_COUNTER: new terms; the initiator's re-lock the offer (TR-73), nobody else's bind."""
    reason, talk = reach(state, c, terms=True)
    if talk is None:
        return outcome.refuse(reason)
    terms = (int(c["price_ticks"]), int(c["qty_tonnes"]))
    if talk.known and talk.status == NegotiationStatus.AGREED:
        return outcome.refuse(Reason.NOT_YOUR_TURN)
    lock = 0
    if talk.leads:
        reason, lock = _covered(state, talk, terms)
        if reason:
            return outcome.refuse(reason)
        lock = _relock(state, talk.row, terms, lock)
    at = talk.at if talk.known else _open_negotiation(state, talk)
    negotiation = state.negotiations[at]
    negotiation["price_ticks"], negotiation["qty_tonnes"] = terms
    negotiation["proposer"] = talk.me
    return say(state, talk, Event.BULK_COUNTERED, outcome, terms, amount_fen=lock)


def _covered(state: State, talk: Talk, terms: Pair) -> tuple[Reason, int]:
    """Return (why the acting side cannot cover terms, or NONE; its lock)."""
    side = talk.my_side
    if d.blocked(state, talk.me, side):
        return Reason.ACCOUNT_RESTRICTED, 0
    own = d.frozen_for(state, talk.row) if talk.leads else (0, 0)
    return cover(state, BULK, talk.me, talk.instrument, side, terms, own)


def _relock(state: State, row: int, terms: Pair, lock: int) -> int:
    """Give an offer new terms and freeze what they need; return the fen frozen."""
    release_order(state, row)
    order = state.orders[row]
    order["price_ticks"], order["qty_tonnes"] = terms
    order["leaves_qty"] = terms[1]
    order["frozen_fen"] = lock
    return freeze_order(state, BULK, row)


def _open_negotiation(state: State, talk: Talk) -> int:
    """Write a new negotiation; return its row."""
    state.ensure_negotiations(1)
    at = int(state.market[0]["negotiations"])
    state.market["negotiations"] = at + 1
    row = state.negotiations[at]
    row["offer_row"], row["responder"] = talk.row, talk.responder
    row["status"] = NegotiationStatus.COUNTERED
    return at


def accept(state: State, c: Array, outcome: Outcome) -> None:
    """BULK_ACCEPT: the offer's own terms at once a deal (TR-70); countered terms agreed (TR-72)."""
    reason, talk = reach(state, c, terms=True)
    if talk is None:
        return outcome.refuse(reason)
    terms = (int(c["price_ticks"]), int(c["qty_tonnes"]))
    if talk.known and (talk.status == NegotiationStatus.AGREED or talk.proposer == talk.me):
        return outcome.refuse(Reason.NOT_YOUR_TURN)
    if terms != talk.terms:
        return outcome.refuse(Reason.TERMS_CHANGED)
    reason = band_reason(state, talk.instrument, terms[0]) or size_reason(state, terms[1])
    lock = 0
    if not reason:
        reason, lock = _covered(state, talk, terms)
    if reason:
        return outcome.refuse(reason)
    if not talk.known:
        return _trade(state, c, talk, terms, outcome)
    return _agree(state, c, talk, terms, lock, outcome)


def _agree(state: State, c: Array, talk: Talk, terms: Pair, lock: int, outcome: Outcome) -> None:
    """The acceptor is locked at the agreed terms; the other side has to confirm (TR-73)."""
    negotiation = state.negotiations[talk.at]
    answer = 0
    if talk.leads:
        lock = _relock(state, talk.row, terms, lock)
    else:
        answer = _answer(state, c, talk, terms, lock)
        lock = freeze_order(state, BULK, answer)
        d.open_order(state, answer)
        negotiation["answer_row"] = answer
    negotiation["status"] = NegotiationStatus.AGREED
    number = d.order_no(state, answer) if answer else 0
    say(state, talk, Event.BULK_AGREED, outcome, terms, amount_fen=lock, other_order_no=number)


def _answer(state: State, c: Array, talk: Talk, terms: Pair, lock: int) -> int:
    """Give the responder's side of a deal an order of its own; return its row."""
    return d.new_order(
        state,
        c,
        lock,
        kind=Kind.BULK_ACCEPT,
        account=talk.responder,
        instrument=talk.instrument,
        side=3 - talk.side,
        price_ticks=terms[0],
        qty_tonnes=terms[1],
    )


def confirm(state: State, c: Array, outcome: Outcome) -> None:
    """BULK_CONFIRM: the side that named the agreed terms confirms them: the deal (TR-72, TR-74)."""
    reason, talk = reach(state, c, talking=True)
    if talk is None:
        return outcome.refuse(reason)
    if talk.status != NegotiationStatus.AGREED or talk.proposer != talk.me:
        return outcome.refuse(Reason.NOT_YOUR_TURN)
    terms = talk.terms
    reason = band_reason(state, talk.instrument, terms[0]) or size_reason(state, terms[1])
    if not reason:
        reason, _ = _covered(state, talk, terms)
    if not reason and not talk.leads:
        own = d.frozen_for(state, talk.row)  # the initiator may have re-locked since it agreed
        short, _ = cover(state, BULK, talk.initiator, talk.instrument, talk.side, terms, own)
        reason = Reason.COUNTERPARTY_SHORT if short else Reason.NONE
    if reason:
        return outcome.refuse(reason)
    return _trade(state, c, talk, terms, outcome)


def _trade(state: State, c: Array, talk: Talk, terms: Pair, outcome: Outcome) -> None:
    """Both locks go, goods and money move, the offer is filled, its other negotiations end."""
    answer = int(state.negotiations[talk.at]["answer_row"]) if talk.known else 0
    _, lock = cover(state, BULK, talk.responder, talk.instrument, Side.BUY, terms)
    d.end_order(state, talk.row, OrderStatus.FILLED, Reason.NONE)
    offer_row = state.orders[talk.row]
    offer_row["price_ticks"], offer_row["qty_tonnes"] = terms
    if answer:
        d.end_order(state, answer, OrderStatus.FILLED, Reason.NONE)
    else:
        answer = _answer(state, c, talk, terms, 0)
        state.orders[answer]["leaves_qty"] = 0
        state.orders[answer]["status"] = OrderStatus.FILLED
    buyer = talk.row if talk.side == Side.BUY else answer
    state.orders[buyer]["frozen_fen"] = lock  # what the fee may not exceed
    number, fee, other_fee = d.trade(state, c, BULK, answer, talk.row, *terms)
    state.orders[buyer]["frozen_fen"] = 0
    d.order_event(
        state,
        answer,
        Event.TRADED,
        outcome,
        other_order_no=d.order_no(state, talk.row),
        trade_no=number,
        counterparty=talk.initiator,
        qty_tonnes=terms[1],
        amount_fen=terms[0] * terms[1],
        fee_fen=fee,
        other_fee_fen=other_fee,
        modality=BULK,
    )
    if talk.known:
        state.negotiations[talk.at]["status"] = NegotiationStatus.ENDED
    end_negotiations(state, talk.row, Reason.OFFER_GONE, outcome)


def decline(state: State, c: Array, outcome: Outcome) -> None:
    """BULK_DECLINE: the negotiation ends; a directed offer ends with its counterparty's no."""
    reason, talk = reach(state, c, halts=False)
    if talk is None:
        return outcome.refuse(reason)
    directed = not talk.leads and talk.directed_at == talk.me
    if not talk.known and not directed:
        return outcome.refuse(Reason.UNKNOWN_NEGOTIATION)
    if talk.known:
        end_negotiation(state, talk.at, Reason.BY_OWNER, talk.me, outcome)
    else:
        say(state, talk, Event.BULK_DECLINED, outcome, (0, 0), reason=int(Reason.BY_OWNER))
    if directed:
        cancel_offer(state, talk.row, Reason.DECLINED, outcome)
    return None


def withdraw(state: State, c: Array, outcome: Outcome) -> None:
    """BULK_WITHDRAW: the initiator takes its offer back."""
    account = int(c["account"])
    if not d.is_account(state, account):
        return outcome.refuse(Reason.UNKNOWN_ACCOUNT)
    reason = d.phase_reason(state, _AFTERNOON, halts=False)
    if reason:
        return outcome.refuse(reason)
    row = d.find_order(state, int(c["ref"]), Kind.BULK_OFFER)
    if row == 0 or int(state.orders[row]["account"]) != account:
        return outcome.refuse(Reason.UNKNOWN_ORDER)
    return cancel_offer(state, row, Reason.BY_OWNER, outcome)


def cancel_offer(state: State, row: int, reason: Reason, outcome: Outcome) -> None:
    """End an offer, then its negotiations."""
    d.cancel(state, row, reason, outcome)
    gone = reason if reason == Reason.KILLED else Reason.OFFER_GONE
    end_negotiations(state, row, gone, outcome)
