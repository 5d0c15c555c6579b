"""What the public feed says: one tagged struct per kind of message (TR-140, gateway.md 3.1).

Prices are ticks of 0.01 yuan, quantities tonnes, turnovers fen, times microseconds since 1970
(UTC) so that they stay exact in JavaScript, dates YYYYMMDD. No message has room for an account, a
counterparty or a name (TR-68): an order number is all that tells one listing from another.

Numbers, the same in every message of the feed:

``seq``
    position in the feed, 1, 2, 3 … over all channels.
``prev``
    ``seq`` of the message before it on the same channel, 0 for the first one. A channel is a kind
    and, where the message has one, an instrument. A subscriber who holds another number than
    ``prev`` has missed something and asks for ``since(seq)`` or for a snapshot.
``iseq``
    1, 2, 3 … over all messages of one instrument, whatever their kind.

Depth and quote are whole pictures: the newest one alone is enough. Trades, status and notices are
facts that are never merged: each one counts.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

LEVELS_SHOWN = 5  # TR-61, TR-140
LISTINGS_SHOWN_MAX = 20  # per level; ``orders`` counts them all, Feed.listings() names them all


class Level(msgspec.Struct, frozen=True, gc=False):
    """One price level: its price, all tonnes, the number of listings, and the oldest of them.

    ``listings`` are pairs [order_no, leaves_qty], oldest first, at most LISTINGS_SHOWN_MAX: a taker
    may pick any listing of a level (TR-63), so it must be able to name it.
    """

    price_ticks: int
    qty_tonnes: int
    orders: int
    listings: tuple[tuple[int, int], ...]


class Depth(msgspec.Struct, frozen=True, gc=False, tag="depth", tag_field="type"):
    """The five best levels of both sides, best first: the whole picture (TR-140)."""

    seq: int
    prev: int
    iseq: int
    time_us: int
    instrument: str
    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    channel: ClassVar[str] = "depth"


class Trade(msgspec.Struct, frozen=True, gc=False, tag="trade", tag_field="type"):
    """One deal, without names. ``side`` is the taker's: buy or sell; ``modality`` as in TR-142."""

    seq: int
    prev: int
    iseq: int
    time_us: int
    instrument: str
    trade_no: int
    price_ticks: int
    qty_tonnes: int
    side: str
    modality: int

    channel: ClassVar[str] = "trade"


class Quote(msgspec.Struct, frozen=True, gc=False, tag="quote", tag_field="type"):
    """The price line of one vintage now: latest price and the day's figures (TR-100…103, TR-140).

    ``last``, ``open``, ``high``, ``low`` are 0 without a trade on the listed market (TR-102),
    ``close`` is 0 until the day is closed. ``prev_close`` is 0 on a vintage's first day (TR-103);
    the reference is what the price limits hang on. Volume and turnover are listed only (TR-107).
    ``change`` compares the latest price (after the close: the close) with the reference.
    """

    seq: int
    prev: int
    iseq: int
    time_us: int
    instrument: str
    last_ticks: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    prev_close_ticks: int
    reference_ticks: int
    upper_limit_ticks: int
    lower_limit_ticks: int
    qty_tonnes: int
    turnover_fen: int
    trades: int
    change_ticks: int
    change_bp: int

    channel: ClassVar[str] = "quote"


class Status(msgspec.Struct, frozen=True, gc=False, tag="status", tag_field="type"):
    """The market entered a phase (TR-30…34): ``phase`` is its lower-case name, e.g. ``morning``."""

    seq: int
    prev: int
    time_us: int
    date: int
    phase: str

    channel: ClassVar[str] = "status"


class Notice(msgspec.Struct, frozen=True, gc=False, tag="notice", tag_field="type"):
    """The daily bulletin of ``date`` is there (TR-141); headline figures, all modalities."""

    seq: int
    prev: int
    time_us: int
    date: int
    traded: bool
    composite_close_ticks: int
    change_bp: int
    qty_tonnes: int
    turnover_fen: int

    channel: ClassVar[str] = "notice"


Message = Depth | Trade | Quote | Status | Notice


class Snapshot(msgspec.Struct, frozen=True, gc=False, tag="snapshot", tag_field="type"):
    """What somebody who read the feed up to ``seq`` knows of one instrument.

    Messages with a larger ``seq`` continue it without a gap: the ``prev`` of the next one of a
    channel is the ``seq`` of this depth or quote, ``trade_seq``, ``status_seq`` or ``notice_seq``.
    ``epoch`` names the life of the feed: numbers of another epoch mean nothing here. ``trades``
    are the latest ones, oldest first.
    """

    epoch: int
    seq: int
    iseq: int
    instrument: str
    trade_seq: int
    status_seq: int
    notice_seq: int
    depth: Depth | None
    quote: Quote | None
    status: Status | None
    trades: tuple[Trade, ...]
