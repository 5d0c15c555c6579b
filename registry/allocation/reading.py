"""Reading a table of units: every row is taken or refused with its line, field, code and reason.

A file is refused as a whole (RefusalError) only where no row could be understood: it cannot be
read, a column is unknown, repeated or missing, or nobody says which year it is.
"""

from __future__ import annotations

import csv
import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from registry.allocation.cells import CellError, Cells
from registry.allocation.plan import Plan
from registry.allocation.rows import COLUMNS, ENTERPRISE, Row, row_of, year_of
from registry.allocation.units import NOT_GIVEN, Entities, LineInputs, PowerInputs, Units
from registry.errors import RefusalError

REPEATS = {"duplicate_unit", "duplicate_entity"}  # refused, but nothing is missing without them


class Refused(NamedTuple):
    """A row that was not computed; ``row`` is its line in the file, the header being line 1."""

    row: int
    field: str
    code: str
    reason: str


@dataclass(frozen=True)
class Reading:
    """What a table held: units by year, in the plan's order of years, and the refused rows."""

    units: Mapping[int, Units]
    refused: tuple[Refused, ...]
    rows: int


def read_csv(plan: Plan, path: Path, year: int | None = None) -> Reading:
    """Read a CSV file (UTF-8, header in line 1) for a plan; ``year``: the only one wanted.

    RefusalError ``file_unreadable``, ``unknown_column``, ``missing_column``, ``year_missing`` or
    ``year_not_in_plan``.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return _read_lines(plan, csv.reader(file, strict=True), year)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RefusalError("file_unreadable", f"{path} cannot be read: {error}") from None


def _read_lines(plan: Plan, lines: Iterator[list[str]], year: int | None) -> Reading:
    header = [name.strip() for name in next(lines, [])]
    check_columns(plan, header, year)

    def rows() -> Iterator[tuple[int, Mapping[str, str] | None]]:
        for texts in lines:
            number: int = lines.line_num  # type: ignore[attr-defined]
            if any(text.strip() for text in texts):
                fits = len(texts) == len(header)
                yield number, dict(zip(header, texts, strict=True)) if fits else None

    return read_rows(plan, rows(), year)


def check_columns(plan: Plan, header: list[str], year: int | None) -> None:
    """Refuse a header that this plan cannot be computed from."""
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise RefusalError("unknown_column", "the cells must be separated by commas")
    for name in header:
        if name not in COLUMNS:
            near = difflib.get_close_matches(name, COLUMNS, 1)
            hint = f"; is {near[0]} meant?" if near else f"; there are {', '.join(COLUMNS)}"
            raise RefusalError("unknown_column", f"the column {name!r} is not known{hint}")
        if header.count(name) > 1:
            raise RefusalError("unknown_column", f"the column {name} is there twice")
    needed = ["entity", "province", "emissions_t"]
    if plan.power:
        needed += ["unit", "supplied_mwh" if plan.power.supplied.value else "generated_mwh"]
    for name in needed:
        if name not in header:
            raise RefusalError("missing_column", f"{plan.name} needs the column {name}")
    if year is not None and year not in plan.years:
        known = ", ".join(map(str, plan.years))
        raise RefusalError("year_not_in_plan", f"{plan.name} has the years {known}, not {year}")
    if year is None and len(plan.years) > 1 and "year" not in header:
        sentence = f"{plan.name} has several years: say which, by --year or a column year"
        raise RefusalError("year_missing", sentence)


def read_rows(
    plan: Plan, rows: Iterable[tuple[int, Mapping[str, str] | None]], year: int | None = None
) -> Reading:
    """Read rows of texts by column, each with its number; None is a row of the wrong width."""
    if year is None and len(plan.years) == 1:
        year = plan.years[0]
    books: dict[int, _Book] = {}
    refused = []
    count = 0
    for line, texts in rows:
        count += 1
        cells = Cells(texts or {})
        book = None
        try:
            if texts is None:
                cells.refuse("", "bad_row", "the row has not as many cells as the header")
            its_year = year_of(plan, cells, year)
            book = books.setdefault(its_year, _Book())
            book.add(row_of(plan, line, its_year, cells))
        except CellError as error:
            refused.append(Refused(line, error.field, error.code, error.reason))
            if book is not None and error.code not in REPEATS:
                book.lacking.add(cells.text("entity"))
    for its_year, book in books.items():
        refused += book.drop_excess(plan, its_year)
    refused.sort(key=lambda row: row.row)
    units = {
        its: books[its].units(plan, its) for its in plan.years if its in books and books[its].rows
    }
    return Reading(units, tuple(refused), count)


class _Book:
    """The rows of one year, and the entities they belong to."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.lacking: set[str] = set()
        self._seen: dict[tuple[str, str], int] = {}
        self._entities: dict[str, tuple[int, dict[str, object]]] = {}

    def add(self, row: Row) -> None:
        """Take a row, or refuse it: ``duplicate_unit``, ``duplicate_entity``, ``entity_conflict``.

        Facts of the entity may stand in any of its rows; those that are there must agree.
        """
        key = (row.entity, row.unit)
        if key in self._seen:
            code = "duplicate_entity" if row.unit == ENTERPRISE else "duplicate_unit"
            raise CellError("unit", code, f"{row.entity}, {row.unit} is in row {self._seen[key]}")
        first, facts = self._entities.get(row.entity, (row.line, {}))
        mine = {
            "province": row.province,
            "deduction_t": row.deduction_t,
            "pre_allocated_t": row.pre_allocated_t,
            "differentiated": row.differentiated,
        }
        given = {field: value for field, value in mine.items() if value is not None}
        for field, value in given.items():
            if facts.get(field, value) != value:
                sentence = f"{row.entity} has another {field} in an earlier row"
                raise CellError(field, "entity_conflict", sentence)
        both = {**facts, **given}
        if both.get("pre_allocated_t") and "differentiated" in both:
            sentence = "a differentiated allocation is issued at the end only (AL-40, AL-66)"
            raise CellError("pre_allocated_t", "entity_conflict", sentence)
        self._seen[key] = row.line
        self._entities[row.entity] = (first, both)
        self.rows.append(row)

    def drop_excess(self, plan: Plan, year: int) -> list[Refused]:
        """Refuse rows that state more issued early than the plan's share: ``above_share``.

        The share is of the entity's base emissions (AL-22, AL-33, AL-63, AL-84). Where a row of it
        was refused, or nobody states these emissions, nothing can be said.
        """
        rule = plan.pre_allocation.get(year)
        if rule is None or rule.of_output.value:
            return []
        base: dict[str, int] = {}
        for row in self.rows:
            base[row.entity] = base.get(row.entity, 0) + row.base_emissions_t
        refused, left, out = [], [], set()
        for row in self.rows:
            whole = 0 if row.entity in self.lacking else base[row.entity]
            most = int(whole * Fraction(rule.share.value))
            if whole == 0 or row.pre_allocated_t is None or row.pre_allocated_t <= most:
                left.append(row)
                continue
            sentence = (
                f"{row.pre_allocated_t:,} t issued early is more than {rule.share.value} of the"
                f" {whole:,} t of {rule.base_year.value}, {most:,} t ({rule.share.clause})"
            )
            refused.append(Refused(row.line, "pre_allocated_t", "above_share", sentence))
            self._entities[row.entity][1].pop("pre_allocated_t", None)
            out.add(row.entity)
        self.rows, self.lacking = left, self.lacking | out
        here = {row.entity for row in left}
        self._entities = {name: of for name, of in self._entities.items() if name in here}
        return refused

    def units(self, plan: Plan, year: int) -> Units:
        """Return the rows as arrays."""
        names = tuple(self._entities)
        index = {name: i for i, name in enumerate(names)}
        rows = self.rows
        arrays = [np.array(column) for column in zip(*(row.inputs for row in rows), strict=True)]
        return Units(
            year=year,
            entities=self._entity_arrays(names),
            names=tuple(row.unit for row in rows),
            rows=tuple(row.line for row in rows),
            entity=np.array([index[row.entity] for row in rows], dtype=np.int64),
            kind=np.array([row.kind for row in rows], dtype=np.int64),
            emissions_t=np.array([row.emissions_t for row in rows], dtype=np.int64),
            base_emissions_t=np.array([row.base_emissions_t for row in rows], dtype=np.int64),
            special=np.array([row.special for row in rows], dtype=np.int64),
            power=PowerInputs(*arrays) if plan.power else None,
            lines=LineInputs(*arrays) if plan.industry else None,
        )

    def _entity_arrays(self, names: tuple[str, ...]) -> Entities:
        facts = [self._entities[name][1] for name in names]

        def column(field: str, otherwise: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
            return np.array([fact.get(field, otherwise) for fact in facts], dtype=np.int64)

        return Entities(
            names=names,
            provinces=tuple(str(fact["province"]) for fact in facts),
            deduction_t=column("deduction_t", 0),
            pre_allocated_t=column("pre_allocated_t", NOT_GIVEN),
            differentiated=column("differentiated", NOT_GIVEN),
            complete=np.array([name not in self.lacking for name in names], dtype=bool),
        )
