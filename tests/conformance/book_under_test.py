"""The bench a price–time book is put on: what it must offer, and the checks of every message.

A book is anything with the face of ``Book``. ``play`` sends it a case's messages one by one and
compares, after each: the reports with the case's table, depth with the table, and everything the
book shows (depth, queues, money, tonnes) with what follows from its own reports: a ``Witness``
believes the reports and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from tests.conformance.price_time_language import (
    AS_REPORTED,
    BUY,
    SELL,
    Case,
    Market,
    Message,
    Side,
    draw_levels,
)


class Report(NamedTuple):
    """One thing a book tells. ``kind``: accepted, trade, cancelled, stopped, amended, refused.

    ``stopped``: the rest of an incoming order ended before it met its own account's (TR-50).
    """

    kind: str
    order: int = 0  # whom it is about; of a trade, the incoming order
    qty: int = 0  # declared, traded, or what was open when it ended; of an amendment, the new total
    leaves: int = 0  # rests in the book now; of a trade, what the incoming order still wants
    price_ticks: int = 0
    maker: int = 0
    maker_leaves: int = 0
    was: int = 0  # of an amendment: what was open before it
    reason: str = ""
    amount_fen: int | None = None  # frozen, released, or the trade's value; None: knows no money
    fees_fen: tuple[int, int] | None = None  # of a trade: the incoming order's and the maker's


class Level(NamedTuple):
    """What stands at one price."""

    price_ticks: int
    qty: int
    orders: int


class Balance(NamedTuple):
    """What an account has: money in fen; per instrument tonnes available, frozen, bought today."""

    cash_fen: int
    frozen_fen: int
    goods: tuple[tuple[int, int, int], ...]


Depth = tuple[tuple[Level, ...], tuple[Level, ...]]  # bids and asks, best first
Queue = tuple[tuple[int, int], ...]  # (order, leaves), oldest first
Queues = tuple[dict[int, Queue], dict[int, Queue]]  # price -> queue, of bids and asks


class NotExpressibleError(Exception):
    """The book has no such message; the case is none for it."""


class Book(Protocol):
    """A price–time book under test. Accounts and instruments are rows, prices are in ticks.

    A book that cannot show queues, or keeps no accounts, returns None there.
    """

    def add(
        self, account: int, instrument: int, side: Side, price_ticks: int, qty: int, name: str
    ) -> list[Report]:
        """Send an order; ``name`` is the sender's own id for it (may be used again)."""

    def cancel(self, account: int, order: int) -> list[Report]:
        """Take an order back."""

    def amend(self, account: int, order: int, price_ticks: int, qty: int) -> list[Report]:
        """Give an order another price or total quantity."""

    def depth(self, instrument: int) -> Depth:
        """Return all levels of both sides."""

    def queues(self, instrument: int) -> Queues | None:
        """Return who stands where, in the order of execution."""

    def balances(self) -> list[Balance] | None:
        """Return what every account has."""

    def problems(self) -> list[str]:
        """Return the book's own broken invariants, in sentences."""


BookMaker = Callable[[Market], Book]


class BrokenError(AssertionError):
    """A book did not do what the case says."""


@dataclass
class Claim:
    """An open order, as the reports tell it."""

    account: int
    instrument: int
    side: Side
    price_ticks: int
    qty: int
    leaves: int
    lock_fen: int = 0  # what is left of a buyer's


class Witness:
    """What must be true if the reports are: open orders in their order, money, tonnes."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.open: dict[int, Claim] = {}  # by order number; younger ones further back
        self.known: set[int] = set()
        self.cash = [market.cash_fen(row) for row in range(market.accounts)]
        self.goods = [
            [[market.tonnes(row), 0] for _ in range(market.instruments)]  # held before, bought
            for row in range(market.accounts)
        ]

    def believe(self, message: Message, order: int, reports: list[Report]) -> None:
        """Take in the reports of one message; ``order``: the one it names, 0 for a new one."""
        head = reports[0]
        if head.kind == "accepted":
            if head.order in self.known:
                raise BrokenError(f"order number {head.order} was given before")
            self.known.add(head.order)
            side, price = message.side, message.price_ticks
            claim = Claim(message.account, message.instrument, side, price, message.qty, 0)
            self._check_echo(head, claim.price_ticks, claim.qty)
            self._arrive(head, claim, reports[1:])
        elif head.kind == "amended":
            self._amended(message, order, head, reports[1:])
        elif head.kind == "cancelled":
            claim = self._claim(head.order)
            if head.order != order or head.qty != claim.leaves:
                raise BrokenError(f"cancelled {head}, but {claim} was meant")
            self._check_amount(head, claim.lock_fen)
            del self.open[head.order]
        if head.kind in {"cancelled", "refused"} and len(reports) != 1:
            raise BrokenError(f"more is told than the end: {reports}")

    def _amended(self, message: Message, order: int, head: Report, rest: list[Report]) -> None:
        claim = self._claim(head.order)
        if head.order != order or head.was != claim.leaves:
            raise BrokenError(f"amended {head}, but {claim} was meant")
        self._check_echo(head, message.price_ticks, message.qty)
        filled = claim.qty - claim.leaves
        stays = claim.price_ticks == message.price_ticks and message.qty <= claim.qty
        claim.price_ticks, claim.qty, claim.leaves = message.price_ticks, message.qty, head.leaves
        if not stays:
            del self.open[head.order]
            self._arrive(head, claim, rest, filled)
            return
        if rest or head.leaves != message.qty - filled:
            raise BrokenError(f"a reduction must only reduce: {head}, {rest}")
        claim.lock_fen = self._lock(claim)
        self._check_amount(head, claim.lock_fen)

    def _arrive(self, head: Report, claim: Claim, rest: list[Report], filled: int = 0) -> None:
        """An incoming order: its trades, then what rests."""
        left = claim.leaves = claim.qty - filled
        claim.lock_fen = self._lock(claim)
        for report in rest:
            if report.order != head.order:
                raise BrokenError(f"{report} is not about the incoming order {head.order}")
            if report.kind == "trade":
                left -= report.qty
                claim.leaves = left
                self._trade(report, claim, left)
            elif report.kind == "stopped" and report.qty == left:
                left = 0
                self._check_amount(report, 0)
            else:
                raise BrokenError(f"{report} while {left} t were left")
        if head.leaves != left:
            raise BrokenError(f"{head.leaves} t are said to rest, {left} t are left")
        claim.leaves = left
        claim.lock_fen = min(self._lock(claim), claim.lock_fen) if left else 0
        self._check_amount(head, claim.lock_fen)
        if left:
            self.open[head.order] = claim

    def _trade(self, report: Report, taker: Claim, left: int) -> None:
        maker = self._claim(report.maker)
        maker.leaves -= report.qty
        if (report.leaves, report.maker_leaves) != (left, maker.leaves) or maker.leaves < 0:
            raise BrokenError(f"{report}: {left} t and {maker.leaves} t are left")
        if (maker.instrument, maker.side) != (taker.instrument, 3 - taker.side):
            raise BrokenError(f"{report} joins orders that cannot meet")
        if maker.leaves == 0:
            del self.open[report.maker]
        value = report.price_ticks * report.qty
        self._check_amount(report, value)
        buyer, seller = (taker, maker) if taker.side == BUY else (maker, taker)
        covered = buyer.lock_fen - value - buyer.price_ticks * buyer.leaves
        fees = min(self.market.fee(value), covered), min(self.market.fee(value), value)
        if report.fees_fen not in {None, fees if buyer is taker else fees[::-1]}:
            raise BrokenError(f"{report}: fees of buyer and seller are {fees}")
        buyer.lock_fen -= value + fees[0]
        self.cash[buyer.account] -= value + fees[0]
        self.cash[seller.account] += value - fees[1]
        self.goods[seller.account][taker.instrument][0] -= report.qty
        self.goods[buyer.account][taker.instrument][1] += report.qty  # not sold today (TR-47)

    def _claim(self, order: int) -> Claim:
        if order not in self.open:
            raise BrokenError(f"order {order} is not open")
        return self.open[order]

    def _check_echo(self, report: Report, price_ticks: int, qty: int) -> None:
        if (report.price_ticks, report.qty) != (price_ticks, qty):
            raise BrokenError(f"{report} does not repeat {qty} t at {price_ticks}")

    def _check_amount(self, report: Report, fen: int) -> None:
        if report.amount_fen not in {None, fen}:
            raise BrokenError(f"{report} names {report.amount_fen} fen instead of {fen}")

    def _lock(self, claim: Claim) -> int:
        return self.market.lock(claim.price_ticks, claim.leaves) if claim.side == BUY else 0

    def queues(self, instrument: int) -> Queues:
        """Return who stands where, oldest first."""
        found: tuple[dict[int, list[tuple[int, int]]], ...] = ({}, {})
        for number, claim in self.open.items():
            if claim.instrument == instrument:
                level = found[claim.side - 1].setdefault(claim.price_ticks, [])
                level.append((number, claim.leaves))
        bids, asks = ({price: tuple(level) for price, level in side.items()} for side in found)
        return bids, asks

    def depth(self, instrument: int) -> Depth:
        """Return the levels that the open orders make."""
        sides = self.queues(instrument)
        bids, asks = (
            tuple(
                Level(price, sum(leaves for _, leaves in side[price]), len(side[price]))
                for price in sorted(side, reverse=descending)
            )
            for side, descending in zip(sides, (True, False), strict=True)
        )
        return bids, asks

    def balances(self) -> list[Balance]:
        """Return what every account has and has frozen (TR-42, TR-47)."""
        market = self.market
        locks = [0] * market.accounts
        tied = [[0] * market.instruments for _ in locks]
        for claim in self.open.values():
            locks[claim.account] += claim.lock_fen
            tied[claim.account][claim.instrument] += claim.leaves * (claim.side == SELL)
        return [
            Balance(
                cash - locks[row],
                locks[row],
                tuple(
                    (held - frozen, frozen, bought)
                    for (held, bought), frozen in zip(self.goods[row], tied[row], strict=True)
                ),
            )
            for row, cash in enumerate(self.cash)
        ]


class Session:
    """A book, its witness, and the names that a case gives to orders."""

    def __init__(self, market: Market, book: Book) -> None:
        self.book = book
        self.witness = Witness(market)
        self.market = market
        self.numbers: dict[str, int] = {}
        self.names: dict[int, str] = {}

    def send(self, message: Message) -> list[Report]:
        """Send one message; return the reports, which the witness has believed."""
        book, number = self.book, 0
        if message.verb == "add":
            reports = book.add(
                *(message.account, message.instrument, message.side),
                *(message.price_ticks, message.qty, message.client_id),
            )
        else:
            plain = int(message.order[1:]) if message.order.startswith("#") else 0
            number = self.numbers.get(message.order, plain)
            if message.verb == "cancel":
                reports = book.cancel(message.account, number)
            else:
                reports = book.amend(message.account, number, message.price_ticks, message.qty)
        if not reports:
            raise BrokenError("nothing is told")
        self.witness.believe(message, number, reports)
        if reports[0].kind == "accepted":
            self.numbers[message.order] = reports[0].order
            self.names[reports[0].order] = message.order
        return reports

    def drawn(self, report: Report) -> str:
        """Write a report as the tables do."""
        order, price = self.names.get(report.order, "?"), f"{report.price_ticks / 100:.2f}"
        if report.kind == "trade":
            maker = self.names.get(report.maker, "?")
            return f"trade {maker} {report.qty} @ {price} leaves {report.leaves}/" + str(
                report.maker_leaves
            )
        if report.kind == "accepted":
            return f"accepted {order} rests {report.leaves}"
        if report.kind == "amended":
            return f"amended {order} {report.was} to {report.qty} rests {report.leaves}"
        if report.kind == "refused":
            return f"refused {report.reason}"
        return f"{report.kind} {order} {report.qty}"

    def look(self) -> None:
        """Compare everything the book shows with what follows from its reports."""
        for instrument in range(self.market.instruments):
            self._same("depth", self.book.depth(instrument), self.witness.depth(instrument))
            queues = self.book.queues(instrument)
            if queues is not None:
                self._same("queues", queues, self.witness.queues(instrument))
        balances = self.book.balances()
        if balances is not None:
            self._same("balances", balances, self.witness.balances())
        self._same("problems", self.book.problems(), [])

    @staticmethod
    def _same(what: str, seen: object, wanted: object) -> None:
        if seen != wanted:
            raise BrokenError(f"{what}: shows {seen}, its reports say {wanted}")


def play(case: Case, make: BookMaker) -> Book:
    """Put a book through a case; return it.

    Raises:
        BrokenError: reports, depth, queues, balances or invariants are not as they must be.
        NotExpressibleError: the book has no such message.
    """
    session = Session(case.market, make(case.market))
    for number, step in enumerate(case.steps, 1):
        where = f"{case.name}, message {number} ({step.text})"
        try:
            told = "; ".join(session.drawn(report) for report in session.send(step.message))
            if told != step.reports:
                raise BrokenError(f"told {told!r} instead of {step.reports!r}")
            _compare_depth(session, step.bids, step.asks)
            if number % case.look_every == 0 or number > len(case.steps) - 8:
                session.look()
        except BrokenError as error:
            raise BrokenError(f"{where}: {error}") from error
    return session.book


def _compare_depth(session: Session, bids: str, asks: str) -> None:
    if AS_REPORTED in {bids, asks}:
        return  # too long to write down; compared with the witness when the whole book is
    depths = [session.book.depth(row) for row in range(session.market.instruments)]
    drawn = [draw_levels([depth[half] for depth in depths]) for half in (0, 1)]
    if drawn != [bids, asks]:
        wanted = f"bids {bids!r}, asks {asks!r}"
        raise BrokenError(f"shows bids {drawn[0]!r}, asks {drawn[1]!r} instead of {wanted}")
