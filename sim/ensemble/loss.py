"""One number for how far runs lie from the targets marked "calibrate": what calibration lessens.

loss = mean over targets of rho(z), rho(z) = z^2 / (1 + (z / 3)^2), with the z of the score (median
over the runs, in tolerances; of a target of several parts the worst one). rho is z^2 near zero,
half of its greatest value 9 at |z| = 3, and never flat: a target that is hopeless cannot outweigh
the others, yet still says which way is better. A target that a run does not give counts 9.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sim.ensemble.workers import Stuck
from sim.results.score import ScorableRun, ScoreTable, score
from sim.results.targets import SHIPPED, Target, TargetsFileError, read_targets

USE = "calibrate"
BEND = 3.0  # |z| at which a target's part of the loss is half of what it can be
WORST = BEND * BEND


@dataclass(frozen=True, slots=True)
class Loss:
    """``value``: the loss; ``within`` of ``targets`` have |z| <= 1; ``z`` by target id."""

    value: float
    within: int
    targets: int
    z: dict[str, float]


def rho(z: float) -> float:
    """Return a target's part of the loss, 0 to 9; 9 where there is no z."""
    return z * z / (1.0 + (z / BEND) ** 2) if math.isfinite(z) else WORST


def calibration_targets(seasons: Sequence[str], file: str | Path = SHIPPED) -> list[Target]:
    """Return the targets of these seasons that are marked "calibrate" and can be scored.

    Raises:
        TargetsFileError: no targets file, or none of its rows is one for these seasons.
    """
    years = {int(season) for season in seasons}
    chosen = [
        each
        for each in read_targets(file)
        if each.use == USE and not each.reason and years.issuperset(each.years)
    ]
    if not chosen:
        expected = f"at least one row of {', '.join(seasons)} with use {USE!r}"
        raise TargetsFileError("targets-no-rows", Path(file), 0, "use", "", expected)
    return chosen


def loss_of(runs: Sequence[ScorableRun | Stuck], targets: Sequence[Target]) -> Loss:
    """Return the loss of runs of one or several seasons; the greatest if one could not be lived."""
    if any(isinstance(run, Stuck) for run in runs):
        return Loss(WORST, 0, len(targets), {})
    return loss_of_table(score([run for run in runs if not isinstance(run, Stuck)], targets))


def loss_of_table(table: ScoreTable) -> Loss:
    """Return the loss of a score."""
    z = {row.target.id: row.z for row in table.rows}
    value = sum(rho(each) for each in z.values()) / len(z)
    return Loss(value, table.within, len(z), z)
