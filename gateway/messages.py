"""Every message of order entry: one definition for JSON and MessagePack.

For people: docs/reference/protocol.md.

Prices are ticks of 0.01 yuan, quantities whole tonnes, money fen, times microseconds since 1970
(UTC): all integers below 2**53, exact in every language. An unknown field is refused, since an
order with a misspelled field must not be accepted. Reports leave out fields at their default.
"""

from __future__ import annotations

from gateway.message_base import Inbound, Int53, Outbound, PriceTicks, QtyTonnes
from gateway.office_messages import OfficeRequest
from gateway.rare_messages import RareMessage, RareReport
from gateway.trader_messages import TraderRequest

__all__ = ["Inbound", "Int53", "Outbound"]  # bases, for the modules beside this one

LEGS_MAX = 100
MESSAGES_MAX = 100  # in one frame
FRAME_BYTES_MAX = 16 * 1024


class Login(Inbound, tag="login"):
    """``signature`` = hex HMAC-SHA256(secret, nonce + ":" + time_us), see ``gateway.keys``."""

    key_id: str
    time_us: Int53
    signature: str


class List(Inbound, tag="list"):
    """Put a listing into the book (TR-60). Exactly one of ``price_ticks`` and ``price``."""

    client_order_id: str
    instrument: str
    side: str
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: str | None = None


class Take(Inbound, tag="take", gc=True):
    """Deal with one listing, or sweep ``legs`` [[order_no, qty_tonnes], ...] (TR-66)."""

    client_order_id: str
    order_no: Int53 | None = None
    qty_tonnes: QtyTonnes | None = None
    legs: list[tuple[Int53, QtyTonnes]] | None = None


class TakeBest(Inbound, tag="take_best"):
    """Let the venue take from the best level on, within five levels and the limit price."""

    client_order_id: str
    instrument: str
    side: str
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: str | None = None


class Add(Inbound, tag="add"):
    """A limit order of an instrument in price-time mode."""

    client_order_id: str
    instrument: str
    side: str
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: str | None = None


class Amend(Inbound, tag="amend"):
    """New price and new total quantity of an order in price-time mode."""

    client_order_id: str
    order_no: Int53
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: str | None = None


class Cancel(Inbound, tag="cancel"):
    """Take an own open order back (TR-43). ``client_order_id`` names this request."""

    client_order_id: str
    order_no: Int53


class StatusRequest(Inbound, tag="status"):
    """What became of the command with this id?"""

    client_order_id: str


class Ping(Inbound, tag="ping"):
    """Are you there? ``ref`` comes back in the pong."""

    ref: Int53 = 0


class Logout(Inbound, tag="logout"):
    """Good bye; orders stay."""


Listed = List | Take | TakeBest | Add | Amend | Cancel
Command = Listed | TraderRequest | OfficeRequest
Request = Login | Command | StatusRequest | Ping | Logout


class Challenge(Outbound, tag="challenge"):
    """The first message of a connection: sign ``nonce`` and log in within ``login_within_ms``."""

    nonce: str
    time_us: int
    login_within_ms: int


class Welcome(Outbound, tag="welcome", omit_defaults=False):
    """Logged in. ``report_seq`` is the number of the account's last report of the day."""

    account: int
    date: int
    phase: str
    seq: int
    report_seq: int
    time_us: int


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


class PhaseChanged(Outbound, tag="phase_changed", omit_defaults=False):
    """Another part of the trading day has begun (TR-30…34). Not numbered."""

    date: int
    phase: str
    seq: int
    time_us: int


class Pong(Outbound, tag="pong", omit_defaults=False):
    """``seq`` is the exchange's last command, ``report_seq`` the account's last report."""

    ref: int
    time_us: int
    seq: int
    report_seq: int


class Status(Outbound, tag="status"):
    """``outcome``: accepted, refused, pending (at the registry), unknown (never came today)."""

    client_order_id: str
    outcome: str
    seq: int = 0
    report_seq: int = 0
    order_no: int = 0
    order_status: str = ""
    qty_tonnes: int = 0
    leaves_qty: int = 0
    code: str = ""
    reason: str = ""


class Error(Outbound, tag="error"):
    """The frame or message had no command in it that could be refused by its id."""

    code: str
    reason: str
    closes: bool = False


class Bye(Outbound, tag="bye"):
    """The last message before the venue closes the connection."""

    code: str
    reason: str


Report = Accepted | Refused | Filled | Cancelled | Lapsed | Amended | RareReport
Message = Report | RareMessage | Challenge | Welcome | PhaseChanged | Pong | Status | Error | Bye
