"""Row by row into the books: one taker for each table that can be imported.

``take`` says no to a row with CellError or RefusalError and remembers the others; ``finish`` says
no to what only the whole table shows; ``close`` writes what is left, in few statements.
"""

from __future__ import annotations

from typing import NamedTuple, NoReturn, Protocol

from sqlalchemy import Connection, select

from registry.allocation.cells import CellError, Cells
from registry.allocation.reading import Refused
from registry.bulk import insert_many
from registry.errors import RefusalError
from registry.monitoring import checks, entities, parameters, plans, roster, verified
from registry.monitoring.deposits import Desk
from registry.monitoring.entities import Facility, NewEntity
from registry.monitoring.provinces import all_of
from registry.monitoring.roster import Listing
from registry.monitoring.schema import entities as entities_table
from registry.monitoring.schema import facilities as facilities_table
from registry.monitoring.verified import Figure
from registry.windows import moment

# table -> columns it needs, columns it may have
COLUMNS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "entities": (("code", "name", "province", "sector"), ("industry", "process")),
    "facilities": (
        ("entity", "code", "kind"),
        ("unit_class", "capacity_mw", "fuel", "commissioned", "closed"),
    ),
    "roster": (("year", "entity", "grounds"), ("emissions_tonnes",)),
    "plans": (("year", "entity"), plans.SECTIONS),
    "deposits": (("entity", "facility", "month", "parameter", "value", "unit"), ("basis",)),
    "verified": (("entity", "year", "emissions_tonnes"), ()),
}
FIELD_OF = {  # which cell a refusal is about, where it is not the first
    "name_invalid": "name",
    "unknown_province": "province",
    "sector_invalid": "sector",
    "outside_boundary": "industry",
    "process_invalid": "process",
    "kind_invalid": "kind",
    "capacity_invalid": "capacity_mw",
    "date_invalid": "commissioned",
    "grounds_invalid": "grounds",
    "below_threshold": "emissions_tonnes",
    "no_figure": "emissions_tonnes",
    "must_leave": "grounds",
    "removal_unfounded": "grounds",
    "not_listed_before": "grounds",
    "tonnes_invalid": "emissions_tonnes",
    "unknown_facility": "facility",
    "month_invalid": "month",
    "too_early": "month",
    "facility_not_at_work": "month",
    "verified_already": "month",
    "facility_invalid": "code",
    "facility_exists": "code",
    "year_invalid": "year",
    "unknown_entity": "entity",
    "not_listed": "entity",
    "no_quality_plan": "entity",
    "listed_twice": "entity",
    "sector_not_covered": "year",
    "entity_exists": "code",
    "account_exists": "code",
    "entity_invalid": "code",
}


class Taker(Protocol):
    """Takes the rows of one table."""

    def take(self, row: int, cells: Cells) -> None:
        """Remember a row, or raise CellError or RefusalError."""

    def finish(self) -> list[Refused]:
        """Return the rows that are refused because of others."""

    def close(self) -> None:
        """Write what was remembered."""

    def field_of(self, code: str) -> str:
        """Return which cell a refusal of the rules is about."""


def taker(
    tx: Connection, table: str, year: int | None, person: int, at_ns: int, document: str
) -> Taker:
    """Return the taker of a table; RefusalError year_invalid, text_invalid, time_invalid."""
    moment(at_ns)
    if table == "entities":
        return _Entities(tx)
    if table == "facilities":
        return _Facilities(tx)
    wanted = checks.year(year if year is not None else 0)
    if table == "roster":
        return _Roster(tx, wanted, checks.wording(document, "A document"), person, at_ns)
    if table == "plans":
        return _Plans(tx, wanted, person, at_ns)
    if table == "deposits":
        return _Deposits(tx, wanted, person, at_ns)
    return _Figures(tx, wanted, person, at_ns)


class _Rows:
    """What all takers share: no refusals at the end, and where a refusal points to."""

    def finish(self) -> list[Refused]:
        """Nothing depends on other rows."""
        return []

    def field_of(self, code: str) -> str:
        """Return the cell of a refusal."""
        return FIELD_OF.get(code, "")


class _Entities(_Rows):
    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._provinces = set(all_of(tx))
        self._there = set(tx.execute(select(entities_table.c.code)).scalars())
        self._strangers = entities.strangers_of(tx)
        self._rows: dict[str, NewEntity] = {}

    def take(self, row: int, cells: Cells) -> None:
        one = NewEntity(*(cells.text(name) for name in NewEntity._fields))
        entities.refuse_invalid(one, self._provinces)
        if one.code in self._rows:
            _refuse_repeat("code", f"{one.code} is in this table already")
        if one.code in self._there:
            raise RefusalError("entity_exists", f"The entity {one.code!r} is there already.")
        if one.code in self._strangers:
            raise RefusalError("account_exists", f"{one.code!r} is another subject's number.")
        self._rows[one.code] = one

    def close(self) -> None:
        entities.write(self._tx, list(self._rows.values()))


class _Facilities(_Rows):
    def __init__(self, tx: Connection) -> None:
        self._tx = tx
        self._known = entities.all_by_code(tx)
        self._there = {(row.entity, row.code) for row in tx.execute(select(facilities_table))}
        self._rows: dict[tuple[str, str], Facility] = {}

    def take(self, row: int, cells: Cells) -> None:
        texts = [cells.text(name) for name in Facility._fields[:6]]
        dates = (_date(cells, "commissioned"), _date(cells, "closed"))
        one = Facility._make([*texts, *dates])
        entities.refuse_facility(one, self._known.get(one.entity))
        key = (one.entity, one.code)
        if key in self._rows:
            _refuse_repeat("code", f"{one.entity}/{one.code} is in this table already")
        if key in self._there:
            raise RefusalError("facility_exists", f"{one.entity} has {one.code!r} already.")
        self._rows[key] = one

    def close(self) -> None:
        rows = [one._asdict() for one in self._rows.values()]
        insert_many(self._tx, facilities_table, rows)


class _Roster(_Rows):
    def __init__(self, tx: Connection, year: int, document: str, person: int, at_ns: int) -> None:
        self._tx, self._year = tx, year
        self._judge = roster.Judge(tx, year)
        self._signed = (document, person, at_ns)
        self._rows: dict[str, Listing] = {}

    def take(self, row: int, cells: Cells) -> None:
        _refuse_other_year(cells, self._year)
        entity = cells.needed("entity")
        if entity in self._rows:
            _refuse_repeat("entity", f"{entity} is in this table already")
        tonnes = cells.tonnes("emissions_tonnes") if cells.text("emissions_tonnes") else None
        one = Listing(entity, cells.needed("grounds"), tonnes)
        self._judge.refuse(one)
        self._rows[entity] = one

    def close(self) -> None:
        rows = [self._judge.row(one, *self._signed) for one in self._rows.values()]
        roster.write(self._tx, rows)


class _Figures(_Rows):
    def __init__(self, tx: Connection, year: int, person: int, at_ns: int) -> None:
        self._tx, self._year = tx, year
        self._known = roster.sectors(tx)
        self._signed = (person, at_ns)
        self._rows: dict[str, Figure] = {}

    def take(self, row: int, cells: Cells) -> None:
        entity = cells.needed("entity")
        if entity not in self._known:
            raise RefusalError("unknown_entity", f"There is no entity {entity!r}.")
        _refuse_other_year(cells, self._year)
        if entity in self._rows:
            _refuse_repeat("entity", f"{entity} is in this table already")
        self._rows[entity] = Figure(entity, self._year, cells.tonnes("emissions_tonnes"))

    def close(self) -> None:
        verified.record(self._tx, list(self._rows.values()), *self._signed)


class _Plans(_Rows):
    def __init__(self, tx: Connection, year: int, person: int, at_ns: int) -> None:
        self._tx, self._year = tx, year
        self._known = roster.sectors(tx)
        self._signed = (person, at_ns)
        self._rows: dict[str, dict[str, str]] = {}

    def take(self, row: int, cells: Cells) -> None:
        _refuse_other_year(cells, self._year)
        entity = cells.needed("entity")
        if entity not in self._known:
            raise RefusalError("unknown_entity", f"There is no entity {entity!r}.")
        if entity in self._rows:
            _refuse_repeat("entity", f"{entity} is in this table already")
        content = {name: cells.text(name) for name in plans.SECTIONS if cells.text(name)}
        if not content:
            cells.refuse("", "missing_value", "a plan has at least one section (CP-09)")
        self._rows[entity] = content

    def close(self) -> None:
        plans.file(self._tx, self._year, list(self._rows.items()), *self._signed)


class _Group(NamedTuple):
    """One facility's month: its good rows by parameter, and the number of a bad one or 0."""

    facility: Facility
    month: int
    rows: dict[str, int]
    values: dict[str, parameters.Given]
    bad: list[int]


class _Deposits(_Rows):
    def __init__(self, tx: Connection, year: int, person: int, at_ns: int) -> None:
        self._year = year
        months = range(year * 100 + 1, year * 100 + 13)
        self._desk = Desk(tx, months, person, at_ns)
        self._groups: dict[tuple[str, str, int], _Group] = {}

    def take(self, row: int, cells: Cells) -> None:
        group = self._group(cells)
        name = cells.text("parameter")
        if name in group.rows:
            _refuse_repeat("parameter", f"{name} of this month is in this table already")
        texts = (cells.text("value"), cells.text("unit"), cells.text("basis") or "measured")
        try:
            cells.needed("parameter")
            set_name = self._desk.set_of(group.facility)
            group.values[name] = parameters.parse(set_name, name, *texts)
        except CellError:
            group.bad.append(row)
            raise
        group.rows[name] = row

    def _group(self, cells: Cells) -> _Group:
        month = _date(cells, "month")
        if month // 100 != self._year:
            reason = f"{month} is no month of {self._year}"
            raise CellError("month", "wrong_year", reason)
        key = (cells.needed("entity"), cells.needed("facility"), month)
        if key not in self._groups:
            self._groups[key] = _Group(self._desk.refuse(*key), month, {}, {}, [])
        return self._groups[key]

    def finish(self) -> list[Refused]:
        """Refuse whole months of which a row is bad or missing: nothing half reported."""
        refused: list[Refused] = []
        for _, group in sorted(self._groups.items(), key=lambda item: item[0][2]):
            if group.bad:
                reason = f"row {group.bad[0]} of this facility's month was refused"
                refused += _all_of(group, "", "incomplete_deposit", reason)
                continue
            try:
                self._desk.take_values(group.facility, group.month, group.values)
            except CellError as error:
                refused += _all_of(group, error.field, error.code, error.reason)
        return refused

    def close(self) -> None:
        self._desk.close()


def _all_of(group: _Group, field: str, code: str, reason: str) -> list[Refused]:
    return [Refused(row, field, code, reason) for row in group.rows.values()]


def _date(cells: Cells, field: str) -> int:
    """Return YYYYMMDD or YYYYMM as a number, 0 where the cell is blank."""
    text = cells.text(field)
    if text and not (text.isascii() and text.isdigit() and len(text) <= 8):
        cells.refuse(field, "date_invalid", f"{field} is {text!r}: digits YYYYMMDD or YYYYMM")
    return int(text or "0")


def _refuse_other_year(cells: Cells, year: int) -> None:
    if cells.needed("year") != str(year):
        cells.refuse("year", "wrong_year", f"this table is of {year}, not {cells.text('year')}")


def _refuse_repeat(field: str, reason: str) -> NoReturn:
    raise CellError(field, "duplicate_row", reason)
