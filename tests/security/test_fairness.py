"""One client cannot hurt another (promise P12): storms beside a client that behaves, real sockets.

The venue runs in a process of its own. The client that behaves must lose nothing; its latency is
printed and bounded generously, since the machine of a test has other things to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from gateway.http_lines import DESCRIPTORS_KEPT, REQUEST_WITHIN_S
from gateway.limits import Limits
from tests.security.raw_line import PING, RawLine, framed, raw_line
from tests.security.served_apart import Apart, served_apart
from tests.unit.gateway.inline_desk import order

LIMITS = Limits(
    login_within_ms=1_000, lines_waiting_max=100, abuse_within_s=1.0, lines_per_account_max=8
)
ANSWER_WITHIN_S = 5.0
CLOSED_WITHIN_S = 15.0  # by the kernel after 5 s, or by the venue after 10 s
GROWTH_BYTES_MAX = 256 << 20
IDLE_LINES = 300
VICTIM, SLOW, FLOOD, PINGS = range(4)
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Behaved:
    """Lists, cancels, counts its reports, and notes how long each answer took."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.took_s: list[float] = []
        self.memory_bytes: list[int] = []

    async def trade(self, venue: Apart, until: asyncio.Event) -> None:
        """Go on until told to stop; fails if anything is missing, late or out of order."""
        async with raw_line(venue.url) as line:
            seq = (await line.login(venue.keys[VICTIM]))["report_seq"]
            for n in itertools.count():
                if until.is_set():
                    return
                began = time.monotonic()
                identity = f"{self.name}-{n}"
                line.say(order(identity, price=None, price_ticks=7500 + n % 50))
                told = await line.until("accepted", ANSWER_WITHIN_S)
                assert (told["client_order_id"], told["report_seq"]) == (identity, seq + 1)
                cancel = {"type": "cancel", "client_order_id": f"c-{identity}"}
                line.say(cancel | {"order_no": told["order_no"]})
                gone = await line.until("cancelled", ANSWER_WITHIN_S)
                seq += 2
                assert (gone["order_no"], gone["report_seq"]) == (told["order_no"], seq)
                self.took_s.append((time.monotonic() - began) / 2)
                self.memory_bytes.append(venue.memory_bytes)
                await asyncio.sleep(0.03)

    def told(self) -> str:
        """Return the latencies in words."""
        ranked = sorted(self.took_s)
        half, most = ranked[len(ranked) // 2], ranked[int(len(ranked) * 0.99)]
        peak = max(self.memory_bytes) >> 20
        took = f"p50 {half * 1e3:.1f} ms, p99 {most * 1e3:.1f} ms"
        return f"{self.name}: {len(ranked)} rounds, {took}, {peak} MiB"


@contextlib.asynccontextmanager
async def beside_one_who_behaves(venue: Apart, name: str) -> AsyncIterator[Behaved]:
    """Let the client trade while the block lasts."""
    behaved, over = Behaved(name), asyncio.Event()
    task = asyncio.create_task(behaved.trade(venue, over))
    try:
        yield behaved
    finally:
        over.set()
        await task
    print(behaved.told())
    assert len(behaved.took_s) >= 5


async def slow_reader(venue: Apart) -> str:
    """Asks and does not listen to the answers."""
    async with raw_line(venue.url) as line:
        await line.login(venue.keys[SLOW])
        line.reader._transport.pause_reading()  # type: ignore[attr-defined]
        return await _push(line, b"".join([framed(1, b'{"type":"snapshot"}')] * 50))


async def slow_watcher(venue: Apart) -> str:
    """Subscribes to everything, asks for it again and again, and does not read."""
    async with raw_line(venue.url, "/ws/md") as line:
        line.say({"type": "subscribe", "pace": "every"})
        await line.until("subscribed")
        line.reader._transport.pause_reading()  # type: ignore[attr-defined]
        return await _push(line, b"".join([framed(1, b'{"type":"subscribe"}')] * 50))


async def deaf_pinger(venue: Apart) -> str:
    """Pings and does not read what comes back."""
    async with raw_line(venue.url) as line:
        await line.login(venue.keys[PINGS])
        line.reader._transport.pause_reading()  # type: ignore[attr-defined]
        return await _push(line, framed(PING, b"x" * 125) * 500)


async def _push(line: RawLine, data: bytes) -> str:
    """Send for ever, as fast as it goes; return how the line ended."""
    with contextlib.suppress(OSError):
        async with asyncio.timeout(CLOSED_WITHIN_S):
            while not line.writer.transport.is_closing():
                line.send(data)
                await line.writer.drain()
                await asyncio.sleep(0.005)
    return "closed"


async def flood(venue: Apart) -> str:
    """Sends orders far above its rate and reads the refusals."""
    async with raw_line(venue.url) as line:
        await line.login(venue.keys[FLOOD])
        task = asyncio.create_task(line.gone(CLOSED_WITHIN_S))
        for n in itertools.count():
            line.say(*(order(f"f{n}-{k}", price=None, price_ticks=7000) for k in range(20)))
            await asyncio.sleep(0.01)
            if task.done():
                assert task.result() == 4029
                return "closed"
    raise AssertionError


async def reconnect_storm(venue: Apart) -> str:
    """Comes and goes, a hundred and fifty times, some with a login."""
    for n in range(150):
        with contextlib.suppress(ConnectionRefusedError):
            async with raw_line(venue.url) as line:
                if n % 3 == 0:
                    await line.login(venue.keys[FLOOD + 3 + n % 3])
    return "gone"


async def idle_lines(venue: Apart) -> str:
    """Lines that never log in, more than may wait: some are refused, all are let go in time."""
    refused = 0

    async def idle() -> None:
        nonlocal refused
        try:
            async with raw_line(venue.url) as line:
                assert await line.gone(CLOSED_WITHIN_S) == 4008
        except ConnectionRefusedError:
            refused += 1

    await asyncio.gather(*(idle() for _ in range(LIMITS.lines_waiting_max + 50)))
    assert refused >= 50
    return "closed"


async def idle_watchers(venue: Apart) -> str:
    """Lines of market data that ask for nothing: they cost little, and may stay."""
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(IDLE_LINES):
            await stack.enter_async_context(raw_line(venue.url, "/ws/md"))
        await asyncio.sleep(1)
    return "gone"


async def half_open(venue: Apart) -> str:
    """Connections without a request, with half of one, with one and a byte more: all are cut."""
    heads = (b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"G")
    whole = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"

    async def one(head: bytes) -> None:
        parts = urlsplit(venue.url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(head)
        async with asyncio.timeout(REQUEST_WITHIN_S + ANSWER_WITHIN_S):
            with contextlib.suppress(ConnectionResetError):
                while await reader.read(65536):
                    pass
        writer.transport.abort()

    await asyncio.gather(*(one(head) for head in (*heads, whole, whole + b"G") * 10))
    return "closed"


STORMS: tuple[Callable[[Apart], Awaitable[str]], ...] = (
    *(slow_reader, slow_watcher, deaf_pinger, flood),
    *(reconnect_storm, idle_lines, idle_watchers, half_open),
)


async def test_storms_leave_who_behaves_alone(tmp_path: Path) -> None:
    async with served_apart(tmp_path, 8, LIMITS) as venue:
        async with beside_one_who_behaves(venue, "quiet") as quiet:
            await asyncio.sleep(1.5)
        async with beside_one_who_behaves(venue, "storm") as storm:
            ends = await asyncio.gather(*(each(venue) for each in STORMS))
        assert set(ends) == {"closed", "gone"}
        assert max(storm.took_s) < ANSWER_WITHIN_S
        assert max(storm.memory_bytes) - max(quiet.memory_bytes) < GROWTH_BYTES_MAX
        async with beside_one_who_behaves(venue, "after"):
            await asyncio.sleep(1)
        async with httpx.AsyncClient(base_url=venue.url) as web:
            figures = (await web.get("/metrics")).text
        assert 'tanshi_lines{door="market_data"} 0.0' in figures
        assert 'tanshi_lines{door="trading"} 0.0' in figures


async def test_f14_without_descriptors_new_lines_are_cut_and_old_ones_live(tmp_path: Path) -> None:
    """The venue keeps some for itself: orders are written and keys are made all the while."""
    limits = Limits(lines_waiting_max=10_000, login_within_ms=30_000)
    async with (
        served_apart(tmp_path, 3, limits, descriptors=200) as venue,
        beside_one_who_behaves(venue, "full") as behaved,
        contextlib.AsyncExitStack() as stack,
        raw_line(venue.url) as admin,
    ):
        await admin.login(venue.keys[1])
        cut = 0
        for _ in range(250):
            try:
                await stack.enter_async_context(raw_line(venue.url))
            except (ConnectionRefusedError, ConnectionResetError):
                cut += 1
        assert cut >= 250 - (200 - DESCRIPTORS_KEPT)
        assert venue.descriptors < 200
        rounds = len(behaved.took_s)
        admin.say({"type": "create_key", "client_order_id": "k", "roles": ["viewer"]})
        assert await admin.until("key_issued")
        await asyncio.sleep(0.5)
        assert len(behaved.took_s) > rounds
        await stack.aclose()
        await asyncio.sleep(0.2)
        async with raw_line(venue.url) as late:
            assert await late.login(venue.keys[2])
