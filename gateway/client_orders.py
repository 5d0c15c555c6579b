"""Own orders, as the venue's reports tell of them, and the answers that commands wait for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from gateway import messages as m
from gateway.rare_messages import BulkOffered, Rare
from gateway.trader_messages import CancelAll, Kill

DONE = frozenset(("filled", "cancelled", "lapsed"))


class RefusedError(Exception):
    """The venue said no; nothing happened. ``code`` is stable, ``sentence`` is for people."""

    def __init__(self, code: str, sentence: str, clauses: str = "", order_id: str = "") -> None:
        super().__init__(f"{sentence} [{code}]")
        self.code = code
        self.sentence = sentence
        self.clauses = clauses
        self.client_order_id = order_id


class LineLostError(Exception):
    """The connection ended before the answer came: the outcome is unknown, ask with ``status``."""


@dataclass
class Order:
    """One of your orders as far as this connection was told."""

    client_order_id: str
    order_no: int
    instrument: str
    side: str
    price_ticks: int
    qty_tonnes: int
    leaves_qty: int
    status: str = "open"
    repeated: bool = False
    fills: list[m.Filled] = field(default_factory=list)

    @property
    def filled_qty(self) -> int:
        """Tonnes traded so far."""
        return sum(fill.qty_tonnes for fill in self.fills)

    @property
    def price(self) -> str:
        """The price in yuan, e.g. ``80.05``."""
        return f"{self.price_ticks // 100}.{self.price_ticks % 100:02d}"


Outcome = Order | RefusedError
Outcomes = list[Any]  # an Outcome per command or leg; of rare commands the report that answers


def identity_of(command: Any) -> str:
    """Return the id that a command's answers carry; an admission goes by its code."""
    found: str = getattr(command, "client_order_id", "") or command.instrument
    return found


@dataclass
class _Waiting:
    """Answers that a client order id still waits for."""

    future: asyncio.Future[Outcomes]
    left: int
    until_done: bool
    at_end: bool  # answered once all orders that it ends have ended
    got: Outcomes = field(default_factory=list)


class OwnOrders:
    """Every order this connection was told of, by number."""

    def __init__(self) -> None:
        self.by_number: dict[int, Order] = {}
        self.last_report_seq = 0
        self._waiting: dict[str, _Waiting] = {}

    def expect(self, command: m.Command) -> asyncio.Future[Outcomes]:
        """Return the future of the command's outcomes: one, or one per leg.

        A take is answered when it is done, anything else when it is accepted.
        """
        future: asyncio.Future[Outcomes] = asyncio.get_running_loop().create_future()
        legs = len(command.legs) if isinstance(command, m.Take) and command.legs else 1
        until_done = isinstance(command, m.Take | m.TakeBest)
        at_end = isinstance(command, CancelAll | Kill)
        self._waiting[identity_of(command)] = _Waiting(future, legs, until_done, at_end)
        return future

    def fail(self, error: Exception) -> None:
        """Give up every answer that is still waited for."""
        for waiting in self._waiting.values():
            if not waiting.future.done():
                waiting.future.set_exception(error)
        self._waiting.clear()

    def take_in(self, report: m.Report) -> None:
        """Bring the orders up to date with one report, and answer who waits for it."""
        if report.report_seq:
            self.last_report_seq = max(self.last_report_seq, report.report_seq)
        if isinstance(report, m.Refused):
            error = RefusedError(report.code, report.reason, report.clauses, report.client_order_id)
            self.answer(report.client_order_id, error)
        elif isinstance(report, m.Accepted):
            self._accepted(report)
        elif isinstance(report, Rare):
            if isinstance(report, BulkOffered) and report.by_you:
                self._new(report, report.qty_tonnes)
            self.answer(report.client_order_id, report)
        else:
            self._changed(report)

    def _accepted(self, report: m.Accepted) -> None:
        order = self.by_number.get(report.order_no)
        if order is None:
            order = self._new(report, report.qty_tonnes)
        order.repeated = report.repeated
        waiting = self._waiting.get(report.client_order_id)
        if waiting is not None and (not waiting.until_done or report.repeated):
            self.answer(report.client_order_id, order)

    def _changed(self, report: m.Filled | m.Cancelled | m.Lapsed | m.Amended) -> None:
        order = self.by_number.get(report.order_no)
        if order is None:
            order = self._new(report, 0)
        if isinstance(report, m.Filled):
            order.fills.append(report)
            order.leaves_qty = report.leaves_qty
            order.status = "part_filled" if report.leaves_qty else "filled"
        elif isinstance(report, m.Amended):
            order.price_ticks, order.qty_tonnes = report.price_ticks, report.qty_tonnes
            order.leaves_qty = report.leaves_qty
        else:
            order.leaves_qty = 0
            order.status = "lapsed" if isinstance(report, m.Lapsed) else "cancelled"
        order.repeated = report.repeated
        if isinstance(report, m.Cancelled | m.Amended) and report.request_id:
            asked = self._waiting.get(report.request_id)
            if asked is not None and not asked.at_end:
                self.answer(report.request_id, order)
        elif isinstance(report, m.Filled) and report.request_id:
            self.answer(report.request_id, report)
        waiting = self._waiting.get(order.client_order_id)
        if waiting is not None and waiting.until_done and order.status in DONE:
            self.answer(order.client_order_id, order)

    def answer(self, identity: str, outcome: Any) -> None:
        """Give what the venue said to who waits for the answer to this id."""
        waiting = self._waiting.get(identity)
        if waiting is None:
            return
        waiting.got.append(outcome)
        if len(waiting.got) >= waiting.left:
            del self._waiting[identity]
            if not waiting.future.done():
                waiting.future.set_result(waiting.got)

    def _new(self, report: Any, leaves_qty: int) -> Order:
        order = Order(
            client_order_id=report.client_order_id,
            order_no=report.order_no,
            instrument=report.instrument,
            side=report.side,
            price_ticks=report.price_ticks,
            qty_tonnes=report.qty_tonnes,
            leaves_qty=leaves_qty,
        )
        self.by_number[report.order_no] = order
        return order
