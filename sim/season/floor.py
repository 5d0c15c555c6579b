"""The trading floor of a season: the exchange, its day, and everything it ever said.

No shortcut: accounts, money, allowances, rules, orders and days are commands to the same exchange
that the venue runs, and a season's log is the exchange's own events. The evening confirms and posts
within the exchange (ST-04); a research season keeps no second set of books in a database.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

import numpy as np

from engine.calendar import number_of
from engine.exchange import Exchange
from engine.reasons import EXPLANATIONS, Reason
from engine.records import CASH_FEN_MAX, EVENT, PRICE_TICKS_MAX, Event, Kind, Mode, Phase, commands
from engine.rulebook import (
    Rulebook,
    Rules,
    admission_commands,
    admissions,
    parameter_commands,
)
from engine.rulebook_data import LAUNCH_DAY
from sim.scenario.model import Scenario
from sim.season.streams import Array
from sim.season.what_ifs import with_extras

MINUTE_NS = 60 * 1_000_000_000
MORNING_MINUTE, AFTERNOON_MINUTE = 9 * 60 + 30, 13 * 60  # TR-30
HALF_DAY_SLOTS = 12
EPOCH_DAY = dt.date(1970, 1, 1)


class FloorError(Exception):
    """The exchange refused a command that only the house itself sends."""


class Floor:
    """An exchange with ``accounts`` rows, on which a season is lived.

    Args:
        scenario: its rules, what-if changes and opening prices.
        accounts: how many accounts to open; each gets ``cash_fen`` (TR-41: everything is
            pre-funded).
    """

    def __init__(self, scenario: Scenario, accounts: int, cash_fen: int) -> None:
        self.scenario = scenario
        self.exchange = Exchange(accounts + 1, 8)
        self.codes: list[str] = []
        self.log: list[Array] = []
        self.commands = 0
        self.closes_by_day: list[int] = []  # composite closes in ticks, one per day lived
        self.mode = Mode.PRICE_TIME if scenario.extras.matching == "price_time" else Mode.LISTED
        collar = scenario.extras.collar  # lowest and highest price in ticks; wide open without it
        self.collar = (1, PRICE_TICKS_MAX)
        if collar is not None:
            self.collar = (round(collar.floor_cny_t * 100), round(collar.ceiling_cny_t * 100))
        self._owed_back: Array | None = None  # surrendered, leaves when the next day begins
        self._midnight_ns = 0
        self._time_ns = 0
        self._set_day(scenario.first_day)
        rows = np.arange(accounts)
        self.house(self.many(Kind.OPEN_ACCOUNT, account=rows))
        if accounts:
            self.house(
                self.many(
                    Kind.CASH_IN, account=rows, amount=min(cash_fen, CASH_FEN_MAX // accounts)
                )
            )

    @staticmethod
    def many(kind: Kind, **columns: Array | int) -> Array:
        """Return commands of one kind; columns of shape (n,) or single numbers."""
        count = max((len(v) for v in columns.values() if isinstance(v, np.ndarray)), default=1)
        batch = commands(count)
        batch["kind"] = kind
        for name, value in columns.items():
            batch[name] = value
        return batch

    def send(self, batch: Array) -> Array:
        """Number, time and apply commands of any size; keep and return their events."""
        if not len(batch):
            return np.empty(0, EVENT)
        batch["seq"] = np.arange(self.exchange.seq + 1, self.exchange.seq + 1 + len(batch))
        batch["time_ns"] = self._time_ns
        events = self.exchange.apply(batch)
        self.commands += len(batch)
        self.log.append(events)
        return events

    def house(self, batch: Array) -> Array:
        """Apply commands of the exchange, the registry or the state: none may be refused."""
        events = self.send(batch)
        refused = events[events["kind"] == Event.REFUSED]
        if len(refused):
            reason = Reason(int(refused[0]["reason"]))
            raise FloorError(f"{reason.code}: {EXPLANATIONS[reason].sentence}")
        return events

    def rules_on(self, date: dt.date) -> Rules:
        """Return the day's rules: the rulebook's, with the scenario's changes on top."""
        rules = Rulebook.on(max(date, LAUNCH_DAY))
        changes = {
            each.parameter: each.value for each in self.scenario.rule_changes if each.since <= date
        }
        if changes:
            rules = dataclasses.replace(rules, **changes)  # type: ignore[arg-type]
        state, count = self.exchange.state, len(self.codes)
        listed_t = state.totals["day_qty_tonnes"][:count, 0]
        weights = state.instruments["weight"][:count]
        return with_extras(rules, self.scenario, self.codes, listed_t, weights)

    def inside_collar(self, lower_ticks: int, upper_ticks: int) -> tuple[int, int]:
        """Return the part of a day's limits inside the collar, or the limit nearest to it."""
        floor, ceiling = self.collar
        lower = min(max(lower_ticks, floor), upper_ticks)
        return lower, max(min(upper_ticks, ceiling), lower_ticks)

    def begin(self, date: dt.date) -> Rules:
        """Admit what is new, set what has changed, begin the day; return its rules."""
        self._set_day(date)
        rules = self.rules_on(date)
        opening = {each.code: round(each.opening_cny_t * 100) for each in self.scenario.vintages}
        now = self.composite_ticks()  # TR-24, also where nothing has traded yet
        new = [
            (code, now or opening.get(code) or reference)
            for code, reference in admissions(rules, self.codes)
        ]
        if new:
            self.house(admission_commands(new, len(self.codes), self.mode))
            self.codes += [code for code, _ in new]
        state = self.exchange.state
        self.house(parameter_commands(rules, state.rules, state.instruments))
        self.house(self.many(Kind.BEGIN_DAY, ref=number_of(date)))
        self._return()
        return rules

    def open_slot(self, slot: int) -> None:
        """Go to a ten-minute slot: 0-11 in the morning, 12-23 in the afternoon."""
        if slot == 0:
            self._phase(Phase.MORNING)
        elif slot == HALF_DAY_SLOTS:
            self._phase(Phase.LUNCH)
            self._phase(Phase.AFTERNOON)
        half, place = divmod(slot, HALF_DAY_SLOTS)
        minute = (AFTERNOON_MINUTE if half else MORNING_MINUTE) + 10 * place + 5
        self._time_ns = self._midnight_ns + minute * MINUTE_NS

    def end(self) -> Array:
        """Close, confirm and post the day (ST-03…05); return the events of the close."""
        self._time_ns = self._midnight_ns + 15 * 60 * MINUTE_NS
        closed = self.house(self.many(Kind.CLOSE_DAY))
        tag = int(self.exchange.state.market[0]["date"])
        trades = len(self.exchange.trades_today())
        self.house(self.many(Kind.CONFIRM_DAY, ref=tag, amount=trades))
        self.house(self.many(Kind.POST_DAY, ref=tag))
        return closed

    def give(self, code: str, tonnes: Array) -> None:
        """Move allowances into trading accounts (RG-08): ``tonnes`` of shape (accounts,)."""
        rows = np.flatnonzero(tonnes > 0)
        if len(rows):
            self.house(
                self.many(
                    Kind.TRANSFER_IN,
                    account=rows,
                    instrument=self.codes.index(code),
                    qty_tonnes=tonnes[rows],
                )
            )

    def take_back(self, tonnes: Array) -> None:
        """Move allowances out of trading accounts when the next day begins (RG-08), (n, v)."""
        self._owed_back = tonnes if self._owed_back is None else self._owed_back + tonnes

    def take_now(self, tonnes: Array) -> None:
        """Move allowances out of trading accounts on an open day (RG-08), shape (n, v)."""
        rows, columns = np.nonzero(tonnes)
        if len(rows):
            self.house(
                self.many(
                    Kind.TRANSFER_OUT,
                    account=rows,
                    instrument=columns,
                    qty_tonnes=tonnes[rows, columns],
                )
            )

    def _return(self) -> None:
        """Move out what was surrendered; outgoing transfers need an open day (engine.md)."""
        if self._owed_back is not None:
            self.take_now(self._owed_back)
            self._owed_back = None

    def composite_ticks(self) -> int:
        """Return the composite close (TR-104); until something traded, the mean of references."""
        state = self.exchange.state
        close = int(state.market[0]["composite_close_ticks"])
        if close:
            return close
        references = state.instruments[: len(self.codes)]["close_ticks"]
        return round(float(references.mean())) if len(references) else 0

    def holdings_t(self) -> Array:
        """Return what everybody holds in all states, shape (accounts, instruments), int64."""
        holdings = self.exchange.state.holdings[:, : len(self.codes)]
        total = (
            holdings["available_tonnes"]
            + holdings["frozen_tonnes"]
            + holdings["bought_today_tonnes"]
        )
        return np.asarray(total)

    def available_t(self) -> Array:
        """Return what everybody could sell now, shape (accounts, instruments), int64."""
        return np.asarray(self.exchange.state.holdings["available_tonnes"][:, : len(self.codes)])

    def events(self) -> Array:
        """Return the whole log, dtype EVENT, in order."""
        return np.concatenate(self.log) if self.log else np.empty(0, EVENT)

    def digest(self) -> str:
        """Return the SHA-256 of the log in hexadecimal: same seed, same digest."""
        seen = hashlib.sha256()
        for part in self.log:
            seen.update(np.ascontiguousarray(part).tobytes())
        return seen.hexdigest()

    def _phase(self, phase: Phase) -> None:
        self.house(self.many(Kind.SET_PHASE, ref=phase))

    def _set_day(self, date: dt.date) -> None:
        days = (date - EPOCH_DAY).days
        self._midnight_ns = days * 24 * 60 * MINUTE_NS - 8 * 60 * MINUTE_NS  # Beijing
        self._time_ns = self._midnight_ns + 9 * 60 * MINUTE_NS
