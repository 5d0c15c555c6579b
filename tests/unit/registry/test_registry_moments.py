"""The moment a transaction counts from: told by the caller, whatever the order of writing."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from engine.records import Kind
from registry import ledger
from registry.compliance import carry_limits
from registry.compliance.surrender import Wanted
from registry.errors import RefusalError
from registry.institution import Registry
from registry.ledger import Bucket
from registry.schema import REGISTRY_AVAILABLE, transactions
from registry.windows import last_ns, nanoseconds
from tests.unit.registry.carry_world import World, at
from tests.unit.registry.registry_venue import DATES, NOW_NS, Venue


@pytest.fixture
def world(registry: Registry) -> World:
    made = World(registry)
    for code in ("A", "B"):
        made.add(code)
    return made


def moments(registry: Registry, kind: str) -> list[int]:
    """Return when the transactions of a kind count from, in the order of writing."""
    t = transactions.c
    with registry.database.read() as tx:
        query = select(t.booked_ns).where(t.kind == kind).order_by(t.id)
        return list(tx.execute(query).scalars())


def test_the_caller_says_when(venue: Venue) -> None:
    registry = venue.registry
    registry.deposit(0, 5, NOW_NS, "a")
    assert moments(registry, "deposit")[-1] == NOW_NS
    registry.transfer_in(0, "CEA", 1, NOW_NS + 1)
    assert moments(registry, "transfer_in")[-1] == NOW_NS + 1
    venue.hand("cancel_voluntarily", account=0, vintage="CEA", qty_tonnes=5, document="d",
               purpose="voluntary")  # fmt: skip
    [decided] = moments(registry, "cancellation")
    with registry.database.read() as tx:
        assert ledger.last_transaction(tx) == len(tx.execute(select(transactions)).all())
    assert decided > 0


def test_what_the_exchange_did_counts_from_its_time(venue: Venue) -> None:
    registry = venue.registry
    registry.transfer_in(0, "CEA", 7)
    venue.instruct()
    command = venue.tape[-1][0][-1]
    assert moments(registry, "arrival")[-1] == int(command["time_ns"]) > 0
    venue.do(Kind.TRANSFER_OUT, account=0, instrument=0, qty_tonnes=3)
    assert moments(registry, "out") == [int(venue.tape[-1][0][-1]["time_ns"])]


def test_a_settlement_counts_from_the_end_of_its_day(venue: Venue) -> None:
    venue.trade(0, 1, 10)
    venue.close_day()
    venue.settle()
    end = nanoseconds(dt.date(2021, 7, 17), dt.time(0))
    assert moments(venue.registry, "settlement") == [end - 1] == [last_ns(DATES[0])]
    with pytest.raises(RefusalError, match="date_invalid"):
        last_ns(20210231)


def test_without_a_time_it_is_that_of_the_one_before(registry: Registry) -> None:
    registry.open_account("K1", "Plant 1")
    registry.issue("CEA", 0, 10)
    registry.deposit(0, 5, NOW_NS, "a")
    registry.issue("CEA", 0, 10)
    assert moments(registry, "issue") == [0, NOW_NS]


def test_balances_at_a_moment_do_not_go_by_the_order_of_writing(world: World) -> None:
    new_year = at(2026, 1, 1, 0)
    world.give("A", "CEA24", 1_000)
    values = {"account": world.account["A"], "vintage": "CEA24", "document": "letter"}
    for tonnes, when in ((100, new_year), (20, new_year - 1), (3, new_year + 1)):
        asked = world.registry.approvals.request(1, "issue", {**values, "qty_tonnes": tonnes}, when)
        world.registry.approvals.approve(asked.number, 2, asked.sha256, when)
    with world.registry.database.read() as tx:
        then = ledger.balances_before(new_year)
        rows = tx.execute(select(then).where(then.c.kind == REGISTRY_AVAILABLE)).all()
        now = ledger.balances(tx, (REGISTRY_AVAILABLE,))
        number = carry_limits.books_of(tx, dt.date(2025, 12, 31))
        assert number == ledger.last_transaction(tx) - 1, "the last that counts from that year"
    assert [int(row.balance) for row in rows] == [1_020]
    assert now == {Bucket(rows[0].account, rows[0].unit, REGISTRY_AVAILABLE): 1_123}


def test_a_decision_of_the_old_year_that_is_written_in_the_new_one_counts_al_52(
    world: World,
) -> None:
    """The position at the end of 2025 does not lose what was booked after a later transaction."""
    world.met_both("A", "B")
    world.give("A", "CEA24", 5_000)
    world.give("B", "CEA24", 8_000)
    registry = world.registry
    cash, goods = world.account["B"], {"account": world.account["A"], "vintage": "CEA24"}
    registry.deposit(cash, 5, at(2026, 1, 5))  # somebody else's, of the new year, came first
    values = {**goods, "qty_tonnes": 1_500, "purpose": "voluntary", "document": "letter"}
    old = at(2025, 12, 30)
    asked = registry.approvals.request(1, "cancel_voluntarily", values, old)
    registry.approvals.approve(asked.number, 2, asked.sha256, old)
    world.oblige(2022, B=500)
    registry.compliance.apply_many([Wanted("B", 2022, "CEA24", 500)], 7, at(2026, 1, 6))
    assert world.notices() == {"A": 3_500, "B": 8_000}
