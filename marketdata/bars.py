"""Bars (K-lines) of one minute and five, for each instrument and for the composite price.

Prices of a bar are those of listed trades only (TR-76, TR-93, TR-101, TR-102); volume and turnover
are kept per modality (TR-107, TR-142). The composite's are its values at each listed trade of any
vintage (TR-105), volumes those of all vintages. A bar of a day is the price line of the day itself
(``marketdata.figures``). A bar ends with the first public event after it, so that the same
events always make the same bars, whenever somebody looks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from engine.records import MODALITIES, Modality
from engine.units import half_up
from marketdata.figures import ROW_OF_MODALITY, Figures
from marketdata.tape import Trades

COMPOSITE_LINE = -1  # beside the rows of the instruments
MINUTES = {"1m": 1, "5m": 5}
INTERVALS = (*MINUTES, "1d")
MINUTE_NS = 60 * 10**9
FIVE = MINUTES["5m"]
NEVER_NS = 1 << 62
LISTED_ROW = ROW_OF_MODALITY[int(Modality.LISTED)]


class Values(NamedTuple):
    """One bar as it is told: ticks (0 without a listed trade), tonnes and fen per modality."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    trades: int  # listed ones
    listed_qty_tonnes: int
    listed_turnover_fen: int
    bulk_qty_tonnes: int
    bulk_turnover_fen: int
    auction_qty_tonnes: int
    auction_turnover_fen: int


class BarKey(NamedTuple):
    """Which bar: ``start`` in minutes since 1970."""

    interval: str
    line: int
    start: int


class Bar:
    """A bar while it is made; of the composite the prices are weighted sums."""

    __slots__ = ("close", "high", "low", "open", "qty", "trades", "turnover")

    def __init__(self) -> None:
        self.open = self.high = self.low = self.close = self.trades = 0
        self.qty = [0] * len(MODALITIES)
        self.turnover = [0] * len(MODALITIES)

    def trade(self, price: int, row: int, qty_tonnes: int, value_fen: int) -> None:
        """Count one trade of the modality in this row of MODALITIES."""
        self.qty[row] += qty_tonnes
        self.turnover[row] += value_fen
        if row != LISTED_ROW:
            return
        if not self.trades:
            self.open = self.high = self.low = price
        elif price > self.high:
            self.high = price
        elif price < self.low:
            self.low = price
        self.close = price
        self.trades += 1

    def join(self, later: Bar) -> None:
        """Add the bar that follows."""
        for row in range(len(MODALITIES)):
            self.qty[row] += later.qty[row]
            self.turnover[row] += later.turnover[row]
        if not later.trades and not later.close:
            return
        if not self.close:
            self.open, self.high, self.low = later.open, later.high, later.low
        self.high, self.low = max(self.high, later.high), min(self.low, later.low)
        self.close = later.close
        self.trades += later.trades

    def values(self, weights: int = 0) -> Values:
        """Return what is told; ``weights`` above 0 divide the sums of the composite."""
        prices = (self.open, self.high, self.low, self.close)
        if weights:
            opened, high, low, close = (half_up(price, weights) for price in prices)
            prices = (opened, high, low, close)
        volumes = [each for pair in zip(self.qty, self.turnover, strict=True) for each in pair]
        return Values(*prices, self.trades, *volumes)


class MinuteBars:
    """The day's bars of one minute, from which those of five are joined."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self.bars: dict[tuple[int, int], Bar] = {}  # by line and minute
        self.end_ns = NEVER_NS  # when the bar that ends first ends
        self.changed: set[int] = set()  # lines with a trade since they were last looked at
        self._minute = 0
        self._now: dict[int, Bar] = {}  # the bars of the minute, by line
        self._five: set[int] = set()  # lines with a bar of five minutes that is open

    def begin_day(self) -> None:
        """Bars do not pass the night."""
        self.bars = {}
        self.changed.clear()
        self._now, self._five = {}, set()
        self.end_ns = NEVER_NS

    def trade(
        self, line: int, time_ns: int, price: int, row: int, qty_tonnes: int, value_fen: int
    ) -> None:
        """Count a trade of an instrument, and in the composite what it now stands at.

        Whoever calls has ended what ``end_ns`` says is over.
        """
        weighted = self._figures.composite.weighted
        for each, value in ((line, price), (COMPOSITE_LINE, weighted)):
            bar = self._now.get(each)
            if bar is None:
                bar = self._begin(each, time_ns)
            bar.trade(value, row, qty_tonnes, value_fen)
        self.changed.add(line)

    def bar(self, line: int, time_ns: int) -> Bar:
        """Return the bar of a minute that is open or begins now; see ``trade``."""
        return self._now.get(line) or self._begin(line, time_ns)

    def trades(self, trades: Trades) -> None:
        """Count listed trades of one minute; see ``trade``."""
        lines, first = np.unique(trades.instrument, return_index=True)
        for line in lines[np.argsort(first)].tolist():
            mine = trades.instrument == line
            self._join(line, trades, mine, trades.price[mine])
            if line == int(trades.instrument[0]):
                self._join(COMPOSITE_LINE, trades, np.ones(len(mine), bool), trades.weighted)
            self.changed.add(line)

    def _join(self, line: int, trades: Trades, mine: np.ndarray, prices: np.ndarray) -> None:
        bar = self.bar(line, int(trades.time_ns[0]))
        bar.qty[LISTED_ROW] += int(trades.qty[mine].sum())
        bar.turnover[LISTED_ROW] += int(trades.value[mine].sum())
        if not bar.trades:
            bar.open = bar.high = bar.low = int(prices[0])
        bar.high, bar.low = max(bar.high, int(prices.max())), min(bar.low, int(prices.min()))
        bar.close = int(prices[-1])
        bar.trades += len(prices)

    def _begin(self, line: int, time_ns: int) -> Bar:
        self._minute = time_ns // MINUTE_NS
        self._five.add(line)
        self.end_ns = (self._minute + 1) * MINUTE_NS
        bar = self._now[line] = self.bars[line, self._minute] = Bar()
        return bar

    def end(self, time_ns: int) -> list[BarKey]:
        """Return the bars that are over at ``time_ns``, in the order in which they are told."""
        found: list[BarKey] = []
        if self._now and time_ns >= (self._minute + 1) * MINUTE_NS:
            found += [BarKey("1m", line, self._minute) for line in sorted(self._now)]
            self._now = {}
        start = self._minute - self._minute % FIVE
        if self._five and time_ns >= (start + FIVE) * MINUTE_NS:
            found += [BarKey("5m", line, start) for line in sorted(self._five)]
            self._five = set()
        ends = self._minute + 1 if self._now else start + FIVE
        self.end_ns = ends * MINUTE_NS if self._five else NEVER_NS
        return found

    def void(self, trade: np.void, standing: np.ndarray) -> list[BarKey]:
        """Take a trade out (TR-121); return the bars that were told before and are restated.

        ``standing``: the day's trades that stand, dtype TAPE. The composite's prices stay as they
        were published, its volumes follow.
        """
        line, minute = int(trade["instrument"]), int(trade["time_ns"]) // MINUTE_NS
        bar = self.bars[line, minute]
        fresh = Bar()
        of_bar = (standing["instrument"] == line) & (standing["time_ns"] // MINUTE_NS == minute)
        for each in standing[of_bar].tolist():
            row = ROW_OF_MODALITY[each[7]]
            fresh.trade(each[4], row, each[2], each[3])
        for name in Bar.__slots__:
            setattr(bar, name, getattr(fresh, name))
        whole, row = self.bars[COMPOSITE_LINE, minute], ROW_OF_MODALITY[int(trade["modality"])]
        whole.qty[row] -= int(trade["qty_tonnes"])
        whole.turnover[row] -= int(trade["turnover_fen"])
        whole.trades -= row == LISTED_ROW
        self.changed.add(line)
        keys = (
            BarKey(interval, each, minute - minute % size)
            for interval, size in MINUTES.items()
            for each in (COMPOSITE_LINE, line)
        )
        return [key for key in keys if not self.is_open(key)]

    def is_open(self, key: BarKey) -> bool:
        """Whether a bar may still change."""
        start = self._minute - self._minute % MINUTES[key.interval]
        return key.start == start and key.line in (
            self._now if key.interval == "1m" else self._five
        )

    def running(self, line: int) -> Iterable[BarKey]:
        """Return the open bars of a line."""
        for interval, size in MINUTES.items():
            key = BarKey(interval, line, self._minute - self._minute % size)
            if self.is_open(key):
                yield key

    def values(self, key: BarKey) -> Values:
        """Return a bar as it stands."""
        whole = Bar()
        for minute in range(key.start, key.start + MINUTES[key.interval]):
            bar = self.bars.get((key.line, minute))
            if bar is not None:
                whole.join(bar)
        return whole.values(self._figures.composite.weights if key.line == COMPOSITE_LINE else 0)

    def every(self) -> list[BarKey]:
        """Return all bars of the day, by interval, line and time."""
        return sorted(
            {
                BarKey(interval, line, minute - minute % size)
                for line, minute in self.bars
                for interval, size in MINUTES.items()
            }
        )


def day_values(figures: Figures, line: int) -> Values:
    """Return the bar of the running day: its price line, at the close as the rulebook says.

    A day that was closed without a listed trade opens and closes at the previous close, high and
    low are 0 (TR-76, TR-101, TR-102); the close is the engine's (TR-100, TR-104).
    """
    if line != COMPOSITE_LINE:
        vintage = figures.vintages[line]
        close = vintage.close or vintage.last
        opened = vintage.open or (vintage.reference if vintage.close else 0)
        prices = (opened, vintage.high, vintage.low, close, vintage.trades)
        totals = [(each.day_qty, each.day_turnover) for each in vintage.totals]
    else:
        price = figures.composite
        close = price.close or price.latest
        listed = sum(vintage.trades for vintage in figures.vintages)
        prices = (price.open, price.high, price.low, close, listed)
        totals = [
            (
                sum(vintage.totals[row].day_qty for vintage in figures.vintages),
                sum(vintage.totals[row].day_turnover for vintage in figures.vintages),
            )
            for row in range(len(MODALITIES))
        ]
    return Values(*prices, *(each for pair in totals for each in pair))
