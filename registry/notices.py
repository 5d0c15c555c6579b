"""What the registry tells: one account, or the public (ST-05, RG-13, RG-14, RG-15)."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from registry.accounts import id_of
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
    last = tx.execute(select(func.coalesce(func.max(notices.c.id), 0))).scalar_one()
    row = {"id": last + 1, "kind": kind, "account": account, "at_ns": at_ns, "date": date}
    tx.execute(insert(notices), {**row, "sentence": sentence})


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
