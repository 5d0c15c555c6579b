"""Trading days, from CA-01 to CA-04: Monday to Friday without the closures of the official list."""

from __future__ import annotations

import datetime as dt

FIRST_DAY = dt.date(2021, 7, 16)  # TR-04, CA-02

# CA-03, weekday closures: year -> "month: days". A range names calendar days. No list is known for
# later years, so CA-01 leaves them Monday to Friday.
_CLOSURES = {
    2021: "9: 20 21; 10: 1 4-7",
    2022: "1: 3 31; 2: 1-4; 4: 4 5; 5: 2-4; 6: 3; 9: 12; 10: 3-7",
    2023: "1: 2 23-27; 4: 5; 5: 1-3; 6: 22 23; 9: 29; 10: 2-6",
    2024: "1: 1; 2: 9 12-16; 4: 4 5; 5: 1-3; 6: 10; 9: 16 17; 10: 1-4 7",
    2025: "1: 1 28-31; 2: 3 4; 4: 4; 5: 1 2 5; 6: 2; 10: 1-3 6-8",
    2026: "1: 1 2; 2: 16-20 23; 4: 6; 5: 1 4 5; 6: 19; 9: 25; 10: 1 2 5-7",
}


def _read(year: int, text: str) -> set[dt.date]:
    closed = set()
    for part in text.split(";"):
        month, days = part.split(":")
        for span in days.split():
            first, _, last = span.partition("-")
            for day in range(int(first), int(last or first) + 1):
                closed.add(dt.date(year, int(month), day))
    return closed


CLOSED = frozenset(day for year, text in _CLOSURES.items() for day in _read(year, text))


def is_trading_day(day: dt.date) -> bool:
    """Whether the market trades on that date (CA-01)."""
    return day >= FIRST_DAY and day.weekday() < 5 and day not in CLOSED


def date_of(number: int) -> dt.date | None:
    """Read YYYYMMDD; None if it names no day."""
    if not 1_01_01 <= number <= 9999_12_31:
        return None
    try:
        return dt.date(number // 1_00_00, number // 1_00 % 1_00, number % 1_00)
    except ValueError:
        return None


def number_of(day: dt.date) -> int:
    """Write a date as YYYYMMDD."""
    return day.year * 1_00_00 + day.month * 1_00 + day.day


def next_trading_day(day: dt.date) -> dt.date:
    """The first trading day after that date (CA-04)."""
    day += dt.timedelta(days=1)
    while not is_trading_day(day):
        day += dt.timedelta(days=1)
    return day
