"""Everybody and everything that an experiment adds to a season (scenario.model.Extras).

A season without extras has none of this and runs as if the file were not there. Accounts of these
agents come after those of the entities, and their draws have keys of their own, so nobody else's
draws change (common random numbers).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from engine.records import EVENT, Event
from sim.scenario.model import Issue, Scenario
from sim.season.dealers import Institutions, Makers
from sim.season.minds import Day
from sim.season.people import People
from sim.season.public_sales import Auctioneer, Reserve, paid_shares
from sim.season.streams import Array

if TYPE_CHECKING:
    from sim.season.season import Season


class Others:
    """The agents of a season's extras; ``names`` are those of their accounts, in order."""

    def __init__(self, scenario: Scenario, people: People) -> None:
        extras = scenario.extras
        sold = paid_shares(scenario, people)
        self.sold_t = np.floor(people.allocation_t * sold).astype(np.int64)
        people.allocation_t -= self.sold_t  # what entities reckon with is what they are given
        self.auctions = bool(self.sold_t.any())
        self.names = [f"MAKER{number}" for number in range(1, extras.market_makers + 1)]
        self.names += [f"INSTITUTION{number}" for number in range(1, extras.institutions + 1)]
        self.names += ["STATE"] if self.auctions else []
        self.names += ["RESERVE"] if extras.reserve is not None else []
        self.makers: Makers | None = None
        self.institutions: Institutions | None = None
        self.auctioneer: Auctioneer | None = None
        self.reserve: Reserve | None = None

    @classmethod
    def of(cls, scenario: Scenario, people: People) -> Others | None:
        """Return the extras of a scenario, or None where it has none."""
        found = cls(scenario, people)
        return found if found.names else None

    def enter(self, season: Season, first_row: int) -> None:
        """Take the accounts from ``first_row`` on."""
        rows = {name: first_row + place for place, name in enumerate(self.names)}
        makers = [name for name in rows if name.startswith("MAKER")]
        houses = [name for name in rows if name.startswith("INSTITUTION")]
        if makers:
            self.makers = Makers(season, [rows[name] for name in makers], makers)
        if houses:
            self.institutions = Institutions(season, [rows[name] for name in houses], houses)
        if "STATE" in rows:
            self.auctioneer = Auctioneer(season, rows["STATE"], self.sold_t)
        if "RESERVE" in rows:
            self.reserve = Reserve(season, rows["RESERVE"])

    def begin(self, number: int) -> None:
        """Prepare for trading day ``number``, after the exchange has begun it."""
        if self.makers is not None:
            self.makers.new_day()
            if number == 0:
                self.makers.stock_up()
        if self.institutions is not None:
            self.institutions.new_day()

    def issued(self, row: int, issue: Issue, given: Array, date: dt.date) -> Array:
        """Return what entities get of an issue of obligation ``row``, shape (n,)."""
        if self.auctioneer is not None:
            self.auctioneer.issue(row, issue, given)
        if self.reserve is None:
            return given
        code = self.reserve.season.scenario.obligations[row].vintage
        return given - self.reserve.kept_back(code, given, date)

    def act(self, day: Day, slot: int) -> Array:
        """Let everybody act in a slot; return the deals, dtype EVENT."""
        found: list[Array] = [np.empty(0, EVENT)]
        for agent in (self.makers, self.institutions, self.auctioneer, self.reserve):
            if agent is not None:
                found += agent.act(day, slot)
        events = np.concatenate(found)
        return np.asarray(events[events["kind"] == Event.TRADED])
