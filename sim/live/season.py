"""A season lived on a venue: the offline season's people, days and decisions on a live floor."""

from __future__ import annotations

import datetime as dt

import numpy as np

from engine.records import Event
from sim.live.floor import LiveFloor
from sim.live.port import Venue
from sim.scenario.model import Scenario
from sim.season.learning import learn_of
from sim.season.minds import Day
from sim.season.season import Season

CASH_FEN = 10**13  # of each account: full pre-funding (TR-41)


class LiveSeason(Season):
    """A season whose floor is a venue. Population, draws and kernels are those of ``Season``.

    Days before ``first`` are lived offline: who has what then, remembers which price and has
    heard which news is as in the offline run of this seed, and so are all later draws.

    Raises:
        ValueError: the season has no trading day from ``first`` on.
    """

    def __init__(self, scenario: Scenario, seed: int, venue: Venue, first: dt.date) -> None:
        super().__init__(scenario, seed)
        before = [day for day in self.days if day < first]
        if len(before) == len(self.days):
            raise ValueError(f"season {scenario.name} has no trading day from {first} on")
        self.slots_played = self.slots_missed = 0
        self.first_number = len(before)
        self._is_live = False
        next(Season(scenario, seed).live())  # kernels are compiled now, not while the clock runs
        venue.open_accounts(self.people.names, CASH_FEN)
        for date in before:
            self.live_day(date)
        self.offline = self.floor
        self.live_floor = LiveFloor(scenario, self.people.count, venue)
        self._go_live()

    def _go_live(self) -> None:
        old, new = self.offline, self.live_floor
        new.closes_by_day = old.closes_by_day  # days are numbered through
        new.carry_over(old)
        for part in vars(self).values():  # who trades does so on the floor it was made with
            if hasattr(part, "floor"):
                part.floor = new
        self.floor = new
        self._is_live = True
        self.decisions = 0

    @property
    def days_live(self) -> int:
        """How many days were played to their close on the venue."""
        return len(self.floor.closes_by_day) - self.first_number

    def counts(self) -> dict[str, int]:
        """As offline, of the live days; deals are told twice and counted once."""
        trades = int((self.floor.events()["kind"] == Event.TRADED).sum())
        return {**super().counts(), "trades": trades, "days": self.days_live}

    def _plan(self, date: dt.date, number: int) -> None:
        """As offline; on the first live day memories move to the venue's level of prices."""
        if self._is_live and number == self.first_number:
            self.mind["memory"] += self._level_step()
        super()._plan(date, number)

    def _level_step(self) -> float:
        """Return by how much, in logarithms, the venue's prices lie above those remembered."""
        new, old = self.live_floor, self.offline
        opening = {each.code: each.opening_cny_t * 100 for each in self.scenario.vintages}
        closes = old.exchange.state.instruments["close_ticks"][: len(old.codes)]
        known = dict(zip(old.codes, closes.tolist(), strict=True)) if old.codes else opening
        rows = new.exchange.state.instruments
        steps = [
            np.log(int(rows[column]["reference_ticks"]) / known[code])
            for column, code in enumerate(new.codes)
            if known.get(code) and rows[column]["reference_ticks"]
        ]
        return float(np.mean(steps)) if steps else 0.0

    def _slot(self, day: Day, slot: int) -> None:
        """As offline, if the slot is not over yet; before and after, hear of deals of others."""
        if not self._is_live:
            super()._slot(day, slot)
            return
        if not self.live_floor.is_open:
            self.slots_missed += 1
            return
        self.slots_played += 1
        learn_of(self.mind, self.live_floor.heard())
        super()._slot(day, slot)
        learn_of(self.mind, self.live_floor.heard())
