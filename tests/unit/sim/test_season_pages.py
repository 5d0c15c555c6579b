"""docs/explanation/season-model.md and docs/reference/season.md say what the code does."""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from functools import reduce
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pytest

from sim.ensemble.bounds import Bound
from sim.results.run import TABLES as RUN_TABLES
from sim.results.run import Run
from sim.scenario.identity import scenario_hash
from sim.scenario.model import Behaviour
from sim.scenario.reading import load, season_names
from sim.season.minds import MIND
from sim.simulation import simulate
from tests.unit.sim import season_tables
from tests.unit.sim.scenario_keys import records
from tests.unit.sim.season_tables import (
    END,
    MODEL,
    REFERENCE,
    ROOT,
    TABLES,
    identified_text,
    renewed,
    score_text,
    scored,
    shown,
    standing,
)
from tests.unit.sim.small_seasons import short

WRITE = "python -m tests.unit.sim.season_tables --write"
ALL = [(page, name) for page, tables in TABLES.items() for name in tables]
ROOMS = sorted(file.stem for file in (ROOT / "sim/season").glob("*.py") if file.stem != "__init__")
KINDS = {"date": "M", "time": "M", "text": "OU", "number": "if", "yes/no": "b"}


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose(page: str) -> str:
    """Return a page without its tables from the code, formulas or blocks of code."""
    page = re.sub(rf"<!-- \w+: made from the records -->.*?{END}", "", page, flags=re.DOTALL)
    return re.sub(r"```.*?```", "", page, flags=re.DOTALL)


@pytest.fixture(scope="module")
def run() -> Run:
    return simulate(short(0.02), 1)


@pytest.mark.parametrize(("page", "name"), ALL, ids=lambda each: getattr(each, "stem", each))
def test_every_table_is_the_one_that_the_code_makes(page: Path, name: str) -> None:
    assert shown(name, text_of(page)) == TABLES[page][name](), f"write it anew: {WRITE}"


@pytest.mark.parametrize("page", TABLES, ids=lambda page: page.stem)
def test_what_is_harmed_is_renewed(page: Path) -> None:
    text = text_of(page)
    for name in TABLES[page]:
        made = shown(name, text)
        harmed = text.replace(made, made.replace("a", "o", 1), 1)
        assert harmed != text
        assert renewed(harmed, TABLES[page]) == renewed(text, TABLES[page])


def test_every_function_that_the_model_names_is_there() -> None:
    named = re.findall(rf"`({'|'.join(ROOMS)})\.([\w.]+)`", prose(text_of(MODEL)))
    assert len(named) > 30
    for room, path in named:
        if path != "toml":
            reduce(getattr, path.split("."), importlib.import_module(f"sim.season.{room}"))


def test_every_room_of_the_season_is_told() -> None:
    told = prose(text_of(MODEL))
    silent = [room for room in ROOMS if f"`{room}." not in told]
    assert not silent


def test_every_parameter_stands_in_an_equation_or_beside_one() -> None:
    told = prose(text_of(MODEL)).partition("## What was calibrated")[0].replace("\\_", "_")
    silent = [name for name in Behaviour.__struct_fields__ if f"`{name}`" not in told]
    assert not silent, "a parameter of the model that its page does not explain"


def test_no_name_of_the_model_page_is_one_that_was() -> None:
    """A parameter that was renamed or taken away must not live on in the prose."""
    known = {key for _, record in records() for key in record.__struct_fields__}
    known |= set(MIND.names or ()) | {"smaller", "score", "simulate"}
    told = prose(text_of(MODEL)).replace("\\_", "_")
    words = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", told))
    assert not words - known
    constants = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", told))
    table = season_tables.constants()
    assert len(constants) > 5
    assert not {each for each in constants if f"`{each}`" not in table}


def columns_shown() -> dict[str, list[tuple[str, str]]]:
    """Return (column, what it holds) of each table of a run as the page has them."""
    found = {}
    for part in text_of(REFERENCE).partition("\n## Folders")[0].split("\n### ")[1:]:
        name = re.match(r"`(\w+)`", part)
        assert name
        found[name[1]] = re.findall(r"^\| `(\w+)` \| ([\w/]+) \|", part, re.MULTILINE)
    return found


def test_the_tables_of_a_run_have_the_columns_of_the_page(run: Run) -> None:
    pages = columns_shown()
    assert list(pages) == list(RUN_TABLES)
    for name, columns in pages.items():
        table: pd.DataFrame = getattr(run, name)
        assert [column for column, _ in columns] == list(table.columns), name
        for column, holds in columns:
            kind = table[column].dtype.kind
            assert kind in KINDS[holds] or not len(table), (name, column, kind, holds)


def test_the_words_of_the_columns_are_those_in_use(run: Run) -> None:
    page = text_of(REFERENCE)
    for table, column in (("orders", "kind"), ("orders", "end"), ("trades", "modality")):
        told = next(
            line for line in page.split(f"### `{table}`")[1].splitlines() if f"`{column}`" in line
        )
        words = {word for word in getattr(run, table)[column].unique() if word}
        assert words
        assert words <= set(re.findall(r"`(\w+)`", told)), (table, column)


def test_a_run_has_what_the_page_says(run: Run, tmp_path: Path) -> None:
    first = text_of(REFERENCE).partition("## A run")[2].partition("### ")[0]
    keys = {
        each
        for row in re.findall(r"^\| (`.*?) \|", first, re.MULTILINE)
        for each in re.findall(r"`(\w+)`", row)
    }
    assert keys == {"season", "seed", "scenario_hash", "digest", "seconds", "counts", "scenario"}
    assert all(hasattr(run, key) for key in keys)
    saved = json.loads((run.save(tmp_path / "one") / "run.json").read_text())
    assert keys - {"scenario"} <= set(saved)
    assert {"numpy", "numba", "pandas", "pyarrow"} == set(saved["versions"])


def test_a_value_at_or_beyond_its_bounds_is_marked() -> None:
    bound = Bound(1.0, 100.0, log=True)
    assert standing(50.0, bound) == ""
    assert "at an end" in standing(99.9, bound)
    assert "outside" in standing(101.0, bound)
    assert standing(5.0, None) == ""


def test_a_score_becomes_tables_and_says_whose_it_is(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path / "runs")
    document = scored(tmp_path / "runs", None)
    assert document["scenarios"] == {"2021": run.scenario_hash}
    text = score_text(document)
    assert "**Made with other scenarios or parameters than those shipped: 2021.**" in text
    for row in document["rows"]:
        assert f"| {row['id']} |" in text or f"`{row['id']}` (" in text
    outside = {row["id"] for row in document["rows"] if row["within"] is False}
    assert outside
    for each in outside:
        rows = [line for line in text.splitlines() if line.startswith(f"| {each} |")]
        assert any(line.endswith("| outside |") for line in rows)
    mine: dict[str, Any] = {**document, "scenarios": {"2021": scenario_hash(load("2021"))}}
    assert "Made with the scenarios and parameters shipped." in score_text(mine)
    assert "not recorded" in score_text({**document, "scenarios": {}})


def test_runs_of_two_scenarios_are_not_scored_as_one(run: Run, tmp_path: Path) -> None:
    run.save(tmp_path / "a")
    folder = run.save(tmp_path / "b")
    file = folder / "run.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"scenario_hash": "other"}))
    with pytest.raises(SystemExit, match="more than one scenario of 2021"):
        scored(tmp_path, None)


def test_an_identification_becomes_a_table_and_says_whose_it_is() -> None:
    row = {"name": "mood_sd", "true": 0.01, "found": 0.02, "error": 0.2, "trace": 3.14}
    own = msgspec.structs.asdict(load("2024").behaviour)
    document: dict[str, Any] = {"behaviour": own, "share": 0.1, "trials": 5, "parameters": [row]}
    document |= {"alike": [["mood_sd", "price_noise", 0.95]], "tied": []}
    text = identified_text(document)
    assert "| `mood_sd` | 0.01 | 0.02 | +20% | 3.1 |" in text
    assert "Lost in chance: none." in text
    faint = {**document, "parameters": [row | {"trace": 0.9}]}
    assert "Lost in chance: `mood_sd`." in identified_text(faint)
    assert "Parallel effects (cosine): `mood_sd` and `price_noise` +0.95." in text
    assert "Go together (rank): none at 0.9 or above." in text
    assert "other parameters" not in text
    assert "other parameters" in identified_text({**document, "behaviour": own | {"mood_sd": 9.0}})


def test_behaviour_is_the_same_in_all_seasons() -> None:
    """ADR 0004: no season has parameters of its own."""
    sets = {json.dumps(msgspec.structs.asdict(load(name).behaviour)) for name in season_names()}
    assert len(sets) == 1
    folder = ROOT / "sim/scenario/seasons"
    assert not [f for f in folder.glob("*.toml") if "behaviour" in tomllib.loads(f.read_text())]
