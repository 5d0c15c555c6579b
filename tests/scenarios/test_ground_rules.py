"""What trading is at all, in the trader's language (TR-01…62, TR-71, TR-80…119, ST-15).

Clauses that no single edge case shows: each is played here in every way of trading it speaks of.
"""

from __future__ import annotations

import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, Mode, OrderStatus, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor, Outcome, ticks

SMALL_LOTS = {Parameter.BULK_QTY_MIN: 10, Parameter.AUCTION_QTY_MIN: 10}
PAIR = """
    account | cash      | CEA25
    Anhui   | 5,000,000 | 50,000
    Baowu   | 5,000,000 | 50,000
"""


def afternoon(floor: Floor) -> Floor:
    """Every way of trading is open."""
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    return floor


# ---- what is traded ------------------------------------------------------------------------------


def every_way(floor: Floor, name: str, side: Side, qty: int) -> list[Outcome]:
    """Declare the same in every way: list, take, take the best, offer, accept, bid or apply."""
    other = Side(3 - side)
    listing = floor.when("Rich").lists(other, 500, at="80.00").order_no
    offer = floor.when("Rich").offers(other, qty, at="80.00").offer_no
    who = floor.when(name)
    found = [
        who.lists(side, qty, at="79.00" if side is Side.BUY else "81.00"),
        floor.send(Kind.TAKE, account=who.account, ref=listing, qty_tonnes=qty),
        who.takes_best(side, qty, up_to="80.00"),
        who.offers(side, qty, at="80.00"),
        who.accepts(offer, qty, at="80.00"),
    ]
    if side is Side.BUY:
        found.append(who.bids(floor.opened_session("Rich", 500, "80.00"), qty, "80.00"))
    else:
        found.append(who.applies(qty, "80.00"))
    return found


def test_tr01_nobody_sells_what_it_has_not(market: Market) -> None:
    """TR-01: no short sale, in no way of trading; not with money, not with another vintage."""
    floor = afternoon(
        market(
            """
            account | cash       | CEA25  | CEA24
            Rich    | 99,000,000 | 50,000 |
            Bear    | 99,000,000 | 99     | 50,000
            """,
            vintages={"CEA25": "80.00", "CEA24": "80.00"},
            rules=SMALL_LOTS,
        )
    )
    for outcome in every_way(floor, "Bear", Side.SELL, 100):
        outcome.refused(Reason.INSUFFICIENT_HOLDING)


def test_tr01_nobody_buys_on_margin(market: Market) -> None:
    """TR-01, TR-41: a fen less than the whole amount and its fees buys nothing in any way."""
    rates = {
        Parameter.LISTED_TRADING_FEE_PPM: 1_000,
        Parameter.BULK_TRADING_FEE_PPM: 1_000,
        Parameter.AUCTION_TRADING_FEE_PPM: 1_000,
    }
    floor = afternoon(
        market(
            """
            account | cash       | CEA25
            Rich    | 99,000,000 | 50,000
            Bull    | 7,907.89   | 50,000
            Rider   | 8,007.99   | 50,000
            """,
            rules=SMALL_LOTS | rates,
        )
    )
    first, *others = every_way(floor, "Bull", Side.BUY, 100)
    first.refused(Reason.INSUFFICIENT_FUNDS)  # 79.00 x 100 and 0.1 % of it are 7,907.90
    for outcome in others:
        outcome.refused(Reason.INSUFFICIENT_FUNDS)
    rider = floor.when("Rider")  # a fen less than 80.00 x 100 and 0.1 % of it
    rider.takes_best(Side.BUY, 100, up_to="80.00").refused(Reason.INSUFFICIENT_FUNDS)
    rider.offers(Side.BUY, 100, at="80.00").refused(Reason.INSUFFICIENT_FUNDS)
    rider.bids(1, 100, "80.00").refused(Reason.INSUFFICIENT_FUNDS)
    rider.pays_in("0.01").done()
    rider.takes_best(Side.BUY, 100, up_to="80.00").trades("100 @ 80.00 Rich")


def test_tr01_goods_and_money_are_exchanged_on_the_spot(market: Market) -> None:
    """TR-01: a deal leaves nothing owed: both have theirs at once, next day all of it is free."""
    floor = market(PAIR)
    floor.deal(100, at="80.00")
    floor.then_accounts("""
        account | cash      | CEA25  | CEA25 bought
        Anhui   | 5,008,000 | 49,900 |
        Baowu   | 4,992,000 | 50,000 | 100
    """)
    floor.next_day(20260106)
    floor.then_accounts("""
        account | cash      | CEA25  | CEA25 bought
        Anhui   | 5,008,000 | 49,900 |
        Baowu   | 4,992,000 | 50,100 |
    """)


def test_tr05_the_oldest_vintage_is_still_traded(market: Market) -> None:
    """TR-05, TR-25: CEA on 2026-08-19 at its stale 74.00, while CEA25 stands at 97.40."""
    floor = market(
        """
        account | cash      | CEA | CEA25
        Anhui   |           | 500 | 500
        Baowu   | 5,000,000 |     |
        """,
        vintages={"CEA": "74.00", "CEA25": "97.40"},
        day=20260819,
    )
    floor.then_figures("CEA", lower_limit="66.60", upper_limit="81.40")
    floor.deal(10, at="81.40", vintage="CEA")
    floor.when("Anhui").lists(Side.SELL, 1, at="97.40", vintage="CEA").refused(
        Reason.PRICE_OUT_OF_BAND
    )
    floor.closes()
    floor.then_figures("CEA", close="81.40")
    floor.then_figures("CEA25", close="97.40")


# ---- limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [Mode.LISTED, Mode.PRICE_TIME], ids=lambda mode: mode.name)
@pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=lambda side: side.name)
def test_tr20_both_edges_are_prices_and_one_tick_beyond_is_none(
    market: Market, mode: Mode, side: Side
) -> None:
    """TR-20, TR-26, TR-110: 72.00 to 88.00 on 80.00, for both sides and however declared."""
    floor = market(PAIR, mode=mode)
    who = floor.when("Anhui")
    for at in ("71.99", "88.01"):
        if mode is Mode.LISTED:
            who.lists(side, 1, at=at).refused(Reason.PRICE_OUT_OF_BAND)
            who.takes_best(side, 1, up_to=at).refused(Reason.PRICE_OUT_OF_BAND)
        else:
            who.adds(side, 1, at=at).refused(Reason.PRICE_OUT_OF_BAND)
    inner = ("72.00", "88.00") if side is Side.BUY else ("88.00", "72.00")
    for at in inner:
        (who.lists if mode is Mode.LISTED else who.adds)(side, 1, at=at).done()
        if mode is Mode.PRICE_TIME:
            who.amends(at, 1, "88.01").refused(Reason.PRICE_OUT_OF_BAND)
            who.amends(at, 1, "71.99").refused(Reason.PRICE_OUT_OF_BAND)


def test_tr26_what_lies_outside_is_not_kept_for_a_day_on_which_it_would_fit(
    market: Market,
) -> None:
    """TR-26: refused at entry: no number, nothing frozen, nothing in tomorrow's book."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 10, at="90.00").refused(Reason.PRICE_OUT_OF_BAND)
    floor.when("Anhui").lists(Side.SELL, 10, at="88.00").tells(Event.ACCEPTED, order_no=1)
    floor.when("Baowu").takes(10, of="Anhui", at="88.00").done()
    floor.next_day(20260106)
    floor.then_figures(reference="88.00", upper_limit="96.80")
    floor.then_book("""
        buy | price | sell
    """)
    floor.then_accounts("""
        account | CEA25  | CEA25 frozen
        Anhui   | 49,990 |
    """)
    floor.when("Anhui").lists(Side.SELL, 10, at="90.00").done()


def test_tr14_another_size_is_in_force_the_next_day(market: Market) -> None:
    """TR-14: listed up to 500 t, bulk from 501 t, bidding from 600 t."""
    floor = market(PAIR)
    changes = {
        Parameter.LISTED_QTY_MAX: 500,
        Parameter.BULK_QTY_MIN: 501,
        Parameter.AUCTION_QTY_MIN: 600,
    }
    for parameter, value in changes.items():
        floor.rule(parameter, value).refused(Reason.PHASE_CLOSED)
    floor.when("Anhui").lists(Side.SELL, 501, at="80.00").done()
    floor.closes()
    floor.settles()
    for parameter, value in changes.items():
        floor.rule(parameter, value).done()
    floor.begins(20260106).done()
    floor.enters(Phase.MORNING).done()
    anhui = floor.when("Anhui")
    anhui.lists(Side.SELL, 501, at="80.00").refused(Reason.QTY_ABOVE_MAX)
    anhui.lists(Side.SELL, 500, at="80.00").done()
    anhui.applies(599, "80.00").refused(Reason.QTY_BELOW_MIN)
    anhui.applies(600, "80.00").done()
    afternoon(floor)
    anhui.offers(Side.SELL, 500, at="80.00").refused(Reason.QTY_BELOW_MIN)
    anhui.offers(Side.SELL, 501, at="80.00").done()


def test_tr119_prices_may_run_to_the_limit_without_a_pause(market: Market) -> None:
    """TR-119: three limit-up days and a fall through the whole band in one minute: no halt.

    Nobody makes a market either: an empty book stays empty, whatever was asked for.
    """
    floor = market(PAIR)
    for day, at in ((20260106, "88.00"), (20260107, "96.80"), (20260108, "106.48")):
        floor.deal(10, at=at)
        floor.next_day(day)
    for at in ("117.13", "95.83", "117.13", "95.83"):
        floor.deal(10, at=at)
    assert floor.venue.state()["halted"] == 0
    floor.then_book("""
        buy | price | sell
    """)
    floor.when("Baowu").takes_best(Side.BUY, 1, up_to="106.48").refused(Reason.NOTHING_TO_TAKE)


# ---- declarations and deals ----------------------------------------------------------------------


def test_tr44_the_five_states_of_a_listing(market: Market) -> None:
    """TR-44: submitted, part-filled, filled; cancelled by its owner; cancelled by the system."""
    floor = market(PAIR)
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    one = anhui.lists(Side.SELL, 100, at="80.00").order_no
    floor.then_order(one, OrderStatus.OPEN)
    baowu.takes(60, of="Anhui", at="80.00").done()
    floor.then_order(one, OrderStatus.PART_FILLED)
    baowu.takes(40, of="Anhui", at="80.00").done()
    floor.then_order(one, OrderStatus.FILLED)
    two = anhui.lists(Side.SELL, 100, at="81.00").order_no
    baowu.takes(1, of="Anhui", at="81.00").done()
    anhui.cancels(at="81.00").done()
    floor.then_order(two, OrderStatus.CANCELLED)
    untouched = anhui.lists(Side.SELL, 100, at="82.00").order_no
    touched = anhui.lists(Side.SELL, 100, at="81.50").order_no
    baowu.takes(1, of="Anhui", at="81.50").done()
    floor.closes()
    floor.then_order(untouched, OrderStatus.LAPSED)
    floor.then_order(touched, OrderStatus.LAPSED)
    for number, status in ((one, OrderStatus.FILLED), (two, OrderStatus.CANCELLED)):
        floor.then_order(number, status)  # final states stay


def test_tr44_offers_and_bids_have_the_same_states(market: Market) -> None:
    """TR-44: a bulk offer and a bid are declarations like any other."""
    floor = afternoon(market(PAIR, rules=SMALL_LOTS))
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    taken, lapsing = (anhui.offers(Side.SELL, 50, at="80.00").offer_no for _ in range(2))
    back = anhui.offers(Side.SELL, 50, at="80.00").offer_no
    session = floor.opened_session("Anhui", 100, "80.00")
    won, cut = (baowu.bids(session, 70, at).order_no for at in ("81.00", "80.50"))
    lost, revoked = (baowu.bids(session, 70, "80.00").order_no for _ in range(2))
    for number in (taken, lapsing, back, won, cut, lost, revoked):
        floor.then_order(number, OrderStatus.OPEN)
    baowu.accepts(taken, 50, at="80.00").done()
    anhui.withdraws_offer(back).done()
    baowu.cancels_bid(revoked).done()
    floor.session(Kind.CLOSE_SESSION, session).trades("70 @ 80.50 Anhui", "30 @ 80.50 Anhui")
    floor.closes()
    ended = {
        OrderStatus.FILLED: (taken, won),
        OrderStatus.CANCELLED: (back, revoked, lost, cut),  # of the cut one the rest was cancelled
        OrderStatus.LAPSED: (lapsing,),
    }
    for status, numbers in ended.items():
        for number in numbers:
            floor.then_order(number, status)


def test_tr45_a_listing_is_not_amended_but_cancelled_and_entered_again(market: Market) -> None:
    """TR-45: the national book knows no amendment, whoever asks; the new listing is a new order."""
    floor = market(PAIR)
    anhui = floor.when("Anhui")
    number = anhui.lists(Side.SELL, 100, at="80.00").order_no
    anhui.amends(at="80.00", to_qty=50, to="80.00").refused(Reason.WRONG_MODE)
    anhui.amends(at="80.00", to_qty=100, to="79.00").refused(Reason.WRONG_MODE)
    floor.then_book("""
        buy | price | sell
            | 80.00 | Anhui 100
    """)
    anhui.cancels(at="80.00").done()
    assert anhui.lists(Side.SELL, 100, at="79.00").order_no == number + 1


def test_tr46_a_deal_binds_both_sides_from_the_moment_it_is_made(market: Market) -> None:
    """TR-46: neither cancels it, neither declines it, neither gets back what it gave by day."""
    floor = afternoon(market(PAIR, rules=SMALL_LOTS))
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    listing = anhui.lists(Side.SELL, 100, at="80.00").order_no
    take = baowu.takes(100, of="Anhui", at="80.00").order_no
    offer = anhui.offers(Side.SELL, 200, at="81.00").offer_no
    answer = baowu.accepts(offer, 200, at="81.00").event(Event.TRADED)["order_no"]
    for number in (listing, take, offer, answer):
        for who in (anhui, baowu):
            who.cancels_number(number).refused(Reason.UNKNOWN_ORDER)
            who.declines(number).refused(Reason.UNKNOWN_ORDER)
            who.withdraws_offer(number).refused(Reason.UNKNOWN_ORDER)
    floor.control(Kind.BLOCK_ACCOUNT, "Baowu", amount=31).done()
    floor.control(Kind.KILL).done()  # what is done outlives even this
    floor.closes()
    floor.settles()
    floor.then_accounts("""
        account | cash      | CEA25
        Anhui   | 5,024,200 | 49,700
        Baowu   | 4,975,800 | 50,300
    """)


def test_tr60_tr62_a_deal_is_somebodys_choice_and_at_the_listers_price(market: Market) -> None:
    """TR-60, TR-62: better terms than the limit go to the taker; a take names no price at all."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 10, at="79.00").trades()
    floor.when("Baowu").lists(Side.BUY, 10, at="78.99").trades()  # a tick apart: nothing happens
    floor.then_book("""
        buy      | price | sell
                 | 79.00 | Anhui 10
        Baowu 10 | 78.99 |
    """)
    floor.when("Baowu").takes_best(Side.BUY, 4, up_to="88.00").trades("4 @ 79.00 Anhui")
    floor.when("Anhui").takes_best(Side.SELL, 4, up_to="72.00").trades("4 @ 78.99 Baowu")
    ref = floor.find("Anhui", "79.00").number
    named = floor.send(Kind.TAKE, account=1, ref=ref, qty_tonnes=6, price_ticks=ticks("75.00"))
    named.trades("6 @ 79.00 Anhui")


@pytest.mark.parametrize(("at", "qty"), [("80.01", 99_999), ("79.99", 1), ("72.01", 33_333)])
def test_st15_price_times_tonnes_is_exact_to_the_fen(market: Market, at: str, qty: int) -> None:
    """ST-15: no rounding before fees: the seller gains what the buyer gives, to the fen."""
    floor = market("""
        account | cash       | CEA25
        Anhui   |            | 99,999
        Baowu   | 10,000,000 |
    """)
    floor.deal(qty, at=at).tells(Event.TRADED, amount_fen=ticks(at) * qty)
    cash = [row[0] for row in floor.venue.state()["cash"]]
    assert cash == [ticks(at) * qty, 1_000_000_000 - ticks(at) * qty]


# ---- bulk and bidding ----------------------------------------------------------------------------


def test_tr71_there_is_no_bulk_deal_but_through_offer_and_consent(market: Market) -> None:
    """TR-71: nobody is dealt with who has not agreed here, and nothing arranged is reported in."""
    floor = afternoon(market(PAIR, rules=SMALL_LOTS))
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    baowu.accepts(1, 100, at="80.00").refused(Reason.UNKNOWN_ORDER)
    offer = anhui.offers(Side.SELL, 100, at="80.00", to="Baowu").offer_no
    anhui.confirms(offer, of="Baowu").refused(Reason.UNKNOWN_NEGOTIATION)
    anhui.accepts(offer, 100, at="80.00", of="Baowu").refused(Reason.UNKNOWN_NEGOTIATION)
    baowu.confirms(offer).refused(Reason.UNKNOWN_NEGOTIATION)
    baowu.counters(offer, 100, at="79.00").done()
    baowu.confirms(offer).refused(Reason.NOT_YOUR_TURN)
    anhui.confirms(offer, of="Baowu").refused(Reason.NOT_YOUR_TURN)
    floor.closes()
    assert floor.venue.state()["trades"] == []


def test_tr80_an_application_is_nothing_before_the_exchange_has_acted(market: Market) -> None:
    """TR-80, TR-81, TR-91: until its notice nothing is frozen, nobody can bid, nothing is sold."""
    floor = market(PAIR, rules=SMALL_LOTS)
    session = floor.when("Anhui").applies(40_000, "80.00").session_no
    floor.then_accounts("""
        account | CEA25  | CEA25 frozen
        Anhui   | 50,000 |
    """)
    floor.when("Baowu").bids(session, 10, "80.00").refused(Reason.UNKNOWN_SESSION)
    floor.session(Kind.NOTICE_SESSION, session).done()
    floor.then_accounts("""
        account | CEA25  | CEA25 frozen
        Anhui   | 10,000 | 40,000
    """)
    floor.session(Kind.REJECT_SESSION, session).done()
    floor.then_accounts("""
        account | CEA25  | CEA25 frozen
        Anhui   | 50,000 |
    """)


def test_tr32_bidding_goes_on_while_the_listed_market_does(market: Market) -> None:
    """TR-32: a window of its own in the morning; a bid disturbs no listing and no listing a bid."""
    floor = market(PAIR, rules=SMALL_LOTS)
    session = floor.opened_session("Anhui", 100, "80.00")
    floor.when("Anhui").lists(Side.SELL, 10, at="80.10").done()
    floor.when("Baowu").bids(session, 50, "81.00").trades()
    floor.when("Baowu").takes(10, of="Anhui", at="80.10").trades("10 @ 80.10 Anhui")
    floor.session(Kind.CLOSE_SESSION, session).trades("50 @ 81.00 Anhui")
    floor.then_figures(open="80.10", high="80.10", last="80.10")


def test_tr85_the_sellers_floor_binds_every_bid_and_the_cap_is_the_days(market: Market) -> None:
    """TR-85, TR-22: with the lower floor chosen bids lie from 72.00 to 88.00, else from 80.00."""
    floor = market(PAIR, rules=SMALL_LOTS)
    for limit, below in (("72.00", "71.99"), ("80.00", "79.99")):
        session = floor.opened_session("Anhui", 100, limit)
        baowu = floor.when("Baowu")
        for at in (below, "88.01"):
            baowu.bids(session, 1, at).refused(Reason.PRICE_OUT_OF_BAND)
        for at in (limit, "88.00"):
            baowu.bids(session, 1, at).done()


def test_tr89_a_bidder_changes_its_bids_until_the_window_closes(market: Market) -> None:
    """TR-89, TR-92: several bids of any size and tick; what was taken back does not count."""
    floor = market(PAIR, rules=SMALL_LOTS)
    session = floor.opened_session("Anhui", 100, "80.00")
    baowu = floor.when("Baowu")
    first = baowu.bids(session, 60, "80.01").order_no
    baowu.bids(session, 1, "87.99").done()
    baowu.cancels_bid(first).done()
    baowu.bids(session, 30, "80.02").done()
    floor.session(Kind.CLOSE_SESSION, session).trades("1 @ 80.02 Anhui", "30 @ 80.02 Anhui")
    floor.then_accounts("""
        account | cash         | cash frozen | CEA25 bought
        Baowu   | 4,997,519.38 |             | 31
    """)


def test_tr95_the_state_would_sell_like_anybody_else(market: Market) -> None:
    """TR-95, RG-23: an account that was credited today, not a rule of its own, offers."""
    floor = market(PAIR, rules=SMALL_LOTS)
    floor.open_accounts("""
        account | cash
        State   |
    """)
    floor.when("State").transfers_in(100_000).done()
    session = floor.opened_session("State", 100_000, "80.00")
    floor.when("Baowu").bids(session, 1_000, "82.50").done()
    floor.when("Anhui").bids(session, 500, "81.00").done()
    closed = floor.session(Kind.CLOSE_SESSION, session)
    closed.trades("1,000 @ 81.00 State", "500 @ 81.00 State")
    floor.then_accounts("""
        account | cash    | CEA25  | CEA25 frozen
        State   | 121,500 | 98,500 |
    """)


# ---- what is published ---------------------------------------------------------------------------


def test_tr107_the_price_line_is_listed_only_and_totals_have_all_three(market: Market) -> None:
    """TR-107, TR-142: a listed, a bulk and a bidding deal, each in its own row of the totals."""
    floor = afternoon(market(PAIR, rules=SMALL_LOTS))
    session = floor.opened_session("Anhui", 100, "80.00")
    floor.when("Baowu").bids(session, 30, "84.00").done()
    floor.session(Kind.CLOSE_SESSION, session).done()
    offer = floor.when("Anhui").offers(Side.SELL, 200, at="60.00").offer_no
    floor.when("Baowu").accepts(offer, 200, at="60.00").done()
    floor.deal(10, at="81.00")
    floor.closes().tells(Event.CLOSE_SET, price_ticks=8_100, qty_tonnes=10, amount_fen=81_000)
    assert [row[:2] for row in floor.venue.state()["totals"]] == [
        (10, 81_000),
        (200, 1_200_000),
        (30, 252_000),
    ]
    floor.then_figures(open="81.00", high="81.00", low="81.00", last="81.00", close="81.00")


def test_tr106_the_composite_price_moves_no_vintages_price(market: Market) -> None:
    """TR-106: the same day under other weights has another composite and the same vintages."""
    seen = {}
    for weights in ((1, 1), (0, 1), (7, 0)):
        floor = market(
            """
            account | cash      | CEA25 | CEA24
            Anhui   |           | 500   | 500
            Baowu   | 5,000,000 |       |
            """,
            vintages={"CEA25": "80.00", "CEA24": "70.00"},
            day=0,
        )
        for vintage, weight in zip(("CEA25", "CEA24"), weights, strict=True):
            floor.rule(Parameter.COMPOSITE_WEIGHT, weight, vintage).done()
        floor.begins(20260105).done()
        floor.enters(Phase.MORNING).done()
        floor.deal(10, at="84.00")
        floor.deal(5, at="66.00", vintage="CEA24")
        closed = floor.closes()
        floor.settles()
        floor.begins(20260106).done()
        prices = [row[:12] for row in floor.venue.state()["instruments"]]
        seen[closed.event(Event.COMPOSITE_SET)["price_ticks"]] = prices
    assert list(seen) == [7_500, 6_600, 8_400]
    assert seen[7_500] == seen[6_600] == seen[8_400]
