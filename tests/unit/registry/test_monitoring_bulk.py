"""Tables in and out: bad rows refused one by one, the rest taken, nothing half reported."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import pytest

from registry.allocation.reading import Refused
from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring.bulk import Scope, Summary
from registry.monitoring.entities import Facility
from registry.monitoring.parameters import parameters
from registry.monitoring.roster import Listing
from registry.windows import nanoseconds
from tests.unit.registry.test_monitoring_emissions import GOOD

PERSON = 11
NOW_NS = nanoseconds(dt.date(2026, 1, 5), dt.time(12))


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


def csv_file(folder: Path, *lines: str) -> Path:
    path = folder / "table.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def short(summary: Summary) -> list[tuple[int, str, str]]:
    return [(one.row, one.field, one.code) for one in summary.refused]


@pytest.fixture
def covered(registry: Registry) -> Registry:
    """Books with two power plants on the roster of 2025, both with plans."""
    monitoring = registry.monitoring
    monitoring.open_provinces()
    monitoring.add_entities([("P", "Plant", "42", "power"), ("Q", "Other", "42", "power")])
    monitoring.add_facilities(
        [Facility(code, "U1", "unit", "I", "500", "coal") for code in ("P", "Q")]
    )
    monitoring.publish_roster(
        2025, [Listing(code, "threshold", 30_000) for code in ("P", "Q")], "list", PERSON, NOW_NS
    )
    plan = {"meters": "all"}
    monitoring.file_plans(2025, [("P", plan), ("Q", plan)], PERSON, NOW_NS)
    return registry


def deposit_lines(entity: str, month: int, **bent: str) -> list[str]:
    units = parameters("power_coal")
    given = {**GOOD["power_coal"], **bent}
    return [
        f"{entity},U1,{month},{name},{value},{units[name].unit},measured"
        for name, value in given.items()
    ]


HEAD = "entity,facility,month,parameter,value,unit,basis"


def test_bad_entities_are_refused_the_rest_come_in(covered: Registry, tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "code,name,province,sector,industry,process",
        "N1,New,37,cement,3011,clinker",
        "N1,Again,37,cement,3011,",
        "P,Plant,42,power,,",
        "N 2,Blank,37,cement,,",
        "",
        "N3,Where,99,cement,,",
        "N4,What,37,paper,,",
        "N5,Mill,13,steel,3110,electric_arc",
        "N6,short,37",
        "N7,,37,steel,,",
        "NATIONAL,Me,37,steel,,",
        '"N8","Two\nlines",37,steel,,',
        "N9,Last,37,steel,,",
    )
    done = covered.monitoring.import_table("entities", path, PERSON, NOW_NS)
    assert short(done) == [
        (3, "code", "duplicate_row"),
        (4, "code", "entity_exists"),
        (5, "code", "entity_invalid"),
        (7, "province", "unknown_province"),
        (8, "sector", "sector_invalid"),
        (9, "industry", "outside_boundary"),
        (10, "", "bad_row"),
        (11, "name", "name_invalid"),
        (12, "code", "account_exists"),
        (13, "name", "name_invalid"),
    ]
    assert (done.rows, done.taken, done.is_written) == (12, 2, True)
    assert done.by_code["name_invalid"] == 2
    assert set(covered.monitoring.entities()) == {"P", "Q", "N1", "N9"}


def test_strict_takes_all_or_nothing(covered: Registry, tmp_path: Path) -> None:
    lines = ["code,name,province,sector", "N1,New,37,cement", "N2,Bad,99,cement"]
    path = csv_file(tmp_path, *lines)
    done = covered.monitoring.import_table("entities", path, PERSON, NOW_NS, strict=True)
    assert (done.rows, done.taken, len(done.refused), done.is_written) == (2, 0, 1, False)
    assert set(covered.monitoring.entities()) == {"P", "Q"}
    path = csv_file(tmp_path, *lines[:2])
    done = covered.monitoring.import_table("entities", path, PERSON, NOW_NS, strict=True)
    assert (done.taken, done.is_written) == (1, True)


def test_facilities_roster_and_figures(covered: Registry, tmp_path: Path) -> None:
    monitoring = covered.monitoring
    path = csv_file(
        tmp_path,
        "entity,code,kind,capacity_mw,fuel,commissioned,closed",
        "P,U2,unit,600,coal,20100101,",
        "P,U2,unit,600,coal,,",
        "P,U1,unit,600,coal,,",
        "P,U3,line,600,coal,,",
        "P,U3,unit,-6,coal,,",
        "P,U3,unit,6,coal,1 May,",
        "X,U3,unit,6,coal,,",
    )
    done = monitoring.import_table("facilities", path, PERSON, NOW_NS)
    assert [code for _, _, code in short(done)] == [
        *("duplicate_row", "facility_exists", "kind_invalid", "capacity_invalid"),
        *("date_invalid", "unknown_entity"),
    ]
    assert monitoring.facilities("P")[1] == Facility("P", "U2", "unit", "", "600", "coal", 20100101)
    path = csv_file(
        tmp_path,
        "entity,year,emissions_tonnes",
        *("P,2024,26000", "P,2024,26000", "Q,2023,5", "Q,2024,-5", "Q,2024,1.5", "Q,2024,"),
        *("X,2024,5", "Q,2024,25999.0"),
    )
    done = monitoring.import_table("verified", path, PERSON, NOW_NS, 2024)
    assert short(done) == [
        (3, "entity", "duplicate_row"),
        (4, "year", "wrong_year"),
        (5, "emissions_tonnes", "negative"),
        (6, "emissions_tonnes", "not_whole_tonnes"),
        (7, "emissions_tonnes", "missing_value"),
        (8, "entity", "unknown_entity"),
    ]
    assert monitoring.verified_of_year(2024) == {"P": 26_000, "Q": 25_999}
    path = csv_file(
        tmp_path,
        "year,entity,grounds,emissions_tonnes",
        *("2026,P,threshold,", "2026,P,threshold,", "2025,Q,threshold,", "2026,Q,threshold,"),
        *("2026,Q,whim,", "2026,Q,below_two_years,", "2026,Q,listed_before,"),
    )
    done = monitoring.import_table("roster", path, PERSON, NOW_NS, 2026, "list 3")
    assert [code for _, _, code in short(done)] == [
        *("duplicate_row", "wrong_year", "below_threshold"),
        *("grounds_invalid", "removal_unfounded"),
    ]
    assert [(one.entity, one.document) for one in monitoring.roster(2026)] == [
        ("P", "list 3"),
        ("Q", "list 3"),
    ]


def test_plans_come_by_table_cp_09(covered: Registry, tmp_path: Path) -> None:
    path = csv_file(
        tmp_path,
        "year,entity,meters,laboratory",
        *("2026,P,two scales,ours", "2026,P,x,y", "2026,Q,,", "2025,Q,x,", "2026,X,x,"),
    )
    done = covered.monitoring.import_table("plans", path, PERSON, NOW_NS, 2026)
    assert short(done) == [
        (3, "entity", "duplicate_row"),
        (4, "", "missing_value"),
        (5, "year", "wrong_year"),
        (6, "entity", "unknown_entity"),
    ]
    assert [(one.entity, one.is_late) for one in covered.monitoring.plans(2026)] == [("P", True)]


def test_a_month_with_a_bad_row_is_not_half_reported(covered: Registry, tmp_path: Path) -> None:
    lines = deposit_lines("P", 202501)
    bad = deposit_lines("Q", 202501)
    bad[1] = bad[1].replace("GJ/t", "")  # missing unit
    bad[4] = bad[4].replace("210000", "-210000")
    lacking = deposit_lines("Q", 202502)[1:]  # without fuel
    others = [
        "P,U1,202401,fuel,1,t,measured",  # wrong year
        "P,U1,202501,fuel,1,t,measured",  # again
        "P,U7,202501,fuel,1,t,measured",
        "P,U1,202513,fuel,1,t,measured",
        "P,U1,May,fuel,1,t,measured",
        "X,U1,202501,fuel,1,t,measured",
    ]
    path = csv_file(tmp_path, HEAD, *lines, *bad, *lacking, *others)
    done = covered.monitoring.import_table("deposits", path, PERSON, NOW_NS, 2025)
    size = len(lines)
    found = short(done)
    assert [one for one in found if one[0] <= size + 1] == []
    assert (size + 3, "unit", "missing_unit") in found
    assert (size + 6, "value", "negative") in found
    months = [code for row, _, code in found if size + 1 < row <= 2 * size + 1]
    assert sorted(months) == sorted(
        ["missing_unit", "negative", *["incomplete_deposit"] * (size - 2)]
    )
    assert [code for _, _, code in found[size:-6]] == ["missing_parameter"] * (size - 1)
    assert [(field, code) for _, field, code in found[-6:]] == [
        ("month", "wrong_year"),
        ("parameter", "duplicate_row"),
        ("facility", "unknown_facility"),
        ("month", "month_invalid"),
        ("month", "date_invalid"),
        ("facility", "unknown_facility"),
    ]
    assert (done.rows, done.taken) == (3 * size + 5, size)
    there = tmp_path / "out.csv"
    assert covered.monitoring.export_table("deposits", there, 2025) == size


def test_a_default_basis_may_leave_the_value_out(covered: Registry, tmp_path: Path) -> None:
    lines = deposit_lines("P", 202501)
    lines[2] = "P,U1,202501,carbon_content,,tC/GJ,default"
    path = csv_file(tmp_path, HEAD, *lines)
    done = covered.monitoring.import_table("deposits", path, PERSON, NOW_NS, 2025)
    assert done.refused == ()
    assert [(one.rule, one.value) for one in covered.monitoring.findings(2025)] == [
        ("PC-03", "0.03085")
    ]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_is_exported_comes_back_the_same(
    covered: Registry, tmp_path: Path, suffix: str
) -> None:
    monitoring = covered.monitoring
    lines = [line for month in (202501, 202502) for line in deposit_lines("P", month)]
    monitoring.import_table("deposits", csv_file(tmp_path, HEAD, *lines), PERSON, NOW_NS, 2025)
    monitoring.record_verified("P", 2024, 7, 3, NOW_NS)
    tables = ["entities", "facilities", "roster", "verified", "deposits", "findings", "changes"]
    paths = {name: tmp_path / f"{name}{suffix}" for name in tables}
    for name, path in paths.items():
        monitoring.export_table(name, path, 2024 if name == "verified" else 2025)
    with Registry.open("sqlite://") as other:
        other.monitoring.open_provinces()
        for name in ("entities", "facilities", "roster"):
            done = other.monitoring.import_table(name, paths[name], PERSON, NOW_NS, 2025, "list")
            assert (done.refused, done.taken) == ((), 2)
        other.monitoring.file_plans(2025, [("P", {"meters": "all"})], PERSON, NOW_NS)
        done = other.monitoring.import_table("verified", paths["verified"], 3, NOW_NS, 2024)
        assert (done.refused, done.taken) == ((), 1)
        done = other.monitoring.import_table("deposits", paths["deposits"], PERSON, NOW_NS, 2025)
        assert (done.refused, done.taken) == ((), len(lines))
        assert other.monitoring.roster(2025) == monitoring.roster(2025)
        assert other.monitoring.facilities("P") == monitoring.facilities("P")
        again = tmp_path / f"again{suffix}"
        other.monitoring.export_table("deposits", again, 2025)
        assert again.read_bytes() == paths["deposits"].read_bytes()


def test_parquet_numbers_are_read_as_they_look(covered: Registry, tmp_path: Path) -> None:
    path = tmp_path / "figures.parquet"
    rows = {"entity": ["P", "Q", "X"], "year": [2024, 2024, 2024]}
    pd.DataFrame({**rows, "emissions_tonnes": [5.0, 7.5, None]}).to_parquet(path)
    done = covered.monitoring.import_table("verified", path, PERSON, NOW_NS, 2024)
    assert done.refused == (
        Refused(3, "emissions_tonnes", "not_whole_tonnes", "emissions_tonnes must be whole tonnes"),
        Refused(4, "entity", "unknown_entity", "There is no entity 'X'."),
    )
    assert covered.monitoring.verified_of_year(2024) == {"P": 5}


@pytest.mark.parametrize(
    ("table", "name", "content", "code"),
    [
        ("poems", "a.csv", b"x\n", "unknown_table"),
        ("entities", "a.txt", b"x\n", "file_kind"),
        ("entities", "a.csv", b"\xff\xfe", "file_unreadable"),
        ("entities", "a.csv", b'code,"name\n', "file_unreadable"),
        ("entities", "a.parquet", b"PAR1", "file_unreadable"),
        ("entities", "a.csv", b"code,name,province,sector,color\n", "unknown_column"),
        ("entities", "a.csv", b"code,code,name,province,sector\n", "unknown_column"),
        ("entities", "a.csv", b"code,name,province\n", "missing_column"),
        ("entities", "a.csv", b"", "missing_column"),
        ("verified", "a.csv", b"entity,year,emissions_tonnes\n", "year_invalid"),
        ("roster", "a.csv", b"year,entity,grounds\n", "year_invalid"),
    ],
)
def test_a_file_nobody_could_understand_is_refused_whole(
    covered: Registry, tmp_path: Path, table: str, name: str, content: bytes, code: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with refused(code):
        covered.monitoring.import_table(table, path, PERSON, NOW_NS)


def test_a_file_that_is_not_there_and_a_table_that_is_none(
    covered: Registry, tmp_path: Path
) -> None:
    with refused("file_unreadable"):
        covered.monitoring.import_table("entities", tmp_path / "no.csv", PERSON, NOW_NS)
    with refused("text_invalid"):
        path = csv_file(tmp_path, "year,entity,grounds")
        covered.monitoring.import_table("roster", path, PERSON, NOW_NS, 2025)
    with refused("unknown_table"):
        covered.monitoring.export_table("poems", tmp_path / "a.csv")
    with refused("year_invalid"):
        covered.monitoring.export_table("roster", tmp_path / "a.csv")
    with refused("file_kind"):
        covered.monitoring.export_table("entities", tmp_path / "a.txt")


def test_a_table_of_thousands_is_one_transaction(registry: Registry, tmp_path: Path) -> None:
    monitoring = registry.monitoring
    monitoring.open_provinces()
    rows = [f"K{number:04d},Firm,37,power" for number in range(4_000)]
    path = csv_file(tmp_path, "code,name,province,sector", *rows)
    assert monitoring.import_table("entities", path, PERSON, NOW_NS).taken == 4_000
    rows = [f"K{number:04d},2024,50000" for number in range(4_000)]
    path = csv_file(tmp_path, "entity,year,emissions_tonnes", *rows)
    assert monitoring.import_table("verified", path, PERSON, NOW_NS, 2024).taken == 4_000


def test_a_json_array_is_a_table_too(covered: Registry, tmp_path: Path) -> None:
    """Objects count from 1; what is no flat object is refused, the others are taken (CP-10)."""
    path = tmp_path / "verified.json"
    path.write_text(
        '[{"entity": "P", "emissions_tonnes": 5}, 7, {"entity": "Q", "emissions_tonnes": [1]},'
        ' {"emissions_tonnes": 6}, {"entity": "Q", "emissions_tonnes": 6.0}]'
    )
    done = covered.monitoring.import_table("verified", path, PERSON, NOW_NS, 2025)
    codes = [(one.row, one.code) for one in done.refused]
    assert codes == [(2, "bad_row"), (3, "bad_row"), (4, "missing_value")]
    assert covered.monitoring.verified_of_year(2025) == {"P": 5, "Q": 6}
    path.write_text("[]")
    done = covered.monitoring.import_table("verified", path, PERSON, NOW_NS, 2025)
    assert (done.rows, done.taken, done.refused) == (0, 0, ())
    path.write_text("[" * 2000)
    with pytest.raises(RefusalError) as told:
        covered.monitoring.import_table("verified", path, PERSON, NOW_NS, 2025)
    assert told.value.code == "file_unreadable"


def test_rows_of_others_are_refused_like_rows_of_nobody(covered: Registry, tmp_path: Path) -> None:
    path = tmp_path / "verified.csv"
    path.write_text("entity,emissions_tonnes\nP,5\nQ,5\nXX,5\n")
    order = ("verified", path, PERSON, NOW_NS, 2025)
    done = covered.monitoring.import_table(*order, scope=Scope(frozenset({"P"})))
    (foreign, nobody), taken = done.refused, covered.monitoring.verified_of_year(2025)
    assert foreign[1:3] == nobody[1:3] == ("entity", "unknown_entity")
    assert foreign.reason.replace("'Q'", "'XX'") == nobody.reason
    assert taken == {"P": 5}
    path = tmp_path / "entities.csv"
    path.write_text("code,name,province,sector\nN1,New,13,power\nN2,New,42,power\n")
    order = ("entities", path, PERSON, NOW_NS)
    done = covered.monitoring.import_table(*order, scope=Scope(None, "42"))
    assert [(one.row, one.field, one.code) for one in done.refused] == [
        (2, "province", "other_province")
    ]
