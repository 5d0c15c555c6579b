"""Borrowing from the 2023 pre-allocation for the obligations of 2021 and 2022 (AL-24, AL-37).

What is borrowed is never in the borrower's hands: approved, it goes straight from the national
account into the surrender, so it can be neither traded nor pledged, and the 2023 allocation is
less by as much.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update
from sqlalchemy import cast as sql_cast

from registry import ledger, notices
from registry.allocation import plan_file
from registry.compliance import certificates, deductions, eligibility, standing, surrender
from registry.compliance.books import unit_for
from registry.compliance.carry_schema import borrowings
from registry.compliance.deciding import Decision
from registry.compliance.deductions import NewDeduction
from registry.compliance.obligations import FINAL_STAGES
from registry.compliance.schema import allocations, applications
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.monitoring import checks, entities, provinces, verified
from registry.schema import ISSUED, SURRENDERED, Number
from registry.windows import moment


class Rule(NamedTuple):
    """For which obligations, from which year's early share, within which limits (AL-24)."""

    years: tuple[int, ...]
    from_year: int
    plan: str  # whose early share of ``from_year`` is the most there is
    ratio_one_in: int  # the deficit is at least one tenth of the obligation
    share_one_in: int  # at most one half of the deficit
    clause: str


RULE = Rule((2021, 2022), 2023, "power-2023-2024", 10, 2, "AL-24")
FORBIDDEN = {2023: "AL-37", 2024: "AL-37"}


class Room(NamedTuple):
    """How much an entity may borrow for a year, and why, in tonnes."""

    obligation_tonnes: int
    allocation_tonnes: int
    borrowed_tonnes: int  # approved or waiting already
    early_tonnes: int  # left of the early share it would come from
    open_tonnes: int  # what the obligation still lacks

    @property
    def deficit_tonnes(self) -> int:
        """By how much the allocation falls short of the obligation."""
        return max(self.obligation_tonnes - self.allocation_tonnes, 0)

    @property
    def is_entitled(self) -> bool:
        """Whether the deficit ratio is at least 10 %."""
        ratio = RULE.ratio_one_in * self.deficit_tonnes
        return self.deficit_tonnes > 0 and ratio >= self.obligation_tonnes

    @property
    def tonnes(self) -> int:
        """What may still be borrowed."""
        if not self.is_entitled:
            return 0
        half = self.deficit_tonnes // RULE.share_one_in - self.borrowed_tonnes
        return max(min(half, self.early_tonnes, self.open_tonnes), 0)


class Borrowing(NamedTuple):
    """A request to borrow and what became of it."""

    number: int
    entity: str
    year: int
    tonnes: int
    obligation_tonnes: int
    allocation_tonnes: int
    document: str
    status: str
    maker: int
    asked_ns: int
    checker: int
    decided_ns: int
    note: str
    application: int | None
    deduction: int | None


def room(tx: Connection, entity: str, year: int) -> Room:
    """Return how much may be borrowed.

    RefusalError: unknown_entity, year_invalid, no_borrowing (AL-24, AL-37), no_notice,
    final_missing.
    """
    entities.find(tx, entity)
    if checks.year(year) not in RULE.years:
        clause = FORBIDDEN.get(year, RULE.clause)
        allowed = " and ".join(map(str, RULE.years))
        raise RefusalError(
            "no_borrowing", f"There is no borrowing for {year}, only for {allowed} ({clause})."
        )
    owed = standing.find(tx, entity, year)
    a, b = allocations.c, borrowings.c
    query = select(a.tonnes).where(a.entity == entity, a.year == year, a.stage.in_(FINAL_STAGES))
    approved = tx.execute(query.order_by(a.id.desc()).limit(1)).scalar()
    if approved is None:
        raise RefusalError(
            "final_missing", f"{entity} has had no final allocation of {year}: the deficit is open."
        )
    total = sql_cast(func.coalesce(func.sum(b.tonnes), 0), Number)
    live = (b.entity == entity, b.status.in_(("pending", "approved")))
    both = int(tx.execute(select(total).where(*live)).scalar_one())
    own = int(tx.execute(select(total).where(*live, b.year == year)).scalar_one())
    waiting = select(total).where(*live, b.year == year, b.status == "pending")
    open_tonnes = owed.open_tonnes - int(tx.execute(waiting).scalar_one())
    return Room(owed.tonnes, int(approved), own, _early(tx, entity) - both, open_tonnes)


def _early(tx: Connection, entity: str) -> int:
    """Return the early share of the year that is borrowed from, as its plan computes it (AL-33)."""
    early = plan_file.load(RULE.plan).pre_allocation[RULE.from_year]
    base = verified.tonnes(tx, entity, early.base_year.value)
    return 0 if base is None else int(base * early.share.value)


def ask(
    tx: Connection, entity: str, year: int, tonnes: int, document: str, maker: int, at_ns: int
) -> int:
    """Ask for a loan because of the difficulty that ``document`` shows; return its number.

    Nothing moves. RefusalError: those of ``room``; person_invalid, time_invalid, text_invalid,
    no_account, deadline_passed, deficit_too_small, tonnes_invalid, over_the_limit.
    """
    checks.person(maker)
    moment(at_ns)
    checks.wording(document, "The proof of difficulty")
    free = room(tx, entity, year)
    if entities.find(tx, entity).account is None:
        raise RefusalError("no_account", f"{entity} has no account yet (RG-03).")
    if eligibility.is_late(year, at_ns):
        raise RefusalError("deadline_passed", f"The deadline of {year} has passed (AL-24, AL-25).")
    if not free.is_entitled:
        raise RefusalError(
            "deficit_too_small",
            f"{entity} lacks {free.deficit_tonnes:,} t of {free.obligation_tonnes:,} t: less than "
            "10 % (AL-24).",
        )
    if not checks.is_whole(tonnes) or tonnes <= 0:
        raise RefusalError("tonnes_invalid", f"{tonnes!r} is no number of whole tonnes.")
    if tonnes > free.tonnes:
        raise RefusalError(
            "over_the_limit",
            f"{entity} may borrow {free.tonnes:,} t for {year}, not {tonnes:,}: half of the "
            f"deficit, within the early share of {RULE.from_year} and what is owed (AL-24).",
        )
    number = 1 + int(tx.execute(select(func.coalesce(func.max(borrowings.c.id), 0))).scalar_one())
    row = {"id": number, "entity": entity, "year": year, "tonnes": tonnes, "document": document}
    row |= {name: getattr(free, name) for name in ("obligation_tonnes", "allocation_tonnes")}
    row |= {"status": "pending", "maker": maker, "asked_ns": at_ns, "note": ""}
    tx.execute(insert(borrowings), row)
    return number


def decide(tx: Connection, number: int, decision: Decision) -> Borrowing:
    """Decide on a loan; approved, it is surrendered at once and deducted 1:1 in 2023.

    RefusalError: person_invalid, time_invalid, verdict_invalid, unknown_borrowing,
    decided_before, maker_is_checker (ST-07), not_the_maker, over_the_limit (less is owed by now).
    """
    row = _open(tx, number, decision)
    done: dict[str, Any] = {}
    if decision.verdict == "approved":
        if row.tonnes > standing.find(tx, row.entity, row.year).open_tonnes:
            raise RefusalError(
                "over_the_limit", f"{row.entity} owes less than it would borrow by now (AL-24)."
            )
        done = _surrender(tx, row, decision)
        certificates.certify(tx, {(row.entity, row.year)}, decision.at_ns)
    values = {"status": decision.verdict, "checker": decision.person, "note": decision.note}
    values |= {"decided_ns": decision.at_ns, **done}
    tx.execute(update(borrowings).where(borrowings.c.id == number).values(values))
    sentence = (
        f"Borrowing {number}: {row.tonnes:,} t of {RULE.from_year} for {row.year} "
        f"{decision.verdict} ({RULE.clause})."
    )
    notices.tell(tx, "borrowing", sentence, entities.find(tx, row.entity).account, decision.at_ns)
    return found(tx, number=number)[0]


def _open(tx: Connection, number: int, decision: Decision) -> Row[Any]:
    checks.person(decision.person)
    moment(decision.at_ns)
    if decision.verdict not in ("approved", "rejected", "withdrawn"):
        raise RefusalError("verdict_invalid", f"{decision.verdict!r} is no verdict.")
    known = checks.is_whole(number) and 0 < number < 2**62
    row = tx.execute(select(borrowings).where(borrowings.c.id == number)).first() if known else None
    if row is None:
        raise RefusalError("unknown_borrowing", f"There is no borrowing {number!r}.")
    if row.status != "pending":
        raise RefusalError("decided_before", f"Borrowing {number} is {row.status} already.")
    own = row.maker == decision.person
    if decision.verdict == "withdrawn" and not own:
        raise RefusalError("not_the_maker", "Only who asked can withdraw.")
    if decision.verdict != "withdrawn" and own:
        raise RefusalError("maker_is_checker", "Nobody decides on his own borrowing (ST-07).")
    return row


def _surrender(tx: Connection, row: Row[Any], decision: Decision) -> dict[str, int]:
    account = entities.find(tx, row.entity).account
    assert account is not None, "nobody without an account may ask"
    unit = unit_for(tx, RULE.from_year)
    source = Bucket(provinces.national_account(tx), unit, ISSUED)
    note = f"borrowing {row.id}"
    move = Move(source, Bucket(account, unit, SURRENDERED), row.tonnes)
    txn = ledger.book(tx, "surrender", note, [move], decision.at_ns)
    application = surrender.last_number(tx) + 1
    tx.execute(
        insert(applications),
        {
            "id": application, "entity": row.entity, "year": row.year, "unit": unit,
            "tonnes": row.tonnes, "origin": "borrowed", "payer": account,
            "document": row.document, "status": "approved", "late": 0, "maker": row.maker,
            "applied_ns": row.asked_ns, "checker": decision.person,
            "decided_ns": decision.at_ns, "note": note, "txn_pending": None, "txn_done": txn,
        },
    )  # fmt: skip
    owed = NewDeduction(row.entity, RULE.from_year, "borrowed", row.tonnes, row.document)
    return {"application": application, "deduction": deductions.write(tx, [owed], decision.at_ns)}


def found(tx: Connection, entity: str | None = None, number: int | None = None) -> list[Borrowing]:
    """Return borrowings in order, of one entity if told so."""
    b = borrowings.c
    query = select(borrowings).order_by(b.id)
    query = query if entity is None else query.where(b.entity == entity)
    query = query if number is None else query.where(b.id == number)
    return [
        Borrowing._make((*row[:10], row.checker or 0, row.decided_ns or 0, *row[12:]))
        for row in tx.execute(query)
    ]
