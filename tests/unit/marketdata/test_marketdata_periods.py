"""Weekly, monthly and yearly summaries from bulletins, by hand (TR-143)."""

from __future__ import annotations

import msgspec
import pytest

from marketdata.bulletin import Bulletin, PriceLine, VintageLine, Volumes
from marketdata.periods import (
    PeriodSummary,
    monthly,
    summarise,
    to_json,
    to_text,
    weekly,
    yearly,
)

NOTHING = Volumes()


def price(day: tuple[int, int, int], close: int, before: int) -> PriceLine:
    return PriceLine(*day, day[1], close, before, close - before, 0)


def bulletin(
    date: int, day: tuple[int, int, int], close: int, before: int, qty: int, bulk: int = 0
) -> Bulletin:
    """A day of one vintage: listed ``qty`` at the close, bulk at 70.00 yuan."""
    listed, other = Volumes(qty, qty * close), Volumes(bulk, bulk * 7000)
    line = price(day, close, before)
    total = Volumes(qty + bulk, qty * close + bulk * 7000)
    vintage = VintageLine("CEA25", before, line, listed, other, NOTHING)
    return Bulletin(date, qty + bulk > 0, line, listed, other, NOTHING, total, (vintage,), 1)


DAYS = [
    bulletin(20260827, (8000, 8100, 7900), 8050, 7990, 100),
    bulletin(20260828, (8050, 0, 0), 8050, 8050, 0),
    bulletin(20260831, (8060, 8200, 8040), 8100, 8050, 300, 1000),  # Monday: another week
    bulletin(20260901, (8100, 8110, 8000), 8010, 8100, 50),  # same week, another month
]


def test_a_week_and_a_month_cut_the_days_differently() -> None:
    assert [(each.name, each.trading_days) for each in weekly(DAYS)] == [
        ("2026-W35", 2),
        ("2026-W36", 2),
    ]
    assert [(each.name, each.trading_days) for each in monthly(reversed(DAYS))] == [
        ("2026-08", 3),
        ("2026-09", 1),
    ]
    (year,) = yearly(DAYS)
    assert (year.name, year.trading_days, year.days_traded) == ("2026", 4, 3)
    assert (year.first_date, year.last_date, year.bidding_sessions) == (20260827, 20260901, 4)


def test_prices_are_extremes_of_traded_days_and_volumes_are_sums() -> None:
    august = monthly(DAYS)[0]
    line = august.composite
    assert (line.open_ticks, line.high_ticks, line.low_ticks) == (8000, 8200, 7900)
    assert (line.close_ticks, line.prev_close_ticks, line.change_bp) == (8100, 7990, 138)
    assert august.vintages[0].price == line
    assert (august.listed.qty_tonnes, august.listed.turnover_fen) == (400, 3_235_000)
    assert august.listed.average_ticks == 8088  # 8087.5, half up
    assert (august.bulk.qty_tonnes, august.bulk.average_ticks) == (1000, 7000)
    assert august.total.average_ticks == 7311  # all modalities: 10,235,000 / 1,400 = 7310.7
    assert august.vintages[0].total == august.total
    assert august.auction.average_ticks == 0


def test_an_untraded_period_and_one_that_begins_with_the_market() -> None:
    quiet = summarise("a day", [DAYS[1]])
    assert quiet.composite.high_ticks == quiet.composite.low_ticks == 0
    assert (quiet.composite.open_ticks, quiet.composite.change_bp) == (8050, 0)
    first = summarise("first", [bulletin(20260827, (8000, 8100, 7900), 8080, 0, 100)])
    assert first.composite.change_bp == 100  # from its first open
    with pytest.raises(ValueError, match="nothing has no trading day"):
        summarise("nothing", [])


def test_a_summary_as_json_and_text() -> None:
    august = monthly(DAYS)[0]
    assert msgspec.json.decode(to_json(august), type=PeriodSummary) == august
    text = to_text(august)
    for wanted in ("2026-08", "3 trading days, trades on 2", "CEA25", "1,400 t", "+1.38%", "70.00"):
        assert wanted in text, text
    assert text.endswith("\n")
