"""What a carry-over limit makes holders do (AL-51; simulation.md 5.3, 4).

With T = base + m x net sales, a holder of H has to sell x* = max(0, (H - base) / (1 + m)) to keep
the rest. Sales are spread over the days that are left by a convex schedule.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from sim.scenario.model import Scenario
from sim.season.people import People
from sim.season.streams import Array

CONVEXITY = 2.0  # of the schedule: most is sold late …
AT_ONCE = 0.4  # … but this share soon after the rule is decided,
PLAN_DAYS = 45.0  # calendar days until everybody has a plan
DRAFT = 0.003  # and this while it is a draft


def old_share(scenario: Scenario, codes: list[str], spare_t: Array) -> Array:
    """Return which part of a surplus is in vintages under the limit, shape (n,) (AL-51, AL-68).

    spare_t: shape (n, v), surplus by vintage in the order of ``codes``.
    """
    banking = scenario.banking
    old = np.array([banking is not None and code in banking.vintages for code in codes])
    total = np.maximum(spare_t.sum(axis=1), 1)
    return np.asarray((spare_t * old).sum(axis=1) / total)


def must_sell_share(
    scenario: Scenario,
    people: People,
    surplus_t: Array,
    net_sold_t: Array,
    date: dt.date,
    old: Array | float = 1.0,
) -> Array:
    """Return, shape (n,), how much of the surplus has to be sold by now, as a share in [0, 1].

    surplus_t: what is left after all obligations; net_sold_t: sales less purchases so far; old:
    the part of the surplus under the limit (``old_share``); later vintages lapse at no date.
    """
    banking = scenario.banking
    if banking is None or date < banking.published:
        return np.zeros(people.count)
    if date > banking.converted_until:
        return np.where(surplus_t > 0, old, 0.0)
    power = [row for row, each in enumerate(scenario.population.sectors) if each.name == "power"]
    base = np.where(np.isin(people.sector, power), banking.base_t, banking.industry_base_t)
    held = np.maximum(surplus_t, 1)
    limited = surplus_t * old + np.maximum(net_sold_t, 0)
    wanted = optimal_sales_t(limited, base, banking.sales_multiple)
    short = np.clip((wanted - np.maximum(net_sold_t, 0)) / held, 0.0, 1.0)
    if date > banking.net_sales_until:  # sales no longer count: what cannot be carried is let go
        return np.where(surplus_t > 0, (1.0 - banking.converted_share) * old, 0.0)
    if date < banking.decided:
        return np.asarray(short * DRAFT)
    span = max((banking.net_sales_until - banking.decided).days, 1)
    gone = (date - banking.decided).days / span
    planned = min((date - banking.decided).days / PLAN_DAYS, 1.0)
    return np.asarray(short * planned * (AT_ONCE + (1.0 - AT_ONCE) * gone**CONVEXITY))


def optimal_sales_t(held_t: Array, base_t: Array, multiple: float) -> Array:
    """Return x* of simulation.md 5.3, 4: tonnes to sell so that the rest may be carried over."""
    return np.asarray(np.maximum(0.0, (held_t - base_t) / (1.0 + multiple)))


def converted_t(scenario: Scenario, codes: list[str], held: Array, date: dt.date) -> Array | None:
    """Return the tonnes that become new ones on ``date``, shape (n, v) by column of ``codes``.

    AL-54, AL-55: what was applied for is recovered and issued again as the new vintage. Of a season
    that begins after the years whose net sales count, the scenario gives the share: of what is
    left, the same on each day. None on any other day.
    """
    banking = scenario.banking
    if banking is None or date not in banking.conversions:
        return None
    old = np.array([code in banking.vintages for code in codes])
    share = 1.0 - (1.0 - banking.converted_share) ** (1.0 / len(banking.conversions))
    return np.asarray(np.floor(held * old * share).astype(np.int64))
