"""Every message of order entry: one definition for JSON and MessagePack.

For people: docs/protocol.md.

Prices are ticks of 0.01 yuan, quantities whole tonnes, money fen, times microseconds since 1970
(UTC): all integers below 2**53, exact in every language. An unknown field is refused, since an
order with a misspelled field must not be accepted. Reports leave out fields at their default.
"""

from __future__ import annotations

from gateway.line_messages import (
    Answer,
    Bye,
    Challenge,
    Error,
    Heartbeat,
    HoldingNow,
    LimitsNow,
    LimitsRequest,
    Login,
    Logout,
    OrderNow,
    PhaseChanged,
    Ping,
    Pong,
    Question,
    Resume,
    Snapshot,
    SnapshotRequest,
    Status,
    StatusRequest,
    StreamResumed,
    Welcome,
)
from gateway.message_base import Inbound, Int53, Outbound, PriceTicks, QtyTonnes, Text
from gateway.office_messages import OfficeRequest
from gateway.rare_messages import RareMessage, RareReport
from gateway.trader_messages import TraderRequest

__all__ = [  # handed on: bases, and what a line says besides orders
    "Answer",
    "Bye",
    "Challenge",
    "Error",
    "Heartbeat",
    "HoldingNow",
    "Inbound",
    "Int53",
    "LimitsNow",
    "LimitsRequest",
    "Login",
    "Logout",
    "OrderNow",
    "Outbound",
    "PhaseChanged",
    "Ping",
    "Pong",
    "Question",
    "Resume",
    "Snapshot",
    "SnapshotRequest",
    "Status",
    "StatusRequest",
    "StreamResumed",
    "Welcome",
]

LEGS_MAX = 100
MESSAGES_MAX = 100  # in one frame
FRAME_BYTES_MAX = 16 * 1024


class List(Inbound, tag="list"):
    """Put a listing into the book (TR-60). Exactly one of ``price_ticks`` and ``price``."""

    client_order_id: Text
    instrument: Text
    side: Text
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: Text | None = None


class Take(Inbound, tag="take", gc=True):
    """Deal with one listing, or sweep ``legs`` [[order_no, qty_tonnes], ...] (TR-66)."""

    client_order_id: Text
    order_no: Int53 | None = None
    qty_tonnes: QtyTonnes | None = None
    legs: list[tuple[Int53, QtyTonnes]] | None = None


class TakeBest(Inbound, tag="take_best"):
    """Let the venue take from the best level on, within five levels and the limit price."""

    client_order_id: Text
    instrument: Text
    side: Text
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: Text | None = None


class Add(Inbound, tag="add"):
    """A limit order of an instrument in price-time mode."""

    client_order_id: Text
    instrument: Text
    side: Text
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: Text | None = None


class Amend(Inbound, tag="amend"):
    """New price and new total quantity of an order in price-time mode."""

    client_order_id: Text
    order_no: Int53
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: Text | None = None


class Cancel(Inbound, tag="cancel"):
    """Take an own open order back (TR-43). ``client_order_id`` names this request."""

    client_order_id: Text
    order_no: Int53


Listed = List | Take | TakeBest | Add | Amend | Cancel
Command = Listed | TraderRequest | OfficeRequest
Request = Login | Command | Question | Logout


class Accepted(Outbound, tag="accepted"):
    """The command is in the journal and in force. ``leaves_qty`` is what rests now."""

    report_seq: int
    seq: int
    time_us: int
    client_order_id: str
    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    leaves_qty: int
    frozen_fen: int
    leg: int = 0
    repeated: bool = False


class Refused(Outbound, tag="refused"):
    """Nothing happened. ``sequenced``: refused by the exchange, journalled; else by the gateway."""

    code: str
    reason: str
    clauses: str = ""
    client_order_id: str = ""
    sequenced: bool = False
    report_seq: int = 0
    seq: int = 0
    time_us: int = 0
    order_no: int = 0
    leg: int = 0
    repeated: bool = False
    retry_ms: int = 0


class Filled(Outbound, tag="filled"):
    """One owner's view of a trade. ``taker``: it took; ``modality``: listed, bulk or bidding."""

    report_seq: int
    seq: int
    time_us: int
    client_order_id: str
    order_no: int
    trade_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    leaves_qty: int
    amount_fen: int
    fee_fen: int = 0
    taker: bool = False
    leg: int = 0
    repeated: bool = False
    modality: str = "listed"
    request_id: str = ""


class Cancelled(Outbound, tag="cancelled"):
    """What was open is no more. ``request_id`` is the id of the owner's cancel, if he sent one."""

    report_seq: int
    seq: int
    time_us: int
    client_order_id: str
    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    released_fen: int
    code: str
    reason: str
    request_id: str = ""
    repeated: bool = False


class Lapsed(Outbound, tag="lapsed"):
    """Open at the close of the day, and no more (TR-43, ST-16)."""

    report_seq: int
    seq: int
    time_us: int
    client_order_id: str
    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    released_fen: int
    code: str
    reason: str
    repeated: bool = False


class Amended(Outbound, tag="amended"):
    """The order now has this price and this total; ``leaves_qty`` of it rests."""

    report_seq: int
    seq: int
    time_us: int
    client_order_id: str
    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    leaves_qty: int
    frozen_fen: int
    request_id: str = ""
    repeated: bool = False


Report = Accepted | Refused | Filled | Cancelled | Lapsed | Amended | RareReport
Message = Report | RareMessage | Challenge | Welcome | PhaseChanged | Answer | Error | Bye
