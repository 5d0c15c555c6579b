"""Accounts, money and tonnes in and out, instruments, parameters (TR-14, TR-24, RG-06, ST-14)."""

from __future__ import annotations

from tests.reference.checks import (
    AT_REST,
    DAYTIME,
    NOT_SETTLING,
    check_block,
    check_phase,
    check_qty,
    known_account,
    known_instrument,
)
from tests.reference.venue import Account, Instrument, Venue
from tests.reference.vocabulary import (
    BLOCK_CASH_OUT,
    BLOCK_TRANSFER_IN,
    BLOCK_TRANSFER_OUT,
    BOUNDS,
    CASH_FEN_MAX,
    MARKET_CASH_FEN_MAX,
    PRICE_TICKS_MAX,
    QTY_TONNES_MAX,
    Command,
    Event,
    Mode,
    Parameter,
    Reason,
    refuse_if,
)


def check_instruction(venue: Venue, command: Command) -> None:
    """Refuse a numbered instruction of the registry that was done before."""
    done = 0 < command["ref"] <= venue.instruction_no
    refuse_if(done, Reason.DUPLICATE_INSTRUCTION)


def note_instruction(venue: Venue, command: Command) -> None:
    """Remember the number of an instruction that was done."""
    if command["ref"] > 0:
        venue.instruction_no = command["ref"]


def do_open_account(venue: Venue, command: Command) -> None:
    """OPEN_ACCOUNT: the next row, nothing else (TR-08)."""
    check_instruction(venue, command)
    number = command["account"]
    refuse_if(number != len(venue.accounts), Reason.ACCOUNT_EXISTS)
    venue.accounts.append(Account(number))
    note_instruction(venue, command)
    venue.tell(Event.ACCOUNT_OPENED, account=number)


def do_cash_in(venue: Venue, command: Command) -> None:
    """CASH_IN: available at once (ST-14)."""
    check_instruction(venue, command)
    account = known_account(venue, command)
    check_phase(venue, NOT_SETTLING)
    amount = command["amount"]
    balance = account.cash_available + account.cash_frozen
    refuse_if(amount < 1 or balance + amount > CASH_FEN_MAX, Reason.AMOUNT_INVALID)
    refuse_if(venue.cash_in + amount > MARKET_CASH_FEN_MAX, Reason.AMOUNT_INVALID)
    account.cash_available += amount
    venue.cash_in += amount
    note_instruction(venue, command)
    venue.tell(Event.CASH_MOVED_IN, account=account.number, amount_fen=amount)


def do_cash_out(venue: Venue, command: Command) -> None:
    """CASH_OUT: only settled, unlocked money (TR-48, ST-14)."""
    account = known_account(venue, command)
    check_block(account, BLOCK_CASH_OUT)
    check_phase(venue, DAYTIME)
    amount = command["amount"]
    refuse_if(amount < 1, Reason.AMOUNT_INVALID)
    refuse_if(amount > account.cash_available, Reason.INSUFFICIENT_FUNDS)
    settled = account.cash_available - account.proceeds_today
    refuse_if(amount > settled, Reason.CASH_NOT_SETTLED)
    account.cash_available -= amount
    venue.cash_in -= amount
    venue.tell(Event.CASH_MOVED_OUT, account=account.number, amount_fen=amount)


def do_transfer_in(venue: Venue, command: Command) -> None:
    """TRANSFER_IN: from the registry side, sellable at once (RG-07, RG-23)."""
    check_instruction(venue, command)
    account = known_account(venue, command)
    check_block(account, BLOCK_TRANSFER_IN)
    instrument = known_instrument(venue, command)
    check_phase(venue, NOT_SETTLING)
    qty = command["qty_tonnes"]
    check_qty(qty)
    holding = account.holdings[instrument.number]
    refuse_if(holding.total + qty > QTY_TONNES_MAX, Reason.QTY_INVALID)
    holding.available += qty
    instrument.tonnes_in += qty
    note_instruction(venue, command)
    tell_transfer(venue, Event.HOLDING_MOVED_IN, account, instrument, qty)


def do_transfer_out(venue: Venue, command: Command) -> None:
    """TRANSFER_OUT: nothing locked, nothing bought today (RG-06, RG-08)."""
    account = known_account(venue, command)
    check_block(account, BLOCK_TRANSFER_OUT)
    instrument = known_instrument(venue, command)
    check_phase(venue, DAYTIME)
    qty = command["qty_tonnes"]
    check_qty(qty)
    check_movable(venue, account, instrument, qty)
    account.holdings[instrument.number].available -= qty
    instrument.tonnes_in -= qty
    tell_transfer(venue, Event.HOLDING_MOVED_OUT, account, instrument, qty)


def check_movable(venue: Venue, account: Account, instrument: Instrument, qty: int) -> None:
    """Refuse tonnes that are not there, were bought today, or are guarded (RG-08, TR-116)."""
    holding = account.holdings[instrument.number]
    if holding.available < qty:
        bought = holding.available + holding.bought_today >= qty
        refuse_if(bought, Reason.HOLDING_BOUGHT_TODAY)
        refuse_if(True, Reason.INSUFFICIENT_HOLDING)
    if not venue.parameters[Parameter.GOODS_T_PLUS]:
        more = net_bought_today(venue, account, instrument)
        refuse_if(holding.available - more < qty, Reason.HOLDING_BOUGHT_TODAY)
    refuse_if(holding.available - holding.guarded < qty, Reason.SELL_GUARDED)


def net_bought_today(venue: Venue, account: Account, instrument: Instrument) -> int:
    """What an account bought less what it sold of a vintage today, at least 0."""
    standing = [t for t in venue.trades.values() if t.instrument is instrument and not t.void]
    bought = sum(trade.qty for trade in standing if trade.buyer is account)
    sold = sum(trade.qty for trade in standing if trade.seller is account)
    return max(0, bought - sold)


def tell_transfer(
    venue: Venue, kind: Event, account: Account, instrument: Instrument, qty: int
) -> None:
    """Tell that tonnes came or went."""
    venue.tell(kind, account=account.number, instrument=instrument.number, qty_tonnes=qty)


def do_admit_instrument(venue: Venue, command: Command) -> None:
    """ADMIT_INSTRUMENT: the next row; first reference given, or the composite close (TR-24)."""
    check_phase(venue, AT_REST)
    number = len(venue.instruments)
    refuse_if(command["instrument"] != number, Reason.INSTRUMENT_EXISTS)
    price = command["price_ticks"] or venue.composite.close
    refuse_if(not 1 <= price <= PRICE_TICKS_MAX, Reason.PRICE_INVALID)
    refuse_if(command["mode"] not in list(Mode), Reason.PARAMETER_INVALID)
    instrument = Instrument(number, command["client_order_id"], Mode(command["mode"]), price)
    instrument.reference = price
    venue.instruments.append(instrument)
    venue.tell(Event.INSTRUMENT_ADMITTED, instrument=number, price_ticks=price)


def do_set_parameter(venue: Venue, command: Command) -> None:
    """SET_PARAMETER: change a rule while the market rests (TR-14, TR-27, TR-132)."""
    check_phase(venue, AT_REST)
    number, value = command["ref"], command["amount"]
    refuse_if(number not in BOUNDS, Reason.UNKNOWN_PARAMETER)
    is_weight = number == Parameter.COMPOSITE_WEIGHT
    instrument = known_instrument(venue, command) if is_weight else None
    least, most = BOUNDS[number]
    refuse_if(not least <= value <= most, Reason.PARAMETER_INVALID)
    if instrument is not None:
        instrument.weight = value
    else:
        venue.parameters[number] = value
    venue.tell(
        Event.PARAMETER_CHANGED,
        order_no=number,
        qty_tonnes=value,
        instrument=-1 if instrument is None else instrument.number,
    )
