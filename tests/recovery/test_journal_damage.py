"""A damaged journal is never believed (promise P3): exhaustive over small journals.

The verdict is one of three: the whole journal, a journal without its last batch (a tear), or a
refusal that names file and byte. A batch that was followed by another one is never lost silently,
and with a witness (a snapshot, a clean stop) no batch is. These tests leave no case out: they
prove, where the sampled ones of this folder bound.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway.journal.journal import Journal, JournalDamageError
from gateway.journal.segments import HEADER_BYTES
from tests.recovery.damage import (
    NAME,
    REFUSED,
    Damaged,
    batch_bytes,
    last_mark,
    pieces,
    sound_bytes,
)
from tests.recovery.fake_disk import UnsyncedDisk
from tests.recovery.journal_batches import batch_from

LONG = [1, 40, 7, 100, 2, 120, 30, 99, 1]  # 400 commands
FLIPPED = [9, 1, 20, 3, 31]  # 64 commands
PARTS = 4  # shared by the workers


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Thousands of torn tails need not all be written down."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


@pytest.mark.parametrize("part", range(PARTS))
def test_every_truncation_of_400_commands_is_refused(tmp_path: Path, part: int) -> None:
    """A segment has its size from its first moment on."""
    assert sum(LONG) == 400
    content = sound_bytes(tmp_path, LONG, sealed=True)
    damaged = Damaged(tmp_path)
    assert damaged.commands(content) == 400
    size = len(content)
    for length in range(size * (part + 1) // PARTS - 1, size * part // PARTS - 1, -1):
        damaged.cut(length)
        assert damaged.commands() is REFUSED, f"cut to {length} bytes"


def test_every_torn_tail_is_cut_to_the_sealed_batches(tmp_path: Path) -> None:
    """A crash in mid-write leaves the room, and zeros where bytes did not arrive."""
    counts = [2, 30, 3, 8]
    content = sound_bytes(tmp_path, counts, sealed=False)
    damaged, mark = Damaged(tmp_path), last_mark(tmp_path, content)
    edges = [HEADER_BYTES]
    for count in counts:
        edges.append(edges[-1] + batch_bytes(count))
    for length in range(edges[1], len(content)):
        torn = content[:length] + bytes(len(content) - length)
        whole = sum(1 for edge in edges[1:] if torn[:edge] == content[:edge])
        assert damaged.commands(torn) == sum(counts[:whole]), f"zeros from byte {length}"
        if whole < len(counts):
            verdict = damaged.commands(torn, [mark])
            assert verdict is REFUSED, f"zeros from byte {length} against a witness"


def test_a_witness_keeps_the_evidence(tmp_path: Path) -> None:
    """A torn tail that somebody has seen whole is not cut: an operator may need the bytes."""
    content = sound_bytes(tmp_path, [2, 3], sealed=False)
    damaged, mark = Damaged(tmp_path), last_mark(tmp_path, content)
    used = len(content.rstrip(b"\0"))
    torn = content[: used - 50] + bytes(len(content) - used + 50)
    assert damaged.commands(content, [mark]) == 5
    assert damaged.commands(torn, [mark]) is REFUSED
    assert (damaged.folder / NAME).read_bytes() == torn


def test_later_sectors_of_the_torn_batch_do_not_matter(tmp_path: Path) -> None:
    counts = [2, 40]
    content = sound_bytes(tmp_path, counts, sealed=False)
    damaged = Damaged(tmp_path)
    start = HEADER_BYTES + batch_bytes(2)
    for at in range(start, len(content) - 512, 64):
        lost = content[:at] + bytes(512) + content[at + 512 :]
        assert damaged.commands(lost) == 2, f"a lost sector at byte {at}"


@pytest.mark.parametrize("part", range(PARTS))
def test_every_bit_flip_of_64_sealed_commands_is_refused(tmp_path: Path, part: int) -> None:
    assert sum(FLIPPED) == 64
    content = sound_bytes(tmp_path, FLIPPED, sealed=True, spare=16)
    damaged = Damaged(tmp_path)
    damaged.put(content)
    seal = len(content) - 16 - batch_bytes(0)
    for at in range(len(content) * part // PARTS, len(content) * (part + 1) // PARTS):
        for bit in range(8):
            damaged.set_byte(at, content[at] ^ 1 << bit)
            verdict = damaged.commands()
            if at < seal:
                assert verdict is REFUSED, f"bit {bit} of byte {at} was believed"
            else:  # the seal itself or the room after it: nothing that was acknowledged
                assert verdict == 64, f"bit {bit} of byte {at} cost a command"
                damaged.put(content)
        damaged.set_byte(at, content[at])


def test_bit_flips_in_the_last_batch_cost_at_most_that_batch(tmp_path: Path) -> None:
    content = sound_bytes(tmp_path, [2, 3], sealed=False, spare=0)
    damaged, mark = Damaged(tmp_path), last_mark(tmp_path, content)
    start = HEADER_BYTES + batch_bytes(2)
    for at in range(start, start + batch_bytes(3)):
        for bit in range(8):
            flipped = bytearray(content)
            flipped[at] ^= 1 << bit
            assert damaged.commands(bytes(flipped)) == 2
            assert damaged.commands(bytes(flipped), [mark]) is REFUSED


def test_every_deletion_doubling_and_swap_of_batches_is_refused(tmp_path: Path) -> None:
    counts = [1, 1, 2, 1, 1, 3, 2, 1, 4, 1, 1, 2]
    content = sound_bytes(tmp_path, counts, sealed=True, spare=1024)
    damaged = Damaged(tmp_path)
    head, batches = pieces(content, counts)
    changed: dict[str, list[bytes]] = {}
    for one in range(len(counts)):
        changed[f"{one} deleted"] = batches[:one] + batches[one + 1 :]
        for other in range(len(batches)):
            again = [*batches[:other], batches[one], *batches[other:]]
            if again != batches:
                changed[f"{one} once more before {other}"] = again
            if one < other < len(counts):
                order = list(batches)
                order[one], order[other] = order[other], order[one]
                changed[f"{one} and {other} swapped"] = order
    assert len(changed) > 200
    for what, order in changed.items():
        damage = (head + b"".join(order)).ljust(len(content), b"\0")[: len(content)]
        assert damaged.commands(damage) is REFUSED, f"batch {what}"


def test_every_old_copy_is_refused_by_a_witness(tmp_path: Path) -> None:
    """An old copy is sound in itself: only somebody who has seen more can tell (F17)."""
    counts = [3, 1, 7, 2, 5]
    content = sound_bytes(tmp_path, counts, sealed=False)
    damaged, mark = Damaged(tmp_path), last_mark(tmp_path, content)
    head, batches = pieces(content, counts)
    for kept in range(len(counts)):
        old = (head + b"".join(batches[:kept])).ljust(len(content), b"\0")
        assert damaged.commands(old) == sum(counts[:kept])
        assert damaged.commands(old, [mark]) is REFUSED
    assert damaged.commands(content, [mark]) == sum(counts)


# journals of several segments


def segments_of(folder: Path, amount: int = 0) -> list[Path]:
    """Nine commands in as many segments as there may be."""
    journal = Journal(folder, disk=UnsyncedDisk(), segment_bytes=512)
    list(journal.replay())
    for seq in range(1, 10):
        records = batch_from(seq, 1)
        records["amount"] = amount
        journal.append(records.tobytes(), seq)
    journal.close()
    return sorted(folder.glob("*.seg"))


def refusal(folder: Path) -> str:
    journal = Journal(folder, disk=UnsyncedDisk())
    try:
        with pytest.raises(JournalDamageError) as refused:
            list(journal.replay())
    finally:
        journal.close()
    return str(refused.value)


def test_every_missing_segment_is_named(tmp_path: Path) -> None:
    count = len(segments_of(tmp_path / "sound"))
    assert count >= 4
    for number in range(count - 1):
        folder = tmp_path / f"without-{number}"
        shutil.copytree(tmp_path / "sound", folder)
        path = sorted(folder.glob("*.seg"))[number]
        path.unlink()
        assert path.name in refusal(folder)


def test_the_last_segment_is_missed_by_a_witness(tmp_path: Path) -> None:
    paths = segments_of(tmp_path)
    journal = Journal(tmp_path, disk=UnsyncedDisk())
    list(journal.replay())
    mark = journal.mark(9)
    journal.close()
    paths[-1].unlink()
    journal = Journal(tmp_path, disk=UnsyncedDisk())
    assert mark is not None
    with pytest.raises(JournalDamageError, match="are lost"):
        list(journal.replay(witnesses=[mark]))
    journal.close()


def test_segments_that_changed_places_or_stand_twice_are_refused(tmp_path: Path) -> None:
    count = len(segments_of(tmp_path / "sound"))
    for one in range(count):
        for other in range(count):
            folder = tmp_path / f"{one}-{other}"
            shutil.copytree(tmp_path / "sound", folder)
            paths = sorted(folder.glob("*.seg"))
            if one < other:
                contents = [paths[each].read_bytes() for each in (one, other)]
                paths[other].write_bytes(contents[0])
                paths[one].write_bytes(contents[1])
            elif one > other:  # an old one stands in a later one's place
                paths[one].write_bytes(paths[other].read_bytes())
            else:
                continue
            assert "byte 0" in refusal(folder)


def test_every_segment_from_another_journal_is_refused(tmp_path: Path) -> None:
    foreign = segments_of(tmp_path / "other", amount=7)
    own = segments_of(tmp_path / "one")
    for number, path in enumerate(own[1:], start=1):
        content = path.read_bytes()
        path.write_bytes(foreign[number].read_bytes())
        assert "does not continue" in refusal(tmp_path / "one")
        path.write_bytes(content)
