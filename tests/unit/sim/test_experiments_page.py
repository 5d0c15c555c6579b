"""docs/reference/experiments.md and docs/how-to/ask-what-if.md say what there is."""

from __future__ import annotations

import re

import pytest

from sim.experiments.reading import experiment_of, parse
from tests.unit.sim.experiment_tables import PAGE, TABLES, between, renewed

TEXT = PAGE.read_text(encoding="utf-8")
GUIDE = (PAGE.parents[1] / "how-to" / "ask-what-if.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_the_one_the_experiments_make(name: str) -> None:
    start, end = between(name, TEXT)
    wanted = "python -m tests.unit.sim.experiment_tables --write"
    assert TEXT[start:end] == TABLES[name](), f"write it anew: {wanted}"


def test_a_table_that_says_something_else_is_renewed() -> None:
    harmed = TEXT.replace("| `matching` | 2024 |", "| `matching` | 2021 |")
    assert harmed != TEXT
    assert renewed(harmed) == TEXT


def test_the_shown_file_is_an_experiment() -> None:
    (block,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    found = parse(block, "guide.toml")
    assert found.arms
    assert found.expect


def test_experiments_that_are_named_exist() -> None:
    for name in re.findall(r"tanshi experiment ([a-z][a-z-]+)(?=[ `\n])", GUIDE + TEXT):
        assert experiment_of(name).name == name
