"""What an adapter is, what its book tells after it has played, and how two books are compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Protocol

from benchmarks.flow import Stream


@dataclass(frozen=True)
class Deals:
    """Trades so far. ``checksum``: sum of the maker's order number x quantity."""

    trades: int
    volume: int
    checksum: int


@dataclass(frozen=True)
class Told:
    """Trades and the book as it stands; None = the book reports no trades.

    ``live``, ``live_sum``, ``open_qty``: how many orders rest, the sum of their numbers, and what
    is open of them. Prices in ticks, 0 = an empty side.
    """

    trades: int | None
    volume: int | None
    checksum: int | None
    best_bid: int
    best_ask: int
    live: int
    live_sum: int
    open_qty: int

    def unlike(self, reference: Told) -> list[str]:
        """Name each figure that this book tells otherwise than the reference."""
        found = []
        for field in fields(self):
            own, right = getattr(self, field.name), getattr(reference, field.name)
            if own is not None and own != right:
                found.append(f"{field.name} {own:,} instead of {right:,}")
        return found


class Book(Protocol):
    """A book behind its adapter: ``play`` is what is timed, ``told`` is not."""

    def play(self, stream: Stream) -> None:
        """Apply the messages of a stream in order, going on from the last one."""

    def told(self) -> Told:
        """Return what it came to."""


Opener = Callable[[], Book]  # makes an empty book


def tell(
    deals: Deals | None,
    best: tuple[float | None, float | None],
    live: Iterable[tuple[int, float]],
) -> Told:
    """Sum up what a book holds.

    ``best``: its best bid and ask, None = empty. ``live``: number and open quantity of each order.
    """
    count = numbers = 0
    open_qty = 0.0
    for number, qty in live:
        count += 1
        numbers += number
        open_qty += qty
    bid, ask = (int(price or 0) for price in best)
    return Told(
        trades=None if deals is None else deals.trades,
        volume=None if deals is None else deals.volume,
        checksum=None if deals is None else deals.checksum,
        best_bid=bid,
        best_ask=ask,
        live=count,
        live_sum=numbers,
        open_qty=int(open_qty),
    )
