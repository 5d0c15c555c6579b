"""The registry's database: opened suspiciously, written one transaction at a time.

SQLite (embedded default) and PostgreSQL (by URL) behave alike here: a write transaction is alone
(BEGIN IMMEDIATE, or an advisory lock), a read sees one moment, and what the disk promises is read
back at start instead of believed (reliability 5.4).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    StaticPool,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    InterfaceError,
    OperationalError,
)

from registry import migrations, schema, tables, ties
from registry.errors import RefusalError, StopError, UnavailableError
from registry.profiles import NATIONAL, Profile

logger = logging.getLogger(__name__)

BUSY_TIMEOUT_S = 30
WRITER_LOCK = 0x7A6E_7368  # one writer at a time on PostgreSQL, as BEGIN IMMEDIATE does on SQLite

SAFE_SQLITE = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
SAFE_POSTGRESQL = {
    "fsync": ("on",),
    "full_page_writes": ("on",),
    "synchronous_commit": ("on", "remote_apply", "remote_write", "local"),
    "data_sync_retry": ("off",),
}


class Database:
    """One engine, opened and checked; ``write()`` and ``read()`` are the only ways in."""

    def __init__(self, url: str, profile: Profile = NATIONAL) -> None:
        """Open ``url``, create the schema where it is new, verify settings and integrity.

        Raises RefusalError (url), StopError (unsafe settings, damage, foreign format or profile),
        UnavailableError.
        """
        self.profile = profile
        self.engine = _engine(_url(url))
        try:
            self._start()
        except BaseException:
            self.engine.dispose()
            raise

    def _start(self) -> None:
        with _answering(), self.engine.connect() as raw:
            refuse_unsafe(raw)
            raw.rollback()
        with self.write() as tx:
            kept = formats_of(tx)
            if kept is None:
                _create(tx, self.profile)
        if kept is not None and is_older(kept):
            self._upgrade()
        with self.read() as tx:
            refuse_foreign(tx, self.profile)
            refuse_damaged(tx)

    def _upgrade(self) -> None:
        """Bring older books to this program's format: altogether, or they stay as they are."""
        with self._rebuild() as tx:
            kept = formats_of(tx)
            if kept is None or not is_older(kept):
                return  # somebody else was quicker
            refuse_other_market(tx, self.profile)
            logger.warning(
                "upgrading the %s market's books from format %d to %d",
                *(self.profile.code, kept[0], schema.FORMAT),
            )
            migrations.upgrade(tx, kept[0])
            refuse_damaged(tx)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Give the only write transaction there is: all of it is committed, or nothing."""
        with _answering(), self.engine.connect() as connection, _writing(connection) as tx:
            yield tx

    @contextmanager
    def _rebuild(self) -> Iterator[Connection]:
        """``write()`` in which SQLite lets a table be dropped that others refer to."""
        with _answering(), self.engine.connect() as connection:
            raw: Any = connection.connection.driver_connection
            if connection.dialect.name == "sqlite":  # heeded outside of transactions only
                raw.execute("PRAGMA foreign_keys = OFF")
            try:
                with _writing(connection) as tx:
                    yield tx
            finally:
                if connection.dialect.name == "sqlite":
                    raw.execute("PRAGMA foreign_keys = ON")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Give a transaction that sees one moment and writes nothing."""
        with _answering(), self.engine.connect() as connection:
            tx = connection
            if tx.dialect.name == "postgresql":
                tx = tx.execution_options(isolation_level="REPEATABLE READ")
            with tx.begin():
                yield tx

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()


@contextmanager
def _writing(connection: Connection) -> Iterator[Connection]:
    tx = connection.execution_options(registry_write=True)
    with tx.begin():
        if tx.dialect.name == "postgresql":
            tx.execute(text(f"SELECT pg_advisory_xact_lock({WRITER_LOCK})"))
        yield tx


@contextmanager
def _answering() -> Iterator[None]:
    """Turn "the database does not answer" into the registry's own word for it."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise UnavailableError(
            "registry_unavailable", f"The registry's database did not answer: {error.orig}."
        ) from error
    except DBAPIError as error:
        if type(error) is DatabaseError:  # SQLite: malformed, or no database at all
            raise StopError(
                "database_damaged", f"The database is damaged: {error.orig}."
            ) from error
        if not error.connection_invalidated:
            raise
        raise UnavailableError(
            "registry_unavailable", f"The registry's database went away: {error.orig}."
        ) from error


def _url(url: str) -> URL:
    """Return the parsed URL with the driver this project ships; RefusalError if it is none."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise RefusalError("database_url", f"This is no database URL: {url!r}.") from error
    if parsed.drivername in ("postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername in ("sqlite", "sqlite+pysqlite"):
        return parsed
    raise RefusalError("database_url", "The registry keeps its books in sqlite or postgresql only.")


def _engine(url: URL) -> Engine:
    if url.get_backend_name() == "postgresql":
        return create_engine(url, pool_pre_ping=True)
    options: dict[str, Any] = {"connect_args": {"timeout": BUSY_TIMEOUT_S}}
    if in_memory(url):
        options["connect_args"]["check_same_thread"] = False
        options["poolclass"] = StaticPool
    engine = create_engine(url, **options)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def in_memory(url: URL) -> bool:
    """Return whether a SQLite URL names no file: books that are gone with the process."""
    return url.database in (None, "", ":memory:")


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions begin where this module says so
    for setting in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {setting}")


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("registry_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def refuse_unsafe(tx: Connection) -> None:
    """Read the durability settings back; StopError if one would let a commit be lost."""
    if tx.dialect.name == "postgresql":
        found: dict[str, Any] = {
            name: tx.execute(text(f"SHOW {name}")).scalar_one() for name in SAFE_POSTGRESQL
        }
        wrong = [name for name, safe in SAFE_POSTGRESQL.items() if found[name] not in safe]
    else:
        found = {name: tx.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in SAFE_SQLITE}
        if found["journal_mode"] == "memory" and in_memory(tx.engine.url):
            found["journal_mode"] = "wal"  # nothing to make durable, and said so by the caller
        wrong = [name for name, safe in SAFE_SQLITE.items() if found[name] != safe]
    if wrong:
        settings = ", ".join(f"{name} = {found[name]}" for name in wrong)
        raise StopError(
            "database_unsafe", f"The database may lose what it has promised: {settings}."
        )


def kept(url: str) -> tuple[int, str]:
    """Return format and market of the books at ``url``, which are left as they are.

    RefusalError: database_url, no_books; StopError; UnavailableError.
    """
    engine = _engine(_url(url))
    try:
        with _answering(), engine.connect() as tx:
            rows = tx.execute(select(schema.formats)).all() if formats_of(tx) else []
    finally:
        engine.dispose()
    if len(rows) != 1:
        raise RefusalError("no_books", "There are no books of a registry.")
    return rows[0].format, rows[0].profile


def formats_of(tx: Connection) -> list[int] | None:
    """Return what a database says about its format, None where there are no books yet."""
    if not inspect(tx).has_table("formats"):
        return None
    return list(tx.execute(select(schema.formats.c.format)).scalars())


def is_older(kept: list[int]) -> bool:
    """Whether books of this format can be upgraded."""
    return len(kept) == 1 and migrations.OLDEST <= kept[0] < schema.FORMAT


def refuse_foreign(tx: Connection, profile: Profile) -> None:
    """Raise StopError if these are books of another format or another market."""
    kept, revision = formats_of(tx), migrations.revision(tx)
    if kept != [schema.FORMAT] or revision != str(schema.FORMAT):
        raise StopError(
            "schema_format",
            f"The database has format {kept} (revision {revision}); this program reads and writes "
            f"{schema.FORMAT} and upgrades {migrations.OLDEST} to {schema.FORMAT - 1}.",
        )
    refuse_other_market(tx, profile)


def refuse_other_market(tx: Connection, profile: Profile) -> None:
    """Raise StopError if these are another market's books."""
    kept = tx.execute(select(schema.formats.c.profile)).scalar_one()
    if kept != profile.code:
        raise StopError(
            "profile_differs", f"These are the books of the {kept} market, not {profile.code}."
        )


def refuse_damaged(tx: Connection) -> None:
    """Raise StopError if SQLite finds its file damaged, or rows that refer to nothing."""
    if tx.dialect.name == "sqlite":
        found = tx.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        orphans = tx.exec_driver_sql("PRAGMA foreign_key_check").all()
        if found != ["ok"] or orphans:
            raise StopError(
                "database_damaged", f"The database is damaged: {[*found, *orphans][:3]}."
            )


def _create(tx: Connection, profile: Profile) -> None:
    """Create the tables, the guards and the accounts that are there before anybody comes."""
    tables.metadata.create_all(tx)
    _guard(tx, *tables.APPEND_ONLY)
    for statement in ties.statements(tx.dialect.name):
        tx.exec_driver_sql(statement)
    tx.execute(insert(schema.units), {"id": schema.FEN, "code": "FEN"})
    tx.execute(
        insert(schema.accounts),
        [
            {
                "id": number,
                "code": code,
                "name": name,
                "kind": kind,
                "registry_account": registry_account(number),
            }
            for number, (code, name, kind) in enumerate(profile.first_accounts(), 1)
        ],
    )
    tx.execute(insert(schema.formats), {"format": schema.FORMAT, "profile": profile.code})
    migrations.stamp(tx)


def _guard(tx: Connection, *tables: Table) -> None:
    for table in tables:
        for statement in guards(tx.dialect.name, table):
            tx.exec_driver_sql(statement)


def registry_account(number: int) -> str:
    """Return the registry account number of an account id."""
    return f"R{number:08d}"


def guards(dialect: str, table: Table) -> list[str]:
    """Return the DDL that makes a table append only (RG-17)."""
    name = table.name
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {name}_no_{verb.lower()} BEFORE {verb} ON {name} "
            f"BEGIN SELECT RAISE(ABORT, '{name} is append only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        f"CREATE FUNCTION {name}_guard() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{name} is append only'; END $$",
        f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {name} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {name}_guard()",
    ]


def insert_missing(tx: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows that are not there yet (by primary key); leave the others alone."""
    if not rows:
        return
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    tx.execute(dialect.insert(table).on_conflict_do_nothing(), list(rows))


def insert_missing_from(tx: Connection, table: Table, columns: list[str], query: Any) -> None:
    """Insert the rows of a query that are not there yet (by primary key)."""
    dialect = postgresql if tx.dialect.name == "postgresql" else sqlite
    tx.execute(dialect.insert(table).from_select(columns, query).on_conflict_do_nothing())
