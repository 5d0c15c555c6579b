"""Bars: what is in them, when they end, and what a deal that is undone does to them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.records import Event, Modality, Phase
from engine.units import half_up
from marketdata.charts import day_start
from marketdata.feed import Feed
from marketdata.messages import Bar, Message, OpenBar, Quote
from tests.unit.marketdata.streams import (
    DATE,
    admitted,
    batch,
    day_begun,
    day_closed,
    event,
    listed_and_taken,
    traded,
)
from tests.unit.marketdata.trading_floor import CODES, Floor

MINUTE_NS = 60 * 10**9
MORNING_NS = day_start(DATE) * MINUTE_NS + 570 * MINUTE_NS  # 09:30 in Beijing
REFERENCES = [8000, 9000]


class Tape:
    """A feed of two vintages, weights 1 and 3, and events at minutes after 09:30."""

    def __init__(self) -> None:
        self.feed = Feed(("CEA24", "CEA25").__getitem__)
        self.numbers = 0
        self.feed.absorb(batch(*admitted(REFERENCES, [1, 3]), *day_begun(REFERENCES)))
        self.feed.flush()

    def at(self, minute: float, *rows: dict[str, Any]) -> list[Message]:
        events = batch(*rows)
        events["time_ns"] = MORNING_NS + int(minute * MINUTE_NS)
        self.feed.absorb(events)
        return self.feed.flush()

    def deal(self, minute: float, price: int, qty: int, row: int = 1) -> list[Message]:
        self.numbers += 1
        rows = listed_and_taken(row, price, qty, 2 * self.numbers, self.numbers)
        return self.at(minute, *rows)

    def bulk(self, minute: float, price: int, qty: int, modality: int = 20) -> list[Message]:
        self.numbers += 1
        deal = traded(1, price, qty, modality, trade_no=self.numbers, other_order_no=900)
        return self.at(minute, deal)


def bars(messages: list[Message], interval: str, code: str = "CEA25") -> list[Bar]:
    return [
        each
        for each in messages
        if isinstance(each, Bar) and (each.interval, each.instrument) == (interval, code)
    ]


def prices(bar: Bar | OpenBar) -> tuple[int, int, int, int]:
    return (bar.open_ticks, bar.high_ticks, bar.low_ticks, bar.close_ticks)


def test_a_bar_is_open_while_its_minute_runs_and_ends_once() -> None:
    tape = Tape()
    found = [*tape.deal(0.1, 9010, 5), *tape.deal(0.2, 8990, 7), *tape.deal(0.9, 9000, 1)]
    assert bars(found, "1m") == []
    (picture,) = [each for each in tape.feed.snapshot("CEA25").bars if each.interval == "1m"]
    assert prices(picture) == (9010, 9010, 8990, 9000)
    after = tape.deal(1.0, 9500, 1)
    (bar,) = bars(after, "1m")
    assert prices(bar) == (9010, 9010, 8990, 9000)
    assert (bar.trades, bar.qty_tonnes, bar.listed_turnover_fen) == (
        3,
        13,
        9010 * 5 + 8990 * 7 + 9000,
    )
    assert bar.start_us == MORNING_NS // 1000
    assert [type(each) for each in after].index(Bar) < [each.channel for each in after].index(
        "trade"
    )
    assert bars([*tape.deal(1.5, 9400, 1), *tape.deal(1.9, 9400, 1)], "1m") == []
    assert bars(tape.deal(4.5, 9000, 2), "1m")[0].open_ticks == 9500
    five = bars(tape.deal(5.0, 9000, 2), "5m")
    assert [prices(each) for each in five] == [(9010, 9500, 8990, 9000)]
    assert five[0].qty_tonnes == 13 + 3 + 2


def test_only_listed_trades_make_prices_and_all_make_volume() -> None:
    """TR-76, TR-93, TR-107: bulk and bidding move no price."""
    tape = Tape()
    tape.bulk(0.1, 7000, 100)
    tape.deal(0.2, 9010, 5)
    tape.bulk(0.3, 11_000, 30, Modality.AUCTION)
    (bar,) = bars(tape.bulk(1.1, 7000, 1), "1m")
    assert prices(bar) == (9010, 9010, 9010, 9010)
    assert (bar.listed_qty_tonnes, bar.bulk_qty_tonnes, bar.auction_qty_tonnes) == (5, 100, 30)
    assert (bar.qty_tonnes, bar.trades) == (135, 1)
    assert bar.turnover_fen == 5 * 9010 + 100 * 7000 + 30 * 11_000
    (empty,) = bars(tape.deal(2.0, 9000, 1), "1m")
    assert prices(empty) == (0, 0, 0, 0)  # TR-102
    assert empty.bulk_turnover_fen == 7000


def test_bars_of_the_composite_follow_every_listed_trade() -> None:
    """TR-105: weights 1 and 3."""
    tape = Tape()
    tape.deal(0.1, 9100, 2, row=1)
    tape.deal(0.2, 7800, 4, row=0)
    (bar,) = bars(tape.deal(1.0, 9000, 1), "1m", "composite")
    first, second = half_up(8000 + 3 * 9100, 4), half_up(7800 + 3 * 9100, 4)
    assert prices(bar) == (first, first, second, second)
    assert (bar.trades, bar.qty_tonnes) == (2, 6)


def voided(tape: Tape, minute: float, number: int, price: int, qty: int) -> list[Message]:
    fields = {"trade_no": number, "price_ticks": price, "qty_tonnes": qty, "instrument": 1}
    values = {"amount_fen": price * qty, "modality": Modality.LISTED}
    return tape.at(minute, event(Event.TRADE_VOIDED, **fields, **values))


def test_a_deal_that_is_undone_restates_its_bars() -> None:
    """TR-121."""
    tape = Tape()
    tape.deal(0.1, 9010, 5)
    tape.deal(0.2, 9500, 7)
    tape.deal(5.1, 9000, 1)
    found = voided(tape, 5.2, 2, 9500, 7)
    for interval in ("1m", "5m"):
        (bar,) = bars(found, interval)
        assert bar.restated
        assert prices(bar) == (9010, 9010, 9010, 9010)
        assert (bar.trades, bar.qty_tonnes) == (1, 5)
        (whole,) = bars(found, interval, "composite")
        assert (whole.restated, whole.qty_tonnes, whole.trades) == (True, 5, 1)
        assert whole.high_ticks == half_up(8000 + 3 * 9500, 4)  # as it was published
    (day,) = [each for each in tape.feed.snapshot("CEA25").bars if each.interval == "1d"]
    assert (day.high_ticks, day.qty_tonnes) == (9010, 6)
    assert voided(tape, 5.3, 3, 9000, 1)  # of the minute that runs: its picture follows
    (now,) = [each for each in tape.feed.snapshot("CEA25").bars if each.interval == "1m"]
    assert (now.trades, now.qty_tonnes, prices(now)) == (0, 0, (0, 0, 0, 0))


def test_the_bar_of_a_closed_day_is_the_bulletins_line() -> None:
    """TR-100, TR-101, TR-102, TR-104."""
    tape = Tape()
    tape.deal(0.1, 9010, 5)
    found = tape.at(330, *day_closed([8000, 9007], 8755, line=(8755, 8760, 8750)))
    assert [each.interval for each in found if isinstance(each, Bar)][-3:] == ["1d"] * 3
    (traded_one,) = bars(found, "1d")
    assert prices(traded_one) == (9010, 9010, 9010, 9007)
    (quiet,) = bars(found, "1d", "CEA24")
    assert prices(quiet) == (8000, 0, 0, 8000)
    (composite,) = bars(found, "1d", "composite")
    assert prices(composite) == (8755, 8760, 8750, 8755)
    assert not tape.feed.snapshot("CEA25").bars
    assert {(each.interval, each.start_us) for each in found if isinstance(each, Bar)} >= {
        ("1d", day_start(DATE) * 60_000_000)
    }


def test_a_deal_undone_in_the_evening_restates_the_day() -> None:
    tape = Tape()
    tape.deal(0.1, 9010, 5)
    tape.deal(0.2, 9400, 5)
    tape.at(330, *day_closed([8000, 9205], 8755))
    rows = day_closed([8000, 9010], 8740)[:-1]
    undone = event(
        Event.TRADE_VOIDED,
        trade_no=2,
        price_ticks=9400,
        qty_tonnes=5,
        instrument=1,
        amount_fen=47_000,
        modality=Modality.LISTED,
        phase=Phase.CLOSED,
    )
    found = tape.at(340, undone, *rows)
    (day,) = bars(found, "1d")
    assert (day.restated, prices(day), day.qty_tonnes) == (True, (9010, 9010, 9010, 9010), 5)
    assert bars(found, "1d", "CEA24") == []  # nothing new to say


def test_a_new_day_begins_without_bars() -> None:
    tape = Tape()
    kept: list[Any] = []
    tape.feed.keep_day = kept.append
    tape.deal(0.1, 9010, 5)
    tape.at(330, *day_closed([8000, 9010], 8757))
    tape.at(1400, *day_begun([8000, 9010], 20260821))
    (day,) = kept
    assert (day.date, len(day.trades), day.codes) == (DATE, 1, ("CEA24", "CEA25"))
    assert {row.interval for row in day.bars} == {"1m", "5m", "1d"}
    assert tape.feed.charts.rows() == []
    assert len(tape.feed.charts.tape.rows()) == 0
    assert len(day.trades) == 1


@pytest.mark.parametrize("seed", range(4))
def test_bars_are_what_the_trades_that_stand_say(seed: int) -> None:
    """Every minute from the deals alone; a quote agrees with its day."""
    floor, feed = Floor(seed), Feed(CODES.__getitem__)
    for _ in range(3):
        floor.steps(300)
        floor.next_phase()
    for events in floor.events:
        later = events.copy()
        later["time_ns"] += later["seq"] * 700_000_000
        feed.absorb(later)
    feed.flush()
    rows = feed.charts.tape.rows()
    standing = rows[(rows["void"] == 0) & (rows["modality"] == 10)]
    minutes = standing["time_ns"] // MINUTE_NS
    seen = 0
    for bar in feed.charts.rows("1m"):
        if bar.instrument == "composite":
            continue
        mine = standing[
            (standing["instrument"] == CODES.index(bar.instrument)) & (minutes == bar.start)
        ]
        expected = (0, 0, 0, 0)
        if len(mine):
            ticks = mine["price_ticks"]
            expected = (ticks[0], ticks.max(), ticks.min(), ticks[-1])
        assert bar.values[:4] == expected
        assert bar.values.trades == len(mine)
        seen += len(mine)
    assert seen == len(standing) > 5
    quotes = [feed.snapshot(code).quote for code in CODES]
    assert all(isinstance(quote, Quote) for quote in quotes)
    assert np.unique(rows["trade_no"]).size == len(rows)
