"""What the state sells and withholds in experiments: auctions (TR-95) and a stability reserve.

An auctioned share of the allocation reaches the state's account instead of the entities', and is
sold in one-way bidding sessions of the exchange (TR-80…95) over the days that are left until the
deadline. The reserve withholds part of an issue while what is held beyond every need lies above
an upper threshold, and offers in the same way below a lower one (simulation.md 5.8).
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import numpy as np

from engine.records import EVENT, Event, Kind, Pricing, Side
from sim.scenario.model import Issue, Scenario
from sim.season.minds import BULK_MIN_T, OPINION_DAYS, SLOTS, Day
from sim.season.people import People
from sim.season.position import position_of
from sim.season.streams import Array, Purpose, bells, units

if TYPE_CHECKING:
    from sim.season.season import Season

SESSION_SLOT = 5  # 10:20, after the sessions of entities
WINDOW = {"from_minute": 10 * 60 + 26, "until_minute": 10 * 60 + 56}
TAKING_PART = 0.3  # of those in need, in a session
OVERBID = 1.5  # what they bid for, beside what would cover their need by the deadline
MT = 1e6


def paid_shares(scenario: Scenario, people: People) -> Array:
    """Return which part of each allocation is sold instead of given, shape (k, n)."""
    sold = np.zeros(people.allocation_t.shape)
    names = [each.name for each in scenario.population.sectors]
    years = [each.year for each in scenario.obligations]
    until: dict[tuple[int, str], float] = {}
    for issue in sorted(scenario.issues, key=lambda each: each.date):
        paid = issue.paid_share or scenario.extras.auction_share
        for row, year in enumerate(years):
            for sector in issue.sectors:
                if year == issue.obligation and sector in scenario.obligations[row].sectors:
                    step = issue.share - until.get((row, sector), 0.0)
                    until[row, sector] = issue.share
                    sold[row, people.sector == names.index(sector)] += paid * step
    return sold


class Seller:
    """An account of the state that offers in one-way bidding sessions."""

    def __init__(self, season: Season, row: int) -> None:
        self.season = season
        self.floor = season.floor
        self.row = row
        self.pricing = (
            Pricing.PAY_AS_BID
            if season.scenario.extras.auction_pricing == "pay_as_bid"
            else Pricing.UNIFORM
        )

    def receive(self, code: str, tonnes: int) -> None:
        """Put allowances on the account (RG-08)."""
        if tonnes > 0:
            given = np.zeros(self.row + 1, np.int64)
            given[self.row] = tonnes
            self.floor.give(code, given)

    def offer(self, day: Day, instrument: int, qty: int, sessions_left: int) -> Array:
        """Hold a session from the lower limit on (TR-22); return its deals, dtype EVENT."""
        none: Array = np.empty(0, EVENT)
        qty = min(max(qty, BULK_MIN_T), int(self.floor.available_t()[self.row, instrument]))
        if qty < BULK_MIN_T:  # TR-13
            return none
        state, send, many = self.floor.exchange.state, self.floor.send, self.floor.many
        least = int(state.instruments[instrument]["auction_lower_limit_ticks"])
        terms = {"price_ticks": least, "qty_tonnes": qty, "mode": self.pricing}
        asked = many(
            Kind.APPLY_SESSION,
            account=self.row,
            instrument=instrument,
            side=Side.SELL,
            **terms,
        )
        applied = send(asked)
        if applied[0]["kind"] == Event.REFUSED:
            return none
        number = int(applied[0]["order_no"])
        self.floor.house(many(Kind.NOTICE_SESSION, ref=number, **WINDOW))
        self.floor.house(many(Kind.OPEN_SESSION, ref=number))
        rows, ticks, tonnes = self._bids(day, instrument, least, sessions_left)
        if len(rows):
            send(many(Kind.BID, account=rows, ref=number, price_ticks=ticks, qty_tonnes=tonnes))
        events = self.floor.house(many(Kind.CLOSE_SESSION, ref=number))
        return np.asarray(events[events["kind"] == Event.TRADED])

    def _bids(
        self, day: Day, instrument: int, least: int, sessions_left: int
    ) -> tuple[Array, Array, Array]:
        """Return who bids, at what an allowance is worth to it, for how much (5.3, 2)."""
        mind, keys = self.season.mind, self.season.people.keys
        behaviour = self.season.scenario.behaviour
        moment = -(day.number * SLOTS + instrument + 1)
        part = max(TAKING_PART, min(1.0, 2.0 / sessions_left))
        rows = np.flatnonzero(
            (mind["wanted_t"] > 0) & (units(keys, Purpose.SESSION, moment) < part)
        )
        row = self.floor.exchange.state.instruments[instrument]
        last = float(np.log(int(row["last_ticks"]) or int(row["reference_ticks"])))
        memory, pressing = behaviour.anchor_memory, mind["pressing"][rows]
        worth = memory * mind["memory"][rows] + (1.0 - memory) * last + mind["premium"][rows]
        worth += behaviour.bid_urgency * pressing - behaviour.bid_discount * (1.0 - pressing)
        noise = bells(keys[rows], Purpose.PRICE, day.number // OPINION_DAYS)
        worth += day.mood + behaviour.price_noise * noise
        bounds = self.floor.inside_collar(least, int(row["auction_upper_limit_ticks"]))
        ticks = np.minimum(np.round(np.exp(worth)).astype(np.int64), bounds[1])
        share = min(1.0, OVERBID / (part * sessions_left))
        tonnes = np.maximum((mind["wanted_t"][rows] * share).astype(np.int64), 1)
        good = ticks >= bounds[0]
        return rows[good], ticks[good], tonnes[good]


class Auctioneer(Seller):
    """The state as a seller of part of the allocation."""

    def __init__(self, season: Season, row: int, sold_t: Array) -> None:
        super().__init__(season, row)
        self.sold_t = sold_t  # (k, n): what is not given, by obligation and entity

    def issue(self, row: int, issue: Issue, given: Array) -> None:
        """Take over what goes with an issue: the paid part of what was handed out."""
        whole = np.maximum(self.season.people.allocation_t[row], 1)
        code = self.season.scenario.obligations[row].vintage
        self.receive(code, int((self.sold_t[row] * (given / whole)).sum()))

    def act(self, day: Day, slot: int) -> list[Array]:
        """Offer, each day, what is left by the days that are left; returns deals."""
        if slot != SESSION_SLOT:
            return []
        today = self.season.days[day.number]
        found = []
        for instrument in range(day.instruments):
            have = int(self.floor.available_t()[self.row, instrument])
            left = self._days_left(today, self.floor.codes[instrument])
            if have >= BULK_MIN_T and left:
                found.append(self.offer(day, instrument, have // left, left))
        return found

    def _days_left(self, today: dt.date, code: str) -> int:
        season = self.season
        ends = [
            each.deadline
            for row, each in enumerate(season.scenario.obligations)
            if code in each.usable and not season.books.settled[row]
        ]
        return sum(today <= each <= max(ends) for each in season.days) if ends else 0


class Reserve(Seller):
    """The stability reserve: withholds from issues, offers when little is held."""

    def kept_back(self, code: str, given: Array, date: dt.date) -> Array:
        """Return what is withheld of an issue, shape (n,), and take it onto the account."""
        rule = self.season.scenario.extras.reserve
        zero = np.zeros(len(given), np.int64)
        if rule is None or not given.sum():
            return zero
        beyond = self.circulation_t(date) - rule.upper_mt * MT
        if beyond <= 0:
            return zero
        share = min(rule.intake_share * beyond / float(given.sum()), 1.0)
        kept = np.floor(given * share).astype(np.int64)
        self.receive(code, int(kept.sum()))
        return kept

    def circulation_t(self, date: dt.date) -> float:
        """Return the tonnes that entities hold beyond everything they owe."""
        season = self.season
        held = self.floor.holdings_t()[: season.people.count]
        codes = self.floor.codes
        position = position_of(season.scenario, season.people, season.books, codes, held, date)
        return float(position.surplus_t.sum())

    def act(self, day: Day, slot: int) -> list[Array]:
        """On the first trading day of a month, offer if little is held; returns deals."""
        rule = self.season.scenario.extras.reserve
        days, number = self.season.days, day.number
        first = number > 0 and days[number].month != days[number - 1].month
        if slot != SESSION_SLOT or rule is None or not first:
            return []
        usable = [each for each in range(day.instruments) if day.usable[each]]
        if not usable or self.circulation_t(days[number]) >= rule.lower_mt * MT:
            return []
        instrument, tonnes = usable[-1], round(rule.release_mt * MT)
        short = tonnes - int(self.floor.available_t()[self.row, instrument])
        self.receive(self.floor.codes[instrument], short)
        return [self.offer(day, instrument, tonnes, 1)]
