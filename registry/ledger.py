"""The double entry: the one function that moves anything, and what accounts have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Subquery,
    func,
    insert,
    select,
    union_all,
    update,
)
from sqlalchemy import cast as sql_cast

from registry.bulk import insert_many
from registry.errors import RefusalError, StopError
from registry.schema import (
    CASH,
    FEN,
    SOURCES,
    TRADING_AVAILABLE,
    TRADING_JUDICIAL,
    Number,
    buckets,
    days,
    entries,
    transactions,
    units,
)

TOTAL_MAX = 4 * 10**18  # of one unit in all: far above any market, below 2**63
TRADING_SIDE = (TRADING_AVAILABLE, TRADING_JUDICIAL, CASH)  # what the deal file is compared with


class Bucket(NamedTuple):
    """What one account (by id) has of one unit in one state."""

    account: int
    unit: int
    kind: str


class Move(NamedTuple):
    """An amount (tonnes or fen) that leaves one bucket for another of the same unit."""

    debit: Bucket
    credit: Bucket
    amount: int


def begin(
    tx: Connection,
    kind: str,
    note: str,
    at_ns: int | None,
    date: int | None = None,
    corrects: int | None = None,
) -> int:
    """Write the head of a new transaction and return its number: 1, 2, 3 … without gaps.

    ``at_ns``: the moment it counts from, as the caller says; None: that of the one before it, for
    what the institution does itself without a time (set-up).
    """
    t = transactions.c
    last = tx.execute(select(t.id, t.booked_ns).order_by(t.id.desc()).limit(1)).first()
    before, then = (0, 0) if last is None else last
    head = {"id": int(before) + 1, "kind": kind, "note": note, "date": date, "corrects": corrects}
    tx.execute(insert(transactions), {**head, "booked_ns": then if at_ns is None else at_ns})
    return int(before) + 1


def last_transaction(tx: Connection) -> int:
    """Return the number of the newest transaction, 0 if there is none."""
    return int(tx.execute(select(func.coalesce(func.max(transactions.c.id), 0))).scalar_one())


def book(
    tx: Connection,
    kind: str,
    note: str,
    moves: Sequence[Move],
    at_ns: int | None,
    corrects: int | None = None,
) -> int:
    """Write the moves as one transaction and return its number; ``moves`` is not empty.

    ``at_ns``: the moment it counts from, None: see ``begin``.

    Raises RefusalError (insufficient_holding, insufficient_funds) if a bucket has less than
    leaves it, and StopError (trading_frozen) if the trading side would change between clearing
    and posting (ST-16).
    """
    refuse_frozen(tx, moves)
    held = refuse_uncovered(tx, moves).keys()
    number = begin(tx, kind, note, at_ns, corrects=corrects)
    touched = {bucket for move in moves for bucket in (move.debit, move.credit)}
    missing = [{**bucket._asdict(), "balance": 0} for bucket in sorted(touched - held)]
    insert_many(tx, buckets, missing, missing_only=True)
    insert_many(
        tx,
        entries,
        [
            {
                "txn": number,
                "line": line,
                "unit": move.debit.unit,
                "debit_account": move.debit.account,
                "debit_kind": move.debit.kind,
                "credit_account": move.credit.account,
                "credit_kind": move.credit.kind,
                "amount": move.amount,
            }
            for line, move in enumerate(moves)
        ],
    )
    settle_balances(tx, number)
    return number


def settle_balances(tx: Connection, number: int) -> None:
    """Bring the balances up to date with the entries of one transaction."""
    change = changes(entries.c.txn == number)
    tx.execute(
        update(buckets)
        .values(balance=buckets.c.balance + change.c.amount)
        .where(
            buckets.c.account == change.c.account,
            buckets.c.unit == change.c.unit,
            buckets.c.kind == change.c.kind,
        )
    )


def changes(chosen: ColumnElement[bool]) -> Subquery:
    """Return what the chosen entries change, by account, unit and kind, as a subquery."""
    gains = union_all(
        select(
            entries.c.credit_account.label("account"),
            entries.c.unit,
            entries.c.credit_kind.label("kind"),
            entries.c.amount,
        ).where(chosen),
        select(
            entries.c.debit_account, entries.c.unit, entries.c.debit_kind, -entries.c.amount
        ).where(chosen),
    ).subquery()
    total = sql_cast(func.sum(gains.c.amount), Number).label("amount")
    return (
        select(gains.c.account, gains.c.unit, gains.c.kind, total)
        .group_by(gains.c.account, gains.c.unit, gains.c.kind)
        .subquery()
    )


def balances_at(number: int) -> Subquery:
    """Return every balance as it was after a transaction: account, unit, kind, balance."""
    return _balances_without(entries.c.txn > number)


def balances_before(at_ns: int) -> Subquery:
    """Return every balance at a moment, whenever it was written down: what counts from before."""
    later = select(transactions.c.id).where(transactions.c.booked_ns >= at_ns)
    return _balances_without(entries.c.txn.in_(later))


def _balances_without(later: ColumnElement[bool]) -> Subquery:
    since = changes(later)
    same = (since.c.account == buckets.c.account) & (since.c.unit == buckets.c.unit)
    then = buckets.c.balance - func.coalesce(since.c.amount, 0)
    return (
        select(buckets.c.account, buckets.c.unit, buckets.c.kind, then.label("balance"))
        .select_from(buckets.outerjoin(since, same & (since.c.kind == buckets.c.kind)))
        .subquery()
    )


def refuse_frozen(tx: Connection, moves: Iterable[Move]) -> None:
    """Raise StopError if a move touches the trading side while a cleared day waits for posting."""
    sides = {kind for move in moves for kind in (move.debit.kind, move.credit.kind)}
    if sides.isdisjoint(TRADING_SIDE):
        return
    date = tx.execute(select(days.c.date).where(days.c.status == "cleared")).scalar()
    if date is not None:
        raise StopError(
            "trading_frozen", f"The trading side is frozen: {date} is cleared, not posted."
        )


def refuse_uncovered(tx: Connection, moves: Iterable[Move]) -> dict[Bucket, int]:
    """Raise RefusalError if the buckets do not cover what leaves them, all moves together.

    Returns the balances that were looked at: these buckets are there.
    """
    leaving: Counter[Bucket] = Counter()
    for move in moves:
        leaving[move.debit] += move.amount
    held = balances(tx, kinds={bucket.kind for bucket in leaving}, only=_one_account(leaving))
    for bucket, amount in leaving.items():
        have = held.get(bucket, 0)
        if bucket.kind in SOURCES:
            have += TOTAL_MAX
        if amount > have:
            code = "insufficient_funds" if bucket.unit == FEN else "insufficient_holding"
            raise RefusalError(
                code,
                f"{amount:,} is asked of the {bucket.kind} bucket of account id {bucket.account}, "
                f"which has {have:,}.",
            )
    return held


def _one_account(leaving: Counter[Bucket]) -> int | None:
    accounts = {bucket.account for bucket in leaving}
    return accounts.pop() if len(accounts) == 1 else None


def balances(
    tx: Connection, kinds: Iterable[str] | None = None, only: int | None = None
) -> dict[Bucket, int]:
    """Return the balances, of some kinds or of one account id only if told so."""
    query = select(buckets.c.account, buckets.c.unit, buckets.c.kind, buckets.c.balance)
    if kinds is not None:
        query = query.where(buckets.c.kind.in_(sorted(kinds)))
    if only is not None:
        query = query.where(buckets.c.account == only)
    return {Bucket(row[0], row[1], row[2]): int(row[3]) for row in tx.execute(query)}


def unit_ids(tx: Connection) -> dict[str, int]:
    """Return the unit of every vintage by its code."""
    found = tx.execute(select(units.c.code, units.c.id).where(units.c.id != FEN))
    return {code: int(number) for code, number in found}


def unit_of(tx: Connection, vintage: str) -> int:
    """Return the unit of a vintage; RefusalError if the registry has never issued it (RG-09)."""
    found = unit_ids(tx).get(vintage)
    if found is None:
        raise RefusalError("unknown_vintage", f"The registry has not issued a vintage {vintage!r}.")
    return found
