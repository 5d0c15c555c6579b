"""Two deeds that exclude each other, in both orders: the first wins, the second changes nothing.

What reaches the exchange first has the lower ``seq``; there is no other rule (TR-69, E18). That the
loser has changed nothing is looked at by ``refused``; the invariants by every command.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from engine.reasons import Reason as Why
from engine.records import Event, Kind, OrderStatus, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor, Outcome

ROOM = """
    account | cash       | CEA25
    Anhui   |            | 300,000
    Baowu   | 20,000,000 |
    Chalco  | 20,000,000 |
"""
LOT = 100_000
Act = Callable[[], Outcome]


class Race(NamedTuple):
    """Two deeds, and why each is refused when it comes second (NONE: it is not)."""

    one: Act
    other: Act
    other_is_late: Why
    one_is_late: Why


def cancel_and_take(floor: Floor) -> Race:
    """E18: the lister takes its listing back while somebody takes it."""
    number = floor.when("Anhui").lists(Side.SELL, 1_000, at="80.00").order_no
    return Race(
        lambda: floor.when("Anhui").cancels_number(number),
        lambda: floor.send(Kind.TAKE, account=1, ref=number, qty_tonnes=1_000),
        Why.UNKNOWN_ORDER,
        Why.UNKNOWN_ORDER,
    )


def take_and_take(floor: Floor) -> Race:
    """TR-69: two takers, each wants more than half of it."""
    floor.when("Anhui").lists(Side.SELL, 1_000, at="80.00").done()
    return Race(
        lambda: floor.when("Baowu").takes(600, of="Anhui", at="80.00"),
        lambda: floor.when("Chalco").takes(600, of="Anhui", at="80.00"),
        Why.QTY_ABOVE_LEAVES,
        Why.QTY_ABOVE_LEAVES,
    )


def better_listing_and_take(floor: Floor) -> Race:
    """TR-65: a better price comes in just before, or just after, the take."""
    floor.when("Chalco").transfers_in(10).done()
    floor.when("Anhui").lists(Side.SELL, 10, at="80.10").done()
    return Race(
        lambda: floor.when("Chalco").lists(Side.SELL, 10, at="80.00"),
        lambda: floor.when("Baowu").takes(10, of="Anhui", at="80.10"),
        Why.BETTER_PRICE_AVAILABLE,
        Why.NONE,
    )


def listing_and_transfer_out(floor: Floor) -> Race:
    """RG-06, RG-08: the same tonnes are to be sold and to leave."""
    return Race(
        lambda: floor.when("Chalco").lists(Side.SELL, 60, at="80.00"),
        lambda: floor.when("Chalco").transfers_out(60),
        Why.INSUFFICIENT_HOLDING,
        Why.INSUFFICIENT_HOLDING,
    )


def listing_and_cash_out(floor: Floor) -> Race:
    """TR-42, ST-14: the same money is to buy and to leave."""
    return Race(
        lambda: floor.when("Baowu").lists(Side.BUY, 99_999, at="80.00"),
        lambda: floor.when("Baowu").withdraws("12,000,081.00"),
        Why.INSUFFICIENT_FUNDS,
        Why.INSUFFICIENT_FUNDS,
    )


def take_and_close(floor: Floor) -> Race:
    """TR-43: the last take and 15:00."""
    number = floor.when("Anhui").lists(Side.SELL, 10, at="80.00").order_no
    return Race(
        lambda: floor.send(Kind.CLOSE_DAY),
        lambda: floor.send(Kind.TAKE, account=1, ref=number, qty_tonnes=10),
        Why.PHASE_CLOSED,
        Why.NONE,
    )


def kill_and_take(floor: Floor) -> Race:
    """TR-115: the kill switch takes what rests; what is done is done (TR-46)."""
    number = floor.when("Anhui").lists(Side.SELL, 10, at="80.00").order_no
    return Race(
        lambda: floor.control(Kind.KILL, "Anhui", amount=2),
        lambda: floor.send(Kind.TAKE, account=1, ref=number, qty_tonnes=10),
        Why.UNKNOWN_ORDER,
        Why.NONE,
    )


def offer(floor: Floor) -> int:
    """Anhui offers a lot to everybody at 80.00."""
    return floor.when("Anhui").offers(Side.SELL, LOT, at="80.00").offer_no


def counter_and_accept_of_the_offer(floor: Floor) -> Race:
    """TR-70, TR-72: the initiator changes the offer while Chalco accepts it as it was."""
    number = offer(floor)
    floor.when("Baowu").counters(number, LOT, at="79.00").done()
    return Race(
        lambda: floor.when("Anhui").counters(number, LOT, at="79.80", of="Baowu"),
        lambda: floor.when("Chalco").accepts(number, LOT, at="80.00"),
        Why.TERMS_CHANGED,
        Why.UNKNOWN_ORDER,
    )


def counter_and_accept_of_a_counter(floor: Floor) -> Race:
    """TR-72: Baowu names new terms while Anhui accepts those it named before."""
    number = offer(floor)
    floor.when("Baowu").counters(number, LOT, at="79.00").done()
    return Race(
        lambda: floor.when("Baowu").counters(number, LOT, at="78.00"),
        lambda: floor.when("Anhui").accepts(number, LOT, at="79.00", of="Baowu"),
        Why.TERMS_CHANGED,
        Why.NOT_YOUR_TURN,
    )


def accept_and_accept(floor: Floor) -> Race:
    """TR-70: two accept one offer directly."""
    number = offer(floor)
    return Race(
        lambda: floor.when("Baowu").accepts(number, LOT, at="80.00"),
        lambda: floor.when("Chalco").accepts(number, LOT, at="80.00"),
        Why.UNKNOWN_ORDER,
        Why.UNKNOWN_ORDER,
    )


def withdraw_and_accept(floor: Floor) -> Race:
    """TR-72: the offer is taken back while it is accepted."""
    number = offer(floor)
    return Race(
        lambda: floor.when("Anhui").withdraws_offer(number),
        lambda: floor.when("Baowu").accepts(number, LOT, at="80.00"),
        Why.UNKNOWN_ORDER,
        Why.UNKNOWN_ORDER,
    )


def agreed(floor: Floor) -> int:
    """Anhui has agreed to Baowu's 79.00, which Baowu has to confirm."""
    number = offer(floor)
    floor.when("Baowu").counters(number, LOT, at="79.00").done()
    floor.when("Anhui").accepts(number, LOT, at="79.00", of="Baowu").done()
    return number


def decline_and_confirm(floor: Floor) -> Race:
    """TR-72: one side ends the negotiation while the other confirms."""
    number = agreed(floor)
    return Race(
        lambda: floor.when("Anhui").declines(number, of="Baowu"),
        lambda: floor.when("Baowu").confirms(number),
        Why.UNKNOWN_NEGOTIATION,
        Why.UNKNOWN_ORDER,
    )


def confirm_and_direct_accept(floor: Floor) -> Race:
    """TR-72: Baowu confirms while Chalco accepts the offer's present terms."""
    number = agreed(floor)
    return Race(
        lambda: floor.when("Baowu").confirms(number),
        lambda: floor.when("Chalco").accepts(number, LOT, at="79.00"),
        Why.UNKNOWN_ORDER,
        Why.UNKNOWN_ORDER,
    )


def accept_and_the_end_of_the_day(floor: Floor) -> Race:
    """E36 (TR-72): an acceptance and 15:00."""
    number = offer(floor)
    return Race(
        lambda: floor.send(Kind.CLOSE_DAY),
        lambda: floor.when("Baowu").accepts(number, LOT, at="80.00"),
        Why.PHASE_CLOSED,
        Why.NONE,
    )


def session(floor: Floor) -> int:
    """A session of Anhui's that takes bids."""
    return floor.opened_session("Anhui", LOT, "80.00")


def bid_and_close(floor: Floor) -> Race:
    """TR-84, TR-89: a bid and the end of the window."""
    number = session(floor)
    return Race(
        lambda: floor.session(Kind.CLOSE_SESSION, number),
        lambda: floor.when("Baowu").bids(number, 1_000, "80.00"),
        Why.UNKNOWN_SESSION,
        Why.NONE,
    )


def cancelled_bid_and_close(floor: Floor) -> Race:
    """TR-89: a bid is taken back and the window ends."""
    number = session(floor)
    bid = floor.when("Baowu").bids(number, 1_000, "80.00").order_no
    return Race(
        lambda: floor.session(Kind.CLOSE_SESSION, number),
        lambda: floor.when("Baowu").cancels_bid(bid),
        Why.UNKNOWN_ORDER,
        Why.NONE,
    )


def notice_and_reject(floor: Floor) -> Race:
    """TR-81: what was rejected is not published; what was published can still be rejected."""
    number = floor.when("Anhui").applies(LOT, "80.00").session_no
    return Race(
        lambda: floor.session(Kind.REJECT_SESSION, number),
        lambda: floor.session(Kind.NOTICE_SESSION, number),
        Why.UNKNOWN_SESSION,
        Why.NONE,
    )


def void_and_spending(floor: Floor) -> Race:
    """TR-121, TR-48: the deal is undone, or the seller spends what it got for it."""
    floor.deal(99_999, at="80.00")
    return Race(
        lambda: floor.control(Kind.VOID_TRADE, ref=1),
        lambda: floor.when("Anhui").lists(Side.BUY, 90_000, at="80.00"),
        Why.INSUFFICIENT_FUNDS,
        Why.CANNOT_VOID,
    )


RACES = (
    *(cancel_and_take, take_and_take, better_listing_and_take, take_and_close, kill_and_take),
    *(listing_and_transfer_out, listing_and_cash_out),
    *(counter_and_accept_of_the_offer, counter_and_accept_of_a_counter, accept_and_accept),
    *(withdraw_and_accept, decline_and_confirm, confirm_and_direct_accept),
    *(accept_and_the_end_of_the_day, bid_and_close, cancelled_bid_and_close, notice_and_reject),
    void_and_spending,
)


def afternoon(market: Market) -> Floor:
    """Every way of trading is open."""
    floor = market(ROOM)
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    floor.when("Chalco").transfers_in(100).done()
    return floor


def second(outcome: Outcome, late: Why) -> None:
    """The deed that came second."""
    if late is Why.NONE:
        outcome.done()
    else:
        outcome.refused(late)


@pytest.mark.parametrize("race", RACES, ids=lambda race: race.__name__)
def test_whoever_comes_first_wins_and_nothing_is_half_done(
    market: Market, race: Callable[[Floor], Race]
) -> None:
    """TR-69, E18: both orders of each pair."""
    found = race(afternoon(market))
    found.one().done()
    second(found.other(), found.other_is_late)
    found = race(afternoon(market))
    found.other().done()
    second(found.one(), found.one_is_late)


def test_the_book_and_the_accounts_after_cancel_and_take(market: Market) -> None:
    """E18: all of it goes back, or all of it is sold."""
    floor = afternoon(market)
    race = cancel_and_take(floor)
    race.one().tells(Event.CANCELLED, qty_tonnes=1_000)
    race.other()
    floor.then_accounts("""
        account | cash       | CEA25   | CEA25 frozen | CEA25 bought
        Anhui   |            | 300,000 |              |
        Baowu   | 20,000,000 |         |              |
    """)
    floor = afternoon(market)
    race = cancel_and_take(floor)
    race.other().trades("1,000 @ 80.00 Anhui")
    race.one()
    floor.then_accounts("""
        account | cash       | CEA25   | CEA25 frozen | CEA25 bought
        Anhui   | 80,000     | 299,000 |              |
        Baowu   | 19,920,000 |         |              | 1,000
    """)


def test_the_locks_after_counter_and_accept(market: Market) -> None:
    """TR-72, TR-73: agreed at 79.00, or open at 78.00; Anhui's lot is frozen once, never twice."""
    floor = afternoon(market)
    race = counter_and_accept_of_a_counter(floor)
    race.one().happened(Event.BULK_COUNTERED)
    race.other()
    floor.when("Anhui").accepts(1, LOT, at="78.00", of="Baowu").done()
    floor.when("Baowu").confirms(1).trades("100,000 @ 78.00 Anhui")
    floor = afternoon(market)
    race = counter_and_accept_of_a_counter(floor)
    race.other().happened(Event.BULK_AGREED)
    race.one()
    floor.then_accounts("""
        account | cash       | cash frozen | CEA25   | CEA25 frozen
        Anhui   |            |             | 200,000 | 100,000
        Baowu   | 20,000,000 |             |         |
    """)
    floor.when("Baowu").confirms(1).trades("100,000 @ 79.00 Anhui")


def test_the_locks_after_bid_and_close(market: Market) -> None:
    """TR-84, TR-90: the bid wins, or its money was never touched."""
    floor = afternoon(market)
    race = bid_and_close(floor)
    race.one().tells(Event.SESSION_CLOSED, qty_tonnes=0, reason=Why.SESSION_FAILED)
    race.other()
    floor.then_accounts("""
        account | cash       | cash frozen | CEA25   | CEA25 frozen | CEA25 bought
        Anhui   |            |             | 300,000 |              |
        Baowu   | 20,000,000 |             |         |              |
    """)
    floor = afternoon(market)
    race = bid_and_close(floor)
    bid = race.other().order_no
    race.one().trades("1,000 @ 80.00 Anhui")
    floor.then_order(bid, OrderStatus.FILLED)
    floor.then_accounts("""
        account | cash       | cash frozen | CEA25   | CEA25 frozen | CEA25 bought
        Anhui   | 80,000     |             | 299,000 |              |
        Baowu   | 19,920,000 |             |         |              | 1,000
    """)
