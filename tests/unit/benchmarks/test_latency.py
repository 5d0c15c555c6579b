"""One command per call: the same state as batches, every call counted, the loops comparable."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from benchmarks import latency, mixed, scaling
from benchmarks.latency import Asked, WrongError, alike, clocked_loop, loop
from engine.exchange import Exchange
from engine.records import Kind, Mode
from engine.state import Array
from tests.unit.benchmarks.figures import well_formed

TINY = latency.Size(
    messages=300, bulk_messages=100, runs=2, resting=200, accounts=40, batches=(1, 16, 256)
)


def a_stream() -> Asked:
    stream = latency.deep(300, Mode.PRICE_TIME, 1, resting=100, accounts=40)
    return Asked("price_time", stream, scaling.filled(stream, Mode.PRICE_TIME))


def test_loops_call_once_per_row_and_in_order() -> None:
    seen: list[int] = []
    assert loop(seen.append, [3, 1, 2]) > 0
    took = clocked_loop(seen.append, [5, 4])
    assert seen == [3, 1, 2, 5, 4]
    assert took.shape == (2,)
    assert (took > 0).all()


@pytest.mark.parametrize("batch", [1, 7, 1_000])
def test_the_commands_are_numbered_on_and_cut_without_a_gap(batch: int) -> None:
    asked = a_stream()
    rows = asked.rows(batch)
    seq = np.concatenate([row["seq"] for row in rows])
    np.testing.assert_array_equal(seq, asked.ready.seq + 1 + np.arange(300))
    assert {len(row) for row in rows[:-1]} <= {batch}


def test_an_engine_that_differs_when_commands_come_alone_is_caught(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = a_stream()
    alike(asked)
    honest = Exchange.apply

    def wrong(exchange: Exchange, batch: Array) -> Array:
        if len(batch) == 1 and batch[0]["kind"] == Kind.CANCEL:
            batch = batch.copy()
            batch["kind"] = Kind.NOOP
        return honest(exchange, batch)

    monkeypatch.setattr(Exchange, "apply", wrong)
    with pytest.raises(WrongError, match="another state"):
        alike(asked)


def test_a_wrong_figure_stops_the_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mixed, "violations", lambda state: ["I1: a tonne too many"])
    with pytest.raises(WrongError, match="a tonne too many"):
        latency.measure(TINY, lambda _line: None)


def test_the_figures_are_complete() -> None:
    figures = latency.measure(TINY, lambda _line: None)
    well_formed(figures)
    assert set(figures["kinds"]) == {"price_time", "listed", "bulk"}
    assert {"add", "cancel", "amend"} == set(figures["kinds"]["price_time"])
    assert {"list", "take", "cancel"} == set(figures["kinds"]["listed"])
    assert {"bulk_offer", "bulk_accept"} <= set(figures["kinds"]["bulk"])
    for name, count in (("price_time", 600), ("listed", 600), ("bulk", 200)):
        rows = figures["kinds"][name].values()
        assert sum(row["calls"] for row in rows) == count, "every call of every run"
        for row in rows:
            ordered = [row[head] for head in ("p50", "p90", "p99", "p999", "max")]
            assert ordered == sorted(ordered)
            assert row["p50"] > figures["bare_loop_ns"], "a command is more than a loop"
    assert [plot["x"] for plot in figures["series"]] == [[1, 16, 256]] * 2
    shown = io.StringIO()
    latency.show(figures, Console(file=shown, width=140))
    assert "bulk offer" in shown.getvalue()
