"""What a rule that comes later does to orders that stand, and how several orders end at once."""

from __future__ import annotations

import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, Mode, OrderStatus, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor

ROOM = """
    account | cash      | CEA25
    Anhui   | 5,000,000 | 1,000
    Baowu   | 5,000,000 | 1,000
    Chalco  | 5,000,000 | 1,000
"""
SMALL_LOTS = {Parameter.BULK_QTY_MIN: 10, Parameter.AUCTION_QTY_MIN: 10}


def afternoon(market: Market) -> Floor:
    """Bulk agreement is open."""
    floor = market(ROOM, rules=SMALL_LOTS)
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    return floor


def test_tr91_the_applicants_order_counts_and_lapses_like_any_other(market: Market) -> None:
    """TR-42, TR-43, TR-91: two open orders are allowed, and the published session is one of them.

    The exchange's notice itself is not held against the number.
    """
    floor = market(ROOM, rules=SMALL_LOTS | {Parameter.OPEN_ORDERS_MAX: 2})
    anhui = floor.when("Anhui")
    anhui.lists(Side.SELL, 1, at="80.00").done()
    first, second = (anhui.applies(100, "80.00").session_no for _ in range(2))
    noticed = floor.session(Kind.NOTICE_SESSION, first)
    order = noticed.event(Event.SESSION_NOTICED)["other_order_no"]
    floor.then_order(order, OrderStatus.OPEN)
    anhui.lists(Side.SELL, 1, at="80.10").refused(Reason.TOO_MANY_OPEN_ORDERS)
    floor.session(Kind.NOTICE_SESSION, second).done()  # three now
    floor.session(Kind.REJECT_SESSION, second).done()
    floor.session(Kind.OPEN_SESSION, first).done()
    anhui.cancels_number(order).refused(Reason.UNKNOWN_ORDER)  # it ends with its session only
    closed = floor.closes()
    closed.tells(Event.LAPSED, 1, order_no=order, qty_tonnes=100, reason=Reason.END_OF_DAY)
    closed.tells(Event.SESSION_REJECTED, order_no=first, amount_fen=0, reason=Reason.END_OF_DAY)
    floor.then_order(order, OrderStatus.LAPSED)
    floor.then_accounts("""
        account | CEA25 | CEA25 frozen
        Anhui   | 1,000 |
    """)


def test_tr111_an_order_above_a_new_limit_may_shrink_but_not_grow(market: Market) -> None:
    """TR-111: a limit that comes later leaves what stands; smaller is nearer to it."""
    floor = afternoon(market)
    anhui = floor.when("Anhui")
    offer = anhui.offers(Side.BUY, 200, at="80.00").offer_no
    floor.when("Baowu").counters(offer, 150, at="80.00").done()
    floor.control(Kind.LIMIT_HOLDING, "Anhui", qty_tonnes=1_100).done()
    anhui.counters(offer, 201, at="80.00", of="Baowu").refused(Reason.HOLDING_LIMIT)
    anhui.counters(offer, 200, at="80.10", of="Baowu").done()
    anhui.counters(offer, 150, at="80.10", of="Baowu").done()  # 1,150: still above, but nearer
    anhui.counters(offer, 151, at="80.10", of="Baowu").refused(Reason.HOLDING_LIMIT)
    anhui.offers(Side.BUY, 10, at="80.00").refused(Reason.HOLDING_LIMIT)


def test_tr116_an_order_below_a_new_guard_may_shrink_but_not_grow(market: Market) -> None:
    """TR-116: the guard binds what is available; what was offered before it may still be sold."""
    floor = afternoon(market)
    anhui = floor.when("Anhui")
    offer = anhui.offers(Side.SELL, 200, at="80.00").offer_no
    floor.when("Baowu").counters(offer, 150, at="80.00").done()
    floor.control(Kind.GUARD_HOLDING, "Anhui", "CEA25", qty_tonnes=900).done()
    anhui.counters(offer, 201, at="80.00", of="Baowu").refused(Reason.SELL_GUARDED)
    anhui.counters(offer, 190, at="79.00", of="Baowu").done()
    anhui.counters(offer, 191, at="79.00", of="Baowu").refused(Reason.SELL_GUARDED)
    floor.when("Baowu").accepts(offer, 190, at="79.00").done()
    floor.then_accounts("""
        account | CEA25 | CEA25 frozen
        Anhui   | 810   | 190
    """)
    anhui.confirms(offer, of="Baowu").tells(Event.TRADED, account=1, qty_tonnes=190)


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL], ids=lambda side: side.name)
def test_in_a_price_time_book_an_order_may_shrink_too(market: Market, side: Side) -> None:
    """TR-111, TR-116 for AMEND: as for an offer."""
    floor = market(ROOM, mode=Mode.PRICE_TIME)
    anhui = floor.when("Anhui")
    anhui.adds(side, 200, at="80.00").done()
    floor.control(Kind.LIMIT_HOLDING, "Anhui", qty_tonnes=1_100).done()
    floor.control(Kind.GUARD_HOLDING, "Anhui", "CEA25", qty_tonnes=900).done()
    why = Reason.HOLDING_LIMIT if side is Side.BUY else Reason.SELL_GUARDED
    anhui.amends("80.00", 201, "80.00").refused(why)
    anhui.amends("80.00", 200, "80.10").done()
    anhui.amends("80.10", 190, "80.10").done()
    anhui.amends("80.10", 191, "80.10").refused(why)


def test_a_blocked_initiator_is_dealt_with_as_it_stands(market: Market) -> None:
    """TR-115: a block stops what the account declares; its standing offer may be taken."""
    floor = afternoon(market)
    offer = floor.when("Anhui").offers(Side.SELL, 100, at="80.00").offer_no
    floor.when("Baowu").counters(offer, 100, at="79.00").done()
    floor.when("Anhui").accepts(offer, 100, at="79.00", of="Baowu").done()
    other = floor.when("Anhui").offers(Side.SELL, 50, at="80.00").offer_no
    floor.control(Kind.BLOCK_ACCOUNT, "Anhui", amount=31).done()
    floor.when("Baowu").confirms(offer).trades("100 @ 79.00 Anhui")
    floor.when("Chalco").accepts(other, 50, at="80.00").trades("50 @ 80.00 Anhui")


def test_tr115_a_kill_ends_each_offer_with_its_talks_then_the_accounts_answers(
    market: Market,
) -> None:
    """TR-115, TR-72: by number; the reader hears of no talk without its offer."""
    floor = afternoon(market)
    anhui, baowu, chalco = (floor.when(name) for name in ("Anhui", "Baowu", "Chalco"))
    first = anhui.offers(Side.SELL, 10, at="80.00").offer_no
    listing = anhui.lists(Side.SELL, 10, at="80.00").order_no
    second = anhui.offers(Side.SELL, 20, at="80.00").offer_no
    foreign = chalco.offers(Side.BUY, 30, at="80.00").offer_no
    baowu.counters(second, 20, at="79.00").done()
    baowu.counters(first, 10, at="79.00").done()
    anhui.counters(first, 10, at="79.50", of="Baowu").done()
    baowu.accepts(first, 10, at="79.50").done()
    anhui.counters(foreign, 30, at="81.00").done()
    killed = floor.control(Kind.KILL, "Anhui", amount=0)
    told = [(Event(e["kind"]), e["order_no"], e["account"]) for e in killed.events[:-1]]
    answer = first + 4
    assert told == [
        (Event.CANCELLED, first, 0),
        (Event.BULK_DECLINED, first, 0),
        (Event.CANCELLED, answer, 1),
        (Event.CANCELLED, listing, 0),
        (Event.CANCELLED, second, 0),
        (Event.BULK_DECLINED, second, 0),
        (Event.BULK_DECLINED, foreign, 0),
    ]
    assert {e["reason"] for e in killed.events[:-1]} == {Reason.KILLED}
    killed.tells(Event.KILLED_NOW, account=0, qty_tonnes=3)
    floor.then_order(foreign, OrderStatus.OPEN)
