"""The few system calls that durability rests on, and the named places where a process may die.

One object of this class is handed to everything that must survive: journal and snapshots write
through it, the sequencer tells it where it stands. In service it does what the system does and
ignores the places. A test hands in one that tears, fills up, fails, or ends the process at a place;
there is no other way to switch any of that on.
"""

from __future__ import annotations

import os
from enum import Enum, auto
from pathlib import Path


class Point(Enum):
    """Places a crash test stops at, in the order of the verbs (reliability: F01-F08)."""

    APPENDING = auto()  # F01: numbered, not a byte written (F02 lies within ``Disk.write``)
    WRITTEN = auto()  # F03: written, not synced
    SYNCED = auto()  # F04: synced, not applied
    APPLIED = auto()  # F05: applied, nobody told
    SNAPSHOT_HALF = auto()  # F06: half a snapshot is written
    RENAMED = auto()  # F07: a file has its name, its folder is not synced
    RECOVERING = auto()  # F08: between two batches of a replay
    ARCHIVING = auto()  # between two segments on their way to the archive


class Disk:
    """System calls as they are."""

    def passed(self, point: Point) -> None:
        """Say that ``point`` is reached."""

    def create(self, path: Path, capacity_bytes: int) -> int:
        """Create ``path`` with all its room taken at once and return its descriptor."""
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        os.posix_fallocate(descriptor, 0, capacity_bytes)
        return descriptor

    def write(self, descriptor: int, data: memoryview, at: int) -> int:
        """Write some of ``data`` at ``at`` and return how many bytes were taken."""
        return os.pwrite(descriptor, data, at)

    def write_all(self, descriptor: int, data: bytes | memoryview, at: int) -> None:
        """Write all of ``data`` at ``at``, however little is taken at a time (F12)."""
        left = memoryview(data)
        while left:
            try:
                written = self.write(descriptor, left, at)
            except InterruptedError:
                continue
            if written <= 0:
                raise OSError(f"the disk took none of {len(left)} bytes")
            left, at = left[written:], at + written

    def sync(self, descriptor: int) -> None:
        """Return once the file's bytes are on the disk. An error is final: nobody asks again."""
        os.fdatasync(descriptor)

    def publish(self, descriptor: int, path: Path, final: Path) -> None:
        """Give a whole new file its name; return once bytes, size and name are on the disk."""
        os.fsync(descriptor)
        path.rename(final)
        self.passed(Point.RENAMED)
        self.sync_folder(final.parent)

    def sync_folder(self, folder: Path) -> None:
        """Return once the names in ``folder`` are on the disk."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def move(self, path: Path, folder: Path) -> None:
        """Move a file into ``folder``; the caller syncs both folders."""
        path.rename(folder / path.name)
