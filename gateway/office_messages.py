"""What people of the institutions send: sessions, measures, halts, and what needs two people."""

from __future__ import annotations

from gateway.message_base import AccountNo, Inbound, Int53, PriceTicks, QtyTonnes, Text, Words


class NoticeSession(Inbound, tag="notice_session"):
    """Publish a bidding session of today; ``opens`` and ``closes`` are HH:MM in Beijing (TR-81)."""

    client_order_id: Text
    session_no: Int53
    opens: Text
    closes: Text


class RejectSession(Inbound, tag="reject_session"):
    """End an application, or a session that is not open yet (TR-80)."""

    client_order_id: Text
    session_no: Int53


class BlockAccount(Inbound, tag="block_account", gc=True):
    """Set what an account may not do, [] lifts: buy sell transfer_out cash_out transfer_in."""

    client_order_id: Text
    account: AccountNo
    blocks: Words


class GuardHolding(Inbound, tag="guard_holding"):
    """So many available tonnes may not be sold or moved out (TR-116); 0 lifts."""

    client_order_id: Text
    account: AccountNo
    instrument: Text
    qty_tonnes: QtyTonnes


class LimitHolding(Inbound, tag="limit_holding"):
    """The most an account may hold of all vintages together (TR-111); 0 lifts."""

    client_order_id: Text
    account: AccountNo
    qty_tonnes: QtyTonnes


class WarnAccount(Inbound, tag="warn_account"):
    """Note a warning: 1 asked, 2 interviewed, 3 warned, 4 published (TR-113)."""

    client_order_id: Text
    account: AccountNo
    stage: Int53


class HaltInstrument(Inbound, tag="halt_instrument"):
    """Halt trading in one instrument (TR-117)."""

    client_order_id: Text
    instrument: Text


class ResumeInstrument(Inbound, tag="resume_instrument"):
    """Resume trading in one instrument (TR-117)."""

    client_order_id: Text
    instrument: Text


class HaltMarket(Inbound, tag="halt_market"):
    """Halt all trading (TR-117); cancels go on."""

    client_order_id: Text


class ResumeMarket(Inbound, tag="resume_market"):
    """Resume trading (TR-117)."""

    client_order_id: Text


class AdmitInstrument(Inbound, tag="admit_instrument"):
    """List an instrument before a day begins; its code stands for the id of the request."""

    instrument: Text
    price_ticks: PriceTicks | None = None
    price: Text | None = None


class Propose(Inbound, tag="propose"):
    """Ask for what two people decide (ST-07): ``action`` and exactly its fields."""

    client_order_id: Text
    action: Text
    trade_no: Int53 | None = None
    account: AccountNo | None = None
    instrument: Text | None = None
    qty_tonnes: QtyTonnes | None = None
    parameter: Text | None = None
    value: Int53 | None = None


class WithdrawProposal(Inbound, tag="withdraw_proposal"):
    """Take an own proposal back that nobody has decided about; nothing is executed."""

    client_order_id: Text
    proposal_id: Int53


class Approve(Inbound, tag="approve"):
    """Approve somebody else's proposal: exactly what was proposed is executed (ST-07)."""

    client_order_id: Text
    proposal_id: Int53


class RejectProposal(Inbound, tag="reject_proposal"):
    """Reject somebody else's proposal; nothing is executed."""

    client_order_id: Text
    proposal_id: Int53


OfficeRequest = (
    NoticeSession
    | RejectSession
    | BlockAccount
    | GuardHolding
    | LimitHolding
    | WarnAccount
    | HaltInstrument
    | ResumeInstrument
    | HaltMarket
    | ResumeMarket
    | AdmitInstrument
    | Propose
    | WithdrawProposal
    | Approve
    | RejectProposal
)
