"""Tables in: CSV, Parquet and JSON files whose bad rows are refused one by one, the rest taken.

A row's number is its line in the file, the header being line 1; a Parquet row counts the same. The
objects of a JSON array count from 1. A file is refused as a whole (RefusalError) where no row could
be understood: file_kind, file_unreadable, unknown_column, missing_column, unknown_table.
"""

from __future__ import annotations

import csv
import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection

from registry.allocation.cells import CellError, Cells
from registry.allocation.reading import Refused
from registry.errors import RefusalError
from registry.monitoring import checks
from registry.monitoring.takers import COLUMNS, Taker, taker

FORMS = (".csv", ".parquet", ".json")
OF_YEAR = ("roster", "plans", "verified")  # their rows name the year, or the order does
Row = tuple[int, list[str] | None]  # its number, and its cells: None where the width is wrong


class Scope(NamedTuple):
    """Whose rows may come: of these entities (None: of all), new ones of this province ("": any).

    What lies outside is refused like what does not exist.
    """

    entities: frozenset[str] | None = None
    province: str = ""


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
    scope: Scope | None = None,
) -> Summary:
    """Take a table in, in this transaction; ``strict``: nothing of it if one row is refused.

    ``table``: entities, facilities, roster, plans, deposits, verified; all but the first two are of
    a ``year``, which their rows may leave out, a roster has a ``document``. Rows outside ``scope``
    are refused: unknown_entity, other_province.
    """
    if table not in COLUMNS:
        raise RefusalError("unknown_table", f"{table!r} is none of {', '.join(COLUMNS)}.")
    header, rows = open_table(path)
    fixed = {"year": str(year)} if table in OF_YEAR and year and "year" not in header else {}
    _check_header(table, [*header, *fixed], names_columns(path))
    checks.person(person)
    takes = taker(tx, table, year, person, at_ns, document)
    refused: list[Refused] = []
    count = 0
    for number, cells in rows:
        count += 1
        refused += _one(takes, number, header, cells, fixed, scope or Scope())
    refused += takes.finish()
    refused.sort(key=lambda one: one.row)
    is_written = not (strict and refused)
    if is_written:
        takes.close()
    taken = count - len(refused) if is_written else 0
    return Summary(table, count, taken, tuple(refused), is_written)


def _one(
    takes: Taker,
    number: int,
    header: list[str],
    cells: list[str] | None,
    fixed: Mapping[str, str],
    scope: Scope,
) -> list[Refused]:
    if cells is None:
        sentence = "the row has not as many cells as the header"
        return [Refused(number, "", "bad_row", sentence)]
    texts = {**fixed, **dict(zip(header, cells, strict=True))}
    try:
        _refuse_outside(scope, Cells(texts))
        takes.take(number, Cells(texts))
    except CellError as error:
        return [Refused(number, error.field, error.code, error.reason)]
    except RefusalError as error:
        return [Refused(number, takes.field_of(error.code), error.code, error.sentence)]
    return []


def _refuse_outside(scope: Scope, cells: Cells) -> None:
    """Refuse a row of somebody else's: new entities have a province, the others a name."""
    entity, province = cells.text("entity"), cells.text("province")
    if scope.entities is not None and entity and entity not in scope.entities:
        raise RefusalError("unknown_entity", f"There is no entity {entity!r}.")
    if scope.province and province and province != scope.province:
        raise CellError("province", "other_province", f"your province is {scope.province}")


def names_columns(path: Path) -> bool:
    """Whether a file has a header; in a JSON array each row has what it has."""
    return path.suffix.lower() != ".json"


def _check_header(table: str, header: list[str], whole: bool) -> None:
    needed, optional = COLUMNS[table]
    for name in header:
        if name not in needed + optional:
            known = ", ".join(needed + optional)
            raise RefusalError("unknown_column", f"The column {name!r} is none of {known}.")
        if header.count(name) > 1:
            raise RefusalError("unknown_column", f"The column {name} is there twice.")
    for name in needed if whole else ():
        if name not in header:
            raise RefusalError("missing_column", f"The table {table} needs the column {name}.")


def open_table(path: Path) -> tuple[list[str], Iterator[Row]]:
    """Return header and rows of a file; the whole file is read before the first row comes."""
    readers = {".csv": _open_csv, ".parquet": _open_parquet, ".json": _open_json}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise _other_kind(path)
    try:
        return reader(path)
    except (OSError, ValueError, RecursionError, csv.Error) as error:
        raise RefusalError("file_unreadable", f"{path.name} cannot be read: {error}") from None


def _other_kind(path: Path) -> RefusalError:
    return RefusalError("file_kind", f"{path.name} is none of {', '.join(FORMS)}.")


def _open_json(path: Path) -> tuple[list[str], Iterator[Row]]:
    """Read an array of objects; an object that holds others, or is none, is a bad row."""
    found = [_object(one) for one in msgspec.json.decode(path.read_bytes(), type=list[msgspec.Raw])]
    header = list(dict.fromkeys(name for one in found if one is not None for name in one))

    def rows() -> Iterator[Row]:
        for number, one in enumerate(found, 1):
            cells = None if one is None else [_text(one.get(name)) for name in header]
            yield number, cells

    return header, rows()


def _object(raw: msgspec.Raw) -> dict[str, Any] | None:
    try:
        return msgspec.json.decode(raw, type=dict[str, str | int | float | bool | None])
    except (ValueError, RecursionError):
        return None


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
    import pyarrow as pa  # takes its time: every start of a venue comes by here
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except pa.ArrowException as error:
        raise ValueError(str(error)) from error

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
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float) and math.isfinite(cell):
        plain = f"{Decimal(repr(cell)):f}"
        return plain[:-2] if plain.endswith(".0") else plain
    return str(cell)


def write(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> int:
    """Write a table to a .csv, .parquet or .json file and return how many rows it has."""
    if path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8", newline="") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow(columns)
            lines.writerows(rows)
    elif path.suffix.lower() == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        cells = zip(*rows, strict=True) if rows else [() for _ in columns]
        arrays = [pa.array(list(column)) for column in cells]
        pq.write_table(pa.table(dict(zip(columns, arrays, strict=True))), path)
    elif path.suffix.lower() == ".json":
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        path.write_text(json.dumps(objects, ensure_ascii=False), encoding="utf-8")
    else:
        raise _other_kind(path)
    return len(rows)
