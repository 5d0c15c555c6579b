"""The yardstick: a plain Python book of ``SortedDict`` and ``deque``, as most would write it.

It knows no accounts, no money, no holdings, no price limits and writes no events: it only matches
and adds up what the cross-check needs. Cancelled orders stay in their queue until they reach its
head (a live count per level keeps phantom levels away), which is the fast way to write it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from sortedcontainers import SortedDict

BUY, SELL = 1, 2
ADD, CANCEL, REDUCE, REPLACE, TAKE = 1, 2, 3, 4, 5

Message = tuple[int, int, int, int, int]  # kind, order number, side, price, quantity


class PlainBook:
    """Price-time priority. ``checksum`` is the sum of maker order number x quantity."""

    def __init__(self) -> None:
        self.sides: dict[int, Any] = {BUY: SortedDict(), SELL: SortedDict()}
        self.orders: dict[int, list[Any]] = {}  # number -> [number, side, price, open, level]
        self.trades = self.volume = self.checksum = 0

    def play(self, messages: Iterable[Message]) -> None:
        """Apply all messages in order."""
        for kind, number, side, price, qty in messages:
            if kind == ADD:
                self.add(number, side, price, qty)
            elif kind == CANCEL:
                self.cancel(number)
            elif kind == REDUCE:
                order = self.orders[number]
                order[3] -= qty
            elif kind == REPLACE:
                self.cancel(number)
                self.add(number, side, price, qty)
            else:
                self.take(number, qty)

    def add(self, number: int, side: int, price: int, qty: int) -> None:
        """Match what crosses; let the rest queue."""
        opposite = self.sides[3 - side]
        key = price if side == SELL else -price
        while qty and opposite:
            best, level = opposite.peekitem(0)
            if best > -key:
                break
            qty = self._sweep(level, qty)
            if level[1] == 0:
                del opposite[best]
        if qty:
            level = self.sides[side].get(key)
            if level is None:
                level = self.sides[side][key] = [deque(), 0]
            order = [number, side, key, qty, level]
            level[0].append(order)
            level[1] += 1
            self.orders[number] = order

    def _sweep(self, level: list[Any], qty: int) -> int:
        """Trade with the head of a level until it or the quantity is used up."""
        queue = level[0]
        while qty and level[1]:
            maker = queue[0]
            if not maker[3]:
                queue.popleft()
                continue
            traded = min(qty, maker[3])
            self._trade(maker, traded)
            qty -= traded
            if not maker[3]:
                queue.popleft()
                level[1] -= 1
        return qty

    def _trade(self, maker: list[Any], qty: int) -> None:
        """Add one deal up."""
        maker[3] -= qty
        self.trades += 1
        self.volume += qty
        self.checksum += maker[0] * qty
        if not maker[3]:
            del self.orders[maker[0]]

    def cancel(self, number: int) -> None:
        """Drop an order; its level goes with the last one."""
        order = self.orders.pop(number)
        order[3] = 0
        level = order[4]
        level[1] -= 1
        if level[1] == 0:
            del self.sides[order[1]][order[2]]

    def take(self, number: int, qty: int) -> None:
        """Click on one resting listing (the listed market), wherever it queues."""
        order = self.orders[number]
        self._trade(order, qty)
        if not order[3]:
            level = order[4]
            level[1] -= 1
            if level[1] == 0:
                del self.sides[order[1]][order[2]]
