"""A start: the journal verified and played, and everything that was built from it built again.

Exchange, public feed and reports take in every command since the snapshot (or of all time), the
desk's record those of the running day. Small batches are joined first; what can be taken in by
columns is. ``Stages`` says what each part of a start has cost.
"""

from __future__ import annotations

import gc
import logging
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from gateway.desk.day_record import day_begins
from gateway.desk.proposals import executed_names
from gateway.journal.disk import Point
from gateway.journal.memory import recall
from gateway.journal.quarantine import PoisonError, Quarantine
from gateway.journal.reading import joined, make_room
from gateway.journal.replay import find_poison
from registry.inbox import concerning

if TYPE_CHECKING:
    from gateway.venue import Venue

logger = logging.getLogger(__name__)

REPLAY_ROWS = 65_536  # small batches are applied together: the events are the same
FLUSH_EVENTS = 1 << 21  # the feed tells nobody: most facts of so many are forgotten at once

Applied = tuple[np.ndarray, np.ndarray]  # commands and the events they cause


class Stages:
    """Seconds of each stage of a start, in the order in which they came first."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.perf_counter()

    def passed(self, stage: str) -> None:
        """Everything since the last call belonged to this stage."""
        now = time.perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now

    def __str__(self) -> str:
        return ", ".join(f"{stage} {spent:.2f} s" for stage, spent in self.seconds.items())


@contextmanager
def no_collection() -> Iterator[None]:
    """Look for no garbage meanwhile: a start makes millions of objects and drops none in rings."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def replay(venue: Venue, stages: Stages) -> None:
    """Bring a venue that was just made to where its journal ends.

    Raises:
        JournalDamageError, JournalFormatError: it must not start.
        PoisonError: nor before a command is quarantined.
    """
    batches = Quarantine(venue.journal.folder).screened(_from_snapshot(venue))
    first_seq = venue.exchange.seq + 1
    make_room(venue.exchange.state, venue.journal.folder)
    stages.passed("snapshot")
    registry_part = list(_take_in(venue, gathered(batches, REPLAY_ROWS), stages))
    venue.record.recalled()
    venue.desk.learn_instruments()
    stages.passed("record")
    if registry_part:
        commands, events = (np.concatenate(column) for column in zip(*registry_part, strict=True))
        venue.registry.absorb(commands, events, tuple(venue.desk.codes))
    stages.passed("registry")
    count = venue.exchange.seq + 1 - first_seq
    logger.info("replayed %d commands from %d on (%s)", count, first_seq, stages)


def _take_in(venue: Venue, batches: Iterator[np.ndarray], stages: Stages) -> Iterator[Applied]:
    """Apply batches and let everything follow; yield what concerns the registry.

    The day's record, which nobody asks before the end, takes in each batch on a thread of its own
    while the feed does and the next one is read and applied.
    """
    unheard = 0
    with ThreadPoolExecutor(1, "recovery") as beside:
        keeping: Future[None] | None = None
        for batch in batches:
            stages.passed("reading")
            events = _applied(venue, batch)
            stages.passed("applying")
            if keeping is not None:
                keeping.result()
            if day_begins(events) is not None:  # surveillance will need what the feed knows of it
                venue.feed.absorb(events)
                _keep(venue, batch, events)
            else:
                keeping = beside.submit(_keep, venue, batch, events)
                stages.passed("record")
                venue.feed.absorb(events)
            unheard += len(events)
            if unheard >= FLUSH_EVENTS:
                venue.feed.flush(heard=False)
                unheard = 0
            stages.passed("feed")
            venue.executed |= executed_names(batch)
            heard = concerning(batch)
            if heard.size:
                yield heard, events[np.isin(events["seq"], heard["seq"])]
            venue.journal.disk.passed(Point.RECOVERING)
            stages.passed("registry")
        venue.feed.flush(heard=False)
        stages.passed("feed")
        if keeping is not None:
            keeping.result()


def _keep(venue: Venue, batch: np.ndarray, events: np.ndarray) -> None:
    """Take a batch into the day's record; surveillance reads it when it is asked."""
    venue.oversight.before(batch, events)
    venue.record.recall(batch, events)
    venue.oversight.after()


def _from_snapshot(venue: Venue) -> Iterator[np.ndarray]:
    """Take over the newest snapshot; return the journal's commands that follow it."""
    snapshot, witnesses = venue.snapshots.load()
    heard_seq = venue.registry.heard_seq()
    if snapshot is None:
        return venue.journal.replay(None, witnesses, heard_seq)
    venue.exchange.state = snapshot.state
    recall(snapshot.memory, venue.feed, venue.oversight.caught_up())
    venue.executed |= snapshot.executed
    return venue.journal.replay(snapshot.mark, witnesses, heard_seq)


def _applied(venue: Venue, batch: np.ndarray) -> np.ndarray:
    """Apply commands of the journal.

    Raises:
        PoisonError: one of them cannot be applied; names it.
    """
    try:
        return venue.exchange.apply(batch)
    except Exception as error:
        poison = find_poison(venue.data_dir)
        at = int(batch["seq"][0]) if poison is None else poison.seq
        raise PoisonError(
            f"command {at} stops the exchange ({error!r}): see `tanshi quarantine`"
        ) from error


def gathered(batches: Iterator[np.ndarray], rows: int) -> Iterator[np.ndarray]:
    """Join successive batches until they have ``rows`` commands: one apply instead of many."""
    waiting: list[np.ndarray] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += len(batch)
        if count >= rows:
            yield joined(waiting)
            waiting, count = [], 0
    if waiting:
        yield joined(waiting)
