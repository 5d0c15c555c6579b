"""Long runs of listed orders are taken in by columns: nobody may notice (TR-101 … TR-105, TR-140).

The same events go event by event through one feed and by columns through another; every message,
every number, the books, bars and reports have to be the same.
"""

from __future__ import annotations

import numpy as np
import pytest

from engine.exchange import Exchange
from engine.records import Event
from marketdata import feed as feed_module
from marketdata import stretch
from marketdata import surveillance as surveillance_module
from marketdata.feed import Feed
from marketdata.messages import Message
from marketdata.surveillance import Surveillance
from tests.tapes import record

NEVER = 1 << 60


def absorbed(events: list[np.ndarray], long: int, monkeypatch: pytest.MonkeyPatch) -> object:
    """Return everything that a feed and the reports come to, taking in runs of ``long`` events."""
    for module in (feed_module, stretch, surveillance_module):
        monkeypatch.setattr(module, "LONG", long)
    feed = Feed()
    reports = Surveillance(feed.codes)
    told: list[Message] = []
    for batch in events:
        feed.absorb(batch)
        reports.absorb(batch)
        told += feed.flush()
    books = [
        (side.keys, side.tonnes, {key: list(level.items()) for key, level in side.levels.items()})
        for book in feed.books
        for side in (book.buy, book.sell)
    ]
    figures = [(line.line(), line.deals) for line in feed.figures.vintages]
    return (
        told,
        feed.seq,
        books,
        figures,
        feed.figures.composite_line(),
        feed.charts.rows(),
        feed.charts.tape.rows().tolist(),
        [feed.snapshot(row) for row in range(len(feed.codes))],
        [reports.report(date) for date in reports.dates],
    )


def played(seed: int, count: int, batch: int) -> list[np.ndarray]:
    commands, _ = record(seed, count)
    exchange = Exchange()
    return [exchange.apply(commands[at : at + batch]) for at in range(0, count, batch)]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("long", [1, 3, 8])
def test_by_columns_is_as_event_by_event(
    seed: int, long: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = played(seed, 1_500, 97)
    one_by_one = absorbed(events, NEVER, monkeypatch)
    assert absorbed(events, long, monkeypatch) == one_by_one


def test_the_tapes_hold_what_the_columns_take_in() -> None:
    kinds = np.concatenate(
        [batch["kind"] for seed in range(6) for batch in played(seed, 1_500, 97)]
    )
    for kind in ("ACCEPTED", "TRADED", "CANCELLED", "LAPSED", "PULLED", "AMENDED", "REFUSED"):
        assert (kinds == Event[kind]).sum() > 10, kind


def test_runs_are_cut_where_something_else_lies_between() -> None:
    chosen = np.array([True] * 3 + [False] * 2 + [True] * 2 + [False] + [True] * 4)
    events = np.arange(12)
    found = [(part.tolist(), plain) for part, plain in stretch.parts(events, chosen)]
    assert found == [(list(range(12)), False)], "all of them are too short"


def test_a_long_run_between_others_is_one_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stretch, "LONG", 3)
    chosen = np.array([True] * 3 + [False] * 2 + [True] * 2 + [False] + [True] * 4)
    found = [(part.tolist(), plain) for part, plain in stretch.parts(np.arange(12), chosen)]
    assert found == [([0, 1, 2], True), ([3, 4, 5, 6, 7], False), ([8, 9, 10, 11], True)]


@pytest.mark.parametrize("facts_max", [1, 7, 40, 10_000])
@pytest.mark.parametrize("seed", range(4))
def test_what_nobody_hears_is_numbered_like_what_is_told(
    seed: int, facts_max: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A start flushes rarely and makes no message that would be forgotten at once (P9)."""
    for module in (feed_module, stretch):
        monkeypatch.setattr(module, "LONG", 3)
    told, silent = Feed(facts_max=facts_max), Feed(facts_max=facts_max)
    made = 0
    for batch in played(seed, 1_500, 97):
        told.absorb(batch)
        made += len(told.flush())
        silent.absorb(batch)
    assert len(silent.flush(heard=False)) < made or facts_max == 10_000
    assert silent.seq == told.seq
    assert list(silent.history.facts) == list(told.history.facts)
    assert silent.history.forgotten_seq == told.history.forgotten_seq
    for row, code in enumerate(told.codes):
        assert silent.snapshot(row).trades == told.snapshot(row).trades
        assert silent.history.iseq(code) == told.history.iseq(code)
        assert silent.history.last("trade", code) == told.history.last("trade", code)
