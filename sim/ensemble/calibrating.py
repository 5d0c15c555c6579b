"""Calibration: behaviour parameters by simulated moments, on the seasons 2021 and 2024 only.

One trial = one set of parameters, simulated for every season and seed (the same seeds in every
trial: common random numbers), its loss by ``sim.ensemble.loss``. Trials are kept in SQLite: the
same call again goes on where it was, and several processes may share a file.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import msgspec
import optuna
from optuna.trial import TrialState

from sim.ensemble.bounds import Bound, Bounds, bounds_of
from sim.ensemble.loss import Loss, calibration_targets, loss_of
from sim.ensemble.study import CalibrationError, agree, finished, open_study
from sim.ensemble.workers import Sample, Stuck, noticing_interrupts, sampled, workers
from sim.results.targets import SHIPPED, Target
from sim.scenario.identity import scenario_hash
from sim.scenario.model import Scenario
from sim.scenario.reading import load, smaller

SEASONS = ("2021", "2024")  # all others are kept aside: 2022 for structure, the rest unseen
NAMES = ", ".join(SEASONS)


@dataclass(frozen=True)
class Calibration:
    """What a study found. ``parameters``: the whole best set, those that were fixed included.

    ``loss``, ``within`` of ``targets``, ``z`` are the best trial's; ``start_loss`` that of the
    parameters one began with (NaN while unknown). ``interrupted``: Ctrl-C ended it early.
    """

    study: str
    finished: int
    pruned: int
    parameters: dict[str, float]
    searched: tuple[str, ...]
    loss: float
    within: int
    targets: int
    z: dict[str, float]
    start_loss: float
    seconds: float
    interrupted: bool

    def toml(self) -> str:
        """Return the best set as a behaviour.toml: a ``[behaviour]`` table in full."""
        head = (
            f"# Study {self.study}: {self.finished} trials, loss {self.loss:.4f} "
            f"(at the start {self.start_loss:.4f}), {self.within} of {self.targets} targets within."
        )
        lines = [f"{name} = {value!r}" for name, value in self.parameters.items()]
        return "\n".join([head, "", "[behaviour]", *lines]) + "\n"


@dataclass(frozen=True)
class Told:
    """Progress: trial ``number`` ended with ``loss`` (pruned: after the first seed only)."""

    number: int
    finished: int
    trials: int
    loss: float
    within: int
    best: float
    pruned: bool


Progress = Callable[[Told], None]


def calibrate(
    seasons: Sequence[str] = SEASONS,
    trials: int = 100,
    seeds: Sequence[int] = (1, 2, 3),
    storage: str | Path | None = None,
    *,
    study: str = "calibration",
    bounds: str | Path | Mapping[str, Bound | tuple[float, float]] | None = None,
    only: Sequence[str] = (),
    fixed: Mapping[str, float] | None = None,
    sampler: str = "tpe",
    sampler_seed: int = 1,
    prune: bool = False,
    jobs: int = -1,
    share: float = 1.0,
    targets: str | Path = SHIPPED,
    minutes: float | None = None,
    progress: Progress | None = None,
) -> Calibration:
    """Search until the study has ``trials`` finished trials, or for ``minutes``.

    Args:
        seasons: of 2021 and 2024; no other season may be calibrated on.
        storage: SQLite file (made if need be), database URL, or None: kept in memory only.
        study: name within the storage.
        bounds: TOML file, mapping, or None: those of ``sim/ensemble/bounds.toml``.
        only: search these parameters, leave the others as behaviour.toml says.
        fixed: behaviour parameters with another value than behaviour.toml's.
        sampler: "tpe", "refine" (around the best so far) or "random".
        prune: end a trial after its first seed where that is worse than the median of the others.
        jobs: processes for the seasons and seeds of a trial; -1 = one a core.
        share: of the entities and tonnes, for trials of the method; targets in tonnes then fail.

    Raises:
        CalibrationError, BoundsError, TargetsFileError, ScenarioError.
    """
    started = time.monotonic()
    ready = _ready(seasons, seeds, bounds, only, fixed or {}, share, targets, prune)
    with workers(jobs) as parallel:
        ready.parallel = parallel
        kept = open_study(storage, study, sampler, sampler_seed, prune)
        agree(kept, ready.about(share, targets))
        if not kept.get_trials(deepcopy=False):
            kept.enqueue_trial(
                {name: b.clip(ready.start[name]) for name, b in ready.bounds.items()}
            )
        left = trials - len(finished(kept))
        interrupted = ready.search(kept, trials, minutes, progress) if left > 0 else False
    return _result(kept, ready, time.monotonic() - started, interrupted)


@dataclass
class Search:
    """What stays the same in all trials of a study."""

    bases: dict[str, Scenario]  # each season with the parameters one begins with
    start: dict[str, float]
    bounds: Bounds
    rounds: list[tuple[int, ...]]
    targets: list[Target]
    parallel: joblib.Parallel | None = None
    running: optuna.Trial | None = None

    def scenarios(self, parameters: Mapping[str, float]) -> dict[str, Scenario]:
        """Return the scenario of each season with these parameters."""
        replace = msgspec.structs.replace
        return {
            name: replace(base, behaviour=replace(base.behaviour, **parameters))
            for name, base in self.bases.items()
        }

    def about(self, share: float, targets: str | Path) -> dict[str, Any]:
        """Return what a loss depends on besides the parameters; one run stands for the program."""
        assert self.parallel is not None
        scenarios = self.scenarios({})
        seeds = [seed for each in self.rounds for seed in each]
        runs = sampled(self.parallel, scenarios, seeds[:1])
        return {
            "seasons": list(scenarios),
            "seeds": seeds,
            "share": share,
            "scenarios": [scenario_hash(each) for each in scenarios.values()],
            "targets": hashlib.sha256(Path(targets).read_bytes()).hexdigest(),
            "program": [str(getattr(run, "digest", run)) for run in runs],
        }

    def search(
        self,
        study: optuna.Study,
        trials: int,
        minutes: float | None,
        progress: Progress | None,
    ) -> bool:
        """Run trials; return whether Ctrl-C ended them. What was running is marked as failed."""

        def told(kept: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
            done = len(finished(kept))
            if progress is not None:
                progress(_told(kept, trial, done, trials))
            if done >= trials or seen.is_set():
                kept.stop()

        limit = None if minutes is None else minutes * 60
        with noticing_interrupts() as seen:
            try:
                study.optimize(self.objective, timeout=limit, callbacks=[told])
            except KeyboardInterrupt:
                seen.set()
                if self.running is not None:
                    study.tell(self.running, state=TrialState.FAIL, skip_if_finished=True)
        return seen.is_set()

    def objective(self, trial: optuna.Trial) -> float:
        """Simulate one set of parameters and return its loss."""
        assert self.parallel is not None
        self.running = trial
        drawn = {
            name: trial.suggest_float(name, each.low, each.high, log=each.log)
            for name, each in self.bounds.items()
        }
        scenarios = self.scenarios(drawn)
        samples: list[Sample | Stuck] = []
        for step, seeds in enumerate(self.rounds):
            samples += sampled(self.parallel, scenarios, seeds)
            loss = loss_of(samples, self.targets)
            trial.report(loss.value, step)
            note(trial, loss)
            if step + 1 < len(self.rounds) and trial.should_prune():
                raise optuna.TrialPruned
        return loss.value


def note(trial: optuna.Trial, loss: Loss) -> None:
    """Keep with a trial how near it came to each target."""
    trial.set_user_attr("within", loss.within)
    trial.set_user_attr("targets", loss.targets)
    trial.set_user_attr("z", {name: round(z, 4) for name, z in loss.z.items() if math.isfinite(z)})


def _ready(
    seasons: Sequence[str],
    seeds: Sequence[int],
    bounds: str | Path | Mapping[str, Bound | tuple[float, float]] | None,
    only: Sequence[str],
    fixed: Mapping[str, float],
    share: float,
    targets: str | Path,
    prune: bool,
) -> Search:
    held_out = [each for each in seasons if each not in SEASONS]
    if held_out or not seasons:
        asked = ", ".join(map(str, held_out)) or "none"
        raise CalibrationError(f"season {asked}: only {NAMES} may be calibrated on")
    every = tuple(dict.fromkeys(seeds))
    if not every:
        raise CalibrationError("seeds: at least one was expected")
    chosen = {n: b for n, b in bounds_of(bounds, only).items() if n not in fixed}
    if not chosen:
        raise CalibrationError("every parameter is fixed: there is nothing to search")
    bases = {}
    for season in dict.fromkeys(seasons):
        base = smaller(load(season), share) if share != 1.0 else {}
        base |= {f"behaviour.{name}": value for name, value in fixed.items()}
        for ends in ("low", "high"):  # what a scenario refuses may not lie within the bounds
            load(season, base | {f"behaviour.{n}": getattr(b, ends) for n, b in chosen.items()})
        bases[season] = load(season, base)
    start = msgspec.structs.asdict(next(iter(bases.values())).behaviour)
    rounds = [every[:1], every[1:]] if prune and len(every) > 1 else [every]
    return Search(bases, start, chosen, rounds, calibration_targets(list(bases), targets))


def _told(study: optuna.Study, trial: optuna.trial.FrozenTrial, done: int, trials: int) -> Told:
    pruned = trial.state == TrialState.PRUNED
    value = trial.value if trial.value is not None else float("nan")
    within = int(trial.user_attrs.get("within", 0))
    return Told(trial.number, done, trials, value, within, _best_loss(study), pruned)


def _complete(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))


def _best_loss(study: optuna.Study) -> float:
    return min((float(each.value or 0.0) for each in _complete(study)), default=float("nan"))


def _result(study: optuna.Study, ready: Search, seconds: float, interrupted: bool) -> Calibration:
    done, complete = finished(study), _complete(study)
    best = min(complete, key=lambda each: float(each.value or 0.0), default=None)
    first = next((each for each in complete if each.number == 0), None)
    seen = best.user_attrs if best else {}
    nothing = float("nan")
    return Calibration(
        study=study.study_name,
        finished=len(done),
        pruned=len(done) - len(complete),
        parameters=ready.start | (best.params if best else {}),
        searched=tuple(ready.bounds),
        loss=float(best.value or 0.0) if best else nothing,
        within=int(seen.get("within", 0)),
        targets=int(seen.get("targets", len(ready.targets))),
        z=dict(seen.get("z", {})),
        start_loss=float(first.value or 0.0) if first else nothing,
        seconds=seconds,
        interrupted=interrupted,
    )
