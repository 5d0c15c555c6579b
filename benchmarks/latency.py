"""What does one command cost that comes alone: one call of ``Exchange.apply`` each?

The engine's unit of work is a batch; a venue with one order in hand pays the door of a call too.
Every call is timed by itself (percentiles by kind of command, over all runs), and the loop as a
whole is compared with the same loop around an empty function (what the interpreter itself takes)
and with the plain Python book called once per message. A curve shows how the door's cost spreads
as a call brings more commands. Before a time counts, the books are cross-checked as in the other
questions, and one command per call must leave the very state that batches leave. Single calls are
timed by the wall's clock (a tail is what one waits), loops by CPU time, as in scaling.py.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import mixed
from benchmarks.flow import Stream
from benchmarks.flow_deep import DeepStream, PlainMarket, deep
from benchmarks.flow_mixed import Mix
from benchmarks.flow_mixed import mixed as mixed_stream
from benchmarks.machine import machine, peak_rss_mib, quiet_core, ratio, spread
from benchmarks.matching import BATCH
from benchmarks.scaling import MODES, WrongError, checked, play_engine
from engine.exchange import Exchange, warm_up
from engine.records import Kind
from engine.state import Array

Say = Callable[[str], None]

PROBLEMS = (WrongError,)
PERCENTILES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p999": 99.9}
ONLY_BULK = Mix(bulk=1.0, bidding=0.0)


@dataclass(frozen=True)
class Size:
    """``messages`` per mode and ``bulk_messages`` alone; ``batches``: commands a call, a curve."""

    messages: int = 32_768
    bulk_messages: int = 2_000
    runs: int = 5
    seed: int = 1
    resting: int = 2_000
    accounts: int = 3_500
    batches: tuple[int, ...] = tuple(2**power for power in range(14))


FULL = Size()
QUICK = Size(messages=4_096, bulk_messages=400, runs=3, batches=(1, 8, 64, 512, 4_096))


@dataclass
class Asked:
    """One way of trading: its stream, the exchange before it, what every run took."""

    name: str
    stream: Stream
    ready: Exchange
    calls_ns: list[Array] = field(default_factory=list)  # of every run: each call
    loop_s: dict[str, list[float]] = field(default_factory=dict)
    batch_s: dict[int, list[float]] = field(default_factory=dict)

    def rows(self, batch: int = 1) -> list[Array]:
        """The commands in calls of ``batch``, numbered to follow the exchange."""
        stream = self.stream.commands
        stream["seq"] = self.ready.seq + 1 + np.arange(len(stream))
        stream["time_ns"] = stream["seq"]
        return np.split(stream, range(batch, len(stream), batch))

    def note(self, name: str, took_s: float) -> None:
        """Note a loop of this run."""
        self.loop_s.setdefault(name, []).append(took_s)


def loop(function: Callable[[Any], object], rows: Sequence[Any]) -> float:
    """Call a function once per row; return the CPU seconds of the whole loop."""
    start = time.thread_time()
    for row in rows:
        function(row)
    return time.thread_time() - start


def clocked_loop(function: Callable[[Any], object], rows: Sequence[Any]) -> Array:
    """Call a function once per row; return the nanoseconds of each call, its clock included."""
    took = np.zeros(len(rows), np.int64)
    clock = time.perf_counter_ns
    for at, row in enumerate(rows):
        start = clock()
        function(row)
        took[at] = clock() - start
    return took


def nothing(_row: object) -> None:
    """What the bare loop calls."""


def alike(asked: Asked) -> None:
    """Hold one command per call against batches: the same state, to the byte.

    Raises:
        WrongError: the digests differ.
    """
    one = asked.ready.fork()
    loop(one.apply, asked.rows())
    batched = play_engine(asked.ready, asked.stream, BATCH).exchange
    if one.digest() != batched.digest():
        raise WrongError(f"{asked.name}: one command per call leaves another state than batches")


def prepare(size: Size) -> list[Asked]:
    """Make the streams and cross-check them.

    Raises:
        WrongError: engine and yardstick (or the maker's count) disagree.
    """
    asked = []
    for name, mode in MODES.items():
        stream = deep(size.messages, mode, size.seed, resting=size.resting, accounts=size.accounts)
        asked.append(Asked(name, stream, checked(name, size.resting, stream, mode).ready))
    bulk = mixed_stream(size.bulk_messages, ONLY_BULK, size.seed, size.resting, size.accounts)
    day = mixed.made("bulk", bulk)
    mixed.check(day)
    asked.append(Asked("bulk", bulk, day.ready))
    for one in asked:
        alike(one)
    return asked


def run_once(asked: Asked, size: Size) -> None:
    """One run: the clocked calls, the three loops, the curve."""
    rows = asked.rows()
    asked.calls_ns.append(clocked_loop(asked.ready.fork().apply, rows))
    asked.note("bare", loop(nothing, rows))
    asked.note("engine", loop(asked.ready.fork().apply, rows))
    if not isinstance(asked.stream, DeepStream) or not asked.stream.messages:
        return  # bulk: no plain book knows it
    market = PlainMarket(asked.stream.preload, 1)
    asked.note("yardstick", loop(market.books[0].play, [(one,) for one in asked.stream.messages]))
    market.clear()
    for batch in size.batches:
        took = loop(asked.ready.fork().apply, asked.rows(batch))
        asked.batch_s.setdefault(batch, []).append(took)


def kinds(asked: Asked) -> dict[str, dict[str, float]]:
    """Percentiles of the calls by kind of command, all runs together; p50 of each run apart."""
    found = {}
    kind_of = asked.stream.commands["kind"]
    for kind in np.unique(kind_of).tolist():
        runs = [calls[kind_of == kind] for calls in asked.calls_ns]
        every = np.concatenate(runs)
        medians = spread([float(np.median(one)) for one in runs])
        found[Kind(kind).name.lower()] = {
            "calls": len(every),
            **{name: float(np.percentile(every, at)) for name, at in PERCENTILES.items()},
            "max": float(every.max()),
            "p50_least_run": medians["min"],
            "p50_most_run": medians["max"],
        }
    return found


def ratios(asked: Asked) -> dict[str, Any]:
    """The loops against each other, pair by pair."""
    mine = asked.loop_s["engine"]

    def by(theirs: list[float]) -> list[float]:
        return [ours / other for ours, other in zip(mine, theirs, strict=True)]

    found = {f"{asked.name}_call_by_bare_loop": ratio(by(asked.loop_s["bare"]), "lower")}
    if "yardstick" in asked.loop_s:
        times = [1 / share for share in by(asked.loop_s["yardstick"])]
        found[f"{asked.name}_call_times_yardstick_call"] = ratio(times)
        largest = max(asked.batch_s)
        found[f"{asked.name}_call_by_batched"] = ratio(by(asked.batch_s[largest]), "lower")
    return found


def series(asked: Asked) -> dict[str, Any]:
    """Nanoseconds a command over commands a call."""
    count = len(asked.stream.commands)
    ns = {batch: [took / count * 1e9 for took in runs] for batch, runs in asked.batch_s.items()}
    return {
        "name": f"latency_batch_{asked.name}",
        "title": f"Cost of a command as a call brings more of them: {asked.name}",
        "x": list(ns),
        "x_label": "commands a call",
        "y": [statistics.median(runs) for runs in ns.values()],
        "y_label": "ns per command",
        "low": [min(runs) for runs in ns.values()],
        "high": [max(runs) for runs in ns.values()],
        "log_x": True,
    }


def measure(size: Size = FULL, say: Say = print) -> dict[str, Any]:
    """Measure single calls in both modes and of bulk agreement.

    Raises:
        WrongError: a figure of the engine is not what it must be.
    """
    start = time.perf_counter()
    warm_up()
    warmup_s = time.perf_counter() - start
    with quiet_core() as core:
        asked = prepare(size)
        say("all books agree; one command per call leaves the same state as batches")
        for run in range(size.runs):
            for one in asked:
                run_once(one, size)
            told = ", ".join(f"{one.name} {per_call(one, 'engine')[-1]:,.0f}" for one in asked)
            say(f"run {run + 1}/{size.runs}, ns/call: {told}")
    loops = {
        one.name: {name: statistics.median(per_call(one, name)) for name in one.loop_s}
        for one in asked
    }
    return {
        "benchmark": "latency",
        **{f"{name}_call_ns": of["engine"] for name, of in loops.items()},
        "bare_loop_ns": loops["price_time"]["bare"],
        "yardstick_call_ns": loops["price_time"]["yardstick"],
        "ratios": {key: value for one in asked for key, value in ratios(one).items()},
        "series": [series(one) for one in asked if one.batch_s],
        "kinds": {one.name: kinds(one) for one in asked},
        "loops_ns": loops,
        "warmup_s": warmup_s,
        "runs": size.runs,
        "seed": size.seed,
        "clock": "wall for single calls, thread CPU time for loops",
        "core": core,
        "peak_rss_mib": peak_rss_mib(),
        "machine": machine(),
    }


def per_call(asked: Asked, name: str) -> list[float]:
    """Nanoseconds per call of a loop, of every run."""
    return [took / len(asked.stream.commands) * 1e9 for took in asked.loop_s[name]]


def show(figures: dict[str, Any], console: Console) -> None:
    """Percentiles by kind, the loops, the curve."""
    table = Table(title=f"one command per call, ns, {figures['runs']} interleaved runs")
    table.add_column("mode")
    table.add_column("kind")
    for head in ("calls", *PERCENTILES, "max"):
        table.add_column(head, justify="right")
    for name, found in figures["kinds"].items():
        for kind, row in found.items():
            cells = [f"{row[head]:,.0f}" for head in ("calls", *PERCENTILES, "max")]
            table.add_row(name.replace("_", "–"), kind.replace("_", " "), *cells)
    console.print(table)
    for name, loops in figures["loops_ns"].items():
        told = ", ".join(f"{which} {ns:,.0f}" for which, ns in loops.items())
        console.print(f"{name.replace('_', '–')} loop, ns per call: {told}")
    for plot in figures["series"]:
        points = zip(plot["x"], plot["y"], strict=True)
        told = ", ".join(f"{x:,}: {y:,.0f}" for x, y in points)
        console.print(f"{plot['title']} (ns): {told}")
    console.print(
        f"peak memory {figures['peak_rss_mib']:.0f} MiB, warm-up {figures['warmup_s']:.2f} s,"
        f" {figures['machine']['cpu']}"
    )
