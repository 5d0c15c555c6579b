"""Targets in numbers and in words: every row is understood, or says why not."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.results import targets as refusals
from sim.results.days import Window
from sim.results.target_parts import Part, name_of, tolerances_of
from sim.results.target_text import seasons_of, segments_of, take_window
from sim.results.targets import COLUMNS, SHIPPED, Target, TargetsFileError, read_targets, target_of

HEAD = ",".join(COLUMNS)
GOOD = "Q4-2021,2021,share of season volume in Oct-Dec,0.901,0.05,calibrate,x,"


def row(
    target_id: str, metric: str, value: str, tolerance: str, season: str = "2024", note: str = ""
) -> Target:
    cells = (target_id, season, metric, value, tolerance, "held out", "x", note)
    return target_of(dict(zip(COLUMNS, cells, strict=True)))


def facts_of(target: Target) -> list[tuple[str, float, float]]:
    return [(part.fact, part.low, part.high) for part in target.parts]


def days(first: str | None, last: str | None) -> Window:
    bounds = [None if day is None else np.datetime64(day) for day in (first, last)]
    return Window(*bounds)


def test_every_shipped_row_is_understood() -> None:
    rows = read_targets(SHIPPED)
    assert len(rows) == 74
    assert [each.id for each in rows if each.reason or each.remark] == []
    left = {part.reason for each in rows for part in each.parts if part.reason}
    assert left == {"its tolerance is in points of a share"}


PLATEAU = [("P.level", 42, 44), ("P.end", 54.22, 54.22)]
LAST = [
    ("P.peak", 105.65, 105.65),
    ("P.low", 97, 106),
    ("P.peak", 97, 106),
    ("P.end", 97.49, 97.49),
]


@pytest.mark.parametrize(
    ("target_id", "metric", "value", "tolerance", "expected"),
    [
        (
            "P-2021",
            "close: plateau Oct-Nov, end of year",
            "42-44, then 54.22 CNY/t",
            "10%",
            PLATEAU,
        ),
        (
            *("P-2022", "close range, no deadline in the year", "55-60 CNY/t from May", "5%"),
            [("P.low", 55, 60), ("P.peak", 55, 60)],
        ),
        (
            *("P-2024", "composite close peak, fourth-quarter range, end"),
            *("105.65 (13 Nov), 97-106, 97.49", "10%", LAST),
        ),
        (
            *("P-2023", "close path", "55.5 at start, 81.67 (peak, Oct); 79.42 at year end", "5%"),
            [("P.start", 55.5, 55.5), ("P.peak", 81.67, 81.67), ("P.end", 79.42, 79.42)],
        ),
        (
            *("VOL-2021", "season volume, Mt and share", "178.8; 2.0% of 9.0 Gt", "20%"),
            [("VOL", 178.8, 178.8), ("VOL.share", 0.02, 0.02)],
        ),
        (
            *("SPLIT-2024", "listed and bulk volume, Mt", "37.0 and 151.6", "10%"),
            [("SPLIT.listed", 37, 37), ("SPLIT.bulk", 151.6, 151.6)],
        ),
        (
            *("PART-2024", "entities that traded", "1,471 of about 2,200 (67%)", "3 points"),
            [("PART", 1471, 1471), ("PART.share", 0.67, 0.67)],
        ),
        (
            *("DEF-2021", "entities in deficit", "847 of 2,011 (42%); 188 Mt", "3 points; 10%"),
            [("DEF", 847, 847), ("DEF.share", 0.42, 0.42), ("DEF.sum", 188, 188)],
        ),
        ("DEF-2024", "net deficit", "29,000 kt", "10%", [("DEF.net", 29, 29)]),
        ("COMP-2024", "entities not in full compliance", "4", "0-10", [("COMP", 4, 4)]),
        (
            *("CCER-2024", "CCER surrendered; users", "6.47 Mt; 58 entities", "20%"),
            [("CCER", 6.47, 6.47), ("CCER.users", 58, 58)],
        ),
        (
            *("LIM-2021", "days at the +10% limit; the -10% limit", "8 of 113; 1 of 113", "4"),
            [("LIM.upper", 8, 8), ("LIM.lower", 1, 1)],
        ),
        ("LIM-2223", "limit touches", "none", "2", [("LIM", 0, 0)]),
        ("Q4-2025", "share", "0.6–0.7", "0.05", [("Q4", 0.6, 0.7)]),
        ("BDMED-2025", "median", "−4.5 %", "2 points", [("BDMED", -0.045, -0.045)]),
        (
            "ZZ-2025",
            "lag-1 autocorrelation of absolute returns",
            "0.3",
            "0.1",
            [("ACABS", 0.3, 0.3)],
        ),
        ("COMP-2025", "entities not in full compliance", "≤ 10", "0-20", [("COMP", -math.inf, 10)]),
    ],
)
def test_values_in_words(
    target_id: str,
    metric: str,
    value: str,
    tolerance: str,
    expected: list[tuple[str, float, float]],
) -> None:
    target = row(target_id, metric, value, tolerance)
    found = [(fact, pytest.approx(low), pytest.approx(high)) for fact, low, high in expected]
    assert facts_of(target) == found
    assert not target.reason


def test_windows_of_prices() -> None:
    target = row("P-2024", "close: plateau Oct-Nov, end of year", "42-44, then 54.22", "10%")
    assert [part.window for part in target.parts] == [days("2024-10-01", "2024-11-30"), None]
    peak = row("P-2023", "close peak", "82.79 on 20 Oct", "5%", season="2023")
    assert peak.parts[0].window is None  # where the peak was, not where to look for it
    level = row("P-2023", "close", "70.5 in mid-Oct", "5%", season="2023")
    assert level.parts[0].window == days("2023-10-11", "2023-10-20")
    assert level.parts[0].fact == "P.level"


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("13 Nov", "2024-11-13", "2024-11-13"),
        ("Nov 3, 2023", "2023-11-03", "2023-11-03"),
        ("2024-07-02", "2024-07-02", "2024-07-02"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("October to December", "2024-10-01", "2024-12-31"),
        ("from 10 Nov to 15 Dec", "2024-11-10", "2024-12-15"),
        ("since September", "2024-09-01", None),
        ("after 30 Jun", "2024-07-01", None),
        ("until July", None, "2024-07-31"),
        ("before July", None, "2024-06-30"),
        ("late Feb", "2024-02-21", "2024-02-29"),
        ("Q2", "2024-04-01", "2024-06-30"),
        ("fourth quarter", "2024-10-01", "2024-12-31"),
        ("H1 2025", "2025-01-01", "2025-06-30"),
        ("second half", "2024-07-01", "2024-12-31"),
    ],
)
def test_days_in_words(text: str, first: str | None, last: str | None) -> None:
    assert take_window(text, 2024)[0] == days(first, last)


def test_prices_are_no_dates() -> None:
    assert take_window("97-106, 97.49", 2024) == (None, "97-106, 97.49")
    found = segments_of("peak Oct 81.67", 2024)[0]
    assert found.window == days("2024-10-01", "2024-10-31")
    assert [each.low for each in found.quantities] == [81.67]


@pytest.mark.parametrize(
    ("text", "years", "first", "last"),
    [
        ("2024", (2024,), None, None),
        ("2019-20 cycle", (2021,), None, None),
        ("2021-2022 cycle", (2023,), None, None),
        ("2023 obligations", (2024,), None, None),
        ("2022-05..2023-08", (2022, 2023), "2022-05-01", "2023-08-31"),
        ("2021/22", (2021, 2022), None, None),
        ("2021-2023", (2021, 2022, 2023), None, None),
        ("2026 (to 18 Sep)", (2026,), None, "2026-09-18"),
        ("2026 H1", (2026,), "2026-01-01", "2026-06-30"),
        ("2026-01-05..2026-09-18", (2026,), "2026-01-05", "2026-09-18"),
        ("every year", (), None, None),
    ],
)
def test_seasons_in_words(
    text: str, years: tuple[int, ...], first: str | None, last: str | None
) -> None:
    found = seasons_of(text)
    assert (found.years, found.window, found.unclear) == (years, days(first, last), "")


def test_what_a_season_says_beside_is_remarked() -> None:
    target = row("Q4-2026", "share", "0.5", "0.1", season="2026 provisional")
    assert target.years == (2026,)
    assert "provisional" in target.remark


def test_a_note_narrows_the_days_of_its_season_only() -> None:
    note = "2022: rows from 26 May only"
    assert row("TOP10-2022", "x", "0.6", "0.1", "2022", note).window == days("2022-05-26", None)
    assert row("TOP10-2021", "x", "0.6", "0.1", "2021", note).window == days(None, None)


def z_of(target: Target, simulated: float) -> float:
    (part,) = target.parts
    return part.z(simulated)


def test_z_in_and_outside_a_range() -> None:
    target = row("Q4-2025", "share", "0.6-0.7", "0.05")
    assert z_of(target, 0.6) == z_of(target, 0.65) == z_of(target, 0.7) == 0
    assert z_of(target, 0.8) == pytest.approx(2)
    assert z_of(target, 0.575) == pytest.approx(-0.5)


@pytest.mark.parametrize(
    ("value", "tolerance", "simulated", "z"),
    [
        ("0.5", "0.05", 0.55, 1),
        ("0.5", "±0.05", 0.45, -1),
        ("0.5", "30%", 0.35, -1),
        ("50%", "3 points", 0.53, 1),
        ("0.5", "3 points", 0.53, 1),
        ("50%", "3", 0.53, 1),
        ("50%", "0.05", 0.55, 1),
        ("2.6%", "0.6", 0.020, -1),
        ("4", "0-10", 10, 1),
        ("4", "0-10", 0, -1),
        ("-0.4", "25%", -0.5, -1),
        ("-7", "-10 to -5", -6, 0.5),
        ("0", "0-10", 5, 0.5),
    ],
)
def test_tolerances(value: str, tolerance: str, simulated: float, z: float) -> None:
    assert z_of(row("Q4-2024", "x", value, tolerance), simulated) == pytest.approx(z)


def test_each_part_has_the_tolerance_of_its_block() -> None:
    target = row("DEF-2021", "x", "847 of 2,011 (42%); 188 Mt", "3 points; 10%")
    count, share, total = target.parts
    assert count.reason == "its tolerance is in points of a share"
    assert share.above == pytest.approx(0.03)
    assert total.above == pytest.approx(18.8)


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        (row("SKY-2024", "colour of the sky", "5", "1"), "neither the id nor the metric"),
        (row("Q4-2024", "share", "rather high", "0.05"), "is not understood"),
        (row("Q4-2024", "share", "0.8", "small"), "tolerance 'small' is not understood"),
        (row("Q4-2024", "share", "0.8", ""), "no tolerance"),
        (row("Q4-2024", "share", "0", "30%"), "leaves no room"),
        (row("Q4-2024", "share", "9" * 400, "0.1"), "a number without end"),
        (row("Q4-2024", "share", "0.5", "9" * 400), "a number without end"),
        (row("Q4-2024", "share", "0.8", "0.1", season="whenever"), "season 'whenever'"),
        (row("COMP-2024", "count", "40", "0-10"), "outside its accepted range"),
        (row("P-2024", "close: rise", "+26%", "10 points"), "not a price level"),
        (row("CCER-2024", "CCER", "2%", "10%"), "no fact of CCER has this unit"),
    ],
)
def test_what_is_not_understood_says_why(target: Target, reason: str) -> None:
    assert reason in target.reason
    assert all(part.reason for part in target.parts)


def test_a_second_number_for_one_fact_is_reported() -> None:
    target = row("BULK-2024", "bulk share", "0.80 (0.79 in the report)", "0.05")
    assert not target.reason
    assert [part.reason for part in target.parts] == ["", "a second number for a fact that has one"]


def test_names() -> None:
    assert name_of("LIM-2223", "") == "LIM"
    assert name_of("q4-2025", "") == "Q4"
    assert name_of("X9", "Gini coefficient of daily volume") == "GINI"
    for each in read_targets(SHIPPED):
        assert name_of("?", each.metric) == each.name, each.id


def test_tolerance_texts() -> None:
    assert tolerances_of("about right") is None
    assert [each.kind for each in tolerances_of("3 points; 10%; 5; 0-10") or []] == [
        *("points", "share", "plain", "accepted")
    ]


def written(tmp_path: Path, *lines: str) -> Path:
    file = tmp_path / "targets.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def refused(file: Path) -> TargetsFileError:
    with pytest.raises(TargetsFileError) as caught:
        read_targets(file)
    return caught.value


@pytest.mark.parametrize(
    ("lines", "code", "number", "column", "value"),
    [
        ([], refusals.COLUMNS_MISSING, 1, "id", ""),
        (["id,season", "a,b"], refusals.COLUMNS_MISSING, 1, "metric", "id,season"),
        ([HEAD], refusals.NO_ROWS, 0, "", ""),
        ([HEAD, GOOD, "Q4,2022"], refusals.ROW_WIDTH, 3, "", "Q4,2022"),
        ([HEAD, GOOD, GOOD], refusals.TWICE, 3, "id", "Q4-2021"),
        ([HEAD, GOOD.replace("0.901", "")], refusals.EMPTY_CELL, 2, "value", ""),
        ([HEAD, GOOD.replace("0.05", "0")], refusals.TOLERANCE, 2, "tolerance", "0"),
        ([HEAD, GOOD.replace("0.05", "-3%")], refusals.TOLERANCE, 2, "tolerance", "-3%"),
    ],
)
def test_a_bad_file_is_refused_with_the_place(
    tmp_path: Path, lines: list[str], code: str, number: int, column: str, value: str
) -> None:
    error = refused(written(tmp_path, *lines))
    assert (error.code, error.row, error.column, error.value) == (code, number, column, value)
    assert error.file.endswith("targets.csv")
    assert error.expected
    assert code in str(error)


def test_files_that_are_no_text_or_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv").code == refusals.NO_FILE
    assert refused(tmp_path).code == refusals.NO_FILE
    file = tmp_path / "latin.csv"
    file.write_bytes(f"{HEAD}\nQ4,2021,caf\xe9".encode("latin-1"))
    assert refused(file).code == refusals.NOT_TEXT
    assert "UTF-8" in refused(file).expected
    file.write_text(f"{HEAD}\n{'x' * 200_000}", encoding="utf-8")
    assert refused(file).code == refusals.NOT_TEXT


def test_order_of_columns_blank_lines_and_more_columns_do_not_matter(tmp_path: Path) -> None:
    cells = dict(zip(COLUMNS, GOOD.split(","), strict=True)) | {"more": "y"}
    names = list(reversed(cells))
    file = written(tmp_path, ",".join(names), "", ",".join(cells[name] for name in names))
    (target,) = read_targets(file)
    assert (target.id, target.row) == ("Q4-2021", 3)
    assert target.parts == (Part("Q4", "Q4", 0.901, 0.901, 0.05, 0.05),)


PIECES = [
    *("42", "-0.4", "1,471", "2024-13-40", "2022-05", "31 Feb", "May", "Q5", "H2", "%", "Mt", "of"),
    *("to", "..", "-", "(", ")", ";", ",", "then", "from", "until", "range", "peak", "points", "±"),
    *("first half", "fourth quarter", "cycle", "2019-20", "<=", "at least", "0", "9" * 400),
]
WORDS = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=8).map(" ".join)


@given(st.sampled_from(["P", "Q4", "VOL", "LIM", "DEF", "?"]), WORDS, WORDS, WORDS, WORDS, WORDS)
def test_no_words_break_the_reader(  # a row is understood or says why not
    name: str, metric: str, value: str, tolerance: str, season: str, note: str
) -> None:
    target = row(f"{name}-2024", metric, value, tolerance, season, note)
    scored = [part for part in target.parts if not part.reason]
    assert bool(scored) != bool(target.reason)
    assert all(0 < part.below < math.inf and 0 < part.above < math.inf for part in scored)
    assert all(part.low < math.inf and part.high > -math.inf for part in scored)
