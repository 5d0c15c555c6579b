"""Market data to 500 subscribers: does one who never reads cost the others anything?

The venue of ``tanshi serve`` runs in a process and on a core of its own; one account sweeps four
listings at a steady rate, so every command makes four trades, a depth and a quote. All subscribers
check that no trade is missing (``prev``). Rounds with and without a stalled subscriber alternate;
it asks for all there is, and reads nothing. Latency is from the time of the trade, which the venue
gave it before it was durable, to its arrival in this process.
"""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.gateway_line import HANDSHAKE, WrongAnswerError, masked
from benchmarks.gateway_servers import Server, ServerError, cores, journal_folder, pinned, server
from benchmarks.machine import machine, spread
from gateway.client import Client
from gateway.client_market import MarketData
from gateway.client_orders import RefusedError
from gateway.keys import Key
from gateway.messages import Pong
from gateway.publisher import FLUSH_S
from marketdata.messages import Snapshot

ACCOUNTS = 2
LEGS = 4  # trades of a command
LISTED_TONNES = 50_000
WARM_SWEEPS = 60
SETTLE_S = 3.0
RECEIVE_BYTES = 4096  # of the stalled one's socket
FILLING = 4  # replays it asks for
MARKET_DATA = HANDSHAKE.replace(b"/ws/trade", b"/ws/md")

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


QUICK = Size(subscribers=40, rounds=1, seconds=1.0)


class _Told(msgspec.Struct, gc=False):
    type: str
    seq: int = 0
    prev: int = 0
    time_us: int = 0
    trade_seq: int = 0


_read = msgspec.msgpack.Decoder(_Told | list[_Told]).decode
_write = msgspec.msgpack.Encoder().encode


class Crowd:
    """What all subscribers have in common: frames decoded once, latencies, the venue's clock."""

    def __init__(self, offset_ns: int) -> None:
        self.offset_ns = offset_ns  # the venue's clock less the monotonic one
        self.latencies_ns: list[int] = []
        self._known: dict[bytes, list[_Told]] = {}

    def read(self, payload: bytes) -> list[_Told]:
        """Return the messages of a frame; the same bytes come to everybody."""
        found = self._known.get(payload)
        if found is None:
            if len(self._known) > 64:
                self._known.clear()
            content = _read(payload)
            found = content if isinstance(content, list) else [content]
            self._known[payload] = found
        return found


class Reader(asyncio.Protocol):
    """One subscriber that reads: counts trades and checks their chain."""

    def __init__(self, crowd: Crowd, wanted: dict[str, object]) -> None:
        self.last_seq = -1
        self.trades = 0
        self.ready = asyncio.Event()
        self.ended = ""
        self._crowd = crowd
        self._wanted = wanted
        self._held = b""
        self._open = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Shake hands."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(MARKET_DATA)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remember why."""
        self.ended = self.ended or f"the line was lost: {exc}"

    def data_received(self, data: bytes) -> None:
        """Take frames apart."""
        arrived_ns = time.monotonic_ns()
        data = self._held + data
        if not self._open:
            if b"\r\n\r\n" not in data:
                self._held = data
                return
            data = data.split(b"\r\n\r\n", 1)[1]
            self._open = True
            self.transport.write(masked(_write(self._wanted)))
        at = 0
        while (frame := frame_at(data, at)) is not None:
            opcode, begin, at = frame
            if opcode == 9:
                self.transport.write(masked(data[begin:at], 10))
            elif opcode == 2:
                self._messages(data[begin:at], arrived_ns)
        self._held = data[at:]

    def _messages(self, payload: bytes, arrived_ns: int) -> None:
        newest = None
        for message in self._crowd.read(payload):
            if message.type == "trade":
                if message.prev != self.last_seq:
                    self.ended = f"trade {message.seq} after {self.last_seq}, not {message.prev}"
                self.last_seq = message.seq
                self.trades += 1
                newest = message
            elif message.type == "snapshot":
                self.last_seq = message.trade_seq
                self.ready.set()
        if newest is not None:
            latency = arrived_ns + self._crowd.offset_ns - newest.time_us * 1000
            self._crowd.latencies_ns.append(latency)


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


class Stalled:
    """A subscriber that never reads what it asks for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self.socket.settimeout(SETTLE_S)
        self.socket.connect(("127.0.0.1", port))
        self.socket.sendall(MARKET_DATA)
        head = b""
        while not head.endswith(b"\r\n\r\n"):  # frames sent before the answer would be lost
            head += self.socket.recv(1)
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise WrongAnswerError(head.decode("latin-1"))

    def say(self, **message: object) -> None:
        """Send a request."""
        self.socket.sendall(masked(_write(message)))

    def fill(self, epoch: int) -> None:
        """Ask for all there is, again and again, until the line is full."""
        self.say(type="subscribe", epoch=epoch, after=0, pace="every")
        for _ in range(FILLING):
            self.say(type="replay", epoch=epoch, after=0)
            time.sleep(2 * FLUSH_S)

    def let_go(self) -> bool:
        """Whether the venue has hung up by now; reads what is left."""
        self.socket.settimeout(1.0)
        try:
            while self.socket.recv(1 << 16):
                pass
        except TimeoutError:
            return False
        except OSError:
            return True
        finally:
            self.socket.close()
        return True


def frame_at(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Return opcode, begin and end of the payload of the server's frame at ``at``, if whole."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1] & 127, at + 2
    if size >= 126:
        width = 2 if size == 126 else 8
        size, begin = int.from_bytes(data[begin : begin + width], "big"), begin + width
    end = begin + size
    return (data[at] & 15, begin, end) if begin <= len(data) and end <= len(data) else None


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


async def _measure(venue: Server, size: Size, say: Say) -> dict[str, Any]:
    url = f"http://127.0.0.1:{venue.port}"
    keys = [Key(*(*row[:3], tuple(row[3]), *row[4:])) for row in venue.announced["keys"]]
    instrument = venue.announced["instrument"]
    crowd_offset, epoch = await venue_clock(url)
    crowd, loop = Crowd(crowd_offset), asyncio.get_running_loop()
    memory = {"before": rss_mib(venue)}
    wanted: dict[str, object] = {
        "type": "subscribe",
        "instruments": [instrument],
        "channels": ["trade", "depth", "quote"],
        "pace": size.pace,
    }
    lister, taker = (Client(url, key.key_id, key.secret) for key in keys)
    async with lister, taker:
        reference = venue.announced["reference_ticks"]
        listed = [
            await lister.list(instrument, "sell", qty=LISTED_TONNES, price_ticks=reference)
            for _ in range(LEGS)
        ]
        trader = Trader(taker, [each.order_no for each in listed])
        await trader.trade(WARM_SWEEPS / size.sweeps_per_s, size.sweeps_per_s)
        readers = [
            (await loop.create_connection(lambda: Reader(crowd, wanted), "127.0.0.1", venue.port))[
                1
            ]
            for _ in range(size.subscribers)
        ]
        async with asyncio.timeout(30):
            for reader in readers:
                await reader.ready.wait()
        await trader.trade(1.0, size.sweeps_per_s)
        await asyncio.sleep(0.5)
        memory["connected"] = rss_mib(venue)
        rounds: dict[str, list[dict[str, float]]] = {"quiet": [], "stalled": []}
        let_go = 0
        for number in range(size.rounds):
            for kind, done in rounds.items():
                stalled = Stalled(venue.port) if kind == "stalled" else None
                if stalled:
                    await asyncio.to_thread(stalled.fill, epoch)
                busy_s = venue.cpu_s()
                done.append(await _round(readers, crowd, trader, size))
                done[-1]["cpu_us_per_frame"] = (venue.cpu_s() - busy_s) * 1e6 / done[-1]["frames"]
                p50, p99 = done[-1]["p50_ms"], done[-1]["p99_ms"]
                say(f"round {number + 1}/{size.rounds} {kind}: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
                let_go += stalled.let_go() if stalled else 0
        memory["after"] = rss_mib(venue)
        for reader in readers:
            reader.transport.close()
    return _figures(size, rounds, memory, let_go)


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
    figures |= {f"rss_{when}_mib": mib for when, mib in memory.items()}
    return figures | {
        "stalled_let_go": let_go,
        "rounds": size.rounds,
        "seconds": size.seconds,
        "detail": rounds,
        "machine": machine(),
    }


def measure(size: Size | None = None, say: Say = print) -> dict[str, Any]:
    """Run the benchmark; return its figures under the keys of ``tanshi bench fanout --json``.

    Raises:
        LostError: a subscriber that reads did not get every trade.
        ServerError: the venue did not start.
    """
    size = size or Size()
    server_core, client_core = cores()
    core = [] if server_core is None else [server_core]
    with (
        journal_folder(None) as folder,
        pinned(client_core),
        server("benchmarks.gateway_server", folder, ACCOUNTS, *core) as venue,
    ):
        return asyncio.run(_measure(venue, size, say))


def run(quick: bool, pace: str, console: Console) -> dict[str, Any]:
    """Measure and show; return the figures.

    Raises:
        LostError, ServerError, WrongAnswerError: no figure counts.
    """
    if pace not in ("tick", "every"):
        raise LostError(f"there is no pace {pace!r}: tick or every")
    size = replace(QUICK if quick else Size(), pace=pace)
    figures = measure(size, lambda line: console.print(line, style="dim"))
    table = Table(title=f"{size.subscribers} subscribers, pace {pace}, medians of {size.rounds}")
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
    return figures


PROBLEMS = (LostError, ServerError, WrongAnswerError, TimeoutError, OSError)
