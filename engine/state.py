"""The exchange's memory: a handful of structured arrays, and nothing else.

Rows in use come first; what lies beyond is zero. Capacities grow between batches (a kernel never
allocates). Whatever an object could remember beside these arrays would be missing from the digest,
so there is nothing beside them.
"""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import numpy as np

from engine.records import (
    ACCOUNT,
    BOOK,
    HOLDING,
    INSTRUMENT,
    LEVEL,
    MARKET,
    MODALITIES,
    NEGOTIATION,
    ORDER,
    RULES,
    SESSION,
    TOTAL,
    TRADE,
)

Array = np.ndarray[Any, np.dtype[Any]]
LADDER_STEP = 1024  # ladder widths are multiples: 32 words of 32 levels make one summary word


class Arrays(NamedTuple):
    """The arrays as kernels see them. Two-dimensional tables are flattened row by row.

    holdings: account * stride + instrument. totals: instrument * 3 + modality.
    books: instrument * 2 + side - 1; levels: book * width + rank; words: book * words_per_book.
    """

    market: Array
    rules: Array
    accounts: Array
    holdings: Array
    instruments: Array
    totals: Array
    books: Array
    levels: Array
    words: Array
    orders: Array
    trades: Array
    stride: int
    width: int


def words_per_book(width: int) -> int:
    """Return the words of one book's bitmap: one bit a level, then one bit a word."""
    return width // 32 + width // LADDER_STEP


class State:
    """Owns the arrays and their capacities."""

    def __init__(self, accounts_max: int = 64, instruments_max: int = 8) -> None:
        self.market: Array = np.zeros(1, MARKET)
        self.market["orders"] = 1  # row 0 is nobody
        self.market["sessions"] = 1  # row 0 is none
        self.rules: Array = np.zeros(1, RULES)
        self.accounts: Array = np.zeros(accounts_max, ACCOUNT)
        self.holdings: Array = np.zeros((accounts_max, instruments_max), HOLDING)
        self.instruments: Array = np.zeros(instruments_max, INSTRUMENT)
        self.totals: Array = np.zeros((instruments_max, len(MODALITIES)), TOTAL)
        self.orders: Array = np.zeros(1024, ORDER)
        self.trades: Array = np.zeros(1024, TRADE)
        self.negotiations: Array = np.zeros(16, NEGOTIATION)
        self.sessions: Array = np.zeros(16, SESSION)
        self.width = LADDER_STEP
        self._lay_ladders()

    def _lay_ladders(self) -> None:
        """Make empty books of the present width (only while no order is open)."""
        books = 2 * len(self.instruments)
        self.books: Array = np.zeros(books, BOOK)
        self.books["best_rank"] = self.width
        self.levels: Array = np.zeros(books * self.width, LEVEL)
        self.words: Array = np.zeros(books * words_per_book(self.width), np.int64)

    def arrays(self) -> Arrays:
        """Return the kernels' view of the present arrays."""
        return Arrays(
            self.market,
            self.rules,
            self.accounts,
            self.holdings.reshape(-1),
            self.instruments,
            self.totals.reshape(-1),
            self.books,
            self.levels,
            self.words,
            self.orders,
            self.trades,
            self.holdings.shape[1],
            self.width,
        )

    def ensure_accounts(self, count: int) -> None:
        """Make room for ``count`` accounts."""
        room = len(self.accounts)
        if count > room:
            grown = max(count, 2 * room)
            self.accounts = _grown(self.accounts, grown)
            self.holdings = _grown(self.holdings, grown)

    def ensure_instruments(self, count: int) -> None:
        """Make room for ``count`` instruments, between two days (ladders are laid anew)."""
        room = len(self.instruments)
        if count > room:
            grown = max(count, 2 * room)
            self.instruments = _grown(self.instruments, grown)
            self.totals = _grown(self.totals, grown)
            wider = np.zeros((len(self.accounts), grown), HOLDING)
            wider[:, :room] = self.holdings
            self.holdings = wider
            self._lay_ladders()

    def ensure_width(self, levels: int) -> None:
        """Make every ladder hold ``levels`` price levels (only while no order is open)."""
        if levels > self.width:
            self.width = -(-levels // LADDER_STEP) * LADDER_STEP
            self._lay_ladders()

    def ensure_orders(self, more: int) -> None:
        """Make room for ``more`` orders beyond those of today."""
        needed = int(self.market[0]["orders"]) + more
        if needed > len(self.orders):
            self.orders = _grown(self.orders, max(needed, 2 * len(self.orders)))

    def ensure_trades(self, more: int) -> None:
        """Make room for ``more`` trades beyond those of today."""
        needed = int(self.market[0]["trades"]) + more
        if needed > len(self.trades):
            self.trades = _grown(self.trades, max(needed, 2 * len(self.trades)))

    def ensure_negotiations(self, more: int) -> None:
        """Make room for ``more`` bulk negotiations beyond those of today."""
        needed = int(self.market[0]["negotiations"]) + more
        if needed > len(self.negotiations):
            self.negotiations = _grown(self.negotiations, max(needed, 2 * len(self.negotiations)))

    def ensure_sessions(self, more: int) -> None:
        """Make room for ``more`` bidding sessions beyond those of today."""
        needed = int(self.market[0]["sessions"]) + more
        if needed > len(self.sessions):
            self.sessions = _grown(self.sessions, max(needed, 2 * len(self.sessions)))

    def used(self) -> dict[str, Array]:
        """Return each array cut to its rows in use, by name, in the digest's order."""
        market = self.market[0]
        accounts, instruments = int(market["accounts"]), int(market["instruments"])
        books = 2 * instruments
        return {
            "market": self.market,
            "rules": self.rules,
            "accounts": self.accounts[:accounts],
            "holdings": self.holdings[:accounts, :instruments],
            "instruments": self.instruments[:instruments],
            "totals": self.totals[:instruments],
            "books": self.books[:books],
            "levels": self.levels[: books * self.width],
            "words": self.words[: books * words_per_book(self.width)],
            "orders": self.orders[: int(market["orders"])],
            "trades": self.trades[: int(market["trades"])],
            "negotiations": self.negotiations[: int(market["negotiations"])],
            "sessions": self.sessions[: int(market["sessions"])],
        }

    def digest(self) -> str:
        """Return the SHA-256 of every field of every row in use, in hexadecimal (P10)."""
        seen = hashlib.sha256()
        for name, rows in self.used().items():
            seen.update(f"{name} {rows.shape} {rows.dtype.descr}".encode())
            seen.update(np.ascontiguousarray(rows).reshape(-1).view(np.uint8).data)
        return seen.hexdigest()

    def copy(self) -> State:
        """Return an independent copy: a fork of the exchange."""
        twin = State.__new__(State)
        for name, value in vars(self).items():
            setattr(twin, name, value.copy() if isinstance(value, np.ndarray) else value)
        return twin


def _grown(rows: Array, count: int) -> Array:
    """Return ``rows`` with ``count`` rows along the first axis, the new ones zero."""
    grown = np.zeros((count, *rows.shape[1:]), rows.dtype)
    size = rows.nbytes  # as bytes: NumPy copies structured rows field by field
    grown.reshape(-1).view(np.uint8)[:size] = rows.reshape(-1).view(np.uint8)
    return grown
