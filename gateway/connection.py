"""The rim: pumps frames between a WebSocket and a session; knows nothing of what is in them.

A reader and a writer task per connection. The writer sends all that waits as one frame, so a burst
of reports costs one write. A peer that does not read stops its own writer only, and is let go after
``SEND_WITHIN_S``; the listening socket's TCP_USER_TIMEOUT frees what is buried in the kernel.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from fastapi import WebSocket, WebSocketDisconnect
from starlette.responses import PlainTextResponse

from gateway.codec import CODECS, Codec
from gateway.limits import Limits, Lines
from gateway.protocol import Session
from gateway.publisher import CODECS as MARKET_CODECS
from gateway.publisher import Subscriber
from gateway.sequencer import stop_at_once
from gateway.venue import Venue

logger = logging.getLogger(__name__)

SEND_WITHIN_S = 10.0
PAUSE_MAX_S = 1.0
GONE = (OSError, WebSocketDisconnect, TimeoutError)  # the peer left, or does not read


class Door:
    """Who may come in: pages of these origins, within the limits; counts those who are in."""

    def __init__(self, origins: Iterable[str], limits: Limits) -> None:
        self.origins = frozenset(origins)
        self.limits = limits
        self.trading = Lines(limits)
        self.market_data = Lines(limits)


class Line(Protocol):
    """What both kinds of connection have in common."""

    codec: Codec
    close_code: int
    wake: Callable[[], None]

    @property
    def full(self) -> bool: ...
    @property
    def urgent(self) -> bool: ...
    @property
    def pause_s(self) -> float: ...
    def receive(self, *frames: str | bytes) -> None: ...


class Inlet(Protocol):
    """Where commands go: readers wait while it is crowded."""

    @property
    def crowded(self) -> bool: ...
    async def room(self) -> None: ...


async def serve_trading(socket: WebSocket, venue: Venue, door: Door) -> None:
    """One order-entry connection, from the handshake to its end."""
    address = socket.client.host if socket.client else ""
    if not door.trading.admits(address):
        await _deny(socket, 503, "Too many connections.")
        return
    codec = await agree(socket, CODECS, door.origins)
    if codec is None:
        return
    session = Session(codec, venue.desk, secrets.token_hex(16))

    def frame() -> str | bytes | None:
        waiting = session.output()
        return codec.encode_messages(waiting) if waiting else None

    with door.trading.opened(), _timers(session, door, address):
        try:
            session.open()
            await _pump(socket, session, frame, venue.sequencer)
        finally:
            session.drop()


@contextlib.contextmanager
def _timers(session: Session, door: Door, address: str) -> Iterator[None]:
    """What time does to a session: the login runs out, and then the heart beats."""
    loop = asyncio.get_running_loop()
    door.trading.came(address)
    timer = loop.call_later(door.limits.login_within_ms / 1000, session.login_expired)

    def joined() -> None:
        nonlocal timer
        timer.cancel()
        door.trading.settled(address)
        if session.heartbeat_ms:
            timer = loop.call_later(session.heartbeat_ms / 1000, beat)

    def beat() -> None:
        nonlocal timer
        session.beat()
        timer = loop.call_later(session.heartbeat_ms / 1000, beat)

    session.joined = joined
    try:
        yield
    finally:
        timer.cancel()
        if session.key is None:
            door.trading.settled(address)


async def serve_market_data(socket: WebSocket, venue: Venue, door: Door) -> None:
    """One market-data connection, from the handshake to its end."""
    if not door.market_data.admits(""):
        await _deny(socket, 503, "Too many connections.")
        return
    codec = await agree(socket, MARKET_CODECS, door.origins)
    if codec is None:
        return
    subscriber = Subscriber(codec, venue.publisher)
    venue.publisher.join(subscriber)

    def frame() -> str | bytes | None:
        data = subscriber.output()
        return data if data is None or codec.binary else data.decode()

    with door.market_data.opened():
        try:
            await _pump(socket, subscriber, frame, None)
        finally:
            venue.publisher.leave(subscriber)


async def agree(
    socket: WebSocket, offered: Mapping[str, Codec], origins: frozenset[str]
) -> Codec | None:
    """Accept the handshake and return the encoding agreed on, or refuse it.

    A page of another origin is refused; programs send no Origin. Of the subprotocols that the
    client names the first known one is taken; if it names none, ``json.v1``.
    """
    origin = socket.headers.get("origin")
    if origin is not None and origin not in origins:
        await _deny(socket, 403, "This origin may not connect.")
        return None
    named = socket.scope.get("subprotocols") or []
    known = [name for name in named if name in offered] if named else ["json.v1"]
    if not known:
        choice = " or ".join(offered)
        await _deny(socket, 400, f"Unknown subprotocol; this venue speaks {choice}.")
        return None
    await socket.accept(subprotocol=known[0] if named else None)
    return offered[known[0]]


async def _deny(socket: WebSocket, status: int, text: str) -> None:
    await socket.send_denial_response(PlainTextResponse(text + "\n", status))


async def _pump(
    socket: WebSocket,
    line: Line,
    frame: Callable[[], str | bytes | None],
    inlet: Inlet | None,
) -> None:
    wake, drained, sending = asyncio.Event(), asyncio.Event(), Sending()
    line.wake = wake.set
    wake.set()
    reader = asyncio.create_task(_read(socket, line, drained, inlet))
    writer = asyncio.create_task(_write(socket, line, frame, wake, drained, sending))
    sending.give_up = writer.cancel
    try:
        await asyncio.wait({reader, writer}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        sending.end()
        for task in (reader, writer):
            task.cancel()
        results = await asyncio.gather(reader, writer, return_exceptions=True)
        for result in results:
            if isinstance(result, AssertionError):
                stop_at_once(result)
            if isinstance(result, Exception) and not isinstance(result, GONE):
                logger.error("a connection ended in an error", exc_info=result)


class Sending:
    """When the frame began that is being sent; a look now and then costs less than a timer each."""

    def __init__(self) -> None:
        self.since_s = 0.0
        self.give_up: Callable[[], object] = lambda: (
            None
        )  # a frame is not gone within SEND_WITHIN_S
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(SEND_WITHIN_S / 4, self._look)

    def _look(self) -> None:
        if self.since_s and self._loop.time() - self.since_s > SEND_WITHIN_S:
            self.give_up()
        else:
            self._timer = self._loop.call_later(SEND_WITHIN_S / 4, self._look)

    def end(self) -> None:
        """Look no more."""
        self._timer.cancel()


async def _read(
    socket: WebSocket,
    line: Line,
    drained: asyncio.Event,
    inlet: Inlet | None,
) -> None:
    frames: list[str | bytes] = []
    call_soon = asyncio.get_running_loop().call_soon

    def take() -> None:
        if not frames:
            return  # the reader has taken them: the line is gone
        taken = frames.copy()
        frames.clear()
        try:
            line.receive(*taken)
        except AssertionError as error:
            stop_at_once(error)

    while True:
        message = await socket.receive()  # gives no turn while the server has frames: see ``take``
        if message["type"] != "websocket.receive":
            if frames:
                take()
            return
        text = message.get("text")
        if not frames:
            call_soon(take)
        frames.append(text if text is not None else message["bytes"])
        if line.full:
            drained.clear()
            await drained.wait()
        if (pause_s := line.pause_s) > 0:
            await asyncio.sleep(min(pause_s, PAUSE_MAX_S))
        if inlet is not None and inlet.crowded and not line.urgent:
            await inlet.room()


async def _write(
    socket: WebSocket,
    line: Line,
    frame: Callable[[], str | bytes | None],
    wake: asyncio.Event,
    drained: asyncio.Event,
    sending: Sending,
) -> None:
    now_s = asyncio.get_running_loop().time
    while True:
        await wake.wait()
        wake.clear()
        while (data := frame()) is not None:
            sending.since_s = now_s()
            if isinstance(data, bytes):
                await socket.send_bytes(data)
            else:
                await socket.send_text(data)
            sending.since_s = 0.0
        drained.set()
        if line.close_code:
            await socket.close(line.close_code)
            return
