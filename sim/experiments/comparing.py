"""The model and its baselines against the same targets, side by side."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import pandas as pd

from sim.ensemble.workers import Sample, leave_interrupts_to
from sim.experiments.baselines import (
    BaselineError,
    ProfileRun,
    baseline_no_groups,
    baseline_profile,
    baseline_zero_intelligence,
)
from sim.results.observed import read_daily
from sim.results.run import Run
from sim.results.score import ScoreTable, score
from sim.results.targets import read_targets
from sim.scenario.model import Scenario
from sim.simulation import simulate

MODEL = "model"
KINDS: dict[str, str] = {
    MODEL: "the model",
    "profile": "(a) the season before, random walk",
    "no groups": "(b) the model without groups",
    "zero intelligence": "(c) zero-intelligence orders",
}
Progress = Callable[[int, str], None]  # finished, what


@dataclass(frozen=True)
class Comparison:
    """Scores by kind, all against the same targets; ``missing`` says why a kind has no season."""

    scores: dict[str, ScoreTable]
    missing: tuple[str, ...]


def compare(
    scenarios: Sequence[Scenario],
    seeds: Iterable[int],
    targets: str | Path,
    daily: str | Path | None = None,
    jobs: int = -1,
    progress: Progress | None = None,
) -> Comparison:
    """Simulate the model and its baselines and score each.

    Args:
        scenarios: seasons; their targets alone are scored.
        daily: the exchange's daily file, for the days of the profile and distances of volume.

    Raises:
        TargetsFileError, ObservedFileError, RunsError.
    """
    years = {scenario.name[:4] for scenario in scenarios}
    wanted = [row for row in read_targets(targets) if row.season in years]
    table = None if daily is None else read_daily(daily)
    starter, numbers = os.getpid(), list(seeds)
    work = [(kind, each, seed) for kind in KINDS for each in scenarios for seed in numbers]
    runs: dict[str, list[Sample | ProfileRun]] = {kind: [] for kind in KINDS}
    missing: list[str] = []
    with joblib.parallel_config("loky", n_jobs=jobs):
        parallel = joblib.Parallel(batch_size=1, return_as="generator")
        found = parallel(joblib.delayed(one)(*each, starter, table) for each in work)
        for done, ((kind, scenario, _), run) in enumerate(zip(work, found, strict=True), start=1):
            if isinstance(run, str):
                missing += [run] if run not in missing else []
            else:
                runs[kind].append(run)
            if progress is not None:
                progress(done, f"{KINDS[kind]}, {scenario.name}")
    scores = {kind: score(several, wanted, daily) for kind, several in runs.items() if several}
    return Comparison(scores, tuple(missing))


def one(
    kind: str, scenario: Scenario, seed: int, starter: int, daily: pd.DataFrame | None
) -> Sample | ProfileRun | str:
    """Return what a score needs of one run of a kind, or why there is none."""
    leave_interrupts_to(starter)
    makers: dict[str, Callable[[Scenario, int], Run]] = {
        MODEL: simulate,
        "no groups": baseline_no_groups,
        "zero intelligence": baseline_zero_intelligence,
    }
    if kind not in makers:
        try:
            return baseline_profile(scenario, seed, daily)
        except BaselineError as error:
            return str(error)
    run = makers[kind](scenario, seed)
    return Sample(run.season, seed, run.digest, run.quotes, run.compliance, run.seconds)
