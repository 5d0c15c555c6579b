"""Quarantine: a command that no exchange can apply is turned into a refusal, visible for ever.

The journal is never rewritten. An operator adds a line to ``quarantine.jsonl`` beside the segments:
which command, the hash of its bytes, who, why and when, all signed with the operator's key and
chained to the line before. Whoever replays reads these lines first and gives the exchange a command
of no kind in its place: it is refused (unknown_kind) like any other.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from gateway.journal.disk import Disk
from gateway.journal.journal import JournalDamageError

NAME = "quarantine.jsonl"
NO_KIND = 127  # a kind that no rulebook will ever have


class PoisonError(Exception):
    """A command in the journal stops the exchange: every start would end there."""


@dataclass(frozen=True)
class Record:
    """One line. ``previous`` is the hash of the line before, 64 zeros of the first."""

    seq: int
    command_sha256: str
    key_id: str
    why: str
    time_us: int
    previous: str
    signature: str = ""

    def text(self) -> str:
        """Return what is signed."""
        said = asdict(self)
        del said["signature"]
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def signature(secret: str, record: Record) -> str:
    """Return hex HMAC-SHA256 of the record with the operator's secret."""
    return hmac.new(secret.encode(), record.text().encode(), hashlib.sha256).hexdigest()


def command_sha256(command: np.ndarray) -> str:
    """Return the hash of one COMMAND row's bytes."""
    return hashlib.sha256(command.tobytes()).hexdigest()


class Quarantine:
    """The quarantined commands of a journal in ``folder``.

    Raises:
        JournalDamageError: a line is not as it was written.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._records: dict[int, Record] = {}
        self._last = "0" * 64
        for number, line in enumerate(self._lines(), start=1):
            self._take(number, line)

    @property
    def records(self) -> list[Record]:
        """Every line, in order."""
        return list(self._records.values())

    @property
    def last(self) -> str:
        """The hash of the last line: what the next one names as ``previous``."""
        return self._last

    def add(self, record: Record, disk: Disk | None = None) -> None:
        """Append a signed line and return once it is on the disk."""
        assert record.signature, "a record is signed"
        assert record.previous == self._last, "records are chained"
        line = (json.dumps(asdict(record), ensure_ascii=False) + "\n").encode()
        whole = b"".join(each + b"\n" for each in self._lines())
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        disk = disk or Disk()
        try:
            disk.write_all(descriptor, line, len(whole))
            os.ftruncate(descriptor, len(whole) + len(line))
            disk.sync(descriptor)
        finally:
            os.close(descriptor)
        disk.sync_folder(self._path.parent)
        self._take(len(self._records) + 1, line[:-1])

    def screened(self, batches: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Yield the batches with every quarantined command turned into one of no kind.

        Raises:
            JournalDamageError: a record names a command that the journal does not hold.
        """
        for batch in batches:
            yield self._screened(batch) if self._records and len(batch) else batch

    def _screened(self, batch: np.ndarray) -> np.ndarray:
        first, end = int(batch["seq"][0]), int(batch["seq"][-1]) + 1
        named = [record for seq, record in self._records.items() if first <= seq < end]
        if not named:
            return batch
        changed = batch.copy()
        for record in named:
            row = record.seq - first
            if command_sha256(batch[row]) != record.command_sha256:
                raise JournalDamageError(
                    f"{self._path}: command {record.seq} is not the one that was quarantined"
                )
            changed["kind"][row] = NO_KIND
        return changed

    def _lines(self) -> list[bytes]:
        """Return the whole lines; a torn last one was never confirmed to anybody."""
        if not self._path.exists():
            return []
        return self._path.read_bytes().split(b"\n")[:-1]

    def _take(self, number: int, line: bytes) -> None:
        try:
            record = Record(**json.loads(line))
        except (ValueError, TypeError) as error:
            raise JournalDamageError(f"{self._path}, line {number}: {error}") from error
        if record.previous != self._last:
            raise JournalDamageError(f"{self._path}, line {number}: it does not continue the last")
        self._records[record.seq] = record
        self._last = hashlib.sha256(line).hexdigest()
