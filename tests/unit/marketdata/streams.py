"""Event streams for the market data tests: single events by hand and long seeded random streams.

The random stream is a small truth of its own: it keeps the resting orders in one flat dict, so what
the feed shows can be compared with a picture computed without books, levels or keys.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.reasons import Reason
from engine.records import EVENT, Event, Modality, Phase, Side

DATE = 20260820
TIME_NS = 1_787_190_600_000_000_000


def event(kind: Event, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, **fields}


def batch(*rows: dict[str, Any]) -> np.ndarray:
    """Return the events as the engine would, with rising seq, a time and the usual -1s."""
    events = np.zeros(len(rows), EVENT)
    for name in ("account", "counterparty", "instrument"):
        events[name] = -1
    events["date"] = DATE
    events["phase"] = Phase.MORNING
    events["seq"] = np.arange(1, len(rows) + 1)
    events["time_ns"] = TIME_NS + np.arange(len(rows)) * 1_000_000
    for row, fields in zip(events, rows, strict=True):
        for name, value in fields.items():
            row[name] = value
    return events


def admitted(references: list[int], weights: list[int] | None = None) -> list[dict[str, Any]]:
    rows = [
        event(Event.INSTRUMENT_ADMITTED, instrument=row, price_ticks=price, phase=Phase.NEW)
        for row, price in enumerate(references)
    ]
    rows += [
        event(
            Event.PARAMETER_CHANGED,
            instrument=row,
            order_no=100,
            qty_tonnes=weight,
            phase=Phase.NEW,
        )
        for row, weight in enumerate(weights or [])
    ]
    return rows


def day_begun(references: list[int], date: int = DATE) -> list[dict[str, Any]]:
    rows = [event(Event.PHASE_CHANGED, phase=Phase.PRE_OPEN, date=date)]
    for row, price in enumerate(references):
        for kind, ticks in (
            (Event.REFERENCE_SET, price),
            (Event.UPPER_LIMIT_SET, (price * 11 + 5) // 10),
            (Event.LOWER_LIMIT_SET, (price * 9 + 5) // 10),
        ):
            rows.append(
                event(kind, instrument=row, price_ticks=ticks, phase=Phase.PRE_OPEN, date=date)
            )
    return rows


def day_closed(
    closes: list[int], composite: int, date: int = DATE, line: tuple[int, int, int] | None = None
) -> list[dict[str, Any]]:
    """The close; ``line`` is the composite's open, high and low as the engine gives them."""
    rows = [
        event(Event.CLOSE_SET, instrument=row, price_ticks=price, phase=Phase.CLOSED, date=date)
        for row, price in enumerate(closes)
    ]
    kinds = (Event.COMPOSITE_OPEN_SET, Event.COMPOSITE_HIGH_SET, Event.COMPOSITE_LOW_SET)
    rows += [
        event(kind, price_ticks=price, phase=Phase.CLOSED, date=date)
        for kind, price in zip(kinds, line or (), strict=line is not None)
    ]
    rows.append(event(Event.COMPOSITE_SET, price_ticks=composite, phase=Phase.CLOSED, date=date))
    rows.append(event(Event.PHASE_CHANGED, phase=Phase.CLOSED, date=date))
    return rows


def traded(
    instrument: int, price: int, qty: int, modality: int = Modality.BULK, **fields: Any
) -> dict[str, Any]:
    """A trade that touches no book unless it is told so with modality 10 and order numbers."""
    return event(
        Event.TRADED,
        **{
            "instrument": instrument,
            "price_ticks": price,
            "qty_tonnes": qty,
            "amount_fen": price * qty,
            "modality": modality,
            "side": Side.BUY,
            "trade_no": 1,
            **fields,
        },
    )


def listed_and_taken(
    instrument: int, price: int, qty: int, order_no: int, trade_no: int = 0, **fields: Any
) -> list[dict[str, Any]]:
    """A sell listing of exactly ``qty`` and a buyer who takes it all."""
    listing = event(
        Event.ACCEPTED,
        instrument=instrument,
        side=Side.SELL,
        price_ticks=price,
        qty_tonnes=qty,
        leaves_qty=qty,
        order_no=order_no,
        modality=Modality.LISTED,
        **fields,
    )
    take = {**listing, "side": Side.BUY, "order_no": order_no + 1, "leaves_qty": 0}
    deal = traded(
        instrument,
        price,
        qty,
        Modality.LISTED,
        order_no=order_no + 1,
        other_order_no=order_no,
        trade_no=trade_no or order_no,
        **fields,
    )
    return [listing, take, deal]


@dataclass
class Resting:
    instrument: int
    side: int
    price: int
    leaves: int
    account: int


@dataclass
class RandomMarket:
    """Makes events of a plausible market; ``resting`` is the truth about the book at any moment."""

    seed: int
    instruments: int = 2
    accounts: int = 30
    resting: dict[int, Resting] = field(default_factory=dict)
    orders: int = 0
    trades: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def start(self) -> list[dict[str, Any]]:
        references = [10_000] * self.instruments
        return admitted(references, [1] * self.instruments) + day_begun(references)

    def step(self) -> list[dict[str, Any]]:
        draw = self.random.random()
        if not self.resting or (draw < 0.45 and len(self.resting) < 400):
            return self._list()
        if draw < 0.70:
            return self._take()
        if draw < 0.75:
            return [event(Event.REFUSED, reason=Reason.PRICE_OUT_OF_BAND, account=3)]
        if draw < 0.85:
            return self._amend()
        return self._cancel()

    def _list(self) -> list[dict[str, Any]]:
        side = self.random.choice((Side.BUY, Side.SELL))
        away = self.random.randrange(1, 9)
        self.orders += 1
        order = Resting(
            self.random.randrange(self.instruments),
            int(side),
            10_000 + (away if side == Side.SELL else -away),
            self.random.randrange(1, 500),
            self.random.randrange(self.accounts),
        )
        self.resting[self.orders] = order
        return [self._owned(Event.ACCEPTED, self.orders, order, qty=order.leaves)]

    def _owned(
        self, kind: Event, number: int, order: Resting, qty: int, **fields: Any
    ) -> dict[str, Any]:
        return event(
            kind,
            **{
                "order_no": number,
                "account": order.account,
                "instrument": order.instrument,
                "side": order.side,
                "price_ticks": order.price,
                "qty_tonnes": qty,
                "leaves_qty": order.leaves,
                "amount_fen": 77_000_000_000 + order.account,
                "modality": Modality.LISTED,
                **fields,
            },
        )

    def _take(self) -> list[dict[str, Any]]:
        number, order = self.random.choice(list(self.resting.items()))
        qty = self.random.randrange(1, order.leaves + 1)
        remainder = self.random.choice((0, 0, 25))
        self.orders += 1
        self.trades += 1
        order.leaves -= qty
        if not order.leaves:
            del self.resting[number]
        taker = Resting(order.instrument, 3 - order.side, order.price, 0, order.account + 1)
        rows = [
            self._owned(Event.ACCEPTED, self.orders, taker, qty=qty + remainder),
            self._owned(
                Event.TRADED,
                self.orders,
                taker,
                qty=qty,
                leaves_qty=remainder,
                other_order_no=number,
                counterparty=order.account,
                other_leaves_qty=order.leaves,
                trade_no=self.trades,
                amount_fen=order.price * qty,
                fee_fen=5,
                other_fee_fen=6,
            ),
        ]
        if remainder:
            rows.append(
                self._owned(
                    Event.CANCELLED, self.orders, taker, remainder, reason=Reason.TAKE_REMAINDER
                )
            )
        return rows

    def _cancel(self) -> list[dict[str, Any]]:
        number, order = self.random.choice(list(self.resting.items()))
        del self.resting[number]
        open_qty, order.leaves = order.leaves, 0
        return [self._owned(Event.CANCELLED, number, order, open_qty, reason=Reason.BY_OWNER)]

    def _amend(self) -> list[dict[str, Any]]:
        number, order = self.random.choice(list(self.resting.items()))
        open_qty, order.leaves = order.leaves, 0
        pulled = self._owned(Event.PULLED, number, order, open_qty)
        away = self.random.randrange(1, 9)
        price = 10_000 + (away if order.side == Side.SELL else -away)
        order.leaves = self.random.randrange(1, 500)
        if price != order.price or order.leaves > open_qty:  # to the end of the queue
            del self.resting[number]
            self.resting[number] = order
        order.price = price
        return [pulled, self._owned(Event.AMENDED, number, order, order.leaves)]

    def lapse(self) -> list[dict[str, Any]]:
        rows = []
        for number, order in sorted(self.resting.items()):
            open_qty, order.leaves = order.leaves, 0
            rows.append(
                self._owned(Event.LAPSED, number, order, open_qty, reason=Reason.END_OF_DAY)
            )
        self.resting.clear()
        return rows

    def picture(self, instrument: int, side: int) -> list[tuple[int, int, int, list[Any]]]:
        """The five best levels, from the flat dict alone."""
        levels: dict[int, list[tuple[int, int]]] = {}
        for number, order in self.resting.items():
            if (order.instrument, order.side) == (instrument, side):
                levels.setdefault(order.price, []).append((number, order.leaves))
        best = sorted(levels, reverse=side == Side.BUY)[:5]
        return [(p, sum(q for _, q in levels[p]), len(levels[p]), levels[p]) for p in best]
