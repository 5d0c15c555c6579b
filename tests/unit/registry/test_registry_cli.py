"""``tanshi registry``: tables in and out, refused rows by number, exit codes, both databases."""

from __future__ import annotations

import csv
import inspect
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import Result
from typer.testing import CliRunner

from registry.allocation import plan_file
from registry.commands.app import STEPS
from registry.computing import compute
from registry.institution import Registry
from registry.monitoring.deposits import Deposit
from registry.monitoring.entities import Facility, NewEntity
from registry.monitoring.roster import Listing
from registry.stored_units import units_of
from tanshi import app
from tests.unit.registry.compliance_town import Town, at

WHEN = ("--at", "2026-10-12")
ENTITIES = "code,name,province,sector\nA,Plant A,42,power\nB,Plant B,99,power\nA,Again,42,power\n"


class Line:
    """The command line over books at a URL."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.folder = url, folder

    def __call__(self, *words: object, code: int = 0) -> str:
        """Run a step; return what it prints. It must end with ``code``."""
        done: Result = CliRunner().invoke(
            app, ["registry", *map(str, words), "--registry", self.url], env={"COLUMNS": "80"}
        )
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == code, done.output
        return done.output

    def file(self, name: str, text: str) -> Path:
        made = self.folder / name
        made.write_text(text, "utf-8")
        return made


@pytest.fixture
def line(url: str, tmp_path: Path) -> Line:
    made = Line(url, tmp_path)
    assert made("provinces") == "32 provinces have accounts\n"
    return made


def test_bad_rows_are_named_and_the_others_taken(line: Line) -> None:
    file = line.file("entities.csv", ENTITIES)
    said = line("import", "entities", file, "--person", 11, *WHEN, code=1)
    assert said.splitlines() == [
        "line  field     code              reason",
        "   3  province  unknown_province  There is no province '99'.",
        "   4  code      duplicate_row     A is in this table already",
        "unknown_province: 1",
        "duplicate_row: 1",
        "entities: 3 rows, 1 taken, 2 refused",
    ]
    refused = line.folder / "refused.parquet"
    again = ("import", "entities", file, "--person", 11, "--refused", refused, *WHEN)
    line(*again, code=1)
    assert pq.read_table(refused).column("code").to_pylist() == [
        *("entity_exists", "unknown_province", "entity_exists"),
    ]


def test_strict_takes_all_or_nothing(line: Line) -> None:
    file = line.file("entities.csv", ENTITIES)
    said = line("import", "entities", file, "--person", 11, "--strict", *WHEN, code=1)
    assert "3 rows, 0 taken, 2 refused" in said
    out = line.folder / "out.csv"
    assert line("export", "entities", out) == f"entities: 0 rows in {out}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import", "entities", "none.csv", "--person", 1), "cannot be read"),
        (("import", "poems", "x.csv", "--person", 1), "[unknown_table]"),
        (("import", "entities", "x.txt", "--person", 1), "[file_kind]"),
        (("apply", "none.csv", "--maker", 1), "[file_unreadable]"),
        (("export", "poems", "x.csv"), "[unknown_table]"),
        (("notices", 2018), "[year_not_covered]"),
        (("milestone", 2025), "[no_milestone]"),
        (("standing", 2025, "--at", "x"), ""),
        (("feedback", 2025, "--person", 1, "--at", "yesterday"), "[time_invalid]"),
        (("decide", 7, "--checker", 1), "[unknown_application]"),
        (("decide", 7, 7, "--checker", 1), "[application_twice]"),
        (("allocate", "no-plan", 2025, "pre", "--document", "d", "--maker", 1), "[plan_unknown]"),
        (("surrender", 2025, "--maker", 1, "--checker", 1), "[maker_is_checker]"),
        (("approve", 3, "--sha256", "x", "--checker", 1), "[unknown_request]"),
        (("project", "P", "O", *["--name", "n", "--type", "t", "--methodology", "m"]), ""),
    ],
)
def test_what_cannot_be_done_says_why_with_code_2(
    line: Line, words: tuple[object, ...], said: str
) -> None:
    assert said in line(*words, code=2)


def test_without_books_nothing_is_made(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["registry", "standing", "2025", "--data", str(tmp_path / "v")])
    assert done.exit_code == 2
    assert "There are no books" in done.output
    assert not (tmp_path / "v").exists()


@pytest.fixture
def owing(line: Line) -> Line:
    """P1 owes 100 t of 2025 and has 120, P2 owes 100 and has 90."""
    with Registry.open(line.url) as registry:
        Town(registry).year(2025, {"P1": 100, "P2": 100}, {"P1": 120, "P2": 90})
    return line


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_surrender_row_by_row(owing: Line, kind: str) -> None:
    """One row is unreadable, one owes less, one is of another vintage: the rest waits."""
    text = "entity,year,vintage,tonnes\nP1,2025,CEA25,60\nP1,2025,CEA25,-1\nP1,2025,CEA25,41\n"
    file = owing.file("rows.csv", text + "P2,2025,CEA24,1\nP1,2025,CEA25,40\n")
    if kind == "parquet":
        import pandas as pd

        pd.read_csv(file, dtype=str).to_parquet(owing.folder / "rows.parquet")
        file = owing.folder / "rows.parquet"
    said = owing("apply", file, "--maker", 21, *WHEN, code=1)
    rows = [each.split()[:3] for each in said.splitlines()]
    assert rows[1:4] == [
        ["3", "tonnes", "negative"],
        ["4", "tonnes", "more_than_owed"],
        ["5", "vintage", "vintage_not_eligible"],
    ]
    assert said.endswith("applications 1 to 2 wait for the province\n2 rows taken, 3 refused\n")
    assert "nobody decides on his own" in owing("decide", 1, 2, "--checker", 21, *WHEN, code=2)
    assert owing("decide", 1, "--checker", 31, *WHEN) == "surrender: 1 approved\n"
    assert owing("withdraw", 2, "--person", 21, *WHEN) == "surrender: 1 withdrawn\n"
    assert owing("standing", 2025, "--entity", "P1").splitlines()[1].split() == [
        *("P1", "100", "60", "0", "0", "40"),
    ]


def test_the_mass_surrender_tells_who_is_short(owing: Line) -> None:
    said = owing("surrender", 2025, "--maker", 11, "--checker", 12, *WHEN, code=1)
    assert said.splitlines() == [
        "entity  short_tonnes",
        "P2                10",
        "190 t of 2 entities were surrendered for 2025",
        "2 applications, 1 certificates",
    ]
    assert "1 certificates of 2025" in owing("certificates", 2025)


def test_tables_go_out_as_csv_and_parquet_alike(owing: Line) -> None:
    for table in ("standings", "allocations", "obligations", "holdings", "notices", "entities"):
        files = [owing.folder / f"{table}.{kind}" for kind in ("csv", "parquet")]
        for file in files:
            owing("export", table, file)
        with files[0].open(encoding="utf-8") as text:
            header, *rows = csv.reader(text)
        other = pq.read_table(files[1])
        assert other.column_names == header
        assert rows
        plain = [
            ["" if cell is None else str(cell) for cell in row.values()]
            for row in other.to_pylist()
        ]
        assert plain == rows


def test_risk_penalty_and_disclosure(owing: Line) -> None:
    said = owing("risk", "--price-fen", 8000, "--warn", *WHEN)
    assert said.splitlines()[1].split() == [
        "P2",
        "42",
        "2025",
        "unaffordable",
        "100",
        "10",
        "80,000",
    ]
    assert "2 open obligations, 1 at risk" in said
    late = ("--at", "2027-02-01")
    case = ("penalty", "P1", "reporting", "--document", "d", "--maker", 31, "--fine-fen", 5_000_000)
    assert owing(*case, *late).splitlines() == [
        "order_775 (CP-64): 5,000,000 to 50,000,000 fen",
        "penalty 1 waits: `decide 1 --paper penalty` decides",
    ]
    assert (
        owing("decide", 1, "--checker", 32, "--paper", "penalty", *late) == "penalty: 1 approved\n"
    )
    folder = owing.folder / "shown"
    said = owing("disclose", 2025, "--publish", "--out", folder, "--format", "parquet", *late)
    assert "due_tonnes               200" in said
    assert pq.read_table(folder / "disclosure-2025-entities.parquet").num_rows == 2


@pytest.fixture
def reported(line: Line) -> Registry:
    """Books in which the power plant W and the smelter Z have verified reports of 2025."""
    with Registry.open(line.url) as registry:
        monitoring = registry.monitoring
        rows = [("W", "Water", "42", "power"), ("Z", "Smelter", "15", "aluminium")]
        monitoring.add_entities([NewEntity(*row) for row in rows])
        monitoring.open_accounts()
        facilities = [Facility("W", "U1", "unit", "I", "600", "coal", 20241201)]
        monitoring.add_facilities(
            [*facilities, Facility("Z", "POT", "process", commissioned=20251201)]
        )
        listings = [Listing(code, "threshold", 30_000) for code in ("W", "Z")]
        monitoring.publish_roster(2025, listings, "list", 31, at(2024, 10, 30))
        plans = [(code, {"meters": "scales"}) for code in ("W", "Z")]
        monitoring.file_plans(2025, plans, 11, at(2024, 12, 1))
        coal = "fuel 100000 t,ncv 20 GJ/t,carbon_content 0.026 tC/GJ,oxidation 99 %"
        coal += ",generated 210000 MWh,supplied 198000 MWh,heat 50000 GJ,hours 700 h"
        metal = "aluminium 40000 t,anode 16400 t,anode_sulphur 1.9 %,anode_ash 0.5 %"
        metal += ",cf4 1000 kg,c2f6 100 kg"
        deposits = [
            Deposit(code, unit, 202512, {n: (v, u) for n, v, u in map(str.split, text.split(","))})
            for code, unit, text in (("W", "U1", coal), ("Z", "POT", metal))
        ]
        monitoring.deposit(deposits, 11, at(2026, 1, 10))
        monitoring.report_all(2025, 11, at(2026, 3, 1))
        for one in monitoring.findings(2025, "W"):
            monitoring.answer_finding(one.id, "stood still", 11, at(2026, 3, 2))
        monitoring.verify(2025, 22, at(2026, 5, 1), "visit")
        monitoring.record_verified_many([("W", 2024, 2_000_001)], 22, at(2025, 6, 1))
    return registry


def test_units_of_the_books(line: Line, reported: Registry) -> None:
    """Outputs are sums of the report; the load is electricity over capacity and hours."""
    with Registry.open(line.url) as registry:
        power, industry = (plan_file.load(f"{name}-2025-2026") for name in ("power", "industry"))
        ((number, unit),) = units_of(registry, power, 2025, "final").rows
        ((_, early),) = units_of(registry, power, 2025, "pre").rows
        ((_, pot),) = units_of(registry, industry, 2025, "final").rows
    assert number == 0
    assert unit == {
        "entity": "W", "unit": "U1", "province": "42", "year": "2025", "emissions_t": "188760",
        "base_emissions_t": "2000001", "generated_mwh": "210000", "supplied_mwh": "198000",
        "heat_gj": "50000", "class": "I", "fuel": "coal", "capacity_mw": "600",
        "load_factor_pct": "50",
    }  # fmt: skip
    assert (early["generated_mwh"], early["base_emissions_t"]) == ("0", "2000001")
    assert (pot["output_t"], pot["emissions_t"], pot["sector"]) == ("40000", "66430", "aluminium")


def test_an_entity_with_a_refused_line_is_left_out_whole(line: Line, reported: Registry) -> None:
    """Nothing is half issued: W's other unit does not go ahead alone."""
    with Registry.open(line.url) as registry:
        other = Facility("W", "U2", "unit", "II", "300", "coal", 20101201)
        registry.monitoring.add_facilities([other])
        file = line.file("half.csv", "entity,unit,capacity_mw,special\nW,U2,400,\nW,U1,,\n")
        for stage in ("pre", "final"):
            done = compute(registry, "power-2025-2026", 2025, stage, file)
            assert [(one.row, one.code) for one in done.refused] == [(2, "differs_from_books")]
            assert (done.rows, done.units) == ([], [])
        twice = line.file("twice.csv", "entity,unit,special\nW,U1,biomass\nW,U1,\n")
        done = compute(registry, "power-2025-2026", 2025, "final", twice)
        assert [(one.row, one.code) for one in done.refused] == [(3, "duplicate_unit")]
        assert done.rows == []


@pytest.mark.parametrize(
    ("commissioned", "closed", "special"),
    [
        (20241231, 0, ""),
        (20250101, 0, "new"),
        (20101201, 20260930, "closed"),  # the day of the final issue (CA-05)
        (20101201, 20261001, ""),
        (20250101, 20260101, "closed"),
    ],
)
def test_al65_who_opened_or_closed_gets_his_emissions(
    line: Line, reported: Registry, commissioned: int, closed: int, special: str
) -> None:
    with Registry.open(line.url) as registry:
        unit = Facility("W", "U2", "unit", "II", "300", "coal", commissioned, closed)
        registry.monitoring.add_facilities([unit])
        plan = plan_file.load("power-2025-2026")
        found = {texts["unit"]: texts for _, texts in units_of(registry, plan, 2025, "final").rows}
        early = {texts["unit"]: texts for _, texts in units_of(registry, plan, 2025, "pre").rows}
        file = line.file("s.csv", "entity,unit,special\nW,U2,biomass\n")
        told = {t["unit"]: t for _, t in units_of(registry, plan, 2025, "final", file).rows}
    assert (found["U1"].get("special", ""), found["U2"].get("special", "")) == ("", special)
    assert "special" not in early["U2"]
    assert told["U2"]["special"] == "biomass"


def test_al82_only_lines_that_are_handed_over_balance(line: Line, reported: Registry) -> None:
    """The registry solves the balance value from what it is given, so the platform does too."""
    with Registry.open(line.url) as registry:
        monitoring = registry.monitoring
        monitoring.add_entities([NewEntity("Y", "Pots", "15", "aluminium")])
        monitoring.open_accounts()
        pots = [Facility("Y", code, "process", commissioned=20100101) for code in ("P1", "P2")]
        monitoring.add_facilities(pots)
        listing = Listing("Y", "threshold", 90_000)
        monitoring.publish_roster(2025, [listing], "list", 31, at(2024, 10, 30))
        parts = {"facilities": {"P1": 50_000, "P2": 60_000}}
        monitoring.record_verified("Y", 2025, 110_000, 22, at(2026, 5, 1), parts)
        file = line.file("o.csv", "entity,unit,output_t\nY,P1,40000\n")  # nothing of P2
        done = compute(registry, "industry-2025-2026", 2025, "final", file)
    assert [(one.unit, one.code) for one in done.lacking] == [("Y/P2", "missing_value")]
    assert [(row.entity, row.tonnes) for row in done.rows] == [("Z", 66_430)]  # balances itself
    assert {texts["entity"] for texts in done.units} == {"Z"}


def test_an_allocation_from_the_books_and_a_file_that_contradicts_them(
    line: Line, reported: Registry
) -> None:
    order = ("power-2025-2026", 2025)
    people = ("--maker", 41, "--checker", 42, "--document", "d", *WHEN)
    wrong = line.file("units.csv", "entity,unit,heat_gj,cooling\nW,U1,60000,air\n")
    said = line("allocate", *order, "pre", "--trial", *people)
    assert said.splitlines()[1].split() == ["W", "42", "0", "0", "1,000,000"]
    assert said.endswith("nothing was issued\n")
    assert "1,000,000 t issued now" in line("allocate", *order, "pre", *people)
    said = line("allocate", *order, "final", "--units", wrong, *people, code=1)
    assert "2  heat_gj  differs_from_books" in said
    assert "no units of 2025" in said
    right = line.file("units.csv", "entity,unit,heat_gj,cooling\nW,U1,50000,air\n")
    said = line("allocate", *order, "final", "--units", right, *people)
    # 210,000 x 0.7902 = 165,942 and 50,000 x 0.1027 = 5,135: less than what came early
    assert said.splitlines()[1].split() == ["W", "42", "188,760", "171,077", "1,000,000"]
    assert "171,077 t entitled, 0 t issued now, 828,923 t taken back" in said
    said = line("allocate", *order, "final", *people, code=1)
    assert "issued_before" in said


def test_an_open_request_is_approved_by_its_hash(line: Line, reported: Registry) -> None:
    people = ("--maker", 41, "--document", "d", *WHEN)
    said = line("allocate", "power-2025-2026", 2025, "pre", *people)
    sha256 = said.split("sha256 ")[1].strip()
    line("approve", 1, "--sha256", "0" * 64, "--checker", 42, *WHEN, code=2)
    line("approve", 1, "--sha256", sha256, "--checker", 41, *WHEN, code=2)
    done = line("approve", 1, "--sha256", sha256, "--checker", 42, *WHEN)
    assert done == "request 1, issue_allocation: approved\n"


def test_reductions_from_project_to_the_obligation(owing: Line, tmp_path: Path) -> None:
    """The proof of one registry counts at the other, once (RG-12)."""
    ccer = ("--data", str(tmp_path / "ccer"))

    def reductions(*words: object) -> str:
        done = CliRunner().invoke(app, ["registry", *map(str, words), *ccer])
        assert done.exit_code == 0, done.output
        return done.output

    two = ("--maker", 51, "--checker", 52, "--document", "d", *WHEN)
    named = ("--name", "Offshore", "--type", "wind", "--methodology", "M1", "--installation", "sea")
    reductions("project", "SEA", "OWNER", *named, *two)
    days = ("--registered", 20260101, "--first", 20240201, "--last", 20251231)
    reductions("batch", "SEA1", "SEA", 1000, *days, *two)
    whose = ("--purpose", "2025", "--entity", "P1", "--year", 2025)
    said = reductions("cancel", "OWNER", "SEA1", 5, "offset", *whose, *two)
    _, number, _, sha256 = said.splitlines()[-1].split()
    assert f"sha256 {sha256}" in reductions("prove", number)
    books = ("--reductions", f"sqlite:///{tmp_path / 'ccer' / 'registry.db'}")
    use = ("offset", "P1", 2025, "--proof", number, "--maker", 21, *books, *WHEN)
    assert "[proof_differs]" in owing(*use, "--sha256", "x", code=2)
    assert owing(*use, "--sha256", sha256) == "offset 1 waits for the province\n"
    assert "[proof_used]" in owing(*use, "--sha256", sha256, code=2)
    owing("decide", 1, "--paper", "offset", "--checker", 31, *WHEN)
    assert owing("standing", 2025).splitlines()[1].split() == ["P1", *["100", "0", "5", "0", "95"]]


def test_every_step_says_what_it_is_for_and_where_its_books_are() -> None:
    for _, steps in STEPS:
        for name, step in steps.items():
            assert (step.__doc__ or "").strip(), name
            assert {"data", "url"} <= set(inspect.signature(step).parameters), name
    done = CliRunner().invoke(app, ["registry", "--help"])
    assert done.exit_code == 0
    assert all(name in done.output for _, steps in STEPS for name in steps)
