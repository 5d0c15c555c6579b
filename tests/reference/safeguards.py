"""A trader's own brakes: mass cancel, the timer, cancel on disconnect (TR-43)."""

from __future__ import annotations

from tests.reference.checks import CANCELLING, check_phase, known_account, known_instrument
from tests.reference.endings import end_talk, end_with_talks
from tests.reference.orders import Role
from tests.reference.venue import Account, Venue
from tests.reference.vocabulary import (
    Cause,
    Command,
    Event,
    Reason,
    Side,
    refuse_if,
)

ANY = -1
BOTH_SIDES = 0
TIMER_MS = range(1_000, 86_400_000 + 1)
MS_NS = 1_000_000
WHY = {
    Cause.OWNER: Reason.BY_OWNER,
    Cause.DISCONNECT: Reason.DISCONNECTED,
    Cause.TIMER: Reason.TIMER_EXPIRED,
}


def do_mass_cancel(venue: Venue, command: Command) -> None:
    """MASS_CANCEL: the account's open orders, then the talks in which it answers."""
    account, cause = check_mass_cancel(venue, command)
    why, vintages = WHY[cause], {command["instrument"]}
    if command["instrument"] == ANY:
        vintages = {row.number for row in venue.instruments}
    sides = {Side.BUY, Side.SELL} if command["side"] == BOTH_SIDES else {Side(command["side"])}
    doomed = [
        order
        for _, order in sorted(venue.resting.items())
        if order.account is account and order.role is not Role.APPLICATION
        if order.instrument.number in vintages and order.side in sides
    ]
    for order in doomed:
        end_with_talks(venue, order, why, Reason.OFFER_GONE)
    for talk in venue.negotiations:
        answers = talk.is_open and talk.responder is account
        if answers and talk.offer.instrument.number in vintages and talk.offer.side.other in sides:
            end_talk(venue, talk, account, why)
    if cause is Cause.TIMER:
        account.cancel_at_ns = 0
    if cause is Cause.DISCONNECT:
        account.cancel_on_disconnect = 0
    venue.tell(
        Event.MASS_CANCELLED,
        account=account.number,
        instrument=command["instrument"],
        side=command["side"],
        qty_tonnes=len(doomed),
        reason=why,
    )


def check_mass_cancel(venue: Venue, command: Command) -> tuple[Account, Cause]:
    """Return whose orders are to go and why, or refuse in the contract's order."""
    account = known_account(venue, command)
    if command["instrument"] != ANY:
        known_instrument(venue, command)
    refuse_if(command["side"] not in (BOTH_SIDES, Side.BUY, Side.SELL), Reason.SIDE_INVALID)
    refuse_if(command["mode"] not in list(Cause), Reason.PARAMETER_INVALID)
    cause = Cause(command["mode"])
    if cause is Cause.TIMER:
        due_ns = account.cancel_at_ns
        refuse_if(due_ns == 0 or due_ns > command["time_ns"], Reason.TIMER_NOT_DUE)
    if cause is Cause.OWNER:
        check_phase(venue, CANCELLING)
    return account, cause


def do_set_timer(venue: Venue, command: Command) -> None:
    """SET_TIMER: a dead man's switch, set anew each time; 0 switches it off."""
    account, timeout_ms = known_account(venue, command), command["amount"]
    refuse_if(timeout_ms != 0 and timeout_ms not in TIMER_MS, Reason.PARAMETER_INVALID)
    account.cancel_at_ns = command["time_ns"] + timeout_ms * MS_NS if timeout_ms else 0
    venue.tell(Event.TIMER_SET, account=account.number, amount_fen=timeout_ms)


def do_set_disconnect(venue: Venue, command: Command) -> None:
    """SET_DISCONNECT: whether a lost line is to cancel."""
    account, wanted = known_account(venue, command), command["amount"]
    refuse_if(wanted not in (0, 1), Reason.PARAMETER_INVALID)
    account.cancel_on_disconnect = wanted
    venue.tell(Event.DISCONNECT_SET, account=account.number, amount_fen=wanted)
