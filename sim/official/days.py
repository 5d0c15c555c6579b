"""Reading the exchange's published daily rows: every number exact, every broken row named.

Columns are those of the exchange's daily figures (CNY per tonne, tonnes, CNY). Numbers are read as
decimals from their text and never pass through a float. A row that cannot be read is reported with
its line number and the reason, and the rest of the file goes on. A row that can be read but breaks
a rule (a price off the tick, say) is a row: whether it can happen is for realise.py to say.
"""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TextIO

DAILY_COLUMNS = (
    "date",
    "open_cny_t",
    "high_cny_t",
    "low_cny_t",
    "close_cny_t",
    "price_basis",
    "listed_volume_t",
    "listed_turnover_cny",
)
WEEKLY_COLUMNS = ("week_end", "friday_close_cny_t")
LISTED = "listed"  # one instrument, close = the day's listed volume-weighted mean
COMPOSITE = "composite"  # the exchange's composite close over several vintages
VINTAGE_PREFIX = "vintage:"  # close of the busiest vintage beside volumes of all

_NUMBER = re.compile(r"[0-9]{1,15}(\.[0-9]{1,8})?")
_VINTAGE = re.compile(r"CEA([0-9]{2}([-_][0-9]{2})?)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class OfficialFileError(Exception):
    """The file as a whole cannot be used: missing, a directory, or without the needed columns."""


class RowError(ValueError):
    """One row cannot be read; the message says which column and why."""


class Row(NamedTuple):
    """One published day. Prices in yuan per tonne, amounts in yuan; None = not published."""

    line: int
    date: dt.date
    basis: str
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal | None
    listed_qty: Decimal
    listed_turnover: Decimal
    bulk_qty: Decimal | None
    auction_qty: Decimal | None
    bulk_turnover: Decimal | None = None
    auction_turnover: Decimal | None = None
    total_qty: Decimal | None = None
    total_turnover: Decimal | None = None

    @property
    def vintage(self) -> str | None:
        """The code of the vintage whose prices are published; None if it is not one of several."""
        if not self.basis.startswith(VINTAGE_PREFIX):
            return None
        return vintage_code(self.basis.removeprefix(VINTAGE_PREFIX))


class BrokenRow(NamedTuple):
    """A line of the file that cannot be read, and why."""

    line: int
    reason: str


class DailyFile(NamedTuple):
    """What a file holds: rows by date (file order within one date) and the lines that broke."""

    rows: tuple[Row, ...]
    broken: tuple[BrokenRow, ...]


def read_daily(path: Path) -> DailyFile:
    """Read a file of daily rows.

    Raises:
        OfficialFileError: the file cannot be opened or lacks a needed column.
    """
    rows: list[Row] = []
    broken: list[BrokenRow] = []
    with _open(path) as stream:
        for line, fields in _records(stream, path, DAILY_COLUMNS):
            try:
                rows.append(_row(line, fields))
            except RowError as error:
                broken.append(BrokenRow(line, str(error)))
    return DailyFile(tuple(sorted(rows, key=lambda row: row.date)), tuple(broken))


def read_weekly_closes(path: Path) -> dict[dt.date, Decimal]:
    """Read a file of weekly bulletins: the close of each week's last day, by that day.

    Rows that cannot be read are left out: the file only helps where days are missing.

    Raises:
        OfficialFileError: as ``read_daily``.
    """
    closes: dict[dt.date, Decimal] = {}
    with _open(path) as stream:
        for _, fields in _records(stream, path, WEEKLY_COLUMNS):
            try:
                close = _number(fields, "friday_close_cny_t")
                week_end = _date(fields, "week_end")
            except RowError:
                continue
            if close is not None:
                closes[week_end] = close
    return closes


def read_vintage_closes(path: Path) -> dict[dt.date, dict[str, Decimal]]:
    """Read a file of closes per vintage: column ``date`` and one column per vintage, by its name.

    Rows and numbers that cannot be read are left out: the file only adds to the daily one.

    Raises:
        OfficialFileError: as ``read_daily``.
    """
    closes: dict[dt.date, dict[str, Decimal]] = {}
    with _open(path) as stream:
        for _, fields in _records(stream, path, ("date",)):
            try:
                day = closes.setdefault(_date(fields, "date"), {})
            except RowError:
                continue
            for column in filter(_VINTAGE.fullmatch, fields):
                try:
                    close = _number(fields, column)
                except RowError:
                    continue
                if close is not None:
                    day[vintage_code(column)] = close
    return closes


def vintage_code(name: str) -> str:
    """Return the instrument's code of a published vintage: ``CEA19-20`` is ``CEA`` (TR-03)."""
    return "CEA" if name.replace("_", "-") == "CEA19-20" else name


def _open(path: Path) -> TextIO:
    try:
        # Undecodable bytes become U+FFFD, which no number and no date accepts.
        return path.open(encoding="utf-8-sig", errors="replace", newline="")
    except OSError as error:
        raise OfficialFileError(f"cannot read {path}: {error.strerror or error}") from error


def _records(
    stream: TextIO, path: Path, needed: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, str | None]]]:
    """Yield (line number, fields by column); a line csv itself refuses has no fields at all."""
    reader = csv.reader(stream)
    header = [name.strip() for name in next(reader, [])]
    missing = [name for name in needed if name not in header]
    if missing:
        raise OfficialFileError(f"{path} has no column {', '.join(missing)}")
    while True:
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield reader.line_num, {}
            continue
        if not any(value.strip() for value in values):
            continue
        if len(values) > len(header):
            values = []  # too many fields: which one belongs where is anybody's guess
        yield reader.line_num, dict(zip(header, values, strict=False))


def _row(line: int, fields: dict[str, str | None]) -> Row:
    if not fields:
        raise RowError("the line does not have the header's fields")
    basis = _text(fields, "price_basis")
    if basis not in (LISTED, COMPOSITE) and not basis.startswith(VINTAGE_PREFIX):
        raise RowError(f"price_basis {basis!r} is not listed, composite or vintage:…")
    return Row(
        line=line,
        date=_date(fields, "date"),
        basis=basis,
        open=_number(fields, "open_cny_t"),
        high=_number(fields, "high_cny_t"),
        low=_number(fields, "low_cny_t"),
        close=_number(fields, "close_cny_t"),
        listed_qty=_needed(fields, "listed_volume_t"),
        listed_turnover=_needed(fields, "listed_turnover_cny"),
        bulk_qty=_number(fields, "bulk_volume_t"),
        auction_qty=_number(fields, "auction_volume_t"),
        bulk_turnover=_number(fields, "bulk_turnover_cny"),
        auction_turnover=_number(fields, "auction_turnover_cny"),
        total_qty=_number(fields, "total_volume_t"),
        total_turnover=_number(fields, "total_turnover_cny"),
    )


def _text(fields: dict[str, str | None], column: str) -> str:
    return (fields.get(column) or "").strip()


def _date(fields: dict[str, str | None], column: str) -> dt.date:
    text = _text(fields, column)
    try:
        if not _DATE.fullmatch(text):
            raise ValueError
        return dt.date.fromisoformat(text)
    except ValueError:
        raise RowError(f"{column} {text[:40]!r} is not a date (YYYY-MM-DD)") from None


def _number(fields: dict[str, str | None], column: str) -> Decimal | None:
    text = _text(fields, column)
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise RowError(f"{column} {text[:40]!r} is not a plain decimal number")
    return Decimal(text)


def _needed(fields: dict[str, str | None], column: str) -> Decimal:
    value = _number(fields, column)
    if value is None:
        raise RowError(f"{column} is blank")
    return value
