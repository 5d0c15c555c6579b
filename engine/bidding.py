"""One-way bidding (TR-80…95): application, notice, sealed bids, clearing by price, then time.

A session is a row of its own; the applicant's quantity (once noticed) and every bid are orders. The
contract, with every precedence: docs/reference/engine-negotiated.md.
"""

from __future__ import annotations

import numpy as np
from sortedcontainers import SortedKeyList

from engine import declarations as d
from engine.outcome import Outcome
from engine.reasons import Reason
from engine.records import Event, Kind, Modality, OrderStatus, Pricing, SessionStatus, Side
from engine.state import Array, State
from engine.verbs import Pair, cover, freeze_order

AUCTION = Modality.AUCTION


def session_no(state: State, row: int) -> int:
    """Return the number of a session's row."""
    return int(state.market[0]["session_base"]) + row


def find_session(state: State, number: int, *statuses: SessionStatus) -> int:
    """Return the row of today's session in one of these states, or 0."""
    row = number - int(state.market[0]["session_base"])
    if not 1 <= row < int(state.market[0]["sessions"]):
        return 0
    return row if int(state.sessions[row]["status"]) in statuses else 0


def allowed_limits(state: State, instrument: int, side: int) -> tuple[int, int]:
    """Return the limits an applicant may choose: the reference, or the side's edge (TR-22).

    On a free first day (VM-08) the reference may lie outside the day's limits; then only the edge.
    """
    row = state.instruments[instrument]
    lower, upper = int(row["auction_lower_limit_ticks"]), int(row["auction_upper_limit_ticks"])
    edge = lower if side == Side.SELL else upper
    reference = int(row["reference_ticks"])
    return (reference if lower <= reference <= upper else edge), edge


def application_reason(state: State, c: Array) -> Reason:
    """Return the first reason against an application but the ledger's, or NONE."""
    account, instrument, side = int(c["account"]), int(c["instrument"]), int(c["side"])
    mirror = bool(state.rules[0]["auction_buyer_initiated"])
    if not d.is_account(state, account):
        return Reason.UNKNOWN_ACCOUNT
    if d.blocked(state, account, side):
        return Reason.ACCOUNT_RESTRICTED
    if not d.is_instrument(state, instrument):
        return Reason.UNKNOWN_INSTRUMENT
    if not state.rules[0]["auction_enabled"]:
        return Reason.MODALITY_UNAVAILABLE
    reason = d.phase_reason(state, d.DAYTIME) or d.halt_reason(state, instrument)
    if reason:
        return reason
    if side != Side.SELL and not (mirror and side == Side.BUY):
        return Reason.SIDE_INVALID
    reason = d.price_reason(int(c["price_ticks"]))
    if not reason and int(c["price_ticks"]) not in allowed_limits(state, instrument, side):
        reason = Reason.PRICE_OUT_OF_BAND
    reason = reason or d.qty_reason(int(c["qty_tonnes"]))
    if not reason and int(c["qty_tonnes"]) < int(state.rules[0]["auction_qty_min"]):
        reason = Reason.QTY_BELOW_MIN
    if not reason and int(c["mode"]) not in (Pricing.UNIFORM, Pricing.PAY_AS_BID):
        reason = Reason.MODE_INVALID
    return reason


def apply_session(state: State, c: Array, outcome: Outcome) -> None:
    """APPLY_SESSION: covered now, locked when the exchange publishes it (TR-13, TR-22, TR-81)."""
    account, instrument, side = int(c["account"]), int(c["instrument"]), int(c["side"])
    terms = (int(c["price_ticks"]), int(c["qty_tonnes"]))
    reason = application_reason(state, c)
    if not reason:
        reason, _ = cover(state, AUCTION, account, instrument, side, terms)
    if reason:
        return outcome.refuse(reason)
    state.ensure_sessions(1)
    row = int(state.market[0]["sessions"])
    state.market["sessions"] = row + 1
    session = state.sessions[row]
    session["applicant"], session["instrument"], session["side"] = account, instrument, side
    session["price_ticks"], session["qty_tonnes"] = terms
    session["pricing"], session["status"] = c["mode"], SessionStatus.APPLIED
    return _say(state, row, Event.SESSION_APPLIED, outcome)


def notice_session(state: State, c: Array, outcome: Outcome) -> None:
    """NOTICE_SESSION: the exchange approves; the applicant is locked until the end (TR-91)."""
    row = find_session(state, int(c["ref"]), SessionStatus.APPLIED)
    if row == 0:
        return outcome.refuse(Reason.UNKNOWN_SESSION)
    session = state.sessions[row]
    account, instrument, side = (int(session[f]) for f in ("applicant", "instrument", "side"))
    terms = (int(session["price_ticks"]), int(session["qty_tonnes"]))
    reason = d.phase_reason(state, d.DAYTIME) or d.halt_reason(state, instrument)
    reason = reason or d.window_reason(c)
    if not reason and d.blocked(state, account, side):
        reason = Reason.ACCOUNT_RESTRICTED
    lock = 0
    if not reason:
        reason, lock = cover(state, AUCTION, account, instrument, side, terms)
    if reason:
        return outcome.refuse(reason)
    fields = {"account": account, "instrument": instrument, "side": side}
    order_row = d.new_order(
        state, c, lock, kind=c["kind"], price_ticks=terms[0], qty_tonnes=terms[1], **fields
    )
    state.orders[order_row]["session"] = row
    frozen = freeze_order(state, AUCTION, order_row)
    d.open_order(state, order_row)
    session["order_row"], session["status"] = order_row, SessionStatus.NOTICED
    session["from_minute"], session["until_minute"] = c["from_minute"], c["until_minute"]
    return _say(
        state,
        row,
        Event.SESSION_NOTICED,
        outcome,
        amount_fen=frozen,
        other_order_no=d.order_no(state, order_row),
    )


def reject_session(state: State, c: Array, outcome: Outcome) -> None:
    """REJECT_SESSION: an application, or a session not yet open, ends."""
    row = find_session(state, int(c["ref"]), SessionStatus.APPLIED, SessionStatus.NOTICED)
    if row == 0:
        return outcome.refuse(Reason.UNKNOWN_SESSION)
    return end_session(state, row, Reason.DECLINED, outcome)


def end_session(state: State, row: int, reason: Reason, outcome: Outcome) -> None:
    """End a session without clearing; release the applicant and cancel what was bid."""
    session = state.sessions[row]
    order_row = int(session["order_row"])
    released = 0
    if order_row and int(state.orders[order_row]["status"]) == OrderStatus.OPEN:
        released = d.end_order(state, order_row, OrderStatus.CANCELLED, reason)
    session["status"] = SessionStatus.REJECTED
    _say(state, row, Event.SESSION_REJECTED, outcome, amount_fen=released, reason=int(reason))
    for bid in open_bids(state, row):
        d.cancel(state, bid, reason, outcome, other_order_no=session_no(state, row))


def end_if_seller(state: State, row: int, account: int, instrument: int, outcome: Outcome) -> None:
    """End a session if this account sells this instrument in it (a court's freeze)."""
    session = state.sessions[row]
    owner = (int(session["applicant"]), int(session["instrument"]), int(session["side"]))
    known = find_session(state, session_no(state, row), SessionStatus.NOTICED, SessionStatus.OPEN)
    if known and owner == (account, instrument, Side.SELL):
        end_session(state, row, Reason.COURT, outcome)


def open_session(state: State, c: Array, outcome: Outcome) -> None:
    """OPEN_SESSION: the window opens; bids are taken from now on."""
    row = find_session(state, int(c["ref"]), SessionStatus.NOTICED)
    if row == 0:
        return outcome.refuse(Reason.UNKNOWN_SESSION)
    instrument = int(state.sessions[row]["instrument"])
    reason = d.phase_reason(state, d.TRADING) or d.halt_reason(state, instrument)
    if reason:
        return outcome.refuse(reason)
    state.sessions[row]["status"] = SessionStatus.OPEN
    return _say(state, row, Event.SESSION_OPENED, outcome)


def bid_band(state: State, row: int) -> Pair:
    """Return the least and most a bid may name: from the limit to the far edge (TR-22)."""
    session = state.sessions[row]
    instrument, limit = state.instruments[int(session["instrument"])], int(session["price_ticks"])
    if int(session["side"]) == Side.SELL:
        return limit, int(instrument["auction_upper_limit_ticks"])
    return int(instrument["auction_lower_limit_ticks"]), limit


def bid_reason(state: State, c: Array) -> tuple[Reason, int]:
    """Return (the first reason against a bid but the ledger's, or NONE; its session's row)."""
    account, price, qty = int(c["account"]), int(c["price_ticks"]), int(c["qty_tonnes"])
    if not d.is_account(state, account):
        return Reason.UNKNOWN_ACCOUNT, 0
    reason = d.phase_reason(state, d.TRADING) or d.price_reason(price) or d.qty_reason(qty)
    if not reason and qty < int(state.rules[0]["auction_bid_qty_min"]):
        reason = Reason.QTY_BELOW_MIN
    if reason:
        return reason, 0
    row = find_session(state, int(c["ref"]), SessionStatus.OPEN)
    if row == 0:
        return Reason.UNKNOWN_SESSION, 0
    session = state.sessions[row]
    if d.halt_reason(state, int(session["instrument"])):
        return Reason.INSTRUMENT_HALTED, 0
    if int(session["applicant"]) == account:
        return Reason.SELF_TRADE, 0
    least, most = bid_band(state, row)
    if not least <= price <= most:
        return Reason.PRICE_OUT_OF_BAND, 0
    if d.too_many_open(state, account):
        return Reason.TOO_MANY_OPEN_ORDERS, 0
    restricted = d.blocked(state, account, 3 - int(session["side"]))
    return (Reason.ACCOUNT_RESTRICTED if restricted else Reason.NONE), row


def bid(state: State, c: Array, outcome: Outcome) -> None:
    """BID: sealed, locked in full at its own price (TR-89, TR-90)."""
    reason, row = bid_reason(state, c)
    lock = 0
    if not reason:
        instrument = int(state.sessions[row]["instrument"])
        side = 3 - int(state.sessions[row]["side"])
        terms = (int(c["price_ticks"]), int(c["qty_tonnes"]))
        reason, lock = cover(state, AUCTION, int(c["account"]), instrument, side, terms)
    if reason:
        return outcome.refuse(reason)
    order_row = d.new_order(state, c, lock, instrument=instrument, side=side)
    state.orders[order_row]["session"] = row
    frozen = freeze_order(state, AUCTION, order_row)
    d.open_order(state, order_row)
    return d.order_event(
        state,
        order_row,
        Event.ACCEPTED,
        outcome,
        other_order_no=session_no(state, row),
        leaves_qty=terms[1],
        amount_fen=frozen,
        modality=AUCTION,
    )


def cancel_bid(state: State, c: Array, outcome: Outcome) -> None:
    """CANCEL_BID: until the session closes (TR-89)."""
    account = int(c["account"])
    if not d.is_account(state, account):
        return outcome.refuse(Reason.UNKNOWN_ACCOUNT)
    if d.phase_reason(state, d.DAYTIME[1:], halts=False):
        return outcome.refuse(Reason.PHASE_CLOSED)
    row = d.find_order(state, int(c["ref"]), Kind.BID)
    if row == 0 or int(state.orders[row]["account"]) != account:
        return outcome.refuse(Reason.UNKNOWN_ORDER)
    number = session_no(state, int(state.orders[row]["session"]))
    d.cancel(state, row, Reason.BY_OWNER, outcome, other_order_no=number)
    return None


def open_bids(state: State, row: int) -> list[int]:
    """Return the rows of a session's open bids in order of arrival."""
    orders = state.orders[: int(state.market[0]["orders"])]
    mine = (orders["kind"] == Kind.BID) & (orders["session"] == row)
    found: list[int] = np.flatnonzero(mine & (orders["status"] == OrderStatus.OPEN)).tolist()
    return found


def ranked(state: State, row: int) -> list[int]:
    """Return the rows of the open bids by rank: better price, then earlier seq (TR-84, U34)."""
    sign = -1 if int(state.sessions[row]["side"]) == Side.SELL else 1

    def rank(bid_row: int) -> tuple[int, int]:
        order = state.orders[bid_row]
        return sign * int(order["price_ticks"]), int(order["seq"])

    return list(SortedKeyList(open_bids(state, row), key=rank))


def allotted(state: State, row: int, bids: list[int]) -> list[int]:
    """Return the quantity each ranked bid wins; the last one is cut (TR-86, TR-87)."""
    left = int(state.sessions[row]["qty_tonnes"])
    wins = []
    for bid_row in bids:
        wins.append(min(left, int(state.orders[bid_row]["leaves_qty"])))
        left -= wins[-1]
    return wins


def close_session(state: State, c: Array, outcome: Outcome) -> None:
    """CLOSE_SESSION: rank, deal, release the rest; fails without a bid (TR-84…88)."""
    row = find_session(state, int(c["ref"]), SessionStatus.OPEN)
    if row == 0:
        return outcome.refuse(Reason.UNKNOWN_SESSION)
    session = state.sessions[row]
    bids = ranked(state, row)
    wins = allotted(state, row, bids)
    dealt = sum(wins)
    last = max((i for i, qty in enumerate(wins) if qty), default=-1)
    clearing = int(state.orders[bids[last]]["price_ticks"]) if last >= 0 else 0
    order_row = int(session["order_row"])
    lock = int(state.orders[order_row]["frozen_fen"])
    status = OrderStatus.FILLED if dealt == int(session["qty_tonnes"]) else OrderStatus.CANCELLED
    reason = Reason.NONE if dealt else Reason.SESSION_FAILED
    released = d.end_order(state, order_row, status, reason)
    session["dealt_tonnes"], session["clearing_ticks"] = dealt, clearing
    session["status"] = SessionStatus.CLOSED if dealt else SessionStatus.FAILED
    _say(
        state,
        row,
        Event.SESSION_CLOSED,
        outcome,
        price_ticks=clearing,
        qty_tonnes=dealt,
        leaves_qty=int(session["qty_tonnes"]) - dealt,
        amount_fen=released,
        reason=int(reason),
    )
    state.orders[order_row]["frozen_fen"] = lock  # what a mirror applicant's fees may not exceed
    unsold = int(session["qty_tonnes"])
    for bid_row, qty in zip(bids, wins, strict=True):
        unsold -= qty
        _clear(state, c, row, bid_row, (clearing, qty, unsold), outcome)
    state.orders[order_row]["frozen_fen"] = 0
    return None


def _clear(
    state: State, c: Array, row: int, bid_row: int, won: tuple[int, int, int], outcome: Outcome
) -> None:
    """Deal with one bid: a trade for what it won, a cancellation for what it did not."""
    clearing, qty, unsold = won
    number = session_no(state, row)
    if qty == 0:
        d.cancel(state, bid_row, Reason.BID_LOST, outcome, other_order_no=number)
        return
    session, order = state.sessions[row], state.orders[bid_row]
    own = int(order["price_ticks"])
    price = own if int(session["pricing"]) == Pricing.PAY_AS_BID else clearing
    wanted, lock = int(order["leaves_qty"]), int(order["frozen_fen"])
    d.end_order(state, bid_row, OrderStatus.FILLED, Reason.NONE)
    order["frozen_fen"] = lock
    left = unsold if int(session["side"]) == Side.BUY else wanted - qty
    trade_no, fee, other_fee = d.trade(
        state, c, AUCTION, bid_row, int(session["order_row"]), price, qty, left
    )
    order["frozen_fen"] = 0
    d.order_event(
        state,
        bid_row,
        Event.TRADED,
        outcome,
        other_order_no=number,
        trade_no=trade_no,
        counterparty=int(session["applicant"]),
        price_ticks=price,
        qty_tonnes=qty,
        other_leaves_qty=unsold,
        amount_fen=price * qty,
        fee_fen=fee,
        other_fee_fen=other_fee,
        modality=AUCTION,
    )
    if wanted > qty:
        order["status"], order["reason"] = OrderStatus.CANCELLED, Reason.BID_CUT
        d.order_event(
            state,
            bid_row,
            Event.CANCELLED,
            outcome,
            other_order_no=number,
            qty_tonnes=wanted - qty,
            reason=int(Reason.BID_CUT),
            modality=AUCTION,
        )


def end_all(state: State, outcome: Outcome) -> None:
    """After the close lapsed all orders: sessions that were not cleared end (TR-86)."""
    for row in range(1, int(state.market[0]["sessions"])):
        if find_session(
            state,
            session_no(state, row),
            SessionStatus.APPLIED,
            SessionStatus.NOTICED,
            SessionStatus.OPEN,
        ):
            end_session(state, row, Reason.END_OF_DAY, outcome)


def _say(state: State, row: int, kind: Event, outcome: Outcome, **fields: int) -> None:
    """Write an event about a session."""
    session = state.sessions[row]
    known = {
        "order_no": session_no(state, row),
        "account": int(session["applicant"]),
        "instrument": int(session["instrument"]),
        "side": int(session["side"]),
        "price_ticks": int(session["price_ticks"]),
        "qty_tonnes": int(session["qty_tonnes"]),
        "modality": int(AUCTION),
        "mode": int(session["pricing"]),
        "from_minute": int(session["from_minute"]),
        "until_minute": int(session["until_minute"]),
    }
    outcome.add(kind, **{**known, **fields})
