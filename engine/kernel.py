"""The compiled loop: a batch of commands in, events out, one call.

It stops early, having changed nothing of the command it stops at, for two reasons: a command that
plain Python handles (the day, accounts), or too little room for what a command could cause. The
caller sees to it and comes back. A batch that is not numbered properly is not begun.
"""

from __future__ import annotations

from engine.fetch import FAR, NEAR, fetch_named, fetch_neighbours, outgrows_cache
from engine.jit import inlined, kernel
from engine.listed import list_order, take, take_best
from engine.price_time import add, amend, cancel
from engine.records import Kind
from engine.state import Array, Arrays

DONE = 0
COLD_COMMAND = 1
NEED_ROOM = 2
SEQ_AFTER = 3  # the first command does not follow the last one applied
SEQ_GAP = 4
TIME_FELL = 5

_LIST = int(Kind.LIST)
_TAKE = int(Kind.TAKE)
_TAKE_BEST = int(Kind.TAKE_BEST)
_CANCEL = int(Kind.CANCEL)
_ADD = int(Kind.ADD)
_AMEND = int(Kind.AMEND)

ROOM_PER_COMMAND = 4  # events of a command that does not sweep


@inlined
def misnumbered(a: Arrays, commands: Array) -> int:
    """Return what is wrong with a batch's numbers and times, or DONE."""
    seq, time_ns = a.market[0]["seq"], a.market[0]["time_ns"]
    for position in range(len(commands)):
        c = commands[position]
        seq += 1
        if c["seq"] != seq:
            return SEQ_AFTER if position == 0 else SEQ_GAP
        if c["time_ns"] < time_ns:
            return TIME_FELL
        time_ns = c["time_ns"]
    return DONE


@kernel
def run(a: Arrays, commands: Array, position: int, events: Array, n: int) -> tuple[int, int, int]:
    """Apply commands from ``position`` on; return (next position, count of events, why stopped).

    commands: shape (N,), dtype COMMAND; a batch is held against its numbers when it begins.
    events: shape (M,), dtype EVENT, rows below ``n`` are kept.
    """
    if position == 0:
        wrong = misnumbered(a, commands)
        if wrong != DONE:
            return 0, n, wrong
    market = a.market[0]
    ahead = outgrows_cache(a)
    while position < len(commands):
        c = commands[position]
        kind = c["kind"]
        if kind < _LIST or kind > _AMEND:
            return position, n, COLD_COMMAND
        if n + ROOM_PER_COMMAND > len(events):
            return position, n, NEED_ROOM
        if ahead and position + FAR < len(commands):
            fetch_named(a, commands[position + FAR])
            fetch_neighbours(a, commands[position + NEAR])
        if kind == _ADD:
            after = add(a, c, events, n)
        elif kind == _CANCEL:
            after = cancel(a, c, events, n)
        elif kind == _LIST:
            after = list_order(a, c, events, n)
        elif kind == _TAKE:
            after = take(a, c, events, n)
        elif kind == _TAKE_BEST:
            after = take_best(a, c, events, n)
        else:
            after = amend(a, c, events, n)
        if after < 0:
            return position, n, NEED_ROOM
        market["seq"] = c["seq"]
        market["time_ns"] = c["time_ns"]
        n = after
        position += 1
    return position, n, DONE
