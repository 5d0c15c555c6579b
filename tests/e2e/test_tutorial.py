"""The tutorial is played: every command of its console blocks prints what the page shows.

``python -m tests.e2e.test_tutorial --write`` plays it and writes what is printed into the page.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tanshi import app
from tests.e2e.documents import FENCE

PAGE = Path(__file__).parents[2] / "docs/tutorial/one-year-of-a-power-company.md"
STATUS = "; echo $?"
WITHIN_S = 30


def commands(block: str) -> Iterator[list[str]]:
    """Yield the lines of each command of a block: ``$`` begins one, ``>`` goes on."""
    found: list[str] = []
    for line in block.splitlines():
        if line.startswith("$ "):
            if found:
                yield found
            found = [line]
        elif line.startswith("> ") and found:
            found.append(line)
    if found:
        yield found


def printed(lines: list[str]) -> str:
    """Run a command in the working directory; return what it prints, and its status if asked."""
    text = "\n".join(line[2:] for line in lines)
    if text.startswith("tanshi ") and " | " not in text:
        return said(text)
    if text.startswith("tanshi "):
        first, _, others = text.partition(" | ")
        return shell(others, said(first, any_status=True))
    return shell(text)


def said(text: str, any_status: bool = False) -> str:
    """Run ``tanshi`` in this process."""
    asked = text.endswith(STATUS)
    done = CliRunner().invoke(app, shlex.split(text.removesuffix(STATUS))[1:])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert asked or any_status or done.exit_code == 0, f"{text}\n{done.output}"
    return done.output + (f"{done.exit_code}\n" if asked else "")


def shell(text: str, given: str = "") -> str:
    """Run anything else in a shell."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        input=given,
        capture_output=True,
        text=True,
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, f"{text}\n{done.stderr}"
    return done.stdout


@contextlib.contextmanager
def working_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def played(page: str, folder: Path) -> str:
    """Return the page with what its commands print, one after the other in an empty folder."""

    def block(found: re.Match[str]) -> str:
        if found[1].strip() != "console":
            return found[0]
        parts = ["\n".join(lines) + "\n" + printed(lines) for lines in commands(found[2])]
        return f"```console\n{''.join(parts)}```"

    with working_in(folder):
        return FENCE.sub(block, page)


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page.count("```console") > 8
    assert played(page, tmp_path).splitlines() == page.splitlines()


def test_the_sums_by_hand_are_right() -> None:
    """What stands beside the commands, computed again from the page's own factors."""
    page = PAGE.read_text(encoding="utf-8")
    whole = r"([\d,]+(?:\.\d+)?)"
    sums = re.findall(
        rf"^{whole} t x 20 GJ/t x 0.027 tC/GJ x 99 % x 44/12 = {whole} t CO2"
        rf" +in 12 months {whole} t",
        page,
        re.MULTILINE,
    )
    assert len(sums) == 2
    for coal, month, year in sums:
        exact = round(number(coal) * 20 * 27 * 99 * 44 / (1000 * 100 * 12), 6)
        assert (number(month), number(year)) == (exact, round(exact * 12, 6))
    products = re.findall(rf"{whole} (?:MWh|GJ) x {whole} t/\w+(?: x 1)? += +{whole} t", page)
    assert len(products) == 2
    for amount, benchmark, tonnes in products:
        assert number(tonnes) == round(number(amount) * number(benchmark), 6)
    assert sum(number(tonnes) for _, _, tonnes in products) == 1_371_504
    early = re.findall(rf"50 % of {whole} t = {whole} t", page)
    assert [number(half) for _, half in early] == [number(base) // 2 for base, _ in early]
    rest = re.findall(rf"{whole} - {whole} = {whole} t", page)
    assert [number(left) for *_, left in rest] == [number(a) - number(b) for a, b, _ in rest]
    assert (len(early), len(rest)) == (2, 2)
    got, own, given, left = map(
        number, re.findall(rf"Of the {whole} t.*?{whole} t.*?{whole} t: {whole} t", page)[0]
    )
    assert left == got - own - given
    assert page.count(f"{left:,.0f} t") == 2


def number(text: str) -> float:
    return float(text.replace(",", ""))


def test_a_page_that_shows_something_else_is_seen(tmp_path: Path) -> None:
    page = "```console\n$ tanshi registry provinces\n33 provinces have accounts\n```\n"
    assert "\n32 provinces have accounts\n" in played(page, tmp_path)
    with pytest.raises(AssertionError):
        played("```console\n$ tanshi registry standing 2025 --data nowhere\n```\n", tmp_path)


if __name__ == "__main__":
    os.environ["COLUMNS"] = "80"
    with tempfile.TemporaryDirectory() as folder:
        written = played(PAGE.read_text(encoding="utf-8"), Path(folder))
    if "--write" in sys.argv:
        PAGE.write_text(written, encoding="utf-8")
    else:
        print(written)
