"""Numeric targets of the seasons, read from a CSV: what was observed and how near a run must come.

Columns: ``id`` (fact and season), ``season``, ``metric``, ``value``, ``tolerance``, ``use``,
``source``, ``note``. Values and tolerances may be numbers or words ("42-44, then 54.22 CNY/t",
"3 points; 10%"). A row that is not understood is kept and says why it is not scored; a file that
is not a targets file is refused.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sim.results.days import ALL_DAYS, Window
from sim.results.target_parts import Part, name_of, parts_of, tolerances_of
from sim.results.target_text import plain, seasons_of, take_window

COLUMNS = ("id", "season", "metric", "value", "tolerance", "use", "source", "note")
SHIPPED = Path(__file__).parent / "data" / "targets.csv"

NO_FILE = "targets-no-file"
NOT_TEXT = "targets-not-text"
COLUMNS_MISSING = "targets-columns"
ROW_WIDTH = "targets-row-width"
NO_ROWS = "targets-no-rows"
EMPTY_CELL = "targets-empty-cell"
TWICE = "targets-id-twice"
TOLERANCE = "targets-tolerance"


class TargetsFileError(Exception):
    """A targets file is refused: ``code`` for programs; where, what stood there, what was expected.

    ``row`` counts lines of the file from 1 (the header); 0 = the file as a whole.
    """

    def __init__(
        self, code: str, file: Path, row: int, column: str, value: str, expected: str
    ) -> None:
        where = (
            f"{file}" + (f", row {row}" if row else "") + (f", column {column}" if column else "")
        )
        super().__init__(f"{where}: {value!r}, expected {expected} [{code}]")
        self.code, self.file, self.row = code, str(file), row
        self.column, self.value, self.expected = column, value, expected


@dataclass(frozen=True, slots=True)
class Target:
    """One row. ``name``: the fact, "" = unknown. ``years``: seasons whose runs answer it, in order;
    ``window``: the days of them it speaks of. ``reason``: why no part is scored, "" = some are.
    """

    id: str
    season: str
    metric: str
    value: str
    tolerance: str
    use: str
    source: str
    note: str
    row: int
    name: str
    years: tuple[int, ...]
    window: Window
    parts: tuple[Part, ...]
    reason: str
    remark: str


def read_targets(path: str | Path) -> list[Target]:
    """Every row of a targets file in its order. Raises TargetsFileError."""
    file = Path(path)
    rows = _rows(file)
    if not rows:
        raise TargetsFileError(COLUMNS_MISSING, file, 1, "", "", "the columns " + ",".join(COLUMNS))
    header = [name.strip() for name in rows[0]]
    for column in COLUMNS:
        if column not in header:
            raise TargetsFileError(
                COLUMNS_MISSING, file, 1, column, ",".join(header), f"a column {column!r}"
            )
    found: list[Target] = []
    seen: set[str] = set()
    for number, cells in enumerate(rows[1:], 2):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            expected = f"{len(header)} cells, found {len(cells)}"
            raise TargetsFileError(ROW_WIDTH, file, number, "", ",".join(cells), expected)
        cell = {name: text.strip() for name, text in zip(header, cells, strict=True)}
        _check(file, number, cell, seen)
        found.append(target_of(cell, number))
    if not found:
        raise TargetsFileError(NO_ROWS, file, 0, "", "", "at least one row below the header")
    return found


def _rows(file: Path) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(_text(file))))
    except csv.Error as broken:
        raise TargetsFileError(NOT_TEXT, file, 0, "", str(broken), "comma-separated text") from None


def _text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        at = f"byte {broken.start}"
        raise TargetsFileError(NOT_TEXT, file, 0, "", at, "text in UTF-8") from None
    except OSError as broken:
        why = broken.strerror or "unreadable"
        raise TargetsFileError(NO_FILE, file, 0, "", why, "a readable CSV file") from None


def _check(file: Path, row: int, cell: dict[str, str], seen: set[str]) -> None:
    for column in ("id", "season", "value"):
        if not cell[column]:
            raise TargetsFileError(EMPTY_CELL, file, row, column, "", "something in this cell")
    if cell["id"] in seen:
        raise TargetsFileError(TWICE, file, row, "id", cell["id"], "an id that stands only once")
    seen.add(cell["id"])
    text = cell["tolerance"]
    for each in tolerances_of(text) or [] if text else []:
        if each.kind != "accepted" and each.low <= 0:
            raise TargetsFileError(TOLERANCE, file, row, "tolerance", text, "more than zero")


def target_of(cell: dict[str, str], row: int = 0) -> Target:
    """Understand one row as far as it goes; never raises for words it does not know."""
    seasons = seasons_of(cell["season"])
    name = name_of(cell["id"], cell["metric"])
    parts: tuple[Part, ...] = ()
    if not seasons.years:
        reason = f"season {cell['season']!r} is not understood"
    elif not name:
        reason = "neither the id nor the metric names a known fact"
    else:
        found = parts_of(name, cell["metric"], cell["value"], cell["tolerance"], seasons.years[0])
        parts = tuple(found)
        reason = _reason(parts, cell["value"])
    window, unclear = seasons.window, seasons.unclear
    for year in seasons.years:
        window = window.cut(_noted(cell["note"], year))
    return Target(
        **{column: cell[column] for column in COLUMNS},
        row=row,
        name=name,
        years=seasons.years,
        window=window,
        parts=parts,
        reason=reason,
        remark=f"not understood in the season: {unclear!r}" if unclear else "",
    )


def _reason(parts: Iterable[Part], value: str) -> str:
    reasons = [part.reason for part in parts]
    if not reasons:
        return f"value {value!r} is not understood"
    return "" if "" in reasons else "; ".join(dict.fromkeys(reasons))


def _noted(note: str, year: int) -> Window:
    """ "2022: rows from 26 May only" narrows the days of that season."""
    found = re.search(rf"\b{year}: rows ([^;.]*)", plain(note))
    return (take_window(found[1], year)[0] if found else None) or ALL_DAYS
