"""``simulate(scenario, seed) -> Run``: the one call that lives a whole season."""

from __future__ import annotations

import time
from collections.abc import Callable

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
    """
    started = time.perf_counter()
    season = Season(scenario, seed)
    for number, _ in enumerate(season.live(), start=1):
        if progress is not None:
            progress(number, len(season.days))
    return run_of(season, time.perf_counter() - started)
