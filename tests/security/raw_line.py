"""A WebSocket without manners: frames, pieces of frames and bytes as a test wants them sent."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

from gateway.keys import Key, login_signature

TEXT, BINARY, CLOSE, PING, PONG, CONTINUED = 1, 2, 8, 9, 10, 0


def framed(opcode: int, payload: bytes, *, last: bool = True) -> bytes:
    """Return one masked frame of a client (RFC 6455 5.2); the mask is zeros."""
    size = len(payload)
    if size < 126:
        length = bytes((0x80 | size,))
    elif size < 1 << 16:
        length = b"\xfe" + size.to_bytes(2, "big")
    else:
        length = b"\xff" + size.to_bytes(8, "big")
    return bytes((opcode | (0x80 if last else 0),)) + length + b"\0\0\0\0" + payload


def in_pieces(opcode: int, payload: bytes) -> bytes:
    """Return a message of one byte per frame."""
    parts = [payload[at : at + 1] for at in range(len(payload))] or [b""]
    return b"".join(
        framed(opcode if at == 0 else CONTINUED, part, last=at == len(parts) - 1)
        for at, part in enumerate(parts)
    )


class RawLine:
    """An open connection; ``read`` returns (opcode, payload) of what the venue sends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(self, data: bytes) -> None:
        """Hand bytes to the kernel as far as it takes them."""
        if not self.writer.transport.is_closing():
            self.writer.write(data)

    def say(self, *messages: dict[str, Any]) -> None:
        """Send each message in a text frame of its own."""
        self.send(b"".join(framed(TEXT, json.dumps(each).encode()) for each in messages))

    async def read(self, within_s: float = 10) -> tuple[int, bytes]:
        """Return the next frame, (CLOSE, b"") once the connection is gone."""
        try:
            async with asyncio.timeout(within_s):
                head = await self.reader.readexactly(2)
                size = head[1] & 0x7F
                if size >= 126:
                    size = int.from_bytes(await self.reader.readexactly(2 if size == 126 else 8))
                return head[0] & 0x0F, await self.reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError):
            return CLOSE, b""

    async def heard(self, within_s: float = 10) -> list[Any]:
        """Return the messages of the next data frame, [] at the end of the line."""
        opcode, payload = await self.read(within_s)
        while opcode in (PING, PONG):
            opcode, payload = await self.read(within_s)
        found = json.loads(payload) if opcode == TEXT else []
        return found if isinstance(found, list) else [found]

    async def until(self, kind: str, within_s: float = 10) -> Any:
        """Return the next message of this type, None if the line ends before."""
        async with asyncio.timeout(within_s):
            while found := await self.heard(within_s):
                for each in found:
                    if each["type"] == kind:
                        return each
        return None

    async def login(self, key: Key, **more: Any) -> Any:
        """Log in and return the welcome."""
        challenge = await self.until("challenge")
        self.say(login_message(challenge["nonce"], key, **more))
        return await self.until("welcome")

    async def gone(self, within_s: float = 10) -> int:
        """Read on until the line ends; return its close code, 0 if there was none."""
        async with asyncio.timeout(within_s):
            while True:
                opcode, payload = await self.read(within_s)
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2])


def login_message(nonce: str, key: Key, **more: Any) -> dict[str, Any]:
    """Return a good login, with changes."""
    now_us = time.time_ns() // 1000
    signature = login_signature(key.secret, nonce, now_us)
    own = {"type": "login", "key_id": key.key_id, "time_us": now_us, "signature": signature}
    return own | {"cancel_on_disconnect": False} | more


@contextlib.asynccontextmanager
async def raw_line(url: str, path: str = "/ws/trade", **headers: str) -> AsyncIterator[RawLine]:
    """Open a connection, shake hands, and cut it without a good bye at the end of the block.

    Raises:
        ConnectionError: the venue answered with another status than 101.
    """
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        fields = {
            "Host": f"{parts.hostname}:{parts.port}",
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
            "Sec-WebSocket-Version": "13",
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        lines = [f"GET {path} HTTP/1.1", *(f"{name}: {text}" for name, text in fields.items())]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(10):
            try:
                answer = await reader.readuntil(b"\r\n\r\n")
            except (OSError, asyncio.IncompleteReadError):
                raise ConnectionRefusedError("cut off") from None
        if b" 101 " not in answer.split(b"\r\n")[0]:
            raise ConnectionRefusedError(answer.split(b"\r\n")[0].decode())
        yield RawLine(reader, writer)
    finally:
        writer.transport.abort()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
