"""Bodies of REST requests, read before any page sees them: bounded, in time, and sound JSON.

What a page would have to be careful about (NaN, numbers without end, half characters, a thousand
brackets) is refused here, for all pages alike. Pages that take tables get a file (``uploads``).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.rest.answers import UPLOAD, ProblemError, answer
from gateway.rest.uploads import BODY_BYTES_MAX, BODY_WITHIN_S, Room, Uploads, drop, kept

Read = TypeVar("Read")


class Bodies:
    """ASGI: hands requests on with their whole body, or refuses them with a ``Problem``."""

    def __init__(self, app: ASGIApp, uploads: Uploads) -> None:
        self._app = app
        self._uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            room = self._uploads.room(scope)
            if room is not None:
                await self._table(room, scope, receive, send)
                return
            body = await _in_time(_whole(receive), BODY_WITHIN_S)
            if body:
                _sound(body)
        except ProblemError as no:
            await _refuse(no, scope, receive, send)
        else:
            await self._app(scope, _again(body, receive), send)

    async def _table(self, room: Room, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a page that takes a table, with the table in a file."""
        self._uploads.enter(room)
        try:
            upload = await _in_time(kept(room, dict(scope["headers"]), receive), room.within_s)
            try:
                await self._app({**scope, UPLOAD: upload}, _again(b"", receive), send)
            finally:
                drop(upload.path)
        finally:
            self._uploads.leave(room)


async def _refuse(no: ProblemError, scope: Scope, receive: Receive, send: Send) -> None:
    refusal = answer(no.problem, no.status)
    refusal.headers["connection"] = "close"
    await refusal(scope, receive, send)


async def _in_time(reading: Coroutine[Any, Any, Read], within_s: float) -> Read:
    try:
        async with asyncio.timeout(within_s):
            return await reading
    except TimeoutError:
        raise ProblemError(408, "invalid_request", "The body did not come in time.") from None


async def _whole(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] != "http.request":  # the client has gone
            return b"".join(parts)
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_BYTES_MAX:
            reason = f"A body has at most {BODY_BYTES_MAX} bytes."
            raise ProblemError(413, "body_too_big", reason)
        if not message.get("more_body", False):
            return b"".join(parts)


def _sound(body: bytes) -> None:
    try:
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        reason = f"body: {error}".encode("ascii", "replace").decode()
        raise ProblemError(422, "invalid_request", reason[:200]) from None


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body once, and then whatever the connection says."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return first.pop() if first else await receive()

    return read
