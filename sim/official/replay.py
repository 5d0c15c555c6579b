"""Official days through the exchange: each published row is lived again and compared to the fen.

For every row: find listed trades that are exactly the row (realise.py for one instrument,
vintages.py for several), bulk deals and bidding sessions with the published volume and
turnover (bulk_deals.py, sessions.py); make them all on a real venue (venue.py), settle,
and compare the venue's own bulletin with what was published. What contradicts the rules is named
with the clause it breaks; nothing is bent to make it fit.

The reference of a day is the newest close known before it: of the row before, or of a weekly
bulletin if one is given and newer. Where that is not what the running venue has (a row was not
played, a weekly close is newer, several vintages come where one was), the row begins on a fresh
exchange whose instruments are admitted, by command, with these references. If trading days are
missing before a row and its prices do not fit the limits around the old close, the true reference
is unknown: the row's own close stands in, the row says so, and its limits count as unchecked
(TR-20).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from engine.calendar import LAUNCH, is_trading_day, trading_days
from engine.rulebook import Rulebook
from engine.rulebook_data import CEA, LAUNCH_REFERENCE_TICKS
from engine.units import BP, half_up
from sim.official.days import LISTED, Row
from sim.official.figures import Figures, published
from sim.official.negotiated import negotiated
from sim.official.realise import Contradiction, Deal, Target, realise, yuan
from sim.official.result import UNEXPLAINED, DayResult, compared, explained
from sim.official.venue import Deals, Venue, VenueError, bounds_of
from sim.official.vintages import Closes, Prepared, known_closes, prepare

DAY = dt.timedelta(days=1)
SPARE_TONNES = 10**6  # sellers also cover what they offer and do not sell


class Known(NamedTuple):
    """A close and the day it belongs to; ``words`` say where it is from."""

    date: dt.date
    close_ticks: int
    words: str


class Replay:
    """Plays rows in the order of their dates, keeping one venue running as long as it can.

    Args:
        rows: all rows of the file by date, also those before ``first``: they give references.
        weekly: closes of weekly bulletins by the last day of the week.
        directory: where the venues keep their databases; it must exist.
        first: rows before it are not played; None plays all.
        closes: closes per vintage by date and code, where known.
    """

    def __init__(
        self,
        rows: tuple[Row, ...],
        weekly: dict[dt.date, Decimal],
        directory: Path,
        first: dt.date | None = None,
        closes: Closes | None = None,
    ) -> None:
        self.directory = directory
        self.venues = 0
        self.rows = tuple(row for row in rows if first is None or row.date >= first)
        self._all_rows = rows
        self._weekly = weekly
        self._closes: Closes = closes or {}
        self._several: Mapping[int, Prepared | Contradiction | None] | None = None
        self._venue: Venue | None = None
        self._seen: dt.date | None = None
        self._known: Known | None = None
        needs = [_need(row) for row in self.rows]
        self._stock_tonnes = sum(tonnes for tonnes, _ in needs)
        self._cash_fen = sum(fen for _, fen in needs)
        for row in rows:
            if first is not None and row.date < first:
                self._learn(row)

    def play(self, row: Row) -> DayResult:
        """Live one row; rows must come in the order of ``rows``."""
        result = self._play(row)
        if self._seen != row.date:
            self._seen = row.date
            self._learn(row, result.venue)
        tonnes, fen = _need(row)
        self._stock_tonnes -= tonnes
        self._cash_fen -= fen
        return result

    def close(self) -> None:
        """End the running venue; its commands and database stay in the directory."""
        if self._venue is not None:
            self._venue.close(self.directory / f"venue-{self.venues}.commands.npy")
            self._venue = None

    def _learn(self, row: Row, venue: Figures | None = None) -> None:
        """Remember a day's close as the next day's reference (TR-20, CA-04): the published one,
        or the venue's where none is published."""
        if row.basis != LISTED or not is_trading_day(row.date):
            return
        ticks = venue.close_ticks if venue is not None else None
        if row.close is not None:
            ticks = int(row.close * 100) if (row.close * 100) % 1 == 0 else None
        if ticks:
            self._known = Known(row.date, ticks, f"close of {row.date}")

    def _play(self, row: Row) -> DayResult:
        if not is_trading_day(row.date):
            return explained(row, Contradiction("CA-01", f"{row.date} is not a trading day"))
        if self._seen == row.date:
            return explained(row, Contradiction("CA-04", f"an earlier line already is {row.date}"))
        notes: tuple[str, ...] = ()
        closes = known_closes(row, self._closes) if row.basis != LISTED else ()
        figures = published(row, closes)
        if isinstance(figures, Contradiction):
            return explained(row, figures)
        if row.basis != LISTED:
            prepared = self._of_several(row)
        else:
            prepared, notes = self._of_one(figures.target, row)
        if prepared is None:
            words = "no listed trades of the vintages were found that are this row"
            return DayResult(row, UNEXPLAINED, "", words, published=figures)
        if isinstance(prepared, Contradiction):
            return explained(row, prepared, figures, notes)
        return self._compare(row, figures, prepared)

    def _of_several(self, row: Row) -> Prepared | Contradiction | None:
        """Return how to play a row of several vintages; the first call prepares them all."""
        if self._several is None:
            days: dict[dt.date, Row] = {}
            for each in self._all_rows:
                if each.basis != LISTED and is_trading_day(each.date):
                    days.setdefault(each.date, each)
            self._several = prepare(list(days.values()), self._closes)
        return self._several[row.line]

    def _of_one(self, target: Target, row: Row) -> tuple[Prepared | Contradiction, tuple[str, ...]]:
        """Return how to play a row of one instrument, and what to note."""
        known, missing = self._reference(row)
        reference, deals, notes = self._fit(target, row.date, known, missing)
        if isinstance(deals, Contradiction):
            return deals, notes
        return Prepared(((CEA.code, reference),), deals, notes), notes

    def _reference(self, row: Row) -> tuple[Known | None, int]:
        """Return the newest close known before the row and how many trading days lie between."""
        if row.date == LAUNCH:
            return Known(LAUNCH - DAY, LAUNCH_REFERENCE_TICKS, "launch reference"), 0
        known = self._known
        for week_end, close in self._weekly.items():
            ticks = int(close * 100)
            if week_end < row.date and (known is None or week_end > known.date) and ticks:
                known = Known(week_end, ticks, f"close of the week to {week_end}")
        if known is None:
            return None, 0
        return known, sum(1 for _ in trading_days(known.date + DAY, row.date - DAY))

    def _fit(
        self, target: Target, date: dt.date, known: Known | None, missing: int
    ) -> tuple[int, tuple[Deal, ...] | Contradiction, tuple[str, ...]]:
        """Return the reference that is used, the deals or why there are none, and what to note.

        A known close of the trading day before is the reference, whatever follows. Otherwise the
        true one is unknown, and one that fits is as good as the old close.
        """
        rules = Rulebook.on(date)
        deals: tuple[Deal, ...] | Contradiction = Contradiction("TR-20", "no reference is known")
        if known is not None:
            deals = realise(target, bounds_of(known.close_ticks, rules))
            if not missing or not isinstance(deals, Contradiction):
                return known.close_ticks, deals, _gap(known, missing)
        for own in _own_references(target, rules.listed_band_bp):
            fitting = realise(target, bounds_of(own, rules))
            if not isinstance(fitting, Contradiction):
                why = _missing(missing) if missing else "no day is known"
                note = f"price limits unchecked: {why} before; {yuan(own)} stands in as reference"
                return own, fitting, (note,)
            deals = fitting if known is None else deals
        return 0, deals, ()

    def _compare(self, row: Row, figures: Figures, prepared: Prepared) -> DayResult:
        """Make every deal of the day on the venue and compare its bulletin with the row."""
        references = tuple(ticks for _, ticks in prepared.references)
        bulk, sessions, excuses = negotiated(figures, references, Rulebook.on(row.date))
        deals = Deals(prepared.listed, bulk, sessions)
        try:
            bulletin = self._venue_with(prepared.references).play(row.date, deals)
        except VenueError as error:
            self.close()
            return DayResult(row, UNEXPLAINED, "", str(error), prepared.notes, published=figures)
        all_excuses = (*prepared.excuses, *excuses)
        return compared(row, figures, bulletin, deals, prepared.notes, all_excuses)

    def _venue_with(self, references: tuple[tuple[str, int], ...]) -> Venue:
        """Return the running venue if its last closes are the references, else a fresh one.

        Vintages that start trading today are not there yet: the venue admits them itself (TR-24).
        """
        venue = self._venue
        if venue is not None:
            alike = venue.several == (len(references) > 1)
            there = tuple(zip(venue.codes, venue.close_ticks, strict=True))
            if alike and there == references[: len(there)]:
                return venue
        self.close()
        self.venues += 1
        database = self.directory / f"venue-{self.venues}.db"
        stock = self._stock_tonnes + SPARE_TONNES if self._stock_tonnes else 0
        self._venue = Venue(database, references, stock, 2 * self._cash_fen)
        return self._venue


def _need(row: Row) -> tuple[int, int]:
    """Return the tonnes and fen that playing a row takes, zeros if it cannot be played."""
    figures = published(row)
    if isinstance(figures, Contradiction):
        return 0, 0
    tonnes = (figures.qty_tonnes, figures.bulk_qty_tonnes, figures.auction_qty_tonnes)
    fen = (figures.turnover_fen, figures.bulk_turnover_fen, figures.auction_turnover_fen)
    return sum(each or 0 for each in tonnes), sum(each or 0 for each in fen)


def _own_references(target: Target, band_bp: int) -> tuple[int, ...]:
    """Return references a row itself suggests: its close, else what its highest price allows."""
    highest = max(target.high_ticks or 0, target.open_ticks or 0, target.close_ticks or 0)
    below = half_up(highest * BP, BP + band_bp)
    found = (target.close_ticks or 0, target.open_ticks or 0, below, below + 1)
    return tuple(ticks for ticks in found if ticks)


def _gap(known: Known, missing: int) -> tuple[str, ...]:
    if not missing:
        return ()
    return (f"{_missing(missing)} before; the {known.words} is the reference",)


def _missing(days: int) -> str:
    return f"{days} trading day{'s are' if days > 1 else ' is'} missing"
