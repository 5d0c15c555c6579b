"""How orders, negotiations and bidding sessions end, whoever ends them."""

from __future__ import annotations

from tests.reference import ledger
from tests.reference.orders import Negotiation, Order, Session
from tests.reference.venue import Account, Venue
from tests.reference.vocabulary import (
    Event,
    EventDict,
    Modality,
    NegotiationStatus,
    Reason,
    SessionStatus,
    Status,
)

STATUS = {Event.CANCELLED: Status.CANCELLED, Event.LAPSED: Status.LAPSED}
MINUTE_NS = 60 * 10**9
DAY_MINUTES = 24 * 60
BEIJING_MINUTES = 8 * 60


def end_order(venue: Venue, order: Order, kind: Event, reason: Reason) -> None:
    """Cancel or lapse an open order: release its lock, tell it."""
    ledger.end(venue, order, STATUS[kind], reason)
    released = ledger.release_all(order)
    left, order.leaves = order.leaves, 0
    fields = {"qty_tonnes": left, "amount_fen": released, "reason": reason}
    if order.session is not None and kind is Event.CANCELLED:
        fields["other_order_no"] = order.session.number
    venue.tell_order(kind, order, **fields)


def talks_of(venue: Venue, offer: Order) -> list[Negotiation]:
    """Open negotiations of a bulk offer, in the order they were opened."""
    return [talk for talk in venue.negotiations if talk.offer is offer and talk.is_open]


def end_talk(
    venue: Venue, talk: Negotiation, by: Account, reason: Reason, of_order: Reason | None = None
) -> None:
    """End a negotiation; a responder that was locked is released (reason ``of_order``)."""
    talk.status = NegotiationStatus.ENDED
    tell_declined(venue, talk.offer, talk.responder, by, reason)
    if talk.answer is not None and talk.answer.is_open:
        end_order(venue, talk.answer, Event.CANCELLED, of_order or reason)


def tell_declined(
    venue: Venue, offer: Order, responder: Account, by: Account, reason: Reason
) -> None:
    """Tell the end of a negotiation."""
    other = responder if by is offer.account else offer.account
    venue.tell(
        Event.BULK_DECLINED,
        order_no=offer.number,
        account=by.number,
        counterparty=other.number,
        instrument=offer.instrument.number,
        side=offer.side,
        modality=Modality.BULK,
        reason=reason,
    )


def end_talks_of(venue: Venue, offer: Order, reason: Reason) -> None:
    """The offer is gone: its initiator ends what is still talked about."""
    for talk in talks_of(venue, offer):
        end_talk(venue, talk, offer.account, reason)


def end_with_talks(venue: Venue, order: Order, reason: Reason, of_talks: Reason) -> None:
    """Cancel an order from outside, with the negotiations that hang on it (KILL, courts)."""
    for talk in venue.negotiations:
        if talk.answer is order and talk.is_open:
            return end_talk(venue, talk, order.account, reason)
    end_order(venue, order, Event.CANCELLED, reason)
    return end_talks_of(venue, order, of_talks)


def minute_of_day(time_ns: int) -> int:
    """Minute of the day in Beijing."""
    return (time_ns // MINUTE_NS + BEIJING_MINUTES) % DAY_MINUTES


def tell_session(venue: Venue, kind: Event, session: Session, **fields: int) -> EventDict:
    """Tell something about a bidding session."""
    usual = {
        "order_no": session.number,
        "account": session.applicant.number,
        "instrument": session.instrument.number,
        "side": session.side,
        "price_ticks": session.limit,
        "qty_tonnes": session.qty,
        "modality": Modality.AUCTION,
        "mode": session.pricing,
        "from_minute": session.from_minute,
        "until_minute": session.until_minute,
    }
    return venue.tell(kind, **(usual | fields))


def open_bids(venue: Venue, session: Session) -> list[Order]:
    """Bids of a session that still stand, by number."""
    return [bid for bid in session.bids if bid.is_open]


def end_session(venue: Venue, session: Session, reason: Reason) -> None:
    """End a session without clearing it: release the applicant, cancel the open bids."""
    released = 0
    if session.order is not None and session.order.is_open:
        ledger.end(venue, session.order, Status.CANCELLED, reason)
        released = ledger.release_all(session.order)
        session.order.leaves = 0
    session.status = SessionStatus.REJECTED
    tell_session(venue, Event.SESSION_REJECTED, session, amount_fen=released, reason=reason)
    for bid in open_bids(venue, session):
        end_order(venue, bid, Event.CANCELLED, reason)


def end_everything(venue: Venue) -> None:
    """15:00: orders lapse, then negotiations and sessions end (TR-43, TR-72, ST-16)."""
    for number in sorted(venue.resting):
        end_order(venue, venue.resting[number], Event.LAPSED, Reason.END_OF_DAY)
    for talk in venue.negotiations:
        if talk.is_open:
            end_talk(venue, talk, talk.offer.account, Reason.END_OF_DAY)
    alive = (SessionStatus.APPLIED, SessionStatus.NOTICED, SessionStatus.OPEN)
    for session in venue.sessions.values():
        if session.status in alive:
            end_session(venue, session, Reason.END_OF_DAY)
