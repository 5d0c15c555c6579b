"""Borrowing from the 2023 pre-allocation for 2021 and 2022, no other year (AL-24, AL-37)."""

from __future__ import annotations

import pytest

from registry.compliance import borrowing, deductions, standing, surrender
from registry.compliance.borrowing import Borrowing, Room
from registry.compliance.deciding import Decision
from registry.institution import Registry
from tests.unit.registry.carry_world import CHECKER, MAKER, World, at, refused

IN_TIME, DEADLINE = at(2023, 12, 31, 23, 59), at(2024, 1, 1, 0)


@pytest.fixture
def world(registry: Registry) -> World:
    """A owes 1,000 t of 2022 and has had 800; its 2023 early share is 700 t."""
    made = World(registry)
    made.add("A")
    made.oblige(2022, A=1_000)
    made.allocate(2022, A=800)
    registry.monitoring.record_verified("A", 2022, 1_000, 30, at(2023, 6, 1))
    return made


def ask(world: World, tonnes: int, year: int = 2022, at_ns: int = IN_TIME) -> int:
    with world.registry.database.write() as tx:
        return borrowing.ask(tx, "A", year, tonnes, "hardship 1", MAKER, at_ns)


def decide(world: World, number: int, verdict: str, person: int = CHECKER) -> Borrowing:
    with world.registry.database.write() as tx:
        return borrowing.decide(tx, number, Decision(verdict, person, DEADLINE, "seen"))


def test_half_of_the_deficit_goes_straight_into_the_surrender_al_24(world: World) -> None:
    done = decide(world, ask(world, 100), "approved")
    assert (done.status, done.application, done.deduction) == ("approved", 1, 1)
    held = world.holding("A", "CEA23")
    assert (held.surrendered, held.position) == (100, 0)  # never tradable
    with world.registry.database.read() as tx:
        stands = standing.find(tx, "A", 2022)
        owed = deductions.found(tx, "A")
        used = surrender.found(tx, "A")
    assert (stands.surrendered_tonnes, stands.in_time_tonnes) == (100, 100)
    assert [(one.from_year, one.grounds, one.remaining_tonnes) for one in owed] == [
        (2023, "borrowed", 100)
    ]
    assert [(one.origin, one.vintage, one.late) for one in used] == [("borrowed", "CEA23", 0)]
    world.sound()


def test_the_loan_may_complete_an_obligation(world: World) -> None:
    world.meet(2022, "CEA22", IN_TIME, A=900)
    assert world.registry.compliance.certificates("A") == []
    decide(world, ask(world, 100), "approved")
    found = world.registry.compliance.certificates("A")
    assert [(one.year, one.surrendered_tonnes, one.late) for one in found] == [(2022, 1_000, 0)]


@pytest.mark.parametrize(
    ("year", "tonnes", "at_ns", "code"),
    [
        (2022, 101, IN_TIME, "over_the_limit"),  # more than half of 200
        (2022, 0, IN_TIME, "tonnes_invalid"),
        (2022, 1.5, IN_TIME, "tonnes_invalid"),
        (2022, 100, DEADLINE, "deadline_passed"),
        (2021, 100, IN_TIME, "no_notice"),
        (2020, 100, IN_TIME, "no_borrowing"),
        (2023, 100, IN_TIME, "no_borrowing"),  # AL-37
        (2024, 100, IN_TIME, "no_borrowing"),  # AL-37
    ],
)
def test_what_may_not_be_borrowed(
    world: World, year: int, tonnes: int, at_ns: int, code: str
) -> None:
    with refused(code):
        ask(world, tonnes, year, at_ns)


def test_the_refusal_for_2023_and_2024_names_its_clause_al_37(world: World) -> None:
    with pytest.raises(Exception, match=r"AL-37.*no_borrowing"):
        ask(world, 1, 2023)


@pytest.mark.parametrize(
    ("due", "had", "most"),
    [
        (1_000, 901, 0),  # 9.9 %
        (1_000, 900, 50),  # 10 % exactly
        (1_001, 900, 50),  # half of 101, rounded down
        (1_000, 1_000, 0),
        (1_000, 2_000, 0),
        (0, 0, 0),
    ],
)
def test_a_deficit_of_a_tenth_entitles_al_24(due: int, had: int, most: int) -> None:
    assert Room(due, had, 0, 10**6, 10**6).tonnes == most


def test_the_early_share_and_the_debt_limit_it_too() -> None:
    assert Room(1_000, 0, 0, 400, 10**6).tonnes == 400
    assert Room(1_000, 0, 0, 700, 30).tonnes == 30
    assert Room(1_000, 0, 450, 700, 700).tonnes == 50


def test_requests_add_up_and_rejected_ones_do_not(world: World) -> None:
    first = ask(world, 60)
    with refused("over_the_limit"):
        ask(world, 41)
    second = ask(world, 40)
    decide(world, first, "rejected")
    decide(world, second, "approved")
    assert ask(world, 60) == 3
    with refused("over_the_limit"):
        ask(world, 1)
    world.sound()


def test_the_early_share_serves_both_years_together(world: World) -> None:
    world.oblige(2021, A=100_000)
    world.allocate(2021, A=50_000)
    with refused("over_the_limit"):
        ask(world, 701, 2021)
    ask(world, 650, 2021)
    with refused("over_the_limit"):
        ask(world, 51, 2022)
    assert ask(world, 50, 2022) == 2


def test_who_has_no_final_allocation_has_no_deficit_yet(world: World) -> None:
    world.oblige(2021, A=1_000)
    world.allocate(2021, "pre", A=700)
    with refused("final_missing"):
        ask(world, 10, 2021)


@pytest.mark.parametrize(
    ("verdict", "person", "code"),
    [
        ("approved", MAKER, "maker_is_checker"),
        ("rejected", MAKER, "maker_is_checker"),
        ("withdrawn", CHECKER, "not_the_maker"),
        ("perhaps", CHECKER, "verdict_invalid"),
    ],
)
def test_decisions_need_another_person(world: World, verdict: str, person: int, code: str) -> None:
    number = ask(world, 100)
    with refused(code):
        decide(world, number, verdict, person)
    with refused("unknown_borrowing"):
        decide(world, number + 1, "approved")
    decide(world, number, "withdrawn", MAKER)
    with refused("decided_before"):
        decide(world, number, "approved")
    assert world.holding("A", "CEA23").surrendered == 0


def test_a_loan_that_is_no_longer_needed_is_not_given(world: World) -> None:
    number = ask(world, 100)
    world.meet(2022, "CEA22", IN_TIME, A=950)
    with refused("over_the_limit"):
        decide(world, number, "approved")
