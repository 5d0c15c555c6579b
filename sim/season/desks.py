"""Group desks: a group nets deficits against surpluses of its own (simulation.md 5.3, 6)."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from sim.scenario.model import Scenario
from sim.season.minds import BULK_MIN_T
from sim.season.people import People
from sim.season.streams import Array, Purpose, bells, entity_keys, units


class Transfer(NamedTuple):
    """A bulk deal inside a group, in an instrument to be chosen from what the seller has."""

    seller: int
    buyer: int
    qty_tonnes: int
    at_floor: bool


class Desks:
    """When each group nets, and what it then moves."""

    def __init__(self, scenario: Scenario, people: People, seed: int) -> None:
        self.scenario = scenario
        self.people = people
        groups = int(people.group.max(initial=-1)) + 1
        self.members = [np.flatnonzero(people.group == group) for group in range(groups)]
        self.keys = entity_keys(seed, scenario.name, [f"group {each}" for each in range(groups)])
        self.agenda: dict[dt.date, list[tuple[int, bool]]] = {}
        for number, (known, due, before, share) in enumerate(self._triggers()):
            self._plan(number, known, due, before, share)

    def _triggers(self) -> list[tuple[dt.date, dt.date, bool, float]]:
        """Return (known from, date, may also come before it, share of groups) of each occasion."""
        scenario, behaviour = self.scenario, self.scenario.behaviour
        share = behaviour.netting_share
        found = [
            (event.date, event.date, False, behaviour.news_netting_share)
            for event in scenario.events
            if event.pulse and not event.history
        ]
        for obligation in scenario.obligations:
            found.append((obligation.deadline_published, obligation.deadline, True, share))
            found += [(each.published, each.date, True, share) for each in obligation.milestones]
        for year, month, day in self._quarters():
            date = dt.date(year, month, day)
            found.append((date, date, True, behaviour.accounts_netting))
        return found

    def _quarters(self) -> list[tuple[int, int, int]]:
        """Return the ends of quarters inside the season: accounts are closed then."""
        first, last = self.scenario.first_day, self.scenario.last_day
        ends = [(3, 31), (6, 30), (9, 30), (12, 31)]
        every = [(year, *end) for year in range(first.year, last.year + 1) for end in ends]
        return [each for each in every if first <= dt.date(*each) <= dt.date(last.year, 12, 31)]

    def _plan(self, number: int, known: dt.date, due: dt.date, before: bool, share: float) -> None:
        behaviour = self.scenario.behaviour
        joins = units(self.keys, Purpose.DESK, 3 * number) < share
        draw = units(self.keys, Purpose.DESK, 3 * number + 1)
        lag = -(behaviour.netting_days if before else behaviour.pulse_days) * np.log1p(-draw)
        side = units(self.keys, Purpose.DESK, 3 * number + 2)
        for group in np.flatnonzero(joins):
            days = int(lag[group]) if not before or side[group] < 0.4 else -int(lag[group])
            date = due + dt.timedelta(days=days)
            if date < known and due != known:
                continue
            floor = side[group] * 7919 % 1.0 < behaviour.floor_share
            self.agenda.setdefault(date, []).append((int(group), bool(floor)))

    def due(self, since: dt.date, until: dt.date) -> list[tuple[int, bool]]:
        """Return (group, priced at the floor) of those whose day lies in (since, until]."""
        days = (until - since).days
        dates = [since + dt.timedelta(days=day) for day in range(1, days + 1)]
        return [each for date in dates for each in self.agenda.get(date, [])]

    def net(self, group: int, at_floor: bool, need: Array, surplus: Array) -> list[Transfer]:
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
                deals.append(Transfer(int(seller), int(buyer), qty, at_floor))
                spare[int(seller)] -= qty
                wanted -= qty
        return deals

    def price_wobble(self, group: int, day: int) -> float:
        """Return the log distance of a transfer price from the listed price."""
        return float(0.01 * bells(self.keys[group : group + 1], Purpose.BARGAIN, day)[0])
