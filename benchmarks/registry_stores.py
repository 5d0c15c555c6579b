"""Where the registry's benchmark keeps its books: SQLite files, or databases of one server.

Books are prepared once; every run has a copy of its own, which is removed after it.
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from benchmarks.postgres_server import binaries, running

PROCESSES = Path("/proc")
# of the private server; the durability settings are on as well
SERVER = ("shared_buffers=512MB", "max_wal_size=1GB", "checkpoint_timeout=30min")


class Process(NamedTuple):
    """A process: its time on the processor, and that of its children which have ended."""

    pid: int
    parent: int
    ticks: int
    gone_ticks: int

    @classmethod
    def read(cls, folder: Path) -> Process | None:
        """Read a process as Linux tells of it; None: it has ended."""
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            return None
        own, gone = (int(fields[place]) + int(fields[place + 1]) for place in (11, 13))
        return cls(int(folder.name), int(fields[1]), own, gone)


def _running() -> list[Path]:
    return [folder for folder in PROCESSES.iterdir() if folder.name.isdigit()]


class SqliteStore:
    """Books in files of a folder."""

    name = "sqlite"
    settings = "as the registry opens it: WAL, synchronous FULL"

    def __init__(self, folder: Path) -> None:
        self._file, self._copy = folder / "prepared.db", folder / "run.db"
        self.url = f"sqlite:///{self._file}"

    def ready(self) -> int:
        """Return the size; closed books lie in one file."""
        return self._file.stat().st_size

    def cpu_seconds(self) -> float:
        """Return nothing: the database runs in this process."""
        return 0.0

    @contextmanager
    def copied(self) -> Iterator[str]:
        """Give the URL of a copy."""
        shutil.copyfile(self._file, self._copy)
        with self._copy.open("rb") as file:
            os.fsync(file.fileno())  # the copy's own writing is not the run's
        try:
            yield f"sqlite:///{self._copy}"
        finally:
            for ending in ("", "-wal", "-shm"):
                Path(f"{self._copy}{ending}").unlink(missing_ok=True)


class PostgresStore:
    """Books in databases of their own on a server; its user must be allowed to create them."""

    name = "postgresql"

    def __init__(self, server: str, settings: str, own: bool) -> None:
        """``own``: the server runs here and for nobody else."""
        self._server: URL = make_url(server)
        self._name = f"tanshi_bench_{uuid.uuid4().hex[:12]}"
        self.settings = settings
        self.url = self._url(self._name)
        self._own = own
        self._administer("CREATE DATABASE {}", self._name)

    def ready(self) -> int:
        """Let the planner know the books, as the server does by itself in time; the size."""
        with psycopg.connect(self._plain(self._name), autocommit=True) as admin:
            admin.execute("VACUUM ANALYZE")
            admin.execute("CHECKPOINT")
            row = admin.execute("SELECT pg_database_size(current_database())").fetchone()
        assert row is not None
        return int(row[0])

    @contextmanager
    def copied(self) -> Iterator[str]:
        """Give the URL of a copy."""
        copy = f"{self._name}_run"
        self._administer("CREATE DATABASE {} TEMPLATE {}", copy, self._name)
        try:
            yield self._url(copy)
        finally:
            self._administer("DROP DATABASE {}", copy)

    def cpu_seconds(self) -> float:
        """Return the processor seconds of all processes of an own server so far; else nothing."""
        if not (self._own and PROCESSES.exists()):
            return 0.0
        with psycopg.connect(self._plain(self._server.database)) as session:
            found = {process.pid: process for process in map(Process.read, _running()) if process}
            parent = found[session.info.backend_pid].parent
        ticks = found[parent].ticks + found[parent].gone_ticks
        ticks += sum(each.ticks for each in found.values() if each.parent == parent)
        return ticks / os.sysconf("SC_CLK_TCK")

    def close(self) -> None:
        """Remove the prepared books."""
        self._administer("DROP DATABASE {}", self._name)

    def _url(self, database: str) -> str:
        return self._server.set(database=database).render_as_string(hide_password=False)

    def _plain(self, database: str | None) -> str:
        url = self._server.set(drivername="postgresql", database=database)
        return url.render_as_string(hide_password=False)

    def _administer(self, statement: str, *names: str) -> None:
        with psycopg.connect(self._plain(self._server.database), autocommit=True) as admin:
            admin.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


Store = SqliteStore | PostgresStore


@contextmanager
def postgres(given: str | None) -> Iterator[PostgresStore | None]:
    """Give a store on the server of a URL, else on a private one; None: no programs installed."""
    if given is not None:
        with _store(given, "the given server's own", own=False) as store:
            yield store
        return
    programs = binaries()
    if programs is None:
        yield None
        return
    with running(programs, SERVER) as url, _store(url, ", ".join(SERVER), own=True) as store:
        yield store


@contextmanager
def _store(url: str, settings: str, own: bool) -> Iterator[PostgresStore]:
    store = PostgresStore(url, settings, own)
    try:
        yield store
    finally:
        store.close()
