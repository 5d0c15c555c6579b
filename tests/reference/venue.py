"""What the twin remembers: accounts, instruments, today's trades, parameters, events to tell."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from sortedcontainers import SortedDict

from tests.reference.orders import Negotiation, Order, Session
from tests.reference.vocabulary import BOUNDS, Event, EventDict, Modality, Mode, Phase, Side

BLANK_EVENT: EventDict = {
    "seq": 0,
    "time_ns": 0,
    "order_no": 0,
    "other_order_no": 0,
    "trade_no": 0,
    "qty_tonnes": 0,
    "leaves_qty": 0,
    "other_leaves_qty": 0,
    "amount_fen": 0,
    "fee_fen": 0,
    "other_fee_fen": 0,
    "index": 0,
    "account": -1,
    "counterparty": -1,
    "price_ticks": 0,
    "date": 0,
    "instrument": -1,
    "kind": 0,
    "reason": 0,
    "side": 0,
    "modality": 0,
    "phase": 0,
    "leg": 0,
    "from_minute": 0,
    "until_minute": 0,
    "mode": 0,
    "tail": 0,
    "spare": 0,
}


@dataclass(slots=True)
class Holding:
    """Tonnes of one vintage on the trading side of one account (RG-06, TR-47)."""

    available: int = 0
    frozen: int = 0
    bought_today: int = 0
    sold_today: int = 0
    guarded: int = 0  # of the available ones (TR-116)
    judicial: int = 0  # frozen by a court (RG-15)

    @property
    def total(self) -> int:
        """Everything on the trading side, in tonnes."""
        return self.available + self.frozen + self.bought_today + self.judicial


@dataclass(slots=True)
class Account:
    """One trading account: money in fen, holdings by instrument, what it may not do."""

    number: int
    cash_available: int = 0
    cash_frozen: int = 0
    proceeds_today: int = 0
    open_orders: int = 0
    blocks: int = 0
    warned_stage: int = 0
    holding_max: int = 0  # 0 = no limit
    cancel_at_ns: int = 0  # when the timer runs out; 0 = not set
    cancel_on_disconnect: int = 0  # 1 = wanted
    holdings: defaultdict[int, Holding] = field(default_factory=lambda: defaultdict(Holding))

    @property
    def tonnes(self) -> int:
        """Tonnes of all vintages (TR-111, TR-112)."""
        return sum(holding.total for holding in self.holdings.values())


@dataclass(slots=True)
class Totals:
    """Volume and turnover of one way of trading one vintage (TR-142)."""

    day_qty: int = 0
    day_turnover: int = 0
    year_qty: int = 0
    year_turnover: int = 0
    all_qty: int = 0
    all_turnover: int = 0

    def add(self, qty: int, value: int) -> None:
        """Add a deal; a negative one undoes it."""
        for span in ("day", "year", "all"):
            for name, amount in ((f"{span}_qty", qty), (f"{span}_turnover", value)):
                setattr(self, name, getattr(self, name) + amount)


@dataclass(slots=True)
class Limits:
    """Lowest and highest price of one way of trading, of the day (TR-20…22)."""

    lower: int = 0
    upper: int = 0

    def hold(self, price: int) -> bool:
        """Whether a price lies inside."""
        return self.lower <= price <= self.upper


@dataclass(slots=True)
class Instrument:
    """One vintage: its book, its day's figures, its totals."""

    number: int
    code: bytes
    mode: Mode
    close: int
    reference: int = 0
    open: int = 0
    high: int = 0
    low: int = 0
    last: int = 0
    weight: int = 0
    tonnes_in: int = 0
    halted: bool = False
    days: int = 0
    limits: dict[Modality, Limits] = field(default_factory=lambda: {m: Limits() for m in Modality})
    totals: dict[Modality, Totals] = field(default_factory=lambda: {m: Totals() for m in Modality})
    # price -> {order number: order}, oldest first
    book: dict[Side, Any] = field(
        default_factory=lambda: {Side.BUY: SortedDict(), Side.SELL: SortedDict()}
    )

    @property
    def current(self) -> int:
        """Latest listed price of the day, before that the reference (TR-105)."""
        return self.last or self.reference

    def levels(self, side: Side) -> list[tuple[int, dict[int, Order]]]:
        """Occupied levels of a side, best first."""
        pairs = list(self.book[side].items())
        return pairs if side is Side.SELL else pairs[::-1]

    def best(self, side: Side) -> int | None:
        """Best price of a side in ticks; None when empty."""
        ladder = self.book[side]
        if not ladder:
            return None
        price: int = ladder.keys()[0 if side is Side.SELL else -1]
        return price

    def better_levels(self, side: Side, price: int) -> list[dict[int, Order]]:
        """Occupied levels of that side with a better price than this one."""
        ladder = self.book[side]
        if side is Side.SELL:
            return [ladder[p] for p in ladder.irange(maximum=price, inclusive=(True, False))]
        return [ladder[p] for p in ladder.irange(minimum=price, inclusive=(False, True))]

    def rest(self, order: Order) -> None:
        """Put an order at the end of its level."""
        self.book[order.side].setdefault(order.price, {})[order.number] = order

    def pull(self, order: Order) -> None:
        """Take an order out of its level."""
        ladder = self.book[order.side]
        del ladder[order.price][order.number]
        if not ladder[order.price]:
            del ladder[order.price]


@dataclass(slots=True)
class Trade:
    """A deal of today. Fees in fen."""

    number: int
    instrument: Instrument
    modality: Modality
    price: int
    qty: int
    buyer: Account
    seller: Account
    buy_no: int
    sell_no: int
    buy_fee: int
    sell_fee: int
    void: bool = False

    @property
    def value(self) -> int:
        """Price times quantity, in fen (ST-15)."""
        return self.price * self.qty


@dataclass(slots=True)
class Composite:
    """Sums of weight × price at the moments that count; 0 while nothing traded (TR-104, TR-105)."""

    close: int = 0  # in ticks, of the last closed day
    weights: int = 0
    open: int = 0
    high: int = 0
    low: int = 0


class Venue:
    """Everything the twin remembers, and the events of the command being done."""

    def __init__(self) -> None:
        self.seq = 0
        self.time_ns = 0
        self.date = 0
        self.phase = Phase.NEW
        self.halted = False
        self.accounts: list[Account] = []
        self.instruments: list[Instrument] = []
        self.parameters: dict[int, int] = dict.fromkeys(sorted(BOUNDS)[:-1], 0)  # by number
        self.orders: dict[int, Order] = {}  # today's, by number
        self.resting: dict[int, Order] = {}  # the open ones among them, of every way of trading
        self.negotiations: list[Negotiation] = []  # today's, in the order they were opened
        self.sessions: dict[int, Session] = {}  # today's, by number
        self.trades: dict[int, Trade] = {}  # today's, by number
        self.order_no = 0
        self.trade_no = 0
        self.session_no = 0
        self.instruction_no = 0
        self.file_tag = 0
        self.composite = Composite()
        self.cash_in = 0
        self.fees = 0
        self.events: list[EventDict] = []

    def tell(self, kind: Event, **fields: int) -> EventDict:
        """Add an event; fields not named stay blank."""
        event = BLANK_EVENT.copy()
        event.update(fields)
        event["kind"] = kind
        event["index"] = len(self.events)
        self.events.append(event)
        return event

    def tell_order(self, kind: Event, order: Order, **fields: int) -> EventDict:
        """Add an event about an order."""
        return self.tell(
            kind,
            order_no=order.number,
            account=order.account.number,
            instrument=order.instrument.number,
            side=order.side,
            price_ticks=order.price,
            modality=order.modality,
            **fields,
        )
