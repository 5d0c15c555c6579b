"""An experiment run: every arm with every seed through a sweep, then paired.

Runs stream to disk as they are finished and are found again (``sim.ensemble.sweeping``); what is
read out of a run is kept beside it, so going on costs nothing for what is there.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sim.ensemble.sweeping import Arm, Finished, arms_of, sweep
from sim.experiments.pairing import paired, verdict
from sim.experiments.read_outs import WORDS, read_outs
from sim.experiments.reading import (
    BASE,
    SIGNS,
    Experiment,
    ExperimentError,
    Made,
    arms_made,
)
from sim.results.run import Run

RUNS_FOLDER = "runs"
READ_FILE = "read-outs.json"
RESULT_FILE = "results.parquet"

Progress = Callable[[int, int, str, int], None]  # finished, in all, arm, seed


@dataclass(frozen=True)
class Verdict:
    """An expectation and what was found: "yes", "no", "opposite" or "undecided"."""

    arm: str
    read_out: str
    sign: str
    why: str
    difference: float
    low: float
    high: float
    occurred: str


@dataclass(frozen=True)
class Outcome:
    """What an experiment found. ``table``: tidy, one row per arm, seed and read-out."""

    experiment: Experiment
    arms: tuple[Made, ...]
    share: float
    table: pd.DataFrame
    pairs: pd.DataFrame
    verdicts: tuple[Verdict, ...]
    finished: int
    total: int
    interrupted: bool


def total_runs(experiment: Experiment, seeds: Iterable[int], share: float) -> int:
    """Return how many runs an experiment has."""
    return len(arms_made(experiment, share)) * len(list(seeds))


def run_experiment(
    experiment: Experiment,
    seeds: Iterable[int],
    folder: Path,
    share: float = 1.0,
    jobs: int = -1,
    progress: Progress | None = None,
    lean: bool = True,
) -> Outcome:
    """Simulate every arm with every seed, read out, pair and write ``results.parquet``.

    Args:
        seeds: the same for every arm.
        folder: gets ``runs/``, a folder each, and the results; goes on where it was left.
        share: of the population, in (0, 1].
        lean: drop the orders of a run, most of its size, once it is read out.

    Raises:
        ExperimentError, ScenarioError, SweepError, ValueError. Ctrl-C raises nothing.
    """
    arms = tuple(arms_made(experiment, share))
    grid = [arm.overrides for arm in arms]
    labels = _labels(experiment, arms, arms_of(experiment.season, grid, folder / RUNS_FOLDER))
    rows: list[pd.DataFrame] = []

    def keep(done: int, total: int, run: Finished) -> None:
        rows.append(_read(run, labels[run.scenario_hash], lean))
        if progress is not None:
            progress(done, total, labels[run.scenario_hash], run.seed)

    swept = sweep(experiment.season, grid, seeds, folder / RUNS_FOLDER, jobs=jobs, progress=keep)
    table = _tidy(experiment, rows, [arm.label for arm in arms])
    table.to_parquet(folder / RESULT_FILE, index=False)
    against = {arm.label: arm.against for arm in arms if arm.label != BASE}
    pairs = paired(table, against)
    finished, stopped = len(swept.runs), swept.interrupted
    judged = tuple(verdicts_of(experiment, pairs))
    return Outcome(experiment, arms, share, table, pairs, judged, finished, swept.total, stopped)


def _labels(experiment: Experiment, arms: tuple[Made, ...], swept: list[Arm]) -> dict[str, str]:
    """Return the label of each scenario; two arms must not be the same one."""
    if len(swept) < len(arms):
        raise ExperimentError(f"{experiment.name}: two arms are the same scenario")
    return {each.scenario_hash: arm.label for each, arm in zip(swept, arms, strict=True)}


def _read(run: Finished, label: str, lean: bool) -> pd.DataFrame:
    """Return the read-outs of a saved run as rows; they are kept beside it."""
    file = run.folder / READ_FILE
    values: dict[str, float] = {}
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        if kept["digest"] == run.digest and kept["names"] == list(WORDS):
            values = kept["values"]
    except (OSError, ValueError, KeyError):
        values = {}
    if not values:
        values = read_outs(Run.load(run.folder))
        kept = {"digest": run.digest, "names": list(WORDS), "values": values}
        file.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    if lean:
        (run.folder / "orders.parquet").unlink(missing_ok=True)
    return pd.DataFrame(
        {"arm": label, "seed": run.seed, "read_out": list(values), "value": list(values.values())}
    )


def _tidy(experiment: Experiment, rows: list[pd.DataFrame], order: list[str]) -> pd.DataFrame:
    """Return one table of all rows, in the order of the arms, seeds and read-outs."""
    columns = ["experiment", "arm", "seed", "read_out", "unit", "value"]
    if not rows:
        return pd.DataFrame(columns=columns)
    table = pd.concat(rows, ignore_index=True)
    table["experiment"] = experiment.name
    table["unit"] = [WORDS[name].unit for name in table["read_out"]]
    place = {name: number for number, name in enumerate(WORDS)}
    table["_arm"] = table["arm"].map(order.index)
    table["_read_out"] = table["read_out"].map(place)
    table = table.sort_values(["_arm", "seed", "_read_out"], ignore_index=True)
    return table[columns]


def verdicts_of(experiment: Experiment, pairs: pd.DataFrame) -> list[Verdict]:
    """Return each expectation with what was found; what no run gave is undecided."""
    found = []
    for each in experiment.expect:
        mine = pairs[(pairs["arm"] == each.arm) & (pairs["read_out"] == each.read_out)]
        numbers = [float("nan")] * 3
        if len(mine):
            numbers = [float(mine.iloc[0][name]) for name in ("difference", "low", "high")]
        difference, low, high = numbers
        occurred = verdict(low, high, SIGNS[each.sign])
        told = (each.arm, each.read_out, each.sign, each.why)
        found.append(Verdict(*told, difference, low, high, occurred))
    return found
