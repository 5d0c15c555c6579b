"""The province decides on applications; whoever applied may take them back (CP-32, CP-33)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, select, update

from registry import ledger, notices
from registry.compliance import certificates
from registry.compliance.schema import applications
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.monitoring import checks
from registry.monitoring.schema import entities
from registry.schema import PENDING, REGISTRY_AVAILABLE, SURRENDERED
from registry.windows import moment

NAMED_MAX = 500


class Decision(NamedTuple):
    """Who decides what: ``verdict`` is approved, rejected or withdrawn.

    ``province``: the two digits of the authority that decides, which must be the entity's
    (CP-31); None: whoever calls has seen to that.
    """

    verdict: str
    person: int
    at_ns: int
    note: str = ""
    province: str | None = None


def decide(tx: Connection, numbers: Sequence[int], decision: Decision) -> int:
    """Decide on applications, all or none; return how many obligations became fulfilled.

    RefusalError: person_invalid, time_invalid, unknown_application, application_twice,
    decided_before, maker_is_checker (ST-07), not_the_maker, other_province (CP-31).
    """
    checks.person(decision.person)
    moment(decision.at_ns)
    if len(set(numbers)) != len(numbers):
        raise RefusalError("application_twice", "An application is decided once, not twice.")
    rows = _rows(tx, numbers)
    for row in rows:
        _refuse(row, decision)
    if not rows:
        return 0
    approved = decision.verdict == "approved"
    own = [row for row in rows if row.origin == "own" or not approved]
    helped = [row for row in rows if row.origin != "own" and approved]
    for kind, part in (("surrender" if approved else "reject", own), ("help", helped)):
        if part:
            note, moves = decision.note or decision.verdict, _moves(part, approved)
            txn = ledger.book(tx, kind, note, moves, decision.at_ns)
            _mark(tx, [row.id for row in part], decision, txn)
    _tell(tx, rows, decision)
    if not approved:
        return 0
    touched = {(row.entity, row.year) for row in rows}
    return certificates.certify(tx, touched, decision.at_ns)


def pending(tx: Connection, year: int | None = None) -> list[int]:
    """Return the numbers of the applications that wait, of one obligation year if told so."""
    a = applications.c
    query = select(a.id).where(a.status == "pending").order_by(a.id)
    query = query if year is None else query.where(a.year == year)
    return list(tx.execute(query).scalars())


def _rows(tx: Connection, numbers: Sequence[int]) -> list[Row[Any]]:
    a, e = applications.c, entities.c
    for number in numbers:
        if not checks.is_whole(number) or not 0 < number < 2**62:
            raise RefusalError("unknown_application", f"There is no application {number!r}.")
    query = select(applications, e.account, e.province).join(entities, e.code == a.entity)
    if len(numbers) <= NAMED_MAX:
        query = query.where(a.id.in_(numbers))
    found = {int(row.id): row for row in tx.execute(query)}
    for number in numbers:
        if number not in found:
            raise RefusalError("unknown_application", f"There is no application {number}.")
    return [found[number] for number in numbers]


def _refuse(row: Row[Any], decision: Decision) -> None:
    if row.status != "pending":
        raise RefusalError(
            "decided_before", f"Application {row.id} is {row.status} already (CP-32)."
        )
    if decision.verdict == "withdrawn":
        if row.maker != decision.person:
            raise RefusalError("not_the_maker", "Only who applied can withdraw (CP-33).")
    elif row.maker == decision.person:
        raise RefusalError(
            "maker_is_checker", f"Application {row.id}: nobody decides on his own (ST-07)."
        )
    if decision.province is not None and row.province != decision.province:
        raise RefusalError(
            "other_province", f"Application {row.id} is for province {row.province} (CP-31)."
        )


def _moves(rows: Sequence[Row[Any]], approved: bool) -> list[Move]:
    moves = []
    for row in rows:
        waiting = Bucket(row.payer, row.unit, PENDING)
        back = Bucket(row.payer, row.unit, REGISTRY_AVAILABLE)
        gone = Bucket(row.account, row.unit, SURRENDERED)
        moves.append(Move(waiting, gone if approved else back, row.tonnes))
    return moves


def _mark(tx: Connection, numbers: Collection[int], decision: Decision, txn: int) -> None:
    values = {"status": decision.verdict, "checker": decision.person, "txn_done": txn}
    values |= {"decided_ns": decision.at_ns, "note": decision.note}
    a = applications.c
    ordered = sorted(numbers)
    for start in range(0, len(ordered), NAMED_MAX):
        some = ordered[start : start + NAMED_MAX]
        tx.execute(update(applications).where(a.id.in_(some)).values(values))


def _tell(tx: Connection, rows: Sequence[Row[Any]], decision: Decision) -> None:
    told: list[tuple[int | None, str]] = []
    for row in rows:
        sentence = (
            f"Application {row.id}: {row.tonnes:,} t for {row.year} {decision.verdict}"
            f"{f': {decision.note}' if decision.note else ''} (CP-32)."
        )
        told.append((row.account, sentence))
        if row.payer != row.account:
            told.append((row.payer, sentence))
    notices.tell_many(tx, "surrender", told, decision.at_ns)
