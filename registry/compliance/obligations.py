"""What every entity has to surrender, by when, and the notice that says so (CP-30, CP-32)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from registry import notices
from registry.bulk import insert_many, write_many
from registry.compliance import certificates, eligibility
from registry.compliance.schema import allocations, obligation_notices, obligations
from registry.errors import RefusalError
from registry.monitoring import checks, entities, verified
from registry.monitoring.schema import entities as entity_table
from registry.monitoring.schema import roster
from registry.windows import BEIJING, NS, moment

FINAL_STAGES = ("final", "additional")


class Obligation(NamedTuple):
    """What one entity owes for one year, in tonnes; ``deadline_ns`` is the first late moment."""

    entity: str
    year: int
    version: int
    verified_tonnes: int
    waived_tonnes: int
    tonnes: int
    deadline_ns: int
    ccer_max_tonnes: int
    notice_ns: int


class Notified(NamedTuple):
    """Who got a notice, and who has verified emissions and no final allocation yet (7.3)."""

    notified: tuple[str, ...]
    without_allocation: tuple[str, ...]


def notify(tx: Connection, year: int, at_ns: int, only: Collection[str] | None = None) -> Notified:
    """Set the obligations of a year from the verified emissions and tell everybody (CP-32).

    Again after a correction: who owes another quantity than before gets a new notice (RG-18).
    RefusalError: year_not_covered, unknown_entity, and of an entity that was named not_verified,
    final_missing (the final issue comes first, 7.3).
    """
    checks.year(year)
    moment(at_ns)
    deadline = eligibility.deadline_ns(year)
    figures = _figures(tx, year)
    waived = _waived(tx, year)
    _refuse_unready(tx, year, figures.keys(), waived.keys(), only)
    wanted = figures.keys() if only is None else set(only)
    before = {one.entity: one for one in found(tx, year=year)}
    fresh = []
    for entity in sorted(wanted & waived.keys()):
        version, emitted, _ = figures[entity]
        relief = min(waived[entity], emitted)
        tonnes = emitted - relief
        old = before.get(entity)
        if old is None or (old.version, old.tonnes) != (version, tonnes):
            most = eligibility.ccer_max_tonnes(tonnes)
            new = Obligation(entity, year, version, emitted, relief, tonnes, deadline, most, at_ns)
            fresh.append(new)
    _write(tx, fresh)
    _tell(tx, fresh, {entity: figures[entity][2] for entity in wanted}, at_ns)
    certificates.certify(tx, {(one.entity, year) for one in fresh}, at_ns)
    return Notified(tuple(one.entity for one in fresh), tuple(sorted(wanted - waived.keys())))


def _figures(tx: Connection, year: int) -> dict[str, tuple[int, int, int | None]]:
    """Return version, tonnes and account of who was verified and is not off the roster (CP-04)."""
    counts = verified.latest()
    struck = select(roster.c.entity).where(roster.c.year == year, roster.c.status == "removed")
    query = (
        select(counts.c.entity, counts.c.version, counts.c.emissions_tonnes, entity_table.c.account)
        .join(entity_table, entity_table.c.code == counts.c.entity)
        .where(counts.c.year == year, counts.c.entity.not_in(struck))
    )
    return {str(row[0]): (int(row[1]), int(row[2]), row[3]) for row in tx.execute(query)}


def _waived(tx: Connection, year: int) -> dict[str, int]:
    """Return the relief of who has had a final allocation, as last approved (AL-13)."""
    a = allocations.c
    last = (
        select(func.max(a.id)).where(a.year == year, a.stage.in_(FINAL_STAGES)).group_by(a.entity)
    )
    query = select(a.entity, a.waived_tonnes).where(a.id.in_(last))
    return {str(entity): int(tonnes) for entity, tonnes in tx.execute(query)}


def _refuse_unready(
    tx: Connection,
    year: int,
    figures: Collection[str],
    allocated: Collection[str],
    only: Collection[str] | None,
) -> None:
    for entity in sorted(only or ()):
        entities.find(tx, entity)
        if entity not in figures:
            raise RefusalError(
                "not_verified", f"{entity} has no verified emissions of {year} (CP-30)."
            )
        if entity not in allocated:
            raise RefusalError(
                "final_missing",
                f"{entity} has had no final allocation of {year}: the notice follows it (CP-32).",
            )


def _write(tx: Connection, fresh: list[Obligation]) -> None:
    if not fresh:
        return
    values = [one._asdict() for one in fresh]
    write_many(tx, obligations, values)
    n = obligation_notices.c
    lines = dict(
        tx.execute(
            select(n.entity, func.max(n.line)).where(n.year == fresh[0].year).group_by(n.entity)
        ).all()
    )
    kept = ("entity", "year", "version", "verified_tonnes", "waived_tonnes", "tonnes", "notice_ns")
    rows = [
        {**{name: row[name] for name in kept}, "line": lines.get(row["entity"], 0) + 1}
        for row in values
    ]
    insert_many(tx, obligation_notices, rows)


def _tell(
    tx: Connection, fresh: list[Obligation], account_of: dict[str, int | None], at_ns: int
) -> None:
    told: list[tuple[int | None, str]] = []
    for one in fresh:
        end = dt.datetime.fromtimestamp(one.deadline_ns // NS, BEIJING)
        sentence = (
            f"Compliance notice of {one.year}: {one.tonnes:,} t to surrender before "
            f"{end:%Y-%m-%d %H:%M}, of these at most {one.ccer_max_tonnes:,} t by CCER "
            f"(CP-32, CP-35)."
        )
        told.append((account_of[one.entity], sentence))
    notices.tell_many(tx, "obligation", told, at_ns)


def found(tx: Connection, entity: str | None = None, year: int | None = None) -> list[Obligation]:
    """Return obligations by year and entity, of one of either if told so."""
    o = obligations.c
    query = select(obligations).order_by(o.year, o.entity)
    query = query if entity is None else query.where(o.entity == entity)
    query = query if year is None else query.where(o.year == year)
    return [_obligation(row) for row in tx.execute(query)]


def _obligation(row: Row[Any]) -> Obligation:
    return Obligation._make(getattr(row, name) for name in Obligation._fields)
