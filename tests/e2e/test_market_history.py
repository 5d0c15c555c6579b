"""Bars, trades, quotes and bulletins by REST, over a night and a restart, through a real venue."""

import asyncio
import datetime as dt
from pathlib import Path
from typing import Any

import httpx

from engine.records import Phase
from gateway.client import Client, MarketData
from marketdata.charts import day_start
from marketdata.messages import Snapshot, Trade
from tests.e2e.live_venue import LiveVenue, live_venue

FIRST, SECOND = 20260105, 20260106
PRICES = ("80.10", "80.30", "79.90")


async def trade(venue: LiveVenue, prices: tuple[str, ...], tonnes: int = 100) -> None:
    seller, buyer = (Client(venue.url, key.key_id, key.secret) for key in venue.keys[:2])
    async with seller, buyer:
        for minute, price in enumerate(prices, start=46):
            venue.clock.leap_to(dt.datetime(2026, 1, 5, 9, minute))
            listed = await seller.list("CEA25", "sell", qty=tonnes, price=price)
            await buyer.take(listed.order_no, tonnes)
    await venue.settled()


async def get(venue: LiveVenue, page: str, status: int = 200) -> Any:
    async with httpx.AsyncClient(base_url=venue.url) as web:
        answer = await web.get(page)
    assert answer.status_code == status, answer.text
    return answer.json()


async def next_day(venue: LiveVenue) -> None:
    venue.clock.leap_to(dt.datetime(2026, 1, 5, 18, 0))
    await venue.phase(Phase.POSTED)
    venue.clock.leap_to(dt.datetime(2026, 1, 6, 9, 45))
    await venue.phase(Phase.MORNING)


async def paged(venue: LiveVenue, page: str, rows: str, follow: str, number: str) -> list[Any]:
    """Every row of a page, asked for two at a time."""
    found: list[Any] = []
    answer = await get(venue, f"{page}&limit=2")
    while True:
        assert 0 < len(answer[rows]) <= 2
        found += answer[rows]
        if not answer["more"]:
            return found
        answer = await get(venue, f"{page}&limit=2&{follow}={answer[number]}")


async def check_today(venue: LiveVenue) -> None:
    trades = (await get(venue, "/v1/trades?instrument=CEA25"))["trades"]
    assert [each["price_ticks"] for each in trades] == [8010, 8030, 7990]
    assert [each["side"] for each in trades] == ["buy"] * 3
    for code in ("CEA25", "composite"):
        (day,) = (await get(venue, f"/v1/bars?instrument={code}&interval=1d"))["bars"]
        assert day["open"] is True
        assert (day["qty_tonnes"], day["trades"]) == (300, 3)
    assert (day["start_us"], day["date"]) == (day_start(FIRST) * 60_000_000, FIRST)
    minutes = (await get(venue, "/v1/bars?instrument=CEA25&interval=1m"))["bars"]
    assert (minutes[0]["open_ticks"], minutes[-1]["close_ticks"]) == (8010, 7990)
    assert sum(each["listed_qty_tonnes"] for each in minutes) == 300


async def check_earlier(venue: LiveVenue) -> None:
    found = await paged(venue, f"/v1/trades?date={FIRST}", "trades", "after", "next")
    assert [each["price_ticks"] for each in found] == [8010, 8030, 7990]
    page = f"/v1/bars?instrument=CEA25&interval=1d&from={FIRST}&to={FIRST}"
    (day,) = (await get(venue, page))["bars"]
    quotes = await get(venue, f"/v1/quotes?instrument=CEA25&from={FIRST}")
    (quote,) = quotes["quotes"]
    for name in ("open_ticks", "high_ticks", "low_ticks", "close_ticks", "listed_turnover_fen"):
        assert day[name] == quote[name]
    assert (day["close_ticks"], day["high_ticks"], day["open"]) == (8010, 8030, False)  # VWAP
    (bulletin,) = (await get(venue, "/v1/bulletins"))["bulletins"]
    assert (bulletin["date"], bulletin["total"]["day_qty_tonnes"]) == (FIRST, 300)
    bars = await paged(
        venue, "/v1/bars?instrument=composite&interval=1m", "bars", "from", "next_us"
    )
    assert [each["start_us"] for each in bars] == sorted({each["start_us"] for each in bars})
    assert [each["qty_tonnes"] for each in bars if each["date"] == FIRST] == [100, 100, 100]


async def check_refusals(venue: LiveVenue) -> None:
    for page, status, code in (
        ("/v1/bars?instrument=CEA99&interval=1m", 404, "unknown_instrument"),
        ("/v1/bars?instrument=CEA25&interval=2m", 422, "invalid_request"),
        ("/v1/bars?interval=1m", 422, "invalid_request"),
        ("/v1/bars?instrument=CEA25&interval=1m&from=20261301", 422, "invalid_request"),
        ("/v1/bars?instrument=CEA25&interval=1m&from=20260106&to=20260105", 422, "invalid_request"),
        ("/v1/bars?instrument=CEA25&interval=1m&limit=1001", 422, "invalid_request"),
        ("/v1/trades?date=20200101", 404, "unknown_date"),
        ("/v1/trades?instrument=CEA99", 404, "unknown_instrument"),
        ("/v1/quotes?from=2&to=1", 422, "invalid_request"),
        ("/v1/bulletins?limit=0", 422, "invalid_request"),
    ):
        assert (await get(venue, page, status))["code"] == code, page


def test_history_lasts_over_night_and_restart(tmp_path: Path) -> None:
    async def play() -> None:
        async with live_venue(tmp_path) as venue:
            await trade(venue, PRICES)
            await check_today(venue)
            await check_refusals(venue)
            await next_day(venue)
            await check_earlier(venue)
        async with live_venue(tmp_path, local=dt.datetime(2026, 1, 6, 9, 50)) as venue:
            await check_earlier(venue)
            document = (await get(venue, "/openapi.json"))["components"]["schemas"]
            assert {"BarPage", "PublicTradePage", "DailyQuotePage", "BulletinPage"} <= set(document)

    asyncio.run(play())


def test_a_reader_goes_on_by_number_after_the_venue_was_started_anew(tmp_path: Path) -> None:
    async def play() -> None:
        async with live_venue(tmp_path) as venue:
            client = MarketData(venue.url, ["CEA25"], ["trade", "depth"])
            async with client:
                await client.wait_for(Snapshot)
                await trade(venue, PRICES)
                for _ in PRICES:
                    await client.wait_for(Trade)
            await trade(venue, ("80.20",))
            epoch = client.epoch
        async with live_venue(tmp_path, local=dt.datetime(2026, 1, 5, 10, 0)) as venue:
            client.url = venue.url
            async with client:
                trades = [await client.wait_for(Trade)]
                await trade(venue, ("80.40",))
                trades.append(await client.wait_for(Trade))
            assert client.epoch == epoch
        assert [each.price_ticks for each in trades] == [8020, 8040]
        assert [each.trade_no for each in client.tape] == [1, 2, 3, 4, 5]
        assert client.gaps == 0

    asyncio.run(play())
