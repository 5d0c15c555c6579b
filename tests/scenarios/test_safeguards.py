"""A trader's own brakes in its own language: mass cancel, timer, disconnect (TR-43)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from engine.reasons import Reason as Why
from engine.records import Cause, Event, Kind, Mode, OrderStatus, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor, Outcome

ROOM = """
    account | cash      | CEA25 | CEA24
    Anhui   | 1,000,000 | 1,000 | 1,000
    Baowu   | 1,000,000 | 1,000 | 1,000
    Chalco  | 1,000,000 | 1,000 | 1,000
"""
UNTOUCHED = """
    account | cash      | cash frozen | CEA25 | CEA25 frozen | CEA24 | CEA24 frozen
    Anhui   | 1,000,000 |             | 1,000 |              | 1,000 |
    Baowu   | 1,000,000 |             | 1,000 |              | 1,000 |
    Chalco  | 1,000,000 |             | 1,000 |              | 1,000 |
"""
RULES = {
    Parameter.BULK_QTY_MIN: 10,
    Parameter.AUCTION_QTY_MIN: 10,
    Parameter.LISTED_TRADING_FEE_PPM: 1_234,  # locks are no round sums
    Parameter.BULK_TRADING_FEE_PPM: 1_234,
    Parameter.AUCTION_TRADING_FEE_PPM: 1_234,
}
DAY_MS = 24 * 3_600 * 1_000
BY_CAUSE = {
    Cause.OWNER: Why.BY_OWNER,
    Cause.DISCONNECT: Why.DISCONNECTED,
    Cause.TIMER: Why.TIMER_EXPIRED,
}


def room(market: Market, phase: Phase = Phase.MORNING) -> Floor:
    """CEA25 is listed, CEA24 has a price–time book; three rich accounts."""
    floor = market("account", rules=RULES, day=0)
    floor.admits("CEA24", "70.00", Mode.PRICE_TIME).done()
    floor.open_accounts(ROOM)
    floor.begins(20260105).done()
    for step in (Phase.MORNING, Phase.LUNCH, Phase.AFTERNOON):
        if step <= phase:
            floor.enters(step).done()
    return floor


def books(market: Market) -> Floor:
    """Both books have orders of Anhui and of others, on both sides."""
    floor = room(market)
    floor.book("""
        buy                  | price | sell
                             | 81.00 | Baowu 50, Anhui 60
                             | 80.50 | Anhui 70
        Anhui 40, Chalco 45  | 79.00 |
    """)
    floor.book(
        """
        buy                  | price | sell
                             | 71.00 | Anhui 20, Baowu 25
        Chalco 35, Anhui 30  | 69.00 |
        """,
        "CEA24",
    )
    return floor


def brakes(floor: Floor, name: str) -> tuple[int, int]:
    """When the account's timer runs out, and whether a lost line cancels."""
    row = floor.venue.state()["cash"][floor.names.index(name)]
    return row[-2], row[-1]


# ---- mass cancel -----------------------------------------------------------------------------


def test_tr43_everything_of_an_account_goes_and_nothing_of_others(market: Market) -> None:
    """TR-43: both books and sides, by number; others keep their place in line."""
    floor = books(market)
    gone = floor.when("Anhui").cancels_all()
    gone.happened(*[Event.CANCELLED] * 5, Event.MASS_CANCELLED)
    numbers = [event["order_no"] for event in gone.events[:-1]]
    assert numbers == sorted(numbers)
    assert {event["reason"] for event in gone.events} == {Why.BY_OWNER}
    gone.tells(Event.MASS_CANCELLED, account=0, instrument=-1, side=0, qty_tonnes=5, order_no=0)
    floor.then_book("""
        buy       | price | sell
                  | 81.00 | Baowu 50
        Chalco 45 | 79.00 |
    """)
    floor.then_book(
        """
        buy       | price | sell
                  | 71.00 | Baowu 25
        Chalco 35 | 69.00 |
        """,
        "CEA24",
    )
    floor.then_accounts("""
        account | cash      | cash frozen | CEA25 | CEA25 frozen | CEA24 | CEA24 frozen
        Anhui   | 1,000,000 |             | 1,000 |              | 1,000 |
        Baowu   | 1,000,000 |             | 950   | 50           | 975   | 25
    """)
    again = floor.when("Anhui").cancels_all().happened(Event.MASS_CANCELLED)
    again.tells(Event.MASS_CANCELLED, qty_tonnes=0, reason=Why.BY_OWNER)


@pytest.mark.parametrize(
    ("vintage", "side", "left"),
    [
        ("CEA25", Side.NONE, (0, 0, 1, 1)),
        ("CEA24", Side.NONE, (1, 2, 0, 0)),
        ("", Side.BUY, (0, 2, 0, 1)),
        ("", Side.SELL, (1, 0, 1, 0)),
        ("CEA25", Side.SELL, (1, 0, 1, 1)),
        ("CEA24", Side.BUY, (1, 2, 0, 1)),
    ],
)
def test_tr43_only_what_is_named_goes(
    market: Market, vintage: str, side: Side, left: tuple[int, ...]
) -> None:
    """TR-43: a vintage, a side, or one side of a vintage; what is left stays frozen."""
    floor = books(market)
    anhui = floor.when("Anhui")
    gone = anhui.cancels_all(side, vintage).done()
    instrument = floor.vintage(vintage) if vintage else -1
    found = {"qty_tonnes": 5 - sum(left), "instrument": instrument, "side": side}
    gone.tells(Event.MASS_CANCELLED, **found)
    frozen = {
        "CEA25": "" if not left[1] else "130",
        "CEA24": "" if not left[3] else "20",
    }
    floor.then_accounts(f"""
        account | CEA25 frozen | CEA24 frozen
        Anhui | {frozen["CEA25"]} | {frozen["CEA24"]}
        Baowu | 50 | 25
    """)
    for at, number in (("79.00", left[0]), ("69.00", left[2])):
        if number:
            anhui.cancels(at=at).done()
    rest = anhui.cancels_all().tells(Event.MASS_CANCELLED, qty_tonnes=left[1] + left[3])
    assert rest.kinds.count(Event.CANCELLED) == left[1] + left[3]
    floor.then_accounts("""
        account | cash      | cash frozen | CEA25 frozen | CEA24 frozen
        Anhui   | 1,000,000 |             |              |
    """)


def test_tr43_what_is_dealt_is_dealt(market: Market) -> None:
    """TR-43, TR-46: only the rest of a partly filled order goes, and its lock to the fen."""
    floor = room(market)
    anhui = floor.when("Anhui")
    buy = anhui.lists(Side.BUY, 100, at="79.00").order_no
    sell = anhui.adds(Side.SELL, 50, at="71.00", vintage="CEA24").order_no
    floor.when("Baowu").takes(30, of="Anhui", at="79.00").done()
    floor.when("Chalco").adds(Side.BUY, 20, at="71.00", vintage="CEA24").done()
    gone = anhui.cancels_all()
    gone.tells(Event.CANCELLED, 0, order_no=buy, qty_tonnes=70)
    gone.tells(Event.CANCELLED, 1, order_no=sell, qty_tonnes=30)
    floor.then_order(buy, OrderStatus.CANCELLED)
    floor.then_accounts("""
        account | cash       | cash frozen | CEA25 bought | CEA25 | CEA24 | CEA24 frozen
        Anhui   | 999,045.33 |             | 30           | 1,000 | 980   |
    """)  # - 2,370.00 - 2.92 + 1,420.00 - 1.75


@pytest.mark.parametrize("cause", Cause, ids=lambda cause: cause.name)
def test_tr72_an_initiators_offers_go_with_their_talks(market: Market, cause: Cause) -> None:
    """TR-72, TR-73: alone, ended, countered, agreed: the offer first, its talk after it."""
    floor = room(market, Phase.AFTERNOON)
    anhui, baowu, chalco = (floor.when(name) for name in floor.names)
    offers = [anhui.offers(Side.BUY, 100, at="80.00").offer_no for _ in range(3)]
    chalco.counters(offers[1], 90, at="81.00").done()
    chalco.declines(offers[1]).done()
    baowu.counters(offers[1], 90, at="81.00").done()
    baowu.counters(offers[2], 90, at="81.00").done()
    anhui.counters(offers[2], 95, at="80.50", of="Baowu").done()
    agreed = baowu.accepts(offers[2], 95, at="80.50").tells(Event.BULK_AGREED)
    answer = agreed.event(Event.BULK_AGREED)["other_order_no"]
    gone = pull(floor, "Anhui", cause)
    ended = (Event.CANCELLED, Event.BULK_DECLINED)
    gone.happened(Event.CANCELLED, *ended, *ended, Event.CANCELLED, Event.MASS_CANCELLED)
    for number, offer in enumerate(offers):
        gone.tells(Event.CANCELLED, number, order_no=offer, reason=BY_CAUSE[cause])
    for number, offer in enumerate(offers[1:]):
        of_talk = {"account": 0, "counterparty": 1, "reason": Why.OFFER_GONE}
        gone.tells(Event.BULK_DECLINED, number, order_no=offer, **of_talk)
    gone.tells(Event.CANCELLED, 3, order_no=answer, account=1, reason=Why.OFFER_GONE)
    gone.tells(Event.MASS_CANCELLED, qty_tonnes=3, reason=BY_CAUSE[cause])
    floor.then_accounts(UNTOUCHED)
    anhui.confirms(offers[2], of="Baowu").refused(Why.UNKNOWN_ORDER)


def answers(floor: Floor) -> tuple[list[int], int]:
    """Anhui answers Baowu's three offers to buy: countered, agreed by Baowu, agreed by Anhui."""
    anhui, baowu, _ = (floor.when(name) for name in floor.names)
    offers = [baowu.offers(Side.BUY, 100, at="80.00").offer_no for _ in range(3)]
    for offer in offers[:2]:
        anhui.counters(offer, 90, at="81.00").done()
    baowu.accepts(offers[1], 90, at="81.00", of="Anhui").done()
    anhui.counters(offers[2], 95, at="81.00").done()
    baowu.counters(offers[2], 95, at="80.50", of="Anhui").done()
    agreed = anhui.accepts(offers[2], 95, at="80.50")
    return offers, agreed.event(Event.BULK_AGREED)["other_order_no"]


@pytest.mark.parametrize("cause", Cause, ids=lambda cause: cause.name)
def test_tr72_a_responders_answers_end_and_the_offers_stay(market: Market, cause: Cause) -> None:
    """TR-72: its own locked order ends its talk; talks without one end after the orders."""
    floor = room(market, Phase.AFTERNOON)
    offers, answer = answers(floor)
    why = BY_CAUSE[cause]
    gone = pull(floor, "Anhui", cause)
    gone.happened(
        *(Event.BULK_DECLINED, Event.CANCELLED),
        *(Event.BULK_DECLINED, Event.BULK_DECLINED, Event.MASS_CANCELLED),
    )
    for number, offer in enumerate((offers[2], *offers[:2])):
        of_talk = {"account": 0, "counterparty": 1, "reason": why}
        gone.tells(Event.BULK_DECLINED, number, order_no=offer, **of_talk)
    gone.tells(Event.CANCELLED, order_no=answer, qty_tonnes=95, reason=why)
    gone.tells(Event.MASS_CANCELLED, qty_tonnes=1)
    floor.then_accounts("""
        account | CEA25 | CEA25 frozen
        Anhui   | 1,000 |
    """)
    floor.when("Anhui").confirms(offers[1]).refused(Why.UNKNOWN_NEGOTIATION)
    for offer, (qty, at) in zip(
        offers, ((100, "80.00"), (90, "81.00"), (95, "80.50")), strict=True
    ):
        floor.when("Chalco").accepts(offer, qty, at=at).trades(f"{qty} @ {at} Baowu")


def test_tr72_a_responder_stands_on_the_other_side_of_the_offer(market: Market) -> None:
    """TR-72: who answers an offer to buy would sell; another vintage is not meant either."""
    floor = room(market, Phase.AFTERNOON)
    answers(floor)
    anhui = floor.when("Anhui")
    for side, vintage in ((Side.BUY, ""), (Side.NONE, "CEA24"), (Side.SELL, "CEA24")):
        anhui.cancels_all(side, vintage).happened(Event.MASS_CANCELLED)
    sold = anhui.cancels_all(Side.SELL, "CEA25")
    assert sold.kinds.count(Event.BULK_DECLINED) == 3
    assert sold.kinds.count(Event.CANCELLED) == 1


def test_tr89_bids_go_and_an_applicants_session_stays(market: Market) -> None:
    """TR-89, TR-91: a bid is an order; what the exchange has published is not taken back."""
    floor = room(market)
    session = floor.opened_session("Anhui", 100, "80.00")
    waiting = floor.when("Anhui").applies(100, "80.00").session_no
    floor.session(Kind.NOTICE_SESSION, waiting).done()
    bid = floor.when("Baowu").bids(session, 50, at="81.00").order_no
    floor.when("Chalco").bids(session, 60, at="82.00").done()
    gone = floor.when("Baowu").cancels_all(Side.BUY)
    gone.happened(Event.CANCELLED, Event.MASS_CANCELLED)
    gone.tells(Event.CANCELLED, order_no=bid, other_order_no=session, qty_tonnes=50)
    floor.when("Anhui").cancels_all().happened(Event.MASS_CANCELLED)
    floor.then_accounts("""
        account | cash      | cash frozen | CEA25 | CEA25 frozen
        Anhui   | 1,000,000 |             | 800   | 200
        Baowu   | 1,000,000 |             | 1,000 |
    """)
    floor.session(Kind.CLOSE_SESSION, session).trades("60 @ 82.00 Anhui")


def halted(floor: Floor) -> None:
    """TR-117: the vintage and the market."""
    floor.control(Kind.HALT_INSTRUMENT, vintage="CEA25").done()
    floor.control(Kind.HALT_MARKET).done()


def at_lunch(floor: Floor) -> None:
    """TR-34."""
    floor.enters(Phase.LUNCH).done()


def blocked(floor: Floor) -> None:
    """TR-115: with every bit."""
    floor.control(Kind.BLOCK_ACCOUNT, "Anhui", amount=31).done()


@pytest.mark.parametrize("trouble", [halted, at_lunch, blocked], ids=lambda f: f.__name__)
@pytest.mark.parametrize("cause", Cause, ids=lambda cause: cause.name)
def test_tr34_cancelling_is_always_possible_by_day(
    market: Market, trouble: Callable[[Floor], None], cause: Cause
) -> None:
    """TR-34, TR-115, TR-117: while halted, at lunch, restricted; for every cause."""
    floor = books(market)
    trouble(floor)
    pull(floor, "Anhui", cause).tells(Event.MASS_CANCELLED, qty_tonnes=5, reason=BY_CAUSE[cause])
    floor.then_accounts("""
        account | cash      | cash frozen | CEA25 frozen | CEA24 frozen
        Anhui   | 1,000,000 |             |              |
    """)


def test_tr34_outside_the_day_the_owner_is_refused(market: Market) -> None:
    """TR-34: before the opening and from 15:00 on there is nothing that could be cancelled."""
    floor = room(market, Phase.PRE_OPEN)
    floor.when("Anhui").cancels_all().refused(Why.PHASE_CLOSED)
    floor.when("Anhui").cancels_all(cause=Cause.DISCONNECT).happened(Event.MASS_CANCELLED)
    floor.closes()
    floor.when("Anhui").cancels_all().refused(Why.PHASE_CLOSED)
    floor.settles()
    floor.when("Anhui").cancels_all().refused(Why.PHASE_CLOSED)


@pytest.mark.parametrize("vintage", [2, -2])
def test_a_vintage_that_is_none_is_refused(market: Market, vintage: int) -> None:
    """Only -1 means every vintage: a slip must not cancel everything."""
    floor = books(market)
    wrong = floor.send(Kind.MASS_CANCEL, account=0, instrument=vintage)
    wrong.refused(Why.UNKNOWN_INSTRUMENT)


# ---- the timer -------------------------------------------------------------------------------


def pull(floor: Floor, name: str, cause: Cause) -> Outcome:
    """A mass cancel for a cause, with what has to come before it."""
    if cause == Cause.TIMER:
        floor.when(name).sets_timer(1_000).done()
        floor.waits(1)
    return floor.when(name).cancels_all(cause=cause)


def expires(floor: Floor, name: str = "Anhui") -> Outcome:
    """The venue says that a timer has run out."""
    return floor.when(name).cancels_all(cause=Cause.TIMER)


def test_a_timer_runs_out_at_its_nanosecond(market: Market) -> None:
    """TR-43: five seconds are no nanosecond less; then it is off."""
    floor = books(market)
    anhui = floor.when("Anhui")
    expires(floor).refused(Why.TIMER_NOT_DUE)
    anhui.sets_timer(5_000).tells(Event.TIMER_SET, account=0, amount_fen=5_000)
    expires(floor, "Baowu").refused(Why.TIMER_NOT_DUE)
    floor.waits(5, less_ns=2)
    expires(floor).refused(Why.TIMER_NOT_DUE)
    fired = expires(floor)
    fired.happened(*[Event.CANCELLED] * 5, Event.MASS_CANCELLED)
    assert {event["reason"] for event in fired.events} == {Why.TIMER_EXPIRED}
    assert brakes(floor, "Anhui") == (0, 0)
    floor.waits(60)
    expires(floor).refused(Why.TIMER_NOT_DUE)


def test_a_timer_is_set_anew_and_switched_off(market: Market) -> None:
    """TR-43: the latest setting counts, a shorter one too; 0 is never."""
    floor = books(market)
    anhui = floor.when("Anhui")
    anhui.sets_timer(5_000).done()
    floor.waits(4)
    anhui.sets_timer(5_000).done()
    floor.waits(4)
    expires(floor).refused(Why.TIMER_NOT_DUE)
    anhui.sets_timer(60_000).done()
    anhui.sets_timer(1_000).done()
    floor.waits(1)
    expires(floor).tells(Event.MASS_CANCELLED, qty_tonnes=5)
    anhui.sets_timer(1_000).done()
    anhui.sets_timer(0).tells(Event.TIMER_SET, amount_fen=0)
    floor.waits(3_600)
    expires(floor).refused(Why.TIMER_NOT_DUE)


@pytest.mark.parametrize("ms", [-1, 1, 999, DAY_MS + 1, 2**63 - 1, -(2**63)])
def test_a_timer_has_bounds(market: Market, ms: int) -> None:
    """Less than a second or more than a day is refused; what was set stays."""
    floor = room(market)
    floor.when("Anhui").sets_timer(DAY_MS).done()
    set_for = brakes(floor, "Anhui")[0]
    assert set_for == floor.venue.state()["seq, time"][1] + DAY_MS * 10**6
    floor.when("Anhui").sets_timer(ms).refused(Why.PARAMETER_INVALID)
    assert brakes(floor, "Anhui")[0] == set_for
    floor.when("Anhui").sets_timer(1_000).done()


def test_a_timer_outlasts_an_outage_and_the_night(market: Market) -> None:
    """TR-43: due since hours, it fires late; set for tomorrow, it fires tomorrow."""
    floor = books(market)
    anhui = floor.when("Anhui")
    anhui.sets_timer(1_000).done()
    floor.waits(2 * 3_600)
    expires(floor).tells(Event.MASS_CANCELLED, qty_tonnes=5)
    anhui.sets_timer(DAY_MS).done()
    floor.next_day(20260106)
    anhui.lists(Side.SELL, 10, at="80.00").done()
    expires(floor).refused(Why.TIMER_NOT_DUE)
    floor.waits(24 * 3_600)
    expires(floor).tells(Event.MASS_CANCELLED, qty_tonnes=1)
    floor.then_book("buy | price | sell")


def test_a_timer_fires_outside_the_day_and_finds_nothing(market: Market) -> None:
    """TR-43: the orders lapsed at 15:00; the timer is off and touches no order of tomorrow."""
    floor = books(market)
    floor.when("Anhui").sets_timer(1_000).done()
    floor.when("Baowu").sets_timer(2_000).done()
    floor.closes()
    floor.waits(10)
    expires(floor).happened(Event.MASS_CANCELLED)
    floor.settles()
    late = expires(floor, "Baowu").happened(Event.MASS_CANCELLED)
    late.tells(Event.MASS_CANCELLED, qty_tonnes=0, reason=Why.TIMER_EXPIRED)
    assert [brakes(floor, name) for name in floor.names] == [(0, 0)] * 3
    floor.begins(20260106).done()
    floor.enters(Phase.MORNING).done()
    floor.when("Anhui").lists(Side.SELL, 10, at="80.00").done()
    expires(floor).refused(Why.TIMER_NOT_DUE)


# ---- the lost line ---------------------------------------------------------------------------


def test_a_lost_line_disarms_itself_and_nothing_else(market: Market) -> None:
    """TR-43: each cause takes back its own setting; the owner's cancel takes back none."""
    floor = books(market)
    anhui = floor.when("Anhui")
    anhui.cancels_on_disconnect().tells(Event.DISCONNECT_SET, account=0, amount_fen=1)
    floor.when("Baowu").cancels_on_disconnect().done()
    anhui.sets_timer(1_000).done()
    due = brakes(floor, "Anhui")[0]
    anhui.cancels_all(Side.BUY).done()
    assert brakes(floor, "Anhui") == (due, 1)
    lost = anhui.cancels_all(cause=Cause.DISCONNECT)
    lost.tells(Event.MASS_CANCELLED, qty_tonnes=3, reason=Why.DISCONNECTED)
    lost.tells(Event.CANCELLED, reason=Why.DISCONNECTED)
    assert brakes(floor, "Anhui") == (due, 0)
    assert brakes(floor, "Baowu") == (0, 1)
    anhui.cancels_on_disconnect().done()
    floor.waits(1)
    expires(floor).done()
    assert brakes(floor, "Anhui") == (0, 1)
    anhui.cancels_on_disconnect(0).tells(Event.DISCONNECT_SET, amount_fen=0)
    for wanted in (2, -1, 2**32 + 1):
        anhui.cancels_on_disconnect(wanted).refused(Why.PARAMETER_INVALID)
    assert brakes(floor, "Anhui") == (0, 0)


# ---- racing ----------------------------------------------------------------------------------


def test_e18_a_mass_cancel_races_a_take(market: Market) -> None:
    """E18 (TR-69): whichever comes first; the tonnes are sold or free, never both."""
    for first in ("cancel", "take"):
        floor = room(market)
        floor.when("Anhui").lists(Side.SELL, 100, at="80.00").done()
        number = floor.find("Anhui", "80.00").number
        if first == "cancel":
            floor.when("Anhui").cancels_all().tells(Event.MASS_CANCELLED, qty_tonnes=1)
            floor.send(Kind.TAKE, account=1, ref=number, qty_tonnes=60).refused(Why.UNKNOWN_ORDER)
            floor.then_accounts(UNTOUCHED)
            continue
        floor.send(Kind.TAKE, account=1, ref=number, qty_tonnes=60).trades("60 @ 80.00 Anhui")
        floor.when("Anhui").cancels_all().tells(Event.CANCELLED, qty_tonnes=40)
        floor.then_book("buy | price | sell")
        floor.then_accounts("""
            account | CEA25 | CEA25 frozen | CEA25 bought
            Anhui   | 940   |              |
            Baowu   | 1,000 |              | 60
        """)


@pytest.mark.parametrize("who", ["Anhui", "Baowu"])
def test_tr72_a_mass_cancel_races_a_confirmation(market: Market, who: str) -> None:
    """TR-72: the initiator's or the responder's brake, before and after the deal is made."""
    for first in ("cancel", "confirm"):
        floor = room(market, Phase.AFTERNOON)
        anhui, baowu, _ = (floor.when(name) for name in floor.names)
        offer = anhui.offers(Side.SELL, 100, at="80.00").offer_no
        baowu.counters(offer, 90, at="79.00").done()
        anhui.accepts(offer, 90, at="79.00", of="Baowu").done()
        if first == "cancel":
            floor.when(who).cancels_all().done()
            late = Why.UNKNOWN_ORDER if who == "Anhui" else Why.UNKNOWN_NEGOTIATION
            baowu.confirms(offer).refused(late)
            anhui.cancels_all().done()
            floor.then_accounts(UNTOUCHED)
            continue
        baowu.confirms(offer).trades("90 @ 79.00 Anhui")
        floor.when(who).cancels_all().happened(Event.MASS_CANCELLED)


def test_tr89_a_mass_cancel_races_the_end_of_the_window(market: Market) -> None:
    """TR-84, TR-89: the bid wins or was taken back."""
    for first in ("cancel", "close"):
        floor = room(market)
        session = floor.opened_session("Anhui", 100, "80.00")
        floor.when("Baowu").bids(session, 100, at="80.00").done()
        if first == "cancel":
            floor.when("Baowu").cancels_all().tells(Event.MASS_CANCELLED, qty_tonnes=1)
            closed = floor.session(Kind.CLOSE_SESSION, session)
            closed.tells(Event.SESSION_CLOSED, reason=Why.SESSION_FAILED)
            floor.then_accounts(UNTOUCHED)
            continue
        floor.session(Kind.CLOSE_SESSION, session).trades("100 @ 80.00 Anhui")
        floor.when("Baowu").cancels_all().happened(Event.MASS_CANCELLED)
