"""Surrender: applied for by the entity or a helper, frozen, decided by the province (CP-32, CP-33).

Many at once or one: the same checks, read once, written once. Only what lies on the registry side
can be surrendered (RG-07); what is applied for waits in the bucket ``pending`` and either comes
back or is surrendered for ever.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, select

from registry import ledger
from registry.bulk import insert_many
from registry.compliance import eligibility, standing
from registry.compliance.rows import RefusedRow, RowError, refuse
from registry.compliance.schema import applications
from registry.compliance.standing import Standing
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.monitoring import checks
from registry.monitoring.schema import entities
from registry.schema import (
    FEN,
    IN_TRANSIT,
    JUDICIAL,
    PENDING,
    REGISTRY_AVAILABLE,
    TRADING_AVAILABLE,
    TRADING_JUDICIAL,
    accounts,
    buckets,
    units,
)
from registry.windows import moment

HELD = (REGISTRY_AVAILABLE, IN_TRANSIT, TRADING_AVAILABLE, JUDICIAL, TRADING_JUDICIAL)
SUBJECTS = ("key_emitting_entity", "other")


class Wanted(NamedTuple):
    """What is to be surrendered: for which entity's year, which vintage, how many tonnes.

    ``helper``: customer number of who provides them instead of the entity, with the province's
    consent in ``document`` (AL-42, E84).
    """

    entity: str
    year: int
    vintage: str
    tonnes: int
    helper: str = ""
    document: str = ""


class Application(NamedTuple):
    """An application and what became of it; ``origin``: own, help, forced, borrowed."""

    number: int
    entity: str
    year: int
    vintage: str
    tonnes: int
    origin: str
    payer: str
    document: str
    status: str
    late: int
    maker: int
    applied_ns: int
    checker: int
    decided_ns: int
    note: str
    txn_pending: int | None
    txn_done: int | None


class Applied(NamedTuple):
    """The numbers of the applications that were taken, in order, and the rows that were not."""

    numbers: tuple[int, ...]
    refused: tuple[RefusedRow, ...]


class Desk:
    """Everything the checks look at, read once for the entities concerned."""

    def __init__(self, tx: Connection, wanted: Sequence[Wanted]) -> None:
        names = {one.entity for one in wanted if isinstance(one.entity, str)}
        years = {one.year for one in wanted if checks.is_whole(one.year)}
        helpers = {one.helper for one in wanted if isinstance(one.helper, str) and one.helper}
        e = entities.c
        query = select(e.code, e.account).where(standing.chosen(e.code, names))
        self.account_of = {str(row[0]): row[1] for row in tx.execute(query)}
        self.helper_of: dict[str, int] = {}
        if helpers:
            a = accounts.c
            query = select(a.code, a.id).where(a.code.in_(sorted(helpers)), a.kind.in_(SUBJECTS))
            self.helper_of = {str(row[0]): int(row[1]) for row in tx.execute(query)}
        self.unit_of = ledger.unit_ids(tx)
        self.standings = standing.of(tx, names, years)
        named = {*self.account_of.values(), *self.helper_of.values()} - {None}
        self.held = _held(tx, named)
        self.taken: Counter[tuple[str, int]] = Counter()  # of what an obligation lacks
        self.given: Counter[Bucket] = Counter()

    def payer(self, one: Wanted) -> int:
        """Return the account that gives; RowError unknown_entity, no_account, unknown_helper …"""
        if one.entity not in self.account_of:
            refuse("entity", "unknown_entity", f"there is no entity {one.entity!r}")
        own = self.account_of[one.entity]
        if not one.helper:
            if own is None:
                refuse("entity", "no_account", f"{one.entity} has no account yet (RG-03)")
            return int(own)
        found = self.helper_of.get(one.helper)
        if found is None:
            raise RowError("helper", "unknown_helper", f"there is no subject {one.helper!r}")
        if found == own:
            refuse("helper", "same_account", "nobody helps himself: apply without a helper (AL-42)")
        if not isinstance(one.document, str) or not one.document.strip():
            refuse(
                "document",
                "consent_missing",
                "third-party help needs the province's consent (AL-42)",
            )
        return found

    def check(self, one: Wanted, at_ns: int) -> tuple[Bucket, int]:
        """Return the bucket that gives and whether it is late; RowError with the clause."""
        payer = self.payer(one)
        found = self.standings.get((one.entity, one.year))
        if found is None:
            raise _as_row("year", standing.no_notice(one.entity, one.year))
        late = at_ns >= found.deadline_ns
        try:
            eligibility.refuse_ineligible(one.vintage, one.year, at_ns)
        except RefusalError as error:
            raise _as_row("vintage", error) from None
        unit = self.unit_of.get(one.vintage)
        if unit is None:
            raise RowError("vintage", "unknown_vintage", f"{one.vintage} is not issued yet (RG-09)")
        self._tonnes(one, found)
        bucket = Bucket(payer, unit, REGISTRY_AVAILABLE)
        self._holding(one, bucket)
        return bucket, int(late)

    def _tonnes(self, one: Wanted, found: Standing) -> None:
        if not checks.is_whole(one.tonnes) or one.tonnes <= 0:
            refuse("tonnes", "tonnes_invalid", f"{one.tonnes!r} is no number of whole tonnes")
        left = found.open_tonnes - self.taken[one.entity, one.year]
        if one.tonnes > left:
            refuse(
                "tonnes",
                "more_than_owed",
                f"{one.entity} may still surrender {left:,} t for"
                f" {one.year}, not {one.tonnes:,} (CP-31)",
            )

    def _holding(self, one: Wanted, bucket: Bucket) -> None:
        have = self.held.get(bucket, 0) - self.given[bucket]
        if one.tonnes <= have:
            return
        everywhere = have + sum(
            self.held.get(bucket._replace(kind=kind), 0) for kind in (IN_TRANSIT, TRADING_AVAILABLE)
        )
        if one.tonnes <= everywhere:
            refuse(
                "tonnes",
                "transfer_out_first",
                f"{have:,} t of {one.vintage} are on the registry"
                " side; what is on the trading side is transferred out first (RG-07)",
            )
        refuse(
            "tonnes",
            "insufficient_holding",
            f"{have:,} t of {one.vintage} are free on the"
            f" registry side, {one.tonnes:,} are wanted (RG-06)",
        )

    def take(self, one: Wanted, bucket: Bucket) -> None:
        """Count an application that was taken."""
        self.taken[one.entity, one.year] += one.tonnes
        self.given[bucket] += one.tonnes


def _as_row(field: str, error: RefusalError) -> RowError:
    return RowError(field, error.code, error.sentence)


def _held(tx: Connection, named: Collection[int]) -> dict[Bucket, int]:
    b = buckets.c
    query = select(b.account, b.unit, b.kind, b.balance).where(b.unit != FEN, b.kind.in_(HELD))
    if len(named) <= standing.NAMED_MAX:
        query = query.where(b.account.in_(sorted(named)))
    return {Bucket(row[0], row[1], row[2]): int(row[3]) for row in tx.execute(query)}


def apply_many(
    tx: Connection, wanted: Iterable[Wanted | tuple[Any, ...]], maker: int, at_ns: int, strict: bool
) -> Applied:
    """Take applications in the order given; the tonnes wait in ``pending`` (CP-32, RG-06).

    ``strict``: one bad row and none is taken. Row codes: unknown_entity, no_account,
    unknown_helper, same_account, consent_missing, no_notice, year_not_covered,
    vintage_not_eligible, unknown_vintage, tonnes_invalid, more_than_owed, transfer_out_first,
    insufficient_holding. RefusalError: person_invalid, time_invalid.
    """
    checks.person(maker)
    moment(at_ns)
    rows = [one if isinstance(one, Wanted) else Wanted(*one) for one in wanted]
    desk = Desk(tx, rows)
    taken: list[tuple[Wanted, Bucket, int]] = []
    refused = []
    for number, one in enumerate(rows, 1):
        try:
            bucket, late = desk.check(one, at_ns)
        except RowError as error:
            refused.append(RefusedRow(number, error.field, error.code, error.sentence))
            continue
        desk.take(one, bucket)
        taken.append((one, bucket, late))
    if not taken or (strict and refused):
        return Applied((), tuple(refused))
    moves = [Move(bucket, bucket._replace(kind=PENDING), one.tonnes) for one, bucket, _ in taken]
    txn = ledger.book(tx, "apply", "surrender", moves, at_ns)
    first = last_number(tx) + 1
    insert_many(
        tx,
        applications,
        [_row(number, *part, maker, at_ns, txn) for number, part in enumerate(taken, first)],
    )
    return Applied(tuple(range(first, first + len(taken))), tuple(refused))


def _row(
    number: int, one: Wanted, bucket: Bucket, late: int, maker: int, at_ns: int, txn: int
) -> dict[str, Any]:
    return {
        "id": number,
        "entity": one.entity,
        "year": one.year,
        "unit": bucket.unit,
        "tonnes": one.tonnes,
        "origin": "help" if one.helper else "own",
        "payer": bucket.account,
        "document": one.document,
        "status": "pending",
        "late": late,
        "maker": maker,
        "applied_ns": at_ns,
        "note": "",
        "txn_pending": txn,
    }


def last_number(tx: Connection) -> int:
    """Return the number of the newest application, 0 if there is none."""
    return int(tx.execute(select(func.coalesce(func.max(applications.c.id), 0))).scalar_one())


def found(
    tx: Connection,
    entity: str | None = None,
    year: int | None = None,
    status: str | None = None,
    numbers: Collection[int] | None = None,
) -> list[Application]:
    """Return applications in order, chosen by entity, year of the obligation, status, number."""
    a = applications.c
    query = (
        select(applications, units.c.code.label("vintage"), accounts.c.code.label("payer_code"))
        .join(units, units.c.id == a.unit)
        .join(accounts, accounts.c.id == a.payer)
        .order_by(a.id)
    )
    given: Mapping[str, Any] = {"entity": entity, "year": year, "status": status}
    for name, value in given.items():
        query = query if value is None else query.where(a[name] == value)
    if numbers is not None:
        query = query.where(a.id.in_(sorted(numbers)))
    return [_application(row) for row in tx.execute(query)]


def _application(row: Row[Any]) -> Application:
    return Application(
        *(row.id, row.entity, row.year, row.vintage, row.tonnes, row.origin, row.payer_code),
        *(row.document, row.status, row.late, row.maker, row.applied_ns),
        *(row.checker or 0, row.decided_ns or 0, row.note, row.txn_pending, row.txn_done),
    )
