"""The supervisor's report, by hand on an Exchange (TR-112, TR-113…117, TR-120, TR-121, TR-144)."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine.records import Event, Kind, Mode, Phase, Side
from marketdata.surveillance import Surveillance, Thresholds
from marketdata.surveillance_report import (
    Cancelling,
    LargeHolder,
    LimitDay,
    SelfDealing,
    SurveillanceReport,
    Swing,
    to_json,
    to_text,
)
from tests.unit.marketdata.streams import admitted, batch, day_begun, event
from tests.unit.marketdata.trading_floor import CODES, REFERENCES, Floor

DATE, NEXT_DATE = 20260820, 20260821
UPPER = 10_714  # of CEA25: 97.40 + 10 %


def seen_by(floor: Floor, thresholds: Thresholds | None = None) -> Surveillance:
    surveillance = Surveillance([*CODES], thresholds)
    for events in floor.events:
        surveillance.absorb(events)
    return surveillance


def trade(floor: Floor, price: int, qty: int = 10) -> None:
    both = {"instrument": 1, "price_ticks": price, "qty_tonnes": qty}
    (listing,) = floor.send({"kind": Kind.LIST, "account": 0, "side": Side.SELL, **both})
    take = {"kind": Kind.TAKE, "account": 1, "ref": int(listing["order_no"]), "qty_tonnes": qty}
    floor.send(take)


def close(floor: Floor) -> None:
    while floor.phase != Phase.CLOSED:
        floor.next_phase()


def morning(floor: Floor) -> None:
    while floor.phase != Phase.MORNING:
        floor.next_phase()


def test_self_dealing_is_counted_per_account() -> None:
    """TR-50, TR-120: every refused attempt counts, of whatever modality."""
    floor = Floor()
    both = {"instrument": 0, "price_ticks": 4872, "qty_tonnes": 5}
    (listing,) = floor.send({"kind": Kind.LIST, "account": 3, "side": Side.SELL, **both})
    take = {"kind": Kind.TAKE, "ref": int(listing["order_no"]), "qty_tonnes": 5}
    floor.send(*({**take, "account": 3} for _ in range(3)), {**take, "account": 2})
    while floor.phase != Phase.AFTERNOON:
        floor.next_phase()
    offer = {"kind": Kind.BULK_OFFER, "instrument": 0, "side": 2, "price_ticks": 4872}
    floor.send({**offer, "account": 5, "counterparty": 5, "qty_tonnes": 2000})
    report = seen_by(floor).report(DATE)
    assert report.self_dealing == (SelfDealing(3, 3), SelfDealing(5, 1))
    assert not report.closed


def test_a_price_time_order_cut_short_by_its_own_account_is_an_attempt() -> None:
    floor = Floor()
    floor.exchange.state.instruments["mode"][0] = Mode.PRICE_TIME
    add = {"kind": Kind.ADD, "account": 4, "instrument": 0, "price_ticks": 4872, "qty_tonnes": 5}
    floor.send({**add, "side": Side.SELL}, {**add, "side": Side.BUY})
    assert seen_by(floor).report(DATE).self_dealing == (SelfDealing(4, 1),)


def test_limit_days_are_counted_while_they_follow_each_other() -> None:
    """TR-144: two closes running at the upper limit, then one that is not, by the VWAP (E26)."""
    floor = Floor()
    trade(floor, UPPER)
    close(floor)
    assert seen_by(floor).report(DATE).limit_days == (LimitDay("CEA25", "upper", UPPER, 1),)
    morning(floor)
    limit = int(floor.exchange.state.instruments[1]["upper_limit_ticks"])
    trade(floor, limit)
    close(floor)
    surveillance = seen_by(floor)
    assert surveillance.report(NEXT_DATE).limit_days == (LimitDay("CEA25", "upper", limit, 2),)
    assert surveillance.report(DATE).limit_days == (LimitDay("CEA25", "upper", UPPER, 1),)
    morning(floor)
    trade(floor, limit - 50)
    close(floor)
    surveillance = seen_by(floor)
    assert surveillance.report(20260824).limit_days == ()
    assert surveillance.dates == [DATE, NEXT_DATE, 20260824]
    assert surveillance.report(20260825) is None


def test_large_swings_are_changes_or_ranges() -> None:
    """TR-144: 5 % unless another threshold is chosen; standing trades only."""
    floor = Floor()
    trade(floor, 9740)
    trade(floor, 10_300)
    close(floor)
    (swing,) = seen_by(floor).report(DATE).swings
    assert swing == Swing("CEA25", 287, 575)
    assert seen_by(floor, Thresholds(swing_bp_min=600)).report(DATE).swings == ()
    floor.send(floor.void(2))  # in the evening: the report of the day is made anew
    report = seen_by(floor).report(DATE)
    assert report.swings == ()
    (voided,) = report.voided_trades
    assert (voided.buyer, voided.seller, voided.price_ticks, voided.modality) == (1, 0, 10_300, 10)


def test_accounts_that_mostly_cancel_and_their_thresholds() -> None:
    floor = Floor()
    both = {"instrument": 0, "side": Side.SELL, "price_ticks": 4900, "qty_tonnes": 5}
    for account, kept in ((2, 5), (3, 30)):
        for number in range(20 + kept):
            (listing,) = floor.send({"kind": Kind.LIST, "account": account, **both})
            if number < 20:
                ref = int(listing["order_no"])
                floor.send({"kind": Kind.CANCEL, "account": account, "ref": ref})
    assert seen_by(floor).report(DATE).cancelling == (Cancelling(2, 25, 20),)
    all_of_them = Thresholds(cancelled_percent_min=40)
    assert len(seen_by(floor, all_of_them).report(DATE).cancelling) == 2
    assert seen_by(floor, Thresholds(cancelled_orders_min=21)).report(DATE).cancelling == ()


def test_large_holders_and_every_measure_are_in_the_report() -> None:
    """TR-112, TR-113, TR-115…117: restrictions, guards, warnings, halts, kills, in their order."""
    floor = Floor()
    floor.send(
        {"kind": Kind.BLOCK_ACCOUNT, "account": 2, "amount": 3},
        {"kind": Kind.WARN_ACCOUNT, "account": 2, "amount": 3},
        {"kind": Kind.GUARD_HOLDING, "account": 4, "instrument": 1, "qty_tonnes": 500},
        {"kind": Kind.KILL, "account": 2, "amount": 3},
        {"kind": Kind.HALT_MARKET},
        {"kind": Kind.RESUME_MARKET},
    )
    gift = {"kind": Kind.TRANSFER_IN, "account": 6, "instrument": 0, "qty_tonnes": 9_000_000}
    floor.send(gift)
    close(floor)
    report = seen_by(floor).report(DATE)
    assert [each.what for each in report.measures] == [
        *("account_blocked", "account_warned", "holding_guarded", "killed_now"),
        *("market_halted_now", "market_resumed"),
    ]
    guard = report.measures[2]
    assert (guard.account, guard.instrument, guard.qty) == (4, "CEA25", 500)
    assert report.large_holders == (LargeHolder(6, 12_000_000),)
    assert report.closed
    assert msgspec.json.decode(to_json(report), type=SurveillanceReport) == report
    text = to_text(report)
    for wanted in ("for the supervisor only", "2026-08-20", "account 6: 12,000,000 t", "none"):
        assert wanted in text


def test_a_new_day_begins_empty_and_the_old_one_stays() -> None:
    floor = Floor()
    trade(floor, UPPER)
    close(floor)
    old = seen_by(floor).report(DATE)
    morning(floor)
    surveillance = seen_by(floor)
    assert surveillance.report(DATE) == old
    empty = SurveillanceReport(NEXT_DATE, False, (), (), (), (), (), (), ())
    assert surveillance.report(NEXT_DATE) == empty


@pytest.mark.parametrize("size", [1, 3, 10_000])
def test_batches_do_not_matter_and_days_may_share_one(size: int) -> None:
    floor = Floor(5)
    floor.steps(300)
    close(floor)
    morning(floor)
    floor.steps(100)
    events = np.concatenate(floor.events)
    surveillance = Surveillance([*CODES])
    for start in range(0, len(events), size):
        surveillance.absorb(events[start : start + size])
    whole = seen_by(floor)
    assert surveillance.dates == whole.dates == [DATE, NEXT_DATE]
    for date in whole.dates:
        assert surveillance.report(date) == whole.report(date)
    assert whole.report(DATE).measures


def test_a_day_without_a_trade_is_no_limit_day() -> None:
    surveillance = Surveillance([*CODES])
    rows = [*admitted([*REFERENCES]), *day_begun([*REFERENCES])]
    rows.append(event(Event.CLOSE_SET, instrument=1, price_ticks=10_714, phase=Phase.CLOSED))
    surveillance.absorb(batch(*rows))
    assert surveillance.report(DATE).limit_days == ()
    assert "not closed" in to_text(surveillance.report(DATE))
