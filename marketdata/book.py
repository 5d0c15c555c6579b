"""Depth of one instrument, kept from events alone (docs/reference/engine.md, "Events").

The book knows order numbers, prices and tonnes, never accounts. It relies on three facts of the
engine's contract: ACCEPTED says what rests when the command is done, TRADED carries the resting
order's price and what is left of it, and every event that takes something out names its price.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from itertools import islice

from engine.records import Side
from marketdata.messages import LEVELS_SHOWN, LISTINGS_SHOWN_MAX, Level


class BookSide:
    """One side: levels by key (price, for buyers minus the price), so the least key is best.

    ``keys`` is sorted. ``levels[key]`` maps order numbers to open tonnes, oldest first;
    ``tonnes[key]`` is their sum. An empty level does not exist.
    """

    __slots__ = ("keys", "levels", "sign", "tonnes")

    def __init__(self, side: int) -> None:
        self.sign = -1 if side == Side.BUY else 1
        self.keys: list[int] = []
        self.levels: dict[int, dict[int, int]] = {}
        self.tonnes: dict[int, int] = {}

    def add(self, price_ticks: int, order_no: int, leaves_qty: int) -> None:
        """Let an order rest as the youngest of its level."""
        key = price_ticks * self.sign
        level = self.levels.get(key)
        if level is None:
            self.levels[key] = {order_no: leaves_qty}
            self.tonnes[key] = leaves_qty
            insort(self.keys, key)
            return
        level[order_no] = leaves_qty
        self.tonnes[key] += leaves_qty

    def reduce(self, price_ticks: int, order_no: int, leaves_qty: int) -> None:
        """Set what is left of a resting order; with 0 left it goes, and an empty level with it.

        Raises:
            KeyError: the order does not rest at that price: the events are not a whole stream.
        """
        key = price_ticks * self.sign
        level = self.levels[key]
        self.tonnes[key] += leaves_qty - level[order_no]
        if leaves_qty:
            level[order_no] = leaves_qty
            return
        del level[order_no]
        if not level:
            del self.levels[key]
            del self.tonnes[key]
            del self.keys[bisect_left(self.keys, key)]

    def best(self, count: int = LEVELS_SHOWN) -> tuple[Level, ...]:
        """Return the ``count`` best levels, best first."""
        return tuple(
            Level(
                key * self.sign,
                self.tonnes[key],
                len(self.levels[key]),
                tuple(islice(self.levels[key].items(), LISTINGS_SHOWN_MAX)),
            )
            for key in self.keys[:count]
        )

    def listings(self, price_ticks: int) -> tuple[tuple[int, int], ...]:
        """Return every (order_no, leaves_qty) of a level, oldest first; none: ()."""
        return tuple(self.levels.get(price_ticks * self.sign, {}).items())


class Book:
    """Both sides of one instrument."""

    __slots__ = ("buy", "pulled", "sell")

    def __init__(self) -> None:
        self.buy = BookSide(Side.BUY)
        self.sell = BookSide(Side.SELL)
        self.pulled = (0, 0, 0)  # order_no, price_ticks, leaves_qty between PULLED and AMENDED

    def side(self, side: int) -> BookSide:
        """Return the side's half of the book."""
        return self.buy if side == Side.BUY else self.sell

    def pull(self, price_ticks: int, order_no: int, leaves_qty: int) -> None:
        """PULLED: remember the order; AMENDED, the next event, says where it goes."""
        self.pulled = (order_no, price_ticks, leaves_qty)

    def amend(self, side: int, price_ticks: int, order_no: int, leaves_qty: int) -> None:
        """AMENDED: keep the place at the same price if the order did not grow, else queue last.

        At its old price an order cannot trade (books are never crossed), so "the new total is not
        larger" and "no more is open than before" are the same.
        """
        _, old_price_ticks, old_leaves_qty = self.pulled
        half = self.side(side)
        if price_ticks == old_price_ticks and leaves_qty <= old_leaves_qty:
            half.reduce(price_ticks, order_no, leaves_qty)
            return
        half.reduce(old_price_ticks, order_no, 0)
        if leaves_qty:
            half.add(price_ticks, order_no, leaves_qty)
