"""What lies where, and how it came there: rows of holdings and of postings for people to read."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Connection, select, tuple_

from registry.errors import RefusalError
from registry.ledger import balances, unit_ids
from registry.schema import FEN, accounts, entries, transactions


class Held(NamedTuple):
    """What an account (by customer number) has of a vintage in one bucket, in tonnes (RG-06)."""

    account: str
    vintage: str
    bucket: str
    tonnes: int


class Posting(NamedTuple):
    """One side of an entry: ``change`` of an account's bucket, in tonnes, in fen of money.

    ``vintage`` is "" of money; ``side`` 0 gives, 1 gains; ``corrects``: the transaction that this
    one takes back (RG-17). ``booked_ns``: the moment the transaction counts from.
    """

    number: int
    line: int
    side: int
    kind: str
    date: int
    account: str
    vintage: str
    bucket: str
    change: int
    corrects: int
    note: str
    booked_ns: int


def index_of(tx: Connection, code: str) -> int:
    """Return an account's trading index by its customer number; RefusalError unknown_account."""
    found = tx.execute(select(accounts.c.trading_index).where(accounts.c.code == code)).scalar()
    if found is None:
        raise RefusalError("unknown_account", f"There is no account {code!r}.")
    return int(found)


def holdings(tx: Connection, only: Collection[int] | None = None) -> list[Held]:
    """Return what there is of every vintage by account and bucket, of these account ids or all.

    What is not there has no row; money is not in it.
    """
    code_of = {number: code for code, number in unit_ids(tx).items()}
    who = _codes(tx)
    rows = [
        Held(who[bucket.account], code_of[bucket.unit], bucket.kind, tonnes)
        for bucket, tonnes in balances(tx, HELD).items()
        if bucket.unit != FEN and tonnes and (only is None or bucket.account in only)
    ]
    return sorted(rows)


HELD = (
    *("registry_available", "in_transit", "trading_available", "judicial", "trading_judicial"),
    *("pending", "cancelled", "surrendered", "recovered"),
)


def postings(
    tx: Connection, after: tuple[int, int], most: int, account: int | None = None
) -> list[Posting]:
    """Return both sides of the first ``most`` entries after (transaction, line), in order.

    Of an account id only its own sides, and without the notes: these name others.
    """
    e, t = entries.c, transactions.c
    query = (
        select(entries, t.kind, t.date, t.note, t.corrects, t.booked_ns)
        .join(transactions, t.id == e.txn)
        .where(tuple_(e.txn, e.line) > after)
        .order_by(e.txn, e.line)
        .limit(most)
    )
    if account is not None:
        query = query.where((e.debit_account == account) | (e.credit_account == account))
    code_of = {number: code for code, number in unit_ids(tx).items()} | {FEN: ""}
    who = _codes(tx)
    found = []
    for row in tx.execute(query):
        for side, sign in ((0, -1), (1, 1)):
            owner, bucket = _side(row, side)
            if account is None or owner == account:
                head = (row.txn, row.line, side, row.kind, row.date or 0, who[owner])
                change, note = sign * row.amount, row.note if account is None else ""
                tail = (code_of[row.unit], bucket, change, row.corrects or 0, note, row.booked_ns)
                found.append(Posting(*head, *tail))
    return found


def _codes(tx: Connection) -> dict[int, str]:
    rows = tx.execute(select(accounts.c.id, accounts.c.code))
    return {int(number): str(code) for number, code in rows}


def _side(row: Any, side: int) -> tuple[int, str]:
    if side == 0:
        return int(row.debit_account), str(row.debit_kind)
    return int(row.credit_account), str(row.credit_kind)
