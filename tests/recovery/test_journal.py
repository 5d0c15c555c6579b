"""The journal keeps what it was given, in order, and only one process may have it."""

import os
from pathlib import Path

import numpy as np
import pytest

from engine.records import COMMAND
from gateway.journal import segments
from gateway.journal.disk import Disk
from gateway.journal.journal import (
    Journal,
    JournalFormatError,
    JournalLockedError,
    JournalWriteError,
)
from tests.recovery.journal_batches import batch_from

SEGMENT_BYTES = 4096


def written(folder: Path, counts: list[int], **options: int) -> np.ndarray:
    journal = Journal(folder, segment_bytes=SEGMENT_BYTES, **options)
    assert list(journal.replay()) == []
    for count in counts:
        journal.append(batch_from(journal.last_seq + 1, count).tobytes(), journal.last_seq + 1)
    journal.close()
    return batch_from(1, sum(counts))


def read(folder: Path) -> tuple[list[np.ndarray], Journal]:
    journal = Journal(folder, segment_bytes=SEGMENT_BYTES)
    return [batch.copy() for batch in journal.replay()], journal


def test_round_trip_over_segments(tmp_path: Path) -> None:
    counts = [1, 5, 2, 30, 1, 1, 9, 60, 3]
    expected = written(tmp_path, counts)
    batches, journal = read(tmp_path)
    assert [len(batch) for batch in batches] == counts
    assert np.concatenate(batches).tobytes() == expected.tobytes()
    assert batches[0].dtype == COMMAND
    assert len(list(tmp_path.glob("*.seg"))) > 2, "the test should cross segments"
    assert journal.last_seq == sum(counts)
    journal.append(batch_from(journal.last_seq + 1, 4).tobytes(), journal.last_seq + 1)
    journal.close()
    again, journal = read(tmp_path)
    assert sum(map(len, again)) == sum(counts) + 4
    journal.close()


def test_segments_are_preallocated_and_private(tmp_path: Path) -> None:
    written(tmp_path, [1])
    (path,) = tmp_path.glob("*.seg")
    assert path.stat().st_size == SEGMENT_BYTES
    assert path.stat().st_mode & 0o077 == 0


def test_a_batch_larger_than_a_segment_gets_a_segment_of_its_own(tmp_path: Path) -> None:
    expected = written(tmp_path, [2, 500, 2])
    batches, journal = read(tmp_path)
    assert np.concatenate(batches).tobytes() == expected.tobytes()
    journal.close()


def test_two_venues_cannot_open_one_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(JournalLockedError, match="another process"):
        Journal(tmp_path)
    journal.close()
    Journal(tmp_path).close()


def test_another_record_layout_is_refused_in_clear_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, [3])
    monkeypatch.setattr(segments, "LAYOUT", bytes(32))
    journal = Journal(tmp_path)
    with pytest.raises(JournalFormatError, match="record layout"):
        list(journal.replay())
    journal.close()


def test_an_unfinished_segment_is_no_segment(tmp_path: Path) -> None:
    expected = written(tmp_path, [3])
    (tmp_path / "unborn").write_bytes(b"half a header")
    batches, journal = read(tmp_path)
    assert np.concatenate(batches).tobytes() == expected.tobytes()
    assert not (tmp_path / "unborn").exists()
    journal.close()


def test_append_before_replay_or_out_of_order_is_a_programming_error(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with pytest.raises(AssertionError, match="replay"):
        journal.append(batch_from(1, 1).tobytes(), 1)
    list(journal.replay())
    with pytest.raises(AssertionError, match="continues"):
        journal.append(batch_from(2, 1).tobytes(), 2)
    journal.close()


class StingyDisk(Disk):
    """Takes at most 33 bytes at a time."""

    def write(self, descriptor: int, data: memoryview, at: int) -> int:
        return super().write(descriptor, data[:33], at)


def test_short_writes_are_completed(tmp_path: Path) -> None:
    journal = Journal(tmp_path, disk=StingyDisk(), segment_bytes=SEGMENT_BYTES)
    list(journal.replay())
    journal.append(batch_from(1, 5).tobytes(), 1)
    journal.close()
    batches, journal = read(tmp_path)
    assert batches[0].tobytes() == batch_from(1, 5).tobytes()
    journal.close()


class OnceFailingDisk(Disk):
    """The third sync says EIO; any later one would say that all is well."""

    syncs = 0

    def sync(self, descriptor: int) -> None:
        self.syncs += 1
        if self.syncs == 3:
            raise OSError(5, "Input/output error")
        super().sync(descriptor)


def test_a_sync_error_is_final(tmp_path: Path) -> None:
    disk = OnceFailingDisk()
    journal = Journal(tmp_path, disk=disk, segment_bytes=SEGMENT_BYTES)
    list(journal.replay())
    for seq in (1, 2):
        journal.append(batch_from(seq, 1).tobytes(), seq)
    with pytest.raises(JournalWriteError, match="Input/output error"):
        journal.append(batch_from(3, 1).tobytes(), 3)
    with pytest.raises(AssertionError):
        journal.append(batch_from(3, 1).tobytes(), 3)
    journal.close()
    assert disk.syncs == 3, "neither an append nor the closing seal may sync again"
    batches, journal = read(tmp_path)
    assert [int(batch["seq"][0]) for batch in batches][:2] == [1, 2]
    journal.close()


class FullDisk(Disk):
    """Has room for one segment."""

    def create(self, path: Path, capacity_bytes: int) -> int:
        if any(path.parent.glob("*.seg")):
            raise OSError(28, "No space left on device")
        return super().create(path, capacity_bytes)


def test_a_full_disk_shows_at_the_creation_of_a_segment(tmp_path: Path) -> None:
    journal = Journal(tmp_path, disk=FullDisk(), segment_bytes=SEGMENT_BYTES)
    list(journal.replay())
    for first_seq in (1, 15):
        journal.append(batch_from(first_seq, 14).tobytes(), first_seq)
    with pytest.raises(JournalWriteError, match="No space"):
        journal.append(batch_from(29, 14).tobytes(), 29)
    kept = journal.last_seq
    journal.close()
    batches, journal = read(tmp_path)
    assert sum(map(len, batches)) == kept == 28
    journal.close()


def test_descriptors_are_let_go(tmp_path: Path) -> None:
    before = len(os.listdir("/proc/self/fd"))
    written(tmp_path, [30, 30, 30])
    batches, journal = read(tmp_path)
    journal.close()
    del batches, journal
    assert len(os.listdir("/proc/self/fd")) <= before
