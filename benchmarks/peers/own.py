"""The two books of our own: the yardstick, and the engine in batches or a command a call."""

from __future__ import annotations

import numpy as np

from benchmarks.flow import Stream
from benchmarks.matching import BATCH, prepared, tally
from benchmarks.peers.book import Deals, Opener, Told, tell
from benchmarks.yardstick import BUY, SELL, PlainBook
from engine.codes import OrderStatus
from engine.exchange import Exchange, warm_up
from engine.records import Mode


class Yardstick:
    """The plain Python book, which only matches."""

    def __init__(self) -> None:
        self.book = PlainBook()

    def play(self, stream: Stream) -> None:
        """Apply the messages."""
        self.book.play(stream.messages)

    def told(self) -> Told:
        """Return what it came to."""
        book = self.book
        bids, asks = book.sides[BUY], book.sides[SELL]
        return tell(
            Deals(book.trades, book.volume, book.checksum),
            (-bids.peekitem(0)[0] if bids else None, asks.peekitem(0)[0] if asks else None),
            ((number, order[3]) for number, order in book.orders.items()),
        )


class Engine:
    """Our engine with accounts, checks, freezes, ledger and events."""

    def __init__(self, ready: Exchange, batch: int) -> None:
        self.exchange = ready.fork()
        self.batch = batch

    def play(self, stream: Stream) -> None:
        """Apply the commands, so many a call."""
        apply, batch, commands = self.exchange.apply, self.batch, stream.commands
        for start in range(0, len(commands), batch):
            apply(commands[start : start + batch])

    def told(self) -> Told:
        """Return what it came to."""
        state = self.exchange.state
        played = tally(self.exchange.trades_today(), 0.0)
        orders = self.exchange.orders_today()
        rests = np.isin(orders["status"], (OrderStatus.OPEN, OrderStatus.PART_FILLED))
        rests[0] = False  # row 0 is nobody
        numbers = int(state.market[0]["order_base"]) + np.flatnonzero(rests)
        live = orders[rests]
        bids, asks = (live["price_ticks"][live["side"] == side] for side in (BUY, SELL))
        return tell(
            Deals(played.trades, played.volume, played.checksum),
            (int(bids.max()) if len(bids) else None, int(asks.min()) if len(asks) else None),
            zip(numbers.tolist(), live["leaves_qty"].tolist(), strict=True),
        )


def yardstick(_: Stream) -> Opener:
    """Return what makes an empty yardstick."""
    return Yardstick


def batches(stream: Stream) -> Opener:
    """Return what makes an engine with funded accounts that is given batches of commands."""
    return _engine(stream, BATCH)


def calls(stream: Stream) -> Opener:
    """Return what makes an engine with funded accounts that is given one command a call."""
    return _engine(stream, 1)


def _engine(stream: Stream, batch: int) -> Opener:
    """Compile, open and fund the accounts, and number the commands as the sequencer would."""
    warm_up()
    ready = prepared(stream, Mode.PRICE_TIME)
    stream.commands["seq"] = ready.seq + 1 + np.arange(len(stream.commands))
    stream.commands["time_ns"] = stream.commands["seq"]
    return lambda: Engine(ready, batch)
