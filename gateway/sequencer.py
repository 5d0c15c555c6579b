"""The sequencer: gives each command its number and time, once, and keeps the order of the verbs.

    arrive -> number -> append -> sync -> apply -> tell

Whatever has arrived forms the next batch; while one batch syncs in a worker thread the following
one gathers (group commit), and it starts to sync while the first is applied. Urgent commands (a
kill, a halt, a cancel) overtake what waits: they are numbered first in the next batch. Nothing is
told before its sync. A write error, or an assertion of the exchange, ends the process: see
``stop_at_once``.
"""

from __future__ import annotations

import asyncio
import logging
import os
import struct
import sys
from bisect import bisect_right
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NoReturn, Protocol

import numpy as np

from engine.exchange import Exchange
from engine.records import COMMAND
from gateway.disk import Point
from gateway.journal import Journal

logger = logging.getLogger(__name__)

EXIT_JOURNAL = 70  # a write or sync failed: the disk is not believed any more
EXIT_ASSERTION = 71  # the exchange contradicted itself
EXIT_STALLED = 72  # commands wait and nobody writes them: see gateway/watchdog.py
WAITING_MAX = 50_000  # commands that wait for their batch; readers pause above it
SEAL_AFTER_S = 1.0
ROOM_MIN = 1024  # commands

ROW = struct.Struct("<6q5i3h6b32s")
assert ROW.size == COMMAND.itemsize, "ROW packs one COMMAND"
_RAW = np.dtype((np.void, ROW.size))
_ROW_BYTES, _pack_into = ROW.size, ROW.pack_into

Tell = Callable[[np.ndarray, np.ndarray], None]


class Clock(Protocol):
    """Where the venue's time comes from; a demo clock may run faster than the wall's."""

    def now_ns(self) -> int:
        """Return nanoseconds since 1970 (UTC); may repeat, never falls."""
        ...

    async def wait_until(self, time_ns: int) -> None:
        """Return once ``now_ns()`` has reached ``time_ns``."""
        ...


def stop_at_once(error: BaseException) -> NoReturn:
    """End the process without another word to anybody (fail stop, reliability.md 4.5)."""
    name = type(error).__name__
    code = EXIT_STALLED if name == "StalledError" else EXIT_ASSERTION
    if isinstance(error, OSError) or name.startswith("Journal"):
        code = EXIT_JOURNAL
    logger.critical("stopping at once with exit code %d", code, exc_info=error)
    sys.stderr.flush()
    os._exit(code)


class Sequencer:
    """One per venue. ``enter`` and ``submit`` are called from the event loop only."""

    def __init__(
        self,
        journal: Journal,
        exchange: Exchange,
        clock: Clock,
        tell: Tell,
    ) -> None:
        self.next_seq = exchange.seq + 1
        self.time_ns = int(exchange.state.market[0]["time_ns"])
        self._journal = journal
        self._exchange = exchange
        self._clock = clock
        self._tell = tell
        self._room = ROOM_MIN
        self._rows = bytearray(self._room * ROW.size)
        self._first_seq = self.next_seq
        self._arrived = asyncio.Event()
        self._drained = asyncio.Event()
        self._drained.set()
        self._urgent: list[int] = []  # places in the coming batch
        self._moved: list[tuple[int, np.ndarray]] = []  # batches in which somebody overtook
        self._waiting: list[tuple[int, int, asyncio.Future[np.ndarray]]] = []
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._closing = False

    def stamp(self) -> None:
        """Read the clock for the commands that follow: once per frame, never backwards."""
        now_ns = self._clock.now_ns()
        self.time_ns = max(self.time_ns, now_ns)

    def enter(self, body: tuple[object, ...]) -> int:
        """Take in one command, given as COMMAND's fields from ``ref`` on; return its ticket.

        The ticket is the seq it gets unless somebody overtakes it, see ``seq_of``.
        """
        seq = self.next_seq
        n = seq - self._first_seq
        if n == self._room:
            self._rows.extend(bytes(len(self._rows)))
            self._room *= 2
        _pack_into(self._rows, n * _ROW_BYTES, seq, self.time_ns, *body)
        self.next_seq = seq + 1
        return seq

    def enter_many(self, count: int) -> np.ndarray:
        """Take in ``count`` commands and return their rows (dtype COMMAND), numbered, else zero.

        The caller fills them before it gives the turn, and lets go of the array.
        """
        seq, n = self.next_seq, self.next_seq - self._first_seq
        while n + count > self._room:
            self._rows.extend(bytes(len(self._rows)))
            self._room *= 2
        rows = np.frombuffer(self._rows, COMMAND, count, n * _ROW_BYTES)
        rows["seq"] = np.arange(seq, seq + count)
        rows["time_ns"] = self.time_ns
        self.next_seq = seq + count
        return rows

    def enter_urgent(self, body: tuple[object, ...]) -> int:
        """Take in one command that overtakes all that wait, in order of arrival; see ``enter``."""
        self._urgent.append(self.next_seq - self._first_seq)
        return self.enter(body)

    def seq_of(self, ticket: int) -> int:
        """Return the seq that a ticket's command got; it must have been numbered by now."""
        at = bisect_right(self._moved, ticket, key=lambda each: each[0]) - 1
        if at >= 0:
            first, seqs = self._moved[at]
            if ticket < first + len(seqs):
                return int(seqs[ticket - first])
        return ticket

    def forget(self, before_seq: int) -> None:
        """Tickets of batches that began before this seq are not asked for any more."""
        self._moved = [each for each in self._moved if each[0] >= before_seq]

    def flush(self) -> None:
        """Wake the writer: call after the last ``enter`` of a frame."""
        if self._has_work:
            self._arrived.set()
            if self.next_seq - self._first_seq >= WAITING_MAX:
                self._drained.clear()

    def submit(self, commands: np.ndarray) -> asyncio.Future[np.ndarray]:
        """Number and enter a batch (shape (n,), dtype COMMAND; seq and time are set here).

        Returns a future of its events, dtype EVENT, set once it is durable and applied.
        """
        done: asyncio.Future[np.ndarray] = asyncio.get_running_loop().create_future()
        if len(commands) == 0:
            done.set_result(np.zeros(0))
            return done
        self.stamp()
        first = self.next_seq
        for row in commands.tolist():
            self.enter(row[2:])
        self._waiting.append((first, self.next_seq, done))
        self.flush()
        return done

    @property
    def crowded(self) -> bool:
        """Whether ``room`` would have to wait."""
        return not self._drained.is_set()

    async def room(self) -> None:
        """Return once fewer than WAITING_MAX commands wait: readers stop reading meanwhile."""
        await self._drained.wait()

    async def run(self) -> None:
        """Work until ``close``. Any error is final: the caller ends the process."""
        while self._has_work or not self._closing:
            await self._wake()
            if self._has_work:
                await self._drain()
            elif not self._journal.sealed:
                await self._in_thread(self._journal.seal)

    async def close(self) -> None:
        """Let ``run`` finish what has arrived and return."""
        self._closing = True
        self._arrived.set()

    @property
    def standing(self) -> tuple[int, int]:
        """The last command applied, and the last one entered."""
        return self._exchange.seq, self.next_seq - 1

    @property
    def _has_work(self) -> bool:
        return self.next_seq > self._first_seq

    async def _wake(self) -> None:
        """Wait for commands; a second after the last one wake up without any, to seal."""
        if self._has_work or self._closing:
            return
        self._arrived.clear()
        timer = None
        if not self._journal.sealed:
            timer = asyncio.get_running_loop().call_later(SEAL_AFTER_S, self._arrived.set)
        await self._arrived.wait()
        if timer is not None:
            timer.cancel()

    async def _drain(self) -> None:
        batch = self._take()
        synced = self._append(batch)
        while len(batch):
            await synced
            following = self._take()
            if len(following):
                synced = self._append(following)
            self._apply(np.frombuffer(batch, COMMAND))
            batch = following

    def _take(self) -> memoryview:
        count = self.next_seq - self._first_seq
        batch = memoryview(self._rows)[: count * ROW.size]
        self._room = max(ROOM_MIN, min(self._room, 2 * count))  # zeroing it costs
        self._rows = bytearray(self._room * ROW.size)
        if self._urgent:
            batch = self._overtake(batch)
        self._first_seq = self.next_seq
        self._drained.set()
        return batch

    def _overtake(self, batch: memoryview) -> memoryview:
        """Put the urgent commands first and number the batch anew; times stay in order."""
        urgent, self._urgent = np.array(self._urgent), []
        if urgent[-1] == len(urgent) - 1:  # they came first anyway
            return batch
        first, rows = self._first_seq, np.frombuffer(batch, _RAW)
        others = np.ones(len(rows), bool)
        others[urgent] = False
        order = np.concatenate((urgent, np.flatnonzero(others)))
        moved = rows[order].view(COMMAND)
        seqs = np.empty(len(rows), np.int64)
        seqs[order] = moved["seq"] = np.arange(first, first + len(rows))
        moved["time_ns"] = np.maximum.accumulate(moved["time_ns"])
        self._moved.append((first, seqs))
        return memoryview(moved).cast("B")

    def _append(self, batch: memoryview) -> asyncio.Future[None]:
        first_seq = self._first_seq - len(batch) // ROW.size
        return self._in_thread(self._journal.append, batch, first_seq)

    def _in_thread(self, function: Callable[..., None], *args: object) -> asyncio.Future[None]:
        return asyncio.get_running_loop().run_in_executor(self._thread, function, *args)

    def _apply(self, commands: np.ndarray) -> None:
        events = self._exchange.apply(commands)
        self._journal.disk.passed(Point.APPLIED)
        self._tell(commands, events)
        while self._waiting and self._waiting[0][0] <= self._exchange.seq:
            ticket, end, done = self._waiting.pop(0)
            first = self.seq_of(ticket)
            end += first - ticket
            assert end - 1 <= self._exchange.seq, "a submitted batch is never split"
            if not done.done():
                seq = events["seq"]
                done.set_result(events[(seq >= first) & (seq < end)])
