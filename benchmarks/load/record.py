"""What a load run found, as it is saved, shown and compared: one JSON file, version 1.

Times are microseconds in the record. ``latency_us`` counts from the moment an order was due,
whether or not it could be sent then; ``service_us`` from the moment the system took it. Both stand
whole in ``histograms`` (HdrHistogram V2, base64; 1 µs to 1 h, 3 digits).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hdrh.histogram import HdrHistogram

from benchmarks.load.plan import LoadError, Plan

VERSION = 1
LEAST_US, MOST_US, DIGITS = 1, 3_600_000_000, 3


class Orders(msgspec.Struct, kw_only=True):
    """Counts of the measured time. ``ends``: in which state each order was at the end."""

    intended: int = 0
    sent: int = 0
    answered: int = 0
    accepted: int = 0
    refused: int = 0
    unanswered: int = 0
    by_kind: dict[str, int] = {}
    ends: dict[str, int] = {}


class Latency(msgspec.Struct):
    """Percentiles in microseconds; all 0 where nothing was measured."""

    p50: float = 0.0
    p90: float = 0.0
    p99: float = 0.0
    p999: float = 0.0
    p9999: float = 0.0
    max: float = 0.0
    mean: float = 0.0


class Second(msgspec.Struct):
    """One second: what was due, sent, answered and refused in it, and the latency of its answers.

    ``t``: seconds since the run began, warm-up included. ``backlog``: due and unanswered at its
    end.
    """

    t: float
    intended: int
    sent: int
    answered: int
    refused: int
    backlog: int
    p50_us: float
    p99_us: float
    max_us: float
    warmup: bool = False


class Checks(msgspec.Struct):
    """What was held against what; ``findings`` are sentences, none if all is well."""

    passed: bool = True
    orders_checked: int = 0
    accounts_checked: int = 0
    findings: list[str] = []
    trades_checked: int = 0
    trades_with_others: int = 0


class Client(msgspec.Struct):
    """How this load tester did: share of its core, how late it sent, whether it was the limit."""

    busy: float = 0.0
    lateness_p99_us: float = 0.0
    is_the_limit: bool = False
    core: int | None = None


class Step(msgspec.Struct):
    """One rate that the search for the knee tried."""

    orders_per_second: float
    answered_per_second: float
    p99_us: float
    passed: bool
    why: str = ""


class Knee(msgspec.Struct):
    """The highest rate whose p99 stays within ``bound_us``, and every rate that was tried."""

    bound_us: float
    orders_per_second: float
    steps: list[Step]


class Record(msgspec.Struct, kw_only=True):
    """A run, or a search for the knee (then the figures are of its best step)."""

    load: int = VERSION
    url: str
    finished: bool
    ended_by: str
    plan: Plan
    machine: dict[str, Any]
    began_us: int
    warmup_s: float
    orders: Orders
    orders_per_second: float
    latency_us: Latency
    service_us: Latency
    histograms: dict[str, str]
    seconds: list[Second]
    refusals: dict[str, int]
    checks: Checks
    client: Client
    knee: Knee | None = None
    advice: list[str] = []
    warmup_orders: int = 0
    warmup_latency_us: Latency = msgspec.field(default_factory=Latency)


class Progress(msgspec.Struct):
    """What is shown while a run goes on; ``totals`` count from its beginning, warm-up included.

    ``latency_us``, ``refusals`` and ``ends`` are those of the run so far, as far as they are known.
    """

    elapsed_s: float
    target_per_second: float
    row: Second
    totals: dict[str, int]
    latency_us: Latency = msgspec.field(default_factory=Latency)
    refusals: dict[str, int] = {}
    ends: dict[str, int] = {}


def histogram(values_ns: Iterable[int] | np.ndarray) -> HdrHistogram:
    """Return the histogram, in microseconds, of times in nanoseconds."""
    found = HdrHistogram(LEAST_US, MOST_US, DIGITS)
    values = np.asarray(values_ns, dtype=np.int64)
    rounded = np.clip((values + 500) // 1000, LEAST_US, MOST_US)
    for value, count in zip(*np.unique(rounded, return_counts=True), strict=True):
        found.record_value(int(value), int(count))
    return found


def latency(found: HdrHistogram) -> Latency:
    """Return the percentiles of a histogram."""
    if not found.get_total_count():
        return Latency()
    at = found.get_value_at_percentile
    return Latency(
        p50=float(at(50.0)),
        p90=float(at(90.0)),
        p99=float(at(99.0)),
        p999=float(at(99.9)),
        p9999=float(at(99.99)),
        max=float(found.get_max_value()),
        mean=float(found.get_mean_value()),
    )


def encoded(found: HdrHistogram) -> str:
    """Return the histogram as the record keeps it."""
    text: bytes = found.encode()
    return text.decode()


def decoded(text: str) -> HdrHistogram:
    """Return the histogram that ``encoded`` wrote."""
    return HdrHistogram.decode(text.encode())


def write(record: Record, file: Path) -> None:
    """Save a record as JSON."""
    data = msgspec.json.format(msgspec.json.encode(record), indent=1)
    beside = file.with_name(f"{file.name}.new")
    beside.write_bytes(data + b"\n")
    beside.replace(file)


class _Versioned(msgspec.Struct):
    """What every version of a record has."""

    load: int


def read(file: Path) -> Record:
    """Return a saved record.

    Raises:
        LoadError: ``no_record``, ``bad_record``: there is none, or it is none of this version.
    """
    try:
        data = file.read_bytes()
        version = msgspec.json.decode(data, type=_Versioned).load
        if version != VERSION:  # its other fields may be others
            sentence = f"{file.name} is a record of version {version}; this reads {VERSION}."
            raise LoadError("bad_record", sentence)
        return msgspec.json.decode(data, type=Record)
    except OSError as error:
        raise LoadError("no_record", f"{file.name} cannot be read: {error.strerror}.") from error
    except msgspec.MsgspecError as error:
        raise LoadError(
            "bad_record", f"{file.name} is no record of a load run: {error}."
        ) from error
