"""The question about starts and replays: its figures, and that a wrong journal gives none."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from benchmarks import recovery
from benchmarks.journal_day import Morning, day_after, furnish, morning, write
from benchmarks.recovery import QUICK, StartError, Written, WrongError, apply_s, replay_s, run_start
from gateway.journal.journal import SUFFIX, JournalDamageError
from gateway.journal.segments import BATCH_HEAD_BYTES, HEADER_BYTES, RECORD_BYTES

SMALL = replace(QUICK, commands=(200, 1_500), accounts=20, tail=100, runs=1)


@pytest.fixture(scope="module")
def day() -> Morning:
    return morning(1_500, seed=4, accounts=20)


@pytest.fixture
def row(tmp_path: Path, day: Morning) -> Written:
    furnish(tmp_path, 20)
    write(tmp_path, day.commands, batch=100)
    return Written(tmp_path, day, [], [], [], [])


def flip(folder: Path, at: int) -> None:
    (segment,) = (folder / "journal").glob(f"*{SUFFIX}")
    raw = bytearray(segment.read_bytes())
    raw[at] ^= 1
    segment.write_bytes(raw)


def test_a_journal_is_played_and_started_from_to_the_same_digest(row: Written) -> None:
    assert replay_s(row) > 0
    assert apply_s(row.day) > 0
    said = run_start(row)
    assert said["digest"] == row.day.digest
    stages = said["stages"]
    assert {"interpreter", "imports", "opening", "kernels", "reading", "applying"} <= stages.keys()
    assert {"feed", "record", "registry", "tasks"} <= stages.keys()
    assert sum(stages.values()) == pytest.approx(said["ready_s"], rel=0.1), "nothing is left out"


def test_a_start_leaves_the_journal_as_it_was(row: Written) -> None:
    before = [path.read_bytes() for path in sorted((row.folder / "journal").glob(f"*{SUFFIX}"))]
    run_start(row)
    run_start(row)
    after = [path.read_bytes() for path in sorted((row.folder / "journal").glob(f"*{SUFFIX}"))]
    assert after == before


def test_a_lost_command_is_seen(tmp_path: Path, day: Morning) -> None:
    furnish(tmp_path, 20)
    write(tmp_path, day.commands[:-1])
    row = Written(tmp_path, day, [], [], [], [])
    with pytest.raises(WrongError, match="commands were replayed"):
        replay_s(row)
    with pytest.raises(WrongError, match="another exchange"):
        run_start(row)


def test_another_digest_is_seen(row: Written) -> None:
    row.day = replace(row.day, digest="0" * 64)
    with pytest.raises(WrongError, match="another exchange"):
        replay_s(row)
    with pytest.raises(WrongError, match="another digest"):
        apply_s(row.day)


def test_a_command_that_was_altered_before_it_was_written_is_seen(
    tmp_path: Path, day: Morning
) -> None:
    rows = day.commands.copy()
    rows["qty_tonnes"][np.flatnonzero(rows["qty_tonnes"] > 1)[-1]] += 1
    furnish(tmp_path, 20)
    write(tmp_path, rows)
    with pytest.raises(WrongError):
        replay_s(Written(tmp_path, day, [], [], [], []))


def test_a_flipped_byte_is_seen_and_told_without_a_path(row: Written) -> None:
    flip(row.folder, HEADER_BYTES + BATCH_HEAD_BYTES + 3 * RECORD_BYTES + 40)
    with pytest.raises(JournalDamageError):
        replay_s(row)
    with pytest.raises(StartError, match="damaged") as said:
        run_start(row)
    assert str(row.folder) not in str(said.value)


def test_a_day_that_ended_is_started_from_its_snapshot(row: Written) -> None:
    after = day_after(row.folder, row.day, 100, 5, 20)
    assert after.trades > 0, "the next day trades"
    row.day = after
    said = run_start(row)
    assert said["digest"] == after.digest
    shutil.rmtree(row.folder / "snapshots")
    assert run_start(row)["digest"] == after.digest, "and from the beginning just the same"


def test_the_question_is_answered_with_figures_that_can_be_kept() -> None:
    figures = json.loads(json.dumps(recovery.measure(SMALL, lambda _line: None)))
    assert figures["replay_commands_per_second"] > 0
    assert figures["recovery_1m_s"] > 0
    assert figures["snapshot_start_s"] > 0
    assert [row["commands"] - figures["rows"][0]["commands"] for row in figures["rows"]][1] == 1_300
    for name in ("replay_over_apply", "replay_over_read"):
        ratio = figures["ratios"][name]
        assert ratio["better"] == "lower"
        assert 0 < ratio["min"] <= ratio["value"] <= ratio["max"]
    for series in figures["series"]:
        assert (
            len(series["x"]) == len(series["y"]) == len(series["low"]) == len(series["high"]) == 2
        )
    console = Console(width=140, record=True)
    recovery.show(figures, console)
    assert "from a snapshot" in console.export_text()
