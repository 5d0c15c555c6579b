"""A season from its first listing to its last surrender, lived day by day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import numpy as np

from engine.calendar import is_trading_day
from engine.records import Event, Side, commands
from sim.scenario.model import Behaviour, Scenario
from sim.season.banking import converted_t, must_sell_share, old_share
from sim.season.bargains import Bargains
from sim.season.bidding import Bidding
from sim.season.desks import Desks
from sim.season.extras import Others
from sim.season.floor import HALF_DAY_SLOTS, Floor
from sim.season.learning import end_of_day, learn_of
from sim.season.minds import MIND, SLOTS, Day, Habits, Market, decide, urgency
from sim.season.news import News
from sim.season.offsetting import Offsets
from sim.season.people import People, people_of
from sim.season.position import Books, Position, by_deadline, issued_by, position_of
from sim.season.streams import Array
from sim.season.surrender import (
    AFTER_SURRENDER,
    MONTH_END,
    Money,
    Snapshot,
    Surrender,
    carried_over,
    surrender,
)

CASH_SHARE = 4.0  # everybody can pay for several times its need: full pre-funding (TR-41)


def trading_days(first: dt.date, last: dt.date) -> list[dt.date]:
    """Return the trading days from ``first`` to ``last``, both included (CA-01)."""
    span = (last - first).days + 1
    every = (first + dt.timedelta(days=number) for number in range(span))
    return [date for date in every if is_trading_day(date)]


class Season:
    """One season of one seed, to be lived day by day.

    ``people``, ``mind``, ``floor`` and ``books`` are open to look at between days; the environment
    and experiments add agents on the accounts after the entities' (``extra_accounts``).
    """

    def __init__(self, scenario: Scenario, seed: int, extra_accounts: int = 0) -> None:
        self.scenario = scenario
        self.seed = seed
        self.people = people_of(scenario, seed)
        count = self.people.count
        self.others = Others.of(scenario, self.people)
        accounts = count + extra_accounts + (len(self.others.names) if self.others else 0)
        self.floor = Floor(scenario, accounts, cash_fen=4 * 10**18 // 4)
        self.books = Books.of(self.people)
        self.mind = fresh_mind(self.people, scenario)
        self.habits = habits_of(scenario.behaviour, scenario.extras.matching == "price_time")
        self.news = News(scenario, self.people, seed)
        self.desks = Desks(scenario, self.people, seed)
        self.bargains = Bargains(scenario, self.people, self.mind, self.floor)
        self.bidding = Bidding(scenario, self.people, self.mind, self.floor, self.bargains)
        self.offsets = Offsets(scenario, self.people)
        self.days = trading_days(scenario.first_day, scenario.last_day)
        self.decisions = 0
        self.converted_t = np.zeros(count, np.int64)  # carried over so far (AL-55)
        self._buffer = commands(2 * count + 16)
        self._issues = sorted(scenario.issues, key=lambda each: each.date)
        self._yesterday = scenario.first_day - dt.timedelta(days=1)
        self._old_given = False
        self.surrenders: list[Surrender] = []
        self.snapshots: list[Snapshot] = []
        if self.others is not None:
            self.others.enter(self, count + extra_accounts)

    def account_names(self) -> Array:
        """Return the entity of each account row, objects; extra accounts are X1, X2 …"""
        rows = len(self.floor.exchange.state.accounts)
        own = self.others.names if self.others is not None else []
        extra = [f"X{number}" for number in range(1, rows - self.people.count - len(own) + 1)]
        names = [*self.people.names, *extra[:-1], *own, *extra[-1:]]  # the last row is nobody's
        return np.array(names, dtype=object)

    def counts(self) -> dict[str, int]:
        """Return how much was done: decisions, commands, events, trades."""
        return {
            "decisions": self.decisions,
            "commands": self.floor.commands,
            "events": sum(len(part) for part in self.floor.log),
            "trades": sum(int((part["kind"] == Event.TRADED).sum()) for part in self.floor.log),
            "entities": self.people.count,
            "days": len(self.floor.closes_by_day),
        }

    def live(self) -> Iterator[dt.date]:
        """Live the days that are left, one at a time; yields each date after its evening."""
        while len(self.floor.closes_by_day) < len(self.days):
            date = self.days[len(self.floor.closes_by_day)]
            self.live_day(date)
            yield date

    def live_day(self, date: dt.date) -> None:
        """Live one trading day: hand-outs, news, plans, twenty-four slots, the evening."""
        for _ in self.live_slots(date):
            pass

    def live_slots(self, date: dt.date) -> Iterator[int]:
        """Live one trading day; yields each slot as it opens, before anybody acts in it."""
        number = len(self.floor.closes_by_day)
        self.floor.begin(date)
        if self.others is not None:
            self.others.begin(number)
        self._hand_out(date)
        self._convert(date)
        self._plan(date, number)
        day = self.day_of(date, number)
        for slot in range(SLOTS):
            self.floor.open_slot(slot)
            yield slot
            self._slot(day, slot)
        self._evening(date)

    def market(self) -> Market:
        """Return what everybody can look at now."""
        state = self.floor.exchange.state
        holdings = state.holdings
        return Market(
            state.instruments,
            state.books,
            holdings.reshape(-1),
            holdings.shape[1],
            state.width,
            *self.floor.collar,
        )

    def day_of(self, date: dt.date, number: int) -> Day:
        """Return what everybody knows about a day."""
        usable = np.zeros(8, bool)
        for row, obligation in enumerate(self.scenario.obligations):
            if not self.books.settled[row]:
                for column, code in enumerate(self.floor.codes):
                    usable[column] |= code in obligation.usable
        horizon = self.news.horizon(date, self.books)
        activity, mood = self.news.climate(number, horizon, float(self.mind["pressing"].mean()))
        return Day(
            number,
            self._deadline_days(date),
            self.news.pulse(date) * horizon * activity,
            activity,
            self._squeeze(date),
            mood,
            usable,
            len(self.floor.codes),
        )

    def _squeeze(self, date: dt.date) -> float:
        """Return what sellers add at full urgency: less once many of them have to sell (AL-51)."""
        behaviour, banking = self.scenario.behaviour, self.scenario.banking
        competing = banking is not None and date >= banking.decided
        return behaviour.seller_squeeze * (1.0 - behaviour.seller_pressure * competing)

    def _deadline_days(self, date: dt.date) -> float:
        open_rows = [row for row, done in enumerate(self.books.settled) if not done]
        return min(
            (self.news.days_to(date, row, milestones=False) for row in open_rows), default=1e9
        )

    def _slot(self, day: Day, slot: int) -> None:
        """Ten minutes: whoever wakes decides; in the afternoon bulk is agreed as well (TR-31)."""
        if self.others is not None:
            learn_of(self.mind, self.others.act(day, slot))
        n, decisions = decide(self.mind, day, self.habits, self.market(), self._buffer, slot)
        self.decisions += decisions
        if n:
            learn_of(self.mind, self.floor.send(self._buffer[:n].copy()))
        for events in self.bidding.hold(day, slot):
            learn_of(self.mind, events)
        if slot >= HALF_DAY_SLOTS:
            if slot == HALF_DAY_SLOTS:
                self.bargains.transfers(self.desks, self._netting, day)
            self.bargains.strangers(day, slot)

    def _hand_out(self, date: dt.date) -> None:
        """Issue the allowances that are due by today and can be traded (AL-33, TR-04)."""
        codes = self.floor.codes
        if not self._old_given:
            self._old_given = True
            for row, old in enumerate(self.scenario.population.old_holdings):
                self.floor.give(old.vintage, self.people.old_t[row])
        waiting = []
        for issue in self._issues:
            row, until_now = issued_by(self.people, self.scenario, issue)
            vintage = self.scenario.obligations[row].vintage
            if issue.date > date or vintage not in codes:
                waiting.append(issue)
                continue
            given = np.maximum(until_now - self.books.issued_t[row], 0)
            others = self.others
            shared = given if others is None else others.issued(row, issue, given, date)
            self.floor.give(vintage, shared)
            self.books.issued_t[row] += given
        self._issues = waiting

    def _convert(self, date: dt.date) -> None:
        """Turn carried-over vintages into the new one on the days of AL-55."""
        available = self.floor.available_t()[: self.people.count]
        tonnes = converted_t(self.scenario, self.floor.codes, available, date)
        if tonnes is not None and self.scenario.banking is not None:
            self.floor.take_now(tonnes)
            self.floor.give(self.scenario.banking.converted_to, tonnes.sum(axis=1))
            self.converted_t += tonnes.sum(axis=1)

    def _plan(self, date: dt.date, number: int) -> None:
        """Let everybody look at its position as the day begins, and hear the news."""
        behaviour, mind = self.scenario.behaviour, self.mind
        self.news.spread(mind, date, number)
        held = self.floor.holdings_t()[: self.people.count]
        position = position_of(self.scenario, self.people, self.books, self.floor.codes, held, date)
        close = self.floor.composite_ticks() / 100.0
        self.offsets.day(date, number, self.books, close)
        forward = self._forward()
        wanted = position.need_t * (1.0 + behaviour.buffer_share) - position.surplus_t
        mind["wanted_t"] = np.where(position.need_t > 0, np.maximum(wanted, 0.0), wanted + forward)
        mind["wanted_t"] = np.where(
            position.need_t > 0, mind["wanted_t"], np.minimum(mind["wanted_t"], 0)
        )
        mind["forward_t"] = np.clip(forward - position.surplus_t, 0.0, None)
        mind["pressing"] = self._pressing(date, position)
        mind["hurry"] = np.maximum(mind["pressing"], self._budgets(date))
        wakes = behaviour.wakes_per_day + behaviour.wake_urgent * mind["hurry"]
        mind["wake_chance"] = wakes / SLOTS
        mind["must_sell_share"] = must_sell_share(
            self.scenario,
            self.people,
            np.maximum(position.surplus_t - forward, 0.0),
            mind["sold_t"] - mind["bought_t"],
            date,
            old_share(self.scenario, self.floor.codes, position.spare_t),
        )
        self._netting = self.desks.due(self._yesterday, date)
        self._yesterday = date

    def _pressing(self, date: dt.date, position: Position) -> Array:
        """Return how pressing each entity's own dates are, in [0, 1], shape (n,) (5.3, 1).

        A date presses those who lack allowances for it, and those who could sell to them.
        """
        behaviour, people = self.scenario.behaviour, self.people
        theta, width = people.theta_days, behaviour.urgency_width_days
        pressing = np.zeros(people.count)
        for row in range(len(self.scenario.obligations)):
            if self.books.settled[row]:
                continue
            days = np.where(
                people.heeds_milestones,
                self.news.days_to(date, row, milestones=True),
                self.news.days_to(date, row, milestones=False),
            )
            concerned = np.where(position.need_t > 0, position.need_by_t[row], people.due_t[row])
            own = urgency(days, theta, width) * (concerned > 0)
            pressing = np.maximum(pressing, own)
        return np.asarray(pressing)

    def _budgets(self, date: dt.date) -> Array:
        """Return how pressing the end of the year is to those whose budget ends with it, (n,)."""
        behaviour, people = self.scenario.behaviour, self.people
        days = np.full(people.count, float((dt.date(date.year, 12, 31) - date).days))
        pressing = urgency(days, people.theta_days, behaviour.urgency_width_days)
        return np.asarray(behaviour.year_end_urgency * pressing)

    def _forward(self) -> Array:
        """Return what entities would buy early for the next obligation, tonnes, shape (n,).

        Emissions of years that are over cannot be avoided any more; those of the running year can,
        in proportion to the price (5.3, 9).
        """
        behaviour, people = self.scenario.behaviour, self.people
        price = self.floor.composite_ticks() / 100.0
        avoided = min(behaviour.abatement_share_per_cny * price, 1.0)
        yearly = np.maximum(-people.rate - avoided, 0.0) * people.size_t
        return np.asarray(np.floor(behaviour.forward_share * yearly))

    def _evening(self, date: dt.date) -> None:
        """Close the day, let everybody learn, and surrender what is due (CP-32)."""
        self.floor.end()
        close = self.floor.composite_ticks()
        behaviour = self.scenario.behaviour
        end_of_day(
            self.mind,
            float(np.log(close)),
            behaviour.memory_rate,
            behaviour.learning,
            behaviour.seller_learning,
            behaviour.learning_decay,
        )
        self.floor.closes_by_day.append(close)
        number = len(self.floor.closes_by_day)
        last = number == len(self.days)
        if last or self.days[number].month != date.month:
            held = self.floor.holdings_t()[: self.people.count].copy()
            self.snapshots.append(Snapshot(date, MONTH_END, held))
        due_now = [
            row
            for row in by_deadline(self.scenario.obligations)
            if not self.books.settled[row] and self._is_due(date, row, last)
        ]
        if due_now:
            self._surrender(date, due_now, last)

    def _is_due(self, date: dt.date, row: int, last: bool) -> bool:
        """Whether an obligation is handed in this evening: the last one that is still in time."""
        deadline = self.scenario.obligations[row].deadline
        if last:
            return date >= deadline or deadline.year == date.year
        return self.days[len(self.floor.closes_by_day)] > deadline

    def _surrender(self, date: dt.date, rows: list[int], last: bool) -> None:
        """Hand in what is due (CP-32). Tonnes leave the trading side before the next day begins."""
        held = self.floor.holdings_t()[: self.people.count].copy()
        before = held.copy()
        money = self.money(date)
        for row in rows:
            given, short = surrender(
                self.scenario, self.people, self.books, self.floor.codes, held, row
            )
            net, done = money.sold_t - money.bought_t, self.converted_t
            carried, expired = carried_over(
                self.scenario, self.people, self.floor.codes, held, net, date, done
            )
            offset = self.books.offset_t[row]
            self.surrenders.append(Surrender(row, offset, given, short, carried, expired, money))
        if last:
            self.snapshots.append(Snapshot(date, AFTER_SURRENDER, held))
        else:
            self.floor.take_back(before - held)

    def money(self, date: dt.date) -> Money:
        """Return what everybody traded so far, and the month's mean price (CP-63)."""
        events = self.floor.events()
        deals = events[events["kind"] == Event.TRADED]
        rows = len(self.floor.exchange.state.accounts)
        buys = deals["side"] == Side.BUY
        buyer = np.where(buys, deals["account"], deals["counterparty"])
        seller = np.where(buys, deals["counterparty"], deals["account"])
        count = self.people.count
        tonnes, yuan = deals["qty_tonnes"], deals["amount_fen"] / 100.0
        month = deals["date"] // 100 == date.year * 100 + date.month
        volume = float(tonnes[month].sum())
        return Money(
            np.bincount(buyer, tonnes, rows)[:count].astype(np.int64),
            np.bincount(seller, tonnes, rows)[:count].astype(np.int64),
            np.bincount(buyer, yuan, rows)[:count],
            np.bincount(seller, yuan, rows)[:count],
            self.offsets.cost_cny.copy(),
            float(yuan[month].sum()) / volume if volume else 0.0,
        )


def habits_of(behaviour: Behaviour, price_time: bool = False) -> Habits:
    """Return what kernels need to know of the behaviour parameters."""
    return Habits(**{name: float(getattr(behaviour, name)) for name in Habits._fields})


def fresh_mind(people: People, scenario: Scenario) -> Array:
    """Return everybody's mind on the first morning: shape (n,), dtype MIND."""
    mind = np.zeros(people.count, MIND)
    mind["keys"] = people.keys
    mind["theta_days"] = people.theta_days
    mind["reluctance"] = people.reluctance
    mind["idle"] = people.inactive
    mind["memory"] = np.log(max(each.opening_cny_t for each in scenario.vintages) * 100.0)
    return mind
