"""Crashes on a real PostgreSQL server: a sample of the matrix of tests/recovery."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from registry.errors import UnavailableError
from registry.institution import Registry
from tests.unit.registry.crashing import Crash, Crasher, Evening, Office, dump, in_transit
from tests.unit.registry.postgres_schema import new_schema

SEED = 3  # with fees, disputed first
SAMPLE = 20  # crash points


@pytest.fixture
def make_url(postgres: str) -> Iterator[Callable[[], str]]:
    """Give URLs of empty schemas."""
    made = []

    def another() -> str:
        schema = new_schema(postgres)
        made.append(schema)
        return next(schema)

    yield another
    for schema in made:
        schema.close()


def played(url: str) -> Evening:
    with Registry.open(url) as registry:
        return Evening(registry, SEED)


def test_a_sample_of_crash_points_ends_in_the_same_books(make_url: Callable[[], str]) -> None:
    url = make_url()
    evening, counter = played(url), Crasher()
    evening.go_on(office := Office(url), evening.closed.fork(), counter)
    expected = dump(office.start())
    office.database.close()
    assert [row[1] for row in expected["days"]] == ["posted"]
    assert in_transit(expected) == 0
    for at in range(7, counter.passed, counter.passed // SAMPLE):
        url = make_url()
        evening = played(url)
        exchange, office = evening.closed.fork(), Office(url)
        with pytest.raises(Crash):
            evening.go_on(office, exchange, Crasher(at))
        evening.go_on(office, exchange, Crasher(), repeats=2)
        registry = office.start()
        assert registry.violations(exchange.state) == [], at
        assert dump(registry) == expected, at
        office.database.close()


def test_a_connection_lost_in_mid_transaction_is_unavailable_f30(postgres_url: str) -> None:
    with Registry.open(postgres_url) as registry, Registry.open(postgres_url) as other:
        registry.open_account("K1", "Plant 1")

        def cut() -> None:
            with registry.database.write() as tx:
                number = tx.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
                with other.database.read() as second:
                    second.exec_driver_sql(f"SELECT pg_terminate_backend({number})")
                tx.exec_driver_sql("INSERT INTO units VALUES (7, 'CEA99')")

        with pytest.raises(UnavailableError):
            cut()
        assert registry.vintages() == []  # and the next call has a new connection
        assert registry.violations() == []
