"""What the rows of a mass table refer to, looked up once a statement (PostgreSQL).

A foreign key looks every row up by itself: most of the time an evening takes there. The tables
here are append only and what they refer to is never removed and keeps its key, so one look at the
rows of each statement guarantees as much: no row ever refers to nothing (RG-17, I1). SQLite
checks its foreign keys in the process, and keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ForeignKeyConstraint, Table

from registry.schema import APPEND_ONLY, TIED

REFUSED = "USING ERRCODE = 'foreign_key_violation'"


def statements(dialect: str) -> Iterator[str]:
    """Yield the DDL of every tie; none on SQLite."""
    if dialect != "postgresql":
        return
    for table in sorted(_parents(), key=lambda one: one.name):
        yield from _kept(table)
    for table in TIED:
        yield from _tied(table)


def _keys(table: Table) -> list[ForeignKeyConstraint]:
    found = [one for one in table.constraints if isinstance(one, ForeignKeyConstraint)]
    return sorted(found, key=lambda one: [str(name) for name in one.column_keys])


def _parents() -> set[Table]:
    """Return what is referred to and could still change; what is append only cannot."""
    return {key.referred_table for table in TIED for key in _keys(table)} - set(APPEND_ONLY)


def _kept(parent: Table) -> Iterator[str]:
    """Yield what keeps a table's rows and their keys for ever."""
    name, key = parent.name, ", ".join(column.name for column in parent.primary_key)
    yield (
        f"CREATE FUNCTION {name}_kept() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION 'what {name} has is referred to for ever' {REFUSED}; END $$"
    )
    yield (
        f"CREATE TRIGGER {name}_kept BEFORE DELETE OR TRUNCATE OR UPDATE OF {key} ON {name} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_kept()"
    )


def _tied(table: Table) -> Iterator[str]:
    """Yield what refuses a statement of which any row refers to nothing.

    EXECUTE plans anew for the rows there are: a plan for one row would be kept for thousands.
    """
    name = table.name
    looks = " ".join(
        f"EXECUTE 'SELECT EXISTS ({_orphans(key)})' INTO amiss; "
        f"IF amiss THEN RAISE EXCEPTION "
        f"'a row of {name} refers to {key.referred_table.name} that are not there' {REFUSED}; "
        f"END IF;"
        for key in _keys(table)
    )
    yield (
        f"CREATE FUNCTION {name}_tied() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ DECLARE amiss boolean; BEGIN {looks} RETURN NULL; END $$"
    )
    yield (
        f"CREATE TRIGGER {name}_tied AFTER INSERT ON {name} REFERENCING NEW TABLE AS given "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_tied()"
    )


def _orphans(key: ForeignKeyConstraint) -> str:
    """Return the query of the references in ``given`` that lead nowhere."""
    own = [column.name for column in key.columns]
    there = [element.column.name for element in key.elements]
    same = " AND ".join(f"p.{b} = g.{a}" for a, b in zip(own, there, strict=True))
    chosen = f"(SELECT DISTINCT {', '.join(own)} FROM given) g"  # noqa: S608 - names of this schema
    found = f"(SELECT FROM {key.referred_table.name} p WHERE {same})"
    return f"SELECT FROM {chosen} WHERE NOT EXISTS {found}"
