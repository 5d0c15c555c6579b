"""Agents that today's rules do not admit: market makers and institutions (simulation.md 5.7, 5.8).

They own no obligation. A maker quotes both sides of every vintage on the market around the last
price, within an inventory limit, and moves its quotes against its inventory; an institution follows
a trend or a value up to a position limit. All they do are orders to the same exchange.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.records import EVENT, Event, Kind, Mode, Side
from sim.season.minds import BULK_MIN_T, Day, best_ticks
from sim.season.streams import Array, Purpose, entity_keys, unit

if TYPE_CHECKING:
    from sim.season.season import Season

MAKER_SLOTS = 4  # quotes are renewed every so many slots: forty minutes
QUOTE_SHARE = 0.04  # of a maker's stock, in one quote
INVENTORY_STOCKS = 2.0  # a maker holds at most so many times what it began with
INSTITUTION_SLOTS = (4, 16)  # once in the morning, once in the afternoon
SIGNAL_DAYS, VALUE_DAYS = 20, 60
SIGNAL_SHARE = 0.02  # log price move that is a signal
ORDER_SHARE = 0.05  # of its limit, in one order of an institution
REACH_SHARE = 0.01  # how far from the last price an institution deals


class Dealer:
    """Sends orders for accounts that are nobody's obligation; forgets them at night."""

    def __init__(self, season: Season, rows: list[int], names: list[str]) -> None:
        self.season = season
        self.floor = season.floor
        self.rows = rows
        self.keys = entity_keys(season.seed, season.scenario.name, names)
        self._open: list[tuple[int, int]] = []  # account, order number

    def new_day(self) -> None:
        """Forget orders: they lapsed (TR-43)."""
        self._open = []

    def pull(self) -> Array:
        """Cancel what is open still; returns events."""
        state = self.floor.exchange.state
        base = int(state.market[0]["order_base"])
        still = [each for each in self._open if state.orders[each[1] - base]["leaves_qty"] > 0]
        self._open = []
        if not still:
            return np.empty(0, EVENT)
        rows, numbers = (np.array(each) for each in zip(*still, strict=True))
        return self.floor.send(self.floor.many(Kind.CANCEL, account=rows, ref=numbers))

    def place(self, orders: list[tuple[int, int, int, int, int]]) -> Array:
        """Send (account, instrument, side, price_ticks, qty_tonnes); returns events."""
        rows = [each for each in orders if each[4] > 0]
        if not rows:
            return np.empty(0, EVENT)
        columns = np.array(rows, np.int64).T
        names = ("account", "instrument", "side", "price_ticks", "qty_tonnes")
        batch = self.floor.many(Kind.LIST, **dict(zip(names, columns, strict=True)))
        market = self.season.market()
        for command in batch:
            instrument, side = int(command["instrument"]), int(command["side"])
            best = best_ticks(market, instrument, 3 - side)
            ticks = int(command["price_ticks"])
            crossed = best > 0 and (best <= ticks if side == Side.BUY else best >= ticks)
            if self.floor.mode == Mode.PRICE_TIME:
                command["kind"] = Kind.ADD
            elif crossed:
                command["kind"] = Kind.TAKE_BEST
        events = self.floor.send(batch)
        resting = events[(events["kind"] == Event.ACCEPTED) & (events["leaves_qty"] > 0)]
        self._open += [(int(each["account"]), int(each["order_no"])) for each in resting]
        return events

    def last_ticks(self, instrument: int) -> int:
        """Return the last listed price, or the reference."""
        row = self.floor.exchange.state.instruments[instrument]
        return int(row["last_ticks"]) or int(row["reference_ticks"])

    def quoted(self, instrument: int, price: float) -> int:
        """Return a price in ticks inside the day's limits and the collar."""
        row = self.floor.exchange.state.instruments[instrument]
        limits = int(row["lower_limit_ticks"]), int(row["upper_limit_ticks"])
        lower, upper = self.floor.inside_collar(*limits)
        return min(max(round(price), lower), upper)

    def held_t(self, row: int) -> Array:
        """Return what an account holds by instrument, in all states."""
        return np.asarray(self.floor.holdings_t()[row])


class Makers(Dealer):
    """Market makers: both sides, all day, within an inventory limit."""

    def stock_up(self) -> None:
        """Give each maker its stock, the same of every vintage there is."""
        stock = int(self.season.scenario.extras.maker_stock_t) // len(self.floor.codes)
        for code in self.floor.codes:
            tonnes = np.zeros(max(self.rows) + 1, np.int64)
            tonnes[self.rows] = stock
            self.floor.give(code, tonnes)

    def act(self, day: Day, slot: int) -> list[Array]:
        """Renew every quote every forty minutes; returns events."""
        if slot % MAKER_SLOTS:
            return []
        found = [self.pull()]
        for place, row in enumerate(self.rows):
            orders = []
            for instrument in range(day.instruments):
                if day.usable[instrument]:
                    orders += self._two_sides(place, row, instrument)
            found.append(self.place(orders))
        return found

    def _two_sides(
        self, place: int, row: int, instrument: int
    ) -> list[tuple[int, int, int, int, int]]:
        extras = self.season.scenario.extras
        stock = extras.maker_stock_t / len(self.floor.codes)
        most = INVENTORY_STOCKS * stock
        held = int(self.held_t(row)[instrument])
        free = int(self.floor.available_t()[row, instrument])
        lean = np.clip((held - stock) / stock, -1.0, 1.0) if stock else 0.0
        half = extras.maker_spread_share / 2.0
        apart = 0.1 * half * (place - (len(self.rows) - 1) / 2.0)  # makers differ a little
        middle = self.last_ticks(instrument) * (1.0 - half * float(lean) + apart)
        size = min(int(QUOTE_SHARE * extras.maker_stock_t), BULK_MIN_T - 1)
        bid = self.quoted(instrument, middle * (1.0 - half))
        ask = self.quoted(instrument, middle * (1.0 + half))
        orders = [(row, instrument, int(Side.BUY), bid, min(size, int(most) - held))]
        if ask > bid:
            orders.append((row, instrument, int(Side.SELL), ask, min(size, free)))
        return orders


class Institutions(Dealer):
    """Institutions: buy and sell by a trend or by a value, up to a position limit."""

    def act(self, day: Day, slot: int) -> list[Array]:
        """Twice a day, follow the signal; returns events."""
        if slot not in INSTITUTION_SLOTS:
            return []
        found = [self.pull()]
        style = self.season.scenario.extras.institution_style
        for place, row in enumerate(self.rows):
            own = style if style != "mixed" else ("trend", "value")[place % 2]
            if unit(self.keys[place], Purpose.WAKE, 2 * day.number + (slot > 12)) < 0.5:
                found.append(self.place(self._order(day, row, self.signal(own))))
        return found

    def signal(self, style: str) -> float:
        """Return a log price move: above SIGNAL_SHARE buy, below its negative sell."""
        closes = np.log(np.array(self.season.floor.closes_by_day[-VALUE_DAYS:], float))
        if len(closes) <= SIGNAL_DAYS:
            return 0.0
        if style == "trend":
            return float(closes[-1] - closes[-1 - SIGNAL_DAYS])
        return float(closes.mean() - closes[-1])

    def _order(self, day: Day, row: int, signal: float) -> list[tuple[int, int, int, int, int]]:
        limit = int(self.season.scenario.extras.institution_limit_t)
        chunk = min(max(int(ORDER_SHARE * limit), 1), BULK_MIN_T - 1)
        held = self.held_t(row)
        if signal > SIGNAL_SHARE:
            usable = [each for each in range(day.instruments) if day.usable[each]]
            if not usable:
                return []
            instrument = min(usable, key=self.last_ticks)
            price = self.quoted(instrument, self.last_ticks(instrument) * (1.0 + REACH_SHARE))
            return [(row, instrument, int(Side.BUY), price, min(chunk, limit - int(held.sum())))]
        if signal < -SIGNAL_SHARE:
            instrument = int(self.floor.available_t()[row].argmax())
            price = self.quoted(instrument, self.last_ticks(instrument) * (1.0 - REACH_SHARE))
            free = int(self.floor.available_t()[row, instrument])
            return [(row, instrument, int(Side.SELL), price, min(chunk, free))]
        return []
