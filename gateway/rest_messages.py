"""What the REST pages answer: one definition for the answer and for its OpenAPI schema."""

from __future__ import annotations

import msgspec

from marketdata.bulletin import Bulletin
from marketdata.messages import Depth, Quote


class Answer(msgspec.Struct, kw_only=True):
    """Prices in ticks of 0.01 yuan, quantities in tonnes, money in fen, times in microseconds."""


class InstrumentView(Answer):
    """A vintage that is listed, with today's reference and price limits (TR-20, TR-23)."""

    code: str
    mode: str
    reference_ticks: int
    lower_limit_ticks: int
    upper_limit_ticks: int
    last_ticks: int
    close_ticks: int


class InstrumentList(Answer):
    """The market now, and every instrument of it."""

    date: int
    phase: str
    instruments: list[InstrumentView]


class OrderView(Answer):
    """One of your orders of today (TR-44)."""

    order_no: int
    client_order_id: str
    kind: str
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    leaves_qty: int
    frozen_fen: int
    status: str
    reason: str
    seq: int
    time_us: int


class OrderList(Answer):
    """Your orders of today in order of their number. ``more``: ask again after the last one."""

    date: int
    orders: list[OrderView]
    more: bool


class TradeView(Answer):
    """Your side of one of today's trades."""

    trade_no: int
    order_no: int
    client_order_id: str
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    value_fen: int
    fee_fen: int
    taker: bool
    seq: int
    time_us: int


class TradeList(Answer):
    """Your trades of today in order of their number. ``more``: ask again after the last one."""

    date: int
    trades: list[TradeView]
    more: bool


class HoldingView(Answer):
    """What you have of one vintage on the trading side (RG-06, TR-47)."""

    instrument: str
    available_tonnes: int
    frozen_tonnes: int
    bought_today_tonnes: int


class AccountView(Answer):
    """Your money and your holdings; ``withdrawable_fen`` leaves out today's proceeds (TR-48)."""

    account: int
    cash_available_fen: int
    cash_frozen_fen: int
    proceeds_today_fen: int
    withdrawable_fen: int
    open_orders: int
    holdings: list[HoldingView]


class DepthView(Answer):
    """The five best levels per side and the price line of one instrument (TR-140)."""

    epoch: int
    seq: int
    instrument: str
    depth: Depth | None
    quote: Quote | None


class BulletinDates(Answer):
    """Days with a bulletin, YYYYMMDD."""

    dates: list[int]


class Health(Answer):
    """``status``: ``ok``, or ``held`` with the reason why the next day cannot open (ST-17)."""

    status: str
    held: str
    date: int
    phase: str
    seq: int
    time_us: int


class Problem(Answer):
    """Why the request was refused: a stable code and a sentence."""

    code: str
    reason: str


DOCUMENTED: tuple[type, ...] = (
    InstrumentList,
    OrderList,
    TradeList,
    AccountView,
    DepthView,
    BulletinDates,
    Bulletin,
    Health,
    Problem,
)
