"""Bodies of REST requests, read before any page sees them: small, in time, and sound JSON.

What a page would have to be careful about (NaN, numbers without end, half characters, a thousand
brackets) is refused here, for all pages alike.
"""

from __future__ import annotations

import asyncio

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.rest_answers import answer
from gateway.rest_messages import Problem

BODY_BYTES_MAX = 64 * 1024
BODY_WITHIN_S = 10.0


class _RefusedError(Exception):
    """A body that is not read further."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.problem = status, Problem(code=code, reason=reason)


class Bodies:
    """ASGI: hands requests on with their whole body, or refuses them with a ``Problem``."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                body = await _whole(receive)
            if body:
                _sound(body)
        except _RefusedError as no:
            refusal = answer(no.problem, no.status)
            refusal.headers["connection"] = "close"
            await refusal(scope, receive, send)
        except TimeoutError:
            slow = Problem(code="invalid_request", reason="The body did not come in time.")
            refusal = answer(slow, 408)
            refusal.headers["connection"] = "close"
            await refusal(scope, receive, send)
        else:
            await self._app(scope, _again(body, receive), send)


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
            raise _RefusedError(413, "body_too_big", reason)
        if not message.get("more_body", False):
            return b"".join(parts)


def _sound(body: bytes) -> None:
    try:
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        reason = f"body: {error}".encode("ascii", "replace").decode()
        raise _RefusedError(422, "invalid_request", reason[:200]) from None


def _again(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body once, and then whatever the connection says."""
    first: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def read() -> Message:
        return first.pop() if first else await receive()

    return read
