"""What the public reads of an exchange at work: changes, five levels, periods."""

from __future__ import annotations

from engine.records import Event, Kind, Phase, Side
from marketdata.bulletin import Bulletin, Volumes
from marketdata.feed import Feed
from marketdata.messages import Depth, Quote
from marketdata.periods import monthly, weekly, yearly
from tests.unit.marketdata.trading_floor import CODES, DATES, REFERENCES, Floor

CEA25, CEA26 = 1, 2
FIRST, SECOND, NEXT_WEEK = DATES  # a Thursday, a Friday, a Monday


def opened() -> tuple[Floor, Feed]:
    """The first morning of three vintages; the composite price is that of CEA25."""
    floor = Floor(weights=(0, 1, 0))
    return floor, floor.feed()


def go_to(floor: Floor, phase: Phase) -> None:
    while floor.phase != phase:
        floor.next_phase()


def next_morning(floor: Floor) -> None:
    go_to(floor, Phase.POSTED)
    go_to(floor, Phase.MORNING)


def lists(floor: Floor, side: Side, price: int, qty: int, instrument: int = CEA25) -> int:
    """Account 0 sells, account 1 buys; the listing's number."""
    account = 0 if side is Side.SELL else 1
    fields = {"instrument": instrument, "price_ticks": price, "qty_tonnes": qty}
    told = floor.send({"kind": Kind.LIST, "account": account, "side": side, **fields})
    assert told[0]["kind"] == Event.ACCEPTED
    return int(told[0]["order_no"])


def deals(floor: Floor, price: int, qty: int) -> None:
    """Account 0 sells CEA25 to account 1."""
    number = lists(floor, Side.SELL, price, qty)
    told = floor.send({"kind": Kind.TAKE, "account": 1, "ref": number, "qty_tonnes": qty})
    assert told[1]["kind"] == Event.TRADED


def quote(feed: Feed) -> Quote:
    """The newest price line of CEA25."""
    return [m for m in feed.flush() if isinstance(m, Quote) and m.instrument == "CEA25"][-1]


def shown(feed: Feed) -> Depth:
    """The newest depth of CEA25."""
    return [m for m in feed.flush() if isinstance(m, Depth) and m.instrument == "CEA25"][-1]


def published(feed: Feed, date: int) -> Bulletin:
    found = feed.bulletin(date)
    assert found is not None
    return found


def test_the_change_is_the_close_against_the_close_before_tr_103() -> None:
    """TR-103: none shown on a first day, 0.00 % without a trade, then close / close before - 1."""
    floor, feed = opened()
    first = quote(feed)
    assert (first.prev_close_ticks, first.change_ticks, first.change_bp) == (0, 0, 0)
    next_morning(floor)
    untraded = published(feed, FIRST).vintages[CEA25].price
    assert (untraded.prev_close_ticks, untraded.change_ticks, untraded.change_bp) == (0, 0, 0)
    deals(floor, 9_900, 10)
    deals(floor, 10_000, 30)  # closes at 99.75, the latest is 100.00
    by_day = quote(feed)
    assert (by_day.prev_close_ticks, by_day.change_ticks, by_day.change_bp) == (9_740, 260, 267)
    go_to(floor, Phase.CLOSED)
    line = published(feed, SECOND).vintages[CEA25].price
    assert (line.close_ticks, line.prev_close_ticks) == (9_975, 9_740)
    assert (line.change_ticks, line.change_bp) == (235, 241)  # 2.4127 %
    quiet = published(feed, SECOND).vintages[CEA26].price
    assert (quiet.close_ticks, quiet.prev_close_ticks, quiet.change_bp) == (8_001, 8_001, 0)
    next_morning(floor)
    deals(floor, 9_476, 10)  # 5.0025 % less: a fall has its sign
    go_to(floor, Phase.CLOSED)
    assert published(feed, NEXT_WEEK).vintages[CEA25].price.change_bp == -500


def test_five_levels_a_side_are_shown_and_the_sixth_comes_up_tr_140() -> None:
    """TR-140, TR-61, TR-68: of six levels the best five, best first, tonnes added up, no names."""
    floor, feed = opened()
    asks = {price: lists(floor, Side.SELL, price, 10) for price in range(9_745, 9_751)}
    bids = {price: lists(floor, Side.BUY, price, 20) for price in range(9_734, 9_740)}
    second = lists(floor, Side.SELL, 9_745, 7)
    depth = shown(feed)
    assert [level.price_ticks for level in depth.asks] == [9_745, 9_746, 9_747, 9_748, 9_749]
    assert [level.price_ticks for level in depth.bids] == [9_739, 9_738, 9_737, 9_736, 9_735]
    best = depth.asks[0]
    assert (best.qty_tonnes, best.orders, best.listings) == (
        17,
        2,
        ((asks[9_745], 10), (second, 7)),
    )
    floor.send({"kind": Kind.TAKE, "account": 1, "ref": asks[9_745], "qty_tonnes": 10})
    floor.send({"kind": Kind.TAKE, "account": 1, "ref": second, "qty_tonnes": 7})
    floor.send({"kind": Kind.CANCEL, "account": 1, "ref": bids[9_737]})
    depth = shown(feed)
    assert [level.price_ticks for level in depth.asks] == [9_746, 9_747, 9_748, 9_749, 9_750]
    assert [level.price_ticks for level in depth.bids] == [9_739, 9_738, 9_736, 9_735, 9_734]
    line = feed.snapshot("CEA25").quote
    assert line is not None
    assert (line.last_ticks, line.qty_tonnes, line.turnover_fen) == (9_745, 17, 17 * 9_745)


def test_weeks_months_and_years_add_up_what_the_days_published_tr_143() -> None:
    """TR-143: two days of one week and a Monday, from the exchange's own bulletins."""
    floor, feed = opened()
    deals(floor, 9_800, 10)
    deals(floor, 9_700, 30)  # closes at 97.25
    next_morning(floor)  # Friday: nothing listed, but a bulk deal
    go_to(floor, Phase.AFTERNOON)
    terms = {"price_ticks": 9_000, "qty_tonnes": 1_000}
    offer = {"kind": Kind.BULK_OFFER, "account": 0, "instrument": CEA25, "side": Side.SELL}
    told = floor.send({**offer, **terms, "counterparty": -1})
    number = int(told[0]["order_no"])
    floor.send({"kind": Kind.BULK_ACCEPT, "account": 1, "ref": number, **terms})
    next_morning(floor)
    deals(floor, 9_925, 20)
    go_to(floor, Phase.CLOSED)
    days = [published(feed, date) for date in DATES]
    one, two = weekly(days)
    assert (one.name, one.first_date, one.last_date) == ("2026-W34", FIRST, SECOND)
    assert (one.trading_days, one.days_traded) == (2, 2)
    assert (one.composite.open_ticks, one.composite.high_ticks) == (9_800, 9_800)
    assert (one.composite.low_ticks, one.composite.close_ticks) == (9_700, 9_725)
    assert (one.listed.qty_tonnes, one.listed.turnover_fen) == (40, 389_000)
    assert (one.bulk.qty_tonnes, one.bulk.average_ticks) == (1_000, 9_000)
    assert one.total.average_ticks == 9_028  # 9,389,000 / 1,040 = 9,027.88
    assert (two.name, two.trading_days) == ("2026-W35", 1)
    assert two.composite.prev_close_ticks == 9_725
    assert two.composite.change_bp == 206  # 99.25 against 97.25
    (month,), (year,) = monthly(days), yearly(days)
    assert (month.name, year.name) == ("2026-08", "2026")
    assert month.total == year.total
    in_all = days[-1].total
    assert (year.total.qty_tonnes, year.total.turnover_fen) == (
        in_all.year_qty_tonnes,
        in_all.year_turnover_fen,
    )
    assert days[-1].listed == Volumes(20, 198_500, 60, 587_500, 60, 587_500)
    assert [line.instrument for line in year.vintages] == list(CODES)
    assert [line.price.close_ticks for line in year.vintages] == [REFERENCES[0], 9_925, 8_001]
