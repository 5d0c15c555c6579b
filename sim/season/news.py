"""Events of the calendar: who hears of them when, and what dates are known (simulation.md 5.3, 10).

Nothing is visible before its publication date: an event moves memories from its day on, first of
those who pay attention, later of the others; a deadline binds only once it is published.
"""

from __future__ import annotations

import datetime as dt

import numpy as np

from sim.scenario.model import Scenario
from sim.season.minds import SLOTS
from sim.season.people import People
from sim.season.position import Books
from sim.season.streams import Array, Purpose, bells, entity_keys, units

FAR_DAYS = 1e9
YEAR_DAYS = 365.0
MAJOR = {"regulation"}  # what changes the value of an allowance for good


class News:
    """The events of a season and who has heard of each."""

    def __init__(self, scenario: Scenario, people: People, seed: int) -> None:
        self.events = [each for each in scenario.events if not each.history]
        self.behaviour = scenario.behaviour
        self.people = people
        self.scenario = scenario
        self._market = entity_keys(seed, scenario.name, ["market"])
        self._activity = self._mood = 0.0
        self._heard = np.zeros((len(self.events), people.count), bool)

    def spread(self, mind: Array, date: dt.date, number: int) -> None:
        """Let the news of published events reach people, and move their memory of the price."""
        for row, event in enumerate(self.events):
            if event.date > date or not event.price_sign or self._heard[row].all():
                continue
            draw = units(self.people.keys, Purpose.NEWS, number * SLOTS + row)
            now = (draw < self.behaviour.attention_share) & ~self._heard[row]
            self._heard[row] |= now
            major = event.category in MAJOR
            step = self.behaviour.news_share if major else self.behaviour.minor_news_share
            mind["memory"][now] += event.price_sign * step

    def pulse(self, date: dt.date) -> float:
        """Return the factor on hazards after events that make people look at their position."""
        gain = 0.0
        for event in self.events:
            if event.pulse and event.date <= date:
                gone = (date - event.date).days
                gain = max(gain, float(np.exp(-gone / self.behaviour.pulse_days)))
        return 1.0 + self.behaviour.pulse_gain * gain

    def climate(self, number: int, horizon: float, pressing: float) -> tuple[float, float]:
        """Return the day's common activity (a factor) and mood (log), two AR(1) processes.

        They stand for everything the calendar does not hold. Where no deadline is in sight there
        is less to be moved by (``horizon``), where one presses there is more (``pressing``).
        """
        behaviour, key = self.behaviour, self._market
        keep = behaviour.attention_decay
        draw, shock = (
            float(bells(key, Purpose.ATTENTION, 2 * number + each)[0]) for each in (1, 2)
        )
        self._activity = keep * self._activity + (1.0 - keep**2) ** 0.5 * draw
        level = behaviour.attention_sd * self._activity
        spread = behaviour.mood_sd * float(np.exp(0.5 * level)) * horizon
        spread *= 1.0 + behaviour.mood_urgent * pressing
        self._mood = behaviour.mood_decay * self._mood + spread * shock
        return float(np.exp(level - 0.5 * behaviour.attention_sd**2)), self._mood

    def horizon(self, date: dt.date, books: Books) -> float:
        """Return the factor on hazards while no deadline is expected within a year.

        Deadlines are yearly by custom and law (CP-31): one expects them before they are published.
        """
        near = any(
            not books.settled[row] and (each.deadline - date).days <= YEAR_DAYS
            for row, each in enumerate(self.scenario.obligations)
        )
        return 1.0 if near else self.behaviour.far_share

    def days_to(self, date: dt.date, row: int, milestones: bool) -> float:
        """Return calendar days to the next published date of an obligation (5.3, 1).

        milestones: whether they count beside the deadline; 1e9 where no date is known.
        """
        obligation = self.scenario.obligations[row]
        dates = [(obligation.deadline_published, obligation.deadline)]
        if milestones:
            dates += [(each.published, each.date) for each in obligation.milestones]
        known = [(due - date).days for published, due in dates if published <= date <= due]
        return float(min(known, default=FAR_DAYS))
