"""A trader's own brakes: cancel many at once, when the line is lost, when a timer runs out.

All three are commands like any other (reliability.md 4.3): they survive a restart of the venue,
and the exchange, not the gateway, says what they did. Contract: docs/reference/engine-control.md.
"""

from __future__ import annotations

from engine import declarations as d
from engine.control import cancel_any, end_answers, matching_orders
from engine.outcome import Outcome
from engine.reasons import Reason
from engine.records import Cause, Event, Side
from engine.state import Array, State

TIMER_MS_MIN = 1_000
TIMER_MS_MAX = 24 * 3600 * 1000
_MS_NS = 1_000_000
_WHY = {
    Cause.OWNER: Reason.BY_OWNER,
    Cause.DISCONNECT: Reason.DISCONNECTED,
    Cause.TIMER: Reason.TIMER_EXPIRED,
}


def mass_cancel(state: State, c: Array, outcome: Outcome) -> None:
    """MASS_CANCEL: end an account's open orders and answers, of an instrument or side if named."""
    account, instrument, side = int(c["account"]), int(c["instrument"]), int(c["side"])
    reason = _mass_cancel_reason(state, c)
    if reason:
        return outcome.refuse(reason)
    cause = Cause(int(c["mode"]))
    why, row = _WHY[cause], state.accounts[account]
    rows = matching_orders(state, account, instrument, side)
    for order_row in rows:
        cancel_any(state, order_row, why, outcome)
    end_answers(state, account, instrument, why, outcome, side)
    if cause == Cause.TIMER:
        row["cancel_at_ns"] = 0
    elif cause == Cause.DISCONNECT:
        row["cancel_on_disconnect"] = 0
    named = {"account": account, "instrument": instrument, "side": side}
    return outcome.add(Event.MASS_CANCELLED, **named, qty_tonnes=len(rows), reason=int(why))


def _mass_cancel_reason(state: State, c: Array) -> Reason:
    account, instrument = int(c["account"]), int(c["instrument"])
    if not d.is_account(state, account):
        return Reason.UNKNOWN_ACCOUNT
    if instrument != -1 and not d.is_instrument(state, instrument):
        return Reason.UNKNOWN_INSTRUMENT
    if int(c["side"]) not in list(Side):
        return Reason.SIDE_INVALID
    cause = int(c["mode"])
    if cause not in list(Cause):
        return Reason.PARAMETER_INVALID
    due_ns = int(state.accounts[account]["cancel_at_ns"])
    if cause == Cause.TIMER and not 0 < due_ns <= int(c["time_ns"]):
        return Reason.TIMER_NOT_DUE
    if cause == Cause.OWNER and state.market[0]["phase"] not in d.DAYTIME[1:]:
        return Reason.PHASE_CLOSED
    return Reason.NONE


def set_timer(state: State, c: Array, outcome: Outcome) -> None:
    """SET_TIMER: the account's orders are to end ``amount`` milliseconds from now; 0 = never."""
    account, timeout_ms = int(c["account"]), int(c["amount"])
    if not d.is_account(state, account):
        return outcome.refuse(Reason.UNKNOWN_ACCOUNT)
    if timeout_ms != 0 and not TIMER_MS_MIN <= timeout_ms <= TIMER_MS_MAX:
        return outcome.refuse(Reason.PARAMETER_INVALID)
    due_ns = int(c["time_ns"]) + timeout_ms * _MS_NS if timeout_ms else 0
    state.accounts["cancel_at_ns"][account] = due_ns
    return outcome.add(Event.TIMER_SET, account=account, amount_fen=timeout_ms)


def set_disconnect(state: State, c: Array, outcome: Outcome) -> None:
    """SET_DISCONNECT: whether the account's orders end when its last line is lost (0 or 1)."""
    account, wanted = int(c["account"]), int(c["amount"])
    if not d.is_account(state, account):
        return outcome.refuse(Reason.UNKNOWN_ACCOUNT)
    if wanted not in (0, 1):
        return outcome.refuse(Reason.PARAMETER_INVALID)
    state.accounts["cancel_on_disconnect"][account] = wanted
    return outcome.add(Event.DISCONNECT_SET, account=account, amount_fen=wanted)
