"""Price limits and published prices (TR-20…27, TR-100…104; E09, E11, E12, E23, E24, E26, E86)."""

from __future__ import annotations

import pytest

from engine.reasons import Reason
from engine.records import Event, Parameter, Phase, Side
from tests.scenarios.conftest import Market
from tests.scenarios.floor import MONDAY

PAIR = """
    account | cash      | CEA25
    Anhui   | 5,000,000 | 50,000
    Baowu   | 5,000,000 | 50,000
"""


def test_e09_the_upper_limit_is_rounded_half_up(market: Market) -> None:
    """E09 (TR-23): 55.52 × 1.1 = 61.072, so 61.07 is the last price."""
    floor = market(PAIR, vintages={"CEA25": "55.52"})
    floor.then_figures(reference="55.52", upper_limit="61.07")
    floor.when("Anhui").lists(Side.BUY, 1, at="61.08").refused(Reason.PRICE_OUT_OF_BAND)
    floor.when("Anhui").lists(Side.BUY, 1, at="61.07").done()


def test_e11_the_lower_limit_is_rounded_half_up(market: Market) -> None:
    """E11 (TR-23): 45.62 × 0.9 = 41.058, so 41.06 is the first price."""
    floor = market(PAIR, vintages={"CEA25": "45.62"})
    floor.then_figures(lower_limit="41.06")
    floor.when("Anhui").lists(Side.SELL, 1, at="41.05").refused(Reason.PRICE_OUT_OF_BAND)
    floor.when("Anhui").takes_best(Side.SELL, 1, up_to="41.05").refused(Reason.PRICE_OUT_OF_BAND)
    floor.when("Anhui").lists(Side.SELL, 1, at="41.06").done()


@pytest.mark.parametrize(
    ("reference", "lower", "upper"),
    [
        ("78.72", "55.10", "102.34"),  # exact 55.104 and 102.336
        ("43.16", "30.21", "56.11"),
        ("71.33", "49.93", "92.73"),
        ("0.05", "0.04", "0.07"),  # exact 0.035 and 0.065: a half goes up
    ],
)
def test_tr21_bulk_limits_are_wider_and_rounded_alike(
    market: Market, reference: str, lower: str, upper: str
) -> None:
    """TR-21, TR-23: published bulk deals touched exactly these prices."""
    floor = market(PAIR, vintages={"CEA25": reference})
    floor.then_figures(bulk_lower_limit=lower, bulk_upper_limit=upper)


def test_tr23_the_lower_limit_is_at_least_one_tick(market: Market) -> None:
    """A price of 0.00 is none, however small the reference."""
    floor = market(PAIR, vintages={"CEA25": "0.01"}, rules={Parameter.LISTED_BAND_BP: 9_999})
    floor.then_figures(reference="0.01", lower_limit="0.01", upper_limit="0.02")
    floor.when("Anhui").lists(Side.SELL, 1, at="0.01").done()


def test_e12_a_vintage_that_does_not_trade_keeps_its_close(market: Market) -> None:
    """E12 (TR-25): three limit-up days of CEA25 do not move the limits of CEA24."""
    floor = market(PAIR, vintages={"CEA25": "80.00", "CEA24": "74.00"})
    for day, price in ((20260106, "88.00"), (20260107, "96.80"), (20260108, "106.48")):
        floor.when("Anhui").lists(Side.SELL, 10, at=price).done()
        floor.when("Baowu").takes(10, of="Anhui", at=price).done()
        floor.next_day(day)
    floor.then_figures("CEA25", reference="106.48", upper_limit="117.13")
    floor.then_figures("CEA24", reference="74.00", lower_limit="66.60", upper_limit="81.40")


def test_tr27_the_band_is_a_rule_that_may_change(market: Market) -> None:
    """TR-27: from 10 to 5 per cent, in force from the next day on, never during one."""
    floor = market(PAIR)
    floor.rule(Parameter.LISTED_BAND_BP, 500).refused(Reason.PHASE_CLOSED)
    floor.closes()
    floor.settles()
    floor.rule(Parameter.LISTED_BAND_BP, 500).done()
    floor.begins(20260106).done()
    floor.then_figures(lower_limit="76.00", upper_limit="84.00")


def test_e23_the_close_is_the_mean_of_all_listed_trades(market: Market) -> None:
    """E23 (TR-100): 10 t at 80.00 and 20 t at 80.01 close at 80.00667, so 80.01."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 10, at="80.00").done()
    floor.when("Anhui").lists(Side.SELL, 20, at="80.01").done()
    floor.when("Baowu").takes(10, of="Anhui", at="80.00").done()
    floor.when("Baowu").takes(20, of="Anhui", at="80.01").done()
    floor.closes().tells(Event.CLOSE_SET, price_ticks=8_001, qty_tonnes=30, amount_fen=240_020)
    floor.then_figures(close="80.01", open="80.00", high="80.01", low="80.00", last="80.01")


def test_tr100_a_half_tick_goes_up(market: Market) -> None:
    """TR-100: 80.00 and 80.01 in equal parts close at 80.005, so 80.01."""
    floor = market(PAIR)
    for price in ("80.01", "80.00"):
        floor.when("Anhui").lists(Side.SELL, 7, at=price).done()
        floor.when("Baowu").takes(7, of="Anhui", at=price).done()
    floor.closes()
    floor.then_figures(close="80.01", last="80.00")


def test_e24_without_a_listed_trade_the_close_stays(market: Market) -> None:
    """E24, listed part (TR-100…102): the close is the previous one, open, high and low are none."""
    floor = market(PAIR)
    floor.when("Anhui").lists(Side.SELL, 10, at="72.00").done()
    floor.closes().tells(Event.CLOSE_SET, price_ticks=8_000, qty_tonnes=0, amount_fen=0)
    floor.then_figures(close="80.00", open="0.00", high="0.00", low="0.00", last="0.00")


def test_e26_the_last_trade_is_not_the_close(market: Market) -> None:
    """E26 (TR-100): one tonne at the upper limit after 9,999 at 80.00 closes at 80.00."""
    floor = market(PAIR)
    for qty, price in ((9_999, "80.00"), (1, "88.00")):
        floor.when("Anhui").lists(Side.SELL, qty, at=price).done()
        floor.when("Baowu").takes(qty, of="Anhui", at=price).done()
    floor.closes()
    floor.then_figures(close="80.00", last="88.00", high="88.00", open="80.00", low="80.00")


def test_tr101_open_high_low_and_last_follow_the_trades(market: Market) -> None:
    """TR-101, TR-102: a listing moves nothing, each trade does; a new day starts empty."""
    floor = market(PAIR)
    for price in ("80.00", "82.00", "79.00", "81.00"):
        floor.when("Anhui").lists(Side.SELL, 1, at=price).done()
        floor.when("Baowu").takes(1, of="Anhui", at=price).done()
    floor.then_figures(open="80.00", high="82.00", low="79.00", last="81.00")
    floor.next_day(20260106)
    floor.then_figures(reference="80.50", open="0.00", high="0.00", low="0.00", last="0.00")


def test_tr24_a_new_vintage_starts_at_the_composite_close(market: Market) -> None:
    """TR-24, TR-104: closes 73.00 and 73.13 weigh alike: 73.065, so the reference is 73.07."""
    floor = market(PAIR, vintages={"CEA25": "73.00", "CEA24": "73.13"}, day=0)
    floor.admits("CEA26", "").refused(Reason.PRICE_INVALID)  # nothing has closed yet
    floor.vintages.pop()
    floor.rule(Parameter.COMPOSITE_WEIGHT, 1, "CEA25").done()
    floor.rule(Parameter.COMPOSITE_WEIGHT, 1, "CEA24").done()
    floor.begins(MONDAY).done()
    floor.enters(Phase.MORNING).done()
    floor.deal(1, at="73.00")
    floor.closes().tells(Event.COMPOSITE_SET, price_ticks=7_307)
    floor.settles()
    floor.admits("CEA26", "").tells(Event.INSTRUMENT_ADMITTED, price_ticks=7_307)
    floor.begins(20260106).tells(Event.REFERENCE_SET, 2, instrument=2, price_ticks=7_307)
    floor.then_figures("CEA26", lower_limit="65.76", upper_limit="80.38")


def test_tr104_weights_decide_and_no_weight_changes_nothing(market: Market) -> None:
    """TR-104: a vintage of weight 0 does not count; without any weight the last close stays."""
    floor = market(PAIR, vintages={"CEA25": "74.63", "CEA24": "40.00"}, day=0)
    floor.rule(Parameter.COMPOSITE_WEIGHT, 1, "CEA25").done()
    floor.begins(MONDAY).done()
    floor.enters(Phase.MORNING).done()
    floor.deal(1, at="74.63")
    floor.closes().tells(Event.COMPOSITE_SET, price_ticks=7_463)
    floor.settles()
    floor.rule(Parameter.COMPOSITE_WEIGHT, 0, "CEA25").done()
    floor.begins(20260106).done()
    floor.closes().tells(Event.COMPOSITE_SET, price_ticks=7_463)


def test_e86_an_unlisted_vintage_neither_trades_nor_moves_in(market: Market) -> None:
    """E86 (RG-24): issued by the registry, but not yet admitted by the exchange."""
    floor = market(PAIR)
    floor.vintages.append("CEA26")
    floor.when("Anhui").transfers_in(10, "CEA26").refused(Reason.UNKNOWN_INSTRUMENT)
    unlisted = floor.when("Anhui").lists(Side.SELL, 10, at="80.00", vintage="CEA26")
    unlisted.refused(Reason.UNKNOWN_INSTRUMENT)
    floor.vintages.pop()
    floor.closes()
    floor.settles()
    floor.admits("CEA26", "75.00").done()
    floor.when("Anhui").transfers_in(10, "CEA26").done()
    floor.begins(20260106).done()


def test_tr03_vintages_are_separate(market: Market) -> None:
    """TR-03: own book, own holdings; tonnes of one vintage do not cover a sale of another."""
    floor = market(
        """
        account | cash | CEA25 | CEA24
        Anhui   |      | 100   |
        """,
        vintages={"CEA25": "80.00", "CEA24": "74.00"},
    )
    seller = floor.when("Anhui")
    seller.lists(Side.SELL, 1, at="74.00", vintage="CEA24").refused(Reason.INSUFFICIENT_HOLDING)
    seller.lists(Side.SELL, 1, at="80.00").done()
    floor.then_book("""
        buy | price | sell
    """, "CEA24")  # fmt: skip
