"""One-way bidding: application, notice, bids, clearing (TR-80…95)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.reference import ledger
from tests.reference.checks import (
    CANCELLING,
    DAYTIME,
    ENTRY,
    check_band,
    check_block,
    check_instrument_halt,
    check_market_halt,
    check_open_orders,
    check_phase,
    check_price,
    check_qty,
    check_qty_min,
    known_account,
    known_instrument,
)
from tests.reference.endings import (
    DAY_MINUTES,
    end_order,
    end_session,
    minute_of_day,
    open_bids,
    tell_session,
)
from tests.reference.orders import Order, Role, Session
from tests.reference.venue import Instrument, Limits, Trade, Venue
from tests.reference.vocabulary import (
    Command,
    Event,
    Modality,
    Parameter,
    Pricing,
    Reason,
    SessionStatus,
    Side,
    Status,
    refuse_if,
)


def do_apply(venue: Venue, command: Command) -> None:
    """APPLY_SESSION: a seller asks for a session (TR-81); a buyer if the mirror is on (TR-82)."""
    account = known_account(venue, command)
    check_block(account, command["side"])
    instrument = known_instrument(venue, command)
    refuse_if(not venue.parameters[Parameter.AUCTION_ENABLED], Reason.MODALITY_UNAVAILABLE)
    check_phase(venue, DAYTIME)
    check_market_halt(venue)
    check_instrument_halt(instrument)
    allowed = [Side.SELL]
    if venue.parameters[Parameter.AUCTION_BUYER_INITIATED]:
        allowed.append(Side.BUY)
    refuse_if(command["side"] not in allowed, Reason.SIDE_INVALID)
    side, price, qty = Side(command["side"]), command["price_ticks"], command["qty_tonnes"]
    check_price(price)
    refuse_if(price not in possible_limits(instrument, side), Reason.PRICE_OUT_OF_BAND)
    check_band(instrument, price, Modality.AUCTION)
    check_qty(qty)
    check_qty_min(venue, Parameter.AUCTION_QTY_MIN, qty)
    refuse_if(command["mode"] not in list(Pricing), Reason.MODE_INVALID)
    ledger.check_cover(venue, account, instrument, side, price, qty, Modality.AUCTION)
    venue.session_no += 1
    pricing = Pricing(command["mode"])
    session = Session(venue.session_no, account, instrument, side, price, qty, pricing)
    venue.sessions[session.number] = session
    tell_session(venue, Event.SESSION_APPLIED, session)


def possible_limits(instrument: Instrument, side: Side) -> tuple[int, int]:
    """The two prices an applicant may choose from (TR-22)."""
    limits = instrument.limits[Modality.AUCTION]
    return instrument.reference, limits.lower if side is Side.SELL else limits.upper


def bid_limits(session: Session) -> Limits:
    """Between which prices bids lie (TR-22)."""
    limits = session.instrument.limits[Modality.AUCTION]
    if session.side is Side.SELL:
        return Limits(session.limit, limits.upper)
    return Limits(limits.lower, session.limit)


def session_in(venue: Venue, number: int, *states: SessionStatus) -> Session:
    """Return the session of that number if it is in one of these states, or refuse."""
    session = venue.sessions.get(number)
    refuse_if(session is None or session.status not in states, Reason.UNKNOWN_SESSION)
    assert session is not None
    return session


def do_notice(venue: Venue, command: Command) -> None:
    """NOTICE_SESSION: the exchange approves and announces; the applicant is locked (TR-91)."""
    session = session_in(venue, command["ref"], SessionStatus.APPLIED)
    check_phase(venue, DAYTIME)
    check_market_halt(venue)
    check_instrument_halt(session.instrument)
    begin, until = command["from_minute"], command["until_minute"]
    past = until <= minute_of_day(command["time_ns"])
    refuse_if(not 0 <= begin < until <= DAY_MINUTES or past, Reason.WINDOW_INVALID)
    account, side = session.applicant, session.side
    check_block(account, side)
    terms = (session.instrument, side, session.limit, session.qty)
    ledger.check_cover(venue, account, *terms, Modality.AUCTION)
    order = ledger.new_order(venue, account, *terms, Role.APPLICATION)
    ledger.place(venue, order)
    session.order, session.status = order, SessionStatus.NOTICED
    session.from_minute, session.until_minute = begin, until
    tell_session(
        venue,
        Event.SESSION_NOTICED,
        session,
        amount_fen=order.frozen,
        other_order_no=order.number,
    )


def do_reject(venue: Venue, command: Command) -> None:
    """REJECT_SESSION: before it opens."""
    session = session_in(venue, command["ref"], SessionStatus.APPLIED, SessionStatus.NOTICED)
    end_session(venue, session, Reason.DECLINED)


def do_open(venue: Venue, command: Command) -> None:
    """OPEN_SESSION: bids are taken from now on."""
    session = session_in(venue, command["ref"], SessionStatus.NOTICED)
    check_phase(venue, ENTRY)
    check_market_halt(venue)
    check_instrument_halt(session.instrument)
    session.status = SessionStatus.OPEN
    tell_session(venue, Event.SESSION_OPENED, session)


def do_bid(venue: Venue, command: Command) -> None:
    """BID: sealed and fully locked at its own price (TR-89, TR-90)."""
    account = known_account(venue, command)
    check_phase(venue, ENTRY)
    check_market_halt(venue)
    price, qty = command["price_ticks"], command["qty_tonnes"]
    check_price(price)
    check_qty(qty)
    check_qty_min(venue, Parameter.AUCTION_BID_QTY_MIN, qty)
    session = session_in(venue, command["ref"], SessionStatus.OPEN)
    instrument, side = session.instrument, session.side.other
    check_instrument_halt(instrument)
    refuse_if(session.applicant is account, Reason.SELF_TRADE)
    refuse_if(not bid_limits(session).hold(price), Reason.PRICE_OUT_OF_BAND)
    check_open_orders(venue, account)
    check_block(account, side)
    ledger.check_cover(venue, account, instrument, side, price, qty, Modality.AUCTION)
    bid = ledger.new_order(venue, account, instrument, side, price, qty, Role.BID)
    bid.session = session
    session.bids.append(bid)
    ledger.place(venue, bid)
    venue.tell_order(
        Event.ACCEPTED,
        bid,
        other_order_no=session.number,
        qty_tonnes=qty,
        leaves_qty=qty,
        amount_fen=bid.frozen,
    )


def do_cancel_bid(venue: Venue, command: Command) -> None:
    """CANCEL_BID: until the session closes (TR-89)."""
    account = known_account(venue, command)
    check_phase(venue, CANCELLING)
    bid = venue.resting.get(command["ref"])
    mine = bid is not None and bid.role is Role.BID and bid.account is account
    refuse_if(not mine, Reason.UNKNOWN_ORDER)
    assert bid is not None
    end_order(venue, bid, Event.CANCELLED, Reason.BY_OWNER)


@dataclass
class Share:
    """What a ranked bid gets, at which price."""

    bid: Order
    qty: int
    price: int = 0
    trade: Trade | None = None
    unsold: int = 0  # of the session, after this trade


def ranked(session: Session, bids: list[Order]) -> list[Order]:
    """Better prices first, then earlier ones (TR-84, U34)."""
    better = -1 if session.side is Side.SELL else 1
    return sorted(bids, key=lambda bid: (better * bid.price, bid.number))


def share_out(session: Session, bids: list[Order]) -> list[Share]:
    """Deal out the quantity in rank order; the last winner is cut (TR-87); set prices (TR-84)."""
    shares, left = [], session.qty
    for bid in ranked(session, bids):
        shares.append(Share(bid, min(left, bid.qty)))
        left -= shares[-1].qty
    winners = [share for share in shares if share.qty]
    if winners:
        session.clearing = winners[-1].bid.price
    session.dealt = session.qty - left
    for share in winners:
        uniform = session.pricing is Pricing.UNIFORM
        share.price = session.clearing if uniform else share.bid.price
    return shares


def do_close(venue: Venue, command: Command) -> None:
    """CLOSE_SESSION: rank, deal, give back the rest (TR-84…88)."""
    session = session_in(venue, command["ref"], SessionStatus.OPEN)
    order = session.order
    assert order is not None
    shares = share_out(session, open_bids(venue, session))
    failed = session.dealt == 0
    session.status = SessionStatus.FAILED if failed else SessionStatus.CLOSED
    lock = order.frozen
    tell_session(
        venue,
        Event.SESSION_CLOSED,
        session,
        price_ticks=session.clearing,
        qty_tonnes=session.dealt,
        leaves_qty=session.qty - session.dealt,
        amount_fen=lock,
        reason=Reason.SESSION_FAILED if failed else Reason.NONE,
    )
    for share in shares:
        clear(venue, session, order, share)
    release_rest(venue, session, order)


def clear(venue: Venue, session: Session, order: Order, share: Share) -> None:
    """One ranked bid: its trade, and the end of what it did not get."""
    bid, cut = share.bid, share.bid.qty - share.qty
    filled = Status.CANCELLED if cut else Status.FILLED
    reason = Reason.NONE if not cut else Reason.BID_CUT if share.qty else Reason.BID_LOST
    ledger.end(venue, bid, filled, reason)
    released = ledger.release_all(bid)
    bid.leaves = 0
    if share.qty:
        order.leaves -= share.qty
        if order.side is Side.BUY:
            fee = ledger.pay_from_lock(venue, order, share.price, share.qty)
            deal = ledger.settle(venue, order, bid, share.price, share.qty, fee)
        else:
            ledger.release_tonnes(order, share.qty)
            fee = ledger.fee_fen(venue, share.price * share.qty, Modality.AUCTION)
            deal = ledger.settle(venue, bid, order, share.price, share.qty, fee)
        ledger.tell_trade(venue, deal, bid, order, other_order_no=session.number, leaves_qty=0)
    if cut:
        amount = 0 if share.qty else released
        venue.tell_order(
            Event.CANCELLED,
            bid,
            other_order_no=session.number,
            qty_tonnes=cut,
            amount_fen=amount,
            reason=reason,
        )


def release_rest(venue: Venue, session: Session, order: Order) -> None:
    """Give back to the applicant what was not dealt (TR-86)."""
    left = session.qty - session.dealt
    status = Status.CANCELLED if left else Status.FILLED
    reason = Reason.SESSION_FAILED if not session.dealt else Reason.NONE
    ledger.end(venue, order, status, reason)
    ledger.release_all(order)
    order.leaves = 0
