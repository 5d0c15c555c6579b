"""Penalties where dates decide: of the fact, of the decision, of a correction (CP-60 … CP-63)."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import insert

from registry.compliance import penalties, penalty_rules
from registry.compliance.deciding import Decision
from registry.compliance.penalties import Case, Penalty
from registry.compliance.penalty_rules import Price, rule_of
from registry.compliance.schema import obligation_notices
from registry.errors import RefusalError
from registry.institution import Registry
from tests.unit.registry.carry_world import CHECKER, MAKER, World, at, refused

YUAN, MILLION = 100, 100_000_000
JANUARY = at(2025, 1, 15)


@pytest.fixture
def world(registry: Registry) -> World:
    """A owes 1,000 t of 2023 and has surrendered 900 in time; December 2024 averages 90.00."""
    made = World(registry)
    made.add("A")
    made.add("B")
    made.give("B", "CEA23", 50_000, trading=True)
    made.deal(20241210, ("B", "A", 10, "CEA23", 9_000))
    oblige(made, 1, 1_000, at(2024, 11, 1))
    made.meet(2023, "CEA23", at(2024, 12, 30), A=900)
    return made


def oblige(world: World, line: int, tonnes: int, notice_ns: int) -> None:
    """Let A be told what it owes for 2023, in the notice of that line."""
    if line == 1:
        world.oblige(2023, A=tonnes)
    with world.registry.database.write() as tx:
        row = {"entity": "A", "year": 2023, "line": line, "version": line, "waived_tonnes": 0}
        row |= {"verified_tonnes": tonnes, "tonnes": tonnes, "notice_ns": notice_ns}
        tx.execute(insert(obligation_notices), row)
        tx.exec_driver_sql(
            f"UPDATE obligations SET version = {line}, verified_tonnes = {tonnes},"
            f" tonnes = {tonnes}, ccer_max_tonnes = {tonnes // 20} WHERE entity = 'A'"
        )


def short(world: World) -> int:
    with world.registry.database.read() as tx:
        return penalties.short_at_deadline(tx, "A", 2023)


def propose(
    world: World,
    at_ns: int = JANUARY,
    offence: str = "short_surrender",
    year: int = 2023,
    regime_by: str = "decision",
) -> int:
    case = Case("A", offence, "case 1", year, regime_by=regime_by)
    with world.registry.database.write() as tx:
        return penalties.propose(tx, case, MAKER, at_ns)


def decide(world: World, number: int, at_ns: int) -> Penalty:
    with world.registry.database.write() as tx:
        return penalties.decide(tx, number, Decision("approved", CHECKER, at_ns, "heard"))


def test_what_a_correction_adds_later_is_short_only_while_it_is_missing_cp_61(
    world: World,
) -> None:
    """RG-18, CP-41: nobody can apply in time for what he learns of after the deadline."""
    assert short(world) == 100
    oblige(world, 2, 1_050, at(2025, 3, 1))
    assert short(world) == 150  # 100 at the deadline, 50 asked for since and not there
    world.meet(2023, "CEA23", at(2025, 3, 10), A=100)
    assert short(world) == 150
    world.meet(2023, "CEA23", at(2025, 3, 11), A=50)
    assert short(world) == 100


def test_what_a_correction_takes_away_was_never_short_cp_61(world: World) -> None:
    oblige(world, 2, 940, at(2025, 3, 1))
    assert short(world) == 40
    oblige(world, 3, 890, at(2025, 4, 1))
    assert short(world) == 0


def test_a_correction_before_the_deadline_counts_in_full_cp_61(world: World) -> None:
    oblige(world, 2, 1_050, at(2024, 12, 31, 23, 59))
    world.meet(2023, "CEA23", at(2025, 3, 10), A=150)
    assert short(world) == 150


def test_who_was_told_only_after_the_deadline_is_judged_by_the_first_notice(world: World) -> None:
    world.oblige(2022, A=70)
    with world.registry.database.read() as tx:
        assert penalties.short_at_deadline(tx, "A", 2022) == 70


def test_the_regime_of_the_decision_is_not_that_of_the_proposal_u20(world: World) -> None:
    """CP-61, CP-62: proposed the day before the Code, decided on its first day."""
    number = propose(world, at(2026, 8, 14))
    with refused("regime_changed"):
        decide(world, number, at(2026, 8, 15, 0))
    assert decide(world, number, at(2026, 8, 14, 23, 59)).regime == "order_775"


def test_the_regime_of_the_deadline_stays_whenever_it_is_decided_u20(world: World) -> None:
    """U20: a shortage of the deadline 2024-12-31, fined under the Code's time by Order 775."""
    number = propose(world, at(2026, 9, 1), regime_by="deadline")
    assert decide(world, number, at(2026, 9, 9)).least_fen == 5 * 9_000 * 100


def test_no_quantity_is_cut_by_decisions_since_the_code_cp_62(world: World) -> None:
    """CP-62: no new deductions for short surrender, whatever regime the shortage falls under."""
    decide(world, propose(world), JANUARY)
    refusal = "short_surrender_refused"
    number = propose(world, at(2026, 8, 14), refusal)
    with refused("no_rule"):
        propose(world, at(2026, 8, 15, 0), refusal, regime_by="deadline")
    done = decide(world, number, at(2026, 8, 14, 23))
    assert (done.cut_tonnes, done.cut_year) == (100, 2024)  # earlier decisions are executed
    old = rule_of("short_surrender", dt.date(2024, 4, 30))
    assert penalty_rules.as_decided(old, dt.date(2026, 8, 14)).cut == "missing"
    assert penalty_rules.as_decided(old, dt.date(2026, 8, 15)).cut == ""


def test_nobody_is_cut_for_tonnes_that_came_before_the_decision_cp_61(world: World) -> None:
    decide(world, propose(world), JANUARY)
    number = propose(world, at(2025, 3, 1), "short_surrender_refused")
    world.meet(2023, "CEA23", at(2025, 3, 2), A=30)
    with refused("facts_changed"):
        decide(world, number, at(2025, 3, 3))
    with world.registry.database.write() as tx:
        penalties.decide(tx, number, Decision("rejected", CHECKER, at(2025, 3, 3), "paid in part"))
    again = propose(world, at(2025, 3, 4), "short_surrender_refused")
    done = decide(world, again, at(2025, 3, 5))
    assert done.cut_tonnes == 70


@pytest.mark.parametrize(
    ("year", "cut_year"), [(2019, 2021), (2020, 2021), (2021, 2023), (2022, 2023)]
)
def test_order_19_cuts_the_year_after_those_cleared_together_cp_60(
    world: World, year: int, cut_year: int
) -> None:
    """CP-60, AL-14, AL-25: equal deduction from the next allocation, which is not of the pair."""
    world.oblige(year, A=500)
    done = decide(world, propose(world, at(2024, 4, 30), year=year), at(2024, 4, 30, 23, 59))
    assert (done.least_fen, done.most_fen) == (20_000 * YUAN, 30_000 * YUAN)
    assert (done.cut_tonnes, done.cut_year, done.regime) == (500, cut_year, "order_19")


def test_the_first_and_the_last_moment_of_each_regime(world: World) -> None:
    """CP-60, CP-61, CP-62: the days 2024-04-30, 2024-05-01, 2026-08-14, 2026-08-15."""
    world.oblige(2022, A=500)
    world.give("B", "CEA22", 10, trading=True)
    case = Case("A", "short_surrender", "x", 2022, regime_by="decision")
    ends = (at(2024, 4, 30, 23, 59), at(2026, 8, 15, 0))
    with world.registry.database.read() as tx:
        found = [penalties.judge(tx, case, moment).rule.regime for moment in ends]
        with refused("no_average_price"):  # nothing was dealt in December 2023
            penalties.judge(tx, case, at(2024, 5, 1, 0))
        late = Case("A", "short_surrender", "x", 2023)
        assert penalties.judge(tx, late, at(2026, 8, 14, 23, 59)).rule.regime == "order_775"
    assert found == ["order_19", "code"]


def test_false_data_under_order_19_cost_10_to_30_thousand_cp_60() -> None:
    """CP-60: false or refused reporting until 2024-04-30."""
    for offence in ("reporting", "false_data"):
        rule = rule_of(offence, dt.date(2024, 4, 30))
        assert (rule.clause, rule.fixed_fen) == ("CP-60", (10_000 * YUAN, 30_000 * YUAN))
    assert rule_of("false_data", dt.date(2024, 5, 1)).clause == "CP-64"


@pytest.mark.parametrize(
    ("date", "counts"), [(20241129, False), (20241202, True), (20241231, True), (20250102, False)]
)
def test_the_month_of_the_price_is_december_cp_63(
    registry: Registry, date: int, counts: bool
) -> None:
    """CP-63, U19: 1–31 December for a deadline of 31 December, from the venue's own deals."""
    made = World(registry)
    made.add("A")
    made.add("B")
    made.give("B", "CEA23", 10, trading=True)
    made.deal(date, ("B", "A", 10, "CEA23", 9_001))
    with registry.database.read() as tx:
        assert penalties.average_price(tx, 2023) == (Price(90_010, 10) if counts else None)


def test_the_price_waits_for_every_day_of_the_month_cp_63(world: World) -> None:
    file = world._file(20241231, [], False)
    world.registry.clear(file)
    with refused("day_not_posted"):
        propose(world)
    world.registry.post(20241231, file.tag)
    assert propose(world) == 1


def test_a_limit_is_not_over_before_the_deadline_of_17_oclock_cp_41(world: World) -> None:
    """AL-14, CP-41, CP-60: 2019 and 2020 may be judged from 2021-12-31 17:00 on."""
    world.oblige(2020, A=500)
    with refused("not_due"):
        propose(world, at(2021, 12, 31, 16, 59), year=2020)
    assert propose(world, at(2021, 12, 31, 17), year=2020) == 1


def test_a_refusal_is_judged_after_the_limit_cp_61(world: World) -> None:
    """CP-61, CP-62: order to correct within a time limit; then, and not before, the next step."""
    limit = at(2025, 2, 15, 0)
    case = Case("A", "short_surrender", "case 1", 2023, limit_ns=limit)
    with world.registry.database.write() as tx:
        first = penalties.propose(tx, case, MAKER, JANUARY)
    assert decide(world, first, JANUARY).limit_ns == limit
    refusal = "short_surrender_refused"
    with pytest.raises(RefusalError, match=r"until 2025-02-14 23:59 \(CP-61\).*limit_running"):
        propose(world, limit - 1, refusal)
    done = decide(world, propose(world, limit, refusal), limit)
    assert (done.cut_tonnes, done.limit_ns) == (100, 0)


def test_who_corrects_within_the_limit_is_not_cut_cp_61(world: World) -> None:
    case = Case("A", "short_surrender", "case 1", 2023, limit_ns=at(2025, 2, 15, 0))
    with world.registry.database.write() as tx:
        decided = penalties.propose(tx, case, MAKER, JANUARY)
    decide(world, decided, JANUARY)
    world.meet(2023, "CEA23", at(2025, 2, 14), A=100)
    with refused("nothing_short"):
        propose(world, at(2025, 2, 15, 0), "short_surrender_refused")


@pytest.mark.parametrize(
    ("offence", "limit_ns"),
    [
        ("short_surrender", JANUARY),
        ("short_surrender", -1),
        ("short_surrender", 1.5),
        ("obstruction", JANUARY + 1),
    ],
)
def test_limits_that_cannot_be(world: World, offence: str, limit_ns: int) -> None:
    case = Case("A", offence, "case 1", 2023, limit_ns=limit_ns)
    with refused("limit_invalid"), world.registry.database.write() as tx:
        penalties.propose(tx, case, MAKER, JANUARY)
