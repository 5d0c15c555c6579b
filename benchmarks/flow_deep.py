"""Streams over a book that is already deep: so many orders rest, in so many books, of so many.

A stream has a preload, made with NumPy and sent before the clock starts, and a timed part that is
drawn message by message against a mirror of the books. The mirror also keeps the number of resting
orders about where it is: when it has grown, more of the adds are marketable (price-time) or a few
more messages take and cancel (listed). Prices stand still around the reference, so that a stream
differs from another only in the size that is asked about.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import numpy as np

from benchmarks.flow import QTY_MAX, REFERENCE_TICKS, Stream
from benchmarks.yardstick import ADD, BUY, CANCEL, REDUCE, REPLACE, SELL, TAKE, Message, PlainBook
from engine.records import Kind, Mode, commands
from engine.state import Array

AWAY_MEAN_TICKS = 60
AWAY_MAX_TICKS = 390
MARKETABLE = 0.26
PARTIAL_TAKES = 0.1
_DEAD_DRAWS_MAX = 8

_KINDS = {CANCEL: Kind.CANCEL, REDUCE: Kind.AMEND, REPLACE: Kind.AMEND, TAKE: Kind.TAKE}
_ENTRY = {Mode.PRICE_TIME: Kind.ADD, Mode.LISTED: Kind.LIST}


@dataclass
class DeepStream(Stream):
    """A stream with what rests before it; ``places`` has the instrument of every message."""

    preload: Array
    places: list[int]


class PlainMarket:
    """The yardstick of several instruments: a plain book each."""

    def __init__(self, preload: Array, instruments: int) -> None:
        """Let the orders of a preload rest; they do not meet each other."""
        self.books = [PlainBook() for _ in range(instruments)]
        numbers = np.arange(1, len(preload) + 1)
        for at, book in enumerate(self.books):
            mine = preload["instrument"] == at
            columns = [numbers[mine].tolist()]
            columns += [preload[name][mine].tolist() for name in ("side", "price_ticks")]
            columns += [preload["qty_tonnes"][mine].tolist()]
            book.play(zip(repeat(ADD), *columns, strict=False))

    def play(self, places: Iterable[int], messages: list[Message]) -> None:
        """Apply all messages in order; one book alone needs no way to the right one."""
        if len(self.books) == 1:
            return self.books[0].play(messages)
        books = self.books
        for at, message in zip(places, messages, strict=True):
            kind, number, side, price, qty = message
            book = books[at]
            if kind == ADD:
                book.add(number, side, price, qty)
            elif kind == CANCEL:
                book.cancel(number)
            elif kind == TAKE:
                book.take(number, qty)
            else:
                book.play((message,))
        return None

    def clear(self) -> None:
        """Let go of all orders: they and their queues know each other, and no collector runs."""
        for book in self.books:
            for side in book.sides.values():
                for queue, _ in side.values():
                    queue.clear()
            book.orders.clear()

    def sums(self) -> tuple[int, int, int, int]:
        """Return trades, volume, checksum (the engine's own sums) and resting orders."""
        names = ("trades", "volume", "checksum")
        trades, volume, checksum = (sum(getattr(b, name) for b in self.books) for name in names)
        return trades, volume, checksum, sum(len(book.orders) for book in self.books)


def preloaded(resting: int, instruments: int, accounts: int, mode: Mode, seed: int) -> Array:
    """Return ``resting`` declarations that do not cross, over all books in turn; dtype COMMAND.

    Even accounts buy and odd ones sell, here and later, so that nobody meets an own order.
    """
    draws = np.random.default_rng(seed)
    batch = commands(resting)
    side = draws.integers(BUY, SELL + 1, resting)
    away = 1 + np.minimum(draws.exponential(AWAY_MEAN_TICKS, resting).astype(int), AWAY_MAX_TICKS)
    batch["kind"], batch["side"] = _ENTRY[mode], side
    batch["instrument"] = np.arange(resting) % instruments
    batch["account"] = 2 * draws.integers(0, accounts // 2, resting) + (side == SELL)
    batch["price_ticks"] = REFERENCE_TICKS + np.where(side == BUY, -away, away)
    batch["qty_tonnes"] = draws.integers(1, QTY_MAX + 1, resting)
    return batch


@dataclass
class _Mirror:
    """Draws messages and plays each on a market of its own, so that refs are alive when used."""

    rng: random.Random
    market: PlainMarket
    accounts: int
    live: list[int]
    owner: list[int]  # by order number; 0 is nobody
    place: list[int]
    declared: list[int]  # total quantity
    target: int
    resting: int
    messages: list[Message] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    actors: list[int] = field(default_factory=list)  # account of every message
    totals: list[int] = field(default_factory=list)  # quantity a command names

    def lean(self) -> float:
        """How far the books have grown beyond where they shall stay: -1 … 1 at a quarter."""
        return max(-1.0, min(1.0, 4 * (self.resting - self.target) / self.target))

    def best(self, at: int, side: int) -> int | None:
        """The best price of a side of a book."""
        levels = self.market.books[at].sides[side]
        return abs(levels.peekitem(0)[0]) if levels else None

    def passive_price(self, at: int, side: int) -> int:
        """A price at a geometric distance behind the reference, never marketable."""
        away = 1 + min(int(self.rng.expovariate(1 / AWAY_MEAN_TICKS)), AWAY_MAX_TICKS)
        best = self.best(at, 3 - side)
        if side == BUY:
            price = REFERENCE_TICKS - away
            return price if best is None else min(price, best - 1)
        price = REFERENCE_TICKS + away
        return price if best is None else max(price, best + 1)

    def random_live(self) -> int | None:
        """A random open order of all; forgets ended ones on the way."""
        live, books, place = self.live, self.market.books, self.place
        while live:
            at = int(self.rng.random() * len(live))
            number = live[at]
            if number in books[place[number]].orders:
                return number
            live[at] = live[-1]
            live.pop()
        return None

    def trader(self, side: int) -> int:
        """Even accounts buy and odd ones sell."""
        return 2 * int(self.rng.random() * (self.accounts // 2)) + (side == SELL)

    def say(self, at: int, account: int, total: int, message: Message) -> None:
        """Note a message and play it."""
        book = self.market.books[at]
        before = len(book.orders)
        book.play((message,))
        self.resting += len(book.orders) - before
        self.messages.append(message)
        self.places.append(at)
        self.actors.append(account)
        self.totals.append(total)

    def number(self, at: int, account: int, qty: int) -> int:
        """Give out the next order number, as the exchange does."""
        self.owner.append(account)
        self.place.append(at)
        self.declared.append(qty)
        return len(self.owner) - 1

    def enter(self, marketable: float) -> None:
        """A declaration: marketable with this probability, else it rests."""
        at = int(self.rng.random() * len(self.market.books))
        side = BUY if self.rng.random() < 0.5 else SELL
        best = self.best(at, 3 - side)
        if best is not None and self.rng.random() < marketable:
            deeper = int(self.rng.expovariate(1 / 2))
            price = best + deeper if side == BUY else best - deeper
        else:
            price = self.passive_price(at, side)
        account, qty = self.trader(side), 1 + int(self.rng.random() * QTY_MAX)
        number = self.number(at, account, qty)
        self.live.append(number)
        self.say(at, account, qty, (ADD, number, side, price, qty))

    def cancel(self, ref: int) -> None:
        """Take a resting order back."""
        self.say(self.place[ref], self.owner[ref], 0, (CANCEL, ref, 0, 0, 0))

    def amend(self, ref: int, reduce: bool) -> None:
        """Reduce in place, or move to another price; a total is what FIX calls OrderQty."""
        at = self.place[ref]
        _, side, key, left, _ = self.market.books[at].orders[ref]
        if reduce and left > 1:
            less = 1 + int(self.rng.random() * (left - 1))
            self.declared[ref] -= less
            message: Message = REDUCE, ref, side, abs(key), less
        else:
            price = self.passive_price(at, side)
            if price == abs(key):
                price += -1 if side == BUY else 1
            message = REPLACE, ref, side, price, left
        self.say(at, self.owner[ref], self.declared[ref], message)

    def take(self, ref: int) -> None:
        """Take any listing of the best level on the side where ``ref`` rests (TR-61, TR-63)."""
        at = self.place[ref]
        side = self.market.books[at].orders[ref][1]
        listing = _alive(self.market.books[at].sides[side].peekitem(0)[1][0], self.rng)
        qty = listing[3]
        if qty > 1 and self.rng.random() < PARTIAL_TAKES:
            qty = 1 + int(self.rng.random() * (qty - 1))
        account = self.trader(3 - side)
        self.number(at, account, qty)
        self.say(at, account, qty, (TAKE, listing[0], side, 0, qty))


def _alive(queue: deque[list[Any]], rng: random.Random) -> list[Any]:
    """Return a random listing of a level; many ended ones in its queue are swept out."""
    for _ in range(_DEAD_DRAWS_MAX):
        listing = queue[int(rng.random() * len(queue))]
        if listing[3]:
            return listing
    alive = [listing for listing in queue if listing[3]]
    queue.clear()
    queue.extend(alive)
    return alive[int(rng.random() * len(alive))]


def deep(
    count: int,
    mode: Mode,
    seed: int,
    *,
    resting: int = 10_000,
    instruments: int = 1,
    accounts: int = 3_500,
) -> DeepStream:
    """Return ``count`` messages over books in which ``resting`` orders rest in all.

    Price-time: 60 % adds (about a quarter marketable), 35 % cancels, 3 % reductions, 2 % replaces.
    Listed: 50 % listings, 25 % takes, 25 % cancels. Refs are drawn from all live orders.
    """
    assert accounts % 2 == 0
    preload = preloaded(resting, instruments, accounts, mode, seed)
    mirror = _Mirror(
        random.Random(seed),
        PlainMarket(preload, instruments),
        accounts,
        live=list(range(1, resting + 1)),
        owner=[-1, *preload["account"].tolist()],
        place=[-1, *preload["instrument"].tolist()],
        declared=[0, *preload["qty_tonnes"].tolist()],
        target=resting,
        resting=resting,
    )
    step = _price_time_step if mode == Mode.PRICE_TIME else _listed_step
    for _ in range(count):
        step(mirror)
    mirror.market.clear()
    return _stream(mirror, preload, _ENTRY[mode])


def _price_time_step(mirror: _Mirror) -> None:
    draw = mirror.rng.random()
    ref = mirror.random_live() if draw >= 0.60 else None
    if ref is None:
        mirror.enter(MARKETABLE * (1 + mirror.lean()))
    elif draw < 0.95:
        mirror.cancel(ref)
    else:
        mirror.amend(ref, reduce=draw < 0.98)


def _listed_step(mirror: _Mirror) -> None:
    draw, listings = mirror.rng.random(), 0.5 * (1 - 0.1 * mirror.lean())
    ref = mirror.random_live() if draw >= listings else None
    if ref is None:
        mirror.enter(0.0)
    elif draw < (1 + listings) / 2:
        mirror.take(ref)
    else:
        mirror.cancel(ref)


def cancels(count: int, mode: Mode, seed: int, resting: int, accounts: int = 3_500) -> DeepStream:
    """Return ``count`` cancels of random orders out of ``resting`` ones, and nothing else."""
    assert count <= resting
    preload = preloaded(resting, 1, accounts, mode, seed)
    refs = np.random.default_rng(seed + 1).permutation(resting)[:count] + 1
    batch = commands(count)
    batch["kind"], batch["ref"], batch["instrument"] = Kind.CANCEL, refs, 0
    batch["account"] = preload["account"][refs - 1]
    messages: list[Message] = [(CANCEL, ref, 0, 0, 0) for ref in refs.tolist()]
    return DeepStream(batch, messages, accounts, 1, preload, [0] * count)


def _stream(mirror: _Mirror, preload: Array, entry: Kind) -> DeepStream:
    """Write the messages as commands too, column by column."""
    batch = commands(len(mirror.messages))
    kind, number, side, price, _ = np.array(mirror.messages, np.int64).reshape(-1, 5).T
    entries = kind == ADD
    kinds = np.full(TAKE + 1, int(entry))
    kinds[list(_KINDS)] = [int(code) for code in _KINDS.values()]
    batch["kind"], batch["account"] = kinds[kind], mirror.actors
    batch["instrument"], batch["qty_tonnes"] = mirror.places, mirror.totals
    batch["ref"] = np.where(entries, 0, number)
    batch["side"] = np.where(entries, side, 0)
    batch["price_ticks"] = price
    return DeepStream(
        batch,
        mirror.messages,
        mirror.accounts,
        len(mirror.market.books),
        preload,
        mirror.places,
    )
