"""The two servers of the gateway benchmark as processes of their own, and what they cost."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.journal.disk import Disk

STOP_WITHIN_S = 30
SYNC_BYTES = 256  # about a batch of one order


class ServerError(Exception):
    """A server of the benchmark did not start, or did not end as it should."""


@dataclass(frozen=True)
class Server:
    """A running server: what it announced, and its process."""

    announced: dict[str, Any]
    process: subprocess.Popen[str]

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return int(self.announced["port"])

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its threads so far (0 where the system does not tell)."""
        total = 0
        for task in Path(f"/proc/{self.process.pid}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):  # a thread that ends meanwhile
                total += int(task.read_text().split()[0])
        return total / 1e9


def cores() -> tuple[int | None, int | None]:
    """Return the cores of server and client; None, None where there is only one."""
    if not hasattr(os, "sched_getaffinity"):
        return None, None
    found = sorted(os.sched_getaffinity(0))
    return (found[0], found[-1]) if len(found) > 1 else (None, None)


@contextlib.contextmanager
def pinned(core: int | None) -> Iterator[None]:
    """Hold this process on a core until the block ends."""
    before = os.sched_getaffinity(0) if core is not None else None
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        if before is not None:
            os.sched_setaffinity(0, before)


@contextlib.contextmanager
def server(module: str, *arguments: object, session: bool = False) -> Iterator[Server]:
    """Run ``python -m module arguments`` until the block ends; yields it once it has announced.

    ``session``: in a session of its own, so that Ctrl-C in the terminal is not for it.

    Raises:
        ServerError: it ended before that; its own words are on standard error.
    """
    command = [sys.executable, "-m", module, *map(str, arguments)]
    process = subprocess.Popen(  # noqa: S603
        command, stdout=subprocess.PIPE, text=True, start_new_session=session
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise ServerError(f"{module} ended with {process.wait()} before it was ready")
        yield Server(json.loads(line), process)
    finally:
        process.terminate()
        try:
            process.wait(STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def journal_folder(beside: Path | None) -> Iterator[Path]:
    """Yield a new folder on the disk to be measured, removed at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-gateway-", dir=beside) as name:
        yield Path(name)


def sync_seconds(folder: Path, count: int) -> list[float]:
    """Return what ``count`` small writes with a sync each took, on the disk of the journal."""
    disk, path = Disk(), folder / "sync-probe"
    descriptor = disk.create(path, SYNC_BYTES * count)
    data, took = memoryview(bytes(range(256))), []
    try:
        for at in range(count):
            began = time.perf_counter()
            disk.write(descriptor, data, at * SYNC_BYTES)
            disk.sync(descriptor)
            took.append(time.perf_counter() - began)
    finally:
        os.close(descriptor)
        path.unlink()
    return took
