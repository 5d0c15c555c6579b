"""Second looks at verified figures: re-checks, corrections, and whose quantity changed.

CP-11, RG-18, AL-41.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select

from registry import notices
from registry.errors import RefusalError
from registry.monitoring import checks, clock, entities, verification, verified
from registry.monitoring.report_schema import corrections, recheck_answers, rechecks
from registry.monitoring.schema import verified as verified_table
from registry.monitoring.verified import Figure, Version
from registry.windows import moment


class Recheck(NamedTuple):
    """A request for a re-check; ``outcome`` is empty while nobody has answered."""

    id: int
    entity: str
    year: int
    subject: str
    version: int
    words: str
    person: int
    at_ns: int
    answer_until_ns: int
    outcome: str
    answer: str
    is_late: bool


class Change(NamedTuple):
    """A verified quantity that changed; issue or claw-back is due before ``due_ns`` (RG-18)."""

    entity: str
    year: int
    version: int
    before_tonnes: int
    emissions_tonnes: int
    decided_ns: int
    due_ns: int


def ask(
    tx: Connection,
    entity: str,
    year: int,
    words: str,
    person: int,
    at_ns: int,
    allocated_ns: int | None = None,
) -> Recheck:
    """Ask for a re-check of the verification, or of the allocation told at ``allocated_ns``.

    RefusalError: unknown_entity, not_fed_back, too_early (before it was told), recheck_late (the 7
    working days of CP-11 are over), asked_before (one is open).
    """
    checks.wording(words, "A request")
    checks.person(person)
    moment(at_ns)
    entities.find(tx, entity)
    checks.year(year)
    if allocated_ns is None:
        subject = "verification"
        version, told_ns = verification.told_ns(tx, entity, year)
    else:
        subject, version, told_ns = "allocation", 0, allocated_ns
    if at_ns < told_ns:
        raise RefusalError("too_early", "What has not been told cannot be doubted (CP-11).")
    ends_ns = clock.after_working_days(told_ns, clock.RECHECK_DAYS)
    if at_ns >= ends_ns:
        raise RefusalError(
            "recheck_late",
            f"A re-check could be asked for before {moment(ends_ns):%Y-%m-%d %H:%M} (CP-11).",
        )
    if any(one.subject == subject and not one.outcome for one in of_year(tx, year, entity)):
        raise RefusalError("asked_before", f"A re-check of {entity}'s {subject} is open (CP-11).")
    last = tx.execute(select(func.coalesce(func.max(rechecks.c.id), 0))).scalar_one()
    until_ns = clock.after_working_days(at_ns, clock.ANSWER_DAYS)
    row = {"id": int(last) + 1, "entity": entity, "year": year, "subject": subject}
    row |= {"version": version, "words": words, "person": person, "at_ns": at_ns}
    tx.execute(insert(rechecks), {**row, "answer_until_ns": until_ns})
    return find(tx, int(last) + 1)


def answer(
    tx: Connection,
    number: int,
    words: str,
    person: int,
    at_ns: int,
    emissions_tonnes: int | None = None,
    facilities: Mapping[str, int] | None = None,
) -> Recheck:
    """Answer a re-check: upheld, or with tonnes: corrected (a further version, told at once).

    ``facilities``: the corrected whole tonnes of each, which sum up to ``emissions_tonnes``.

    RefusalError: unknown_recheck, answered_before, too_early, same_person (who asked, or who
    verified), no_change (the same tonnes), text_invalid, tonnes_invalid, content_invalid;
    allocation_recheck: an allocation is corrected by the allocation, not here.
    """
    checks.wording(words, "An answer")
    checks.person(person)
    moment(at_ns)
    asked = find(tx, number)
    if asked.outcome:
        raise RefusalError("answered_before", f"Re-check {number} is answered.")
    if at_ns < asked.at_ns:
        raise RefusalError("too_early", "An answer comes after the question (CP-11).")
    if person == asked.person or person == _verifier(tx, asked):
        raise RefusalError("same_person", "Somebody else answers a re-check (CP-11).")
    version = None
    if emissions_tonnes is not None:
        if asked.subject == "allocation":
            raise RefusalError("allocation_recheck", "This re-check is about an allocation.")
        content: dict[str, Any] = {"recheck": number}
        if facilities is not None:
            content["facilities"] = dict(facilities)
        new = _change(tx, asked.entity, asked.year, emissions_tonnes, content, person, at_ns)
        version = new.version
        verification.feed_back(tx, asked.year, person, at_ns, [asked.entity])
    row: dict[str, Any] = {"recheck": number, "words": words, "person": person, "at_ns": at_ns}
    row |= {"outcome": "upheld" if version is None else "corrected", "version": version}
    tx.execute(insert(recheck_answers), {**row, "late": int(at_ns >= asked.answer_until_ns)})
    _tell(tx, asked, words, at_ns)
    return find(tx, number)


def correct(
    tx: Connection,
    figure: Figure,
    grounds: str,
    document: str,
    maker: int,
    checker: int,
    at_ns: int,
) -> Version:
    """Change a verified figure on other grounds: enforcement, an inspection (RG-18, AL-41).

    RefusalError: not_verified, no_change, maker_is_checker, person_invalid, text_invalid.
    """
    checks.wording(grounds, "The grounds")
    checks.wording(document, "A document")
    if checks.person(maker) == checks.person(checker):
        raise RefusalError("maker_is_checker", "Two people correct a figure (ST-07).")
    content = {**figure.content, "grounds": grounds, "document": document}
    tonnes = figure.emissions_tonnes
    new = _change(tx, figure.entity, figure.year, tonnes, content, checker, at_ns)
    row = {"entity": new.entity, "year": new.year, "version": new.version, "grounds": grounds}
    tx.execute(
        insert(corrections), {**row, "document": document, "maker": maker, "checker": checker}
    )
    return new


def _change(
    tx: Connection,
    entity: str,
    year: int,
    tonnes: int,
    content: dict[str, Any],
    person: int,
    at_ns: int,
) -> Version:
    before = verified.tonnes(tx, entity, checks.year(year))
    if before is None:
        raise RefusalError("not_verified", f"{entity!r} has no verified emissions of {year}.")
    if before == tonnes:
        raise RefusalError("no_change", f"{entity} has {tonnes:,} t already.")
    return verified.record(tx, [Figure(entity, year, tonnes, content)], person, at_ns)[0]


def changes(tx: Connection, year: int, since_ns: int = 0) -> list[Change]:
    """Return whose quantity of a year changed from one version to the next, in order of time.

    For additional issue and claw-back (RG-18): decided at ``since_ns`` or later.
    """
    v, before = verified_table.c, verified_table.alias().c
    query = (
        select(
            *(v.entity, v.year, v.version, before.emissions_tonnes.label("before_tonnes")),
            *(v.emissions_tonnes, v.decided_ns),
        )
        .where(
            *(v.year == checks.year(year), v.decided_ns >= since_ns),
            *(before.entity == v.entity, before.year == v.year, before.version == v.version - 1),
            before.emissions_tonnes != v.emissions_tonnes,
        )
        .order_by(v.decided_ns, v.entity, v.version)
    )
    return [
        Change(*row, clock.after_working_days(row.decided_ns, clock.ADJUST_DAYS))
        for row in tx.execute(query)
    ]


def find(tx: Connection, number: int) -> Recheck:
    """Return a re-check; RefusalError unknown_recheck."""
    found = _read(tx, rechecks.c.id == number)
    if not found:
        raise RefusalError("unknown_recheck", f"There is no re-check {number!r}.")
    return found[0]


def of_year(tx: Connection, year: int, entity: str | None = None) -> list[Recheck]:
    """Return the re-checks of a year in order, of one entity if told so."""
    wanted = [rechecks.c.year == year]
    if entity is not None:
        wanted.append(rechecks.c.entity == entity)
    return _read(tx, *wanted)


def _read(tx: Connection, *wanted: Any) -> list[Recheck]:
    r, a = rechecks.c, recheck_answers.c
    rows = tx.execute(
        select(rechecks, a.outcome, a.words.label("answer"), a.late)
        .outerjoin(recheck_answers, a.recheck == r.id)
        .where(*wanted)
        .order_by(r.id)
    )
    names = Recheck._fields[:9]
    return [
        Recheck._make(
            [
                *(getattr(row, name) for name in names),
                row.outcome or "",
                row.answer or "",
                bool(row.late),
            ]
        )
        for row in rows
    ]


def _verifier(tx: Connection, asked: Recheck) -> int:
    v = verified_table.c
    mine = (v.entity == asked.entity) & (v.year == asked.year) & (v.version == asked.version)
    return int(tx.execute(select(v.verifier).where(mine)).scalar() or 0)


def _tell(tx: Connection, asked: Recheck, words: str, at_ns: int) -> None:
    account = entities.find(tx, asked.entity).account
    if account is not None:
        told = [(account, f"Your re-check {asked.id} of {asked.year} is answered: {words}")]
        notices.tell_many(tx, "recheck", told, at_ns)
