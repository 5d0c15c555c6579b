"""A random walk of many messages, played on several books at once; a failing one is made short.

    python -m tests.conformance.price_time_walk SEED COUNT

prints the shortest walk on which engine and model differ, as a table in the language of the cases.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from random import Random

from tests.conformance.book_under_test import BookMaker, BrokenError, Session
from tests.conformance.price_time_books import EngineBook, FeedBook
from tests.conformance.price_time_language import (
    Market,
    Message,
    draw_levels,
    write_message,
)
from tests.conformance.price_time_model import FifoBook
from tests.property.shrink import shrink

NARROW = Market(  # 7 prices, scarce means, few open orders: everything is refused now and then
    instruments=2,
    accounts=5,
    reference_ticks=30,
    qty_max=60,
    open_orders_max=6,
    means={0: (9_000, 150), 1: (40_000, 600), 2: (10**9, 0)},
)
COSTLY = replace(NARROW, fee_ppm=70_001)  # so that fees are rounded in every deal
WIDE = Market(instruments=1, accounts=4)  # 1,601 prices, ample means
MARKETS = {"narrow": NARROW, "costly": COSTLY, "wide": WIDE}
ODDITIES = (-1, 0, 1, 60, 61, 10**5)
BOOKS: tuple[BookMaker, ...] = (FifoBook, EngineBook, FeedBook)


class Draw:
    """Draws messages by looking at a model's open orders."""

    def __init__(self, seed: int, market: Market) -> None:
        self.random = Random(seed)
        self.market = market
        self.session = Session(market, FifoBook(market))
        self.made = 0

    def message(self) -> Message:
        """Draw the next message and do it on the model."""
        kind = self.random.random()
        if kind < 0.55 or not self.session.numbers:
            drawn = self._add()
        else:
            drawn = self._about_an_order("cancel" if kind < 0.75 else "amend")
        self.session.send(drawn)
        return drawn

    def _price(self) -> int:
        lower, upper = self.market.limits()
        if self.random.random() < 0.02:
            return self.random.choice((-1, 0, lower - 1, upper + 1))
        if self.random.random() < 0.8:
            middle = self.market.reference_ticks
            return max(lower, min(upper, middle + round(self.random.gauss(0, 4))))
        return self.random.randint(lower, upper)

    def _qty(self) -> int:
        if self.random.random() < 0.02:
            return self.random.choice(ODDITIES)
        return self.random.randint(1, self.random.choice((3, 12, 60)))

    def _add(self) -> Message:
        self.made += 1
        return Message(
            "add",
            account=self.random.randrange(self.market.accounts),
            order=f"m{self.made}",
            instrument=self.random.randrange(self.market.instruments),
            side=self.random.choice((1, 2)),
            price_ticks=self._price(),
            qty=self._qty(),
            client_id=self.random.choice(("", "x", "y")),
        )

    def _about_an_order(self, verb: str) -> Message:
        live = list(self.session.witness.open)
        if live and self.random.random() < 0.9:
            number = self.random.choice(live)
            claim = self.session.witness.open[number]
            owner, price, qty = claim.account, claim.price_ticks, claim.qty
        else:
            number = self.random.choice(list(self.session.names))
            owner, price, qty = self.random.randrange(self.market.accounts), self._price(), 5
        if self.random.random() < 0.05:
            owner = self.random.randrange(self.market.accounts)
        name = self.session.names[number]
        if verb == "cancel":
            return Message("cancel", owner, name)
        price = price if self.random.random() < 0.5 else self._price()
        qty = self.random.choice((qty, qty - 1, qty // 2, qty + 3, self._qty()))
        return Message("amend", owner, name, price_ticks=price, qty=qty)


def walk(seed: int, count: int, market: Market) -> list[Message]:
    """Return a seeded walk of messages."""
    draw = Draw(seed, market)
    return [draw.message() for _ in range(count)]


def difference(
    messages: Sequence[Message],
    market: Market,
    makers: Sequence[BookMaker] = BOOKS,
    look_every: int = 1,
) -> str | None:
    """Play messages on all books; return what is wrong or differs first, None if nothing does."""
    sessions = [Session(market, make(market)) for make in makers]
    for number, message in enumerate(messages, 1):
        try:
            told = ["; ".join(map(s.drawn, s.send(message))) for s in sessions]
            depths = [[s.book.depth(row) for row in range(market.instruments)] for s in sessions]
            if number % look_every == 0 or number == len(messages):
                for session in sessions:
                    session.look()
        except BrokenError as error:
            return f"message {number} ({write_message(message)}): {error}"
        if told.count(told[0]) != len(told) or depths.count(depths[0]) != len(depths):
            return f"message {number} ({write_message(message)}): {told}, {depths}"
    return None


def table(messages: Sequence[Message], market: Market) -> str:
    """Write a walk with what the model tells and shows, a row a message."""
    session, rows = Session(market, FifoBook(market)), []
    for message in messages:
        told = "; ".join(session.drawn(report) for report in session.send(message))
        depths = [session.book.depth(row) for row in range(market.instruments)]
        halves = [draw_levels([depth[half] for depth in depths]) for half in (0, 1)]
        rows.append(" | ".join((write_message(message), told, *halves)))
    return "\n".join(rows)


def shortest(
    messages: Sequence[Message], market: Market, makers: Sequence[BookMaker] = BOOKS
) -> list[Message]:
    """Leave out messages as long as the books still differ."""
    return shrink(list(messages), lambda fewer: difference(fewer, market, makers))


def main(arguments: list[str]) -> int:
    """Walk, and print the shortest failing walk; 0 if none fails."""
    seed, count = int(arguments[0]), int(arguments[1])
    for name, market in MARKETS.items():
        messages = walk(seed, count, market)
        problem = difference(messages, market, look_every=25)
        print(f"seed {seed}, {name} market, {count} messages: {problem or 'no difference'}")
        if problem is not None:
            short = shortest(messages, market)
            print(table(short, market))
            print(difference(short, market))
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
