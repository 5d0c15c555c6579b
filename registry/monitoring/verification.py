"""Verification of annual reports and its feedback (CP-10, CP-11): by somebody else, as versions."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select

from registry import notices
from registry.bulk import insert_many
from registry.errors import RefusalError
from registry.monitoring import checks, clock, deposits, findings, reports, roster, verified
from registry.monitoring.report_schema import feedbacks, verifications
from registry.monitoring.reports import Refused, Report
from registry.monitoring.schema import entities
from registry.monitoring.schema import verified as verified_table
from registry.monitoring.verified import Figure, Version
from registry.windows import moment

Adjusted = Mapping[str, Mapping[str, int]]  # entity -> facility -> verified whole tonnes


class Verified(NamedTuple):
    """What a run of verification did: the figures, and who was left out and why."""

    versions: list[Version]
    refused: list[Refused]


def verify(
    tx: Connection,
    year: int,
    verifier: int,
    at_ns: int,
    words: str,
    only: Collection[str] | None = None,
    adjusted: Adjusted | None = None,
) -> Verified:
    """Verify the newest reports of a year, of these entities or of all that have reported.

    ``adjusted``: facilities whose tonnes the verifier finds to be other than reported. Left out,
    with a code: no_report (CP-10), verifier_is_reporter (who has reported or deposited),
    findings_open (an error without answer), verified_already, unknown_facility, tonnes_invalid.
    RefusalError: person_invalid, text_invalid, time_invalid.
    """
    checks.person(verifier)
    checks.wording(words, "A verification")
    moment(at_ns)
    papers = reports.newest(tx, checks.year(year))
    before = verified.of_year(tx, year)
    depositors = deposits.filed_by(tx, year, verifier)
    disputed = {one.entity for one in findings.of_year(tx, year, open_errors_only=True)}
    sectors = roster.sectors(tx)
    figures, rows, refused = [], [], []
    wanted = set(papers) - set(before) if only is None else set(only)
    for entity in sorted(wanted):
        try:
            paper = papers.get(entity)
            paper = _refuse(entity, year, paper, entity in before, entity in disputed)
            if verifier == paper.person or entity in depositors:
                raise RefusalError(
                    "verifier_is_reporter", "Nobody verifies what he has reported (CP-10)."
                )
            figures.append(_figure(paper, (adjusted or {}).get(entity, {})))
        except RefusalError as error:
            refused.append(Refused(entity, error.code, error.sentence))
            continue
        late = clock.is_late("verification", sectors[entity], year, at_ns)
        row = {"entity": entity, "year": year, "version": 1, "words": words}
        rows.append({**row, "report_version": paper.version, "late": int(late)})
    versions = verified.record(tx, figures, verifier, at_ns)
    insert_many(tx, verifications, rows)
    return Verified(versions, refused)


def _refuse(entity: str, year: int, paper: Report | None, done: bool, disputed: bool) -> Report:
    if done:
        raise RefusalError("verified_already", f"{year} of {entity} is verified (CP-11).")
    if paper is None:
        raise RefusalError("no_report", f"{entity} has not reported {year} (CP-10).")
    if disputed:
        raise RefusalError("findings_open", f"{entity} has findings nobody has answered (CP-10).")
    return paper


def _figure(paper: Report, adjusted: Mapping[str, int]) -> Figure:
    tonnes = {code: int(part["emissions_tonnes"]) for code, part in paper.facilities.items()}
    for code, value in adjusted.items():
        if code not in tonnes:
            raise RefusalError("unknown_facility", f"The report has no facility {code!r}.")
        tonnes[code] = checks.tonnes(value)
    content: dict[str, Any] = {"report": paper.version, "report_sha256": paper.sha256}
    content |= {"facilities": tonnes, "adjusted": sorted(adjusted)}
    return Figure(paper.entity, paper.year, sum(tonnes.values()), content)


def facilities_of_year(tx: Connection, year: int) -> dict[str, dict[str, int]]:
    """Return entity -> facility -> verified whole tonnes, of figures that say so."""
    counts = verified.latest()
    v = verified_table.c
    query = select(v.entity, v.content).join(
        counts,
        (counts.c.entity == v.entity) & (counts.c.year == v.year) & (counts.c.version == v.version),
    )
    rows = tx.execute(query.where(v.year == year).order_by(v.entity))
    contents = {str(entity): json.loads(content) for entity, content in rows}
    return {
        entity: content["facilities"]
        for entity, content in contents.items()
        if "facilities" in content
    }


class Feedback(NamedTuple):
    """A figure that was told: from now on the period of CP-11 runs, up to ``recheck_until_ns``."""

    entity: str
    version: int
    is_late: bool
    recheck_until_ns: int


def feed_back(
    tx: Connection, year: int, person: int, at_ns: int, only: Collection[str] | None = None
) -> list[Feedback]:
    """Tell verified figures of a year that were not told yet to their entities (CP-11).

    Within 7 working days of the decision, or it is late. Who has an account gets a notice.
    RefusalError person_invalid, time_invalid, too_early (before the decision).
    """
    checks.person(person)
    moment(at_ns)
    counts, f = verified.latest(), feedbacks.c
    told = select(f.version).where(
        f.entity == counts.c.entity, f.year == counts.c.year, f.version == counts.c.version
    )
    rows = tx.execute(
        select(counts, entities.c.account)
        .join(entities, entities.c.code == counts.c.entity)
        .where(counts.c.year == checks.year(year), ~told.exists())
        .order_by(counts.c.entity)
    ).all()
    found, written, sentences = [], [], []
    until_ns = clock.after_working_days(at_ns, clock.RECHECK_DAYS)
    for row in rows:
        if only is not None and row.entity not in only:
            continue
        if at_ns < row.decided_ns:
            raise RefusalError("too_early", f"{row.entity} is not verified at that time (CP-11).")
        late = at_ns >= clock.after_working_days(row.decided_ns, clock.FEEDBACK_DAYS)
        found.append(Feedback(row.entity, row.version, late, until_ns))
        line = {"entity": row.entity, "year": year, "version": row.version}
        written.append({**line, "person": person, "at_ns": at_ns, "late": int(late)})
        if row.account is not None:
            sentences.append((int(row.account), _sentence(year, row.emissions_tonnes, until_ns)))
    insert_many(tx, feedbacks, written)
    notices.tell_many(tx, "verification", sentences, at_ns)
    return found


def _sentence(year: int, tonnes: int, until_ns: int) -> str:
    return (
        f"Your verified emissions of {year} are {tonnes:,} t. A re-check can be asked for before "
        f"{moment(until_ns):%Y-%m-%d %H:%M} (CP-11)."
    )


def told_ns(tx: Connection, entity: str, year: int) -> tuple[int, int]:
    """Return (version, when) of the newest feedback; RefusalError not_fed_back."""
    f = feedbacks.c
    row = tx.execute(
        select(f.version, f.at_ns)
        .where(f.entity == entity, f.year == year)
        .order_by(f.version.desc())
        .limit(1)
    ).first()
    if row is None:
        raise RefusalError(
            "not_fed_back", f"No verified emissions of {year} were told to {entity!r} (CP-11)."
        )
    return int(row.version), int(row.at_ns)


def newest_version(tx: Connection, entity: str, year: int) -> int:
    """Return the version of a verified figure that counts, 0 where there is none."""
    v = verified_table.c
    query = select(func.coalesce(func.max(v.version), 0))
    return int(tx.execute(query.where(v.entity == entity, v.year == year)).scalar_one())
