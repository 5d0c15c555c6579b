"""What an entity takes from a slot and from a day: fills, listings that rest, days without a deal.

The compiled part of memory: which orders are open, what has been dealt, and how the price one asks
or bids drifts when nobody answers (simulation.md 5.3, 2 and 3).
"""

from __future__ import annotations

from engine.records import Event
from sim.season.jit import kernel
from sim.season.minds import BUY, NO_BULK, SELL
from sim.season.streams import Array

ACCEPTED, TRADED = int(Event.ACCEPTED), int(Event.TRADED)


@kernel
def learn_of(mind: Array, events: Array) -> None:
    """Let everybody hear what became of the orders: fills, listings that rest, ends."""
    n = len(mind)
    for event in events:
        i = event["account"]
        if event["kind"] == TRADED:
            side = event["side"]
            qty = event["qty_tonnes"]
            j = event["counterparty"]
            buyer, seller = (i, j) if side == BUY else (j, i)
            if buyer < n:
                mind[buyer]["bought_t"] += qty
                mind[buyer]["wanted_t"] -= qty
                mind[buyer]["dealt"] = 1
            if seller < n:
                mind[seller]["sold_t"] += qty
                mind[seller]["wanted_t"] += qty
                mind[seller]["dealt"] = 1
            if j < n and mind[j]["open_no"] == event["other_order_no"]:
                mind[j]["open_t"] = event["other_leaves_qty"]
                if mind[j]["open_t"] == 0:
                    mind[j]["open_no"] = 0
        elif event["kind"] == ACCEPTED and 0 <= i < n and event["leaves_qty"] > 0:
            mind[i]["open_no"] = event["order_no"]
            mind[i]["open_t"] = event["leaves_qty"]
            mind[i]["open_side"] = event["side"]
            mind[i]["open_ticks"] = event["price_ticks"]


@kernel
def end_of_day(
    mind: Array, closes_log: float, memory_rate: float, step: float, give_way: float, keep: float
) -> None:
    """Let everybody learn from the day: who found nobody gives way, who dealt asks for more."""
    for i in range(len(mind)):
        side = mind[i]["tried"]
        if side == BUY:
            mind[i]["premium"] += -step if mind[i]["dealt"] else step
        elif side == SELL:
            mind[i]["premium"] += step if mind[i]["dealt"] else -step * give_way
        mind[i]["premium"] *= keep
        mind[i]["memory"] += memory_rate * (closes_log - mind[i]["memory"])
        mind[i]["tried"] = 0
        mind[i]["dealt"] = 0
        mind[i]["open_no"] = 0
        mind[i]["open_t"] = 0
        mind[i]["bulk"] = NO_BULK
