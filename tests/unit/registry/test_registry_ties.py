"""No row of a mass table refers to nothing, on either database (RG-17, I1).

SQLite has foreign keys for it; on PostgreSQL ``registry.ties`` looks at each statement's rows.
"""

from __future__ import annotations

from typing import Any

import pytest
from psycopg.errors import ForeignKeyViolation
from sqlalchemy import Table, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from registry import schema
from registry.bulk import insert_many
from registry.institution import Registry
from registry.schema import accounts, buckets, days, deals, entries, units
from tests.unit.registry.registry_venue import Venue

NOBODY = 9_999


@pytest.fixture
def lived(venue: Venue) -> Registry:
    """Books with an evening that is posted: every mass table has rows."""
    venue.trade(0, 1, 10)
    venue.close_day()
    venue.settle()
    return venue.registry


def rows_like(registry: Registry, table: Table, step: str, count: int = 3) -> list[dict[str, Any]]:
    """Return further rows like the first of a table, sound but for what a test changes."""
    with registry.database.read() as tx:
        one = dict(tx.execute(select(table).order_by(table.c[step])).mappings().first() or {})
        last = tx.execute(select(func.max(table.c[step]))).scalar_one()
    assert one, "the evening has left rows"
    return [{**one, step: last + number} for number in range(1, count + 1)]


TIES = [
    (entries, "line", {"txn": NOBODY}),
    (entries, "line", {"debit_account": NOBODY}),
    (entries, "line", {"credit_account": NOBODY}),
    (entries, "line", {"unit": NOBODY}),
    (entries, "line", {"debit_kind": "pending"}),
    (entries, "line", {"credit_kind": "surrendered"}),
    (deals, "trade_no", {"date": 20990101}),
    (deals, "trade_no", {"unit": NOBODY}),
    (deals, "trade_no", {"buyer": NOBODY}),
    (deals, "trade_no", {"seller": NOBODY}),
]


def test_every_tie_has_its_case() -> None:
    for table in schema.TIED:
        tied = {name for key in table.foreign_key_constraints for name in key.column_keys}
        assert tied == {name for one, _, bent in TIES for name in bent if one is table}


@pytest.mark.parametrize(("table", "step", "bent"), TIES, ids=str)
def test_one_row_that_refers_to_nothing_refuses_its_statement(
    lived: Registry, table: Table, step: str, bent: dict[str, Any]
) -> None:
    rows = rows_like(lived, table, step)
    rows[1] |= bent
    with lived.database.read() as tx:
        before = tx.execute(select(func.count()).select_from(table)).scalar_one()
    with pytest.raises(IntegrityError), lived.database.write() as tx:
        insert_many(tx, table, rows)
    with lived.database.read() as tx:
        assert tx.execute(select(func.count()).select_from(table)).scalar_one() == before
    assert lived.violations() == []


@pytest.mark.parametrize(("table", "step"), [(entries, "line"), (deals, "trade_no")])
def test_sound_rows_are_taken(lived: Registry, table: Table, step: str) -> None:
    with lived.database.write() as tx:
        insert_many(tx, table, rows_like(lived, table, step))


@pytest.mark.parametrize(
    ("table", "values"),
    [
        (buckets, {"account": NOBODY}),
        (buckets, {"unit": NOBODY}),
        (buckets, {"kind": "pending"}),
        (accounts, {"id": accounts.c.id + NOBODY}),
        (units, {"id": units.c.id + NOBODY}),
        (days, {"date": 20990101}),
    ],
    ids=lambda each: each.name if isinstance(each, Table) else "-".join(each),
)
def test_what_is_referred_to_stays(lived: Registry, table: Table, values: dict[str, Any]) -> None:
    for statement in (update(table).values(values), delete(table)):
        with pytest.raises(IntegrityError), lived.database.write() as tx:
            tx.execute(statement)
    assert lived.violations() == []


def test_a_bucket_of_the_same_transaction_is_there_and_one_given_up_is_not(lived: Registry) -> None:
    """What a savepoint has taken back no longer holds an entry."""
    [row] = rows_like(lived, entries, "line", 1)
    row |= {"credit_kind": "pending", "unit": 1, "debit_kind": "trading_available"}
    with lived.database.read() as tx:
        held = select(buckets).where(buckets.c.unit == 1, buckets.c.kind == "trading_available")
        row["debit_account"] = row["credit_account"] = tx.execute(held.limit(1)).one().account
    made = {"account": row["credit_account"], "unit": 1, "kind": "pending", "balance": 0}
    with lived.database.write() as tx:
        point = tx.begin_nested()
        tx.execute(insert(buckets), made)
        tx.execute(insert(entries), row)
        point.rollback()
        with pytest.raises(IntegrityError):
            tx.execute(insert(entries), row)
        tx.rollback()


def test_mass_rows_are_not_looked_up_one_by_one(postgres_url: str) -> None:
    """The ties of PostgreSQL hold however rows come, by COPY too."""
    with Registry.open(postgres_url) as registry:
        registry.open_account("K1", "Plant 1")
        registry.issue("CEA", 0, 10)
        with registry.database.read() as tx:
            keys = text(
                "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
                " AND conrelid IN ('entries'::regclass, 'deals'::regclass)"
            )
            assert tx.execute(keys).scalar_one() == 0
            good = dict(tx.execute(select(entries)).mappings().one())
        copied(registry, {**good, "line": 1})
        with pytest.raises(ForeignKeyViolation, match="refers to buckets that are not there"):
            copied(registry, {**good, "line": 2, "debit_account": NOBODY})
        with registry.database.read() as tx:
            lines = tx.execute(select(entries.c.line).order_by(entries.c.line)).scalars().all()
        assert lines == [0, 1]


def copied(registry: Registry, row: dict[str, Any]) -> None:
    with registry.database.write() as tx:
        raw: Any = tx.connection.driver_connection
        with (
            raw.cursor() as cursor,
            cursor.copy(f"COPY entries ({', '.join(row)}) FROM STDIN") as copy,
        ):
            copy.write_row(list(row.values()))
