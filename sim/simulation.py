"""``simulate(scenario, seed) -> Run``: the one call that lives a whole season."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from sim.results.run import Run, run_of
from sim.scenario.model import Scenario
from sim.season.season import Season

Progress = Callable[[int, int], None]  # days lived, days in all


def simulate(scenario: Scenario, seed: int, progress: Progress | None = None) -> Run:
    """Simulate a season; the same scenario and seed give the same run on any machine.

    Args:
        scenario: from ``sim.load`` or made by hand.
        seed: any whole number; draws are keyed by (seed, season, entity, purpose).
        progress: called after each day with (days lived, days in all).

    Returns:
        the Run with its tables; ``run.digest`` is the hash of its event log.

    Raises:
        TypeError: ``scenario`` is no Scenario (``load`` makes one of a name), ``seed`` no integer.
        ScenarioError: unit data do not fit the scenario.
    """
    number = _checked(scenario, seed)
    started = time.perf_counter()
    season = Season(scenario, number)
    for lived, _ in enumerate(season.live(), start=1):
        if progress is not None:
            progress(lived, len(season.days))
    return run_of(season, time.perf_counter() - started)


def _checked(scenario: object, seed: object) -> int:
    """Return the seed; TypeError where the two are not what ``simulate`` expects."""
    if not isinstance(scenario, Scenario):
        said = "a Scenario is expected, as sim.load makes one of a name or a path"
        raise TypeError(f"{said}; not {scenario!r}")
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise TypeError(f"a whole number is expected as seed, not {seed!r}")
    return int(seed)
