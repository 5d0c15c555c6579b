"""What readers have been told: numbers every message and remembers what a snapshot needs.

The feed takes in what happens; this is the other end, where it becomes messages. Everything here
changes only when the feed is flushed, so a snapshot always is what somebody who read every message
knows, and never a message ahead.
"""

from __future__ import annotations

from collections import deque
from itertools import count
from typing import Any

import msgspec
import numpy as np

from engine.records import Modality, Side
from marketdata.bars import COMPOSITE_LINE, INTERVALS, MINUTE_NS, Values
from marketdata.bidding import BiddingSession
from marketdata.board import Board
from marketdata.bulletin import Bulletin
from marketdata.history import History
from marketdata.messages import (
    BAR_CHANNEL,
    COMPOSITE,
    Bar,
    Bidding,
    BulkOffer,
    Composite,
    Depth,
    Halt,
    Level,
    Notice,
    Offer,
    OpenBar,
    Picture,
    Quote,
    Snapshot,
    Status,
    Trade,
    TradeVoided,
)
from marketdata.tape import Trades

TAPE = 50  # latest trades in a snapshot
BAR_CHANNELS = tuple(BAR_CHANNEL + interval for interval in INTERVALS)
LISTED = int(Modality.LISTED)
SIDE_NAMES = {int(Side.BUY): "buy", int(Side.SELL): "sell"}
Levels = tuple[Level, ...]


class Told:
    """Makes the messages of one feed; ``codes`` are the instruments by row and grow with it."""

    def __init__(self, codes: list[str], facts_max: int) -> None:
        self.history = History(facts_max)
        self.codes = codes
        self.boards: list[Board] = []
        self._tapes: list[deque[Trade]] = []
        self._halted: list[bool] = []
        self._sessions: dict[int, Bidding] = {}  # latest word on each of the day's sessions
        self._status: Status | None = None
        self._notices: tuple[Notice, ...] = ()  # since the day began
        self._pictures: dict[int, tuple[tuple[int, ...], Levels, Levels]] = {}
        self._composite: tuple[int, ...] = ()

    def admit(self) -> None:
        """There is one instrument more."""
        self.boards.append(Board())
        self._tapes.append(deque(maxlen=TAPE))
        self._halted.append(False)

    # facts: each takes its number, an instrument's row (if it has one), the time in nanoseconds

    def trade(
        self,
        seq: int,
        instrument: int,
        time_ns: int,
        trade_no: int,
        price: int,
        qty: int,
        side: int,
        modality: int,
    ) -> Trade:
        """A deal, whatever its modality (TR-142)."""
        code = self.codes[instrument]
        numbers = self.history.fact(seq, Trade.channel, code)
        name = SIDE_NAMES[side]
        trade = Trade(*numbers, time_ns // 1000, code, trade_no, price, qty, name, modality)
        self._tapes[instrument].append(trade)
        return trade

    def trades(self, seqs: np.ndarray, trades: Trades, heard: bool = True) -> list[Trade]:
        """Listed deals in order, of one instrument or several; ``seqs``: their numbers.

        Unless they are ``heard`` they are numbered, and only those become messages that a snapshot
        may have to show; none is returned.
        """
        found: list[Any] = [None] * len(seqs)
        times = trades.time_ns // 1000
        for row in np.unique(trades.instrument).tolist():
            at = np.flatnonzero(trades.instrument == row)
            code, mine = self.codes[row], seqs[at].tolist()
            prevs, first = self.history.run(mine, Trade.channel, code)
            begin = 0 if heard else max(0, len(at) - TAPE)
            at = at[begin:]
            columns = (times, trades.trade_no, trades.price, trades.qty, trades.side)
            plain = zip(
                *(mine[begin:], prevs[begin:], count(first + begin)),
                *(c[at].tolist() for c in columns),
                strict=False,
            )
            for place, (seq, prev, iseq, time_us, number, price, qty, side) in zip(
                at.tolist(), plain, strict=True
            ):
                name = SIDE_NAMES[side]
                found[place] = Trade(
                    seq, prev, iseq, time_us, code, number, price, qty, name, LISTED
                )
            self._tapes[row].extend(found[place] for place in at[-TAPE:].tolist())
        return found if heard else []

    def voided(
        self,
        seq: int,
        instrument: int,
        time_ns: int,
        trade_no: int,
        price: int,
        qty: int,
        modality: int,
    ) -> TradeVoided:
        """A deal was undone (TR-121): it leaves the tape."""
        code, tape = self.codes[instrument], self._tapes[instrument]
        numbers = self.history.fact(seq, TradeVoided.channel, code)
        standing = [trade for trade in tape if trade.trade_no != trade_no]
        self._tapes[instrument] = deque(standing, maxlen=TAPE)
        return TradeVoided(*numbers, time_ns // 1000, code, trade_no, price, qty, modality)

    def bulk_offer(
        self, seq: int, instrument: int, time_ns: int, offer: Offer, status: str
    ) -> BulkOffer:
        """A public bulk offer came, changed or went (TR-75)."""
        code, board = self.codes[instrument], self.boards[instrument]
        numbers = self.history.fact(seq, BulkOffer.channel, code)
        if status == "gone":
            board.drop(offer.order_no)
        else:
            board.put(offer)
        return BulkOffer(
            *numbers,
            time_ns // 1000,
            code,
            offer.order_no,
            offer.side,
            offer.price_ticks,
            offer.qty_tonnes,
            status,
        )

    def bidding(
        self, seq: int, instrument: int, time_ns: int, session: BiddingSession, status: str
    ) -> Bidding:
        """A published bidding session came one step further (TR-80…88)."""
        code = self.codes[instrument]
        numbers = self.history.fact(seq, Bidding.channel, code)
        result = session.result() if status == "closed" else ()
        fields = (session.number, status, *session.notice(), *result)
        said = self._sessions[session.number] = Bidding(*numbers, time_ns // 1000, code, *fields)
        return said

    def halt(self, seq: int, instrument: int, time_ns: int, halted: bool) -> Halt:
        """An instrument was halted or resumed (TR-117)."""
        code = self.codes[instrument]
        self._halted[instrument] = halted
        numbers = self.history.fact(seq, Halt.channel, code)
        return Halt(*numbers, time_ns // 1000, code, halted)

    def status(
        self, seq: int, time_ns: int, date: int, phase: str, halted: bool, new_day: bool
    ) -> Status:
        """The market entered a phase, was halted or resumed."""
        if new_day:
            self._sessions.clear()
            self._notices = ()
        seq, prev, _ = self.history.fact(seq, Status.channel)
        self._status = Status(seq, prev, time_ns // 1000, date, phase, halted)
        return self._status

    def notice(self, seq: int, time_ns: int, bulletin: Bulletin) -> Notice:
        """A bulletin is there (TR-141)."""
        seq, prev, _ = self.history.fact(seq, Notice.channel)
        said = Notice(
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
        self._notices += (said,)
        return said

    def bar(
        self,
        seq: int,
        line: int,
        time_ns: int,
        interval: str,
        date: int,
        start: int,
        values: Values,
        restated: bool,
    ) -> Bar:
        """A bar is over, or restated; ``start`` in minutes since 1970."""
        code, channel = self.code(line), BAR_CHANNEL + interval
        numbers = self.history.derived(seq, channel, code)
        if not restated:
            self.history.drop_picture(channel, code)
        fields = _bar_fields(time_ns, code, interval, date, start, values)
        made = Bar(*numbers, *fields)
        return msgspec.structs.replace(made, restated=True) if restated else made

    # pictures: only if they have changed

    def pictures(
        self, instrument: int, time_us: int, line: tuple[int, ...], bids: Levels, asks: Levels
    ) -> list[Picture]:
        """Return the quote and the depth of an instrument, each only if it has changed."""
        code, number = self.codes[instrument], self.history.picture
        found: list[Picture] = []
        before = self._pictures.get(instrument, ((), None, None))
        if line != before[0]:
            found.append(Quote(*number(Quote.channel, code), time_us, code, *line))
        if (bids, asks) != before[1:]:
            found.append(Depth(*number(Depth.channel, code), time_us, code, bids, asks))
        self._pictures[instrument] = (line, bids, asks)
        return found

    def composite(self, time_us: int, line: tuple[int, ...]) -> list[Picture]:
        """Return the composite price if it has changed (TR-104…107)."""
        if line == self._composite or not any((*line, *self._composite)):
            return []
        self._composite = line
        seq, prev, _ = self.history.picture(Composite.channel)
        return [Composite(seq, prev, time_us, *line)]

    def open_bar(
        self, line: int, time_ns: int, interval: str, date: int, start: int, values: Values
    ) -> OpenBar:
        """Return a bar as it stands; ``start`` in minutes since 1970."""
        code = self.code(line)
        numbers = self.history.picture(BAR_CHANNEL + interval, code)
        return OpenBar(*numbers, *_bar_fields(time_ns, code, interval, date, start, values))

    def code(self, line: int) -> str:
        """Return the name of an instrument's row, or of the composite price."""
        return COMPOSITE if line == COMPOSITE_LINE else self.codes[line]

    def venue(self, epoch: int) -> Snapshot:
        """Return what a reader knows that belongs to no instrument, and the composite's bars."""
        history = self.history
        composite = history.pictures.get((Composite.channel, ""))
        return Snapshot(
            epoch=epoch,
            seq=history.seq,
            iseq=history.iseq(COMPOSITE),
            instrument=COMPOSITE,
            trade_seq=0,
            status_seq=history.last(Status.channel),
            notice_seq=history.last(Notice.channel),
            depth=None,
            quote=None,
            status=self._status,
            trades=(),
            composite=composite if isinstance(composite, Composite) else None,
            notices=self._notices,
            bars=self._bars(COMPOSITE),
            bar_seqs=self._bar_seqs(COMPOSITE),
        )

    def _bars(self, code: str) -> tuple[OpenBar, ...]:
        found = (self.history.pictures.get((channel, code)) for channel in BAR_CHANNELS)
        return tuple(bar for bar in found if isinstance(bar, OpenBar))

    def _bar_seqs(self, code: str) -> dict[str, int]:
        return {channel: self.history.last(channel, code) for channel in BAR_CHANNELS}

    def snapshot(self, row: int, epoch: int) -> Snapshot:
        """Return what a reader of everything flushed so far knows of an instrument."""
        history, code = self.history, self.codes[row]
        depth = history.pictures.get((Depth.channel, code))
        quote = history.pictures.get((Quote.channel, code))
        composite = history.pictures.get((Composite.channel, ""))
        return Snapshot(
            epoch=epoch,
            seq=history.seq,
            iseq=history.iseq(code),
            instrument=code,
            trade_seq=history.last(Trade.channel, code),
            status_seq=history.last(Status.channel),
            notice_seq=history.last(Notice.channel),
            depth=depth if isinstance(depth, Depth) else None,
            quote=quote if isinstance(quote, Quote) else None,
            status=self._status,
            trades=tuple(self._tapes[row]),
            composite=composite if isinstance(composite, Composite) else None,
            offers=self.boards[row].offers(),
            sessions=tuple(each for each in self._sessions.values() if each.instrument == code),
            halted=self._halted[row],
            bulk_offer_seq=history.last(BulkOffer.channel, code),
            bidding_seq=history.last(Bidding.channel, code),
            halt_seq=history.last(Halt.channel, code),
            notices=self._notices,
            bars=self._bars(code),
            bar_seqs=self._bar_seqs(code),
        )


def _bar_fields(
    time_ns: int, code: str, interval: str, date: int, start: int, values: Values
) -> tuple[Any, ...]:
    """Return the fields of a bar from the time on."""
    qty = values.listed_qty_tonnes + values.bulk_qty_tonnes + values.auction_qty_tonnes
    turnover = values.listed_turnover_fen + values.bulk_turnover_fen + values.auction_turnover_fen
    start_us = start * MINUTE_NS // 1000
    return (time_ns // 1000, code, interval, date, start_us, *values, qty, turnover)
