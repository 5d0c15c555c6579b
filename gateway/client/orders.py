"""Own orders and fills, as the venue's reports tell of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from gateway import messages as m
from gateway.rare_messages import BulkOffered, TradeVoided

DONE = frozenset(("filled", "cancelled", "lapsed", "ended"))


@dataclass
class Order:
    """One of your orders as far as this client was told.

    ``status``: open, part_filled, filled, cancelled, lapsed; or ended: its day ended while the line
    was away, and nobody told how (the day's statement does).
    """

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
    leg: int = 0

    @property
    def done(self) -> bool:
        """Whether nothing more can become of it."""
        return self.status in DONE

    @property
    def filled_qty(self) -> int:
        """Tonnes traded so far."""
        return sum(fill.qty_tonnes for fill in self.fills)

    @property
    def price(self) -> str:
        """The price in yuan, e.g. ``80.05``."""
        return f"{self.price_ticks // 100}.{self.price_ticks % 100:02d}"


class OwnOrders:
    """Every order this client was told of, by number, and the fills of the day."""

    def __init__(self) -> None:
        self.by_number: dict[int, Order] = {}
        self.fills: list[m.Filled] = []

    @property
    def open(self) -> list[Order]:
        """Orders that rest in the book, by number."""
        return [order for _, order in sorted(self.by_number.items()) if not order.done]

    def new_day(self) -> None:
        """Forget what is over; what was open when the line was lost has ended somehow."""
        self.by_number = {order.order_no: order for order in self.open}
        for order in self.by_number.values():
            order.status, order.leaves_qty = "ended", 0
        self.fills.clear()

    def forget(self) -> None:
        """Everything is told once more from the beginning."""
        self.by_number.clear()
        self.fills.clear()

    def agree(self, snapshot: m.Snapshot) -> None:
        """Know every open order that a snapshot names; what it does not name is over."""
        standing = {each.order_no: each for each in snapshot.orders}
        for order in self.open:
            if order.order_no not in standing:
                order.status, order.leaves_qty = "ended", 0
        for number, now in standing.items():
            order = self.by_number.get(number) or self._new(now, now.leaves_qty)
            order.leaves_qty = now.leaves_qty
            order.status = "open" if now.leaves_qty == now.qty_tonnes else "part_filled"

    def look_up(self, report: Any) -> Order | None:
        """Return the order a repeated report is about; make it if it was never told of."""
        if not isinstance(report, m.Accepted | m.Cancelled | m.Lapsed | m.Amended):
            return None
        order = self.by_number.get(report.order_no)
        if order is None:
            order = self.take_in(report)
        if order is not None:
            order.repeated = True
        return order

    def take_in(self, report: m.Report) -> Order | None:
        """Bring the orders up to date with one report; return the order it is about, if any."""
        match report:
            case m.Accepted():
                order = self.by_number.get(report.order_no)
                return order or self._new(report, report.leaves_qty)
            case BulkOffered(by_you=True):
                return self._new(report, report.qty_tonnes)
            case TradeVoided():
                self._void(report)
            case m.Filled() | m.Amended() | m.Cancelled() | m.Lapsed():
                return self._changed(report)
        return None

    def _changed(self, report: m.Filled | m.Cancelled | m.Lapsed | m.Amended) -> Order:
        order = self.by_number.get(report.order_no) or self._new(report, 0)
        match report:
            case m.Filled():
                order.fills.append(report)
                self.fills.append(report)
                order.leaves_qty = report.leaves_qty
                order.status = "part_filled" if report.leaves_qty else "filled"
            case m.Amended():
                order.price_ticks, order.qty_tonnes = report.price_ticks, report.qty_tonnes
                order.leaves_qty = report.leaves_qty
            case _:
                order.leaves_qty = 0
                order.status = "lapsed" if isinstance(report, m.Lapsed) else "cancelled"
        return order

    def _void(self, report: TradeVoided) -> None:
        """Strike a fill that the exchange has undone (TR-121)."""
        self.fills = [fill for fill in self.fills if fill.trade_no != report.trade_no]
        order = self.by_number.get(report.order_no)
        if order is not None:
            order.fills = [fill for fill in order.fills if fill.trade_no != report.trade_no]

    def _new(self, told: Any, leaves_qty: int) -> Order:
        order = Order(
            client_order_id=told.client_order_id,
            order_no=told.order_no,
            instrument=told.instrument,
            side=told.side,
            price_ticks=told.price_ticks,
            qty_tonnes=told.qty_tonnes,
            leaves_qty=leaves_qty,
            leg=getattr(told, "leg", 0),
        )
        self.by_number[told.order_no] = order
        return order
