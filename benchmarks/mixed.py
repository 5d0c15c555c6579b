"""A whole market's afternoon in one stream: listed agreement, bulk agreement, one-way bidding.

Two mixes: a busy day, and a day heavy in negotiated trading. Shares are a choice of this benchmark:
a busy day of the real market has thousands of listings for every hundred bulk deals. The engine
plays everything; the plain Python book plays the listed part, which is all it knows. Before a time
counts, trades, tonnes and turnover of every modality must be those that the maker of the stream
counted by the rule, the listed part must agree with the plain book, and the books must be sound
(invariants, among them the conservation of money and tonnes). Seconds are CPU time, as in
benchmarks/scaling.py.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.flow_mixed import Mix, MixedStream, Sums, mixed
from benchmarks.machine import machine, peak_rss_mib, quiet_core, ratio, spread
from benchmarks.matching import _send, tally
from benchmarks.scaling import Play, WrongError, filled, play_engine, play_yardstick
from engine.exchange import Exchange, warm_up
from engine.invariants import violations
from engine.records import Kind, Modality, Mode, Phase, commands
from engine.state import Array

Say = Callable[[str], None]

PROBLEMS = (WrongError,)
MIXES = {"busy": Mix(bulk=0.045, bidding=0.005), "negotiated": Mix(bulk=0.4, bidding=0.1)}
SLICES = 20  # calls a day is played in: the points of its plot
FIFTH = SLICES // 5


@dataclass(frozen=True)
class Size:
    """``messages`` of the busy day, ``negotiated_messages`` of the other; ``resting`` listings."""

    messages: int = 200_000
    negotiated_messages: int = 20_000
    runs: int = 5
    seed: int = 1
    resting: int = 2_000
    accounts: int = 3_500


FULL = Size()
QUICK = Size(messages=20_000, negotiated_messages=2_000, runs=3)


class ClockedExchange(Exchange):
    """An exchange with a clock around every command of plain Python."""

    spent_s: dict[int, float]

    def _apply_cold(self, command: Array, events: Array, n: int) -> tuple[Array, int]:
        start = time.thread_time()
        after = super()._apply_cold(command, events, n)
        kind = int(command["kind"])
        self.spent_s[kind] = self.spent_s.get(kind, 0.0) + time.thread_time() - start
        return after

    def fork(self) -> ClockedExchange:
        """Return an independent exchange in the same state, its clock at zero."""
        return clocked(self)


def clocked(exchange: Exchange) -> ClockedExchange:
    """Return a fork whose commands of plain Python are clocked."""
    twin = ClockedExchange.__new__(ClockedExchange)
    twin.state = exchange.state.copy()
    twin.spent_s = {}
    return twin


@dataclass
class Day:
    """One mix: its stream, the exchange in the afternoon, the plays of every run."""

    name: str
    stream: MixedStream
    ready: Exchange
    plays: list[Play] = field(default_factory=list)
    listed_s: list[float] = field(default_factory=list)
    yardstick_s: list[float] = field(default_factory=list)

    @property
    def slice(self) -> int:
        """Commands a call."""
        return -(-len(self.stream.commands) // SLICES)


def made(name: str, stream: MixedStream) -> Day:
    """Return a stream with an exchange to play it in: afternoon, everything rests."""
    ready = filled(stream, Mode.LISTED)
    phases = commands(2)
    phases["kind"], phases["ref"] = Kind.SET_PHASE, (Phase.LUNCH, Phase.AFTERNOON)
    _send(ready, phases)
    return Day(name, stream, ready)


def stream_of(name: str, size: Size) -> MixedStream:
    """Make the stream of a mix."""
    count = size.messages if name == "busy" else size.negotiated_messages
    return mixed(count, MIXES[name], size.seed, size.resting, size.accounts)


def check(day: Day) -> Play:
    """Play everything once and compare; return the play.

    Raises:
        WrongError: a refusal, other sums than the maker's, other listed deals than the plain
            book's, or unsound books.
    """
    play = play_engine(day.ready, day.stream, day.slice)
    if play.refused:
        raise WrongError(f"{day.name}: the engine refused {play.refused} commands")
    trades = play.exchange.trades_today()
    for modality, expected in day.stream.expected.items():
        found = sums(trades[trades["modality"] == modality])
        if found != expected:
            raise WrongError(
                f"{day.name} {modality.name}: trades, tonnes, fen are {found},"
                f" the maker of the stream counted {expected}"
            )
    ours = tally(trades[trades["modality"] == Modality.LISTED], 0.0)
    theirs = play_yardstick(day.stream)[0][:3]
    if (ours.trades, ours.volume, ours.checksum) != theirs:
        raise WrongError(f"{day.name}: listed deals are {ours}, the yardstick says {theirs}")
    wrong = violations(play.exchange.state)
    if wrong:
        raise WrongError(f"{day.name}: {wrong[0]}")
    return play


def sums(trades: Array) -> Sums:
    """Trades, tonnes and turnover of some trades (shape (N,), dtype TRADE)."""
    qty, prices = trades["qty_tonnes"], trades["price_ticks"].astype(np.int64)
    return len(trades), int(qty.sum()), int((qty * prices).sum())


def kinds(day: Day) -> dict[str, dict[str, float]]:
    """Count and mean nanoseconds of every kind of plain Python, from a play with a clock.

    "between": what a listed-only play and those clocks leave unexplained, per such command:
    leaving the compiled loop and entering it again.
    """
    exchange = clocked(day.ready)
    play = play_engine(exchange, day.stream, day.slice)
    spent = getattr(play.exchange, "spent_s", {})
    count = {kind: int((day.stream.commands["kind"] == kind).sum()) for kind in spent}
    told = {
        Kind(kind).name: {"count": count[kind], "ns_per_command": spent[kind] / count[kind] * 1e9}
        for kind in sorted(spent)
    }
    alone = statistics.median(day.listed_s)
    told["listed"] = {
        "count": len(day.stream.messages),
        "ns_per_command": alone / len(day.stream.messages) * 1e9,
    }
    cold = sum(count.values())
    between = max(0.0, play.seconds - sum(spent.values()) - alone)
    told["between"] = {"count": cold, "ns_per_command": between / cold * 1e9}
    return told


def figures_of(day: Day) -> dict[str, Any]:
    """The figures of one mix."""
    count, listed = len(day.stream.commands), len(day.stream.messages)
    engine_s = [play.seconds for play in day.plays]
    theirs = zip(day.yardstick_s, engine_s, strict=True)
    alone = zip(engine_s, day.listed_s, strict=True)
    grown = [
        statistics.mean(play.calls_s[-FIFTH:]) / statistics.mean(play.calls_s[:FIFTH])
        for play in day.plays
    ]
    return {
        "messages": count,
        "listed_messages": listed,
        "deals": {m.name.lower(): sums[0] for m, sums in day.stream.expected.items()},
        "ns_per_command": statistics.median(engine_s) / count * 1e9,
        "ns_per_command_spread": spread([took / count * 1e9 for took in engine_s]),
        "commands_per_second": count / statistics.median(engine_s),
        "yardstick_listed_ns_per_message": statistics.median(day.yardstick_s) / listed * 1e9,
        "kinds": kinds(day),
        "ratios": {
            f"{day.name}_times_yardstick_of_listed_part": ratio([y / e for y, e in theirs]),
            f"{day.name}_negotiated_in_listed_commands": ratio(
                [(e - a) / (count - listed) / (a / listed) for e, a in alone], "lower"
            ),
            f"{day.name}_last_fifth_of_day_by_first": ratio(grown, "lower"),
        },
    }


def series(day: Day) -> dict[str, Any]:
    """Cost of a command as the day goes on."""
    ends = np.minimum(np.arange(1, SLICES + 1) * day.slice, len(day.stream.commands))
    sizes = np.diff(ends, prepend=0)
    ns = np.array([play.calls_s for play in day.plays]) / sizes * 1e9
    return {
        "name": f"mixed_{day.name}",
        "title": f"Cost of a command as the {day.name} day goes on",
        "x": ends.tolist(),
        "x_label": "commands of the day",
        "y": np.median(ns, axis=0).tolist(),
        "y_label": "ns per command",
        "low": ns.min(axis=0).tolist(),
        "high": ns.max(axis=0).tolist(),
        "log_x": False,
    }


def measure(size: Size = FULL, say: Say = print) -> dict[str, Any]:
    """Measure both mixes.

    Raises:
        WrongError: a figure of the engine is not what it must be.
    """
    start = time.perf_counter()
    warm_up()
    warmup_s = time.perf_counter() - start
    with quiet_core() as core:
        days = [made(name, stream_of(name, size)) for name in MIXES]
        for day in days:
            check(day)
            say(f"{day.name}: all deals are as counted, the books are sound")
        for run in range(size.runs):
            for day in days:
                day.plays.append(play_engine(day.ready, day.stream, day.slice))
                day.listed_s.append(play_engine(day.ready, day.stream.alone).seconds)
                day.yardstick_s.append(play_yardstick(day.stream)[1])
                ns = day.plays[-1].seconds / len(day.stream.commands) * 1e9
                say(f"{day.name} run {run + 1}/{size.runs}: {ns:,.0f} ns/command")
        found = {day.name: figures_of(day) for day in days}
    flat = {
        f"{name}_{key}": one[key]
        for name, one in found.items()
        for key in ("commands_per_second", "ns_per_command")
    }
    return {
        "benchmark": "mixed",
        **flat,
        "ratios": {key: value for one in found.values() for key, value in one["ratios"].items()},
        "series": [series(day) for day in days],
        **found,
        "warmup_s": warmup_s,
        "runs": size.runs,
        "seed": size.seed,
        "clock": "thread CPU time",
        "core": core,
        "peak_rss_mib": peak_rss_mib(),
        "machine": machine(),
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """A table of the two mixes and one of the kinds of command."""
    table = Table(title=f"One exchange, three modalities, {figures['runs']} interleaved runs")
    table.add_column("day")
    for head in ("commands", "commands/s", "ns/command", "times the yardstick's listed part"):
        table.add_column(head, justify="right")
    for name in MIXES:
        one = figures[name]
        times = one["ratios"][f"{name}_times_yardstick_of_listed_part"]["value"]
        table.add_row(
            name,
            f"{one['messages']:,}",
            f"{one['commands_per_second']:,.0f}",
            f"{one['ns_per_command']:,.0f}",
            f"{times:.3f}",
        )
    console.print(table)
    table = Table(title="ns per command, by kind")
    table.add_column("kind")
    for name in MIXES:
        table.add_column(f"{name}: count", justify="right")
        table.add_column("ns", justify="right")
    for kind in figures["negotiated"]["kinds"]:
        cells = []
        for name in MIXES:
            row = figures[name]["kinds"].get(kind, {"count": 0, "ns_per_command": 0.0})
            cells += [f"{row['count']:,}", f"{row['ns_per_command']:,.0f}"]
        table.add_row(kind.lower().replace("_", " "), *cells)
    console.print(table)
    console.print(
        f"peak memory {figures['peak_rss_mib']:.0f} MiB, warm-up {figures['warmup_s']:.2f} s,"
        f" {figures['machine']['cpu']}"
    )
