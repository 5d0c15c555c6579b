"""Books of older formats become new ones and keep every row; revisions and tables agree."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from typer.testing import CliRunner

from registry import migrations, offices, schema, tables
from registry.cli import registry_app
from registry.compliance import carry_over
from registry.database import Database
from registry.errors import StopError, UnavailableError
from registry.institution import Registry
from registry.migrations import freeze
from registry.profiles import VOLUNTARY
from tests.unit.registry import old_books
from tests.unit.registry.carry_world import World, at
from tests.unit.registry.old_books import Rows
from tests.unit.registry.registry_venue import NOW_NS

FREEZE = "python -m registry.migrations.freeze"


@pytest.fixture(scope="module")
def lived_in() -> Rows:
    """The rows of a market's first days."""
    return old_books.lived_in()


@contextmanager
def looking(url: str) -> Iterator[Connection]:
    engine = old_books.engine_of(url)
    with engine.connect() as tx:
        yield tx
    engine.dispose()


@pytest.mark.parametrize("before", [2, 3, 4])
def test_upgraded_books_are_like_new_ones_and_keep_every_row(
    url: str, before: int, lived_in: Rows, caplog: pytest.LogCaptureFixture
) -> None:
    rows = {**lived_in, "asked": []} if before == 2 else lived_in
    old_books.make(url, rows, before)
    with Registry.open(url) as registry:
        assert f"from format {before} to {schema.FORMAT}" in caplog.text
        assert registry.violations() == []
        with registry.database.read() as tx:
            kept, upgraded = old_books.rows_of(tx), old_books.shape_of(tx)
            now = migrations.revision(tx)
    assert now == str(schema.FORMAT)
    assert kept == {**rows, "formats": [(schema.FORMAT, "national")]}
    empty = {name for name, found in kept.items() if not found}
    assert empty <= {"defaults", "directives", "asked", "attempts"}
    assert upgraded == shape_of_new(url)


def shape_of_new(url: str) -> dict[str, object]:
    """The shape of new books at the same place, after the old ones have gone."""
    with looking(url) as tx:
        if tx.dialect.name == "sqlite":
            with Registry.open("sqlite://") as registry, registry.database.read() as new:
                return old_books.shape_of(new)
        here = tx.execute(text("SELECT current_schema()")).scalar_one()
        tx.exec_driver_sql(f'DROP SCHEMA "{here}" CASCADE')
        tx.exec_driver_sql(f'CREATE SCHEMA "{here}"')
        tx.commit()
    with Registry.open(url) as registry, registry.database.read() as new:
        return old_books.shape_of(new)


def test_transactions_of_format_4_get_their_moments_al_52(url: str) -> None:
    """From what they were written for; the position at the end of 2025 is the same as ever."""
    with Registry.open("sqlite://") as registry:
        world = World(registry)
        for code in ("A", "B"):
            world.add(code)
        world.met_both("A", "B")
        world.give("A", "CEA24", 5_000)
        world.give("B", "CEA24", 9_000, trading=True)
        values = {"account": world.account["A"], "vintage": "CEA24", "qty_tonnes": 1_000}
        values |= {"purpose": "voluntary", "document": "letter"}
        for when in (at(2025, 12, 31, 23, 59), at(2026, 1, 1, 0)):
            asked = registry.approvals.request(1, "cancel_voluntarily", values, when)
            registry.approvals.approve(asked.number, 2, asked.sha256, when)
        world.deal(20260105, ("B", "A", 8_500, "CEA24", 7_000))
        with registry.database.read() as tx:
            rows, moments = old_books.everything(tx), moments_of(tx)
    assert len({at_ns for _, at_ns in moments}) > 5
    old_books.make_4(url, rows)
    with Registry.open(url) as registry:
        assert registry.violations() == []
        with registry.database.read() as tx:
            assert moments_of(tx) == moments
            assert old_books.everything(tx) == rows
        with registry.database.write() as tx:
            given = carry_over.give_notices(tx, at(2026, 1, 20))
    assert {one.entity: one.tonnes for one in given} == {"A": 4_000, "B": 9_000}


def moments_of(tx: Connection) -> list[tuple[int, int]]:
    t = schema.transactions.c
    return [(row[0], row[1]) for row in tx.execute(select(t.id, t.booked_ns).order_by(t.id))]


def test_upgraded_books_guard_what_new_ones_guard(url: str, lived_in: Rows) -> None:
    old_books.make(url, lived_in)
    with Registry.open(url) as registry:
        for table in (*schema.APPEND_ONLY, *offices.APPEND_ONLY):
            if not lived_in[table.name]:
                continue
            for statement in (delete(table), update(table).values({table.c[0].name: 1})):
                with (
                    pytest.raises(DBAPIError, match="append only"),
                    registry.database.write() as tx,
                ):
                    tx.execute(statement)
        orphan = {"account": 999, "unit": 1, "kind": "pending", "balance": 0}
        for row in (orphan, {**orphan, "account": 7, "kind": "nowhere"}):
            with pytest.raises(IntegrityError), registry.database.write() as tx:
                tx.execute(insert(schema.buckets), row)
        registry.monitoring.open_provinces()  # kinds of accounts that format 3 did not know
        again = registry.deposit(0, 5, NOW_NS, "a")
        assert registry.deposit(0, 5, NOW_NS, "a") == again
        assert registry.violations() == []


def test_revisions_and_tables_agree(url: str, lived_in: Rows) -> None:
    """What Alembic would still generate for upgraded books is nothing."""
    old_books.make(url, lived_in)
    Database(url).close()
    with looking(url) as tx:
        left = compare_metadata(MigrationContext.configure(tx), tables.metadata)
        script = ScriptDirectory.from_config(migrations.config(tx))
        tied = looked_up_by_statement(tx)
    keys = {(key.table.name, *key.column_keys) for word, key in left if word == "add_fk"}
    assert (len(left), keys) == (len(tied), tied), f"run {FREEZE}"
    assert script.get_heads() == [str(schema.FORMAT)]
    assert script.get_bases() == [str(migrations.FIRST)]


def looked_up_by_statement(tx: Connection) -> set[tuple[str, ...]]:
    """The foreign keys that ``registry.ties`` stands for: Alembic does not know of that."""
    if tx.dialect.name == "sqlite":
        return set()
    return {
        (table.name, *key.column_keys)
        for table in schema.TIED
        for key in table.foreign_key_constraints
    }


def test_books_of_format_2_pass_through_format_3(url: str, lived_in: Rows) -> None:
    old_books.make(url, {**lived_in, "asked": []}, 2)
    with looking(url) as tx:
        command.upgrade(migrations.config(tx), "3")
        tx.commit()
        found = old_books.rows_of(tx)
    assert found == {**lived_in, "asked": [], "formats": [(3, "national")]}


def test_what_the_newest_revision_creates_is_frozen() -> None:
    for file, wanted in freeze.files().items():
        assert file.read_text(encoding="utf-8") == wanted, f"{file.name} is old: run {FREEZE}"


def test_an_upgrade_that_fails_leaves_everything(
    url: str, lived_in: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    old_books.make(url, lived_in)
    with monkeypatch.context() as broken:
        good = migrations.frozen

        def frozen(format_: int, dialect: str) -> list[str]:
            return [
                *good(format_, dialect),
                *(["CREATE TABLE"] if format_ == schema.FORMAT else []),
            ]

        # the revisions import it when Alembic loads them
        broken.setattr(migrations, "frozen", frozen)
        with pytest.raises((DBAPIError, UnavailableError), match=r"syntax|incomplete"):
            Registry.open(url)
    with looking(url) as tx:
        assert old_books.rows_of(tx) == {**lived_in, "formats": [(3, "national")]}
        assert migrations.revision(tx) is None
    with Registry.open(url) as registry:
        assert registry.violations() == []


def test_newer_and_foreign_books_are_left_alone(url: str, lived_in: Rows) -> None:
    old_books.make(url, lived_in)
    with pytest.raises(StopError, match="profile_differs"):
        Registry.open(url, VOLUNTARY)
    assert old_books.formats(url) == [3]
    for found in (schema.FORMAT + 1, 1):
        with looking(url) as tx:
            tx.execute(update(schema.formats).values(format=found))
            tx.commit()
        with pytest.raises(StopError, match="schema_format"):
            Registry.open(url)
        assert old_books.formats(url) == [found]


def test_format_and_revision_must_agree(url: str) -> None:
    with Registry.open(url) as registry, registry.database.write() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '3'"))
    with pytest.raises(StopError, match="schema_format"):
        Registry.open(url)


def test_damaged_books_are_not_upgraded(tmp_path: Path, lived_in: Rows) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    old_books.make(url, lived_in)
    with looking(url) as tx:
        tx.connection.driver_connection.execute("PRAGMA foreign_keys = OFF")
        tx.exec_driver_sql("INSERT INTO buckets VALUES (998, 1, 'judicial', 0)")
        tx.commit()
    with pytest.raises(StopError, match="database_damaged"):
        Registry.open(url)
    assert old_books.formats(url) == [3]


def test_foreign_keys_hold_again_after_an_upgrade(tmp_path: Path, lived_in: Rows) -> None:
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    old_books.make(url, lived_in)
    with Registry.open(url) as registry, registry.database.read() as tx:
        assert tx.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


def test_books_are_upgraded_by_hand(tmp_path: Path, lived_in: Rows) -> None:
    for folder, profile in ((tmp_path, None), (tmp_path / "ccer", VOLUNTARY)):
        folder.mkdir(exist_ok=True)
        chosen = {} if profile is None else {"profile": profile}
        old_books.make(f"sqlite:///{folder / 'registry.db'}", lived_in, **chosen)
    run = CliRunner().invoke
    first = run(registry_app, ["migrate", str(tmp_path)])
    assert first.exit_code == 0
    for market in ("national", "voluntary"):
        assert f"{market}, format 3 -> {schema.FORMAT}" in first.output
    again = run(registry_app, ["migrate", str(tmp_path)])
    assert again.output.count(f"format {schema.FORMAT}, nothing to do") == 2
    url = f"sqlite:///{tmp_path / 'registry.db'}"
    with looking(url) as tx:
        tx.execute(update(schema.formats).values(format=schema.FORMAT + 1))
        tx.commit()
    newer = run(registry_app, ["migrate", str(tmp_path), "--registry", url])
    assert newer.exit_code == 2
    assert "schema_format" in newer.output
    (tmp_path / "nothing").mkdir()
    nothing = run(registry_app, ["migrate", str(tmp_path / "nothing")])
    assert (nothing.exit_code, "No registry.db" in nothing.output) == (2, True)
