"""The line under the clients: connect, log in, send, and hand every answer to who waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, NamedTuple, Self

import httpx
import msgpack
import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from gateway import messages as m
from gateway import rare_messages as r
from gateway.client_orders import LineLostError, Order, Outcomes, OwnOrders, RefusedError
from gateway.keys import derived_secret, login_signature, request_signature

ANSWER_WITHIN_S = 15.0
Messages = list[Any]


def endpoint(url: str, path: str, scheme: str) -> str:
    """Return ``url`` (ws://, http://, with or without a path) with another scheme and path."""
    head, _, rest = url.partition("://")
    secure = "s" if head in {"wss", "https"} else ""
    return f"{scheme}{secure}://{rest.split('/')[0]}{path}"


class NewKey(NamedTuple):
    """A key that was made or changed; its secret has not travelled."""

    key_id: str
    secret: str
    roles: tuple[str, ...]


class Line:
    """One logged-in connection. Not for use by several event loops."""

    def __init__(self, url: str, key_id: str, secret: str, *, market: str = "") -> None:
        self.url = url
        self._prefix_path = f"/{market}" if market else ""
        self.key_id = key_id
        self.welcome: m.Welcome | None = None
        self.phase = ""
        self.bye: m.Bye | None = None
        self._secret = secret
        self._line: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._own = OwnOrders()
        self._asked: dict[str, asyncio.Future[m.Status]] = {}
        self._pings: dict[int, asyncio.Future[m.Pong]] = {}
        self._listeners: list[asyncio.Queue[m.Report | None]] = []
        self._prefix = secrets.token_hex(4)
        self._count = 0

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    @property
    def orders(self) -> dict[int, Order]:
        """Every order this connection was told of, by number."""
        return self._own.by_number

    @property
    def last_report_seq(self) -> int:
        """Number of the last report received today."""
        return self._own.last_report_seq

    async def connect(self) -> m.Welcome:
        """Connect and log in.

        Raises:
            RefusedError: ``bad_credentials``. OSError: there is no venue at the address.
            LineLostError: it went away meanwhile.
        """
        try:
            self._line = await connect(
                endpoint(self.url, self._prefix_path + "/ws/trade", "ws"),
                subprotocols=[Subprotocol("msgpack.v1")],
                compression=None,
                max_size=None,
            )
        except InvalidHandshake as error:
            raise LineLostError(str(error)) from error
        challenge = (await self._next_frame())[0]
        assert isinstance(challenge, m.Challenge), "the venue speaks first"
        now_us = time.time_ns() // 1000
        signature = login_signature(self._secret, challenge.nonce, now_us)
        await self._send(m.Login(key_id=self.key_id, time_us=now_us, signature=signature))
        first, *others = await self._next_frame()
        if not isinstance(first, m.Welcome):
            await self._line.close()
            raise RefusedError(getattr(first, "code", ""), getattr(first, "reason", str(first)))
        self.welcome, self.phase = first, first.phase
        self._own.last_report_seq = first.report_seq
        for message in others:
            self._take_in(message)
        self._reader = asyncio.create_task(self._read())
        return first

    async def close(self) -> None:
        """Log out and let go; orders stay in the book."""
        if self._line is not None:
            with contextlib.suppress(LineLostError):
                await self._send(m.Logout())
            await self._line.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)

    # questions

    async def status(self, client_order_id: str) -> m.Status:
        """Ask what became of the command with this id: accepted, refused or unknown."""
        future = self._asked.setdefault(client_order_id, asyncio.get_running_loop().create_future())
        await self._send(m.StatusRequest(client_order_id=client_order_id))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await future

    async def ping(self) -> m.Pong:
        """Ask whether the venue is there."""
        self._count += 1
        future = self._pings.setdefault(self._count, asyncio.get_running_loop().create_future())
        await self._send(m.Ping(ref=self._count))
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await future

    def reports(self) -> AsyncIterator[m.Report]:
        """Return an iterator over every report from now on; it ends with the connection."""
        queue: asyncio.Queue[m.Report | None] = asyncio.Queue()
        self._listeners.append(queue)
        return self._drain(queue)

    async def get(self, target: str) -> Any:
        """Return a REST page, signed, e.g. ``get("/api/orders?open=true")``.

        Raises:
            RefusedError: the venue's code and sentence.
        """
        return await self._rest("GET", target, b"")

    async def post(self, target: str, content: Any) -> Any:
        """Send ``content`` as JSON to a REST page, signed, and return the answer. Raises as get."""
        return await self._rest("POST", target, msgspec.json.encode(content))

    async def _rest(self, method: str, target: str, body: bytes) -> Any:
        now_us, path = time.time_ns() // 1000, self._prefix_path + target
        headers = {
            "X-Tanshi-Key": self.key_id,
            "X-Tanshi-Time": str(now_us),
            "X-Tanshi-Signature": request_signature(self._secret, now_us, method, path, body),
        }
        if body:
            headers["Content-Type"] = "application/json"
        async with httpx.AsyncClient() as web:
            address = endpoint(self.url, path, "http")
            found = await web.request(method, address, headers=headers, content=body or None)
        content = found.json()
        if found.status_code not in (200, 201):
            raise RefusedError(content["code"], content["reason"])
        return content

    # inside

    def _new_key(self, issued: r.KeyIssued) -> NewKey:
        secret = derived_secret(self._secret, issued.key_id, issued.salt)
        return NewKey(issued.key_id, secret, issued.roles)

    def _identity(self, given: str | None) -> str:
        self._count += 1
        return given if given is not None else f"{self._prefix}-{self._count}"

    async def _ask(self, command: m.Command) -> Any:
        """Send one command; return the report, or the order, that answers it."""
        outcome = (await self._enter(command))[0]
        if isinstance(outcome, RefusedError):
            raise outcome
        return outcome

    async def _enter(self, command: m.Command) -> Outcomes:
        future = self._expect(command)
        await self._send(command)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await future

    def _expect(self, command: m.Command) -> asyncio.Future[Outcomes]:
        if self._reader is None or self._reader.done():
            raise LineLostError("not connected")
        return self._own.expect(command)

    async def _send(self, *messages: m.Inbound) -> None:
        assert self._line is not None, "connect first"
        plain = [
            {name: value for name, value in each.items() if value is not None}
            for each in msgspec.to_builtins(messages)
        ]
        try:
            await self._line.send(msgpack.packb(plain[0] if len(plain) == 1 else plain))
        except ConnectionClosed as closed:
            raise LineLostError(str(closed)) from closed

    async def _next_frame(self) -> Messages:
        assert self._line is not None, "connect first"
        try:
            content = msgpack.unpackb(await self._line.recv())
        except ConnectionClosed as closed:
            raise LineLostError(str(closed)) from closed
        found = [content] if isinstance(content, dict) else content
        return [msgspec.convert(each, m.Message) for each in found]

    async def _read(self) -> None:
        try:
            while True:
                for message in await self._next_frame():
                    self._take_in(message)
        except LineLostError as lost:
            self._own.fail(lost)
            waiting: Messages = [*self._asked.values(), *self._pings.values()]
            for future in waiting:
                if not future.done():
                    future.set_exception(lost)
        finally:
            for queue in self._listeners:
                queue.put_nowait(None)

    def _take_in(self, message: Any) -> None:
        match message:
            case m.Pong():
                if future := self._pings.pop(message.ref, None):
                    future.set_result(message)
            case m.Status():
                if future_status := self._asked.pop(message.client_order_id, None):
                    future_status.set_result(message)
            case m.PhaseChanged():
                self.phase = message.phase
            case m.Bye():
                self.bye = message
            case r.Proposal() | r.KeyIssued() | r.KeyRevoked():
                self._own.answer(message.client_order_id, message)
                self._pass_on(message)
            case _ if isinstance(message, m.Report):
                self._own.take_in(message)
                self._pass_on(message)

    def _pass_on(self, message: Any) -> None:
        for queue in self._listeners:
            queue.put_nowait(message)

    async def _drain(self, queue: asyncio.Queue[m.Report | None]) -> AsyncIterator[m.Report]:
        while (report := await queue.get()) is not None:
            yield report
