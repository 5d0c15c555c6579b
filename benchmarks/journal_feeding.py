"""The sequencer fed in process: a producer enters commands as the desk does, at the pace they go.

The same commands go through the same sequencer and exchange with the journal on a disk, with a
journal that writes but does not sync, and with none at all: what differs is what the disk costs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from benchmarks.journal_day import Morning
from engine.exchange import Exchange
from engine.records import COMMAND
from engine.state import Array
from gateway.desk.day_record import DayRecord
from gateway.desk.desk import Desk
from gateway.journal.disk import Disk
from gateway.journal.journal import Journal
from gateway.journal.segments import RECORD_BYTES
from gateway.journal.sequencer import Sequencer
from gateway.keys import Keys
from gateway.oversight import Oversight
from marketdata.feed import Feed

FRAME = 64  # orders in one frame of a client
FLUSH_S = 0.1  # as often the public is told
FIELDS = (COMMAND.names or ())[2:]  # seq and time are the sequencer's
WAYS = ("enter_many", "enter", "submit")
STORES = ("durable", "unsynced", "memory")
TOLD = ("nobody", "record", "everybody")

Tell = Callable[[Array, Array], None]
Enter = Callable[[Sequencer, int, int], None]


class UnsyncedDisk(Disk):
    """Writes, and believes at once that it is on the disk."""

    def sync(self, descriptor: int) -> None:
        """Not even asked."""


class MemoryJournal:
    """Stands where the journal stands and keeps nothing: what remains is everything else."""

    sealed = True
    last_seq = 0

    def __init__(self) -> None:
        self.disk = Disk()

    def append(self, records: memoryview, first_seq: int) -> None:
        """Nothing is written."""
        self.last_seq = first_seq + len(records) // RECORD_BYTES - 1

    def seal(self) -> None:
        """There is nothing to seal."""

    def close(self) -> None:
        """There is nothing to let go of."""


class WatchedJournal(Journal):
    """The journal as it is; remembers what every batch took."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        super().__init__(folder, disk=disk)
        self.syncs_s: list[float] = []
        self.batch_rows: list[int] = []

    def append(self, records: bytes | memoryview, first_seq: int) -> None:
        """Append, and note rows and the seconds of the sync."""
        super().append(records, first_seq)
        self.syncs_s.append(self.synced_s)
        self.batch_rows.append(len(records) // RECORD_BYTES)


class MorningClock:
    """Begins when the morning's opening ends and runs as time does."""

    def __init__(self, morning: Morning) -> None:
        start = int(morning.commands["time_ns"][morning.opening - 1])
        self._ahead_ns = start - time.monotonic_ns()

    def now_ns(self) -> int:
        """Return nanoseconds since 1970 (UTC)."""
        return self._ahead_ns + time.monotonic_ns()

    async def wait_until(self, time_ns: int) -> None:
        """Nobody here waits for a time."""
        raise AssertionError(f"somebody waits for {time_ns}")


@dataclass
class Fed:
    """One run: ``seconds`` from the first order entered to the last one acknowledged."""

    seconds: float
    commands: int
    digest: str
    syncs_s: list[float] = field(default_factory=list)
    batch_rows: list[int] = field(default_factory=list)


def feed(folder: Path, morning: Morning, store: str, way: str, told: str = "nobody") -> Fed:
    """Feed a morning's orders into a new sequencer, as fast as it takes them.

    ``store``: of STORES; ``way`` of entering: of WAYS; ``told``: who hears of it, of TOLD.
    """
    journal = _journal(folder, store)
    try:
        return asyncio.run(_feed(folder, journal, morning, way, told))
    finally:
        journal.close()


def _journal(folder: Path, store: str) -> WatchedJournal | MemoryJournal:
    if store == "memory":
        return MemoryJournal()
    journal = WatchedJournal(folder, UnsyncedDisk() if store == "unsynced" else None)
    for _ in journal.replay():
        raise AssertionError("the folder holds a journal already")
    return journal


async def _feed(
    folder: Path, journal: WatchedJournal | MemoryJournal, morning: Morning, way: str, told: str
) -> Fed:
    exchange, last = Exchange(), len(morning.commands)
    acknowledged = asyncio.Event()
    listeners: list[Tell] = []

    def tell(commands: Array, events: Array) -> None:
        for listener in listeners:
            listener(commands, events)
        if exchange.seq == last:
            acknowledged.set()

    sequencer = Sequencer(journal, exchange, MorningClock(morning), tell)  # type: ignore[arg-type]
    listeners += _told(told, exchange, folder, sequencer)
    orders = morning.commands[morning.opening :]
    enter = {"enter": _enter, "enter_many": _enter_many, "submit": _submit}[way](orders)

    async def produce() -> float:
        await _open(sequencer, morning, journal, exchange)
        began = time.perf_counter()
        await _produce(sequencer, enter, len(orders))
        await acknowledged.wait()
        return time.perf_counter() - began

    working, producing = asyncio.create_task(sequencer.run()), asyncio.create_task(produce())
    await asyncio.wait((working, producing), return_when=asyncio.FIRST_COMPLETED)
    if not producing.done():  # the sequencer has failed: say why
        producing.cancel()
        working.result()
    await sequencer.close()
    await working
    found = Fed(producing.result(), len(orders), exchange.digest())
    if isinstance(journal, WatchedJournal):
        found.syncs_s, found.batch_rows = journal.syncs_s, journal.batch_rows
    return found


async def _open(
    sequencer: Sequencer,
    morning: Morning,
    journal: WatchedJournal | MemoryJournal,
    exchange: Exchange,
) -> None:
    """What comes before the first order, and is not timed."""
    await sequencer.submit(morning.commands[: morning.opening])
    exchange.state.ensure_orders(len(morning.commands))  # a venue makes room before it opens
    exchange.state.ensure_trades(len(morning.commands))
    if isinstance(journal, WatchedJournal):
        journal.syncs_s.clear()
        journal.batch_rows.clear()


async def _produce(sequencer: Sequencer, enter: Enter, count: int) -> None:
    """Enter frame after frame; give the turn after each as a socket does, wait while crowded."""
    for at in range(0, count, FRAME):
        enter(sequencer, at, min(at + FRAME, count))
        if sequencer.crowded:
            await sequencer.room()
        else:
            await asyncio.sleep(0)


def _enter_many(orders: Array) -> Enter:
    """A frame of plain orders column by column (gateway/desk/columns.py)."""
    columns = [(name, np.ascontiguousarray(orders[name])) for name in FIELDS]

    def enter(sequencer: Sequencer, begin: int, end: int) -> None:
        sequencer.stamp()
        rows = sequencer.enter_many(end - begin)
        for name, column in columns:
            rows[name] = column[begin:end]
        sequencer.flush()

    return enter


def _enter(orders: Array) -> Enter:
    """A frame of other messages: each one by itself (gateway/desk/desk.py)."""
    bodies = [row[2:] for row in orders.tolist()]

    def enter(sequencer: Sequencer, begin: int, end: int) -> None:
        sequencer.stamp()
        for body in bodies[begin:end]:
            sequencer.enter(body)
        sequencer.flush()

    return enter


def _submit(orders: Array) -> Enter:
    """A batch whose events somebody waits for: how the day cycle enters."""

    def enter(sequencer: Sequencer, begin: int, end: int) -> None:
        sequencer.submit(orders[begin:end])

    return enter


def _told(who: str, exchange: Exchange, folder: Path, sequencer: Sequencer) -> list[Tell]:
    """Return what hears of each applied batch: see ``gateway.venue.Venue``."""
    if who == "nobody":
        return []
    record = DayRecord()
    if who == "record":

        def remember(commands: Array, events: Array) -> None:
            record.absorb(commands, events)

        return [remember]
    desk = Desk(exchange, record, Keys(folder / "keys.json"))
    desk.sequencer = sequencer
    return [_everybody(record, desk)]


def _everybody(record: DayRecord, desk: Desk) -> Tell:
    """Owners' streams, the desk with nobody logged in, the public feed, surveillance."""
    public = Feed()
    oversight = Oversight(record, public.codes)
    flushed = time.monotonic()

    def tell(commands: Array, events: Array) -> None:
        nonlocal flushed
        oversight.before(commands, events)
        groups = record.absorb(commands, events)
        oversight.after()
        desk.tell(events, groups)
        public.absorb(events)
        if time.monotonic() >= flushed + FLUSH_S:
            public.flush()
            flushed = time.monotonic()

    return tell
