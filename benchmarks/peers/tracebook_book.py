"""tracebook-sim: a book in plain Python with reduce in place and replace.

Driven through the package's public ``OrderBook``; its bare matching engine is not exported. The
book numbers orders itself, from 1 as they come, and gives a replaced order a new number, so the
adapter keeps which of its numbers belongs to which of ours.
"""

from __future__ import annotations

from tracebook import OrderBook, OrderSide

from benchmarks.flow import Stream
from benchmarks.peers.book import Deals, Opener, Told, tell
from benchmarks.yardstick import ADD, BUY, CANCEL, REDUCE, SELL

SIDES = {BUY: OrderSide.BUY, SELL: OrderSide.SELL}


class TraceBook:
    """One book of the package, prices in whole ticks."""

    def __init__(self) -> None:
        self.book = OrderBook("CEA", tick_size=1.0)
        self.ours = [0]  # its number -> our number
        self.its: dict[int, int] = {}  # our number -> its number
        self.trades = 0
        self.volume = self.checksum = 0.0

    def play(self, stream: Stream) -> None:
        """Apply the messages; a replace says price and quantity anew."""
        book, ours, its = self.book, self.ours, self.its
        for kind, number, side, price, qty in stream.messages:
            if kind == CANCEL:
                book.cancel_order(its.pop(number))
                continue
            if kind == REDUCE:
                book.reduce_order(its[number], qty)
                continue
            if kind == ADD:
                trades = book.add_limit_order(SIDES[side], price, qty)
            else:
                trades = book.replace_order(its[number], price, qty).trades
            its[number] = len(ours)
            ours.append(number)
            for trade in trades:
                maker = trade.sell_order_id if side == BUY else trade.buy_order_id
                self.trades += 1
                self.volume += trade.quantity
                self.checksum += ours[maker] * trade.quantity

    def told(self) -> Told:
        """Return what it came to."""
        book = self.book
        return tell(
            Deals(self.trades, int(self.volume), int(self.checksum)),
            (book.get_best_bid(), book.get_best_ask()),
            (
                (self.ours[order.order_id], order.remaining_quantity)
                for order in book.get_resting_orders()
            ),
        )


def opened(_: Stream) -> Opener:
    """Return what makes an empty book."""
    return TraceBook
