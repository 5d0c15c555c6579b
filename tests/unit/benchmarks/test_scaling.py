"""Cost as the world grows: streams mean the same to both books; a wrong figure never counts."""

from __future__ import annotations

import dataclasses
import io
import random
from collections import deque
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from benchmarks import flow_deep, scaling
from benchmarks.flow_deep import DeepStream, PlainMarket, cancels, deep
from benchmarks.scaling import Size, WrongError, checked, filled, play_engine
from benchmarks.yardstick import BUY, SELL
from engine.exchange import Exchange
from engine.records import Kind, Mode, OrderStatus
from tests.unit.benchmarks.figures import well_formed

BOTH = pytest.mark.parametrize("mode", [Mode.PRICE_TIME, Mode.LISTED])
TINY = Size(
    messages=400,
    runs=2,
    yardstick_runs=1,
    resting=(50, 1_000, 2_000),
    instruments=(1, 3),
    accounts=(20, 60),
    cancels_resting=(100, 400),
    at_resting=200,
    at_accounts=40,
)


def shares(stream: DeepStream) -> dict[Kind, float]:
    kinds = stream.commands["kind"]
    return {Kind(kind): float((kinds == kind).mean()) for kind in np.unique(kinds)}


def final_books(exchange: Exchange) -> dict[int, tuple[int, int, int, int]]:
    """Order number -> (instrument, side, price, open quantity) of what rests in the engine."""
    orders = exchange.orders_today()
    rests = np.isin(orders["status"], (OrderStatus.OPEN, OrderStatus.PART_FILLED))
    names = ("instrument", "side", "price_ticks", "leaves_qty")
    return {
        int(row): tuple(int(orders[name][row]) for name in names)  # type: ignore[misc]
        for row in np.flatnonzero(rests)
    }


def plain_books(market: PlainMarket) -> dict[int, tuple[int, int, int, int]]:
    """The same of the plain books."""
    return {
        number: (at, order[1], abs(order[2]), order[3])
        for at, book in enumerate(market.books)
        for number, order in book.orders.items()
    }


@BOTH
def test_both_books_hold_the_same_orders_before_and_after(mode: Mode) -> None:
    stream = deep(3_000, mode, 7, resting=500, instruments=4, accounts=60)
    ready, market = filled(stream, mode), PlainMarket(stream.preload, 4)
    assert final_books(ready) == plain_books(market)
    assert len(plain_books(market)) == 500, "a preload does not meet itself"
    play = play_engine(ready, stream, batch=77)
    market.play(stream.places, stream.messages)
    assert play.refused == 0
    assert final_books(play.exchange) == plain_books(market)
    assert all(len(book.orders) for book in market.books)


@BOTH
@pytest.mark.parametrize("resting", [100, 3_000])
def test_a_book_stays_about_as_full_as_it_was(mode: Mode, resting: int) -> None:
    stream = deep(6_000, mode, 3, resting=resting, accounts=60)
    market = PlainMarket(stream.preload, 1)
    market.play(stream.places, stream.messages)
    assert abs(market.sums()[3] - resting) < 0.35 * resting


def test_the_price_time_stream_is_mixed_as_stated() -> None:
    stream = deep(30_000, Mode.PRICE_TIME, 3)
    mix = shares(stream)
    assert abs(mix[Kind.ADD] - 0.60) < 0.02
    assert abs(mix[Kind.CANCEL] - 0.35) < 0.02
    assert abs(mix[Kind.AMEND] - 0.05) < 0.01
    play = play_engine(filled(stream, Mode.PRICE_TIME), stream)
    takers = len(np.unique(play.exchange.trades_today()["seq"]))
    assert abs(takers / (stream.commands["kind"] == Kind.ADD).sum() - 0.25) < 0.05
    assert play.refused == 0


def test_the_listed_stream_is_mixed_as_stated() -> None:
    mix = shares(deep(30_000, Mode.LISTED, 3))
    assert abs(mix[Kind.LIST] - 0.50) < 0.03
    assert abs(mix[Kind.TAKE] - 0.25) < 0.02
    assert abs(mix[Kind.CANCEL] - 0.25) < 0.02


def test_cancels_are_of_orders_all_over_the_book_and_of_each_only_once() -> None:
    stream = cancels(5_000, Mode.PRICE_TIME, 3, 10_000)
    refs = stream.commands["ref"]
    assert len(np.unique(refs)) == 5_000
    assert 4_800 < refs.mean() < 5_200
    assert abs(np.corrcoef(refs, np.arange(5_000))[0, 1]) < 0.05, "in no order"
    assert shares(stream) == {Kind.CANCEL: 1.0}


@BOTH
def test_nobody_can_meet_an_own_order(mode: Mode) -> None:
    stream = deep(3_000, mode, 5, resting=300, accounts=20)
    for batch in (stream.preload, stream.commands):
        entries = batch[batch["side"] != 0]
        assert set(np.unique(entries["account"][entries["side"] == BUY] % 2)) == {0}
        assert set(np.unique(entries["account"][entries["side"] == SELL] % 2)) == {1}


def test_a_seed_makes_one_stream() -> None:
    first, again, other = (deep(1_000, Mode.PRICE_TIME, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.commands, again.commands)
    np.testing.assert_array_equal(first.preload, again.preload)
    assert first.messages == again.messages
    assert first.messages != other.messages


def test_ended_listings_are_swept_out_of_a_queue_that_is_full_of_them() -> None:
    queue = deque([[n, BUY, 1, 0] for n in range(500)])
    queue.append([500, BUY, 1, 3])
    assert flow_deep._alive(queue, random.Random(1))[0] == 500
    assert len(queue) == 1


@pytest.mark.parametrize("figure", ["trades", "volume", "checksum"])
def test_a_figure_on_which_the_books_differ_never_counts(
    monkeypatch: pytest.MonkeyPatch, figure: str
) -> None:
    honest = scaling.tally

    def wrong(trades: Any, took_s: float) -> Any:
        played = honest(trades, took_s)
        return dataclasses.replace(played, **{figure: getattr(played, figure) + 1})

    monkeypatch.setattr(scaling, "tally", wrong)
    stream = deep(300, Mode.PRICE_TIME, 1, resting=100, accounts=20)
    with pytest.raises(WrongError, match="the yardstick says"):
        checked("resting", 100, stream, Mode.PRICE_TIME)


def test_an_engine_that_forgets_a_cancel_is_caught() -> None:
    stream = cancels(50, Mode.LISTED, 1, 100, accounts=20)
    stream.commands["kind"][7] = Kind.NOOP
    with pytest.raises(WrongError, match="resting are"):
        checked("cancels", 100, stream, Mode.LISTED)


def test_a_refusal_is_caught() -> None:
    stream = deep(300, Mode.PRICE_TIME, 1, resting=100, accounts=20)
    stream.commands["account"][stream.commands["kind"] == Kind.CANCEL] = 1_000
    with pytest.raises(WrongError, match="refused"):
        checked("resting", 100, stream, Mode.PRICE_TIME)


def test_unsound_books_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scaling, "violations", lambda state: ["I3: a fen is missing"])
    stream = deep(300, Mode.PRICE_TIME, 1, resting=100, accounts=20)
    with pytest.raises(WrongError, match="a fen is missing"):
        checked("resting", 100, stream, Mode.PRICE_TIME)


def test_the_figures_are_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    since: list[int] = []
    honest = scaling.growth
    monkeypatch.setattr(
        scaling, "growth", lambda points, x: (since.append(x), honest(points, x))[1]
    )
    said: list[str] = []
    figures = scaling.measure(TINY, said.append)
    well_formed(figures)
    assert since == [1_000, 1_000, 0, 0, 0, 0, 0], "books grow from a thousand, others from least"
    axes = [f"{axis}_{mode}" for axis in scaling.AXES for mode in scaling.MODES] + ["cancels"]
    assert [plot["name"] for plot in figures["series"]] == [
        *axes[:-1],
        "cancels_price_time",
    ]
    for name in axes:
        assert figures["ratios"][f"growth_{name}"]["better"] == "lower"
        assert figures[f"growth_{name}"] == figures["ratios"][f"growth_{name}"]["value"]
    assert figures["series"][0]["x"] == [50, 1_000, 2_000]
    shown = io.StringIO()
    scaling.show(figures, Console(file=shown, width=120))
    assert "2,000" in shown.getvalue()
    assert f"x {figures['growth_cancels']:.2f}" in shown.getvalue()


def test_growth_of_the_books_is_counted_from_a_thousand() -> None:
    stream = cancels(10, Mode.LISTED, 1, 20, accounts=20)
    point = {
        x: scaling.Point(x, stream, Exchange(), 0, [seconds, 2 * seconds], [])
        for x, seconds in ((100, 1.0), (1_000, 2.0), (10_000, 3.0))
    }
    points = list(point.values())
    assert scaling.growth(points, 1_000) == [1.5, 1.5]
    assert scaling.growth(points, 0) == [3.0, 3.0]
