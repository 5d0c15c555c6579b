"""Tables out: what the books have; where ``bulk`` reads a table, in the columns it reads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Connection, select

from registry.errors import RefusalError
from registry.monitoring import checks, deposits, findings, rechecks, reports, roster, verified
from registry.monitoring.entities import Facility, NewEntity, all_by_code
from registry.monitoring.parameters import parameters
from registry.monitoring.schema import facilities

Table = tuple[Sequence[str], list[Sequence[Any]]]


def table(tx: Connection, name: str, year: int | None = None) -> Table:
    """Return columns and rows of a table; RefusalError unknown_table, year_invalid."""
    if name in TIMELESS:
        return TIMELESS[name](tx)
    if name in YEARLY:
        return YEARLY[name](tx, checks.year(year if year is not None else 0))
    known = ", ".join([*TIMELESS, *YEARLY])
    raise RefusalError("unknown_table", f"{name!r} is none of {known}.")


def _entities(tx: Connection) -> Table:
    names = NewEntity._fields
    return names, [[getattr(one, name) for name in names] for one in all_by_code(tx).values()]


def _facilities(tx: Connection) -> Table:
    query = select(facilities).order_by(facilities.c.entity, facilities.c.code)
    return Facility._fields, [list(row) for row in tx.execute(query)]


def _roster(tx: Connection, year: int) -> Table:
    names = ("year", "entity", "grounds", "emissions_tonnes")
    return names, [[getattr(one, name) for name in names] for one in roster.of_year(tx, year)]


def _verified(tx: Connection, year: int) -> Table:
    rows = verified.of_year(tx, year).items()
    return ("entity", "year", "emissions_tonnes"), [[code, year, tonnes] for code, tonnes in rows]


def _deposits(tx: Connection, year: int) -> Table:
    rows: list[Sequence[Any]] = []
    for one in deposits.of_year(tx, year):
        known = parameters(one.set_name)
        rows += [
            (one.entity, one.facility, one.month, name, given.text, known[name].unit, given.basis)
            for name, given in one.values.items()
        ]
    return ("entity", "facility", "month", "parameter", "value", "unit", "basis"), rows


def _findings(tx: Connection, year: int) -> Table:
    return findings.Kept._fields, list(findings.of_year(tx, year))


def _reports(tx: Connection, year: int) -> Table:
    rows: list[Sequence[Any]] = []
    for one in reports.newest(tx, year).values():
        rows += [
            (one.entity, code, year, part["months"], part["emissions_t"], part["emissions_tonnes"])
            for code, part in one.facilities.items()
        ]
    return ("entity", "facility", "year", "months", "emissions_t", "emissions_tonnes"), rows


def _changes(tx: Connection, year: int) -> Table:
    return rechecks.Change._fields, list(rechecks.changes(tx, year))


TIMELESS: dict[str, Callable[[Connection], Table]] = {
    "entities": _entities,
    "facilities": _facilities,
}
YEARLY: dict[str, Callable[[Connection, int], Table]] = {
    "roster": _roster,
    "deposits": _deposits,
    "findings": _findings,
    "reports": _reports,
    "verified": _verified,
    "changes": _changes,
}
