"""Search around the best parameter sets so far: a small evolution strategy as an Optuna sampler.

The refinement step of black-it's best-batch sampler: a new set mixes two of the best ones and
moves some parameters by a normal step on the bound's own scale. The step follows the one-fifth
rule, computed from the study's history, so that an interrupted search goes on as it was.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import BaseSampler
from optuna.study import Study
from optuna.trial import FrozenTrial, TrialState

from sim.ensemble.bounds import Bound

ELITE = 6  # how many of the best are parents
STEP_FIRST, STEP_LEAST, STEP_MOST = 0.10, 0.01, 0.30  # of a bound's whole range
GROWTH = 1.4  # of the step after a success; four failures take it back
MOVED = 4.0  # parameters moved at a time, in the mean


class RefiningSampler(BaseSampler):
    """Draws near the best finished trials; at random within the bounds while there are none."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._drawn: tuple[int, _Draw] | None = None

    def infer_relative_search_space(
        self, study: Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        """Return nothing: parameters are drawn one by one, from one plan a trial."""
        return {}

    def sample_relative(
        self, study: Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Return nothing, see above."""
        return {}

    def sample_independent(
        self,
        study: Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> float:
        """Return the value of one parameter for this trial."""
        if not isinstance(param_distribution, FloatDistribution):
            raise TypeError(f"{param_name}: a range of numbers was expected")
        if self._drawn is None or self._drawn[0] != trial.number:
            self._drawn = trial.number, _Draw(study, trial.number, self._seed)
        law = param_distribution
        return self._drawn[1].value(param_name, Bound(law.low, law.high, law.log))


class _Draw:
    """What one trial draws from: two parents and a step."""

    def __init__(self, study: Study, number: int, seed: int) -> None:
        self._chance = np.random.default_rng((seed, number))
        done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
        self._step = step_after([float(each.value or 0.0) for each in done])
        best = sorted(done, key=lambda each: float(each.value or 0.0))[:ELITE]
        self._parents = []
        if best:
            weights = 1.0 / np.arange(1, len(best) + 1)
            chosen = self._chance.choice(len(best), 2, p=weights / weights.sum())
            self._parents = [best[row].params for row in chosen]
            self._moved = min(1.0, MOVED / max(1, len(best[0].params)))

    def value(self, name: str, bound: Bound) -> float:
        mixed, moves = self._chance.random(2)
        bell = self._chance.standard_normal()
        known = [each[name] for each in self._parents if name in each]
        if not known:
            return bound.value(self._chance.random())
        value = bound.clip(float(known[-1] if mixed < 0.25 else known[0]))
        if moves >= self._moved:
            return value
        place = abs(bound.place(value) + self._step * bell)
        return bound.value(1.0 - abs(1.0 - place))  # mirrored at the ends, not stuck there


def step_after(losses: list[float]) -> float:
    """Return the step after these losses, in the order in which they were found."""
    step, best = STEP_FIRST, float("inf")
    for loss in losses:
        step *= GROWTH if loss < best else GROWTH**-0.25
        best = min(best, loss)
        step = min(max(step, STEP_LEAST), STEP_MOST)
    return step
