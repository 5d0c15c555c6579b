"""Power losses on a disk that forgets (P1, F09, F10), and disks that fail (F11-F13, F18).

1,000 losses here (TANSHI_POWER_LOSSES), 100,000 at night. Sampled: with none lost in n the rate
lies below 3/n with 95 % confidence.
"""

from __future__ import annotations

import asyncio
import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gateway.journal.disk import Disk
from gateway.journal.journal import Journal, JournalWriteError
from tests.recovery.fake_disk import FailingDisk, Trial, UnsyncedDisk
from tests.recovery.journal_batches import batch_from
from tests.unit.gateway.test_sequencer import Recorder, account_openings, work

LOSSES = int(os.environ.get("TANSHI_POWER_LOSSES", "1000"))


def test_no_acknowledged_command_is_lost_with_the_power(tmp_path: Path, base_seed: int) -> None:
    torn = in_recovery = acknowledged = 0
    for number in range(LOSSES):
        seed = base_seed * 10_000_000 + number
        verdict = Trial(tmp_path, seed).run()
        assert verdict.problem == "", f"seed {seed}: {verdict}"
        torn += verdict.torn
        in_recovery += verdict.in_recovery
        acknowledged += verdict.acknowledged > 0
    assert torn > LOSSES // 10, "the losses came too late to mean anything"
    assert in_recovery > LOSSES // 100
    assert acknowledged > LOSSES // 3


def opened(folder: Path, disk: Disk) -> Journal:
    journal = Journal(folder, disk=disk, segment_bytes=3_000)
    list(journal.replay())
    return journal


def believed(folder: Path) -> np.ndarray:
    journal = Journal(folder, disk=UnsyncedDisk(), segment_bytes=3_000)
    try:
        batches = list(journal.replay())
        return np.concatenate(batches).copy() if batches else batch_from(1, 0)
    finally:
        journal.close()


def append_many(journal: Journal, batches: int) -> None:
    for _ in range(batches):
        first_seq = journal.last_seq + 1
        journal.append(batch_from(first_seq, 5).tobytes(), first_seq)


FAILURES: dict[str, Callable[[], FailingDisk]] = {
    "F11: sync fails once": lambda: FailingDisk("sync", errno.EIO, first=4, times=1),
    "F13: full at the creation of a segment": lambda: FailingDisk("create", errno.ENOSPC, first=2),
    "F13: full in mid-batch": lambda: FailingDisk("torn write", errno.ENOSPC, first=5),
    "F14: no descriptor for a segment": lambda: FailingDisk("create", errno.EMFILE, first=3),
    "a write fails": lambda: FailingDisk("write", errno.EIO, first=7, times=1),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_a_disk_that_fails_ends_the_journal_and_what_was_before_is_intact(
    tmp_path: Path, failure: str
) -> None:
    disk = FAILURES[failure]()
    journal = opened(tmp_path, disk)
    with pytest.raises(JournalWriteError):
        append_many(journal, 20)
    acknowledged = journal.last_seq
    calls = disk.calls
    for _ in range(2):
        with pytest.raises(AssertionError):
            journal.append(batch_from(acknowledged + 1, 1).tobytes(), acknowledged + 1)
    journal.close()
    assert disk.calls == calls, "nothing is tried again, not even by the closing seal"
    rows = believed(tmp_path)
    assert len(rows) in (acknowledged, acknowledged + 5)
    assert rows.tobytes() == batch_from(1, len(rows)).tobytes()


class InterruptedDisk(UnsyncedDisk):
    """Every other write is interrupted by a signal, the others take a few bytes (F12)."""

    calls = 0

    def write(self, descriptor: int, data: memoryview, at: int) -> int:
        self.calls += 1
        if self.calls % 2:
            raise InterruptedError(errno.EINTR, os.strerror(errno.EINTR))
        return super().write(descriptor, data[: 1 + self.calls % 97], at)


def test_interrupted_and_short_writes_are_completed_f12(tmp_path: Path) -> None:
    journal = opened(tmp_path, InterruptedDisk())
    append_many(journal, 6)
    journal.close()
    assert believed(tmp_path).tobytes() == batch_from(1, 30).tobytes()


def test_a_disk_that_takes_nothing_is_given_up(tmp_path: Path) -> None:
    class Deaf(UnsyncedDisk):
        def write(self, descriptor: int, data: memoryview, at: int) -> int:
            return 0 if len(data) > 200 else super().write(descriptor, data, at)

    journal = opened(tmp_path, Deaf())
    with pytest.raises(JournalWriteError, match="took none"):
        journal.append(batch_from(1, 3).tobytes(), 1)
    journal.close()


class SlowDisk(Disk):
    """A sync takes a while."""

    def sync(self, descriptor: int) -> None:
        time.sleep(0.12)
        super().sync(descriptor)


def test_a_slow_disk_makes_it_late_and_nothing_else_f18(tmp_path: Path) -> None:
    """Batches grow, the order is kept, nobody is told early."""
    recorder = Recorder(tmp_path)
    recorder.journal.disk = SlowDisk()
    told: list[int] = []

    async def act(sequencer):
        began = time.perf_counter()
        futures = []
        for account in range(40):
            futures.append(sequencer.submit(account_openings(account, 1)))
            await asyncio.sleep(0.01)
        events = await asyncio.gather(*futures)
        told.extend(int(each["seq"][0]) for each in events)
        return time.perf_counter() - began

    assert work(recorder, act) >= 0.24
    assert told == list(range(1, 41))
    synced = [seq for verb, seq in recorder.verbs if verb == "synced"]
    assert synced[-1] == 40
    assert 2 <= len(synced) <= 12, "commands gather while a sync lasts"
    for verb, seq in recorder.verbs:
        if verb == "told":
            at = recorder.verbs.index(("told", seq))
            assert ("synced", seq) in recorder.verbs[:at]
