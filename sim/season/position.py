"""What an entity has, owes, needs and could spare: simulation.md 5.3, the first lines.

Obligations are met in the order of their deadlines from the vintages that may serve them, oldest
first (CP-34; 5.3, 5). What is missing is need; what is left over is surplus.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import numpy as np

from sim.scenario.model import Issue, Obligation, Scenario
from sim.season.people import People
from sim.season.streams import Array


@dataclass
class Books:
    """What the registry knows of everybody besides the holdings on the floor."""

    issued_t: Array  # int64, (k, n): allocation handed out so far
    offset_t: Array  # int64, (k, n): CCER put to each obligation (CP-35)
    settled: list[bool] = field(default_factory=list)  # obligation k has been surrendered

    @classmethod
    def of(cls, people: People) -> Books:
        """Return empty books."""
        shape = people.due_t.shape
        return cls(np.zeros(shape, np.int64), np.zeros(shape, np.int64), [False] * shape[0])


@dataclass
class Position:
    """Everybody's position on a day: shape (n,), tonnes."""

    need_t: Array
    surplus_t: Array  # of what is held now
    need_by_t: Array  # (k, n): need by obligation
    spare_t: Array  # (n, v): surplus by vintage, in the order of the codes


def position_of(
    scenario: Scenario, people: People, books: Books, codes: list[str], held: Array, date: dt.date
) -> Position:
    """Return what each entity believes it needs or can spare on ``date``.

    held: shape (n, v), tonnes by vintage in the order of ``codes``.
    """
    free = held.astype(np.int64)
    need = np.zeros(people.due_t.shape, np.int64)
    for row in by_deadline(scenario.obligations):
        if books.settled[row]:
            continue
        obligation = scenario.obligations[row]
        coming = people.allocation_t[row] - books.issued_t[row]
        owed = expected_due(scenario, people, row, date) - books.offset_t[row] - coming
        owed = np.maximum(owed, 0)
        for column in columns_of(obligation.usable, codes):
            used = np.minimum(owed, free[:, column])
            free[:, column] -= used
            owed -= used
        need[row] = owed
    return Position(need.sum(axis=0), free.sum(axis=1), need, free)


def expected_due(scenario: Scenario, people: People, row: int, date: dt.date) -> Array:
    """Return what entities expect to owe: exact once verified and the plan is known (5.3)."""
    obligation = scenario.obligations[row]
    due: Array = people.due_t[row]
    if date >= max(obligation.verified, obligation.plan_published):
        return due
    error = scenario.behaviour.forecast_error_share
    if date >= obligation.verified:
        error *= 0.5  # own emissions are known, the benchmarks are not
    return np.asarray((due * (1.0 + error * people.forecast)).astype(np.int64))


def by_deadline(obligations: tuple[Obligation, ...]) -> list[int]:
    """Return the rows of obligations, the one that is due first first."""
    return sorted(range(len(obligations)), key=lambda row: obligations[row].deadline)


def columns_of(usable: tuple[str, ...], codes: list[str]) -> list[int]:
    """Return the columns of usable vintages that are on the market, oldest first."""
    return [column for column, code in enumerate(codes) if code in usable]


def issued_by(people: People, scenario: Scenario, issue: Issue) -> tuple[int, Array]:
    """Return the obligation's row and the cumulative tonnes issued by this date, shape (n,).

    Two obligations of a year are told apart by their sectors (power and industry of 2024).
    """
    row = next(
        row
        for row, each in enumerate(scenario.obligations)
        if each.year == issue.obligation and set(issue.sectors) <= set(each.sectors)
    )
    names = [each.name for each in scenario.population.sectors]
    inside = np.isin(people.sector, [names.index(each) for each in issue.sectors])
    tonnes = np.floor(people.allocation_t[row] * issue.share).astype(np.int64)
    return row, np.where(inside, tonnes, 0)
