"""Freeze what the newest revision creates: ``python -m registry.migrations.freeze``.

Writes, beside the revision of ``registry.schema.FORMAT``, the tables that no earlier revision has
created, what ties older ones, and the CHECKs of older tables as they were and are. To be run again
as long as a format is not released, never afterwards.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import CheckConstraint, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.schema import CreateIndex, CreateTable

from registry import schema, tables, ties
from registry.database import guards
from registry.migrations import FIRST, HERE, frozen

DIALECTS = {"sqlite": sqlite.dialect, "postgresql": postgresql.dialect}
CREATED = re.compile(r"CREATE TABLE (\w+)")
CHECK = re.compile(r"^ *CONSTRAINT (\w+) CHECK \((.*)\),?$", re.MULTILINE)


def files() -> dict[Path, str]:
    """Return the files of the newest format and what they have to say."""
    folder, newest = HERE / "versions", schema.FORMAT
    found = {
        folder / f"format_{newest}.{name}.sql": "".join(f"{one};\n\n" for one in created(name))
        for name in DIALECTS
    }
    found[folder / f"format_{newest}.checks.toml"] = _checks()
    return {file: text.rstrip("\n") + "\n" for file, text in found.items()}


def created(dialect: str) -> Iterator[str]:
    """Return the DDL of the tables that are new in the newest format, their guards, and ties."""
    older = set(_older())
    for table in tables.metadata.sorted_tables:
        if table.name not in older:
            yield from _statements(dialect, table)
    for statement in ties.statements(dialect):
        if statement not in _frozen_before(dialect):
            yield statement


def _frozen_before(dialect: str) -> list[str]:
    return [one for number in range(FIRST, schema.FORMAT) for one in frozen(number, dialect)]


def _statements(dialect: str, table: Table) -> Iterator[str]:
    language = DIALECTS[dialect]()
    yield _tidy(str(CreateTable(table).compile(dialect=language)))
    for index in sorted(table.indexes, key=lambda one: str(one.name)):
        yield _tidy(str(CreateIndex(index).compile(dialect=language)))
    if table in tables.APPEND_ONLY:
        yield from guards(dialect, table)


def _tidy(statement: str) -> str:
    lines = statement.replace("\t", "    ").strip().splitlines()
    return "\n".join(line.rstrip() for line in lines)


def _older() -> dict[str, str]:
    """Return the statements that created the tables of all formats before, by table."""
    return {
        made[1]: statement
        for statement in _frozen_before("sqlite")
        if (made := CREATED.match(statement))
    }


def _checks() -> str:
    """Return the CHECKs of older tables where they differ, as TOML."""
    found = []
    for name, statement in sorted(_older().items()):
        old = _widened(name, dict(CHECK.findall(statement)))
        new = {
            str(one.name): str(one.sqltext)
            for one in tables.metadata.tables[name].constraints
            if isinstance(one, CheckConstraint)
        }
        if old == new:
            continue
        for word, checks in (("before", old), ("after", new)):
            found.append(f"[{name}.{word}]")
            found += [f'{check} = "{wording}"' for check, wording in sorted(checks.items())]
            found.append("")
    return "\n".join(found)


def _widened(name: str, made: dict[str, str]) -> dict[str, str]:
    """Return the CHECKs a table was created with as the formats since then have left them."""
    for format_ in range(FIRST, schema.FORMAT):
        file = HERE / "versions" / f"format_{format_}.checks.toml"
        if file.exists():
            changed = tomllib.loads(file.read_text(encoding="utf-8"))
            made = changed.get(name, {"after": made})["after"]
    return made


def main() -> None:
    """Write the files."""
    for file, text in files().items():
        file.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
