"""A population that is small enough to be played by as many connections."""

from __future__ import annotations

from sim.scenario.model import Scenario
from sim.scenario.reading import smaller


def few(scenario: Scenario, entities: int) -> dict[str, object]:
    """Return overrides that leave about ``entities``, with as large a part of them in groups.

    Quantities shrink with the number of entities (``smaller``); groups do too, or each would have
    one member. A scenario that has no more entities stays as it is.
    """
    population = scenario.population
    total = sum(each.entities for each in population.sectors)
    if entities >= total:
        return {}
    share = entities / total
    central = max(1, round(population.central_groups * share)) if population.central_groups else 0
    provincial = round(population.provincial_groups * share)
    found = smaller(scenario, share)
    found["population.central_groups"] = central
    if central:
        in_central = population.central_groups * population.central_share
        found["population.central_share"] = in_central / central
    found["population.provincial_groups"] = (
        max(1, provincial) if population.provincial_groups else 0
    )
    return found
