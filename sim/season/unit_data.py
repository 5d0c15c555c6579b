"""Entities with unit data: allocation and obligation computed by the plan, not drawn (5.1).

The file's entities take the places of the drawn ones of the plan's sectors, under their own names.
Obligations of years that the file has are computed by ``registry.allocation``: a benchmark times
output, relief and caps (AL-02 …); of other years they are drawn, in proportion to size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from registry.allocation import plan_file
from registry.allocation.calculator import Trial, compute
from registry.allocation.engine import Allocation
from registry.errors import RefusalError
from sim.scenario.model import Obligation, Scenario
from sim.scenario.refusing import Problem, ScenarioError
from sim.season.streams import Array

EMISSIONS_OFF_MAX = 0.01  # of what the scenario says is due
KEY = "population.units_file"


@dataclass(frozen=True)
class Computed:
    """What the file says; arrays over obligations and entities have the shape (k, m)."""

    rows: Array  # int64, (m,): rows of the population that they take
    names: list[str]  # in the order of the file
    sector: list[str]  # of each
    province: list[str]  # of each
    size_t: Array  # float64, (m,): emissions a year
    known: list[bool]  # obligation k is computed
    emissions_t: Array  # int64: verified
    due_t: Array  # int64
    allocation_t: Array  # int64


def computed_of(scenario: Scenario) -> Computed | None:
    """Return the entities of the scenario's unit data; None where it has none.

    Raises:
        ScenarioError: rows are refused, or counts or emissions are not those of the scenario.
    """
    population = scenario.population
    if not population.units_file:
        return None
    trial = _trial(population.units_file, population.units_plan)
    found = _gathered(scenario, trial)
    problems = _counted(scenario, trial.plan.sectors, found) or _weighed(scenario, found)
    if problems:
        raise ScenarioError("scenario_invalid", population.units_file, tuple(problems))
    return found


def _trial(file: str, plan: str) -> Trial:
    """Read and compute the file; every row has to be good."""
    try:
        trial = compute(plan_file.load(plan), Path(file))
    except (RefusalError, OSError) as error:
        raise _refused(file, file, f"a table of units for the plan {plan} ({error})") from None
    if trial.reading.refused:
        row = trial.reading.refused[0]
        count = len(trial.reading.refused)
        said = f"rows that can be computed; {count} cannot, first: {row.reason} [{row.code}]"
        raise _refused(file, f"row {row.row}, {row.field or 'whole row'}", said)
    return trial


def _refused(file: str, value: str, said: str) -> ScenarioError:
    problem = Problem("inconsistent_totals", KEY, value, said, file)
    return ScenarioError("scenario_invalid", file, (problem,))


def _gathered(scenario: Scenario, trial: Trial) -> Computed:
    """Add up the years of each obligation, entity by entity."""
    names = list(dict.fromkeys(name for of in trial.results for name in of.units.entities.names))
    place = {name: number for number, name in enumerate(names)}
    sector, province = [""] * len(names), [""] * len(names)
    total, years = np.zeros(len(names)), np.zeros(len(names))
    for of in trial.results:
        rows = [place[name] for name in of.units.entities.names]
        for row, kind in zip(rows, _sectors(of), strict=True):
            sector[row] = kind
        for row, name in zip(rows, of.units.entities.provinces, strict=True):
            province[row] = name
        total[rows] += of.entity.emissions_t
        years[rows] += 1
    shape = (len(scenario.obligations), len(names))
    sums = [np.zeros(shape, np.int64) for _ in range(3)]
    known = []
    by_year = {of.units.year: of for of in trial.results}
    for number, obligation in enumerate(scenario.obligations):
        parts = [by_year.get(year) for year in years_of(obligation)]
        known.append(_covers(obligation, trial.plan.sectors) and None not in parts)
        for part in parts if known[-1] else ():
            assert part is not None
            rows = [place[name] for name in part.units.entities.names]
            of_part = part.entity
            for into, tonnes in zip(
                sums, (of_part.emissions_t, of_part.obligation_t, of_part.approved_t), strict=True
            ):
                into[number, rows] += tonnes
    size = total / np.maximum(years, 1)
    return Computed(_rows(scenario, sector), names, sector, province, size, known, *sums)


def _sectors(of: Allocation) -> list[str]:
    """Return the sector of each entity of a year; a power plan has one only."""
    if of.plan.power:
        return [of.plan.sectors[0]] * len(of.units.entities.names)
    kinds = dict(zip(of.units.entity.tolist(), of.units.kind.tolist(), strict=True))
    return [of.plan.kinds[kinds[row]] for row in range(len(of.units.entities.names))]


def years_of(obligation: Obligation) -> range:
    """Return the data years of an obligation: 2023, or 2019 and 2020 of "2019-2020"."""
    first, _, last = obligation.year.partition("-")
    return range(int(first), int(last or first) + 1)


def _covers(obligation: Obligation, sectors: Sequence[str]) -> bool:
    """Whether a plan is that of an obligation; arrears have no allocation of their own."""
    return set(obligation.sectors) <= set(sectors) and obligation.entities_share >= 1.0


def _counted(scenario: Scenario, sectors: Sequence[str], found: Computed) -> list[Problem]:
    """Refuse a file that has another number of entities than the scenario."""
    problems = []
    file = scenario.population.units_file
    for index, sector in enumerate(scenario.population.sectors):
        count = found.sector.count(sector.name)
        if sector.name in sectors and count != sector.entities:
            key = f"population.sectors.{index}.entities"
            said = f"{count}, as many {sector.name} entities as {Path(file).name} has"
            problems.append(
                Problem("inconsistent_totals", key, sector.entities, said, scenario.name)
            )
    return problems


def _weighed(scenario: Scenario, found: Computed) -> list[Problem]:
    """Refuse a file whose emissions are not what the scenario says is due in all."""
    problems = []
    for number, obligation in enumerate(scenario.obligations):
        said_mt, file_mt = obligation.emissions_mt, found.emissions_t[number].sum() / 1e6
        if found.known[number] and abs(file_mt - said_mt) > EMISSIONS_OFF_MAX * file_mt:
            key = f"obligations.{number}.emissions_mt"
            said = f"{file_mt:.6g}, the emissions in {Path(scenario.population.units_file).name}"
            problems.append(Problem("inconsistent_totals", key, said_mt, said, scenario.name))
    return problems


def _rows(scenario: Scenario, sectors: list[str]) -> Array:
    """Return the row of each of the file's entities among all of the scenario, shape (m,)."""
    counts = {each.name: each.entities for each in scenario.population.sectors}
    first = dict(zip(counts, np.cumsum([0, *counts.values()]).tolist(), strict=False))
    seen = dict.fromkeys(counts, 0)
    rows = []
    for name in sectors:
        rows.append(first[name] + seen[name])
        seen[name] += 1
    return np.array(rows, np.int64)


def put_obligations(
    computed: Computed | None, rates: Array, due_t: Array, allocation_t: Array
) -> None:
    """Put in the computed obligations: arrays of shape (k, n)."""
    if computed is None:
        return
    for number in np.flatnonzero(computed.known):
        emissions = computed.emissions_t[number]
        surplus = computed.allocation_t[number] - emissions
        rates[number, computed.rows] = surplus / np.maximum(emissions, 1)
        due_t[number, computed.rows] = computed.due_t[number]
        allocation_t[number, computed.rows] = computed.allocation_t[number]
