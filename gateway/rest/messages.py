"""What the REST pages answer: one definition for the answer and for its OpenAPI schema."""

from __future__ import annotations

from typing import Any

from gateway.rest.message_base import Answer, Listed
from gateway.wire.rare_messages import Proposal
from marketdata.bulletin import Bulletin
from marketdata.messages import Bidding, Depth, Quote
from marketdata.surveillance_report import SurveillanceReport


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
    modality: str
    counterparty: int
    void: bool
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
    guarded_tonnes: int
    judicial_tonnes: int


class RegistryHolding(Answer):
    """What you have of one vintage at the registry (RG-06); ``trading_tonnes`` as it knows them."""

    instrument: str
    available_tonnes: int
    in_transit_tonnes: int
    judicial_tonnes: int
    trading_tonnes: int


class RegistryView(Answer):
    """Your side at the registry; it follows the exchange when a day is posted."""

    cash_fen: int
    cash_in_transit_fen: int
    holdings: list[RegistryHolding]


class AccountView(Answer):
    """Your money and your holdings; ``withdrawable_fen`` leaves out today's proceeds (TR-48)."""

    account: int
    cash_available_fen: int
    cash_frozen_fen: int
    proceeds_today_fen: int
    withdrawable_fen: int
    open_orders: int
    blocks: tuple[str, ...]
    holdings: list[HoldingView]
    registry: RegistryView | None = None


class NegotiationView(Answer):
    """A bulk negotiation of yours, with its latest terms, or an offer directed at you.

    ``side`` is the offer's, ``status`` offered, countered or agreed.
    """

    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    status: str
    initiator: bool
    counterparty: int
    your_terms: bool


class NegotiationList(Answer):
    """Your open negotiations of today in the order they were opened."""

    date: int
    negotiations: list[NegotiationView]


class StatementView(Answer):
    """Your daily statement in fen and tonnes (ST-05); ``status``: open, objected or accepted."""

    status: str
    date: int
    customer_no: str
    name: str
    trading_account: str
    registry_account: str
    opening_funds: int
    available_funds: int
    buy_amount: int
    buy_fee: int
    cash_in: int
    sell_amount: int
    sell_fee: int
    cash_out: int
    settlement_fee: int
    holdings: list[dict[str, Any]]
    modalities: list[dict[str, Any]]


class ObjectionRequest(Answer, forbid_unknown_fields=True):
    """What you have against a statement."""

    date: int
    wording: str


class ObjectionView(Answer):
    """The registry has your objection."""

    date: int
    time_us: int
    wording: str


class NoticeView(Answer):
    """What the registry has told you, or with ``account`` null the public (RG-13 … RG-15)."""

    number: int
    kind: str
    account: int | None
    at_ns: int
    time_us: int
    date: int
    sentence: str


class NoticeList(Listed):
    """What the registry has told you, oldest first."""

    notices: list[NoticeView]


class KeyView(Answer):
    """One of your account's keys."""

    key_id: str
    person: int
    roles: list[str]


class KeyList(Listed):
    """Your account's keys."""

    keys: list[KeyView]


class OfferView(Answer):
    """One public bulk offer."""

    order_no: int
    side: str
    price_ticks: int
    qty_tonnes: int


class BoardView(Answer):
    """Public bulk offers: buyers, then sellers, best price first (TR-75)."""

    instrument: str
    offers: list[OfferView]


class SessionList(Answer):
    """The latest word on each published bidding session of today (TR-81)."""

    instrument: str
    sessions: list[Bidding]


class SurveillanceDates(Answer):
    """Days with a surveillance report, YYYYMMDD."""

    dates: list[int]


class DisputeView(Answer):
    """What differs on a disputed day, in sentences, and what holds the next one (ST-17)."""

    date: int
    held: str
    report: list[str]


class RegistryRequest(Answer, forbid_unknown_fields=True):
    """What a maker of the registry asks for: an action and exactly its values."""

    action: str
    values: dict[str, Any]


class DecisionRequest(Answer, forbid_unknown_fields=True):
    """What a checker decides: to approve, with the hash of what was read, or to refuse."""

    number: int
    approve: bool
    sha256: str = ""
    note: str = ""


class WithdrawalRequest(Answer, forbid_unknown_fields=True):
    """What a maker takes back, and why."""

    number: int
    note: str


class RequestView(Answer):
    """A request at the registry: open, approved, refused or withdrawn; and its outcome."""

    number: int
    maker: int
    action: str
    values: dict[str, Any]
    sha256: str
    status: str
    checker: int
    note: str
    outcome: str
    reason: str


class RequestList(Listed):
    """Every request at the registry, in order."""

    requests: list[RequestView]


class DefaultList(Answer):
    """The settlement risk reserve and what is missing from whom."""

    reserve_fen: int
    defaults: list[dict[str, Any]]


class ProposalList(Listed):
    """What makers asked for, and who decided how."""

    proposals: list[Proposal]


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


class Ready(Answer):
    """Orders are taken in these markets."""

    ready: bool
    markets: list[str]


class Problem(Answer, omit_defaults=True):
    """Why a request was refused: a stable code, a sentence, and the rules where there are any."""

    code: str
    reason: str
    clauses: str = ""


DOCUMENTED: tuple[type, ...] = (
    NegotiationList,
    StatementView,
    ObjectionRequest,
    ObjectionView,
    NoticeList,
    KeyList,
    BoardView,
    SessionList,
    SurveillanceDates,
    SurveillanceReport,
    DisputeView,
    ProposalList,
    RegistryRequest,
    DecisionRequest,
    WithdrawalRequest,
    RequestView,
    RequestList,
    DefaultList,
    InstrumentList,
    OrderList,
    TradeList,
    AccountView,
    DepthView,
    BulletinDates,
    Bulletin,
    Health,
    Ready,
    Problem,
)
