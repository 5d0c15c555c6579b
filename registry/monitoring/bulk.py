"""Tables in: CSV and Parquet files whose bad rows are refused one by one, the rest taken.

A row's number is its line in the file, the header being line 1; a Parquet row counts the same. A
file is refused as a whole (RefusalError) where no row could be understood: file_kind,
file_unreadable, unknown_column, missing_column, unknown_table.
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import Connection

from registry.allocation.cells import CellError, Cells
from registry.allocation.reading import Refused
from registry.errors import RefusalError
from registry.monitoring import checks
from registry.monitoring.takers import COLUMNS, Taker, taker

Row = tuple[int, list[str] | None]  # its number, and its cells: None where the width is wrong


class Summary(NamedTuple):
    """What became of a table: ``taken`` of ``rows`` are in the books if ``is_written``."""

    table: str
    rows: int
    taken: int
    refused: tuple[Refused, ...]
    is_written: bool

    @property
    def by_code(self) -> dict[str, int]:
        """How many rows were refused for which reason, the most frequent first."""
        return dict(Counter(one.code for one in self.refused).most_common())


def read(
    tx: Connection,
    table: str,
    path: Path,
    person: int,
    at_ns: int,
    year: int | None = None,
    document: str = "",
    strict: bool = False,
) -> Summary:
    """Take a table in, in this transaction; ``strict``: nothing of it if one row is refused.

    ``table``: entities, facilities, roster, plans, deposits, verified; all but the first two are of
    a ``year``, a roster has a ``document``.
    """
    if table not in COLUMNS:
        raise RefusalError("unknown_table", f"{table!r} is none of {', '.join(COLUMNS)}.")
    header, rows = open_table(path)
    _check_header(table, header)
    checks.person(person)
    takes = taker(tx, table, year, person, at_ns, document)
    refused: list[Refused] = []
    count = 0
    for number, cells in rows:
        count += 1
        refused += _one(takes, number, header, cells)
    refused += takes.finish()
    refused.sort(key=lambda one: one.row)
    is_written = not (strict and refused)
    if is_written:
        takes.close()
    taken = count - len(refused) if is_written else 0
    return Summary(table, count, taken, tuple(refused), is_written)


def _one(takes: Taker, number: int, header: list[str], cells: list[str] | None) -> list[Refused]:
    if cells is None:
        sentence = "the row has not as many cells as the header"
        return [Refused(number, "", "bad_row", sentence)]
    texts = dict(zip(header, cells, strict=True))
    try:
        takes.take(number, Cells(texts))
    except CellError as error:
        return [Refused(number, error.field, error.code, error.reason)]
    except RefusalError as error:
        return [Refused(number, takes.field_of(error.code), error.code, error.sentence)]
    return []


def _check_header(table: str, header: list[str]) -> None:
    needed, optional = COLUMNS[table]
    for name in header:
        if name not in needed + optional:
            known = ", ".join(needed + optional)
            raise RefusalError("unknown_column", f"The column {name!r} is none of {known}.")
        if header.count(name) > 1:
            raise RefusalError("unknown_column", f"The column {name} is there twice.")
    for name in needed:
        if name not in header:
            raise RefusalError("missing_column", f"The table {table} needs the column {name}.")


def open_table(path: Path) -> tuple[list[str], Iterator[Row]]:
    """Return header and rows of a file; the whole file is read before the first row comes."""
    readers = {".csv": _open_csv, ".parquet": _open_parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise RefusalError("file_kind", f"{path.name} is neither .csv nor .parquet.")
    try:
        return reader(path)
    except (OSError, UnicodeDecodeError, csv.Error, pa.ArrowException) as error:
        raise RefusalError("file_unreadable", f"{path.name} cannot be read: {error}") from None


def _open_csv(path: Path) -> tuple[list[str], Iterator[Row]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, strict=True)
        header = [name.strip() for name in next(lines, [])]
        found: list[Row] = []
        number = lines.line_num + 1
        for cells in lines:
            if any(cell.strip() for cell in cells):
                found.append((number, cells if len(cells) == len(header) else None))
            number = lines.line_num + 1
    return header, iter(found)


def _open_parquet(path: Path) -> tuple[list[str], Iterator[Row]]:
    table = pq.read_table(path)

    def rows() -> Iterator[Row]:
        number = 1
        for batch in table.to_batches():
            columns = [column.to_pylist() for column in batch.columns]
            for cells in zip(*columns, strict=True):
                number += 1
                yield number, [_text(cell) for cell in cells]

    return list(table.column_names), rows()


def _text(cell: Any) -> str:
    """Return a cell as the text a CSV file would have; a float as its shortest plain decimal."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, float) and math.isfinite(cell):
        plain = f"{Decimal(repr(cell)):f}"
        return plain[:-2] if plain.endswith(".0") else plain
    return str(cell)


def write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Write a table to a .csv or .parquet file and return how many rows it has."""
    if path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(columns)
            lines.writerows(rows)
    elif path.suffix.lower() == ".parquet":
        cells = zip(*rows, strict=True) if rows else [() for _ in columns]
        arrays = [pa.array(list(column)) for column in cells]
        pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), path)
    else:
        raise RefusalError("file_kind", f"{path.name} is neither .csv nor .parquet.")
    return len(rows)
