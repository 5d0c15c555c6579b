"""Changing the CHECKs of a table: SQLite rebuilds it, PostgreSQL exchanges them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import CheckConstraint, MetaData, Table


def widen(before: Table, old: dict[str, str], new: dict[str, str], rowid: bool = True) -> None:
    """Exchange the CHECKs of a table that differ; ``before``: its columns and keys as they are.

    A table that SQLite rebuilds loses its guards.
    """
    with op.batch_alter_table(
        before.name, copy_from=with_checks(before, old), table_kwargs=options(rowid)
    ) as batch:
        for check, wording in old.items():
            if new.get(check) != wording:
                batch.drop_constraint(check, type_="check")
        for check, wording in new.items():
            if old.get(check) != wording:
                batch.create_check_constraint(check, wording)


def with_checks(table: Table, checks: dict[str, str]) -> Table:
    """Return a copy of a table with these CHECKs."""
    copied = table.to_metadata(MetaData())
    for check, wording in checks.items():
        copied.append_constraint(CheckConstraint(wording, name=check))
    return copied


def options(rowid: bool = True) -> dict[str, bool]:
    """Return how this project's tables are kept in SQLite."""
    return {"sqlite_strict": True, "sqlite_with_rowid": rowid}
