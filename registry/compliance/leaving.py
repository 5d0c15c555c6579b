"""An account is closed, on grounds, by two people, once nothing is left of it (RG-05).

What has been surrendered, cancelled or recovered stays in the books for ever and is no obstacle;
the account keeps its number and its history (RG-17, RG-20), and nobody else can have its code
(RG-03). Open orders need no look of their own: the exchange freezes tonnes for a sale and money
for a purchase, and while these are there the books have a balance on the trading side.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy import cast as sql_cast

from registry import accounts, ledger
from registry.compliance import deductions, forced, standing
from registry.errors import RefusalError
from registry.monitoring import verified
from registry.monitoring.schema import entities, roster
from registry.offices import defaults, directives
from registry.schema import (
    CASH,
    FEN,
    IN_TRANSIT,
    JUDICIAL,
    PENDING,
    REGISTRY_AVAILABLE,
    TRADING_AVAILABLE,
    TRADING_JUDICIAL,
    Number,
    buckets,
    instructions,
)

GROUNDS = ("unqualified", "misused", "own_wish")
LEFT = (  # what a subject has, or will have
    *(REGISTRY_AVAILABLE, IN_TRANSIT, TRADING_AVAILABLE, JUDICIAL, TRADING_JUDICIAL, PENDING),
    CASH,
)


def refuse_close(tx: Connection, account: int, grounds: str) -> None:
    """Raise RefusalError unless an account (id) can be closed: grounds_invalid, account_closed,
    account_in_use (with everything that is in the way)."""
    if grounds not in GROUNDS:
        raise RefusalError("grounds_invalid", f"The grounds are one of: {', '.join(GROUNDS)}.")
    accounts.refuse_closed(tx, account)
    left = [*_holdings(tx, account), *_waiting(tx, account), *_owed(tx, account)]
    if left:
        raise RefusalError(
            "account_in_use", f"The account cannot be closed: {'; '.join(left)} (RG-05)."
        )


def _holdings(tx: Connection, account: int) -> list[str]:
    b = buckets.c
    code_of = {unit: code for code, unit in ledger.unit_ids(tx).items()}
    query = (
        select(b.unit, sql_cast(func.sum(b.balance), Number))
        .where(b.account == account, b.kind.in_(LEFT), b.balance > 0)
        .group_by(b.unit)
        .order_by(b.unit)
    )
    return [
        f"{int(amount):,} fen are there"
        if unit == FEN
        else f"{int(amount):,} t of {code_of[unit]} are there"
        for unit, amount in tx.execute(query)
    ]


def _waiting(tx: Connection, account: int) -> list[str]:
    """What the exchange has not answered, and money that went missing (ST-11)."""
    d = defaults.c
    found = []
    for table in (instructions, directives):
        waits = (table.c.account == account, table.c.status == "pending")
        if tx.execute(select(table.c.number).where(*waits)).first() is not None:
            found.append("the exchange has not answered yet")
    owed = select(d.id).where(
        d.account == account, d.topped_up_fen + d.recovered_fen < d.amount_fen
    )
    number = tx.execute(owed).scalar()
    return found[:1] + ([] if number is None else [f"default {number} is open"])


def _owed(tx: Connection, account: int) -> list[str]:
    """What its entity owes or is still to get (CP-31, AL-40, AL-41)."""
    query = select(entities.c.code).where(entities.c.account == account)
    found = []
    for entity in tx.execute(query).scalars().all():
        due = standing.of(tx, [entity])
        missing = {year: one.missing_tonnes for (_, year), one in due.items() if one.missing_tonnes}
        found += [f"{tonnes:,} t of {year} are owed" for year, tonnes in missing.items()]
        told = {year for _, year in due}
        found += [f"the notice of {year} is to come" for year in _coming(tx, entity) - told]
        found += [
            f"deduction {one.number} waits for an allocation"
            for one in deductions.found(tx, entity)
            if one.remaining_tonnes > 0
        ]
        found += [
            f"{one.left_tonnes:,} t of {one.vintage} are on the provincial account"
            for one in forced.found(tx, entity)
            if one.left_tonnes > 0
        ]
    return found


def _coming(tx: Connection, entity: str) -> set[int]:
    """Return the years for which an entity was verified and is on the roster (CP-30, CP-05)."""
    counts = verified.latest()
    listed = (roster.c.entity == entity, roster.c.year == counts.c.year)
    query = (
        select(counts.c.year)
        .join(roster, roster.c.year == counts.c.year)
        .where(*listed, roster.c.status == "listed", counts.c.entity == entity)
    )
    return set(tx.execute(query).scalars())
