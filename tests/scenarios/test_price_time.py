"""The second mode of the same book: continuous price–time priority, add, amend, cancel."""

from __future__ import annotations

from functools import partial

import pytest

from engine.reasons import Reason
from engine.records import Event, Mode, OrderStatus, Parameter, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor

TRIO = """
    account | cash   | CEA25
    Anhui   | 50,000 | 500
    Baowu   | 50,000 | 500
    Chalco  | 50,000 | 500
"""


def auction(market: Market) -> Floor:
    """Two sellers at 80.00, in this order, one at 80.10; a buyer at 79.90."""
    floor = market(TRIO, mode=Mode.PRICE_TIME)
    floor.book("""
        buy       | price | sell
                  | 80.10 | Anhui 30
                  | 80.00 | Anhui 10, Baowu 20
        Chalco 50 | 79.90 |
    """)
    return floor


def test_best_price_first_then_oldest(market: Market) -> None:
    """An incoming buyer pays the resting prices; the rest stays at its own."""
    floor = auction(market)
    outcome = floor.when("Chalco").adds(Side.BUY, 70, at="80.10")
    outcome.trades("10 @ 80.00 Anhui", "20 @ 80.00 Baowu", "30 @ 80.10 Anhui")
    outcome.tells(Event.ACCEPTED, leaves_qty=10, amount_fen=80_100)
    outcome.tells(Event.TRADED, 0, leaves_qty=60).tells(Event.TRADED, 2, leaves_qty=10)
    floor.then_book("""
        buy       | price | sell
        Chalco 10 | 80.10 |
        Chalco 50 | 79.90 |
    """)
    floor.then_accounts("""
        account | cash   | cash frozen | CEA25 bought
        Chalco  | 40,401 | 4,796       | 60
    """)


def test_the_limit_holds(market: Market) -> None:
    """What lies beyond the limit is not touched."""
    floor = auction(market)
    floor.when("Chalco").adds(Side.BUY, 40, at="80.05").trades(
        "10 @ 80.00 Anhui", "20 @ 80.00 Baowu"
    )
    floor.then_book("""
        buy       | price | sell
                  | 80.10 | Anhui 30
        Chalco 10 | 80.05 |
        Chalco 50 | 79.90 |
    """)


def test_an_incoming_order_stops_at_its_own(market: Market) -> None:
    """TR-50: it trades up to its own resting order; the rest is cancelled, nothing stays locked."""
    floor = auction(market)
    outcome = floor.when("Baowu").adds(Side.BUY, 25, at="80.10").trades("10 @ 80.00 Anhui")
    outcome.tells(Event.ACCEPTED, leaves_qty=0, amount_fen=0)
    outcome.tells(Event.CANCELLED, reason=Reason.SELF_TRADE, qty_tonnes=15, amount_fen=0)
    floor.then_book("""
        buy       | price | sell
                  | 80.10 | Anhui 30
                  | 80.00 | Baowu 20
        Chalco 50 | 79.90 |
    """)
    floor.then_accounts("""
        account | cash   | cash frozen | CEA25 | CEA25 frozen
        Baowu   | 49,200 |             | 480   | 20
    """)


def test_less_at_the_same_price_keeps_the_place(market: Market) -> None:
    """AMEND: the older order stays first; what it no longer needs is released."""
    floor = auction(market)
    outcome = floor.when("Anhui").amends("80.00", to_qty=4, to="80.00")
    assert outcome.kinds == [Event.PULLED, Event.AMENDED]
    outcome.tells(Event.AMENDED, qty_tonnes=4, leaves_qty=4, price_ticks=8_000)
    floor.when("Chalco").adds(Side.BUY, 6, at="80.00").trades("4 @ 80.00 Anhui", "2 @ 80.00 Baowu")


@pytest.mark.parametrize(("qty", "price"), [(11, "80.00"), (10, "80.05")])
def test_more_or_another_price_queues_last(market: Market, qty: int, price: str) -> None:
    """AMEND: a larger quantity or a new price comes back as a young order."""
    floor = auction(market)
    number = floor.find("Anhui", "80.00").number
    floor.when("Anhui").amends("80.00", to_qty=qty, to=price).tells(Event.AMENDED, order_no=number)
    if price != "80.00":
        floor.when("Anhui").amends(price, to_qty=qty, to="80.00").done()
    outcome = floor.when("Chalco").adds(Side.BUY, 21, at="80.00")
    outcome.trades("20 @ 80.00 Baowu", "1 @ 80.00 Anhui")


def test_an_amended_order_may_trade_at_once(market: Market) -> None:
    """AMEND: the buyer raises his price, takes what is there, keeps his number."""
    floor = auction(market)
    number = floor.find("Chalco", "79.90").number
    outcome = floor.when("Chalco").amends("79.90", to_qty=40, to="80.00")
    outcome.tells(Event.PULLED, qty_tonnes=50, price_ticks=7_990, amount_fen=399_500)
    outcome.tells(Event.AMENDED, qty_tonnes=40, leaves_qty=10, amount_fen=80_000)
    outcome.trades("10 @ 80.00 Anhui", "20 @ 80.00 Baowu")
    outcome.tells(Event.TRADED, 0, order_no=number, leaves_qty=30)
    floor.then_order(number, OrderStatus.PART_FILLED)


def test_the_new_total_must_exceed_what_is_filled(market: Market) -> None:
    """AMEND: quantities are totals; 10 of 20 are filled, so 10 is too little and 11 leaves 1."""
    floor = auction(market)
    floor.when("Chalco").adds(Side.BUY, 20, at="80.00").done()
    amend = partial(floor.when("Baowu").amends, "80.00", to="80.00")
    amend(to_qty=10).refused(Reason.QTY_BELOW_FILLED)
    amend(to_qty=11).tells(Event.AMENDED, leaves_qty=1)


def test_an_amendment_has_to_be_covered(market: Market) -> None:
    """AMEND: the new lock against what is available plus what the order has frozen already."""
    floor = market(
        """
        account | cash | CEA25
        Anhui   | 801  |
        Baowu   |      | 10
        """,
        mode=Mode.PRICE_TIME,
    )
    floor.when("Anhui").adds(Side.BUY, 10, at="80.00").done()
    floor.when("Anhui").amends("80.00", to_qty=10, to="80.11").refused(Reason.INSUFFICIENT_FUNDS)
    floor.when("Anhui").amends("80.00", to_qty=10, to="80.10").done()
    floor.when("Baowu").adds(Side.SELL, 8, at="81.00").done()
    floor.when("Baowu").amends("81.00", to_qty=11, to="81.00").refused(Reason.INSUFFICIENT_HOLDING)
    floor.when("Baowu").amends("81.00", to_qty=10, to="81.00").done()


def test_better_prices_come_back_with_their_fees(market: Market) -> None:
    """ADD: lock 10 × 80.10 + 1 %, buy 5 at 80.00; what rests keeps its own lock, no more."""
    rules = {Parameter.LISTED_TRADING_FEE_PPM: 10_000}
    floor = market(TRIO, mode=Mode.PRICE_TIME, rules=rules)
    floor.when("Anhui").adds(Side.SELL, 5, at="80.00").done()
    outcome = floor.when("Baowu").adds(Side.BUY, 10, at="80.10").trades("5 @ 80.00 Anhui")
    outcome.tells(Event.TRADED, fee_fen=400, other_fee_fen=400)
    outcome.tells(Event.ACCEPTED, leaves_qty=5, amount_fen=40_050 + 401)
    floor.then_accounts("""
        account | cash      | cash frozen
        Baowu   | 49,191.49 | 404.51
        Anhui   | 50,396.00 |
    """)


def test_each_mode_takes_its_own_commands(market: Market) -> None:
    """WRONG_MODE: no listing in an auction book, no adding in a listed one."""
    floor = auction(market)
    trader = floor.when("Chalco")
    trader.lists(Side.BUY, 1, at="79.00").refused(Reason.WRONG_MODE)
    trader.takes(1, of="Anhui", at="80.00").refused(Reason.WRONG_MODE)
    trader.takes_best(Side.BUY, 1, up_to="80.00").refused(Reason.WRONG_MODE)
    listed = market(TRIO)
    listed.when("Anhui").adds(Side.BUY, 1, at="79.00").refused(Reason.WRONG_MODE)
    listed.when("Anhui").lists(Side.BUY, 1, at="79.00").done()
    listed.when("Anhui").amends("79.00", to_qty=1, to="79.00").refused(Reason.WRONG_MODE)
