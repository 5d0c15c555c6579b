"""Cancelling reductions: asked for by the owner, decided by another, never undone (VM-10, RG-12).

While an application waits its tonnes are in the bucket ``pending`` (RG-06). An approval moves them
to ``cancelled``, which nothing leaves, and issues a numbered proof.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update

from engine.records import QTY_TONNES_MAX
from registry import accounts as subjects
from registry import ledger, notices
from registry.errors import RefusalError, StopError
from registry.instructions import refuse_amount
from registry.ledger import Bucket, Move
from registry.monitoring import checks
from registry.offsets import proof
from registry.offsets.proof import Facts, Proof
from registry.offsets.registering import find_batch
from registry.offsets.schema import KINDS, STATUSES, batches, cancellations, projects, proofs
from registry.schema import CANCELLED, PENDING, REGISTRY_AVAILABLE, accounts, units
from registry.windows import moment


class NewCancellation(NamedTuple):
    """What an owner (by trading index) wants cancelled, and what for.

    Of an offset ``beneficiary`` is the entity's unified code and ``obligation_year`` the year of
    its obligation; of the other kinds there is no year, and the beneficiary may stay empty.
    """

    account: int
    batch: str
    tonnes: int
    kind: str
    purpose: str
    beneficiary: str = ""
    obligation_year: int | None = None


class Cancellation(NamedTuple):
    """An application and what became of it; ``account`` is a trading index.

    ``status``: pending, approved, rejected, withdrawn. ``proof`` is "" until it is approved,
    ``checker`` and ``decided_ns`` are 0 until it is decided.
    """

    number: int
    account: int
    batch: str
    tonnes: int
    kind: str
    purpose: str
    beneficiary: str
    obligation_year: int | None
    document: str
    sha256: str
    status: str
    maker: int
    applied_ns: int
    checker: int
    decided_ns: int
    note: str
    proof: str


def apply(
    tx: Connection, new: NewCancellation, maker: int, at_ns: int, document: str
) -> Cancellation:
    """Ask for a cancellation: the tonnes wait in ``pending``.

    RefusalError: person_invalid, time_invalid, text_invalid, kind_invalid, qty_invalid,
    unknown_batch, unknown_account, beneficiary_missing, beneficiary_invalid, year_invalid,
    covered_installation (CP-36), insufficient_holding.
    """
    checks.person(maker)
    moment(at_ns)
    checks.wording(document, "The document")
    _refuse_purpose(new)
    find_batch(tx, new.batch)
    account, unit = subjects.id_of(tx, new.account), ledger.unit_of(tx, new.batch)
    if new.kind == "offset":
        project = _project_of(tx, unit)
        proof.refuse_covered(bool(project.covered), project.code)
    last = tx.execute(select(func.coalesce(func.max(cancellations.c.id), 0))).scalar_one()
    signed = {**new._asdict(), "id": last + 1, "maker": maker, "document": document}
    row = {**signed, "account": account, "unit": unit, "status": "pending", "note": ""}
    del row["batch"]
    row |= {"sha256": checks.sha256(checks.canonical(signed)), "applied_ns": at_ns}
    row["txn_pending"] = ledger.book(
        tx,
        "apply",
        f"cancellation {last + 1}: {document}",
        [_move(account, unit, REGISTRY_AVAILABLE, PENDING, new.tonnes)],
        at_ns,
    )
    tx.execute(insert(cancellations), row)
    return find(tx, last + 1)


def _refuse_purpose(new: NewCancellation) -> None:
    if new.kind not in KINDS:
        raise RefusalError("kind_invalid", f"{new.kind!r} is none of {', '.join(KINDS)} (VM-10).")
    refuse_amount(new.tonnes, QTY_TONNES_MAX, "qty_invalid", "tonnes")
    checks.wording(new.purpose, "The purpose")
    if new.kind != "offset":
        if new.beneficiary != "":
            checks.wording(new.beneficiary, "The beneficiary")
        if new.obligation_year is not None:
            raise RefusalError("year_invalid", f"A {new.kind} cancellation is for no year (VM-10).")
        return
    if new.beneficiary == "" or new.obligation_year is None:
        raise RefusalError(
            "beneficiary_missing", "An offset is for an entity's obligation of a year (RG-12)."
        )
    if not isinstance(new.beneficiary, str) or not checks.ENTITY_CODE.fullmatch(new.beneficiary):
        raise RefusalError(
            "beneficiary_invalid", f"{new.beneficiary!r} is no entity's code (RG-12)."
        )
    checks.year(new.obligation_year)


def _project_of(tx: Connection, unit: int) -> Row[Any]:
    owned = select(projects).join(batches, batches.c.project == projects.c.code)
    return tx.execute(owned.where(batches.c.unit == unit)).one()


def _move(account: int, unit: int, source: str, target: str, tonnes: int) -> Move:
    return Move(Bucket(account, unit, source), Bucket(account, unit, target), tonnes)


def approve(tx: Connection, number: int, checker: int, sha256: str, at_ns: int) -> Cancellation:
    """Cancel for ever, tell the public, and issue the proof (VM-10, RG-12, RG-13).

    RefusalError: unknown_cancellation, decided_before, person_invalid, maker_is_checker,
    values_differ (another hash than the application's), time_invalid. StopError
    cancellation_altered.
    """
    row = _open(tx, number, checker, at_ns)
    if checker == row.maker:
        raise RefusalError("maker_is_checker", "Nobody approves an application of his own.")
    if sha256 != row.sha256:
        raise RefusalError("values_differ", "This is not the hash of what is asked for.")
    _refuse_altered(tx, row)
    txn = ledger.book(
        tx,
        "cancellation",
        f"{row.kind}: cancellation {number}",
        [_move(row.account, row.unit, PENDING, CANCELLED, row.tonnes)],
        at_ns,
    )
    _decide(tx, number, "approved", checker, at_ns, "", txn)
    record = _prove(tx, row, txn, at_ns)
    tonnes = f"{row.tonnes:,} t of {_code_of(tx, row.unit)} were cancelled"
    notices.tell_many(
        tx,
        "cancellation",
        [
            (None, f"{tonnes} ({row.kind}): {row.purpose}."),
            (row.account, f"{tonnes} ({row.kind}); the proof is {record.number}."),
        ],
        at_ns,
    )
    return find(tx, number)


def reject(tx: Connection, number: int, checker: int, note: str, at_ns: int) -> Cancellation:
    """Give the tonnes back, with a reason in words (ST-07)."""
    row = _open(tx, number, checker, at_ns)
    if checker == row.maker:
        raise RefusalError("maker_is_checker", "A maker withdraws; rejecting is another's.")
    return _give_back(tx, row, "rejected", checker, note, at_ns)


def withdraw(tx: Connection, number: int, maker: int, note: str, at_ns: int) -> Cancellation:
    """Take one's own application back."""
    row = _open(tx, number, maker, at_ns)
    if maker != row.maker:
        raise RefusalError("not_the_maker", "Only who applied can withdraw.")
    return _give_back(tx, row, "withdrawn", maker, note, at_ns)


def _give_back(
    tx: Connection, row: Row[Any], status: str, person: int, note: str, at_ns: int
) -> Cancellation:
    checks.wording(note, "A decision's reason")
    move = _move(row.account, row.unit, PENDING, REGISTRY_AVAILABLE, row.tonnes)
    words = f"cancellation {row.id} {status}: {note}"
    txn = ledger.book(tx, "reject", words, [move], at_ns)
    _decide(tx, row.id, status, person, at_ns, note, txn)
    return find(tx, row.id)


def _open(tx: Connection, number: int, person: int, at_ns: int) -> Row[Any]:
    checks.person(person)
    moment(at_ns)
    row = _row(tx, number)
    if row.status != "pending":
        raise RefusalError(
            "decided_before", f"Cancellation {number} is {row.status} already (VM-10)."
        )
    return row


def _row(tx: Connection, number: int) -> Row[Any]:
    known = checks.is_whole(number) and 0 < number < 2**62
    found = select(cancellations).where(cancellations.c.id == number)
    row = tx.execute(found).first() if known else None
    if row is None:
        raise RefusalError("unknown_cancellation", f"There is no cancellation {number!r}.")
    return row


def _refuse_altered(tx: Connection, row: Row[Any]) -> None:
    """Stop unless the row is what was asked for."""
    index = select(accounts.c.trading_index).where(accounts.c.id == row.account)
    signed = {name: getattr(row, name) for name in NewCancellation._fields if name != "batch"}
    signed |= {"account": tx.execute(index).scalar_one(), "batch": _code_of(tx, row.unit)}
    signed |= {"id": row.id, "maker": row.maker, "document": row.document}
    if checks.sha256(checks.canonical(signed)) != row.sha256:
        raise StopError("cancellation_altered", f"Cancellation {row.id} is not what was asked for.")


def _code_of(tx: Connection, unit: int) -> str:
    return str(tx.execute(select(units.c.code).where(units.c.id == unit)).scalar_one())


def _decide(
    tx: Connection, number: int, status: str, person: int, at_ns: int, note: str, txn: int
) -> None:
    tx.execute(
        update(cancellations)
        .where(cancellations.c.id == number)
        .values(status=status, checker=person, decided_ns=at_ns, note=note, txn_done=txn)
    )


def _prove(tx: Connection, row: Row[Any], txn: int, at_ns: int) -> Proof:
    number = tx.execute(select(func.coalesce(func.max(proofs.c.id), 0))).scalar_one() + 1
    batch, project = find_batch(tx, _code_of(tx, row.unit)), _project_of(tx, row.unit)
    owner = tx.execute(select(accounts.c.code).where(accounts.c.id == row.account)).scalar_one()
    record = proof.write(
        Facts(
            number=proof.numbered(number),
            kind=row.kind,
            batch=batch.code,
            tonnes=row.tonnes,
            beneficiary=row.beneficiary,
            obligation_year=row.obligation_year or 0,
            purpose=row.purpose,
            owner=owner,
            project=project.code,
            project_type=project.type,
            methodology=project.methodology,
            installation=project.installation,
            covered=bool(project.covered),
            registered=batch.registered,
            period_first=batch.period_first,
            period_last=batch.period_last,
            cancelled_ns=at_ns,
            transaction=txn,
        )
    )
    kept = {"id": number, "cancellation": row.id, "issued_ns": at_ns}
    tx.execute(insert(proofs), {**kept, "content": record.content, "sha256": record.sha256})
    return record


def find(tx: Connection, number: int) -> Cancellation:
    """Return one application; RefusalError unknown_cancellation."""
    _row(tx, number)
    return _found(tx, cancellations.c.id == number)[0]


def listed(
    tx: Connection, account: int | None = None, kind: str | None = None, status: str | None = None
) -> list[Cancellation]:
    """Return the applications in order, of one account (trading index), kind, status."""
    if kind is not None and kind not in KINDS:
        raise RefusalError("kind_invalid", f"{kind!r} is none of {', '.join(KINDS)} (VM-10).")
    if status is not None and status not in STATUSES:
        raise RefusalError("status_invalid", f"{status!r} is none of {', '.join(STATUSES)}.")
    c = cancellations.c
    chosen = [c.kind == kind] if kind is not None else []
    chosen += [c.status == status] if status is not None else []
    chosen += [c.account == subjects.id_of(tx, account)] if account is not None else []
    return _found(tx, *chosen)


def _found(tx: Connection, *chosen: Any) -> list[Cancellation]:
    c = cancellations.c
    rows = tx.execute(
        select(cancellations, units.c.code, accounts.c.trading_index, proofs.c.id.label("proof"))
        .join(units, units.c.id == c.unit)
        .join(accounts, accounts.c.id == c.account)
        .outerjoin(proofs, proofs.c.cancellation == c.id)
        .where(*chosen)
        .order_by(c.id)
    ).all()
    return [
        Cancellation(
            *(row.id, row.trading_index, row.code, row.tonnes, row.kind, row.purpose),
            *(row.beneficiary, row.obligation_year, row.document, row.sha256, row.status),
            *(row.maker, row.applied_ns, row.checker or 0, row.decided_ns or 0, row.note),
            "" if row.proof is None else proof.numbered(row.proof),
        )
        for row in rows
    ]


def proof_of(tx: Connection, number: str) -> Proof:
    """Return the record of a proof; RefusalError unknown_proof."""
    digits = number[1:] if isinstance(number, str) else ""
    known = digits.isascii() and digits.isdigit() and len(digits) < 19
    row = None
    if known and number == proof.numbered(int(digits)):
        row = tx.execute(select(proofs).where(proofs.c.id == int(digits))).first()
    if row is None:
        raise RefusalError("unknown_proof", f"No proof {str(number)[:40]!r} was issued (RG-12).")
    return Proof(number, row.content, row.sha256)
