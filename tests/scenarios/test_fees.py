"""Fees charged, and given back when a deal is undone (TR-121, TR-130, TR-132, VM-05)."""

from __future__ import annotations

from itertools import permutations

import pytest

from engine.records import Event, Kind, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor, Outcome, ticks
from tests.scenarios.venues import EngineVenue

NATIONAL = {
    Parameter.LISTED_TRADING_FEE_PPM: 500,
    Parameter.LISTED_SETTLEMENT_FEE_PPM: 300,
    Parameter.BULK_TRADING_FEE_PPM: 200,
    Parameter.BULK_SETTLEMENT_FEE_PPM: 70,
    Parameter.AUCTION_TRADING_FEE_PPM: 900,
    Parameter.AUCTION_SETTLEMENT_FEE_PPM: 110,
    Parameter.BULK_QTY_MIN: 10,
    Parameter.AUCTION_QTY_MIN: 10,
}
VOLUNTARY = {
    Parameter.LISTED_TRADING_FEE_PPM: 6_000,  # VM-05
    Parameter.BULK_ENABLED: 0,
    Parameter.AUCTION_ENABLED: 0,
    Parameter.FREE_FIRST_DAY: 1,
    Parameter.FIRST_DAY_UPPER_TICKS: 50_000,
}
PAIR = """
    account | cash    | {code}
    Anhui   |         | 5,000
    Baowu   | 200,000 |
"""
UNTOUCHED = """
    account | cash    | {code} | {code} bought
    Anhui   |         | 5,000  |
    Baowu   | 200,000 |        |
"""


def fees(floor: Floor) -> int:
    """What both institutions have earned together, in fen."""
    return int(floor.venue.state()["fees"])


def then_institutions(floor: Floor, trading: int, settlement: int) -> None:
    """Then: the exchange has earned this, the registry that (TR-130); the twin keeps the sum."""
    assert fees(floor) == trading + settlement
    if isinstance(floor.venue, EngineVenue):
        market = floor.venue.exchange.state.market[0]
        earned = (int(market["trading_fees_fen"]), int(market["settlement_fees_fen"]))
        assert earned == (trading, settlement)


def voids(floor: Floor, number: int) -> Outcome:
    """Two people undo a deal of today."""
    return floor.control(Kind.VOID_TRADE, ref=number)


def test_tr121_one_of_three_deals_of_the_national_market_is_undone(market: Market) -> None:
    """TR-121, TR-130, TR-132: its fees go back to both sides; the other deals keep theirs."""
    floor = market(PAIR.format(code="CEA25"), rules=NATIONAL, vintages={"CEA25": "48.01"})
    # 4,801,000: 2,400.5 + 1,440.3 fen; 34,300: 17.15 + 10.29; 480,100: 240.05 + 144.03, per side
    for qty, at, fee in ((1_000, "48.01", 3_841), (7, "49.00", 27), (100, "48.01", 384)):
        floor.deal(qty, at=at).tells(Event.TRADED, fee_fen=fee, other_fee_fen=fee)
    floor.then_accounts("""
        account | cash       | CEA25 | CEA25 bought
        Anhui   | 53,111.48  | 3,893 |
        Baowu   | 146,803.48 |       | 1,107
    """)
    then_institutions(floor, 2 * (2_401 + 17 + 240), 2 * (1_440 + 10 + 144))
    voids(floor, 2).tells(Event.TRADE_VOIDED, amount_fen=34_300)
    floor.then_accounts("""
        account | cash       | CEA25 | CEA25 bought
        Anhui   | 52,768.75  | 3,900 |
        Baowu   | 147,146.75 |       | 1,100
    """)
    then_institutions(floor, 2 * (2_401 + 240), 2 * (1_440 + 144))
    voids(floor, 1).done()
    voids(floor, 3).done()
    floor.then_accounts(UNTOUCHED.format(code="CEA25"))
    then_institutions(floor, 0, 0)


def test_vm05_one_of_three_deals_of_the_voluntary_market_is_undone(market: Market) -> None:
    """VM-05, TR-121: 6 per mille of turnover from each side, all of it the exchange's."""
    code = "CCER1B1"
    floor = market(PAIR.format(code=code), rules=VOLUNTARY, vintages={code: "70.00"})
    for qty, at, fee in ((1_000, "70.00", 42_000), (3, "81.58", 147), (10, "69.27", 416)):
        floor.deal(qty, at=at).tells(Event.TRADED, fee_fen=fee, other_fee_fen=fee)
    then_institutions(floor, 2 * (42_000 + 147 + 416), 0)
    floor.then_accounts(f"""
        account | cash       | {code} | {code} bought
        Anhui   | 70,511.81  | 3,987  |
        Baowu   | 128,636.93 |        | 1,013
    """)
    voids(floor, 1).done()
    then_institutions(floor, 2 * (147 + 416), 0)
    floor.then_accounts(f"""
        account | cash       | {code} | {code} bought
        Anhui   | 931.81     | 4,987  |
        Baowu   | 199,056.93 |        | 13
    """)
    closed = floor.closes()
    closed.tells(Event.CLOSE_SET, qty_tonnes=13, amount_fen=3 * 8_158 + 10 * 6_927)
    voids(floor, 3).done()  # in the evening, before the day is confirmed
    voids(floor, 2).done()
    floor.then_accounts(UNTOUCHED.format(code=code))
    then_institutions(floor, 0, 0)


def test_tr130_fees_of_a_day_that_stands_are_kept(market: Market) -> None:
    """TR-130: after the posting the next day's void touches only its own deal."""
    floor = market(PAIR.format(code="CEA25"), rules=NATIONAL)
    floor.deal(100, at="80.00")  # 800,000 fen: 400 + 240 a side
    floor.next_day(20260106)
    floor.deal(10, at="80.00")  # 40 + 24
    then_institutions(floor, 880, 528)
    voids(floor, 2).done()
    then_institutions(floor, 800, 480)
    floor.then_accounts("""
        account | cash       | CEA25 | CEA25 bought
        Anhui   | 7,993.60   | 4,900 |
        Baowu   | 191,993.60 | 100   |
    """)


# Rates in ppm; a lock of 3 t at 50.00; per take (buyer's fee, seller's fee) and, of both together,
# (the exchange's part, the registry's). The exchange's part of a cut fee comes first.
CUT = {
    "both fees": ((300, 300), "150.10", ((4, 4), (4, 4), (2, 4)), ((4, 4), (4, 4), (4, 2))),
    "one fee": ((300, 0), "150.05", ((2, 2), (2, 2), (1, 2)), ((4, 0), (4, 0), (3, 0))),
}


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))), ids=str)
@pytest.mark.parametrize("rates", sorted(CUT))
def test_tr132_a_fee_cut_by_its_lock_goes_back_as_it_was_taken(
    market: Market, order: tuple[int, int, int], rates: str
) -> None:
    """TR-132, TR-121: three takes of a listing; the last of the buyer's fees is cut to its lock."""
    (trading, settlement), cash, legs, parts = CUT[rates]
    floor = market(
        f"""
        account | cash   | CEA25
        Anhui   | {cash} |
        Baowu   |        | 3
        """,
        vintages={"CEA25": "50.00"},
        rules={
            Parameter.LISTED_TRADING_FEE_PPM: trading,
            Parameter.LISTED_SETTLEMENT_FEE_PPM: settlement,
        },
    )
    floor.when("Anhui").lists(Side.BUY, 3, at="50.00").tells(Event.ACCEPTED, amount_fen=ticks(cash))
    for buyer, seller in legs:
        take = floor.when("Baowu").takes(1, of="Anhui", at="50.00")
        take.tells(Event.TRADED, other_fee_fen=buyer, fee_fen=seller)
    left = dict(enumerate(parts, 1))
    then_institutions(floor, *(sum(part) for part in zip(*left.values(), strict=True)))
    for number in order:
        voids(floor, number).done()
        del left[number]
        then_institutions(floor, *(sum(part) for part in zip((0, 0), *left.values(), strict=True)))
    floor.then_accounts(f"""
        account | cash   | cash frozen | CEA25 | CEA25 bought
        Anhui   | {cash} |             |       |
        Baowu   |        |             | 3     |
    """)


def test_each_way_of_trading_gives_back_its_own_fees(market: Market) -> None:
    """TR-132: a listed, a bulk and a bidding deal at their own rates; each undone by itself."""
    floor = market(PAIR.format(code="CEA25"), rules=NATIONAL)
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    session = floor.opened_session("Anhui", 100, "80.00")
    floor.when("Baowu").bids(session, 100, "82.00").done()
    floor.session(Kind.CLOSE_SESSION, session).tells(
        Event.TRADED, fee_fen=738 + 90, other_fee_fen=738 + 90
    )  # 820,000 fen
    offer = floor.when("Anhui").offers(Side.SELL, 200, at="81.00").offer_no
    floor.when("Baowu").accepts(offer, 200, at="81.00").tells(
        Event.TRADED, fee_fen=324 + 113, other_fee_fen=324 + 113
    )  # 1,620,000 fen: 324 + 113.4
    floor.deal(10, at="80.00").tells(Event.TRADED, fee_fen=64, other_fee_fen=64)
    then_institutions(floor, 2 * (738 + 324 + 40), 2 * (90 + 113 + 24))
    voids(floor, 2).done()
    then_institutions(floor, 2 * (738 + 40), 2 * (90 + 24))
    voids(floor, 1).done()
    then_institutions(floor, 2 * 40, 2 * 24)
    floor.then_accounts("""
        account | cash       | CEA25 | CEA25 bought
        Anhui   | 799.36     | 4,990 |
        Baowu   | 199,199.36 |       | 10
    """)
    voids(floor, 3).done()
    then_institutions(floor, 0, 0)
    floor.then_accounts(UNTOUCHED.format(code="CEA25"))


def test_what_rests_of_a_taken_listing_outlives_the_void(market: Market) -> None:
    """TR-121: the deal is undone, the listing is not raised again: what was open stays open."""
    floor = market(PAIR.format(code="CEA25"), rules=NATIONAL)
    floor.book("""
        buy       | price | sell
        Baowu 100 | 80.00 |
    """)
    floor.when("Anhui").takes(40, of="Baowu", at="80.00").done()
    voids(floor, 1).done()
    then_institutions(floor, 0, 0)
    floor.then_book("""
        buy      | price | sell
        Baowu 60 | 80.00 |
    """)
    floor.then_accounts("""
        account | cash       | cash frozen | CEA25
        Anhui   |            |             | 5,000
        Baowu   | 195,196.16 | 4,803.84    |
    """)
