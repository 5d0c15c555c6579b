"""Small runs to draw: simulated ones, and copies of them with other tables."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd

from sim.results.run import TABLES, Run
from sim.scenario.reading import load, smaller
from sim.simulation import simulate

SHARE = 0.03  # of the population


@cache
def small_run(season: str, seed: int) -> Run:
    """A season of few entities."""
    return simulate(load(season, smaller(load(season), SHARE)), seed)


def small_runs(season: str = "2021", seeds: tuple[int, ...] = (1, 2, 3)) -> list[Run]:
    """Several seeds of it."""
    return [small_run(season, seed) for seed in seeds]


def with_tables(run: Run, **tables: pd.DataFrame) -> Run:
    """The same run with other tables."""
    found = {name: getattr(run, name) for name in TABLES} | tables

    def maker(name: str) -> Any:
        return lambda: found[name]

    return Run(
        season=run.season,
        seed=run.seed,
        scenario_hash=run.scenario_hash,
        digest=run.digest,
        seconds=run.seconds,
        counts=dict(run.counts),
        scenario=run.scenario,
        makers={name: maker(name) for name in TABLES},
    )


def without_bulk(run: Run) -> Run:
    """The same run as if nobody had made a bulk agreement, and no limit been reached."""
    quotes = run.quotes.copy()
    quotes[["bulk_volume_t", "bulk_turnover_cny"]] = 0.0
    quotes[["touched_upper", "touched_lower"]] = False
    return with_tables(run, quotes=quotes, trades=run.trades[run.trades["modality"] != "bulk"])


def dead(run: Run) -> Run:
    """The same days without a single trade."""
    quotes = without_bulk(run).quotes.copy()
    quotes[["listed_volume_t", "listed_turnover_cny"]] = 0.0
    return with_tables(run, quotes=quotes, trades=run.trades.iloc[:0])
