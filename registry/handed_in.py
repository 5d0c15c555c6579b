"""Tables that people hand in: rows of texts with their line, turned into exact values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from registry.allocation.cells import CellError, Cells
from registry.allocation.reading import Refused
from registry.compliance.rows import RefusedRow
from registry.errors import RefusalError
from registry.monitoring import bulk

Made = TypeVar("Made")


def rows_of(file: Path) -> list[tuple[int, dict[str, str]]]:
    """Return (line, texts by column) of a .csv or .parquet file.

    RefusalError as ``bulk.open_table``, and bad_row: one has not as many cells as the header.
    """
    header, rows = bulk.open_table(file)
    found = []
    for line, cells in rows:
        if cells is None:
            raise RefusalError("bad_row", f"Line {line} has not as many cells as the header.")
        found.append((line, dict(zip(header, cells, strict=True))))
    return found


def read(
    file: Path, needed: Sequence[str], optional: Sequence[str], make: Callable[[Cells], Made]
) -> tuple[dict[int, Made], list[Refused]]:
    """Return what each line says, by line, and the lines that say nothing sound.

    RefusalError as ``bulk.open_table``, and unknown_column, missing_column.
    """
    header, rows = bulk.open_table(file)
    for name in header:
        if name not in (*needed, *optional) or header.count(name) > 1:
            known = ", ".join((*needed, *optional))
            raise RefusalError("unknown_column", f"The column {name!r} is none of {known}, once.")
    for name in needed if bulk.names_columns(file) else ():
        if name not in header:
            raise RefusalError("missing_column", f"The table needs the column {name}.")
    made: dict[int, Made] = {}
    refused: list[Refused] = []
    for line, cells in rows:
        try:
            made[line] = make(Cells(_texts(header, cells)))
        except CellError as error:
            refused.append(Refused(line, error.field, error.code, error.reason))
    return made, refused


def _texts(header: Sequence[str], cells: Sequence[str] | None) -> Mapping[str, str]:
    if cells is None:
        raise CellError("", "bad_row", "the row has not as many cells as the header")
    return dict(zip(header, cells, strict=True))


def year(cells: Cells) -> int:
    """Return the year of a row; CellError year_invalid."""
    text = cells.needed("year")
    if not (text.isascii() and text.isdigit() and len(text) == 4):
        cells.refuse("year", "year_invalid", f"{text!r} is no year")
    return int(text)


def at_lines(lines: Sequence[int], refused: Sequence[RefusedRow]) -> list[Refused]:
    """Return refusals that count rows from 1 with the lines of these rows."""
    return [Refused(lines[row[0] - 1], row[1], row[2], row[3]) for row in refused]
