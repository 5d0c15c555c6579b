"""How near simulated seasons come to what was observed.

Per part of a target z = (median over the runs - observed) / tolerance; inside an observed range
z = 0, outside it is measured from the nearer edge. A target's z is that of its part with the
largest |z|, its verdict |z| <= 1. What cannot be scored stays in the table with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd

from sim.results.days import ALL_DAYS, Days, Floats, Window, days_of, joined
from sim.results.facts import (
    DAILY_FROM,
    close_of,
    facts_of_compliance,
    facts_of_days,
    january_february,
    season_year,
)
from sim.results.observed import days_of_season, read_daily
from sim.results.target_parts import Part
from sim.results.targets import Target, read_targets

WORST = 5
RUN_FILE = "run.json"
_NEEDED = ("entity", "emissions_t", "allocation_t", "ccer_t", "late_t", "traded")


class ScorableRun(Protocol):
    """What the score reads of a run."""

    @property
    def season(self) -> str:
        """Name of the season; begins with its year."""

    @property
    def seed(self) -> int:
        """Seed of the run."""

    @property
    def quotes(self) -> pd.DataFrame:
        """Daily quotes with COMPOSITE rows."""

    @property
    def compliance(self) -> pd.DataFrame:
        """One row per entity and obligation year."""


Runs = ScorableRun | str | Path | Sequence[ScorableRun | str | Path]


class RunsError(Exception):
    """There is nothing to score: no run in a folder, or none given."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What is kept of one run, so that many fit in memory."""

    year: int
    seed: int
    days: Days
    compliance: pd.DataFrame


@dataclass(frozen=True, slots=True)
class PartScore:
    """One part: median, tenth and ninetieth percentile over ``runs`` runs; NaN = not scored."""

    part: Part
    simulated: float = float("nan")
    p10: float = float("nan")
    p90: float = float("nan")
    runs: int = 0
    z: float = float("nan")
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TargetScore:
    """One target. ``decisive``: label of the part whose z it has. ``reason``: why not scored."""

    target: Target
    parts: tuple[PartScore, ...]
    z: float = float("nan")
    decisive: str = ""
    reason: str = ""
    remark: str = ""

    @property
    def scored(self) -> bool:
        """At least one part has a z."""
        return not self.reason

    @property
    def within(self) -> bool:
        """Within its tolerance."""
        return self.scored and abs(self.z) <= 1


@dataclass(frozen=True, slots=True)
class Group:
    """Targets of one season and use: how many, how many were scored, how many are within."""

    season: str
    use: str
    targets: int
    scored: int
    within: int

    @property
    def share(self) -> float:
        """Of the scored ones; NaN where there are none."""
        return self.within / self.scored if self.scored else float("nan")


@dataclass(frozen=True, slots=True)
class Distance:
    """Wasserstein distance of two seasons' volume over time, in trading days (of ``days``).

    ``mean_curve``: of the mean of the runs' curves; ``median_run``: median of the runs' own.
    """

    year: int
    days: int
    mean_curve: float
    median_run: float


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """The whole score; ``rows`` in the order of the file. ``runs``: how many, by season."""

    rows: tuple[TargetScore, ...]
    runs: dict[int, int]
    distances: tuple[Distance, ...] = field(default=())

    @property
    def scored(self) -> int:
        """Targets with a z."""
        return sum(row.scored for row in self.rows)

    @property
    def within(self) -> int:
        """Targets within their tolerance."""
        return sum(row.within for row in self.rows)

    @property
    def share(self) -> float:
        """Within tolerance, of those scored; NaN where none is."""
        return self.within / self.scored if self.scored else float("nan")

    def worst(self, count: int = WORST) -> list[TargetScore]:
        """The scored targets farthest outside, the worst first."""
        scored = [row for row in self.rows if row.scored]
        return sorted(scored, key=lambda row: -abs(row.z))[:count]

    def groups(self) -> list[Group]:
        """By season and use, in the order in which they first appear."""
        keys = dict.fromkeys((row.target.season, row.target.use) for row in self.rows)
        return [self._group(*key) for key in keys]

    def _group(self, season: str, use: str) -> Group:
        rows = [r for r in self.rows if (r.target.season, r.target.use) == (season, use)]
        scored, within = sum(r.scored for r in rows), sum(r.within for r in rows)
        return Group(season, use, len(rows), scored, within)


def score(
    runs: Runs, targets: str | Path | Sequence[Target], observed_daily: str | Path | None = None
) -> ScoreTable:
    """Score runs of one or several seasons.

    ``runs``: a Run, a folder of saved runs, or several of either. ``targets``: a CSV or what
    ``read_targets`` gave. ``observed_daily``: the exchange's daily file, for the distances.
    Raises RunsError, TargetsFileError, ObservedFileError.
    """
    rows = read_targets(targets) if isinstance(targets, str | Path) else list(targets)
    by_year: dict[int, list[Measured]] = {}
    for run in runs_from(runs):
        measured = measure(run)
        by_year.setdefault(measured.year, []).append(measured)
    if not by_year:
        raise RunsError("no run was given")
    for several in by_year.values():
        several.sort(key=lambda each: each.seed)
    samples = Samples(by_year)
    return ScoreTable(
        tuple(_target(row, samples) for row in rows),
        {year: len(several) for year, several in sorted(by_year.items())},
        _distances(by_year, observed_daily),
    )


def runs_from(runs: Runs) -> Iterable[ScorableRun]:
    """The runs themselves; folders are searched for saved runs, one at a time in memory."""
    several: Sequence[Any] = [runs] if not isinstance(runs, Sequence | list) else runs
    if isinstance(runs, str):
        several = [runs]
    for each in several:
        if isinstance(each, str | Path):
            yield from _saved(Path(each))
        else:
            yield each


def _saved(folder: Path) -> Iterable[ScorableRun]:
    files = sorted(folder.rglob(RUN_FILE))
    if not files:
        raise RunsError(f"{folder} holds no saved run ({RUN_FILE})")
    from sim.results.run import Run  # here: a score of tables in memory needs no season

    for file in files:
        yield Run.load(file.parent)


def measure(run: ScorableRun) -> Measured:
    """Keep of a run what the score needs. Raises RunsError where it has no COMPOSITE day."""
    days = days_of(run.quotes)
    if len(days.dates) == 0:
        raise RunsError(f"run of season {run.season}, seed {run.seed} has no COMPOSITE quotes")
    named = re.match(r"\d{4}", str(run.season))
    table = run.compliance
    kept = table[[name for name in _NEEDED if name in table.columns]]
    return Measured(int(named.group()) if named else season_year(days), run.seed, days, kept)


class Samples:
    """Facts of the runs, computed once per set of seasons and window."""

    def __init__(self, by_year: Mapping[int, list[Measured]]) -> None:
        self.by_year = by_year
        self._facts: dict[tuple[tuple[int, ...], Window], list[dict[str, float]]] = {}

    def present(self, years: tuple[int, ...]) -> tuple[int, ...]:
        """The seasons of ``years`` of which there are runs."""
        return tuple(year for year in years if year in self.by_year)

    def _together(self, years: tuple[int, ...]) -> list[tuple[Measured, ...]]:
        """Runs of several seasons side by side, in the order of their seeds."""
        return list(zip(*(self.by_year[year] for year in years), strict=False))

    def days(self, years: tuple[int, ...], window: Window) -> list[Days]:
        """Per run (or set of runs of several seasons) the days inside ``window``."""
        return [
            joined([each.days.within(_calendar(each.year)) for each in runs]).within(window)
            for runs in self._together(years)
        ]

    def facts(self, years: tuple[int, ...], window: Window) -> list[dict[str, float]]:
        """Per run the facts of the days inside ``window``, with those of compliance."""
        key = (years, window)
        if key not in self._facts:
            self._facts[key] = [
                self._of(days, runs)
                for days, runs in zip(self.days(years, window), self._together(years), strict=True)
            ]
        return self._facts[key]

    def _of(self, days: Days, runs: tuple[Measured, ...]) -> dict[str, float]:
        found = facts_of_days(days, DAILY_FROM.get(runs[0].year))
        table = pd.concat([each.compliance for each in runs]) if len(runs) > 1 else None
        table = runs[0].compliance if table is None else table
        if set(_NEEDED) <= set(table.columns):
            found |= facts_of_compliance(table, found.get("VOL"))
        return found

    def january_february(self, year: int) -> list[float]:
        """JF per run: from its own January and February, or from the runs of the next season."""
        january = np.datetime64(f"{year + 1}-01-31")
        after = [run for run in self.by_year.get(year + 1, []) if run.days.dates[0] <= january]
        found = []
        for at, run in enumerate(self.by_year.get(year, [])):
            own = run.days.dates[-1] >= np.datetime64(f"{year + 1}-02-20")
            if own or after:
                days = run.days if own else after[at % len(after)].days
                found.append(january_february(run.days, days, year))
        return found


def _calendar(year: int) -> Window:
    return Window(None, np.datetime64(f"{year}-12-31"))


def _target(target: Target, samples: Samples) -> TargetScore:
    years = samples.present(target.years)
    remark = target.remark
    reason = target.reason
    if not reason and not years:
        reason = "no run of season " + " or ".join(map(str, target.years))
    if reason:
        return TargetScore(target, _unscored(target, reason), reason=reason, remark=remark)
    if years != target.years and target.name != "JF":
        part = ", ".join(map(str, years))
        remark = "; ".join(filter(None, [remark, f"only the days of {part} are simulated"]))
    parts = tuple(_part(part, target, years, samples) for part in target.parts)
    scored = [part for part in parts if not part.reason]
    if not scored:
        reason = "; ".join(dict.fromkeys(part.reason for part in parts))
        return TargetScore(target, parts, reason=reason, remark=remark)
    worst = max(scored, key=lambda part: abs(part.z))
    return TargetScore(target, parts, worst.z, worst.part.label, "", remark)


def _unscored(target: Target, reason: str) -> tuple[PartScore, ...]:
    return tuple(PartScore(part, reason=part.reason or reason) for part in target.parts)


def _part(part: Part, target: Target, years: tuple[int, ...], samples: Samples) -> PartScore:
    if part.reason:
        return PartScore(part, reason=part.reason)
    if target.name == "JF":
        values = samples.january_february(target.years[0])
    elif target.name == "P":
        window = target.window.cut(part.window or ALL_DAYS)
        statistic = part.fact.removeprefix("P.")
        values = [close_of(days, statistic, window) for days in samples.days(years, ALL_DAYS)]
    else:
        found = samples.facts(years, target.window)
        values = [facts.get(part.fact, float("nan")) for facts in found]
    known = np.array([value for value in values if np.isfinite(value)])
    if len(known) == 0:
        return PartScore(part, reason=f"the runs do not give {part.fact}")
    middle = float(np.median(known))
    low, high = (float(each) for each in np.quantile(known, (0.1, 0.9)))
    return PartScore(part, middle, low, high, len(known), part.z(middle))


def volume_curve(days: Days, dates: Any) -> Floats:
    """Share of the volume between the first and the last of ``dates`` traded up to each of them."""
    inside = days.within(Window(dates[0], dates[-1]))
    total = float(inside.volume.sum())
    running = np.concatenate([[0.0], np.cumsum(inside.volume)])
    reached = running[np.searchsorted(inside.dates, dates, side="right")]
    return np.asarray(reached / total if total else np.zeros(len(dates)), dtype=np.float64)


def _distances(
    by_year: Mapping[int, list[Measured]], observed_daily: str | Path | None
) -> tuple[Distance, ...]:
    if observed_daily is None:
        return ()
    table = read_daily(observed_daily)
    found = []
    for year, runs in sorted(by_year.items()):
        seen = days_of_season(table, year).within(Window(DAILY_FROM.get(year)))
        if len(seen.dates) == 0:
            continue
        observed = volume_curve(seen, seen.dates)
        curves = [volume_curve(run.days, seen.dates) for run in runs]
        own = [float(np.abs(curve - observed).sum()) for curve in curves]
        mean = float(np.abs(np.mean(curves, axis=0) - observed).sum())
        found.append(Distance(year, len(seen.dates), mean, float(np.median(own))))
    return tuple(found)
