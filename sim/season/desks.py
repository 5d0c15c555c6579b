"""Group desks: a group nets deficits against surpluses of its own (simulation.md 5.3, 6)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from sim.scenario.model import Scenario
from sim.season.minds import BULK_MIN_T
from sim.season.people import People
from sim.season.streams import Array, Purpose, bells, entity_keys, units

EARLY_SHARE = 0.6  # of the desks that meet a date before it


class Transfer(NamedTuple):
    """A bulk deal inside a group, in an instrument to be chosen from what the seller has."""

    seller: int
    buyer: int
    qty_tonnes: int


class Trigger(NamedTuple):
    """Something that makes groups net: known from a day on, due on a day."""

    known: dt.date
    due: dt.date
    binding: bool  # a date to meet: some net before it; else all after
    share: float  # of the groups


class Occasion(NamedTuple):
    """A group's day to net."""

    group: int
    at_floor: bool  # priced near the lower bulk limit
    part: float  # of what could be netted that is


class Desks:
    """When each group nets, and what it then moves."""

    def __init__(self, scenario: Scenario, people: People, seed: int) -> None:
        self.scenario = scenario
        self.people = people
        groups = int(people.group.max(initial=-1)) + 1
        self.members = [np.flatnonzero(people.group == group) for group in range(groups)]
        self.keys = entity_keys(seed, scenario.name, [f"group {each}" for each in range(groups)])
        self.agenda: dict[dt.date, list[Occasion]] = {}
        for number, trigger in enumerate(self._triggers()):
            self._plan(number, trigger)

    def _triggers(self) -> list[Trigger]:
        """Return the occasions: allocations, milestones and deadlines, ends of quarters."""
        scenario, behaviour = self.scenario, self.scenario.behaviour
        share = behaviour.news_netting_share
        found = [
            Trigger(event.date, event.date, binding=False, share=share)
            for event in scenario.events
            if event.pulse and event.category == "allocation" and not event.history
        ]
        share = behaviour.netting_share
        for each in scenario.obligations:
            if each.entities_share < 1.0:
                continue  # arrears of a few are no occasion for the groups
            dates = [(each.deadline_published, each.deadline)]
            dates += [(milestone.published, milestone.date) for milestone in each.milestones]
            found += [Trigger(known, due, binding=True, share=share) for known, due in dates]
        share = behaviour.accounts_netting
        for year, month, day in self._quarters():
            date = dt.date(year, month, day)
            found.append(Trigger(date, date, binding=True, share=share))
        return found

    def _quarters(self) -> list[tuple[int, int, int]]:
        """Return the ends of quarters inside the season: accounts are closed then."""
        first, last = self.scenario.first_day, self.scenario.last_day
        ends = [(3, 31), (6, 30), (9, 30), (12, 31)]
        every = [(year, *end) for year in range(first.year, last.year + 1) for end in ends]
        return [each for each in every if first <= dt.date(*each) <= dt.date(last.year, 12, 31)]

    def _plan(self, number: int, trigger: Trigger) -> None:
        """Draw which groups net on an occasion, and when: a few days after it, or around a date."""
        behaviour = self.scenario.behaviour
        joins = units(self.keys, Purpose.DESK, 4 * number) < trigger.share
        lag = -behaviour.netting_days * np.log1p(-units(self.keys, Purpose.DESK, 4 * number + 1))
        early = units(self.keys, Purpose.DESK, 4 * number + 2) < EARLY_SHARE
        floor = units(self.keys, Purpose.DESK, 4 * number + 3) < behaviour.floor_share
        for group in np.flatnonzero(joins):
            days = -int(lag[group]) if trigger.binding and early[group] else int(lag[group])
            date = trigger.due + dt.timedelta(days=days)
            if date < trigger.known and trigger.due != trigger.known:
                continue
            part = 1.0 if trigger.binding else behaviour.netting_part
            occasion = Occasion(int(group), bool(floor[group]), part)
            self.agenda.setdefault(date, []).append(occasion)

    def due(self, since: dt.date, until: dt.date) -> list[Occasion]:
        """Return the occasions whose day lies in (since, until]."""
        days = (until - since).days
        dates = [since + dt.timedelta(days=day) for day in range(1, days + 1)]
        return [each for date in dates for each in self.agenda.get(date, [])]

    def net(self, group: int, need: Array, surplus: Array) -> list[Transfer]:
        """Match the group's largest deficits with its largest surpluses, in bulk quantities."""
        rows = self.members[group]
        buyers = rows[np.argsort(-need[rows], kind="stable")]
        sellers = list(rows[np.argsort(-surplus[rows], kind="stable")])
        spare = {int(row): int(surplus[row]) for row in sellers}
        deals = []
        for buyer in buyers:
            wanted = int(need[buyer])
            for seller in sellers:
                qty = min(wanted, spare[int(seller)])
                if wanted < BULK_MIN_T:
                    break
                if seller == buyer or qty < BULK_MIN_T:
                    continue
                deals.append(Transfer(int(seller), int(buyer), qty))
                spare[int(seller)] -= qty
                wanted -= qty
        return deals

    def price_wobble(self, group: int, day: int) -> float:
        """Return the log distance of a transfer price from the listed price."""
        return float(0.01 * bells(self.keys[group : group + 1], Purpose.BARGAIN, day)[0])
