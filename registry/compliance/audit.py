"""Is every tonne of this room where its decisions say, and nothing surrendered amiss (I1, I12)?"""

from __future__ import annotations

from collections import Counter

from sqlalchemy import Connection, func, select
from sqlalchemy import cast as sql_cast

from registry import ledger
from registry.compliance import deductions, eligibility
from registry.compliance.carry_schema import carry_applications
from registry.compliance.schema import (
    allocation_files,
    allocations,
    applications,
    earmarks,
    obligation_notices,
    offset_uses,
)
from registry.ledger import Bucket
from registry.monitoring import checks
from registry.monitoring.schema import entities
from registry.offsets.schema import batches
from registry.schema import (
    PENDING,
    REGISTRY_AVAILABLE,
    SURRENDERED,
    Number,
    accounts,
    entries,
    transactions,
    units,
)


def violations(tx: Connection) -> list[str]:
    """Return one sentence for everything that does not hold; none = sound."""
    return [
        *_buckets(tx),
        *_earmarks(tx),
        *_allocations(tx),
        *_issued(tx),
        *_vintages(tx),
        *_caps(tx),
        *_deductions(tx),
        *_files(tx),
    ]


def _buckets(tx: Connection) -> list[str]:
    """What waits is applied for; what is surrendered was approved (I1, RG-06, CP-32)."""
    a, e, c = applications.c, entities.c, carry_applications.c
    due: Counter[Bucket] = Counter()
    queries = (
        (select(a.payer, a.unit, a.tonnes).where(a.status == "pending"), PENDING),
        (
            select(e.account, c.unit, c.tonnes)
            .join(entities, e.code == c.entity)
            .where(c.status == "pending"),
            PENDING,
        ),
        (
            select(e.account, a.unit, a.tonnes)
            .join(entities, e.code == a.entity)
            .where(a.status == "approved"),
            SURRENDERED,
        ),
    )
    for query, kind in queries:
        for account, unit, tonnes in tx.execute(query):
            due[Bucket(account, unit, kind)] += int(tonnes)
    reductions = set(tx.execute(select(batches.c.unit)).scalars())  # have an audit of their own
    held = {
        bucket: balance
        for bucket, balance in ledger.balances(tx, (PENDING, SURRENDERED)).items()
        if bucket.unit not in reductions
    }
    return [
        f"{held.get(bucket, 0):,} t of unit {bucket.unit} are {bucket.kind} for account id "
        f"{bucket.account}, applications say {due.get(bucket, 0):,}."
        for bucket in sorted(held.keys() | due.keys())
        if held.get(bucket, 0) != due.get(bucket, 0)
    ]


def _earmarks(tx: Connection) -> list[str]:
    """A provincial account has exactly what is earmarked (AL-40, RG-09)."""
    k = earmarks.c
    left = k.tonnes - k.forced_tonnes - k.released_tonnes - k.recovered_tonnes
    due: Counter[Bucket] = Counter()
    for account, unit, tonnes in tx.execute(select(k.account, k.unit, left)):
        due[Bucket(account, unit, REGISTRY_AVAILABLE)] += int(tonnes)
    provinces = set(
        tx.execute(select(accounts.c.id).where(accounts.c.kind == "province")).scalars()
    )
    held = {
        bucket: balance
        for bucket, balance in ledger.balances(tx, (REGISTRY_AVAILABLE,)).items()
        if bucket.account in provinces
    }
    return [
        f"The provincial account id {bucket.account} has {held.get(bucket, 0):,} t of unit "
        f"{bucket.unit}, {due.get(bucket, 0):,} are earmarked."
        for bucket in sorted(held.keys() | due.keys())
        if held.get(bucket, 0) != due.get(bucket, 0)
    ]


def _allocations(tx: Connection) -> list[str]:
    """Issued, earmarked and netted is what was approved, less what was taken back (AL-67)."""
    a = allocations.c
    net = a.issued_tonnes + a.earmarked_tonnes + a.deduction_tonnes
    net += -a.taken_back_tonnes - a.owed_tonnes
    last: dict[tuple[str, int], int] = {}
    sums: Counter[tuple[str, int]] = Counter()
    for entity, year, tonnes, part in tx.execute(
        select(a.entity, a.year, a.tonnes, net).order_by(a.id)
    ):
        last[entity, year] = int(tonnes)
        sums[entity, year] += int(part)
    return [
        f"{entity} has {last[entity, year]:,} t of {year} approved, its parts add up to "
        f"{sums[entity, year]:,}."
        for entity, year in sorted(last)
        if last[entity, year] != sums[entity, year]
    ]


def _issued(tx: Connection) -> list[str]:
    """Per vintage: what the nation issued is what was allocated (RG-09)."""
    a, e = allocations.c, entries.c
    given = sql_cast(func.sum(a.issued_tonnes + a.earmarked_tonnes), Number)
    decided = {int(u): int(n) for u, n in tx.execute(select(a.unit, given).group_by(a.unit))}
    rows = tx.execute(
        select(e.unit, sql_cast(func.sum(e.amount), Number))
        .join(transactions, transactions.c.id == e.txn)
        .join(accounts, accounts.c.id == e.debit_account)
        .where(transactions.c.kind == "issue", accounts.c.kind == "national")
        .group_by(e.unit)
    )
    booked = {int(unit): int(tonnes) for unit, tonnes in rows}
    return [
        f"{booked.get(unit, 0):,} t of unit {unit} were issued to provinces, allocations say "
        f"{decided.get(unit, 0):,}."
        for unit in sorted(booked.keys() | decided.keys())
        if booked.get(unit, 0) != decided.get(unit, 0)
    ]


def _vintages(tx: Connection) -> list[str]:
    """I12: whatever is surrendered or waits is of a vintage that serves (CP-34, AL-68)."""
    a = applications.c
    rows = tx.execute(
        select(units.c.code, a.year, a.applied_ns, func.min(a.id))
        .join(units, units.c.id == a.unit)
        .where(a.status.in_(("pending", "approved")), a.origin != "borrowed")  # AL-24 is apart
        .group_by(units.c.code, a.year, a.applied_ns)
    )
    return [
        f"Application {number} surrenders {code} for {year}, which it does not serve."
        for code, year, at_ns, number in rows
        if not eligibility.is_vintage(code) or not eligibility.is_eligible(code, year, at_ns)
    ]


def _caps(tx: Connection) -> list[str]:
    """I12: reductions are within 5 % of an obligation that was notified (CP-35, E78)."""
    n, o = obligation_notices.c, offset_uses.c
    largest = {
        (str(row[0]), int(row[1])): int(row[2])
        for row in tx.execute(
            select(n.entity, n.year, func.max(n.tonnes)).group_by(n.entity, n.year)
        )
    }
    rows = tx.execute(
        select(o.entity, o.year, sql_cast(func.sum(o.tonnes), Number))
        .where(o.status.in_(("pending", "approved")))
        .group_by(o.entity, o.year)
    )
    return [
        f"{int(tonnes):,} t of reductions are used by {entity} for {year}, more than 5 %."
        for entity, year, tonnes in rows
        if tonnes > eligibility.ccer_max_tonnes(largest.get((entity, year), 0))
    ]


def _deductions(tx: Connection) -> list[str]:
    """Nothing is netted beyond a deduction, or credited back beyond what was netted (AL-67)."""
    return [
        f"Of deduction {one.number} {one.remaining_tonnes:,} t of {one.tonnes:,} remain."
        for one in deductions.found(tx)
        if not 0 <= one.remaining_tonnes <= one.tonnes
    ]


def _files(tx: Connection) -> list[str]:
    """What was signed is what is kept (7.3)."""
    f = allocation_files.c
    return [
        f"Allocation file {number} is not what was handed over."
        for number, content, sha256 in tx.execute(select(f.id, f.content, f.sha256).order_by(f.id))
        if checks.sha256(content) != sha256
    ]
