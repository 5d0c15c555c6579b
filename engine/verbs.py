"""The ledger verbs and orders for plain Python: the kernels' own parts, compiled as entry points.

Bulk agreement, bidding and control are rare; they run as Python objects over the arrays, but money
and goods move through the same functions as in the listed market (engine/ledger.py). Enumerations
become plain numbers at this door: Numba asks Python what an enumeration is, at every call.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.jit import kernel
from engine.ladder import rank_of, unlink
from engine.ledger import (
    buyer_fee,
    collect_fees,
    deal_fee,
    freeze,
    lock_fen,
    move_goods,
    pay,
    receive,
    release,
    shortfall_beyond,
)
from engine.orders import book_of
from engine.reasons import Reason
from engine.records import Kind, Modality, Side
from engine.state import Arrays, State
from engine.units import value_kernel

BUY, SELL = int(Side.BUY), int(Side.SELL)
_BUY = BUY
_BULK_KINDS = (Kind.BULK_OFFER, Kind.BULK_ACCEPT, Kind.BULK_CONFIRM)
_AUCTION_KINDS = (Kind.BID, Kind.NOTICE_SESSION)
LADDER_KINDS = (Kind.LIST, Kind.ADD)
_MODALITY_BY_KIND = np.full(max(Kind) + 1, Modality.LISTED, np.int64)
_MODALITY_BY_KIND[list(_BULK_KINDS)] = Modality.BULK
_MODALITY_BY_KIND[list(_AUCTION_KINDS)] = Modality.AUCTION


def modality_of(kinds: Any) -> Any:
    """Return the modality of orders by the kind of command that made them (array or number)."""
    return _MODALITY_BY_KIND[kinds]


@kernel
def _verb(a: Arrays, verb: int, modality: int, row: int) -> int:
    """One compiled door for the verbs on an order: 0 freeze, 1 release, 2 leave the ladder."""
    if verb == 0:
        return freeze(a, modality, row)
    if verb == 1:
        return release(a, row)
    order = a.orders[row]
    instrument, side = order["instrument"], order["side"]
    rank = rank_of(a, instrument, side, order["price_ticks"])
    unlink(a, book_of(instrument, side), rank, row)
    return 0


@kernel
def _cover(
    a: Arrays, modality: int, account: int, instrument: int, side: int, terms: Any, own: Any
) -> tuple[int, int]:
    """Return (reason why the account cannot cover it or 0, the lock in fen)."""
    lock = lock_fen(a, modality, terms[0], terms[1]) if side == _BUY else 0
    return shortfall_beyond(a, modality, account, instrument, side, terms, own), lock


@kernel
def _settle(
    a: Arrays, modality: int, buy_row: int, sell_row: int, price: int, qty: int, left: int
) -> tuple[int, int]:
    """Move goods and money of a deal from what is available; return (buyer's, seller's fee).

    ``frozen_fen`` of the buyer's order holds what is left of its lock, although it was released:
    the buyer's fee never exceeds it (``left``: what the order still wants after this deal).
    """
    value = value_kernel(price, qty)
    seller = a.orders[sell_row]["account"]
    buy_fee = buyer_fee(a, modality, buy_row, value, left)
    sell_fee = min(deal_fee(a, modality, value), value)
    instrument = a.orders[buy_row]["instrument"]
    move_goods(a, instrument, a.orders[buy_row]["account"], seller, qty, False)
    pay(a, buy_row, value + buy_fee, qty, False)
    receive(a, seller, value - sell_fee)
    collect_fees(a, modality, value, buy_fee, sell_fee)
    return buy_fee, sell_fee


def freeze_order(state: State, modality: int, row: int) -> int:
    """Freeze what an order needs; return the fen frozen (TR-42)."""
    return _verb(state.arrays(), 0, int(modality), row)


def release_order(state: State, row: int) -> int:
    """Give back what an order has frozen; return the fen released (TR-43)."""
    return _verb(state.arrays(), 1, 0, row)


def leave_ladder(state: State, row: int) -> None:
    """Take a listing out of its level."""
    _verb(state.arrays(), 2, 0, row)


Pair = tuple[int, int]


def cover(
    state: State,
    modality: int,
    account: int,
    instrument: int,
    side: int,
    terms: Pair,
    own: Pair = (0, 0),
) -> tuple[Reason, int]:
    """Return (why the account cannot cover a declaration, or NONE; its lock in fen) (TR-40).

    ``terms``: (price in ticks, tonnes). ``own``: (fen, tonnes) that it has frozen for it already.
    """
    reason, lock = _cover(state.arrays(), int(modality), account, instrument, int(side), terms, own)
    return Reason(reason), lock


def settle(
    state: State, modality: int, buy_row: int, sell_row: int, price: int, qty: int, left: int = 0
) -> tuple[int, int]:
    """Move goods and money of one deal between two released orders; return both fees in fen."""
    return _settle(state.arrays(), int(modality), buy_row, sell_row, price, qty, left)


def warm_up_verbs() -> None:
    """Compile (or load) the entry points, on a state of their own."""
    state = State()
    for verb in (0, 1):
        _verb(state.arrays(), verb, int(Modality.BULK), 0)
    _cover(state.arrays(), int(Modality.BULK), 0, 0, SELL, (1, 1), (0, 0))
    _settle(state.arrays(), int(Modality.BULK), 0, 0, 0, 0, 0)
