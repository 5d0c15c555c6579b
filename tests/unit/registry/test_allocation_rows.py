"""Bad rows: each is refused with its number, field, code and reason; the rest is computed."""

from __future__ import annotations

import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from registry.allocation import plan_file
from registry.allocation.calculator import read_table
from registry.allocation.reading import Reading, check_columns, read_csv
from registry.allocation.units import NOT_GIVEN
from registry.errors import RefusalError
from tests.unit.registry.allocation_tables import UNIT, read

P19, P23 = "power-2019-2020", "power-2023-2024"
GOOD = {"class": "I", "generated_mwh": "1000", "load_factor_pct": "70", "year": "2024"}
HEADER = "entity,unit,province,year,class,generated_mwh,load_factor_pct,emissions_t"


def from_text(tmp_path: Path, text: str, year: int | None = None) -> Reading:
    file = tmp_path / "units.csv"
    file.write_text(text, encoding="utf-8")
    return read_csv(plan_file.load(P23), file, year)


@pytest.mark.parametrize(
    ("cells", "field", "code"),
    [
        ({"unit": ""}, "unit", "missing_value"),
        ({"entity": " "}, "entity", "missing_value"),
        ({"province": ""}, "province", "missing_value"),
        ({"emissions_t": ""}, "emissions_t", "missing_value"),
        ({"generated_mwh": ""}, "generated_mwh", "missing_value"),
        ({"class": ""}, "class", "missing_value"),
        ({"load_factor_pct": ""}, "load_factor_pct", "missing_value"),
        ({"year": ""}, "year", "missing_value"),
        ({"generated_mwh": "-1"}, "generated_mwh", "negative"),
        ({"heat_gj": "-0.5"}, "heat_gj", "negative"),
        ({"emissions_t": "−7"}, "emissions_t", "negative"),
        ({"generated_mwh": "1,000"}, "generated_mwh", "not_a_number"),
        ({"generated_mwh": "1e6"}, "generated_mwh", "not_a_number"),
        ({"generated_mwh": "nan"}, "generated_mwh", "not_a_number"),
        ({"generated_mwh": "1000 MWh"}, "generated_mwh", "not_a_number"),
        ({"generated_mwh": "１０００"}, "generated_mwh", "not_a_number"),
        ({"generated_mwh": "1.0000001"}, "generated_mwh", "too_many_decimals"),
        ({"generated_mwh": "10000000001"}, "generated_mwh", "too_large"),
        ({"generated_mwh": "9" * 5000}, "generated_mwh", "too_large"),
        ({"generated_mwh": "Infinity"}, "generated_mwh", "not_a_number"),
        ({"generated_mwh": "1e400"}, "generated_mwh", "not_a_number"),
        ({"generated_mwh": "x" * 5000}, "generated_mwh", "not_a_number"),
        ({"class": "Ⅰ"}, "class", "unknown_class"),
        ({"entity": "华\n能"}, "entity", "not_printable"),
        ({"emissions_t": "1000.5"}, "emissions_t", "not_whole_tonnes"),  # U27
        ({"load_factor_pct": "100.1"}, "load_factor_pct", "out_of_range"),
        ({"load_factor_pct": "0.7"}, "load_factor_pct", "out_of_range"),
        ({"load_factor_pct": "0"}, "load_factor_pct", "out_of_range"),
        ({"year": "2022"}, "year", "wrong_year"),
        ({"year": "24"}, "year", "wrong_year"),
        ({"class": "V"}, "class", "unknown_class"),
        ({"class": "I+"}, "class", "unknown_class"),
        ({"class": "I", "fuel": "coal", "capacity_mw": "350"}, "class", "class_contradicts"),
        ({"class": "", "fuel": "coal"}, "capacity_mw", "missing_value"),
        ({"class": "", "fuel": "coal", "capacity_mw": "0"}, "capacity_mw", "out_of_range"),
        ({"class": "", "fuel": "oil"}, "fuel", "unknown_class"),
        ({"class": "", "fuel": "gas", "other_fuel_pct": "11"}, "other_fuel_pct", "unknown_class"),
        ({"special": "coal_to_gas"}, "special", "unknown_special"),
        ({"differentiated": "whim"}, "differentiated", "unknown_reason"),
        (
            {"differentiated": "unpaid", "pre_allocated_t": "5"},
            *("pre_allocated_t", "entity_conflict"),
        ),
        ({"entity": "\x1b[31mE"}, "entity", "not_printable"),
    ],
)
def test_a_bad_row_is_refused_and_the_rest_computed(
    cells: dict[str, str], field: str, code: str
) -> None:
    reading = read(P23, {**GOOD, "unit": "a"}, {**GOOD, **cells}, {**GOOD, "unit": "b"})
    assert [(row.row, row.field, row.code) for row in reading.refused] == [(3, field, code)]
    assert 0 < len(reading.refused[0].reason) < 200
    assert reading.rows == 3
    assert reading.units[2024].names == ("a", "b")


@pytest.mark.parametrize(
    ("cells", "field", "code"),
    [
        ({"cooling": ""}, "cooling", "missing_value"),
        ({"cooling": "wind"}, "cooling", "unknown_cooling"),
        ({"heat_gj": "5"}, "heat_ratio_pct", "missing_value"),
        ({"heat_gj": "5", "heat_ratio_pct": "101"}, "heat_ratio_pct", "out_of_range"),
        ({"deduction_t": "5"}, "deduction_t", "not_in_plan"),
        ({"differentiated": "unpaid"}, "differentiated", "not_in_plan"),
        ({"supplied_mwh": ""}, "supplied_mwh", "missing_value"),
    ],
)
def test_what_the_first_plan_needs(cells: dict[str, str], field: str, code: str) -> None:
    good = {**GOOD, "year": "2019", "supplied_mwh": "1000", "cooling": "air"}
    reading = read(P19, good, {**good, "unit": "b", **cells})
    assert [(row.row, row.field, row.code) for row in reading.refused] == [(3, field, code)]


def test_duplicates_and_entities_in_two_provinces() -> None:
    rows = (GOOD, GOOD, {**GOOD, "year": "2023"}, {**GOOD, "unit": "2", "province": "Anhui"})
    reading = read(P23, *rows)
    assert [(row.row, row.field, row.code) for row in reading.refused] == [
        *((3, "unit", "duplicate_unit"), (5, "province", "entity_conflict")),
    ]
    assert "row 2" in reading.refused[0].reason
    # A repeated row leaves nothing out; a unit that could not be taken does.
    assert reading.units[2023].entities.complete.tolist() == [True]
    assert reading.units[2024].entities.complete.tolist() == [False]
    assert read(P23, GOOD, GOOD).units[2024].entities.complete.tolist() == [True]


def test_a_refused_row_does_not_take_the_place_of_a_good_one() -> None:
    reading = read(P23, {**GOOD, "generated_mwh": "-1"}, GOOD)
    assert [row.row for row in reading.refused] == [2]
    assert len(reading.units[2024]) == 1


def test_one_year_only() -> None:
    reading = read(
        P23, GOOD, {**GOOD, "year": "2023"}, {**GOOD, "year": "", "unit": "x"}, year=2024
    )
    assert [(row.row, row.code) for row in reading.refused] == [(3, "wrong_year")]
    assert reading.units[2024].names == ("1", "x")


def test_lines_of_the_file_are_counted(tmp_path: Path) -> None:
    good, short = "E,1,Hubei,2024,I,1000,70,1000", "E,2,Hubei,2024"
    reading = from_text(
        tmp_path, f"\ufeff{HEADER}\n{good}\n\n{short}\n,,,,,,,\nE,3,Hubei,2024,I,-1,70,1\n"
    )
    assert [(row.row, row.code) for row in reading.refused] == [(4, "bad_row"), (6, "negative")]
    assert reading.rows == 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "missing_column"),
        (HEADER.replace("emissions_t", "emissions"), "unknown_column"),
        (HEADER.replace("generated_mwh", "generated"), "unknown_column"),
        (HEADER + ",unit", "unknown_column"),
        (HEADER.replace(",province", ""), "missing_column"),
        (HEADER.replace("generated_mwh", "supplied_mwh"), "missing_column"),
        (HEADER.replace(",year", ""), "year_missing"),
        (HEADER + '\n"open', "file_unreadable"),
        (HEADER.replace(",", ";"), "unknown_column"),
        (HEADER.replace("generated_mwh", "generated_kwh"), "unknown_column"),
    ],
)
def test_a_file_that_cannot_be_understood(tmp_path: Path, text: str, code: str) -> None:
    with pytest.raises(RefusalError) as refusal:
        from_text(tmp_path, text)
    assert refusal.value.code == code


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    plan = plan_file.load(P23)
    broken = tmp_path / "latin.csv"
    broken.write_bytes(HEADER.encode() + b"\n\xff\xfe")
    for file in (tmp_path / "none.csv", tmp_path, broken):
        with pytest.raises(RefusalError) as refusal:
            read_csv(plan, file)
        assert refusal.value.code == "file_unreadable"
    with pytest.raises(RefusalError, match="emissions_t meant"):
        check_columns(plan, ["emission_t"], None)
    with pytest.raises(RefusalError) as refusal:
        check_columns(plan, HEADER.split(","), 2025)
    assert refusal.value.code == "year_not_in_plan"


P25 = "power-2025-2026"
EARLY = {**GOOD, "year": "2025", "base_emissions_t": "1000001"}


def test_al63_more_than_the_share_cannot_have_been_issued_early() -> None:
    """The share is of the whole entity and is rounded down."""
    second = {**EARLY, "unit": "2", "base_emissions_t": "0"}
    assert read(P25, EARLY, {**second, "pre_allocated_t": "500000"}).refused == ()
    reading = read(P25, EARLY, {**second, "pre_allocated_t": "500001"})
    [row] = reading.refused
    assert (row.row, row.field, row.code) == (3, "pre_allocated_t", "above_share")
    assert row.reason.endswith("more than 0.50 of the 1,000,001 t of 2024, 500,000 t (AL-63)")
    units = reading.units[2025]
    assert (units.names, units.entities.complete.tolist()) == (("1",), [False])
    assert units.entities.pre_allocated_t.tolist() == [NOT_GIVEN]
    alone = read(P25, {**EARLY, "pre_allocated_t": "500001"})
    assert (alone.units, [one.code for one in alone.refused]) == ({}, ["above_share"])


def test_the_share_is_the_plans_and_says_nothing_without_its_base() -> None:
    old = {**GOOD, "base_emissions_t": "1000001", "pre_allocated_t": "700001"}  # AL-33
    assert [row.code for row in read(P23, old).refused] == ["above_share"]
    assert read(P23, {**old, "pre_allocated_t": "700000"}).refused == ()
    assert read(P23, {**old, "base_emissions_t": ""}).refused == ()
    # A refused row lacks in the base, so nothing can be said of the others.
    broken = {**GOOD, "unit": "2", "generated_mwh": "-1"}
    assert [row.code for row in read(P23, old, broken).refused] == ["negative"]


def test_chinese_names_and_a_table_of_a_spreadsheet(tmp_path: Path) -> None:
    reading = from_text(
        tmp_path,
        f"\ufeff{HEADER}\r\n华能电厂,一号机组,湖北,2024,I, 1000 ,70,1000\r\n"
        "华能电厂,一号机组 ,湖北,2024,I,1000,70,1000\r\n",
    )
    assert [(row.row, row.code) for row in reading.refused] == [(3, "duplicate_unit")]
    assert reading.units[2024].entities.names == ("华能电厂",)


def test_a_parquet_table_is_read_as_the_csv_would_be(tmp_path: Path) -> None:
    good = {**UNIT, **GOOD, "year": 2024, "generated_mwh": 1e6, "emissions_t": 800_000}
    wrong = (math.nan, math.inf, -1.0, 1e300, 0.1 + 0.2)
    rows = [good, *({**good, "unit": f"u{x}", "generated_mwh": x} for x in wrong)]
    file = tmp_path / "units.parquet"
    pq.write_table(pa.Table.from_pylist(rows), file)
    reading = read_table(plan_file.load(P23), file)
    assert [(row.row, row.code) for row in reading.refused] == [
        *((3, "missing_value"), (4, "not_a_number"), (5, "negative")),
        *((6, "too_large"), (7, "too_many_decimals")),
    ]
    assert (reading.rows, reading.units[2024].names) == (6, ("1",))
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(RefusalError) as refusal:
        read_table(plan_file.load(P23), file)
    assert refusal.value.code == "file_unreadable"
