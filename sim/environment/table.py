"""The table at which agents sit: a season lived from one moment of theirs to the next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.reasons import EXPLANATIONS, Reason
from engine.records import EVENT, Event, Kind
from sim.environment.acting import act
from sim.environment.choosing import Choice, SettingError
from sim.environment.observing import FEN, Observation, Observer, position
from sim.environment.played import PlayedSeason
from sim.environment.rewarding import Costs, Ending, potential_cny, rest_cny, surrender_cost
from sim.environment.telling import fills, told
from sim.scenario.model import Scenario
from sim.season.minds import SLOTS
from sim.season.streams import Array, Purpose, units

DAY_OVER = 24  # the slot of an evening


@dataclass(frozen=True)
class Settings(Costs):
    """How a season is played; the rest are those of ``Costs``.

    Args:
        step: ``"day"``, one action a trading day, or ``"slot"``, one every ten minutes.
        slot: with ``"day"``, the slot in which it acts: 0…11 in the morning, 12…23 in the
            afternoon. Bulk is agreed in the afternoon only (TR-31).
        budget_cny: what the entity may spend beyond its proceeds; None = no limit (as everybody
            else). What it has more is paid out on the first morning.

    Raises:
        SettingError: a value outside its bounds.
    """

    step: str = "day"
    slot: int = 12
    budget_cny: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.step not in ("day", "slot"):
            raise SettingError("step", self.step, "day or slot")
        if not 0 <= self.slot < SLOTS:
            raise SettingError("slot", self.slot, f"a whole number from 0 to {SLOTS - 1}")
        if self.budget_cny is not None and not self.budget_cny >= 0.0:
            raise SettingError("budget_cny", self.budget_cny, "a number not below 0")


@dataclass
class Seat:
    """One agent's place: which entity it plays and where its account stands."""

    row: int
    cash_cny: float = 0.0
    offset_cny: float = 0.0
    potential_cny: float = 0.0
    refused: int = 0
    owed_cny: float = 0.0  # fines, missing tonnes, less what is left: not yet in a reward
    done: bool = False
    endings: list[Ending] = field(default_factory=list)


class Table:
    """A season with seats. ``begin``, then ``play`` until every seat is done."""

    def __init__(self, scenario: Scenario, choices: Sequence[Choice], settings: Settings) -> None:
        self.scenario = scenario
        self.choices = list(choices)
        self.settings = settings
        self.vintages = len(scenario.vintages)
        self.seats: list[Seat] = []

    def begin(self, seed: int) -> None:
        """Begin the season of a seed and live it up to the agents' first moment."""
        self.season = PlayedSeason(self.scenario, seed, self.choices)
        self.observer = Observer(self.season, self.vintages)
        self.seats = [Seat(row) for row in self.season.rows]
        self.date, self.slot = self.season.days[0], 0
        self._counted = 0  # surrenders that seats were charged for
        self._seen = 0  # parts of the log that agents were told of
        self._moments = self._live()
        next(self._moments)
        for seat in self.seats:
            self._account(seat)
        self._deals = self._news()[:0]  # before the first moment nothing is theirs

    def play(self, actions: dict[int, Array]) -> list[float]:
        """Do the actions of seats (by number), live on to the next moment; return all rewards.

        Who is first at a moment is drawn anew each time. A seat without an action holds.
        """
        for seat in self.seats:
            seat.refused = 0
        for number in self._order(list(actions)):
            seat = self.seats[number]
            need, _ = position(self.season, seat.row, self.date)
            seat.refused = act(self.season, seat.row, actions[number], need)
        if next(self._moments, None) is None:
            self.slot = DAY_OVER
        self._deals = self._news()
        return [self._account(seat) for seat in self.seats]

    def observe(self, seat: Seat) -> Observation:
        """Return what a seat sees now."""
        return self.observer.observe(seat.row, self.date, self.slot, bool(seat.refused))

    def info(self, seat: Seat) -> dict[str, Any]:
        """Return a seat's info: names, fills since the last moment, refusal, surrenders.

        A key has values of one type only, as Gymnasium's vector environments need it.
        """
        season, reason = self.season, Reason(seat.refused)
        found: dict[str, Any] = {
            "entity": season.people.names[seat.row],
            "season_seed": season.seed,
            "date": self.date.isoformat(),
            "slot": self.slot,
            "vintages": list(season.floor.codes),
            "fills": fills(self._deals, seat.row, season.floor.codes),
            "refused": reason.code if seat.refused else "",
            "sentence": EXPLANATIONS[reason].sentence if seat.refused else "",
        }
        if seat.done:
            found["surrenders"] = [dict(each) for each in seat.endings]
        return found

    def _live(self) -> Iterator[bool]:
        """Live the season; yields True at each moment at which agents act."""
        every = self.settings.step == "slot"
        for date in self.season.days:
            for slot in self.season.live_slots(date):
                if slot == 0 and date == self.season.days[0]:
                    self._cut_budgets()
                if every or slot == self.settings.slot:
                    self.date, self.slot = date, slot
                    yield True
            self.observer.day_is_over()
            self._evening(date)
            if all(seat.done for seat in self.seats):
                return

    def _cut_budgets(self) -> None:
        """Pay out what seats have above their budget (CASH_OUT; the start of every account)."""
        if self.settings.budget_cny is None:
            return
        keep = round(self.settings.budget_cny * FEN)
        accounts = self.season.floor.exchange.state.accounts
        for row in self.season.rows:
            more = int(accounts[row]["cash_available_fen"]) - keep
            if more > 0:
                floor = self.season.floor
                floor.house(floor.many(Kind.CASH_OUT, account=row, amount=more))
            self.observer.begin_cash(row)

    def _evening(self, date: dt.date) -> None:
        """Count the day's surrenders; a seat is done when none of its obligations is left."""
        season = self.season
        today = season.surrenders[self._counted :]
        self._counted = len(season.surrenders)
        last = date == season.days[-1]
        for seat in self.seats:
            owing = [end for end in today if season.people.due_t[end.row, seat.row]]
            ends = [surrender_cost(season, end, seat.row, self.settings) for end in owing]
            seat.endings += ends
            if seat.done:
                continue
            seat.owed_cny += sum(each["fine_cny"] + each["missing_cny"] for each in ends)
            if last or (ends and self._settled(seat.row)):
                seat.done = True
                seat.owed_cny -= rest_cny(season, seat.row, ends, self.settings)

    def _settled(self, row: int) -> bool:
        """True when everything an entity owes in this season has been surrendered."""
        season = self.season
        return all(
            season.books.settled[number] or each.deadline.year > season.days[-1].year
            for number, each in enumerate(self.scenario.obligations)
            if season.people.due_t[number, row]
        )

    def _account(self, seat: Seat) -> float:
        """Return what a seat earned since this was last called, in units of the reward."""
        cash = self.observer.cash_cny(seat.row)
        offset = float(self.season.offsets.cost_cny[seat.row])
        earned = cash - seat.cash_cny - (offset - seat.offset_cny) - seat.owed_cny
        seat.cash_cny, seat.offset_cny, seat.owed_cny = cash, offset, 0.0
        if self.settings.shaping:
            need = 0 if seat.done else position(self.season, seat.row, self.date)[0]
            now = potential_cny(self.season, need)
            earned += now - seat.potential_cny
            seat.potential_cny = now
        return earned / self.settings.reward_unit_cny

    def _order(self, numbers: list[int]) -> list[int]:
        """Return seats in the order in which they act at this moment: keyed draws, no stream."""
        if len(numbers) < 2:
            return numbers
        keys = self.season.people.keys[[self.seats[number].row for number in numbers]]
        moment = self.season.days.index(self.date) * SLOTS + self.slot
        drawn = units(keys, Purpose.ACT, moment)  # played entities use no draws of this purpose
        return [numbers[place] for place in np.argsort(drawn, kind="stable")]

    def _news(self) -> Array:
        """Return the deals of the log since this was last called."""
        log = self.season.floor.log
        parts = [part[part["kind"] == Event.TRADED] for part in log[self._seen :]]
        self._seen = len(log)
        found: Array = np.concatenate([np.empty(0, EVENT), *parts])
        return found

    def text(self, seat: Seat) -> str:
        """Return date, position and the best quotes as text, one line a vintage."""
        name = self.season.people.names[seat.row]
        head = f"{self.date.isoformat()} slot {self.slot:2d}  {name}"
        return told(head, self.observe(seat), self.season.floor.codes)
