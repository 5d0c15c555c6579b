"""Risk control and institutions in the trader's language (TR-110…121, ST-07, RG-15; E46…E51)."""

from __future__ import annotations

import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, Parameter, Phase, Side
from tests.scenarios.conftest import Market

PAIR = """
    account | cash      | CEA25
    Anhui   | 5,000,000 | 1,000
    Baowu   | 5,000,000 | 1,000
"""


def test_tr115_a_blocked_account_cancels_but_does_not_declare(market: Market) -> None:
    """TR-113, TR-115, ST-12: each bit blocks its own; 0 sets the account free."""
    floor = market(PAIR)
    anhui = floor.when("Anhui")
    anhui.lists(Side.SELL, 10, at="85.00").done()
    floor.control(Kind.BLOCK_ACCOUNT, "Anhui", amount=1 | 8).done()
    anhui.lists(Side.BUY, 1, at="80.00").refused(Reason.ACCOUNT_RESTRICTED)
    anhui.withdraws("1.00").refused(Reason.ACCOUNT_RESTRICTED)
    anhui.lists(Side.SELL, 1, at="86.00").done()
    floor.control(Kind.BLOCK_ACCOUNT, "Anhui", amount=2 | 4 | 16).done()
    anhui.lists(Side.SELL, 1, at="80.00").refused(Reason.ACCOUNT_RESTRICTED)
    anhui.transfers_out(1).refused(Reason.ACCOUNT_RESTRICTED)
    anhui.transfers_in(1).refused(Reason.ACCOUNT_RESTRICTED)
    floor.when("Baowu").lists(Side.BUY, 10, at="80.00").done()
    anhui.takes(1, of="Baowu", at="80.00").refused(Reason.ACCOUNT_RESTRICTED)
    anhui.cancels(at="85.00").done()
    floor.when("Baowu").takes(1, of="Anhui", at="86.00").done()  # what rests may be taken
    floor.control(Kind.BLOCK_ACCOUNT, "Anhui", amount=0).done()
    anhui.takes(1, of="Baowu", at="80.00").done()


def test_tr116_guarded_tonnes_are_not_sold_or_moved_out(market: Market) -> None:
    """TR-116: 600 of 1,000 are needed for surrender; what rests stays."""
    floor = market(PAIR)
    anhui = floor.when("Anhui")
    anhui.lists(Side.SELL, 100, at="81.00").done()
    floor.control(Kind.GUARD_HOLDING, "Anhui", "CEA25", qty_tonnes=600).done()
    anhui.lists(Side.SELL, 301, at="80.00").refused(Reason.SELL_GUARDED)
    anhui.transfers_out(301).refused(Reason.SELL_GUARDED)
    anhui.lists(Side.SELL, 901, at="80.00").refused(Reason.INSUFFICIENT_HOLDING)
    anhui.lists(Side.SELL, 300, at="80.00").done()
    anhui.transfers_out(1).refused(Reason.SELL_GUARDED)


def test_tr111_an_account_holds_no_more_than_its_limit(market: Market) -> None:
    """TR-111: held tonnes, open buys and the new one together; sales do not count against it."""
    floor = market(PAIR)
    floor.control(Kind.LIMIT_HOLDING, "Anhui", qty_tonnes=1_100).done()
    anhui = floor.when("Anhui")
    anhui.lists(Side.BUY, 60, at="79.00").done()
    anhui.lists(Side.BUY, 41, at="79.00").refused(Reason.HOLDING_LIMIT)
    floor.when("Baowu").lists(Side.SELL, 50, at="81.00").done()
    anhui.takes(41, of="Baowu", at="81.00").refused(Reason.HOLDING_LIMIT)
    anhui.takes(40, of="Baowu", at="81.00").done()
    anhui.lists(Side.SELL, 1_000, at="85.00").done()
    anhui.lists(Side.BUY, 1, at="79.00").refused(Reason.HOLDING_LIMIT)
    floor.control(Kind.LIMIT_HOLDING, "Anhui", qty_tonnes=0).done()
    anhui.lists(Side.BUY, 100, at="79.00").done()


def test_tr117_a_halt_stops_declarations_and_nothing_else(market: Market) -> None:
    """TR-117: cancels, cash and transfers go on; the market's halt ends with a new day."""
    floor = market(PAIR)
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    anhui.lists(Side.SELL, 10, at="80.00").done()
    floor.control(Kind.HALT_INSTRUMENT, vintage="CEA25").done()
    floor.control(Kind.HALT_INSTRUMENT, vintage="CEA25").refused(Reason.PHASE_ORDER)
    baowu.takes(1, of="Anhui", at="80.00").refused(Reason.INSTRUMENT_HALTED)
    anhui.lists(Side.SELL, 1, at="80.00").refused(Reason.INSTRUMENT_HALTED)
    floor.control(Kind.HALT_MARKET).done()
    baowu.takes(1, of="Anhui", at="80.00").refused(Reason.MARKET_HALTED)
    anhui.cancels(at="80.00").done()
    anhui.transfers_out(1).done()
    baowu.withdraws("1.00").done()
    floor.next_day(20260106)
    anhui.lists(Side.SELL, 1, at="80.00").refused(Reason.INSTRUMENT_HALTED)
    floor.control(Kind.RESUME_INSTRUMENT, vintage="CEA25").done()
    anhui.lists(Side.SELL, 1, at="80.00").done()
    floor.control(Kind.RESUME_MARKET).refused(Reason.PHASE_ORDER)


def test_tr115_killing_an_account_cancels_all_it_has_open(market: Market) -> None:
    """TR-115: listings, bulk offers with their talks, answers; then the bits are blocked."""
    floor = market(PAIR, rules={Parameter.BULK_QTY_MIN: 10})
    floor.enters(Phase.LUNCH).done()
    floor.enters(Phase.AFTERNOON).done()
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    anhui.lists(Side.SELL, 10, at="80.00").done()
    baowu.lists(Side.BUY, 10, at="79.00").done()
    offer = anhui.offers(Side.SELL, 10, at="81.00").offer_no
    baowu.counters(offer, 10, at="80.00").done()
    other = baowu.offers(Side.BUY, 10, at="78.00").offer_no
    anhui.counters(other, 10, at="79.00").done()
    killed = floor.control(Kind.KILL, "Anhui", amount=3)
    killed.happened(
        *(Event.CANCELLED, Event.CANCELLED, Event.BULK_DECLINED, Event.BULK_DECLINED),
        Event.KILLED_NOW,
    )
    killed.tells(Event.KILLED_NOW, account=0, instrument=-1, qty_tonnes=2)
    floor.then_accounts("""
        account | CEA25 | CEA25 frozen
        Anhui   | 1,000 |
    """)
    anhui.lists(Side.SELL, 1, at="80.00").refused(Reason.ACCOUNT_RESTRICTED)
    floor.when("Baowu").cancels(at="79.00").done()


def test_tr117_killing_everything_halts_the_market(market: Market) -> None:
    """TR-117: without an account and a vintage; with a vintage only, that one is halted."""
    floor = market(PAIR, vintages={"CEA25": "80.00", "CEA24": "70.00"})
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    anhui.lists(Side.SELL, 10, at="80.00").done()
    baowu.lists(Side.BUY, 10, at="70.00", vintage="CEA24").done()
    floor.control(Kind.KILL, vintage="CEA24").tells(Event.KILLED_NOW, instrument=1, qty_tonnes=1)
    baowu.lists(Side.BUY, 1, at="70.00", vintage="CEA24").refused(Reason.INSTRUMENT_HALTED)
    baowu.takes(1, of="Anhui", at="80.00").done()
    floor.control(Kind.KILL).tells(Event.KILLED_NOW, account=-1, qty_tonnes=1)
    anhui.lists(Side.SELL, 1, at="80.00").refused(Reason.MARKET_HALTED)


def test_tr121_a_voided_trade_never_was(market: Market) -> None:
    """TR-121: goods, money and fees go back; figures are those of the trades that stand."""
    fees = {Parameter.LISTED_TRADING_FEE_PPM: 6_000}
    floor = market(PAIR, rules=fees)
    for at in ("80.00", "88.00", "79.00"):
        floor.deal(10, at=at)
    floor.then_figures(high="88.00", last="79.00")
    voided = floor.control(Kind.VOID_TRADE, ref=2)
    voided.tells(Event.TRADE_VOIDED, trade_no=2, account=1, counterparty=0, amount_fen=88_000)
    floor.then_figures(open="80.00", high="80.00", low="79.00", last="79.00")
    floor.control(Kind.VOID_TRADE, ref=2).refused(Reason.UNKNOWN_TRADE)
    floor.then_accounts("""
        account | cash         | CEA25 | CEA25 bought
        Anhui   | 5,001,580.46 | 980   |
        Baowu   | 4,998,400.46 | 1,000 | 20
    """)
    floor.closes().tells(Event.CLOSE_SET, price_ticks=7_950, qty_tonnes=20)
    floor.control(Kind.VOID_TRADE, ref=3).tells(Event.CLOSE_SET, price_ticks=8_000, qty_tonnes=10)
    floor.control(Kind.VOID_TRADE, ref=1).tells(Event.CLOSE_SET, price_ticks=8_000, qty_tonnes=0)
    floor.then_accounts("""
        account | cash      | CEA25 | CEA25 bought
        Anhui   | 5,000,000 | 1,000 |
        Baowu   | 5,000,000 | 1,000 |
    """)


def test_tr120_who_rigs_a_price_is_stopped_and_the_price_undone(market: Market) -> None:
    """TR-120, TR-50, TR-113, TR-115, TR-121: collusion at the limit leaves no trace."""
    floor = market(PAIR)
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    anhui.lists(Side.SELL, 10, at="81.00").done()
    anhui.takes(10, of="Anhui", at="81.00").refused(Reason.SELF_TRADE)
    anhui.cancels(at="81.00").done()
    floor.deal(10, at="80.00")
    floor.deal(500, at="88.00")  # arranged between the two
    for name in ("Anhui", "Baowu"):
        for stage in (1, 2, 3, 4):
            floor.control(Kind.WARN_ACCOUNT, name, amount=stage).done()
        floor.control(Kind.KILL, name, amount=1 | 2).done()
    floor.control(Kind.VOID_TRADE, ref=2).done()
    anhui.lists(Side.SELL, 1, at="80.00").refused(Reason.ACCOUNT_RESTRICTED)
    baowu.lists(Side.BUY, 1, at="80.00").refused(Reason.ACCOUNT_RESTRICTED)
    floor.closes().tells(Event.CLOSE_SET, price_ticks=8_000, qty_tonnes=10)
    floor.then_figures(high="80.00", last="80.00", close="80.00")
    floor.then_accounts("""
        account | cash      | CEA25 | CEA25 bought
        Anhui   | 5,000,800 | 990   |
        Baowu   | 4,999,200 | 1,000 | 10
    """)


def test_st04_a_void_after_the_file_was_made_makes_another_file(market: Market) -> None:
    """ST-04, TR-121: the file is confirmed by its number of deals; then nothing is undone."""
    floor = market(PAIR)
    floor.deal(10, at="80.00")
    floor.deal(10, at="81.00")
    floor.closes()
    floor.control(Kind.VOID_TRADE, ref=1).done()
    floor.send(Kind.CONFIRM_DAY, ref=7, amount=2).refused(Reason.FILE_DIFFERS)
    floor.send(Kind.CONFIRM_DAY, ref=7, amount=1).done()
    floor.control(Kind.VOID_TRADE, ref=2).refused(Reason.PHASE_CLOSED)


def test_tr121_what_has_moved_on_is_not_voided(market: Market) -> None:
    """TR-121: the seller has spent the proceeds."""
    floor = market("""
        account | cash  | CEA25
        Anhui   |       | 100
        Baowu   | 8,000 | 100
    """)
    floor.deal(100, at="80.00")
    floor.when("Anhui").lists(Side.BUY, 1, at="80.00").done()
    floor.control(Kind.VOID_TRADE, ref=1).refused(Reason.CANNOT_VOID)
    floor.when("Anhui").cancels(at="80.00").done()
    floor.control(Kind.VOID_TRADE, ref=1).done()


@pytest.mark.parametrize(
    "kind",
    [Kind.VOID_TRADE, Kind.FREEZE_HOLDING, Kind.RELEASE_HOLDING, Kind.DEDUCT_HOLDING],
    ids=lambda kind: kind.name,
)
def test_st07_nobody_approves_his_own(market: Market, kind: Kind) -> None:
    """ST-07: two different people, both named."""
    floor = market(PAIR)
    for maker, checker in ((1, 0), (0, 2), (-1, 2), (0, 0)):
        alone = floor.control(
            kind, "Anhui", "CEA25", ref=1, qty_tonnes=1, operator=maker, checker=checker
        )
        alone.refused(Reason.CHECKER_MISSING)
    same = floor.control(kind, "Anhui", "CEA25", ref=1, qty_tonnes=1, operator=1, checker=1)
    same.refused(Reason.MAKER_IS_CHECKER)


def test_u26_a_court_reaches_into_open_sales_youngest_first(market: Market) -> None:
    """RG-15, U26: 850 of 1,000 with 300 in sales: the younger sale is cancelled."""
    floor = market(PAIR)
    anhui = floor.when("Anhui")
    anhui.lists(Side.SELL, 100, at="80.00").done()
    anhui.lists(Side.SELL, 200, at="81.00").done()
    floor.control(Kind.FREEZE_HOLDING, "Anhui", "CEA25", qty_tonnes=1_001).refused(
        Reason.INSUFFICIENT_HOLDING
    )
    frozen = floor.control(Kind.FREEZE_HOLDING, "Anhui", "CEA25", qty_tonnes=850)
    frozen.happened(Event.CANCELLED, Event.HOLDING_FROZEN)
    frozen.tells(Event.CANCELLED, price_ticks=8_100, qty_tonnes=200, reason=Reason.COURT)
    floor.then_accounts("""
        account | CEA25 | CEA25 frozen | CEA25 judicial
        Anhui   | 50    | 100          | 850
    """)


def test_rg15_a_court_ends_a_bidding_session(market: Market) -> None:
    """RG-15, U26: when sales do not suffice; the bids come back."""
    floor = market(PAIR, rules={Parameter.AUCTION_QTY_MIN: 10})
    session = floor.opened_session("Anhui", 900, "80.00")
    floor.when("Baowu").bids(session, 10, "80.00").done()
    frozen = floor.control(Kind.FREEZE_HOLDING, "Anhui", "CEA25", qty_tonnes=101)
    frozen.happened(Event.SESSION_REJECTED, Event.CANCELLED, Event.HOLDING_FROZEN)
    frozen.tells(Event.SESSION_REJECTED, order_no=session, reason=Reason.COURT)
    floor.then_accounts("""
        account | CEA25 | CEA25 frozen | CEA25 judicial | cash
        Anhui   | 899   |              | 101            | 5,000,000
        Baowu   | 1,000 |              |                | 5,000,000
    """)


def test_e51_a_judicial_deduction_is_no_trade(market: Market) -> None:
    """E51 (RG-15): the tonnes leave, no price moves; what is released can be sold again."""
    floor = market(PAIR)
    floor.control(Kind.FREEZE_HOLDING, "Anhui", "CEA25", qty_tonnes=300).done()
    floor.when("Anhui").lists(Side.SELL, 701, at="80.00").refused(Reason.INSUFFICIENT_HOLDING)
    floor.control(Kind.DEDUCT_HOLDING, "Anhui", "CEA25", qty_tonnes=301).refused(
        Reason.INSUFFICIENT_HOLDING
    )
    floor.control(Kind.DEDUCT_HOLDING, "Anhui", "CEA25", qty_tonnes=200).done()
    floor.control(Kind.RELEASE_HOLDING, "Anhui", "CEA25", qty_tonnes=100).done()
    floor.when("Anhui").lists(Side.SELL, 800, at="80.00").done()
    floor.closes().tells(Event.CLOSE_SET, price_ticks=8_000, qty_tonnes=0)


def test_e46_what_is_listed_does_not_move_out(market: Market) -> None:
    """E46 (RG-06): only the free part does; E47 (RG-08): nor does what was bought today."""
    floor = market(PAIR)
    anhui, baowu = floor.when("Anhui"), floor.when("Baowu")
    anhui.lists(Side.SELL, 900, at="80.00").done()
    anhui.transfers_out(101).refused(Reason.INSUFFICIENT_HOLDING)
    anhui.transfers_out(100).done()
    baowu.takes(50, of="Anhui", at="80.00").done()
    baowu.transfers_out(1_001).refused(Reason.HOLDING_BOUGHT_TODAY)
    baowu.transfers_out(1_000).done()


def test_e47_without_t_plus_1_goods_trade_at_once_but_leave_tomorrow(market: Market) -> None:
    """E47 (RG-08) with goods_t_plus = 0: sold on the same day, not moved out."""
    floor = market(PAIR, rules={Parameter.GOODS_T_PLUS: 0})
    floor.deal(100, at="80.00")
    floor.when("Baowu").transfers_out(1_001).refused(Reason.HOLDING_BOUGHT_TODAY)
    floor.when("Baowu").lists(Side.SELL, 1_100, at="80.00").done()


def test_tr112_large_holders_are_reported_at_the_close(market: Market) -> None:
    """TR-112: at the threshold or above, all vintages and buckets together."""
    floor = market(PAIR, rules={Parameter.LARGE_HOLDER_TONNES: 1_010})
    floor.deal(10, at="80.00")
    closed = floor.closes().tells(Event.LARGE_HOLDER, account=1, qty_tonnes=1_010)
    assert closed.kinds.count(Event.LARGE_HOLDER) == 1


def test_tr113_the_stages_of_a_warning(market: Market) -> None:
    """TR-113: asked, interviewed, warned, published."""
    floor = market(PAIR)
    for stage in (0, 5, -1):
        floor.control(Kind.WARN_ACCOUNT, "Anhui", amount=stage).refused(Reason.PARAMETER_INVALID)
    floor.control(Kind.WARN_ACCOUNT, "Anhui", amount=4).tells(
        Event.ACCOUNT_WARNED, account=0, qty_tonnes=4
    )


def test_vm08_a_first_day_may_be_free(market: Market) -> None:
    """VM-08: on the first day any price up to the parameter's, on the second the usual band."""
    rules = {Parameter.FREE_FIRST_DAY: 1, Parameter.FIRST_DAY_UPPER_TICKS: 50_000}
    floor = market(PAIR, rules=rules)
    floor.then_figures(lower_limit="0.01", upper_limit="500.00", auction_upper_limit="500.00")
    floor.deal(10, at="120.00")
    floor.next_day(20260106)
    floor.then_figures(lower_limit="108.00", upper_limit="132.00")
