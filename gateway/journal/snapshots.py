"""Snapshots: the exchange's state between two days, so that a start replays one day and not all.

    snapshots/snapshot-<seq>.snap = magic | format | head length | head (JSON) | arrays | memory
                                    | SHA-256 of everything before

A snapshot is a shortcut and a witness, never the record: the journal is. It is written beside,
synced, renamed, its folder synced, then read back and its digest reckoned anew; only then are older
segments archived. One whose bytes are not as they were written is passed over. One of another build
is not started from, but still knows how far the journal had got.
"""

from __future__ import annotations

import functools
import hashlib
import json
import logging
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from engine.state import State
from gateway.journal.disk import Disk, Point
from gateway.journal.journal import Mark

logger = logging.getLogger(__name__)

FORMAT = 1
MAGIC = b"TANSHIS\xb1"
KEPT = 2  # the newest may turn out damaged
PREFIX, SUFFIX, UNBORN = "snapshot-", ".snap", "unborn"
CLOSED = "closed.json"
HASH_BYTES = 32
ROOMS = ("engine", "marketdata", "gateway")

_START = struct.Struct("<8sII")


class SnapshotDamageError(Exception):
    """The snapshot is not as it was written, or does not say what its digest says."""


@dataclass(frozen=True)
class Head:
    """What a snapshot says of itself."""

    mark: Mark
    digest: str
    build: str
    date: int

    @property
    def usable(self) -> bool:
        """Whether this build wrote it: it may start from it."""
        return self.build == build()


@dataclass(frozen=True)
class Snapshot:
    """A state after ``mark``; ``memory``: see ``gateway.journal.memory``; ``executed``: names in
    the journal of proposals that were approved."""

    mark: Mark
    state: State
    memory: bytes = b""
    executed: frozenset[bytes] = frozenset()


@functools.cache
def build() -> str:
    """Return a hash of the sources that a snapshot's content depends on."""
    seen = hashlib.sha256()
    for room in ROOMS:
        for source in sorted((Path(__file__).parents[2] / room).glob("*.py")):
            seen.update(f"{room}/{source.name}\n".encode())
            seen.update(source.read_bytes())
    return seen.hexdigest()


def pack(snapshot: Snapshot) -> Iterator[bytes]:
    """Yield the parts of a snapshot's file."""
    used = snapshot.state.used()
    market = snapshot.state.market[0]
    head = {
        "seq": snapshot.mark.seq,
        "chain": snapshot.mark.chain.hex(),
        "digest": snapshot.state.digest(),
        "build": build(),
        "date": int(market["date"]),
        "width": snapshot.state.width,
        "arrays": [
            [name, rows.dtype.descr, list(rows.shape), list(getattr(snapshot.state, name).shape)]
            for name, rows in used.items()
        ],
        "memory_bytes": len(snapshot.memory),
        "executed": sorted(name.decode() for name in snapshot.executed),
    }
    text = json.dumps(head).encode()
    seen = hashlib.sha256()
    parts = [_START.pack(MAGIC, FORMAT, len(text)), text]
    parts += [np.ascontiguousarray(rows).tobytes() for rows in used.values()]
    for part in (*parts, snapshot.memory):
        seen.update(part)
        yield part
    yield seen.digest()


def read_head(data: bytes) -> tuple[Head, dict[str, Any], int]:
    """Return what a snapshot says of itself, all of it, and where its arrays begin.

    Raises:
        SnapshotDamageError: these are not the bytes of a snapshot.
    """
    if hashlib.sha256(data[:-HASH_BYTES]).digest() != data[-HASH_BYTES:]:
        raise SnapshotDamageError("its hash is wrong")
    magic, version, length = _START.unpack_from(data)
    if magic != MAGIC or version != FORMAT:
        raise SnapshotDamageError(f"not a snapshot of format {FORMAT}")
    said = json.loads(data[_START.size : _START.size + length])
    mark = Mark(said["seq"], bytes.fromhex(said["chain"]))
    head = Head(mark, said["digest"], said["build"], said["date"])
    return head, said, _START.size + length


def unpack(data: bytes) -> Snapshot:
    """Return the snapshot that was packed into ``data``; its digest is reckoned anew.

    Raises:
        SnapshotDamageError: damaged, or of another build.
    """
    head, said, at = read_head(data)
    if not head.usable:
        raise SnapshotDamageError("another build wrote it")
    rooms = {name: capacity for name, _, _, capacity in said["arrays"]}
    state = State(*rooms["holdings"])
    state.ensure_width(said["width"])
    for name, descr, shape, capacity in said["arrays"]:
        dtype = _dtype(descr)
        rows = np.frombuffer(data, dtype, count=int(np.prod(shape)), offset=at).reshape(shape)
        at += rows.nbytes
        room = getattr(state, name)
        if list(room.shape) != capacity:
            room = np.zeros(capacity, dtype)
            setattr(state, name, room)
        room[tuple(slice(size) for size in shape)] = rows
    if state.digest() != head.digest:
        raise SnapshotDamageError("the state does not have the digest it should have")
    memory = data[at : at + said["memory_bytes"]]
    return Snapshot(head.mark, state, memory, frozenset(n.encode() for n in said["executed"]))


def _dtype(descr: list[list[Any]]) -> np.dtype[Any]:
    """Return the dtype of a description that went through JSON."""
    plain = len(descr) == 1 and descr[0][0] == ""
    found: np.dtype[Any] = np.dtype(descr[0][1] if plain else [tuple(each) for each in descr])
    return found


class Snapshots:
    """The snapshots of one venue, in ``folder``."""

    def __init__(self, folder: Path, disk: Disk | None = None) -> None:
        self.folder = folder
        self._disk = disk or Disk()

    def paths(self) -> list[Path]:
        """Return the files, newest first."""
        return sorted(self.folder.glob(f"{PREFIX}*{SUFFIX}"), reverse=True)

    def keep(self, snapshot: Snapshot) -> Path:
        """Write it, read it back, and only then let go of the oldest one.

        Raises:
            SnapshotDamageError: what was read back is not what was written.
            OSError: the disk is full, or worse; no other snapshot was touched.
        """
        self.folder.mkdir(exist_ok=True, mode=0o700)
        final = self.folder / f"{PREFIX}{snapshot.mark.seq:012d}{SUFFIX}"
        self._write(final, b"".join(pack(snapshot)))
        unpack(final.read_bytes())
        for old in self.paths()[KEPT:]:
            old.unlink()
        return final

    def oldest_seq(self) -> int:
        """Return the command after which the oldest kept snapshot was taken."""
        return int(self.paths()[-1].name[len(PREFIX) : -len(SUFFIX)])

    def load(self) -> tuple[Snapshot | None, list[Mark]]:
        """Return the newest snapshot to start from, if any, and all that is known of the chain."""
        (self.folder / UNBORN).unlink(missing_ok=True)  # a crash cut it short
        marks: list[Mark] = []
        found: Snapshot | None = None
        for path in self.paths():
            data = path.read_bytes()
            try:
                marks.append(read_head(data)[0].mark)
                found = found or unpack(data)
            except SnapshotDamageError as problem:
                logger.warning("%s is passed over: %s", path, problem)
        return found, [*marks, *self._closed()]

    def note_closed(self, mark: Mark) -> None:
        """Write down where a clean stop left the journal: a later start must find it there."""
        self.folder.mkdir(exist_ok=True, mode=0o700)
        text = json.dumps({"seq": mark.seq, "chain": mark.chain.hex()})
        self._write(self.folder / CLOSED, text.encode() + b"\n")

    def _closed(self) -> list[Mark]:
        path = self.folder / CLOSED
        if not path.exists():
            return []
        try:
            said = json.loads(path.read_bytes())
            return [Mark(int(said["seq"]), bytes.fromhex(said["chain"]))]
        except (ValueError, KeyError, TypeError) as problem:
            logger.warning("%s is passed over: %s", path, problem)
            return []

    def _write(self, final: Path, data: bytes) -> None:
        """Write beside, sync, rename, sync the folder."""
        unborn = self.folder / UNBORN
        unborn.unlink(missing_ok=True)
        descriptor = self._disk.create(unborn, len(data))
        try:
            half = len(data) // 2
            self._disk.write_all(descriptor, data[:half], 0)
            self._disk.passed(Point.SNAPSHOT_HALF)
            self._disk.write_all(descriptor, data[half:], half)
            self._disk.publish(descriptor, unborn, final)
        finally:
            os.close(descriptor)
