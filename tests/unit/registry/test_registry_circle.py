"""The circle of an allowance and its windows (RG-06…08, RG-23, RG-24, ST-14; E44…47, E86)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, Side
from registry.errors import RefusalError
from registry.institution import Holding, Registry
from tests.unit.registry.registry_venue import DATES, NOW_NS, REFERENCE_TICKS, Venue

MINUTE = 60 * 10**9
DAY = 24 * 60 * MINUTE


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


def reason(events: np.ndarray[Any, Any]) -> Reason:
    assert events[0]["kind"] == Event.REFUSED
    return Reason(int(events[0]["reason"]))


def sell(venue: Venue, account: int, qty: int) -> np.ndarray[Any, Any]:
    return venue.do(
        Kind.LIST,
        account=account,
        instrument=0,
        side=Side.SELL,
        price_ticks=REFERENCE_TICKS,
        qty_tonnes=qty,
    )


def test_the_circle_in_sold_bought_settled_out_and_used_rg_06_rg_07(venue: Venue) -> None:
    registry = venue.registry
    assert reason(sell(venue, 0, 10_001)) == Reason.INSUFFICIENT_HOLDING  # E44: transfer in first
    registry.transfer_in(0, "CEA", 500)
    venue.instruct()
    venue.trade(0, 1, 10_500)  # RG-23: what came in today may be sold today
    move: dict[str, Any] = {"account": 1, "instrument": 0}
    out = venue.do(Kind.TRANSFER_OUT, qty_tonnes=10_001, **move)
    assert reason(out) == Reason.HOLDING_BOUGHT_TODAY  # E47, RG-08
    venue.close_day()
    venue.settle()
    assert registry.balances(1).holdings["CEA"] == Holding(10_000, 0, 20_500)
    venue.open_day(DATES[1])
    use = venue.ask(
        *("cancel_voluntarily",), account=1, vintage="CEA", qty_tonnes=10_500,
        purpose="voluntary", document="for the river",
    )  # fmt: skip
    with refused("insufficient_holding"):  # E45: it lies on the trading side
        venue.approve(use)
    out = venue.do(Kind.TRANSFER_OUT, qty_tonnes=10_500, **move)
    assert out[0]["kind"] == Event.HOLDING_MOVED_OUT
    assert registry.balances(1).holdings["CEA"] == Holding(20_500, 0, 10_000)
    venue.approve(use)
    assert registry.balances(1).holdings["CEA"] == Holding(10_000, 0, 10_000, cancelled=10_500)
    registry.transfer_in(1, "CEA", 10_000)
    venue.instruct()
    assert sell(venue, 1, 20_000)[0]["kind"] == Event.ACCEPTED
    venue.sound()


def test_what_is_locked_or_bought_today_does_not_leave_e46_e47(venue: Venue) -> None:
    sell(venue, 2, 4_000)
    venue.trade(0, 2, 300)
    move: dict[str, Any] = {"account": 2, "instrument": 0}
    out = venue.do(Kind.TRANSFER_OUT, qty_tonnes=6_301, **move)
    assert reason(out) == Reason.INSUFFICIENT_HOLDING  # E46: the locked part
    assert reason(venue.do(Kind.TRANSFER_OUT, qty_tonnes=6_001, **move)) == (
        Reason.HOLDING_BOUGHT_TODAY
    )
    venue.do(Kind.TRANSFER_OUT, qty_tonnes=6_000, **move)
    assert venue.registry.balances(2).holdings["CEA"] == Holding(16_000, 0, 4_000)
    venue.sound()


def test_money_sold_for_today_is_not_paid_out_today_st_14(venue: Venue) -> None:
    venue.trade(0, 1, 100)
    out = venue.do(Kind.CASH_OUT, account=0, amount=100_000_001)
    assert reason(out) == Reason.CASH_NOT_SETTLED
    venue.close_day()
    assert reason(venue.do(Kind.CASH_OUT, account=0, amount=1)) == Reason.PHASE_CLOSED
    venue.settle()
    venue.open_day(DATES[1])
    venue.do(Kind.CASH_OUT, account=0, amount=100_480_000)
    assert venue.registry.balances(0).cash_fen == 0
    venue.sound()


def test_an_unlisted_vintage_is_held_but_not_moved_rg_24_e86(venue: Venue) -> None:
    venue.registry.issue("CEA25", 0, 70)
    venue.registry.transfer_in(0, "CEA25", 30)
    events = venue.instruct()
    assert reason(events) == Reason.UNKNOWN_INSTRUMENT
    assert venue.registry.balances(0).holdings["CEA25"] == Holding(70)
    listed = venue.do(
        Kind.LIST, account=0, instrument=2, side=Side.SELL, price_ticks=4_800, qty_tonnes=1
    )
    assert reason(listed) == Reason.UNKNOWN_INSTRUMENT
    venue.hand(
        *("cancel_voluntarily",), account=0, vintage="CEA25", qty_tonnes=70,
        purpose="voluntary", document="held and usable",
    )  # fmt: skip
    assert venue.registry.balances(0).holdings["CEA25"] == Holding(cancelled=70)


@pytest.mark.parametrize(
    ("operation", "hour", "minute", "possible"),
    [
        ("transfer_in", 8, 59, False),
        ("transfer_in", 9, 0, True),
        ("transfer_in", 14, 59, True),
        ("transfer_in", 15, 0, False),
        ("transfer_out", 15, 0, False),
        ("cash_in", 15, 29, True),
        ("cash_in", 15, 30, False),
        ("cash_out", 14, 59, True),
        ("cash_out", 15, 0, False),
    ],
)
def test_windows_on_trading_days_rg_08_st_14(
    operation: str, hour: int, minute: int, possible: bool
) -> None:
    at_ns = NOW_NS + ((hour - 10) * 60 + minute) * MINUTE
    with Registry.open("sqlite://") as registry:
        assert registry.window_open(operation, at_ns) is possible
        assert registry.window_open(operation, at_ns + DAY) is False  # a Saturday (CA-01)
        registry.open_account("K1", "Plant 1")
        registry.issue("CEA", 0, 10)
        calls = {
            "transfer_in": lambda: registry.transfer_in(0, "CEA", 1, at_ns=at_ns),
            "cash_in": lambda: registry.deposit(0, 1, at_ns=at_ns),
        }
        if operation in calls and possible:
            calls[operation]()
        elif operation in calls:
            with refused("window_closed"):
                calls[operation]()
        expected = (int(possible and operation == "transfer_in"), int(possible))
        if operation in calls:
            held = registry.balances(0)
            assert held.holdings["CEA"].in_transit == expected[0]
            assert held.cash_in_transit_fen == expected[1] - expected[0]


def test_no_time_and_no_operation(registry: Registry) -> None:
    registry.open_account("K1", "Plant 1")
    for at_ns in (-1, 2**63, True, 1.5):
        with refused("time_invalid"):
            registry.deposit(0, 1, at_ns=at_ns)  # type: ignore[arg-type]
    with refused("operation_invalid"):
        registry.window_open("lend", NOW_NS)


def test_money_of_the_last_half_hour_arrives_after_the_posting_st_14_st_16(venue: Venue) -> None:
    venue.close_day()
    venue.registry.deposit(0, 5, at_ns=NOW_NS + 5 * 60 * MINUTE + 20 * MINUTE)
    assert len(venue.registry.pending_commands(venue.state)) == 0
    venue.settle()
    venue.instruct()
    assert venue.registry.balances(0).cash_fen == 100_000_005
    venue.sound()
