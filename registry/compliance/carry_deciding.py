"""Carry-over applications are decided: recovered and converted 1:1, or given back (AL-55, I11).

Approval takes the old tonnes back for ever and issues as much of 2025, in one transaction of the
database: at no moment does what went out differ from what came in. The five working days that the
rule allows for the issue are never needed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, case, func, select, update
from sqlalchemy import cast as sql_cast

from registry import ledger, notices
from registry.compliance.books import unit_for
from registry.compliance.carry_over import ROUNDS
from registry.compliance.carry_schema import carry_applications, carry_notices
from registry.compliance.deciding import Decision
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.monitoring import checks, provinces
from registry.schema import (
    ISSUED,
    PENDING,
    RECOVERED,
    REGISTRY_AVAILABLE,
    Number,
    entries,
    transactions,
    units,
)
from registry.windows import moment, nanoseconds

INTO_YEAR = 2025  # the vintage they become
VERDICTS = ("approved", "rejected", "withdrawn")
NAMED_MAX = 500


class Application(NamedTuple):
    """An application and what became of it; ``due``: YYYYMMDD by which it is handled, 0 = none."""

    number: int
    entity: str
    vintage: str
    tonnes: int
    late: int
    document: str
    due: int
    status: str
    maker: int
    applied_ns: int
    checker: int
    decided_ns: int
    note: str
    txn_pending: int
    txn_done: int | None
    txn_converted: int | None


def decide(tx: Connection, numbers: Sequence[int], decision: Decision) -> int:
    """Decide on applications, all or none; return how many tonnes were converted.

    RefusalError: person_invalid, time_invalid, verdict_invalid, unknown_application,
    application_twice, decided_before, maker_is_checker (ST-07), not_the_maker.
    """
    checks.person(decision.person)
    moment(decision.at_ns)
    if decision.verdict not in VERDICTS:
        raise RefusalError("verdict_invalid", f"A verdict is one of {', '.join(VERDICTS)}.")
    if len(set(numbers)) != len(numbers):
        raise RefusalError("application_twice", "An application is decided once, not twice.")
    rows = _rows(tx, numbers)
    for row in rows:
        _refuse(row, decision)
    if not rows:
        return 0
    if decision.verdict == "approved":
        return _convert(tx, rows, decision)
    note, at_ns = f"carry-over {decision.verdict}", decision.at_ns
    txn = ledger.book(tx, "reject", note, _moves(rows, _BACK), at_ns)
    _mark(tx, rows, decision, txn, None)
    _tell(tx, rows, decision, f"{decision.verdict} and free again")
    return 0


_BACK = REGISTRY_AVAILABLE


def _moves(rows: Sequence[Row[Any]], kind: str) -> list[Move]:
    return [
        Move(
            Bucket(row.account, row.unit, PENDING), Bucket(row.account, row.unit, kind), row.tonnes
        )
        for row in rows
    ]


def _convert(tx: Connection, rows: Sequence[Row[Any]], decision: Decision) -> int:
    unit = unit_for(tx, INTO_YEAR)
    source = Bucket(provinces.national_account(tx), unit, ISSUED)
    at_ns = decision.at_ns
    recovered = ledger.book(tx, "carry_over", "recovered", _moves(rows, RECOVERED), at_ns)
    issued = [
        Move(source, Bucket(row.account, unit, REGISTRY_AVAILABLE), row.tonnes) for row in rows
    ]
    converted = ledger.book(tx, "conversion", f"of transaction {recovered}", issued, at_ns)
    _mark(tx, rows, decision, recovered, converted)
    _tell(tx, rows, decision, f"carried over: as much of {INTO_YEAR} is on your account")
    return sum(move.amount for move in issued)


def _rows(tx: Connection, numbers: Sequence[int]) -> list[Row[Any]]:
    c, n = carry_applications.c, carry_notices.c
    for number in numbers:
        if not checks.is_whole(number) or not 0 < number < 2**62:
            raise RefusalError("unknown_application", f"There is no application {number!r}.")
    query = select(carry_applications, n.account).join(carry_notices, n.entity == c.entity)
    if len(numbers) <= NAMED_MAX:
        query = query.where(c.id.in_(numbers))
    found = {int(row.id): row for row in tx.execute(query)}
    for number in numbers:
        if number not in found:
            raise RefusalError("unknown_application", f"There is no application {number}.")
    return [found[number] for number in numbers]


def _refuse(row: Row[Any], decision: Decision) -> None:
    if row.status != "pending":
        raise RefusalError(
            "decided_before", f"Application {row.id} is {row.status} already (AL-55)."
        )
    if decision.verdict == "withdrawn" and row.maker != decision.person:
        raise RefusalError("not_the_maker", "Only who applied can withdraw.")
    if decision.verdict != "withdrawn" and row.maker == decision.person:
        raise RefusalError(
            "maker_is_checker", f"Application {row.id}: nobody decides on his own (ST-07)."
        )


def _mark(
    tx: Connection, rows: Sequence[Row[Any]], decision: Decision, done: int, converted: int | None
) -> None:
    values = {"status": decision.verdict, "checker": decision.person, "note": decision.note}
    values |= {"decided_ns": decision.at_ns, "txn_done": done, "txn_converted": converted}
    ordered = sorted(row.id for row in rows)
    for start in range(0, len(ordered), NAMED_MAX):
        some = carry_applications.c.id.in_(ordered[start : start + NAMED_MAX])
        tx.execute(update(carry_applications).where(some).values(values))


def _tell(tx: Connection, rows: Sequence[Row[Any]], decision: Decision, words: str) -> None:
    why = f" ({decision.note})" if decision.note else ""
    told = [
        (row.account, f"Carry-over {row.id}: {row.tonnes:,} t {words}{why} (AL-55).")
        for row in rows
    ]
    notices.tell_many(tx, "carry_over", told, decision.at_ns)


def waiting(tx: Connection, round_no: int | None = None) -> list[int]:
    """Return the numbers of the applications that wait, of one round (1, 2) or all (AL-55).

    A round has what was applied for up to its last day. RefusalError round_invalid.
    """
    c = carry_applications.c
    query = select(c.id).where(c.status == "pending").order_by(c.id)
    if round_no is not None:
        if not checks.is_whole(round_no) or not 1 <= round_no <= len(ROUNDS):
            raise RefusalError("round_invalid", f"There are rounds 1 to {len(ROUNDS)} (AL-55).")
        after = ROUNDS[round_no - 1].last + dt.timedelta(days=1)
        query = query.where(c.applied_ns < nanoseconds(after, dt.time(0)))
    return list(tx.execute(query).scalars())


def found(
    tx: Connection, entity: str | None = None, status: str | None = None
) -> list[Application]:
    """Return applications in order, of one entity or status if told so."""
    c = carry_applications.c
    fields = [
        *(c.id, c.entity, units.c.code, c.tonnes, c.late, c.document, c.due, c.status, c.maker),
        *(c.applied_ns, func.coalesce(c.checker, 0), func.coalesce(c.decided_ns, 0), c.note),
        *(c.txn_pending, c.txn_done, c.txn_converted),
    ]
    query = select(*fields).join(units, units.c.id == c.unit).order_by(c.id)
    query = query if entity is None else query.where(c.entity == entity)
    query = query if status is None else query.where(c.status == status)
    return [Application(*row) for row in tx.execute(query)]


def overdue(tx: Connection, date: int) -> list[int]:
    """Return the numbers of the applications that should have been handled before ``date``."""
    c = carry_applications.c
    late = (c.status == "pending", c.due > 0, c.due < date)
    return list(tx.execute(select(c.id).where(*late).order_by(c.id)).scalars())


def violations(tx: Connection) -> list[str]:
    """Return one sentence for every entity beyond its T, and where I11 does not hold."""
    c, n = carry_applications.c, carry_notices.c
    taken = sql_cast(func.sum(c.tonnes), Number)
    query = (
        select(c.entity, n.limit_tonnes, taken)
        .outerjoin(carry_notices, n.entity == c.entity)
        .where(c.status.in_(("pending", "approved")))
        .group_by(c.entity, n.limit_tonnes)
        .having(taken > func.coalesce(n.limit_tonnes, 0))
        .order_by(c.entity)
    )
    found = [
        f"{entity} carries {int(tonnes):,} t over, its limit is {int(limit or 0):,} (I11)."
        for entity, limit, tonnes in tx.execute(query)
    ]
    approved = sql_cast(func.sum(case((c.status == "approved", c.tonnes), else_=0)), Number)
    decided = int(tx.execute(select(func.coalesce(approved, 0))).scalar_one())
    out, came = _booked(tx, "carry_over"), _booked(tx, "conversion")
    if not decided == out == came:
        found.append(
            f"{decided:,} t were approved for carry-over, {out:,} recovered, {came:,} issued (I11)."
        )
    return found


def _booked(tx: Connection, kind: str) -> int:
    query = (
        select(func.coalesce(sql_cast(func.sum(entries.c.amount), Number), 0))
        .join(transactions, transactions.c.id == entries.c.txn)
        .where(transactions.c.kind == kind)
    )
    return int(tx.execute(query).scalar_one())
