"""Bulk agreement: offer, counter, accept, confirm, decline, withdraw (TR-70…76)."""

from __future__ import annotations

from tests.reference import ledger
from tests.reference.checks import (
    check_band,
    check_block,
    check_instrument_halt,
    check_market_halt,
    check_open_orders,
    check_phase,
    check_price,
    check_qty,
    check_qty_min,
    checked_side,
    known_account,
    known_instrument,
)
from tests.reference.endings import end_order, end_talk, end_talks_of, talks_of, tell_declined
from tests.reference.orders import Negotiation, Order, Role
from tests.reference.venue import Account, Venue
from tests.reference.vocabulary import (
    Command,
    Event,
    Modality,
    NegotiationStatus,
    Parameter,
    Phase,
    Reason,
    Refused,
    Side,
    Status,
    refuse_if,
)

HOURS = (Phase.AFTERNOON,)  # TR-31


def do_offer(venue: Venue, command: Command) -> None:
    """BULK_OFFER: to everybody or to one account; the initiator is locked (TR-73, TR-75)."""
    account = known_account(venue, command)
    check_block(account, command["side"])
    instrument = known_instrument(venue, command)
    refuse_if(not venue.parameters[Parameter.BULK_ENABLED], Reason.MODALITY_UNAVAILABLE)
    check_phase(venue, HOURS)
    check_market_halt(venue)
    check_instrument_halt(instrument)
    side = checked_side(command["side"])
    price, qty = command["price_ticks"], command["qty_tonnes"]
    check_price(price)
    check_band(instrument, price, Modality.BULK)
    check_qty(qty)
    check_qty_min(venue, Parameter.BULK_QTY_MIN, qty)
    towards = command["counterparty"]
    refuse_if(towards != -1 and not 0 <= towards < len(venue.accounts), Reason.UNKNOWN_COUNTERPARTY)
    refuse_if(towards == account.number, Reason.SELF_TRADE)
    check_open_orders(venue, account)
    ledger.check_cover(venue, account, instrument, side, price, qty, Modality.BULK)
    offer = ledger.new_order(venue, account, instrument, side, price, qty, Role.OFFER)
    offer.counterparty = towards
    ledger.place(venue, offer)
    venue.tell_order(
        Event.BULK_OFFERED,
        offer,
        counterparty=towards,
        qty_tonnes=qty,
        leaves_qty=qty,
        amount_fen=offer.frozen,
    )


def offer_for(venue: Venue, account: Account, number: int) -> Order:
    """Return the open offer of that number if it is the account's or open to it, or refuse."""
    offer = venue.resting.get(number)
    if offer is not None:
        among = (-1, account.number)
        open_to = offer.account is account or offer.counterparty in among
        if offer.role is not Role.OFFER or not open_to:
            offer = None
    refuse_if(offer is None, Reason.UNKNOWN_ORDER)
    assert offer is not None
    return offer


def find_talk(
    venue: Venue, account: Account, offer: Order, counterparty: int
) -> Negotiation | None:
    """The open negotiation that the account means: an initiator names the responder."""
    responder = counterparty if account is offer.account else account.number
    talks = [talk for talk in talks_of(venue, offer) if talk.responder.number == responder]
    return talks[0] if talks else None


def side_of(account: Account, offer: Order) -> Side:
    """The side on which an account deals with an offer."""
    return offer.side if account is offer.account else offer.side.other


def other_of(account: Account, talk: Negotiation) -> Account:
    """Whom the account talks to."""
    return talk.responder if account is talk.offer.account else talk.offer.account


def give_terms(venue: Venue, offer: Order, price: int, qty: int) -> None:
    """The offer itself gets these terms and is locked anew (TR-73)."""
    ledger.release_all(offer)
    offer.price, offer.qty, offer.leaves = price, qty, qty
    ledger.freeze(venue, offer)


def do_counter(venue: Venue, command: Command) -> None:
    """BULK_COUNTER: new terms; an initiator's bind its offer, a responder's nobody."""
    account = known_account(venue, command)
    check_phase(venue, HOURS)
    check_market_halt(venue)
    price, qty = command["price_ticks"], command["qty_tonnes"]
    check_price(price)
    check_qty(qty)
    offer = offer_for(venue, account, command["ref"])
    check_instrument_halt(offer.instrument)
    leads = account is offer.account
    talk = find_talk(venue, account, offer, command["counterparty"])
    refuse_if(leads and talk is None, Reason.UNKNOWN_NEGOTIATION)
    agreed = talk is not None and talk.status is NegotiationStatus.AGREED
    refuse_if(agreed, Reason.NOT_YOUR_TURN)
    if leads:
        check_block(account, offer.side)
        ledger.check_cover(
            venue, account, offer.instrument, offer.side, price, qty, Modality.BULK, offer
        )
        give_terms(venue, offer, price, qty)
    if talk is None:
        talk = Negotiation(offer, account, price, qty, account)
        venue.negotiations.append(talk)
    talk.price, talk.qty, talk.proposer = price, qty, account
    tell_terms(venue, Event.BULK_COUNTERED, talk, account, amount_fen=offer.frozen if leads else 0)


def tell_terms(
    venue: Venue, kind: Event, talk: Negotiation, account: Account, **fields: int
) -> None:
    """Tell what an account did about the terms of a negotiation."""
    venue.tell(
        kind,
        order_no=talk.offer.number,
        account=account.number,
        counterparty=other_of(account, talk).number,
        instrument=talk.offer.instrument.number,
        side=talk.offer.side,
        price_ticks=talk.price,
        qty_tonnes=talk.qty,
        modality=Modality.BULK,
        **fields,
    )


def do_accept(venue: Venue, command: Command) -> None:
    """BULK_ACCEPT: deal with the offer directly, or agree to the other side's terms."""
    account = known_account(venue, command)
    check_phase(venue, HOURS)
    check_market_halt(venue)
    price, qty = command["price_ticks"], command["qty_tonnes"]
    check_price(price)
    check_qty(qty)
    offer = offer_for(venue, account, command["ref"])
    check_instrument_halt(offer.instrument)
    leads = account is offer.account
    talk = find_talk(venue, account, offer, command["counterparty"])
    refuse_if(leads and talk is None, Reason.UNKNOWN_NEGOTIATION)
    terms = (offer.price, offer.qty)
    if talk is not None:
        agreed = talk.status is NegotiationStatus.AGREED
        refuse_if(agreed or talk.proposer is account, Reason.NOT_YOUR_TURN)
        terms = (talk.price, talk.qty)
    refuse_if((price, qty) != terms, Reason.TERMS_CHANGED)
    check_deal(venue, account, offer, price, qty)
    if talk is None:
        deal(venue, offer, account, price, qty, None)
        return
    if leads:
        give_terms(venue, offer, price, qty)
    else:
        side = offer.side.other
        talk.answer = ledger.new_order(
            venue, account, offer.instrument, side, price, qty, Role.ANSWER
        )
        ledger.place(venue, talk.answer)
    talk.status = NegotiationStatus.AGREED
    frozen = offer.frozen if talk.answer is None else talk.answer.frozen
    number = 0 if talk.answer is None else talk.answer.number
    tell_terms(venue, Event.BULK_AGREED, talk, account, amount_fen=frozen, other_order_no=number)


def check_deal(venue: Venue, account: Account, offer: Order, price: int, qty: int) -> None:
    """Refuse terms the rules do not allow (TR-74) or the account may not or cannot cover."""
    check_band(offer.instrument, price, Modality.BULK)
    check_qty_min(venue, Parameter.BULK_QTY_MIN, qty)
    side = side_of(account, offer)
    check_block(account, side)
    own = offer if account is offer.account else None
    ledger.check_cover(venue, account, offer.instrument, side, price, qty, Modality.BULK, own)


def do_confirm(venue: Venue, command: Command) -> None:
    """BULK_CONFIRM: who named the agreed terms confirms them, which is the trade (TR-72)."""
    account = known_account(venue, command)
    check_phase(venue, HOURS)
    check_market_halt(venue)
    offer = offer_for(venue, account, command["ref"])
    check_instrument_halt(offer.instrument)
    talk = find_talk(venue, account, offer, command["counterparty"])
    refuse_if(talk is None, Reason.UNKNOWN_NEGOTIATION)
    assert talk is not None
    waits = talk.status is NegotiationStatus.AGREED and talk.proposer is account
    refuse_if(not waits, Reason.NOT_YOUR_TURN)
    check_deal(venue, account, offer, talk.price, talk.qty)
    if account is not offer.account:
        check_initiator(venue, offer, talk.price, talk.qty)
    talk.status = NegotiationStatus.ENDED
    deal(venue, offer, talk.responder, talk.price, talk.qty, talk.answer)


def check_initiator(venue: Venue, offer: Order, price: int, qty: int) -> None:
    """Refuse if the initiator has locked its offer lower since and cannot cover the terms."""
    terms = (offer.instrument, offer.side, price, qty, Modality.BULK, offer)
    try:
        ledger.check_cover(venue, offer.account, *terms)
    except Refused:
        raise Refused(Reason.COUNTERPARTY_SHORT) from None


def deal(
    venue: Venue, offer: Order, responder: Account, price: int, qty: int, answer: Order | None
) -> None:
    """Both locks are released, goods and money move, other negotiations end."""
    ledger.release_all(offer)
    ledger.end(venue, offer, Status.FILLED, Reason.NONE)
    offer.price, offer.qty, offer.leaves = price, qty, 0
    if answer is None:
        venue.order_no += 1
        side = offer.side.other
        answer = Order(
            venue.order_no, responder, offer.instrument, side, price, qty, 0, Role.ANSWER
        )
        venue.orders[answer.number] = answer
        answer.status = Status.FILLED
    else:
        ledger.release_all(answer)
        ledger.end(venue, answer, Status.FILLED, Reason.NONE)
        answer.leaves = 0
    buy, sell = (offer, answer) if offer.side is Side.BUY else (answer, offer)
    fee = ledger.fee_fen(venue, price * qty, Modality.BULK)
    trade = ledger.settle(venue, buy, sell, price, qty, fee)
    ledger.tell_trade(venue, trade, answer, offer)
    end_talks_of(venue, offer, Reason.OFFER_GONE)


def do_decline(venue: Venue, command: Command) -> None:
    """BULK_DECLINE: the negotiation ends; a directed offer ends with its counterparty's no."""
    account = known_account(venue, command)
    check_phase(venue, HOURS)
    offer = offer_for(venue, account, command["ref"])
    talk = find_talk(venue, account, offer, command["counterparty"])
    leads = account is offer.account
    directed = not leads and offer.counterparty == account.number
    refuse_if(talk is None and not directed, Reason.UNKNOWN_NEGOTIATION)
    if talk is None:
        tell_declined(venue, offer, account, account, Reason.BY_OWNER)
    else:
        of_order = Reason.DECLINED if leads else Reason.BY_OWNER
        end_talk(venue, talk, account, Reason.BY_OWNER, of_order)
    if directed:
        end_order(venue, offer, Event.CANCELLED, Reason.DECLINED)


def do_withdraw(venue: Venue, command: Command) -> None:
    """BULK_WITHDRAW: the offer and its negotiations end."""
    account = known_account(venue, command)
    check_phase(venue, HOURS)
    offer = venue.resting.get(command["ref"])
    mine = offer is not None and offer.role is Role.OFFER and offer.account is account
    refuse_if(not mine, Reason.UNKNOWN_ORDER)
    assert offer is not None
    end_order(venue, offer, Event.CANCELLED, Reason.BY_OWNER)
    end_talks_of(venue, offer, Reason.OFFER_GONE)
