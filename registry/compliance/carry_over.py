"""Carrying 2019-2024 vintages over into 2025: notices and applications (AL-50 … AL-58).

A notice states an entity's limit T once. Applications freeze registry-side tonnes, together never
more than T; ``carry_deciding`` converts them.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, func, insert, select
from sqlalchemy import cast as sql_cast

from registry import ledger, notices
from registry.compliance import carry_limits, standing
from registry.compliance.carry_limits import Limit
from registry.compliance.carry_schema import carry_applications, carry_notices
from registry.compliance.rows import RefusedRow, RowError, refuse
from registry.compliance.surrender import Applied
from registry.errors import RefusalError
from registry.ledger import Bucket, Move
from registry.monitoring import checks
from registry.schema import (
    IN_TRANSIT,
    PENDING,
    REGISTRY_AVAILABLE,
    TRADING_AVAILABLE,
    Number,
)
from registry.windows import moment

OPENS = dt.date(2026, 1, 1)  # the position of the year before is known (AL-52)
NOTICES_DUE = dt.date(2026, 1, 31)  # AL-54; a later one is a further batch, same limits (U28)


class Round(NamedTuple):
    """Applications up to the day ``last`` are handled by the day ``by`` (AL-55)."""

    last: dt.date
    by: dt.date


ROUNDS = (
    Round(dt.date(2026, 3, 20), dt.date(2026, 3, 27)),
    Round(dt.date(2026, 6, 10), dt.date(2026, 6, 26)),
)
LAST = ROUNDS[-1].last
MOVABLE = (REGISTRY_AVAILABLE, TRADING_AVAILABLE, IN_TRANSIT)


class Wanted(NamedTuple):
    """So many tonnes of a vintage to carry over; ``document``: of a court's release, where the
    window has closed (AL-57)."""

    entity: str
    vintage: str
    tonnes: int
    document: str = ""


class Standing(NamedTuple):
    """An entity's limit and what it has made of it, in tonnes."""

    limit: Limit
    pending_tonnes: int
    carried_tonnes: int

    @property
    def open_tonnes(self) -> int:
        """What may still be applied for: cumulative never above T."""
        return self.limit.tonnes - self.pending_tonnes - self.carried_tonnes


def give_notices(tx: Connection, at_ns: int) -> list[Limit]:
    """Compute and send the notices that are still missing; return their limits (AL-54).

    Again later it gives a notice only to who has none yet: the limits stay (U28). RefusalError:
    carry_over_early, carry_over_closed, day_not_posted.
    """
    _refuse_outside(at_ns, "Notices")
    there = set(tx.execute(select(carry_notices.c.entity)).scalars())
    limits, number = carry_limits.of_all(tx, without=there)
    if not limits:
        return []
    tx.execute(insert(carry_notices), [_notice(limit, number, at_ns) for limit in limits])
    told = [
        (
            limit.account,
            f"You may carry over {limit.tonnes:,} t of 2019-2024 into 2025 until {LAST}: the "
            f"smaller of {limit.base_tonnes:,} t + 1.5 x {limit.net_sales_tonnes:,} t net sales "
            f"and {limit.position_tonnes:,} t held at the end of 2025 (AL-51).",
        )
        for limit in limits
    ]
    notices.tell_many(tx, "carry_over", told, at_ns)
    return limits


def _notice(limit: Limit, number: int, at_ns: int) -> dict[str, Any]:
    row = {**limit._asdict(), "limit_tonnes": limit.tonnes}
    return {**row, "books_txn": number, "notice_ns": at_ns}


def _refuse_outside(at_ns: int, what: str) -> None:
    today = moment(at_ns).date()
    if today < OPENS:
        raise RefusalError(
            "carry_over_early", f"{what} of carry-over begin after the end of 2025 (AL-52)."
        )
    if today > LAST:
        raise RefusalError("carry_over_closed", f"{what} of carry-over ended on {LAST} (AL-54).")


def standings(tx: Connection, entities: Collection[str] | None = None) -> dict[str, Standing]:
    """Return where everybody with a notice stands, or these entities, by entity."""
    n, c = carry_notices.c, carry_applications.c
    sums: dict[tuple[str, str], int] = {}
    total = sql_cast(func.sum(c.tonnes), Number)
    chosen = (c.status.in_(("pending", "approved")), standing.chosen(c.entity, entities))
    query = select(c.entity, c.status, total).where(*chosen).group_by(c.entity, c.status)
    for entity, status, tonnes in tx.execute(query):
        sums[str(entity), str(status)] = int(tonnes)
    fields = [n[name] for name in Limit._fields]
    rows = tx.execute(select(*fields).where(standing.chosen(n.entity, entities)).order_by(n.entity))
    limits = [Limit(*row) for row in rows]
    return {
        one.entity: Standing(
            one, sums.get((one.entity, "pending"), 0), sums.get((one.entity, "approved"), 0)
        )
        for one in limits
    }


class Desk:
    """Everything the checks of applications look at, read once."""

    def __init__(self, tx: Connection, wanted: Sequence[Wanted], at_ns: int) -> None:
        names = {one.entity for one in wanted if isinstance(one.entity, str)}
        self.standings = standings(tx, names)
        self.unit_of = {code: unit for unit, code in carry_limits.old_units(tx).items()}
        accounts = {one.limit.account for one in self.standings.values()}
        only = accounts.copy().pop() if len(accounts) == 1 else None
        self.held = ledger.balances(tx, MOVABLE, only)
        self.taken: Counter[str] = Counter()
        self.given: Counter[Bucket] = Counter()
        today = moment(at_ns).date()
        self.early, self.late = today < OPENS, today > LAST
        self.released: dict[tuple[int, int], int] = {}
        if self.late:
            self.released = _released(tx, accounts)

    def check(self, one: Wanted) -> Bucket:
        """Return the bucket that gives; RowError with the clause."""
        if self.early:
            refuse("", "carry_over_early", "applications begin after the end of 2025 (AL-52)")
        found = self.standings.get(one.entity)
        if found is None:
            raise RowError(
                "entity",
                "no_notice",
                f"{one.entity!r} has no notice of carry-over: who met 2023 and 2024 in time and"
                " held something at the end of 2025 gets one (AL-50, AL-54)",
            )
        unit = self.unit_of.get(one.vintage)
        if unit is None:
            raise RowError(
                "vintage",
                "vintage_not_eligible",
                f"{one.vintage!r} is no issued vintage of 2019 to 2024 (AL-51)",
            )
        if not checks.is_whole(one.tonnes) or one.tonnes <= 0:
            refuse("tonnes", "tonnes_invalid", f"{one.tonnes!r} is no number of whole tonnes")
        bucket = Bucket(found.limit.account, unit, REGISTRY_AVAILABLE)
        self._window(one, bucket)
        left = found.open_tonnes - self.taken[one.entity]
        if one.tonnes > left:
            refuse(
                "tonnes",
                "over_the_limit",
                f"{one.entity} may still carry over {left:,} t, not {one.tonnes:,} (AL-51, AL-54)",
            )
        self._holding(one, bucket)
        return bucket

    def _window(self, one: Wanted, bucket: Bucket) -> None:
        """After the window only what a court had frozen at its end, and has released (AL-57)."""
        if not self.late:
            if one.document:
                refuse("document", "fields_invalid", "a release is named after the window (AL-57)")
            return
        if not isinstance(one.document, str) or not one.document.strip():
            refuse(
                "document",
                "carry_over_closed",
                f"applications ended on {LAST}; only what a court had frozen then may follow, with"
                " the document of its release (AL-54, AL-57)",
            )
        freed = self.released.get(bucket[:2], 0) - self.given[bucket]
        if one.tonnes > freed:
            refuse(
                "tonnes",
                "not_released",
                f"{freed:,} t of {one.vintage} were frozen at the end of the window and have been"
                f" released, {one.tonnes:,} are wanted (AL-57)",
            )

    def _holding(self, one: Wanted, bucket: Bucket) -> None:
        have = self.held.get(bucket, 0) - self.given[bucket]
        if one.tonnes <= have:
            return
        elsewhere = sum(self.held.get(bucket._replace(kind=kind), 0) for kind in MOVABLE[1:])
        if one.tonnes <= have + elsewhere:
            refuse(
                "tonnes",
                "transfer_out_first",
                f"{have:,} t of {one.vintage} are on the registry side; what is on the trading"
                " side is transferred out first (AL-54, RG-07)",
            )
        refuse(
            "tonnes",
            "insufficient_holding",
            f"{have:,} t of {one.vintage} are free on the registry side, {one.tonnes:,} are"
            " wanted (AL-54)",
        )

    def take(self, one: Wanted, bucket: Bucket) -> None:
        """Count an application that was taken."""
        self.taken[one.entity] += one.tonnes
        self.given[bucket] += one.tonnes


def _released(tx: Connection, accounts: Collection[int]) -> dict[tuple[int, int], int]:
    """Return what courts have released since the window closed, less what was applied for late."""
    then = carry_limits.frozen(tx, accounts, carry_limits.end_of(LAST))
    now = carry_limits.frozen(tx, accounts)
    c, n = carry_applications.c, carry_notices.c
    query = (
        select(n.account, c.unit, sql_cast(func.sum(c.tonnes), Number))
        .join(carry_notices, n.entity == c.entity)
        .where(c.late == 1, c.status.in_(("pending", "approved")))
        .group_by(n.account, c.unit)
    )
    used = {(int(row[0]), int(row[1])): int(row[2]) for row in tx.execute(query)}
    return {key: max(was - now.get(key, 0), 0) - used.get(key, 0) for key, was in then.items()}


def apply_many(
    tx: Connection, wanted: Iterable[Wanted | tuple[Any, ...]], maker: int, at_ns: int, strict: bool
) -> Applied:
    """Take applications in the order given; the tonnes wait in ``pending`` (AL-54).

    ``strict``: one bad row and none is taken. Row codes: carry_over_early, carry_over_closed,
    no_notice, vintage_not_eligible, tonnes_invalid, over_the_limit, transfer_out_first,
    insufficient_holding, not_released, fields_invalid. RefusalError: person_invalid, time_invalid.
    """
    checks.person(maker)
    moment(at_ns)
    rows = [one if isinstance(one, Wanted) else Wanted(*one) for one in wanted]
    desk = Desk(tx, rows, at_ns)
    taken, refused = [], []
    for number, one in enumerate(rows, 1):
        try:
            bucket = desk.check(one)
        except RowError as error:
            refused.append(RefusedRow(number, error.field, error.code, error.sentence))
            continue
        desk.take(one, bucket)
        taken.append((one, bucket))
    if not taken or (strict and refused):
        return Applied((), tuple(refused))
    moves = [Move(bucket, bucket._replace(kind=PENDING), one.tonnes) for one, bucket in taken]
    txn = ledger.book(tx, "apply", "carry-over", moves, at_ns)
    first = 1 + int(
        tx.execute(select(func.coalesce(func.max(carry_applications.c.id), 0))).scalar_one()
    )
    made = {"status": "pending", "maker": maker, "applied_ns": at_ns, "note": ""}
    made |= {"txn_pending": txn, "late": int(desk.late), "due": _due(at_ns)}
    values = [
        {"id": number, "entity": one.entity, "unit": bucket.unit, "tonnes": one.tonnes}
        | {"document": one.document, **made}
        for number, (one, bucket) in enumerate(taken, first)
    ]
    tx.execute(insert(carry_applications), values)
    return Applied(tuple(range(first, first + len(taken))), tuple(refused))


def _due(at_ns: int) -> int:
    today = moment(at_ns).date()
    by = next((one.by for one in ROUNDS if today <= one.last), None)
    return 0 if by is None else by.year * 10_000 + by.month * 100 + by.day
