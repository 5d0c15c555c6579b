"""Connections below the session: what a peer may do before, beside and between its messages.

A connection that does not finish the head of a request in time is closed, so is one that comes when
descriptors run short: the journal needs its own. A peer that does not read gets no more answers to
its pings, and a message does not come in endless pieces.
"""

from __future__ import annotations

import asyncio
import resource
from collections import deque
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode
from websockets.frames import Frame as Piece
from websockets.http11 import Request
from websockets.protocol import State

from gateway.frames import BINARY, TEXT, Frame, awaited, control_ends, whole_messages

REQUEST_WITHIN_S = 5.0
DESCRIPTORS_KEPT = 64  # for the journal, snapshots, the registry, and pages being written
READ_BYTES_MAX = 32 * 1024  # of one connection before the others have their turn
FRAGMENTS_MAX = 16 * 1024  # of one message: a frame of order entry may come byte by byte


def connections_max() -> int:
    """Return how many connections leave the venue the descriptors that it needs itself."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0] - DESCRIPTORS_KEPT


class HttpLine(H11Protocol):
    """HTTP/1.1 that waits ``REQUEST_WITHIN_S`` for the head of a request and no longer."""

    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > connections_max():
            transport.abort()
        else:
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self._patience is None:
            self._wait()

    def _wait(self) -> None:
        self._patience = self.loop.call_later(REQUEST_WITHIN_S, self.transport.abort)

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None


class Inbox:
    """What waits for the application: a queue for one reader, who costs less than many would."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._reader: asyncio.Future[None] | None = None

    def empty(self) -> bool:
        """Whether nothing waits."""
        return not self._items

    def put_nowait(self, item: Any) -> None:
        """Put one behind the others."""
        self._items.append(item)
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    def get_nowait(self) -> Any:
        """Take the oldest."""
        return self._items.popleft()

    async def get(self) -> Any:
        """Take the oldest, waiting for it; gives no turn where one is there."""
        while not self._items:
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._items.popleft()


class SocketLine(WebSocketsSansIOProtocol):
    """A WebSocket whose peer cannot fill the venue's memory with pongs or pieces.

    What one read brings is handled in one go, so it is kept small: others come next. Messages in
    one frame, which nearly all are, are cut from the stream here, and control frames handed on
    whole; from the first thing of another kind on websockets reads the stream itself.
    """

    _held: bytes | None = None  # of a frame that is not whole yet; None: websockets reads

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.queue: Any = Inbox()

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.max_size = READ_BYTES_MAX

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.conn.reader.buffer:
            self._held = b""

    def data_received(self, data: bytes) -> None:
        if self._held is None:
            super().data_received(data)
            return
        data, self._held = self._held + data, None
        while self.conn.state is State.OPEN:
            messages, at = whole_messages(data)
            self._hand_on(messages)
            data = data[at:]
            end = control_ends(data)
            if end == 0:
                break
            super().data_received(data[:end])
            data = data[end:]
        if self.conn.state is State.OPEN and awaited(data):
            self._held = data
        elif data and self.conn.parser_exc is None:
            super().data_received(data)

    async def send(self, message: Any) -> None:
        """Send, unless the line has ended over what the peer has sent: then it is gone."""
        try:
            await super().send(message)
        except RuntimeError:
            if self.close_sent:
                raise ClientDisconnected from None
            raise
        if message["type"] == "websocket.http.response.body":
            self.handshake_complete = True  # it was refused, which is an end like another

    def handle_ping(self) -> None:
        """Answer, unless the peer leaves earlier answers unread: the newest ping may do without."""
        pong = b"".join(self.conn.data_to_send())
        if self.writable.is_set():
            self.transport.write(pong)

    def handle_cont(self, event: Piece) -> None:
        if len(self.frames) < FRAGMENTS_MAX:
            super().handle_cont(event)
        else:
            self._end(CloseCode.MESSAGE_TOO_BIG)

    def send_receive_event_to_app(self) -> None:
        """Hand on a message that came in pieces."""
        kind = TEXT if self.curr_msg_data_type == "text" else BINARY
        data, self.frames = b"".join(self.frames), []
        self._hand_on([Frame(kind, data)])

    def _hand_on(self, messages: list[Frame]) -> None:
        """Give messages to the application and read no more until it has taken them.

        After its close it gets none. Text that is none ends the line, which is no news for the log.
        """
        put = self.queue.put_nowait
        for kind, data in messages:
            if self.close_sent:
                return
            if kind == BINARY:
                put({"type": "websocket.receive", "bytes": data})
                continue
            try:
                put({"type": "websocket.receive", "text": data.decode()})
            except UnicodeDecodeError:
                self._end(CloseCode.INVALID_DATA)
                return
        if messages and not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def _end(self, code: CloseCode) -> None:
        if not self.close_sent:
            self.conn.fail(code)
            self.handle_parser_exception()
