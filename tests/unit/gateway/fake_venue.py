"""A venue that does as the test says: one script per connection, the protocol's own messages."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import msgspec
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.typing import Subprotocol

from gateway.wire import messages as m
from gateway.wire.codec import MSGPACK

DATE = 20260105
ANY_SEQ = 100  # of the journal, before the first report of the tests


class Talk:
    """One connection, seen from the venue."""

    def __init__(self, socket: ServerConnection) -> None:
        self._socket = socket
        self._heard: list[Any] = []

    async def login(self, report_seq: int = 0, date: int = DATE, seq: int = ANY_SEQ) -> m.Login:
        """Let the client in."""
        await self.say(m.Challenge("nonce", 0, 3000))
        login = await self.hears(m.Login)
        await self.say(m.Welcome(0, date, "morning", seq, report_seq, 0))
        return login

    async def hears(self, *kinds: type) -> Any:
        """Return the next message, which has to be one of ``kinds``; pings are answered."""
        while True:
            while not self._heard:
                frame = await self._socket.recv()
                assert isinstance(frame, bytes)
                self._heard += MSGPACK.decode(frame)
            message = self._heard.pop(0)
            if isinstance(message, kinds):
                return message
            if isinstance(message, m.Ping):
                await self.say(m.Pong(message.ref, 0, 0, 0))
            else:
                assert isinstance(message, m.LimitsRequest), f"unexpected: {message}"

    async def say(self, *messages: msgspec.Struct) -> None:
        await self._socket.send(MSGPACK.encode_messages(messages))

    async def lives(self) -> None:
        """Answer pings until the client leaves."""
        await self.hears(m.Logout)

    def cut(self) -> None:
        self._socket.transport.abort()


Script = Callable[[Talk], Awaitable[None]]


class FakeVenue:
    """Serves ``scripts`` one after the other; ``check`` raises what went wrong in them."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = [*scripts]
        self._problems: list[BaseException] = []
        self._server: Server
        self.connections = 0

    @property
    def url(self) -> str:
        port = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}"

    async def _serve(self, socket: ServerConnection) -> None:
        self.connections += 1
        if not self._scripts:
            socket.transport.abort()
            return
        try:
            await self._scripts.pop(0)(Talk(socket))
        except AssertionError as problem:
            self._problems.append(problem)
            socket.transport.abort()

    def check(self) -> None:
        assert not self._problems, self._problems
        assert not self._scripts, f"{len(self._scripts)} scripts were not played"

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[FakeVenue]:
        serving = serve(
            self._serve, "127.0.0.1", 0, subprotocols=[Subprotocol("msgpack.v1")], compression=None
        )
        async with serving as self._server, asyncio.timeout(20):
            yield self
            self.check()


def accepted(
    number: int, identity: str, *, repeated: bool = False, seq: int = 0, order_no: int = 0
) -> m.Accepted:
    """Report ``number`` about a listing, ``ANY_SEQ`` + ``number`` in the journal."""
    place = seq or ANY_SEQ + number
    terms = (identity, order_no or number, "CEA25", "sell", 8000, 10, 10, 0)
    return m.Accepted(number, place, 0, *terms, repeated=repeated)


def snapshot(report_seq: int, date: int = DATE, seq: int = ANY_SEQ) -> m.Snapshot:
    """An account without anything."""
    return m.Snapshot(0, date, "morning", seq, report_seq, 0, 5, 0, True, 0, [], [])
