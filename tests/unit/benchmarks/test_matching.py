"""The benchmark measures what it says: the streams' mix, the yardstick's correctness, the keys."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from typer.testing import CliRunner

from benchmarks.flow import listed, price_time
from benchmarks.matching import play_engine, prepared
from benchmarks.yardstick import ADD, BUY, CANCEL, REDUCE, REPLACE, SELL, TAKE, PlainBook
from engine.records import Event, Kind, Mode
from tanshi import app


def shares(kinds: np.ndarray) -> dict[Kind, float]:
    return {Kind(kind): float((kinds == kind).mean()) for kind in np.unique(kinds)}


def test_the_price_time_stream_is_mixed_as_stated() -> None:
    stream = price_time(30_000, seed=3)
    mix = shares(stream.commands["kind"])
    assert abs(mix[Kind.ADD] - 0.60) < 0.02
    assert abs(mix[Kind.CANCEL] - 0.35) < 0.02
    assert abs(mix[Kind.AMEND] - 0.05) < 0.01
    assert stream.accounts == 3_500


def test_about_a_quarter_of_the_adds_trade() -> None:
    stream = price_time(30_000, seed=3)
    exchange = prepared(stream, Mode.PRICE_TIME)
    batch = stream.commands.copy()
    batch["seq"] += exchange.seq
    batch["time_ns"] += exchange.seq
    events = exchange.apply(batch)
    takers = len(np.unique(events["seq"][events["kind"] == Event.TRADED]))
    assert abs(takers / (stream.commands["kind"] == Kind.ADD).sum() - 0.25) < 0.03
    limits = exchange.state.instruments[0]
    assert limits["upper_limit_ticks"] - limits["lower_limit_ticks"] + 1 == 2_001
    assert not (events["kind"] == Event.REFUSED).any(), "a refusal is cheaper than a command"


def test_the_listed_stream_is_mixed_as_stated_and_nothing_is_refused() -> None:
    stream = listed(20_000, seed=4)
    mix = shares(stream.commands["kind"])
    assert abs(mix[Kind.LIST] - 0.50) < 0.02
    assert abs(mix[Kind.TAKE] - 0.25) < 0.02
    assert abs(mix[Kind.CANCEL] - 0.25) < 0.02
    played = play_engine(prepared(stream, Mode.LISTED), stream, audit=True)
    assert played.trades == (stream.commands["kind"] == Kind.TAKE).sum()


def test_a_seed_makes_one_stream() -> None:
    first, again, other = (price_time(2_000, seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first.commands, again.commands)
    assert first.messages == again.messages
    assert first.messages != other.messages


def test_the_yardstick_matches_by_price_then_time() -> None:
    book = PlainBook()
    book.play(
        [
            (ADD, 1, SELL, 101, 5),
            (ADD, 2, SELL, 100, 5),
            (ADD, 3, SELL, 100, 5),
            (REDUCE, 3, SELL, 100, 2),
            (ADD, 4, BUY, 101, 9),  # 5 of number 2, 3 of number 3, 1 of number 1
        ]
    )
    assert (book.trades, book.volume) == (3, 9)
    assert book.checksum == 2 * 5 + 3 * 3 + 1 * 1
    book.play([(REPLACE, 1, SELL, 99, 4), (CANCEL, 1, SELL, 99, 0), (ADD, 5, BUY, 120, 1)])
    assert book.trades == 3, "a cancelled order is no phantom"
    book.play([(TAKE, 5, BUY, 0, 1)])
    assert book.checksum == 20 + 5
    assert not book.orders
    assert not book.sides[BUY]


def test_the_command_writes_the_promised_keys(tmp_path: Path) -> None:
    file = tmp_path / "figures" / "matching.json"
    result = CliRunner().invoke(
        app, ["bench", "matching", "--messages", "5000", "--runs", "1", "--json", str(file)]
    )
    assert result.exit_code == 0, result.output
    figures = json.loads(file.read_text())
    promised = {
        *("messages", "ns_per_command", "commands_per_second", "yardstick_ratio"),
        *("listed_ratio", "listed_commands_per_second", "trades", "checksum"),
        *("peak_rss_mib", "warmup_s"),
    }
    assert promised <= set(figures)
    assert figures["messages"] == 5_000
    assert figures["checksum"] > 0
    assert all(figures[key] > 0 for key in promised)
