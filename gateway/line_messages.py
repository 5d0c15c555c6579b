"""What keeps a connection of order entry going: login, questions and their answers, good byes."""

from __future__ import annotations

import msgspec

from gateway.message_base import GraceMs, HeartbeatMs, Inbound, Int53, Outbound, Text


class Login(Inbound, tag="login"):
    """``signature`` = hex HMAC-SHA256(secret, nonce + ":" + time_us), see ``gateway.keys``.

    ``cancel_on_disconnect``: once the account's last such line is lost without a logout, its open
    orders end ``grace_ms`` later. With ``heartbeat_ms`` the venue says ``heartbeat`` that often,
    and lets a client go that has sent nothing for three of them.
    """

    key_id: Text
    time_us: Int53
    signature: Text
    cancel_on_disconnect: bool = True
    grace_ms: GraceMs = 10_000
    heartbeat_ms: HeartbeatMs = 0


class StatusRequest(Inbound, tag="status"):
    """What became of the command with this id?"""

    client_order_id: Text


class Resume(Inbound, tag="resume"):
    """Tell me my reports of ``date`` after number ``after`` again, then go on."""

    date: Int53
    after: Int53


class SnapshotRequest(Inbound, tag="snapshot"):
    """What do I have, and which report does that include?"""


class LimitsRequest(Inbound, tag="limits"):
    """What may I use, and how much of it is left?"""


class Ping(Inbound, tag="ping"):
    """Are you there? ``ref`` comes back in the pong."""

    ref: Int53 = 0


class Logout(Inbound, tag="logout"):
    """Good bye; orders stay."""


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


class Heartbeat(Outbound, tag="heartbeat", omit_defaults=False):
    """The line lives; ``report_seq`` is the account's last report: a gap shows in a quiet hour."""

    time_us: int
    seq: int
    report_seq: int


class StreamResumed(Outbound, tag="stream_resumed", omit_defaults=False):
    """The reports after ``after`` up to ``report_seq`` follow, if ``complete``; else none.

    Not complete: the day is another one by now, ask for a ``snapshot``.
    """

    date: int
    after: int
    report_seq: int
    complete: bool


class HoldingNow(msgspec.Struct, gc=False):
    """One vintage of an account, in tonnes."""

    instrument: str
    available_tonnes: int
    frozen_tonnes: int
    bought_today_tonnes: int
    judicial_tonnes: int


class OrderNow(msgspec.Struct, gc=False):
    """One open order."""

    order_no: int
    client_order_id: str
    kind: str
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    leaves_qty: int


class Snapshot(Outbound, tag="account", gc=True, omit_defaults=False):
    """Everything the account has after report ``report_seq``; open orders by number."""

    account: int
    date: int
    phase: str
    seq: int
    report_seq: int
    time_us: int
    cash_available_fen: int
    cash_frozen_fen: int
    cancel_on_disconnect: bool
    cancel_at_us: int
    holdings: list[HoldingNow]
    orders: list[OrderNow]


class LimitsNow(Outbound, tag="limits", omit_defaults=False):
    """What this line may send; ``orders_left`` at once, the rest by and by. 0: no bound."""

    orders_per_second: int
    orders_burst: int
    orders_left: int
    questions_per_second: int
    questions_burst: int
    lines_per_account_max: int
    open_orders_max: int
    open_orders: int
    frame_bytes_max: int
    frame_messages_max: int


class Status(Outbound, tag="status"):
    """``outcome``: accepted or refused by the exchange; pending (at the registry); turned_away by
    the gateway (it has no place in the journal); unknown: never heard of today.
    """

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
    retry_ms: int = 0


class Bye(Outbound, tag="bye"):
    """The last message before the venue closes the connection."""

    code: str
    reason: str


Question = StatusRequest | Resume | SnapshotRequest | LimitsRequest | Ping
Answer = Pong | Status | Heartbeat | StreamResumed | Snapshot | LimitsNow
