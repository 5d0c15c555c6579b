"""How the journal looks on disk: segments, batches, and what is believable.

    segment = header (128 bytes) | batches | zeros up to ``capacity``
    header  = magic | format | number | capacity | first seq | chain so far | layout hash | SHA-256
    batch   = magic | length | first seq | count | flags | hash of batch before | records | SHA-256

Records are the fixed-size COMMAND rows as they are. A batch's SHA-256 covers everything before it
in the batch, the previous hash included: a batch that is deleted, doubled or swapped breaks the
chain. Segments are preallocated and never recycled, so bytes after the last batch are zeros.
"""

from __future__ import annotations

import hashlib
import struct
from typing import NamedTuple

import numpy as np

from engine.records import COMMAND

FORMAT = 1
SEGMENT_BYTES = 16 << 20
SEGMENT_MAGIC = b"TANSHIJ\xb1"
BATCH_MAGIC = b"\xc3TB\x01"  # the first byte can stand in no client order id
GENESIS = bytes(32)
LAYOUT = hashlib.sha256(repr(COMMAND.descr).encode()).digest()

_HEADER = struct.Struct("<8sIIQQ32s32s")
_BATCH = struct.Struct("<4sIQII32s")
HASH_BYTES = 32
HEADER_BYTES = _HEADER.size + HASH_BYTES
BATCH_HEAD_BYTES = _BATCH.size
BATCH_OVERHEAD_BYTES = BATCH_HEAD_BYTES + HASH_BYTES
RECORD_BYTES = COMMAND.itemsize


class Header(NamedTuple):
    """What the head of a segment says."""

    number: int
    capacity_bytes: int
    first_seq: int
    chain: bytes


class Batch(NamedTuple):
    """A believable batch: where it ends, what it holds (``size`` commands), and its hash."""

    end: int
    first_seq: int
    size: int
    previous: bytes
    records: memoryview
    digest: bytes


class IncompatibleError(Exception):
    """The segment is sound, but written by a build with another format or record layout."""


def pack_header(header: Header) -> bytes:
    """Return the 128 bytes at the head of a segment."""
    body = _HEADER.pack(
        SEGMENT_MAGIC,
        FORMAT,
        header.number,
        header.capacity_bytes,
        header.first_seq,
        header.chain,
        LAYOUT,
    )
    return body + hashlib.sha256(body).digest()


def read_header(data: memoryview) -> Header | None:
    """Return the header at the start of ``data``, None where there is no sound one.

    Raises:
        IncompatibleError: a sound header of another journal format or another COMMAND layout.
    """
    if len(data) < HEADER_BYTES:
        return None
    body = bytes(data[: _HEADER.size])
    if hashlib.sha256(body).digest() != data[_HEADER.size : HEADER_BYTES]:
        return None
    magic, version, number, capacity, first_seq, chain, layout = _HEADER.unpack(body)
    if magic != SEGMENT_MAGIC:
        return None
    if version != FORMAT or layout != LAYOUT:
        raise IncompatibleError(
            f"journal format {version}, record layout {layout.hex()[:12]}; this build reads "
            f"format {FORMAT}, layout {LAYOUT.hex()[:12]}"
        )
    return Header(number, capacity, first_seq, chain)


def pack_batch(first_seq: int, previous: bytes, records: bytes | memoryview) -> bytes:
    """Return one whole batch; ``records`` is a whole number of COMMAND rows (none: a seal)."""
    count, rest = divmod(len(records), RECORD_BYTES)
    assert rest == 0, "a batch holds whole records"
    length = BATCH_OVERHEAD_BYTES + len(records)
    head = _BATCH.pack(BATCH_MAGIC, length, first_seq, count, 0, previous)
    digest = hashlib.sha256(head)
    digest.update(records)
    return b"".join((head, records, digest.digest()))


def read_batch(data: memoryview, start: int) -> Batch | None:
    """Return the batch at ``start`` if its shape and hash are right, else None."""
    if start + BATCH_OVERHEAD_BYTES > len(data):
        return None
    magic, length, first_seq, count, flags, previous = _BATCH.unpack_from(data, start)
    if magic != BATCH_MAGIC or flags != 0:
        return None
    if length != BATCH_OVERHEAD_BYTES + count * RECORD_BYTES or start + length > len(data):
        return None
    end = start + length
    digest = hashlib.sha256(data[start : end - HASH_BYTES]).digest()
    if digest != data[end - HASH_BYTES : end]:
        return None
    records = data[start + BATCH_HEAD_BYTES : end - HASH_BYTES]
    return Batch(end, first_seq, count, previous, records, digest)


def rows(batch: Batch) -> np.ndarray:
    """Return the batch's commands: shape (count,), dtype COMMAND, read-only, not copied."""
    return np.frombuffer(batch.records, COMMAND)


def believable_after(data: memoryview, start: int) -> int | None:
    """Return where a batch with a right hash begins at or after ``start``, else None."""
    raw = bytes(data[start:])
    at = raw.find(BATCH_MAGIC)
    while at >= 0:
        if read_batch(data, start + at) is not None:
            return start + at
        at = raw.find(BATCH_MAGIC, at + 1)
    return None


def last_byte_used(data: memoryview, start: int) -> int:
    """Return the position after the last byte that is not zero, ``start`` where all are."""
    rest = np.frombuffer(data[start:], np.uint8)
    return start + int(np.flatnonzero(rest)[-1]) + 1 if rest.any() else start
