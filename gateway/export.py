"""``tanshi export``: a venue's journal as Parquet files for researchers.

Commands, events, trades, bars and daily quotes are made from the journal alone, by the same engine
and the same feed; columns are in docs/reference/export.md. A file gets its name when all of them
are whole: a run that is interrupted leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from engine.exchange import Exchange, warm_up
from gateway.export_schema import SCHEMAS, plain_table, record_table, trade_table
from gateway.journal.journal import JournalDamageError, JournalFormatError
from gateway.journal.quarantine import Quarantine
from gateway.journal.reading import Reading
from gateway.market_history import bar_values
from gateway.rest.market import daily_quotes
from gateway.rest.market_views import DailyQuote
from marketdata.bars import MINUTE_NS
from marketdata.charts import Day
from marketdata.feed import Feed

APPLY_ROWS = 16_384
PART = ".part"
INTERRUPTED = 130
PROBLEMS = (JournalDamageError, JournalFormatError, OSError, ValueError)

Tell = Callable[[int, int], None]  # bytes of the journal read, and in all


class Files:
    """The five files while they are written: under another name until all are whole."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.rows = dict.fromkeys(SCHEMAS, 0)
        out.mkdir(parents=True, exist_ok=True)
        self._writers = {
            name: pq.ParquetWriter(self._part(name), schema, compression="zstd")
            for name, schema in SCHEMAS.items()
        }

    def add(self, name: str, table: pa.Table) -> None:
        """Write some rows of a file."""
        if len(table):
            self._writers[name].write_table(table)
            self.rows[name] += len(table)

    def finish(self) -> None:
        """Give the files their names, once their bytes are on the disk."""
        for name, writer in self._writers.items():
            writer.close()
            with self._part(name).open("rb") as file:
                os.fsync(file.fileno())
        for name in SCHEMAS:
            self._part(name).replace(self.out / f"{name}.parquet")

    def give_up(self) -> None:
        """Leave nothing behind."""
        for name, writer in self._writers.items():
            with contextlib.suppress(OSError, pa.ArrowException):
                writer.close()
            self._part(name).unlink(missing_ok=True)

    def _part(self, name: str) -> Path:
        return self.out / f"{name}.parquet{PART}"


class Exporter:
    """Plays a journal and writes what comes of it; ``date`` (YYYYMMDD) leaves other days out."""

    def __init__(self, files: Files, date: int | None) -> None:
        self.exchange = Exchange()
        self.feed = Feed(self._code)
        self.feed.keep_day = self._keep_day
        self.dates: list[int] = []
        self._files = files
        self._date = date
        self._last = 0  # the day of the command before

    @property
    def over(self) -> bool:
        """Whether the one day that was asked for lies behind."""
        return self._date is not None and self._last > self._date

    def take(self, batch: np.ndarray) -> None:
        """Apply commands and write what belongs into the files."""
        events = self.exchange.apply(batch)
        self.feed.absorb(events)
        self.feed.flush()
        dates = self._dates(batch, events)
        for name, rows, days in (
            ("commands", batch, dates),
            ("events", events, events["date"]),
        ):
            wanted = slice(None) if self._date is None else days == self._date
            self._files.add(name, record_table(name, rows[wanted], days[wanted], self.feed.codes))

    def finish(self) -> None:
        """Write the day that runs when the journal ends."""
        if self.feed.date:
            self._keep_day(self.feed.charts.day())

    def _dates(self, batch: np.ndarray, events: np.ndarray) -> np.ndarray:
        """Return the trading day of each command, 0 before the first: as its events say."""
        seqs, first = np.unique(events["seq"], return_index=True)
        dates = np.full(len(batch), -1)
        at = np.searchsorted(seqs, batch["seq"])
        told = at < len(seqs)
        told[told] = seqs[at[told]] == batch["seq"][told]
        dates[told] = events["date"][first[at[told]]]
        for place in np.flatnonzero(~told).tolist():  # a command without events changes no day
            dates[place] = dates[place - 1] if place else self._last
        self._last = int(dates[-1])
        return dates

    def _keep_day(self, day: Day) -> None:
        if self._date not in (None, day.date) or day.date in self.dates:
            return
        self.dates.append(day.date)
        self._files.add("trades", trade_table(day.date, day.trades, day.codes))
        bars = [
            (day.date, row.interval, row.instrument, row.start * MINUTE_NS, *bar_values(row))
            for row in day.bars
        ]
        self._files.add("bars", plain_table("bars", bars))
        bulletin = self.feed.bulletin(day.date)
        if bulletin is not None:
            lines = [_values(each) for each in daily_quotes(bulletin)]
            self._files.add("daily_quotes", plain_table("daily_quotes", lines))

    def _code(self, instrument: int) -> str:
        code: bytes = self.exchange.state.instruments["code"][instrument]
        return code.decode()


def _values(quote: DailyQuote) -> list[object]:
    return [getattr(quote, name) for name in quote.__struct_fields__]


def export(
    data_dir: Path, out: Path, date: int | None = None, tell: Tell = lambda _done, _all: None
) -> dict[str, int]:
    """Write the files of a market's data folder into ``out``; return rows by file.

    What a running venue has made durable by now is exported too.

    Raises:
        JournalDamageError, JournalFormatError, FileNotFoundError: there is no sound journal.
        ValueError: the day is not in the journal, or ``out`` is the data folder.
        OSError: the disk is full. No file was changed.
    """
    if out.resolve() == data_dir.resolve():
        raise ValueError(f"{out} holds the venue's own data: export somewhere else")
    reading = Reading(data_dir / "journal")
    warm_up()
    files = Files(out)
    try:
        exporter = Exporter(files, date)
        for batch in Quarantine(data_dir / "journal").screened(_gathered(reading, tell)):
            exporter.take(batch)
            if exporter.over:
                break
        exporter.finish()
        if date is not None and date not in exporter.dates:
            raise ValueError(f"the journal has no trading day {date}")
        files.finish()
    except BaseException:
        files.give_up()
        raise
    return files.rows


def _gathered(reading: Reading, tell: Tell) -> Iterator[np.ndarray]:
    """Yield the journal's commands in larger batches."""
    waiting: list[np.ndarray] = []
    count = done = 0
    total = reading.size_bytes
    for stretch in reading:
        done += stretch.size_bytes
        if len(stretch.commands):
            waiting.append(stretch.commands)
            count += len(stretch.commands)
        if count >= APPLY_ROWS:
            yield np.concatenate(waiting)
            waiting, count = [], 0
            tell(done, total)
    if count:
        yield np.concatenate(waiting)
    tell(total, total)


def run(data_dir: Path, out: Path, date: int | None, console: Console) -> int:
    """Export with a progress bar and print what was written; return the exit code."""
    columns = (TextColumn("exporting"), BarColumn(), TextColumn("{task.percentage:>3.0f} %"))
    try:
        with Progress(*columns, TimeRemainingColumn(), console=console, transient=True) as bar:
            task = bar.add_task("", total=None)

            def tell(done: int, total: int) -> None:
                bar.update(task, completed=done, total=total)

            rows = export(data_dir, out, date, tell)
    except KeyboardInterrupt:
        console.print("interrupted: nothing was written", style="red")
        return INTERRUPTED
    except PROBLEMS as problem:
        text = f"{data_dir} cannot be exported: {problem}"
        console.print(text, style="red", markup=False, soft_wrap=True)
        return 2
    for name, count in rows.items():
        console.print(f"{out / name}.parquet  {count:,} rows", markup=False, soft_wrap=True)
    return 0
