"""One-way bidding in the trader's language (TR-80…93; E25, E37, E38, E39, E41, E43)."""

from __future__ import annotations

import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, Parameter, Phase, Pricing, Side
from tests.scenarios.conftest import Market

ROOM = """
    account | cash      | CEA25
    Seller  |           | 150,000
    Anhui   | 8,000,000 | 10
    Baowu   | 8,000,000 |
    Chalco  | 8,000,000 |
"""


def test_e37_a_session_offers_100_000_tonnes(market: Market) -> None:
    """E37 (TR-13): 80,000 are refused."""
    seller = market(ROOM).when("Seller")
    seller.applies(80_000, "80.00").refused(Reason.QTY_BELOW_MIN)
    seller.applies(100_000, "80.00").done()


def test_tr22_the_floor_is_the_reference_or_ten_per_cent_less(market: Market) -> None:
    """TR-22: nothing in between; and a buyer's session only with the mirror on (TR-82)."""
    seller = market(ROOM).when("Seller")
    for price in ("79.99", "80.01", "71.99", "88.00"):
        seller.applies(100_000, price).refused(Reason.PRICE_OUT_OF_BAND)
    seller.applies(100_000, "72.00").done()
    seller.applies(100_000, "80.00", side=Side.BUY).refused(Reason.SIDE_INVALID)


def test_e38_bids_lie_between_the_floor_and_the_upper_limit(market: Market) -> None:
    """E38 (TR-22, TR-23): reference 48.72: 48.72 and 53.59 are the edges."""
    floor = market(ROOM, vintages={"CEA25": "48.72"})
    session = floor.opened_session("Seller", 100_000, "48.72")
    anhui = floor.when("Anhui")
    for price in ("48.71", "53.60"):
        anhui.bids(session, 1_000, price).refused(Reason.PRICE_OUT_OF_BAND)
    for price in ("48.72", "53.59"):
        anhui.bids(session, 1_000, price).done()


BIDS = (("Anhui", 60_000, "50.00"), ("Baowu", 30_000, "49.50"), ("Chalco", 30_000, "49.50"))


@pytest.mark.parametrize(
    ("pricing", "first_price", "anhui_cash"),
    [(Pricing.UNIFORM, "49.50", "5,030,000"), (Pricing.PAY_AS_BID, "50.00", "5,000,000")],
)
def test_e39_better_prices_first_then_earlier_bids(
    market: Market, pricing: Pricing, first_price: str, anhui_cash: str
) -> None:
    """E39 (TR-83, TR-84, TR-87, TR-90): 60, 30 and 10 thousand; the last winner is cut."""
    floor = market(ROOM, vintages={"CEA25": "48.72"})
    session = floor.opened_session("Seller", 100_000, "48.72", mode=pricing)
    for name, qty, price in BIDS:
        floor.when(name).bids(session, qty, price).done()
    closed = floor.session(Kind.CLOSE_SESSION, session)
    closed.trades(
        f"60,000 @ {first_price} Seller", "30,000 @ 49.50 Seller", "10,000 @ 49.50 Seller"
    )
    closed.tells(Event.SESSION_CLOSED, price_ticks=4_950, qty_tonnes=100_000, leaves_qty=0)
    closed.tells(Event.CANCELLED, account=3, qty_tonnes=20_000, reason=Reason.BID_CUT)
    floor.then_accounts(f"""
        account | cash        | cash frozen | CEA25 bought
        Anhui   | {anhui_cash} |            | 60,000
        Baowu   | 6,515,000   |             | 30,000
        Chalco  | 7,505,000   |             | 10,000
    """)


def test_tr84_who_finds_nothing_left_loses_the_whole_bid(market: Market) -> None:
    """TR-84: the lock of a losing bid comes back in full."""
    floor = market(ROOM, vintages={"CEA25": "48.72"})
    session = floor.opened_session("Seller", 100_000, "48.72")
    floor.when("Chalco").bids(session, 5_000, "48.72").done()
    floor.when("Anhui").bids(session, 100_000, "49.00").done()
    closed = floor.session(Kind.CLOSE_SESSION, session)
    closed.happened(Event.SESSION_CLOSED, Event.TRADED, Event.CANCELLED)
    closed.tells(Event.CANCELLED, account=3, amount_fen=24_360_000, reason=Reason.BID_LOST)


def test_e41_what_is_not_sold_goes_back(market: Market) -> None:
    """E41 (TR-86, TR-91): bids for 1,000 tonnes on an offer of 100,000."""
    floor = market(ROOM)
    session = floor.opened_session("Seller", 100_000, "80.00")
    floor.then_accounts("""
        account | CEA25  | CEA25 frozen
        Seller  | 50,000 | 100,000
    """)
    floor.when("Anhui").bids(session, 1_000, "81.00").done()
    closed = floor.session(Kind.CLOSE_SESSION, session).trades("1,000 @ 81.00 Seller")
    closed.tells(Event.SESSION_CLOSED, qty_tonnes=1_000, leaves_qty=99_000)
    floor.then_accounts("""
        account | cash   | CEA25   | CEA25 frozen
        Seller  | 81,000 | 149,000 |
    """)


def test_tr88_a_session_without_bids_fails(market: Market) -> None:
    """TR-88: a bid that was taken back is none (TR-89)."""
    floor = market(ROOM)
    session = floor.opened_session("Seller", 100_000, "80.00")
    anhui = floor.when("Anhui")
    bid = anhui.bids(session, 1_000, "81.00").order_no
    floor.when("Baowu").cancels_bid(bid).refused(Reason.UNKNOWN_ORDER)
    anhui.cancels_number(bid).refused(Reason.UNKNOWN_ORDER)
    anhui.cancels_bid(bid).tells(Event.CANCELLED, amount_fen=8_100_000)
    closed = floor.session(Kind.CLOSE_SESSION, session).happened(Event.SESSION_CLOSED)
    closed.tells(Event.SESSION_CLOSED, price_ticks=0, reason=Reason.SESSION_FAILED)


def test_e43_what_was_won_is_not_sold_today(market: Market) -> None:
    """E43 (TR-47): the winner may sell what it had, not what it won."""
    floor = market(ROOM)
    session = floor.opened_session("Seller", 100_000, "80.00")
    floor.when("Anhui").bids(session, 1_000, "80.00").done()
    floor.session(Kind.CLOSE_SESSION, session).done()
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    floor.when("Anhui").lists(Side.SELL, 11, at="80.00").refused(Reason.HOLDING_BOUGHT_TODAY)
    floor.when("Anhui").lists(Side.SELL, 10, at="80.00").done()


def test_e25_bidding_does_not_enter_the_close(market: Market) -> None:
    """E25 (TR-93): a session far above the reference leaves the close where it was."""
    floor = market(ROOM)
    session = floor.opened_session("Seller", 100_000, "80.00")
    floor.when("Anhui").bids(session, 1_000, "88.00").done()
    floor.session(Kind.CLOSE_SESSION, session).done()
    floor.closes().tells(Event.CLOSE_SET, price_ticks=8_000, qty_tonnes=0)
    assert floor.venue.state()["totals"][2][:2] == (1_000, 8_800_000)


def test_a_bid_races_the_close(market: Market) -> None:
    """TR-69, TR-89: what arrives after the close of the window is no bid any more."""
    floor = market(ROOM)
    session = floor.opened_session("Seller", 100_000, "80.00")
    bid = floor.when("Anhui").bids(session, 1_000, "80.00").order_no
    floor.session(Kind.CLOSE_SESSION, session).done()
    floor.when("Baowu").bids(session, 1_000, "81.00").refused(Reason.UNKNOWN_SESSION)
    floor.when("Anhui").cancels_bid(bid).refused(Reason.UNKNOWN_ORDER)
    floor.session(Kind.CLOSE_SESSION, session).refused(Reason.UNKNOWN_SESSION)


def test_tr81_no_bid_before_the_window_opens(market: Market) -> None:
    """TR-81, TR-50: applied, noticed, opened, in this order; never by the applicant."""
    floor = market(ROOM)
    session = floor.when("Seller").applies(100_000, "80.00").session_no
    anhui = floor.when("Anhui")
    anhui.bids(session, 1, "80.00").refused(Reason.UNKNOWN_SESSION)
    floor.session(Kind.OPEN_SESSION, session).refused(Reason.UNKNOWN_SESSION)
    floor.session(Kind.NOTICE_SESSION, session).done()
    floor.session(Kind.NOTICE_SESSION, session).refused(Reason.UNKNOWN_SESSION)
    anhui.bids(session, 1, "80.00").refused(Reason.UNKNOWN_SESSION)
    floor.session(Kind.CLOSE_SESSION, session).refused(Reason.UNKNOWN_SESSION)
    floor.session(Kind.OPEN_SESSION, session).done()
    floor.when("Seller").bids(session, 1, "80.00").refused(Reason.SELF_TRADE)
    anhui.bids(session, 1, "80.00").done()


def test_tr91_an_applicant_that_sold_meanwhile_is_not_noticed(market: Market) -> None:
    """TR-91: the quantity is frozen at the notice, so it must still be there."""
    floor = market(ROOM)
    session = floor.when("Seller").applies(100_000, "80.00").session_no
    floor.when("Seller").transfers_out(50_001).done()
    floor.session(Kind.NOTICE_SESSION, session).refused(Reason.INSUFFICIENT_HOLDING)
    floor.session(Kind.REJECT_SESSION, session).tells(
        Event.SESSION_REJECTED, reason=Reason.DECLINED
    )


def test_tr82_in_the_mirror_a_buyer_asks_and_the_cheapest_sell(market: Market) -> None:
    """TR-82: with the flag on; the buyer pays the highest winning price, at most its cap."""
    rules = {Parameter.AUCTION_BUYER_INITIATED: 1, Parameter.AUCTION_QTY_MIN: 100}
    floor = market(
        """
        account | cash   | CEA25
        Buyer   | 10,000 |
        Anhui   |        | 200
        Baowu   |        | 200
        """,
        rules=rules,
    )
    session = floor.opened_session("Buyer", 100, "88.00", side=Side.BUY)
    floor.when("Anhui").bids(session, 80, "79.00").done()
    floor.when("Baowu").bids(session, 80, "78.00").done()
    floor.when("Baowu").bids(session, 1, "88.01").refused(Reason.PRICE_OUT_OF_BAND)
    closed = floor.session(Kind.CLOSE_SESSION, session)
    closed.trades("80 @ 79.00 Buyer", "20 @ 79.00 Buyer")
    floor.then_accounts("""
        account | cash  | cash frozen | CEA25 | CEA25 bought
        Buyer   | 2,100 |             |       | 100
        Anhui   | 1,580 |             | 180   |
        Baowu   | 6,320 |             | 120   |
    """)


def test_sessions_live_side_by_side_and_end_with_the_day(market: Market) -> None:
    """TR-91, ST-16: at 15:00 locks of applicants and bidders are released."""
    floor = market(ROOM, rules={Parameter.AUCTION_QTY_MIN: 10})
    first = floor.opened_session("Seller", 1_000, "80.00")
    second = floor.opened_session("Seller", 2_000, "72.00")
    floor.when("Anhui").bids(first, 10, "80.00").done()
    floor.when("Anhui").bids(second, 10, "75.00").done()
    third = floor.when("Seller").applies(3_000, "80.00").session_no
    floor.then_accounts("""
        account | CEA25 frozen | cash frozen
        Seller  | 3,000        |
        Anhui   |              | 1,550
    """)
    closed = floor.closes()
    ended = [e["order_no"] for e in closed.events if e["kind"] == Event.SESSION_REJECTED]
    assert ended == [first, second, third]
    floor.then_accounts("""
        account | CEA25   | CEA25 frozen | cash      | cash frozen
        Seller  | 150,000 |              |           |
        Anhui   | 10      |              | 8,000,000 |
    """)


def test_a_window_ends_after_it_begins_and_after_now(market: Market) -> None:
    """TR-81: the notice states the time of the bidding."""
    floor = market(ROOM)
    session = floor.when("Seller").applies(100_000, "80.00").session_no
    eight = 8 * 60  # the floor's clock stands just after 08:00
    wrong = ((570, 570), (600, 570), (0, eight), (-1, 600), (570, 24 * 60 + 1))
    for begin, until in wrong:
        window = {"from_minute": begin, "until_minute": until}
        floor.send(Kind.NOTICE_SESSION, ref=session, **window).refused(Reason.WINDOW_INVALID)
    window = {"from_minute": 570, "until_minute": 660}
    noticed = floor.send(Kind.NOTICE_SESSION, ref=session, **window)
    noticed.tells(Event.SESSION_NOTICED, from_minute=570, until_minute=660)
