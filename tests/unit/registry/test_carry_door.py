"""The other counters of the compliance room work through their door, on a year's end."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import insert

from registry.compliance.deciding import Decision
from registry.compliance.penalties import Case
from registry.compliance.penalty_rules import Price
from registry.compliance.risk import Guard, Market
from registry.compliance.schema import obligation_notices
from registry.institution import Registry
from tests.unit.registry.carry_world import CHECKER, MAKER, NOTICES_NS, World, at, refused


@pytest.fixture
def world(registry: Registry) -> World:
    made = World(registry)
    for code in "AB":
        made.add(code)
        made.give(code, "CEA23", 1_000, trading=True)
    return made


def test_carry_over_through_the_door_al_50(world: World) -> None:
    counter = world.registry.compliance.carry_over
    world.met_both("A")
    world.give("A", "CEA24", 500)
    assert [(one.entity, one.tonnes) for one in counter.give_notices(NOTICES_NS)] == [("A", 1_500)]
    first = counter.apply("A", "CEA24", 300, MAKER, NOTICES_NS)
    late = counter.apply("A", "CEA24", 200, MAKER, at(2026, 4, 1))
    with refused("over_the_limit"):
        counter.apply("A", "CEA24", 1_001, MAKER, NOTICES_NS)
    assert counter.overdue(20260401) == [first]
    assert counter.approve_round(CHECKER, at(2026, 3, 27), 1) == 300
    assert counter.decide([late], Decision("rejected", CHECKER, at(2026, 6, 20))) == 0
    assert counter.approve_round(CHECKER, at(2026, 6, 26)) == 0
    assert [one.status for one in counter.applications("A")] == ["approved", "rejected"]
    assert counter.standings(["A"])["A"].open_tonnes == 1_200
    world.sound()


def test_shortage_warning_penalty_disclosure_through_the_door(world: World, tmp_path: Path) -> None:
    room, a = world.registry.compliance, world.account["A"]
    world.deal(20241202, ("B", "A", 100, "CEA23", 9_700))
    world.oblige(2023, A=1_500)
    notice = {"entity": "A", "year": 2023, "line": 1, "version": 1, "verified_tonnes": 1_500}
    notice |= {"waived_tonnes": 0, "tonnes": 1_500, "notice_ns": 1}
    with world.registry.database.write() as tx:
        tx.execute(insert(obligation_notices), notice)
    market, december = Market({(a, "CEA23"): 50}), at(2024, 12, 10)
    assert room.watch.outlook(market, december).at_risk[0].short_tonnes == 400
    assert room.watch.warn(market, december).at_risk[0].cost_fen == 400 * 9_700
    assert [one.short_if_sold_tonnes for one in room.watch.warnings("42")] == [450]
    assert room.watch.guards() == [Guard("A", a, "CEA23", 1_100)]
    assert room.penalties.average_price(2023) == Price(970_000, 100)
    case, january = Case("A", "short_surrender", "case", 2023), at(2025, 1, 10)
    assert room.penalties.judge(case, january).assessment.most_fen == 10 * 9_700 * 1_500
    made = room.penalties.propose(case, MAKER, january)
    assert made.least_fen == made.fine_fen == 5 * 9_700 * 1_500
    done = room.penalties.decide(made.number, Decision("approved", CHECKER, january))
    assert room.penalties.found("A") == [done]
    told = room.disclosures.publish(2023, CHECKER, january)
    assert room.disclosures.published() == [told]
    assert room.disclosures.violations() == []
    assert room.disclosures.of_year(2023, january).annual.entities_short == 1
    assert len(room.disclosures.write(2023, january, tmp_path / "told", "csv")) == 4
    assert world.registry.violations() == []


def test_borrowing_through_the_door_al_24(world: World) -> None:
    counter, when = world.registry.compliance.borrowings, at(2023, 12, 1)
    world.oblige(2021, A=1_000)
    world.registry.monitoring.record_verified("A", 2022, 1_000, 30, when)
    with refused("final_missing"):
        counter.room("A", 2021)
    world.allocate(2021, A=600)
    assert counter.room("A", 2021).tonnes == 200
    number = counter.ask("A", 2021, 150, "hardship", MAKER, when)
    assert counter.room("A", 2021).tonnes == 50
    done = counter.decide(number, Decision("approved", CHECKER, when))
    assert counter.found("A") == [done]
    assert world.registry.compliance.deductions("A")[0].remaining_tonnes == 150
