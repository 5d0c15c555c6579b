"""Market history for everybody: ``/v1/bars``, ``/v1/trades``, ``/v1/quotes``, ``/v1/bulletins``.

The running day comes from the feed, earlier days from ``gateway.market_history`` and the bulletins.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response

from gateway.market_history import bar_values, trade_rows
from gateway.rest.answers import ProblemError, answer, documented
from gateway.rest.market_views import (
    BarPage,
    BarView,
    BulletinPage,
    DailyQuote,
    DailyQuotePage,
    PublicTrade,
    PublicTradePage,
)
from gateway.venue import Venue
from gateway.wire.refusals import REFUSALS
from marketdata.bars import COMPOSITE_LINE, MINUTE_NS, BarKey
from marketdata.bulletin import Bulletin, PriceLine, Volumes
from marketdata.charts import day_start
from marketdata.messages import COMPOSITE
from marketdata.told import SIDE_NAMES

PAGE = 500
PAGE_MAX = 1000
BULLETINS_MAX = 50
DATE_END = 10**8  # numbers below are dates YYYYMMDD, above microseconds since 1970
TIME_MAX = 2**53
DAY_MINUTES = 24 * 60
BAR_VIEW_FIELDS = BarView.__struct_fields__[:-1]

Moment = Annotated[int, Query(ge=0, le=TIME_MAX)]
Count = Annotated[int, Query(ge=1, le=PAGE_MAX)]
Date = Annotated[int, Query(ge=0, lt=DATE_END)]
Code = Annotated[str, Query(max_length=16)]


def market_routes(router: APIRouter, venue: Venue) -> None:
    """Add the pages of market history."""

    @router.get("/v1/bars", tags=["history"], responses=documented(BarPage, 404, 422))
    async def bars(
        instrument: Code,
        interval: Literal["1m", "5m", "1d"],
        first: Annotated[int, Query(alias="from", ge=0, le=TIME_MAX)] = 0,
        last: Annotated[int, Query(alias="to", ge=0, le=TIME_MAX)] = TIME_MAX,
        limit: Count = PAGE,
    ) -> Response:
        """Bars of an instrument or `composite` that begin from `from` on and before `to`.

        Both are microseconds since 1970; a number below 10⁸ is a date, `to` then included.
        """
        _known(venue, instrument, COMPOSITE)
        from_us, to_us = _moment(first, after=False), _moment(last, after=True)
        _ordered(from_us + 1, to_us)
        return answer(await _bars(venue, instrument, interval, from_us, to_us, limit))

    @router.get("/v1/trades", tags=["history"], responses=documented(PublicTradePage, 404, 422))
    async def trades(
        instrument: Code = "",
        date: Date = 0,
        after: Annotated[int, Query(ge=0, le=TIME_MAX)] = 0,
        limit: Count = PAGE,
    ) -> Response:
        """Trades of a day, of one instrument or of all; without `date` those of today."""
        if instrument:
            _known(venue, instrument)
        return answer(await _trades(venue, date, instrument, after, limit))

    _daily_routes(router, venue)


def _daily_routes(router: APIRouter, venue: Venue) -> None:
    @router.get("/v1/quotes", tags=["history"], responses=documented(DailyQuotePage, 404, 422))
    async def quotes(
        instrument: Code = "",
        first: Annotated[int, Query(alias="from", ge=0, lt=DATE_END)] = 0,
        last: Annotated[int, Query(alias="to", ge=0, lt=DATE_END)] = DATE_END - 1,
        limit: Count = PAGE,
    ) -> Response:
        """Daily price lines of closed days, of one instrument (or `composite`) or of all."""
        if instrument:
            _known(venue, instrument, COMPOSITE)
        _ordered(first, last)
        found: list[DailyQuote] = []
        following = 0
        for bulletin in _bulletins(venue, first, last):
            lines = [each for each in daily_quotes(bulletin) if instrument in ("", each.instrument)]
            if found and len(found) + len(lines) > limit:
                following = bulletin.date
                break
            found += lines
        return answer(DailyQuotePage(quotes=found, more=following > 0, next=following))

    @router.get("/v1/bulletins", tags=["history"], responses=documented(BulletinPage, 422))
    async def bulletins(
        first: Annotated[int, Query(alias="from", ge=0, lt=DATE_END)] = 0,
        last: Annotated[int, Query(alias="to", ge=0, lt=DATE_END)] = DATE_END - 1,
        limit: Annotated[int, Query(ge=1, le=BULLETINS_MAX)] = BULLETINS_MAX,
    ) -> Response:
        """Daily bulletins in the exchange's own content (TR-141, TR-142)."""
        _ordered(first, last)
        found = _bulletins(venue, first, last)
        rest = found[limit:]
        following = rest[0].date if rest else 0
        return answer(BulletinPage(bulletins=found[:limit], more=bool(rest), next=following))


async def _bars(
    venue: Venue, instrument: str, interval: str, from_us: int, to_us: int, limit: int
) -> BarPage:
    venue.publisher.flush()
    today = [each for each in _bars_today(venue, instrument, interval) if each.start_us >= from_us]
    stored = await venue.history.bars(instrument, interval, from_us, to_us, limit + 1)
    date = venue.feed.date
    found = [_view(row) for row in stored if row[1] != date]
    found += [each for each in today if each.start_us < to_us]
    page = found[:limit]
    more = len(found) > limit
    return BarPage(
        instrument=instrument,
        interval=interval,
        bars=page,
        more=more,
        next_us=page[-1].start_us + 1 if more else 0,
    )


def _bars_today(venue: Venue, instrument: str, interval: str) -> list[BarView]:
    charts, codes = venue.feed.charts, venue.feed.codes
    line = COMPOSITE_LINE if instrument == COMPOSITE else codes.index(instrument)
    found = []
    for row in charts.rows(interval, line):
        view = _view((row.start * MINUTE_NS // 1000, venue.feed.date, *bar_values(row)))
        key = BarKey(interval, line, row.start)
        view.open = not charts.closed if interval == "1d" else charts.bars.is_open(key)
        found.append(view)
    return found


def _view(values: tuple[Any, ...]) -> BarView:
    fields: dict[str, Any] = dict(zip(BAR_VIEW_FIELDS, values, strict=True))
    return BarView(**fields)


async def _trades(
    venue: Venue, date: int, instrument: str, after: int, limit: int
) -> PublicTradePage:
    today = venue.feed.date
    if date in (0, today):
        date = today
        line = venue.feed.codes.index(instrument) if instrument else None
        rows = trade_rows(venue.feed.charts.trades_after(after, line, limit + 1))
    elif date in venue.history.dates:
        rows = await venue.history.trades(date, instrument, after, limit + 1)
    else:
        raise ProblemError(404, "unknown_date", "Of this date nothing is kept.")
    page, more = rows[:limit], len(rows) > limit
    found = [
        PublicTrade(
            trade_no=row.trade_no,
            time_us=row.time_us,
            instrument=row.instrument,
            price_ticks=row.price_ticks,
            qty_tonnes=row.qty_tonnes,
            turnover_fen=row.turnover_fen,
            side=SIDE_NAMES[row.side],
            modality=row.modality,
            void=bool(row.void),
        )
        for row in page
    ]
    return PublicTradePage(
        date=date, trades=found, more=more, next=page[-1].trade_no if more else 0
    )


def _bulletins(venue: Venue, first: int, last: int) -> list[Bulletin]:
    bulletins = venue.feed.bulletins
    return [bulletins[date] for date in sorted(bulletins) if first <= date <= last]


def daily_quotes(bulletin: Bulletin) -> list[DailyQuote]:
    """Return the price lines of a day: of the composite price, then of each instrument."""
    whole = (bulletin.listed, bulletin.bulk, bulletin.auction)
    lines = [
        (each.instrument, each.price, (each.listed, each.bulk, each.auction))
        for each in bulletin.vintages
    ]
    return [
        _quote(bulletin.date, *line) for line in [(COMPOSITE, bulletin.composite, whole), *lines]
    ]


def _quote(date: int, code: str, price: PriceLine, volumes: tuple[Volumes, ...]) -> DailyQuote:
    listed, bulk, auction = volumes
    return DailyQuote(
        date=date,
        instrument=code,
        open_ticks=price.open_ticks,
        high_ticks=price.high_ticks,
        low_ticks=price.low_ticks,
        close_ticks=price.close_ticks,
        prev_close_ticks=price.prev_close_ticks,
        change_ticks=price.change_ticks,
        change_bp=price.change_bp,
        listed_qty_tonnes=listed.day_qty_tonnes,
        listed_turnover_fen=listed.day_turnover_fen,
        bulk_qty_tonnes=bulk.day_qty_tonnes,
        bulk_turnover_fen=bulk.day_turnover_fen,
        auction_qty_tonnes=auction.day_qty_tonnes,
        auction_turnover_fen=auction.day_turnover_fen,
    )


def _known(venue: Venue, instrument: str, *others: str) -> None:
    if instrument not in venue.feed.codes and instrument not in others:
        raise ProblemError(404, "unknown_instrument", REFUSALS["unknown_instrument"].sentence)


def _moment(number: int, *, after: bool) -> int:
    """Return microseconds of a moment; a date is its beginning, ``after``: its end."""
    if number >= DATE_END or number == 0:
        return number
    try:
        dt.date(number // 10_000, number // 100 % 100, number % 100)
    except ValueError:
        raise ProblemError(422, "invalid_request", f"{number} is no date YYYYMMDD.") from None
    return (day_start(number) + after * DAY_MINUTES) * MINUTE_NS // 1000


def _ordered(first: int, last: int) -> None:
    if first > last:
        raise ProblemError(422, "invalid_request", "from does not lie before to.")
