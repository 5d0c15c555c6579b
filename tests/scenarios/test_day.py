"""The day and its evening (TR-30…34, CA-01…04, ST-04, ST-16, ST-17; E20, E21)."""

from __future__ import annotations

import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import MONDAY

PAIR = """
    account | cash      | CEA25
    Anhui   |           | 50,000
    Baowu   | 5,000,000 |
"""
NAMES_ONLY = """
    account | cash
    Anhui   |
    Baowu   | 5,000,000
"""


def test_e20_after_a_holiday_the_reference_is_the_last_trading_days_close(market: Market) -> None:
    """E20 (CA-04): 2023-04-05, a Wednesday, is closed; Thursday hangs on Tuesday's close."""
    floor = market(NAMES_ONLY, vintages={"CEA": "55.00"}, day=20230404)
    floor.when("Anhui").transfers_in(10).done()
    floor.when("Anhui").lists(Side.SELL, 10, at="56.00").done()
    floor.when("Baowu").takes(10, of="Anhui", at="56.00").done()
    floor.closes()
    floor.settles()
    floor.begins(20230405).refused(Reason.DATE_INVALID)
    floor.begins(20230406).tells(Event.REFERENCE_SET, price_ticks=5_600)


@pytest.mark.parametrize(
    "day",
    [
        20241012,  # a Saturday worked to make up for a holiday (E21)
        20241013,  # a Sunday
        20241007,  # a Monday of the October holiday
        20210715,  # the day before the market's first
        20240230,  # no date
        2024,
        0,
        -20241014,
        2**63 - 1,
    ],
)
def test_e21_days_without_trading_do_not_begin(market: Market, day: int) -> None:
    """E21 (CA-01…03): Monday to Friday without the closures; nothing else."""
    floor = market(PAIR, day=0)
    floor.begins(day).refused(Reason.DATE_INVALID)
    floor.begins(20241014).tells(Event.PHASE_CHANGED, date=20241014, phase=Phase.PRE_OPEN)


def test_days_only_go_forward(market: Market) -> None:
    """The same day or an earlier one does not begin again; days may be left out."""
    floor = market(PAIR)
    floor.closes()
    floor.settles()
    floor.begins(MONDAY).refused(Reason.DATE_INVALID)
    floor.begins(20251231).refused(Reason.DATE_INVALID)
    floor.begins(20260202).done()


def test_the_phases_of_a_day_come_in_order(market: Market) -> None:
    """TR-30, ST-16: one way through the day, every other step is refused."""
    floor = market(PAIR, day=0)
    path = (
        (Kind.BEGIN_DAY, MONDAY, Phase.PRE_OPEN),
        (Kind.SET_PHASE, Phase.MORNING, Phase.MORNING),
        (Kind.SET_PHASE, Phase.LUNCH, Phase.LUNCH),
        (Kind.SET_PHASE, Phase.AFTERNOON, Phase.AFTERNOON),
        (Kind.CLOSE_DAY, 0, Phase.CLOSED),
        (Kind.CONFIRM_DAY, 7, Phase.CONFIRMED),
        (Kind.POST_DAY, 7, Phase.POSTED),
    )
    for number, (kind, ref, phase) in enumerate(path):
        for other, (wrong, wrong_ref, _) in enumerate(path):
            if other != number:
                late = wrong is Kind.BEGIN_DAY and phase >= Phase.CONFIRMED
                reason = Reason.DAY_UNCONFIRMED if late else Reason.PHASE_ORDER
                floor.send(wrong, ref=int(wrong_ref)).refused(reason)
        for nonsense in (Phase.PRE_OPEN, Phase.CLOSED, Phase.POSTED, 99, -1, 2**40):
            floor.send(Kind.SET_PHASE, ref=int(nonsense)).refused(Reason.PHASE_ORDER)
        floor.send(kind, ref=int(ref)).done().tells(Event.PHASE_CHANGED, phase=phase)


@pytest.mark.parametrize("phase", [Phase.PRE_OPEN, Phase.LUNCH, Phase.CLOSED, Phase.POSTED])
def test_tr33_nothing_is_declared_outside_the_trading_hours(market: Market, phase: Phase) -> None:
    """TR-33, TR-34: no entry before the open, at lunch, after the close."""
    floor = market(PAIR, day=0)
    floor.begins(MONDAY).done()
    if phase is Phase.LUNCH:
        floor.enters(Phase.MORNING)
        floor.enters(Phase.LUNCH)
    if phase >= Phase.CLOSED:
        floor.closes()
    if phase is Phase.POSTED:
        floor.settles()
    assert floor.venue.state()["date, phase"][1] == phase
    floor.when("Anhui").lists(Side.SELL, 1, at="80.00").refused(Reason.PHASE_CLOSED)
    floor.when("Baowu").takes_best(Side.BUY, 1, up_to="80.00").refused(Reason.PHASE_CLOSED)
    floor.send(Kind.TAKE, account=1, ref=1, qty_tonnes=1).refused(Reason.PHASE_CLOSED)
    cancels = floor.when("Anhui").cancels_number(1)
    cancels.refused(Reason.UNKNOWN_ORDER if phase is Phase.LUNCH else Reason.PHASE_CLOSED)


def test_st17_a_disputed_day_blocks_the_next(market: Market) -> None:
    """ST-04, ST-17: nothing is posted until both confirm; then the same day is posted."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 100, at="80.00").done()
    floor.when("Baowu").takes(100, of="Anhui", at="80.00").done()
    floor.closes()
    floor.send(Kind.DISPUTE_DAY).tells(Event.PHASE_CHANGED, phase=Phase.DISPUTED)
    floor.begins(20260106).refused(Reason.DAY_UNCONFIRMED)
    floor.send(Kind.POST_DAY, ref=7).refused(Reason.PHASE_ORDER)
    floor.then_accounts("""
        account | CEA25 | CEA25 bought
        Baowu   |       | 100
    """)
    floor.confirms().done()
    floor.begins(20260106).refused(Reason.DAY_UNCONFIRMED)
    floor.send(Kind.POST_DAY, ref=8).refused(Reason.FILE_DIFFERS)
    floor.send(Kind.POST_DAY, ref=7).tells(Event.PHASE_CHANGED, phase=Phase.POSTED)
    floor.then_accounts("""
        account | CEA25 | CEA25 bought | CEA25 sold
        Baowu   | 100   |              |
        Anhui   | 49,900 |             |
    """)
    floor.begins(20260106).done()


def test_order_and_trade_numbers_go_on_over_the_days(market: Market) -> None:
    """Numbers are of the exchange's whole life; yesterday's orders are no open orders."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 10, at="80.00").tells(Event.ACCEPTED, order_no=1)
    take = floor.when("Baowu").takes(4, of="Anhui", at="80.00")
    take.tells(Event.TRADED, trade_no=1, order_no=2, other_order_no=1)
    floor.next_day(20260106)
    floor.when("Anhui").cancels_number(1).refused(Reason.UNKNOWN_ORDER)
    floor.when("Anhui").lists(Side.SELL, 10, at="80.00").tells(Event.ACCEPTED, order_no=3)
    take = floor.when("Baowu").takes(4, of="Anhui", at="80.00")
    take.tells(Event.TRADED, trade_no=2, order_no=4, other_order_no=3)


def test_a_refused_order_gets_no_number(market: Market) -> None:
    """The next accepted one has the next number."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 0, at="80.00").refused(Reason.QTY_INVALID)
    floor.when("Anhui").lists(Side.SELL, 1, at="80.00").tells(Event.ACCEPTED, order_no=1)


def test_tr142_totals_of_the_day_the_year_and_all_time(market: Market) -> None:
    """TR-142: a new day empties the day's totals, a new year the year's."""
    floor = market(PAIR, day=20251230)
    expected = {20251230: (10, 10, 10), 20251231: (10, 20, 20), 20260105: (10, 10, 30)}
    for day, (of_day, of_year, of_all) in expected.items():
        if day != 20251230:
            floor.begins(day).done()
            floor.enters(Phase.MORNING)
        floor.when("Anhui").lists(Side.SELL, 10, at="80.00").done()
        floor.when("Baowu").takes(10, of="Anhui", at="80.00").done()
        floor.closes()
        day_qty, _, year_qty, year_fen, all_qty, all_fen = floor.venue.state()["totals"][0]
        assert (day_qty, year_qty, all_qty) == (of_day, of_year, of_all)
        assert (year_fen, all_fen) == (of_year * 8_000, of_all * 8_000)
        floor.settles()


def test_in02_a_registry_instruction_is_done_once(market: Market) -> None:
    """Numbered instructions: the same number, or an older one, does nothing a second time."""
    floor = market(PAIR)
    floor.send(Kind.CASH_IN, account=0, amount=100, ref=5).done()
    floor.send(Kind.CASH_IN, account=0, amount=100, ref=5).refused(Reason.DUPLICATE_INSTRUCTION)
    late = {"account": 0, "instrument": 0, "qty_tonnes": 1, "ref": 4}
    floor.send(Kind.TRANSFER_IN, **late).refused(Reason.DUPLICATE_INSTRUCTION)
    floor.send(Kind.OPEN_ACCOUNT, account=2, ref=5).refused(Reason.DUPLICATE_INSTRUCTION)
    floor.send(Kind.OPEN_ACCOUNT, account=9, ref=6).refused(Reason.ACCOUNT_EXISTS)
    floor.send(Kind.OPEN_ACCOUNT, account=2, ref=6).done()
    floor.send(Kind.CASH_IN, account=0, amount=100).done()


@pytest.mark.parametrize(
    ("parameter", "least", "most"),
    [
        (Parameter.LISTED_BAND_BP, 1, 9_999),
        (Parameter.BULK_BAND_BP, 1, 9_999),
        (Parameter.LISTED_QTY_MAX, 1, 9_999_999_999),
        (Parameter.BULK_QTY_MIN, 1, 9_999_999_999),
        (Parameter.TAKE_LEVELS_MAX, 1, 1_000),
        (Parameter.ALLOW_CROSSED_LISTINGS, 0, 1),
        (Parameter.GOODS_T_PLUS, 0, 1),
        (Parameter.OPEN_ORDERS_MAX, 0, 1_000_000),
        (Parameter.LISTED_TRADING_FEE_PPM, 0, 100_000),
        (Parameter.LISTED_SETTLEMENT_FEE_PPM, 0, 100_000),
        (Parameter.BULK_TRADING_FEE_PPM, 0, 100_000),
        (Parameter.BULK_SETTLEMENT_FEE_PPM, 0, 100_000),
        (Parameter.AUCTION_TRADING_FEE_PPM, 0, 100_000),
        (Parameter.AUCTION_SETTLEMENT_FEE_PPM, 0, 100_000),
        (Parameter.COMPOSITE_WEIGHT, 0, 1_000_000),
    ],
)
def test_tr14_parameters_stay_within_their_bounds(
    market: Market, parameter: Parameter, least: int, most: int
) -> None:
    """TR-14, TR-27, TR-132: both bounds are allowed, one beyond is not."""
    floor = market(PAIR, day=0)
    for value in (least - 1, most + 1, -(2**63), 2**63 - 1):
        floor.rule(parameter, value, "CEA25").refused(Reason.PARAMETER_INVALID)
    for value in (least, most):
        changed = floor.rule(parameter, value, "CEA25")
        changed.tells(Event.PARAMETER_CHANGED, order_no=int(parameter), qty_tonnes=value)
