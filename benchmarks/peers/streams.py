"""The price–time stream as books without an amend must be sent it.

Such a book can express a reduction or another price only as a cancel and a new order, which loses
the place in the queue. From then on its fills differ, so the messages are written anew against a
yardstick that keeps those rules. Every book of that round, our engine too, plays what is written
here: no message names an order that has ended, and all must agree to the last tonne.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from benchmarks.flow import Stream
from benchmarks.yardstick import ADD, CANCEL, REDUCE, Message, PlainBook
from engine.records import Kind, commands
from engine.state import Array


@dataclass
class _Writer:
    """Messages as they are sent, the commands they are, and the book they leave."""

    book: PlainBook = field(default_factory=PlainBook)
    messages: list[Message] = field(default_factory=list)
    accounts: list[int] = field(default_factory=list)
    now: dict[int, int] = field(default_factory=dict)  # number first given -> number of today
    last_order_no: int = 0

    def send(self, message: Message, account: int) -> None:
        self.messages.append(message)
        self.accounts.append(account)
        self.book.play(self.messages[-1:])

    def add(self, first: int, side: int, price: int, qty: int, account: int) -> None:
        self.last_order_no += 1
        self.now[first] = self.last_order_no
        self.send((ADD, self.last_order_no, side, price, qty), account)

    def change(self, message: Message, account: int) -> bool:
        """Write a cancel, and what replaces it; False if the order has ended here already."""
        kind, first, side, price, qty = message
        number = self.now[first]
        order = self.book.orders.get(number)
        if order is None:
            return False
        left = order[3] - qty if kind == REDUCE else order[3]
        self.send((CANCEL, number, 0, 0, 0), account)
        if kind != CANCEL and left > 0:
            self.add(first, side, price, left, account)
        return True


def requeued(stream: Stream) -> tuple[Stream, int]:
    """Write a stream with cancels and adds only; also returns how many messages fell away.

    A message falls away where its order has already ended under these rules.
    """
    writer, fallen = _Writer(), 0
    for message, account in zip(stream.messages, stream.commands["account"].tolist(), strict=True):
        if message[0] == ADD:
            writer.add(*message[1:], account)
        elif not writer.change(message, account):
            fallen += 1
    sent = Stream(_commands(writer), writer.messages, stream.accounts, stream.instruments)
    return sent, fallen


def _commands(writer: _Writer) -> Array:
    """Return the messages as COMMAND records of the engine."""
    kind, number, side, price, qty = np.array(writer.messages, np.int64).reshape(-1, 5).T
    batch = commands(len(kind))
    batch["seq"] = np.arange(1, len(kind) + 1)
    batch["time_ns"] = batch["seq"] * 1_000
    batch["account"], batch["instrument"] = writer.accounts, 0
    added = kind == ADD
    batch["kind"] = np.where(added, Kind.ADD, Kind.CANCEL)
    batch["ref"] = np.where(added, 0, number)
    batch["side"], batch["price_ticks"], batch["qty_tonnes"] = side, price, qty
    return batch


def part(stream: Stream, start: int, stop: int) -> Stream:
    """Return the messages from ``start`` to before ``stop``."""
    kept = stream.commands[start:stop], stream.messages[start:stop]
    return Stream(*kept, stream.accounts, stream.instruments)
