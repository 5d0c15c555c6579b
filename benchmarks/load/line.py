"""A connection to the venue under load: a raw socket, plain or TLS, WebSocket frames, the login.

It is made and logged in blocking; under load it never blocks, and counts what the system has not
taken yet.
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

from benchmarks.gateway_line import CLOSE, PING, PONG, READ_BYTES, frame_at, handshake, masked
from benchmarks.load.keys import Credentials
from benchmarks.load.plan import LoadError, Plan
from gateway.keys import login_signature
from gateway.wire.line_messages import Snapshot

WITHIN_S = 10.0
READS_MAX = 8  # of one line before the others get their turn
UNSENT_BYTES = 16_384  # that the system may hold: what waits there counts as sent
GRACE_MS = 60_000  # the venue ends what rests so long after this program was lost
FINAL, CONTINUED, MASKED, SHORT = 0x80, 0, 0x80, 126
NO_MASK = bytes(4)
END = b""
AGAIN = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class LineLostError(Exception):
    """The venue is gone, or has closed the line; the text says which and why."""


class Told(msgspec.Struct, gc=False):
    """What of a venue's message matters under load; what it does not name is left at 0 or ""."""

    type: str
    report_seq: int = 0
    client_order_id: str = ""
    order_no: int = 0
    trade_no: int = 0
    instrument: str = ""
    side: str = ""
    price_ticks: int = 0
    qty_tonnes: int = 0
    leaves_qty: int = 0
    frozen_fen: int = 0
    released_fen: int = 0
    amount_fen: int = 0
    fee_fen: int = 0
    taker: bool = False
    repeated: bool = False
    request_id: str = ""
    code: str = ""
    reason: str = ""
    ref: int = 0
    phase: str = ""


class Place(NamedTuple):
    """Where the venue is; ``tls`` is None for plain sockets."""

    url: str
    host: str
    port: int
    path: str
    tls: ssl.SSLContext | None

    @property
    def name(self) -> str:
        """Host and port, as in a request."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def local(self) -> bool:
        """Whether it is on this machine."""
        return self.host in {"localhost", "::1"} or self.host.startswith("127.")


def place_of(plan: Plan) -> Place:
    """Return where the plan's venue is.

    Raises:
        LoadError: ``bad_url``, or ``tls`` where the CA's file cannot be read.
    """
    text = plan.url if "://" in plan.url else f"ws://{plan.url}"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise LoadError("bad_url", f"{plan.url} is no address of a venue: {error}.") from error
    if parts.scheme not in {"ws", "wss", "http", "https"} or not parts.hostname:
        raise LoadError("bad_url", f"{plan.url} is no address of a venue, like ws://host:8000.")
    secure = parts.scheme in {"wss", "https"}
    prefix = f"/{plan.market}" if plan.market else ""
    tls = _trust(plan) if secure else None
    return Place(text, parts.hostname, port or (443 if secure else 80), prefix, tls)


def _trust(plan: Plan) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=plan.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise LoadError("tls", f"The CA's certificate cannot be read: {error}.") from error
    if plan.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def no_way(place: Place, error: OSError) -> LoadError:
    """Return why there is no connection: ``tls`` or ``unreachable``."""
    if isinstance(error, ssl.SSLError):
        text = getattr(error, "verify_message", "") or error.reason or str(error)
        return LoadError("tls", f"No TLS with {place.name}: {text}.")
    why = error.strerror or str(error)
    return LoadError("unreachable", f"Nobody answers at {place.name}: {why}.")


def connected(place: Place) -> socket.socket:
    """Return a connected socket.

    Raises:
        LoadError: ``unreachable``, ``tls``.
    """
    try:
        found = socket.create_connection((place.host, place.port), timeout=WITHIN_S)
    except OSError as error:
        raise no_way(place, error) from error
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if hasattr(socket, "TCP_NOTSENT_LOWAT"):  # elsewhere the system may hold more than it sent
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    if place.tls is None:
        return found
    try:
        return place.tls.wrap_socket(found, server_hostname=place.host)
    except OSError as error:
        found.close()
        raise no_way(place, error) from error


class Line:
    """A connection in one encoding; ``send`` and ``receive`` do not block once ``open`` is done."""

    def __init__(self, place: Place, encoding: str) -> None:
        """Connect and shake hands. Raises LoadError: ``unreachable``, ``tls``, ``no_venue``."""
        self._first = FINAL | (2 if encoding == "msgpack" else 1)
        module = msgspec.msgpack if encoding == "msgpack" else msgspec.json
        self._write = module.Encoder().encode
        self._told = module.Decoder(Told | list[Told]).decode
        self._plain = module.Decoder().decode
        self._part = b""
        self._parts: list[bytes] = []
        self.ahead: deque[dict[str, Any]] = deque()  # read by ``coming`` and not yet asked for
        self.lost = ""  # why the line has ended
        self.unsent = b""
        self.socket = connected(place)
        try:
            self._open(place, f"{encoding}.v1")
        except (OSError, LineLostError) as error:
            self.socket.close()
            raise LoadError("no_venue", f"{place.name} serves no /ws/trade: {error}.") from error
        self.socket.setblocking(False)

    def _open(self, place: Place, subprotocol: str) -> None:
        self.socket.sendall(handshake(f"{place.path}/ws/trade", place.name, subprotocol))
        while b"\r\n\r\n" not in self._part:
            read = self.socket.recv(READ_BYTES)
            if not read:
                raise LineLostError("it hung up in the handshake")
            self._part += read
        head, self._part = self._part.split(b"\r\n\r\n", 1)
        first = head.split(b"\r\n", 1)[0].decode("latin-1")
        if " 101" not in first:
            raise LineLostError(f"it answered {first!r}")
        for payload in self._payloads(b""):  # what came along with the handshake's answer
            self.ahead.extend(self.plain(payload))

    def frame(self, message: Mapping[str, object]) -> bytes:
        """Return a message as one frame (RFC 6455, 5.2).

        The masking key is 0, so that masking costs nothing: it protects caches from web pages,
        and here is none.
        """
        payload: bytes = self._write(message)
        size = len(payload)
        if size < SHORT:
            return bytes((self._first, MASKED | size)) + NO_MASK + payload
        head = struct.pack(">BBH", self._first, MASKED | SHORT, size)
        return head + NO_MASK + payload

    def send(self, data: bytes) -> bool:
        """Send ``data`` after what is still unsent; True once the system has taken everything.

        Raises:
            LineLostError: the line has ended.
        """
        whole = self.unsent + data if self.unsent else data
        try:
            self.unsent = whole[self.socket.send(whole) :] if whole else b""
        except AGAIN:
            self.unsent = whole
        except OSError as error:
            raise LineLostError(f"the line broke: {error.strerror or error}") from error
        return not self.unsent

    def receive(self) -> list[bytes]:
        """Return the payloads of the frames that have come; pings are answered.

        The end of the line is a payload without a byte, so that what came before it is heard.
        """
        payloads: list[bytes] = []
        for _ in range(READS_MAX):
            try:
                read = self.socket.recv(READ_BYTES)
            except AGAIN:
                break
            except OSError as error:
                self.lost = f"the line broke: {error.strerror or error}"
                return [*payloads, END]
            if not read:
                self.lost = "the venue hung up"
                return [*payloads, END]
            payloads += self._payloads(read)
            if len(read) < READ_BYTES and self._pending() == 0:
                break
        return payloads

    def _pending(self) -> int:
        return self.socket.pending() if isinstance(self.socket, ssl.SSLSocket) else 0

    def _payloads(self, read: bytes) -> list[bytes]:
        data = self._part + read if self._part else read
        found: list[bytes] = []
        at = 0
        while (frame := frame_at(data, at)) is not None:
            first = data[at]
            opcode, begin, at = frame
            if opcode == CLOSE:
                self.lost = "the venue closed the line"
                return [*found, END]
            if opcode == PING:
                self.send(masked(data[begin:at], PONG))
            elif opcode == PONG:
                continue
            elif first & FINAL and opcode != CONTINUED:
                found.append(data[begin:at])
            else:
                self._parts.append(data[begin:at])
                if first & FINAL:
                    found.append(b"".join(self._parts))
                    self._parts = []
        self._part = data[at:]
        return found

    def told(self, payload: bytes) -> list[Told]:
        """Return a frame's messages.

        Raises:
            LineLostError: it was the end of the line, or cannot be read.
        """
        if not payload:
            raise LineLostError(self.lost)
        try:
            found = self._told(payload)
        except msgspec.MsgspecError as error:
            raise LineLostError(f"the venue's frame cannot be read: {error}") from error
        return found if type(found) is list else [found]

    def plain(self, payload: bytes) -> list[dict[str, Any]]:
        """Return a frame's messages with all their fields. Raises as ``told``."""
        if not payload:
            raise LineLostError(self.lost)
        try:
            found = self._plain(payload)
        except msgspec.MsgspecError as error:
            raise LineLostError(f"the venue's frame cannot be read: {error}") from error
        return found if isinstance(found, list) else [found]

    def coming(self, within_s: float = WITHIN_S) -> Iterator[dict[str, Any]]:
        """Yield messages as they come, with all their fields; ends when nothing more does in time.

        Raises:
            LineLostError: the line has ended.
        """
        until_s = time.monotonic() + within_s
        while True:
            while self.ahead:
                yield self.ahead.popleft()
            if self.lost:
                raise LineLostError(self.lost)
            if (left_s := until_s - time.monotonic()) <= 0:
                return
            if self.unsent:
                self.send(b"")
            select.select([self.socket], [], [], min(left_s, 0.05))
            for payload in self.receive():
                if payload:
                    self.ahead.extend(self.plain(payload))

    def close(self) -> None:
        """Log out and hang up."""
        with contextlib.suppress(OSError, LineLostError):
            self.send(self.frame({"type": "logout"}))
        self.socket.close()


def log_in(line: Line, key: Credentials, *, keep: bool) -> dict[str, Any]:
    """Log in and return the venue's ``welcome``.

    Raises:
        LoadError: ``login_refused`` with the key's name; ``no_venue`` where it says nothing.
    """
    try:
        for message in line.coming():
            if message["type"] == "challenge":
                now_us = time.time_ns() // 1000
                signature = login_signature(key.secret, message["nonce"], now_us)
                login = {"key_id": key.key_id, "time_us": now_us, "signature": signature}
                watched = {"cancel_on_disconnect": not keep, "grace_ms": GRACE_MS}
                line.send(line.frame({"type": "login", **login, **watched}))
            elif message["type"] == "welcome":
                return message
            elif message["type"] in {"error", "bye"}:
                said = f"{message['reason']} [{message['code']}]"
                raise LoadError("login_refused", f"The venue refused key {key.key_id}: {said}")
    except (LineLostError, KeyError) as error:
        raise LoadError("login_refused", f"No login with key {key.key_id}: {error}.") from error
    raise LoadError("no_venue", f"The venue says nothing to a login with key {key.key_id}.")


def snapshot_of(message: dict[str, Any]) -> Snapshot:
    """Return an ``account`` message in the venue's own type."""
    return msgspec.convert({**message, "type": "account"}, Snapshot)
