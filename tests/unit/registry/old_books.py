"""Books of older formats, and what a database looks like: for the tests of the migrations."""

from __future__ import annotations

from typing import Any

from alembic import command
from sqlalchemy import Connection, Engine, MetaData, Table, inspect, select, text

from engine.records import Kind
from registry import database, migrations, schema, tables
from registry.institution import Registry
from registry.profiles import NATIONAL, Profile
from tests.unit.registry.registry_venue import DATES, Venue

Rows = dict[str, list[tuple[Any, ...]]]
OF_FORMAT_3 = (  # in an order in which they can be filled
    *("accounts", "formats", "inbox", "requests", "transactions", "units", "voids", "attempts"),
    *("buckets", "days", "decisions", "defaults", "directives", "instructions", "notices"),
    *("asked", "deals", "entries", "objections", "statements", "statement_holdings"),
)
LATER = {("transactions", "booked_ns")}  # columns that format 3 did not have
FIRST_ROWS: Rows = {  # what is there before anybody comes
    "units": [(0, "FEN")],
    "accounts": [
        (number, code, name, kind, f"R{number:08d}", None, None, 0)
        for number, (code, name, kind) in enumerate(NATIONAL.first_accounts(), 1)
    ],
}


def engine_of(url: str) -> Engine:
    """The registry's own way to a database, without a look at what is there."""
    return database._engine(database._url(url))


def rows_of(tx: Connection) -> Rows:
    """All rows of the tables of format 3, in the order of their columns then."""
    found = {}
    for name in OF_FORMAT_3:
        table = Table(name, MetaData(), autoload_with=tx)
        then = [column for column in table.c if (name, column.name) not in LATER]
        found[name] = sorted(map(tuple, tx.execute(select(*then))), key=repr)
    return found


def lived_in() -> Rows:
    """Rows as the registry wrote them when its format was 3: a market's first days."""
    with Registry.open("sqlite://") as registry:
        venue = Venue(registry)
        venue.fund(4)
        venue.open_day(DATES[0])
        trade = venue.trade(0, 1, 10)[1]
        venue.trade(2, 1, 20, instrument=1)
        venue.do(Kind.VOID_TRADE, ref=trade["trade_no"], operator=1, checker=2)
        goods = {"account": 0, "vintage": "CEA", "qty_tonnes": 5, "document": "d"}
        venue.hand("cancel_voluntarily", purpose="voluntary", **goods)
        asked = venue.ask("issue", **goods)
        registry.approvals.refuse(asked.number, 2, "No.", 1)
        venue.close_day()
        venue.settle()
        registry.object(0, DATES[0], "I sold less.", 1)
        venue.sound()
        with registry.database.read() as tx:
            return rows_of(tx)


def make(url: str, rows: Rows, format_: int = 3, profile: Profile = NATIONAL) -> None:
    """Write books of format 2, 3 or 4 from the frozen revisions; rows are those of format 3."""
    engine = engine_of(url)
    with engine.connect() as connection:
        tx = connection.execution_options(registry_write=True)
        if tx.dialect.name == "sqlite":  # a revision rebuilds tables that others refer to
            tx.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
        with tx.begin():
            for statement in migrations.frozen(3, tx.dialect.name):
                if format_ > 2 or " asked" not in statement.partition("\n")[0]:
                    tx.exec_driver_sql(statement)
            of_formats = [(min(format_, 3), profile.code)]
            ordered = {name: rows.get(name, []) for name in OF_FORMAT_3}
            fill(tx, {**ordered, "formats": of_formats})
            if format_ > 3:
                migrations.stamp(tx, "3")
                command.upgrade(migrations.config(tx), str(format_))
    engine.dispose()


def everything(tx: Connection) -> Rows:
    """All rows of all tables, in an order in which they can be filled, without later columns."""
    found: Rows = {}
    for table in tables.metadata.sorted_tables:
        then = [column for column in table.c if (table.name, column.name) not in LATER]
        rows = tx.execute(select(*then).order_by(*table.primary_key)).all()
        found[table.name] = [tuple(row) for row in rows]
    return found


def make_4(url: str, rows: Rows) -> None:
    """Write books of format 4 with all of ``everything``'s rows."""
    make(url, {}, 4)
    engine = engine_of(url)
    with engine.connect() as connection:
        tx = connection.execution_options(registry_write=True)
        with tx.begin():
            fill(tx, {name: found for name, found in rows.items() if name != "formats"})
    engine.dispose()


def fill(tx: Connection, rows: Rows) -> None:
    """Insert rows as they are, table by table."""
    for name in rows:
        if rows[name]:
            names = [column["name"] for column in inspect(tx).get_columns(name)]
            marks = ", ".join(f":{one}" for one in names)
            values = [dict(zip(names, row, strict=True)) for row in rows[name]]
            tx.execute(text(f"INSERT INTO {name} ({', '.join(names)}) VALUES ({marks})"), values)


def shape_of(tx: Connection) -> dict[str, Any]:
    """Everything the database knows of its tables: columns, checks, keys, indexes, guards."""
    shape = _sqlite_shape(tx) if tx.dialect.name == "sqlite" else _postgresql_shape(tx)
    assert len(shape) > len(tables.metadata.tables)
    return shape


def _sqlite_shape(tx: Connection) -> dict[str, Any]:
    rows = tx.exec_driver_sql("SELECT type, name, tbl_name, sql FROM sqlite_master").all()
    found: dict[str, Any] = {}
    for kind, name, table, sql in rows:
        lines = (sql or "").replace('"', "").split("\n")
        tidy = sorted(line.strip().rstrip(",").strip() for line in lines)
        found[f"{kind} {name}"] = (table, [line for line in tidy if line])
        if kind == "table":
            columns = tx.exec_driver_sql(f"PRAGMA table_xinfo({name})").all()
            found[f"columns of {name}"] = [tuple(one) for one in columns]
            tied = tx.exec_driver_sql(f"PRAGMA foreign_key_list({name})").all()
            found[f"keys of {name}"] = sorted(tuple(one)[2:] for one in tied)
    return found


def _postgresql_shape(tx: Connection) -> dict[str, Any]:
    queries = {
        "columns": "SELECT table_name, ordinal_position, column_name, data_type, is_nullable,"
        " column_default FROM information_schema.columns WHERE table_schema = current_schema()",
        "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)"
        " FROM pg_constraint WHERE connamespace = current_schema()::regnamespace"
        " AND contype <> 'n'",
        "indexes": "SELECT tablename, indexname, indexdef FROM pg_indexes"
        " WHERE schemaname = current_schema()",
        "triggers": "SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid) FROM pg_trigger t"
        " JOIN pg_class c ON c.oid = t.tgrelid"
        " WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace",
        "functions": "SELECT proname, '', prosrc FROM pg_proc"
        " WHERE pronamespace = current_schema()::regnamespace",
    }
    here = str(tx.execute(text("SELECT current_schema()")).scalar_one())
    found: dict[str, Any] = {}
    for what, query in queries.items():
        for row in tx.execute(text(query)):
            told = tuple(str(one).replace(f"{here}.", "") for one in row)
            found[f"{what} {told[0]} {told[1]}"] = told
    return found


def formats(url: str) -> list[int]:
    """What the books say about their format, without opening them."""
    engine = engine_of(url)
    with engine.connect() as tx:
        found = list(tx.execute(select(schema.formats.c.format)).scalars())
    engine.dispose()
    return found
