"""Start a venue on a port and keep it until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from gateway.app import create_app
from gateway.clock import ManualClock
from gateway.folders import CLOCK_FILE
from gateway.http_lines import HttpLine, SocketLine
from gateway.journal.disk import Disk
from gateway.journal.sequencer import Clock
from gateway.limits import Limits
from gateway.market import CEA, Market
from gateway.moving import Mover
from gateway.venue import Venue
from registry.offsets.counter import Counter
from registry.profiles import VOLUNTARY

logger = logging.getLogger(__name__)

FRAME_BYTES_CEILING = 65536  # order entry refuses above 16 KiB in words, the server above this
SEND_BUFFER_BYTES = 128 * 1024
UNACKNOWLEDGED_MS = 5000
STOP_WITHIN_S = 5


@dataclass(frozen=True, kw_only=True)
class Options:
    """How to serve. ``clock`` makes the venue's clock once it is known where the journal ends.

    port 0 takes a free one; ``data_dir`` holds journal, keys and (without ``registry_url``) the
    registry's database; ``references`` are first prices in ticks of vintages by code;
    ``origins`` are web pages that may connect, besides those of the venue itself. ``markets`` are
    served by one process; the first one is ``Running.venue`` and lives in ``data_dir``, others in a
    folder of their name there, each with a journal, keys and a registry of its own. With a TLS
    certificate (PEM, with its chain) and its key only https and wss are spoken.
    """

    clock: Callable[[Venue], Clock]
    host: str = "127.0.0.1"
    port: int = 8000
    data_dir: Path = Path("var/venue")
    registry_url: str | None = None
    references: Mapping[str, int] = field(default_factory=dict)
    origins: tuple[str, ...] = ()
    markets: tuple[Market, ...] = (CEA,)
    disk: Disk | None = None  # None: the system's
    limits: Limits = field(default_factory=Limits)
    tls_certificate: Path | None = None
    tls_key: Path | None = None


@dataclass(frozen=True)
class Running:
    """A venue that serves: ``url`` is http(s)://host:port, ``stop`` ends it."""

    venue: Venue
    host: str
    port: int
    server: uvicorn.Server
    venues: Mapping[str, Venue] = field(default_factory=dict)  # by the market's name
    scheme: str = "http"

    @property
    def url(self) -> str:
        """Where the REST pages are."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def stop(self) -> None:
        """Ask the server to stop; ``running`` returns when it has."""
        self.server.should_exit = True


class _Server(uvicorn.Server):
    """Signals belong to ``run``, so that an embedding program keeps its own."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listening_socket(host: str, port: int) -> socket.socket:
    """Return a bound TCP socket whose connections cannot be held up by a peer that stops reading.

    A stalled peer is cut off by the kernel after UNACKNOWLEDGED_MS, and buries at most about
    SEND_BUFFER_BYTES; a report is sent at once, not held back until the one before it was
    acknowledged (which takes 40 ms where a client has nothing to say). Accepted connections
    inherit all of it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
    made.bind((host, port))
    return made


def server_config(
    app: FastAPI, certificate: Path | None = None, key: Path | None = None
) -> uvicorn.Config:
    """Return how every WebSocket and page of the venue is served."""
    return uvicorn.Config(
        app,
        http=HttpLine,
        ws=SocketLine,
        ws_per_message_deflate=False,
        ws_max_size=FRAME_BYTES_CEILING,
        log_config=None,  # its records go where the venue's go, see gateway.logs
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=STOP_WITHIN_S,
        ssl_certfile=certificate,
        ssl_keyfile=key,
    )


def _recovered(options: Options) -> list[Venue]:
    """Recover every market; if one cannot be, let go of the others."""
    found: list[Venue] = []
    try:
        for market in options.markets:
            first = not found
            folder = options.data_dir if first else options.data_dir / market.name
            url = options.registry_url if first else None
            found.append(Venue.recover(folder, url, market, options.disk))
    except BaseException:
        for venue in found:
            venue.journal.close()
            venue.registry.close()
            venue.history.close()
        raise
    return found


def _connect_registries(venues: Sequence[Venue]) -> None:
    """Let allowances' registries check proofs of cancelled reductions at the other one (RG-12)."""
    for other in venues:
        if other.registry.profile.code == VOLUNTARY.code:
            for venue in venues:
                venue.registry.compliance.proofs = Counter(other.registry.offsets)


@contextlib.asynccontextmanager
async def running(options: Options) -> AsyncIterator[Running]:
    """Recover, start and serve; the port is open when this yields. Stops at the end of the block.

    Raises:
        JournalDamageError, JournalFormatError, JournalLockedError: it must not start.
        OSError: the port is taken, or the certificate cannot be used.
    """
    if options.tls_certificate:  # before anything is begun: the server itself would not tell
        trial = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        trial.load_cert_chain(options.tls_certificate, options.tls_key)
    listening = listening_socket(options.host, options.port)
    try:
        venues = _recovered(options)
    except BaseException:
        listening.close()
        raise
    host, port = listening.getsockname()[:2]
    scheme = "https" if options.tls_certificate else "http"
    own = {f"{scheme}://{name}:{port}" for name in (host, "127.0.0.1", "localhost")}
    _connect_registries(venues)
    clock = options.clock(venues[0])
    for venue in venues:
        venue.desk.limits = options.limits
        await venue.start(clock, options.references)
    if isinstance(clock, ManualClock):
        mover = Mover(clock, venues, options.data_dir / CLOCK_FILE)
        for venue in venues:
            venue.mover = mover
    app = create_app(venues, own | set(options.origins), options.limits)
    server = _Server(server_config(app, options.tls_certificate, options.tls_key))
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        await server.ready.wait()
        by_name = {venue.market.name: venue for venue in venues}
        yield Running(venues[0], host, port, server, by_name, scheme)
    finally:
        for venue in venues:
            venue.desk.close_all("shutting_down")
        await asyncio.sleep(0)
        server.should_exit = True
        await serving
        listening.close()
        for venue in venues:
            await venue.close()


def run(options: Options, *, ready: Callable[[Running], None] = lambda _: None) -> None:
    """Serve until SIGINT or SIGTERM; ``ready`` is called once the port is open."""

    async def main() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stopped.set)
        async with running(options) as venue:
            ready(venue)
            await stopped.wait()

    asyncio.run(main())
