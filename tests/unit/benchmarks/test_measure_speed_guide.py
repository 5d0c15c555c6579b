"""docs/how-to/measure-speed.md: its commands work as shown, its numbers are those of the code."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks import runner
from benchmarks.guard import LEAST_TOLERANCE, MOST_TOLERANCE
from benchmarks.matching import Size
from tanshi import app

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "measure-speed.md"
TEXT = PAGE.read_text(encoding="utf-8")
COMMANDS = [
    shlex.split(line.removeprefix("$ "), comments=True)
    for block in re.findall(r"^```console\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    for line in block.splitlines()
]


def test_there_are_commands_and_all_are_ours() -> None:
    assert len(COMMANDS) == 9
    assert all(words[:2] == ["tanshi", "bench"] for words in COMMANDS)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_command_line_takes_every_command(words: list[str]) -> None:
    bench = typer.main.get_command(app).commands["bench"]  # type: ignore[attr-defined]
    if words[2] == "--help":
        assert CliRunner().invoke(app, words[1:]).exit_code == 0
        return
    bench.commands[words[2]].make_context(words[2], words[3:])


def test_measuring_and_comparing_works_as_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands in their order, with fewer messages where the page measures for minutes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("benchmarks.matching.FULL", Size(messages=2_000, runs=2))
    matching = [words for words in COMMANDS if words[2] == "matching" and "--quick" not in words]
    assert len(matching) == 4
    for words in matching:
        result = CliRunner().invoke(app, words[1:])
        assert result.exit_code == 0, result.output
        assert ("what changed" in result.output) == ("--compare" in words)
    assert sorted(os.listdir()) == ["before.json", "old.json"]
    Path("figures").mkdir()
    Path("before.json").rename("figures/matching.json")
    (page,) = [words for words in COMMANDS if words[2] == "page"]
    result = CliRunner().invoke(app, page[1:])
    assert result.exit_code == 0, result.output
    assert Path("page/reference/speed.md").exists()


def test_numbers_of_the_page_are_those_of_the_code() -> None:
    assert f"at least {LEAST_TOLERANCE:.0%}".replace("%", " %") in TEXT
    assert f"at most {MOST_TOLERANCE:.0%}".replace("%", " %") in TEXT
    rows = re.findall(r"^\| ([a-z, -]+) \| ", TEXT.split("| the other side", 1)[1], re.MULTILINE)
    named = {name.replace("fan-out", "fanout") for row in rows for name in row.split(", ")}
    assert named | {"recovery"} == set(runner.QUESTIONS)


def test_links_lead_somewhere() -> None:
    for link in re.findall(r"\]\(([^)#]+)", TEXT):
        assert (PAGE.parent / link).exists(), link
