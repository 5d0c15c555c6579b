"""The day cycle and its prices (TR-20…25, TR-30…34, TR-100…104, ST-04, ST-16, ST-17)."""

from __future__ import annotations

from tests.reference import composite
from tests.reference.endings import end_everything
from tests.reference.rounding import half_up
from tests.reference.trading_days import date_of, is_trading_day
from tests.reference.venue import Composite, Instrument, Limits, Venue
from tests.reference.vocabulary import (
    PRICE_TICKS_MAX,
    Command,
    Event,
    Modality,
    Parameter,
    Phase,
    Reason,
    refuse_if,
)

BANDS = {
    Modality.LISTED: Parameter.LISTED_BAND_BP,
    Modality.BULK: Parameter.BULK_BAND_BP,
    Modality.AUCTION: Parameter.AUCTION_BAND_BP,
}
STEPS = {
    Phase.MORNING: Phase.PRE_OPEN,
    Phase.LUNCH: Phase.MORNING,
    Phase.AFTERNOON: Phase.LUNCH,
}  # phase -> the only phase it may follow


def price_limits(reference: int, band_bp: int) -> Limits:
    """Lower and upper limit in ticks, each rounded half up (TR-23), and a price one may declare."""
    lower = half_up(reference * (10_000 - band_bp), 10_000)
    upper = half_up(reference * (10_000 + band_bp), 10_000)
    return Limits(max(1, lower), min(upper, PRICE_TICKS_MAX))


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
    venue.halted = False
    for day_list in (venue.orders, venue.negotiations, venue.sessions, venue.trades):
        day_list.clear()
    change_phase(venue, Phase.PRE_OPEN)
    for instrument in venue.instruments:
        begin_instrument(venue, instrument, new_year)
    weights = sum(instrument.weight for instrument in venue.instruments)
    venue.composite = Composite(venue.composite.close, weights)


def begin_instrument(venue: Venue, instrument: Instrument, new_year: bool) -> None:
    """Empty the figures of one vintage and set its limits (TR-20…22, TR-25)."""
    instrument.open = instrument.high = instrument.low = instrument.last = 0
    for totals in instrument.totals.values():
        totals.day_qty = totals.day_turnover = 0
        if new_year:
            totals.year_qty = totals.year_turnover = 0
    reference = instrument.reference = instrument.close
    free = not instrument.days and venue.parameters[Parameter.FREE_FIRST_DAY]  # VM-08
    instrument.days += 1
    for modality, band in BANDS.items():
        limits = price_limits(reference, venue.parameters[band])
        if free:
            limits = Limits(1, venue.parameters[Parameter.FIRST_DAY_UPPER_TICKS])
        instrument.limits[modality] = limits
    listed = instrument.limits[Modality.LISTED]
    venue.tell(Event.REFERENCE_SET, instrument=instrument.number, price_ticks=reference)
    venue.tell(Event.UPPER_LIMIT_SET, instrument=instrument.number, price_ticks=listed.upper)
    venue.tell(Event.LOWER_LIMIT_SET, instrument=instrument.number, price_ticks=listed.lower)


def do_set_phase(venue: Venue, command: Command) -> None:
    """SET_PHASE: one step forward inside the trading day."""
    phase = command["ref"]
    refuse_if(phase not in STEPS or STEPS[phase] is not venue.phase, Reason.PHASE_ORDER)
    change_phase(venue, Phase(phase))


def do_close_day(venue: Venue, command: Command) -> None:
    """CLOSE_DAY: end what is open (TR-43, ST-16), closing prices (TR-100, TR-104), reports."""
    refuse_if(venue.phase is not Phase.AFTERNOON, Reason.PHASE_ORDER)
    end_everything(venue)
    for instrument in venue.instruments:
        set_close(instrument)
        tell_close(venue, instrument)
    composite.set_close(venue)
    composite.tell_figures(venue)
    large = venue.parameters[Parameter.LARGE_HOLDER_TONNES]
    for account in venue.accounts:
        if large and account.tonnes >= large:  # TR-112
            venue.tell(Event.LARGE_HOLDER, account=account.number, qty_tonnes=account.tonnes)
    change_phase(venue, Phase.CLOSED)


def set_close(instrument: Instrument) -> None:
    """The close: turnover over volume of the listed trades, else the reference (TR-100)."""
    listed = instrument.totals[Modality.LISTED]
    instrument.close = instrument.reference
    if listed.day_qty:
        instrument.close = half_up(listed.day_turnover, listed.day_qty)


def tell_close(venue: Venue, instrument: Instrument) -> None:
    """Tell the close with the listed volume and turnover."""
    listed = instrument.totals[Modality.LISTED]
    venue.tell(
        Event.CLOSE_SET,
        instrument=instrument.number,
        price_ticks=instrument.close,
        qty_tonnes=listed.day_qty,
        amount_fen=listed.day_turnover,
    )


def do_confirm_day(venue: Venue, command: Command) -> None:
    """CONFIRM_DAY: both institutions stand by the deal file (ST-04)."""
    refuse_if(venue.phase not in (Phase.CLOSED, Phase.DISPUTED), Reason.PHASE_ORDER)
    standing = sum(not trade.void for trade in venue.trades.values())
    refuse_if(command["amount"] != standing, Reason.FILE_DIFFERS)
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
