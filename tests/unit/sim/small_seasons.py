"""Seasons that are small enough for a unit test: few entities, few days, all behaviours."""

from __future__ import annotations

import datetime as dt

from sim.scenario.model import Scenario
from sim.scenario.reading import load, smaller


def small(season: str = "2021", share: float = 0.05, **more: object) -> Scenario:
    """Return a season with a share of the entities and of every quantity."""
    return load(season, {**smaller(load(season), share), **more})


def short(share: float = 0.05, **more: object) -> Scenario:
    """Return the last weeks of 2021, the deadline included, with few entities and no events."""
    cut: dict[str, object] = {"first_day": dt.date(2021, 12, 13), "events": [], "offsets": []}
    return small("2021", share, **{**cut, **more})
