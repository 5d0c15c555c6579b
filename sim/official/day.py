"""``tanshi day``: official daily rows through the exchange, reported as they go."""

from __future__ import annotations

import datetime as dt
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

from rich.console import Console

from sim.official.days import OfficialFileError, read_daily, read_vintage_closes, read_weekly_closes
from sim.official.replay import Replay
from sim.official.report import Report, write_json
from sim.official.result import Summary

VINTAGES_BESIDE = "cea_vintage_sample.csv"


def run(
    path: Path,
    first: dt.date | None = None,
    last: dt.date | None = None,
    *,
    weekly: Path | None = None,
    vintages: Path | None = None,
    keep: Path | None = None,
    json_file: Path | None = None,
    console: Console | None = None,
) -> Summary:
    """Replay the rows of ``path`` from ``first`` to ``last``, tell the console, sum up.

    Args:
        path: the daily file.
        first, last: first and last date played, both included; None = no limit.
        weekly: file of weekly bulletins, whose closes help where days are missing.
        vintages: file of closes per vintage; None uses ``cea_vintage_sample.csv`` beside ``path``
            if it is there.
        keep: directory for databases and commands of the venues; must be new or empty.
            None uses a temporary one.
        json_file: where to write the summary as JSON; also after Ctrl-C.
        console: where to print; None = standard output.

    Ctrl-C ends the replay after the day being played; the summary so far is printed and returned.

    Raises:
        OfficialFileError: a file cannot be used, or ``keep`` holds something already.
    """
    daily = read_daily(path)
    rows = tuple(row for row in daily.rows if last is None or row.date <= last)
    closes = read_weekly_closes(weekly) if weekly is not None else {}
    summary = Summary(broken=daily.broken)
    with ExitStack() as stack:
        directory = _directory(keep, stack)
        replay = Replay(rows, closes, directory, first, _vintage_closes(path, vintages))
        stack.callback(replay.close)
        report = stack.enter_context(Report(console or Console(), len(replay.rows)))
        _play(replay, summary, report)
        summary.venues = replay.venues
    report.summary(summary)
    if json_file is not None:
        write_json(summary, json_file)
    return summary


def _play(replay: Replay, summary: Summary, report: Report) -> None:
    """Play row by row until the end or Ctrl-C."""
    try:
        with ctrl_c() as pressed:
            for row in replay.rows:
                result = replay.play(row)
                summary.results.append(result)
                report.day(result)
                if pressed.is_set():
                    summary.interrupted = True
                    return
    except KeyboardInterrupt:
        summary.interrupted = True


@contextmanager
def ctrl_c() -> Iterator[threading.Event]:
    """Turn Ctrl-C into an event: an exception could be lost in a library's callback.

    The second Ctrl-C interrupts at once. Outside the main thread nothing is changed.
    """
    pressed = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield pressed
        return
    before = signal.getsignal(signal.SIGINT)

    def note(_number: int, _frame: FrameType | None) -> None:
        pressed.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, note)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, before)


def _vintage_closes(daily: Path, path: Path | None) -> dict[dt.date, dict[str, Decimal]]:
    """Read the closes per vintage from ``path``, or from the file beside the daily one, if any."""
    beside = daily.with_name(VINTAGES_BESIDE)
    if path is None and beside.is_file():
        path = beside
    return read_vintage_closes(path) if path is not None else {}


def _directory(keep: Path | None, stack: ExitStack) -> Path:
    """Return ``keep`` if it may be used, else a directory that goes when ``stack`` closes."""
    if keep is not None:
        return _empty_directory(keep)
    return Path(stack.enter_context(TemporaryDirectory(prefix="tanshi-day-")))


def _empty_directory(path: Path) -> Path:
    try:
        path.mkdir(parents=True, exist_ok=True)
        occupied = any(path.iterdir())
    except OSError as error:
        raise OfficialFileError(f"cannot use {path}: {error.strerror or error}") from error
    if occupied:
        raise OfficialFileError(f"{path} is not empty: a replay keeps to a directory of its own")
    return path
