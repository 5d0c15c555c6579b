"""What the registry demands of its database, and what the database refuses by itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Table, delete, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from engine.records import Kind
from registry import database, offices, schema
from registry.database import Database
from registry.errors import RefusalError, StopError, UnavailableError
from registry.institution import Registry
from tests.unit.registry import old_books
from tests.unit.registry.registry_venue import DATES, NOW_NS, Venue


@pytest.mark.parametrize("bad", ["", "nonsense", "mysql://localhost/books", "sqlite+aiosqlite://"])
def test_urls_that_are_not_ours_are_refused(bad: str) -> None:
    with pytest.raises(RefusalError) as caught:
        Registry.open(bad)
    assert caught.value.code == "database_url"


def test_a_database_out_of_reach_is_unavailable_f30(tmp_path: Path) -> None:
    for url in (
        f"sqlite:///{tmp_path}/no/such/directory/registry.db",
        "postgresql://nobody@127.0.0.1:1/nothing?connect_timeout=2",
    ):
        with pytest.raises(UnavailableError) as caught:
            Registry.open(url)
        assert caught.value.code == "registry_unavailable"


def test_books_outlive_the_process(url: str) -> None:
    with Registry.open(url) as first:
        first.open_account("K1", "Plant 1")
        first.issue("CEA", 0, 7)
    with Registry.open(url) as second:
        assert second.account(0).name == "Plant 1"
        assert second.balances(0).holdings["CEA"].registry_available == 7
        assert second.vintages() == ["CEA"]
        assert second.violations() == []


def test_books_in_memory_are_possible_when_asked_for() -> None:
    with Registry.open("sqlite://") as registry:
        assert registry.open_account("K1", "Plant 1") == 0
        assert registry.violations() == []


def test_sqlite_settings_are_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"

    def careless(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    monkeypatch.setattr(database, "_prepare_sqlite", careless)
    with pytest.raises(StopError) as caught:
        Registry.open(url)
    assert caught.value.code == "database_unsafe"
    assert "synchronous = 1" in caught.value.sentence
    assert "foreign_keys = 0" in caught.value.sentence
    assert "journal_mode" not in caught.value.sentence


def test_postgresql_settings_are_read_back(postgres_url: str) -> None:
    with pytest.raises(StopError) as caught:
        Registry.open(postgres_url + "%20-csynchronous_commit%3Doff")
    assert caught.value.code == "database_unsafe"
    assert caught.value.sentence.endswith(": synchronous_commit = off.")


def test_a_damaged_file_stops_the_start(tmp_path: Path) -> None:
    path = tmp_path / "registry.db"
    with Registry.open(f"sqlite:///{path}") as registry:
        registry.open_accounts([(f"K{n}", f"Plant {n}") for n in range(500)])
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    raw.close()
    sound = path.read_bytes()
    damaged = bytearray(sound)
    page = 4096
    damaged[len(sound) // 2 // page * page :][:page] = b""
    for place in range(3, len(sound) // page):
        damaged[place * page + 100 : place * page + 300] = b"\xff" * 200
    path.write_bytes(damaged)
    with pytest.raises(StopError) as caught:
        Registry.open(f"sqlite:///{path}")
    assert caught.value.code == "database_damaged"
    path.write_bytes(b"this is a letter, not a database" * 200)
    with pytest.raises(StopError) as caught:
        Registry.open(f"sqlite:///{path}")
    assert caught.value.code == "database_damaged"


def test_another_format_stops_the_start(url: str) -> None:
    with Registry.open(url) as registry, registry.database.write() as tx:
        tx.execute(update(schema.formats).values(format=schema.FORMAT + 1))
    with pytest.raises(StopError) as caught:
        Registry.open(url)
    assert caught.value.code == "schema_format"


def test_books_of_the_format_before_are_upgraded(url: str) -> None:
    """They know no obligations and no requests before; everything else stays as it was."""
    old_books.make(url, old_books.FIRST_ROWS, schema.FORMAT - 1)
    with Registry.open(url) as registry:
        assert registry.open_account("K1", "Plant 1") == 0
        registry.deposit(0, 5, NOW_NS, "a")
        assert registry.deposit(0, 5, NOW_NS, "a") == 2
        with (
            pytest.raises(DBAPIError, match="append only"),
            registry.database.write() as tx,
        ):
            tx.execute(delete(offices.asked))


WRITTEN_ONCE = (*schema.APPEND_ONLY, *offices.APPEND_ONLY)


@pytest.mark.parametrize("table", WRITTEN_ONCE, ids=lambda table: str(table.name))
def test_what_is_written_stays_written_rg_17(venue: Venue, table: Table) -> None:
    trade = venue.trade(0, 1, 10)[1]
    venue.trade(0, 1, 10)
    venue.do(Kind.VOID_TRADE, ref=trade["trade_no"], operator=1, checker=2)
    venue.do(Kind.TRANSFER_OUT, account=2, instrument=0, qty_tonnes=5, client_order_id=b"o")
    asked = venue.ask("issue", account=0, vintage="CEA", qty_tonnes=1, document="d")
    with pytest.raises(RefusalError, match="maker_is_checker"):
        venue.registry.approvals.approve(asked.number, asked.maker, asked.sha256, 1)
    venue.approve(asked)
    venue.close_day()
    venue.settle()
    venue.registry.object(0, DATES[0], "I sold less.", 1)
    with venue.registry.database.read() as tx:
        assert tx.execute(select(table)).first() is not None
    for statement in (delete(table), update(table).values({table.c[0].name: table.c[0] + 1})):
        with (
            pytest.raises(DBAPIError, match="append only"),
            venue.registry.database.write() as tx,
        ):
            tx.execute(statement)
    venue.sound()


def test_the_database_itself_refuses_less_than_nothing(venue: Venue) -> None:
    for kind in (schema.CASH, schema.TRADING_AVAILABLE, schema.REGISTRY_AVAILABLE):
        mine = (schema.buckets.c.kind == kind) & (schema.buckets.c.account == 7)
        with pytest.raises(IntegrityError), venue.registry.database.write() as tx:
            tx.execute(update(schema.buckets).where(mine).values(balance=-1))
    venue.sound()


def test_an_entry_cannot_mix_units(venue: Venue) -> None:
    entry = {
        "txn": 1,
        "line": 999,
        "unit": 1,
        "debit_account": 7,
        "debit_kind": schema.CASH,  # there is no cash in tonnes
        "credit_account": 8,
        "credit_kind": schema.TRADING_AVAILABLE,
        "amount": 5,
    }
    with pytest.raises(IntegrityError), venue.registry.database.write() as tx:
        tx.execute(insert(schema.entries), entry)
    with pytest.raises(IntegrityError), venue.registry.database.write() as tx:
        tx.execute(insert(schema.entries), {**entry, "amount": 0, "debit_kind": "in_transit"})


def test_a_write_that_fails_leaves_nothing(url: str) -> None:
    with Registry.open(url) as registry:
        registry.open_accounts([("K1", "Plant 1"), ("K2", "Plant 2")])
        registry.issue("CEA", 0, 10)
        with pytest.raises(RefusalError):
            registry.transfer_in_many([(0, "CEA", 4), (1, "CEA", 1)])
        with pytest.raises(RefusalError):
            registry.issue_many([("CEA21", 0, 1), ("CEA21", 7, 1)])
        assert registry.vintages() == ["CEA"]
        assert registry.balances(0).holdings["CEA"].registry_available == 10
        assert registry.violations() == []


def test_sqlite_has_one_writer_and_readers_beside_it(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    with Registry.open(url) as one, Registry.open(url) as two:
        one.open_account("K1", "Plant 1")
        with one.database.write() as tx:
            tx.execute(insert(schema.units), {"id": 9, "code": "CEA99"})
            assert two.vintages() == []  # a reader sees the last commit and does not wait
        assert two.vintages() == ["CEA99"]
        with one.database.write():  # the right to write is taken at the beginning
            third = sqlite3.connect(tmp_path / "registry.db", timeout=0, isolation_level=None)
            with pytest.raises(sqlite3.OperationalError, match="locked"):
                third.execute("BEGIN IMMEDIATE")
            third.close()


def test_postgresql_has_one_writer(postgres_url: str) -> None:
    first, second = Database(postgres_url), Database(postgres_url)
    with first.write(), second.read() as tx:
        free = tx.execute(text(f"SELECT pg_try_advisory_xact_lock({database.WRITER_LOCK})"))
        assert free.scalar_one() is False
    first.close()
    second.close()
