"""The link to the venue: one connection after the other, with growing pauses between them."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Protocol

from gateway import messages as m
from gateway.client.errors import LineLostError, RefusedError
from gateway.client.wire import Wire

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 5.0
CONNECT_WITHIN_S = 10.0
BEATS_MISSED_MAX = 3
FINAL = frozenset(("bad_credentials",))  # trying again would not help


def pauses_s(random_share: Callable[[], float] = random.random) -> Iterator[float]:
    """Yield growing pauses for ever, each between half and all of its step: 0.05 s … 5 s.

    The jitter keeps clients that were cut off together from coming back together.
    """
    step_s = FIRST_PAUSE_S
    while True:
        yield step_s * (0.5 + random_share() / 2)
        step_s = min(LONGEST_PAUSE_S, step_s * 2)


class Follower(Protocol):
    """Who uses a link."""

    def came_up(self, welcome: m.Welcome) -> None: ...
    def take_in(self, message: Any) -> None: ...
    def away_too_long(self) -> None: ...
    def ended(self, why: Exception) -> None: ...


class Link:
    """Keeps a connection; without ``reconnect`` its first loss is its end."""

    def __init__(
        self,
        open_wire: Callable[[], Awaitable[Wire]],
        follower: Follower,
        *,
        reconnect: bool,
        away_max_s: float,
        heartbeat_s: float,
    ) -> None:
        self._open_wire = open_wire
        self._follower = follower
        self._reconnect = reconnect
        self._away_max_s = away_max_s
        self._heartbeat_s = heartbeat_s
        self._wire: Wire | None = None
        self._task: asyncio.Task[None] | None = None
        self._closing = False

    @property
    def up(self) -> bool:
        """Whether there is a connection now."""
        return self._wire is not None

    @property
    def alive(self) -> bool:
        """Whether there is one, or will be one again."""
        return self._task is not None and not self._task.done()

    async def start(self) -> m.Welcome:
        """Connect for the first time. Raises as ``Wire.open``."""
        assert not self.alive, "connect once"
        self._closing = False
        wire = await self._open_wire()
        self._wire = wire
        self._follower.came_up(wire.welcome)
        self._task = asyncio.create_task(self._run(wire))
        return wire.welcome

    async def send(self, *messages: m.Inbound) -> None:
        """Send one frame now.

        Raises:
            LineLostError: there is no connection.
        """
        if self._wire is None:
            raise LineLostError("not connected")
        await self._wire.send(*messages)

    def abort(self) -> None:
        """Cut the connection without a good bye."""
        if self._wire is not None:
            self._wire.abort()

    async def close(self) -> None:
        """Log out and end."""
        self._closing = True
        wire = self._wire
        if wire is not None:
            with contextlib.suppress(LineLostError):
                await wire.send(m.Logout())
            await wire.close()
        elif self._task is not None:
            self._task.cancel()
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self, wire: Wire) -> None:
        why: Exception = LineLostError("closed")
        try:
            while True:
                why = await self._read(wire)
                if self._closing or not self._reconnect:
                    return
                wire = await self._come_back()
                self._wire = wire
                self._follower.came_up(wire.welcome)
        except RefusedError as refused:
            why = refused
        finally:
            self._wire = None
            self._follower.ended(why)

    async def _read(self, wire: Wire) -> LineLostError:
        async with self._watched(wire):
            try:
                while True:
                    for message in await wire.receive():
                        self._follower.take_in(message)
            except LineLostError as lost:
                return lost
            finally:
                self._wire = None

    @contextlib.asynccontextmanager
    async def _watched(self, wire: Wire) -> AsyncIterator[None]:
        watching = asyncio.create_task(self._watch(wire)) if self._heartbeat_s else None
        try:
            yield
        finally:
            if watching is not None:
                watching.cancel()
                await asyncio.gather(watching, return_exceptions=True)

    async def _watch(self, wire: Wire) -> None:
        """Show that we live, and notice if the other side does not: a half-open line is cut."""
        loop = asyncio.get_running_loop()
        wire.heard_s = loop.time()
        while True:
            await asyncio.sleep(self._heartbeat_s)
            if loop.time() - wire.heard_s > BEATS_MISSED_MAX * self._heartbeat_s:
                wire.abort()
                return
            with contextlib.suppress(LineLostError, TimeoutError):
                async with asyncio.timeout(self._heartbeat_s):
                    await wire.send(m.Ping())

    async def _come_back(self) -> Wire:
        """Return a new connection, however long it takes.

        Raises:
            RefusedError: the key is good for nothing any more.
        """
        away = asyncio.get_running_loop().call_later(self._away_max_s, self._follower.away_too_long)
        try:
            for pause_s in pauses_s():
                await asyncio.sleep(pause_s)
                try:
                    async with asyncio.timeout(CONNECT_WITHIN_S):
                        return await self._open_wire()
                except RefusedError as refused:
                    if refused.code in FINAL:
                        raise
                except (LineLostError, OSError, TimeoutError):
                    continue
            raise AssertionError("pauses never end")
        finally:
            away.cancel()
