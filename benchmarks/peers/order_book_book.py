"""order-book: two sorted dictionaries in C, which keep prices in order and match nothing.

The matching on top is the yardstick's own; only the containers and the look at the best price are
the package's, so that the difference of the two rows is the difference of the containers.
"""

from __future__ import annotations

from collections import deque

from order_book import OrderBook

from benchmarks.flow import Stream
from benchmarks.peers.book import Deals, Opener, Told, tell
from benchmarks.yardstick import BUY, SELL, PlainBook


class _OnItsContainers(PlainBook):
    """The yardstick with the package's sides: prices as they are, best first on either side."""

    def __init__(self) -> None:
        super().__init__()
        self.levels = OrderBook()
        self.sides = {BUY: self.levels.bids, SELL: self.levels.asks}

    def add(self, number: int, side: int, price: int, qty: int) -> None:
        """Match what crosses; let the rest queue."""
        opposite = self.sides[3 - side]
        while qty and len(opposite):
            best, level = opposite.index(0)
            if best > price if side == BUY else best < price:
                break
            qty = self._sweep(level, qty)
            if level[1] == 0:
                del opposite[best]
        if qty:
            own = self.sides[side]
            if price in own:
                level = own[price]
            else:
                level = own[price] = [deque(), 0]
            order = self.orders[number] = [number, side, price, qty, level]
            level[0].append(order)
            level[1] += 1


class ContainerBook:
    """The yardstick's matching on the package's containers."""

    def __init__(self) -> None:
        self.book = _OnItsContainers()

    def play(self, stream: Stream) -> None:
        """Apply the messages."""
        self.book.play(stream.messages)

    def told(self) -> Told:
        """Return what it came to."""
        book = self.book
        best = [
            side.index(0)[0] if len(side) else None for side in (book.sides[BUY], book.sides[SELL])
        ]
        return tell(
            Deals(book.trades, book.volume, book.checksum),
            (best[0], best[1]),
            ((number, order[3]) for number, order in book.orders.items()),
        )


def opened(_: Stream) -> Opener:
    """Return what makes an empty book."""
    return ContainerBook
