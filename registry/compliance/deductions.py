"""What the next issues of an entity are reduced by, and how an issue nets it (AL-41, AL-67)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select
from sqlalchemy import cast as sql_cast

from registry.compliance.schema import GROUNDS, allocations, deduction_uses, deductions
from registry.errors import RefusalError
from registry.monitoring import checks, entities
from registry.schema import Number


class Deduction(NamedTuple):
    """A deduction and what of it is not netted yet, in tonnes."""

    number: int
    entity: str
    from_year: int
    grounds: str
    tonnes: int
    remaining_tonnes: int
    document: str
    decided_ns: int


class NewDeduction(NamedTuple):
    """A deduction to write down; ``from_year``: the first plan year whose issue it reduces."""

    entity: str
    from_year: int
    grounds: str
    tonnes: int
    document: str


class Use(NamedTuple):
    """So much of a deduction, netted (positive) or credited back to it (negative)."""

    deduction: int
    tonnes: int


def add(tx: Connection, row: NewDeduction, at_ns: int) -> int:
    """Write one deduction down and return its number.

    RefusalError: unknown_entity, year_invalid, grounds_invalid, tonnes_invalid, text_invalid.
    """
    entities.find(tx, row.entity)
    checks.year(row.from_year)
    checks.wording(row.document, "The document")
    if row.grounds not in GROUNDS:
        known = ", ".join(GROUNDS)
        raise RefusalError("grounds_invalid", f"A deduction is for one of: {known} (AL-41).")
    if checks.tonnes(row.tonnes) == 0:
        raise RefusalError("tonnes_invalid", "A deduction is of at least one tonne (AL-41).")
    return write(tx, [row], at_ns)


def write(tx: Connection, rows: Sequence[NewDeduction], at_ns: int) -> int:
    """Insert checked rows and return the number of the last deduction."""
    last = int(tx.execute(select(func.coalesce(func.max(deductions.c.id), 0))).scalar_one())
    values = [
        {"id": number, **row._asdict(), "decided_ns": at_ns}
        for number, row in enumerate(rows, last + 1)
    ]
    if values:
        tx.execute(insert(deductions), values)
    return last + len(values)


def found(tx: Connection, entity: str | None = None) -> list[Deduction]:
    """Return the deductions in order, of one entity or of all."""
    used = (
        select(
            deduction_uses.c.deduction,
            sql_cast(func.sum(deduction_uses.c.tonnes), Number).label("tonnes"),
        )
        .group_by(deduction_uses.c.deduction)
        .subquery()
    )
    d = deductions.c
    rest = (d.tonnes - func.coalesce(used.c.tonnes, 0)).label("remaining")
    query = (
        select(d.id, d.entity, d.from_year, d.grounds, d.tonnes, rest, d.document, d.decided_ns)
        .outerjoin(used, used.c.deduction == d.id)
        .order_by(d.from_year, d.id)
    )
    if entity is not None:
        query = query.where(d.entity == entity)
    return [Deduction(*row) for row in tx.execute(query)]


def open_of_year(tx: Connection, year: int) -> dict[str, list[Deduction]]:
    """Return what an issue of ``year`` may net, by entity, the oldest first."""
    of: dict[str, list[Deduction]] = defaultdict(list)
    for one in found(tx):
        if one.remaining_tonnes > 0 and one.from_year <= year:
            of[one.entity].append(one)
    return dict(of)


def uses_of_year(tx: Connection, year: int) -> dict[str, dict[int, int]]:
    """Return what the issues of ``year`` have netted: tonnes by deduction, by entity."""
    u = deduction_uses.c
    rows = tx.execute(
        select(allocations.c.entity, u.deduction, sql_cast(func.sum(u.tonnes), Number))
        .join(allocations, allocations.c.id == u.allocation)
        .where(allocations.c.year == year)
        .group_by(allocations.c.entity, u.deduction)
        .order_by(u.deduction)
    )
    of: dict[str, dict[int, int]] = defaultdict(dict)
    for entity, deduction, tonnes in rows:
        of[entity][deduction] = int(tonnes)
    return dict(of)


def net(waiting: Iterable[Deduction], most_tonnes: int) -> list[Use]:
    """Return which deductions are netted by at most so many tonnes, the oldest first."""
    uses = []
    for one in waiting:
        taken = min(one.remaining_tonnes, most_tonnes)
        if taken > 0:
            uses.append(Use(one.number, taken))
            most_tonnes -= taken
    return uses


def credit_back(used: Mapping[int, int], tonnes: int) -> list[Use]:
    """Return how so many netted tonnes go back to what remains, the newest first (AL-67)."""
    uses = []
    for deduction in sorted(used, reverse=True):
        given = min(used[deduction], tonnes)
        if given > 0:
            uses.append(Use(deduction, -given))
            tonnes -= given
    return uses


def write_uses(tx: Connection, uses: Sequence[tuple[int, Use]]) -> None:
    """Write (allocation, use) pairs down."""
    rows: list[dict[str, Any]] = [
        {"allocation": allocation, **use._asdict()} for allocation, use in uses
    ]
    if rows:
        tx.execute(insert(deduction_uses), rows)
