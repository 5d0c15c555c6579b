"""Which listings of this run can be cancelled or taken: what cancels and takes are aimed at.

A listing that somebody is aiming at is not offered again until that is answered. Entries are
dropped late: one that is no longer free is thrown away when it is met.
"""

from __future__ import annotations

import heapq

from benchmarks.load.orders import BUY, SELL

TRIES = 4  # to find a listing of somebody else on a level


class Targets:
    """``client``, ``side`` and ``price`` are columns by number of order."""

    def __init__(self, clients: int, client: list[int], side: list[int], price: list[int]) -> None:
        self._client = client
        self._side = side
        self._price = price
        self._own: list[list[int]] = [[] for _ in range(clients)]
        self._levels: dict[int, dict[int, list[int]]] = {BUY: {}, SELL: {}}
        self._best: dict[int, list[int]] = {BUY: [], SELL: []}  # heaps: price, negative for buyers
        self.free = bytearray(len(client))

    def add(self, order: int) -> None:
        """A listing rests in the book."""
        self._own[self._client[order]].append(order)
        self.back(order)

    def back(self, order: int) -> None:
        """A listing that was aimed at still rests."""
        self.free[order] = 1
        side, price = self._side[order], self._price[order]
        level = self._levels[side].get(price)
        if level is None:
            level = self._levels[side][price] = []
            heapq.heappush(self._best[side], price if side == SELL else -price)
        level.append(order)

    def own(self, client: int, pick: int) -> int:
        """Return a free listing of the client, no longer free then; -1 if there is none."""
        found = self._own[client]
        while found:
            order = _drawn(found, pick)
            if self.free[order]:
                self.free[order] = 0
                return order
        return -1

    def others(self, client: int, side: int, pick: int) -> int:
        """Return a free listing of another client at the side's best price, or -1; as ``own``."""
        heap, levels = self._best[side], self._levels[side]
        while heap:
            price = heap[0] if side == SELL else -heap[0]
            level = levels[price]
            mine: list[int] = []
            while level and len(mine) < TRIES:
                order = _drawn(level, pick)
                if not self.free[order]:
                    continue
                if self._client[order] != client:
                    self.free[order] = 0
                    level += mine
                    return order
                mine.append(order)
            level += mine
            if level:
                return -1
            heapq.heappop(heap)
            del levels[price]
        return -1


def _drawn(orders: list[int], pick: int) -> int:
    """Remove and return one of them."""
    at = pick % len(orders)
    order = orders[at]
    orders[at] = orders[-1]
    orders.pop()
    return order
