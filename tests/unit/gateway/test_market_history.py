"""Earlier days in the small database: written once, read in pages, made anew when broken."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from engine.records import Phase
from gateway.market_history import MarketHistory, bar_values, trade_rows
from marketdata.bars import MINUTE_NS
from marketdata.charts import Day, day_start
from tests.unit.marketdata.trading_floor import CODES, DATES, Floor


@pytest.fixture(scope="module")
def day() -> Day:
    """A day with all ways of trading, voids among them."""
    floor, days = Floor(5), []
    feed = floor.feed()
    feed.keep_day = days.append
    for _ in range(2):
        floor.steps(150)
        floor.next_phase()
    floor.steps(150)
    while floor.phase != Phase.PRE_OPEN:
        floor.next_phase()
    (found,) = days
    return found


@pytest.fixture
def history(tmp_path: Path) -> Iterator[MarketHistory]:
    made = MarketHistory(tmp_path / "market.db")
    yield made
    made.close()


def trades(history: MarketHistory, code: str = "", after: int = 0, count: int = 10**6) -> list:
    return asyncio.run(history.trades(DATES[0], code, after, count))


def test_a_day_is_read_as_it_was(history: MarketHistory, day: Day) -> None:
    history.keep(day)
    expected = trade_rows(day)
    assert trades(history) == expected
    assert {row.modality for row in expected} == {10, 20, 21}
    assert any(row.void for row in expected)
    for code in CODES:
        assert trades(history, code) == [row for row in expected if row.instrument == code]
    assert trades(history, after=expected[2].trade_no, count=3) == expected[3:6]
    for code in (*CODES, "composite"):
        for interval in ("1m", "5m", "1d"):
            bars = [b for b in day.bars if (b.instrument, b.interval) == (code, interval)]
            wanted = [
                (bar.start * MINUTE_NS // 1000, day.date, *bar_values(bar))
                for bar in sorted(bars, key=lambda bar: bar.start)
            ]
            assert wanted
            read = history.bars(code, interval, 0, 2**53, 10**6)
            assert asyncio.run(read) == wanted


def test_a_day_is_written_once(history: MarketHistory, day: Day) -> None:
    history.keep(day)
    before = trades(history)
    history.keep(day._replace(trades=day.trades[:1]))
    assert trades(history) == before


def test_bars_add_up_to_the_trades_that_stand(day: Day) -> None:
    """TR-107, TR-121, TR-142: per interval and instrument, the composite over all."""
    standing = day.trades[day.trades["void"] == 0]
    for row, code in enumerate(CODES):
        mine = standing[standing["instrument"] == row]
        for interval in ("1m", "5m", "1d"):
            bars = [b.values for b in day.bars if (b.interval, b.instrument) == (interval, code)]
            for at, modality in ((5, 10), (7, 20), (9, 21)):
                of = mine[mine["modality"] == modality]
                assert sum(bar[at] for bar in bars) == of["qty_tonnes"].sum()
                assert sum(bar[at + 1] for bar in bars) == of["turnover_fen"].sum()
    (whole,) = [b.values for b in day.bars if (b.interval, b.instrument) == ("1d", "composite")]
    assert sum(whole[5::2]) == standing["qty_tonnes"].sum()
    assert sum(whole[6::2]) == standing["turnover_fen"].sum()
    (start,) = {bar.start for bar in day.bars if bar.interval == "1d"}
    assert start == day_start(day.date)


@pytest.mark.parametrize("broken", ["rubbish", "version"])
def test_a_database_that_cannot_be_read_is_put_aside(tmp_path: Path, day: Day, broken: str) -> None:
    path = tmp_path / "market.db"
    if broken == "rubbish":
        path.write_bytes(b"not a database at all, not at all" * 200)
    else:
        with sqlite3.connect(path) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    history = MarketHistory(path)
    history.keep(day)
    assert len(trades(history)) == len(day.trades)
    history.close()
    assert path.with_name("market.db.aside").exists()
    again = MarketHistory(path)
    assert again.dates == {day.date}
    again.close()


def test_a_day_that_could_not_be_written_is_not_there(
    history: MarketHistory, day: Day, caplog: pytest.LogCaptureFixture
) -> None:
    history._ask(lambda db: db.execute("DROP TABLE bars"))
    history.keep(day)
    assert trades(history) == []
    assert history.dates == set()
    assert "could not be kept" in caplog.text


def test_the_day_that_is_kept_does_not_change_with_the_next(
    history: MarketHistory, day: Day
) -> None:
    mutable = day._replace(trades=day.trades.copy())
    history.keep(mutable)
    mutable.trades["price_ticks"] = 0
    assert np.array_equal([row.price_ticks for row in trades(history)], day.trades["price_ticks"])
