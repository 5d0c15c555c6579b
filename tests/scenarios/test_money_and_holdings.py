"""Locks, T+1, T+0, transfers, fees (TR-40…50, TR-132, RG-06…08; E14…E17, E44, E46, E47)."""

from __future__ import annotations

import pytest

from engine.reasons import Reason
from engine.records import Event, OrderStatus, Parameter, Phase, Side
from tests.scenarios.conftest import Market

PAIR = """
    account | cash      | CEA25
    Anhui   |           | 50,000
    Baowu   | 2,000,000 | 5,000
"""


def test_e14_what_was_bought_today_is_not_sold_today(market: Market) -> None:
    """E14 (TR-47, TR-49): 10,000 bought today, 5,000 held: 6,000 refused, 5,000 accepted."""
    floor = market(PAIR)
    floor.book("""
        buy | price | sell
            | 80.00 | Anhui 10,000
    """)
    trader = floor.when("Baowu")
    trader.takes(10_000, of="Anhui", at="80.00").done()
    trader.lists(Side.SELL, 6_000, at="81.00").refused(Reason.HOLDING_BOUGHT_TODAY)
    trader.lists(Side.SELL, 5_000, at="81.00").done()
    trader.lists(Side.SELL, 10_001, at="81.00").refused(Reason.INSUFFICIENT_HOLDING)
    floor.next_day(20260106)
    floor.then_accounts("""
        account | cash      | CEA25  | CEA25 frozen | CEA25 bought
        Baowu   | 1,200,000 | 15,000 |              |
    """)
    trader.lists(Side.SELL, 15_000, at="81.00").done()


def test_t_plus_one_can_be_switched_off(market: Market) -> None:
    """TR-47 as a parameter: with ``goods_t_plus = 0`` bought tonnes are sellable at once."""
    floor = market(PAIR, rules={Parameter.GOODS_T_PLUS: 0})
    floor.when("Anhui").lists(Side.SELL, 100, at="80.00").done()
    floor.when("Baowu").takes(100, of="Anhui", at="80.00").done()
    floor.when("Baowu").lists(Side.SELL, 5_100, at="81.00").done()


def test_rg23_transferred_in_today_may_be_sold_today(market: Market) -> None:
    """RG-23: an allocation or transfer is no purchase; T+1 does not apply."""
    floor = market(PAIR)
    floor.when("Baowu").transfers_in(3_000).done()
    floor.when("Baowu").lists(Side.SELL, 8_000, at="80.00").done()


def test_e15_proceeds_trade_today_and_leave_tomorrow(market: Market) -> None:
    """E15 (TR-48): 1 million from a sale buys at once, but is not withdrawn before settlement."""
    floor = market("""
        account | cash      | CEA25
        Anhui   | 500       | 12,500
        Baowu   | 1,000,000 | 12,500
    """)
    floor.book("""
        buy          | price | sell
        Baowu 12,500 | 80.00 |
    """)
    seller = floor.when("Anhui")
    seller.takes(12_500, of="Baowu", at="80.00").trades("12,500 @ 80.00 Baowu")
    seller.withdraws("1,000,000").refused(Reason.CASH_NOT_SETTLED)
    seller.withdraws("500.01").refused(Reason.CASH_NOT_SETTLED)
    seller.withdraws("500.00").done()
    floor.when("Baowu").lists(Side.SELL, 12_500, at="80.00").done()
    seller.takes(12_500, of="Baowu", at="80.00").trades("12,500 @ 80.00 Baowu")


def test_e15_after_settlement_the_proceeds_may_leave(market: Market) -> None:
    """E15 (ST-14): next morning the same million is settled money."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 12_500, at="80.00").done()
    floor.when("Baowu").takes(12_500, of="Anhui", at="80.00").done()
    floor.next_day(20260106)
    floor.when("Anhui").withdraws("1,000,000.01").refused(Reason.INSUFFICIENT_FUNDS)
    floor.when("Anhui").withdraws("1,000,000.00").done()


def test_e16_locked_money_does_not_buy_twice(market: Market) -> None:
    """E16 (TR-40, TR-42): 0.8 of 1 million is locked; 0.2 are left, not a fen more."""
    floor = market("""
        account | cash      | CEA25
        Anhui   | 1,000,000 |
    """)
    buyer = floor.when("Anhui")
    buyer.lists(Side.BUY, 10_000, at="80.00").tells(Event.ACCEPTED, amount_fen=80_000_000)
    floor.then_accounts("""
        account | cash    | cash frozen
        Anhui   | 200,000 | 800,000
    """)
    buyer.lists(Side.BUY, 2_501, at="80.00").refused(Reason.INSUFFICIENT_FUNDS)
    buyer.lists(Side.BUY, 2_500, at="80.00").done()
    buyer.withdraws("0.01").refused(Reason.INSUFFICIENT_FUNDS)


def test_tr40_locked_tonnes_do_not_sell_twice(market: Market) -> None:
    """TR-40, TR-42: the sell side of E16; a cancel releases them (TR-43)."""
    floor = market(PAIR)
    seller = floor.when("Anhui")
    seller.lists(Side.SELL, 30_000, at="80.00").tells(Event.ACCEPTED, amount_fen=0)
    seller.lists(Side.SELL, 20_001, at="80.00").refused(Reason.INSUFFICIENT_HOLDING)
    seller.cancels(at="80.00").done()
    seller.lists(Side.SELL, 50_000, at="80.00").done()


def test_tr43_a_cancel_releases_what_is_open(market: Market) -> None:
    """TR-43: of 100 tonnes 40 are filled; the lock of 60 comes back, at the lister's own price."""
    floor = market(PAIR)
    floor.when("Baowu").lists(Side.BUY, 100, at="80.00").done()
    floor.when("Anhui").takes(40, of="Baowu", at="80.00").done()
    outcome = floor.when("Baowu").cancels(at="80.00")
    outcome.tells(Event.CANCELLED, qty_tonnes=60, amount_fen=480_000, leaves_qty=0)
    floor.then_accounts("""
        account | cash      | cash frozen | CEA25 bought
        Baowu   | 1,996,800 |             | 40
    """)


def test_e17_what_is_open_at_the_close_lapses(market: Market) -> None:
    """E17 (TR-43, ST-16): lapsed by the system, locks released, before the books are cleared."""
    floor = market(PAIR)
    floor.book("""
        buy       | price | sell
                  | 80.10 | Anhui 700
        Baowu 200 | 80.00 |
    """)
    sell, buy = floor.find("Anhui", "80.10").number, floor.find("Baowu", "80.00").number
    floor.when("Baowu").takes(100, of="Anhui", at="80.10").done()
    outcome = floor.closes()
    assert outcome.kinds[:2] == [Event.LAPSED, Event.LAPSED]
    first = {"order_no": sell, "qty_tonnes": 600, "amount_fen": 0, "reason": Reason.END_OF_DAY}
    second = {"order_no": buy, "qty_tonnes": 200, "amount_fen": 1_600_000}
    outcome.tells(Event.LAPSED, 0, **first).tells(Event.LAPSED, 1, **second)
    floor.then_order(sell, OrderStatus.LAPSED)
    floor.then_order(buy, OrderStatus.LAPSED)
    floor.then_accounts("""
        account | cash      | cash frozen | CEA25  | CEA25 frozen | CEA25 bought
        Anhui   | 8,010     |             | 49,900 |              |
        Baowu   | 1,991,990 |             | 5,000  |              | 100
    """)


def test_tr50_nobody_trades_with_himself(market: Market) -> None:
    """TR-50: an own listing is not taken, and the venue finds nothing else to take."""
    floor = market(PAIR)
    floor.when("Baowu").lists(Side.SELL, 10, at="80.00").done()
    floor.when("Baowu").takes(10, of="Baowu", at="80.00").refused(Reason.SELF_TRADE)
    floor.when("Baowu").takes_best(Side.BUY, 10, up_to="80.00").refused(Reason.NOTHING_TO_TAKE)


def test_e44_tonnes_on_the_registry_side_are_not_for_sale(market: Market) -> None:
    """E44 (RG-07): they have to be transferred in first."""
    floor = market("""
        account | cash | CEA25
        Anhui   |      |
    """)
    seller = floor.when("Anhui")
    seller.lists(Side.SELL, 100, at="80.00").refused(Reason.INSUFFICIENT_HOLDING)
    seller.transfers_in(100).tells(Event.HOLDING_MOVED_IN, qty_tonnes=100)
    seller.lists(Side.SELL, 100, at="80.00").done()


def test_e46_locked_tonnes_do_not_leave(market: Market) -> None:
    """E46 (RG-06): 30,000 of 50,000 are in an open listing; 20,000 may go."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 30_000, at="80.00").done()
    floor.when("Anhui").transfers_out(20_001).refused(Reason.INSUFFICIENT_HOLDING)
    floor.when("Anhui").transfers_out(20_000).tells(Event.HOLDING_MOVED_OUT, qty_tonnes=20_000)


def test_e47_tonnes_bought_today_do_not_leave(market: Market) -> None:
    """E47 (RG-08): refused until settled; what was there before may go."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 1_000, at="80.00").done()
    floor.when("Baowu").takes(1_000, of="Anhui", at="80.00").done()
    floor.when("Baowu").transfers_out(5_001).refused(Reason.HOLDING_BOUGHT_TODAY)
    floor.when("Baowu").transfers_out(5_000).done()
    floor.next_day(20260106)
    floor.when("Baowu").transfers_out(1_000).done()


def test_st14_money_and_tonnes_leave_only_by_day(market: Market) -> None:
    """ST-14, RG-08: in after the close and before the posting nothing comes or goes."""
    floor = market(PAIR)
    floor.closes()
    for deed in (
        floor.when("Baowu").withdraws("1"),
        floor.when("Baowu").pays_in("1"),
        floor.when("Baowu").transfers_in(1),
        floor.when("Baowu").transfers_out(1),
    ):
        deed.refused(Reason.PHASE_CLOSED)
    floor.settles()
    floor.when("Baowu").pays_in("1").done()
    floor.when("Baowu").withdraws("1").refused(Reason.PHASE_CLOSED)


def test_tr132_each_component_is_rounded_half_up(market: Market) -> None:
    """TR-130, TR-132: 50.00 yuan at twice 300 ppm is twice 1.5 fen, so twice 2, on both sides."""
    rules = {Parameter.LISTED_TRADING_FEE_PPM: 300, Parameter.LISTED_SETTLEMENT_FEE_PPM: 300}
    floor = market(PAIR, vintages={"CEA25": "50.00"}, rules=rules)
    floor.when("Anhui").lists(Side.SELL, 1, at="50.00").done()
    outcome = floor.when("Baowu").takes(1, of="Anhui", at="50.00")
    outcome.tells(Event.TRADED, amount_fen=5_000, fee_fen=4, other_fee_fen=4)
    floor.then_accounts("""
        account | cash
        Anhui   | 49.96
        Baowu   | 1,999,949.96
    """)


def test_tr42_fees_are_locked_and_never_exceed_the_lock(market: Market) -> None:
    """Lock arithmetic: 3 t lock 150.05; three takes would round to 2 fen each, the last pays 1."""
    rules = {Parameter.LISTED_TRADING_FEE_PPM: 300}
    floor = market(
        """
        account | cash   | CEA25
        Anhui   | 150.05 |
        Baowu   |        | 3
        """,
        vintages={"CEA25": "50.00"},
        rules=rules,
    )
    floor.when("Anhui").lists(Side.BUY, 3, at="50.00").tells(Event.ACCEPTED, amount_fen=15_005)
    fees = [
        floor.when("Baowu").takes(1, of="Anhui", at="50.00").event(Event.TRADED)["other_fee_fen"]
        for _ in range(3)
    ]
    assert fees == [2, 2, 1]
    floor.then_accounts("""
        account | cash   | cash frozen | CEA25 bought
        Anhui   |        |             | 3
        Baowu   | 149.94 |             |
    """)


def test_tr43_what_a_filled_order_did_not_need_comes_back(market: Market) -> None:
    """Lock arithmetic: 3 t lock 4.2 → 4 fen of fees, three takes pay 1.4 → 1 fen each."""
    floor = market(
        """
        account | cash   | CEA25
        Anhui   | 140.05 |
        Baowu   |        | 3
        """,
        vintages={"CEA25": "50.00"},
        rules={Parameter.LISTED_TRADING_FEE_PPM: 300},
    )
    floor.when("Anhui").lists(Side.BUY, 3, at="46.67").tells(Event.ACCEPTED, amount_fen=14_005)
    for left in (2, 1, 0):
        take = floor.when("Baowu").takes(1, of="Anhui", at="46.67")
        take.tells(Event.TRADED, other_fee_fen=1, other_leaves_qty=left)
    floor.then_accounts("""
        account | cash | cash frozen
        Anhui   | 0.01 |
    """)


def test_tr132_fees_are_exact_at_the_largest_numbers(market: Market) -> None:
    """TR-132: a tenth of 99,999.99 × 9,999,999,999 yuan, to the fen."""
    rules = {
        Parameter.LISTED_TRADING_FEE_PPM: 100_000,
        Parameter.LISTED_QTY_MAX: 9_999_999_999,
        Parameter.LISTED_BAND_BP: 1,
    }
    floor = market(
        """
        account | cash
        Anhui   | 9,999,999,999,999,999.99
        """,
        vintages={"CEA25": "99,999.99"},
        rules=rules,
    )
    value = 9_999_999 * 9_999_999_999
    listing = floor.when("Anhui").lists(Side.BUY, 9_999_999_999, at="99,999.99")
    listing.tells(Event.ACCEPTED, amount_fen=value + (value + 5) // 10)


@pytest.mark.parametrize("short_by", [0, 1])
def test_tr41_the_fees_have_to_be_covered_too(market: Market, short_by: int) -> None:
    """TR-41: 8,000.00 yuan and 0.1 % of it; one fen less is too little."""
    cash = f"{8_008.00 - short_by / 100:.2f}"
    floor = market(
        f"""
        account | cash   | CEA25
        Anhui   | {cash} |
        """,
        rules={Parameter.LISTED_TRADING_FEE_PPM: 1_000},
    )
    outcome = floor.when("Anhui").lists(Side.BUY, 100, at="80.00")
    if short_by:
        outcome.refused(Reason.INSUFFICIENT_FUNDS)
    else:
        outcome.done()


def test_locks_and_cancels_outlive_the_lunch_break(market: Market) -> None:
    """TR-34: at lunch listings stay and may be cancelled, but nothing new is taken."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 10, at="80.00").done()
    floor.when("Anhui").lists(Side.SELL, 10, at="80.10").done()
    floor.enters(Phase.LUNCH)
    floor.when("Anhui").lists(Side.SELL, 10, at="80.20").refused(Reason.PHASE_CLOSED)
    floor.when("Baowu").takes(1, of="Anhui", at="80.00").refused(Reason.PHASE_CLOSED)
    floor.when("Baowu").takes_best(Side.BUY, 1, up_to="80.00").refused(Reason.PHASE_CLOSED)
    floor.when("Anhui").cancels(at="80.00").done()
    floor.enters(Phase.AFTERNOON)
    floor.when("Baowu").takes(10, of="Anhui", at="80.10").trades("10 @ 80.10 Anhui")
