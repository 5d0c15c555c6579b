"""How fast is a journal played, and how soon after a crash can a venue take orders again?

A journal is written by the real journal: an opening, then the price-time and the listed stream turn
by turn (benchmarks/journal_day.py). ``replay`` plays all of it as ``tanshi replay`` does: reading,
verifying every hash, applying, hashing every event; in turns with the exchange alone on the same
commands in memory, and with a plain read and hash of the same bytes. ``start`` makes a new process
that recovers the folder as a venue does, from the making of the process until its tasks work. A
second row starts from a snapshot, behind which a short day lies. Every exchange must have the
digest of the one that was given the commands first, before a time counts.
"""

from __future__ import annotations

import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.journal_day import BATCH, Morning, day_after, furnish, in_batches, morning, write
from benchmarks.machine import machine, peak_rss_mib, seconds, spread
from engine.exchange import Exchange, warm_up
from gateway.journal.journal import JournalDamageError, JournalWriteError, segment_paths
from gateway.journal.replay import APPLY_ROWS, Player
from gateway.journal.segments import HASH_BYTES

Say = Callable[[str], None]
SNAPSHOT_TAIL = 10_000  # commands of the day behind the snapshot


class WrongError(Exception):
    """A replay or a start came to another exchange: no time counts."""


class StartError(Exception):
    """The process that should have recovered ended without a word."""


PROBLEMS = (JournalDamageError, JournalWriteError, WrongError, StartError, OSError)


@dataclass(frozen=True)
class Size:
    """``commands``: orders in each journal, the last of them the one that counts."""

    commands: tuple[int, ...]
    accounts: int = 3_500
    tail: int = SNAPSHOT_TAIL
    runs: int = 5
    seed: int = 1


FULL = Size(commands=(10_000, 100_000, 1_000_000))
QUICK = Size(commands=(2_000, 30_000), accounts=200, tail=1_000, runs=2)


@dataclass
class Written:
    """A venue's folder, and what an exchange came to that was given its commands."""

    folder: Path
    day: Morning
    replay_s: list[float]
    apply_s: list[float]
    read_s: list[float]
    starts: list[dict[str, Any]]


def measure(size: Size = FULL, say: Say = print) -> dict[str, Any]:
    """Run the benchmark; return its figures under the keys of ``tanshi bench recovery --json``.

    Raises:
        JournalDamageError, JournalWriteError, OSError: the disk did not do what it should.
        WrongError: an exchange is not the one it should be.
        StartError: a venue did not start.
    """
    began = time.perf_counter()
    warm_up()
    warmup_s = time.perf_counter() - began
    with tempfile.TemporaryDirectory(prefix="bench-recovery-") as base:
        rows = []
        for count in size.commands:
            say(f"writing a journal of {count:,} commands …")
            rows.append(_written(Path(base) / str(count), count, size))
        after = _with_snapshot(Path(base) / "snapshot", size)
        start_cold = run_start(rows[-1])["ready_s"]  # whatever it is, it is said
        for run in range(size.runs):
            for row in rows:
                _one_round(row)
            after.starts.append(run_start(after))
            last = rows[-1]
            say(
                f"run {run + 1}/{size.runs}: replay {last.replay_s[-1]:.3f} s, exchange alone"
                f" {last.apply_s[-1]:.3f} s, start {last.starts[-1]['ready_s']:.2f} s"
            )
        return {
            **_headline(rows[-1], after),
            "snapshot_tail_commands": size.tail,
            "first_start_s": start_cold,
            "rows": [_row(row) for row in rows],
            "ratios": _ratios(rows[-1]),
            "series": _series(rows),
            "warmup_s": warmup_s,
            "runs": size.runs,
            "core": None,
            "seed": size.seed,
            "batch": BATCH,
            "peak_rss_mib": peak_rss_mib(),
            "machine": machine(),
        }


def _written(folder: Path, count: int, size: Size) -> Written:
    day = morning(count, size.seed, size.accounts)
    furnish(folder, size.accounts)
    write(folder, day.commands)
    return Written(folder, day, [], [], [], [])


def _with_snapshot(folder: Path, size: Size) -> Written:
    """The largest journal with a day behind it, and the snapshot from between them."""
    row = _written(folder, size.commands[-1], size)
    row.day = day_after(folder, row.day, size.tail, size.seed + 1, size.accounts)
    return row


def _one_round(row: Written) -> None:
    """Everything that is compared, in turns on the same journal."""
    row.replay_s.append(replay_s(row))
    row.apply_s.append(apply_s(row.day))
    row.read_s.append(read_s(row.folder))
    row.starts.append(run_start(row))


def replay_s(row: Written) -> float:
    """Return the seconds in which ``tanshi replay`` plays a journal.

    Raises:
        WrongError: it holds something else than what was written.
    """
    player = Player(row.folder)
    played = player.play()
    if played.commands != len(row.day.commands) or played.events != row.day.events:
        raise WrongError(f"{played.commands} commands were replayed, {played.events} events told")
    if played.digest != row.day.digest or not played.identical:
        raise WrongError(f"the replay came to another exchange {played.findings}")
    return played.seconds


def apply_s(day: Morning) -> float:
    """Return the seconds that the exchange takes for the same commands, in memory already.

    Raises:
        WrongError: it comes to another digest.
    """
    exchange, batches = Exchange(), in_batches(day.commands, APPLY_ROWS)

    def work() -> None:
        for batch in batches:
            exchange.apply(batch)

    took = seconds(work)
    if exchange.digest() != day.digest:
        raise WrongError("the exchange in memory came to another digest")
    return took


def read_s(folder: Path) -> float:
    """Return the seconds of reading and hashing the journal's bytes with nothing else."""

    def work() -> None:
        for path in segment_paths(folder / "journal"):
            assert len(hashlib.sha256(path.read_bytes()).digest()) == HASH_BYTES

    return seconds(work)


def run_start(row: Written) -> dict[str, Any]:
    """Recover a folder in a new process; return what that process said.

    Raises:
        StartError: it ended without having started.
        WrongError: it recovered something else.
    """
    arguments = [sys.executable, "-m", "benchmarks.recovery_start", str(row.folder)]
    done = subprocess.run(  # noqa: S603 - our own interpreter and folder
        [*arguments, str(time.monotonic_ns())], capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1].replace(str(row.folder), "…")
        raise StartError(f"the venue ended with {done.returncode} before it was ready: {last}")
    said: dict[str, Any] = json.loads(done.stdout)
    if said["digest"] != row.day.digest or said["seq"] != int(row.day.commands["seq"][-1]):
        raise WrongError("the start came to another exchange")
    return said


def _stages(starts: list[dict[str, Any]]) -> dict[str, float]:
    """Return the median of each stage."""
    return {
        stage: statistics.median(start["stages"][stage] for start in starts)
        for stage in starts[0]["stages"]
    }


def _ready(row: Written) -> list[float]:
    return [start["ready_s"] for start in row.starts]


def _headline(row: Written, after: Written) -> dict[str, Any]:
    count = len(row.day.commands)
    return {
        "benchmark": "recovery",
        "commands": count,
        "replay_commands_per_second": count / statistics.median(row.replay_s),
        "replay_spread": spread([count / each for each in row.replay_s]),
        "apply_commands_per_second": count / statistics.median(row.apply_s),
        "recovery_1m_s": statistics.median(_ready(row)),
        "recovery_spread": spread(_ready(row)),
        "recovery_stages_s": _stages(row.starts),
        "snapshot_start_s": statistics.median(_ready(after)),
        "snapshot_spread": spread(_ready(after)),
        "snapshot_stages_s": _stages(after.starts),
    }


def _row(row: Written) -> dict[str, Any]:
    count = len(row.day.commands)
    return {
        "commands": count,
        "replay_commands_per_second": count / statistics.median(row.replay_s),
        "ready_s": statistics.median(_ready(row)),
        "stages_s": _stages(row.starts),
    }


def _ratios(row: Written) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name, other in (("replay_over_apply", row.apply_s), ("replay_over_read", row.read_s)):
        middle = spread([a / b for a, b in zip(row.replay_s, other, strict=True)])
        found[name] = {
            "value": middle["median"],
            "better": "lower",
            "min": middle["min"],
            "max": middle["max"],
        }
    return found


def _series(rows: list[Written]) -> list[dict[str, Any]]:
    counts = [len(row.day.commands) for row in rows]
    speeds = [
        spread([n / each for each in row.replay_s]) for n, row in zip(counts, rows, strict=True)
    ]
    starts = [spread(_ready(row)) for row in rows]
    common = {"x": counts, "x_label": "commands in the journal", "log_x": True}
    return [
        {
            "name": f"recovery-{name}",
            "title": title,
            **common,
            "y": [each["median"] for each in values],
            "y_label": label,
            "low": [each["min"] for each in values],
            "high": [each["max"] for each in values],
        }
        for name, title, label, values in (
            ("start", "From the making of the process until it could take orders", "s", starts),
            ("replay", "Replay: read, verify, apply, hash", "commands/s", speeds),
        )
    ]


def show(figures: dict[str, Any], console: Console) -> None:
    """Print replay and start by size of the journal, and what each stage of a start takes."""
    table = Table(title=f"journals of {figures['batch']:,} a batch, median of {figures['runs']}")
    for head in ("commands", "replayed/s", "start"):
        table.add_column(head, justify="right")
    for row in figures["rows"]:
        speed = f"{row['replay_commands_per_second']:,.0f}"
        table.add_row(f"{row['commands']:,}", speed, f"{row['ready_s']:.2f} s")
    table.add_row("from a snapshot", "", f"{figures['snapshot_start_s']:.2f} s")
    console.print(table)
    for name in ("recovery", "snapshot"):
        stages = figures[f"{name}_stages_s"].items()
        console.print(f"{name}: " + ", ".join(f"{stage} {took:.3f} s" for stage, took in stages))
    times = figures["ratios"]
    console.print(
        f"the exchange alone {figures['apply_commands_per_second']:,.0f}/s; replay takes"
        f" {times['replay_over_apply']['value']:.2f} times as long, and"
        f" {times['replay_over_read']['value']:.2f} times a plain read and hash"
    )
