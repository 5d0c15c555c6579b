"""What the venue sends about bulk, bidding, measures and movements; each is numbered per account.

``by_you``: the reader's own command caused it. Counterparties are named by the number of their
trading account only (U5).
"""

from __future__ import annotations

from gateway.wire.message_base import Outbound


class Rare(Outbound):
    """What every one begins with; ``client_order_id`` is that of the reader's own request."""

    report_seq: int
    seq: int
    time_us: int
    client_order_id: str


class BulkOffered(Rare, tag="bulk_offered"):
    """A bulk offer stands; told to its initiator, and to the one it is directed at (TR-75)."""

    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    counterparty: int
    by_you: bool = False
    frozen_fen: int = 0
    repeated: bool = False


class BulkCountered(Rare, tag="bulk_countered"):
    """Other terms were named; ``side`` is that of the offer (TR-72)."""

    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    counterparty: int
    by_you: bool = False
    frozen_fen: int = 0
    repeated: bool = False


class BulkAgreed(Rare, tag="bulk_agreed"):
    """The latest terms were accepted: who named them has to confirm (TR-72)."""

    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    counterparty: int
    by_you: bool = False
    frozen_fen: int = 0
    repeated: bool = False


class BulkDeclined(Rare, tag="bulk_declined"):
    """A negotiation has ended without a deal; ``code`` says why (TR-72)."""

    order_no: int
    instrument: str
    side: str
    counterparty: int
    code: str
    reason: str
    by_you: bool = False
    repeated: bool = False


class SessionReport(Rare):
    """A bidding session as its applicant, or the operator who acted, is told of it."""

    session_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    pricing: str
    opens: str = ""
    closes: str = ""
    code: str = ""
    reason: str = ""
    repeated: bool = False


class SessionApplied(SessionReport, tag="session_applied"):
    """The application is in the journal; the exchange will publish or reject it (TR-81)."""


class SessionNoticed(SessionReport, tag="session_noticed"):
    """Published, with its window; the applicant is locked from now on (TR-81, TR-91)."""

    order_no: int = 0
    frozen_fen: int = 0


class SessionOpened(SessionReport, tag="session_opened"):
    """Bids are taken from now on."""


class SessionClosed(SessionReport, tag="session_closed"):
    """Cleared: ``price_ticks`` is the marginal one, ``qty_tonnes`` was dealt (TR-84…88)."""

    leaves_qty: int = 0
    released_fen: int = 0


class SessionRejected(SessionReport, tag="session_rejected"):
    """Ended without clearing; what was frozen is released."""

    released_fen: int = 0


class AccountBlocked(Rare, tag="account_blocked"):
    """What the account may not do now (TR-113…116)."""

    account: int
    blocks: tuple[str, ...]
    repeated: bool = False


class HoldingGuarded(Rare, tag="holding_guarded"):
    """So many tonnes may not be sold or moved out (TR-116)."""

    account: int
    instrument: str
    qty_tonnes: int
    repeated: bool = False


class HoldingLimited(Rare, tag="holding_limited"):
    """The account may hold so many tonnes of all vintages, 0 = no limit (TR-111)."""

    account: int
    qty_tonnes: int
    repeated: bool = False


class AccountWarned(Rare, tag="account_warned"):
    """The account was warned (TR-113)."""

    account: int
    stage: int
    repeated: bool = False


class Halted(Rare, tag="halted"):
    """Trading is halted, in ``instrument`` or without it altogether (TR-117)."""

    instrument: str = ""
    repeated: bool = False


class Resumed(Rare, tag="resumed"):
    """Trading goes on, in ``instrument`` or without it altogether (TR-117)."""

    instrument: str = ""
    repeated: bool = False


class Killed(Rare, tag="killed"):
    """The kill switch was thrown; ``cancelled`` orders were open (TR-115, TR-117)."""

    cancelled: int
    account: int = -1
    instrument: str = ""
    repeated: bool = False


class MassCancelled(Rare, tag="mass_cancelled"):
    """``cancelled`` open orders ended at once: asked for, the line lost, or the timer run out."""

    cancelled: int
    instrument: str
    side: str
    code: str
    reason: str
    repeated: bool = False


class TimerSet(Rare, tag="timer_set"):
    """The dead-man's timer runs for ``timeout_ms`` from ``time_us`` on; 0 = it is off."""

    timeout_ms: int
    repeated: bool = False


class TradeVoided(Rare, tag="trade_voided"):
    """A trade was undone (TR-121); ``order_no``, ``side`` and ``fee_fen`` are yours."""

    trade_no: int
    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    amount_fen: int
    modality: str
    fee_fen: int = 0
    repeated: bool = False


class HoldingFrozen(Rare, tag="holding_frozen"):
    """A court froze tonnes (RG-15)."""

    account: int
    instrument: str
    qty_tonnes: int
    repeated: bool = False


class HoldingReleased(Rare, tag="holding_released"):
    """A court let go of tonnes (RG-15)."""

    account: int
    instrument: str
    qty_tonnes: int
    repeated: bool = False


class HoldingDeducted(Rare, tag="holding_deducted"):
    """Frozen tonnes left the exchange by a court's order (RG-15)."""

    account: int
    instrument: str
    qty_tonnes: int
    repeated: bool = False


class HoldingMoved(Rare, tag="holding_moved"):
    """Allowances came to the trading side (in) or left it (out): usable there now (RG-07)."""

    direction: str
    instrument: str
    qty_tonnes: int
    repeated: bool = False


class CashMoved(Rare, tag="cash_moved"):
    """Money came in or went out (ST-14)."""

    direction: str
    amount_fen: int
    repeated: bool = False


class InstrumentAdmitted(Rare, tag="instrument_admitted"):
    """The exchange lists it from the next day on."""

    instrument: str
    price_ticks: int
    repeated: bool = False


class ParameterChanged(Rare, tag="parameter_changed"):
    """A rule has this value from the next day on; ``instrument``: of a composite weight."""

    parameter: str
    value: int
    instrument: str = ""
    repeated: bool = False


class Proposal(Outbound, tag="proposal"):
    """Where a proposal stands: pending, approved, rejected, withdrawn. Told to both people."""

    client_order_id: str
    proposal_id: int
    status: str
    action: str
    maker: int
    checker: int = 0
    trade_no: int = 0
    account: int = -1
    instrument: str = ""
    qty_tonnes: int = 0
    parameter: str = ""
    value: int = 0


class KeyIssued(Outbound, tag="key_issued"):
    """A key was made or changed: its secret is HMAC-SHA256(your secret, key_id + ":" + salt)."""

    client_order_id: str
    key_id: str
    roles: tuple[str, ...]
    person: int
    salt: str


class KeyRevoked(Outbound, tag="key_revoked"):
    """This key is good for nothing any more."""

    client_order_id: str
    key_id: str


RareReport = (
    BulkOffered
    | BulkCountered
    | BulkAgreed
    | BulkDeclined
    | SessionApplied
    | SessionNoticed
    | SessionOpened
    | SessionClosed
    | SessionRejected
    | AccountBlocked
    | HoldingGuarded
    | HoldingLimited
    | AccountWarned
    | Halted
    | Resumed
    | Killed
    | MassCancelled
    | TimerSet
    | TradeVoided
    | HoldingFrozen
    | HoldingReleased
    | HoldingDeducted
    | HoldingMoved
    | CashMoved
    | InstrumentAdmitted
    | ParameterChanged
)
RareMessage = RareReport | Proposal | KeyIssued | KeyRevoked
