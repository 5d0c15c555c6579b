"""The tool that makes failing tapes short, and the voice of the comparison, work when needed."""

from __future__ import annotations

from random import Random

import pytest

from engine.records import Kind
from tests import nightly
from tests.property import shrink
from tests.property.agreement import first_difference
from tests.tapes import Tape


def test_only_what_is_needed_is_left(base_seed: int) -> None:
    """Of 300 commands the two that make a made-up failure stay, in their order."""
    tape = Tape(base_seed * 1_000 + 970)
    commands = [tape.step()[0] for _ in range(300)]
    first, second = sorted(Random(base_seed).sample(range(300), 2))
    needed = [commands[first], commands[second]]

    def fails(candidate: list[dict[str, object]]) -> bool:
        return [command for command in candidate if command in needed] == needed

    assert shrink.shrink(commands, fails) == needed


def test_a_sound_tape_has_no_difference(base_seed: int) -> None:
    """The engine and the twin agree when commands are left out."""
    tape = Tape(base_seed * 1_000 + 971)
    commands = [tape.step()[0] for _ in range(400)]
    assert shrink.difference(commands) is None
    assert shrink.describe(commands[0]).split()[0] in Kind.__members__


def test_a_differing_field_is_named() -> None:
    """One field, a missing event, an event too many: each is said plainly."""
    row = tuple(range(28))
    other = (*row[:10], 99, *row[11:])
    assert first_difference([row], [row]) is None
    assert "other_fee_fen" in str(first_difference([row], [other]))
    assert "only one side" in str(first_difference([row], []))
    assert "only one side" in str(first_difference([], [row]))


def test_the_nightly_table_counts_and_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Runs, failures, bound and exit status; one row's exception does not stop the next."""
    assert nightly.main(["--commands", "1000", "--seed", "3"]) == 0
    assert "1,000" in capsys.readouterr().out

    def broken(plan: nightly.Plan, row: nightly.Row) -> None:
        raise ArithmeticError("wrapped around")

    def sound(plan: nightly.Plan, row: nightly.Row) -> None:
        row.runs = 300

    monkeypatch.setattr(nightly, "ROWS", [("P4 broken", broken), ("P4 sound", sound)])
    assert nightly.main(["--commands", "1000"]) == 1
    said = capsys.readouterr().out
    assert "wrapped around" in said
    assert "< 1.0e-02" in said
