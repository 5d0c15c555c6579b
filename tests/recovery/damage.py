"""One folder in which ever new bytes stand for a journal, and what the journal makes of them."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from gateway.journal import Journal, JournalDamageError, Mark
from gateway.segments import BATCH_OVERHEAD_BYTES, HEADER_BYTES, RECORD_BYTES
from tests.recovery.fake_disk import UnsyncedDisk
from tests.recovery.journal_batches import batch_from

NAME = "journal-00000001.seg"
REFUSED = None


def batch_bytes(count: int) -> int:
    """Size of a batch of so many commands; 0 is a seal."""
    return BATCH_OVERHEAD_BYTES + count * RECORD_BYTES


def sound_bytes(folder: Path, counts: list[int], *, sealed: bool, spare: int = 64) -> bytes:
    """Return a journal of one segment with batches of these sizes."""
    used = HEADER_BYTES + sum(batch_bytes(count) for count in [*counts, 0])
    journal = Journal(folder / "sound", disk=UnsyncedDisk(), segment_bytes=used + spare)
    list(journal.replay())
    for count in counts:
        first_seq = journal.last_seq + 1
        journal.append(batch_from(first_seq, count).tobytes(), first_seq)
    journal.sealed = not sealed  # not sealed: as after a kill
    journal.close()
    content = (folder / "sound" / NAME).read_bytes()
    (folder / "sound" / NAME).unlink()
    return content


def last_mark(folder: Path, content: bytes) -> Mark:
    """Return the witness of somebody who has seen all of a sound journal."""
    damaged = Damaged(folder, "witness")
    damaged.put(content)
    journal = Journal(damaged.folder, disk=UnsyncedDisk())
    list(journal.replay())
    mark = Mark(journal.last_seq, journal.chain)
    journal.sealed = True
    journal.close()
    return mark


class Damaged:
    """Put bytes in, ask what is believed."""

    def __init__(self, folder: Path, name: str = "damaged") -> None:
        self.folder = folder / name
        self.folder.mkdir()
        self._path = self.folder / NAME
        self._expected = batch_from(1, 512).tobytes()

    def put(self, content: bytes) -> None:
        """Let these be the bytes of the segment."""
        with self._path.open("r+b" if self._path.exists() else "xb", buffering=0) as file:
            file.write(content)
            file.truncate()

    def cut(self, length: int) -> None:
        """Let the file end here."""
        os.truncate(self._path, length)

    def set_byte(self, at: int, value: int) -> None:
        """Change one byte."""
        with self._path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), bytes([value]), at)

    def commands(self, content: bytes | None = None, witnesses: Iterable[Mark] = ()) -> int | None:
        """Return how many commands are believed; None: refused, and file and byte are named.

        -1: refused, but they are not. AssertionError: something is believed that nobody wrote.
        """
        if content is not None:
            self.put(content)
        journal = Journal(self.folder, disk=UnsyncedDisk())
        try:
            believed = list(journal.replay(witnesses=witnesses))
        except JournalDamageError as refusal:
            text = str(refusal)
            return REFUSED if (NAME in text and "byte" in text) or "has seen" in text else -1
        finally:
            journal.sealed = True  # asked, not lived: nothing is written behind it
            journal.close()
        whole = b"".join(batch.tobytes() for batch in believed)
        assert self._expected.startswith(whole), "believed what nobody wrote"
        return len(whole) // RECORD_BYTES


def pieces(content: bytes, counts: list[int]) -> tuple[bytes, list[bytes]]:
    """Return the head of the segment and its batches, the seal included."""
    edges = HEADER_BYTES + np.cumsum([0, *(batch_bytes(count) for count in [*counts, 0])])
    batches = [content[a:b] for a, b in itertools.pairwise(edges)]
    return content[:HEADER_BYTES], batches
