"""Listed agreement: click and deal (TR-60…69; edge cases E01…E08, E18, E22)."""

from __future__ import annotations

import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, OrderStatus, Parameter, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor

SELLERS = """
    account | cash       | CEA25
    Anhui   |            | 50,000
    Baowu   |            | 50,000
    Chalco  | 20,000,000 |
"""


def two_levels(market: Market) -> Floor:
    """Baowu offers at 80.50, Anhui better at 80.00."""
    floor = market(SELLERS)
    floor.book("""
        buy | price | sell
            | 80.50 | Baowu 1,000
            | 80.00 | Anhui 1,000
    """)
    return floor


def test_e01_the_better_price_comes_first(market: Market) -> None:
    """E01 (TR-61, TR-65): B at 80.50 cannot be taken while A offers at 80.00."""
    floor = two_levels(market)
    buyer = floor.when("Chalco")
    buyer.takes(100, of="Baowu", at="80.50").refused(Reason.BETTER_PRICE_AVAILABLE)
    buyer.takes(1_000, of="Anhui", at="80.00").trades("1,000 @ 80.00 Anhui")
    buyer.takes(100, of="Baowu", at="80.50").trades("100 @ 80.50 Baowu")
    floor.then_book("""
        buy | price | sell
            | 80.50 | Baowu 900
    """)


def test_e01_own_listings_do_not_stand_in_the_way(market: Market) -> None:
    """TR-65, TR-50: the better level is the taker's own, so the next one is free to take."""
    floor = two_levels(market)
    floor.when("Anhui").pays_in("100,000").done()
    taker = floor.when("Anhui")
    taker.takes(10, of="Anhui", at="80.00").refused(Reason.SELF_TRADE)
    taker.takes(10, of="Baowu", at="80.50").trades("10 @ 80.50 Baowu")


def test_e01_a_shared_better_level_does(market: Market) -> None:
    """TR-65: own and foreign listings on the better level; the foreign one comes first."""
    floor = market(SELLERS)
    floor.book("""
        buy | price | sell
            | 80.50 | Baowu 10
            | 80.00 | Anhui 10, Baowu 10
    """)
    floor.when("Anhui").pays_in("100,000").done()
    taker = floor.when("Anhui")
    taker.takes(1, of="Baowu", at="80.50").refused(Reason.BETTER_PRICE_AVAILABLE)
    taker.takes(10, of="Baowu", at="80.00").trades("10 @ 80.00 Baowu")
    taker.takes(1, of="Baowu", at="80.50").trades("1 @ 80.50 Baowu")


def test_e02_no_time_priority_within_a_level(market: Market) -> None:
    """E02 (TR-63): the younger listing of a level may be picked."""
    floor = market(SELLERS)
    floor.book("""
        buy | price | sell
            | 80.00 | Anhui 1,000, Baowu 1,000
    """)
    floor.when("Chalco").takes(400, of="Baowu", at="80.00").trades("400 @ 80.00 Baowu")
    floor.then_book("""
        buy | price | sell
            | 80.00 | Anhui 1,000, Baowu 600
    """)


def test_e03_a_listing_is_filled_in_parts(market: Market) -> None:
    """E03 (TR-62, TR-64): 20,000 of 50,000 trade at the lister's price, 30,000 rest."""
    floor = market(SELLERS)
    floor.book("""
        buy | price | sell
            | 80.00 | Anhui 50,000
    """)
    listing = floor.find("Anhui", "80.00").number
    outcome = floor.when("Chalco").takes(20_000, of="Anhui", at="80.00")
    outcome.trades("20,000 @ 80.00 Anhui")
    outcome.tells(Event.ACCEPTED, qty_tonnes=20_000, leaves_qty=0, amount_fen=0, price_ticks=8_000)
    outcome.tells(Event.TRADED, leaves_qty=0, other_leaves_qty=30_000, amount_fen=160_000_000)
    floor.then_order(listing, OrderStatus.PART_FILLED)
    floor.then_book("""
        buy | price | sell
            | 80.00 | Anhui 30,000
    """)
    floor.then_accounts("""
        account | cash       | cash frozen | CEA25 | CEA25 frozen | CEA25 bought
        Anhui   | 1,600,000  |             |       | 30,000       |
        Chalco  | 18,400,000 |             |       |              | 20,000
    """)


def test_e04_more_than_the_listing_has_is_refused(market: Market) -> None:
    """E04 (TR-64): 40,000 of the 30,000 left; nothing trades."""
    floor = market(SELLERS)
    floor.book("""
        buy | price | sell
            | 80.00 | Anhui 30,000
    """)
    buyer = floor.when("Chalco")
    buyer.takes(40_000, of="Anhui", at="80.00").refused(Reason.QTY_ABOVE_LEAVES)
    buyer.takes(30_000, of="Anhui", at="80.00").trades("30,000 @ 80.00 Anhui")


def test_e05_the_sixth_level_is_out_of_reach(market: Market) -> None:
    """E05 (TR-61): five better levels; when one is empty the same listing is one of the five."""
    floor = market(SELLERS)
    floor.book("""
        buy | price | sell
            | 80.05 | Baowu 10
            | 80.04 | Anhui 10
            | 80.03 | Anhui 10
            | 80.02 | Anhui 10
            | 80.01 | Anhui 10
            | 80.00 | Anhui 10
    """)
    buyer = floor.when("Chalco")
    buyer.takes(10, of="Baowu", at="80.05").refused(Reason.OUTSIDE_FIVE_LEVELS)
    floor.when("Anhui").cancels(at="80.02").done()
    buyer.takes(10, of="Baowu", at="80.05").refused(Reason.BETTER_PRICE_AVAILABLE)


def test_e05_own_levels_count_among_the_five(market: Market) -> None:
    """TR-61: the best five levels are those of the book, whoever listed there."""
    floor = market(SELLERS)
    floor.book("""
        buy | price | sell
            | 80.05 | Baowu 10
            | 80.04 | Anhui 1
            | 80.03 | Anhui 1
            | 80.02 | Anhui 1
            | 80.01 | Anhui 1
            | 80.00 | Anhui 1
    """)
    floor.when("Anhui").pays_in("100,000").done()
    floor.when("Anhui").takes(1, of="Baowu", at="80.05").refused(Reason.OUTSIDE_FIVE_LEVELS)
    floor.when("Anhui").takes_best(Side.BUY, 1, up_to="80.05").refused(Reason.NOTHING_TO_TAKE)


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_e07_a_declaration_stays_below_100_000_tonnes(market: Market, side: Side) -> None:
    """E07 (TR-11): 99,999 t are accepted, 100,000 t are not."""
    floor = market("""
        account | cash       | CEA25
        Anhui   | 16,000,000 | 200,000
    """)
    lister = floor.when("Anhui")
    lister.lists(side, 100_000, at="80.00").refused(Reason.QTY_ABOVE_MAX)
    lister.lists(side, 99_999, at="80.00").done()


@pytest.mark.parametrize("qty", [0, -1, -(2**63), 10**10, 2**63 - 1])
def test_e08_a_quantity_is_a_whole_number_of_tonnes(market: Market, qty: int) -> None:
    """E08 (TR-10): 0 t is none; half a tonne cannot be written into a command at all."""
    floor = two_levels(market)
    floor.when("Anhui").lists(Side.SELL, qty, at="80.00").refused(Reason.QTY_INVALID)
    floor.when("Chalco").takes(qty, of="Anhui", at="80.00").refused(Reason.QTY_INVALID)
    floor.when("Chalco").takes_best(Side.BUY, qty, up_to="80.00").refused(Reason.QTY_INVALID)


@pytest.mark.parametrize("yuan", ["0", "-0.01", "100,000.00", "-21,474,836.48", "21,474,836.47"])
def test_e08_a_price_is_a_positive_number_of_ticks(market: Market, yuan: str) -> None:
    """E08 (TR-10): 80.005 yuan cannot be written into a command at all."""
    floor = two_levels(market)
    floor.when("Anhui").lists(Side.SELL, 1, at=yuan).refused(Reason.PRICE_INVALID)


def test_e18_a_cancel_and_a_take_race_and_one_wins(market: Market) -> None:
    """E18 (TR-69): whichever comes first; never both."""
    floor = two_levels(market)
    listing = floor.find("Anhui", "80.00").number
    floor.when("Anhui").cancels(at="80.00").tells(Event.CANCELLED, reason=Reason.BY_OWNER)
    take = floor.send(Kind.TAKE, account=2, ref=listing, qty_tonnes=1_000)
    take.refused(Reason.UNKNOWN_ORDER)
    floor.then_order(listing, OrderStatus.CANCELLED)
    other = floor.find("Baowu", "80.50").number
    floor.when("Chalco").takes(1_000, of="Baowu", at="80.50").trades("1,000 @ 80.50 Baowu")
    floor.when("Baowu").cancels_number(other).refused(Reason.UNKNOWN_ORDER)
    floor.then_order(other, OrderStatus.FILLED)


def test_tr69_two_takers_are_served_in_the_order_they_arrive(market: Market) -> None:
    """TR-69: the second finds only what the first has left."""
    floor = two_levels(market)
    floor.when("Chalco").takes(700, of="Anhui", at="80.00").done()
    floor.when("Baowu").pays_in("80,000").done()
    floor.when("Baowu").takes(400, of="Anhui", at="80.00").refused(Reason.QTY_ABOVE_LEAVES)
    floor.when("Baowu").takes(300, of="Anhui", at="80.00").trades("300 @ 80.00 Anhui")


def test_e22_a_listing_may_not_cross(market: Market) -> None:
    """E22 (TR-67): a buy at or above the best sell is refused, and the reverse."""
    floor = market("""
        account | cash   | CEA25
        Anhui   | 10,000 | 50
        Baowu   | 10,000 | 50
    """)
    floor.book("""
        buy      | price | sell
                 | 80.10 | Anhui 10
        Baowu 10 | 80.00 |
    """)
    floor.when("Baowu").lists(Side.BUY, 1, at="80.10").refused(Reason.WOULD_CROSS)
    floor.when("Baowu").lists(Side.BUY, 1, at="80.11").refused(Reason.WOULD_CROSS)
    floor.when("Anhui").lists(Side.SELL, 1, at="80.00").refused(Reason.WOULD_CROSS)
    floor.when("Anhui").lists(Side.BUY, 1, at="80.10").refused(Reason.WOULD_CROSS)  # its own sell
    floor.when("Baowu").lists(Side.BUY, 1, at="80.09").done()


def test_e22_unless_the_flag_is_set(market: Market) -> None:
    """TR-67: with ``allow_crossed_listings`` both rest, and nothing matches by itself (TR-60)."""
    floor = market(SELLERS, rules={Parameter.ALLOW_CROSSED_LISTINGS: 1})
    floor.when("Anhui").lists(Side.SELL, 10, at="80.00").trades()
    floor.when("Chalco").lists(Side.BUY, 20, at="80.20").trades()
    floor.then_book("""
        buy       | price | sell
        Chalco 20 | 80.20 |
                  | 80.00 | Anhui 10
    """)


def test_tr66_a_sweep_is_done_leg_by_leg(market: Market) -> None:
    """TR-66: legs in order; each under TR-65; the sum of all legs stays below 100,000 t."""
    floor = two_levels(market)
    buyer = floor.when("Chalco")
    buyer.takes(1_000, of="Anhui", at="80.00", total=1_500, leg=1).trades("1,000 @ 80.00 Anhui")
    second = buyer.takes(500, of="Baowu", at="80.50", total=1_500, leg=2)
    second.trades("500 @ 80.50 Baowu").tells(Event.TRADED, leg=2).tells(Event.ACCEPTED, leg=2)


def test_tr66_the_sum_of_the_legs_counts(market: Market) -> None:
    """TR-66, TR-11: a small leg of a sweep of 100,000 t is refused, one of 99,999 t is not."""
    floor = two_levels(market)
    buyer = floor.when("Chalco")
    buyer.takes(1, of="Anhui", at="80.00", total=100_000, leg=1).refused(Reason.QTY_ABOVE_MAX)
    buyer.takes(1, of="Anhui", at="80.00", total=99_999, leg=1).trades("1 @ 80.00 Anhui")


def test_the_venue_takes_the_best_first_and_the_oldest_within(market: Market) -> None:
    """TAKE_BEST: best level, then oldest; its own listings are skipped; the rest does not rest."""
    floor = market("""
        account | cash       | CEA25
        Anhui   |            | 100
        Baowu   |            | 100
        Chalco  | 20,000,000 | 100
    """)
    floor.book("""
        buy | price | sell
            | 80.20 | Baowu 30
            | 80.10 | Anhui 10
            | 80.00 | Baowu 10, Chalco 5, Anhui 10
    """)
    outcome = floor.when("Chalco").takes_best(Side.BUY, 40, up_to="80.10")
    outcome.trades("10 @ 80.00 Baowu", "10 @ 80.00 Anhui", "10 @ 80.10 Anhui")
    outcome.tells(Event.CANCELLED, reason=Reason.TAKE_REMAINDER, qty_tonnes=10, amount_fen=0)
    floor.then_book("""
        buy | price | sell
            | 80.20 | Baowu 30
            | 80.00 | Chalco 5
    """)
    floor.then_accounts("""
        account | cash       | cash frozen | CEA25 bought
        Chalco  | 19,997,599 |             | 30
    """)


def test_the_venue_takes_within_five_levels_only(market: Market) -> None:
    """TAKE_BEST: six levels, five are taken (TR-61); the sixth waits for the next instruction."""
    floor = market(SELLERS)
    floor.book("""
        buy | price | sell
            | 80.05 | Anhui 1
            | 80.04 | Anhui 1
            | 80.03 | Anhui 1
            | 80.02 | Anhui 1
            | 80.01 | Anhui 1
            | 80.00 | Anhui 1
    """)
    outcome = floor.when("Chalco").takes_best(Side.BUY, 6, up_to="88.00")
    outcome.tells(Event.CANCELLED, qty_tonnes=1)
    floor.then_book("""
        buy | price | sell
            | 80.05 | Anhui 1
    """)


def test_the_venue_sells_to_the_best_buyer_first(market: Market) -> None:
    """TAKE_BEST on the other side: the highest bid comes first."""
    floor = market("""
        account | cash   | CEA25
        Anhui   |        | 100
        Baowu   | 10,000 |
        Chalco  | 10,000 |
    """)
    floor.book("""
        buy                 | price | sell
        Chalco 10           | 80.10 |
        Baowu 10, Chalco 10 | 80.00 |
    """)
    outcome = floor.when("Anhui").takes_best(Side.SELL, 25, up_to="80.00")
    outcome.trades("10 @ 80.10 Chalco", "10 @ 80.00 Baowu", "5 @ 80.00 Chalco")
    floor.then_accounts("""
        account | cash  | cash frozen | CEA25 | CEA25 frozen
        Anhui   | 2,001 |             | 75    |
        Chalco  | 8,399 | 400         |       |
    """)


def test_open_orders_may_be_limited(market: Market) -> None:
    """A third open order is one too many where two are allowed; a cancel makes room."""
    floor = market(SELLERS, rules={Parameter.OPEN_ORDERS_MAX: 2})
    lister = floor.when("Anhui")
    lister.lists(Side.SELL, 1, at="80.00").done()
    lister.lists(Side.SELL, 1, at="80.01").done()
    lister.lists(Side.SELL, 1, at="80.02").refused(Reason.TOO_MANY_OPEN_ORDERS)
    lister.cancels(at="80.00").done()
    lister.lists(Side.SELL, 1, at="80.02").done()


def test_nobody_cancels_for_somebody_else(market: Market) -> None:
    """TR-43: a foreign order and an unknown one give the same answer (P6)."""
    floor = two_levels(market)
    floor.when("Baowu").cancels(at="80.00", of="Anhui").refused(Reason.UNKNOWN_ORDER)
    floor.when("Baowu").cancels_number(99).refused(Reason.UNKNOWN_ORDER)
    floor.when("Baowu").cancels_number(0).refused(Reason.UNKNOWN_ORDER)
    floor.when("Baowu").cancels_number(2**63 - 1).refused(Reason.UNKNOWN_ORDER)


def test_without_the_rule_of_levels_nothing_is_taken(market: Market) -> None:
    """TR-61: a venue that was never told how many levels count takes from none."""
    floor = market(SELLERS, rules={Parameter.TAKE_LEVELS_MAX: 0})
    floor.book("""
        buy | price | sell
            | 80.00 | Anhui 10
    """)
    floor.when("Chalco").takes(1, of="Anhui", at="80.00").refused(Reason.OUTSIDE_FIVE_LEVELS)
    floor.when("Chalco").takes_best(Side.BUY, 1, up_to="80.00").refused(Reason.NOTHING_TO_TAKE)
