"""What a model has to beat (simulation.md 5.6, 6): three baselines that ``score`` accepts.

(a) the volume profile of the season before, with a random walk as price; (b) the same model without
groups; (c) zero-intelligence orders through the same exchange.
"""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from engine.records import Event, Kind, Side
from sim.results.observed import SEASONS, monthly, observed_facts
from sim.results.quotes import COLUMNS, COMPOSITE
from sim.results.run import Run, run_of
from sim.scenario.model import Scenario
from sim.scenario.reading import changed
from sim.season.floor import HALF_DAY_SLOTS
from sim.season.learning import learn_of
from sim.season.minds import BULK_MIN_T, SLOTS, Day
from sim.season.season import Season, trading_days
from sim.season.streams import Array, Purpose, bells, entity_keys, units
from sim.simulation import simulate

NO_GROUPS: dict[str, object] = {
    "population.central_groups": 0,
    "population.central_share": 0.0,
    "population.provincial_groups": 0,
    "population.provincial_share": 0.0,
}
ACTS_PER_DAY = 0.05  # orders of a zero-intelligence entity
BULK_SHARE = 0.02  # of its acts in the afternoon that are bulk deals
BULK_MEDIAN_T = 250_000  # lognormal, from the least quantity on (TR-12)
AMOUNTS = ("listed", "bulk", "auction")


class BaselineError(Exception):
    """A baseline cannot be made for a season."""


@dataclass(frozen=True)
class ProfileRun:
    """What a score reads of a run (sim.results.score.ScorableRun), made without a market."""

    season: str
    seed: int
    quotes: pd.DataFrame
    compliance: pd.DataFrame = field(default_factory=pd.DataFrame)


def season_before(year: int) -> int:
    """Return the last season before ``year`` with published months. Raises BaselineError."""
    earlier = [each for each in SEASONS if each < year]
    if not earlier:
        raise BaselineError(f"season {year}: no season before it has published months")
    return max(earlier)


def baseline_profile(
    scenario: Scenario, seed: int, daily: pd.DataFrame | None = None
) -> ProfileRun:
    """Return (a): volumes of the season before, by month and modality, and a random walk.

    Within a month days are as in the observed daily file of that year, where ``daily``
    (``sim.results.observed.read_daily``) has them, else all the same. The walk begins at the
    season's opening price, with the standard deviation and bulk discount of that year.

    Raises:
        BaselineError: no season lies before.
    """
    days = trading_days(scenario.first_day, scenario.last_day)
    year = season_before(days[0].year)
    known = observed_facts(year)
    key = entity_keys(seed, scenario.name, ["baseline"])
    steps = np.array([bells(key, Purpose.PRICE, number)[0] for number in range(len(days))])
    opening = float(
        np.mean([each.opening_cny_t for each in scenario.vintages if each.opening_cny_t > 0])
    )
    close = np.round(opening * np.exp(np.cumsum(known["SD"] * steps)), 2)
    table: dict[str, Any] = dict.fromkeys(COLUMNS, np.nan)
    table |= {"date": pd.to_datetime(days), "instrument": COMPOSITE, "close_cny": close}
    prices = {"listed": close, "bulk": close * (1.0 + known["BDVW"]), "auction": close}
    for name in AMOUNTS:
        tonnes = _volumes(days, year, name, daily)
        table[f"{name}_volume_t"] = tonnes
        table[f"{name}_turnover_cny"] = tonnes * prices[name]
    table |= {"touched_upper": False, "touched_lower": False}
    return ProfileRun(scenario.name, seed, pd.DataFrame(table)[COLUMNS])


def _volumes(days: list[dt.date], year: int, modality: str, daily: pd.DataFrame | None) -> Array:
    """Return tonnes a day: each month's of ``year``, over the days of the same month."""
    column = f"{modality}_volume_t"
    months = monthly().set_index("month")[column].to_dict()
    number = np.array([each.month for each in days])
    tonnes = np.zeros(len(days))
    for month in range(1, 13):
        inside = np.flatnonzero(number == month)
        whole = float(months.get(f"{year}-{month:02d}", 0.0))
        weights = np.ones(len(inside))
        if daily is not None:
            date = daily["date"].dt
            seen = daily.loc[(date.year == year) & (date.month == month), column].to_numpy()
            if len(inside) and seen.sum() > 0:
                place = (np.arange(len(inside)) * len(seen)) // len(inside)
                weights = seen[place]
        if weights.sum() > 0:
            tonnes[inside] = np.round(whole * weights / weights.sum())
    return tonnes


def baseline_no_groups(scenario: Scenario, seed: int) -> Run:
    """Return (b): a run of the same model in which nobody belongs to a group.

    What groups held of earlier vintages is held by all (sim.season.people): nothing is lost.
    """
    return simulate(changed(scenario, NO_GROUPS), seed)


def baseline_zero_intelligence(scenario: Scenario, seed: int) -> Run:
    """Return (c): a run in which every order has a random side, price and size.

    Prices are even between the day's limits; nobody sells what it does not have. The exchange, the
    hand-outs, the calendar and the surrender are those of the model; desks and bargains rest.
    """
    started = time.perf_counter()
    season = ZeroIntelligence(scenario, seed)
    for _ in season.live():
        pass
    return run_of(season, time.perf_counter() - started)


class ZeroIntelligence(Season):
    """A season of entities that act at random."""

    def _slot(self, day: Day, slot: int) -> None:
        """Let a few entities act: take the best price where theirs is as good, else list."""
        moment = day.number * SLOTS + slot
        keys = self.people.keys
        awake = np.flatnonzero(units(keys, Purpose.WAKE, moment) < ACTS_PER_DAY / SLOTS)
        self.decisions += len(awake)
        for row in awake:
            draw = units(keys[row : row + 1], Purpose.ACT, moment)[0]
            if slot >= HALF_DAY_SLOTS and draw < BULK_SHARE:
                self._bulk(int(row), moment)
            else:
                self._listed(int(row), moment)

    def _draws(self, row: int, moment: int) -> tuple[float, float, float]:
        """Return three even numbers for side or partner, price and vintage."""
        key = self.people.keys[row : row + 1]
        purposes = (Purpose.SEARCH, Purpose.PRICE, Purpose.VINTAGE)
        side, price, vintage = (float(units(key, each, moment)[0]) for each in purposes)
        return side, price, vintage

    def _listed(self, row: int, moment: int) -> None:
        side_draw, price_draw, vintage_draw = self._draws(row, moment)
        instrument = int(vintage_draw * len(self.floor.codes))
        limits = self.floor.exchange.state.instruments[instrument]
        lower, upper = int(limits["lower_limit_ticks"]), int(limits["upper_limit_ticks"])
        side = Side.BUY if side_draw < 0.5 else Side.SELL
        size = bells(self.people.keys[row : row + 1], Purpose.QUANTITY, moment)[0]
        habits = self.scenario.behaviour
        qty = int(habits.chunk_median_t * np.exp(habits.chunk_sigma * size))
        have = int(self.floor.available_t()[row, instrument])
        qty = min(max(qty, 1), BULK_MIN_T - 1, have if side == Side.SELL else BULK_MIN_T)
        if qty < 1:
            return
        order = {
            "account": row,
            "instrument": instrument,
            "side": side,
            "price_ticks": int(lower + price_draw * (upper - lower + 1)),
            "qty_tonnes": qty,
        }
        taken = self.floor.send(self.floor.many(Kind.TAKE_BEST, **order))
        if taken[0]["kind"] == Event.REFUSED:
            taken = self.floor.send(self.floor.many(Kind.LIST, **order))
        learn_of(self.mind, taken)

    def _bulk(self, row: int, moment: int) -> None:
        partner_draw, price_draw, _ = self._draws(row, moment)
        partner = int(partner_draw * self.people.count)
        have = self.floor.available_t()[row]
        instrument = int(have.argmax())
        size = bells(self.people.keys[row : row + 1], Purpose.LARGE, moment)[0]
        qty = min(int(BULK_MEDIAN_T * np.exp(size)), int(have[instrument]))
        if qty < BULK_MIN_T or partner == row:
            return
        limits = self.floor.exchange.state.instruments[instrument]
        lower, upper = int(limits["bulk_lower_limit_ticks"]), int(limits["bulk_upper_limit_ticks"])
        price = float(np.log(lower + price_draw * (upper - lower)))
        self.bargains.deal(row, partner, instrument, price, qty)
