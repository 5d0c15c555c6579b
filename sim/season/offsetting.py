"""Offsets: who uses CCER, how much, and while they last (CP-35…38; simulation.md 5.3, 8)."""

from __future__ import annotations

import datetime as dt

import numpy as np

from sim.scenario.model import Scenario
from sim.season.people import People
from sim.season.position import Books, by_deadline
from sim.season.streams import Array, Purpose, units

LOOKS_A_DAY = 0.03  # share of entities that look into offsets on a day


class Offsets:
    """A stock of units that comes on offer by date and is used up to the cap."""

    def __init__(self, scenario: Scenario, people: People) -> None:
        self.scenario = scenario
        self.people = people
        self.left_t = 0
        self.price_cny_t = 0.0
        self.cost_cny = np.zeros(people.count)
        self._arrived = 0

    def day(self, date: dt.date, number: int, books: Books, allowance_cny_t: float) -> None:
        """Let those who look today use offsets, where they are cheaper than allowances."""
        for supply in self.scenario.offsets[self._arrived :]:
            if supply.date <= date:
                self.left_t += round(supply.stock_mt * 1e6)
                self.price_cny_t = supply.price_cny_t
                self._arrived += 1
        search = self.scenario.behaviour.offset_search_cost_cny_t
        if not self.left_t or self.price_cny_t + search >= allowance_cny_t:
            return
        for row in by_deadline(self.scenario.obligations):
            obligation = self.scenario.obligations[row]
            if books.settled[row] or not obligation.offset_share:
                continue
            if date < max(obligation.verified, obligation.deadline_published):
                continue
            self._use(row, obligation.offset_share, number, books)

    def _use(self, row: int, share: float, number: int, books: Books) -> None:
        """Let who looks use most of its cap (CP-35); first come first served."""
        people = self.people
        draw = units(people.keys, Purpose.OFFSET, number)
        looking: Array = np.flatnonzero((draw < LOOKS_A_DAY) & (books.offset_t[row] == 0))
        part = 0.8 + 0.2 * units(people.keys, Purpose.OFFSET, -1)  # of the cap, by entity
        for entity in looking[np.argsort(draw[looking], kind="stable")]:
            used = min(int(part[entity] * share * people.due_t[row][entity]), self.left_t)
            books.offset_t[row][entity] = used
            self.left_t -= used
            self.cost_cny[entity] += used * self.price_cny_t
            if not self.left_t:
                return
