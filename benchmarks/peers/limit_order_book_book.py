"""limit-order-book: a C++ book behind ctypes, which reports no trades.

The Python side has no amend (the C++ side has a reduce). What can be checked are the best prices,
how much is open, how many orders rest, and of every number whether it rests: a wrong maker would
leave another order behind.
"""

from __future__ import annotations

from limit_order_book import LimitOrderBook

from benchmarks.flow import Stream
from benchmarks.peers.book import Opener, Told
from benchmarks.yardstick import ADD, BUY


class NativeBook:
    """A book in C++."""

    def __init__(self) -> None:
        self.book = LimitOrderBook()
        self.last_order_no = 0

    def play(self, stream: Stream) -> None:
        """Apply adds and cancels."""
        buy, sell, cancel = self.book.limit_buy, self.book.limit_sell, self.book.cancel
        last = self.last_order_no
        for kind, number, side, price, qty in stream.messages:
            if kind != ADD:
                cancel(number)
            elif side == BUY:
                buy(number, qty, price)
                last = number
            else:
                sell(number, qty, price)
                last = number
        self.last_order_no = last

    def told(self) -> Told:
        """Return what it came to, as the book itself counts it."""
        book = self.book
        rests = [number for number in range(1, self.last_order_no + 1) if book.has(number)]
        return Told(
            trades=None,
            volume=None,
            checksum=None,
            best_bid=book.best_buy(),
            best_ask=book.best_sell(),
            live=book.count(),
            live_sum=sum(rests),
            open_qty=book.volume(),
        )


def opened(_: Stream) -> Opener:
    """Return what makes an empty book."""
    return NativeBook
