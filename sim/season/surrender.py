"""The end of an obligation: what is handed in, what is missing, what lapses (CP-30…41, AL-51)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sim.scenario.model import Scenario
from sim.season.people import People
from sim.season.position import Books, columns_of
from sim.season.streams import Array

OPENING, MONTH_END, AFTER_SURRENDER = "opening", "month end", "after surrender"


class Snapshot(NamedTuple):
    """What everybody held at a moment: shape (n, v), tonnes."""

    date: dt.date
    moment: str  # OPENING, MONTH_END or AFTER_SURRENDER
    tonnes: Array


@dataclass
class Money:
    """What everybody traded this season, both in tonnes and in yuan, shape (n,)."""

    bought_t: Array
    sold_t: Array
    bought_cny: Array
    sold_cny: Array
    offset_cny: Array
    december_cny_t: float  # Σ turnover ÷ Σ volume of the month before the deadline (CP-63)


@dataclass
class Surrender:
    """How obligation ``row`` ended: arrays of shape (n,), tonnes int64."""

    row: int
    offset_t: Array
    surrendered_t: Array
    short_t: Array
    carried_t: Array
    expired_t: Array
    money: Money


def surrender(
    scenario: Scenario, people: People, books: Books, codes: list[str], held: Array, row: int
) -> tuple[Array, Array]:
    """Hand in obligation ``row`` from ``held`` (n, v), oldest vintages first; ``held`` is reduced.

    Returns the tonnes of allowances surrendered and what is missing, shape (n,) each.
    """
    owed = np.maximum(people.due_t[row] - books.offset_t[row], 0)
    left = owed.copy()
    for column in columns_of(scenario.obligations[row].usable, codes):
        used = np.minimum(left, held[:, column])
        held[:, column] -= used
        left -= used
    books.settled[row] = True
    return owed - left, left


def carried_over(
    scenario: Scenario,
    people: People,
    codes: list[str],
    held: Array,
    net_sold_t: Array,
    date: dt.date,
    converted_t: Array,
) -> tuple[Array, Array]:
    """Return what of old vintages is carried over and what lapses, shape (n,) each (AL-51, AL-56).

    ``T = min(floor(base + m x NS), position)``; without a banking rule everything is kept. At a
    deadline before the last day that counts it is what the rule would say on that evening. After
    the last conversion nothing more is carried over than was converted (AL-54), and sales of that
    year count for nothing (E73).
    """
    banking = scenario.banking
    zero = np.zeros(people.count, np.int64)
    if banking is None:
        return zero, zero
    old = held[:, columns_of(banking.vintages, codes)].sum(axis=1)
    if date > banking.converted_until:
        return converted_t.copy(), old
    power = [row for row, each in enumerate(scenario.population.sectors) if each.name == "power"]
    base = np.where(np.isin(people.sector, power), banking.base_t, banking.industry_base_t)
    limit = np.floor(base + banking.sales_multiple * np.maximum(net_sold_t, 0)).astype(np.int64)
    carried = np.minimum(limit, old)
    return carried, old - carried
