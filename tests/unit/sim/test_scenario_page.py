"""docs/reference/scenario.md says what the records say: every key, every refusal, every season."""

from __future__ import annotations

import re

import pytest

from sim.scenario.reading import load, parse, season_names
from sim.scenario.refusing import CODES, ScenarioError
from tests.unit.sim.scenario_keys import PAGE, TABLES, comments, records, renewed, shown
from tests.unit.sim.scenario_text import season_text

TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_the_one_that_the_records_make(name: str) -> None:
    wanted = "python -m tests.unit.sim.scenario_keys --write"
    assert shown(name, TEXT) == TABLES[name](), f"write it anew: {wanted}"


def test_a_table_that_says_something_else_is_seen_and_renewed() -> None:
    harmed = TEXT.replace("| `net_surplus_share` | number |", "| `net_surplus_share` | date |")
    assert harmed != TEXT
    assert renewed(harmed) == TEXT


def test_every_key_has_a_meaning() -> None:
    for heading, record in records():
        assert record.__doc__
        silent = {key for key, told in comments(record).items() if not told}
        assert not silent, (heading, silent)


def test_codes_seasons_and_examples_are_told() -> None:
    for code in (*CODES, "scenario_invalid", "scenario_unknown", "scenario_unreadable"):
        assert f"`{code}`" in TEXT
    for name in season_names():
        assert f"| {name} |" in TEXT


def test_the_shown_refusal_is_the_real_one() -> None:
    text = season_text("2024").replace("price_cny_t = 63.51", "price = 80", 1)
    text = text.replace("deadline = 2024-12-31", "deadline = 2024-06-01", 1)
    with pytest.raises(ScenarioError) as caught:
        parse(text, "mine.toml")
    (block,) = re.findall(r"```text\n(mine\.toml: .*?)```", TEXT, re.DOTALL)
    assert block.strip() == str(caught.value)


def test_the_shown_overrides_work() -> None:
    (call,) = re.findall(r'load\("2024", (\{[^}]*\})\)', TEXT)
    overrides = eval(call, {})  # our own page
    other = load("2024", overrides)
    assert other.banking is not None
    assert other.banking.sales_multiple == 3
    assert other.population.sectors[0].entities == 1000
