"""docs/how-to/load-test.md: every command it shows is run, every word it shows is understood."""

from __future__ import annotations

import contextlib
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from benchmarks.load import command, own
from benchmarks.load.asked import stop_of
from benchmarks.load.cli import Arrival
from benchmarks.load.keys import Credentials
from benchmarks.load.record import read
from tanshi import app
from tests.e2e.documents import blocks

PAGE = (Path(__file__).parents[2] / "docs/how-to/load-test.md").read_text(encoding="utf-8")
LINES = [line for b in blocks(PAGE) for line in b.text.splitlines() if line.startswith("$ ")]
SMALL = "--seconds 1 --warm-up 0 --clients 2"
CLIENTS = 2
Venue = tuple[str, list[Credentials]]


@pytest.fixture(scope="module")
def venue() -> Iterator[Venue]:
    """One venue for all commands, as ``--own`` starts it."""
    with own.own_venue(CLIENTS) as found:
        yield found


def small(line: str, url: str) -> list[str]:
    """The words of a shown command, with a size that takes a second."""
    _, name, *words = shlex.split(line.removeprefix("$ "))
    assert name == "load"
    words = [word.replace("ws://127.0.0.1:8000", url) for word in words]
    if words[0].endswith(".json"):
        return words  # shows a record again
    rate = "--rate 4 --bound 1us" if "--find-knee" in words else "--rate 100"
    return [*words, *SMALL.split(), *rate.split()]


def test_every_command_does_what_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, venue: Venue
) -> None:
    """They are played in their order, in one folder: later ones read what earlier ones wrote."""
    url, keys = venue
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(own, "own_venue", lambda accounts: contextlib.nullcontext(venue))
    rows = [{"key_id": key.key_id, "secret": key.secret} for key in keys]
    Path("keys.json").write_text(json.dumps(rows))
    assert len(LINES) == 10
    for line in LINES:
        words = small(line, url)
        result = CliRunner().invoke(app, ["load", *words])
        assert result.exit_code == 0, f"{line}: {result.output}"
        if "--json" in words:
            record = read(Path(words[words.index("--json") + 1]))
            assert record.knee.steps if record.knee else record.orders.answered
        if "--report" in words:
            page = Path(words[words.index("--report") + 1]).read_text(encoding="utf-8")
            assert "Nothing wrong was found" in page or "The knee" in page
    assert 'id="compared"' in Path("new.html").read_text(encoding="utf-8")
    assert 'id="knee"' in Path("knee.html").read_text(encoding="utf-8")
    assert Path("again.html").read_bytes() == Path("first.html").read_bytes()


def test_the_commands_in_the_text_are_taken() -> None:
    found = [words for words in re.findall(r"`(tanshi [^`]+)`", PAGE) if " -" in words]
    assert len(found) == 3
    group = typer.main.get_command(app)
    for line in found:
        _, name, *arguments = shlex.split(line)
        assert group.commands[name].make_context(name, arguments).params


def test_the_command_of_the_readme_is_taken() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\.venv/bin/tanshi load (.*)$", readme, re.MULTILINE)
    assert len(lines) == 1
    (words,) = [shlex.split(line, comments=True) for line in lines]
    command = typer.main.get_command(app).commands["load"]
    assert command.make_context("load", words).params["own"]


def test_every_stop_condition_that_is_shown_is_one() -> None:
    (sentence,) = [line for line in PAGE.splitlines() if line.startswith("`--stop` ends a run")]
    shown = re.findall(r"`([a-z0-9]+>[^`]+)`", sentence)
    assert len(shown) == 4
    assert {stop_of([each]) for each in shown}


def test_every_arrival_is_explained() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == [each.value for each in Arrival]


def test_the_exit_codes_are_those_of_the_command() -> None:
    shown = {int(code) for code in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)}
    names = ("DONE", "LOST", "BAD_INPUT", "WRONG", "STOPPED", "INTERRUPTED")
    assert shown == {getattr(command, name) for name in names}


def test_options_that_are_named_exist() -> None:
    known = {opt for p in typer.main.get_command(app).commands["load"].params for opt in p.opts}
    others = {"--limit", "--demo", "--clock", "--speed", "--orders-per-second"}  # of serve
    others |= {"--cash", "--holding"}  # of account
    named = set(re.findall(r"(?<![\w-])--[a-z]+(?:-[a-z]+)*", PAGE))
    assert named - others <= known
