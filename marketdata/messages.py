"""What the public feed says: one tagged struct per kind of message (TR-140, gateway.md 3.1).

Prices are ticks of 0.01 yuan, quantities tonnes, turnovers fen, times microseconds since 1970
(UTC) so that they stay exact in JavaScript, dates YYYYMMDD. No message has room for an account, a
counterparty or a name (TR-68): an order number is all that tells one listing from another.

Numbers, the same in every message of the feed:

``seq``
    counts public changes, over all channels and for ever: the same events give the same numbers,
    also after a restart. Of a fact it is its own number; a picture shows everything up to it.
``prev``
    ``seq`` of the message before it on the same channel; facts refer to facts, pictures to
    pictures; 0 for the first one. A channel is a name and, where the message has one, an
    instrument. A subscriber who holds another fact than ``prev`` has missed something and asks for
    a replay or a snapshot. The ``prev`` of a picture only tells whether pictures were merged.
``iseq``
    1, 2, 3 … over the facts of one instrument, whatever their channel; a picture has that of the
    last fact it takes into account, and so has an ended bar, which follows from trades.

Depth, quote, composite and open bars are whole pictures: the newest one alone is enough. Everything
else is a fact and never merged: each one counts.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec

LEVELS_SHOWN = 5  # TR-61, TR-140
COMPOSITE = "composite"  # where a message names an instrument: the composite price
BAR_CHANNEL = "bar_"  # and the interval
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


class TradeVoided(msgspec.Struct, frozen=True, gc=False, tag="trade_voided", tag_field="type"):
    """The exchange has undone a deal before settlement (TR-121): strike it from the tape.

    Comes on the trades' channel, so that nobody who reads trades can miss it; the quote that
    follows has the figures without that deal.
    """

    seq: int
    prev: int
    iseq: int
    time_us: int
    instrument: str
    trade_no: int
    price_ticks: int
    qty_tonnes: int
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


class Composite(msgspec.Struct, frozen=True, gc=False, tag="composite", tag_field="type"):
    """The composite price of all vintages now (TR-104…107), weighted as the day's rules say.

    ``latest``, ``open``, ``high``, ``low`` are 0 without a listed trade of any vintage (TR-105,
    E29); ``close`` is 0 until the day is closed, and ``open`` then is the previous close if nothing
    traded. Volume, turnover and number of trades are those of the listed market (TR-107).
    ``change`` compares the latest price (after the close: the close) with the previous close, on
    the venue's first day with the weighted references. All 0 while no vintage has a weight.
    """

    seq: int
    prev: int
    time_us: int
    latest_ticks: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    prev_close_ticks: int
    change_ticks: int
    change_bp: int
    qty_tonnes: int
    turnover_fen: int
    trades: int

    channel: ClassVar[str] = "composite"


class BulkOffer(msgspec.Struct, frozen=True, gc=False, tag="bulk_offer", tag_field="type"):
    """A public bulk offer (TR-75) is ``open``, has ``changed`` its terms, or is ``gone``.

    Offers directed at one account, and what is negotiated about any offer, are never told. An offer
    that is gone was dealt, withdrawn, has lapsed or was cancelled by the exchange; its terms are
    the last ones it had on the board.
    """

    seq: int
    prev: int
    iseq: int
    time_us: int
    instrument: str
    order_no: int
    side: str
    price_ticks: int
    qty_tonnes: int
    status: str

    channel: ClassVar[str] = "bulk_offer"


class Bidding(msgspec.Struct, frozen=True, gc=False, tag="bidding", tag_field="type"):
    """A bidding session (TR-80…95): ``noticed``, ``open``, ``closed``, ``failed`` or ``rejected``.

    ``side`` is the applicant's, ``limit`` its floor (a buyer's cap), ``pricing`` is ``uniform`` or
    ``pay_as_bid`` (TR-83), the window is given in minutes after midnight in Beijing (TR-81). Bids
    are sealed (TR-89): the result (tonnes dealt and unsold, the lowest winning price (of a buyer's
    session: the highest), turnover, number of winning bids) is 0 until the session is ``closed``. A
    session without a valid bid has ``failed`` (TR-88); a published one that was not cleared was
    ``rejected``.
    """

    seq: int
    prev: int
    iseq: int
    time_us: int
    instrument: str
    session_no: int
    status: str
    side: str
    pricing: str
    limit_ticks: int
    qty_tonnes: int
    from_minute: int
    until_minute: int
    dealt_qty_tonnes: int = 0
    unsold_qty_tonnes: int = 0
    clearing_ticks: int = 0
    turnover_fen: int = 0
    winning_bids: int = 0

    channel: ClassVar[str] = "bidding"


class Halt(msgspec.Struct, frozen=True, gc=False, tag="halt", tag_field="type"):
    """Trading in one instrument was halted, or resumed (TR-117); cancels are always possible.

    A halt of the whole market is told by ``Status``.
    """

    seq: int
    prev: int
    iseq: int
    time_us: int
    instrument: str
    halted: bool

    channel: ClassVar[str] = "halt"


class Status(msgspec.Struct, frozen=True, gc=False, tag="status", tag_field="type"):
    """The market entered a phase (TR-30…34), was halted or resumed (TR-117).

    ``phase`` is the lower-case name of the phase it is in, e.g. ``morning``. A halt ends by the
    exchange's word or with the day.
    """

    seq: int
    prev: int
    time_us: int
    date: int
    phase: str
    halted: bool = False

    channel: ClassVar[str] = "status"


class Notice(msgspec.Struct, frozen=True, gc=False, tag="notice", tag_field="type"):
    """The daily bulletin of ``date`` is there (TR-141); headline figures, all modalities.

    A second notice of the same date replaces the first: a deal was voided after the close.
    """

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


class BarLine(msgspec.Struct, frozen=True, gc=False):
    """The fields of a bar (K-line): ``interval`` 1m, 5m or 1d, ``start_us`` its first moment.

    Prices are those of listed trades, 0 without one (TR-76, TR-93, TR-101, TR-102); the bar of a
    day closes as the rulebook says (TR-100, TR-104). ``instrument`` ``composite`` is the composite
    price (TR-105). ``trades`` counts listed ones; volume and turnover are those of each modality,
    and of all (TR-107, TR-142).
    """

    seq: int
    prev: int
    iseq: int
    time_us: int
    instrument: str
    interval: str
    date: int
    start_us: int
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    trades: int
    listed_qty_tonnes: int
    listed_turnover_fen: int
    bulk_qty_tonnes: int
    bulk_turnover_fen: int
    auction_qty_tonnes: int
    auction_turnover_fen: int
    qty_tonnes: int
    turnover_fen: int

    @property
    def channel(self) -> str:
        """The name of its channel: one for each interval."""
        return BAR_CHANNEL + self.interval


class Bar(BarLine, frozen=True, gc=False, tag="bar", tag_field="type"):
    """A bar that is over. ``restated``: it replaces one told before, a deal was undone (TR-121)."""

    restated: bool = False


class OpenBar(BarLine, frozen=True, gc=False, tag="open_bar", tag_field="type"):
    """A bar that is not over yet, as it stands: a picture."""


Picture = Depth | Quote | Composite | OpenBar
Fact = Trade | TradeVoided | Status | Notice | BulkOffer | Bidding | Halt | Bar
Message = Picture | Fact


class Offer(msgspec.Struct, frozen=True, gc=False):
    """One public bulk offer on the board."""

    order_no: int
    side: str
    price_ticks: int
    qty_tonnes: int


class Snapshot(msgspec.Struct, frozen=True, gc=False, tag="snapshot", tag_field="type"):
    """What somebody who read the feed up to ``seq`` knows of one instrument, and of the venue.

    Messages with a larger ``seq`` continue it without a gap: the ``prev`` of the next one of a
    channel is the ``seq`` of this depth, quote or composite, or the number named after the channel
    (``trade_seq``, ``status_seq`` …). ``epoch`` names the life of the feed: numbers of another
    epoch mean nothing here. ``trades`` are the latest ones that stand, oldest first; ``offers`` is
    the board of public bulk offers, buyers then sellers, best price first; ``sessions`` the latest
    word on each of the day's published bidding sessions; ``halted`` is the instrument's own halt;
    ``notices`` those since the day began; ``bars`` the open bars, ``bar_seqs`` the numbers of the
    last ended ones by channel. The snapshot of ``composite`` has what belongs to no instrument.
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
    composite: Composite | None = None
    offers: tuple[Offer, ...] = ()
    sessions: tuple[Bidding, ...] = ()
    halted: bool = False
    bulk_offer_seq: int = 0
    bidding_seq: int = 0
    halt_seq: int = 0
    notices: tuple[Notice, ...] = ()
    bars: tuple[OpenBar, ...] = ()
    bar_seqs: dict[str, int] = {}
