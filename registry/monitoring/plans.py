"""Data-quality control plans: how a year's data will be measured, before the year (CP-09)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from registry.bulk import insert_many
from registry.errors import RefusalError
from registry.monitoring import checks, clock, roster
from registry.monitoring.report_schema import quality_plans
from registry.windows import moment

SECTIONS = ("boundary", "facilities", "parameters", "meters", "laboratory", "responsible")


class Plan(NamedTuple):
    """A plan that was filed."""

    entity: str
    year: int
    version: int
    sha256: str
    is_late: bool


def file(
    tx: Connection,
    year: int,
    rows: Sequence[tuple[str, Mapping[str, Any]]],
    person: int,
    at_ns: int,
) -> list[Plan]:
    """File (entity, content) plans for a year, all or none; a plan filed again is the next version.

    The content's keys are sections of ``SECTIONS``, at least one. RefusalError: year_invalid,
    person_invalid, time_invalid, unknown_entity, content_invalid, filed_twice.
    """
    checks.person(person)
    moment(at_ns)
    sectors = roster.sectors(tx)
    versions = _versions(tx, checks.year(year))
    found: dict[str, Plan] = {}
    written = []
    for entity, content in rows:
        if entity not in sectors:
            raise RefusalError("unknown_entity", f"There is no entity {entity!r}.")
        if entity in found:
            raise RefusalError("filed_twice", f"{entity} has two plans of {year}.")
        text = _text(content)
        late = clock.is_late("quality_plan", sectors[entity], year, at_ns)
        plan = Plan(entity, year, versions.get(entity, 0) + 1, checks.sha256(text), late)
        found[entity] = plan
        row = {"entity": entity, "year": year, "version": plan.version, "content": text}
        row |= {"sha256": plan.sha256, "person": person, "at_ns": at_ns, "late": int(late)}
        written.append(row)
    insert_many(tx, quality_plans, written)
    return list(found.values())


def _text(content: Mapping[str, Any]) -> str:
    if not content or set(content) - set(SECTIONS):
        raise RefusalError(
            "content_invalid", f"A plan has sections out of {', '.join(SECTIONS)} (CP-09)."
        )
    try:
        return checks.canonical(content)
    except (TypeError, ValueError) as error:
        raise RefusalError("content_invalid", f"The plan is no plain data: {error}.") from None


def _versions(tx: Connection, year: int) -> dict[str, int]:
    p = quality_plans.c
    rows = tx.execute(
        select(p.entity, func.max(p.version)).where(p.year == year).group_by(p.entity)
    )
    return {str(entity): int(version) for entity, version in rows}


def planned(tx: Connection, year: int) -> set[str]:
    """Return who has a plan of a year."""
    return set(_versions(tx, year))


def of_year(tx: Connection, year: int) -> list[Plan]:
    """Return every version of every plan of a year."""
    p = quality_plans.c
    rows = tx.execute(
        select(p.entity, p.year, p.version, p.sha256, p.late)
        .where(p.year == year)
        .order_by(p.entity, p.version)
    )
    return [Plan(*row[:4], bool(row.late)) for row in rows]
