"""What does it cost to be durable? One sync per batch, and the sequencer fed in process.

Three questions, all on the disk of the temporary folder. How long a sync takes and what that makes
of commands/s when each batch has 1 … 1,000 of them. How many commands/s the real sequencer, journal
and exchange acknowledge after sync and apply (group commit), in turns with a journal that does not
sync and with none, so that it shows whether the journal is the limit. What telling costs on top.
Every journal written is read back afterwards: it must hold exactly the commands that were entered,
in order, and an exchange that is given them must come to the same digest.
"""

from __future__ import annotations

import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.journal_day import Morning, in_batches, morning
from benchmarks.journal_feeding import FIELDS, FRAME, STORES, TOLD, WAYS, Fed, feed
from benchmarks.machine import machine, peak_rss_mib, spread
from engine.exchange import Exchange, warm_up
from engine.state import Array
from gateway.journal.disk import Disk
from gateway.journal.journal import Journal, JournalDamageError, JournalWriteError
from gateway.journal.reading import Reading
from gateway.journal.segments import BATCH_OVERHEAD_BYTES, RECORD_BYTES
from gateway.journal.sequencer import WAITING_MAX

Say = Callable[[str], None]
PROBLEMS = (JournalDamageError, JournalWriteError, OSError)


class WrongError(Exception):
    """The journal does not hold what was entered: no time counts."""


@dataclass(frozen=True)
class Size:
    """``commands`` are fed per run; ``syncs`` batches of each size are synced per run."""

    commands: int
    syncs: int
    batches: tuple[int, ...] = (1, 10, 100, 1_000)
    accounts: int = 3_500
    runs: int = 5
    seed: int = 1


FULL = Size(commands=1_000_000, syncs=400)
QUICK = Size(commands=60_000, syncs=25, accounts=200, runs=3)


def measure(size: Size = FULL, say: Say = print) -> dict[str, Any]:
    """Run the benchmark; return its figures under the keys of ``tanshi bench journal --json``.

    Raises:
        AssertionError: two runs of the same commands came to different exchanges.
        JournalDamageError, JournalWriteError, OSError: the disk did not do what it should.
        WrongError: a journal does not hold what was entered.
    """
    began = time.perf_counter()
    warm_up()
    warmup_s = time.perf_counter() - began
    say(f"kernels ready after {warmup_s:.2f} s; making {size.commands:,} commands …")
    day = morning(size.commands, size.seed, size.accounts)
    synced = _one_sync_each(size, day, say)
    runs = _group_commit(size, day, say)
    durable = runs["durable"]
    speed = {name: _speed(each) for name, each in runs.items()}
    return {
        "benchmark": "journal",
        "commands": size.commands,
        "durable_commands_per_second": speed["durable"],
        "durable_spread": spread([each.commands / each.seconds for each in durable]),
        "unsynced_commands_per_second": speed["unsynced"],
        "memory_commands_per_second": speed["memory"],
        "raw_mib_per_second": statistics.median(each.raw_mib_per_second for each in durable),
        "durable_mib_per_second": statistics.median(each.mib_per_second for each in durable),
        "batch_commands": statistics.median(n for each in durable for n in each.fed.batch_rows),
        "sync_p50_us": _percentile([s for each in durable for s in each.fed.syncs_s], 50),
        "sync_p99_us": _percentile([s for each in durable for s in each.fed.syncs_s], 99),
        "rows": [{"row": name, "commands_per_second": each} for name, each in speed.items()],
        "one_sync_each": synced,
        "frame": FRAME,
        "waiting_max": WAITING_MAX,
        "ratios": _ratios(runs),
        "series": [_series(synced)],
        "warmup_s": warmup_s,
        "runs": size.runs,
        "core": None,
        "seed": size.seed,
        "peak_rss_mib": peak_rss_mib(),
        "machine": machine(),
    }


@dataclass
class Run:
    """One run of the sequencer, and the same bytes written plainly right after it."""

    fed: Fed
    raw_s: float  # write and sync of the same bytes in the same batches; 0: nothing was written

    @property
    def seconds(self) -> float:
        """From the first order entered to the last one acknowledged."""
        return self.fed.seconds

    @property
    def commands(self) -> int:
        """Orders that were fed."""
        return self.fed.commands

    @property
    def mib_per_second(self) -> float:
        """Bytes of the journal per second of the run."""
        return _mib(self.fed.batch_rows) / self.seconds

    @property
    def raw_mib_per_second(self) -> float:
        """The disk's own: the same bytes without anything else."""
        return _mib(self.fed.batch_rows) / self.raw_s if self.raw_s else 0.0


def _mib(batch_rows: list[int]) -> float:
    used = sum(batch_rows) * RECORD_BYTES + len(batch_rows) * BATCH_OVERHEAD_BYTES
    return used / 2**20


def _speed(runs: list[Run]) -> float:
    return statistics.median(each.commands / each.seconds for each in runs)


def _group_commit(size: Size, day: Morning, say: Say) -> dict[str, list[Run]]:
    """Feed the same morning again and again, everything in turns; cross-check each journal."""
    stores = [(store, store, WAYS[0], TOLD[0]) for store in STORES]
    ways = [(f"durable, {way}", "durable", way, TOLD[0]) for way in WAYS[1:]]
    told = [(f"durable, told {who}", "durable", WAYS[0], who) for who in TOLD[1:]]
    plan = (*stores, *ways, *told)
    runs: dict[str, list[Run]] = {name: [] for name, *_ in plan}
    for number in range(size.runs):
        for name, store, way, who in plan:
            with tempfile.TemporaryDirectory(prefix="bench-journal-") as folder:
                at = Path(folder)
                fed = feed(at, day, store, way, who)
                if store != "memory":
                    check(at, day, fed)
                raw_s = plain_write_s(at, fed.batch_rows) if store == "durable" else 0.0
            runs[name].append(Run(fed, raw_s))
        speed = ", ".join(
            f"{name} {each[-1].commands / each[-1].seconds:,.0f}/s"
            for name, each in list(runs.items())[:3]
        )
        say(f"run {number + 1}/{size.runs}: {speed}")
    return runs


def check(folder: Path, day: Morning, fed: Fed) -> None:
    """Read a journal back: exactly the commands that were entered, and the same exchange.

    Raises:
        JournalDamageError: it is not as it was written.
        WrongError: a command is missing, doubled, or another one; or the digest differs.
    """
    exchange, count = Exchange(), 0
    for stretch in Reading(folder):
        if not len(stretch.commands):
            continue  # a seal
        rows, count = stretch.commands, count + len(stretch.commands)
        wanted = day.commands[count - len(rows) : count]
        if len(wanted) != len(rows) or (rows["seq"] != wanted["seq"]).any():
            raise WrongError(f"up to command {count} there is one too many, or one is missing")
        if any((rows[name] != wanted[name]).any() for name in FIELDS):
            raise WrongError(f"commands up to {count} are not those that were entered")
        exchange.apply(rows)
    if count != len(day.commands):
        raise WrongError(f"{len(day.commands)} commands were entered, the journal holds {count}")
    if exchange.digest() != fed.digest:
        raise WrongError("the journal makes another exchange than the one that was running")


def plain_write_s(folder: Path, batch_rows: list[int]) -> float:
    """Return the seconds in which the same bytes are written and synced without anything else."""
    sizes = [BATCH_OVERHEAD_BYTES + rows * RECORD_BYTES for rows in batch_rows]
    data = memoryview(os.urandom(max(sizes)))
    disk, path, at = Disk(), folder / "plain", 0
    descriptor = disk.create(path, sum(sizes))
    began = time.perf_counter()
    for size in sizes:
        disk.write_all(descriptor, data[:size], at)
        disk.sync(descriptor)
        at += size
    took = time.perf_counter() - began
    os.close(descriptor)
    return took


def _one_sync_each(size: Size, day: Morning, say: Say) -> list[dict[str, float]]:
    """Append batches of each size, in turns; return what their syncs and appends took."""
    syncs: dict[int, list[float]] = {batch: [] for batch in size.batches}
    appends: dict[int, list[float]] = {batch: [] for batch in size.batches}
    speeds: dict[int, list[float]] = {batch: [] for batch in size.batches}
    for _ in range(size.runs):
        for batch in size.batches:
            rows = np.resize(day.commands, batch * size.syncs)
            rows["seq"] = np.arange(1, len(rows) + 1)
            with tempfile.TemporaryDirectory(prefix="bench-journal-") as folder:
                took, synced = append_all(Path(folder), in_batches(rows, batch))
            syncs[batch] += synced
            appends[batch] += took
            speeds[batch].append(len(rows) / sum(took))
    found = []
    for batch in size.batches:
        found.append(
            {
                "batch": batch,
                "sync_p50_us": _percentile(syncs[batch], 50),
                "sync_p99_us": _percentile(syncs[batch], 99),
                "append_p50_us": _percentile(appends[batch], 50),
                "commands_per_second": statistics.median(speeds[batch]),
                "low": min(speeds[batch]),
                "high": max(speeds[batch]),
            }
        )
        say(f"{batch:,} a batch: sync {found[-1]['sync_p50_us']:.0f} us")
    return found


def append_all(folder: Path, batches: list[Array]) -> tuple[list[float], list[float]]:
    """Append batches to a new journal; return the seconds of each append, and of its sync.

    Raises:
        WrongError: it does not hold as many commands afterwards.
    """
    journal, took, synced = Journal(folder), [], []
    for _ in journal.replay():
        raise AssertionError("the folder holds a journal already")
    for batch in batches:
        data, first_seq = batch.tobytes(), int(batch["seq"][0])
        began = time.perf_counter()
        journal.append(data, first_seq)
        took.append(time.perf_counter() - began)
        synced.append(journal.synced_s)
    journal.close()
    held = sum(len(stretch.commands) for stretch in Reading(folder))
    if held != sum(map(len, batches)):
        raise WrongError(f"the journal holds {held} commands")
    return took, synced


def _percentile(seconds: list[float], percent: int) -> float:
    """Return a percentile in microseconds: the value that so many percent do not exceed."""
    at = math.ceil(len(seconds) * percent / 100) - 1
    return sorted(seconds)[max(0, at)] * 1e6


def _ratios(runs: dict[str, list[Run]]) -> dict[str, dict[str, Any]]:
    """Speeds pair by pair: what the disk's sync, the journal, and telling leave of the speed."""
    pairs = {
        "durable_over_unsynced": ("durable", "unsynced"),
        "durable_over_memory": ("durable", "memory"),
        "told_over_durable": ("durable, told everybody", "durable"),
    }
    found: dict[str, dict[str, Any]] = {}
    for name, (one, other) in pairs.items():
        values = [b.seconds / a.seconds for a, b in zip(runs[one], runs[other], strict=True)]
        middle = spread(values)
        found[name] = {
            "value": middle["median"],
            "better": "higher",
            "min": middle["min"],
            "max": middle["max"],
        }
    return found


def _series(synced: list[dict[str, float]]) -> dict[str, Any]:
    return {
        "name": "journal-batch",
        "title": "Durable commands per second by commands under one sync",
        "x": [row["batch"] for row in synced],
        "x_label": "commands per sync",
        "y": [row["commands_per_second"] for row in synced],
        "y_label": "commands/s",
        "low": [row["low"] for row in synced],
        "high": [row["high"] for row in synced],
        "log_x": True,
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print what a sync costs by batch, and what the sequencer acknowledges."""
    table = Table(title="one sync per batch")
    for head in ("commands", "sync p50", "sync p99", "commands/s"):
        table.add_column(head, justify="right")
    for row in figures["one_sync_each"]:
        table.add_row(
            f"{row['batch']:,}",
            f"{row['sync_p50_us']:,.0f} us",
            f"{row['sync_p99_us']:,.0f} us",
            f"{row['commands_per_second']:,.0f}",
        )
    console.print(table)
    table = Table(title=f"sequencer, {figures['commands']:,} commands, median of {figures['runs']}")
    table.add_column("stored, entered, told")
    table.add_column("acknowledged/s", justify="right")
    for row in figures["rows"]:
        table.add_row(row["row"], f"{row['commands_per_second']:,.0f}")
    console.print(table)
    times = {name: ratio["value"] for name, ratio in figures["ratios"].items()}
    console.print(
        f"{figures['batch_commands']:,.0f} commands a batch, sync {figures['sync_p50_us']:,.0f} us"
        f" (p99 {figures['sync_p99_us']:,.0f}); {figures['durable_mib_per_second']:.0f} MiB/s"
        f" of the disk's {figures['raw_mib_per_second']:.0f};"
        f" {times['durable_over_unsynced']:.2f} of the speed without a sync,"
        f" {times['durable_over_memory']:.2f} of that without a journal"
    )
