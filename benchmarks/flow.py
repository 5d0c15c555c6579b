"""Seeded message streams, made once before anything is timed.

A stream exists twice with the same meaning: as COMMAND records for the engine and as plain tuples
for the yardstick. The maker of a stream plays it through a yardstick book of its own, so that
cancels and amends name live orders and takes obey price priority.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np

from benchmarks.yardstick import ADD, BUY, CANCEL, REDUCE, REPLACE, SELL, TAKE, Message, PlainBook
from engine.records import COMMAND, Kind, commands
from engine.state import Array

REFERENCE_TICKS = 10_000  # 100.00 yuan: a band of 9,000 … 11,000, i.e. 2,001 ticks
ACCOUNTS = 3_500
QTY_MAX = 100


@dataclass
class Stream:
    """The same messages for both books. ``commands`` have ``seq`` counted from 1."""

    commands: Array
    messages: list[Message]
    accounts: int
    instruments: int


@dataclass
class _Maker:
    """Draws messages against a book of its own, so that refs are alive when they are used."""

    rng: random.Random
    accounts: int
    book: PlainBook = field(default_factory=PlainBook)
    owner: dict[int, int] = field(default_factory=dict)
    live: list[int] = field(default_factory=list)
    last_order_no: int = 0
    middle: int = REFERENCE_TICKS
    declared: dict[int, int] = field(default_factory=dict)  # order -> total quantity

    def trader(self, side: int) -> int:
        """Even accounts buy and odd ones sell, so that nobody meets an order of its own."""
        return 2 * self.rng.randrange(self.accounts // 2) + (side == SELL)

    def side(self) -> int:
        return BUY if self.rng.random() < 0.5 else SELL

    def passive_price(self, side: int) -> int:
        """A price at a geometric distance behind the middle, which itself walks slowly."""
        self.middle += self.rng.choice((-1, 0, 0, 0, 1))
        self.middle = min(10_600, max(9_400, self.middle))
        away = 1 + min(int(self.rng.expovariate(1 / 60)), 390)
        price = self.middle - away if side == BUY else self.middle + away
        best = self.best(3 - side)
        if best is not None:  # never by accident marketable
            price = min(price, best - 1) if side == BUY else max(price, best + 1)
        return min(11_000, max(9_000, price))

    def best(self, side: int) -> int | None:
        """The best price of a side."""
        levels = self.book.sides[side]
        if not levels:
            return None
        key = levels.peekitem(0)[0]
        return key if side == SELL else -key  # type: ignore[no-any-return]

    def random_live(self) -> int | None:
        """A random open order; forgets ended ones on the way."""
        while self.live:
            at = self.rng.randrange(len(self.live))
            number = self.live[at]
            if number in self.book.orders:
                return number
            self.live[at] = self.live[-1]
            self.live.pop()
        return None

    def new_number(self, account: int) -> int:
        self.last_order_no += 1
        self.owner[self.last_order_no] = account
        return self.last_order_no


def price_time(count: int, seed: int, accounts: int = ACCOUNTS) -> Stream:
    """60 % adds (a quarter of them marketable), 35 % cancels, 3 % reductions, 2 % replaces."""
    maker = _Maker(random.Random(seed), accounts)
    batch = _empty(count, accounts)
    messages: list[Message] = []
    for i in range(count):
        draw = maker.rng.random()
        ref = maker.random_live() if draw >= 0.60 else None
        if ref is None:
            messages.append(_add(maker, batch[i]))
        elif draw < 0.95:
            messages.append(_cancel(maker, batch[i], ref))
        else:
            messages.append(_amend(maker, batch[i], ref, reduce=draw < 0.98))
        maker.book.play(messages[-1:])
    return Stream(batch, messages, accounts, 1)


def listed(count: int, seed: int, accounts: int = ACCOUNTS) -> Stream:
    """50 % listings, 25 % takes of any listing of the best level, 25 % cancels."""
    maker = _Maker(random.Random(seed), accounts)
    batch = _empty(count, accounts)
    messages: list[Message] = []
    for i in range(count):
        draw = maker.rng.random()
        ref = maker.random_live() if draw >= 0.5 else None
        if ref is None:
            messages.append(_list(maker, batch[i]))
        elif draw < 0.75:
            messages.append(_cancel(maker, batch[i], ref))
        else:
            messages.append(_take(maker, batch[i], maker.book.orders[ref][1]))
        maker.book.play(messages[-1:])
    return Stream(batch, messages, accounts, 1)


def _empty(count: int, accounts: int) -> Array:
    """Numbered commands on the first instrument."""
    assert accounts % 2 == 0
    batch = commands(count)
    assert batch.dtype == COMMAND
    batch["seq"] = np.arange(1, count + 1)
    batch["time_ns"] = batch["seq"] * 1_000
    batch["instrument"] = 0
    return batch


def _add(maker: _Maker, c: Array) -> Message:
    side = maker.side()
    best = maker.best(3 - side)
    if best is not None and maker.rng.random() < 0.26:
        deeper = int(maker.rng.expovariate(1 / 2))
        price = best + deeper if side == BUY else best - deeper
        price = min(11_000, max(9_000, price))
    else:
        price = maker.passive_price(side)
    return _declare(maker, c, Kind.ADD, side, price)


def _list(maker: _Maker, c: Array) -> Message:
    side = maker.side()
    return _declare(maker, c, Kind.LIST, side, maker.passive_price(side))


def _declare(maker: _Maker, c: Array, kind: Kind, side: int, price: int) -> Message:
    """Write a declaration and remember its number and owner."""
    account = maker.trader(side)
    qty = 1 + maker.rng.randrange(QTY_MAX)
    number = maker.new_number(account)
    c["kind"], c["account"], c["side"] = kind, account, side
    c["price_ticks"], c["qty_tonnes"] = price, qty
    maker.live.append(number)
    maker.declared[number] = qty
    return ADD, number, side, price, qty


def _cancel(maker: _Maker, c: Array, ref: int) -> Message:
    c["kind"], c["account"], c["ref"] = Kind.CANCEL, maker.owner[ref], ref
    return CANCEL, ref, 0, 0, 0


def _amend(maker: _Maker, c: Array, ref: int, reduce: bool) -> Message:
    """Reduce in place, or move to another price; totals are what FIX calls OrderQty."""
    _, side, key, left, _ = maker.book.orders[ref]
    filled = maker.declared[ref] - left
    if reduce and left > 1:
        less = 1 + maker.rng.randrange(left - 1)
        price, total = abs(key), filled + left - less
        message: Message = REDUCE, ref, side, price, less
    else:
        price = maker.passive_price(side)
        if price == abs(key):
            price = max(9_000, price - 1) if side == BUY else min(11_000, price + 1)
        total = filled + left
        message = REPLACE, ref, side, price, left
    maker.declared[ref] = total
    c["kind"], c["account"], c["ref"] = Kind.AMEND, maker.owner[ref], ref
    c["price_ticks"], c["qty_tonnes"] = price, total
    return message


def _take(maker: _Maker, c: Array, side: int) -> Message:
    """Take some or all of a random listing of the best level of a side (TR-61, TR-63)."""
    queue = maker.book.sides[side].peekitem(0)[1][0]
    while True:
        listing = queue[maker.rng.randrange(len(queue))]
        if listing[3]:
            break
        queue.remove(listing)
    qty = listing[3] if maker.rng.random() < 0.5 else 1 + maker.rng.randrange(listing[3])
    account = maker.trader(3 - side)
    maker.new_number(account)
    c["kind"], c["account"], c["ref"], c["qty_tonnes"] = Kind.TAKE, account, listing[0], qty
    return TAKE, listing[0], side, 0, qty
