"""Programs without asyncio on a real venue, and market data that goes on over lost lines."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gateway.client import (
    BlockingClient,
    BlockingMarketData,
    Client,
    LineLostError,
    MarketData,
    RefusedError,
)
from marketdata.messages import Trade
from tests.e2e.live_venue import LiveVenue, live_venue


class Served:
    """A venue in a thread, for programs that block."""

    def __init__(self, folder: Path) -> None:
        self._ready = threading.Event()
        self._folder = folder
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self.venue: LiveVenue

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with live_venue(self._folder) as self.venue:
            self._ready.set()
            await self._over.wait()

    def __enter__(self) -> LiveVenue:
        self._thread.start()
        assert self._ready.wait(60)
        return self.venue

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


def blocking(venue: LiveVenue, account: int) -> BlockingClient:
    key = venue.keys[account]
    return BlockingClient(venue.url, key.key_id, key.secret, reconnect=True)


def test_a_program_without_asyncio_trades_and_watches(tmp_path: Path) -> None:
    with (
        Served(tmp_path) as venue,
        blocking(venue, 0) as seller,
        blocking(venue, 1) as buyer,
        BlockingMarketData(venue.url, ["CEA25"]) as market,
    ):
        told = seller.reports(within_s=10)
        order = seller.list("CEA25", "sell", price="74.60", qty=100)
        best = market.wait_until(lambda books: books.best("CEA25", "sell"), within_s=10)
        assert (best.price_ticks, best.qty_tonnes) == (7460, 100)
        seller.abort()
        assert buyer.take(order.order_no, 30).filled_qty == 30
        seen = [type(next(told)).__name__ for _ in range(2)]
        assert seen == ["Accepted", "Filled"]
        assert [fill.qty_tonnes for fill in seller.fills] == [30]
        assert seller.reconnects == 1
        (trade,) = market.wait_until(lambda books: [*books.tape], within_s=10)
        assert isinstance(trade, Trade)
        assert market.trades("CEA25") == [trade]
        assert market.trades("CEA24") == []
        with pytest.raises(RefusedError, match="would_cross"):
            buyer.list("CEA25", "buy", price="74.70", qty=1)
        with pytest.raises(TimeoutError):
            market.wait_until(lambda books: books.halted, within_s=0.1)
        with pytest.raises(TimeoutError):
            next(seller.reports(within_s=0.1))
        assert seller.snapshot().orders[0].leaves_qty == 70
        assert seller.cancel_all().cancelled == 1
    with pytest.raises(LineLostError, match="not connected"):
        seller.ping()


def test_any_thread_may_call(tmp_path: Path) -> None:
    with (
        Served(tmp_path) as venue,
        blocking(venue, 0) as one,
        ThreadPoolExecutor(8) as threads,
    ):
        calls = [
            threads.submit(one.list, "CEA25", "sell", price_ticks=7500 + n, qty=1)
            for n in range(40)
        ]
        numbers = {call.result(20).order_no for call in calls}
        assert len(numbers) == 40
        assert [order.order_no for order in one.open_orders] == sorted(numbers)


async def _follow_over_a_lost_line(folder: Path) -> tuple[list[int], int]:
    async with live_venue(folder) as venue:
        one, two = (Client(venue.url, key.key_id, key.secret) for key in venue.keys[:2])
        async with one, two, MarketData(venue.url, ["CEA25"], reconnect=True) as market:
            seen: list[int] = []

            async def follow() -> None:
                async for message in market:
                    seen.extend([message.qty_tonnes] if isinstance(message, Trade) else [])

            following = asyncio.create_task(follow())
            order = await one.list("CEA25", "sell", price="74.60", qty=100)
            for qty in (1, 2, 3, 4):
                await two.take(order.order_no, qty)
                if qty % 2:
                    assert market._line is not None
                    market._line.transport.abort()
                await asyncio.sleep(0.4)
            async with asyncio.timeout(10):
                while len(seen) < 4:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            reconnects = market.reconnects
            following.cancel()
        return seen, reconnects


def test_market_data_goes_on_over_lost_lines_without_missing_a_trade(tmp_path: Path) -> None:
    assert asyncio.run(_follow_over_a_lost_line(tmp_path)) == ([1, 2, 3, 4], 2)
