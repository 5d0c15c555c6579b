"""Market data for programs without asyncio: look at the books, or wait until they please.

with BlockingMarketData("ws://127.0.0.1:8000", ["CEA25"]) as md:
    best = md.wait_until(lambda books: books.best("CEA25", "sell"), within_s=60)
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from gateway.client.blocking import Facade
from gateway.client.errors import LineLostError
from gateway.client.market_data import MarketData
from marketdata.messages import Bidding, Depth, Level, Offer, Quote, Status, Trade

Found = TypeVar("Found")


class BlockingMarketData(Facade[MarketData]):
    """``gateway.client.MarketData`` read by a thread of its own; what it shows is as of now."""

    def __init__(
        self,
        url: str,
        instruments: Sequence[str] | None = None,
        channels: Sequence[str] | None = None,
        *,
        reconnect: bool = False,
    ) -> None:
        super().__init__(MarketData(url, instruments, channels, reconnect=reconnect))
        self._reading: asyncio.Task[None] | None = None
        self._changed = asyncio.Event()

    def connect(self) -> None:
        """Connect and subscribe; raises as ``MarketData.connect``."""
        self._open()

    async def _begin(self) -> None:
        await self._inner.connect()
        self._reading = asyncio.create_task(self._read())

    async def _end(self) -> None:
        await self._inner.close()
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    async def _read(self) -> None:
        try:
            async for _ in self._inner:
                self._changed.set()
        finally:
            self._changed.set()

    def wait_until(
        self, condition: Callable[[MarketData], Found], within_s: float | None = None
    ) -> Found:
        """Return what ``condition`` returns, once that is true; it is asked after each message.

        Raises:
            TimeoutError: it has not come true. LineLostError: the line is lost.
        """

        async def until() -> Found:
            while not (found := condition(self._inner)):
                if self._reading is None or self._reading.done():
                    raise LineLostError("the line of market data is lost")
                self._changed.clear()
                await self._changed.wait()
            return found

        return self._wait(until(), within_s)

    def depth(self, instrument: str) -> Depth | None:
        """Return the five best levels of both sides."""
        return self._inner.depth.get(instrument)

    def best(self, instrument: str, side: str) -> Level | None:
        """Return the best level that bids ("buy") or asks ("sell")."""
        return self._inner.best(instrument, side)

    def quote(self, instrument: str) -> Quote | None:
        """Return the price line with the day's limits."""
        return self._inner.quote.get(instrument)

    def trades(self, instrument: str | None = None) -> list[Trade]:
        """Return the tape, oldest first, of all instruments or of one."""
        tape = self._look(lambda: [*self._inner.tape])
        return [trade for trade in tape if instrument in {None, trade.instrument}]

    def offers(self) -> dict[int, Offer]:
        """Return the board of public bulk offers by order number."""
        return self._look(lambda: dict(self._inner.offers))

    def sessions(self) -> dict[int, Bidding]:
        """Return the bidding sessions of the day by number."""
        return self._look(lambda: dict(self._inner.sessions))

    @property
    def status(self) -> Status | None:
        """Date and phase of the market."""
        return self._inner.status
