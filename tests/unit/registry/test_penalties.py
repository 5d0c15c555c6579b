"""Penalties by regime and date, with the price from the registry's own deals (CP-60 … CP-67)."""

from __future__ import annotations

import datetime as dt
import itertools
from fractions import Fraction
from typing import Any

import pytest

from registry.compliance import deductions, penalties, surrender
from registry.compliance.deciding import Decision
from registry.compliance.penalties import Case, Judged, Penalty
from registry.compliance.penalty_rules import (
    OFFENCES,
    RULES,
    Assessment,
    Facts,
    Price,
    assess,
    half_up,
    rule_of,
)
from registry.institution import Registry
from registry.windows import moment
from tests.unit.registry.carry_world import CHECKER, MAKER, World, at, refused

YUAN, MILLION = 100, 100_000_000
AFTER = at(2025, 1, 15)


@pytest.fixture
def world(registry: Registry) -> World:
    """A owes 30,000 t of 2023 and surrenders 20,000 in time; December 2024 averages 97.00."""
    made = World(registry)
    made.add("A")
    made.add("B")
    made.give("B", "CEA22", 50_000, trading=True)
    made.give("B", "CEA23", 50_000, trading=True)
    made.deal(20241129, ("B", "A", 1_000, "CEA22", 5_000))
    made.deal(20241202, ("B", "A", 3_000, "CEA22", 9_800))
    made.deal(20241231, ("B", "A", 1_000, "CEA23", 9_400), bulk=True)
    made.deal(20250102, ("B", "A", 1_000, "CEA23", 5_000))
    made.oblige(2023, A=30_000, B=10)
    made.meet(2023, "CEA23", at(2024, 12, 30), A=20_000, B=10)
    return made


def judge(world: World, case: Case, at_ns: int = AFTER) -> Judged:
    with world.registry.database.read() as tx:
        return penalties.judge(tx, case, at_ns)


def propose(world: World, case: Case, at_ns: int = AFTER) -> int:
    with world.registry.database.write() as tx:
        return penalties.propose(tx, case, MAKER, at_ns)


def decide(
    world: World, number: int, verdict: str = "approved", person: int = CHECKER, at_ns: int = AFTER
) -> Penalty:
    with world.registry.database.write() as tx:
        return penalties.decide(tx, number, Decision(verdict, person, at_ns, "heard"))


def short(offence: str = "short_surrender", **more: Any) -> Case:
    return Case("A", offence, "case 1", 2023, **more)


def test_the_price_is_turnover_over_volume_of_the_month_cp_63(world: World) -> None:
    with world.registry.database.read() as tx:
        price = penalties.average_price(tx, 2023)
        assert price == Price(3_000 * 9_800 + 1_000 * 9_400, 4_000)
        assert price.fen == 9_700
        assert penalties.average_price(tx, 2022) is None
        assert penalties.average_price(tx, 2024) is None


def test_ten_thousand_short_at_97_cost_4_85_to_9_70_million_e80(world: World) -> None:
    found = judge(world, short())
    assert found.facts.short_tonnes == 10_000
    assert found.rule.clause == "CP-61"
    assert found.assessment == Assessment(485 * MILLION // 100, 970 * MILLION // 100, 0, 0)


def test_a_refusal_cuts_the_next_allocation_e80(world: World) -> None:
    with refused("first_decision_missing"):
        propose(world, short("short_surrender_refused"))
    first = decide(world, propose(world, short(fine_fen=5 * MILLION)))
    assert (first.fine_fen, first.cut_tonnes, first.deduction) == (5 * MILLION, 0, None)
    done = decide(world, propose(world, short("short_surrender_refused")), at_ns=at(2025, 3, 1))
    assert (done.fine_fen, done.cut_tonnes, done.cut_year) == (0, 10_000, 2024)
    with world.registry.database.read() as tx:
        owed = deductions.found(tx, "A")
    assert [(one.from_year, one.grounds, one.remaining_tonnes) for one in owed] == [
        (2024, "penalty", 10_000)
    ]
    told = [one.sentence for one in world.registry.notices(world.account["A"])]
    assert sum("10,000 t off the next allocation (CP-61)" in one for one in told) == 1


def test_what_came_late_is_fined_and_not_cut(world: World) -> None:
    decide(world, propose(world, short()))
    world.meet(2023, "CEA23", at(2025, 2, 1), A=4_000)
    found = judge(world, short("short_surrender_refused"), at(2025, 3, 1))
    assert found.assessment.cut_tonnes == 6_000
    assert judge(world, short(), at(2025, 3, 1)).facts.short_tonnes == 10_000
    world.meet(2023, "CEA23", at(2025, 3, 2), A=6_000)
    with refused("nothing_short"):
        judge(world, short("short_surrender_refused"), at(2025, 3, 3))


def test_an_application_made_in_time_is_not_short_cp_41(world: World) -> None:
    world.give("A", "CEA23", 10_000)
    wanted = [surrender.Wanted("A", 2023, "CEA23", 9_999)]
    with world.registry.database.write() as tx:
        assert surrender.apply_many(tx, wanted, MAKER, at(2024, 12, 31, 23, 59), True).numbers
    assert judge(world, short()).facts.short_tonnes == 1


@pytest.mark.parametrize(
    ("at_ns", "regime", "assessed"),
    [
        (at(2024, 4, 30), "order_19", Assessment(20_000 * YUAN, 30_000 * YUAN, 0, 10_000)),
        (at(2024, 5, 1), "order_775", Assessment(4_850_000 * YUAN, 9_700_000 * YUAN, 0, 0)),
        (at(2026, 8, 14), "order_775", Assessment(4_850_000 * YUAN, 9_700_000 * YUAN, 0, 0)),
        (at(2026, 8, 15), "code", Assessment(1 * MILLION, 5 * MILLION, 0, 0)),
    ],
)
def test_the_regime_is_of_the_day_of_the_decision_u20(
    at_ns: int, regime: str, assessed: Assessment
) -> None:
    rule = rule_of("short_surrender", moment(at_ns).date())
    facts = Facts(10_000, 10_000, Price(9_700, 1))
    assert (rule.regime, assess(rule, facts)) == (regime, assessed)


def test_the_regime_may_be_of_the_deadline_u20(world: World) -> None:
    late = at(2026, 9, 1)
    assert judge(world, short(), late).rule.regime == "code"
    assert judge(world, short(regime_by="deadline"), late).rule.regime == "order_775"
    with refused("basis_invalid"):
        judge(world, short(regime_by="mood"), late)


def test_under_the_code_the_price_follows_the_limit_and_nothing_is_cut_cp_62(
    world: World,
) -> None:
    decide(world, propose(world, short()))  # under Order 775
    late = at(2026, 9, 1)
    with refused("first_decision_missing"):  # no new deduction after the change
        propose(world, short("short_surrender_refused"), late)
    world.oblige(2024, A=100)
    world.oblige(2025, A=100)
    world.deal(20261201, ("B", "A", 3, "CEA22", 7_001), ("B", "A", 1, "CEA23", 7_002))
    case = Case("A", "short_surrender", "case 2", 2025, fine_fen=2 * MILLION)
    first = decide(world, propose(world, case, at(2027, 1, 5)), at_ns=at(2027, 1, 9))
    assert (first.regime, first.fine_fen, first.cut_tonnes) == ("code", 2 * MILLION, 0)
    done = propose(
        world, case._replace(offence="short_surrender_refused", fine_fen=None), at(2027, 3, 1)
    )
    found = decide(world, done, at_ns=at(2027, 3, 1))
    price = Fraction(3 * 7_001 + 7_002, 4)
    assert (found.least_fen, found.most_fen) == (half_up(500 * price), half_up(1_000 * price))
    assert (found.least_fen, found.most_fen, found.cut_tonnes) == (3_500_625, 7_001_250, 0)


@pytest.mark.parametrize(
    ("amount", "fen"),
    [(Fraction(1, 2), 1), (Fraction(49, 100), 0), (Fraction(3, 2), 2), (Fraction(7, 3), 2)],
)
def test_amounts_are_rounded_half_up(amount: Fraction, fen: int) -> None:
    assert half_up(amount) == fen


TEN_K, THOUSAND = 10_000 * YUAN, 1_000 * YUAN


@pytest.mark.parametrize(
    ("offence", "facts", "assessed"),
    [
        ("reporting", Facts(), (5 * TEN_K, 50 * TEN_K, 0, 0)),
        ("false_data", Facts(), (50 * TEN_K, 200 * TEN_K, 0, 0)),
        (
            "false_data",
            Facts(gains_fen=50 * TEN_K - 1),
            (50 * TEN_K, 200 * TEN_K, 50 * TEN_K - 1, 0),
        ),
        ("false_data", Facts(gains_fen=50 * TEN_K), (250 * TEN_K, 500 * TEN_K, 50 * TEN_K, 0)),
        ("false_data_person", Facts(), (5 * TEN_K, 20 * TEN_K, 0, 0)),
        ("test_report", Facts(), (2 * TEN_K, 10 * TEN_K, 0, 0)),
        ("test_report", Facts(gains_fen=2 * TEN_K), (10 * TEN_K, 20 * TEN_K, 2 * TEN_K, 0)),
        ("verification", Facts(), (20 * TEN_K, 100 * TEN_K, 0, 0)),
        ("verification", Facts(gains_fen=20 * TEN_K), (100 * TEN_K, 200 * TEN_K, 20 * TEN_K, 0)),
        ("body_person", Facts(), (2 * TEN_K, 20 * TEN_K, 0, 0)),
        ("manipulation", Facts(), (50 * TEN_K, 500 * TEN_K, 0, 0)),
        ("manipulation", Facts(gains_fen=60 * TEN_K), (60 * TEN_K, 600 * TEN_K, 60 * TEN_K, 0)),
        ("manipulation_person", Facts(), (10 * TEN_K, 100 * TEN_K, 0, 0)),
        ("disruption", Facts(gains_fen=9 * TEN_K), (10 * TEN_K, 100 * TEN_K, 9 * TEN_K, 0)),
        ("disruption_person", Facts(), (5 * TEN_K, 50 * TEN_K, 0, 0)),
        ("prohibited_trading", Facts(gains_fen=7, value_fen=900), (0, 900, 7, 0)),
        ("obstruction", Facts(), (2 * TEN_K, 20 * TEN_K, 0, 0)),
        ("false_data_refused", Facts(allocation_tonnes=1_001, cut_percent=50), (0, 0, 0, 500)),
    ],
)
def test_every_other_offence_cp_64_to_cp_67(
    offence: str, facts: Facts, assessed: tuple[int, ...]
) -> None:
    assert tuple(assess(rule_of(offence, dt.date(2025, 6, 1)), facts)) == assessed


def test_the_table_has_no_gap_and_no_overlap() -> None:
    for offence in OFFENCES:
        periods = sorted(rule.period for rule in RULES if rule.offence == offence)
        for (_, end), (first, _) in itertools.pairwise(periods):
            assert end == first, offence
    with refused("no_rule"):
        rule_of("manipulation", dt.date(2024, 4, 30))
    with refused("unknown_offence"):
        rule_of("bad_weather", dt.date(2025, 1, 1))
    assert rule_of("reporting", dt.date(2024, 4, 30)).fixed_fen == (TEN_K, 3 * TEN_K)


@pytest.mark.parametrize(
    ("case", "at_ns", "code"),
    [
        (short(), at(2024, 12, 31, 23, 59), "not_due"),
        (short(fine_fen=485 * MILLION // 100 - 1), AFTER, "fine_invalid"),
        (short(fine_fen=970 * MILLION // 100 + 1), AFTER, "fine_invalid"),
        (Case("B", "short_surrender", "x", 2023), AFTER, "nothing_short"),
        (Case("A", "short_surrender", "x", 2022), AFTER, "no_notice"),
        (Case("C", "short_surrender", "x", 2023), AFTER, "unknown_entity"),
        (Case("A", "short_surrender", "", 2023), AFTER, "text_invalid"),
        (Case("", "obstruction", "x"), AFTER, "text_invalid"),
        (Case("Li", "obstruction", "x", gains_fen=-1), AFTER, "amount_invalid"),
        (Case("A", "false_data_refused", "x", 2024), AFTER, "first_decision_missing"),
    ],
)
def test_cases_that_cannot_be(world: World, case: Case, at_ns: int, code: str) -> None:
    with refused(code):
        propose(world, case, at_ns)


def test_no_deal_in_december_no_price_cp_63(world: World) -> None:
    world.oblige(2024, A=100)
    with refused("no_average_price"):
        propose(world, Case("A", "short_surrender", "x", 2024), at(2026, 1, 5))


def test_a_percentage_of_the_next_allocation_is_cut_cp_64(world: World) -> None:
    first = propose(world, Case("A", "false_data", "x", 2023, gains_fen=60 * TEN_K))
    assert decide(world, first).confiscated_fen == 60 * TEN_K
    refusal = Case("A", "false_data_refused", "y", 2023, cut_percent=75)
    with refused("allocation_unknown"):
        propose(world, refusal)
    world.allocate(2024, A=1_001)
    with refused("percent_invalid"):
        propose(world, refusal._replace(cut_percent=101))
    done = decide(world, propose(world, refusal))
    assert (done.cut_tonnes, done.cut_year) == (750, 2024)


def test_two_people_decide_once(world: World) -> None:
    number = propose(world, Case("Li Si", "manipulation_person", "x"))
    for verdict, person, code in (
        ("approved", MAKER, "maker_is_checker"),
        ("rejected", MAKER, "maker_is_checker"),
        ("withdrawn", CHECKER, "not_the_maker"),
        ("perhaps", CHECKER, "verdict_invalid"),
    ):
        with refused(code):
            decide(world, number, verdict, person)
    with refused("unknown_penalty"):
        decide(world, number + 1)
    done = decide(world, number)
    assert (done.entity, done.fine_fen, done.status) == (None, 10 * TEN_K, "approved")
    with refused("decided_before"):
        decide(world, number)


def test_a_shortage_is_fined_once(world: World) -> None:
    first = propose(world, short())
    with refused("decided_before"):
        propose(world, short())
    decide(world, first, "rejected")
    again = propose(world, short())
    with world.registry.database.read() as tx:
        assert [one.status for one in penalties.found(tx, "A")] == ["rejected", "pending"]
        assert penalties.found(tx, number=again)[0].volume_tonnes == 4_000
