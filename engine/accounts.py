"""Accounts, money and goods in and out, instruments and parameters: the rare commands.

Plain Python over the arrays; the same rule as everywhere: refusals first, then the writes.
"""

from __future__ import annotations

from engine.outcome import Outcome
from engine.reasons import Reason
from engine.records import (
    CASH_FEN_MAX,
    MARKET_CASH_FEN_MAX,
    PRICE_TICKS_MAX,
    QTY_TONNES_MAX,
    RULES,
    AccountStatus,
    Block,
    Event,
    Mode,
    Parameter,
    Phase,
)
from engine.state import Array, State

_RESTING = (Phase.NEW, Phase.POSTED)
_EVENING = (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED)
_WINDOW_OUT = (Phase.PRE_OPEN, Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON)
_BP_BOUNDS = (1, 9_999)
_QTY_BOUNDS = (1, QTY_TONNES_MAX)
_FLAG = (0, 1)
_PARTS = ("available", "frozen", "bought_today", "judicial")
_FEE_BOUNDS = (0, 100_000)

PARAMETER_BOUNDS: dict[int, tuple[int, int]] = {
    Parameter.LISTED_BAND_BP: _BP_BOUNDS,
    Parameter.BULK_BAND_BP: _BP_BOUNDS,
    Parameter.LISTED_QTY_MAX: _QTY_BOUNDS,
    Parameter.BULK_QTY_MIN: _QTY_BOUNDS,
    Parameter.TAKE_LEVELS_MAX: (1, 1_000),
    Parameter.ALLOW_CROSSED_LISTINGS: _FLAG,
    Parameter.GOODS_T_PLUS: _FLAG,
    Parameter.OPEN_ORDERS_MAX: (0, 1_000_000),
    Parameter.LISTED_TRADING_FEE_PPM: _FEE_BOUNDS,
    Parameter.LISTED_SETTLEMENT_FEE_PPM: _FEE_BOUNDS,
    Parameter.BULK_TRADING_FEE_PPM: _FEE_BOUNDS,
    Parameter.BULK_SETTLEMENT_FEE_PPM: _FEE_BOUNDS,
    Parameter.AUCTION_TRADING_FEE_PPM: _FEE_BOUNDS,
    Parameter.AUCTION_SETTLEMENT_FEE_PPM: _FEE_BOUNDS,
    Parameter.AUCTION_BAND_BP: _BP_BOUNDS,
    Parameter.AUCTION_QTY_MIN: _QTY_BOUNDS,
    Parameter.AUCTION_BID_QTY_MIN: _QTY_BOUNDS,
    Parameter.AUCTION_BUYER_INITIATED: _FLAG,
    Parameter.LARGE_HOLDER_TONNES: (0, QTY_TONNES_MAX),
    Parameter.FREE_FIRST_DAY: _FLAG,
    Parameter.FIRST_DAY_UPPER_TICKS: (1, PRICE_TICKS_MAX),
    Parameter.BULK_ENABLED: _FLAG,
    Parameter.AUCTION_ENABLED: _FLAG,
    Parameter.COMPOSITE_WEIGHT: (0, 1_000_000),
}


def parameter_field(parameter: int) -> str:
    """Return the field of RULES that a parameter number below 100 names."""
    assert RULES.names is not None
    return RULES.names[parameter - 1]


def _done_before(state: State, c: Array) -> bool:
    """Say whether a numbered registry instruction was carried out already."""
    return 0 < int(c["ref"]) <= int(state.market[0]["instruction_no"])


def _note_instruction(state: State, c: Array) -> None:
    """Remember the number of an instruction that is being carried out."""
    if int(c["ref"]) > 0:
        state.market["instruction_no"] = c["ref"]


def _is_account(state: State, account: int) -> bool:
    return 0 <= account < int(state.market[0]["accounts"])


def _is_instrument(state: State, instrument: int) -> bool:
    return 0 <= instrument < int(state.market[0]["instruments"])


def open_account(state: State, c: Array, outcome: Outcome) -> None:
    """OPEN_ACCOUNT: the next row (TR-08)."""
    count = int(state.market[0]["accounts"])
    if _done_before(state, c):
        return outcome.refuse(Reason.DUPLICATE_INSTRUCTION)
    if int(c["account"]) != count:
        return outcome.refuse(Reason.ACCOUNT_EXISTS)
    state.ensure_accounts(count + 1)
    state.accounts[count]["status"] = AccountStatus.OPEN
    state.market["accounts"] = count + 1
    _note_instruction(state, c)
    return outcome.add(Event.ACCOUNT_OPENED, account=count)


def cash_in(state: State, c: Array, outcome: Outcome) -> None:
    """CASH_IN: money at the bank becomes available for trading (ST-14)."""
    account, amount = int(c["account"]), int(c["amount"])
    if _done_before(state, c):
        return outcome.refuse(Reason.DUPLICATE_INSTRUCTION)
    if not _is_account(state, account):
        return outcome.refuse(Reason.UNKNOWN_ACCOUNT)
    if state.market[0]["phase"] in _EVENING:
        return outcome.refuse(Reason.PHASE_CLOSED)
    row = state.accounts[account]
    held = int(row["cash_available_fen"]) + int(row["cash_frozen_fen"])
    market_full = int(state.market[0]["cash_in_fen"]) + amount > MARKET_CASH_FEN_MAX
    if amount < 1 or held + amount > CASH_FEN_MAX or market_full:
        return outcome.refuse(Reason.AMOUNT_INVALID)
    row["cash_available_fen"] += amount
    state.market["cash_in_fen"] += amount
    _note_instruction(state, c)
    return outcome.add(Event.CASH_MOVED_IN, account=account, amount_fen=amount)


def cash_out(state: State, c: Array, outcome: Outcome) -> None:
    """CASH_OUT: only from settled, unlocked money (ST-14, TR-48)."""
    account, amount = int(c["account"]), int(c["amount"])
    if not _is_account(state, account):
        return outcome.refuse(Reason.UNKNOWN_ACCOUNT)
    if int(state.accounts[account]["blocks"]) & Block.CASH_OUT:
        return outcome.refuse(Reason.ACCOUNT_RESTRICTED)
    if state.market[0]["phase"] not in _WINDOW_OUT:
        return outcome.refuse(Reason.PHASE_CLOSED)
    if amount < 1:
        return outcome.refuse(Reason.AMOUNT_INVALID)
    row = state.accounts[account]
    if row["cash_available_fen"] < amount:
        return outcome.refuse(Reason.INSUFFICIENT_FUNDS)
    if row["cash_available_fen"] - row["proceeds_today_fen"] < amount:
        return outcome.refuse(Reason.CASH_NOT_SETTLED)
    row["cash_available_fen"] -= amount
    state.market["cash_in_fen"] -= amount
    return outcome.add(Event.CASH_MOVED_OUT, account=account, amount_fen=amount)


def transfer_in(state: State, c: Array, outcome: Outcome) -> None:
    """TRANSFER_IN: from the registry side to the trading side (RG-07); sellable at once (RG-23)."""
    account, instrument, qty = int(c["account"]), int(c["instrument"]), int(c["qty_tonnes"])
    if _done_before(state, c):
        return outcome.refuse(Reason.DUPLICATE_INSTRUCTION)
    if not _is_account(state, account):
        return outcome.refuse(Reason.UNKNOWN_ACCOUNT)
    if int(state.accounts[account]["blocks"]) & Block.TRANSFER_IN:
        return outcome.refuse(Reason.ACCOUNT_RESTRICTED)
    if not _is_instrument(state, instrument):
        return outcome.refuse(Reason.UNKNOWN_INSTRUMENT)
    if state.market[0]["phase"] in _EVENING:
        return outcome.refuse(Reason.PHASE_CLOSED)
    row = state.holdings[account, instrument]
    held = sum(int(row[f"{part}_tonnes"]) for part in _PARTS)
    if qty < 1 or held + qty > QTY_TONNES_MAX:
        return outcome.refuse(Reason.QTY_INVALID)
    row["available_tonnes"] += qty
    state.instruments[instrument]["tonnes_in"] += qty
    _note_instruction(state, c)
    return outcome.add(
        Event.HOLDING_MOVED_IN, account=account, instrument=instrument, qty_tonnes=qty
    )


def transfer_out(state: State, c: Array, outcome: Outcome) -> None:
    """TRANSFER_OUT: back to the registry side; not what is frozen or was bought today (RG-08)."""
    account, instrument, qty = int(c["account"]), int(c["instrument"]), int(c["qty_tonnes"])
    if not _is_account(state, account):
        return outcome.refuse(Reason.UNKNOWN_ACCOUNT)
    if int(state.accounts[account]["blocks"]) & Block.TRANSFER_OUT:
        return outcome.refuse(Reason.ACCOUNT_RESTRICTED)
    if not _is_instrument(state, instrument):
        return outcome.refuse(Reason.UNKNOWN_INSTRUMENT)
    if state.market[0]["phase"] not in _WINDOW_OUT:
        return outcome.refuse(Reason.PHASE_CLOSED)
    if not 1 <= qty <= QTY_TONNES_MAX:
        return outcome.refuse(Reason.QTY_INVALID)
    row = state.holdings[account, instrument]
    if row["available_tonnes"] < qty:
        if row["available_tonnes"] + row["bought_today_tonnes"] >= qty:
            return outcome.refuse(Reason.HOLDING_BOUGHT_TODAY)
        return outcome.refuse(Reason.INSUFFICIENT_HOLDING)
    if row["available_tonnes"] - _fresh(state, account, instrument) < qty:
        return outcome.refuse(Reason.HOLDING_BOUGHT_TODAY)
    if row["available_tonnes"] - row["guarded_tonnes"] < qty:
        return outcome.refuse(Reason.SELL_GUARDED)
    row["available_tonnes"] -= qty
    state.instruments[instrument]["tonnes_in"] -= qty
    return outcome.add(
        Event.HOLDING_MOVED_OUT, account=account, instrument=instrument, qty_tonnes=qty
    )


def _fresh(state: State, account: int, instrument: int) -> int:
    """Return the tonnes bought today less those sold today where purchases can be sold at once.

    They are not posted yet, so the registry side cannot receive them (RG-08).
    """
    if state.rules[0]["goods_t_plus"]:
        return 0
    trades = state.trades[: int(state.market[0]["trades"])]
    mine = trades[(trades["instrument"] == instrument) & (trades["void"] == 0)]
    bought = int(mine["qty_tonnes"][mine["buyer"] == account].sum())
    return max(0, bought - int(state.holdings[account, instrument]["sold_today_tonnes"]))


def admit_instrument(state: State, c: Array, outcome: Outcome) -> None:
    """ADMIT_INSTRUMENT: a vintage may trade from the next day on (TR-03, TR-04, TR-24)."""
    count = int(state.market[0]["instruments"])
    reference = int(c["price_ticks"]) or int(state.market[0]["composite_close_ticks"])
    if state.market[0]["phase"] not in _RESTING:
        return outcome.refuse(Reason.PHASE_CLOSED)
    if int(c["instrument"]) != count:
        return outcome.refuse(Reason.INSTRUMENT_EXISTS)
    if not 1 <= reference <= PRICE_TICKS_MAX:
        return outcome.refuse(Reason.PRICE_INVALID)
    if int(c["mode"]) not in (Mode.LISTED, Mode.PRICE_TIME):
        return outcome.refuse(Reason.PARAMETER_INVALID)
    state.ensure_instruments(count + 1)
    row = state.instruments[count]
    row["code"] = c["client_order_id"]
    row["mode"] = c["mode"]
    row["close_ticks"] = reference
    row["reference_ticks"] = reference
    state.market["instruments"] = count + 1
    return outcome.add(Event.INSTRUMENT_ADMITTED, instrument=count, price_ticks=reference)


def set_parameter(state: State, c: Array, outcome: Outcome) -> None:
    """SET_PARAMETER: a rule changes, between two days only (TR-14, TR-27)."""
    parameter, value, instrument = int(c["ref"]), int(c["amount"]), int(c["instrument"])
    weight = parameter == Parameter.COMPOSITE_WEIGHT
    if state.market[0]["phase"] not in _RESTING:
        return outcome.refuse(Reason.PHASE_CLOSED)
    if parameter not in PARAMETER_BOUNDS:
        return outcome.refuse(Reason.UNKNOWN_PARAMETER)
    if weight and not _is_instrument(state, instrument):
        return outcome.refuse(Reason.UNKNOWN_INSTRUMENT)
    least, most = PARAMETER_BOUNDS[parameter]
    if not least <= value <= most:
        return outcome.refuse(Reason.PARAMETER_INVALID)
    if weight:
        state.instruments[instrument]["weight"] = value
    else:
        state.rules[parameter_field(parameter)] = value
    return outcome.add(
        Event.PARAMETER_CHANGED,
        order_no=parameter,
        qty_tonnes=value,
        instrument=instrument if weight else -1,
    )
