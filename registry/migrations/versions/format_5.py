"""Format 5: every transaction has a moment; mass tables are tied once a statement on PostgreSQL.

New tables and ties are frozen in ``format_5.*.sql``, changed CHECKs in ``format_5.checks.toml``.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from typing import Any

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    MetaData,
    Table,
    Text,
    inspect,
    text,
)
from sqlalchemy.dialects import sqlite

from registry.migrations import HERE, frozen
from registry.migrations.widening import options, widen, with_checks

revision = "5"
down_revision = "4"

VERSIONS = HERE / "versions"
TIED = ("deals", "entries")
BEIJING = dt.timezone(dt.timedelta(hours=8))
TIMED = (  # what transactions were written for, and when that was
    "SELECT txn_pending, applied_ns FROM applications",
    "SELECT txn_done, decided_ns FROM applications",
    "SELECT txn_pending, applied_ns FROM carry_applications",
    "SELECT txn_done, decided_ns FROM carry_applications",
    "SELECT txn_converted, decided_ns FROM carry_applications",
    "SELECT txn_pending, applied_ns FROM cancellations",
    "SELECT txn_done, decided_ns FROM cancellations",
    "SELECT txn, entered_ns FROM batches",
    "SELECT txn, decided_ns FROM allocations",
    "SELECT txn, decided_at_ns FROM decisions",
)

NANOSECONDS = BigInteger().with_variant(sqlite.INTEGER(), "sqlite")
before = MetaData()  # the tables of format 4 that change
transactions = Table(
    "transactions",
    before,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("date", Integer),
    Column("note", Text, nullable=False),
    Column("corrects", Integer, ForeignKey("transactions.id"), unique=True),
)


def upgrade() -> None:
    """Give every transaction its moment, tie the mass tables, create what is new."""
    tx = op.get_bind()
    changed = _checks(5)
    assert set(changed) <= {"transactions"}, "write the other tables into this revision"
    checks = _checks(4)["transactions"]["after"]
    _add_moment(tx, checks)
    if changed:
        table = with_checks(transactions, {})
        table.append_column(_timed())
        widen(table, checks, changed["transactions"]["after"])
    _guard_again(tx)
    if tx.dialect.name == "postgresql":
        _untie(tx)
    for statement in frozen(5, tx.dialect.name):
        tx.exec_driver_sql(statement)
    tx.execute(text("UPDATE formats SET format = 5"))


def _checks(format_: int) -> dict[str, Any]:
    file = VERSIONS / f"format_{format_}.checks.toml"
    return tomllib.loads(file.read_text(encoding="utf-8"))


def _timed(**options: Any) -> Column[int]:
    return Column("booked_ns", NANOSECONDS, nullable=False, **options)


def _add_moment(tx: Connection, checks: dict[str, str]) -> None:
    """Add the column, fill it, and leave it without a default."""
    table = with_checks(transactions, checks)
    with op.batch_alter_table("transactions", copy_from=table, table_kwargs=options()) as batch:
        batch.add_column(_timed(server_default="0"))
    moments = _moments(tx)
    if tx.dialect.name == "sqlite":
        tx.exec_driver_sql("DROP TRIGGER transactions_no_update")  # until ``_guard_again``
    else:
        tx.exec_driver_sql("ALTER TABLE transactions DISABLE TRIGGER transactions_append_only")
    if moments:
        fill = text("UPDATE transactions SET booked_ns = :at_ns WHERE id = :number")
        tx.execute(fill, moments)
    table = with_checks(transactions, checks)
    table.append_column(_timed(server_default="0"))
    with op.batch_alter_table("transactions", copy_from=table, table_kwargs=options()) as batch:
        batch.alter_column("booked_ns", server_default=None)


def _moments(tx: Connection) -> list[dict[str, int]]:
    """Return each transaction's moment: a settlement's is the end of its day, others' are known
    from what they were written for; one without belongs to the one before it."""
    known: dict[int, int] = {}
    for query in TIMED:
        known.update((int(number), int(at)) for number, at in tx.execute(text(query)) if number)
    moment, found = 0, []
    for number, date in tx.execute(text("SELECT id, date FROM transactions ORDER BY id")):
        moment = known.get(number, moment) if date is None else _end_of(int(date))
        found.append({"number": int(number), "at_ns": moment})
    return found


def _end_of(date: int) -> int:
    day = dt.datetime(date // 10_000, date // 100 % 100, date % 100, tzinfo=BEIJING)
    return int((day + dt.timedelta(days=1)).timestamp()) * 10**9 - 1


def _guard_again(tx: Connection) -> None:
    """Let the table be append only again; SQLite has rebuilt it."""
    if tx.dialect.name != "sqlite":
        tx.exec_driver_sql("ALTER TABLE transactions ENABLE TRIGGER transactions_append_only")
        return
    for statement in frozen(3, "sqlite"):
        if " ON transactions BEGIN " in statement:
            tx.exec_driver_sql(statement)


def _untie(tx: Connection) -> None:
    """Drop the foreign keys that look every row up by itself; the ties take their place."""
    for name in TIED:
        for found in inspect(tx).get_foreign_keys(name):
            op.drop_constraint(str(found["name"]), name, type_="foreignkey")
