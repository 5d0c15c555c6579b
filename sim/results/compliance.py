"""Who handed in what: one row per entity and obligation year (CP-30…41, CP-60…63)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd

from sim.scenario.model import Obligation, Scenario
from sim.season.people import People
from sim.season.streams import Array
from sim.season.surrender import Surrender


def compliance_of(scenario: Scenario, people: People, ends: list[Surrender]) -> pd.DataFrame:
    """Return the compliance table of docs/reference/season.md; tonnes int64, money in yuan."""
    parts = [_of_one(scenario, people, end) for end in ends]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(_of_none())


def _of_none() -> dict[str, Any]:
    return {"entity": [], "sector": [], "emissions_t": [], "traded": []}


def _of_one(scenario: Scenario, people: People, end: Surrender) -> pd.DataFrame:
    row = end.row
    inside = np.flatnonzero(people.due_t[row] > 0)
    obligation = scenario.obligations[row]
    sectors = np.array([each.name for each in scenario.population.sectors], dtype=object)
    groups = np.array([""] + [f"G{number:02d}" for number in range(200)], dtype=object)
    low, high = penalty_cny(obligation, end.short_t, end.money.december_cny_t)
    table = {
        "entity": np.array(people.names, dtype=object),
        "obligation": obligation.year,
        "sector": sectors[people.sector],
        "province": np.char.add("P", (people.province + 1).astype(str)).astype(object),
        "group": groups[people.group + 1],
        "emissions_t": people.due_t[row],
        "allocation_t": people.allocation_t[row],
        "surplus_rate": people.surplus_rate[row],
        "ccer_t": end.offset_t,
        "surrendered_t": end.surrendered_t,
        "shortfall_t": end.short_t,
        "late_t": end.short_t,
        "penalty_low_cny": low,
        "penalty_high_cny": high,
        "bought_t": end.money.bought_t,
        "sold_t": end.money.sold_t,
        "bought_cny": end.money.bought_cny,
        "sold_cny": end.money.sold_cny,
        "cost_cny": end.money.bought_cny - end.money.sold_cny + end.money.offset_cny,
        "carried_t": end.carried_t,
        "expired_t": end.expired_t,
        "traded": (end.money.bought_t + end.money.sold_t) > 0,
    }
    return pd.DataFrame(table).iloc[inside].reset_index(drop=True)


def penalty_cny(
    obligation: Obligation, short_t: Array, mean_price_cny_t: float
) -> tuple[Array, Array]:
    """Return the least and the most fine for a shortfall, by the regime of the deadline.

    CP-60: 20,000 to 30,000 yuan; CP-61: 5 to 10 times the month's mean price a tonne; CP-62 (from
    2026-08-15): 1 to 5 million yuan first. mean_price_cny_t: by CP-63.
    """
    short = short_t > 0
    if obligation.deadline < dt.date(2024, 5, 1):
        return np.where(short, 2e4, 0.0), np.where(short, 3e4, 0.0)
    if obligation.deadline < dt.date(2026, 8, 15):
        return 5 * mean_price_cny_t * short_t, 10 * mean_price_cny_t * short_t
    return np.where(short, 1e6, 0.0), np.where(short, 5e6, 0.0)
