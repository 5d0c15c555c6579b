"""The issue of allocation: nation to province, province to entity, and back (RG-09, RG-18).

One transaction an issue, whatever its size. What is issued goes national ``issued`` -> province ->
entity; a differentiated allocation stays with the province as an earmark; what is taken back goes
entity -> province -> national ``recovered``; what is to be taken back and is not on the entity's
registry side becomes a deduction (AL-34, AL-67).
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, select, update

from registry import ledger, notices
from registry.bulk import insert_many
from registry.compliance import books, deductions, handover, rows
from registry.compliance.books import Books, Order, Prior
from registry.compliance.deductions import NewDeduction
from registry.compliance.netting import Verdict, settle
from registry.compliance.rows import AllocationRow
from registry.compliance.schema import allocations, earmarks
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.monitoring.provinces import national_account
from registry.schema import ISSUED, RECOVERED, REGISTRY_AVAILABLE, buckets

NOBODY = Prior()


class Issue(NamedTuple):
    """What an issue wrote: the transactions' numbers, None where nothing moved that way."""

    issue_txn: int | None
    allocation_txn: int | None
    claw_back_txn: int | None
    correction_txn: int | None
    issued_tonnes: int
    earmarked_tonnes: int
    taken_back_tonnes: int
    owed_tonnes: int
    netted_tonnes: int

    @property
    def txn(self) -> int | None:
        """The transaction that says most of it."""
        return self.allocation_txn or self.issue_txn or self.claw_back_txn


class Places(NamedTuple):
    """The accounts of an issue and its vintage."""

    unit: int
    national: int
    account_of: dict[str, int]  # by entity
    province_of: dict[str, int]  # the province's account, by entity


def issue(tx: Connection, number: int, sha256: str, at_ns: int) -> Issue:
    """Issue a file that two people have approved; it is checked again as the books now are.

    RefusalError: those of ``handover.kept_file``, and the first refused row's code.
    """
    what, given, document = handover.kept_file(tx, number, sha256)
    state = books.read(tx, what, at_ns)
    taken, refused = handover.refuse_rows(what, state, dict(enumerate(given, 1)))
    for bad in refused:
        raise RefusalError(bad.code, f"File {number}, row {bad.row}: {bad.reason.rstrip('.')}.")
    unit = books.unit_for(tx, what.year)
    verdicts = _verdicts(tx, what, state, list(taken.values()), unit)
    places = _places(tx, state, verdicts, unit)
    done = _move(tx, places, verdicts, document, at_ns)
    _write(tx, what, number, places, verdicts, done, at_ns)
    _tell(tx, what, places, verdicts, at_ns)
    return done


def _verdicts(
    tx: Connection, what: Order, state: Books, given: list[AllocationRow], unit: int
) -> list[Verdict]:
    b = buckets.c
    query = select(b.account, b.balance).where(b.unit == unit, b.kind == REGISTRY_AVAILABLE)
    held = {int(account): int(balance) for account, balance in tx.execute(query)}
    rule = what.plan.differentiated
    withheld = rule is not None and "unpaid" in rule.reasons  # E67
    found = []
    for row in given:
        unpaid = "unpaid" if withheld and row.entity in state.in_arrears else ""
        found.append(
            settle(
                row,
                books.waived(what, state, row),
                row.reason or unpaid,
                state.prior.get(row.entity, NOBODY),
                state.waiting.get(row.entity, []),
                state.used.get(row.entity, {}),
                held.get(state.entities[row.entity].account or 0, 0),
                what.stage,
            )
        )
    return found


def _places(tx: Connection, state: Books, verdicts: list[Verdict], unit: int) -> Places:
    account_of, province_of = {}, {}
    for verdict in verdicts:
        found = state.entities[verdict.row.entity]
        account_of[found.code] = int(found.account or 0)
        province_of[found.code] = state.provinces[found.province].account
    return Places(unit, national_account(tx), account_of, province_of)


def _move(
    tx: Connection, places: Places, verdicts: list[Verdict], document: str, at_ns: int
) -> Issue:
    """Book what is issued and what is taken back, each province in one line (RG-09)."""
    unit, nation = places.unit, places.national
    to_province: Counter[int] = Counter()
    from_province: Counter[int] = Counter()
    given, back = [], []
    for one in verdicts:
        province = places.province_of[one.row.entity]
        own = Bucket(places.account_of[one.row.entity], unit, REGISTRY_AVAILABLE)
        there = Bucket(province, unit, REGISTRY_AVAILABLE)
        to_province[province] += one.issued_tonnes + one.earmarked_tonnes
        from_province[province] += one.taken_back_tonnes
        if one.issued_tonnes:
            given.append(Move(there, own, one.issued_tonnes))
        if one.taken_tonnes:
            back.append(Move(own, there, one.taken_tonnes))
    source, sink = Bucket(nation, unit, ISSUED), Bucket(nation, unit, RECOVERED)
    issued = [
        Move(source, Bucket(province, unit, REGISTRY_AVAILABLE), tonnes)
        for province, tonnes in sorted(to_province.items())
        if tonnes
    ]
    recovered = [
        Move(Bucket(province, unit, REGISTRY_AVAILABLE), sink, tonnes)
        for province, tonnes in sorted(from_province.items())
        if tonnes
    ]
    return Issue(
        _book(tx, "issue", document, issued, at_ns),
        _book(tx, "allocation", document, given, at_ns),
        _book(tx, "claw_back", document, back, at_ns),
        _book(tx, "correction", document, recovered, at_ns),
        sum(one.issued_tonnes for one in verdicts),
        sum(one.earmarked_tonnes for one in verdicts),
        sum(one.taken_back_tonnes for one in verdicts),
        sum(one.owed_tonnes for one in verdicts),
        sum(one.deduction_tonnes for one in verdicts),
    )


def _book(tx: Connection, kind: str, note: str, moves: list[Move], at_ns: int) -> int | None:
    return ledger.book(tx, kind, note, moves, at_ns) if moves else None


def _write(
    tx: Connection,
    what: Order,
    file: int,
    places: Places,
    verdicts: list[Verdict],
    done: Issue,
    at_ns: int,
) -> None:
    """Write the allocations down, their deductions and their earmarks."""
    last = int(tx.execute(select(func.coalesce(func.max(allocations.c.id), 0))).scalar_one())
    numbered = list(enumerate(verdicts, last + 1))
    if numbered:
        head = {"file": file, "plan": what.plan.name, "year": what.year, "stage": what.stage}
        head |= {"unit": places.unit, "decided_ns": at_ns}
        insert_many(tx, allocations, [_row(head, i, one, done) for i, one in numbered])
    deductions.write_uses(tx, [(i, use) for i, one in numbered for use in one.uses])
    deductions.write(
        tx,
        [
            NewDeduction(one.row.entity, what.year, "claw_back", one.owed_tonnes, f"file {file}")
            for one in verdicts
            if one.owed_tonnes
        ],
        at_ns,
    )
    for one in verdicts:
        for earmark, tonnes in one.taken:
            tx.execute(
                update(earmarks)
                .where(earmarks.c.id == earmark)
                .values(recovered_tonnes=earmarks.c.recovered_tonnes + tonnes)
            )
    _earmark(tx, what, places, numbered)


def _row(head: dict[str, Any], number: int, one: Verdict, done: Issue) -> dict[str, Any]:
    txn = done.issue_txn if one.earmarked_tonnes else None
    txn = done.allocation_txn if one.issued_tonnes else txn
    txn = done.claw_back_txn if one.taken_tonnes else txn
    txn = done.correction_txn if one.taken and not one.taken_tonnes else txn
    return {
        **head,
        "id": number,
        "entity": one.row.entity,
        "tonnes": one.entitled_tonnes,
        "waived_tonnes": one.waived_tonnes,
        "deduction_tonnes": one.deduction_tonnes,
        "issued_tonnes": one.issued_tonnes,
        "earmarked_tonnes": one.earmarked_tonnes,
        "taken_back_tonnes": one.taken_back_tonnes,
        "owed_tonnes": one.owed_tonnes,
        "reason": one.reason,
        "sha256": rows.sha256(one.row),
        "txn": txn,
    }


def _earmark(
    tx: Connection, what: Order, places: Places, numbered: list[tuple[int, Verdict]]
) -> None:
    last = int(tx.execute(select(func.coalesce(func.max(earmarks.c.id), 0))).scalar_one())
    kept = [(number, one) for number, one in numbered if one.earmarked_tonnes]
    values = [
        {
            "id": i,
            "allocation": number,
            "entity": one.row.entity,
            "year": what.year,
            "unit": places.unit,
            "account": places.province_of[one.row.entity],
            "reason": one.reason,
            "tonnes": one.earmarked_tonnes,
            "forced_tonnes": 0,
            "released_tonnes": 0,
            "recovered_tonnes": 0,
        }
        for i, (number, one) in enumerate(kept, last + 1)
    ]
    insert_many(tx, earmarks, values)


def _tell(tx: Connection, what: Order, places: Places, verdicts: list[Verdict], at_ns: int) -> None:
    told: list[tuple[int | None, str]] = []
    for one in verdicts:
        parts = [f"{one.issued_tonnes:,} t issued"]
        for tonnes, words in (
            (one.deduction_tonnes, "t deducted (AL-41, AL-67)"),
            (one.earmarked_tonnes, f"t on the provincial account: {one.reason} (AL-40, AL-66)"),
            (one.taken_back_tonnes, "t taken back (AL-34)"),
            (one.owed_tonnes, "t still to be handed back, deducted from later issues (AL-67)"),
        ):
            parts += [f"{tonnes:,} {words}"] if tonnes else []
        sentence = f"Allocation of {what.year}, {what.stage}: {'; '.join(parts)}."
        told.append((places.account_of[one.row.entity], sentence))
    notices.tell_many(tx, "allocation", told, at_ns)
