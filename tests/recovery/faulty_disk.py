"""Faults of a served venue, by name: ``WHAT:N`` strikes at the N-th time it could.

WHAT is a place of ``gateway.disk.Point`` (the process is killed there), or one of

    HALF_WRITTEN  killed with half a batch written (F02)
    SYNC_EIO      one sync fails, later ones would succeed (F11)
    FULL_SEGMENT  no room for a segment (F13)
    FULL_BATCH    no room in mid-batch (F13)
    SYNC_HANGS    a sync that never returns (F19)

The object is handed to the venue by ``tests.recovery.served_venue``: nothing in the product looks
for a fault anywhere.
"""

from __future__ import annotations

import errno
import os
import signal
import threading
from pathlib import Path

from gateway.disk import Disk, Point

BATCH_BYTES_MIN = 190  # a batch with a command: heads and seals are smaller


def die() -> None:
    """End the process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)


class FaultyDisk(Disk):
    """A disk with one fault."""

    def __init__(self, spec: str) -> None:
        self._what, _, count = spec.partition(":")
        self._left = int(count or 1)

    def _strikes(self, what: str) -> bool:
        if what != self._what:
            return False
        self._left -= 1
        return self._left == 0

    def passed(self, point: Point) -> None:
        if self._strikes(point.name):
            die()

    def create(self, path: Path, capacity_bytes: int) -> int:
        if path.parent.name == "journal" and self._strikes("FULL_SEGMENT"):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().create(path, capacity_bytes)

    def write(self, descriptor: int, data: memoryview, at: int) -> int:
        if len(data) >= BATCH_BYTES_MIN:
            if self._strikes("HALF_WRITTEN"):
                super().write(descriptor, data[: len(data) // 2], at)
                die()
            if self._strikes("FULL_BATCH"):
                super().write(descriptor, data[: len(data) // 2], at)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(descriptor, data, at)

    def sync(self, descriptor: int) -> None:
        if self._strikes("SYNC_EIO"):
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self._strikes("SYNC_HANGS"):
            threading.Event().wait()
        super().sync(descriptor)
