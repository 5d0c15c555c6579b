"""The journal: every command that changed the exchange, durable before anybody hears of it.

One writer appends batches and syncs each one (group commit). A sync or a write that fails is
final: the caller ends the process (``JournalWriteError``); nothing is ever synced again in the hope
that it works the second time. At open the whole chain is verified while it is replayed. A torn last
batch is cut; anything else that is not as it was written refuses to start and names file and byte.
"""

from __future__ import annotations

import fcntl
import logging
import mmap
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

from gateway.disk import Disk, Point
from gateway.segments import (
    GENESIS,
    HEADER_BYTES,
    RECORD_BYTES,
    SEGMENT_BYTES,
    Header,
    IncompatibleError,
    believable_after,
    last_byte_used,
    pack_batch,
    pack_header,
    read_batch,
    read_header,
    rows,
)

logger = logging.getLogger(__name__)

PREFIX, SUFFIX, UNBORN, ARCHIVE = "journal-", ".seg", "unborn", "archive"
MARKS = 4  # of the latest appends: applying runs at most one batch behind


class JournalDamageError(Exception):
    """The journal is not as it was written: the venue must not start. Names file and byte."""


class JournalFormatError(Exception):
    """The journal was written by a build with another format or record layout."""


class JournalLockedError(Exception):
    """Another process has this journal open."""


class JournalWriteError(Exception):
    """A write or a sync failed: nothing may be acknowledged any more, the process ends."""


class Mark(NamedTuple):
    """A point of a journal's history: the last command, and the chain of batches up to there."""

    seq: int
    chain: bytes


def segment_paths(folder: Path) -> list[Path]:
    """Return every segment of a journal, in order: archived ones first."""
    return [
        *sorted((folder / ARCHIVE).glob(f"{PREFIX}*{SUFFIX}")),
        *sorted(folder.glob(f"{PREFIX}*{SUFFIX}")),
    ]


class Journal:
    """Append-only segments in one folder; open, replay to the end, then append.

    Raises:
        JournalLockedError: another process has it open.
    """

    def __init__(
        self, folder: Path, *, disk: Disk | None = None, segment_bytes: int = SEGMENT_BYTES
    ) -> None:
        self.folder = folder
        self.last_seq = 0
        self.chain = GENESIS
        self.sealed = True
        self.synced_s = 0.0  # what the disk took for the last batch
        self.disk = disk or Disk()
        self._marks: deque[Mark] = deque(maxlen=MARKS)
        self._unmet: set[Mark] = set()
        self._seen_seq = 0
        self._segment_bytes = segment_bytes
        self._number = 0
        self._descriptor = -1
        self._at = 0
        self._capacity = 0
        self._ready = False
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as refused:
            os.close(self._lock)
            raise JournalLockedError(
                f"{folder}: another process has this journal open"
            ) from refused

    def replay(
        self, after: Mark | None = None, witnesses: Iterable[Mark] = (), seen_seq: int = 0
    ) -> Iterator[np.ndarray]:
        """Verify the chain and yield each batch's commands (never empty).

        From the beginning, archived segments included; with ``after`` only what follows that mark,
        from the segments that are not archived. Every one of ``witnesses``, and ``after``, must lie
        on the chain: each was written by somebody who had seen the journal get that far. Somebody
        else, who knows no chain (the registry), has heard of command ``seen_seq``. Exhaust it
        before the first ``append``. Arrays are read-only views of the mapped file.

        Raises:
            JournalDamageError, JournalFormatError: see there.
        """
        start = 0 if after is None else after.seq
        self._seen_seq = seen_seq
        self._unmet = {mark for mark in witnesses if mark.seq >= start}
        paths = self._paths(whole=after is None)
        if after is not None:
            self._unmet.add(after)
            self._resume(paths, after)
        self._meet()
        for path in paths:
            yield from self._replay_segment(path, start, last=path is paths[-1])
        if self._descriptor < 0:
            self._refuse_unmet()
            self._begin_segment(0)
        self._marks.append(Mark(self.last_seq, self.chain))
        self._ready = True

    def append(self, records: bytes | memoryview, first_seq: int) -> None:
        """Append one batch of COMMAND rows and return once it is on the disk.

        Raises:
            JournalWriteError: it may or may not be on the disk: end the process, never try again.
        """
        assert self._ready, "replay the journal before appending"
        assert first_seq == self.last_seq + 1, "a batch continues the numbers"
        count = len(records) // RECORD_BYTES
        batch = pack_batch(first_seq, self.chain, records)
        try:
            self.disk.passed(Point.APPENDING)
            if self._at + len(batch) > self._capacity:
                self._begin_segment(len(batch))
            self.disk.write_all(self._descriptor, batch, self._at)
            self.disk.passed(Point.WRITTEN)
            began = time.perf_counter()
            self.disk.sync(self._descriptor)
            self.synced_s = time.perf_counter() - began
            self.disk.passed(Point.SYNCED)
        except OSError as error:
            self._ready = False
            raise JournalWriteError(f"{self._path(self._number)}: {error}") from error
        self._at += len(batch)
        self.chain = batch[-32:]
        self.last_seq += count
        self.sealed = count == 0
        self._marks.append(Mark(self.last_seq, self.chain))

    def mark(self, seq: int) -> Mark | None:
        """Return the mark after command ``seq``; None unless it ended one of the last batches."""
        return next((mark for mark in reversed(self._marks) if mark.seq == seq), None)

    def archive(self, seq: int) -> list[Path]:
        """Move segments that a start from after command ``seq`` never reads; return where to.

        They are kept for ever (TR-51). May run beside ``append``: the last segment never moves.
        """
        live = self._live()
        firsts = [_first_seq(path) for path in live]
        old = [path for path, following in zip(live, firsts[1:], strict=False) if following <= seq]
        if not old:
            return []
        folder = self.folder / ARCHIVE
        folder.mkdir(exist_ok=True, mode=0o700)
        for path in old:
            self.disk.move(path, folder)
            self.disk.passed(Point.ARCHIVING)
        self.disk.sync_folder(folder)
        self.disk.sync_folder(self.folder)
        return [folder / path.name for path in old]

    def seal(self) -> None:
        """Append an empty batch behind one with commands: a break before it is then no tear."""
        if not self.sealed:
            self.append(b"", self.last_seq + 1)

    def close(self) -> None:
        """Seal, and let go of the files. A journal that failed is not written to again."""
        if self._ready:
            self.seal()
            self._ready = False
        self._close_segment()
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _live(self) -> list[Path]:
        return sorted(self.folder.glob(f"{PREFIX}*{SUFFIX}"))

    def _paths(self, *, whole: bool) -> list[Path]:
        (self.folder / UNBORN).unlink(missing_ok=True)  # a creation that a crash cut short
        paths = segment_paths(self.folder) if whole else self._live()
        first = 1 if whole or not paths else _number(paths[0])
        for number, path in enumerate(paths, start=first):
            if path.name != self._path(number).name:
                raise JournalDamageError(f"{self._path(number)}: this segment is missing")
        return paths

    def _resume(self, paths: list[Path], after: Mark) -> None:
        """Begin with what the first segment says came before it; ``after`` will confirm it."""
        if not paths:
            raise JournalDamageError(f"{self._path(1)}: all segments are missing")
        with paths[0].open("rb") as file:
            header = self._header(paths[0], memoryview(file.read(HEADER_BYTES)))
        if header.first_seq > after.seq + 1:
            raise JournalDamageError(
                f"{paths[0]}: byte 0: it begins with command {header.first_seq}, but commands from"
                f" {after.seq + 1} on are wanted: a segment before it is missing"
            )
        self.chain, self.last_seq = header.chain, header.first_seq - 1

    def _meet(self) -> None:
        """A batch ends here: witnesses of this point are confirmed."""
        if self._unmet:
            self._unmet.discard(Mark(self.last_seq, self.chain))

    def _refuse_unmet(self, passed: int | None = None) -> None:
        """Stop if somebody has seen another history than this one, or a longer one (F17).

        ``passed``: the journal goes on after this command; None: it ends here.
        """
        seen = max([self._seen_seq, *(mark.seq for mark in self._unmet)])
        if passed is None and seen > self.last_seq:
            who = "the registry" if seen == self._seen_seq else "a snapshot or a clean stop"
            raise JournalDamageError(
                f"{self.folder}: the journal ends with command {self.last_seq}, but {who}"
                f" has seen command {seen}: commands {self.last_seq + 1} to"
                f" {seen} are lost. Restore the newest copy of the journal"
            )
        for mark in sorted(self._unmet):
            if passed is None or mark.seq <= passed:
                raise JournalDamageError(
                    f"{self.folder}: up to command {mark.seq} this is another history than the one"
                    " a snapshot or a clean stop has seen: an old or foreign copy"
                )

    def _path(self, number: int) -> Path:
        return self.folder / f"{PREFIX}{number:08d}{SUFFIX}"

    def _replay_segment(self, path: Path, start: int, *, last: bool) -> Iterator[np.ndarray]:
        self._descriptor = os.open(path, os.O_RDWR)
        size = os.fstat(self._descriptor).st_size
        source = mmap.mmap(self._descriptor, size, access=mmap.ACCESS_READ) if size else b""
        view = memoryview(source)
        header = self._check_header(path, view)
        self._number, self._capacity = header.number, header.capacity_bytes
        at = HEADER_BYTES
        while (batch := read_batch(view, at)) is not None:
            if batch.previous != self.chain or batch.first_seq != self.last_seq + 1:
                raise JournalDamageError(f"{path}: byte {at}: the chain of batches is broken here")
            if batch.size and self.last_seq >= start:
                if self._unmet:
                    self._refuse_unmet(self.last_seq)
                yield rows(batch)
            at, self.chain = batch.end, batch.digest
            self.last_seq += batch.size
            self.sealed = batch.size == 0
            self._meet()
        self._cut(path, view, at, last=last)
        self._at = at
        if not last:
            self._close_segment()

    def _header(self, path: Path, view: memoryview) -> Header:
        try:
            header = read_header(view)
        except IncompatibleError as other:
            raise JournalFormatError(f"{path}: {other}") from other
        if header is None:
            raise JournalDamageError(f"{path}: byte 0: the head of the segment is damaged")
        return header

    def _check_header(self, path: Path, view: memoryview) -> Header:
        header = self._header(path, view)
        if self._path(header.number).name != path.name:
            raise JournalDamageError(f"{path}: byte 0: this is segment {header.number}")
        if header.capacity_bytes != len(view):
            raise JournalDamageError(
                f"{path}: byte {len(view)}: the file should have {header.capacity_bytes} bytes"
            )
        if header.chain != self.chain or header.first_seq != self.last_seq + 1:
            raise JournalDamageError(f"{path}: byte 0: it does not continue the segment before it")
        return header

    def _cut(self, path: Path, view: memoryview, at: int, *, last: bool) -> None:
        """Tell a tear from rot: only an unbelievable tail of the last segment is a tear."""
        if last:
            self._refuse_unmet()
        used = last_byte_used(view, at)
        if used == at:
            return
        if not last or (found := believable_after(view, at)) is not None:
            where = "a later segment" if not last else f"byte {found}"
            raise JournalDamageError(
                f"{path}: byte {at}: the batch is damaged and sound ones follow ({where})"
            )
        logger.warning("%s: byte %d: torn batch of %d bytes cut off", path, at, used - at)
        self.disk.write_all(self._descriptor, bytes(used - at), at)
        self.disk.sync(self._descriptor)

    def _close_segment(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _begin_segment(self, batch_bytes: int) -> None:
        self._close_segment()
        header = Header(
            number=self._number + 1,
            capacity_bytes=max(self._segment_bytes, HEADER_BYTES + batch_bytes),
            first_seq=self.last_seq + 1,
            chain=self.chain,
        )
        unborn = self.folder / UNBORN
        self._descriptor = self.disk.create(unborn, header.capacity_bytes)
        self.disk.write_all(self._descriptor, pack_header(header), 0)
        self.disk.publish(self._descriptor, unborn, self._path(header.number))
        self._number, self._capacity, self._at = header.number, header.capacity_bytes, HEADER_BYTES


def _number(path: Path) -> int:
    """Return the number in a segment's name; 0 where there is none."""
    digits = path.name[len(PREFIX) : -len(SUFFIX)]
    return int(digits) if digits.isdigit() else 0


def _first_seq(path: Path) -> int:
    """Return the number of the first command a segment was made for."""
    with path.open("rb") as file:
        header = read_header(memoryview(file.read(HEADER_BYTES)))
    assert header is not None, "it was verified when it was opened"
    return header.first_seq
