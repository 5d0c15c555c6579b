"""What the sections of a scenario must say together: dates in order, totals that add up."""

from __future__ import annotations

from sim.scenario.model import Scenario
from sim.scenario.refusing import Problem


def check(scenario: Scenario, problems: list[Problem]) -> None:
    """Report everything that does not fit together."""
    if scenario.first_day > scenario.last_day:
        said = f"a day on or after first_day {scenario.first_day}"
        problems.append(Problem("inconsistent_dates", "last_day", scenario.last_day, said))
