"""``tanshi replay``: the journal through a fresh exchange, and whether every byte comes out again.

Snapshots say which digest the exchange had at some moments of its life; a replay that passes such a
moment must have it too, and the journal's chain of hashes must be the one they saw.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from engine.exchange import Exchange, warm_up
from engine.records import Phase
from gateway.journal.quarantine import Quarantine, Record, command_sha256, signature
from gateway.journal.reading import Reading, joined, make_room
from gateway.journal.snapshots import Head, Snapshot, SnapshotDamageError, Snapshots, read_head
from gateway.keys import Keys

APPLY_ROWS = 8192  # small batches are applied together: the events are the same
HASHING_MAX = 4  # batches whose events wait to be hashed

Progress = Callable[[int, int], None]


@dataclass
class Replayed:
    """What a replay found. ``identical``: nothing differs from what snapshots say of it.

    ``complete`` is False where it was interrupted or ``--to`` ended it before the journal's end.
    """

    commands: int = 0
    events: int = 0
    first_seq: int = 1
    seq: int = 0
    date: int = 0
    phase: str = ""
    digest: str = ""
    events_sha256: str = ""
    chain: str = ""
    seconds: float = 0.0
    complete: bool = True
    interrupted: bool = False
    quarantined: list[int] = field(default_factory=list)
    snapshots_compared: list[int] = field(default_factory=list)
    findings: list[str] = field(default_factory=list)

    @property
    def identical(self) -> bool:
        """Whether every digest on the way was the one it should be."""
        return not self.findings

    @property
    def commands_per_second(self) -> float:
        """Reading, verifying and applying, all together."""
        return self.commands / self.seconds if self.seconds else 0.0

    def figures(self) -> dict[str, Any]:
        """Return everything for ``--json``."""
        return {
            "identical": self.identical,
            "commands_per_second": round(self.commands_per_second, 1),
            **asdict(self),
        }


class EventsHash:
    """SHA-256 of all event bytes, reckoned beside in a thread: hashing holds nobody up."""

    def __init__(self) -> None:
        self._seen = hashlib.sha256()
        self._thread: ThreadPoolExecutor | None = None
        self._pending: deque[Future[None]] = deque()

    def add(self, events: np.ndarray) -> None:
        """Add a batch's events; nobody may change them any more."""
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, thread_name_prefix="hashing")
        if len(self._pending) == HASHING_MAX:
            self._pending.popleft().result()
        data = np.ascontiguousarray(events).view(np.uint8).data
        self._pending.append(self._thread.submit(self._seen.update, data))

    def hexdigest(self) -> str:
        """Wait for what is not reckoned yet; return the hash of everything, and let go."""
        if self._thread is not None:
            self._thread.shutdown()
        while self._pending:
            self._pending.popleft().result()
        return self._seen.hexdigest()


class Player:
    """Plays a venue's journal from its beginning, or from its newest snapshot."""

    def __init__(
        self, data_dir: Path, *, to: int | None = None, from_snapshot: bool = False
    ) -> None:
        self.exchange = Exchange()
        self.result = Replayed()
        self._to = to
        self._snapshots = Snapshots(data_dir / "snapshots")
        self._heads = self._read_heads()
        start = self._start() if from_snapshot else None
        self._after = start.mark if start is not None else None
        if start is not None:
            self.exchange.state = start.state
            self.result.first_seq = start.mark.seq + 1
        make_room(self.exchange.state, data_dir / "journal")
        self._quarantine = Quarantine(data_dir / "journal")
        self._reading = Reading(data_dir / "journal", self._after)
        self._seen = EventsHash()

    def play(self, progress: Progress = lambda _done, _all: None) -> Replayed:
        """Play; ``progress`` is told bytes read and bytes in all. Ctrl-C ends it between batches.

        Raises:
            JournalDamageError, JournalFormatError: see gateway/journal/reading.py.
        """
        warm_up()
        began = time.perf_counter()
        try:
            for batch in self.batches(progress):
                self._apply(batch)
                self._compare()
        except KeyboardInterrupt:
            self.result.interrupted, self.result.complete = True, False
        self.result.events_sha256 = self._seen.hexdigest()
        self.result.seconds = time.perf_counter() - began
        return self._finished()

    def batches(self, progress: Progress = lambda _done, _all: None) -> Iterator[np.ndarray]:
        """Yield the journal's commands, quarantined ones turned into refusals."""
        return self._quarantine.screened(self._gathered(progress))

    def _read_heads(self) -> dict[int, Head]:
        """Return what the snapshots say, by the command they follow."""
        heads = {}
        for path in self._snapshots.paths():
            try:
                head = read_head(path.read_bytes())[0]
            except SnapshotDamageError as problem:
                self.result.findings.append(f"{path.name}: {problem}")
                continue
            heads[head.mark.seq] = head
        return heads

    def _start(self) -> Snapshot | None:
        found, _ = self._snapshots.load()
        if found is None:
            raise FileNotFoundError("no snapshot of this build to start from")
        if self._to is not None and found.mark.seq > self._to:
            raise FileNotFoundError(f"the newest snapshot lies after command {self._to}")
        return found

    def _gathered(self, progress: Progress) -> Iterator[np.ndarray]:
        """Yield commands in larger batches, which end where there is something to compare."""
        waiting: list[np.ndarray] = []
        count = done = 0
        total = self._reading.size_bytes
        for stretch in self._reading:
            waiting.append(stretch.commands)
            count += len(stretch.commands)
            done += stretch.size_bytes
            over = self._to is not None and stretch.mark.seq >= self._to
            if count >= APPLY_ROWS or over or stretch.mark.seq in self._heads:
                yield joined(waiting)
                waiting, count = [], 0
                progress(done, total)
            if over:
                self.result.complete = False
                return
        if count:
            yield joined(waiting)
        progress(total, total)

    def _apply(self, batch: np.ndarray) -> None:
        if self._to is not None:
            batch = batch[batch["seq"] <= self._to]
        events = self.exchange.apply(batch)
        self._seen.add(events)
        self.result.commands += len(batch)
        self.result.events += len(events)

    def _compare(self) -> None:
        head = self._heads.pop(self.exchange.seq, None)
        if head is None:
            return
        self.result.snapshots_compared.append(head.mark.seq)
        digest = self.exchange.digest()
        if digest != head.digest:
            self.result.findings.append(
                f"after command {head.mark.seq} the digest is {digest}; the venue had {head.digest}"
            )

    def _finished(self) -> Replayed:
        result, market = self.result, self.exchange.state.market[0]
        result.seq, result.date = self.exchange.seq, int(market["date"])
        result.phase = Phase(int(market["phase"])).name.lower()
        result.digest = self.exchange.digest()
        result.chain = self._reading.mark.chain.hex()
        result.quarantined = [record.seq for record in self._quarantine.records]
        if result.complete:
            result.findings += [
                f"a snapshot has seen command {seq}, the journal ends with {result.seq}"
                for seq in sorted(self._heads)
                if seq > result.seq
            ]
        return result


@dataclass(frozen=True)
class Poison:
    """A command at which every replay stops."""

    command: np.ndarray
    error: str

    @property
    def seq(self) -> int:
        """Its number."""
        return int(self.command["seq"])


def find_poison(data_dir: Path) -> Poison | None:
    """Return the first command that the exchange cannot apply, None if it can apply all."""
    warm_up()
    player = Player(data_dir)
    for batch in player.batches():
        before = player.exchange.fork()
        try:
            player.exchange.apply(batch)
        except Exception:
            return _poison_of(before, batch)
    return None


def _poison_of(exchange: Exchange, batch: np.ndarray) -> Poison | None:
    """Apply one by one until it fails."""
    for row in range(len(batch)):
        try:
            exchange.apply(batch[row : row + 1])
        except Exception as error:
            return Poison(batch[row].copy(), f"{type(error).__name__}: {error}")
    return None


def quarantine(data_dir: Path, poison: Poison, key_id: str, secret: str, why: str) -> Record:
    """Write the record about a poison command, signed by an operator of the exchange.

    Raises:
        ValueError: the key is not one of an exchange operator; nothing was written.
    """
    key = Keys(data_dir / "keys.json").find(key_id)
    known = key is not None and hmac.compare_digest(key.secret.encode(), secret.encode())
    if key is None or not known or "exchange_operator" not in key.roles:
        raise ValueError("this is no key of an exchange operator, or not its secret")
    kept = Quarantine(data_dir / "journal")
    record = Record(
        seq=poison.seq,
        command_sha256=command_sha256(poison.command),
        key_id=key_id,
        why=why,
        time_us=time.time_ns() // 1000,
        previous=kept.last,
    )
    signed = Record(**{**asdict(record), "signature": signature(secret, record)})
    kept.add(signed)
    return signed
