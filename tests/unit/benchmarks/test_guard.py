"""The guard warns of ratios that every run shows to be worse, and fails nobody for it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from benchmarks import guard, runner
from benchmarks.guard import GUARDED, LEAST_TOLERANCE, MOST_TOLERANCE
from tanshi import app

ROOT = Path(__file__).parents[3]
KEPT = ROOT / "docs" / "results" / "bench" / "guard.json"
TINY = {"matching": replace(GUARDED["matching"], changes={"messages": 2_000, "runs": 2})}


def ratio(value: float, low: float, high: float, better: str = "higher") -> dict[str, Any]:
    return {"value": value, "better": better, "min": low, "max": high}


def ratios(**each: dict[str, Any]) -> dict[str, Any]:
    return {"guard": 1, "machine": {}, "questions": {"matching": {"size": {}, "ratios": each}}}


def warns(kept: dict[str, Any], now: dict[str, Any]) -> bool:
    (found,) = guard.findings(ratios(r=kept), ratios(r=now))
    return found.warns


def test_equal_ratios_warn_of_nothing() -> None:
    for better in ("higher", "lower"):
        same = ratio(10, 9, 11, better)
        assert not warns(same, same)


@pytest.mark.parametrize(
    ("kept", "now", "warned"),
    [
        (ratio(10, 9.8, 10.2), ratio(7, 6.9, 7.1), True),
        (ratio(10, 9.8, 10.2), ratio(7, 6.9, 8.1), False),  # one run was nearly as good
        (ratio(10, 9.8, 10.2), ratio(8.5, 8.4, 8.6), False),
        (ratio(10, 9.8, 10.2), ratio(30, 29, 31), False),
        (ratio(10, 6.0, 10.2), ratio(7, 6.9, 7.1), False),  # kept runs reached that low too
        (ratio(10, 0.1, 10.2), ratio(4.5, 4.4, 4.6), True),  # but a restless hour allows half
        (ratio(2, 1.9, 2.1, "lower"), ratio(3, 2.9, 3.1, "lower"), True),
        (ratio(2, 1.9, 2.1, "lower"), ratio(3, 2.3, 3.1, "lower"), False),
        (ratio(2, 1.9, 2.1, "lower"), ratio(0.5, 0.4, 0.6, "lower"), False),
    ],
)
def test_a_ratio_is_worse_beyond_the_tolerance_in_its_best_run(
    kept: dict[str, Any], now: dict[str, Any], warned: bool
) -> None:
    assert warns(kept, now) is warned


def test_the_tolerance_comes_from_the_spread_within_bounds() -> None:
    def tolerance(low: float) -> float:
        (found,) = guard.findings(ratios(r=ratio(10, low, 11)), ratios(r=ratio(10, 9, 11)))
        return found.tolerance

    assert tolerance(9.9) == LEAST_TOLERANCE
    assert tolerance(7) == pytest.approx(0.3)
    assert tolerance(1) == MOST_TOLERANCE


def test_ratios_of_another_size_are_not_held_to() -> None:
    kept = ratios(r=ratio(1, 1, 1))
    kept["questions"]["matching"]["size"] = {"messages": 5}
    with pytest.raises(guard.GuardError, match="another size"):
        guard.findings(kept, ratios(r=ratio(1, 1, 1)))
    with pytest.raises(guard.GuardError, match="was not kept"):
        guard.findings(ratios(), ratios(r=ratio(1, 1, 1)))


def guarded(file: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["bench", "guard", "--file", str(file), *words])


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(guard, "GUARDED", TINY)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    file = tmp_path / "guard.json"
    assert guarded(file, "--write").exit_code == 0
    return file


def doctored(file: Path, times: float) -> None:
    """Write the kept ratios as if they had been ``times`` as high."""
    kept = json.loads(file.read_text())
    for each in kept["questions"]["matching"]["ratios"].values():
        each.update({part: each[part] * times for part in ("value", "min", "max")})
    file.write_text(json.dumps(kept))


def test_a_loss_is_warned_of_and_fails_nobody(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    doctored(tiny, 100)
    result = guarded(tiny)
    assert result.exit_code == 0
    lines = [line for line in result.output.splitlines() if line.startswith("warning: ")]
    assert [line.split()[1:3] for line in lines] == [
        ["matching", "price_time"],
        ["matching", "listed"],
    ]
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    again = guarded(tiny)
    assert again.exit_code == 0
    assert again.output.count("::warning title=Speed::matching") == 2


def test_no_loss_is_not_warned_of(tiny: Path) -> None:
    doctored(tiny, 0.01)
    result = guarded(tiny)
    assert result.exit_code == 0
    assert "warning" not in result.output
    assert "as kept or better" in result.output


def test_a_wrong_engine_fails(tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.yardstick import PlainBook

    play = PlainBook.play
    monkeypatch.setattr(PlainBook, "play", lambda self, messages: play(self, messages[:-500]))
    result = guarded(tiny)
    assert result.exit_code == 1
    assert "no figure counts" in result.output


@pytest.mark.parametrize("text", [None, "{", "[]", '{"questions": 3}'])
def test_without_kept_ratios_it_fails(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "guard.json"
    if text is not None:
        file.write_text(text)
    result = guarded(file)
    assert result.exit_code == 1
    assert "guard.json" in result.output


def test_the_committed_ratios_are_those_that_are_guarded_in_their_size() -> None:
    kept = guard.read(KEPT)
    assert set(kept["questions"]) == set(GUARDED)
    for name, each in GUARDED.items():
        size = runner.size_of(name, quick=True, changes=each.changes)
        assert set(kept["questions"][name]["ratios"]) == set(each.ratios)
        now = {"size": guard.as_kept(size), "ratios": kept["questions"][name]["ratios"]}
        same = {"guard": 1, "questions": {name: now}}
        assert not any(found.warns for found in guard.findings(kept, same))
