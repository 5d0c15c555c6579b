"""The population of a season, drawn by simulation.md 5.1: one array per property, a row an entity.

Rows are accounts of the exchange, in the order of the sectors. Every draw is keyed by the entity's
name, so a population that is extended keeps the people it had.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.scenario.model import Obligation, Population, Scenario, Sector
from sim.season.streams import Array, Purpose, bells, entity_keys, units
from sim.season.unit_data import Computed, computed_of, put_obligations

PROVINCES = 31
CODES = {"power": "PW", "steel": "ST", "cement": "CM", "aluminium": "AL"}
INDEPENDENT = -1
BALANCING_MAX, BALANCED = 60, 1e-12  # rounds, and the gap that ends them


@dataclass
class People:
    """Who there is: shape (n,) each unless said otherwise."""

    names: list[str]
    keys: Array  # uint64
    sector: Array  # int64, row of the scenario's sectors
    size_t: Array  # float64, emissions a year
    group: Array  # int64, -1 = independent
    province: Array  # int64
    province_names: list[str]  # of the numbers in ``province``
    surplus_rate: Array  # float64, (k, n), of each obligation
    rate: Array  # float64, of its latest regular obligation
    due_t: Array  # int64, (k, n)
    allocation_t: Array  # int64, (k, n)
    old_t: Array  # int64, (v, n): earlier vintages held when the season begins
    theta_days: Array
    reluctance: Array
    inactive: Array  # bool
    heeds_milestones: Array  # bool
    forecast: Array  # standard normal error of the own forecast
    attention: Array  # uniform: below the attention share an entity hears at once

    @property
    def count(self) -> int:
        """How many entities there are."""
        return len(self.names)


def people_of(scenario: Scenario, seed: int) -> People:
    """Draw everybody of a scenario for one seed.

    Raises:
        ScenarioError: unit data do not fit the scenario.
    """
    population = scenario.population
    computed = computed_of(scenario)
    names = _names(population, computed)
    keys = entity_keys(seed, scenario.name, names)
    sector = np.repeat(
        np.arange(len(population.sectors)), [each.entities for each in population.sectors]
    )
    size = np.concatenate(
        [_sizes(each, keys[sector == row]) for row, each in enumerate(population.sectors)]
    )
    if computed is not None:
        size[computed.rows] = computed.size_t
    province, province_names = _provinces(keys, computed)
    group = _groups(population, keys)
    rates, due, allocation = _obligations(scenario, keys, sector, size, group, seed)
    put_obligations(computed, rates, due, allocation)
    behaviour = scenario.behaviour
    chance = units(keys, Purpose.CHARACTER, 1)
    return People(
        names=names,
        keys=keys,
        sector=sector,
        size_t=size,
        group=group,
        province=province,
        province_names=province_names,
        surplus_rate=rates,
        rate=own_rates(scenario, rates, due),
        due_t=due,
        allocation_t=allocation,
        old_t=_old_holdings(population, keys, size, group, own_rates(scenario, rates, due)),
        theta_days=behaviour.theta_median_days
        * np.exp(behaviour.theta_sigma * bells(keys, Purpose.CHARACTER, 2)),
        reluctance=-behaviour.reluctance * np.log1p(-units(keys, Purpose.CHARACTER, 3)),
        heeds_milestones=units(keys, Purpose.CHARACTER, 5) < behaviour.milestone_share,
        inactive=chance < behaviour.inactive_share * (1.6 - 1.2 * _ranks(size)),
        forecast=bells(keys, Purpose.FORECAST, 0),
        attention=units(keys, Purpose.ATTENTION, 0),
    )


def _names(population: Population, computed: Computed | None) -> list[str]:
    """Return everybody's name: a code and a number, or that of the unit data."""
    names = [
        f"{CODES.get(sector.name, sector.name.upper())}{number:05d}"
        for sector in population.sectors
        for number in range(1, sector.entities + 1)
    ]
    if computed is not None:
        for row, name in zip(computed.rows, computed.names, strict=True):
            names[row] = name
    return names


def _provinces(keys: Array, computed: Computed | None) -> tuple[Array, list[str]]:
    """Return everybody's province, a number, and what the numbers are called."""
    province = (units(keys, Purpose.PROVINCE, 0) ** 1.6 * PROVINCES).astype(np.int64)
    names = [f"P{number}" for number in range(1, PROVINCES + 1)]
    if computed is not None:
        known = sorted(set(computed.province))
        province[computed.rows] = [PROVINCES + known.index(each) for each in computed.province]
        names += known
    return province, names


def _sizes(sector: Sector, keys: Array) -> Array:
    """Return yearly emissions in tonnes: lognormal, cut at both ends, scaled to the sector's."""
    size = np.exp(sector.size_sigma * bells(keys, Purpose.SIZE, 0))
    total = sector.emissions_mt * 1e6
    for _ in range(6):  # scaling moves entities over the cuts; a few rounds settle it
        size = np.clip(size * (total / size.sum()), sector.size_min_t, sector.size_max_t)
    return np.asarray(size)


def own_rates(scenario: Scenario, rates: Array, due: Array) -> Array:
    """Return each entity's surplus rate of its latest regular obligation (arrears say nothing)."""
    own = np.zeros(rates.shape[1])
    for row, obligation in enumerate(scenario.obligations):
        if obligation.entities_share >= 1.0:
            own = np.where(due[row] > 0, rates[row], own)
    return own


def _ranks(size: Array) -> Array:
    """Return each entity's place by size in [0, 1): small ones leave surpluses unsold (4.4)."""
    return np.asarray(np.argsort(np.argsort(size, kind="stable"), kind="stable") / len(size))


def _groups(population: Population, keys: Array) -> Array:
    """Return each entity's group: central ones first, then provincial ones, -1 = none."""
    draw = units(keys, Purpose.GROUP, 0)
    central = population.central_groups * population.central_share
    group = np.full(len(keys), INDEPENDENT, np.int64)
    inside = draw < central
    group[inside] = (draw[inside] / population.central_share).astype(np.int64)
    provincial = ~inside & (draw < central + population.provincial_share)
    if population.provincial_groups:
        place = (draw[provincial] - central) / population.provincial_share
        group[provincial] = population.central_groups + (
            place * population.provincial_groups
        ).astype(np.int64)
    return group


def _obligations(
    scenario: Scenario, keys: Array, sector: Array, size: Array, group: Array, seed: int
) -> tuple[Array, Array, Array]:
    """Return surplus rates, tonnes due and final allocations, each of shape (k, n)."""
    shape = (len(scenario.obligations), len(keys))
    rates, due, allocation = np.zeros(shape), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    names = [each.name for each in scenario.population.sectors]
    group_names = [f"group {number}" for number in range(int(group.max(initial=-1)) + 2)]
    group_keys = entity_keys(seed, scenario.name, group_names)
    for row, obligation in enumerate(scenario.obligations):
        inside = np.isin(sector, [names.index(each) for each in obligation.sectors])
        weight = np.where(_concerned(obligation, inside, keys, row), size, 0.0)
        emissions = np.floor(weight * (obligation.emissions_mt * 1e6 / weight.sum()))
        rate = _surplus_rates(scenario.population, obligation, keys, group, group_keys)
        rate = np.where(inside, _balanced(rate, emissions, obligation), 0.0)
        rates[row] = rate
        allocation[row] = np.floor(emissions * (1.0 + rate))
        cap = obligation.obligation_cap_share
        relieved = np.minimum(emissions, np.floor(allocation[row] + cap * emissions))
        due[row] = relieved if cap else emissions
    return rates, due, allocation


def _concerned(obligation: Obligation, inside: Array, keys: Array, row: int) -> Array:
    """Return whom an obligation concerns, bool (n,): all of its sectors, or a share, one at least.

    In a small population the share may fall on nobody; then it is the one whose draw is lowest.
    """
    draw = np.where(inside, units(keys, Purpose.LARGE, row), 2.0)
    return np.asarray(draw < max(obligation.entities_share, np.nextafter(draw.min(), 2.0)))


def _balanced(rate: Array, emissions: Array, obligation: Obligation) -> Array:
    """Return rates whose mean over emissions is the published net position, within the cuts.

    Shifting all of them moves some over a cut; the others make up for these.
    """
    if not obligation.spread_share:
        return rate  # everybody at the net position
    low, high = obligation.rate_min_share, obligation.rate_max_share
    for _ in range(BALANCING_MAX):
        gap = obligation.net_surplus_share - (rate * emissions).sum() / emissions.sum()
        if abs(gap) < BALANCED:
            break
        rate = np.clip(rate + gap, low, high)
    return rate


def _surplus_rates(
    population: Population, obligation: Obligation, keys: Array, group: Array, group_keys: Array
) -> Array:
    """Return r = (A - E) / E: the group's part and a Student-t(4) one, cut at -20 % and +25 %."""
    if not obligation.spread_share:
        return np.full(len(keys), obligation.net_surplus_share)
    own = bells(keys, Purpose.SURPLUS, 0)
    chi = sum(bells(keys, Purpose.SURPLUS, moment) ** 2 for moment in (1, 2, 3, 4))
    student = own / np.sqrt(chi / 4.0) / np.sqrt(2.0)  # unit variance: t(4) has variance 2
    common = np.where(group >= 0, bells(group_keys, Purpose.SURPLUS, 9)[group], 0.0)
    rate = obligation.spread_share * student + population.group_sd_share * common
    rate += obligation.net_surplus_share
    return np.asarray(np.clip(rate, obligation.rate_min_share, obligation.rate_max_share))


def _old_holdings(
    population: Population, keys: Array, size: Array, group: Array, rate: Array
) -> Array:
    """Return tonnes held of earlier vintages, (v, n): the largest groups hold ``top_share``.

    Positions persist: who has a surplus now had one before, so holdings go with the rate. Where
    the largest groups, or all others, have no holder, the rest hold everything.
    """
    holders = np.zeros((len(population.old_holdings), len(keys)), np.int64)
    central = (group >= 0) & (group < population.central_groups)
    gains = np.maximum(rate, 0.0)
    for row, old in enumerate(population.old_holdings):
        weight = size * (gains if gains.any() else 1.0) * units(keys, Purpose.HOLDING, row) ** 2
        sums = np.array([weight[~central].sum(), weight[central].sum()])
        share = np.array([1.0 - old.top_share, old.top_share]) * (sums > 0)
        factor = np.divide(share / share.sum(), sums, out=np.zeros(2), where=sums > 0)
        holders[row] = old.total_mt * 1e6 * weight * factor[central.astype(np.int64)]
    return holders
