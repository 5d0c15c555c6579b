"""Rows that grow at their end and are never copied field by field."""

from __future__ import annotations

import contextlib
import mmap

import numpy as np

ROOM_MIN = 1 << 20  # rows: address space only, the system gives memory when a row is written


def _memory(count_bytes: int) -> mmap.mmap:
    """Return zeroed memory of this process, in large pages where the system has them."""
    memory = mmap.mmap(-1, count_bytes, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


class Rows:
    """An array that grows at its end; ``all`` are the rows in use.

    It grows where it is, or is moved by the system page by page: no row is copied, no memory is
    touched for the first time but for new rows. Rows are written as plain bytes: NumPy copies
    structured rows field by field otherwise, and lets no other thread work meanwhile.
    """

    def __init__(self, dtype: np.dtype) -> None:
        self._dtype = dtype
        self._raw = np.dtype((np.void, dtype.itemsize))
        self._memory = _memory(ROOM_MIN * dtype.itemsize)
        self._room = np.frombuffer(self._memory, dtype)
        self.size = 0

    @property
    def all(self) -> np.ndarray:
        """The rows in use, not copied."""
        return self._room[: self.size]

    def extend(self, rows: np.ndarray) -> None:
        """Append ``rows``."""
        size = self.size + len(rows)
        if size > len(self._room):
            self._grow(max(size, 2 * len(self._room)))
        added = np.ascontiguousarray(rows, self._dtype).view(np.uint8)
        width = self._dtype.itemsize
        self._room.view(np.uint8)[self.size * width : size * width] = added
        self.size = size

    def _grow(self, count: int) -> None:
        count_bytes = count * self._dtype.itemsize
        del self._room  # memory that is looked at does not move
        try:
            self._memory.resize(count_bytes)
        except (BufferError, SystemError):  # somebody else looks at it; this system cannot move it
            older, self._memory = self._memory, _memory(count_bytes)
            rows = np.frombuffer(older, self._raw, self.size)
            np.frombuffer(self._memory, self._raw)[: self.size] = rows
        self._room = np.frombuffer(self._memory, self._dtype)

    def chosen(self, positions: np.ndarray) -> np.ndarray:
        """Return a copy of the rows at ``positions``."""
        found: np.ndarray = self._room.view(self._raw)[positions]
        return found.view(self._dtype)
