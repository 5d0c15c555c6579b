"""Bulk agreement in the trader's language (TR-70…76; E24, E31, E32, E34, E35, E36)."""

from __future__ import annotations

from engine.reasons import Reason
from engine.records import Event, Kind, OrderStatus, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import Floor

ROOM = """
    account | cash       | CEA25
    Anhui   |            | 300,000
    Baowu   | 20,000,000 |
    Chalco  | 20,000,000 |
"""


def afternoon(market: Market, **more: dict[Parameter, int]) -> Floor:
    """A floor at 13:00, when bulk agreement is open (TR-31)."""
    floor = market(ROOM, **more)
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    return floor


def test_e31_a_bulk_declaration_has_100_000_tonnes(market: Market) -> None:
    """E31 (TR-12): one tonne less is refused."""
    anhui = afternoon(market).when("Anhui")
    anhui.offers(Side.SELL, 99_999, at="80.00").refused(Reason.QTY_BELOW_MIN)
    anhui.offers(Side.SELL, 100_000, at="80.00").done()


def test_e32_bulk_opens_at_one(market: Market) -> None:
    """E32 (TR-31): neither in the morning nor at lunch."""
    floor = market(ROOM)
    anhui = floor.when("Anhui")
    anhui.offers(Side.SELL, 100_000, at="80.00").refused(Reason.PHASE_CLOSED)
    floor.enters(Phase.LUNCH).done()
    anhui.offers(Side.SELL, 100_000, at="80.00").refused(Reason.PHASE_CLOSED)
    floor.enters(Phase.AFTERNOON).done()
    anhui.offers(Side.SELL, 100_000, at="80.00").done()


def test_tr21_bulk_prices_lie_within_thirty_per_cent(market: Market) -> None:
    """TR-21: 56.00 to 104.00 on a reference of 80.00."""
    anhui = afternoon(market).when("Anhui")
    for at in ("55.99", "104.01"):
        anhui.offers(Side.SELL, 100_000, at=at).refused(Reason.PRICE_OUT_OF_BAND)
    for at in ("56.00", "104.00"):
        anhui.offers(Side.SELL, 100_000, at=at).done()


def test_tr70_an_offer_is_accepted_directly(market: Market) -> None:
    """TR-70, TR-47, TR-48: goods tomorrow, money at once."""
    floor = afternoon(market)
    offer = floor.when("Anhui").offers(Side.SELL, 100_000, at="80.00").offer_no
    floor.then_accounts("""
        account | CEA25   | CEA25 frozen
        Anhui   | 200,000 | 100,000
    """)
    deal = floor.when("Baowu").accepts(offer, 100_000, at="80.00")
    deal.happened(Event.TRADED).trades("100,000 @ 80.00 Anhui")
    floor.then_accounts("""
        account | cash       | CEA25   | CEA25 frozen | CEA25 bought
        Anhui   | 8,000,000  | 200,000 |              |
        Baowu   | 12,000,000 |         |              | 100,000
    """)
    floor.then_order(offer, OrderStatus.FILLED)


def test_e34_a_quantity_below_the_minimum_is_never_dealt(market: Market) -> None:
    """E34 (TR-74): a counter may name 90,000 tonnes, the deal is refused."""
    floor = afternoon(market)
    offer = floor.when("Anhui").offers(Side.SELL, 100_000, at="80.00").offer_no
    floor.when("Baowu").counters(offer, 90_000, at="80.00").done()
    accepts = floor.when("Anhui").accepts(offer, 90_000, at="80.00", of="Baowu")
    accepts.refused(Reason.QTY_BELOW_MIN)
    floor.when("Baowu").counters(offer, 100_000, at="110.00").done()
    accepts = floor.when("Anhui").accepts(offer, 100_000, at="110.00", of="Baowu")
    accepts.refused(Reason.PRICE_OUT_OF_BAND)


def test_e35_a_responder_without_money_does_not_confirm(market: Market) -> None:
    """E35 (TR-73, TR-40): no trade, the offer remains."""
    floor = afternoon(market)
    offer = floor.when("Anhui").offers(Side.SELL, 100_000, at="80.00").offer_no
    baowu = floor.when("Baowu")
    baowu.counters(offer, 100_000, at="79.00").done()
    floor.when("Anhui").accepts(offer, 100_000, at="79.00", of="Baowu").done()
    baowu.withdraws("12,100,001.00").done()
    baowu.confirms(offer).refused(Reason.INSUFFICIENT_FUNDS)
    floor.then_order(offer, OrderStatus.OPEN)
    baowu.pays_in("1.00").done()
    baowu.confirms(offer).trades("100,000 @ 79.00 Anhui")


def test_e36_what_is_open_at_three_expires(market: Market) -> None:
    """E36 (TR-72, TR-73): the offer lapses, the negotiation ends, both locks are released."""
    floor = afternoon(market)
    offer = floor.when("Anhui").offers(Side.SELL, 100_000, at="80.00").offer_no
    floor.when("Baowu").counters(offer, 100_000, at="79.00").done()
    floor.when("Anhui").counters(offer, 100_000, at="79.50", of="Baowu").done()
    floor.when("Baowu").accepts(offer, 100_000, at="79.50").done()
    closed = floor.closes()
    closed.tells(Event.LAPSED, 0, order_no=offer, reason=Reason.END_OF_DAY)
    closed.tells(Event.LAPSED, 1, account=1, amount_fen=795_000_000)
    closed.tells(Event.BULK_DECLINED, order_no=offer, reason=Reason.END_OF_DAY)
    floor.then_accounts("""
        account | cash       | cash frozen | CEA25   | CEA25 frozen
        Anhui   |            |             | 300,000 |
        Baowu   | 20,000,000 |             |         |
    """)


def test_tr73_a_counter_of_the_initiator_locks_its_offer_anew(market: Market) -> None:
    """TR-73: more tonnes are frozen; more than there are is refused and changes nothing."""
    floor = afternoon(market)
    offer = floor.when("Anhui").offers(Side.SELL, 100_000, at="80.00").offer_no
    floor.when("Baowu").counters(offer, 200_000, at="79.00").done()
    anhui = floor.when("Anhui")
    anhui.counters(offer, 300_001, at="79.50", of="Baowu").refused(Reason.INSUFFICIENT_HOLDING)
    anhui.counters(offer, 250_000, at="79.50", of="Baowu").done()
    floor.then_accounts("""
        account | CEA25  | CEA25 frozen
        Anhui   | 50,000 | 250,000
    """)


def test_tr73_a_buyers_counter_locks_its_money_anew(market: Market) -> None:
    """TR-73: a responder's counter locks nothing, the buying initiator's answer does."""
    floor = afternoon(market)
    offer = floor.when("Baowu").offers(Side.BUY, 100_000, at="80.00").offer_no
    floor.when("Anhui").counters(offer, 150_000, at="82.00").tells(
        Event.BULK_COUNTERED, account=0, counterparty=1, amount_fen=0
    )
    floor.then_accounts("""
        account | cash       | cash frozen
        Baowu   | 12,000,000 | 8,000,000
    """)
    floor.when("Baowu").counters(offer, 150_000, at="81.00", of="Anhui").done()
    floor.then_accounts("""
        account | cash      | cash frozen
        Baowu   | 7,850,000 | 12,150,000
    """)


def test_tr72_only_the_other_side_accepts_and_only_the_proposer_confirms(market: Market) -> None:
    """TR-72: nobody agrees with himself; agreed terms cannot be countered."""
    floor = afternoon(market)
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    offer = anhui.offers(Side.SELL, 100_000, at="80.00").offer_no
    anhui.accepts(offer, 100_000, at="80.00", of="Baowu").refused(Reason.UNKNOWN_NEGOTIATION)
    baowu.counters(offer, 110_000, at="79.00").done()
    baowu.accepts(offer, 110_000, at="79.00").refused(Reason.NOT_YOUR_TURN)
    baowu.confirms(offer).refused(Reason.NOT_YOUR_TURN)
    anhui.accepts(offer, 110_000, at="79.00", of="Baowu").done()
    anhui.confirms(offer, of="Baowu").refused(Reason.NOT_YOUR_TURN)
    baowu.counters(offer, 110_000, at="78.00").refused(Reason.NOT_YOUR_TURN)
    baowu.confirms(offer).trades("110,000 @ 79.00 Anhui")


def test_a_counter_races_an_accept(market: Market) -> None:
    """TR-69, TR-70: the terms that are named must be the latest ones when they arrive."""
    floor = afternoon(market)
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    offer = anhui.offers(Side.SELL, 100_000, at="80.00").offer_no
    baowu.counters(offer, 100_000, at="79.00").done()
    anhui.counters(offer, 100_000, at="79.80", of="Baowu").done()
    baowu.accepts(offer, 100_000, at="79.00").refused(Reason.TERMS_CHANGED)
    floor.when("Chalco").accepts(offer, 100_000, at="80.00").refused(Reason.TERMS_CHANGED)
    baowu.accepts(offer, 100_000, at="79.80").done()
    confirmed = anhui.confirms(offer, of="Baowu")
    confirmed.tells(Event.TRADED, account=1, counterparty=0, price_ticks=7_980)


def test_tr75_a_directed_offer_is_nobody_elses_business(market: Market) -> None:
    """TR-75: for others it does not exist; its counterparty's no ends it."""
    floor = afternoon(market)
    anhui = floor.when("Anhui")
    anhui.offers(Side.SELL, 100_000, at="80.00", to="Anhui").refused(Reason.SELF_TRADE)
    offer = anhui.offers(Side.SELL, 100_000, at="80.00", to="Baowu").offer_no
    chalco = floor.when("Chalco")
    chalco.accepts(offer, 100_000, at="80.00").refused(Reason.UNKNOWN_ORDER)
    chalco.counters(offer, 100_000, at="80.00").refused(Reason.UNKNOWN_ORDER)
    declined = floor.when("Baowu").declines(offer)
    declined.happened(Event.BULK_DECLINED, Event.CANCELLED)
    declined.tells(Event.CANCELLED, order_no=offer, reason=Reason.DECLINED)
    floor.then_accounts("""
        account | CEA25   | CEA25 frozen
        Anhui   | 300,000 |
    """)


def test_a_trade_ends_the_other_talks_and_releases_who_was_locked(market: Market) -> None:
    """TR-72, TR-73: Chalco had agreed and was locked; Baowu deals first."""
    floor = afternoon(market)
    anhui, baowu, chalco = (floor.when(name) for name in ("Anhui", "Baowu", "Chalco"))
    offer = anhui.offers(Side.SELL, 100_000, at="80.00").offer_no
    chalco.counters(offer, 100_000, at="79.00").done()
    anhui.counters(offer, 100_000, at="79.50", of="Chalco").done()
    chalco.accepts(offer, 100_000, at="79.50").done()
    deal = baowu.accepts(offer, 100_000, at="79.50")
    deal.happened(Event.TRADED, Event.BULK_DECLINED, Event.CANCELLED)
    deal.tells(Event.CANCELLED, account=2, amount_fen=795_000_000, reason=Reason.OFFER_GONE)
    anhui.confirms(offer, of="Chalco").refused(Reason.UNKNOWN_ORDER)


def test_an_initiator_that_spent_its_goods_elsewhere_cannot_be_held(market: Market) -> None:
    """TR-40, TR-73: it locked its offer lower in another talk and moved the rest out."""
    floor = afternoon(market)
    anhui, baowu, chalco = (floor.when(name) for name in ("Anhui", "Baowu", "Chalco"))
    offer = anhui.offers(Side.SELL, 100_000, at="80.00").offer_no
    baowu.counters(offer, 200_000, at="79.00").done()
    anhui.accepts(offer, 200_000, at="79.00", of="Baowu").done()
    chalco.counters(offer, 150_000, at="79.00").done()
    anhui.counters(offer, 100_000, at="80.00", of="Chalco").done()
    anhui.transfers_out(100_001).done()
    baowu.confirms(offer).refused(Reason.COUNTERPARTY_SHORT)
    anhui.transfers_in(1).done()
    baowu.confirms(offer).trades("200,000 @ 79.00 Anhui")


def test_e24_bulk_deals_touch_no_listed_price(market: Market) -> None:
    """E24 (TR-76, TR-101, TR-102): a deal at 60.00 adds to volume and turnover only."""
    floor = afternoon(market)
    offer = floor.when("Anhui").offers(Side.SELL, 100_000, at="60.00").offer_no
    floor.when("Baowu").accepts(offer, 100_000, at="60.00").done()
    floor.closes().tells(Event.CLOSE_SET, price_ticks=8_000, qty_tonnes=0, amount_fen=0)
    floor.then_figures(close="80.00", open="0.00", high="0.00", low="0.00", last="0.00")
    listed, bulk, auction = floor.venue.state()["totals"]
    assert listed[:2] == auction[:2] == (0, 0)
    assert bulk[:2] == (100_000, 600_000_000)


def test_a_halted_vintage_is_not_negotiated_but_may_be_declined(market: Market) -> None:
    """TR-117: no new terms, no deal; ending things goes on."""
    floor = afternoon(market)
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    offer = anhui.offers(Side.SELL, 100_000, at="80.00").offer_no
    baowu.counters(offer, 100_000, at="79.00").done()
    floor.control(Kind.HALT_INSTRUMENT, vintage="CEA25").done()
    baowu.counters(offer, 100_000, at="78.00").refused(Reason.INSTRUMENT_HALTED)
    anhui.accepts(offer, 100_000, at="79.00", of="Baowu").refused(Reason.INSTRUMENT_HALTED)
    floor.control(Kind.HALT_MARKET).done()
    anhui.accepts(offer, 100_000, at="79.00", of="Baowu").refused(Reason.MARKET_HALTED)
    baowu.declines(offer).done()
    anhui.withdraws_offer(offer).done()
