"""Telling subjects their day, and what happens while that cannot be done (ST-05).

Statements are part of the posting. If they cannot be written the posting stands all the same; the
day is *untold*: everybody is told that, deposits are refused, withdrawals are restricted at the
exchange, until ``write_again`` has written them.
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from engine.records import Block
from registry import directives, notices, statements
from registry.errors import RefusalError
from registry.offices import directives as orders
from registry.schema import CASH, FEN, accounts, buckets, days

CASH_OUT = int(Block.CASH_OUT)


def tell_day(tx: Connection, date: int, number: int) -> bool:
    """Write the statements of a day just posted by transaction ``number``; whether it was done."""
    if _write(tx, date, number):
        return True
    sentence = f"The statements of {date} are late; deposits and withdrawals wait for them."
    notices.tell(tx, "statements_missing", sentence, None, date=date)
    having = (buckets.c.unit == FEN) & (buckets.c.kind == CASH) & (buckets.c.balance > 0)
    free = accounts.c.blocks.op("&")(CASH_OUT) == 0
    query = select(accounts.c.id).join(buckets, buckets.c.account == accounts.c.id)
    ids = list(tx.execute(query.where(having, free).order_by(accounts.c.id)).scalars())
    if ids:
        _direct(tx, "restrict", ids, date)
    return False


def write_again(tx: Connection, date: int) -> bool:
    """Write the statements of an untold day; whether they are written now.

    RefusalError day_not_posted.
    """
    row = tx.execute(select(days).where(days.c.date == date, days.c.status == "posted")).first()
    if row is None:
        raise RefusalError("day_not_posted", f"{date} is not posted: there is nothing to tell.")
    if row.told:
        return True
    if not _write(tx, date, row.txn):
        return False
    sentence = f"The statements of {date} are written; deposits and withdrawals go on."
    notices.tell(tx, "statements_written", sentence, None, date=date)
    mine = (orders.c.kind == "restrict") & (orders.c.document == _document(date))
    ids = list(tx.execute(select(orders.c.account).where(mine).order_by(orders.c.number)).scalars())
    if ids:
        _direct(tx, "lift", ids, date)
    return True


def _write(tx: Connection, date: int, number: int) -> bool:
    point = tx.begin_nested()
    try:
        statements.write(tx, date, number)
    except IntegrityError:  # a statement that does not add up, or is there already
        point.rollback()
        return False
    point.commit()
    tx.execute(update(days).where(days.c.date == date).values(told=1))
    return True


def _direct(tx: Connection, kind: str, ids: list[int], date: int) -> None:
    row = {"kind": kind, "amount": CASH_OUT, "document": _document(date)}
    directives.direct(tx, [{**row, "account": account} for account in ids])


def _document(date: int) -> str:
    return f"statements of {date}"
