"""What ``tanshi load`` does: runs a plan or shows a record again, keeps it, says what it is worth.

A value that cannot be used is refused before anything begins; once something was measured, record
and page are written whatever ended the run.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console

from benchmarks.load import asked as words
from benchmarks.load import compare as comparing
from benchmarks.load import drive, knee, own, verdict
from benchmarks.load.cli import CLIENTS, OWN_CLIENTS, OWN_RATE, RATE
from benchmarks.load.keys import Credentials, read_keys
from benchmarks.load.plan import MIX, LoadError, Plan
from benchmarks.load.record import Record, read, write
from benchmarks.load.report import report
from benchmarks.load.watch import Watch, fits, head_of

DONE, LOST, BAD_INPUT, WRONG, STOPPED, INTERRUPTED = 0, 1, 2, 3, 4, 130
ASKED_WRONG = {  # the rest is what the venue answers, or does not
    *("bad_plan", "bad_url", "bad_recording", "no_record", "bad_record"),
    *("no_keys", "bad_keys", "too_few_keys", "one_account"),
}


@dataclass(frozen=True)
class Asked:
    """The options of the command, as they were given (benchmarks/load/cli.py)."""

    where: str | None
    own: bool
    keys: Path | None
    instrument: str
    market: str
    ca: Path | None
    insecure: bool
    rate: float | None
    seconds: float
    warm_up: float
    clients: int | None
    arrival: str
    ramp_to: float | None
    burst: int | None
    day: Path | None
    mix: str | None
    tonnes: str
    reach: float
    encoding: str
    seed: int
    stop: list[str] | None
    answer_within: float
    keep: bool
    find_knee: bool
    bound: str
    json_file: Path | None
    report: Path | None
    compare: Path | None
    quiet: bool


class LoadUsageError(Exception):
    """Options that do not go together; the sentence says what was expected."""


def run(asked: Asked) -> int:
    """Do what was asked; return the exit code. Results go to stdout, the rest to stderr."""
    results, progress = Console(), Console(stderr=True)
    try:
        old = read(asked.compare) if asked.compare else None
        for file in (asked.json_file, asked.report):
            _writable(file)
        with _terminated_as_interrupted():
            record = _record(asked, progress)
    except LoadError as error:
        _complain(error.sentence)
        return BAD_INPUT if error.code in ASKED_WRONG else LOST
    except (ValueError, LoadUsageError) as error:
        _complain(str(error))
        return BAD_INPUT
    except KeyboardInterrupt:
        _complain("Interrupted before anything was measured.")
        return INTERRUPTED
    return _told(asked, record, old, results)


@contextlib.contextmanager
def _terminated_as_interrupted() -> Iterator[None]:
    """Let SIGTERM (a time limit, a service manager) end a run as Ctrl-C does, its record kept."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _complain(sentence: str) -> None:
    Console(stderr=True).print(sentence, style="red", markup=False, soft_wrap=True)


def _writable(file: Path | None) -> None:
    """Refuse before a run what could not be written after it."""
    if file is None:
        return
    folder = file.absolute().parent
    while not folder.exists():
        folder = folder.parent
    if file.is_dir() or not folder.is_dir() or not os.access(folder, os.W_OK):
        raise LoadUsageError(f"{file.name} cannot be written there")


def _record(asked: Asked, progress: Console) -> Record:
    """Measure, or read an earlier record."""
    if asked.where and not asked.own and Path(asked.where).is_file():
        return _earlier(asked, Path(asked.where))
    bound_us = words.duration_us(asked.bound)
    plan = plan_of(asked)
    with _venue(asked) as (url, keys):
        plan = replace(plan, url=url)
        live = fits(progress) and not asked.quiet
        what = f"the highest rate with p99 ≤ {asked.bound}" if asked.find_knee else ""
        with Watch(head_of(plan, what), progress, live) as watch:
            if asked.find_knee:
                return knee.find(plan, keys, bound_us, watch, watch.step)
            return drive.run(plan, keys, watch)


def _earlier(asked: Asked, file: Path) -> Record:
    if asked.find_knee or asked.keys:
        raise LoadUsageError(f"{file.name} is an earlier record: nothing is run, no keys are used")
    return read(file)


def plan_of(asked: Asked) -> Plan:
    """The plan of the options, its address still as given.

    Raises:
        ValueError, LoadUsageError: an option cannot be used, or not with another.
        LoadError: ``bad_plan``.
    """
    _together(asked)
    rate = asked.rate
    if rate is None:
        rate = 0.0 if asked.arrival == "recorded" else OWN_RATE if asked.own else RATE
    least, most = words.tonnes_of(asked.tonnes)
    return Plan(
        url="" if asked.own else words.address_of(asked.where or ""),
        arrival=str(asked.arrival),
        orders_per_second=rate if asked.ramp_to is None else asked.ramp_to,
        ramp_from=0.0 if asked.ramp_to is None else rate,
        seconds=asked.seconds,
        warmup_s=asked.warm_up,
        clients=asked.clients or (OWN_CLIENTS if asked.own else CLIENTS),
        encoding=str(asked.encoding),
        mix=dict(MIX) if asked.mix is None else words.mix_of(asked.mix),
        seed=asked.seed,
        burst_size=asked.burst or 100,
        recorded=str(asked.day or ""),
        instrument=asked.instrument,
        market=asked.market,
        qty_min=least,
        qty_max=most,
        reach=asked.reach,
        stop=words.stop_of(asked.stop or ()),
        answer_within_s=asked.answer_within,
        keep=asked.keep,
        ca_file=str(asked.ca or ""),
        insecure=asked.insecure,
    ).checked()


def _together(asked: Asked) -> None:
    """Refuse options that contradict each other or lack one."""
    arrival = asked.arrival
    for wrong, sentence in (
        (asked.own and asked.where, "either an address or --own"),
        (asked.own and asked.keys, "--own has keys of its own: leave out --keys"),
        (
            not asked.own and not asked.where,
            "an address was expected, as in ws://127.0.0.1:8000, or --own for a venue of its own",
        ),
        (not asked.own and not asked.keys, "the keys to log in with: --keys FILE"),
        ((arrival == "ramp") != (asked.ramp_to is not None), "--arrival ramp and --ramp-to RATE"),
        (asked.burst is not None and arrival != "bursts", "--burst is of --arrival bursts"),
        ((arrival == "recorded") != (asked.day is not None), "--arrival recorded and --day FILE"),
        (asked.clients is not None and asked.clients < 1, "--clients: 1 at least"),
        (
            asked.find_knee and arrival in {"ramp", "recorded"},
            "a steady arrival for --find-knee: poisson, constant or bursts",
        ),
    ):
        if wrong:
            raise LoadUsageError(f"expected: {sentence}")


@contextlib.contextmanager
def _venue(asked: Asked) -> Iterator[tuple[str, Sequence[Credentials]]]:
    """Where to load and with which keys: a venue of its own, or the one at the address."""
    if asked.own:
        with own.own_venue(asked.clients or OWN_CLIENTS) as (url, keys):
            yield url, keys
    else:
        assert asked.keys is not None
        yield asked.where or "", read_keys(asked.keys)


def _told(asked: Asked, record: Record, old: Record | None, results: Console) -> int:
    """Keep the record and its page, print what it comes to; return the exit code."""
    try:
        if asked.json_file:
            asked.json_file.parent.mkdir(parents=True, exist_ok=True)
            write(record, asked.json_file)
        if asked.report:
            report(record, asked.report, old)
    except OSError as error:
        _complain(f"Not everything could be written: {error.strerror}.")
        return BAD_INPUT
    verdict.show(record, results)
    if old is not None:
        comparing.show(comparing.compare(old, record), results)
    return exit_code(record)


def exit_code(record: Record) -> int:
    """What a record comes to: 0, 1 (lost), 3 (found wrong), 4 (stop condition), 130 (Ctrl-C)."""
    if not record.checks.passed:
        return WRONG
    if record.ended_by.startswith("server lost"):
        return LOST
    if record.ended_by.startswith("condition"):
        return STOPPED
    return INTERRUPTED if record.ended_by == "interrupted" else DONE
