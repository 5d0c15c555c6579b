"""CA-01…04: trading days, against the exchange's own counts."""

from __future__ import annotations

import datetime as dt
from itertools import pairwise

import pytest

from engine.calendar import (
    CLOSURES,
    LAUNCH,
    date_of,
    is_trading_day,
    next_trading_day,
    number_of,
    previous_trading_day,
    trading_days,
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def count(first: str, last: str) -> int:
    return len(list(trading_days(day(first), day(last))))


@pytest.mark.parametrize(
    ("year", "days"),
    [(2021, 114), (2022, 242), (2023, 242), (2024, 242), (2025, 243), (2026, 242)],
)
def test_days_of_each_year_ca_02(year: int, days: int) -> None:
    assert count(f"{year}-01-01", f"{year}-12-31") == days


def test_observed_days_ca_02() -> None:
    assert count("2026-01-01", "2026-08-19") == 152
    assert count("2021-07-16", "2026-08-19") == 1235  # CA-01: zero deviations in 1,235 days


def test_every_closure_is_a_weekday_of_a_listed_year() -> None:
    assert {date.year for date in CLOSURES} == {2021, 2022, 2023, 2024, 2025, 2026}
    assert all(date.weekday() < 5 for date in CLOSURES)
    assert not any(is_trading_day(date) for date in CLOSURES)


def test_day_after_a_holiday_refers_to_the_day_before_it_e20() -> None:
    # Qingming 2023 was Wednesday 5 April: Thursday's reference is Tuesday's close (CA-04).
    assert day("2023-04-05").weekday() == 2
    assert previous_trading_day(day("2023-04-06")) == day("2023-04-04")
    assert next_trading_day(day("2023-04-04")) == day("2023-04-06")


@pytest.mark.parametrize("saturday", ["2021-09-18", "2022-01-29", "2023-10-07", "2024-09-14"])
def test_working_weekend_is_closed_e21(saturday: str) -> None:
    assert day(saturday).weekday() == 5
    assert not is_trading_day(day(saturday))


def test_nothing_before_the_launch() -> None:
    assert is_trading_day(LAUNCH)
    assert not is_trading_day(day("2021-07-15"))
    assert next_trading_day(day("2019-01-01")) == LAUNCH
    assert count("2020-01-01", "2021-07-16") == 1
    with pytest.raises(ValueError, match="no trading day before 2021-07-16"):
        previous_trading_day(LAUNCH)


def test_year_without_a_list_is_monday_to_friday() -> None:
    assert count("2027-01-01", "2027-12-31") == 261
    assert is_trading_day(day("2027-10-01"))
    assert not is_trading_day(day("2027-10-02"))


def test_neighbours_agree_over_five_years() -> None:
    days = list(trading_days(LAUNCH, day("2026-12-31")))
    for earlier, later in pairwise(days):
        assert next_trading_day(earlier) == later
        assert previous_trading_day(later) == earlier


def test_empty_range() -> None:
    assert list(trading_days(day("2022-01-29"), day("2022-01-30"))) == []
    assert list(trading_days(day("2022-03-02"), day("2022-03-01"))) == []


def test_numbers() -> None:
    assert number_of(day("2021-07-16")) == 20210716
    assert date_of(20210716) == LAUNCH
    for number in (0, -5, 20210231, 20211301, 99999, 10**18):
        assert date_of(number) is None
