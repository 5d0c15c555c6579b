"""Reading a journal without a lock, while a venue may be writing it: for replays and the doctor."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from engine.records import COMMAND
from engine.state import State
from gateway.journal.journal import (
    ARCHIVE,
    JournalDamageError,
    JournalFormatError,
    Mark,
    segment_paths,
)
from gateway.journal.segments import (
    GENESIS,
    HEADER_BYTES,
    Header,
    IncompatibleError,
    believable_after,
    read_batch,
    read_header,
    rows,
)

DAY_ROWS_MAX = 1 << 20  # of a day that is longer the arrays grow, as they do while a venue runs


def make_room(state: State, folder: Path) -> None:
    """Give the day as many rows for orders and trades as the journal in ``folder`` can fill.

    Memory is taken when a row is written; arrays that grow are copied, and what they were is
    touched in vain, which is a good part of a replay.
    """
    held = sum(path.stat().st_size for path in segment_paths(folder)) // COMMAND.itemsize
    state.ensure_orders(min(held, DAY_ROWS_MAX))
    state.ensure_trades(min(held, DAY_ROWS_MAX))


class Stretch(NamedTuple):
    """One batch: its commands (none in a seal), and where the journal stands after it."""

    commands: np.ndarray
    mark: Mark
    size_bytes: int


class Reading:
    """One walk over a journal; ``mark`` says how far it has got.

    From the beginning, archived segments included; with ``after`` from the segment that holds that
    command: what comes before it is verified but not yielded, and ``after`` must lie on the chain.
    """

    def __init__(self, folder: Path, after: Mark | None = None) -> None:
        self.mark = Mark(0, GENESIS)
        self._folder = folder
        self._after = after
        self._paths = segment_paths(folder)
        if not self._paths:
            raise FileNotFoundError(f"{folder} holds no journal")

    @property
    def size_bytes(self) -> int:
        """All of the journal, or from the segment it begins with."""
        return sum(self._path(path).stat().st_size for path in self._paths)

    def __iter__(self) -> Iterator[Stretch]:
        """Verify and yield batch by batch; a torn tail, or one being written, ends it quietly.

        Raises:
            JournalDamageError, JournalFormatError: damage, or a journal of another build.
        """
        found = self._after is None
        for number, (path, view, header) in enumerate(self._segments()):
            if number == 0 and self._after is not None:
                self.mark = Mark(header.first_seq - 1, header.chain)
                found = self.mark == self._after
            if (header.first_seq - 1, header.chain) != self.mark:
                raise JournalDamageError(
                    f"{path}: byte 0: it does not continue the segment before it"
                )
            for stretch in self._batches(path, view):
                if found:
                    yield stretch
                found = found or self.mark == self._after
        if not found:
            raise JournalDamageError(f"{self._folder}: the journal does not hold the snapshot")

    def _segments(self) -> Iterator[tuple[Path, memoryview, Header]]:
        """Yield the segments to be read."""
        opened = [(path, *self._opened(path)) for path in self._paths]
        start = 0
        if self._after is not None:
            early = [head.first_seq <= max(1, self._after.seq) for _, _, head in opened]
            start = max(0, sum(early) - 1)
        yield from opened[start:]

    def _opened(self, path: Path) -> tuple[memoryview, Header]:
        view = memoryview(b"")
        with self._path(path).open("rb") as file:
            if self._path(path).stat().st_size:  # nothing cannot be mapped
                view = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
        try:
            header = read_header(view)
        except IncompatibleError as other:
            raise JournalFormatError(f"{path}: {other}") from other
        if header is None:
            raise JournalDamageError(f"{path}: byte 0: the head of the segment is damaged")
        return view, header

    def _path(self, path: Path) -> Path:
        """Return where a segment lies now: a venue that runs may have archived it meanwhile."""
        archived = self._folder / ARCHIVE / path.name
        return path if path.exists() or not archived.exists() else archived

    def _batches(self, path: Path, view: memoryview) -> Iterator[Stretch]:
        at = HEADER_BYTES
        while (batch := read_batch(view, at)) is not None:
            if batch.previous != self.mark.chain or batch.first_seq != self.mark.seq + 1:
                raise JournalDamageError(f"{path}: byte {at}: the chain of batches is broken here")
            before, at = at, batch.end
            self.mark = Mark(self.mark.seq + batch.size, batch.digest)
            yield Stretch(rows(batch), self.mark, at - before)
        if believable_after(view, at) not in (None, at):
            raise JournalDamageError(f"{path}: byte {at}: damaged, and sound batches follow")


def joined(batches: list[np.ndarray]) -> np.ndarray:
    """Concatenate rows of one dtype as bytes: NumPy would go field by field."""
    if len(batches) == 1:
        return batches[0]
    return np.frombuffer(b"".join(batch.view(np.uint8).data for batch in batches), batches[0].dtype)
