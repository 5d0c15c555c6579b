"""Findings of the automatic checks, kept and answered (``plausibility.toml``)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from registry.bulk import insert_many
from registry.errors import RefusalError
from registry.monitoring import checks
from registry.monitoring.plausibility import Finding
from registry.monitoring.report_schema import deposits, finding_answers, findings, reports
from registry.windows import moment


class Found(NamedTuple):
    """A finding about a facility's month (or a year: month 0) in one version of its paper."""

    entity: str
    facility: str
    year: int
    month: int
    version: int
    finding: Finding


class Kept(NamedTuple):
    """A finding in the books; ``answer`` is empty while there is none."""

    id: int
    entity: str
    facility: str
    year: int
    month: int
    version: int
    rule: str
    severity: str
    parameter: str
    value: str
    low: str
    high: str
    at_ns: int
    answer: str


def write(tx: Connection, rows: Sequence[Found], at_ns: int) -> None:
    """Write findings down, numbered on."""
    if not rows:
        return
    last = tx.execute(select(func.coalesce(func.max(findings.c.id), 0))).scalar_one()
    insert_many(
        tx,
        findings,
        [
            {
                "id": int(last) + step,
                "entity": row.entity,
                "facility": row.facility,
                "year": row.year,
                "month": row.month,
                "version": row.version,
                "at_ns": at_ns,
                **row.finding._asdict(),
            }
            for step, row in enumerate(rows, 1)
        ],
    )


def of_year(
    tx: Connection, year: int, entity: str | None = None, open_errors_only: bool = False
) -> list[Kept]:
    """Return the findings about the versions that count, in order of their numbers."""
    f, d, r = findings.c, deposits.alias().c, reports.alias().c
    newer_deposit = select(d.version).where(
        d.entity == f.entity, d.facility == f.facility, d.month == f.month, d.version > f.version
    )
    newer_report = select(r.version).where(
        f.month == 0, r.entity == f.entity, r.year == f.year, r.version > f.version
    )
    query = (
        select(findings, finding_answers.c.words)
        .outerjoin(finding_answers, finding_answers.c.finding == f.id)
        .where(f.year == year, ~newer_deposit.exists(), ~newer_report.exists())
    )
    if entity is not None:
        query = query.where(f.entity == entity)
    if open_errors_only:
        query = query.where(f.severity == "error", finding_answers.c.words.is_(None))
    names = Kept._fields[:-1]
    rows = tx.execute(query.order_by(f.id))
    return [Kept._make([*(getattr(row, name) for name in names), row.words or ""]) for row in rows]


def answer(tx: Connection, number: int, words: str, person: int, at_ns: int) -> None:
    """Say why a finding is no mistake; RefusalError unknown_finding, answered_before."""
    checks.wording(words, "An answer")
    checks.person(person)
    moment(at_ns)
    if tx.execute(select(findings.c.id).where(findings.c.id == number)).first() is None:
        raise RefusalError("unknown_finding", f"There is no finding {number!r}.")
    given = select(finding_answers.c.finding).where(finding_answers.c.finding == number)
    if tx.execute(given).first() is not None:
        raise RefusalError("answered_before", f"Finding {number} is answered.")
    row = {"finding": number, "person": person, "words": words, "at_ns": at_ns}
    tx.execute(insert(finding_answers), row)
