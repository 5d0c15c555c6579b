"""Large demo houses: bulk offers and acceptances each afternoon, one bidding session each morning.

They trade over real connections like the crowd (gateway/demo_traders.py), but in the other two
ways. Each looks now and then at the public board and the published session: accepts an offer that
is close to the price of the day, makes one, takes one back; bids where a session is open. Once a
day the house whose turn it is applies for a session of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

from gateway.client import Client
from gateway.client_market import MarketData
from gateway.client_orders import RefusedError
from gateway.demo_traders import LOST, RETRY_S
from gateway.keys import Key
from marketdata.messages import Bidding, BulkOffer, Offer, Quote, Snapshot, Status

logger = logging.getLogger(__name__)

PAUSE_S = 5.0  # mean time between two looks of one house, real time
OFFERS_MAX = 2  # own public offers at a time
QTY_MIN = 100_000  # TR-12, TR-13
FAR_BP = 300  # an offer this far from the reference still pleases
VINTAGES = ("CEA25", "CEA24")


@runtime_checkable
class Dealer(Protocol):
    """A connection that can trade in bulk and bid."""

    async def bulk_offer(self, *, instrument: str, side: str, price_ticks: int, qty: int) -> Any:
        """Make a public offer."""
        ...

    async def bulk_accept(self, *, order_no: int, price_ticks: int, qty: int) -> Any:
        """Accept an offer at its own terms: a deal (TR-70)."""
        ...

    async def bulk_withdraw(self, *, order_no: int) -> Any:
        """Take an offer back."""
        ...

    async def apply_session(self, *, instrument: str, side: str, price_ticks: int, qty: int) -> Any:
        """Apply for a bidding session."""
        ...

    async def bid(self, *, session_no: int, price_ticks: int, qty: int) -> Any:
        """Bid in an open session."""
        ...


@dataclass(frozen=True)
class Step:
    """What a house does next: the name of a Dealer's method and its arguments."""

    verb: str
    arguments: dict[str, Any]


@dataclass
class PublicMarket:
    """The board, the sessions and the prices as the public feed tells of them."""

    status: Status | None = None
    quotes: dict[str, Quote] = field(default_factory=dict)
    offers: dict[int, tuple[str, Offer]] = field(default_factory=dict)  # by order number
    sessions: dict[int, Bidding] = field(default_factory=dict)
    gone: set[int] = field(default_factory=set)  # order numbers of the day's ended offers

    def take_in(self, message: object) -> None:
        """Bring the picture up to date with one message."""
        match message:
            case Snapshot():
                self._snapshot(message)
            case Quote():
                self.quotes[message.instrument] = message
            case Status():
                self.status = message
                if message.phase == "pre_open":
                    self.sessions.clear()
                    self.gone.clear()
            case Bidding():
                self.sessions[message.session_no] = message
            case BulkOffer(status="gone"):
                self.offers.pop(message.order_no, None)
                self.gone.add(message.order_no)
            case BulkOffer():
                terms = (message.order_no, message.side, message.price_ticks, message.qty_tonnes)
                self.offers[message.order_no] = (message.instrument, Offer(*terms))

    def _snapshot(self, snapshot: Snapshot) -> None:
        code = snapshot.instrument
        kept = {number: each for number, each in self.offers.items() if each[0] != code}
        self.offers = {**kept, **{offer.order_no: (code, offer) for offer in snapshot.offers}}
        self.sessions.update({session.session_no: session for session in snapshot.sessions})
        self.status = snapshot.status or self.status
        if snapshot.quote is not None:
            self.quotes[code] = snapshot.quote


@dataclass
class House:
    """Decides; knows no sockets. ``own`` are the numbers of its offers."""

    number: int
    houses: int
    rng: np.random.Generator
    own: set[int] = field(default_factory=set)
    applied: int = 0  # date of its last application
    bids: Counter[int] = field(default_factory=Counter)

    def step(self, market: PublicMarket) -> Step | None:
        """Return what to do next, None for nothing."""
        status = market.status
        if status is None or status.halted:
            return None
        self.own -= market.gone
        if status.phase == "afternoon":
            return self._bulk(market)
        self.own.clear()  # offers lapse with the day
        if status.phase in {"pre_open", "morning"}:
            return self._apply(market, status.date) or self._bid(market)
        return None

    def _apply(self, market: PublicMarket, date: int) -> Step | None:
        """Once a day, in turn, sell by bidding from the reference on."""
        code = VINTAGES[date % len(VINTAGES)]
        quote = market.quotes.get(code)
        if quote is None or self.applied == date or date % self.houses != self.number:
            return None
        self.applied = date
        terms = {"price_ticks": quote.reference_ticks, "qty": QTY_MIN}
        return Step("apply_session", {"instrument": code, "side": "sell", **terms})

    def _bid(self, market: PublicMarket) -> Step | None:
        """At most two bids in an open session; the one who applied is refused and lets it be."""
        for session in market.sessions.values():
            quote = market.quotes.get(session.instrument)
            if session.status != "open" or quote is None or self.bids[session.session_no] >= 2:
                continue
            self.bids[session.session_no] += 1
            above = abs(float(self.rng.normal(0.0, 0.015)))
            price = min(round(session.limit_ticks * (1 + above)), quote.upper_limit_ticks)
            qty = int(self.rng.integers(1, 6)) * 10_000
            fields = {"session_no": session.session_no, "price_ticks": price, "qty": qty}
            return Step("bid", fields)
        return None

    def _bulk(self, market: PublicMarket) -> Step | None:
        draw = self.rng.random()
        foreign = [each for number, each in market.offers.items() if number not in self.own]
        if foreign and draw < 0.35:
            code, offer = foreign[int(self.rng.integers(len(foreign)))]
            if self._pleases(offer, market.quotes.get(code)):
                terms = {"price_ticks": offer.price_ticks, "qty": offer.qty_tonnes}
                return Step("bulk_accept", {"order_no": offer.order_no, **terms})
        if len(self.own) < OFFERS_MAX:
            return self._offer(market)
        if draw > 0.85:
            return Step("bulk_withdraw", {"order_no": min(self.own)})
        return None

    def _pleases(self, offer: Offer, quote: Quote | None) -> bool:
        """Whether the price is better than, or not far from, the reference."""
        if quote is None:
            return False
        worse = offer.price_ticks - quote.reference_ticks
        if offer.side == "buy":
            worse = -worse
        return worse * 10_000 <= FAR_BP * quote.reference_ticks

    def _offer(self, market: PublicMarket) -> Step | None:
        code = VINTAGES[int(self.rng.integers(len(VINTAGES)))]
        quote = market.quotes.get(code)
        if quote is None:
            return None
        side = "buy" if self.rng.random() < 0.5 else "sell"
        away = float(self.rng.normal(0.01, 0.03))  # sellers ask for more, buyers offer less
        price = round(quote.reference_ticks * (1 + (away if side == "sell" else -away)))
        qty = QTY_MIN + int(self.rng.integers(0, 11)) * 10_000
        return Step(
            "bulk_offer", {"instrument": code, "side": side, "price_ticks": price, "qty": qty}
        )


class DemoHouses:
    """``run`` works until it is cancelled; ``done`` and ``refused`` count what happened."""

    def __init__(
        self, url: str, keys: Sequence[Key], seed: int = 1, pause_s: float = PAUSE_S
    ) -> None:
        self.url = url
        self.market = PublicMarket()
        self.done: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self._keys = keys
        self._pause_s = pause_s
        self._seed = seed

    async def run(self) -> None:
        """Trade until cancelled; every connection is closed then."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            for number, key in enumerate(self._keys):
                rng = np.random.default_rng((self._seed, number))
                house = House(number, len(self._keys), rng)
                group.create_task(self._house(house, key))

    async def _watch(self) -> None:
        """Keep one market data connection open for all."""
        while True:
            with contextlib.suppress(*LOST, RefusedError):
                async with MarketData(self.url) as market:
                    async for message in market:
                        self.market.take_in(message)
            self.market = PublicMarket()
            await asyncio.sleep(RETRY_S)

    async def _house(self, house: House, key: Key) -> None:
        """Keep one house connected."""
        while True:
            try:
                async with Client(self.url, key.key_id, key.secret) as client:
                    await self.trade(client, house)
            except RefusedError as refusal:
                self.refused[refusal.code] += 1
            except LOST as lost:
                logger.info("demo house %s: %s", key.key_id, lost or type(lost).__name__)
            await asyncio.sleep(RETRY_S)

    async def trade(self, client: object, house: House) -> None:
        """Look and act for ever; a refusal hurts nobody."""
        if not isinstance(client, Dealer):
            logger.warning("this client has no bulk agreement and no bidding: the houses rest")
            await asyncio.Event().wait()
            return
        while True:
            await asyncio.sleep(float(house.rng.exponential(self._pause_s)))
            step = house.step(self.market)
            if step is None:
                continue
            try:
                answer = await getattr(client, step.verb)(**step.arguments)
            except RefusedError as refusal:
                self.refused[refusal.code] += 1
                continue
            self.done[step.verb] += 1
            if step.verb == "bulk_offer":
                house.own.add(answer.order_no)
