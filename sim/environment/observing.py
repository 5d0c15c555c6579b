"""What an agent sees: its own position and what is public at that moment, nothing else.

Every part is a float64 array inside a box (``observation_space``); V = vintages of the season, in
the order of admission; a vintage that is not on the market yet is a row of zeros. Tonnes are whole
numbers, prices yuan a tonne, money yuan, days calendar days unless said otherwise.

=========  =========  ==================================================================
part       shape      holds
=========  =========  ==================================================================
calendar   (6,)       slot of the day 0…23 (24: the day is over), trading days gone, trading
                      days left, days to the next published date of an own obligation (95 %
                      dates and deadlines; 9999 = none is known), share of the obligation
                      due by then, days to the next published deadline (9999 = none)
own        (7,)       need, surplus (as the entity reckons: expected emissions until they are
                      verified), bought, sold, offsets used, cash less cash at the start,
                      1 if the last action was refused
holdings   (V, 3)     own tonnes: available, frozen by own orders, bought today (TR-47)
prices     (V, 6)     last listed (the reference while nothing traded), reference, lower and
                      upper limit, lower and upper bulk limit (TR-20, TR-21)
bids       (V, 5, 2)  the five best levels to buy: price, tonnes; zeros where there is none
asks       (V, 5, 2)  the five best levels to sell
orders     (V, 2, 2)  own open listings, to buy and to sell: tonnes, best price
desk       (4,)       what the bulk desk was asked for: side (0 nothing, 1 buy, 2 sell),
                      vintage, limit price, tonnes still wanted
volumes    (V, 5)     listed tonnes today; listed and bulk tonnes of the last trading day;
                      listed and bulk tonnes a day, mean of the last five (TR-141)
=========  =========  ==================================================================
"""

from __future__ import annotations

import datetime as dt
from dataclasses import fields
from typing import Any, cast

import numpy as np
from gymnasium import spaces

from engine.records import MODALITIES, QTY_TONNES_MAX, Modality, Side
from sim.environment.acting import own_listings
from sim.environment.played import PlayedSeason
from sim.season.people import People
from sim.season.position import Position, position_of
from sim.season.streams import Array

LEVELS = 5  # TR-61: what everybody sees
UNKNOWN_DAYS = 9999.0
RECENT_DAYS = 5
PRICE_MAX, CASH_MAX, DAYS_MAX = 100_000.0, 1e17, 9999.0
TONNES_MAX = float(QTY_TONNES_MAX) * 100
FEN, TICK = 100.0, 100.0
LISTED, BULK = MODALITIES.index(Modality.LISTED), MODALITIES.index(Modality.BULK)
Observation = dict[str, Array]


def observation_space(vintages: int) -> spaces.Space[Observation]:
    """Return the space of observations of a season with so many vintages."""
    v = vintages

    def box(high: Any, shape: tuple[int, ...], low: Any = 0.0) -> spaces.Box:
        lowest = np.broadcast_to(np.asarray(low, np.float64), shape)
        highest = np.broadcast_to(np.asarray(high, np.float64), shape)
        return spaces.Box(lowest, highest, shape, np.float64)

    t, p = TONNES_MAX, PRICE_MAX
    parts: dict[str, spaces.Space[Any]] = {
        "calendar": box([24.0, DAYS_MAX, DAYS_MAX, DAYS_MAX, 1.0, DAYS_MAX], (6,)),
        "own": box([t, t, t, t, t, CASH_MAX, 1.0], (7,), [0, 0, 0, 0, 0, -CASH_MAX, 0]),
        "holdings": box(t, (v, 3)),
        "prices": box(p, (v, 6)),
        "bids": box([p, t], (v, LEVELS, 2)),
        "asks": box([p, t], (v, LEVELS, 2)),
        "orders": box([t, p], (v, 2, 2)),
        "desk": box([2.0, float(v), p, t], (4,)),
        "volumes": box(t, (v, 5)),
    }
    return cast(spaces.Space[Observation], spaces.Dict(parts))


def position(season: PlayedSeason, row: int, date: dt.date) -> tuple[int, int]:
    """Return (need, surplus) in tonnes as the entity reckons them on ``date`` (5.3)."""
    held = season.floor.holdings_t()[row : row + 1]
    books = _only(season.books, row)
    found: Position = position_of(
        season.scenario, only(season.people, row), books, season.floor.codes, held, date
    )
    return int(found.need_t[0]), int(found.surplus_t[0])


def only(people: People, row: int) -> People:
    """Return a population of one: every array cut to the entity's own column."""
    one: People = _only(people, row)
    one.names = [people.names[row]]
    return one


def _only(table: Any, row: int) -> Any:
    """Return a dataclass of arrays, the last axis of each cut to one entity."""
    values = {each.name: getattr(table, each.name) for each in fields(table)}
    arrays = {
        name: value[..., row : row + 1]
        for name, value in values.items()
        if isinstance(value, np.ndarray)
    }
    return type(table)(**(values | arrays))


def published_dates(season: PlayedSeason, row: int, date: dt.date) -> tuple[float, float, float]:
    """Return (days to the next date, share due by it, days to the next deadline) as published."""
    nearest, share, deadline = UNKNOWN_DAYS, 0.0, UNKNOWN_DAYS
    for number, obligation in enumerate(season.scenario.obligations):
        if season.books.settled[number] or not season.people.due_t[number, row]:
            continue
        dates = [(each.published, each.date, each.share) for each in obligation.milestones]
        if obligation.deadline_published <= date <= obligation.deadline:
            deadline = min(deadline, float((obligation.deadline - date).days))
        dates.append((obligation.deadline_published, obligation.deadline, 1.0))
        for published, due, part in dates:
            if published <= date <= due and (due - date).days < nearest:
                nearest, share = float((due - date).days), part
    return nearest, share, deadline


class Observer:
    """Puts together what each played entity sees."""

    def __init__(self, season: PlayedSeason, vintages: int) -> None:
        self.season = season
        self.vintages = vintages
        self.start_fen = {row: self._cash_fen(row) for row in season.rows}
        self.volumes: list[Array] = []  # of each day that is over: (v, 2) listed and bulk tonnes

    def begin_cash(self, row: int) -> None:
        """Count an entity's cash from what it has now."""
        self.start_fen[row] = self._cash_fen(row)

    def day_is_over(self) -> None:
        """Keep the day's volumes; bulk ones are public in the evening (TR-141)."""
        totals = self.season.floor.exchange.state.totals["day_qty_tonnes"][: self.vintages]
        self.volumes.append(totals[:, [LISTED, BULK]].astype(np.float64))

    def cash_cny(self, row: int) -> float:
        """Return what an entity has, frozen money included, less what it began with, yuan."""
        return (self._cash_fen(row) - self.start_fen[row]) / FEN

    def observe(self, row: int, date: dt.date, slot: int, refused: bool) -> Observation:
        """Return the observation of one entity at a moment; new arrays on every call."""
        prices, bids, asks = self._market()
        return {
            "calendar": self._calendar(row, date, slot),
            "own": self._own(row, date, refused),
            "holdings": self._holdings(row),
            "prices": prices,
            "bids": bids,
            "asks": asks,
            "orders": self._orders(row),
            "desk": self._desk(row),
            "volumes": self._recent(),
        }

    def _cash_fen(self, row: int) -> int:
        account = self.season.floor.exchange.state.accounts[row]
        return int(account["cash_available_fen"]) + int(account["cash_frozen_fen"])

    def _calendar(self, row: int, date: dt.date, slot: int) -> Array:
        gone = self.season.days.index(date)
        left = len(self.season.days) - gone - 1
        return np.array([slot, gone, left, *published_dates(self.season, row, date)], np.float64)

    def _own(self, row: int, date: dt.date, refused: bool) -> Array:
        season = self.season
        need, surplus = position(season, row, date)
        bought, sold = int(season.mind["bought_t"][row]), int(season.mind["sold_t"][row])
        used = int(season.books.offset_t[:, row].sum())
        return np.array(
            [need, surplus, bought, sold, used, self.cash_cny(row), refused], np.float64
        )

    def _holdings(self, row: int) -> Array:
        held = self.season.floor.exchange.state.holdings[row, : self.vintages]
        names = ("available_tonnes", "frozen_tonnes", "bought_today_tonnes")
        return np.stack([held[name] for name in names], axis=1).astype(np.float64)

    def _market(self) -> tuple[Array, Array, Array]:
        """Return prices (V, 6), bids and asks (V, 5, 2): what everybody sees."""
        state = self.season.floor.exchange.state
        v = self.vintages
        rows = state.instruments[:v]
        last = np.where(rows["last_ticks"] > 0, rows["last_ticks"], rows["reference_ticks"])
        names = ("reference", "lower_limit", "upper_limit", "bulk_lower_limit", "bulk_upper_limit")
        prices = np.stack([last, *(rows[f"{name}_ticks"] for name in names)], axis=1) / TICK
        books = np.zeros((2, v, LEVELS, 2))
        for book in np.flatnonzero(state.books["levels"][: 2 * v]):
            first = int(book) * state.width
            ladder = state.levels[first : first + state.width]
            ranks = np.flatnonzero(ladder["orders"])[:LEVELS]
            row, side = divmod(int(book), 2)
            if side + 1 == Side.SELL:
                ticks = int(rows[row]["lower_limit_ticks"]) + ranks
            else:
                ticks = int(rows[row]["upper_limit_ticks"]) - ranks
            books[side, row, : len(ranks), 0] = ticks / TICK
            books[side, row, : len(ranks), 1] = ladder["qty_tonnes"][ranks]
        return prices, books[0], books[1]

    def _orders(self, row: int) -> Array:
        found = np.zeros((self.vintages, 2, 2))
        for order in own_listings(self.season, row)[1]:
            side, price = int(order["side"]) - 1, int(order["price_ticks"]) / TICK
            place = found[int(order["instrument"]), side]
            better = max if side + 1 == Side.BUY else min
            place[1] = better(place[1], price) if place[0] else price
            place[0] += int(order["leaves_qty"])
        return found

    def _desk(self, row: int) -> Array:
        ask = self.season.desk.asks.get(row)
        if ask is None:
            return np.zeros(4)
        terms = (ask.side, ask.instrument, ask.limit_ticks / TICK, ask.qty_tonnes)
        return np.array(terms, np.float64)

    def _recent(self) -> Array:
        found = np.zeros((self.vintages, 5))
        totals = self.season.floor.exchange.state.totals
        found[:, 0] = totals["day_qty_tonnes"][: self.vintages, LISTED]
        if self.volumes:
            found[:, 1:3] = self.volumes[-1]
            found[:, 3:5] = np.mean(self.volumes[-RECENT_DAYS:], axis=0)
        return found
