"""The public feed: absorbs the engine's events, numbers what the public may know, remembers it.

``absorb`` is called with every batch of events, ``flush`` as often as the public is to be told
(every 100 ms, gateway.md 3.1). Between two flushes the pictures (depth, quote) of an instrument are
merged into one each; facts (trades, status, notices) never are. Nothing here knows an account:
PUBLIC names every column that is ever read from an event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.reasons import Reason
from engine.records import Event, Modality, Parameter, Phase, Side
from marketdata.book import Book, BookSide
from marketdata.bulletin import Bulletin, make_bulletin
from marketdata.figures import Figures
from marketdata.history import History
from marketdata.messages import Depth, Message, Notice, Quote, Snapshot, Status, Trade

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
    "amount_fen",  # used of TRADED only, where it is the value of the deal
    "date",
    "phase",
)
FILTER_FROM = 64  # events in a batch from which dropping the silent ones beforehand pays
TAPE = 50  # latest trades in a snapshot
NEVER_RESTED = frozenset((int(Reason.TAKE_REMAINDER), int(Reason.SELF_TRADE)))
SIDE_NAMES = {int(Side.BUY): "buy", int(Side.SELL): "sell"}

# Plain ints: comparing with an IntEnum member costs a lookup per event.
_ACCEPTED, _TRADED, _CANCELLED, _LAPSED = (
    int(kind) for kind in (Event.ACCEPTED, Event.TRADED, Event.CANCELLED, Event.LAPSED)
)
_PULLED, _AMENDED, _REFUSED = int(Event.PULLED), int(Event.AMENDED), int(Event.REFUSED)
_LISTED = int(Modality.LISTED)


def default_code(instrument: int) -> str:
    """Return the name of an instrument nobody has named."""
    return f"I{instrument}"


class Feed:
    """Depth, tape, price lines, status and bulletins of one venue, built from its events alone.

    Args:
        code_of: gives the code of an instrument's row, asked once when it is admitted.
        epoch: names this life of the feed, e.g. the start's time; numbers are valid within it.
        facts_max: trades, status and notices kept for ``since``.

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
        self.bulletins: dict[int, Bulletin] = {}
        self.history = History(facts_max)
        self._sides: list[BookSide] = []  # row 2 x instrument + side - 1
        self._outbox: list[tuple[Any, ...]] = []  # facts since the last flush, in order
        self._touched: dict[int, int] = {}  # instrument -> time_ns of its last event
        self._tapes: dict[str, deque[Trade]] = {}
        self._status: Status | None = None
        self._sent: dict[int, tuple[object, object]] = {}  # line and depth last published

    @property
    def seq(self) -> int:
        """Number of the last message flushed."""
        return self.history.seq

    @property
    def date(self) -> int:
        """The trading day, YYYYMMDD; 0 before the first one."""
        return self.figures.date

    def absorb(self, events: np.ndarray) -> None:
        """Take in a batch of events: shape (n,), dtype EVENT, in the order the engine made them."""
        if len(events) >= FILTER_FROM:
            kinds = events["kind"]
            silent = (kinds == _REFUSED) | ((kinds == _ACCEPTED) & (events["leaves_qty"] == 0))
            events = events[~silent]
        sides, touched, outbox = self._sides, self._touched, self._outbox
        trade = self.figures.trade
        columns = [events[name].tolist() for name in PUBLIC]
        # fmt: off
        for (kind, side, instrument, price, qty, leaves, other_leaves, order_no, other_no, reason,
             time_ns, modality, trade_no, value, date, phase) in zip(*columns, strict=True):
            # fmt: on
            if kind == _ACCEPTED:
                if leaves == 0:
                    continue
                sides[2 * instrument + side - 1].add(price, order_no, leaves)
            elif kind == _TRADED:
                if modality == _LISTED:
                    sides[2 * instrument + 2 - side].reduce(price, other_no, other_leaves)
                trade(instrument, modality, price, qty, value)
                outbox.append((Trade, instrument, trade_no, price, qty, side, modality, time_ns))
            elif kind in {_CANCELLED, _LAPSED}:
                if reason in NEVER_RESTED:
                    continue
                sides[2 * instrument + side - 1].reduce(price, order_no, 0)
            elif kind == _PULLED:
                self.books[instrument].pull(price, order_no, qty)
            elif kind == _AMENDED:
                self.books[instrument].amend(side, price, order_no, leaves)
            else:
                self._absorb_rare(kind, instrument, price, order_no, qty, time_ns, date, phase)
                continue
            touched[instrument] = time_ns

    def _absorb_rare(
        self,
        kind: int,
        instrument: int,
        price_ticks: int,
        number: int,
        qty_tonnes: int,
        time_ns: int,
        date: int,
        phase: int,
    ) -> None:
        figures = self.figures
        if kind == Event.PHASE_CHANGED:
            self._enter(Phase(phase), date, time_ns)
        elif kind == Event.REFERENCE_SET:
            figures.refer(instrument, price_ticks)
            self._touched[instrument] = time_ns
        elif kind == Event.UPPER_LIMIT_SET:
            figures.vintages[instrument].upper_limit = price_ticks
        elif kind == Event.LOWER_LIMIT_SET:
            figures.vintages[instrument].lower_limit = price_ticks
        elif kind == Event.CLOSE_SET:
            figures.vintages[instrument].close = price_ticks
            self._touched[instrument] = time_ns
        elif kind == Event.COMPOSITE_SET:
            figures.composite.close = price_ticks
        elif kind == Event.INSTRUMENT_ADMITTED:
            self._admit(instrument, price_ticks, time_ns)
        elif kind == Event.PARAMETER_CHANGED and number == Parameter.COMPOSITE_WEIGHT:
            figures.vintages[instrument].weight = qty_tonnes

    def _admit(self, instrument: int, price_ticks: int, time_ns: int) -> None:
        book = Book()
        self.books.append(book)
        self._sides += (book.buy, book.sell)
        code = self.code_of(instrument)
        self.codes.append(code)
        self._tapes[code] = deque(maxlen=TAPE)
        self.figures.admit(price_ticks)
        self._touched[instrument] = time_ns

    def _enter(self, phase: Phase, date: int, time_ns: int) -> None:
        self.phase = phase
        if phase == Phase.PRE_OPEN:
            self.figures.begin_day(date)
        self._outbox.append((Status, date, phase.name.lower(), time_ns))
        if phase == Phase.CLOSED:
            self.bulletins[date] = bulletin = make_bulletin(self.figures, self.codes)
            self._outbox.append((Notice, bulletin, time_ns))

    def flush(self) -> list[Message]:
        """Return the numbered messages since the last flush: facts in order, then the pictures.

        A picture that has not changed since it was last sent is not sent again.
        """
        messages: list[Message] = []
        for kind, *fields in self._outbox:
            if kind is Trade:
                messages.append(self._trade(*fields))
            elif kind is Status:
                messages.append(self._status_message(*fields))
            else:
                messages.append(self._notice(*fields))
        self._outbox.clear()
        keep = self.history.keep
        for message in messages:
            keep(message)
        for instrument, time_ns in self._touched.items():
            for picture in self._pictures(instrument, time_ns // 1000):
                keep(picture)
                messages.append(picture)
        self._touched.clear()
        return messages

    def _trade(
        self,
        instrument: int,
        trade_no: int,
        price: int,
        qty: int,
        side: int,
        modality: int,
        time_ns: int,
    ) -> Trade:
        code = self.codes[instrument]
        numbers = self.history.number(Trade.channel, code)
        side_name = SIDE_NAMES[side]
        trade = Trade(*numbers, time_ns // 1000, code, trade_no, price, qty, side_name, modality)
        self._tapes[code].append(trade)
        return trade

    def _status_message(self, date: int, phase: str, time_ns: int) -> Status:
        seq, prev, _ = self.history.number(Status.channel)
        self._status = Status(seq, prev, time_ns // 1000, date, phase)
        return self._status

    def _notice(self, bulletin: Bulletin, time_ns: int) -> Notice:
        seq, prev, _ = self.history.number(Notice.channel)
        return Notice(
            seq,
            prev,
            time_ns // 1000,
            bulletin.date,
            bulletin.traded,
            bulletin.composite.close_ticks,
            bulletin.composite.change_bp,
            bulletin.total.day_qty_tonnes,
            bulletin.total.day_turnover_fen,
        )

    def _pictures(self, instrument: int, time_us: int) -> list[Depth | Quote]:
        """Return the quote and the depth of an instrument, each only if it has changed."""
        code, book = self.codes[instrument], self.books[instrument]
        number, pictures = self.history.number, list[Depth | Quote]()
        line = self.figures.vintages[instrument].line()
        depth = (book.buy.best(), book.sell.best())
        line_sent, depth_sent = self._sent.get(instrument, (None, None))
        if line != line_sent:
            pictures.append(Quote(*number(Quote.channel, code), time_us, code, *line))
        if depth != depth_sent:
            pictures.append(Depth(*number(Depth.channel, code), time_us, code, *depth))
        self._sent[instrument] = (line, depth)
        return pictures

    def since(self, seq: int) -> list[Message] | None:
        """Return what follows the message ``seq``, in order, to close a gap.

        Every fact is there; of depth and quote only the newest picture of each instrument. None if
        ``seq`` is ahead of the feed (another epoch) or further back than the feed remembers: then
        a snapshot is needed.
        """
        return self.history.since(seq)

    def snapshot(self, instrument: int | str) -> Snapshot:
        """Return what a reader of everything flushed so far knows of an instrument (row or code).

        Raises:
            KeyError: there is no such instrument.
        """
        code = self.codes[self._row(instrument)]
        history = self.history
        depth = history.pictures.get((Depth.channel, code))
        quote = history.pictures.get((Quote.channel, code))
        return Snapshot(
            epoch=self.epoch,
            seq=history.seq,
            iseq=history.iseq(code),
            instrument=code,
            trade_seq=history.last(Trade.channel, code),
            status_seq=history.last(Status.channel),
            notice_seq=history.last(Notice.channel),
            depth=depth if isinstance(depth, Depth) else None,
            quote=quote if isinstance(quote, Quote) else None,
            status=self._status,
            trades=tuple(self._tapes[code]),
        )

    def listings(
        self, instrument: int | str, side: Side, price_ticks: int
    ) -> tuple[tuple[int, int], ...]:
        """Return every (order_no, leaves_qty) of a level now, oldest first (TR-63); none: ().

        Raises:
            KeyError: there is no such instrument.
        """
        return self.books[self._row(instrument)].side(side).listings(price_ticks)

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
