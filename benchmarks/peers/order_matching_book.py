"""order-matching: orders in lists sorted by time; every call looks through all resting orders.

It has no amend. Messages are placed by the hundred, each at a time of its own, and then matched,
which it does in the order of their times: measurably faster than a match after each, and the same
trades. A cancel is a copy of the order placed as cancelled, which spares the search that
``cancel_order`` makes first. Its log is off, which is not how it comes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from loguru import logger
from order_matching.enums import Side, Status
from order_matching.matching_engine import MatchingEngine
from order_matching.order import LimitOrder
from order_matching.orders import Orders

from benchmarks.flow import Stream
from benchmarks.peers.book import Deals, Opener, Told, tell
from benchmarks.yardstick import ADD, BUY, Message

BEGIN = datetime(2026, 1, 5)
TOGETHER = 100  # messages a call
APART = timedelta(microseconds=1)


class OrdersBook:
    """One book of the package; ids are text, as its types ask for."""

    def __init__(self) -> None:
        logger.disable("order_matching")
        self.engine = MatchingEngine(seed=1)
        self.sent: dict[int, LimitOrder] = {}
        self.now = BEGIN
        self.trades = 0
        self.volume = self.checksum = 0.0

    def play(self, stream: Stream) -> None:
        """Apply adds and cancels."""
        messages = stream.messages
        for start in range(0, len(messages), TOGETHER):
            self.engine.place(Orders(self._orders(messages[start : start + TOGETHER])))
            for trade in self.engine.match(self.now).trades:
                self.trades += 1
                self.volume += trade.size
                self.checksum += int(trade.book_order_id) * trade.size

    def _orders(self, messages: list[Message]) -> list[LimitOrder]:
        """Return the messages as the package's orders."""
        sent, made, now = self.sent, [], self.now
        for kind, number, side, price, qty in messages:
            now += APART
            if kind == ADD:
                order = sent[number] = LimitOrder(
                    side=Side.BUY if side == BUY else Side.SELL,
                    price=price,
                    size=qty,
                    timestamp=now,
                    order_id=str(number),
                    trader_id="",
                )
            else:
                order = replace(sent.pop(number), status=Status.CANCEL, timestamp=now)
            made.append(order)
        self.now = now
        return made

    def told(self) -> Told:
        """Return what it came to."""
        book = self.engine.unprocessed_orders
        queues = [*book.bids.values(), *book.offers.values()]
        return tell(
            Deals(self.trades, int(self.volume), int(self.checksum)),
            (max(book.bids, default=None), min(book.offers, default=None)),
            ((int(order.order_id), order.size) for queue in queues for order in queue),
        )


def opened(_: Stream) -> Opener:
    """Return what makes an empty book."""
    return OrdersBook
