"""The load client's side of a WebSocket: raw sockets, frames made and masked beforehand.

While a stretch is timed, answers are only counted, by a field that each report has once; afterwards
every one of them is decoded and held against what was sent. So the client stays far cheaper than
what it measures, and nothing is taken on trust.
"""

from __future__ import annotations

import selectors
import socket
import struct
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec
from websockets.utils import apply_mask

from gateway.keys import Key, login_signature

MASK = b"\x5a\xa5\x3c\xc3"
COUNTED = b"\xa8order_no"  # MessagePack of the field that every report has exactly once
READ_BYTES = 1 << 18
WITHIN_S = 60.0
PING, PONG, CLOSE = 9, 10, 8


def handshake(path: str, host: str = "localhost", subprotocol: str = "msgpack.v1") -> bytes:
    """Return the request that opens a WebSocket (RFC 6455, 4.1)."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: {host}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Protocol: {subprotocol}",
    )
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode("ascii")


HANDSHAKE = handshake("/ws/trade")


class WrongAnswerError(Exception):
    """The server did not answer every order exactly once, or not in time: no figure counts."""


class Answer(msgspec.Struct, gc=False):
    """What of a server's message is checked."""

    type: str
    client_order_id: str = ""
    request_id: str = ""
    order_no: int = 0
    seq: int = 0
    report_seq: int = 0
    nonce: str = ""
    code: str = ""


Expected = Sequence[tuple[str, str]]  # type of the answer, id of what it answers

_read = msgspec.msgpack.Decoder(Answer | list[Answer]).decode
_write = msgspec.msgpack.Encoder().encode


def masked(payload: bytes, opcode: int = 2) -> bytes:
    """Return one final client frame (RFC 6455, 5.2) of up to 65,535 bytes."""
    size = len(payload)
    head = bytes((0x80 | opcode,))
    head += bytes((0x80 | size,)) if size < 126 else b"\xfe" + struct.pack(">H", size)
    return head + MASK + apply_mask(payload, MASK)


def frames(messages: Sequence[dict[str, object]], per_frame: int) -> list[bytes]:
    """Return masked frames of one message each, or of arrays of ``per_frame`` messages."""
    if per_frame == 1:
        return [masked(_write(message)) for message in messages]
    return [
        masked(_write(messages[at : at + per_frame])) for at in range(0, len(messages), per_frame)
    ]


class Line:
    """One connection; ``key`` logs in, None where the server asks for nothing."""

    def __init__(self, port: int, key: Key | None) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=WITHIN_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""
        self.socket.sendall(HANDSHAKE)
        while b"\r\n\r\n" not in self._held:
            self._more()
        head, self._held = self._held.split(b"\r\n\r\n", 1)
        if b" 101 " not in head.split(b"\r\n", 1)[0]:
            raise WrongAnswerError(head.decode("latin-1"))
        if key is not None:
            self._login(key)

    def _login(self, key: Key) -> None:
        (challenge,) = self.answers(1)
        now_us = time.time_ns() // 1000
        signature = login_signature(key.secret, challenge.nonce, now_us)
        self.tell(
            {"type": "login", "key_id": key.key_id, "time_us": now_us, "signature": signature}
        )
        (welcome,) = self.answers(1)
        if welcome.type != "welcome":
            raise WrongAnswerError(f"login: {welcome}")

    def tell(self, message: dict[str, object]) -> None:
        """Send one message."""
        self.socket.sendall(masked(_write(message)))

    def ask(self, message: dict[str, object]) -> Answer:
        """Send one message and return its one answer."""
        self.tell(message)
        (answer,) = self.answers(1)
        return answer

    def answers(self, count: int) -> list[Answer]:
        """Return the next ``count`` messages, waiting for them."""
        found = self.taken()
        while len(found) < count:
            self._more()
            found += self.taken()
        if len(found) != count:
            raise WrongAnswerError(f"{len(found)} messages instead of {count}: {found[-1]}")
        return found

    def taken(self, read: Iterable[bytes] = ()) -> list[Answer]:
        """Return the whole messages that have arrived; pings are answered."""
        data = self._held + b"".join(read)
        found: list[Answer] = []
        at = 0
        while (frame := frame_at(data, at)) is not None:
            opcode, begin, at = frame
            if opcode == CLOSE:
                raise WrongAnswerError(f"the server closed: {data[begin:at]!r}")
            if opcode == PING:
                self.socket.sendall(masked(data[begin:at], PONG))
                continue
            message = _read(data[begin:at])
            found += message if isinstance(message, list) else [message]
        self._held = data[at:]
        return found

    def tend(self) -> None:
        """Answer pings while nothing is played: an idle line is given up else."""
        self.socket.setblocking(False)
        try:
            self._more()
        except BlockingIOError:
            pass
        finally:
            self.socket.settimeout(WITHIN_S)
        if unasked := self.taken():
            raise WrongAnswerError(f"nobody asked for {unasked[0]}")

    def _more(self) -> None:
        read = self.socket.recv(READ_BYTES)
        if not read:
            raise WrongAnswerError("the server hung up")
        self._held += read

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


def frame_at(data: bytes, at: int) -> tuple[int, int, int] | None:
    """Return opcode, begin and end of the payload of the server's frame at ``at``, if whole."""
    if len(data) < at + 2:
        return None
    size, begin = data[at + 1] & 127, at + 2
    if size >= 126:
        width = 2 if size == 126 else 8
        if len(data) < begin + width:
            return None
        size = int.from_bytes(data[begin : begin + width], "big")
        begin += width
    end = begin + size
    return (data[at] & 15, begin, end) if end <= len(data) else None


@dataclass(frozen=True)
class Stretch:
    """A timed stretch: wall and client CPU seconds, and what each line was answered."""

    seconds: float
    client_cpu_s: float
    answers: list[list[Answer]]


class Lane:
    """A line's progress in a stretch. ``window``: orders in flight at most."""

    def __init__(self, line: Line, made: list[bytes], per_frame: int, window: int) -> None:
        self.line = line
        self.frames = made
        self.per_frame = per_frame
        self.ahead = max(1, window // per_frame)  # frames in flight
        self.sent = 0
        self.counted = 0
        self.read: list[bytes] = []
        self._tail = b""
        self._unsent = b""

    def push(self) -> None:
        """Send as much as the window allows, in one piece."""
        upto = min(len(self.frames), self.counted // self.per_frame + self.ahead)
        if upto > self.sent or self._unsent:
            data = self._unsent + b"".join(self.frames[self.sent : upto])
            self.sent = upto
            try:
                taken = self.line.socket.send(data)
            except BlockingIOError:
                taken = 0
            self._unsent = data[taken:]

    def pull(self) -> None:
        """Read what there is and count reports, also one that two reads share."""
        data = self.line.socket.recv(READ_BYTES)
        if not data:
            raise WrongAnswerError("the server hung up")
        self.read.append(data)
        seam = self._tail + data[: len(COUNTED) - 1]
        self.counted += data.count(COUNTED) + seam.count(COUNTED)
        self._tail = (self._tail + data)[-(len(COUNTED) - 1) :]


def play(
    lines: Sequence[Line], made: Sequence[list[bytes]], orders: int, per_frame: int, window: int
) -> Stretch:
    """Send ``orders`` per line, at most ``window`` unanswered; return when all are answered.

    Raises:
        WrongAnswerError: it takes longer than WITHIN_S.
    """
    lanes = [Lane(line, own, per_frame, window) for line, own in zip(lines, made, strict=True)]
    with selectors.DefaultSelector() as selector:
        for lane in lanes:
            lane.line.socket.setblocking(False)
            selector.register(lane.line.socket, selectors.EVENT_READ, lane)
        busy, began = time.process_time(), time.perf_counter()
        _run(selector, lanes, orders, began + WITHIN_S)
        seconds, cpu_s = time.perf_counter() - began, time.process_time() - busy
    for line in lines:
        line.socket.settimeout(WITHIN_S)
    return Stretch(seconds, cpu_s, [lane.line.taken(lane.read) for lane in lanes])


def _run(selector: selectors.BaseSelector, lanes: list[Lane], orders: int, deadline: float) -> None:
    for lane in lanes:
        lane.push()
    open_lanes = len(lanes)
    while open_lanes:
        ready = selector.select(1.0)
        if not ready and time.perf_counter() > deadline:
            short = next(lane for lane in lanes if lane.counted < orders)
            last = short.line.taken(short.read)[-1:]
            raise WrongAnswerError(f"{short.counted} of {orders} orders answered, last: {last}")
        for key, _ in ready:
            lane = key.data
            before = lane.counted
            lane.pull()
            if before < orders <= lane.counted:
                open_lanes -= 1
            lane.push()


def check(stretch: Stretch, expected: Sequence[Expected], *, sequenced: bool) -> None:
    """Hold every answer against what was sent: exactly one each, in order.

    ``sequenced``: they also have places in the journal, all different and in each line's order.

    Raises:
        WrongAnswerError: naming the first difference.
    """
    places: set[int] = set()
    for answers, wanted in zip(stretch.answers, expected, strict=True):
        got = [(each.type, each.request_id or each.client_order_id) for each in answers]
        if got != list(wanted):
            at = next(
                (n for n, pair in enumerate(zip(got, wanted, strict=False)) if pair[0] != pair[1]),
                min(len(got), len(wanted)),
            )
            raise WrongAnswerError(
                f"{len(got)} answers to {len(wanted)} orders; number {at}: {answers[at : at + 1]}"
                f" instead of {wanted[at : at + 1]}"
            )
        own = [each.seq for each in answers]
        if sequenced and own != sorted(own):
            raise WrongAnswerError("a line's answers are not in the journal's order")
        places.update(own)
    if sequenced and len(places) != sum(map(len, expected)):
        raise WrongAnswerError("two orders have one place in the journal")
