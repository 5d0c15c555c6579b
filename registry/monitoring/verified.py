"""Verified emissions: the one figure that obligations and allocations are computed from.

Append only: a correction is a further version, and the highest counts (RG-17, RG-18).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Subquery, func, select

from registry.bulk import insert_many
from registry.errors import RefusalError
from registry.monitoring import checks
from registry.monitoring.schema import entities, verified
from registry.windows import moment


class Figure(NamedTuple):
    """An entity's verified emissions of a year, in whole tonnes (U27), and what they rest on."""

    entity: str
    year: int
    emissions_tonnes: int
    content: Mapping[str, Any] = {}


class Version(NamedTuple):
    """A version of a verified figure that was written down; None: there was none before."""

    entity: str
    year: int
    version: int
    emissions_tonnes: int
    before_tonnes: int | None

    @property
    def is_changed(self) -> bool:
        """Whether the quantity differs from the version before (RG-18)."""
        return self.before_tonnes is not None and self.before_tonnes != self.emissions_tonnes


def latest() -> Subquery:
    """Return (entity, year, version, emissions_tonnes, decided_ns) of the versions that count."""
    v, other = verified.c, verified.alias()
    last = (
        select(func.max(other.c.version))
        .where(other.c.entity == v.entity, other.c.year == v.year)
        .scalar_subquery()
    )
    columns = (v.entity, v.year, v.version, v.emissions_tonnes, v.decided_ns)
    return select(*columns).where(v.version == last).subquery("latest_verified")


def tonnes(tx: Connection, entity: str, year: int) -> int | None:
    """Return the figure of an entity's year that counts; None while there is none."""
    found = tx.execute(
        select(verified.c.emissions_tonnes)
        .where(verified.c.entity == entity, verified.c.year == year)
        .order_by(verified.c.version.desc())
        .limit(1)
    ).scalar()
    return None if found is None else int(found)


def of_year(tx: Connection, year: int) -> dict[str, int]:
    """Return the figures of a year that count, by entity."""
    counts = latest()
    query = select(counts.c.entity, counts.c.emissions_tonnes).where(counts.c.year == year)
    return {str(row[0]): int(row[1]) for row in tx.execute(query.order_by(counts.c.entity))}


def record(tx: Connection, rows: Sequence[Figure], verifier: int, at_ns: int) -> list[Version]:
    """Write verified figures down, each as its entity's next version of that year.

    RefusalError: unknown_entity, year_invalid, tonnes_invalid, person_invalid, time_invalid,
    verified_twice (the same entity and year twice in ``rows``), content_invalid (no plain data, or
    ``facilities`` whose whole tonnes do not sum up to the figure).
    """
    checks.person(verifier)
    moment(at_ns)
    known = set(tx.execute(select(entities.c.code)).scalars())
    before = _before(tx, {row.year for row in rows})
    written: dict[tuple[str, int], Version] = {}
    values = []
    for row in rows:
        if row.entity not in known:
            raise RefusalError("unknown_entity", f"There is no entity {row.entity!r}.")
        key = (row.entity, checks.year(row.year))
        if key in written:
            raise RefusalError("verified_twice", f"{row.entity} has two figures of {row.year}.")
        version, tonnes_before = before.get(key, (0, None))
        new = Version(*key, version + 1, checks.tonnes(row.emissions_tonnes), tonnes_before)
        written[key] = new
        values.append(_row(new, row.content, verifier, at_ns))
    insert_many(tx, verified, values)
    return list(written.values())


def _row(new: Version, content: Mapping[str, Any], verifier: int, at_ns: int) -> dict[str, Any]:
    _refuse_other_sum(new, content)
    try:
        written = checks.canonical({"emissions_tonnes": new.emissions_tonnes, **content})
    except (TypeError, ValueError) as error:
        raise RefusalError("content_invalid", f"The content is no plain data: {error}.") from None
    return {
        "entity": new.entity,
        "year": new.year,
        "version": new.version,
        "emissions_tonnes": new.emissions_tonnes,
        "content": written,
        "sha256": checks.sha256(written),
        "verifier": verifier,
        "decided_ns": at_ns,
    }


def _refuse_other_sum(new: Version, content: Mapping[str, Any]) -> None:
    parts = content.get("facilities")
    if parts is None:
        return
    if not isinstance(parts, Mapping):
        raise RefusalError("content_invalid", "The facilities are a table of whole tonnes.")
    if sum(checks.tonnes(one) for one in parts.values()) != new.emissions_tonnes:
        raise RefusalError("content_invalid", f"The facilities of {new.entity} sum up otherwise.")


def _before(tx: Connection, years: set[int]) -> dict[tuple[str, int], tuple[int, int | None]]:
    counts = latest()
    rows = tx.execute(select(counts).where(counts.c.year.in_(sorted(map(checks.year, years)))))
    return {
        (str(row.entity), int(row.year)): (int(row.version), int(row.emissions_tonnes))
        for row in rows
    }
