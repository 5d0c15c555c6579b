"""What an account's people send besides listed orders: bulk, bidding, transfers, cash, keys."""

from __future__ import annotations

from gateway.message_base import (
    AccountNo,
    Inbound,
    Int53,
    PriceTicks,
    QtyTonnes,
    Text,
    TimeoutMs,
    Words,
)


class BulkOffer(Inbound, tag="bulk_offer"):
    """Offer a bulk deal to everybody, or to the account ``counterparty`` (TR-70, TR-75)."""

    client_order_id: Text
    instrument: Text
    side: Text
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: Text | None = None
    counterparty: AccountNo | None = None


class BulkCounter(Inbound, tag="bulk_counter"):
    """Name other terms. The initiator says with ``counterparty`` whom it answers (TR-72, TR-73)."""

    client_order_id: Text
    order_no: Int53
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: Text | None = None
    counterparty: AccountNo | None = None


class BulkAccept(Inbound, tag="bulk_accept"):
    """Accept exactly these terms: an offer's own at once a deal, countered ones agreed (TR-70)."""

    client_order_id: Text
    order_no: Int53
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: Text | None = None
    counterparty: AccountNo | None = None


class BulkConfirm(Inbound, tag="bulk_confirm"):
    """Confirm the terms the other side accepted: the deal (TR-72)."""

    client_order_id: Text
    order_no: Int53
    counterparty: AccountNo | None = None


class BulkDecline(Inbound, tag="bulk_decline"):
    """End a negotiation; a directed offer ends when its counterparty declines (TR-72)."""

    client_order_id: Text
    order_no: Int53
    counterparty: AccountNo | None = None


class BulkWithdraw(Inbound, tag="bulk_withdraw"):
    """Take an own bulk offer back, and its negotiations with it (TR-72)."""

    client_order_id: Text
    order_no: Int53


class ApplySession(Inbound, tag="apply_session"):
    """Apply for a bidding session; ``pricing`` is uniform or pay_as_bid (TR-81…83)."""

    client_order_id: Text
    instrument: Text
    qty_tonnes: QtyTonnes
    side: Text = "sell"
    price_ticks: PriceTicks | None = None
    price: Text | None = None
    pricing: Text = "uniform"


class Bid(Inbound, tag="bid"):
    """Bid in an open session; sealed until it closes (TR-89, TR-90)."""

    client_order_id: Text
    session_no: Int53
    qty_tonnes: QtyTonnes
    price_ticks: PriceTicks | None = None
    price: Text | None = None


class CancelBid(Inbound, tag="cancel_bid"):
    """Take an own bid back while the session is open (TR-89)."""

    client_order_id: Text
    order_no: Int53


class TransferIn(Inbound, tag="transfer_in"):
    """Move allowances from the registry side to the trading side (RG-07, RG-08)."""

    client_order_id: Text
    instrument: Text
    qty_tonnes: QtyTonnes


class TransferOut(Inbound, tag="transfer_out"):
    """Move allowances from the trading side to the registry side (RG-07, RG-08)."""

    client_order_id: Text
    instrument: Text
    qty_tonnes: QtyTonnes


class CashIn(Inbound, tag="cash_in"):
    """Pay money in (ST-14). Exactly one of ``amount_fen`` and ``amount`` (yuan)."""

    client_order_id: Text
    amount_fen: Int53 | None = None
    amount: Text | None = None


class CashOut(Inbound, tag="cash_out"):
    """Take settled money out (ST-14). Exactly one of ``amount_fen`` and ``amount`` (yuan)."""

    client_order_id: Text
    amount_fen: Int53 | None = None
    amount: Text | None = None


class CancelAll(Inbound, tag="cancel_all"):
    """Take all own open orders back, of one instrument or one side if named (TR-43)."""

    client_order_id: Text
    instrument: Text | None = None
    side: Text | None = None


class CancelAfter(Inbound, tag="cancel_after"):
    """Dead-man's timer: all own open orders end in ``timeout_ms`` unless this is said again.

    0 switches it off; else 1,000 to 86,400,000. It runs in the venue's time, also over a restart.
    """

    client_order_id: Text
    timeout_ms: TimeoutMs


class Kill(Inbound, tag="kill", gc=True):
    """Cancel all own orders and block own buying and selling; the exchange may name others."""

    client_order_id: Text
    account: AccountNo | None = None
    instrument: Text | None = None
    blocks: Words | None = None


class CreateKey(Inbound, tag="create_key", gc=True):
    """Make a key of the own account in these roles; its secret is derived, see ``key_issued``."""

    client_order_id: Text
    roles: Words
    key_id: Text | None = None


class RotateKey(Inbound, tag="rotate_key"):
    """Give a key of the own account another secret; its connections end."""

    client_order_id: Text
    key_id: Text


class RevokeKey(Inbound, tag="revoke_key"):
    """Take a key of the own account away; its connections end."""

    client_order_id: Text
    key_id: Text


Negotiated = (
    BulkOffer
    | BulkCounter
    | BulkAccept
    | BulkConfirm
    | BulkDecline
    | BulkWithdraw
    | ApplySession
    | Bid
    | CancelBid
)
Moving = TransferIn | TransferOut | CashIn | CashOut
People = CreateKey | RotateKey | RevokeKey
Brakes = CancelAll | CancelAfter | Kill
TraderRequest = Negotiated | Moving | Brakes | People
