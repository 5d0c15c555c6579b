"""Sweeps: every combination of a grid with every seed, one folder a run, resumable.

Runs are written by the process that made them, as soon as they are finished; nothing of them stays
in memory. All arms have the same seeds and so the same draws (common random numbers). What a run
is does not depend on how many processes there are, nor on whether joblib runs them on this machine
("loky") or on a cluster through Dask ("dask": the folder must be one that every worker sees).
"""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import joblib

from sim.ensemble.workers import leave_interrupts_to, noticing_interrupts
from sim.results.run import RUN_FILE, Run, RunFolderError
from sim.scenario.identity import scenario_hash
from sim.scenario.model import Scenario
from sim.scenario.reading import changed, load
from sim.simulation import simulate

if TYPE_CHECKING:
    import pandas as pd

BACKENDS = ("loky", "dask")
ARM_FILE = "arm.json"
HASH_SHOWN = 12  # hexadecimal digits of the scenario's hash in a folder's name
CLUSTER_WAIT_SECONDS = 30

Grid = Mapping[str, Sequence[object]] | Sequence[Mapping[str, object]] | None


class SweepError(Exception):
    """A sweep cannot be done as asked."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One what-if: its overrides, the scenario they give, the folder of its runs."""

    overrides: dict[str, object]
    scenario: Scenario
    scenario_hash: str
    folder: Path


@dataclass(frozen=True, slots=True)
class Finished:
    """A run that is on disk. ``resumed``: it was there before this sweep."""

    folder: Path
    season: str
    seed: int
    scenario_hash: str
    overrides: dict[str, object]
    digest: str
    seconds: float
    counts: dict[str, int]
    resumed: bool


@dataclass(frozen=True)
class Sweep:
    """What is on disk after a sweep, by arm and seed; ``interrupted``: Ctrl-C ended it early."""

    folder: Path
    runs: tuple[Finished, ...]
    total: int
    interrupted: bool

    def digests(self) -> dict[tuple[str, int], str]:
        """Return the event log hash of each run by (scenario hash, seed)."""
        return {(run.scenario_hash, run.seed): run.digest for run in self.runs}

    def table(self) -> pd.DataFrame:
        """Return one row a run: overrides by their keys, season, seed, counts, digest, folder."""
        import pandas as pd

        rows = [
            {
                **run.overrides,
                "season": run.season,
                "seed": run.seed,
                **run.counts,
                "seconds": run.seconds,
                "digest": run.digest,
                "folder": str(run.folder),
            }
            for run in self.runs
        ]
        return pd.DataFrame(rows)


Progress = Callable[[int, int, Finished], None]  # finished, in all, the last one


def sweep(
    scenario: Scenario | str | Path,
    grid: Grid,
    seeds: Iterable[int],
    folder: str | Path,
    backend: str = "loky",
    jobs: int = -1,
    resume: bool = True,
    progress: Progress | None = None,
) -> Sweep:
    """Simulate every arm with every seed into ``folder``/arm/seed-N, finished ones left alone.

    Args:
        scenario: a Scenario, the name of a season, or a file.
        grid: dotted key to values, all combinations of them; or a list of overrides, one an arm;
            or None for the scenario as it is.
        seeds: the same for every arm.
        backend: "loky" (processes of this machine) or "dask" (the current Dask client's cluster).
        jobs: processes; -1 = one a core, or the whole cluster.
        resume: leave runs that are there with the same scenario hash and seed.

    Raises:
        SweepError, ScenarioError. Ctrl-C raises nothing: the result says ``interrupted``.
    """
    if backend not in BACKENDS:
        raise SweepError(f"backend {backend!r}: one of {', '.join(BACKENDS)} was expected")
    place = Path(folder)
    arms = arms_of(scenario, grid, place)
    numbers = list(dict.fromkeys(seeds))
    if not numbers:
        raise SweepError("seeds: at least one was expected")
    prepare(place, arms)
    done = Done(len(arms) * len(numbers), progress)
    waiting = done.begin(arms, numbers, resume)
    with noticing_interrupts() as seen:
        try:
            for run in _live(waiting, backend, jobs):
                done.keep(run)
                if seen.is_set():
                    break
        except KeyboardInterrupt:
            seen.set()
    order = [(arm.scenario_hash, seed) for arm in arms for seed in numbers]
    runs = tuple(done.runs[key] for key in order if key in done.runs)
    return Sweep(place, runs, done.total, seen.is_set())


@dataclass
class Done:
    """What is finished so far of ``total`` runs."""

    total: int
    progress: Progress | None
    runs: dict[tuple[str, int], Finished] = field(default_factory=dict)

    def keep(self, run: Finished) -> None:
        """Note a run and tell."""
        self.runs[run.scenario_hash, run.seed] = run
        if self.progress is not None:
            self.progress(len(self.runs), self.total, run)

    def begin(self, arms: list[Arm], seeds: list[int], resume: bool) -> list[tuple[Arm, int]]:
        """Note what is on disk already; return what is left to do."""
        waiting = []
        for arm, seed in itertools.product(arms, seeds):
            there = on_disk(arm, seed) if resume else None
            if there is None:
                waiting.append((arm, seed))
            else:
                self.keep(there)
        return waiting


def arms_of(scenario: Scenario | str | Path, grid: Grid, folder: Path) -> list[Arm]:
    """Return the arms of a grid; two that are the same scenario are one. Raises SweepError."""
    arms: dict[str, Arm] = {}
    for overrides in combinations(grid):
        if isinstance(scenario, Scenario):
            made = changed(scenario, overrides) if overrides else scenario
        else:
            made = load(scenario, overrides)
        digest = scenario_hash(made)
        place = folder / f"{made.name}-{digest[:HASH_SHOWN]}"
        arms.setdefault(digest, Arm(overrides, made, digest, place))
    return list(arms.values())


def combinations(grid: Grid) -> Iterator[dict[str, object]]:
    """Yield the overrides of each arm, the last key changing fastest. Raises SweepError."""
    if not grid:
        yield {}
        return
    if not isinstance(grid, Mapping):
        yield from map(dict, grid)
        return
    for key, values in grid.items():
        if isinstance(values, str) or not isinstance(values, Sequence) or not values:
            raise SweepError(f"grid: {key} = {values!r}: a list of values was expected")
    for row in itertools.product(*grid.values()):
        yield dict(zip(grid, row, strict=True))


def prepare(folder: Path, arms: list[Arm]) -> None:
    """Make the folders and note in each what its arm is. Raises SweepError."""
    try:
        for arm in arms:
            arm.folder.mkdir(parents=True, exist_ok=True)
            about: dict[str, Any] = {
                "season": arm.scenario.name,
                "scenario_hash": arm.scenario_hash,
                "overrides": arm.overrides,
            }
            text = json.dumps(about, indent=2, ensure_ascii=False, default=str)
            (arm.folder / ARM_FILE).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise SweepError(f"{folder}: a folder to write to was expected ({error})") from None


def place_of(arm: Arm, seed: int) -> Path:
    """Return the folder of one run."""
    return arm.folder / f"seed-{seed}"


def on_disk(arm: Arm, seed: int) -> Finished | None:
    """Return the run of this scenario and seed that is finished already, or None."""
    folder = place_of(arm, seed)
    try:
        run = Run.load(folder)
    except RunFolderError:
        return None
    same = run.scenario_hash == arm.scenario_hash and run.seed == seed
    return _finished(run, folder, arm.overrides, True) if same else None


def _finished(run: Run, folder: Path, overrides: dict[str, object], resumed: bool) -> Finished:
    return Finished(
        folder,
        run.season,
        run.seed,
        run.scenario_hash,
        overrides,
        run.digest,
        run.seconds,
        run.counts,
        resumed,
    )


def one_run(arm: Arm, seed: int, starter: int) -> Finished:
    """Simulate one run and write it; the process is one of those that ``starter`` began."""
    leave_interrupts_to(starter)
    folder = place_of(arm, seed)
    (folder / RUN_FILE).unlink(missing_ok=True)  # until it is complete, it is none
    run = simulate(arm.scenario, seed)
    run.save(folder)
    return _finished(run, folder, arm.overrides, False)


def _live(waiting: list[tuple[Arm, int]], backend: str, jobs: int) -> Iterator[Finished]:
    """Yield runs as they are finished, in whatever order."""
    if not waiting:
        return
    starter = os.getpid()
    work = joblib.delayed(one_run)
    options = {"wait_for_workers_timeout": CLUSTER_WAIT_SECONDS} if backend == "dask" else {}
    try:
        with joblib.parallel_config(backend, n_jobs=jobs, **options):
            parallel = joblib.Parallel(batch_size=1, return_as="generator_unordered")
            runs = parallel(work(arm, seed, starter) for arm, seed in waiting)
    except ValueError as error:
        raise SweepError(f"backend {backend!r}, {jobs} processes: {error}") from None
    yield from runs
