"""Both calendars, read from CA-01…CA-03 by two hands, name the same trading days."""

from __future__ import annotations

import datetime as dt

from engine.calendar import is_trading_day
from tests.reference import trading_days


def test_both_calendars_agree_on_every_date() -> None:
    """From before the launch to the years without a list of closures."""
    day, unlike = dt.date(2020, 12, 1), []
    while day < dt.date(2028, 1, 1):
        if is_trading_day(day) != trading_days.is_trading_day(day):
            unlike.append(day)
        day += dt.timedelta(days=1)
    assert unlike == []


def test_the_twins_calendar_counts_the_published_days() -> None:
    """CA-02: 114 days in 2021, then 242, 242, 242, 243, 242."""
    published = {2021: 114, 2022: 242, 2023: 242, 2024: 242, 2025: 243, 2026: 242}
    for year, count in published.items():
        days = (dt.date(year, 1, 1) + dt.timedelta(days=n) for n in range(366))
        assert sum(trading_days.is_trading_day(d) for d in days if d.year == year) == count
