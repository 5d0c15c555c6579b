"""Messages cut from the stream at once are the ones that websockets reads from it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from uvicorn.config import Config
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode
from websockets.http11 import Request

from gateway.frames import awaited, whole_messages
from gateway.http_lines import SocketLine
from gateway.serve import FRAME_BYTES_CEILING

HANDSHAKE = (
    b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
BINARY, TEXT, CONT, PING, CLOSE = (
    Opcode.BINARY,
    Opcode.TEXT,
    Opcode.CONT,
    Opcode.PING,
    Opcode.CLOSE,
)


class TheirLine(SocketLine):
    """The same line, with every frame read by websockets."""

    def handle_connect(self, event: Request) -> None:
        WebSocketsSansIOProtocol.handle_connect(self, event)


class Wire(asyncio.Transport):
    """Keeps what is written; a closed one is not read from."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.closed = False
        self.max_size = 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None: ...
    def resume_reading(self) -> None: ...


async def accepting(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "websocket.accept"})
    with contextlib.suppress(asyncio.CancelledError):
        await asyncio.sleep(60)


def heard(kind: type[SocketLine], parts: list[bytes]) -> tuple[list[Any], bytes, bool]:
    """What a line hands to the application, what it writes, and whether it hangs up."""

    async def play() -> tuple[list[Any], bytes, bool]:
        config = Config(accepting, ws=kind, ws_max_size=FRAME_BYTES_CEILING, ws_ping_interval=None)
        config.load()
        line, wire = kind(config, ServerState(), {}), Wire()
        line.connection_made(wire)
        line.data_received(HANDSHAKE)
        for _ in range(5):
            await asyncio.sleep(0)
        begun = len(wire.written)
        for part in parts:
            if not wire.closed:
                line.data_received(part)
        items = []
        while not line.queue.empty():
            items.append(line.queue.get_nowait())
        for task in line.tasks:
            task.cancel()
        return items, wire.written[begun:], wire.closed

    return asyncio.run(play())


def sent(*frames: tuple[Opcode, bytes, bool]) -> bytes:
    return b"".join(Frame(kind, data, fin).serialize(mask=True) for kind, data, fin in frames)


def message(random: Random) -> bytes:
    size = random.choice((0, 1, 5, 124, 125, 126, 127, 300, 5_000))
    kind = random.choice((BINARY, TEXT))
    return sent((kind, b"t" * size if kind is TEXT else os.urandom(size), True))


def cut(stream: bytes, random: Random) -> Iterator[bytes]:
    at = 0
    while at < len(stream):
        size = random.choice((1, 2, 3, 7, 130, 4_000, 40_000))
        yield stream[at : at + size]
        at += size


PING_NOW = sent((PING, b"are you there", True))
IN_PIECES = sent((TEXT, b"one ", False), (PING, b"", True), (CONT, b"two", True))
GOOD_BYE = sent((CLOSE, b"\x03\xe8", True))
OTHERS = {
    "ping": PING_NOW,
    "pieces": IN_PIECES,
    "close": GOOD_BYE,
    "broken text": sent((TEXT, b"\xff\xfe", True)),
    "unmasked": Frame(BINARY, b"bare").serialize(mask=False),
    "reserved bit": b"\xc2" + sent((BINARY, b"x", True))[1:],
    "reserved opcode": b"\x83" + sent((BINARY, b"x", True))[1:],
    "stray piece": sent((CONT, b"x", True)),
    "long ping": b"\x89\xfe\x00\x7e" + bytes(130),
    "largest": sent((BINARY, bytes(65_535), True)),
    "at the ceiling": sent((BINARY, bytes(65_536), True)),
    "too big": sent((BINARY, bytes(65_537), True)),
    "huge": b"\x82\xff" + b"\x7f" * 8,
}


@pytest.mark.parametrize("other", OTHERS)
def test_both_ways_of_reading_come_to_the_same(other: str) -> None:
    random = Random(other)
    for _ in range(6):
        before, after = ([message(random) for _ in range(random.randrange(4))] for _ in range(2))
        frames = [*before, OTHERS[other], *after]
        stream = b"".join(frames)
        parts = [stream] if random.random() < 0.3 else list(cut(stream, random))
        ours, theirs = heard(SocketLine, parts), heard(TheirLine, frames)
        assert len(ours[0]) >= len(before)
        assert ours == theirs


def test_every_cut_of_a_stream_gives_the_same_messages() -> None:
    stream = sent((BINARY, b"first", True), (TEXT, b"x" * 200, True), (BINARY, b"", True))
    whole, end = whole_messages(stream)
    assert [bytes(each.payload) for each in whole] == [b"first", b"x" * 200, b""]
    assert end == len(stream)
    for at in range(len(stream)):
        begun, used = whole_messages(stream[:at])
        assert awaited(stream[used:at])
        rest, _ = whole_messages(stream[used:])
        assert begun + rest == whole


def test_the_server_takes_what_is_cut_here() -> None:
    assert FRAME_BYTES_CEILING >= 65_535
