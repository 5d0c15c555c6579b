"""What the registry tells: one account, or the public (ST-05, RG-13, RG-14, RG-15)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from registry.accounts import id_of
from registry.bulk import insert_many
from registry.offices import notices
from registry.schema import accounts


class Notice(NamedTuple):
    """One notice; ``account`` is a trading index, or None where the public is told."""

    number: int
    kind: str
    account: int | None
    at_ns: int
    date: int
    sentence: str


def tell(
    tx: Connection, kind: str, sentence: str, account: int | None, at_ns: int = 0, date: int = 0
) -> None:
    """Write a notice; ``account`` is an account id, None for the public."""
    tell_many(tx, kind, [(account, sentence)], at_ns, date)


def tell_many(
    tx: Connection,
    kind: str,
    told: Sequence[tuple[int | None, str]],
    at_ns: int = 0,
    date: int = 0,
) -> None:
    """Write a notice for each (account id or None, sentence)."""
    last = tx.execute(select(func.coalesce(func.max(notices.c.id), 0))).scalar_one()
    head = {"kind": kind, "at_ns": at_ns, "date": date}
    rows = [
        {**head, "id": number, "account": account, "sentence": sentence}
        for number, (account, sentence) in enumerate(told, last + 1)
    ]
    insert_many(tx, notices, rows)


def told(tx: Connection, account: int | None = None) -> list[Notice]:
    """Return the notices to an account (by trading index), or the public ones, in order."""
    number = None if account is None else id_of(tx, account)
    rows = tx.execute(
        select(notices, accounts.c.trading_index)
        .outerjoin(accounts, accounts.c.id == notices.c.account)
        .where(notices.c.account.is_(None) if number is None else notices.c.account == number)
        .order_by(notices.c.id)
    )
    return [
        Notice(row.id, row.kind, row.trading_index, row.at_ns, row.date, row.sentence)
        for row in rows
    ]
