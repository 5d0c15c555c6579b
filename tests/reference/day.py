"""The day cycle and its prices (TR-20…25, TR-30…34, TR-100…104, ST-04, ST-16, ST-17)."""

from __future__ import annotations

from tests.reference.ledger import half_up
from tests.reference.trading import end_resting
from tests.reference.trading_days import date_of, is_trading_day
from tests.reference.venue import Instrument, Venue
from tests.reference.vocabulary import (
    PRICE_TICKS_MAX,
    Command,
    Event,
    Parameter,
    Phase,
    Reason,
    Status,
    refuse_if,
)

STEPS = {
    Phase.MORNING: Phase.PRE_OPEN,
    Phase.LUNCH: Phase.MORNING,
    Phase.AFTERNOON: Phase.LUNCH,
}  # phase -> the only phase it may follow


def price_limits(reference: int, band_bp: int) -> tuple[int, int]:
    """Lower and upper limit in ticks, each rounded half up (TR-23), and a price one may declare."""
    lower = half_up(reference * (10_000 - band_bp), 10_000)
    upper = half_up(reference * (10_000 + band_bp), 10_000)
    return max(1, lower), min(upper, PRICE_TICKS_MAX)


def change_phase(venue: Venue, phase: Phase) -> None:
    """Enter a phase and tell it."""
    venue.phase = phase
    venue.tell(Event.PHASE_CHANGED)


def do_begin_day(venue: Venue, command: Command) -> None:
    """BEGIN_DAY: a date, empty figures, the day's price limits."""
    evening = (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED)
    refuse_if(venue.phase in evening, Reason.DAY_UNCONFIRMED)
    refuse_if(venue.phase not in (Phase.NEW, Phase.POSTED), Reason.PHASE_ORDER)
    day = date_of(command["ref"])
    trades_then = day is not None and is_trading_day(day)
    refuse_if(not trades_then or command["ref"] <= venue.date, Reason.DATE_INVALID)
    new_year = command["ref"] // 10_000 != venue.date // 10_000
    venue.date = command["ref"]
    venue.orders.clear()
    change_phase(venue, Phase.PRE_OPEN)
    for instrument in venue.instruments:
        begin_instrument(venue, instrument, new_year)


def begin_instrument(venue: Venue, instrument: Instrument, new_year: bool) -> None:
    """Empty the figures of one vintage and set its limits (TR-20, TR-21, TR-25)."""
    instrument.open = instrument.high = instrument.low = instrument.last = 0
    instrument.day_qty = instrument.day_turnover = 0
    if new_year:
        instrument.year_qty = instrument.year_turnover = 0
    reference = instrument.reference = instrument.close
    listed_bp = venue.parameters[Parameter.LISTED_BAND_BP]
    bulk_bp = venue.parameters[Parameter.BULK_BAND_BP]
    lower, upper = price_limits(reference, listed_bp)
    instrument.lower_limit, instrument.upper_limit = lower, upper
    instrument.bulk_lower_limit, instrument.bulk_upper_limit = price_limits(reference, bulk_bp)
    venue.tell(Event.REFERENCE_SET, instrument=instrument.number, price_ticks=reference)
    venue.tell(Event.UPPER_LIMIT_SET, instrument=instrument.number, price_ticks=upper)
    venue.tell(Event.LOWER_LIMIT_SET, instrument=instrument.number, price_ticks=lower)


def do_set_phase(venue: Venue, command: Command) -> None:
    """SET_PHASE: one step forward inside the trading day."""
    phase = command["ref"]
    refuse_if(phase not in STEPS or STEPS[phase] is not venue.phase, Reason.PHASE_ORDER)
    change_phase(venue, Phase(phase))


def do_close_day(venue: Venue, command: Command) -> None:
    """CLOSE_DAY: lapse what is open (TR-43, ST-16), then the closing prices (TR-100, TR-104)."""
    refuse_if(venue.phase is not Phase.AFTERNOON, Reason.PHASE_ORDER)
    for number in sorted(venue.resting):
        order = venue.resting[number]
        end_resting(venue, order, Event.LAPSED, Status.LAPSED, Reason.END_OF_DAY)
    for instrument in venue.instruments:
        if instrument.day_qty:
            instrument.close = half_up(instrument.day_turnover, instrument.day_qty)
        venue.tell(
            Event.CLOSE_SET,
            instrument=instrument.number,
            price_ticks=instrument.close,
            qty_tonnes=instrument.day_qty,
            amount_fen=instrument.day_turnover,
        )
    weights = sum(instrument.weight for instrument in venue.instruments)
    if weights:
        weighted = sum(instrument.close * instrument.weight for instrument in venue.instruments)
        venue.composite_close = half_up(weighted, weights)
    venue.tell(Event.COMPOSITE_SET, price_ticks=venue.composite_close)
    change_phase(venue, Phase.CLOSED)


def do_confirm_day(venue: Venue, command: Command) -> None:
    """CONFIRM_DAY: both institutions stand by the deal file (ST-04)."""
    refuse_if(venue.phase not in (Phase.CLOSED, Phase.DISPUTED), Reason.PHASE_ORDER)
    venue.file_tag = command["ref"]
    change_phase(venue, Phase.CONFIRMED)


def do_dispute_day(venue: Venue, command: Command) -> None:
    """DISPUTE_DAY: the books differ; no posting, no next day (ST-17)."""
    refuse_if(venue.phase is not Phase.CLOSED, Reason.PHASE_ORDER)
    change_phase(venue, Phase.DISPUTED)


def do_post_day(venue: Venue, command: Command) -> None:
    """POST_DAY: what was bought becomes available, proceeds may leave (ST-16)."""
    refuse_if(venue.phase is not Phase.CONFIRMED, Reason.PHASE_ORDER)
    refuse_if(command["ref"] != venue.file_tag, Reason.FILE_DIFFERS)
    for account in venue.accounts:
        account.proceeds_today = 0
        for holding in account.holdings.values():
            holding.available += holding.bought_today
            holding.bought_today = holding.sold_today = 0
    change_phase(venue, Phase.POSTED)
