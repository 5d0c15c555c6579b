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
from collections.abc import Iterator
from pathlib import Path

import numpy as np

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

PREFIX, SUFFIX, UNBORN = "journal-", ".seg", "unborn"


class JournalDamageError(Exception):
    """The journal is not as it was written: the venue must not start. Names file and byte."""


class JournalFormatError(Exception):
    """The journal was written by a build with another format or record layout."""


class JournalLockedError(Exception):
    """Another process has this journal open."""


class JournalWriteError(Exception):
    """A write or a sync failed: nothing may be acknowledged any more, the process ends."""


class Disk:
    """The few system calls the journal needs; tests put a failing disk in its place."""

    def create(self, path: Path, capacity_bytes: int) -> int:
        """Create ``path`` with all its room taken at once and return its descriptor."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.posix_fallocate(descriptor, 0, capacity_bytes)
        return descriptor

    def write(self, descriptor: int, data: memoryview, at: int) -> int:
        """Write some of ``data`` at ``at`` and return how many bytes were taken."""
        return os.pwrite(descriptor, data, at)

    def sync(self, descriptor: int) -> None:
        """Return once the file's bytes are on the disk."""
        os.fdatasync(descriptor)

    def publish(self, descriptor: int, path: Path, final: Path) -> None:
        """Give a whole new file its name; return once bytes, size and name are on the disk."""
        os.fsync(descriptor)
        path.rename(final)
        directory = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


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
        self._disk = disk or Disk()
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

    def replay(self) -> Iterator[np.ndarray]:
        """Verify the chain from the beginning and yield each batch's commands (never empty).

        Exhaust it before the first ``append``. Arrays are read-only views of the mapped file.

        Raises:
            JournalDamageError, JournalFormatError: see there.
        """
        paths = self._paths()
        for path in paths:
            yield from self._replay_segment(path, last=path is paths[-1])
        if self._descriptor < 0:
            self._begin_segment(0)
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
            if self._at + len(batch) > self._capacity:
                self._begin_segment(len(batch))
            self._write_all(batch, self._at)
            self._disk.sync(self._descriptor)
        except OSError as error:
            self._ready = False
            raise JournalWriteError(f"{self._path(self._number)}: {error}") from error
        self._at += len(batch)
        self.chain = batch[-32:]
        self.last_seq += count
        self.sealed = count == 0

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

    def _paths(self) -> list[Path]:
        (self.folder / UNBORN).unlink(missing_ok=True)  # a creation that a crash cut short
        paths = sorted(self.folder.glob(f"{PREFIX}*{SUFFIX}"))
        for number, path in enumerate(paths, start=1):
            if path != self._path(number):
                raise JournalDamageError(f"{self._path(number)}: this segment is missing")
        return paths

    def _path(self, number: int) -> Path:
        return self.folder / f"{PREFIX}{number:08d}{SUFFIX}"

    def _replay_segment(self, path: Path, *, last: bool) -> Iterator[np.ndarray]:
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
            if batch.size:
                yield rows(batch)
            at, self.chain = batch.end, batch.digest
            self.last_seq += batch.size
            self.sealed = batch.size == 0
        self._cut(path, view, at, last=last)
        self._at = at
        if not last:
            self._close_segment()

    def _check_header(self, path: Path, view: memoryview) -> Header:
        try:
            header = read_header(view)
        except IncompatibleError as other:
            raise JournalFormatError(f"{path}: {other}") from other
        if header is None:
            raise JournalDamageError(f"{path}: byte 0: the head of the segment is damaged")
        if self._path(header.number) != path:
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
        used = last_byte_used(view, at)
        if used == at:
            return
        if not last or (found := believable_after(view, at)) is not None:
            where = "a later segment" if not last else f"byte {found}"
            raise JournalDamageError(
                f"{path}: byte {at}: the batch is damaged and sound ones follow ({where})"
            )
        logger.warning("%s: byte %d: torn batch of %d bytes cut off", path, at, used - at)
        self._write_all(bytes(used - at), at)
        self._disk.sync(self._descriptor)

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
        self._descriptor = self._disk.create(unborn, header.capacity_bytes)
        self._write_all(pack_header(header), 0)
        self._disk.publish(self._descriptor, unborn, self._path(header.number))
        self._number, self._capacity, self._at = header.number, header.capacity_bytes, HEADER_BYTES

    def _write_all(self, data: bytes | memoryview, at: int) -> None:
        left = memoryview(data)
        while left:
            written = self._disk.write(self._descriptor, left, at)
            if written <= 0:
                raise OSError(f"the disk took none of {len(left)} bytes")
            left, at = left[written:], at + written
