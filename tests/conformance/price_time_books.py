"""The books that are put on the bench: engine, market data, reference twin, yardstick, model."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import numpy as np

from benchmarks.yardstick import PlainBook
from engine.exchange import Exchange
from engine.invariants import violations
from engine.reasons import Reason
from engine.records import EVENT, Event, Kind, Mode, Parameter, Phase
from marketdata.feed import Feed
from tests.conformance.book_under_test import (
    Balance,
    Book,
    BookMaker,
    BrokenError,
    Depth,
    Level,
    NotExpressibleError,
    Queue,
    Queues,
    Report,
)
from tests.conformance.price_time_language import BUY, SELL, Market, Side
from tests.conformance.price_time_model import FifoBook
from tests.reference import Twin
from tests.scenarios.floor import MONDAY, NATIONAL_RULES
from tests.tapes import BLANK, CommandDict, to_batch

FIELDS = EVENT.names or ()
Fields = dict[str, int]
PARTS = ("available", "frozen", "bought_today")
ALL_LEVELS = 10**6


def opening(market: Market) -> Iterable[CommandDict]:
    """The commands that make an empty market of price–time books, on the morning of a day."""
    rules = NATIONAL_RULES | {
        Parameter.LISTED_BAND_BP: market.band_bp,
        Parameter.LISTED_QTY_MAX: market.qty_max,
        Parameter.OPEN_ORDERS_MAX: market.open_orders_max,
        Parameter.LISTED_TRADING_FEE_PPM: market.fee_ppm,
    }
    for parameter, value in rules.items():
        yield BLANK | {"kind": Kind.SET_PARAMETER, "ref": parameter, "amount": value}
    for row in range(market.instruments):
        terms = {"price_ticks": market.reference_ticks, "mode": Mode.PRICE_TIME}
        yield BLANK | {"kind": Kind.ADMIT_INSTRUMENT, "instrument": row, **terms}
    for account in range(market.accounts):
        yield BLANK | {"kind": Kind.OPEN_ACCOUNT, "account": account}
        if market.cash_fen(account):
            cash = {"account": account, "amount": market.cash_fen(account)}
            yield BLANK | {"kind": Kind.CASH_IN, **cash}
        for row in range(market.instruments if market.tonnes(account) else 0):
            goods = {"instrument": row, "qty_tonnes": market.tonnes(account)}
            yield BLANK | {"kind": Kind.TRANSFER_IN, "account": account, **goods}
    yield BLANK | {"kind": Kind.BEGIN_DAY, "ref": MONDAY}
    yield BLANK | {"kind": Kind.SET_PHASE, "ref": Phase.MORNING}


class CommandBook:
    """A book behind commands and events; ``apply`` does one numbered command."""

    def __init__(self, market: Market, apply: Callable[[CommandDict], list[Fields]]) -> None:
        self.market = market
        self.apply = apply
        self.commands: list[CommandDict] = []
        for command in opening(market):
            events = self.send(command)
            assert Event.REFUSED not in [event["kind"] for event in events], command

    def send(self, command: CommandDict) -> list[Fields]:
        """Number a command and do it."""
        number = len(self.commands) + 1
        self.commands.append(command | {"seq": number, "time_ns": number})
        return self.apply(self.commands[-1])

    def add(
        self, account: int, instrument: int, side: Side, price_ticks: int, qty: int, name: str
    ) -> list[Report]:
        """ADD."""
        who = {"account": account, "instrument": instrument, "side": side}
        terms = {"price_ticks": price_ticks, "qty_tonnes": qty, "client_order_id": name.encode()}
        return reports_of(self.send(BLANK | {"kind": Kind.ADD, **who, **terms}))

    def cancel(self, account: int, order: int) -> list[Report]:
        """CANCEL."""
        return reports_of(
            self.send(BLANK | {"kind": Kind.CANCEL, "account": account, "ref": order})
        )

    def amend(self, account: int, order: int, price_ticks: int, qty: int) -> list[Report]:
        """AMEND."""
        terms = {"ref": order, "price_ticks": price_ticks, "qty_tonnes": qty}
        return reports_of(self.send(BLANK | {"kind": Kind.AMEND, "account": account, **terms}))


def reports_of(events: list[Fields]) -> list[Report]:
    """Write one command's events as reports; PULLED and AMENDED make one."""
    for one, two in pairwise(events):
        if (two["kind"] == Event.AMENDED) != (one["kind"] == Event.PULLED):
            raise BrokenError("PULLED and AMENDED belong together")
    return [_report(event, events[0]) for event in events if event["kind"] != Event.PULLED]


def _report(e: Fields, first: Fields) -> Report:
    order, qty, left, price = e["order_no"], e["qty_tonnes"], e["leaves_qty"], e["price_ticks"]
    kind, reason, amount = e["kind"], e["reason"], e["amount_fen"]
    if kind == Event.ACCEPTED:
        return Report("accepted", order, qty, left, price, amount_fen=amount)
    if kind == Event.TRADED:
        maker = (e["other_order_no"], e["other_leaves_qty"])
        fees = (e["fee_fen"], e["other_fee_fen"])
        return Report("trade", order, qty, left, price, *maker, amount_fen=amount, fees_fen=fees)
    if kind == Event.AMENDED:
        was = first["qty_tonnes"]
        return Report("amended", order, qty, left, price, was=was, amount_fen=amount)
    if kind == Event.CANCELLED and reason in {Reason.BY_OWNER, Reason.SELF_TRADE}:
        name = "cancelled" if reason == Reason.BY_OWNER else "stopped"
        return Report(name, order, qty, amount_fen=amount)
    if kind == Event.REFUSED:
        return Report("refused", reason=Reason(reason).code)
    raise BrokenError(f"no event of a price–time book: {e}")


def _parts(holding: Any) -> tuple[int, int, int]:
    available, frozen, bought = (int(holding[f"{part}_tonnes"]) for part in PARTS)
    return available, frozen, bought


class EngineBook(CommandBook):
    """The exchange, in batches of one."""

    def __init__(self, market: Market) -> None:
        self.exchange = Exchange(instruments_max=2)
        self.events: list[np.ndarray] = []
        super().__init__(market, self.do)

    def do(self, command: CommandDict) -> list[Fields]:
        """Apply a batch of one."""
        self.events.append(self.exchange.apply(to_batch([command])))
        return [dict(zip(FIELDS, row, strict=True)) for row in self.events[-1].tolist()]

    def _levels(self, instrument: int, side: Side) -> list[tuple[int, Any]]:
        """(price, record) of the occupied levels from the book's best one, best first."""
        state = self.exchange.state
        book, row = 2 * instrument + side - 1, state.instruments[instrument]
        start = int(state.books[book]["best_rank"])
        levels = state.levels[book * state.width : (book + 1) * state.width]
        ranks = [r for r in np.flatnonzero(levels["orders"]).tolist() if r >= start]
        lower, upper = int(row["lower_limit_ticks"]), int(row["upper_limit_ticks"])
        return [(lower + r if side == SELL else upper - r, levels[r]) for r in ranks]

    def depth(self, instrument: int) -> Depth:
        """From the levels' own totals."""
        bids, asks = (
            tuple(
                Level(price, int(level["qty_tonnes"]), int(level["orders"]))
                for price, level in self._levels(instrument, side)
            )
            for side in (BUY, SELL)
        )
        return bids, asks

    def queues(self, instrument: int) -> Queues | None:
        """From the levels' chains."""
        bids, asks = (
            {price: self._chain(int(level["head"])) for price, level in levels}
            for levels in (self._levels(instrument, BUY), self._levels(instrument, SELL))
        )
        return bids, asks

    def _chain(self, row: int) -> Queue:
        state, found = self.exchange.state, []
        while row:
            order = state.orders[row]
            found.append((int(state.market[0]["order_base"]) + row, int(order["leaves_qty"])))
            row = int(order["next"])
        return tuple(found)

    def balances(self) -> list[Balance] | None:
        """From the ledger."""
        state, market = self.exchange.state, self.market
        return [
            Balance(
                int(state.accounts[account]["cash_available_fen"]),
                int(state.accounts[account]["cash_frozen_fen"]),
                tuple(_parts(state.holdings[account, row]) for row in range(market.instruments)),
            )
            for account in range(market.accounts)
        ]

    def problems(self) -> list[str]:
        """``engine.invariants``."""
        return violations(self.exchange.state)


class FeedBook(EngineBook):
    """The engine as it looks from outside: depth and queues kept by market data from events."""

    def __init__(self, market: Market) -> None:
        self.feed = Feed()
        super().__init__(market)

    def do(self, command: CommandDict) -> list[Fields]:
        """Apply a batch of one and tell the feed."""
        fields = super().do(command)
        self.feed.absorb(self.events[-1])
        return fields

    def _halves(self, instrument: int) -> tuple[Any, Any]:
        book = self.feed.books[instrument]
        return book.buy, book.sell

    def depth(self, instrument: int) -> Depth:
        """As published."""
        bids, asks = (
            tuple(Level(*_first_three(level)) for level in half.best(ALL_LEVELS))
            for half in self._halves(instrument)
        )
        return bids, asks

    def queues(self, instrument: int) -> Queues | None:
        """As published."""
        bids, asks = (
            {key * half.sign: half.listings(key * half.sign) for key in half.keys}
            for half in self._halves(instrument)
        )
        return bids, asks


def _first_three(level: Any) -> tuple[int, int, int]:
    """Price, tonnes and number of orders of a published level."""
    return level.price_ticks, level.qty_tonnes, level.orders


class TwinBook(CommandBook):
    """The reference twin."""

    def __init__(self, market: Market) -> None:
        self.twin = Twin()
        super().__init__(market, self._do)

    def _do(self, command: CommandDict) -> list[Fields]:
        return [{k: int(v) for k, v in event.items()} for event in self.twin.apply(command)]

    def queues(self, instrument: int) -> Queues | None:
        """From its ordinary objects."""
        book = self.twin.venue.instruments[instrument].book
        bids, asks = (
            {
                price: tuple((number, order.leaves) for number, order in level.items())
                for price, level in book[side].items()
            }
            for side in sorted(book)
        )
        return bids, asks

    def depth(self, instrument: int) -> Depth:
        """Added up: the twin keeps no totals of levels."""
        queues = self.queues(instrument)
        assert queues is not None
        bids, asks = (
            tuple(
                Level(price, sum(leaves for _, leaves in half[price]), len(half[price]))
                for price in sorted(half, reverse=descending)
            )
            for half, descending in zip(queues, (True, False), strict=True)
        )
        return bids, asks

    def balances(self) -> list[Balance] | None:
        """From its accounts."""
        found = []
        for account in range(self.market.accounts):
            available, frozen, _ = self.twin.cash(account)
            held = [self.twin.holding(account, row) for row in range(self.market.instruments)]
            goods = tuple((h.available, h.frozen, h.bought_today) for h in held)
            found.append(Balance(available, frozen, goods))
        return found

    def problems(self) -> list[str]:
        """The twin's own invariants."""
        return self.twin.violations()


class _ToldBook(PlainBook):
    """The yardstick, its trades written down: (maker's number, quantity, maker's rest, price)."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[int, int, int, int]] = []

    def _trade(self, maker: list[Any], qty: int) -> None:
        super()._trade(maker, qty)
        self.told.append((maker[0], qty, maker[3], abs(maker[2])))


class YardstickBook:
    """The benchmarks' yardstick: no accounts, no limits, no refusals but of an unknown order."""

    def __init__(self, market: Market) -> None:
        if market != Market():
            raise NotExpressibleError
        self.plain = _ToldBook()
        self.account: dict[int, int] = {}
        self.total: dict[int, int] = {}

    def add(
        self, account: int, instrument: int, side: Side, price_ticks: int, qty: int, name: str
    ) -> list[Report]:
        """Add; what it cannot refuse is none of its cases."""
        lower, upper = Market().limits()
        if not (lower <= price_ticks <= upper and 0 < qty <= Market().qty_max):
            raise NotExpressibleError
        number = len(self.account) + 1
        self.account[number], self.total[number] = account, qty
        told = Report("accepted", number, qty, price_ticks=price_ticks)
        return self._arrive(told, number, side, price_ticks, qty)

    def _arrive(
        self, told: Report, number: int, side: Side, price_ticks: int, qty: int
    ) -> list[Report]:
        self.plain.told.clear()
        self.plain.add(number, side, price_ticks, qty)
        reports, left = [], qty
        for maker, traded, rest, price in self.plain.told:
            if self.account[maker] == self.account[number]:
                raise NotExpressibleError
            left -= traded
            reports.append(Report("trade", number, traded, left, price, maker, rest))
        return [told._replace(leaves=left), *reports]

    def cancel(self, account: int, order: int) -> list[Report]:
        """Drop; a number it does not know is refused."""
        if order not in self.plain.orders:
            return [Report("refused", reason="unknown_order")]
        if self.account[order] != account:
            raise NotExpressibleError
        left = self.plain.orders[order][3]
        self.plain.cancel(order)
        return [Report("cancelled", order, left)]

    def amend(self, account: int, order: int, price_ticks: int, qty: int) -> list[Report]:
        """Reduce in place, or replace."""
        entry = self.plain.orders.get(order)
        if entry is None:
            return [Report("refused", reason="unknown_order")]
        _, side, key, left, _ = entry
        filled, less = self.total[order] - left, self.total[order] - qty
        lower, upper = Market().limits()
        if self.account[order] != account or qty <= filled or not lower <= price_ticks <= upper:
            raise NotExpressibleError
        self.total[order] = qty
        told = Report("amended", order, qty, price_ticks=price_ticks, was=left)
        if abs(key) == price_ticks and less >= 0:
            entry[3] -= less  # PlainBook's REDUCE
            return [told._replace(leaves=left - less)]
        self.plain.cancel(order)
        return self._arrive(told, order, side, price_ticks, qty - filled)

    def depth(self, instrument: int) -> Depth:
        """Added up from its queues."""
        bids, asks = (
            tuple(
                Level(abs(key), sum(o[3] for o in queue), alive)
                for key, (queue, alive) in self.plain.sides[side].items()
            )
            for side in (BUY, SELL)
        )
        return bids, asks

    def queues(self, instrument: int) -> Queues | None:
        """From its queues, without the dead in them."""
        bids, asks = (
            {
                abs(key): tuple((o[0], o[3]) for o in queue if o[3])
                for key, (queue, _) in self.plain.sides[side].items()
            }
            for side in (BUY, SELL)
        )
        return bids, asks

    def balances(self) -> list[Balance] | None:
        """It keeps no accounts."""
        return None

    def problems(self) -> list[str]:
        """It does not look at itself."""
        return []


BOOKS: dict[str, BookMaker] = {
    "engine": EngineBook,
    "market data": FeedBook,
    "twin": TwinBook,
    "model": FifoBook,
}


def check_faces() -> tuple[type[Book], ...]:
    """Return all books as what a type checker must take for one."""
    return EngineBook, FeedBook, TwinBook, FifoBook, YardstickBook
