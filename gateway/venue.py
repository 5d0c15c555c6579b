"""The venue: journal, exchange, registry, desk, feed and day cycle, put together.

    data_dir/journal/   the commands, durable (the state is what they make)
    data_dir/snapshots/  the state between two days: a start replays from there
    data_dir/market.db  trades and bars of earlier days, for the public (derived)
    data_dir/keys.json  who may log in (mode 0600)
    data_dir/proposals.jsonl  what makers asked for and checkers decided
    data_dir/registry.db  the registry's database, unless another one is given

``Venue.recover`` verifies and replays the journal; ``start`` sets the tasks going. What a client
was told before a crash is there again: orders, client order ids, numbered reports, the feed.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.exchange import Exchange, warm_up
from gateway.daycycle import DayCycle
from gateway.desk.day_record import DayRecord, day_begins, listed_only
from gateway.desk.desk import Desk
from gateway.desk.proposals import Proposals, executed_names
from gateway.journal.disk import Disk
from gateway.journal.journal import Journal, Mark
from gateway.journal.memory import remember
from gateway.journal.sequencer import Clock, Sequencer, stop_at_once
from gateway.journal.snapshots import Snapshot, Snapshots
from gateway.journal.watchdog import Watchdog
from gateway.keys import Keys
from gateway.market import CEA, Market
from gateway.market_history import MarketHistory
from gateway.oversight import Oversight
from gateway.publisher import Publisher
from gateway.recovery import Stages, no_collection, replay
from marketdata.feed import Feed
from registry.institution import Registry

if TYPE_CHECKING:
    from gateway.moving import Mover

logger = logging.getLogger(__name__)


class Venue:
    """Everything behind the sockets. Use ``recover``, then ``start`` inside an event loop."""

    def __init__(
        self, data_dir: Path, registry: Registry, journal: Journal, market: Market = CEA
    ) -> None:
        self.data_dir = data_dir
        self.market = market
        self.registry = registry
        self.journal = journal
        self.snapshots = Snapshots(data_dir / "snapshots", journal.disk)
        self.exchange = Exchange()
        self.record = DayRecord()
        self.keys = Keys(data_dir / "keys.json", market.name)
        self.feed = Feed(self._code)
        self.publisher = Publisher(self.feed)
        self.history = MarketHistory(data_dir / "market.db")
        self.feed.keep_day = self.history.keep
        self.oversight = Oversight(self.record, self.feed.codes)
        self.proposals = Proposals(data_dir / "proposals.jsonl")
        self.desk = Desk(self.exchange, self.record, self.keys, registry, self.proposals)
        self.sequencer: Sequencer
        self.cycle: DayCycle
        self.mover: Mover | None = None  # of a manual clock
        self.listeners: list[Callable[[np.ndarray, np.ndarray], None]] = []
        self.executed: set[bytes] = set()  # names of proposals in the journal
        self.recovery_s: dict[str, float] = {}  # what each stage of the start has cost
        self._tasks: list[asyncio.Task[None]] = []
        self._taken: Snapshot | None = None  # of before the day that is about to begin
        self._keeping: list[asyncio.Task[None]] = []
        self._watchdog: Watchdog
        self._stop: Callable[[BaseException], object] = stop_at_once

    @classmethod
    def recover(
        cls,
        data_dir: Path,
        registry_url: str | None = None,
        market: Market = CEA,
        disk: Disk | None = None,
    ) -> Venue:
        """Open the data directory and bring everything to where the journal ends.

        Raises:
            JournalDamageError, JournalFormatError, JournalLockedError: it must not start.
            PoisonError: nor before a command is quarantined.
        """
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        stages = Stages()
        with contextlib.ExitStack() as undone, no_collection():
            journal = Journal(data_dir / "journal", disk=disk)
            undone.callback(journal.close)
            url = registry_url or f"sqlite:///{data_dir / 'registry.db'}"
            registry = Registry.open(url, market.profile)
            undone.callback(registry.close)
            venue = cls(data_dir, registry, journal, market)
            undone.callback(venue.history.close)
            stages.passed("opening")
            warm_up()
            stages.passed("kernels")
            replay(venue, stages)
            venue.recovery_s = stages.seconds
            undone.pop_all()
        return venue

    @property
    def working(self) -> bool:
        """Whether every task of the venue lives."""
        return bool(self._tasks) and not any(task.done() for task in self._tasks)

    @property
    def held(self) -> str:
        """Why the next day cannot open; "" while nothing is wrong."""
        return self.cycle.held

    async def start(
        self,
        clock: Clock,
        references: Mapping[str, int] | None = None,
        stop: Callable[[BaseException], object] = stop_at_once,
    ) -> None:
        """Set sequencer, day cycle and feed going; should one of them fail, ``stop`` is called."""
        self.sequencer = Sequencer(self.journal, self.exchange, clock, self._tell)
        self.desk.sequencer = self.sequencer
        self.publisher.now_us = lambda: clock.now_ns() // 1000
        self.desk.transfers.recover()
        self.cycle = DayCycle(
            *(self.exchange, self.sequencer, self.registry, clock, references, self.market),
            proposals=self.proposals,
            before_day=self._take_snapshot,
        )
        for approved in self.proposals.missing(self.executed):
            self.desk.institutions.execute(approved)  # approved just before the venue stopped
        works = (self.sequencer.run(), self.cycle.run(), self.publisher.run())
        for work in (*works, self.desk.safeguards.run(clock)):
            self._tasks.append(asyncio.create_task(_watched(work, stop)))
        self._stop = stop
        self._watchdog = Watchdog(self.sequencer, self._tasks[0], stop)

    async def close(self) -> None:
        """Finish what has arrived, seal the journal, let go of everything."""
        sequencing, *others = self._tasks
        self._watchdog.end()
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self.sequencer.close()
        (failed,) = await asyncio.gather(sequencing, return_exceptions=True)
        await asyncio.gather(*self._keeping, return_exceptions=True)
        self.journal.close()
        if failed is None:
            mark = Mark(self.journal.last_seq, self.journal.chain)
            _with_room(lambda: self.snapshots.note_closed(mark))
        self.registry.close()
        self.history.close()

    def _tell(self, commands: np.ndarray, events: np.ndarray) -> None:
        """Everybody hears of an applied batch: owners first, then the public."""
        self.oversight.before(commands, events)
        groups = self.record.absorb(commands, events)
        self.oversight.after()
        self.desk.tell(events, groups)
        self.feed.absorb(events)
        self.publisher.changed()
        self.cycle.note(commands, events, self.desk.codes)
        if not listed_only(commands):
            self.executed |= executed_names(commands)
            self._keep_snapshot(events)
        for listener in self.listeners:
            listener(commands, events)

    def _take_snapshot(self) -> None:
        """The day is about to begin and the registry has heard everything: remember the state.

        Commands may still come before BEGIN_DAY; a start replays them like those of the day.
        """
        if self.mover is not None and not self.mover.wants_snapshot:
            return
        self.publisher.flush()
        mark = self.journal.mark(self.exchange.seq)
        if mark is None:
            return
        memory = remember(self.feed, self.oversight.caught_up())
        state, executed = self.exchange.state.copy(), frozenset(self.executed)
        self._taken = Snapshot(mark, state, memory, executed)

    def _keep_snapshot(self, events: np.ndarray) -> None:
        """Write it once the new day is in the journal: the day that ended is not asked for again.

        Until then a start needs the record of that day, which lies before this snapshot.
        """
        if self._taken is None or day_begins(events) is None:
            return
        work = asyncio.to_thread(self._write_snapshot, self._taken)
        self._keeping = [each for each in self._keeping if not each.done()]
        self._keeping.append(asyncio.create_task(_watched(work, self._stop)))
        self._taken = None

    def _write_snapshot(self, snapshot: Snapshot) -> None:
        if _with_room(lambda: self.snapshots.keep(snapshot)):
            self.journal.archive(self.snapshots.oldest_seq())

    def _code(self, instrument: int) -> str:
        code: bytes = self.exchange.state.instruments["code"][instrument]
        return code.decode()


def _with_room(write: Callable[[], object]) -> bool:
    """Write what a venue can do without; a full disk is no reason to stop, any other error is."""
    try:
        write()
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        logger.error("no room for a snapshot; the next start replays more: %s", error)
        return False
    return True


async def _watched(
    work: Coroutine[Any, Any, None], stop: Callable[[BaseException], object]
) -> None:
    """A task of the venue that dies must not die unheard: the process stops with it."""
    try:
        await work
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        stop(error)
        raise
