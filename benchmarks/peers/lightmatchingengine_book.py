"""lightmatchingengine: dictionaries of lists, the best price found by looking at every price.

Every order gets the engine's next number, and the stream numbers its orders from 1 as they come,
so both name an order alike. It has no amend. An order that was filled stays in its table for good,
and to cancel it again stops the program; the stream never does that.
"""

from __future__ import annotations

from lightmatchingengine.lightmatchingengine import LightMatchingEngine

from benchmarks.flow import Stream
from benchmarks.peers.book import Deals, Opener, Told, tell
from benchmarks.yardstick import ADD

NAME = "CEA"


class LightBook:
    """One instrument in a light matching engine."""

    def __init__(self) -> None:
        self.engine = LightMatchingEngine()
        self.trades = self.volume = self.checksum = 0

    def play(self, stream: Stream) -> None:
        """Apply adds and cancels; a trade is told twice, for the taker and for each maker."""
        add, cancel = self.engine.add_order, self.engine.cancel_order
        trades = volume = checksum = 0
        for kind, number, side, price, qty in stream.messages:
            if kind == ADD:
                for trade in add(NAME, price, qty, side)[1]:
                    if trade.order_id != number:
                        trades += 1
                        volume += trade.trade_qty
                        checksum += trade.order_id * trade.trade_qty
            else:
                cancel(number, NAME)
        self.trades += trades
        self.volume += volume
        self.checksum += checksum

    def told(self) -> Told:
        """Return what it came to."""
        book = self.engine.order_books.get(NAME)
        bids, asks = (book.bids, book.asks) if book else ({}, {})
        queues = [*bids.values(), *asks.values()]
        return tell(
            Deals(self.trades, self.volume, self.checksum),
            (max(bids, default=None), min(asks, default=None)),
            ((order.order_id, order.leaves_qty) for queue in queues for order in queue),
        )


def opened(_: Stream) -> Opener:
    """Return what makes an empty book."""
    return LightBook
