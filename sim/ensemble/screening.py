"""Morris screening: which behaviour parameters matter for the loss or for a fact, and how.

Elementary effects (Morris 1991) with radial designs (Campolongo, Saltelli, Cariboni 2011): from
each of R points within the bounds every parameter is moved once by a jump; an effect is the
change per jump, with parameters measured from 0 to 1 on the scale of their bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib
import numpy as np

from sim.ensemble.bounds import Bound, Bounds, bounds_of
from sim.ensemble.loss import calibration_targets, loss_of
from sim.ensemble.workers import Sample, Stuck, noticing_interrupts, sampled, workers
from sim.results.facts import facts
from sim.results.targets import SHIPPED, Target
from sim.scenario.model import Scenario
from sim.scenario.reading import load, smaller

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[np.float64]]
LOSS = "loss"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Screening:
    """Effects, shape (points, parameters, outputs); NaN where a season could not be lived.

    ``mu_star`` is the mean of absolute effects, ``sigma`` their standard deviation: strength, and
    curvature or interaction with the others. ``interrupted``: Ctrl-C left fewer points.
    """

    parameters: tuple[str, ...]
    outputs: tuple[str, ...]
    effects: Array
    interrupted: bool

    def table(self, output: str = LOSS) -> pd.DataFrame:
        """Return one row a parameter, the strongest first: mu, mu_star, sigma, effects."""
        import pandas as pd

        of = self.effects[:, :, self.outputs.index(output)]
        known = np.isfinite(of)
        count = known.sum(axis=0)
        filled = np.where(known, of, 0.0)
        safe = np.maximum(count, 1)
        mean, strength = filled.sum(axis=0) / safe, np.abs(filled).sum(axis=0) / safe
        square = np.where(known, (of - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count - 1, 1)
        table = pd.DataFrame(
            {
                "parameter": self.parameters,
                "mu": mean,
                "mu_star": strength,
                "sigma": np.sqrt(square),
                "effects": count,
            }
        )
        return table.sort_values("mu_star", ascending=False, ignore_index=True)


def elementary_effects(
    function: Callable[[Array], Array],
    parameters: int,
    points: int,
    seed: int,
    jump: float = 0.25,
    centre: Array | None = None,
    radius: float = 0.5,
) -> Array:
    """Return the effects of a function of parameters from 0 to 1, shape (points, parameters, m).

    Args:
        function: rows of parameters, shape (k, parameters), to outputs, shape (k, m).
        centre, radius: points lie in a box around ``centre``, cut to 0..1; default everywhere.
    """
    chance = np.random.default_rng(seed)
    middle = np.full(parameters, 0.5) if centre is None else centre
    found = []
    for _ in range(points):
        base = np.clip(middle + radius * chance.uniform(-1.0, 1.0, parameters), 0.0, 1.0)
        step = np.where(base + jump <= 1.0, jump, -jump)
        rows = np.vstack([base, base + np.diag(step)])
        out = function(rows)
        found.append((out[1:] - out[0]) / step[:, None])
    return np.array(found)


def screen(
    seasons: Sequence[str] = ("2021", "2024"),
    points: int = 10,
    seeds: Sequence[int] = (1,),
    *,
    bounds: str | Path | Mapping[str, Bound | tuple[float, float]] | None = None,
    only: Sequence[str] = (),
    outputs: Sequence[str] = (),
    jump: float = 0.25,
    radius: float = 0.5,
    share: float = 1.0,
    jobs: int = -1,
    targets: str | Path = SHIPPED,
    progress: Progress | None = None,
) -> Screening:
    """Screen the behaviour parameters; takes points x (parameters + 1) x seasons x seeds runs.

    Args:
        outputs: facts (keys of ``sim.results.facts``) besides the loss; mean over seasons, seeds.
        radius: 0.5 = points from the whole bounds; less = a box around behaviour.toml's values.
        share: of the entities and tonnes.

    Raises:
        BoundsError, TargetsFileError, ScenarioError.
    """
    chosen = bounds_of(bounds, only)
    bases = {
        name: load(name, smaller(load(name), share) if share != 1.0 else {}) for name in seasons
    }
    wanted = calibration_targets(list(bases), targets)
    start = next(iter(bases.values())).behaviour
    centre = np.array([b.place(b.clip(getattr(start, n))) for n, b in chosen.items()])
    found: list[Array] = []
    with workers(jobs) as parallel, noticing_interrupts() as seen:
        trial = Trial(parallel, bases, chosen, seeds, wanted, outputs, progress)
        trial.total = points * (len(chosen) + 1)
        box = None if radius >= 0.5 else centre
        try:
            for point in range(points):
                effects = elementary_effects(
                    trial.measured, len(chosen), 1, point + 1, jump, box, radius
                )
                found.append(effects[0])
                if seen.is_set():
                    break
        except KeyboardInterrupt:
            seen.set()
    every = np.array(found) if found else np.empty((0, len(chosen), 1 + len(outputs)))
    return Screening(tuple(chosen), (LOSS, *outputs), every, seen.is_set())


@dataclass
class Trial:
    """Simulates parameter sets of a screening, row by row."""

    parallel: joblib.Parallel
    bases: Mapping[str, Scenario]
    bounds: Bounds
    seeds: Sequence[int]
    targets: Sequence[Target]
    outputs: Sequence[str]
    progress: Progress | None
    total: int = 0
    done: int = 0

    def measured(self, rows: Array) -> Array:
        """Return loss and outputs of rows of places, shape (rows, 1 + outputs)."""
        found = []
        for row in rows:
            runs = sampled(self.parallel, at(self.bases, self.bounds, row), self.seeds)
            found.append(_outputs(runs, loss_of(runs, self.targets).value, self.outputs))
            self.done += 1
            if self.progress is not None:
                self.progress(self.done, self.total)
        return np.array(found)


def at(bases: Mapping[str, Scenario], bounds: Bounds, places: Array) -> dict[str, Scenario]:
    """Return the seasons with parameters at these places (0 to 1) within their bounds."""
    from msgspec.structs import replace

    values = {name: b.value(float(x)) for (name, b), x in zip(bounds.items(), places, strict=True)}
    return {
        name: replace(each, behaviour=replace(each.behaviour, **values))
        for name, each in bases.items()
    }


def _outputs(runs: list[Sample | Stuck], loss: float, names: Sequence[str]) -> list[float]:
    lived = [run for run in runs if not isinstance(run, Stuck)]
    if len(lived) < len(runs):
        return [float("nan")] * (1 + len(names))
    tables = [facts(run.quotes, compliance=run.compliance) for run in lived] if names else []
    middle = [float(np.mean([each.get(name, np.nan) for each in tables])) for name in names]
    return [loss, *middle]
