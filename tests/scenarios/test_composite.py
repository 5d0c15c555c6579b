"""The composite price in the trader's language (TR-104…107; E29)."""

from __future__ import annotations

from engine.records import Event, Parameter, Phase
from tests.scenarios.conftest import Market
from tests.scenarios.floor import MONDAY, Floor, Outcome, ticks

ROOM = """
    account | cash      | CEA25 | CEA24
    Anhui   |           | 500   | 500
    Baowu   | 5,000,000 |       |
"""


def morning(market: Market, weights: tuple[int, int] = (1, 1)) -> Floor:
    """Two vintages at 80.00 and 70.00 with these weights."""
    floor = market(ROOM, vintages={"CEA25": "80.00", "CEA24": "70.00"}, day=0)
    for vintage, weight in zip(("CEA25", "CEA24"), weights, strict=True):
        floor.rule(Parameter.COMPOSITE_WEIGHT, weight, vintage).done()
    floor.begins(MONDAY).done()
    floor.enters(Phase.MORNING).done()
    return floor


def composite(closed: Outcome) -> tuple[str, ...]:
    """Open, high, low and close in yuan."""
    kinds = ("OPEN_", "HIGH_", "LOW_", "")
    events = [closed.event(Event[f"COMPOSITE_{kind}SET"]) for kind in kinds]
    return tuple(f"{event['price_ticks'] / 100:.2f}" for event in events)


def test_tr105_open_and_extremes_follow_every_trade_of_any_vintage(market: Market) -> None:
    """TR-104, TR-105: 76.00, 74.00, 75.00, and a close of (83.00 + 66.00) / 2."""
    floor = morning(market)
    floor.deal(1, at="82.00")
    floor.deal(1, at="66.00", vintage="CEA24")
    floor.deal(1, at="84.00")
    assert composite(floor.closes()) == ("76.00", "76.00", "74.00", "74.50")


def test_tr105_the_close_counts_among_the_extremes(market: Market) -> None:
    """TR-105: both vintages close near their dearest trades, which never stood together."""
    floor = morning(market)
    floor.deal(1, at="78.00")
    floor.deal(9, at="77.00", vintage="CEA24")  # (78 + 77) / 2
    floor.deal(1, at="63.00", vintage="CEA24")  # (78 + 63) / 2
    floor.deal(9, at="88.00")  # (88 + 63) / 2
    assert composite(floor.closes()) == ("74.00", "81.30", "70.50", "81.30")


def test_tr104_a_vintage_without_weight_opens_the_composite_all_the_same(market: Market) -> None:
    """TR-105: the first listed trade of any vintage, the others at their current price."""
    floor = morning(market, (1, 0))
    floor.deal(1, at="66.00", vintage="CEA24")
    floor.deal(1, at="81.00")
    assert composite(floor.closes()) == ("80.00", "81.00", "80.00", "81.00")


def test_e29_without_a_trade_the_composite_repeats_its_close(market: Market) -> None:
    """E29 (TR-105): open and close are the previous close; no latest, high or low."""
    floor = morning(market)
    floor.deal(1, at="82.00")
    assert composite(floor.closes())[3] == "76.00"
    floor.settles()
    floor.begins(20260106).done()
    assert composite(floor.closes()) == ("76.00", "0.00", "0.00", "76.00")


def test_tr104_the_composite_is_rounded_once(market: Market) -> None:
    """TR-104, U30: (80.01 + 70.00) / 2 = 75.005 is 75.01."""
    floor = morning(market)
    floor.deal(1, at="80.01")
    closed = floor.closes()
    closed.tells(Event.COMPOSITE_SET, price_ticks=ticks("75.01"))
