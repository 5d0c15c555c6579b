"""The day's tape and bars within the feed: when a bar is told, restated, and handed on."""

from __future__ import annotations

import datetime as dt
from typing import NamedTuple

import numpy as np

from engine.records import Modality
from marketdata.bars import (
    COMPOSITE_LINE,
    MINUTE_NS,
    BarKey,
    MinuteBars,
    Values,
    day_values,
)
from marketdata.figures import ROW_OF_MODALITY, Figures
from marketdata.history import MANY, Outbox
from marketdata.messages import OpenBar
from marketdata.tape import TAPE, Tape, Trades
from marketdata.told import Told

BEIJING = dt.timezone(dt.timedelta(hours=8))


class BarRow(NamedTuple):
    """One bar of a day: ``start`` in minutes since 1970."""

    interval: str
    instrument: str
    start: int
    values: Values


class Day(NamedTuple):
    """What the market data of a day come to: instruments by row, trades (dtype TAPE), bars."""

    date: int
    codes: tuple[str, ...]
    trades: np.ndarray
    bars: list[BarRow]


def day_start(date: int) -> int:
    """Return midnight in Beijing of a date YYYYMMDD, in minutes since 1970."""
    local = dt.datetime(date // 10_000, date // 100 % 100, date % 100, tzinfo=BEIJING)
    return int(local.timestamp()) // 60


class Charts:
    """Tape and bars of the running day; ended bars go into ``outbox`` as facts."""

    def __init__(self, told: Told, figures: Figures, outbox: Outbox) -> None:
        self.tape = Tape()
        self.bars = MinuteBars(figures)
        self._told = told
        self._figures = figures
        self._outbox = outbox
        self._day_told: dict[int, Values] = {}  # the bars of the day, once it is closed
        self._touched_ns = 0

    def trade(
        self,
        instrument: int,
        time_ns: int,
        trade_no: int,
        price: int,
        qty_tonnes: int,
        value_fen: int,
        side: int,
        modality: int,
    ) -> None:
        """Tell a trade and count it; the figures have taken it in already."""
        if time_ns >= self.bars.end_ns:
            self.end(time_ns)
        fact = (instrument, time_ns, trade_no, price, qty_tonnes, side, modality)
        self._outbox.append((self._told.trade, *fact))
        self.tape.add(
            (time_ns, trade_no, qty_tonnes, value_fen, price, instrument, side, modality, 0)
        )
        row = ROW_OF_MODALITY[modality]
        self.bars.trade(instrument, time_ns, price, row, qty_tonnes, value_fen)
        self._touched_ns = time_ns

    def trades(self, seqs: np.ndarray, trades: Trades) -> None:
        """Tell listed trades of one minute and count them; ``seqs``: their numbers."""
        if not len(trades.at):
            return
        self._outbox.waiting.append((MANY, self._told.trades, seqs, trades))
        rows = np.zeros(len(trades.at), TAPE)
        rows["time_ns"], rows["trade_no"] = trades.time_ns, trades.trade_no
        rows["qty_tonnes"], rows["turnover_fen"] = trades.qty, trades.value
        rows["price_ticks"], rows["instrument"] = trades.price, trades.instrument
        rows["side"], rows["modality"] = trades.side, int(Modality.LISTED)
        self.tape.add_many(rows)
        self.bars.trades(trades)
        self._touched_ns = int(trades.time_ns[-1])

    def end(self, time_ns: int) -> None:
        """Tell the bars that are over; to be called before a public event that comes later."""
        for key in self.bars.end(time_ns):
            self._say(key, time_ns)

    def void(self, trade_no: int, time_ns: int) -> None:
        """Restate the bars of a deal that was undone (TR-121)."""
        trade = self.tape.void(trade_no)
        rows = self.tape.rows()
        for key in self.bars.void(trade, rows[rows["void"] == 0]):
            self._say(key, time_ns, restated=True)
        self._touched_ns = time_ns

    def close_day(self, time_ns: int) -> None:
        """The day is closed, or restated in the evening: tell the bars of the day that are new."""
        self.end(time_ns + 2 * MINUTE_NS * 60)
        for line in (COMPOSITE_LINE, *range(len(self._figures.vintages))):
            values, before = day_values(self._figures, line), self._day_told.get(line)
            if values != before:
                self._day_told[line] = values
                start, restated = day_start(self._figures.date), before is not None
                fact = (self._told.bar, line, time_ns, "1d", self._figures.date, start)
                self._outbox.append((*fact, values, restated))

    def _say(self, key: BarKey, time_ns: int, restated: bool = False) -> None:
        date, values = self._figures.date, self.bars.values(key)
        fact = (self._told.bar, key.line, time_ns, key.interval, date, key.start, values, restated)
        self._outbox.append(fact)

    def pictures(self) -> list[OpenBar]:
        """Return the open bars that have changed since this was asked before."""
        if not self.bars.changed:
            return []
        lines, date = sorted({COMPOSITE_LINE, *self.bars.changed}), self._figures.date
        self.bars.changed.clear()
        found = []
        for line in lines:
            shown = [
                (key.interval, key.start, self.bars.values(key)) for key in self.bars.running(line)
            ]
            if not self._day_told:
                shown.append(("1d", day_start(date), day_values(self._figures, line)))
            found += [
                self._told.open_bar(line, self._touched_ns, interval, date, start, values)
                for interval, start, values in shown
            ]
        return found

    @property
    def closed(self) -> bool:
        """Whether the bars of the day are over."""
        return bool(self._day_told)

    def rows(self, interval: str = "", line: int | None = None) -> list[BarRow]:
        """Return the day's bars as they stand, open ones too: by interval, line and time.

        All of them, or those of an interval, of a line.
        """
        found = [
            BarRow(key.interval, self._told.code(key.line), key.start, self.bars.values(key))
            for key in self.bars.every()
            if interval in ("", key.interval) and line in (None, key.line)
        ]
        if interval not in ("", "1d") or not self._figures.date:
            return found
        start = day_start(self._figures.date)
        for each in (COMPOSITE_LINE, *range(len(self._figures.vintages))):
            values = day_values(self._figures, each)
            if line in (None, each) and (each in self._day_told or any(values)):
                found.append(BarRow("1d", self._told.code(each), start, values))
        return found

    def day(self) -> Day:
        """Return the market data of the day so far."""
        return Day(self._figures.date, tuple(self._told.codes), self.tape.rows(), self.rows())

    def trades_after(self, trade_no: int, line: int | None, count: int) -> Day:
        """Return the first trades of the day above a number, of one instrument or of all."""
        rows = self.tape.rows()
        rows = rows[np.searchsorted(rows["trade_no"], trade_no, side="right") :]
        if line is not None:
            rows = rows[rows["instrument"] == line]
        return Day(self._figures.date, tuple(self._told.codes), rows[:count], [])

    def begin_day(self) -> None:
        """Start anew; arrays of the day before stay with whoever holds them."""
        self.tape.begin_day()
        self.bars.begin_day()
        self._day_told.clear()
