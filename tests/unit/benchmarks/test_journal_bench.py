"""The question about the journal: its figures, and that a journal that lies gives none."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks import journal
from benchmarks.journal import QUICK, WrongError, check
from benchmarks.journal_day import Morning, morning
from benchmarks.journal_feeding import STORES, TOLD, WAYS, Fed, UnsyncedDisk, feed
from engine.exchange import Exchange
from engine.records import Event, Kind
from gateway.journal.journal import SUFFIX, Journal, JournalDamageError, JournalWriteError
from gateway.journal.segments import BATCH_HEAD_BYTES, HEADER_BYTES, RECORD_BYTES

SMALL = replace(QUICK, commands=600, syncs=3, batches=(1, 10), accounts=20, runs=2)


@pytest.fixture(scope="module")
def day() -> Morning:
    return morning(600, seed=3, accounts=20)


def test_the_morning_holds_both_markets_and_every_order_finds_what_it_names(day: Morning) -> None:
    orders = day.commands[day.opening :]
    assert set(orders["kind"]) == {Kind.ADD, Kind.AMEND, Kind.CANCEL, Kind.LIST, Kind.TAKE}
    assert len(set(orders["client_order_id"].tolist())) == len(orders) == 600
    assert (orders["instrument"][0::2] == 0).all()
    assert (orders["instrument"][1::2] == 1).all()
    exchange = Exchange()
    events = exchange.apply(day.commands)
    assert not (events["kind"] == Event.REFUSED).any(), "a refusal is cheaper than a command"
    assert exchange.digest() == day.digest
    assert len(exchange.trades_today()) > 50


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("store", STORES)
def test_every_way_into_every_store_makes_the_same_exchange(
    tmp_path: Path, day: Morning, store: str, way: str
) -> None:
    fed = feed(tmp_path, day, store, way)
    assert fed.commands == 600
    assert sum(fed.batch_rows) == (0 if store == "memory" else 600)
    if store != "memory":
        check(tmp_path, day, fed)


def test_everybody_may_be_told(tmp_path: Path, day: Morning) -> None:
    for who in TOLD:
        folder = tmp_path / who
        folder.mkdir()
        check(folder, day, feed(folder, day, "durable", "enter_many", who))


def test_a_command_that_the_journal_has_lost_is_seen(tmp_path: Path, day: Morning) -> None:
    shorter = replace(day, commands=day.commands[:-1])
    with pytest.raises(WrongError, match="holds"):
        check(tmp_path, day, feed(tmp_path, shorter, "durable", "enter_many"))


def test_a_command_too_many_is_seen(tmp_path: Path, day: Morning) -> None:
    fed = feed(tmp_path, day, "durable", "enter_many")
    with pytest.raises(WrongError, match="one too many"):
        check(tmp_path, replace(day, commands=day.commands[:-1]), fed)


@pytest.mark.parametrize("name", ["qty_tonnes", "client_order_id"])
def test_another_command_is_seen(tmp_path: Path, day: Morning, name: str) -> None:
    fed = feed(tmp_path, day, "durable", "enter")
    other = replace(day, commands=day.commands.copy())
    other.commands[name][-5] = 7
    with pytest.raises(WrongError, match="not those that were entered"):
        check(tmp_path, other, fed)


def test_another_digest_is_seen(tmp_path: Path, day: Morning) -> None:
    fed = feed(tmp_path, day, "durable", "enter_many")
    with pytest.raises(WrongError, match="another exchange"):
        check(tmp_path, day, replace(fed, digest="0" * 64))


def test_a_flipped_byte_is_seen(tmp_path: Path, day: Morning) -> None:
    fed = feed(tmp_path, day, "durable", "enter_many")
    (segment,) = tmp_path.glob(f"*{SUFFIX}")
    raw = bytearray(segment.read_bytes())
    raw[HEADER_BYTES + BATCH_HEAD_BYTES + 3 * RECORD_BYTES + 40] ^= 1
    segment.write_bytes(raw)
    with pytest.raises((JournalDamageError, WrongError)):
        check(tmp_path, day, fed)


def test_a_disk_that_fails_ends_the_run_and_says_so(
    tmp_path: Path, day: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(_disk: object, _descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(UnsyncedDisk, "sync", failing)
    with pytest.raises(JournalWriteError, match="Input/output error"):
        feed(tmp_path, day, "unsynced", "enter_many")


def test_batches_that_do_not_arrive_are_seen(
    tmp_path: Path, day: Morning, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = Journal.append

    def forgetful(self: Journal, records: bytes, first_seq: int) -> None:
        if first_seq != 5:
            append(self, records, self.last_seq + 1)

    monkeypatch.setattr(Journal, "append", forgetful)
    with pytest.raises(WrongError, match="holds 9 commands"):
        journal.append_all(tmp_path, [day.commands[at : at + 1] for at in range(10)])


def test_the_question_is_answered_with_figures_that_can_be_kept() -> None:
    figures = json.loads(json.dumps(journal.measure(SMALL, lambda _line: None)))
    assert figures["durable_commands_per_second"] > 0
    assert [row["batch"] for row in figures["one_sync_each"]] == [1, 10]
    assert figures["batch_commands"] > 1, "a batch gathers while the one before syncs"
    for name in ("durable_over_unsynced", "durable_over_memory", "told_over_durable"):
        ratio = figures["ratios"][name]
        assert ratio["better"] == "higher"
        assert ratio["min"] <= ratio["value"] <= ratio["max"]
    (series,) = figures["series"]
    assert series["x"] == [1, 10]
    assert len(series["low"]) == len(series["y"]) == len(series["high"]) == 2
    console = Console(width=120, record=True)
    journal.show(figures, console)
    said = console.export_text()
    assert "durable, told everybody" in said
    assert str(Path.home()) not in said


def test_a_percentile_is_a_value_that_was_seen() -> None:
    assert journal._percentile([3e-6, 1e-6, 2e-6], 50) == pytest.approx(2)
    assert journal._percentile([n / 1e6 for n in range(1, 101)], 99) == pytest.approx(99)
    assert Fed(1.0, 2, "").syncs_s == []
