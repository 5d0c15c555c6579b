"""Positions, surrender, carry-over, banking and fines against the rulebook and slow truths."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction

import numpy as np
import pytest

from registry.compliance import eligibility, penalty_rules
from registry.compliance.carry_limits import BASES, Limit
from sim.results.compliance import penalty_cny
from sim.scenario.model import Obligation, Scenario
from sim.scenario.reading import changed, load, season_names
from sim.scenario.refusing import ScenarioError
from sim.season.banking import (
    AT_ONCE,
    DRAFT,
    PLAN_DAYS,
    converted_t,
    must_sell_share,
    old_share,
    optimal_sales_t,
)
from sim.season.people import People, people_of
from sim.season.position import Books, issued_by, position_of
from sim.season.season import Season
from sim.season.surrender import carried_over, surrender
from sim.season.unit_data import years_of
from tests.unit.sim.small_seasons import short, small

DAY = dt.timedelta(days=1)


def world(season: str = "2024", **more: object) -> tuple[Scenario, People, Books]:
    scenario = small(season, 0.01, **{"population.provincial_groups": 4, **more})
    people = people_of(scenario, 1)
    return scenario, people, Books.of(people)


@pytest.mark.parametrize("name", season_names())
def test_vintages_that_serve_are_those_of_the_rulebook_cp_34(name: str) -> None:
    scenario = load(name)
    codes = {each.code for each in scenario.vintages}
    for due in scenario.obligations:
        late = due.net_surplus_share == -1.0  # arrears: after the deadline
        noon = dt.datetime.combine(due.deadline, dt.time(4), dt.UTC)  # Beijing noon
        at_ns = int(noon.timestamp()) * 10**9
        for year in years_of(due):
            assert eligibility.is_late(year, at_ns) is late
            for code in due.usable:
                assert eligibility.is_eligible(code, year, at_ns), (name, due.year, code)
            for code in codes - set(due.usable):
                served = eligibility.is_eligible(code, year, at_ns) and issued_in(scenario, code)
                assert not served, (name, due.year, code)


def issued_in(scenario: Scenario, code: str) -> bool:
    """Whether anybody holds a vintage within the season."""
    old = {each.vintage for each in scenario.population.old_holdings}
    years = {each.obligation for each in scenario.issues}
    new = {each.vintage for each in scenario.obligations if each.year in years}
    return code in old | new


@pytest.mark.parametrize("name", season_names())
def test_every_allocation_is_issued_in_full_to_its_own_entities(name: str) -> None:
    """2024 has two obligations of one year: power and industry (AL-70)."""
    scenario = small(name)
    people = people_of(scenario, 1)
    issued = np.zeros_like(people.allocation_t)
    for issue in scenario.issues:
        row, until_now = issued_by(people, scenario, issue)
        assert scenario.obligations[row].year == issue.obligation
        issued[row] = np.maximum(issued[row], until_now)
    assert np.array_equal(issued, people.allocation_t)


def test_oldest_vintages_are_used_first_and_what_lacks_is_need_cp_34() -> None:
    scenario, people, books = world()
    due = scenario.obligations[0]
    codes = ["CEA", "CEA21", "CEA22", "CEA23"]
    people.due_t[0, :4] = [100, 100, 100, 100]
    people.allocation_t[0, :4] = [0, 0, 60, 0]  # still to come
    books.offset_t[0, 3] = 5
    held = np.zeros((people.count, 4), np.int64)
    held[:4] = [[30, 40, 50, 60], [10, 0, 20, 0], [30, 0, 0, 40], [0, 0, 0, 95]]
    found = position_of(scenario, people, books, codes, held, due.deadline)
    assert found.need_t[:4].tolist() == [0, 70, 0, 0]
    assert found.surplus_t[:4].tolist() == [80, 0, 30, 0]
    assert found.spare_t[:3].tolist() == [[0, 0, 20, 60], [0, 0, 0, 0], [0, 0, 0, 30]]
    assert held[0].tolist() == [30, 40, 50, 60]  # nobody's holdings are touched


def test_the_first_deadline_is_met_first_and_a_vintage_that_does_not_serve_stays() -> None:
    scenario, people, books = world("2022")
    codes = ["CEA"]
    people.due_t[:, 0] = [50, 80, 0]
    people.allocation_t[:, 0] = 0
    held = np.zeros((people.count, 1), np.int64)
    held[0] = 100
    date = dt.date(2023, 12, 31)
    found = position_of(scenario, people, books, codes, held, date)
    assert found.need_by_t[:, 0].tolist() == [0, 30, 0]
    books.settled[0] = True
    held[0] = 50
    found = position_of(scenario, people, books, codes, held, date)
    assert found.need_by_t[:, 0].tolist() == [0, 30, 0]
    new = position_of(scenario, people, Books.of(people), ["CEA21"], held, date)
    assert new.need_by_t[0, 0] == 50  # arrears of 2019-2020 are not met with CEA21 here


def test_surrender_takes_the_oldest_first_and_two_obligations_share_holdings() -> None:
    scenario, people, books = world("2023")
    codes = ["CEA", "CEA21", "CEA22"]
    people.due_t[:, 0] = [70, 70]
    books.offset_t[0, 0] = 3
    held = np.zeros((people.count, 3), np.int64)
    held[0] = [40, 50, 20]
    given, short = surrender(scenario, people, books, codes, held, 0)
    assert (given[0], short[0]) == (67, 0)
    assert held[0].tolist() == [0, 23, 20]
    given, short = surrender(scenario, people, books, codes, held, 1)
    assert (given[0], short[0]) == (43, 27)
    assert held[0].tolist() == [0, 0, 0]
    assert books.settled == [True, True]


@pytest.mark.parametrize("multiple", [0.0, 0.5, 1.5, 3.0])
@pytest.mark.parametrize("base", [0, 10_000])
def test_x_star_is_the_least_sale_that_keeps_the_rest_al_51(multiple: float, base: int) -> None:
    for held in (0, 1, 9_999, 10_000, 10_001, 12_345, 50_000):
        fewest = next(
            sold for sold in range(held + 1) if held - sold <= base + int(multiple * sold)
        )
        exact = float(optimal_sales_t(np.array([held]), np.array([base]), multiple)[0])
        assert exact <= fewest <= exact + 2  # whole tonnes, floor(m x NS)


def test_who_sold_x_star_has_to_sell_nothing_more() -> None:
    scenario, people, _ = world()
    banking = scenario.banking
    assert banking is not None
    last = banking.net_sales_until
    whole = np.full(people.count, 100_000)
    star = (100_000 - banking.base_t) / (1 + banking.sales_multiple)
    share = must_sell_share(scenario, people, whole, np.zeros(people.count), last)
    assert share == pytest.approx(np.full(people.count, star / 100_000))
    sold = np.full(people.count, star)
    assert must_sell_share(scenario, people, whole - star, sold, last).max() < 1e-12
    half = must_sell_share(scenario, people, whole - star / 2, sold / 2, last)
    assert half * (100_000 - star / 2) == pytest.approx(sold / 2)
    within = np.full(people.count, banking.base_t)
    assert must_sell_share(scenario, people, within, np.zeros(people.count), last).max() == 0


def test_schedule_of_forced_sales_begins_with_the_draft_and_never_falls() -> None:
    scenario, people, _ = world()
    banking = scenario.banking
    assert banking is not None
    whole, none = np.full(people.count, 1_000_000), np.zeros(people.count)

    def at(date: dt.date) -> float:
        return float(must_sell_share(scenario, people, whole, none, date)[0])

    star = (1_000_000 - banking.base_t) / (1 + banking.sales_multiple) / 1_000_000
    assert at(banking.published - DAY) == 0.0
    assert at(banking.published) == pytest.approx(DRAFT * star)
    assert at(banking.decided - DAY) == pytest.approx(DRAFT * star)
    days = (banking.net_sales_until - banking.decided).days
    after = [at(banking.decided + each * DAY) for each in range(days + 1)]
    assert np.all(np.diff(after) > 0)
    planned = after[int(PLAN_DAYS)]
    assert AT_ONCE * star < planned < after[-1] == pytest.approx(star)
    assert at(banking.converted_until + DAY) == 1.0


def test_only_vintages_under_the_limit_have_to_go_al_68() -> None:
    scenario, people, _ = world("2026")
    codes = ["CEA24", "CEA25"]
    spare = np.zeros((people.count, 2), np.int64)
    spare[:3] = [[100, 300], [0, 500], [200, 0]]
    old = old_share(scenario, codes, spare)
    assert old[:3].tolist() == [0.25, 0.0, 1.0]
    surplus, none = spare.sum(axis=1), np.zeros(people.count)
    after = must_sell_share(scenario, people, surplus, none, dt.date(2026, 7, 1), old)
    assert after[:3].tolist() == [0.25, 0.0, 1.0]
    before = must_sell_share(scenario, people, surplus, none, dt.date(2026, 2, 2), old)
    assert before[1] == 0.0
    assert before[0] == pytest.approx(0.25 * 0.2)


def carry(
    held: list[int], sold: list[int], sector: list[int], date: dt.date = dt.date(2025, 12, 31)
) -> tuple[list[int], list[int]]:
    scenario, people, _ = world("2025")
    count = len(held)
    people.sector[:count] = sector
    all_held = np.zeros((people.count, 2), np.int64)
    all_held[:count, 1] = held
    net = np.zeros(people.count, np.int64)
    net[:count] = sold
    done = np.zeros(people.count, np.int64)
    done[:count] = 7
    found = carried_over(scenario, people, ["CEA23", "CEA24"], all_held, net, date, done)
    return found[0][:count].tolist(), found[1][:count].tolist()


def test_carry_over_is_the_registrys_limit_al_51_al_58_e68_e69_e70() -> None:
    cases = [(90_000, 60_000), (50_000, -5_000), (6_000, 0), (300_000, 7), (300_001, 33_333)]
    for sector, name in enumerate(("power", "steel", "cement", "aluminium")):
        held = [position for position, _ in cases]
        carried, expired = carry(held, [net for _, net in cases], [sector] * len(cases))
        for number, (position, net) in enumerate(cases):
            sold, bought = max(net, 0), max(-net, 0)
            limit = Limit("E", 1, BASES[name].tonnes, sold, bought, position)
            assert carried[number] == limit.tonnes
            assert expired[number] == position - limit.tonnes


def test_after_the_last_conversion_nothing_more_is_carried_over_al_54_e73() -> None:
    carried, expired = carry([5_000], [10**9], [0], date=dt.date(2026, 12, 31))
    assert (carried, expired) == ([7], [5_000])


def test_without_a_banking_rule_everything_stays() -> None:
    scenario, people, _ = world("2021")
    held = np.full((people.count, 1), 10**6)
    none = np.zeros(people.count, np.int64)
    found = carried_over(scenario, people, ["CEA"], held, none, dt.date(2021, 12, 31), none)
    assert found[0].sum() == found[1].sum() == 0


def test_conversion_of_2026_turns_old_into_new_in_equal_steps_al_55() -> None:
    scenario, people, _ = world("2026")
    banking = scenario.banking
    assert banking is not None
    codes = ["CEA23", "CEA24", "CEA25"]
    held = np.full((people.count, 3), 1_000_000)
    assert converted_t(scenario, codes, held, dt.date(2026, 3, 26)) is None
    total = np.zeros_like(held)
    for date in banking.conversions:
        moved = converted_t(scenario, codes, held - total, date)
        assert moved is not None
        assert (moved[:, :2] > 0).all()
        total += moved
    assert total[:, 2].max() == 0
    assert total[:, :2] == pytest.approx(banking.converted_share * 1_000_000, abs=2)


def obligation(deadline: dt.date) -> Obligation:
    (due,) = load("2024", {"obligations.0.deadline": dt.date(2024, 12, 31)}).obligations
    return Obligation(
        **{**{n: getattr(due, n) for n in due.__struct_fields__}, "deadline": deadline}
    )


@pytest.mark.parametrize(
    ("deadline", "low", "high"),
    [
        (dt.date(2021, 12, 31), 20_000, 30_000),  # CP-60
        (dt.date(2023, 12, 31), 20_000, 30_000),
        (dt.date(2024, 12, 31), 4_850_000, 9_700_000),  # CP-61, E80: 10,000 t at 97.00
        (dt.date(2025, 12, 31), 4_850_000, 9_700_000),
        (dt.date(2026, 12, 31), 1_000_000, 5_000_000),  # CP-62
    ],
)
def test_fines_by_regime_e80(deadline: dt.date, low: int, high: int) -> None:
    short = np.array([0, 10_000, 0])
    least, most = penalty_cny(obligation(deadline), short, 97.0)
    assert least.tolist() == [0, low, 0]
    assert most.tolist() == [0, high, 0]


@pytest.mark.parametrize("day", [(2024, 4, 30), (2024, 5, 1), (2026, 8, 14), (2026, 8, 15)])
def test_fines_change_with_the_registrys_regimes(day: tuple[int, int, int]) -> None:
    date = dt.date(*day)
    rule = penalty_rules.rule_of("short_surrender", date)
    price = penalty_rules.Price(97_315_000, 1_000_000)
    facts = penalty_rules.Facts(short_tonnes=1_234, price=price)
    found = penalty_rules.assess(rule, facts)
    mean = float(Fraction(price.turnover_fen, price.volume_tonnes) / 100)
    least, most = penalty_cny(obligation(date), np.array([1_234]), mean)
    assert least[0] == found.least_fen / 100
    assert most[0] == found.most_fen / 100


def test_a_deadline_on_a_sunday_is_met_by_the_friday_before_cp_41() -> None:
    """What is traded on Monday is too late; what was surrendered left by then (RG-08)."""
    sunday = dt.date(2021, 12, 19)
    season = Season(short(0.05, **{"obligations.0.deadline": sunday}), 1)
    held: dict[dt.date, int] = {}
    for date in season.live():
        held[date] = int(season.floor.holdings_t().sum())
        assert season.books.settled == [date >= sunday - 2 * DAY]
    (end,) = season.surrenders
    friday, monday = sunday - 2 * DAY, sunday + DAY
    assert held[friday] - held[monday] == end.surrendered_t.sum() > 0


def test_an_issue_to_sectors_of_two_obligations_is_refused() -> None:
    """Power and industry of 2024 are two obligations: one issue cannot be of both."""
    scenario = load("2025")
    place = next(n for n, each in enumerate(scenario.issues) if "steel" in each.sectors)
    with pytest.raises(ScenarioError, match="sectors of one obligation of 2024"):
        changed(scenario, {f"issues.{place}.sectors": ["power", "steel", "cement", "aluminium"]})
