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
    statement = _from_arrays(table, rows)
    tx.execute(statement.on_conflict_do_nothing() if missing_only else statement)


def write_many(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows, all with the columns of the first; one that is there by its primary key is
    overwritten in these columns. No key comes twice; no rows are nothing to do.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    others = [name for name in rows[0] if name not in keys]
    statement: postgresql.Insert | sqlite.Insert
    if tx.dialect.name == "postgresql":
        statement = _from_arrays(table, rows)
    else:
        statement = sqlite.insert(table)
    changed = {name: statement.excluded[name] for name in others}
    newest = statement.on_conflict_do_update(index_elements=keys, set_=changed)
    if tx.dialect.name == "postgresql":
        tx.execute(newest)
    else:
        tx.execute(newest, list(rows))


def _from_arrays(table: Table, rows: Sequence[Mapping[str, Any]]) -> postgresql.Insert:
    names = list(rows[0])
    arrays = []
    for name in names:
        of_many = postgresql.ARRAY(table.c[name].type)
        arrays.append(cast(literal([row[name] for row in rows], of_many), of_many))
    given = func.unnest(*arrays).table_valued(*names).render_derived()
    chosen = select(*(given.c[name] for name in names))
    return postgresql.insert(table).from_select(names, chosen)
