"""A TCP proxy that cuts its connection after a given number of bytes, to the byte."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from urllib.parse import urlsplit

UP, DOWN = "up", "down"  # to the venue, to the client


class CuttingProxy:
    """Between one client and a venue; ``upstream`` may be changed when the venue moves.

    ``arm`` counts from now on: so many bytes in a direction still pass, then both sides are cut,
    without a word. ``passed`` counts all bytes, ``cuts`` the cuts.
    """

    def __init__(self, url: str) -> None:
        self.upstream = url
        self.passed: Counter[str] = Counter()
        self.cuts = 0
        self._left: dict[str, int] = {}
        self._open: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> CuttingProxy:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def arm(self, direction: str, count: int) -> None:
        self._left = {direction: count}

    def disarm(self) -> None:
        self._left = {}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        upstream: asyncio.StreamWriter | None = None
        try:
            place = urlsplit(self.upstream)
            answers, upstream = await asyncio.open_connection(place.hostname, place.port)
            pumps = [
                asyncio.create_task(self._pump(reader, upstream, UP)),
                asyncio.create_task(self._pump(answers, writer, DOWN)),
            ]
            try:
                await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for pump in pumps:
                    pump.cancel()
                await asyncio.gather(*pumps, return_exceptions=True)
        except OSError:
            pass  # the venue is away
        finally:
            self._open.discard(task)
            for each in (writer, upstream):
                if each is not None:
                    each.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, direction: str
    ) -> None:
        """Pass bytes on until an end, or until a cut is due."""
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                left = self._left.get(direction)
                cut = left is not None and len(data) >= left
                if left is not None:
                    data = data[:left]
                    self._left[direction] = left - len(data)
                self.passed[direction] += len(data)
                writer.write(data)
                await writer.drain()
                if cut:
                    self.disarm()
                    self.cuts += 1
                    await asyncio.sleep(0)  # what passed is on its way
                    return
