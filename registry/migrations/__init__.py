"""Books of an older format become books of this one, by Alembic, and keep every row.

A revision is a format of ``registry.schema``; its number is the revision's name. What a revision
creates is frozen beside it as SQL, so that later changes of the code do not change it; ``freeze``
writes those files. ``registry.database`` calls ``upgrade`` at the start, in one transaction.
Alembic is imported where it is needed: most starts find books that are as they should be.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Text, column, inspect, select
from sqlalchemy import table as sql_table

if TYPE_CHECKING:
    from alembic.config import Config

HERE = Path(__file__).parent
VERSION_TABLE = "alembic_version"
FIRST = 3  # the format of the first revision
OLDEST = 2  # what it can start from

_one_at_a_time = threading.Lock()  # Alembic's ``op`` and ``context`` are of the whole process
_version = sql_table(VERSION_TABLE, column("version_num", Text))


def config(tx: Connection) -> Config:
    """Return what Alembic needs to know: where the revisions are, and this connection."""
    from alembic.config import Config

    found = Config()
    found.set_main_option("script_location", str(HERE).replace("%", "%%"))
    found.set_main_option("path_separator", "os")
    found.attributes["connection"] = tx
    return found


def upgrade(tx: Connection, kept: int) -> None:
    """Bring books of format ``kept`` to this program's, in the transaction ``tx``.

    On SQLite foreign keys are not enforced in it (``PRAGMA foreign_keys``): tables are rebuilt.
    """
    from alembic import command

    known = config(tx)
    if kept >= FIRST and revision(tx) is None:
        stamp(tx, str(kept))  # of the time before there were migrations
    with _one_at_a_time:
        command.upgrade(known, "head")


def stamp(tx: Connection, number: str = "head") -> None:
    """Write into the books which revision they have; new ones have the newest."""
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    MigrationContext.configure(tx).stamp(ScriptDirectory.from_config(config(tx)), number)


def revision(tx: Connection) -> str | None:
    """Return the revision of the books, None where none is written down."""
    if not inspect(tx).has_table(VERSION_TABLE):
        return None
    return tx.execute(select(_version.c.version_num)).scalar()


def frozen(format_: int, dialect: str) -> list[str]:
    """Return the statements that were frozen for a format: sqlite or postgresql."""
    file = HERE / "versions" / f"format_{format_}.{dialect}.sql"
    parts = file.read_text(encoding="utf-8").split(";\n")
    return [part.strip() for part in parts if part.strip()]
