"""Where every obligation stands: due, surrendered, offset, waiting, missing (CP-32, CP-39)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Subquery, Table, and_, case, func, select, true
from sqlalchemy import cast as sql_cast

from registry.compliance.schema import applications, obligations, offset_uses
from registry.errors import RefusalError
from registry.schema import Number

NAMED_MAX = 500  # so many entities are named in a query; more are read with all others


class Standing(NamedTuple):
    """One obligation and what has come for it, in tonnes.

    ``in_time_tonnes``: of what is surrendered and offset, what was applied for before the deadline
    (CP-41).
    """

    entity: str
    year: int
    version: int
    tonnes: int
    deadline_ns: int
    ccer_max_tonnes: int
    surrendered_tonnes: int
    offset_tonnes: int
    pending_tonnes: int
    pending_offset_tonnes: int
    in_time_tonnes: int

    @property
    def missing_tonnes(self) -> int:
        """What is still to come, whatever waits; never negative."""
        return max(self.tonnes - self.surrendered_tonnes - self.offset_tonnes, 0)

    @property
    def open_tonnes(self) -> int:
        """What may still be applied for; never negative."""
        waiting = self.pending_tonnes + self.pending_offset_tonnes
        return max(self.tonnes - self.surrendered_tonnes - self.offset_tonnes - waiting, 0)

    @property
    def is_fulfilled(self) -> bool:
        """Whether what was approved covers the obligation (CP-31)."""
        return self.missing_tonnes == 0

    @property
    def is_met_in_time(self) -> bool:
        """Whether what was applied for in time covers it (CP-41, AL-50)."""
        return self.in_time_tonnes >= self.tonnes


def chosen(column: ColumnElement[str], entities: Collection[str] | None) -> ColumnElement[bool]:
    """Return the condition that a column names one of these entities; None, or many: all."""
    if entities is None or len(entities) > NAMED_MAX:
        return true()
    return column.in_(sorted(entities))


def standings(entities: Collection[str] | None = None, years: Collection[int] = ()) -> Subquery:
    """Return the fields of ``Standing`` as a subquery, of some entities and years if told so."""
    o = obligations.c
    own, other = (_sums(table, entities, years) for table in (applications, offset_uses))

    def or_zero(column: ColumnElement[int]) -> ColumnElement[int]:
        return func.coalesce(column, 0)

    return (
        select(
            *(o.entity, o.year, o.version, o.tonnes, o.deadline_ns, o.ccer_max_tonnes),
            or_zero(own.c.approved).label("surrendered_tonnes"),
            or_zero(other.c.approved).label("offset_tonnes"),
            or_zero(own.c.pending).label("pending_tonnes"),
            or_zero(other.c.pending).label("pending_offset_tonnes"),
            (or_zero(own.c.in_time) + or_zero(other.c.in_time)).label("in_time_tonnes"),
        )
        .select_from(obligations)
        .outerjoin(own, and_(own.c.entity == o.entity, own.c.year == o.year))
        .outerjoin(other, and_(other.c.entity == o.entity, other.c.year == o.year))
        .where(chosen(o.entity, entities), _of_years(o.year, years))
        .subquery("standings")
    )


def _sums(table: Table, entities: Collection[str] | None, years: Collection[int]) -> Subquery:
    """Return what came for each obligation through one table: approved, in time, pending."""
    t = table.c
    approved = t.status == "approved"

    def total(condition: ColumnElement[bool], name: str) -> ColumnElement[int]:
        added = func.sum(case((condition, t.tonnes), else_=0))
        return sql_cast(added, Number).label(name)

    return (
        select(
            *(t.entity, t.year, total(approved, "approved")),
            total(and_(approved, t.late == 0), "in_time"),
            total(t.status == "pending", "pending"),
        )
        .where(chosen(t.entity, entities), _of_years(t.year, years))
        .group_by(t.entity, t.year)
        .subquery()
    )


def _of_years(column: ColumnElement[int], years: Collection[int]) -> ColumnElement[bool]:
    return column.in_(sorted(years)) if years else true()


def of(
    tx: Connection, entities: Collection[str] | None = None, years: Collection[int] = ()
) -> dict[tuple[str, int], Standing]:
    """Return where obligations stand, by entity and year, in that order."""
    rows = standings(entities, years)
    query = select(rows).order_by(rows.c.entity, rows.c.year)
    found = {(str(row.entity), int(row.year)): Standing(*row) for row in tx.execute(query)}
    return {key: one for key, one in found.items() if entities is None or key[0] in entities}


def find(tx: Connection, entity: str, year: int) -> Standing:
    """Return where one obligation stands; RefusalError no_notice (CP-32)."""
    found = of(tx, [entity], [year]).get((entity, year))
    if found is None:
        raise no_notice(entity, year)
    return found


def no_notice(entity: str, year: int) -> RefusalError:
    """Return the refusal of whatever comes before the obligation is known."""
    return RefusalError(
        "no_notice", f"{entity} has no compliance notice for {year} yet: it comes first (CP-32)."
    )


def in_arrears(tx: Connection, at_ns: int) -> set[str]:
    """Return the entities that have missed an obligation whose deadline has passed (AL-40)."""
    rows = standings()
    done = rows.c.surrendered_tonnes + rows.c.offset_tonnes
    done += rows.c.pending_tonnes + rows.c.pending_offset_tonnes  # the review may follow (CP-41)
    query = select(rows.c.entity).where(rows.c.deadline_ns <= at_ns, done < rows.c.tonnes)
    return set(tx.execute(query.distinct()).scalars())
