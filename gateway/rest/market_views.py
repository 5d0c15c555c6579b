"""What the pages of market history answer: one definition for answer and OpenAPI schema."""

from __future__ import annotations

from gateway.rest.message_base import Answer
from marketdata.bulletin import Bulletin


class BarView(Answer):
    """One bar; ``open``: it is not over yet. Figures as in the feed's ``bar``."""

    start_us: int
    date: int
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
    open: bool = False


class BarPage(Answer):
    """Bars in order of their start. ``more``: ask again with ``from`` = ``next_us``."""

    instrument: str
    interval: str
    bars: list[BarView]
    more: bool
    next_us: int


class PublicTrade(Answer):
    """A deal without names; ``side`` is the taker's, ``void``: it was undone (TR-121)."""

    trade_no: int
    time_us: int
    instrument: str
    price_ticks: int
    qty_tonnes: int
    turnover_fen: int
    side: str
    modality: int
    void: bool


class PublicTradePage(Answer):
    """Trades of a day in order of their number. ``more``: ask again with ``after`` = ``next``."""

    date: int
    trades: list[PublicTrade]
    more: bool
    next: int


class DailyQuote(Answer):
    """The price line of one instrument, or ``composite``, on one closed day (TR-141, TR-142)."""

    date: int
    instrument: str
    open_ticks: int
    high_ticks: int
    low_ticks: int
    close_ticks: int
    prev_close_ticks: int
    change_ticks: int
    change_bp: int
    listed_qty_tonnes: int
    listed_turnover_fen: int
    bulk_qty_tonnes: int
    bulk_turnover_fen: int
    auction_qty_tonnes: int
    auction_turnover_fen: int


class DailyQuotePage(Answer):
    """Days in order. ``more``: ask again with ``from`` = ``next``, a date YYYYMMDD."""

    quotes: list[DailyQuote]
    more: bool
    next: int


class BulletinPage(Answer):
    """Bulletins in order of their date. ``more``: ask again with ``from`` = ``next``."""

    bulletins: list[Bulletin]
    more: bool
    next: int


MARKET_DOCUMENTED: tuple[type, ...] = (BarPage, PublicTradePage, DailyQuotePage, BulletinPage)
