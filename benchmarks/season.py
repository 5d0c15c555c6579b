"""Whole seasons: seconds on one core, decisions and commands per second, two processes, memory.

Every figure is taken after a warm-up run (kernels compiled or read from their cache). Seconds and
rates are medians over runs of different seeds, pinned to one core. The speed-up is the time of N
runs in one process over that of the same N runs in two, both waiting warm in worker processes,
interleaved, the median of the pairs. Memory is the high-water mark of a fresh process that lives
the largest season and makes all its tables.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.machine import machine, peak_rss_mib, quiet_core, ratio, spread

LARGEST = "2025"
KEYS = (
    "season_2024_s",
    "season_2025_s",
    "decisions_per_second",
    "commands_per_second",
    "parallel_speedup_2",
    "peak_rss_mib",
)
Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """``share`` of the entities; ``runs`` timed a season; pairs of ``batch`` runs for two cores."""

    share: float = 1.0
    runs: int = 5
    pairs: int = 3
    batch: int = 4


FULL = Size()
QUICK = Size(share=0.05, runs=2, pairs=1, batch=2)


def live(season: str, seed: int, share: float) -> Any:
    """Simulate one season; returns its Run."""
    from sim.scenario.reading import load, smaller
    from sim.simulation import simulate

    scenario = load(season)
    if share != 1.0:
        scenario = load(season, smaller(scenario, share))
    return simulate(scenario, seed)


def measure(size: Size, say: Say) -> dict[str, Any]:
    """Return the six figures and the machine they were taken on."""
    memory = memory_mib(size)
    say(f"peak memory of a fresh process with season {LARGEST}: {memory:.0f} MiB")
    began = time.perf_counter()
    for season in ("2024", LARGEST):
        live(season, 0, size.share)
    warmup_s = time.perf_counter() - began
    first, core = _timed("2024", size, say)
    largest, _ = _timed(LARGEST, size, say)
    speedups = _speedups(size, say)
    return {
        "benchmark": "season",
        "season_2024_s": statistics.median(run.seconds for run in first),
        "season_2025_s": statistics.median(run.seconds for run in largest),
        "decisions_per_second": _rate(first, "decisions"),
        "commands_per_second": _rate(first, "commands"),
        "parallel_speedup_2": statistics.median(speedups),
        "peak_rss_mib": memory,
        "ratios": {"two_processes": ratio(speedups)},
        "series": [],
        "warmup_s": warmup_s,
        "runs": size.runs,
        "core": core,
        "machine": machine(),
    }


def _timed(season: str, size: Size, say: Say) -> tuple[list[Any], int | None]:
    """Live a season several times; returns the runs and the core they had."""
    runs = []
    for seed in range(1, size.runs + 1):
        with quiet_core() as core:
            runs.append(live(season, seed, size.share))
    times = spread([run.seconds for run in runs])
    entities = runs[0].counts["entities"]
    say(
        f"season {season}, {entities:,} entities: {times['min']:.2f} to {times['max']:.2f} s,"
        f" median {times['median']:.2f} s of {len(runs)} runs"
    )
    return runs, core


def _rate(runs: list[Any], what: str) -> float:
    return float(statistics.median(run.counts[what] / run.seconds for run in runs))


def _speedups(size: Size, say: Say) -> list[float]:
    """Return, pair by pair, how many times faster two processes are than one for the same runs."""
    with _crew(1, size.share) as one, _crew(2, size.share) as two:
        ratios = []
        for _ in range(size.pairs):
            alone, together = _seconds(one, size), _seconds(two, size)
            ratios.append(alone / together)
            say(f"{size.batch} runs: one process {alone:.2f} s, two {together:.2f} s")
    return ratios


def _crew(count: int, share: float) -> Pool:
    """Start ``count`` processes and wait until each has lived a season to warm up."""
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(count)
    crew = context.Pool(count, _enlist, (barrier,))
    crew.map(_warm_up, [share] * count, chunksize=1)
    return crew


_together: list[Any] = []  # the barrier of this worker's crew


def _enlist(barrier: Any) -> None:
    _together.append(barrier)


def _warm_up(share: float) -> None:
    live("2024", 0, share)
    _together[0].wait()  # no worker takes a second one while another has had none


def _seconds(crew: Pool, size: Size) -> float:
    start = time.perf_counter()
    crew.starmap(_one, [("2024", seed, size.share) for seed in range(size.batch)], chunksize=1)
    return time.perf_counter() - start


def _one(season: str, seed: int, share: float) -> str:
    return str(live(season, seed, share).digest)


def memory_mib(size: Size) -> float:
    """Return the peak memory of a process of its own that lives the largest season, MiB."""
    words = [sys.executable, "-m", "benchmarks.season", LARGEST, str(size.share)]
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(words, cwd=root, check=True, capture_output=True, text=True)  # noqa: S603
    return float(json.loads(done.stdout))


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures."""
    table = Table("figure", "value", title="Seasons", title_justify="left")
    table.columns[1].justify = "right"
    for key in KEYS:
        table.add_row(key, f"{figures[key]:,.2f}")
    console.print(table)
    console.print(f"{figures['machine']['cpu']}, {figures['machine']['cores']} cores")


if __name__ == "__main__":
    from sim.results.run import TABLES

    run = live(sys.argv[1], 1, float(sys.argv[2]))
    for name in TABLES:
        getattr(run, name)
    sys.stdout.write(json.dumps(peak_rss_mib()))
