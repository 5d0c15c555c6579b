"""What a picture is drawn from: runs of one season side by side, and what was observed of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sim.results.days import Dates, Days, Floats, days_of
from sim.results.facts import DAILY_FROM, facts, season_year
from sim.results.observed import (
    SEASONS,
    SOURCE,
    days_of_season,
    monthly,
    observed_facts,
    read_daily,
)
from sim.results.run import Run
from sim.results.targets import SHIPPED, read_targets
from sim.scenario.identity import scenario_hash
from sim.scenario.model import Population, Scenario
from sim.scenario.reading import load, season_names

SAME_SIZE_SHARE = 0.9  # of the real entities: below it observed tonnes are scaled down
CLASSES = ("central groups", "provincial groups", "independent")
OTHERS = "others"


class PictureError(Exception):
    """No picture can be drawn: no run, no trading day, or runs of several seasons."""


@dataclass(frozen=True)
class Sample:
    """Runs of one season in the order of their seeds, with the same trading days."""

    runs: tuple[Run, ...]
    days: tuple[Days, ...]

    @property
    def dates(self) -> Dates:
        """The trading days, shape (n,)."""
        return self.days[0].dates

    @property
    def year(self) -> int:
        """Calendar year of the first trading day."""
        return season_year(self.days[0])

    def by_day(self, of: Callable[[Days], Floats]) -> Floats:
        """One row a run, one column a trading day."""
        return np.array([of(days) for days in self.days], dtype=np.float64)

    def facts(self) -> list[dict[str, float]]:
        """The stylised facts of each run."""
        return [facts(run.quotes, run.trades, run.compliance) for run in self.runs]

    def seeds(self) -> str:
        """The seeds in words: ``seed 1``, ``seeds 1–30``, ``seeds 1, 5, 9``."""
        seeds = [run.seed for run in self.runs]
        if len(seeds) == 1:
            return f"seed {seeds[0]}"
        if seeds == list(range(seeds[0], seeds[0] + len(seeds))):
            return f"seeds {seeds[0]}–{seeds[-1]}"
        return f"{len(seeds)} seeds" if len(seeds) > 8 else "seeds " + ", ".join(map(str, seeds))

    def source(self) -> str:
        """Where the simulated values come from."""
        hashes = sorted({run.scenario_hash[:12] for run in self.runs})
        return (
            f"Simulated: tanshi, season {self.runs[0].season}, {self.seeds()}, "
            f"scenario {', '.join(hashes)}."
        )


Runs = Run | Sequence[Run] | Sample


def sample_of(runs: Runs) -> Sample:
    """Put runs side by side. Raises PictureError."""
    if isinstance(runs, Sample):
        return runs
    several = sorted([runs] if isinstance(runs, Run) else runs, key=lambda run: run.seed)
    if not several:
        raise PictureError("no run was given")
    if len(seasons := sorted({run.season for run in several})) > 1:
        raise PictureError(f"runs of one season are expected, not of {', '.join(seasons)}")
    days = tuple(days_of(run.quotes) for run in several)
    if len(days[0].dates) == 0:
        raise PictureError(f"seed {several[0].seed} of season {several[0].season} has no quotes")
    for run, each in zip(several, days, strict=True):
        if not np.array_equal(each.dates, days[0].dates):
            raise PictureError(
                f"seed {run.seed} has other trading days than seed {several[0].seed}"
            )
    return Sample(tuple(several), days)


@dataclass(frozen=True)
class Observed:
    """What was observed of one season and may be shown.

    ``months``: monthly figures (t, CNY), empty for a season kept aside. ``facts``: statistics by
    the keys of ``facts``. ``daily``: the exchange's days, if the user has the file.
    ``scale``: what observed tonnes and yuan are to be multiplied with, so that they compare with a
    smaller population.
    """

    year: int
    months: pd.DataFrame
    facts: dict[str, float]
    daily: Days | None = None
    scale: float = 1.0

    @property
    def any(self) -> bool:
        """Whether there is anything."""
        return bool(len(self.months)) or self.daily is not None

    @property
    def word(self) -> str:
        """How observed tonnes are named in a legend."""
        return "observed" if self.scale == 1.0 else f"observed × {self.scale:.3g}"

    def source(self) -> str:
        """Where the observed values come from, and why there are none."""
        if not self.any:
            return " No observed values are shown for this season."
        scaled = "" if self.scale == 1.0 else " Scaled to the number of entities simulated."
        return f" Observed: {SOURCE}.{scaled}"


Seen = str | Path | Observed | None


def observed_of(sample: Sample, observed: Seen = None) -> Observed:
    """What may be shown beside ``sample``: shipped statistics, and days from a daily file.

    Nothing is shown of seasons that are kept aside, even if the file has them. Raises
    ObservedFileError.
    """
    if isinstance(observed, Observed):
        return observed
    year = sample.year
    months = monthly()
    if year not in SEASONS:
        return Observed(year, months.iloc[:0], {})
    months = months[months["month"].str.startswith(f"{year}-")].reset_index(drop=True)
    daily = None
    if observed is not None:
        daily = days_of_season(read_daily(observed), year)
    return Observed(year, months, _facts(year), daily, _scale(sample.runs[0], year))


def _facts(year: int) -> dict[str, float]:
    """Shipped statistics, and the numbers of the shipped targets that are not among them."""
    found = observed_facts(year)
    for target in read_targets(SHIPPED):
        if target.years[:1] == (year,) and not target.window.first:
            for part in target.parts:
                if part.low == part.high:
                    found.setdefault(part.fact, part.low)
    return found


def _scale(run: Run, year: int) -> float:
    real = sum(sector.entities for sector in load(str(year)).population.sectors)
    share = run.counts.get("entities", real) / real
    return share if share < SAME_SIZE_SHARE else 1.0


def daily_from(year: int) -> np.datetime64 | None:
    """First day from which single days were observed; None = from the first."""
    return DAILY_FROM.get(year)


def scenario_of(run: Run) -> Scenario | None:
    """The scenario of a run: its own, or the shipped one if its hash is the same."""
    if run.scenario is not None:
        return run.scenario
    return None if is_own(run) else load(run.season)


def is_own(run: Run) -> bool:
    """Whether the scenario of a run is another than the season of that name as it ships."""
    if run.season not in season_names():
        return True
    return scenario_hash(load(run.season)) != run.scenario_hash


def classes_of(run: Run) -> pd.Series:
    """Class of each entity: how a power plant is owned, else its sector. Index: entity.

    Central groups are numbered first (simulation.md 5.1).
    """
    scenario = scenario_of(run)
    population = scenario.population if scenario else None
    central = population.central_groups if population else Population(sectors=()).central_groups
    table = run.compliance
    if "group" not in table.columns:
        return pd.Series(dtype=object)
    table = table.drop_duplicates("entity")
    number = pd.to_numeric(table["group"].astype(str).str[1:], errors="coerce").to_numpy()
    owned = np.where(np.isnan(number), CLASSES[2], np.where(number < central, *CLASSES[:2]))
    sector = table["sector"].astype(object).to_numpy()
    words = np.where(sector == "power", owned, sector)
    return pd.Series(words, index=table["entity"].astype(object).to_numpy(), dtype=object)


def class_names(found: Sequence[pd.Series]) -> list[str]:
    """Every class that occurs, ownership first, then sectors by name."""
    seen = {name for each in found for name in each.unique()}
    return [name for name in CLASSES if name in seen] + sorted(seen - set(CLASSES))
