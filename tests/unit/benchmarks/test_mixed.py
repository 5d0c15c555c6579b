"""Three modalities in one stream: the maker's own count is right, and a wrong engine is caught."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from benchmarks import flow_mixed, mixed, scaling
from benchmarks.flow_mixed import Mix, cleared
from benchmarks.scaling import WrongError
from engine import bidding, bulk
from engine.outcome import Outcome
from engine.records import Event, Kind, Modality, Pricing
from engine.state import Array, State
from tests.unit.benchmarks.figures import well_formed

TINY = mixed.Size(
    messages=2_000, negotiated_messages=1_000, runs=2, resting=300, accounts=60, seed=4
)
HEAVY = Mix(bulk=0.4, bidding=0.1)


def a_day(count: int = 2_000) -> mixed.Day:
    return mixed.made("negotiated", flow_mixed.mixed(count, HEAVY, 4, 300, 60))


def test_the_mix_is_as_stated_and_every_kind_of_negotiated_trading_occurs() -> None:
    stream = flow_mixed.mixed(6_000, HEAVY, 4, 300, 60)
    kinds = stream.commands["kind"]
    bulk_share = np.isin(kinds, range(Kind.BULK_OFFER, Kind.BULK_WITHDRAW + 1)).mean()
    bidding_share = np.isin(kinds, range(Kind.APPLY_SESSION, Kind.CLOSE_SESSION + 1)).mean()
    assert abs(bulk_share - 0.4) < 0.02
    assert abs(bidding_share - 0.1) < 0.02
    negotiated = set(range(Kind.BULK_OFFER, Kind.BULK_WITHDRAW + 1))
    negotiated |= set(range(Kind.APPLY_SESSION, Kind.CLOSE_SESSION + 1)) - {Kind.REJECT_SESSION}
    assert negotiated <= set(kinds.tolist())
    assert {Modality.LISTED, Modality.BULK, Modality.AUCTION} == set(stream.expected)


def test_nothing_is_refused_and_every_deal_is_the_one_that_was_counted() -> None:
    day = a_day()
    play = mixed.check(day)
    assert play.refused == 0
    trades = play.exchange.trades_today()
    for modality, (count, tonnes, turnover) in day.stream.expected.items():
        mine = trades[trades["modality"] == modality]
        assert len(mine) == count > 0
        assert mine["qty_tonnes"].sum() == tonnes
        assert (mine["qty_tonnes"] * mine["price_ticks"].astype(np.int64)).sum() == turnover
    assert len(trades) == sum(count for count, _, _ in day.stream.expected.values())


def test_the_listed_part_alone_makes_the_same_listed_deals() -> None:
    day = a_day()
    alone = scaling.play_engine(day.ready, day.stream.alone).exchange.trades_today()
    trades = mixed.check(day).exchange.trades_today()
    listed = trades[trades["modality"] == Modality.LISTED]
    for name in ("qty_tonnes", "price_ticks", "buyer", "seller"):
        np.testing.assert_array_equal(alone[name], listed[name])


def test_a_sale_is_cleared_dearest_first_then_earliest() -> None:
    bids = [(100, 4), (102, 3), (100, 5), (101, 2)]
    assert cleared(bids, 9, Pricing.PAY_AS_BID) == [(102, 3), (101, 2), (100, 4)]
    assert cleared(bids, 9, Pricing.UNIFORM) == [(100, 3), (100, 2), (100, 4)]
    assert cleared(bids, 4, Pricing.UNIFORM) == [(101, 3), (101, 1)]
    assert cleared(bids, 100, Pricing.UNIFORM) == [(100, 3), (100, 2), (100, 4), (100, 5)]
    assert cleared([], 9, Pricing.UNIFORM) == []


def test_an_engine_that_serves_the_latest_bid_first_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = bidding.ranked
    monkeypatch.setattr(bidding, "ranked", lambda state, row: honest(state, row)[::-1])
    with pytest.raises(WrongError, match=r"AUCTION: .* the maker"):
        mixed.check(a_day())


def test_an_engine_that_counts_a_bulk_deal_at_another_price_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    honest = bulk._trade

    def wrong(state: State, c: Array, talk: Any, terms: tuple[int, int], outcome: Outcome) -> None:
        honest(state, c, talk, terms, outcome)
        state.trades["price_ticks"][int(state.market[0]["trades"]) - 1] += 1

    monkeypatch.setattr(bulk, "_trade", wrong)
    with pytest.raises(WrongError, match=r"BULK: .* the maker"):
        mixed.check(a_day())


def test_money_that_is_lost_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = scaling.Exchange.fork

    def thief(exchange: scaling.Exchange) -> scaling.Exchange:
        twin = honest(exchange)
        twin.state.accounts["cash_available_fen"][3] -= 1
        return twin

    monkeypatch.setattr(scaling.Exchange, "fork", thief)
    with pytest.raises(WrongError, match="I3"):
        mixed.check(a_day(400))


def test_a_refusal_is_caught() -> None:
    day = a_day(400)
    offers = day.stream.commands["kind"] == Kind.BULK_OFFER
    day.stream.commands["qty_tonnes"][offers] = 1  # TR-12
    with pytest.raises(WrongError, match="refused"):
        mixed.check(day)


def test_clocks_around_plain_python_change_nothing() -> None:
    day = a_day(600)
    plain = scaling.play_engine(day.ready, day.stream).exchange
    play = scaling.play_engine(mixed.clocked(day.ready), day.stream)
    assert play.exchange.digest() == plain.digest()
    assert isinstance(play.exchange, mixed.ClockedExchange)
    cold = set(day.stream.commands["kind"].tolist()) - {Kind.LIST, Kind.TAKE, Kind.CANCEL}
    assert set(play.exchange.spent_s) == cold
    assert 0 < sum(play.exchange.spent_s.values()) < play.seconds
    events = day.ready.fork().apply(day.stream.commands)
    assert not (events["kind"] == Event.REFUSED).any()


def test_the_figures_are_complete() -> None:
    figures = mixed.measure(TINY, lambda _line: None)
    well_formed(figures)
    assert [plot["name"] for plot in figures["series"]] == ["mixed_busy", "mixed_negotiated"]
    assert figures["series"][0]["x"][-1] == 2_000
    for name in mixed.MIXES:
        assert figures[f"{name}_commands_per_second"] > 0
        kinds = figures[name]["kinds"]
        counted = sum(row["count"] for kind, row in kinds.items() if kind != "between")
        assert counted == figures[name]["messages"]
    shown = io.StringIO()
    mixed.show(figures, Console(file=shown, width=120))
    assert "close session" in shown.getvalue()
