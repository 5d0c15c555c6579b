"""What the registry of reductions publishes: registered, held, traded, cancelled (VM-10, VM-12)."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, func, select
from sqlalchemy import cast as sql_cast

from registry.offsets.registering import find_batch
from registry.offsets.schema import KINDS, batches, cancellations, projects
from registry.schema import (
    CANCELLED,
    IN_TRANSIT,
    JUDICIAL,
    PENDING,
    REGISTRY_AVAILABLE,
    STANDING,
    TRADING_AVAILABLE,
    TRADING_JUDICIAL,
    Number,
    accounts,
    buckets,
    days,
    deals,
    entries,
    transactions,
    units,
)

HELD = (REGISTRY_AVAILABLE, PENDING, JUDICIAL)
MARKET = (IN_TRANSIT, TRADING_AVAILABLE, TRADING_JUDICIAL)


class Standing(NamedTuple):
    """Where the tonnes of one batch are: registered = held + market + the three cancelled."""

    batch: str
    project: str
    registered: int
    held_tonnes: int
    market_tonnes: int
    offset_tonnes: int
    voluntary_tonnes: int
    other_tonnes: int
    registered_tonnes: int

    @property
    def cancelled_tonnes(self) -> int:
        """Cancelled for whatever purpose."""
        return self.offset_tonnes + self.voluntary_tonnes + self.other_tonnes


class Traded(NamedTuple):
    """A year's posted deals in reductions."""

    year: int
    deals: int
    qty_tonnes: int
    value_fen: int

    @property
    def mean_fen(self) -> int:
        """Mean price of a tonne in fen, rounded half up."""
        return (2 * self.value_fen + self.qty_tonnes) // (2 * self.qty_tonnes)


class Figures(NamedTuple):
    """The page of figures, in tonnes."""

    projects: int
    batches: int
    registered_tonnes: int
    held_tonnes: int
    market_tonnes: int
    cancelled_tonnes: dict[str, int]  # by kind
    traded: tuple[Traded, ...]  # by year


class Step(NamedTuple):
    """One entry of a batch's history: customer numbers and buckets on both sides."""

    transaction: int
    kind: str
    note: str
    from_account: str
    from_bucket: str
    to_account: str
    to_bucket: str
    tonnes: int


class Fact(NamedTuple):
    """A published figure of the market (VM-10, VM-12)."""

    until: int  # YYYYMM
    what: str
    amount: int
    unit: str
    clause: str


PUBLISHED = (  # rounded as published
    Fact(202512, "traded in 2025", 8_844_000, "t", "VM-12"),
    Fact(202512, "turnover in 2025", 62_600_000_000, "fen", "VM-12"),
    Fact(202512, "mean price of 2025", 7_076, "fen", "VM-12"),
    Fact(202608, "traded", 21_710_000, "t", "VM-12"),
    Fact(202608, "turnover", 173_700_000_000, "fen", "VM-12"),
    Fact(202608, "projects", 41, "projects", "VM-12"),
    Fact(202608, "registered", 24_230_000, "t", "VM-12"),
    Fact(202608, "cancelled, at least", 400_000, "t", "VM-10"),
)


def standings(tx: Connection, project: str | None = None) -> list[Standing]:
    """Return where the tonnes of every batch are, in the order of registration."""
    held, c, b = buckets.c, cancellations.c, batches.c

    def within(kinds: tuple[str, ...]) -> ColumnElement[int]:
        return sql_cast(func.sum(case((held.kind.in_(kinds), held.balance), else_=0)), Number)

    there = (
        select(held.unit, within(HELD).label("held"), within(MARKET).label("market"))
        .group_by(held.unit)
        .subquery()
    )
    gone = (
        select(
            c.unit,
            *(
                sql_cast(func.sum(case((c.kind == kind, c.tonnes), else_=0)), Number).label(kind)
                for kind in KINDS
            ),
        )
        .where(c.status == "approved")
        .group_by(c.unit)
        .subquery()
    )
    query: Any = (
        select(
            *(units.c.code, b.project, b.registered, there.c.held, there.c.market),
            *(func.coalesce(gone.c[kind], 0) for kind in KINDS),
            b.tonnes,
        )
        .join(units, units.c.id == b.unit)
        .join(there, there.c.unit == b.unit)
        .outerjoin(gone, gone.c.unit == b.unit)
        .order_by(b.registered, b.unit)
    )
    if project is not None:
        query = query.where(b.project == project)
    return [Standing(*row) for row in tx.execute(query)]


def summary(tx: Connection) -> Figures:
    """Return the page of figures of these books."""
    rows = standings(tx)
    return Figures(
        projects=int(tx.execute(select(func.count()).select_from(projects)).scalar_one()),
        batches=len(rows),
        registered_tonnes=sum(one.registered_tonnes for one in rows),
        held_tonnes=sum(one.held_tonnes for one in rows),
        market_tonnes=sum(one.market_tonnes for one in rows),
        cancelled_tonnes={
            kind: sum(int(getattr(one, f"{kind}_tonnes")) for one in rows) for kind in KINDS
        },
        traded=tuple(traded(tx)),
    )


def traded(tx: Connection) -> list[Traded]:
    """Return the posted deals in registered batches by year."""
    d, year = deals.c, deals.c.date // 10_000
    rows = tx.execute(
        select(
            year.label("year"),
            func.count(),
            sql_cast(func.sum(d.qty_tonnes), Number),
            sql_cast(func.sum(d.value_fen), Number),
        )
        .join(days, and_(days.c.date == d.date, days.c.status == "posted"))
        .join(batches, batches.c.unit == d.unit)
        .where(STANDING)
        .group_by(year)
        .order_by(year)
    )
    return [Traded(*(int(value) for value in row)) for row in rows]


def history(tx: Connection, batch: str) -> list[Step]:
    """Return every entry of a batch in order; RefusalError unknown_batch."""
    find_batch(tx, batch)
    e, giver, taker = entries.c, accounts.alias("giver"), accounts.alias("taker")
    rows = tx.execute(
        select(
            *(e.txn, transactions.c.kind, transactions.c.note),
            *(giver.c.code, e.debit_kind, taker.c.code, e.credit_kind, e.amount),
        )
        .join(transactions, transactions.c.id == e.txn)
        .join(units, units.c.id == e.unit)
        .join(giver, giver.c.id == e.debit_account)
        .join(taker, taker.c.id == e.credit_account)
        .where(units.c.code == batch)
        .order_by(e.txn, e.line)
    )
    return [Step(*row) for row in rows]


def holdings(tx: Connection, account: int) -> dict[str, dict[str, int]]:
    """Return what an account id has of every registered batch, by batch and bucket."""
    rows = tx.execute(
        select(units.c.code, buckets.c.kind, buckets.c.balance)
        .join(units, units.c.id == buckets.c.unit)
        .join(batches, batches.c.unit == buckets.c.unit)
        .where(buckets.c.account == account, buckets.c.kind.in_((*HELD, *MARKET, CANCELLED)))
        .order_by(batches.c.registered, batches.c.unit, buckets.c.kind)
    )
    found: dict[str, dict[str, int]] = {}
    for code, kind, balance in rows:
        if balance:
            found.setdefault(code, {})[kind] = int(balance)
    return found
