"""The trades of one day as the public saw them: what bars, history and the archive are made of.

A trade waits as a tuple until somebody looks; then it becomes a row of TAPE, 64 bytes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

TAPE = np.dtype(
    [
        ("time_ns", "<i8"),
        ("trade_no", "<i8"),
        ("qty_tonnes", "<i8"),
        ("turnover_fen", "<i8"),
        ("price_ticks", "<i4"),
        ("instrument", "<i4"),
        ("side", "<i4"),  # the taker's
        ("modality", "<i4"),
        ("void", "<i8"),  # 0 / 1 (TR-121)
    ]
)
ROOM_MIN = 1024


class Trades(NamedTuple):
    """Trades in order, column by column; ``weighted``: what the composite's sum is after each."""

    at: np.ndarray  # position in the stretch
    time_ns: np.ndarray
    instrument: np.ndarray
    price: np.ndarray
    qty: np.ndarray
    value: np.ndarray
    trade_no: np.ndarray
    side: np.ndarray
    weighted: np.ndarray

    def between(self, begin: int, end: int) -> Trades:
        """Return those at the positions from ``begin`` up to ``end``."""
        first, last = np.searchsorted(self.at, (begin, end))
        return Trades(*(column[first:last] for column in self))


class Tape:
    """Trades of the running day in order of their number; voided ones are marked, never removed."""

    def __init__(self) -> None:
        self._rows = np.zeros(ROOM_MIN, TAPE)
        self._count = 0
        self._waiting: list[tuple[int, ...]] = []
        self.add = self._waiting.append  # one tuple in the order of TAPE; called for every trade

    def rows(self) -> np.ndarray:
        """Return every trade: shape (n,), dtype TAPE, a view that the next trade may outdate."""
        if self._waiting:
            new = np.array(self._waiting, TAPE)
            self._waiting.clear()
            self._append(new)
        return self._rows[: self._count]

    def add_many(self, rows: np.ndarray) -> None:
        """Add trades at once: shape (n,), dtype TAPE."""
        self.rows()  # what waits comes first
        self._append(rows)

    def _append(self, new: np.ndarray) -> None:
        end = self._count + len(new)
        if end > len(self._rows):
            grown = np.zeros(max(end, 2 * len(self._rows)), TAPE)
            grown[: self._count] = self._rows[: self._count]
            self._rows = grown
        self._rows[self._count : end] = new
        self._count = end

    def void(self, trade_no: int) -> Any:
        """Mark a trade as undone and return its row.

        Raises:
            KeyError: it is not of this day.
        """
        rows = self.rows()
        at = int(np.searchsorted(rows["trade_no"], trade_no))
        if at == len(rows) or rows[at]["trade_no"] != trade_no:
            raise KeyError(trade_no)
        rows[at]["void"] = 1
        return rows[at]

    def begin_day(self) -> np.ndarray:
        """Start an empty tape and return the day before: shape (n,), dtype TAPE."""
        done = self.rows()
        self._rows, self._count = np.zeros(ROOM_MIN, TAPE), 0
        return done
