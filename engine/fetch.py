"""Memory brought closer: while one command runs, the rows that later ones need are on their way.

A deep book does not fit into a core's cache, so an order cancelled at random costs a wait for
memory at its row, at its neighbours in the queue and at its level. These waits depend on nothing
that the commands in between do, so the kernel's loop asks for the rows some commands ahead: first
for those that a command names, nearer to it for those that these rows name. Asking changes nothing
and cannot fail. Commands that are still to come have not been checked: every number of theirs may
be nonsense, so nothing of them is used as an index before it is held against its bounds.
"""

from __future__ import annotations

from typing import Any

from engine.jit import inlined, prefetch
from engine.orders import book_of
from engine.records import Kind, Side
from engine.state import Arrays

FAR = 8  # commands ahead: what a command names
NEAR = 4  # commands ahead: what those rows name
ORDERS, INSTRUMENTS, ACCOUNTS = 16_384, 8, 16_384  # up to here a core's cache holds what is used

_LIST = int(Kind.LIST)
_ADD = int(Kind.ADD)
_BUY = int(Side.BUY)
_SELL = int(Side.SELL)


@inlined
def outgrows_cache(a: Arrays) -> bool:
    """Say whether there is so much in use that asking ahead costs less than waiting."""
    market = a.market[0]
    if market["open_orders"] > ORDERS or market["instruments"] > INSTRUMENTS:
        return True
    return market["accounts"] > ACCOUNTS


@inlined
def level_of(a: Arrays, instrument: int, side: int, price_ticks: int) -> int:
    """Return the row of a price's level, -1 where no such level can be."""
    if instrument < 0 or instrument >= a.market[0]["instruments"]:
        return -1
    if side == _BUY:
        rank = a.instruments[instrument]["upper_limit_ticks"] - price_ticks
    elif side == _SELL:
        rank = price_ticks - a.instruments[instrument]["lower_limit_ticks"]
    else:
        return -1
    if rank < 0 or rank >= a.width:
        return -1
    return book_of(instrument, side) * a.width + rank


@inlined
def row_named(a: Arrays, order_no: int) -> int:
    """Return the row of an order of today, or 0."""
    row = order_no - a.market[0]["order_base"]
    return row if 0 < row < a.market[0]["orders"] else 0


@inlined
def fetch_named(a: Arrays, c: Any) -> None:
    """Ask for the rows that a coming command names."""
    kind = c["kind"]
    prefetch(a.accounts, c["account"])
    if kind in (_ADD, _LIST):
        prefetch(a.holdings, int(c["account"]) * a.stride + c["instrument"])
        level = level_of(a, c["instrument"], c["side"], c["price_ticks"])
        if level >= 0:
            prefetch(a.levels, level)
    else:
        prefetch(a.orders, c["ref"] - a.market[0]["order_base"])


@inlined
def fetch_neighbours(a: Arrays, c: Any) -> None:
    """Ask for what the rows name that a coming command names: neighbours in a queue, a level."""
    kind = c["kind"]
    if kind in (_ADD, _LIST):
        level = level_of(a, c["instrument"], c["side"], c["price_ticks"])
        if level >= 0:
            prefetch(a.orders, a.levels[level]["tail"])
        return
    row = row_named(a, c["ref"])
    if row == 0:
        return
    order = a.orders[row]
    prefetch(a.orders, order["prev"])
    prefetch(a.orders, order["next"])
    prefetch(a.holdings, int(order["account"]) * a.stride + order["instrument"])
    level = level_of(a, order["instrument"], order["side"], order["price_ticks"])
    if level >= 0:
        prefetch(a.levels, level)
