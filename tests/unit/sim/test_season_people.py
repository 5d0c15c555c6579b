"""Who there is in a season: totals, cuts, groups, old holdings, and whose draws are whose (5.1)."""

from __future__ import annotations

import numpy as np
import pytest

from sim.scenario.reading import load, season_names, smaller
from sim.season.people import People, people_of
from tests.unit.sim.small_seasons import small

ARREARS = -1.0


@pytest.mark.parametrize("name", season_names())
def test_totals_net_position_and_cuts_are_those_of_the_scenario(name: str) -> None:
    scenario = load(name)
    people = people_of(scenario, 2)
    for row, each in enumerate(scenario.obligations):
        due, given, rate = people.due_t[row], people.allocation_t[row], people.surplus_rate[row]
        owes = due > 0
        assert due.sum() == pytest.approx(each.emissions_mt * 1e6, abs=people.count)
        sectors = {scenario.population.sectors[which].name for which in people.sector[owes]}
        assert sectors == set(each.sectors)
        if each.net_surplus_share == ARREARS:
            assert given.sum() == 0
            continue
        net = (given.sum() - due.sum()) / due.sum()
        assert net == pytest.approx(each.net_surplus_share, abs=2e-5)
        if not each.spread_share:
            assert np.ptp(rate[owes]) == 0.0
            continue
        assert rate[owes].min() >= each.rate_min_share
        assert rate[owes].max() <= each.rate_max_share
        assert rate[owes].std() == pytest.approx(each.spread_share, rel=0.25)
        assert np.abs(given[owes] - due[owes] * (1 + rate[owes])).max() < 2


def test_cuts_hold_after_the_mean_is_set_and_the_mean_after_the_cuts_al_81() -> None:
    """A net position near a cut: shifting everybody would carry many beyond it."""
    near = {"obligations.0.net_surplus_share": 0.024, "obligations.0.spread_share": 0.02}
    cut = {"obligations.0.rate_min_share": -0.03, "obligations.0.rate_max_share": 0.03}
    people = people_of(load("2021", {**near, **cut}), 1)
    rate = people.surplus_rate[0]
    assert rate.max() == 0.03
    assert rate.min() >= -0.03
    assert (rate == 0.03).mean() > 0.2
    net = (rate * people.due_t[0]).sum() / people.due_t[0].sum()
    assert net == pytest.approx(0.024, abs=1e-6)


def test_first_cycle_has_the_published_deficits() -> None:
    """targets.csv DEF-2021: 42 % of 2,011 in deficit (3 points), 188 Mt in all (10 %)."""
    shares, sums = [], []
    for seed in range(1, 8):
        people = people_of(load("2021"), seed)
        lacking = np.maximum(people.due_t[0] - people.allocation_t[0], 0)
        shares.append((lacking > 0).mean())
        sums.append(lacking.sum() / 1e6)
    assert abs(np.median(shares) - 847 / 2011) <= 0.03
    assert np.median(sums) == pytest.approx(188, rel=0.10)


def test_sizes_stay_between_the_threshold_and_the_cut_cp_03() -> None:
    scenario = load("2025")
    people = people_of(scenario, 1)
    for row, sector in enumerate(scenario.population.sectors):
        size = people.size_t[people.sector == row]
        assert len(size) == sector.entities
        assert size.min() >= sector.size_min_t
        assert size.max() <= sector.size_max_t
        assert size.sum() == pytest.approx(sector.emissions_mt * 1e6, rel=0.02)


def test_groups_are_as_large_as_said() -> None:
    people = people_of(load("2024"), 1)
    sizes = np.bincount(people.group + 1, minlength=41) / people.count
    assert len(sizes) == 1 + 5 + 35
    assert sizes[1:6] == pytest.approx(np.full(5, 0.06), abs=0.02)
    assert sizes[6:].sum() == pytest.approx(0.35, abs=0.03)
    assert sizes[6:].min() > 0.002
    assert sizes[0] == pytest.approx(1 - 0.30 - 0.35, abs=0.03)


def test_a_group_shares_a_part_of_its_surplus_rates() -> None:
    said = {"population.group_sd_share": 0.2, "obligations.0.spread_share": 0.01}
    cut = {"obligations.0.rate_min_share": -0.9, "obligations.0.rate_max_share": 0.9}
    people = people_of(load("2024", {**said, **cut}), 1)
    rate = people.surplus_rate[0]
    inside = [rate[people.group == group].std() for group in range(5)]
    means = [rate[people.group == group].mean() for group in range(5)]
    assert max(inside) < 0.02
    assert np.std(means) > 0.05


def test_arrears_are_of_a_few_and_leave_own_rates_alone() -> None:
    people = people_of(load("2022"), 1)
    late = people.due_t[0] > 0
    assert 0.03 < late.mean() < 0.08
    assert people.allocation_t[0].sum() == 0
    assert np.abs(people.rate).max() < 0.26


def test_arrears_of_nobody_fall_on_one() -> None:
    few = {"obligations.0.entities_share": 1e-9}
    people = people_of(small("2022", 0.02, **few), 1)
    assert (people.due_t[0] > 0).sum() == 1
    assert people.due_t[0].sum() == pytest.approx(9.5e6 * 0.02, abs=1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_old_holdings_add_up_and_the_largest_groups_have_their_part(seed: int) -> None:
    scenario = load("2024")
    people = people_of(scenario, seed)
    central = (people.group >= 0) & (people.group < 5)
    for row, old in enumerate(scenario.population.old_holdings):
        held = people.old_t[row]
        assert held.min() >= 0
        assert held.sum() == pytest.approx(old.total_mt * 1e6, abs=people.count)
        assert held[central].sum() / held.sum() == pytest.approx(old.top_share, abs=1e-3)
        assert held[people.rate <= 0].sum() == 0  # positions persist


@pytest.mark.parametrize(
    "said",
    [
        {"population.central_groups": 0},  # no largest groups
        {"population.central_share": 0.2},  # nobody else, but for provincial ones
        {"obligations.0.spread_share": 0.0},  # nobody has a surplus
    ],
)
def test_old_holdings_add_up_whoever_there_is(said: dict[str, object]) -> None:
    without = {"population.provincial_share": 0.0, "population.provincial_groups": 0}
    scenario = small("2024", 0.01, **{**without, **said})
    people = people_of(scenario, 1)
    for row, old in enumerate(scenario.population.old_holdings):
        held = people.old_t[row].sum()
        assert held == pytest.approx(old.total_mt * 1e6, abs=people.count)


DRAWN = ("keys", "province", "theta_days", "reluctance", "forecast", "attention", "group")


def same_draws(few: People, many: People) -> None:
    rows = [many.names.index(name) for name in few.names]
    for name in (*DRAWN, "heeds_milestones"):
        assert np.array_equal(getattr(few, name), getattr(many, name)[rows]), name


def test_another_sector_changes_nobodys_draws() -> None:
    scenario = small("2025")
    count = len(scenario.population.sectors)
    more = small("2025", **{"population.sectors.0.entities": 130})
    same_draws(people_of(scenario, 4), people_of(more, 4))
    few = load("2024", {**smaller(load("2024"), 0.05), "name": "2025"})
    assert count == 4
    same_draws(people_of(few, 4), people_of(scenario, 4))
    power = people_of(scenario, 4).surplus_rate[0][: people_of(few, 4).count]
    assert np.array_equal(power == 0.0, people_of(few, 4).surplus_rate[0] == 0.0)


def test_seeds_and_seasons_are_different_people() -> None:
    one, other = people_of(small("2024"), 1), people_of(small("2024"), 2)
    assert one.names == other.names
    for name in ("size_t", "group", "forecast"):
        assert not np.array_equal(getattr(one, name), getattr(other, name))
