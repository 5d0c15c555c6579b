"""How much may be carried over: T from deals and the books' history (AL-50 … AL-53, AL-58)."""

from __future__ import annotations

from typing import Any

import pytest

from registry.compliance import surrender
from registry.compliance.carry_limits import Limit
from registry.institution import Registry
from tests.unit.registry.carry_world import MAKER, NOTICES_NS, World, at, refused


@pytest.fixture
def world(registry: Registry) -> World:
    made = World(registry)
    made.add("A")
    made.add("B")
    return made


def test_net_sales_raise_the_limit_up_to_the_position_e68(world: World) -> None:
    world.give("A", "CEA22", 150_000, trading=True)
    world.give("B", "CEA23", 50_000, trading=True)
    world.deal(20240102, ("A", "B", 100_000, "CEA22", 7_000), bulk=True)
    world.deal(20251231, ("B", "A", 40_000, "CEA23", 6_000))
    world.met_both("A", "B")
    assert world.holding("A", "CEA22").position == 50_000
    assert world.notices() == {"A": 90_000, "B": 10_000}


def test_who_bought_more_than_sold_has_the_base_e69(world: World) -> None:
    world.give("B", "CEA24", 50_000, trading=True)
    world.deal(20250610, ("B", "A", 50_000, "CEA24", 7_000))
    world.met_both("A")
    assert world.notices() == {"A": 10_000}


def test_a_small_position_is_the_limit_e70(world: World) -> None:
    world.give("A", "CEA21", 6_000)
    world.met_both("A")
    assert world.notices() == {"A": 6_000}


def test_half_a_tonne_of_the_formula_is_dropped_al_51() -> None:
    assert Limit("A", 1, 10_000, 4, 3, 10**6).tonnes == 10_001
    assert Limit("A", 1, 10_000, 3, 4, 10**6).tonnes == 10_000
    exact = Limit("A", 1, 10_000, 2**53 + 1, 0, 2**60)
    assert exact.tonnes == 10_000 + (3 * (2**53 + 1)) // 2


@pytest.mark.parametrize(
    ("date", "limit"),
    [(20231229, 10_000), (20240102, 40_000), (20251231, 40_000), (20260105, 10_000)],
)
def test_only_deals_of_the_two_years_count_e73(world: World, date: int, limit: int) -> None:
    world.give("A", "CEA21", 20_000, trading=True)
    world.give("A", "CEA22", 100_000)
    world.deal(date, ("A", "B", 20_000, "CEA21", 7_000))
    world.met_both("A")
    assert world.notices() == {"A": limit}


def test_the_2025_vintage_counts_neither_as_sold_nor_as_held_al_51(world: World) -> None:
    world.give("A", "CEA25", 500_000, trading=True)
    world.give("A", "CEA24", 30_000)
    world.deal(20251230, ("A", "B", 100_000, "CEA25", 7_000))
    world.met_both("A")
    assert world.notices() == {"A": 10_000}


def test_every_side_counts_and_what_waits_does_not_al_52(world: World) -> None:
    world.met_both("A")
    world.give("A", "CEA24", 500)
    world.give("A", "CEA21", 500)
    world.give("A", "CEA23", 2_000, trading=True)
    world.give("A", "CEA22", 4_000)
    court = {"account": world.account["A"], "vintage": "CEA22", "qty_tonnes": 4_000}
    registry = world.registry
    asked = registry.approvals.request(
        1, "freeze", {**court, "side": "registry", "document": "order 1"}, at(2025, 12, 1)
    )
    registry.approvals.approve(asked.number, 2, asked.sha256, at(2025, 12, 2))
    registry.transfer_in(world.account["A"], "CEA24", 300)  # on its way at the end of the year
    world.oblige(2022, A=500)
    with registry.database.write() as tx:
        wanted = [surrender.Wanted("A", 2022, "CEA21", 500)]
        assert not surrender.apply_many(tx, wanted, MAKER, at(2025, 12, 31, 23, 59), True).refused
    assert world.notices() == {"A": 6_500}


def test_the_position_is_that_of_the_last_minute_of_2025_al_52(world: World) -> None:
    world.met_both("A", "B")
    world.give("A", "CEA24", 5_000)
    world.give("B", "CEA24", 9_000, trading=True)
    values = {"account": world.account["A"], "vintage": "CEA24", "qty_tonnes": 1_000}
    values |= {"purpose": "voluntary", "document": "for the climate"}
    approvals = world.registry.approvals
    for end_ns in (at(2025, 12, 31, 23, 59), at(2026, 1, 1, 0, 0)):
        asked = approvals.request(1, "cancel_voluntarily", values, end_ns)
        approvals.approve(asked.number, 2, asked.sha256, end_ns)
    world.deal(20260105, ("B", "A", 9_000, "CEA24", 7_000))
    assert world.notices() == {"A": 4_000, "B": 9_000}


def test_what_was_written_later_and_counts_from_2025_is_in_the_position_al_52(world: World) -> None:
    """AL-52: the time of a transaction decides, not its place in the books."""
    world.met_both("A", "B")
    world.give("A", "CEA24", 9_000, trading=True)
    world.give("B", "CEA24", 5_000)
    world.deal(20260105, ("A", "B", 9_000, "CEA24", 7_000))
    values: dict[str, Any] = {"from_account": world.account["B"], "to_account": world.account["A"]}
    values |= {"vintage": "CEA24", "qty_tonnes": 1_000, "grounds": "merger"}
    values |= {"document": "contract 3", "provincial_approval": "Hubei 8"}
    asked = world.registry.approvals.request(1, "succeed", values, at(2025, 12, 30))
    world.registry.approvals.approve(asked.number, 2, asked.sha256, at(2025, 12, 31, 23, 59))
    assert world.notices() == {"A": 10_000, "B": 4_000}


def test_who_missed_or_was_late_has_no_notice_al_50(world: World) -> None:
    for code in "CDEF":
        world.add(code)
    for code in "ABCDEF":
        world.give(code, "CEA24", 100)
    world.oblige(2023, A=10, B=10, C=10, D=0)
    world.oblige(2024, A=10, B=10, C=10, D=10, E=10)
    world.meet(2023, "CEA23", at(2024, 12, 31, 23, 59), A=10, C=9)
    world.meet(2023, "CEA23", at(2025, 1, 1, 0, 0), B=10)  # late, in full
    world.meet(2023, "CEA23", at(2025, 1, 2), C=1)
    world.meet(2024, "CEA24", at(2025, 12, 31, 23, 59), A=10, B=10, C=10, D=10, E=9)
    assert world.notices() == {"A": 100, "D": 100}  # F had no obligation at all


def test_new_sectors_have_their_own_base_u18(world: World) -> None:
    world.add("S", "steel", "13")
    world.give("S", "CEA24", 150_000)
    world.give("S", "CEA23", 1_000, trading=True)
    world.deal(20250610, ("S", "A", 1_000, "CEA23", 7_000))
    world.oblige(2024, S=10)
    world.meet(2024, "CEA24", at(2025, 12, 1), S=10)
    assert world.notices() == {"S": 101_500}  # pooled over its vintages


def test_notices_are_given_once_in_their_time_al_54_u28(world: World) -> None:
    world.give("A", "CEA24", 100)
    world.give("B", "CEA24", 100)
    world.met_both("A")
    world.oblige(2023, B=10)
    world.oblige(2024, B=10)
    with refused("carry_over_early"):
        world.notices(at(2025, 12, 31, 23, 59))
    assert world.notices(at(2026, 1, 1, 0)) == {"A": 100}
    world.meet(2023, "CEA23", at(2024, 12, 1), B=10)
    world.meet(2024, "CEA24", at(2025, 12, 1), B=10)
    assert world.notices(at(2026, 6, 2)) == {"B": 100}  # a further batch, same limits
    assert world.notices(at(2026, 6, 10, 23, 59)) == {}
    with refused("carry_over_closed"):
        world.notices(at(2026, 6, 11, 0))
    told = [one.sentence for one in world.registry.notices(world.account["A"])]
    assert sum("carry over 100 t" in one for one in told) == 1


def test_an_unposted_day_of_the_two_years_waits(world: World) -> None:
    world.give("A", "CEA24", 100)
    world.met_both("A")
    file = world._file(20251231, [], False)
    world.registry.clear(file)
    with refused("day_not_posted"):
        world.notices()
    world.registry.post(20251231, file.tag)
    assert world.notices(NOTICES_NS) == {"A": 100}
