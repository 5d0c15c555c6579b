"""A throw-away PostgreSQL server on 127.0.0.1 with every durability setting on.

The benchmark of the registry starts one, and so do the registry's tests.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

START_TRIES = 3  # another process may take the free port between finding and using it
SMALL = ("shared_buffers=16MB", "max_wal_size=64MB")  # for the tests' tiny books
SAFE = (
    "listen_addresses=127.0.0.1",
    "max_connections=20",
    "fsync=on",
    "synchronous_commit=on",
    "full_page_writes=on",
)


def binaries() -> Path | None:
    """Return the folder of the newest installed server's programs, None if there is none."""
    found = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])
    )
    return found[-1].parent if found else None


@contextmanager
def running(programs: Path, settings: Sequence[str] = SMALL) -> Iterator[str]:
    """Run a new, empty server and give the URL of its database; remove everything afterwards.

    ``settings``: name=value, besides the durability settings. RuntimeError: it does not start.
    """
    home = Path(tempfile.mkdtemp(prefix="registry-pg-"))
    prefix: list[str] = []
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        shutil.chown(home, "postgres", "postgres")
        prefix = ["runuser", "-u", "postgres", "--"]
    control = [*prefix, str(programs / "pg_ctl"), "-D", str(home / "data")]
    try:
        _run(
            [
                *prefix,
                str(programs / "initdb"),
                *("-D", str(home / "data"), "-U", "registry", "--auth=trust"),
                *("--no-sync", "--encoding=UTF8", "--locale=C"),
            ]
        )
        port = _start(control, home, settings)
        yield f"postgresql+psycopg://registry@127.0.0.1:{port}/postgres"
    finally:
        if (home / "data" / "postmaster.pid").exists():
            _run([*control, "-m", "immediate", "-w", "stop"])
        shutil.rmtree(home, ignore_errors=True)


def _start(control: list[str], home: Path, settings: Sequence[str]) -> int:
    for left in reversed(range(START_TRIES)):
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = int(probe.getsockname()[1])
        options = " ".join(
            f"-c {setting}"
            for setting in (*SAFE, *settings, f"port={port}", f"unix_socket_directories={home}")
        )
        try:
            _run([*control, "-o", options, "-l", str(home / "log"), "-w", "start"])
            return port
        except RuntimeError:
            if left == 0:
                raise
    raise AssertionError("unreachable")


def _run(command: list[str]) -> None:
    done = subprocess.run(  # noqa: S603 - the installed server's own programs
        command, cwd="/", capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}\n{done.stderr}")
