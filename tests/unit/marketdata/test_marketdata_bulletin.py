"""Figures and the daily bulletin, by hand (TR-100…107, TR-141, TR-142, E23, E24, E25, E29)."""

from __future__ import annotations

import msgspec
import pytest

from engine.records import Modality
from marketdata.bulletin import Bulletin, Volumes, from_json, percent, to_json, to_text, yuan
from marketdata.feed import Feed
from marketdata.figures import change_bp
from marketdata.messages import Quote
from tests.unit.marketdata.streams import (
    admitted,
    batch,
    day_begun,
    day_closed,
    listed_and_taken,
    traded,
)

NEXT_DATE, NEXT_YEAR = 20260821, 20270104


def opened(references: list[int], weights: list[int]) -> Feed:
    feed = Feed(["CEA24", "CEA25"].__getitem__)
    feed.absorb(batch(*admitted(references, weights), *day_begun(references)))
    return feed


def closed(
    feed: Feed,
    closes: list[int],
    composite: int,
    date: int = 20260820,
    line: tuple[int, int, int] | None = None,
) -> Bulletin:
    feed.absorb(batch(*day_closed(closes, composite, date, line)))
    bulletin = feed.bulletin(date)
    assert bulletin is not None
    return bulletin


def quote(feed: Feed, instrument: int) -> Quote:
    feed.flush()
    shown = feed.snapshot(instrument).quote
    assert shown is not None
    return shown


def test_e23_the_close_is_the_engines_and_the_line_the_days() -> None:
    feed = opened([8000], [1])
    feed.absorb(batch(*listed_and_taken(0, 8000, 10, 1), *listed_and_taken(0, 8001, 20, 3)))
    now = quote(feed, 0)
    assert (now.last_ticks, now.open_ticks, now.high_ticks, now.low_ticks) == (
        8001,
        8000,
        8001,
        8000,
    )
    assert (now.qty_tonnes, now.turnover_fen, now.trades, now.close_ticks) == (30, 240_020, 2, 0)
    assert (now.change_ticks, now.change_bp) == (1, 1)
    (line,) = closed(feed, [8001], 8001).vintages
    assert line.price.close_ticks == 8001
    assert line.listed == Volumes(30, 240_020, 30, 240_020, 30, 240_020)
    assert quote(feed, 0).close_ticks == 8001


@pytest.mark.parametrize("modality", [Modality.BULK, Modality.AUCTION])
def test_e24_e25_other_modalities_leave_the_price_line_alone(modality: Modality) -> None:
    feed = opened([8000], [1])
    feed.absorb(batch(traded(0, 6000, 200_000, modality)))
    assert quote(feed, 0).last_ticks == 0
    bulletin = closed(feed, [8000], 8000)
    (line,) = bulletin.vintages
    assert (line.price.open_ticks, line.price.close_ticks) == (8000, 8000)
    assert (line.price.high_ticks, line.price.low_ticks, line.price.latest_ticks) == (0, 0, 0)
    assert bulletin.traded
    value = 6000 * 200_000
    moved = Volumes(200_000, value, 200_000, value, 200_000, value)
    assert bulletin.listed == line.listed == Volumes()
    assert bulletin.total == moved
    assert (bulletin.bulk if modality == Modality.BULK else bulletin.auction) == moved
    assert bulletin.composite.latest_ticks == 0


def test_e29_a_day_without_a_trade_says_so() -> None:
    feed = opened([7400, 9740], [0, 1])
    feed.absorb(batch(*listed_and_taken(1, 9800, 5, 1)))
    first = closed(feed, [7400, 9800], 9800)
    assert first.traded
    feed.absorb(batch(*day_begun([7400, 9800], NEXT_DATE)))
    bulletin = closed(feed, [7400, 9800], 9800, NEXT_DATE, (9800, 0, 0))
    composite = bulletin.composite
    assert not bulletin.traded
    assert (composite.open_ticks, composite.close_ticks) == (9800, 9800)
    assert composite.prev_close_ticks == 9800
    assert (composite.latest_ticks, composite.high_ticks, composite.low_ticks) == (0, 0, 0)
    assert composite.change_bp == 0
    assert "No trades were made" in to_text(bulletin)
    assert "No trades were made" not in to_text(first)
    assert bulletin.total == Volumes(0, 0, 5, 49_000, 5, 49_000)


def test_the_composite_moves_at_each_listed_trade_by_its_weights() -> None:
    feed = opened([8000, 9001], [1, 1])  # 85.005 -> 85.01
    feed.absorb(batch(*listed_and_taken(0, 8101, 1, 1)))  # (81.01 + 90.01) / 2 = 85.51
    feed.absorb(batch(*listed_and_taken(1, 9100, 1, 3)))  # (81.01 + 91.00) / 2 = 86.005 -> 86.01
    feed.absorb(batch(*listed_and_taken(0, 7800, 1, 5)))  # (78.00 + 91.00) / 2 = 84.50
    feed.absorb(batch(*listed_and_taken(0, 8000, 1, 7)))  # (80.00 + 91.00) / 2 = 85.50
    composite = closed(feed, [7967, 9100], 8534).composite
    assert (composite.open_ticks, composite.high_ticks, composite.low_ticks) == (8551, 8601, 8450)
    assert (composite.latest_ticks, composite.close_ticks) == (8550, 8534)
    assert composite.prev_close_ticks == 0  # a first day shows none ...
    assert composite.change_ticks == 8534 - 8501  # ... and is measured from the references


def test_the_composite_close_can_be_the_days_extreme() -> None:
    feed = opened([8000, 9000], [1, 0])
    feed.absorb(batch(*listed_and_taken(0, 8000, 1, 1)))
    composite = closed(feed, [8000, 9000], 7990, line=(8000, 8000, 7990)).composite
    assert (composite.open_ticks, composite.high_ticks, composite.low_ticks) == (8000, 8000, 7990)


def test_totals_of_day_year_and_launch_per_modality_and_vintage() -> None:
    feed = opened([8000, 9000], [1, 1])
    feed.absorb(batch(*listed_and_taken(0, 8000, 10, 1), traded(1, 9000, 100_000)))
    closed(feed, [8000, 9000], 8500)
    feed.absorb(batch(*day_begun([8000, 9000], NEXT_DATE)))
    feed.absorb(batch(*listed_and_taken(0, 8100, 20, 3)))
    second = closed(feed, [8100, 9000], 8550, NEXT_DATE)
    one = second.vintages[0]
    assert one.listed == Volumes(20, 162_000, 30, 242_000, 30, 242_000)
    assert second.vintages[1].bulk == Volumes(0, 0, 100_000, 9 * 10**8, 100_000, 9 * 10**8)
    assert second.bulk == second.vintages[1].bulk
    assert second.total.all_qty_tonnes == 100_030
    assert (one.price.prev_close_ticks, one.price.change_ticks, one.price.change_bp) == (
        8000,
        100,
        125,
    )
    feed.absorb(batch(*day_begun([8100, 9000], NEXT_YEAR)))
    third = closed(feed, [8100, 9000], 8550, NEXT_YEAR)
    assert third.vintages[0].listed == Volumes(0, 0, 0, 0, 30, 242_000)
    assert third.total == Volumes(0, 0, 0, 0, 100_030, 242_000 + 9 * 10**8)
    assert feed.bulletin(20300101) is None


def test_a_first_day_shows_no_previous_close() -> None:
    feed = opened([8000], [1])
    assert (quote(feed, 0).prev_close_ticks, quote(feed, 0).reference_ticks) == (0, 8000)
    bulletin = closed(feed, [8000], 8000)
    assert bulletin.vintages[0].price.prev_close_ticks == 0
    assert bulletin.vintages[0].price.change_bp == 0
    feed.absorb(batch(*day_begun([8000], NEXT_DATE)))
    assert quote(feed, 0).prev_close_ticks == 8000
    assert (quote(feed, 0).upper_limit_ticks, quote(feed, 0).lower_limit_ticks) == (8800, 7200)


def test_bulletin_as_json_and_as_text() -> None:
    feed = opened([8000, 9000], [1, 1])
    feed.absorb(batch(*listed_and_taken(0, 8123, 1_234_567, 1)))
    bulletin = closed(feed, [8123, 9000], 8562)
    assert from_json(to_json(bulletin)) == bulletin
    with pytest.raises(msgspec.ValidationError):
        from_json(b'{"date": "soon"}')
    text = to_text(bulletin)
    assert text.endswith("\n")
    for wanted in (
        "2026-08-20",
        "closed at 85.62 yuan/t (+0.73%)",
        "1,234,567 t",
        "CEA24 Listed (10)",
        "CEA25 Auction (21)",
        yuan(8123 * 1_234_567),
    ):
        assert wanted in text, text


def test_change_is_half_away_from_zero_and_zero_without_a_base() -> None:
    assert change_bp(10_001, 20_000) == -5000
    assert change_bp(20_001, 20_000) == 1  # 0.5 bp
    assert change_bp(19_999, 20_000) == -1
    assert change_bp(39_999, 40_000) == 0
    assert change_bp(0, 8000) == change_bp(8000, 0) == 0
    assert (percent(125), percent(-7), percent(0)) == ("+1.25%", "-0.07%", "0.00%")
    assert (yuan(-5), yuan(123_456_789)) == ("-0.05", "1,234,567.89")
