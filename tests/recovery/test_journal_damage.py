"""A damaged journal is never believed (promise P3): exhaustive over small journals.

The verdict is one of three: the whole journal, a journal without its last batch (a tear), or a
refusal that names file and byte. A batch that was followed by another one is never lost silently.
"""

from pathlib import Path

import numpy as np
import pytest

from gateway.disk import Disk
from gateway.journal import Journal, JournalDamageError
from gateway.segments import (
    BATCH_OVERHEAD_BYTES,
    HEADER_BYTES,
    RECORD_BYTES,
)
from tests.recovery.journal_batches import batch_from

NAME = "journal-00000001.seg"


def sound_bytes(folder: Path, counts: list[int], *, sealed: bool, spare: int = 64) -> bytes:
    used = HEADER_BYTES + sum(BATCH_OVERHEAD_BYTES + n * RECORD_BYTES for n in [*counts, 0])
    journal = Journal(folder / "sound", segment_bytes=used + spare)
    list(journal.replay())
    for count in counts:
        first_seq = journal.last_seq + 1
        journal.append(batch_from(first_seq, count).tobytes(), first_seq)
    journal.sealed = not sealed  # not sealed: as after a kill
    journal.close()
    return (folder / "sound" / NAME).read_bytes()


class Unsynced(Disk):
    """Nothing here is about durability: do not wait for a real disk 40,000 times."""

    def sync(self, descriptor: int) -> None:
        pass


class Damaged:
    """One folder in which ever new bytes stand for the journal."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "damaged"
        self.folder.mkdir()

    def commands(self, content: bytes) -> int | None:
        """How many commands are believed; None: the start is refused."""
        (self.folder / NAME).write_bytes(content)
        journal = Journal(self.folder, disk=Unsynced())
        try:
            believed = list(journal.replay())
        except JournalDamageError as refusal:
            return None if NAME in str(refusal) and "byte" in str(refusal) else -1
        finally:
            journal.close()
        seqs = np.concatenate([batch["seq"] for batch in believed]) if believed else np.zeros(0)
        total = len(seqs)
        whole = np.concatenate(believed) if believed else batch_from(1, 0)
        assert whole.tobytes() == batch_from(1, total).tobytes(), "believed what nobody wrote"
        return total


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    content = sound_bytes(tmp_path, [1, 2, 1, 3, 1], sealed=False)
    damaged = Damaged(tmp_path)
    assert damaged.commands(content) == 8
    for length in range(len(content)):
        assert damaged.commands(content[:length]) is None, f"cut to {length} bytes"


def test_every_torn_tail_is_cut_to_the_sealed_batches(tmp_path: Path) -> None:
    """A crash in mid-write leaves the room and zeros where bytes did not arrive."""
    counts = [1, 2, 1, 3]
    content = sound_bytes(tmp_path, counts, sealed=False)
    damaged = Damaged(tmp_path)
    start = HEADER_BYTES + sum(BATCH_OVERHEAD_BYTES + n * RECORD_BYTES for n in counts[:-1])
    end = start + BATCH_OVERHEAD_BYTES + counts[-1] * RECORD_BYTES
    for length in range(start, end):
        torn = content[:length] + bytes(len(content) - length)
        expected = 4 if torn != content else 7
        assert damaged.commands(torn) == expected, f"zeros from byte {length}"


def test_later_sectors_of_the_torn_batch_do_not_matter(tmp_path: Path) -> None:
    counts = [2, 40]
    content = sound_bytes(tmp_path, counts, sealed=False)
    damaged = Damaged(tmp_path)
    start = HEADER_BYTES + BATCH_OVERHEAD_BYTES + 2 * RECORD_BYTES
    for at in range(start, len(content) - 512, 256):
        lost = content[:at] + bytes(512) + content[at + 512 :]
        assert damaged.commands(lost) == 2, f"a lost sector at byte {at}"


def test_every_bit_flip_in_a_sealed_journal_is_refused(tmp_path: Path) -> None:
    content = sound_bytes(tmp_path, [1, 2, 1], sealed=True, spare=16)
    damaged = Damaged(tmp_path)
    seal = len(content) - 16 - BATCH_OVERHEAD_BYTES
    for bit in range(len(content) * 8):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << (bit % 8)
        verdict = damaged.commands(bytes(flipped))
        if bit // 8 < seal:
            assert verdict is None, f"bit {bit} was believed"
        else:  # the seal itself or the room after it: nothing that was acknowledged
            assert verdict == 4, f"bit {bit} cost a command"


def test_bit_flips_in_the_last_batch_cost_at_most_that_batch(tmp_path: Path) -> None:
    content = sound_bytes(tmp_path, [2, 1], sealed=False, spare=0)
    damaged = Damaged(tmp_path)
    start = HEADER_BYTES + BATCH_OVERHEAD_BYTES + 2 * RECORD_BYTES
    end = start + BATCH_OVERHEAD_BYTES + RECORD_BYTES
    for bit in range(start * 8, end * 8):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << (bit % 8)
        assert damaged.commands(bytes(flipped)) == 2


def pieces(content: bytes, counts: list[int]) -> tuple[bytes, list[bytes]]:
    batches, at = [], HEADER_BYTES
    for count in [*counts, 0]:
        end = at + BATCH_OVERHEAD_BYTES + count * RECORD_BYTES
        batches.append(content[at:end])
        at = end
    return content[:HEADER_BYTES], batches


@pytest.mark.parametrize("what", ["deleted", "doubled", "swapped"])
def test_batches_deleted_doubled_swapped_are_refused(tmp_path: Path, what: str) -> None:
    counts = [1, 1, 2, 1, 1, 3]
    content = sound_bytes(tmp_path, counts, sealed=True, spare=1024)
    damaged = Damaged(tmp_path)
    head, batches = pieces(content, counts)
    for n in range(len(counts)):
        order = list(batches)
        if what == "deleted":
            del order[n]
        elif what == "doubled":
            order.insert(n, order[n])
        else:
            order[n], order[n + 1] = order[n + 1], order[n]
        changed = (head + b"".join(order)).ljust(len(content), b"\0")
        assert damaged.commands(changed) is None, f"batch {n} {what}"


def test_a_missing_segment_is_named(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=512)
    list(journal.replay())
    for seq in range(1, 10):
        journal.append(batch_from(seq, 1).tobytes(), seq)
    journal.close()
    (tmp_path / "journal-00000002.seg").unlink()
    journal = Journal(tmp_path)
    with pytest.raises(JournalDamageError, match=r"journal-00000002\.seg"):
        list(journal.replay())
    journal.close()


def test_a_segment_from_another_journal_is_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        journal = Journal(tmp_path / name, segment_bytes=512)
        list(journal.replay())
        for seq in range(1, 10):
            records = batch_from(seq, 1)
            records["amount"] = len(name)
            journal.append(records.tobytes(), seq)
        journal.close()
    foreign = (tmp_path / "other" / "journal-00000002.seg").read_bytes()
    (tmp_path / "one" / "journal-00000002.seg").write_bytes(foreign)
    journal = Journal(tmp_path / "one")
    with pytest.raises(JournalDamageError, match="does not continue"):
        list(journal.replay())
    journal.close()
