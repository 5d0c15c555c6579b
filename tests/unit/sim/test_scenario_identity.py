"""One scenario, one hash: what a file looks like does not count, every value in it does."""

from __future__ import annotations

import copy
import datetime as dt
import io
import random
import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rich.console
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scenario import reading
from sim.scenario.explaining import explain, explain_difference
from sim.scenario.identity import (
    NOTHING,
    Difference,
    canonical_form,
    difference,
    flat,
    scenario_hash,
)
from sim.scenario.model import Scenario
from sim.scenario.reading import load, parse, season_names
from sim.scenario.refusing import CODES, ScenarioError
from tests.unit.sim.scenario_text import season_text

SEASONS = season_names()
SHUFFLED = {"vintages", "obligations", "issues", "events", "offsets", "sectors", "old_holdings"}
SHUFFLED |= {"usable", "milestones"}  # lists whose order says nothing


def toml_of(data: dict[str, Any], chance: random.Random) -> str:
    """Write tables as TOML, all inline, keys and lists shuffled, with comments and white space."""

    def value(item: Any, name: str) -> str:
        if isinstance(item, dict):
            pairs = [f"{key} = {value(each, key)}" for key, each in mixed(list(item.items()))]
            return "{ " + ", ".join(pairs) + " }"
        if isinstance(item, list):
            items = mixed(item) if name in SHUFFLED else item
            gap = chance.choice([" ", "\n  ", "  # why\n"])
            return "[" + gap + f",{gap}".join(value(each, "") for each in items) + gap + "]"
        if isinstance(item, bool):
            return str(item).lower()
        if isinstance(item, dt.date):
            return item.isoformat()
        if isinstance(item, str):
            return f'"{item}"'
        return chance.choice([repr(item), f"{item:.12f}"]) if isinstance(item, float) else str(item)

    def mixed(items: list[Any]) -> list[Any]:
        return chance.sample(items, len(items))

    lines = [f"{key} = {value(item, key)}  # {chance.random()}" for key, item in data.items()]
    return "\n\n".join(mixed(lines))


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SEASONS), st.integers(0, 2**32))
def test_comments_order_and_white_space_do_not_count(name: str, seed: int) -> None:
    text = toml_of(tomllib.loads(season_text(name)), random.Random(seed))
    other = parse(text, "mine.toml")
    assert other == load(name)
    assert scenario_hash(other) == scenario_hash(load(name))
    assert difference(other, load(name)) == []


def test_a_default_written_out_does_not_count() -> None:
    text = season_text("2024") + "\n[extras]\nmarket_makers = 0\n"
    assert scenario_hash(parse(text, "mine.toml")) == scenario_hash(load("2024"))
    whole = re.sub(r"= ([0-9]+)\.0\b", r"= \1", season_text("2024"))
    assert whole != season_text("2024")
    assert scenario_hash(parse(whole, "mine.toml")) == scenario_hash(load("2024"))
    assert b'"base_t":0.0' in canonical_form(load("2024", {"banking.base_t": -0.0}))


def leaves(data: Any, key: str = "") -> list[tuple[str, Any]]:
    """Return every value of nested tables and lists by its dotted key."""
    if isinstance(data, dict):
        return [x for k, v in data.items() for x in leaves(v, f"{key}.{k}" if key else k)]
    if isinstance(data, list | tuple) and data and isinstance(data[0], dict):
        return [x for i, v in enumerate(data) for x in leaves(v, f"{key}.{i}")]
    return [(key, data)]


def changed(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value * 1.001 if isinstance(value, float) and value else value + 1
    if isinstance(value, list | tuple):
        return [*value, changed(value[-1])]
    try:
        return (dt.date.fromisoformat(value) + dt.timedelta(1)).isoformat()
    except ValueError:
        return f"{value}x"


def put(data: Any, key: str, value: Any) -> None:
    *way, last = key.split(".")
    for step in way:
        data = data[int(step)] if isinstance(data, list | tuple) else data[step]
    data[last] = value


@pytest.mark.parametrize("name", SEASONS)
def test_every_value_counts(name: str, tmp_path: Path) -> None:
    """Change one value after the other, past the checks: each makes another hash."""
    base = load(name)
    seen = {scenario_hash(base): "nothing"}
    for key, value in leaves(msgspec.to_builtins(base)):
        if value is None or value in ([], ()):  # would need tables of their own kind
            continue
        data = copy.deepcopy(msgspec.to_builtins(base))
        put(data, key, changed(value))
        if key == "population.units_file":
            data["population"]["units_file"] = str(tmp_path / "units.csv")
            (tmp_path / "units.csv").write_text("unit\n")
        other = msgspec.convert(data, Scenario)
        found = scenario_hash(other)
        assert found not in seen, (key, seen[found])
        seen[found] = key
        assert difference(base, other)


def test_unit_data_count_by_their_content(tmp_path: Path) -> None:
    def with_units(folder: Path, content: str) -> str:
        folder.mkdir()
        (folder / "units.csv").write_text(content)
        units = 'units_file = "units.csv"\nunits_plan = "power-2023-2024"'
        file = folder / "mine.toml"
        file.write_text(season_text("2024").replace("[population]\n", f"[population]\n{units}\n"))
        return scenario_hash(load(file))

    assert with_units(tmp_path / "a", "1\n") == with_units(tmp_path / "b", "1\n")
    assert with_units(tmp_path / "c", "2\n") != with_units(tmp_path / "d", "1\n")


def test_the_hash_is_sha_256_of_the_form_and_stays() -> None:
    digest = scenario_hash(load("2024"))
    assert re.fullmatch(r"[0-9a-f]{64}", digest)
    assert digest == scenario_hash(load("2024", {"format": 1}))
    assert b'"format":1' in canonical_form(load("2024"))


def test_differences_name_what_they_are_about() -> None:
    other = load("2024", {"obligations.0.spread_share": 0.05, "banking": None})
    found = {each.key: each for each in difference(load("2024"), other)}
    key = "obligations[2023 power].spread_share"
    assert found[key] == Difference(key, 0.052, 0.05)
    assert found["banking.base_t"].right == NOTHING
    twice = load(
        "2024",
        {"offsets": [{"date": dt.date(2024, 3, 1), "stock_mt": 1.0, "price_cny_t": 5.0}] * 2},
    )
    assert flat(twice)["offsets[2024-03-01].stock_mt #2"] == 1.0


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_value_at_any_key_is_taken_or_refused(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(SEASONS))
    keys = [key for key, _ in leaves(tomllib.loads(season_text(name)))]
    key = data.draw(st.sampled_from(keys) | st.text(max_size=30))
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    dates = st.dates() | st.datetimes() | st.just(10**400)
    tables = st.dictionaries(st.text(max_size=5), scalars, max_size=3)
    value = data.draw(scalars | dates | tables | st.lists(scalars | tables, max_size=3))
    try:
        other = load(name, {key: value})
    except ScenarioError as error:
        told = error.problems
    else:
        same = scenario_hash(other) == scenario_hash(load(name))
        assert same == (difference(other, load(name)) == [])
        return
    assert told
    assert all(each.code in CODES and each.expected for each in told)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(SEASONS), st.integers(0, 2**32))
def test_a_damaged_file_is_taken_or_refused(name: str, seed: int) -> None:
    chance = random.Random(seed)
    text = season_text(name)
    for _ in range(chance.randint(1, 4)):
        at, many = chance.randrange(len(text)), chance.randint(0, 40)
        text = text[:at] + chance.choice(["", "[", "=", "1", "x", "\x00", "é"]) + text[at + many :]
    named: set[str] = set()
    try:
        parse(text, "mine.toml")
    except ScenarioError as error:
        named = {each.file for each in error.problems}
    assert named <= {"mine.toml", reading.BEHAVIOUR_FILE}


@pytest.mark.parametrize("name", SEASONS)
def test_a_season_is_explained(name: str) -> None:
    out = io.StringIO()
    rich.console.Console(file=out, width=200).print(explain(load(name)))
    text = out.getvalue()
    season = load(name)
    assert scenario_hash(season) in text
    for told in (*season.events, *season.issues, *season.offsets):
        assert told.date.isoformat() in text
    for each in season.population.sectors:
        assert f"{each.entities:,}" in text
    for field in msgspec.structs.fields(season.behaviour):
        assert field.name in text


def test_a_difference_is_explained_with_its_brackets() -> None:
    out = io.StringIO()
    two = load("2024"), load("2024", {"obligations.0.spread_share": 0.05})
    rich.console.Console(file=out, width=200).print(explain_difference(difference(*two)))
    assert "obligations[2023 power].spread_share" in out.getvalue()
