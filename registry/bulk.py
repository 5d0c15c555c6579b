"""Many rows in one statement: what makes a mass run on PostgreSQL several times cheaper.

A driver sends rows one by one, or as a text of thousands of values; PostgreSQL takes a handful of
arrays in one statement instead. SQLite runs in the process and takes rows as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table, cast, func, insert, literal, select
from sqlalchemy.dialects import postgresql, sqlite


def insert_many(
    tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]], missing_only: bool = False
) -> None:
    """Insert rows, all with the columns of the first; none is nothing to do.

    ``missing_only``: leave alone what is there already, by primary key.
    """
    if not rows:
        return
    if tx.dialect.name != "postgresql":
        if missing_only:
            tx.execute(sqlite.insert(table).on_conflict_do_nothing(), list(rows))
        else:
            tx.execute(insert(table), list(rows))
        return
    names = list(rows[0])
    arrays = []
    for name in names:
        of_many = postgresql.ARRAY(table.c[name].type)
        arrays.append(cast(literal([row[name] for row in rows], of_many), of_many))
    given = func.unnest(*arrays).table_valued(*names).render_derived()
    statement = postgresql.insert(table).from_select(names, select(*(given.c[n] for n in names)))
    tx.execute(statement.on_conflict_do_nothing() if missing_only else statement)
