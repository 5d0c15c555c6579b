"""Courts freeze, release, deduct, on both sides (RG-15, RG-16, RG-23, E51, U26, ST-10)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, OrderStatus, Phase, Side, commands
from registry.directives import key_of
from registry.errors import RefusalError, StopError
from registry.institution import Holding, Registry
from registry.statements import HoldingLine
from tests.unit.registry.registry_venue import DATES, REFERENCE_TICKS, Venue

ORDER: dict[str, Any] = {"account": 0, "vintage": "CEA", "document": "court 7/2021"}


def held(venue: Venue, account: int) -> Holding:
    return venue.registry.balances(account).holdings["CEA"]


def listing(venue: Venue, qty: int) -> int:
    listed = venue.do(
        Kind.LIST,
        account=0,
        instrument=0,
        side=Side.SELL,
        price_ticks=REFERENCE_TICKS,
        qty_tonnes=qty,
    )
    return int(listed[0]["order_no"])


def test_frozen_on_the_registry_side_it_counts_and_does_not_move_rg_15_rg_16(
    registry: Registry,
) -> None:
    venue = Venue(registry)
    venue.fund(2)
    position = held(venue, 0).position
    done = venue.hand("freeze", side="registry", qty_tonnes=9_000, **ORDER)
    assert (done.status, done.outcome, done.directive) == ("approved", "done", None)
    assert held(venue, 0) == Holding(1_000, 0, 10_000, judicial=9_000)
    assert held(venue, 0).position == position
    with pytest.raises(RefusalError, match="insufficient_holding"):
        registry.transfer_in(0, "CEA", 1_001)
    use = venue.ask(
        "cancel_voluntarily",
        account=0,
        vintage="CEA",
        qty_tonnes=1_001,
        purpose="voluntary",
        document="d",
    )
    with pytest.raises(RefusalError, match="insufficient_holding"):
        venue.approve(use)
    with pytest.raises(RefusalError, match="insufficient_holding"):
        venue.hand("release", side="registry", qty_tonnes=9_001, **ORDER)
    venue.hand("release", side="registry", qty_tonnes=8_999, **ORDER)
    venue.approve(use)  # what was released may be used
    assert held(venue, 0) == Holding(8_998, 0, 10_000, judicial=1, cancelled=1_001)
    assert [notice.kind for notice in registry.notices(0)] == ["court", "court"]
    venue.sound()


def test_deducted_to_a_buyer_who_emits_nothing_without_a_trade_e51_rg_15(
    registry: Registry,
) -> None:
    venue = Venue(registry)
    venue.fund(2)
    [buyer] = registry.open_accounts([("TRUST", "A trust")], kind="other")
    venue.instruct()
    venue.open_day(DATES[0])
    prices = venue.state.instruments.copy()
    venue.hand("freeze", side="registry", qty_tonnes=700, **ORDER)
    venue.hand("deduct", side="registry", qty_tonnes=700, new_owner=buyer, **ORDER)
    assert held(venue, 0) == Holding(9_300, 0, 10_000)
    assert held(venue, buyer) == Holding(700)
    assert (venue.state.instruments == prices).all()
    assert [notice.kind for notice in registry.notices()] == ["court"]  # the public is told
    assert "700 t" in registry.notices()[0].sentence
    registry.transfer_in(buyer, "CEA", 700)
    venue.instruct()
    venue.trade(buyer, 1, 700)  # RG-23: it was not bought
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    venue.sound()


def test_frozen_on_the_trading_side_orders_give_way_u26_rg_15(venue: Venue) -> None:
    venue.trade(0, 1, 2_000)
    orders = [listing(venue, 3_000), listing(venue, 3_000)]
    done = venue.hand("freeze", side="trading", qty_tonnes=4_000, **ORDER)
    assert (done.status, done.outcome) == ("approved", "done")
    rows = [number - int(venue.state.market[0]["order_base"]) for number in orders]
    statuses = venue.state.orders["status"][rows].tolist()
    assert statuses == [OrderStatus.OPEN, OrderStatus.CANCELLED]
    assert held(venue, 0) == Holding(10_000, 0, 6_000, trading_judicial=4_000)
    venue.sound()
    out = venue.do(Kind.TRANSFER_OUT, account=0, instrument=0, qty_tonnes=1_001)
    assert out[0]["reason"] == Reason.INSUFFICIENT_HOLDING
    venue.close_day()
    assert venue.settle() == Phase.POSTED  # what was executed is settled
    told = venue.registry.statement(0, DATES[0])
    assert told is not None
    assert told.holdings[0] == HoldingLine("CEA", 0, 10_000, 0, 0, 2_000, 4_000, 4_000)
    assert held(venue, 0).trading_judicial == 4_000
    venue.open_day(DATES[1])
    venue.hand("release", side="trading", qty_tonnes=1_500, **ORDER)
    venue.hand("deduct", side="trading", qty_tonnes=2_500, new_owner=3, **ORDER)
    assert held(venue, 0) == Holding(10_000, 0, 5_500)
    assert held(venue, 3).registry_available == 12_500
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    venue.sound()


def test_the_exchange_refuses_and_everybody_learns_it(venue: Venue) -> None:
    done = venue.hand("freeze", side="trading", qty_tonnes=10_001, **ORDER)
    assert (done.status, done.outcome, done.reason) == (
        "approved",
        "refused",
        "insufficient_holding",
    )
    assert held(venue, 0).trading_judicial == 0
    assert "insufficient_holding" in venue.registry.notices(0)[-1].sentence
    assert len(venue.registry.pending_commands(venue.state)) == 0


def test_a_court_order_waits_while_the_exchange_rests_st_16(venue: Venue) -> None:
    venue.close_day()
    done = venue.hand("freeze", side="trading", qty_tonnes=10, **ORDER)
    assert done.outcome == "pending"
    assert len(venue.registry.pending_commands(venue.state)) == 0
    venue.settle()
    venue.instruct()
    assert venue.registry.approvals.find(done.number).outcome == "done"
    venue.sound()


def test_an_order_that_met_the_close_is_sent_again(venue: Venue) -> None:
    done = venue.approve(venue.ask("freeze", side="trading", qty_tonnes=10, **ORDER))
    batch = venue.registry.pending_commands(venue.state)
    venue.close_day()
    events = venue.submit(batch)
    assert events[0]["reason"] == Reason.PHASE_CLOSED
    assert venue.registry.approvals.find(done.number).outcome == "pending"
    venue.settle()
    venue.instruct()
    assert held(venue, 0).trading_judicial == 10
    for commands_, events in venue.tape:  # a restart hears everything again
        venue.registry.absorb(commands_, events, venue.codes)
    assert held(venue, 0).trading_judicial == 10
    venue.sound()


def test_a_restart_hears_the_journal_and_sends_nothing_twice(venue: Venue) -> None:
    """The exchange has done it, the registry died before it heard: absorb, then ask."""
    venue.approve(venue.ask("freeze", side="trading", qty_tonnes=60, **ORDER))
    batch = venue.registry.pending_commands(venue.state)
    assert batch["client_order_id"].tolist() == [b"I1"]
    assert (batch["operator"][0], batch["checker"][0]) == (1, 2)
    venue.submit(batch, heard=False)
    assert len(venue.registry.pending_commands(venue.state)) == 1
    for commands_, events in venue.tape * 2:
        venue.registry.absorb(commands_, events, venue.codes)
    assert len(venue.registry.pending_commands(venue.state)) == 0
    assert held(venue, 0).trading_judicial == 60
    venue.sound()


def test_a_second_answer_to_one_directive_stops_f32(venue: Venue) -> None:
    venue.approve(venue.ask("freeze", side="trading", qty_tonnes=60, **ORDER))
    batch = venue.registry.pending_commands(venue.state)
    venue.submit(batch)
    with pytest.raises(StopError, match="directive_twice"):
        venue.submit(batch)
    assert held(venue, 0).trading_judicial == 60


@pytest.mark.parametrize("field", ["account", "qty_tonnes", "operator", "instrument", "kind"])
def test_a_borrowed_key_answers_nothing(venue: Venue, field: str) -> None:
    """Somebody else's command under the key of a pending directive is not that directive."""
    venue.do(Kind.FREEZE_HOLDING, account=1, instrument=1, qty_tonnes=99, operator=7, checker=8)
    done = venue.approve(venue.ask("freeze", side="trading", qty_tonnes=60, **ORDER))
    batch = venue.registry.pending_commands(venue.state)
    other = {
        "account": 1,
        "qty_tonnes": 61,
        "operator": 3,
        "instrument": 1,
        "kind": Kind.RELEASE_HOLDING,
    }
    batch[field] = other[field]
    venue.submit(batch)
    assert venue.registry.approvals.find(done.number).outcome == "pending"
    venue.instruct()
    assert venue.registry.approvals.find(done.number).outcome == "done"
    venue.sound()


def test_what_the_exchange_froze_and_deducted_by_itself_is_followed(venue: Venue) -> None:
    two: dict[str, Any] = {"account": 2, "instrument": 0, "operator": 7, "checker": 8}
    venue.do(Kind.FREEZE_HOLDING, qty_tonnes=500, **two)
    venue.do(Kind.RELEASE_HOLDING, qty_tonnes=100, **two)
    venue.do(Kind.DEDUCT_HOLDING, qty_tonnes=300, **two)
    assert held(venue, 2) == Holding(10_000, 0, 9_600, judicial=300, trading_judicial=100)
    venue.sound()
    venue.hand("deduct", **{**ORDER, "account": 2}, side="registry", qty_tonnes=300, new_owner=1)
    assert held(venue, 1).registry_available == 10_300
    venue.close_day()
    assert venue.settle() == Phase.POSTED
    venue.sound()


def test_altered_content_under_a_seq_stops_f32(venue: Venue) -> None:
    two: dict[str, Any] = {"account": 2, "instrument": 0, "operator": 7, "checker": 8}
    events = venue.do(Kind.FREEZE_HOLDING, qty_tonnes=500, **two)
    batch = venue.tape[-1][0]
    altered = events.copy()
    altered["qty_tonnes"] = 501
    with pytest.raises(StopError, match="inbox_differs"):
        venue.registry.absorb(batch, altered, venue.codes)
    altered = events.copy()
    batch = batch.copy()
    altered["seq"] = batch["seq"] = 10**6
    altered["qty_tonnes"] = 10_001
    assert altered[0]["kind"] == Event.HOLDING_FROZEN
    with pytest.raises(StopError, match="out_uncovered"):
        venue.registry.absorb(batch, altered, venue.codes)
    venue.sound()


def test_orders_that_cannot_be(venue: Venue) -> None:
    for code, action, values in (
        ("side_invalid", "freeze", {"side": "moon"}),
        ("same_account", "deduct", {"side": "registry", "new_owner": 0}),
        ("insufficient_holding", "deduct", {"side": "registry", "new_owner": 1}),
    ):
        asked = venue.ask(action, **ORDER, qty_tonnes=5, **values)
        with pytest.raises(RefusalError, match=rf"\[{code}\]$"):
            venue.approve(asked)
    assert key_of(12) == b"I12"
    assert commands(1)["client_order_id"][0] == b""
    assert held(venue, 0) == Holding(10_000, 0, 10_000)
    assert np.size(venue.registry.pending_commands(venue.state)) == 0
