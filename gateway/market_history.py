"""What the public may ask of earlier days: trades and bars, kept by day in a small database.

    data_dir/market.db  SQLite; derived, never the record: a day is written when the next one begins

A day is written whole, in one transaction. What is there already is not written again, so a start
that replays old days costs nothing. A database that cannot be read, or of another version, is put
aside as ``market.db.aside``; the days a start replays are written again, older ones come from
``tanshi export`` of the journal. Everything happens in one thread of its own: reading waits for
what is being written, the venue for neither.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from marketdata.bars import MINUTE_NS
from marketdata.charts import BarRow, Day
from marketdata.messages import BarLine

logger = logging.getLogger(__name__)

VERSION = 1
BAR_FIELDS = BarLine.__struct_fields__[BarLine.__struct_fields__.index("open_ticks") :]
T = TypeVar("T")

_SCHEMA = f"""
CREATE TABLE IF NOT EXISTS days (date INTEGER PRIMARY KEY, trades INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS trades (
    date INTEGER NOT NULL, trade_no INTEGER NOT NULL, time_us INTEGER NOT NULL,
    instrument TEXT NOT NULL, price_ticks INTEGER NOT NULL, qty_tonnes INTEGER NOT NULL,
    turnover_fen INTEGER NOT NULL, side INTEGER NOT NULL, modality INTEGER NOT NULL,
    void INTEGER NOT NULL, PRIMARY KEY (date, trade_no)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS bars (
    instrument TEXT NOT NULL, interval TEXT NOT NULL, start_us INTEGER NOT NULL,
    date INTEGER NOT NULL, {", ".join(f"{name} INTEGER NOT NULL" for name in BAR_FIELDS)},
    PRIMARY KEY (instrument, interval, start_us)) WITHOUT ROWID;
"""


class TradeRow(NamedTuple):
    """One trade of a day."""

    trade_no: int
    time_us: int
    instrument: str
    price_ticks: int
    qty_tonnes: int
    turnover_fen: int
    side: int
    modality: int
    void: int


def trade_rows(day: Day) -> list[TradeRow]:
    """Return the trades of a day in order."""
    return [
        TradeRow(number, time // 1000, day.codes[line], price, qty, turnover, side, modality, void)
        for time, number, qty, turnover, price, line, side, modality, void in day.trades.tolist()
    ]


def bar_values(row: BarRow) -> tuple[int, ...]:
    """Return the figures of a bar in the order of BAR_FIELDS."""
    listed, bulk, auction = row.values[5:7], row.values[7:9], row.values[9:11]
    qty, turnover = (sum(column) for column in zip(listed, bulk, auction, strict=True))
    return (*row.values, qty, turnover)


class MarketHistory:
    """The database of earlier days; ``keep`` belongs into ``Feed.keep_day``."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="market-history")
        self._database = self._thread.submit(self._open).result()
        self.dates: set[int] = {
            date for (date,) in self._ask(lambda db: db.execute("SELECT date FROM days").fetchall())
        }

    def keep(self, day: Day) -> None:
        """Write a past day, unless it is there; returns at once."""
        if day.date in self.dates:
            return
        self.dates.add(day.date)
        codes = tuple(day.codes)
        held = day._replace(codes=codes, trades=day.trades.copy())
        self._thread.submit(self._write, held)

    async def trades(self, date: int, instrument: str, after: int, count: int) -> list[TradeRow]:
        """Return the first ``count`` trades of an earlier day above a number, in order."""
        wanted = "AND instrument = :instrument" if instrument else ""
        query = (
            f"SELECT {', '.join(TradeRow._fields)} FROM trades WHERE date = :date"  # noqa: S608
            f" AND trade_no > :after {wanted} ORDER BY trade_no LIMIT :count"
        )
        values = {"date": date, "after": after, "count": count, "instrument": instrument}
        rows = await self._answer(lambda db: db.execute(query, values).fetchall())
        return [TradeRow(*row) for row in rows]

    async def bars(
        self, instrument: str, interval: str, from_us: int, to_us: int, count: int
    ) -> list[tuple[int, ...]]:
        """Return (start_us, date, figures ...) of the first bars that begin in [from, to)."""
        query = (
            f"SELECT start_us, date, {', '.join(BAR_FIELDS)} FROM bars"  # noqa: S608
            " WHERE instrument = ? AND interval = ? AND start_us >= ? AND start_us < ?"
            " ORDER BY start_us LIMIT ?"
        )
        values = (instrument, interval, from_us, to_us, count)
        return await self._answer(lambda db: db.execute(query, values).fetchall())

    def close(self) -> None:
        """Finish what is being written."""
        self._thread.submit(self._database.close)
        self._thread.shutdown()

    def _ask(self, question: Callable[[sqlite3.Connection], T]) -> T:
        return self._thread.submit(question, self._database).result()

    async def _answer(self, question: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, question, self._database)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._opened()
        except sqlite3.DatabaseError as problem:
            aside = self.path.with_name(self.path.name + ".aside")
            logger.warning("%s is put aside (%s) and made anew", self.path, problem)
            self.path.replace(aside)
            return self._opened()

    def _opened(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path)
        try:
            (version,) = database.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError(f"version {version}")
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = NORMAL")
            database.executescript(_SCHEMA)
            database.execute(f"PRAGMA user_version = {VERSION}")
            database.execute("SELECT count(*) FROM days").fetchone()
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    def _write(self, day: Day) -> None:
        trades = [(day.date, *row) for row in trade_rows(day)]
        bars = [
            (
                row.instrument,
                row.interval,
                row.start * MINUTE_NS // 1000,
                day.date,
                *bar_values(row),
            )
            for row in day.bars
        ]
        try:
            with self._database as database:
                _insert(database, "trades", trades)
                _insert(database, "bars", bars)
                _insert(database, "days", [(day.date, len(trades))])
        except sqlite3.Error as problem:  # missing until a start replays it; the venue goes on
            self.dates.discard(day.date)
            logger.error("market data of %d could not be kept: %s", day.date, problem)


def _insert(database: sqlite3.Connection, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    if rows:
        places = ", ".join("?" * len(rows[0]))
        insert = f"INSERT OR REPLACE INTO {table} VALUES ({places})"  # noqa: S608
        database.executemany(insert, rows)
