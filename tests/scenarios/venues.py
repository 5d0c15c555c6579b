"""Two venues that a scenario can be played on: the engine and its slow twin, behind one face."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np

from engine.exchange import Exchange
from engine.invariants import violations
from engine.records import OrderStatus, Side
from tests.property.agreement import FIELDS, engine_state, twin_state
from tests.reference import Twin
from tests.tapes import CommandDict, to_batch

Fields = dict[str, int]


class OpenOrder(NamedTuple):
    """One line of a book: who still offers or bids how much."""

    number: int
    account: int
    instrument: int
    side: int
    price_ticks: int
    leaves_qty: int


class Venue(Protocol):
    """What a scenario needs: send a command, look at the books."""

    def send(self, command: CommandDict) -> list[Fields]:
        """Do one command, return its events."""

    def state(self) -> dict[str, Any]:
        """Everything remembered, as plain values (see ``agreement.engine_state``)."""

    def order_base(self) -> int:
        """Order number before the day's first."""

    def problems(self) -> list[str]:
        """Broken invariants."""


class EngineVenue:
    """The exchange itself."""

    def __init__(self) -> None:
        self.exchange = Exchange()

    def send(self, command: CommandDict) -> list[Fields]:
        """Apply a batch of one."""
        events: np.ndarray = self.exchange.apply(to_batch([command]))
        return [dict(zip(FIELDS, row, strict=True)) for row in events.tolist()]

    def state(self) -> dict[str, Any]:
        """Read the arrays."""
        return engine_state(self.exchange)

    def order_base(self) -> int:
        """From the market's row."""
        return int(self.exchange.state.market[0]["order_base"])

    def problems(self) -> list[str]:
        """``engine.invariants``."""
        return violations(self.exchange.state)


class TwinVenue:
    """The slow twin."""

    def __init__(self) -> None:
        self.twin = Twin()

    def send(self, command: CommandDict) -> list[Fields]:
        """Apply one command."""
        return [{k: int(v) for k, v in event.items()} for event in self.twin.apply(command)]

    def state(self) -> dict[str, Any]:
        """Read the objects."""
        return twin_state(self.twin)

    def order_base(self) -> int:
        """The number before the oldest order of the day."""
        orders = self.twin.venue.orders
        return min(orders) - 1 if orders else self.twin.venue.order_no

    def problems(self) -> list[str]:
        """The twin's own invariants."""
        return self.twin.violations()


def open_orders(venue: Venue) -> list[OpenOrder]:
    """Return the open orders, oldest number first."""
    found = []
    base = venue.order_base()
    for row, order in enumerate(venue.state()["orders"], 1):
        _, leaves, _, price, account, instrument, side, status, _ = order
        if status in (OrderStatus.OPEN, OrderStatus.PART_FILLED):
            found.append(OpenOrder(base + row, account, instrument, side, price, leaves))
    return found


def order_status(venue: Venue, number: int) -> OrderStatus:
    """Return the state of one of today's orders."""
    row = venue.state()["orders"][number - venue.order_base() - 1]
    return OrderStatus(row[7])


def sides_of(orders: list[OpenOrder], instrument: int) -> dict[int, dict[int, list[OpenOrder]]]:
    """Group an instrument's open orders: side -> price -> orders, oldest first."""
    sides: dict[int, dict[int, list[OpenOrder]]] = {Side.BUY: {}, Side.SELL: {}}
    for order in orders:
        if order.instrument == instrument:
            sides[order.side].setdefault(order.price_ticks, []).append(order)
    return sides
