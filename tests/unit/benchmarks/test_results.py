"""The page of results and its pictures say what the kept figures say, and nothing else."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks import plots, results
from benchmarks.result_words import ratio_words
from benchmarks.runner import COMMON
from benchmarks.targets import TARGETS, Target, verdict, verdicts
from tanshi import app

DOCS = Path(__file__).parents[3] / "docs"
FIGURES = DOCS / results.FOLDER
COMMITTED = results.read(FIGURES)


def test_the_committed_page_is_made_of_the_committed_figures() -> None:
    page = (DOCS / results.PAGE).read_text(encoding="utf-8")
    assert page == results.page(COMMITTED), "tanshi bench page makes it anew"


def test_the_committed_pictures_are_drawn_from_the_committed_figures() -> None:
    drawn = plots.sources(COMMITTED)
    files = {file.name: file.read_text() for file in (DOCS / "images").glob("bench-*.svg")}
    assert set(files) == set(drawn)
    for name, svg in files.items():
        assert svg.endswith(f"<!-- {plots.mark_of(drawn[name])} -->\n"), f"{name} is of old figures"
        assert "<dc:date>" not in svg


def test_every_picture_that_the_page_shows_is_there() -> None:
    page = (DOCS / results.PAGE).read_text(encoding="utf-8")
    shown = {link.rpartition("/")[2] for link in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page)}
    assert shown == set(plots.sources(COMMITTED))


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_figures_are_whole(name: str) -> None:
    figures = COMMITTED[name]
    assert {*COMMON} <= set(figures)
    for each in figures["ratios"].values():
        assert each["min"] <= each["value"] <= each["max"]
    for series in figures["series"]:
        lengths = {len(series[part]) for part in ("x", "y", "low", "high")}
        assert len(lengths) == 1, series["name"]


def test_no_figure_names_a_day_or_a_folder() -> None:
    for file in FIGURES.glob("*.json"):
        text = file.read_text()
        assert not re.search(r"/(tmp|home|root|work)/", text), file.name
        assert not re.search(r"\b20\d\d-\d\d-\d\d[T ]", text), file.name


def test_every_ratio_has_words() -> None:
    bare = [
        f"{question} {name}"
        for question, figures in COMMITTED.items()
        for name in figures["ratios"]
        if ratio_words(question, name).startswith("`")
    ]
    assert not bare, f"benchmarks/result_words.py does not know {bare}"


def test_a_target_that_no_committed_figure_tells_is_found() -> None:
    untold = [
        f"{target.question} {target.figure}"
        for target in TARGETS
        if target.question in COMMITTED
        and not target.figure.startswith("pg_")  # where no server is installed
        and verdict(target, COMMITTED[target.question]) is None
    ]
    assert not untold


def test_every_target_that_names_a_spread_has_it() -> None:
    for target in TARGETS:
        told = verdict(target, COMMITTED.get(target.question, {"ratios": {}}))
        if told is not None and target.spread:
            assert told.low <= told.value <= told.high
            assert target.question == "registry" or told.low < told.high, target.spread


def figures_of(value: float, low: float, high: float, full: bool = True) -> dict[str, Any]:
    ratio = {"value": value, "better": "higher", "min": low, "max": high}
    return {"ratios": {"r": ratio}, "full": full, "flat_s": value}


@pytest.mark.parametrize(
    ("value", "low", "high", "words"),
    [
        (13, 12.5, 14, "met; the aim of 17 not yet"),
        (18, 17, 19, "met; the aim of 17 too"),
        (13, 11, 14, "met by the median, not by every run; the aim of 17 not yet"),
        (11, 10, 13, "**not met**, though by some runs"),
        (11, 10, 11.9, "**not met**"),
    ],
)
def test_a_target_is_told_honestly(value: float, low: float, high: float, words: str) -> None:
    target = Target("q", "r", "words", 12, aim=17)
    told = verdict(target, figures_of(value, low, high))
    assert told is not None
    assert told.words == words
    small = verdict(target, figures_of(value, low, high, full=False))
    assert small is not None
    assert small.words == "not told: a small run"


def test_least_and_most_of_a_figure_at_the_top_are_found() -> None:
    target = Target("q", "flat_s", "words", 2, least=False, spread="detail.runs")
    figures = figures_of(1.9, 0, 0)
    for detail, words in (
        ({"runs": {"min": 1.8, "median": 1.9, "max": 1.95}}, "met"),
        ({"runs": {"min": 1.8, "median": 1.9, "max": 2.5}}, "met by the median, not by every run"),
        ({}, "met"),
    ):
        told = verdict(target, figures | {"detail": detail})
        assert told is not None
        assert told.words == words


def test_a_target_may_be_a_bound_from_above_or_the_worst_of_many() -> None:
    bound = Target("q", "flat_s", "words", 2, least=False)
    for value, met in ((1.9, True), (2.1, False)):
        told = verdict(bound, figures_of(value, 0, 0))
        assert told is not None
        assert told.met is met
        assert (told.times(value) >= 1) is met
    many = figures_of(7, 6, 8)
    many["ratios"]["r_slow"] = many["ratios"]["r"] | {"value": 3}
    worst = verdict(Target("q", "r*", "words", 5), many)
    assert worst is not None
    assert worst.value == 3
    assert verdict(Target("q", "none", "words", 5), many) is None


def doctored() -> dict[str, dict[str, Any]]:
    """Return the committed figures with another value for each ratio and each point."""
    found = copy.deepcopy(COMMITTED)
    for figures in found.values():
        for each in figures["ratios"].values():
            each.update({part: each[part] * 2 for part in ("value", "min", "max")})
        for series in figures["series"]:
            series["y"] = [2 * y for y in series["y"]]
    return found


def test_other_figures_make_another_page_and_other_pictures() -> None:
    other = doctored()
    assert results.page(other) != results.page(COMMITTED)
    before, now = plots.sources(COMMITTED), plots.sources(other)
    assert all(plots.mark_of(now[name]) != plots.mark_of(before[name]) for name in before)
    assert len(verdicts(other)) == len(verdicts(COMMITTED))


def test_the_command_writes_the_same_bytes_twice_and_removes_old_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "docs" / results.FOLDER
    folder.mkdir(parents=True)
    for name in [*COMMITTED][:2]:
        (folder / f"{name}.json").write_text(json.dumps(COMMITTED[name]))
    old = tmp_path / "docs" / "images" / "bench-of-old.svg"
    old.parent.mkdir()
    old.write_text("<svg/>")
    words = ["bench", "page", "--docs", str(tmp_path / "docs")]
    made = []
    for _ in range(2):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        files = [*(tmp_path / "docs").rglob("*.svg"), tmp_path / "docs" / results.PAGE]
        made.append({file.name: file.read_bytes() for file in files})
    assert made[0] == made[1]
    assert not old.exists()
    assert "No figures are committed." in made[0]["speed.md"].decode()


@pytest.mark.parametrize("wrong", ["{", "[]", '{"benchmark": "season", "size": {}, "ratios": {}}'])
def test_a_file_that_holds_something_else_is_refused(tmp_path: Path, wrong: str) -> None:
    folder = tmp_path / results.FOLDER
    folder.mkdir(parents=True)
    (folder / "matching.json").write_text(wrong)
    result = CliRunner().invoke(app, ["bench", "page", "--docs", str(tmp_path)])
    assert result.exit_code == 2
    assert "matching.json" in result.output
    assert not (tmp_path / results.PAGE).exists()


def test_without_figures_it_says_how_to_get_them(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["bench", "page", "--docs", str(tmp_path)])
    assert result.exit_code == 2
    assert "tanshi bench all --json" in result.output
