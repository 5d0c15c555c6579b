"""One logged-in WebSocket connection: messages in, messages out."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any, Self

import msgpack
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from gateway import messages as m
from gateway.client.answers import plain
from gateway.client.errors import LineLostError, RefusedError
from gateway.keys import login_signature

MSGPACK = Subprotocol("msgpack.v1")
Messages = list[Any]


def endpoint(url: str, path: str, scheme: str) -> str:
    """Return ``url`` (ws://, http://, with or without a path) with another scheme and path."""
    head, _, rest = url.partition("://")
    secure = "s" if head in {"wss", "https"} else ""
    return f"{scheme}{secure}://{rest.split('/')[0]}{path}"


@dataclass(frozen=True, kw_only=True)
class Login:
    """How to log in: the key, and what the venue shall do about a lost line."""

    key_id: str
    secret: str
    cancel_on_disconnect: bool
    grace_ms: int
    heartbeat_ms: int

    def answer(self, challenge: m.Challenge) -> m.Login:
        """Return the message that answers the venue's challenge."""
        now_us = time.time_ns() // 1000
        return m.Login(
            key_id=self.key_id,
            time_us=now_us,
            signature=login_signature(self.secret, challenge.nonce, now_us),
            cancel_on_disconnect=self.cancel_on_disconnect,
            grace_ms=self.grace_ms,
            heartbeat_ms=self.heartbeat_ms,
        )


def packed(*messages: m.Inbound) -> bytes:
    """Return one frame.

    Raises:
        RefusedError: ``frame_too_big``; the venue would close the line.
    """
    maps = plain(messages)
    data: bytes = msgpack.packb(maps[0] if len(maps) == 1 else maps)
    if len(data) > m.FRAME_BYTES_MAX:
        identity = maps[0].get("client_order_id", "") if len(maps) == 1 else ""
        raise RefusedError("frame_too_big", "A frame holds at most 16 KiB.", "", str(identity)[:32])
    return data


class Wire:
    """A connection; ``heard_s`` is when the venue last said something, by the loop's clock."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ahead: Messages = []
        self.heard_s = 0.0
        self.welcome: m.Welcome

    @classmethod
    async def open(cls, address: str, login: Login) -> Self:
        """Connect and log in.

        Raises:
            RefusedError: the key or the signature is not right, or there are too many lines.
            OSError: nobody listens at the address. LineLostError: it went away meanwhile.
        """
        try:
            socket = await connect(address, subprotocols=[MSGPACK], compression=None, max_size=None)
        except InvalidHandshake as error:
            raise LineLostError(str(error)) from error
        except EOFError as error:
            raise LineLostError("cut in the handshake") from error
        wire = cls(socket)
        try:
            await wire._log_in(login)
        except BaseException:
            await socket.close()
            raise
        return wire

    async def _log_in(self, login: Login) -> None:
        challenge, *_ = await self.receive()
        assert isinstance(challenge, m.Challenge), "the venue speaks first"
        await self.send(login.answer(challenge))
        first, *self._ahead = await self.receive()
        if not isinstance(first, m.Welcome):
            raise RefusedError(getattr(first, "code", ""), getattr(first, "reason", str(first)))
        self.welcome = first

    async def send(self, *messages: m.Inbound) -> None:
        """Send one frame.

        Raises:
            LineLostError: the connection has ended.
        """
        try:
            await self._socket.send(packed(*messages))
        except ConnectionClosed as closed:
            raise LineLostError(str(closed)) from closed

    async def receive(self) -> Messages:
        """Return the messages of the next frame.

        Raises:
            LineLostError: the connection has ended.
        """
        if self._ahead:
            found, self._ahead = self._ahead, []
            return found
        try:
            content = msgpack.unpackb(await self._socket.recv())
        except ConnectionClosed as closed:
            raise LineLostError(str(closed)) from closed
        self.heard_s = asyncio.get_running_loop().time()
        found = [content] if isinstance(content, dict) else content
        return [msgspec.convert(each, m.Message) for each in found]

    async def close(self) -> None:
        """End the connection in an orderly way."""
        await self._socket.close()

    def abort(self) -> None:
        """End the connection at once, as if the network had broken."""
        self._socket.transport.abort()
