"""Market data to 500 subscribers: does one who never reads cost the others anything?

The venue of ``tanshi serve`` runs in a process and on a core of its own; one account sweeps four
listings at a steady rate, so every command makes four trades, a depth and a quote. All subscribers
check that no trade is missing (``prev``). Rounds with and without a stalled subscriber alternate;
it asks for all there is, and reads nothing. Latency is from the time of the trade, which the venue
gave it before it was durable, to its arrival in this process.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.fanout_lines import Crowd, Reader, Stalled
from benchmarks.gateway_line import WrongAnswerError
from benchmarks.gateway_servers import Server, ServerError, cores, journal_folder, pinned, server
from benchmarks.machine import machine, peak_rss_mib, ratio, spread
from gateway.client import Client, MarketData, RefusedError
from gateway.keys import Key
from gateway.wire.messages import Pong
from marketdata.messages import Snapshot

ACCOUNTS = 2
LEGS = 4  # trades of a command
LISTED_TONNES = 50_000
WARM_SWEEPS = 60
SETTLE_S = 3.0
CONNECT_WITHIN_S = 30.0

Say = Callable[[str], None]


class LostError(Exception):
    """A subscriber did not get every trade once and in order: no figure counts."""


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    subscribers: int = 500
    rounds: int = 3  # of each kind
    seconds: float = 6.0
    sweeps_per_s: int = 25
    pace: str = "every"


FULL = Size()
QUICK = Size(subscribers=40, rounds=1, seconds=1.0)


@dataclass
class Trader:
    """A lister with LEGS listings and a taker who sweeps them; counts the trades made."""

    taker: Client
    orders: list[int]
    trades: int = 0

    async def trade(self, seconds: float, per_s: int) -> None:
        """Take a tonne of each listing, at a steady rate."""
        began = time.monotonic()
        for n in range(int(seconds * per_s)):
            await asyncio.sleep(max(0.0, began + n / per_s - time.monotonic()))
            outcomes = await self.taker.sweep([(number, 1) for number in self.orders])
            refused = [each for each in outcomes if isinstance(each, RefusedError)]
            if refused:
                raise WrongAnswerError(str(refused[0]))
            self.trades += LEGS


async def venue_clock(url: str) -> tuple[int, int]:
    """Return the venue's time less this process's monotonic one, in ns, and the feed's epoch."""
    async with MarketData(url, channels=["status"]) as line:
        await line.wait_for(Snapshot)
        guesses = []
        for ref in range(20):
            before = time.monotonic_ns()
            await line.ping(ref)
            pong = await line.wait_for(Pong)
            after = time.monotonic_ns()
            guesses.append((after - before, pong.time_us * 1000 - (before + after) // 2))
        return min(guesses)[1], line.epoch


def rss_mib(server: Server) -> float:
    """Return the memory of the server's process now."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise OSError("the system does not tell the memory of a process")


async def _round(
    readers: list[Reader], crowd: Crowd, trader: Trader, size: Size
) -> dict[str, float]:
    """Trade for a while; check that everybody got every trade; return the latencies in ms."""
    crowd.latencies_ns.clear()
    due = [reader.trades + int(size.seconds * size.sweeps_per_s) * LEGS for reader in readers]
    await trader.trade(size.seconds, size.sweeps_per_s)
    deadline = time.monotonic() + SETTLE_S
    while time.monotonic() < deadline:
        if all(reader.trades >= want for reader, want in zip(readers, due, strict=True)):
            break
        await asyncio.sleep(0.01)
    lost = sum(want - reader.trades for reader, want in zip(readers, due, strict=True))
    ended = [reader.ended for reader in readers if reader.ended]
    if lost or ended:
        raise LostError(f"{lost} trades lost; {ended[:1]}")
    ordered = sorted(crowd.latencies_ns)
    found = {"frames": float(len(ordered)), "lost": float(lost)}
    for name, part in (("p50_ms", 0.5), ("p99_ms", 0.99)):
        found[name] = ordered[min(len(ordered) - 1, int(part * len(ordered)))] / 1e6
    return found


def _itself(reader: Reader) -> Reader:
    return reader


async def _connected(venue: Server, crowd: Crowd, size: Size) -> list[Reader]:
    """Return the subscribers, each with its snapshot."""
    wanted: dict[str, object] = {
        "type": "subscribe",
        "instruments": [venue.announced["instrument"]],
        "channels": ["trade", "depth", "quote"],
        "pace": size.pace,
    }
    loop, readers = asyncio.get_running_loop(), []
    for _ in range(size.subscribers):
        reader = Reader(crowd, wanted)
        await loop.create_connection(partial(_itself, reader), "127.0.0.1", venue.port)
        readers.append(reader)
    async with asyncio.timeout(CONNECT_WITHIN_S):
        for reader in readers:
            await reader.ready.wait()
    return readers


async def _measure(venue: Server, size: Size, say: Say) -> dict[str, Any]:
    url = f"http://127.0.0.1:{venue.port}"
    keys = [Key(*(*row[:3], tuple(row[3]), *row[4:])) for row in venue.announced["keys"]]
    offset_ns, epoch = await venue_clock(url)
    crowd, memory = Crowd(offset_ns), {"before": rss_mib(venue)}
    lister, taker = (Client(url, key.key_id, key.secret) for key in keys)
    async with lister, taker:
        goods = (venue.announced["instrument"], "sell")
        price = venue.announced["reference_ticks"]
        listed = [
            await lister.list(*goods, qty=LISTED_TONNES, price_ticks=price) for _ in range(LEGS)
        ]
        trader = Trader(taker, [each.order_no for each in listed])
        began = time.perf_counter()
        await trader.trade(WARM_SWEEPS / size.sweeps_per_s, size.sweeps_per_s)
        readers = await _connected(venue, crowd, size)
        await trader.trade(1.0, size.sweeps_per_s)
        await asyncio.sleep(0.5)
        warmup_s = time.perf_counter() - began
        memory["connected"] = rss_mib(venue)
        rounds: dict[str, list[dict[str, float]]] = {"quiet": [], "stalled": []}
        let_go = 0
        for number in range(size.rounds):
            for kind, done in rounds.items():
                stalled = Stalled(venue.port) if kind == "stalled" else None
                if stalled:
                    await asyncio.to_thread(stalled.fill, epoch)
                busy_s = venue.cpu_s()
                done.append(found := await _round(readers, crowd, trader, size))
                found["cpu_us_per_frame"] = (venue.cpu_s() - busy_s) * 1e6 / found["frames"]
                figures = f"p50 {found['p50_ms']:.2f} ms, p99 {found['p99_ms']:.2f} ms"
                say(f"round {number + 1}/{size.rounds} {kind}: {figures}")
                let_go += stalled.let_go() if stalled else 0
        memory["after"] = rss_mib(venue)
        peak_mib = peak_rss_mib(venue.process.pid)
        for reader in readers:
            reader.transport.close()
    found = _figures(size, rounds, memory, let_go)
    return found | {"warmup_s": warmup_s, "peak_rss_mib": peak_mib}


def _figures(
    size: Size, rounds: dict[str, list[dict[str, float]]], memory: dict[str, float], let_go: int
) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "benchmark": "fanout",
        "subscribers": size.subscribers,
        "pace": size.pace,
        "trades_per_second": size.sweeps_per_s * LEGS,
        "lost": int(sum(each["lost"] for done in rounds.values() for each in done)),
    }
    for kind, done in rounds.items():
        for name in ("p50_ms", "p99_ms", "cpu_us_per_frame"):
            figures[f"{name}_{kind}"] = statistics.median(each[name] for each in done)
    pairs = zip(rounds["quiet"], rounds["stalled"], strict=True)
    ratios = [stalled["p99_ms"] / quiet["p99_ms"] for quiet, stalled in pairs]
    figures["p99_ratio"] = statistics.median(ratios)
    figures["p99_ratio_spread"] = spread(ratios)
    figures["ratios"] = {"stalled_p99": ratio(ratios, "lower")}
    figures |= {f"rss_{when}_mib": mib for when, mib in memory.items()}
    return figures | {
        "stalled_let_go": let_go,
        "series": [],
        "rounds": size.rounds,
        "runs": size.rounds,
        "seconds": size.seconds,
        "detail": rounds,
        "machine": machine(),
    }


def measure(size: Size = FULL, say: Say = print) -> dict[str, Any]:
    """Run the benchmark; return its figures under the keys of ``tanshi bench fanout --json``.

    Raises:
        LostError: a subscriber that reads did not get every trade; there is no such pace.
        ServerError: the venue did not start.
        WrongAnswerError: an order was refused.
    """
    if size.pace not in ("tick", "every"):
        raise LostError(f"there is no pace {size.pace!r}: tick or every")
    server_core, client_core = cores()
    core = [] if server_core is None else [server_core]
    with (
        journal_folder(None) as folder,
        pinned(client_core),
        server("benchmarks.gateway_server", folder, ACCOUNTS, *core) as venue,
    ):
        return asyncio.run(_measure(venue, size, say)) | {"core": server_core}


def show(figures: dict[str, Any], console: Console) -> None:
    """Print the figures as a table."""
    title = f"{figures['subscribers']} subscribers, pace {figures['pace']}"
    table = Table(title=f"{title}, medians of {figures['rounds']}")
    for head in ("", "p50 ms", "p99 ms", "server us/frame"):
        table.add_column(head, justify="right" if head else "left")
    for kind in ("quiet", "stalled"):
        names = ("p50_ms", "p99_ms", "cpu_us_per_frame")
        values = (figures[f"{name}_{kind}"] for name in names)
        table.add_row(kind, *(f"{value:.2f}" for value in values))
    console.print(table)
    rss = (figures[f"rss_{when}_mib"] for when in ("before", "connected", "after"))
    console.print(
        f"trades lost {figures['lost']}; p99 with a stalled one is {figures['p99_ratio']:.2f}"
        " of the quiet one;"
        f" memory {' / '.join(f'{mib:.0f}' for mib in rss)} MiB before, connected, after;"
        f" {figures['machine']['cpu']}"
    )


PROBLEMS = (LostError, ServerError, WrongAnswerError, TimeoutError, OSError)
