"""``play``: a live season from its first day to its last, or to the venue's end."""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sim.live.port import Venue
from sim.live.season import LiveSeason
from sim.live.summary import disagreements, figures_of
from sim.results.run import Run, run_of
from sim.scenario.model import Scenario
from sim.season.surrender import MONTH_END, Snapshot

Progress = Callable[[int, int], None]  # days played, days in all
GONE = (ConnectionError, PermissionError)


@dataclass(frozen=True)
class Played:
    """What came of it. ``run`` is None if not even one day was closed; ``figures``: a document.

    ``stopped`` says why it ended before its last day; "" if it did not.
    """

    run: Run | None
    figures: dict[str, Any]
    stopped: str


@dataclass(frozen=True, kw_only=True)
class Span:
    """Which days are played: from the first of these on (None: the season's), so many (None: all).

    What lies before is lived offline.
    """

    first: dt.date | None = None
    days: int | None = None


WHOLE = Span()


def play(
    scenario: Scenario,
    seed: int,
    venue: Venue,
    span: Span = WHOLE,
    progress: Progress | None = None,
) -> Played:
    """Play a season on a venue. If the venue goes away meanwhile, what was done is returned.

    Raises:
        ConnectionError, PermissionError: before anything was played, see ``sim.live.port``.
        ValueError: the scenario has something that only the exchange's house could do.
    """
    refuse_what_only_the_house_does(scenario)
    started = time.perf_counter()
    season = LiveSeason(scenario, seed, venue, span.first or scenario.first_day)
    left = len(season.days) - season.first_number
    asked = left if span.days is None else min(span.days, left)
    stopped, problems = "", None
    try:
        for _ in itertools.islice(season.live(), asked):
            if progress is not None:
                progress(season.days_live, asked)
        problems = disagreements(season)
    except GONE as gone:
        stopped = str(gone)
    except KeyboardInterrupt:
        stopped = "interrupted"  # an order may be on its way: nobody knows what it will have done
    figures = figures_of(season, asked, stopped, problems)
    return Played(_run_of(season, time.perf_counter() - started), figures, stopped)


def _run_of(season: LiveSeason, seconds: float) -> Run | None:
    """Return the tables of the live days, None before the first of them was closed."""
    if not season.days_live:
        return None
    date = season.days[len(season.floor.closes_by_day) - 1]
    if not season.snapshots or season.snapshots[-1].date < date:
        held = season.floor.holdings_t()[: season.people.count].copy()
        season.snapshots.append(Snapshot(date, MONTH_END, held))
    return run_of(season, seconds)


def refuse_what_only_the_house_does(scenario: Scenario) -> None:
    """Raise ValueError where a scenario changes rules or institutions: the venue has its own."""
    extras = scenario.extras
    changed = {
        "rule_changes": bool(scenario.rule_changes),
        "extras.matching": extras.matching != "listed",
        "extras.market_makers": extras.market_makers > 0,
        "extras.institutions": extras.institutions > 0,
        "extras.auction_share": extras.auction_share > 0,
        "extras.collar": extras.collar is not None,
        "extras.reserve": extras.reserve is not None,
    }
    named = [name for name, is_so in changed.items() if is_so]
    if named:
        raise ValueError(f"a live season is played by the venue's rules: leave out {named}")
