"""Restrictions, guard, limits, warnings, halts, the kill switch (TR-111…117)."""

from __future__ import annotations

from tests.reference.checks import check_phase, known_account, known_instrument
from tests.reference.endings import end_talk, end_with_talks
from tests.reference.orders import Order, Role
from tests.reference.venue import Account, Instrument, Venue
from tests.reference.vocabulary import (
    BLOCKS_MAX,
    QTY_TONNES_MAX,
    Command,
    Event,
    Phase,
    Reason,
    refuse_if,
)

WARNING_STAGES = range(1, 5)  # asked, interviewed, warned, published


def do_block_account(venue: Venue, command: Command) -> None:
    """BLOCK_ACCOUNT: what the account may not do from now on (TR-115)."""
    account = known_account(venue, command)
    bits = command["amount"]
    refuse_if(not 0 <= bits <= BLOCKS_MAX, Reason.PARAMETER_INVALID)
    account.blocks = bits
    venue.tell(Event.ACCOUNT_BLOCKED, account=account.number, qty_tonnes=bits)


def do_guard_holding(venue: Venue, command: Command) -> None:
    """GUARD_HOLDING: tonnes that are needed for surrender (TR-116)."""
    account = known_account(venue, command)
    instrument = known_instrument(venue, command)
    qty = command["qty_tonnes"]
    refuse_if(not 0 <= qty <= QTY_TONNES_MAX, Reason.QTY_INVALID)
    account.holdings[instrument.number].guarded = qty
    venue.tell(
        Event.HOLDING_GUARDED,
        account=account.number,
        instrument=instrument.number,
        qty_tonnes=qty,
    )


def do_limit_holding(venue: Venue, command: Command) -> None:
    """LIMIT_HOLDING: the most an account may hold and be buying (TR-111)."""
    account = known_account(venue, command)
    qty = command["qty_tonnes"]
    refuse_if(not 0 <= qty <= QTY_TONNES_MAX, Reason.QTY_INVALID)
    account.holding_max = qty
    venue.tell(Event.HOLDING_LIMITED, account=account.number, qty_tonnes=qty)


def do_warn_account(venue: Venue, command: Command) -> None:
    """WARN_ACCOUNT: the stage of a risk warning (TR-113)."""
    account = known_account(venue, command)
    stage = command["amount"]
    refuse_if(stage not in WARNING_STAGES, Reason.PARAMETER_INVALID)
    account.warned_stage = stage
    venue.tell(Event.ACCOUNT_WARNED, account=account.number, qty_tonnes=stage)


def do_halt_instrument(venue: Venue, command: Command) -> None:
    """HALT_INSTRUMENT (TR-117)."""
    instrument = known_instrument(venue, command)
    refuse_if(instrument.halted, Reason.PHASE_ORDER)
    instrument.halted = True
    venue.tell(Event.INSTRUMENT_HALTED_NOW, instrument=instrument.number)


def do_resume_instrument(venue: Venue, command: Command) -> None:
    """RESUME_INSTRUMENT."""
    instrument = known_instrument(venue, command)
    refuse_if(not instrument.halted, Reason.PHASE_ORDER)
    instrument.halted = False
    venue.tell(Event.INSTRUMENT_RESUMED, instrument=instrument.number)


def do_halt_market(venue: Venue, command: Command) -> None:
    """HALT_MARKET (TR-117)."""
    refuse_if(venue.halted, Reason.PHASE_ORDER)
    venue.halted = True
    venue.tell(Event.MARKET_HALTED_NOW)


def do_resume_market(venue: Venue, command: Command) -> None:
    """RESUME_MARKET."""
    refuse_if(not venue.halted, Reason.PHASE_ORDER)
    venue.halted = False
    venue.tell(Event.MARKET_RESUMED)


def do_kill(venue: Venue, command: Command) -> None:
    """KILL: cancel what matches, then block, halt the vintage or halt the market."""
    account = None if command["account"] == -1 else known_account(venue, command)
    bad = account is not None and not 0 <= command["amount"] <= BLOCKS_MAX
    refuse_if(bad, Reason.PARAMETER_INVALID)
    instrument = None if command["instrument"] == -1 else known_instrument(venue, command)
    check_phase(venue, (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON))
    doomed = [
        order
        for _, order in sorted(venue.resting.items())
        if order.role is not Role.APPLICATION and matches(order, account, instrument)
    ]
    for order in doomed:
        if order.is_open:  # else gone with its offer
            end_with_talks(venue, order, Reason.KILLED, Reason.KILLED)
    for talk in venue.negotiations:
        vintage = instrument in (None, talk.offer.instrument)
        if talk.is_open and talk.responder is account and vintage:
            end_talk(venue, talk, talk.responder, Reason.KILLED)
    if account is not None:
        account.blocks |= command["amount"]
    elif instrument is not None:
        instrument.halted = True
    else:
        venue.halted = True
    venue.tell(
        Event.KILLED_NOW,
        account=command["account"],
        instrument=command["instrument"],
        qty_tonnes=len(doomed),
    )


def matches(order: Order, account: Account | None, instrument: Instrument | None) -> bool:
    """Whether the order is of that account and instrument; None means any."""
    if account is not None and order.account is not account:
        return False
    return instrument is None or order.instrument is instrument
