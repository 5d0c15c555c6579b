"""The trading calendar (CA-01…04): which days the market is open.

Pure: dates go in, answers come out; nothing here knows what day it is today. A trading day is a
Monday to Friday outside the closure list, from the launch on. Weekends worked to make up for a
holiday are closed (CA-01). Years without a list are Monday to Friday.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

LAUNCH = dt.date(2021, 7, 16)  # TR-04: the market's first trading day

# CA-03, weekday closures by year as MMDD; the last days of 2026 are from the State Council notice.
CLOSURES_MMDD: dict[int, tuple[int, ...]] = {
    2021: (920, 921, 1001, 1004, 1005, 1006, 1007),
    2022: (
        *(103, 131, 201, 202, 203, 204, 404, 405, 502, 503, 504, 603, 912),
        *(1003, 1004, 1005, 1006, 1007),
    ),
    2023: (
        *(102, 123, 124, 125, 126, 127, 405, 501, 502, 503, 622, 623, 929),
        *(1002, 1003, 1004, 1005, 1006),
    ),
    2024: (
        *(101, 209, 212, 213, 214, 215, 216, 404, 405, 501, 502, 503, 610, 916, 917),
        *(1001, 1002, 1003, 1004, 1007),
    ),
    2025: (
        *(101, 128, 129, 130, 131, 203, 204, 404, 501, 502, 505, 602),
        *(1001, 1002, 1003, 1006, 1007, 1008),
    ),
    2026: (
        *(101, 102, 216, 217, 218, 219, 220, 223, 406, 501, 504, 505, 619),
        *(925, 1001, 1002, 1005, 1006, 1007),
    ),
}

CLOSURES: frozenset[dt.date] = frozenset(
    dt.date(year, mmdd // 100, mmdd % 100) for year, days in CLOSURES_MMDD.items() for mmdd in days
)


def is_trading_day(date: dt.date) -> bool:
    """Whether the market is open on ``date`` (CA-01, CA-03); False before the launch."""
    return date >= LAUNCH and date.weekday() < 5 and date not in CLOSURES


def next_trading_day(date: dt.date) -> dt.date:
    """Return the first trading day after ``date`` (``date`` itself never counts)."""
    day = max(date, LAUNCH - dt.timedelta(days=1))
    while True:
        day += dt.timedelta(days=1)
        if is_trading_day(day):
            return day


def previous_trading_day(date: dt.date) -> dt.date:
    """Return the last trading day before ``date`` (CA-04).

    Raises:
        ValueError: ``date`` is the launch day or earlier: there is none.
    """
    day = date
    while day > LAUNCH:
        day -= dt.timedelta(days=1)
        if is_trading_day(day):
            return day
    raise ValueError(f"no trading day before {date}: the market opened on {LAUNCH}")


def trading_days(first: dt.date, last: dt.date) -> Iterator[dt.date]:
    """Yield the trading days from ``first`` to ``last``, both included, in order."""
    day = first - dt.timedelta(days=1)
    while (day := next_trading_day(day)) <= last:
        yield day


def date_of(number: int) -> dt.date | None:
    """Return the date written YYYYMMDD as the records write it; None if there is no such day."""
    try:
        return dt.date(number // 10_000, number // 100 % 100, number % 100)
    except (ValueError, OverflowError):
        return None


def number_of(date: dt.date) -> int:
    """Return ``date`` as YYYYMMDD."""
    return date.year * 10_000 + date.month * 100 + date.day
