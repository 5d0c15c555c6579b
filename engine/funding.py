"""Runs of numbered instructions that open and fund accounts, compiled: what a venue begins with.

Only what goes through is done here. An instruction that has to be refused, or needs room, is left
to the handlers of ``engine.accounts``, which say the rules; this does the same writes and events.
"""

from __future__ import annotations

from typing import Any

from engine.jit import inlined, kernel
from engine.records import (
    CASH_FEN_MAX,
    MARKET_CASH_FEN_MAX,
    QTY_TONNES_MAX,
    AccountStatus,
    Block,
    Event,
    Kind,
    Phase,
)
from engine.reports import write
from engine.state import Array, Arrays

OPEN_ACCOUNT, CASH_IN, TRANSFER_IN = (
    int(kind) for kind in (Kind.OPEN_ACCOUNT, Kind.CASH_IN, Kind.TRANSFER_IN)
)
FUNDING = frozenset((OPEN_ACCOUNT, CASH_IN, TRANSFER_IN))
_OPENED, _CASH, _TONNES = (
    int(kind) for kind in (Event.ACCOUNT_OPENED, Event.CASH_MOVED_IN, Event.HOLDING_MOVED_IN)
)
_OPEN, _NO_TRANSFER_IN = int(AccountStatus.OPEN), int(Block.TRANSFER_IN)
_CLOSED, _CONFIRMED, _DISPUTED = (
    int(phase) for phase in (Phase.CLOSED, Phase.CONFIRMED, Phase.DISPUTED)
)


@inlined
def _opened(a: Arrays, c: Any, events: Array, n: int) -> bool:
    """OPEN_ACCOUNT: the next row (TR-08)."""
    count = a.market[0]["accounts"]
    if c["account"] != count or count >= len(a.accounts):
        return False
    a.accounts[count]["status"] = _OPEN
    a.market[0]["accounts"] = count + 1
    event = write(a, c, events, n, 0, _OPENED)
    event["account"] = count
    return True


@inlined
def _cash_moved_in(a: Arrays, c: Any, events: Array, n: int) -> bool:
    """CASH_IN: money at the bank becomes available for trading (ST-14)."""
    account, amount, market = c["account"], c["amount"], a.market[0]
    if account < 0 or account >= market["accounts"]:
        return False
    row = a.accounts[account]
    held = row["cash_available_fen"] + row["cash_frozen_fen"]
    if amount < 1 or amount > CASH_FEN_MAX or held + amount > CASH_FEN_MAX:
        return False
    if market["cash_in_fen"] > MARKET_CASH_FEN_MAX - amount:  # the sum may leave int64
        return False
    row["cash_available_fen"] += amount
    market["cash_in_fen"] += amount
    event = write(a, c, events, n, 0, _CASH)
    event["account"] = account
    event["amount_fen"] = amount
    return True


@inlined
def _tonnes_moved_in(a: Arrays, c: Any, events: Array, n: int) -> bool:
    """TRANSFER_IN: from the registry side to the trading side (RG-07, RG-23)."""
    account, instrument, qty, market = c["account"], c["instrument"], c["qty_tonnes"], a.market[0]
    if account < 0 or account >= market["accounts"]:
        return False
    if instrument < 0 or instrument >= market["instruments"]:
        return False
    if a.accounts[account]["blocks"] & _NO_TRANSFER_IN:
        return False
    row = a.holdings[account * a.stride + instrument]
    held = row["available_tonnes"] + row["frozen_tonnes"]
    held += row["bought_today_tonnes"] + row["judicial_tonnes"]
    if qty < 1 or qty > QTY_TONNES_MAX or held + qty > QTY_TONNES_MAX:
        return False
    row["available_tonnes"] += qty
    a.instruments[instrument]["tonnes_in"] += qty
    event = write(a, c, events, n, 0, _TONNES)
    event["account"] = account
    event["instrument"] = instrument
    event["qty_tonnes"] = qty
    return True


@kernel
def fund(a: Arrays, commands: Array, position: int, events: Array, n: int) -> tuple[int, int]:
    """Do instructions from ``position`` on while they go through; return (next position, events).

    The batch's numbers have been checked. Stops before what is another command, what is refused
    and what lacks room; then nothing of it is done.
    """
    market = a.market[0]
    phase = market["phase"]
    if phase in (_CLOSED, _CONFIRMED, _DISPUTED):
        return position, n  # money and tonnes are refused then, and no account is in a hurry
    while position < len(commands) and n < len(events):
        c = commands[position]
        ref = c["ref"]
        if 0 < ref <= market["instruction_no"]:
            break
        if c["kind"] == OPEN_ACCOUNT:
            done = _opened(a, c, events, n)
        elif c["kind"] == CASH_IN:
            done = _cash_moved_in(a, c, events, n)
        elif c["kind"] == TRANSFER_IN:
            done = _tonnes_moved_in(a, c, events, n)
        else:
            break
        if not done:
            break
        if ref > 0:
            market["instruction_no"] = ref
        market["seq"] = c["seq"]
        market["time_ns"] = c["time_ns"]
        n += 1
        position += 1
    return position, n
