"""Can the parameters be told from the data? Recovery from simulated seasons whose truth is known.

1. Sensitivities: around the true set each parameter is moved by a step both ways; the change of
   every fact, in that fact's own spread over seeds, is its fingerprint. Two parameters with
   (nearly) parallel fingerprints cannot be told apart; one with a short one cannot be told at all.
2. Recovery: seasons are simulated with a true set and seeds of their own, their facts become the
   targets, and the search that calibrates starts somewhere else. What it finds is compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.trial import TrialState

from sim.ensemble.bounds import Bound, Bounds, bounds_of
from sim.ensemble.loss import WORST, rho
from sim.ensemble.screening import Array, at
from sim.ensemble.study import open_study
from sim.ensemble.workers import Sample, Stuck, sampled, workers
from sim.results.facts import facts
from sim.scenario.reading import load, smaller

STEP = 0.1  # of a bound's range, for sensitivities
ALIKE = 0.9  # |cosine| of two fingerprints from which they count as the same
FAINT = 1.0  # length of a fingerprint, in spreads, below which a parameter leaves no trace
LEAST_SPREAD = 1e-6
TRUTH_SEEDS_FROM = 1001  # the data's own seeds, never those of the search
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Recovered:
    """``error``: found less true, as a share of the bound's range; ``trace``: see the module."""

    name: str
    true: float
    found: float
    error: float
    trace: float


@dataclass(frozen=True)
class Identification:
    """``alike``: pairs with the cosine of their fingerprints; ``tied``: pairs whose values go
    together among the best trials (rank correlation); ``loss_true``: that of the true set itself.
    """

    parameters: tuple[Recovered, ...]
    alike: tuple[tuple[str, str, float], ...]
    tied: tuple[tuple[str, str, float], ...]
    loss: float
    loss_true: float
    trials: int
    interrupted: bool

    @property
    def faint(self) -> tuple[str, ...]:
        """Parameters that leave no trace in the facts."""
        return tuple(each.name for each in self.parameters if each.trace < FAINT)


def identify(
    only: Sequence[str],
    seasons: Sequence[str] = ("2021", "2024"),
    trials: int = 60,
    seeds: Sequence[int] = (1, 2),
    *,
    truth: Mapping[str, float] | None = None,
    truth_runs: int = 6,
    bounds: str | Path | Mapping[str, Bound | tuple[float, float]] | None = None,
    share: float = 0.1,
    sampler: str = "tpe",
    jobs: int = -1,
    progress: Progress | None = None,
) -> Identification:
    """Try to recover ``only`` these parameters from seasons simulated with a known ``truth``.

    Args:
        truth: true values; what it leaves out has behaviour.toml's.
        truth_runs: seasons simulated as data; their spread is the unit of every difference.
        share: of the entities and tonnes; at a tenth it takes minutes.

    Raises:
        BoundsError, ScenarioError, CalibrationError.
    """
    chosen = bounds_of(bounds, only)
    bases = {name: load(name, smaller(load(name), share)) for name in seasons}
    start = next(iter(bases.values())).behaviour
    true = np.array(
        [b.place(b.clip((truth or {}).get(n, getattr(start, n)))) for n, b in chosen.items()]
    )
    with workers(jobs) as parallel:

        def observe(places: Array, numbers: Sequence[int]) -> Array | None:
            return features(sampled(parallel, at(bases, chosen, places), numbers), list(bases))

        data = observe(true, range(TRUTH_SEEDS_FROM, TRUTH_SEEDS_FROM + truth_runs))
        if data is None:
            raise ValueError("the season cannot be lived with the true parameters")
        yardstick = Yardstick.of(data)
        prints = fingerprints(observe, yardstick, true, tuple(seeds), progress)
        study = open_study(None, "identify", sampler, 1, False)
        hunt = Hunt(study, chosen, yardstick, observe, tuple(seeds))
        interrupted = hunt.search(trials, progress)
        own = observe(true, seeds)
    loss_true = WORST if own is None else yardstick.loss(own)
    return _told(hunt, true, prints, loss_true, interrupted)


def _told(
    hunt: Hunt, true: Array, prints: Array, loss_true: float, interrupted: bool
) -> Identification:
    """Compare what the search found with the truth."""
    found, loss = hunt.best()
    rows = tuple(
        Recovered(
            name,
            bound.value(float(true[k])),
            bound.value(float(found[k])),
            float(found[k] - true[k]),
            _length(prints[k]),
        )
        for k, (name, bound) in enumerate(hunt.bounds.items())
    )
    alike = pairs(list(hunt.bounds), cosines(prints))
    tied = pairs(list(hunt.bounds), hunt.ranks_together())
    return Identification(rows, alike, tied, loss, loss_true, hunt.count(), interrupted)


Observe = Callable[[Array, Sequence[int]], "Array | None"]


def features(runs: Sequence[Sample | Stuck], seasons: Sequence[str]) -> Array | None:
    """Return facts, one row a seed and one column a season and fact; None if a run is stuck."""
    tables: dict[int, dict[str, float]] = {}
    for run in runs:
        if isinstance(run, Stuck):
            return None
        found = facts(run.quotes, compliance=run.compliance)
        tables.setdefault(run.seed, {}).update({f"{run.season} {k}": v for k, v in found.items()})
    names = [f"{season} {name}" for season in seasons for name in FACTS]
    return np.array([[table.get(name, np.nan) for name in names] for table in tables.values()])


FACTS = (
    *("Q4", "ND", "DEC", "TOP10", "TOP20", "WPK", "GINI", "BULK", "NOBULK", "THIN", "BSIZE"),
    *("BDMED", "BDVW", "BDTAIL", "SD", "AC1", "ACABS", "ZERO", "VAC1", "RUN20", "VOL"),
    *("P.start", "P.end", "P.low", "P.peak", "P.level", "LIM", "PART", "COMP", "CCER"),
)


@dataclass(frozen=True)
class Yardstick:
    """The data's facts: middle and spread over its seeds; shape (facts,)."""

    middle: Array
    spread: Array

    @classmethod
    def of(cls, data: Array) -> Yardstick:
        """Take the median and the standard deviation of facts that every run has."""
        every = np.isfinite(data).all(axis=0)
        middle = np.where(every, np.median(np.where(every, data, 0.0), axis=0), np.nan)
        spread = np.where(every, np.std(np.where(every, data, 0.0), axis=0, ddof=1), np.nan)
        return cls(middle, np.where(spread < LEAST_SPREAD, np.nan, spread))

    def z(self, data: Array) -> Array:
        """Return how far the median of ``data`` lies from the middle, in spreads."""
        return np.asarray((np.median(data, axis=0) - self.middle) / self.spread)

    def loss(self, data: Array) -> float:
        """Return the calibration loss with these facts as targets, spreads as tolerances."""
        used = np.isfinite(self.spread)
        return float(np.mean([rho(float(z)) for z in self.z(data)[used]]))


def fingerprints(
    observe: Observe,
    yardstick: Yardstick,
    true: Array,
    seeds: Sequence[int],
    progress: Progress | None,
) -> Array:
    """Return the change of each fact per step of each parameter, shape (parameters, facts)."""
    rows = []
    for k in range(len(true)):
        up, down = true.copy(), true.copy()
        up[k], down[k] = min(true[k] + STEP, 1.0), max(true[k] - STEP, 0.0)
        above, below = observe(up, seeds), observe(down, seeds)
        change = np.zeros(len(yardstick.middle))
        if above is not None and below is not None:
            change = (yardstick.z(above) - yardstick.z(below)) / ((up[k] - down[k]) / STEP)
        rows.append(np.where(np.isfinite(change), change, 0.0))
        if progress is not None:
            progress("sensitivity", k + 1, len(true))
    return np.array(rows)


def _length(fingerprint: Array) -> float:
    return float(np.abs(fingerprint).max(initial=0.0))


def cosines(prints: Array) -> Array:
    """Return the cosine of every two fingerprints, 0 where one leaves no trace."""
    norms = np.linalg.norm(prints, axis=1)
    norms = np.where(norms > 0, norms, np.inf)
    return np.asarray(prints @ prints.T / np.outer(norms, norms))


def pairs(names: Sequence[str], matrix: Array) -> tuple[tuple[str, str, float], ...]:
    """Return the pairs that count as the same, the closest first."""
    found = [
        (names[i], names[k], float(matrix[i, k]))
        for i, k in itertools.combinations(range(len(names)), 2)
        if abs(matrix[i, k]) >= ALIKE
    ]
    return tuple(sorted(found, key=lambda pair: -abs(pair[2])))


@dataclass
class Hunt:
    """The search that does not know the truth."""

    study: optuna.Study
    bounds: Bounds
    yardstick: Yardstick
    observe: Observe
    seeds: tuple[int, ...]

    def search(self, trials: int, progress: Progress | None) -> bool:
        """Run ``trials`` from the middle of the bounds; return whether Ctrl-C ended them."""
        self.study.enqueue_trial(dict.fromkeys(self.bounds, 0.5))

        def told(study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
            if progress is not None:
                progress("trial", trial.number + 1, trials)

        try:
            self.study.optimize(self._objective, n_trials=trials, callbacks=[told])
        except KeyboardInterrupt:
            return True
        return False

    def _objective(self, trial: optuna.Trial) -> float:
        places = np.array([trial.suggest_float(name, 0.0, 1.0) for name in self.bounds])
        seen = self.observe(places, self.seeds)
        return WORST if seen is None else self.yardstick.loss(seen)

    def _done(self) -> list[Any]:
        done = self.study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        return sorted(done, key=lambda each: float(each.value or 0.0))

    def count(self) -> int:
        """Return how many trials came to a result."""
        return len(self._done())

    def best(self) -> tuple[Array, float]:
        """Return the places and the loss of the best trial; the middle while there is none."""
        done = self._done()
        if not done:
            return np.full(len(self.bounds), 0.5), float("nan")
        return np.array([done[0].params[name] for name in self.bounds]), float(done[0].value)

    def ranks_together(self) -> Array:
        """Return the rank correlation of every two parameters among the best fifth of trials."""
        best = self._done()[: max(5, self.count() // 5)]
        values = np.array([[each.params[name] for name in self.bounds] for each in best])
        if len(values) < 5:
            return np.zeros((len(self.bounds), len(self.bounds)))
        ranks = values.argsort(axis=0).argsort(axis=0).astype(float)
        return np.atleast_2d(np.corrcoef(ranks, rowvar=False))
