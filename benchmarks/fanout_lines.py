"""The subscribers of the fan-out benchmark: those who read and check, and one who stalls."""

from __future__ import annotations

import asyncio
import socket
import time

import msgspec

from benchmarks.gateway_line import HANDSHAKE, WrongAnswerError, masked
from gateway.publisher import FLUSH_S

ANSWER_WITHIN_S = 3.0
RECEIVE_BYTES = 4096  # of the stalled one's socket
FILLING = 4  # replays it asks for
MARKET_DATA = HANDSHAKE.replace(b"/ws/trade", b"/ws/md")


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


class Stalled:
    """A subscriber that never reads what it asks for."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
        self.socket.settimeout(ANSWER_WITHIN_S)
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
