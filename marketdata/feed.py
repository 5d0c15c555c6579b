"""The public feed: absorbs the engine's events, numbers what the public may know, remembers it.

``absorb`` is called with every batch of events, ``flush`` as often as the public is to be told
(every 100 ms, gateway.md 3.1). Between two flushes the pictures (depth, quote, composite) are
merged into one each; facts (trades, offers, sessions, status, notices) never are. No message knows
an account: PUBLIC names every column that is read here. (Whose word changes a public bulk offer is
told from the accounts of bulk events, in marketdata/negotiated.py; they go no further.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.records import Event, Modality, Parameter, Phase, Side
from marketdata.bidding import Win
from marketdata.board import Board
from marketdata.book import Book, BookSide
from marketdata.bulletin import Bulletin, make_bulletin
from marketdata.charts import Charts, Day
from marketdata.figures import Figures
from marketdata.history import Outbox
from marketdata.messages import COMPOSITE, Message, Snapshot
from marketdata.negotiated import Negotiated
from marketdata.quiet import NEVER_RESTED, come_and_go, heard, only_rest_or_end
from marketdata.stretch import LONG, parts, plain, take_in
from marketdata.told import Told

PUBLIC = (
    "kind",
    "side",
    "instrument",
    "price_ticks",
    "qty_tonnes",
    "leaves_qty",
    "other_leaves_qty",
    "order_no",
    "other_order_no",
    "reason",
    "time_ns",
    "modality",
    "trade_no",
    "amount_fen",  # used of TRADED and TRADE_VOIDED only, where it is the value of the deal
    "date",
    "phase",
    "from_minute",  # these three of SESSION_NOTICED only
    "until_minute",
    "mode",
)
NUMBERING = 1  # to be raised when the same events are counted otherwise
NOBODY = -1  # the account of a kill that is not of one account's orders
FILTER_FROM = 64  # events in a batch from which dropping the silent ones beforehand pays

# Plain ints: comparing with an IntEnum member costs a lookup per event.
_ACCEPTED, _TRADED, _CANCELLED, _LAPSED = (
    int(kind) for kind in (Event.ACCEPTED, Event.TRADED, Event.CANCELLED, Event.LAPSED)
)
_PULLED, _AMENDED = int(Event.PULLED), int(Event.AMENDED)
_LISTED = int(Modality.LISTED)
_RARE = {"date", "phase", "from_minute", "until_minute", "mode"}
_COLUMNS = tuple(name for name in PUBLIC if name not in _RARE)


def default_code(instrument: int) -> str:
    """Return the name of an instrument nobody has named."""
    return f"I{instrument}"


class Feed:
    """Depth, tape, price lines, board, sessions, status and bulletins of one venue, from events.

    Args:
        code_of: gives the code of an instrument's row, asked once when it is admitted.
        epoch: names the stream the numbers count; 0: told from its first event.
        facts_max: facts (trades, status, offers ...) kept for ``since``.

    The feed must see the whole stream: events that take out of the book what never came in raise
    KeyError or IndexError. After a start the journal's events are absorbed (and flushed) first.
    """

    def __init__(
        self,
        code_of: Callable[[int], str] = default_code,
        *,
        epoch: int = 0,
        facts_max: int = 20_000,
    ) -> None:
        self.code_of = code_of
        self.epoch = epoch
        self.codes: list[str] = []
        self.books: list[Book] = []
        self.figures = Figures()
        self.phase = Phase.NEW
        self.halted = False  # the whole market
        self.bulletins: dict[int, Bulletin] = {}
        self._told = Told(self.codes, facts_max)
        self.history = self._told.history
        self._sides: list[BookSide] = []  # row 2 x instrument + side - 1
        self._outbox = Outbox()  # facts since the last flush
        self._touched: dict[int, int] = {}  # instrument -> time_ns of its last event
        self._composite_ns = 0  # of the last event that may have moved the composite price
        self._negotiated = Negotiated(self._told, self.figures, self._outbox)
        self.charts = Charts(self._told, self.figures, self._outbox)
        self.keep_day: Callable[[Day], None] | None = None  # called when a day is past
        self._halts: set[int] = set()  # instruments
        self._rare = self._handlers()

    @property
    def seq(self) -> int:
        """Number of the last message flushed."""
        return self.history.seq

    @property
    def date(self) -> int:
        """The trading day, YYYYMMDD; 0 before the first one."""
        return self.figures.date

    def absorb(self, events: np.ndarray) -> None:
        """Take in a batch of whole commands' events: shape (n,), dtype EVENT, in their order."""
        if not self.epoch and len(events):
            self.epoch = int(events["time_ns"][0]) // 1000 + NUMBERING
        if len(events) < LONG:
            self._absorb(events)
            return
        parts_of = (self._sides, self.figures, self.charts, self._outbox)
        for part, is_plain in parts(events, plain(events)):
            if not is_plain:
                self._absorb(part)
                continue
            touched, traded_ns = take_in(part, *parts_of)
            self._touched.update(touched)
            self._composite_ns = max(traded_ns, self._composite_ns)

    def _absorb(self, events: np.ndarray) -> None:
        events = heard(events) if len(events) >= FILTER_FROM else events
        if len(events) >= FILTER_FROM and only_rest_or_end(events, self.charts.bars.end_ns):
            seen, last = come_and_go(self._sides, events)
            self._touched.update(last)
            self._outbox.number += seen
            return
        sides, touched, outbox = self._sides, self._touched, self._outbox
        negotiated, charts, traded_ns = self._negotiated, self.charts, 0
        bars, trade = charts.bars, self.figures.trade
        columns = [events[name].tolist() for name in _COLUMNS]
        # fmt: off
        for (at, kind, side, instrument, price, qty, leaves, other_leaves, order_no, other_no,
             reason, time_ns, modality, trade_no, value) in zip(
                range(len(events)), *columns, strict=True):
            # fmt: on
            if kind == _ACCEPTED:
                if leaves == 0 or modality != _LISTED:  # bids are sealed (TR-89)
                    continue
                sides[2 * instrument + side - 1].add(price, order_no, leaves)
            elif kind == _TRADED:
                trade(instrument, modality, trade_no, price, qty, value)
                charts.trade(instrument, time_ns, trade_no, price, qty, value, side, modality)
                if modality != _LISTED:
                    win = Win(price, qty, value)
                    negotiated.dealt(modality, other_no, trade_no, win, time_ns)
                    continue
                sides[2 * instrument + 2 - side].reduce(price, other_no, other_leaves)
                traded_ns = time_ns
            elif kind in {_CANCELLED, _LAPSED}:
                if modality != _LISTED:
                    negotiated.ended(order_no, time_ns)
                    continue
                if reason in NEVER_RESTED:
                    continue
                sides[2 * instrument + side - 1].reduce(price, order_no, 0)
            elif kind == _PULLED:
                self.books[instrument].pull(price, order_no, qty)
            elif kind == _AMENDED:
                self.books[instrument].amend(side, price, order_no, leaves)
            else:
                handle = self._rare.get(kind)
                if handle is not None:
                    handle(events[at])
                continue
            if time_ns >= bars.end_ns:
                charts.end(time_ns)
            touched[instrument] = time_ns
            outbox.number += 1
        self._composite_ns = max(traded_ns, self._composite_ns)

    def _name_epoch(self, events: np.ndarray) -> None:
        if not self.epoch and len(events):
            self.epoch = int(events["time_ns"][0]) // 1000 + NUMBERING

    # what is rare: a method per kind of event, given the event

    def _handlers(self) -> dict[int, Callable[[Any], None]]:
        return {
            Event.PHASE_CHANGED: self._phase_changed,
            Event.REFERENCE_SET: self._reference_set,
            Event.UPPER_LIMIT_SET: self._limit_set,
            Event.LOWER_LIMIT_SET: self._limit_set,
            Event.CLOSE_SET: self._close_set,
            Event.COMPOSITE_OPEN_SET: self._composite_set,
            Event.COMPOSITE_HIGH_SET: self._composite_set,
            Event.COMPOSITE_LOW_SET: self._composite_set,
            Event.COMPOSITE_SET: self._composite_set,
            Event.INSTRUMENT_ADMITTED: self._admitted,
            Event.PARAMETER_CHANGED: self._parameter_changed,
            Event.BULK_OFFERED: self._negotiated.bulk_offered,
            Event.BULK_COUNTERED: self._negotiated.bulk_terms,
            Event.BULK_AGREED: self._negotiated.bulk_terms,
            Event.SESSION_NOTICED: self._negotiated.session_noticed,
            Event.SESSION_OPENED: self._negotiated.session_opened,
            Event.SESSION_CLOSED: self._negotiated.session_closed,
            Event.SESSION_REJECTED: self._negotiated.session_rejected,
            Event.INSTRUMENT_HALTED_NOW: self._halt,
            Event.INSTRUMENT_RESUMED: self._halt,
            Event.MARKET_HALTED_NOW: self._halt,
            Event.MARKET_RESUMED: self._halt,
            Event.KILLED_NOW: self._killed,
            Event.TRADE_VOIDED: self._trade_voided,
        }

    def _phase_changed(self, event: np.void) -> None:
        self.phase = Phase(int(event["phase"]))
        date, time_ns = int(event["date"]), int(event["time_ns"])
        self.charts.end(time_ns)
        if self.phase == Phase.PRE_OPEN:
            if self.date and self.keep_day is not None:
                self.keep_day(self.charts.day())
            self.charts.begin_day()
            self.figures.begin_day(date)
            self.halted = False  # a halt of the market ends with the day
            self._negotiated.begin_day()
            self._composite_ns = time_ns
        self._say_status(date, time_ns, new_day=self.phase == Phase.PRE_OPEN)
        if self.phase == Phase.CLOSED:
            self._publish(date, time_ns)

    def _say_status(self, date: int, time_ns: int, new_day: bool = False) -> None:
        name = self.phase.name.lower()
        self._outbox.append((self._told.status, time_ns, date, name, self.halted, new_day))

    def _publish(self, date: int, time_ns: int) -> None:
        """Make the day's bulletin; after a deal was voided in the evening, once more."""
        self.bulletins[date] = bulletin = make_bulletin(self.figures, self.codes)
        self._outbox.append((self._told.notice, time_ns, bulletin))
        self.charts.close_day(time_ns)

    def _reference_set(self, event: np.void) -> None:
        instrument, price_ticks = int(event["instrument"]), int(event["price_ticks"])
        self.figures.refer(instrument, price_ticks)
        self._touch(instrument, int(event["time_ns"]))

    def _limit_set(self, event: np.void) -> None:
        vintage = self.figures.vintages[int(event["instrument"])]
        if event["kind"] == Event.UPPER_LIMIT_SET:
            vintage.upper_limit = int(event["price_ticks"])
        else:
            vintage.lower_limit = int(event["price_ticks"])

    def _close_set(self, event: np.void) -> None:
        instrument = int(event["instrument"])
        self.figures.vintages[instrument].close = int(event["price_ticks"])
        self._touch(instrument, int(event["time_ns"]))

    def _composite_set(self, event: np.void) -> None:
        kind, price = int(event["kind"]), int(event["price_ticks"])
        composite = self.figures.composite
        self._composite_ns = int(event["time_ns"])
        if kind != Event.COMPOSITE_SET:
            composite.fix(Event(kind).name.split("_")[1].lower(), price)
            return
        composite.close = price
        if self.phase == Phase.CLOSED:
            self._publish(self.date, self._composite_ns)

    def _admitted(self, event: np.void) -> None:
        instrument = int(event["instrument"])
        book = Book()
        self.books.append(book)
        self._sides += (book.buy, book.sell)
        self.codes.append(self.code_of(instrument))
        self._told.admit()
        self.figures.admit(int(event["price_ticks"]))
        self._touch(instrument, int(event["time_ns"]))

    def _parameter_changed(self, event: np.void) -> None:
        if event["order_no"] == Parameter.COMPOSITE_WEIGHT:
            self.figures.vintages[int(event["instrument"])].weight = int(event["qty_tonnes"])

    def _halt(self, event: np.void) -> None:
        halted = event["kind"] in (Event.INSTRUMENT_HALTED_NOW, Event.MARKET_HALTED_NOW)
        self._switch(int(event["instrument"]), bool(halted), int(event["time_ns"]))

    def _killed(self, event: np.void) -> None:
        """A kill of one account is nobody else's business; the others end in a halt (TR-117)."""
        if event["account"] == NOBODY:
            self._switch(int(event["instrument"]), True, int(event["time_ns"]))

    def _switch(self, instrument: int, halted: bool, time_ns: int) -> None:
        """Halt or resume an instrument, or with -1 the market; say so if it is news."""
        if instrument == -1:
            if self.halted != halted:
                self.halted = halted
                self._say_status(self.date, time_ns)
        elif (instrument in self._halts) != halted:
            self._halts ^= {instrument}
            self._outbox.append((self._told.halt, instrument, time_ns, halted))

    def _trade_voided(self, event: np.void) -> None:
        instrument, modality = int(event["instrument"]), int(event["modality"])
        number, price, qty = (int(event[f]) for f in ("trade_no", "price_ticks", "qty_tonnes"))
        time_ns = int(event["time_ns"])
        self.charts.end(time_ns)
        self.figures.void(instrument, modality, number, qty, int(event["amount_fen"]))
        self._outbox.append((self._told.voided, instrument, time_ns, number, price, qty, modality))
        if modality == Modality.AUCTION:
            self._negotiated.voided(number, time_ns)
        self.charts.void(number, time_ns)
        self._touch(instrument, time_ns)
        self._composite_ns = time_ns

    def _touch(self, instrument: int, time_ns: int) -> None:
        """A picture of the instrument may have changed."""
        self._touched[instrument] = time_ns
        self._outbox.number += 1

    # telling

    def flush(self, heard: bool = True) -> list[Message]:
        """Return the numbered messages since the last flush: facts in order, then the pictures.

        A picture that has not changed since it was last sent is not sent again. Unless they are
        ``heard``, facts that would be forgotten at once do not become messages.
        """
        messages, left_out = self._outbox.take(None if heard else self.history.facts_max)
        self.history.seq = self._outbox.number
        self.history.forget(left_out)
        for instrument, time_ns in self._touched.items():
            book, line = self.books[instrument], self.figures.vintages[instrument].line()
            best = (book.buy.best(), book.sell.best())
            messages += self._told.pictures(instrument, time_ns // 1000, line, *best)
        self._touched.clear()
        if self._composite_ns:
            line = self.figures.composite_line()
            messages += self._told.composite(self._composite_ns // 1000, line)
            self._composite_ns = 0
        messages += self.charts.pictures()
        self.history.keep(messages)
        return messages

    def since(self, seq: int) -> list[Message] | None:
        """Return what follows the message ``seq``, in order, to close a gap.

        Every fact is there, and the newest of each picture with a number not below ``seq``. None
        if ``seq`` is ahead of the feed or further back than it remembers: then a snapshot is
        needed.
        """
        return self.history.since(seq)

    def snapshot(self, instrument: int | str) -> Snapshot:
        """Return what a reader of everything flushed so far knows of an instrument (row or code).

        Of ``composite`` it is what belongs to no instrument.

        Raises:
            KeyError: there is no such instrument.
        """
        if instrument == COMPOSITE:
            return self._told.venue(self.epoch)
        return self._told.snapshot(self._row(instrument), self.epoch)

    def listings(
        self, instrument: int | str, side: Side, price_ticks: int
    ) -> tuple[tuple[int, int], ...]:
        """Return every (order_no, leaves_qty) of a level now, oldest first (TR-63); none: ().

        Raises:
            KeyError: there is no such instrument.
        """
        return self.books[self._row(instrument)].side(side).listings(price_ticks)

    def board(self, instrument: int | str) -> Board:
        """Return the board of public bulk offers (TR-75) as it was last flushed.

        Raises:
            KeyError: there is no such instrument.
        """
        return self._told.boards[self._row(instrument)]

    def bulletin(self, date: int) -> Bulletin | None:
        """Return the bulletin of a closed day (YYYYMMDD), None if there is none (TR-141)."""
        return self.bulletins.get(date)

    def _row(self, instrument: int | str) -> int:
        if isinstance(instrument, str):
            if instrument in self.codes:
                return self.codes.index(instrument)
        elif 0 <= instrument < len(self.codes):
            return instrument
        raise KeyError(instrument)
