"""Applications for carry-over, their decisions and the conversion (AL-54 … AL-57, I11)."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, update
from sqlalchemy.exc import DBAPIError

from registry.compliance import carry_deciding, carry_over, surrender
from registry.compliance.carry_schema import carry_applications, carry_notices
from registry.institution import Registry
from tests.unit.registry.carry_world import CHECKER, MAKER, NOTICES_NS, World, at, refused

ROUND_1, ROUND_2 = at(2026, 3, 20, 23, 59), at(2026, 3, 21, 0)


@pytest.fixture
def world(registry: Registry) -> World:
    """A has T = 10,000 of 12,000 t, B nothing."""
    made = World(registry)
    made.add("A")
    made.add("B")
    made.met_both("A")
    made.give("A", "CEA23", 8_000)
    made.give("A", "CEA24", 4_000, trading=True)
    assert made.notices() == {"A": 10_000}
    return made


def codes(done: surrender.Applied) -> list[tuple[int, str]]:
    return [(row.row, row.code) for row in done.refused]


def test_carried_over_tonnes_become_2025_one_for_one_i11(world: World) -> None:
    done = world.carry(("A", "CEA23", 3_000), ("A", "CEA23", 1_500))
    assert done == surrender.Applied((1, 2), ())
    held = world.holding("A", "CEA23")
    assert (held.registry_available, held.pending, held.recovered) == (3_500, 4_500, 0)
    assert world.decide(1, 2) == 4_500
    held = world.holding("A", "CEA23")
    assert (held.registry_available, held.pending, held.recovered) == (3_500, 0, 4_500)
    assert world.holding("A", "CEA25").registry_available == 4_500
    with world.registry.database.read() as tx:
        first = carry_deciding.found(tx, "A")[0]
        where = carry_over.standings(tx)["A"]
    assert (first.status, first.vintage, first.due, first.checker) == (
        *("approved", "CEA23", 20260327),
        CHECKER,
    )
    assert first.txn_done is not None
    assert first.txn_converted == first.txn_done + 1
    assert (where.carried_tonnes, where.pending_tonnes, where.open_tonnes) == (4_500, 0, 5_500)
    world.sound()


def test_stock_on_the_trading_side_is_transferred_out_first_e74(world: World) -> None:
    assert codes(world.carry(("A", "CEA24", 1))) == [(1, "transfer_out_first")]
    done = world.carry(("A", "CEA23", 8_001), ("A", "CEA24", 4_001))
    assert codes(done) == [(1, "insufficient_holding"), (2, "insufficient_holding")]
    assert world.holding("A", "CEA24").trading_available == 4_000
    world.sound()


def test_applications_may_be_repeated_up_to_the_limit_al_54(world: World) -> None:
    world.give("A", "CEA22", 9_000)  # given later: it does not raise the limit
    assert world.carry(("A", "CEA23", 6_000)).numbers == (1,)
    assert codes(world.carry(("A", "CEA22", 4_001))) == [(1, "over_the_limit")]
    assert world.carry(("A", "CEA22", 4_000)).numbers == (2,)
    assert codes(world.carry(("A", "CEA22", 1))) == [(1, "over_the_limit")]
    world.decide(1)
    assert codes(world.carry(("A", "CEA22", 1))) == [(1, "over_the_limit")]
    world.decide(2, verdict="rejected")
    assert world.carry(("A", "CEA22", 4_000)).numbers == (3,)
    world.sound()


def test_rows_of_one_call_count_together(world: World) -> None:
    done = world.carry(("A", "CEA23", 5_000), ("A", "CEA23", 4_000), ("A", "CEA23", 3_000))
    assert (done.numbers, codes(done)) == ((1, 2), [(2, "insufficient_holding")])
    world.give("A", "CEA22", 9_000)
    done = world.carry(("A", "CEA22", 1_500), ("A", "CEA22", 600), ("A", "CEA22", 500))
    assert (done.numbers, codes(done)) == ((3, 4), [(2, "over_the_limit")])


def test_strict_takes_all_or_none(world: World) -> None:
    done = world.carry(("A", "CEA23", 1), ("B", "CEA23", 1), strict=True)
    assert (done.numbers, codes(done)) == ((), [(2, "no_notice")])
    assert world.holding("A", "CEA23").pending == 0


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("B", "CEA23", 1), "no_notice"),  # AL-50
        (("nobody", "CEA23", 1), "no_notice"),
        (("A", "CEA25", 1), "vintage_not_eligible"),
        (("A", "CEA22", 1), "vintage_not_eligible"),  # never issued
        (("A", "CEA23", 0), "tonnes_invalid"),
        (("A", "CEA23", -1), "tonnes_invalid"),
        (("A", "CEA23", 1.5), "tonnes_invalid"),
        (("A", "CEA23", True), "tonnes_invalid"),
        (("A", "CEA23", 10_001), "over_the_limit"),
        (("A", "CEA23", 1, "a court's release"), "fields_invalid"),
    ],
)
def test_what_cannot_be_carried_over_is_refused(
    world: World, row: tuple[object, ...], code: str
) -> None:
    assert codes(world.carry(row)) == [(1, code)]
    world.sound()


def test_the_window_ends_on_the_tenth_of_june_al_54(world: World) -> None:
    """CA-06, AL-54: the banking calendar."""
    assert codes(world.carry(("A", "CEA23", 1), at_ns=at(2025, 12, 31, 23, 59))) == [
        (1, "carry_over_early")
    ]
    assert world.carry(("A", "CEA23", 1), at_ns=at(2026, 6, 10, 23, 59)).numbers == (1,)
    late = world.carry(("A", "CEA23", 1), at_ns=at(2026, 6, 11, 0))
    assert codes(late) == [(1, "carry_over_closed")]


def test_rounds_are_by_the_day_of_the_application_al_55(world: World) -> None:
    world.carry(("A", "CEA23", 1), at_ns=ROUND_1)
    world.carry(("A", "CEA23", 2), at_ns=ROUND_2)
    with world.registry.database.read() as tx:
        assert [one.due for one in carry_deciding.found(tx)] == [20260327, 20260626]
        assert carry_deciding.waiting(tx, 1) == [1]
        assert carry_deciding.waiting(tx, 2) == carry_deciding.waiting(tx) == [1, 2]
        assert carry_deciding.overdue(tx, 20260327) == []
        assert carry_deciding.overdue(tx, 20260328) == [1]
        with refused("round_invalid"):
            carry_deciding.waiting(tx, 3)


def test_rejected_and_withdrawn_tonnes_are_free_again(world: World) -> None:
    world.carry(("A", "CEA23", 100), ("A", "CEA23", 200))
    assert world.decide(1, verdict="rejected") == 0
    assert world.decide(2, verdict="withdrawn", person=MAKER) == 0
    held = world.holding("A", "CEA23")
    assert (held.registry_available, held.pending) == (8_000, 0)
    assert world.holding("A", "CEA25").position == 0
    world.sound()


@pytest.mark.parametrize(
    ("numbers", "verdict", "person", "code"),
    [
        ((1,), "approved", MAKER, "maker_is_checker"),
        ((1,), "rejected", MAKER, "maker_is_checker"),
        ((1,), "withdrawn", CHECKER, "not_the_maker"),
        ((1, 3), "approved", CHECKER, "unknown_application"),
        ((1, 1), "approved", CHECKER, "application_twice"),
        ((1, 2), "approved", CHECKER, "decided_before"),
        ((1,), "perhaps", CHECKER, "verdict_invalid"),
        ((1,), "approved", 0, "person_invalid"),
    ],
)
def test_decisions_that_cannot_be(
    world: World, numbers: tuple[int, ...], verdict: str, person: int, code: str
) -> None:
    world.carry(("A", "CEA23", 100), ("A", "CEA23", 100))
    world.decide(2)
    with refused(code):
        world.decide(*numbers, verdict=verdict, person=person)
    assert world.holding("A", "CEA23").pending == 100
    world.sound()


def test_what_a_court_had_frozen_follows_after_its_release_al_57(world: World) -> None:
    approvals = world.registry.approvals
    court = {"account": world.account["A"], "vintage": "CEA23", "side": "registry"}

    def order(word: str, tonnes: int, at_ns: int) -> None:
        values = {**court, "qty_tonnes": tonnes, "document": word}
        asked = approvals.request(1, word, values, at_ns)
        approvals.approve(asked.number, 2, asked.sha256, at_ns)

    order("freeze", 5_000, at(2026, 2, 1))
    order("release", 1_000, at(2026, 6, 10))  # in time: no reason to come late
    assert codes(world.carry(("A", "CEA23", 4_001), at_ns=at(2026, 6, 10))) == [
        (1, "insufficient_holding")
    ]
    order("release", 3_000, at(2026, 7, 1))
    july = at(2026, 7, 2)
    assert codes(world.carry(("A", "CEA23", 1), at_ns=july)) == [(1, "carry_over_closed")]
    paper = "release 12 of 2026"
    done = world.carry(
        ("A", "CEA23", 2_000, paper), ("A", "CEA23", 1_001, paper), at_ns=july, strict=False
    )
    assert (done.numbers, codes(done)) == ((1,), [(2, "not_released")])
    assert world.decide(1, at_ns=at(2026, 7, 9)) == 2_000
    assert codes(world.carry(("A", "CEA23", 1_001, paper), at_ns=july)) == [(1, "not_released")]
    assert world.carry(("A", "CEA23", 1_000, paper), at_ns=july).numbers == (2,)
    with world.registry.database.read() as tx:
        assert [(one.late, one.due) for one in carry_deciding.found(tx)] == [(1, 0), (1, 0)]
    world.sound()


def test_what_was_not_carried_over_serves_arrears_and_trade_only_e75(world: World) -> None:
    world.carry(("A", "CEA23", 8_000))
    world.decide(1)
    world.oblige(2025, A=100)
    world.oblige(2022, A=50)
    world.give("A", "CEA24", 100)
    with world.registry.database.write() as tx:
        wanted = [
            surrender.Wanted("A", 2025, "CEA24", 100),
            surrender.Wanted("A", 2025, "CEA25", 100),
            surrender.Wanted("A", 2022, "CEA24", 50),
        ]
        done = surrender.apply_many(tx, wanted, MAKER, at(2026, 10, 10), False)
    assert codes(done) == [(1, "vintage_not_eligible")]
    assert len(done.numbers) == 2
    world.deal(20261012, ("A", "B", 4_000, "CEA24", 5_000))
    world.sound()


STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("apply"),
            st.sampled_from(["CEA23", "CEA22", "CEA24"]),
            st.integers(-1, 9_000),
        ),
        st.tuples(st.just("approved"), st.integers(1, 8), st.just(0)),
        st.tuples(st.just("rejected"), st.integers(1, 8), st.just(0)),
    ),
    max_size=12,
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_nobody_ever_carries_more_than_the_limit_i11(
    steps: list[tuple[str, str | int, int]],
) -> None:
    with Registry.open("sqlite://") as registry:
        world = World(registry)
        world.add("A")
        world.met_both("A")
        world.give("A", "CEA23", 8_000)
        world.give("A", "CEA22", 6_000)
        limit = world.notices()["A"]
        for word, what, tonnes in steps:
            if word == "apply":
                world.carry(("A", what, tonnes))
            else:
                with registry.database.read() as tx:
                    waits = carry_deciding.waiting(tx)
                if what in waits:
                    world.decide(int(what), verdict=word)
            held = [world.holding("A", code) for code in ("CEA22", "CEA23")]
            gone = sum(one.recovered for one in held)
            assert gone + sum(one.pending for one in held) <= limit
            assert world.holding("A", "CEA25").registry_available == gone
            world.sound()


def test_hundreds_are_noticed_and_converted_in_few_statements(url: str) -> None:
    count = 400
    names = [f"E{n:05d}" for n in range(count)]
    with Registry.open(url) as registry:
        world = World(registry)
        world.add_many([(name, name, "42", "power") for name in names])
        world.met_both(*names)
        registry.issue_many([("CEA24", world.account[name], 500) for name in names])
        statements: list[str] = []
        event.listen(
            registry.database.engine,
            "before_cursor_execute",
            lambda *given: statements.append(given[2]),
        )
        assert len(world.notices()) == count
        done = world.carry(*((name, "CEA24", 400) for name in names), at_ns=NOTICES_NS)
        assert len(done.numbers) == count
        assert world.decide(*done.numbers) == 400 * count
        assert len(statements) < 60  # and none of them grows with the entities
        with registry.database.read() as tx:
            assert carry_deciding.violations(tx) == []


def test_an_impossible_row_never_gets_into_the_books(world: World) -> None:
    world.carry(("A", "CEA23", 100))
    c = carry_applications.c
    for values in (
        {"status": "approved", "checker": MAKER, "decided_ns": 1, "txn_done": 1},
        {"late": 1},
        {"tonnes": 0},
    ):
        with pytest.raises(DBAPIError), world.registry.database.write() as tx:
            tx.execute(update(carry_applications).where(c.id == 1).values(values))
    with pytest.raises(DBAPIError), world.registry.database.write() as tx:
        tx.execute(update(carry_notices).values(limit_tonnes=1))
