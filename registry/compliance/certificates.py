"""The certificate that an obligation is fulfilled, written the moment it is (CP-32)."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from registry import notices
from registry.bulk import insert_many
from registry.compliance import standing
from registry.compliance.schema import certificates
from registry.monitoring import checks
from registry.monitoring.schema import entities


class Certificate(NamedTuple):
    """An obligation, what fulfilled it in tonnes, when, and whether some of it came late."""

    number: int
    entity: str
    year: int
    version: int
    tonnes: int
    surrendered_tonnes: int
    offset_tonnes: int
    late: int
    fulfilled_ns: int
    sha256: str


def certify(tx: Connection, touched: Collection[tuple[str, int]], at_ns: int) -> int:
    """Certify which of these obligations are fulfilled by now and are not certified; how many."""
    if not touched:
        return 0
    names, years = {entity for entity, _ in touched}, {year for _, year in touched}
    c = certificates.c
    query = select(c.entity, c.year, c.version).where(
        standing.chosen(c.entity, names), c.year.in_(sorted(years))
    )
    known = {tuple(row) for row in tx.execute(query)}
    last = int(tx.execute(select(func.coalesce(func.max(c.id), 0))).scalar_one())
    rows = []
    for key, one in standing.of(tx, names, years).items():
        if key in touched and one.is_fulfilled and (*key, one.version) not in known:
            last += 1
            rows.append(_certificate(last, one, at_ns))
    if not rows:
        return 0
    insert_many(tx, certificates, [{"id": row.number, **_values(row)} for row in rows])
    account_of = dict(
        tx.execute(
            select(entities.c.code, entities.c.account).where(
                standing.chosen(entities.c.code, names)
            )
        ).all()
    )
    told = [
        (
            account_of[row.entity],
            f"Certificate {row.number}: {row.tonnes:,} t of {row.year} are"
            f" fulfilled{', late' if row.late else ''} (CP-32).",
        )
        for row in rows
    ]
    notices.tell_many(tx, "certificate", told, at_ns)
    return len(rows)


def _certificate(number: int, one: standing.Standing, at_ns: int) -> Certificate:
    late = int(not one.is_met_in_time)
    row = Certificate(
        *(number, one.entity, one.year, one.version, one.tonnes),
        *(one.surrendered_tonnes, one.offset_tonnes, late, at_ns, ""),
    )
    return row._replace(sha256=checks.sha256("|".join(map(str, row[:-1]))))


def _values(row: Certificate) -> dict[str, int | str]:
    return {name: getattr(row, name) for name in Certificate._fields[1:]}


def found(tx: Connection, entity: str | None = None, year: int | None = None) -> list[Certificate]:
    """Return certificates in order, of one entity or year if told so."""
    c = certificates.c
    query = select(certificates).order_by(c.id)
    query = query if entity is None else query.where(c.entity == entity)
    query = query if year is None else query.where(c.year == year)
    return [Certificate(*row) for row in tx.execute(query)]
