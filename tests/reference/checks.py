"""The checks that commands share, each refusing with the contract's reason."""

from __future__ import annotations

from tests.reference.venue import Account, Instrument, Venue
from tests.reference.vocabulary import (
    PRICE_TICKS_MAX,
    QTY_TONNES_MAX,
    Command,
    Modality,
    Parameter,
    Phase,
    Reason,
    Side,
    refuse_if,
)

DAYTIME = (Phase.PRE_OPEN, Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON)
ENTRY = (Phase.MORNING, Phase.AFTERNOON)  # TR-30, TR-33
CANCELLING = (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON)  # TR-34
AT_REST = (Phase.NEW, Phase.POSTED)
NOT_SETTLING = (*AT_REST, *DAYTIME)


def known_account(venue: Venue, command: Command) -> Account:
    """Return the account named, or refuse."""
    number = command["account"]
    refuse_if(not 0 <= number < len(venue.accounts), Reason.UNKNOWN_ACCOUNT)
    return venue.accounts[number]


def known_instrument(venue: Venue, command: Command) -> Instrument:
    """Return the instrument named, or refuse (RG-24)."""
    number = command["instrument"]
    refuse_if(not 0 <= number < len(venue.instruments), Reason.UNKNOWN_INSTRUMENT)
    return venue.instruments[number]


def check_phase(venue: Venue, phases: tuple[Phase, ...]) -> None:
    """Refuse outside the phases that take the command."""
    refuse_if(venue.phase not in phases, Reason.PHASE_CLOSED)


def check_block(account: Account, bits: int) -> None:
    """Refuse what the account is restricted from; ``bits`` may be a side (TR-115, TR-116)."""
    blocked = bits > 0 and account.blocks & bits == bits and bits & (bits - 1) == 0
    refuse_if(blocked, Reason.ACCOUNT_RESTRICTED)


def check_market_halt(venue: Venue) -> None:
    """Refuse while the market is halted (TR-117)."""
    refuse_if(venue.halted, Reason.MARKET_HALTED)


def check_instrument_halt(instrument: Instrument) -> None:
    """Refuse while the instrument is halted (TR-117)."""
    refuse_if(instrument.halted, Reason.INSTRUMENT_HALTED)


def checked_side(number: int) -> Side:
    """Return the side, or refuse."""
    refuse_if(number not in (Side.BUY, Side.SELL), Reason.SIDE_INVALID)
    return Side(number)


def check_price(price: int) -> None:
    """Refuse a price that is not a positive number of ticks (TR-10)."""
    refuse_if(not 1 <= price <= PRICE_TICKS_MAX, Reason.PRICE_INVALID)


def check_band(instrument: Instrument, price: int, modality: Modality = Modality.LISTED) -> None:
    """Refuse a price outside the day's limits (TR-20…22, TR-26)."""
    refuse_if(not instrument.limits[modality].hold(price), Reason.PRICE_OUT_OF_BAND)


def check_qty(qty: int) -> None:
    """Refuse a quantity that is not one (TR-10)."""
    refuse_if(not 1 <= qty <= QTY_TONNES_MAX, Reason.QTY_INVALID)


def check_qty_max(venue: Venue, qty: int) -> None:
    """Refuse what is too large for a listed declaration (TR-11)."""
    refuse_if(qty > venue.parameters[Parameter.LISTED_QTY_MAX], Reason.QTY_ABOVE_MAX)


def check_qty_min(venue: Venue, parameter: Parameter, qty: int) -> None:
    """Refuse what is too small for this way of trading (TR-12, TR-13)."""
    refuse_if(qty < venue.parameters[parameter], Reason.QTY_BELOW_MIN)


def check_open_orders(venue: Venue, account: Account) -> None:
    """Refuse one open order too many."""
    most = venue.parameters[Parameter.OPEN_ORDERS_MAX]
    refuse_if(0 < most <= account.open_orders, Reason.TOO_MANY_OPEN_ORDERS)
