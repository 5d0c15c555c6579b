"""How fast does the engine match, with everything on, against a plain Python book in the same run?

The engine does full pre-trade checks, freezes, ledger moves and events for 3,500 accounts; the
yardstick (benchmarks/yardstick.py) only matches. Runs are interleaved, engine and yardstick in
turn, each from the same starting point; the ratio is taken pair by pair. Before any time counts,
both must agree on trades, volume and the checksum (sum of maker order number x quantity).
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.flow import ACCOUNTS, REFERENCE_TICKS, Stream, listed, price_time
from benchmarks.machine import machine, peak_rss_mib, quiet_core, ratio, seconds, spread
from benchmarks.yardstick import PlainBook
from engine.exchange import Exchange, warm_up
from engine.invariants import violations
from engine.records import MARKET_CASH_FEN_MAX, Event, Kind, Mode, Phase, commands
from engine.rulebook import Rulebook, parameter_commands
from engine.state import Array

BATCH = 8_192
DAY = date(2026, 1, 5)
CASH_FEN = 10**15
TONNES = 10**8

Say = Callable[[str], None]


@dataclass(frozen=True)
class Size:
    """``messages`` per stream, ``runs`` of interleaved pairs, the ``seed`` of the streams."""

    messages: int = 1_000_000
    runs: int = 5
    seed: int = 1


FULL = Size()
QUICK = Size(messages=100_000, runs=3)


@dataclass
class Played:
    """What one play of a stream came to."""

    seconds: float
    trades: int
    volume: int
    checksum: int


def prepared(stream: Stream, mode: Mode) -> Exchange:
    """Return an exchange in its morning session with funded accounts and its instruments."""
    accounts = stream.accounts
    exchange = Exchange(accounts_max=accounts, instruments_max=stream.instruments)
    rules = Rulebook.on(DAY)
    state = exchange.state
    _send(exchange, parameter_commands(rules, state.rules, state.instruments))
    admit = commands(stream.instruments)
    admit["kind"], admit["instrument"] = Kind.ADMIT_INSTRUMENT, np.arange(stream.instruments)
    admit["price_ticks"], admit["mode"] = REFERENCE_TICKS, mode
    admit["client_order_id"] = [f"CEA{25 + at}" for at in range(stream.instruments)]
    _send(exchange, admit)
    cash = min(CASH_FEN, MARKET_CASH_FEN_MAX // accounts)
    fundings = [(Kind.OPEN_ACCOUNT, 0, "amount", 0), (Kind.CASH_IN, 0, "amount", cash)]
    fundings += [(Kind.TRANSFER_IN, at, "qty_tonnes", TONNES) for at in range(stream.instruments)]
    for kind, instrument, field, value in fundings:
        batch = commands(accounts)
        batch["kind"], batch["account"] = kind, np.arange(accounts)
        batch["instrument"], batch[field] = instrument, value
        _send(exchange, batch)
    start = commands(2)
    start["kind"] = (Kind.BEGIN_DAY, Kind.SET_PHASE)
    start["ref"] = (int(DAY.strftime("%Y%m%d")), Phase.MORNING)
    _send(exchange, start)
    state.ensure_orders(len(stream.commands))  # a venue makes room for its day before it opens
    state.ensure_trades(len(stream.commands))
    return exchange


def _send(exchange: Exchange, batch: Array) -> None:
    """Number a batch and apply it; nothing in the preparation may be refused."""
    batch["seq"] = exchange.seq + 1 + np.arange(len(batch))
    batch["time_ns"] = batch["seq"]
    events = exchange.apply(batch)
    assert not (events["kind"] == Event.REFUSED).any(), events[events["kind"] == Event.REFUSED]


def play_engine(ready: Exchange, stream: Stream, audit: bool = False) -> Played:
    """Play a stream through a fork of the prepared exchange, batch by batch."""
    exchange = ready.fork()
    stream.commands["seq"] = ready.seq + 1 + np.arange(len(stream.commands))
    stream.commands["time_ns"] = stream.commands["seq"]
    batches = np.split(stream.commands, range(BATCH, len(stream.commands), BATCH))

    def work() -> None:
        for batch in batches:
            exchange.apply(batch)

    took = seconds(work)
    if audit:
        wrong = violations(exchange.state)
        assert not wrong, wrong
    return tally(exchange.trades_today(), took)


def tally(trades: Array, took_s: float) -> Played:
    """Sum trades up (shape (N,), dtype TRADE) as the yardstick does while it plays."""
    taker_sold = trades["taker_side"] == 2
    maker = np.where(taker_sold, trades["buy_order_no"], trades["sell_order_no"])
    qty = trades["qty_tonnes"]
    return Played(took_s, len(trades), int(qty.sum()), int((maker * qty).sum()))


def play_yardstick(stream: Stream) -> Played:
    """Play the same stream through the plain book."""
    book = PlainBook()
    took = seconds(lambda: book.play(stream.messages))
    return Played(took, book.trades, book.volume, book.checksum)


def compare(name: str, stream: Stream, mode: Mode, runs: int, say: Say) -> dict[str, Any]:
    """Cross-check the two books, then time them in turn; return the figures of one mode."""
    ready = prepared(stream, mode)
    ours, theirs = play_engine(ready, stream, audit=True), play_yardstick(stream)
    for figure in ("trades", "volume", "checksum"):
        assert getattr(ours, figure) == getattr(theirs, figure), (name, figure, ours, theirs)
    engine_s, yardstick_s = [], []
    for run in range(runs):
        engine_s.append(play_engine(ready, stream).seconds)
        yardstick_s.append(play_yardstick(stream).seconds)
        say(
            f"{name} run {run + 1}/{runs}: engine {engine_s[-1]:.3f} s,"
            f" yardstick {yardstick_s[-1]:.3f} s"
        )
    count = len(stream.commands)
    ratios = [theirs / ours for ours, theirs in zip(engine_s, yardstick_s, strict=True)]
    return {
        "messages": count,
        "trades": ours.trades,
        "volume": ours.volume,
        "checksum": ours.checksum,
        "ns_per_command": statistics.median(engine_s) / count * 1e9,
        "commands_per_second": count / statistics.median(engine_s),
        "commands_per_second_best": count / min(engine_s),
        "yardstick_ns_per_message": statistics.median(yardstick_s) / count * 1e9,
        "ratio": statistics.median(ratios),
        "ratio_spread": spread(ratios),
        "times": ratio(ratios),
    }


def measure(size: Size = FULL, say: Say = print) -> dict[str, Any]:
    """Run the benchmark; return its figures under the keys of ``tanshi bench matching --json``.

    Raises:
        AssertionError: engine and yardstick disagree, or the books do not add up.
    """
    start = time.perf_counter()
    warm_up()
    warmup_s = time.perf_counter() - start
    say(f"kernels ready after {warmup_s:.2f} s; making {size.messages:,} messages for each book …")
    with quiet_core() as core:
        stream = price_time(size.messages, size.seed)
        book = compare("price_time", stream, Mode.PRICE_TIME, size.runs, say)
        stream = listed(size.messages, size.seed)
        market = compare("listed", stream, Mode.LISTED, size.runs, say)
    return {
        "benchmark": "matching",
        "messages": book["messages"],
        "ns_per_command": book["ns_per_command"],
        "commands_per_second": book["commands_per_second"],
        "yardstick_ratio": book["ratio"],
        "listed_ratio": market["ratio"],
        "listed_commands_per_second": market["commands_per_second"],
        "listed_ns_per_command": market["ns_per_command"],
        "trades": book["trades"],
        "checksum": book["checksum"],
        "ratios": {"price_time": book["times"], "listed": market["times"]},
        "series": [],
        "peak_rss_mib": peak_rss_mib(),
        "warmup_s": warmup_s,
        "seed": size.seed,
        "runs": size.runs,
        "accounts": ACCOUNTS,
        "batch": BATCH,
        "core": core,
        "price_time": book,
        "listed": market,
        "machine": machine(),
    }


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures of both books as a table."""
    table = Table(
        title=f"{figures['messages']:,} messages, median of {figures['runs']} interleaved runs"
    )
    for head in ("book", "ns/command", "commands/s", "yardstick ns", "times the yardstick"):
        table.add_column(head, justify="left" if head == "book" else "right")
    for mode in ("price_time", "listed"):
        row = figures[mode]
        table.add_row(
            mode,
            f"{row['ns_per_command']:.1f}",
            f"{row['commands_per_second']:,.0f}",
            f"{row['yardstick_ns_per_message']:.0f}",
            f"{row['ratio']:.1f}",
        )
    console.print(table)
    console.print(
        f"trades {figures['trades']:,}, checksum {figures['checksum']}, warm-up"
        f" {figures['warmup_s']:.2f} s, peak memory {figures['peak_rss_mib']:.0f} MiB,"
        f" {figures['machine']['cpu']}"
    )
