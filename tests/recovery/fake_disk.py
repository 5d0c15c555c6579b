"""A disk that forgets: what was not synced is there or not, sector by sector, after a power loss.

It writes to real files and keeps, of every sector that was written and not synced, what it held
before. ``lose`` puts a random subset of those back, and undoes a random subset of the names whose
folder was not synced. A power loss strikes at one of the disk's operations, counted from 1.
"""

from __future__ import annotations

import errno
import os
import random
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from gateway.journal.disk import Disk
from gateway.journal.journal import Journal, JournalDamageError
from tests.recovery.journal_batches import batch_from

SECTOR = 512
NEVER = 10**9


class PowerLossError(BaseException):
    """The machine is off. Nothing of the product may catch it."""


class FakeDisk(Disk):
    """Forgets; ``at``: the operation at which the power goes."""

    def __init__(self, chance: random.Random, at: int = NEVER) -> None:
        self.operations = 0
        self._chance = chance
        self._at = at
        self._before: dict[tuple[int, int], bytes] = {}  # by descriptor and sector
        self._kept: dict[int, int] = {}  # a descriptor of our own, which the journal cannot close
        self._renamed: list[tuple[Path, Path]] = []  # whose folder is not synced

    def _step(self) -> None:
        self.operations += 1
        if self.operations == self._at:
            raise PowerLossError

    def create(self, path: Path, capacity_bytes: int) -> int:
        self._step()
        descriptor = super().create(path, capacity_bytes)
        self._step()
        return descriptor

    def write(self, descriptor: int, data: memoryview, at: int) -> int:
        self._step()
        if descriptor not in self._kept:
            self._kept[descriptor] = os.dup(descriptor)
        for sector in range(at // SECTOR, (at + len(data) - 1) // SECTOR + 1):
            key = (descriptor, sector)
            if key not in self._before:
                self._before[key] = os.pread(descriptor, SECTOR, sector * SECTOR)
        taken = super().write(descriptor, data, at)
        self._step()
        return taken

    def sync(self, descriptor: int) -> None:
        self._step()
        self._forget(descriptor)
        self._step()

    def publish(self, descriptor: int, path: Path, final: Path) -> None:
        self._step()
        self._forget(descriptor)
        self._step()
        path.rename(final)
        self._renamed.append((path, final))
        self._step()
        self.sync_folder(final.parent)

    def sync_folder(self, folder: Path) -> None:
        self._renamed = [pair for pair in self._renamed if pair[1].parent != folder]
        self._step()

    def _forget(self, descriptor: int) -> None:
        """What was written is on the disk."""
        for key in [key for key in self._before if key[0] == descriptor]:
            del self._before[key]
        if descriptor in self._kept:
            os.close(self._kept.pop(descriptor))

    def lose(self) -> None:
        """The power is gone: of what was not synced any subset is lost."""
        share = self._chance.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        for (descriptor, sector), content in self._before.items():
            if self._chance.random() < share:
                os.pwrite(self._kept[descriptor], content, sector * SECTOR)
        for path, final in self._renamed:
            if self._chance.random() < 0.5:
                final.rename(path)
        for kept in self._kept.values():
            os.close(kept)
        self._kept.clear()
        self._before.clear()


@dataclass
class Verdict:
    """What a simulated power loss did; ``problem`` is "" where all is as promised."""

    operations: int
    acknowledged: int = 0
    recovered: int = 0
    problem: str = ""
    torn: bool = False
    in_recovery: bool = False


@dataclass
class Trial:
    """One journal, one power loss (or two: the second one while it starts again)."""

    folder: Path
    seed: int
    sizes: list[int] = field(default_factory=list)
    acknowledged: int = 0

    def run(self) -> Verdict:
        """Write until the power goes, start again, compare."""
        chance = random.Random(self.seed)
        self._empty()
        self.sizes = [chance.choice((1, 1, 2, 3, 9, 25)) for _ in range(chance.randint(1, 7))]
        at = chance.randint(1, 4 + 5 * len(self.sizes))
        disk = FakeDisk(chance, at)
        self._write(disk)
        disk.lose()
        verdict = Verdict(disk.operations, self.acknowledged)
        if chance.random() < 0.25:
            verdict.in_recovery = self._lose_again(chance)
        verdict.problem = self._compare(verdict)
        return verdict

    def _empty(self) -> None:
        for path in self.folder.glob("*"):
            path.unlink()

    def _open(self, disk: Disk) -> Journal:
        return Journal(self.folder, disk=disk, segment_bytes=3_000)

    def _write(self, disk: FakeDisk) -> None:
        journal = self._open(disk)
        try:
            list(journal.replay())
            for size in self.sizes:
                first_seq = journal.last_seq + 1
                journal.append(batch_from(first_seq, size).tobytes(), first_seq)
                self.acknowledged = journal.last_seq
                if self.seed % 3 == 0:
                    journal.seal()
        except PowerLossError:
            pass
        self._abandon(journal)

    def _abandon(self, journal: Journal) -> None:
        """Let go of the files without a word: the process is gone."""
        journal._ready = False
        journal.close()

    def _lose_again(self, chance: random.Random) -> bool:
        disk = FakeDisk(chance, chance.randint(1, 6))
        journal = self._open(disk)
        try:
            list(journal.replay())
        except PowerLossError:
            return True
        finally:
            disk.lose()
            self._abandon(journal)
        return False

    def _compare(self, verdict: Verdict) -> str:
        journal = self._open(UnsyncedDisk())
        try:
            batches = list(journal.replay())
            seqs = [len(batch) for batch in batches]
            verdict.recovered = sum(seqs)
            verdict.torn = verdict.recovered < sum(self.sizes[: len(seqs) + 1])
            whole = np.concatenate(batches) if batches else batch_from(1, 0)
            if whole.tobytes() != batch_from(1, verdict.recovered).tobytes():
                return "something that nobody wrote is believed"
            if verdict.recovered < verdict.acknowledged:
                return f"{verdict.acknowledged - verdict.recovered} acknowledged commands are lost"
            if seqs != self.sizes[: len(seqs)]:
                return f"a batch is neither in nor out: {seqs} of {self.sizes}"
            after = journal.last_seq + 1
            journal.append(batch_from(after, 2).tobytes(), after)
        except JournalDamageError as refused:
            return f"refused to start: {refused}"
        finally:
            journal.close()
        return ""


class UnsyncedDisk(Disk):
    """Nothing is asked of a real disk: do not wait for one thousands of times."""

    def sync(self, descriptor: int) -> None:
        pass

    def publish(self, descriptor: int, path: Path, final: Path) -> None:
        path.rename(final)

    def sync_folder(self, folder: Path) -> None:
        pass


class FailingDisk(UnsyncedDisk):
    """Fails in one way, once or for good, from a certain call of one operation on."""

    def __init__(self, what: str, error: int, *, first: int = 1, times: int = NEVER) -> None:
        self.calls = 0
        self.failed = 0
        self._what, self._error, self._first, self._times = what, error, first, times

    def _perhaps(self, what: str) -> None:
        if what != self._what:
            return
        self.calls += 1
        if self.calls >= self._first and self.failed < self._times:
            self.failed += 1
            raise OSError(self._error, os.strerror(self._error))

    def create(self, path: Path, capacity_bytes: int) -> int:
        if path.name == "unborn":
            self._perhaps("create")
        return super().create(path, capacity_bytes)

    def write(self, descriptor: int, data: memoryview, at: int) -> int:
        if self._what == "torn write" and len(data) > 200:
            self.calls += 1
            if self.calls >= self._first:
                super().write(descriptor, data[: len(data) // 2], at)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._perhaps("write")
        return super().write(descriptor, data, at)

    def sync(self, descriptor: int) -> None:
        self._perhaps("sync")
