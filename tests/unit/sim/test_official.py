"""Reading official rows: exact numbers, every broken line named, the rest goes on."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import pytest

from sim.official.days import (
    DAILY_COLUMNS,
    OfficialFileError,
    read_daily,
    read_vintage_closes,
    read_weekly_closes,
    vintage_code,
)

HEADER = ",".join(
    (*DAILY_COLUMNS, "bulk_volume_t", "bulk_turnover_cny", "auction_volume_t", "note")
)
GOOD = "2030-01-03,50.10,50.20,50.00,50.11,listed,300,15033.00,0,0.00,0,"


def write(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "daily.csv"
    path.write_text("\n".join((HEADER, *lines)) + "\n", encoding="utf-8")
    return path


def test_good_row_is_exact(tmp_path: Path) -> None:
    (row,) = read_daily(write(tmp_path, GOOD)).rows
    assert row.line == 2
    assert row.date == dt.date(2030, 1, 3)
    assert row.basis == "listed"
    assert (row.open, row.high, row.low, row.close) == tuple(
        map(Decimal, ("50.10", "50.20", "50.00", "50.11"))
    )
    assert (row.listed_qty, row.listed_turnover) == (Decimal(300), Decimal("15033.00"))
    assert (row.bulk_qty, row.auction_qty) == (Decimal(0), Decimal(0))
    assert (row.bulk_turnover, row.auction_turnover, row.total_qty) == (Decimal("0.00"), None, None)
    assert row.vintage is None


def test_blank_prices_and_missing_columns_are_not_published(tmp_path: Path) -> None:
    path = tmp_path / "few.csv"
    path.write_text(f"{','.join(DAILY_COLUMNS)}\r\n2030-01-03,,,,,listed,300,15033\r\n\r\n")
    (row,) = read_daily(path).rows
    assert (row.open, row.high, row.low, row.close) == (None, None, None, None)
    assert row.bulk_qty is None


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD.replace("2030-01-03", "2030-02-30"), "date '2030-02-30' is not a date"),
        (GOOD.replace("2030-01-03", "3/1/2030"), "date '3/1/2030' is not a date"),
        (GOOD.replace("2030-01-03", "20300103"), "date '20300103' is not a date"),
        (GOOD.replace("50.10", "5O.10"), "open_cny_t '5O.10' is not a plain decimal"),
        (GOOD.replace("50.10", "-50.10"), "open_cny_t '-50.10' is not a plain decimal"),
        (GOOD.replace("50.10", "1e1"), "open_cny_t '1e1' is not a plain decimal"),
        (GOOD.replace("50.10", "nan"), "open_cny_t 'nan' is not a plain decimal"),
        (GOOD.replace(",300,", ",９,"), "listed_volume_t '９' is not a plain decimal"),
        (GOOD.replace(",300,", ",,"), "listed_volume_t is blank"),
        (GOOD.replace("15033.00", ""), "listed_turnover_cny is blank"),
        (GOOD.replace("listed", "guess"), "price_basis 'guess' is not"),
        ("2030-01-03,50.10", "price_basis '' is not"),
        (GOOD + ",1,2,3", "does not have the header's fields"),
        (f'"{"x" * 140_000}"', "does not have the header's fields"),
    ],
)
def test_broken_row_is_named_and_the_rest_goes_on(tmp_path: Path, line: str, reason: str) -> None:
    later = GOOD.replace("2030-01-03", "2030-01-04")
    found = read_daily(write(tmp_path, GOOD, line, later))
    assert [row.date.day for row in found.rows] == [3, 4]
    (broken,) = found.broken
    assert broken.line == 3
    assert reason in broken.reason


def test_rows_come_by_date(tmp_path: Path) -> None:
    lines = [GOOD.replace("01-03", day) for day in ("01-05", "01-03", "01-04", "01-03")]
    rows = read_daily(write(tmp_path, *lines)).rows
    assert [(row.date.day, row.line) for row in rows] == [(3, 3), (3, 5), (4, 4), (5, 2)]


def test_bytes_that_are_no_text_break_only_their_row(tmp_path: Path) -> None:
    path = tmp_path / "bytes.csv"
    bad = GOOD.replace("50.20", "50.2#").encode().replace(b"#", b"\xff")
    path.write_bytes(b"\xef\xbb\xbf" + HEADER.encode() + b"\n" + bad + b"\n" + GOOD.encode())
    found = read_daily(path)
    assert len(found.rows) == 1
    assert found.broken[0].line == 2


def test_file_that_is_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(OfficialFileError, match="cannot read"):
        read_daily(tmp_path / "missing.csv")
    with pytest.raises(OfficialFileError, match="cannot read"):
        read_daily(tmp_path)
    empty = tmp_path / "empty.csv"
    empty.write_text("")
    with pytest.raises(OfficialFileError, match="has no column date, open_cny_t"):
        read_daily(empty)


def test_weekly_closes(tmp_path: Path) -> None:
    path = tmp_path / "weekly.csv"
    path.write_text(
        "week_start,week_end,friday_close_cny_t\n"
        "2030-01-01,2030-01-04,50.5\n2030-01-07,broken,50.6\n2030-01-14,2030-01-18,\n"
    )
    assert read_weekly_closes(path) == {dt.date(2030, 1, 4): Decimal("50.5")}


def test_closes_per_vintage(tmp_path: Path) -> None:
    path = tmp_path / "vintages.csv"
    path.write_text(
        "date,CEA19_20,CEA21,CEA25,mean_of_vintage_closes\n"
        "2030-01-03,105.5,104.27,,105.43\nbroken,1,2,3,4\n2030-01-04,x,104.3,99,100\n"
    )
    assert read_vintage_closes(path) == {
        dt.date(2030, 1, 3): {"CEA": Decimal("105.5"), "CEA21": Decimal("104.27")},
        dt.date(2030, 1, 4): {"CEA21": Decimal("104.3"), "CEA25": Decimal(99)},
    }
    path.write_text("day,CEA21\n")
    with pytest.raises(OfficialFileError, match="has no column date"):
        read_vintage_closes(path)


def test_names_of_vintages_tr_03(tmp_path: Path) -> None:
    assert [vintage_code(name) for name in ("CEA19-20", "CEA19_20", "CEA22")] == [
        "CEA",
        "CEA",
        "CEA22",
    ]
    (row,) = read_daily(write(tmp_path, GOOD.replace("listed", "vintage:CEA19-20"))).rows
    assert row.vintage == "CEA"
