"""``tanshi allocate``: what it prints and writes, its exit codes, and the documented example."""

from __future__ import annotations

import csv
import json
import re
import shlex
import textwrap
import time
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from registry.allocation import calculator, plan_file
from registry.allocation.calculator import Choices, compute
from registry.allocation.rows import COLUMNS
from tanshi import app

DOCS = Path(__file__).resolve().parents[3] / "docs"
REFERENCE = DOCS / "reference" / "allocation.md"
HOW_TO = DOCS / "how-to" / "try-an-allocation.md"
HEADER = "entity,unit,province,class,generated_mwh,load_factor_pct,emissions_t\n"
GOOD = "A,1,Hubei,I,1000000,70,800000\n"


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "units.csv"
    file.write_text(HEADER + GOOD + "B,2,Hubei,I,-1,70,800000\n", "utf-8")
    return file


def blocks(file: Path, language: str) -> list[str]:
    found = re.findall(rf"^( *)```{language}\n(.*?)^\1```", file.read_text("utf-8"), re.S | re.M)
    return [textwrap.dedent(body) for _, body in found]


@pytest.mark.parametrize("page", [REFERENCE, HOW_TO], ids=lambda page: page.name)
def test_the_documented_examples_print_what_the_pages_say(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "units.csv").write_text(blocks(page, "csv")[0], "utf-8")
    shown = 0
    for block in blocks(page, "console"):
        command, _, expected = block.partition("\n")
        if expected:
            result = CliRunner().invoke(app, shlex.split(command)[2:])
            printed = result.stderr if "--out" in command else result.stdout
            assert printed == expected
            shown += 1
    assert shown >= 2


def test_exit_codes(units: Path) -> None:
    run = CliRunner().invoke
    command = ["allocate", "power-2023-2024", "units.csv"]
    assert run(app, [*command, "--year", "2024"]).exit_code == 1
    units.write_text(HEADER + GOOD, "utf-8")
    assert run(app, [*command, "--year", "2024"]).exit_code == 0
    for wrong in (
        ["allocate", "power-2030", "units.csv"],
        ["allocate", "power-2023-2024", "none.csv"],
        command,  # which year?
        [*command, "--year", "2025"],
        [*command, "--year", "2024", "--explain", "nobody"],
        [*command, "--year", "2024", "--balance", "cement=0.85"],
        [*command, "--year", "2024", "--out", str(units.parent / "units.csv" / "below.csv")],
    ):
        result = run(app, wrong)
        assert (result.exit_code, result.stdout) == (2, "")
        assert result.stderr.strip()


def test_csv_on_the_standard_output_and_in_files(units: Path) -> None:
    command = ["allocate", "power-2023-2024", "units.csv", "--year", "2024"]
    rows = list(csv.DictReader(CliRunner().invoke(app, command).stdout.splitlines()))
    assert [(row["entity"], row["quota_t"]) for row in rows] == [("A", "791000")]
    result = CliRunner().invoke(app, [*command, "--out", "new/result.csv"])
    assert result.stdout == ""
    assert "2 rows, 1 computed, 1 refused" in result.stderr
    files = {file.name: file.read_text("utf-8") for file in (units.parent / "new").iterdir()}
    assert sorted(files) == [
        *("result.csv", "result.entities.csv", "result.provinces.csv", "result.refused.csv"),
    ]
    assert list(csv.DictReader(files["result.csv"].splitlines())) == rows
    refused = list(csv.DictReader(files["result.refused.csv"].splitlines()))
    assert [(row["row"], row["field"], row["code"]) for row in refused] == [
        ("3", "generated_mwh", "negative")
    ]


def test_json(units: Path) -> None:
    command = ["allocate", "power-2023-2024", "units.csv", "--year", "2024", "--explain", "all"]
    document = json.loads(CliRunner().invoke(app, [*command, "--json", "-"]).stdout)
    CliRunner().invoke(app, [*command, "--json", "kept.json"])
    assert json.loads((units.parent / "kept.json").read_text("utf-8")) == document
    assert (document["rows"], document["computed"]) == (2, 1)
    assert document["nation"][0]["approved_t"] == document["entities"][0]["approved_t"] == 791_000
    assert document["units"][0]["load_factor"] == "1"
    load = next(s for s in document["steps"][0]["steps"] if s["what"] == "load factor Ff")
    assert (load["clause"], load["certainty"], load["after"]) == ("AL-32", "likely", "1")


@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("explain", [None, "all"])
def test_tables_on_a_terminal_and_names_that_look_like_markup(
    units: Path, tmp_path: Path, explain: str | None, width: int
) -> None:
    units.write_text(HEADER + GOOD.replace("A,", "[red]A,"), "utf-8")
    with (tmp_path / "screen").open("w+", encoding="utf-8") as screen:
        console = Console(file=screen, force_terminal=True, width=width, color_system=None)
        chosen = Choices("power-2023-2024", units, 2024, explain=explain)
        assert calculator.run(chosen, console, console, lambda _: None) == 0
    text = (tmp_path / "screen").read_text("utf-8")
    assert "[red]A" in text
    assert "791,000" in text
    assert ("─" in text) == (explain is None or width == 160)  # steps need a wide table
    assert "…" not in text  # no number is cut


def test_industry_with_a_given_balance_value(units: Path) -> None:
    units.write_text(
        "entity,unit,sector,province,emissions_t,output_t\nA,1,cement,Hubei,850000,1000000\n",
        "utf-8",
    )
    command = ["allocate", "industry-2025-2026", "units.csv", "--year", "2025", "--balance"]
    result = CliRunner().invoke(app, [*command, "cement=1"])
    assert "balance value of cement 2025: 1, given" in result.stderr
    assert ",869125," in result.stdout  # 850,000 x (1 + 0.15 x 0.15)
    for wrong in ("cement", "cement=", "cement=-1", "cement=0", "glass=1", "cement=1.2.3"):
        assert CliRunner().invoke(app, [*command, wrong]).exit_code == 2
    text = CliRunner().invoke(app, [*command, "cement=1", "--explain", "A/1"]).stdout
    for clause in ("AL-81", "AL-82", "AL-83", "AL-87"):
        assert clause in text


def test_a_plan_of_ones_own(units: Path) -> None:
    shipped = Path(plan_file.__file__).parent / "plans" / "power-2023-2024.toml"
    own = units.parent / "mine.toml"
    own.write_text(shipped.read_text("utf-8").replace("0.7910", "0.5000"), "utf-8")
    result = CliRunner().invoke(app, ["allocate", "mine.toml", "units.csv", "--year", "2024"])
    assert ",500000," in result.stdout


def test_every_column_and_code_is_documented() -> None:
    text = REFERENCE.read_text("utf-8")
    source = "".join(
        file.read_text("utf-8") for file in Path(plan_file.__file__).parent.glob("*.py")
    )
    codes = set(re.findall(r'RefusalError\(\s*"(\w+)"', source))
    codes |= set(re.findall(r'\.refuse\(\s*(?:field|"\w*"), "(\w+)"', source))
    codes |= set(re.findall(r'CellError\(\w+, "(\w+)"', source))
    assert len(codes) > 20
    assert [name for name in (*COLUMNS, *sorted(codes)) if f"`{name}`" not in text] == []


def test_ten_thousand_units_in_a_second(units: Path) -> None:
    """Read, computed, in processor time, so that a busy machine does not redden it."""
    with units.open("w", encoding="utf-8") as file:
        file.write(HEADER)
        for i in range(10_000):
            kind = ("I", "II", "III", "IV")[i % 4]
            mwh = 100_000 + i * 777
            load = 40 + i % 50
            file.write(f"E{i // 3},{i},P{i // 3 % 31},{kind},{mwh}.125,{load}.25,{mwh * 8 // 10}\n")
    plan = plan_file.load("power-2023-2024")
    compute(plan, units, 2024)  # once to load what is loaded on first use
    began = time.process_time()
    trial = compute(plan, units, 2024)
    assert time.process_time() - began < 1
    assert (trial.reading.rows, trial.reading.refused) == (10_000, ())
