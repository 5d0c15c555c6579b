"""From a planned order to the message that is sent: what it is aimed at is chosen now."""

from __future__ import annotations

from benchmarks.load.ends import SENT, SIDE_WORDS
from benchmarks.load.market import Market
from benchmarks.load.orders import (
    BULK,
    BULK_TONNES,
    BUY,
    CANCEL,
    LIST,
    PING_KIND,
    SELL,
    TAKE,
    TAKE_BEST,
    Orders,
)
from benchmarks.load.outcome import Outcome

Message = dict[str, object]


class Sending:
    """Makes messages; ``open_max``: listings that an account keeps open at most."""

    def __init__(self, orders: Orders, outcome: Outcome, market: Market, open_max: int) -> None:
        self._outcome = outcome
        self._instrument = market.instrument
        self._limits = {BUY: market.upper_ticks, SELL: market.lower_ticks}
        self._open_max = open_max
        self._pick: list[int] = orders.pick.tolist()

    def message(self, order: int) -> Message:
        """Return the message of an order, which is thereby sent.

        A cancel or take finds nothing to aim at: a listing goes instead. An account that has all
        the open orders it may have cancels one instead of listing another.
        """
        outcome = self._outcome
        outcome.end[order] = SENT
        outcome.waiting += 1
        kind = outcome.kind[order]
        if kind == LIST:
            return self._list(order)
        made = None
        if kind == CANCEL:
            made = self._cancel(order)
        elif kind == TAKE:
            made = self._take(order)
        elif kind == TAKE_BEST:
            made = self._take_best(order)
        elif kind == PING_KIND:
            made = self._ping(order)
        elif kind == BULK:
            made = self._bulk(order)
        return made if made is not None else self._list(order)

    def _list(self, order: int) -> Message:
        outcome = self._outcome
        client = outcome.clients[outcome.client[order]]
        if client.open_orders >= self._open_max:
            return self._cancel(order) or self._ping(order)
        client.open_orders += 1
        outcome.kind[order] = LIST
        return {
            "type": "list",
            "client_order_id": f"{outcome.tag}{order}",
            "instrument": self._instrument,
            "side": SIDE_WORDS[outcome.side[order]],
            "price_ticks": outcome.price[order],
            "qty_tonnes": outcome.leaves[order],
        }

    def _cancel(self, order: int) -> Message | None:
        outcome = self._outcome
        target = outcome.targets.own(outcome.client[order], self._pick[order])
        if target < 0:
            return None
        outcome.kind[order] = CANCEL
        outcome.aim[order] = target
        outcome.ending[target] = 1
        return {
            "type": "cancel",
            "client_order_id": f"{outcome.tag}{order}",
            "order_no": outcome.number[target],
        }

    def _take(self, order: int) -> Message | None:
        outcome = self._outcome
        side = BUY + SELL - outcome.side[order]
        target = outcome.targets.others(outcome.client[order], side, self._pick[order])
        if target < 0:
            return None
        outcome.aim[order] = target
        outcome.leaves[order] = min(outcome.leaves[order], outcome.leaves[target])
        return {
            "type": "take",
            "client_order_id": f"{outcome.tag}{order}",
            "order_no": outcome.number[target],
            "qty_tonnes": outcome.leaves[order],
        }

    def _take_best(self, order: int) -> Message:
        outcome = self._outcome
        return {
            "type": "take_best",
            "client_order_id": f"{outcome.tag}{order}",
            "instrument": self._instrument,
            "side": SIDE_WORDS[outcome.side[order]],
            "price_ticks": self._limits[outcome.side[order]],
            "qty_tonnes": outcome.leaves[order],
        }

    def _bulk(self, order: int) -> Message:
        outcome = self._outcome
        number = outcome.client[order]
        standing = outcome.offers.pop(number, -1)
        named: Message = {"client_order_id": f"{outcome.tag}{order}"}
        if standing >= 0:
            outcome.kind[order] = CANCEL
            outcome.ending[standing] = 1
            return {"type": "bulk_withdraw", **named, "order_no": outcome.number[standing]}
        outcome.clients[number].open_orders += 1
        outcome.leaves[order] = BULK_TONNES
        return {
            "type": "bulk_offer",
            **named,
            "instrument": self._instrument,
            "side": SIDE_WORDS[outcome.side[order]],
            "price_ticks": outcome.price[order],
            "qty_tonnes": BULK_TONNES,
        }

    def _ping(self, order: int) -> Message:
        self._outcome.kind[order] = PING_KIND
        return {"type": "ping", "ref": order + 1}
