"""Format 4: from verified emissions to surrender, and the registry of voluntary reductions.

New tables are frozen in ``format_4.*.sql``, changed CHECKs in ``format_4.checks.toml``.
"""

from __future__ import annotations

import tomllib
from typing import Any

from alembic import op
from sqlalchemy import (
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    text,
)

from registry.migrations import HERE, frozen
from registry.migrations.widening import widen

revision = "4"
down_revision = "3"

CHECKS = HERE / "versions" / "format_4.checks.toml"

WITHOUT_ROWID = ("buckets", "entries")

before = MetaData()  # the tables of format 3 that SQLite has to rebuild


def _number(name: str, *rest: Any, **options: Any) -> Column[int]:
    return Column(name, Integer, *rest, nullable=False, **options)


def _text(name: str, *rest: Any, **options: Any) -> Column[str]:
    return Column(name, Text, *rest, nullable=False, **options)


def _key(name: str, *rest: Any) -> Column[int]:
    return Column(name, Integer, *rest, primary_key=True, autoincrement=False)


Table(
    "accounts",
    before,
    _key("id"),
    _text("code", unique=True),
    _text("name"),
    _text("kind"),
    _text("registry_account", unique=True),
    Column("trading_account", Text, unique=True),
    Column("trading_index", Integer, unique=True),
    _number("blocks", server_default="0"),
)
Table(
    "buckets",
    before,
    _key("account", ForeignKey("accounts.id")),
    _key("unit", ForeignKey("units.id")),
    Column("kind", Text, primary_key=True),
    _number("balance"),
)
Table(
    "transactions",
    before,
    _key("id"),
    _text("kind"),
    Column("date", Integer),
    _text("note"),
    Column("corrects", Integer, ForeignKey("transactions.id"), unique=True),
)
Table(
    "entries",
    before,
    _key("txn", ForeignKey("transactions.id")),
    _key("line"),
    *(_number("unit"), _number("debit_account"), _text("debit_kind")),
    *(_number("credit_account"), _text("credit_kind"), _number("amount")),
    Column("trade_no", Integer),
    *(
        ForeignKeyConstraint(
            [f"{side}_account", "unit", f"{side}_kind"],
            ["buckets.account", "buckets.unit", "buckets.kind"],
        )
        for side in ("debit", "credit")
    ),
)
Table(
    "notices",
    before,
    _key("id"),
    _text("kind"),
    Column("account", Integer, ForeignKey("accounts.id")),
    *(_number("at_ns"), _number("date"), _text("sentence")),
    Index("notices_account", "account"),
)


def upgrade() -> None:
    """Widen what old tables allow, and create the new ones."""
    tx = op.get_bind()
    for name, checks in tomllib.loads(CHECKS.read_text(encoding="utf-8")).items():
        rowid = name not in WITHOUT_ROWID
        widen(before.tables[name], checks["before"], checks["after"], rowid)
        for statement in frozen(3, tx.dialect.name):  # a table that is rebuilt loses its guards
            if tx.dialect.name == "sqlite" and f" ON {name} BEGIN " in statement:
                tx.exec_driver_sql(statement)
    for statement in frozen(4, tx.dialect.name):
        tx.exec_driver_sql(statement)
    tx.execute(text("UPDATE formats SET format = 4"))
