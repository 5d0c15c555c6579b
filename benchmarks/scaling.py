"""What does a command cost as the world grows: more resting orders, more vintages, more accounts?

One thing grows at a time, in both modes; the rest stays. The books are filled before the clock
starts; the timed stream (benchmarks/flow_deep.py) leaves them about as full as they were. All
sizes of an axis are played in turn, run by run, so that a growth is taken inside one run. The
plain Python book plays the very same messages over the very same preload: trades, volume,
checksum and resting orders must agree before a time counts. Cancels at random in a deep book have
a row of their own: they are the worst case for memory.

Seconds are CPU time of the one thread that works: it never waits for anything, so on a quiet core
they are those of the wall, and on a busy one they leave out what others took.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.flow import Stream
from benchmarks.flow_deep import DeepStream, PlainMarket, cancels, deep
from benchmarks.machine import machine, peak_rss_mib, quiet_core, ratio, spread
from benchmarks.matching import BATCH, _send, prepared, tally
from engine.exchange import Exchange, warm_up
from engine.invariants import violations
from engine.records import Event, Mode

Say = Callable[[str], None]

MODES = {"price_time": Mode.PRICE_TIME, "listed": Mode.LISTED}
AXES = {
    "resting": "resting orders",
    "instruments": "instruments (vintages)",
    "accounts": "accounts",
}
GROWTH_FROM_RESTING = 1_000  # the growth of the books is counted from here
AUDIT_RESTING_MAX = 20_000  # the invariants walk every order in Python
YARDSTICK_ONCE_RESTING = 1_000_000  # filling the plain book takes longer than playing


@dataclass(frozen=True)
class Size:
    """The sizes of each axis; the other two axes stay at their ``at_`` value meanwhile.

    ``cancels_resting``: depths at which half of the book, ``messages`` at most, is cancelled.
    ``yardstick_runs``: how many of the runs the plain book joins (one where a million rest).
    """

    messages: int = 200_000
    runs: int = 7
    yardstick_runs: int = 3
    seed: int = 1
    resting: tuple[int, ...] = (100, 1_000, 10_000, 100_000, 1_000_000)
    instruments: tuple[int, ...] = (1, 2, 5, 10, 20, 50)
    accounts: tuple[int, ...] = (100, 1_000, 10_000, 100_000)
    cancels_resting: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    at_resting: int = 10_000
    at_accounts: int = 3_500


FULL = Size()
QUICK = Size(
    messages=30_000,
    yardstick_runs=1,
    resting=(1_000, 100_000),
    instruments=(1, 10),
    accounts=(100, 3_500),
    cancels_resting=(10_000, 100_000),
    at_resting=2_000,
)


class WrongError(Exception):
    """The two books disagree, or a command was refused: no time counts."""


PROBLEMS = (WrongError,)


@dataclass
class Point:
    """One size of an axis: its stream, the filled exchange, the seconds of every run."""

    x: int
    stream: DeepStream
    ready: Exchange
    trades: int
    engine_s: list[float]
    yardstick_s: list[float]

    def ns(self) -> list[float]:
        """Nanoseconds per command of every run."""
        return [took / len(self.stream.commands) * 1e9 for took in self.engine_s]

    def times_the_yardstick(self) -> list[float]:
        """How many times faster the engine is, every play of one against every play of the other.

        Not pair by pair: the plain book joins fewer runs, for its time is long and steady.
        """
        return [theirs / ours for theirs in self.yardstick_s for ours in self.engine_s]


def filled(stream: DeepStream, mode: Mode) -> Exchange:
    """Return an exchange with everything that rests, and room for the stream."""
    exchange = prepared(stream, mode)
    for first in range(0, len(stream.preload), BATCH):
        _send(exchange, stream.preload[first : first + BATCH])
    exchange.state.ensure_orders(len(stream.commands))
    exchange.state.ensure_trades(len(stream.commands))
    return exchange


@dataclass
class Play:
    """One play: the exchange afterwards, the seconds of every call, how much was refused."""

    exchange: Exchange
    calls_s: list[float]
    refused: int

    @property
    def seconds(self) -> float:
        """All calls together."""
        return sum(self.calls_s)


def play_engine(ready: Exchange, stream: Stream, batch: int = BATCH) -> Play:
    """Play the stream on a fork, so many commands a call."""
    exchange = ready.fork()
    stream.commands["seq"] = ready.seq + 1 + np.arange(len(stream.commands))
    stream.commands["time_ns"] = stream.commands["seq"]
    play = Play(exchange, [], 0)
    for part in np.split(stream.commands, range(batch, len(stream.commands), batch)):
        start = time.thread_time()
        events = exchange.apply(part)
        play.calls_s.append(time.thread_time() - start)
        play.refused += int((events["kind"] == Event.REFUSED).sum())
    return play


def play_yardstick(stream: DeepStream) -> tuple[tuple[int, int, int, int], float]:
    """Fill plain books, then play; return (their sums, CPU seconds of the play alone)."""
    market = PlainMarket(stream.preload, stream.instruments)
    start = time.thread_time()
    market.play(stream.places, stream.messages)
    took = time.thread_time() - start
    sums = market.sums()
    market.clear()
    return sums, took


def checked(name: str, x: int, stream: DeepStream, mode: Mode) -> Point:
    """Fill both books, play both once and compare; return the point, ready to be timed.

    Raises:
        WrongError: the engine refused something, its books are unsound, or the two disagree.
    """
    ready = filled(stream, mode)
    play = play_engine(ready, stream)
    if play.refused:
        raise WrongError(f"{name} {x}: the engine refused {play.refused} commands")
    exchange = play.exchange
    played = tally(exchange.trades_today(), 0.0)
    resting = int(exchange.state.market[0]["open_orders"])
    theirs, yardstick_s = play_yardstick(stream)
    ours = (played.trades, played.volume, played.checksum, resting)
    if ours != theirs:
        raise WrongError(
            f"{name} {x}: trades, volume, checksum, resting are {ours}, the yardstick says {theirs}"
        )
    if len(stream.preload) <= AUDIT_RESTING_MAX:
        wrong = violations(exchange.state)
        if wrong:
            raise WrongError(f"{name} {x}: {wrong[0]}")
    once = len(stream.preload) >= YARDSTICK_ONCE_RESTING
    return Point(x, stream, ready, played.trades, [], [yardstick_s] if once else [])


def timed(name: str, points: list[Point], size: Size, say: Say) -> None:
    """Play every size once per run, both books in turn; note the seconds."""
    runs = size.runs
    for run in range(runs):
        for point in points:
            point.engine_s.append(play_engine(point.ready, point.stream).seconds)
            once = len(point.stream.preload) >= YARDSTICK_ONCE_RESTING
            if run < size.yardstick_runs and not once:
                point.yardstick_s.append(play_yardstick(point.stream)[1])
        told = ", ".join(f"{point.x:,}: {point.ns()[-1]:.0f}" for point in points)
        say(f"{name} run {run + 1}/{runs}, ns/command at {told}")


def streams(size: Size, axis: str, mode: Mode) -> Iterator[tuple[int, DeepStream]]:
    """Make the stream of every size of an axis; "cancels" is one more axis."""
    if axis == "cancels":
        for depth in size.cancels_resting:
            count = min(size.messages, depth // 2)
            yield depth, cancels(count, mode, size.seed, depth, size.at_accounts)
        return
    for x in getattr(size, axis):
        world = {"resting": size.at_resting, "instruments": 1, "accounts": size.at_accounts}
        yield x, deep(size.messages, mode, size.seed, **{**world, axis: x})


def row(point: Point) -> dict[str, Any]:
    """The figures of one size."""
    ns, times = point.ns(), point.times_the_yardstick()
    return {
        "x": point.x,
        "messages": len(point.stream.commands),
        "trades": point.trades,
        "ns_per_command": statistics.median(ns),
        "ns_per_command_spread": spread(ns),
        "yardstick_ns_per_message": statistics.median(point.yardstick_s)
        / len(point.stream.commands)
        * 1e9,
        "times_the_yardstick": ratio(times),
    }


def growth(points: list[Point], since: int) -> list[float]:
    """Cost at the largest size / cost at ``since`` (or the smallest size), run by run."""
    base = next((point for point in points if point.x == since), points[0])
    return [most / least for most, least in zip(points[-1].ns(), base.ns(), strict=True)]


def series(name: str, title: str, x_label: str, points: list[Point]) -> dict[str, Any]:
    """One plot: nanoseconds per command over the size."""
    return {
        "name": name,
        "title": title,
        "x": [point.x for point in points],
        "x_label": x_label,
        "y": [statistics.median(point.ns()) for point in points],
        "y_label": "ns per command",
        "low": [min(point.ns()) for point in points],
        "high": [max(point.ns()) for point in points],
        "log_x": True,
    }


def ask(size: Size, axis: str, mode_name: str, say: Say) -> dict[str, Any]:
    """Measure one axis in one mode; return its rows, its plot and its ratios."""
    name = f"{axis}_{mode_name}"
    mode = MODES[mode_name]
    points = []
    for x, stream in streams(size, axis, mode):
        points.append(checked(name, x, stream, mode))
        say(f"{name} {x:,}: both books agree on {points[-1].trades:,} trades")
    gc.collect()
    timed(name, points, size, say)
    since = GROWTH_FROM_RESTING if axis == "resting" else 0
    what = "cancels at random" if axis == "cancels" else mode_name.replace("_", "–")
    label = AXES.get(axis, AXES["resting"])
    return {
        "rows": [row(point) for point in points],
        "series": series(name, f"Cost of a command as {label} grow: {what}", label, points),
        "growth": ratio(growth(points, since), "lower"),
        "times": ratio(points[-1].times_the_yardstick()),
    }


def measure(size: Size = FULL, say: Say = print) -> dict[str, Any]:
    """Measure all axes in both modes; see the figures in docs/reference/speed.md.

    Raises:
        WrongError: the two books disagree.
    """
    start = time.perf_counter()
    warm_up()
    warmup_s = time.perf_counter() - start
    asked = [(axis, mode) for axis in AXES for mode in MODES]
    with quiet_core() as core:
        found = {f"{axis}_{mode}": ask(size, axis, mode, say) for axis, mode in asked}
        found["cancels"] = ask(size, "cancels", "price_time", say)
    ratios = {f"growth_{name}": one["growth"] for name, one in found.items()}
    for name in ("resting_price_time", "resting_listed", "cancels"):
        ratios[f"times_yardstick_deepest_{name}"] = found[name]["times"]
    figures: dict[str, Any] = {name: stated["value"] for name, stated in ratios.items()}
    for name in ("resting_price_time", "resting_listed", "cancels"):
        figures[f"deepest_{name}_ns_per_command"] = found[name]["rows"][-1]["ns_per_command"]
    return {
        "benchmark": "scaling",
        **figures,
        "ratios": ratios,
        "series": [one["series"] for one in found.values()],
        "rows": {name: one["rows"] for name, one in found.items()},
        "warmup_s": warmup_s,
        "runs": size.runs,
        "messages": size.messages,
        "seed": size.seed,
        "clock": "thread CPU time",
        "core": core,
        "peak_rss_mib": peak_rss_mib(),
        "machine": machine(),
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """One table: a row per size, the growth after the last size of each axis."""
    table = Table(title=f"ns per command, median of {figures['runs']} interleaved runs")
    table.add_column("what grows")
    for head in ("size", "ns/command", "least", "most", "yardstick ns", "times the yardstick"):
        table.add_column(head, justify="right")
    for name, rows in figures["rows"].items():
        for one in rows:
            among = one["ns_per_command_spread"]
            table.add_row(
                name.replace("_", " ", 1).replace("_", "–"),
                f"{one['x']:,}",
                f"{one['ns_per_command']:.0f}",
                f"{among['min']:.0f}",
                f"{among['max']:.0f}",
                f"{one['yardstick_ns_per_message']:.0f}",
                f"{one['times_the_yardstick']['value']:.1f}",
            )
        grown = figures["ratios"][f"growth_{name}"]
        table.add_row(
            "", "", f"[bold]x {grown['value']:.2f}[/bold]", f"{grown['min']:.2f}",
            f"{grown['max']:.2f}", "", "", end_section=True,
        )  # fmt: skip
    console.print(table)
    console.print(
        f"growth of the resting orders counts from {GROWTH_FROM_RESTING:,} (or the smallest size);"
        f" peak memory {figures['peak_rss_mib']:.0f} MiB, warm-up {figures['warmup_s']:.2f} s,"
        f" {figures['machine']['cpu']}"
    )
