"""Large demo houses: bulk offers and acceptances each afternoon, one bidding session each morning.

They trade over real connections like the crowd (gateway/demo_traders.py), but in the other two
ways. Each looks now and then at the public board and the published session: accepts an offer that
is close to the price of the day, names better terms, makes an offer, takes one back; bids where a
session is open. It answers those who bargain with it, visitors too: meets them halfway, agrees and
confirms, or ends the talk. Once a day the house whose turn it is applies for a session of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from gateway.client import Client, MarketData, RefusedError
from gateway.demo_traders import LOST, RETRY_S
from gateway.keys import Key
from gateway.rest_messages import NegotiationList, NegotiationView
from marketdata.messages import Bidding, BulkOffer, Offer, Quote, Snapshot, Status

logger = logging.getLogger(__name__)

PAUSE_S = 5.0  # mean time between two looks of one house, real time
OFFERS_MAX = 2  # own public offers at a time
QTY_MIN = 100_000  # TR-12, TR-13
FAR_BP = 300  # an offer this far from the reference still pleases
BARGAIN = 0.6  # how often a house names better terms than those it could live with
ROUNDS_MAX = 2  # counters of one house in one negotiation
VINTAGES = ("CEA25", "CEA24")


@dataclass(frozen=True)
class Step:
    """What a house does next: the name of a Client's method and its arguments."""

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
                self._enter(message)
            case Bidding():
                self.sessions[message.session_no] = message
            case BulkOffer(status="gone"):
                self.offers.pop(message.order_no, None)
                self.gone.add(message.order_no)
            case BulkOffer():
                terms = (message.order_no, message.side, message.price_ticks, message.qty_tonnes)
                self.offers[message.order_no] = (message.instrument, Offer(*terms))

    def _enter(self, status: Status) -> None:
        if self.status is not None and self.status.date != status.date:
            self.sessions.clear()
            self.gone.clear()
        self.status = status

    def _snapshot(self, snapshot: Snapshot) -> None:
        code = snapshot.instrument
        if snapshot.status is not None:
            self._enter(snapshot.status)
        kept = {number: each for number, each in self.offers.items() if each[0] != code}
        self.offers = {**kept, **{offer.order_no: (code, offer) for offer in snapshot.offers}}
        self.sessions.update({session.session_no: session for session in snapshot.sessions})
        if snapshot.quote is not None:
            self.quotes[code] = snapshot.quote

    def worse_bp(self, code: str, side: str, price_ticks: int) -> float | None:
        """Return how much worse than the reference a price is to ``side``; None: no reference."""
        quote = self.quotes.get(code)
        if quote is None:
            return None
        away = price_ticks - quote.reference_ticks
        return (away if side == "buy" else -away) * 10_000 / quote.reference_ticks


@dataclass
class House:
    """Decides; knows no sockets. ``own`` are the numbers of its offers.

    ``counters`` are its own in a negotiation (order number, counterparty), ``hopeless`` those in
    which the venue has refused it something: it ends them.
    """

    number: int
    houses: int
    rng: np.random.Generator
    own: set[int] = field(default_factory=set)
    applied: int = 0  # date of its last application
    bids: Counter[int] = field(default_factory=Counter)
    counters: Counter[tuple[int, int]] = field(default_factory=Counter)
    hopeless: set[tuple[int, int]] = field(default_factory=set)

    def step(self, market: PublicMarket, talks: Sequence[NegotiationView] = ()) -> Step | None:
        """Return what to do next, None for nothing; ``talks`` are its open negotiations."""
        status = market.status
        if status is None or status.halted:
            return None
        self.own -= market.gone
        if status.phase == "afternoon":
            answers = (self._answer(market, talk) for talk in talks)
            due = next((step for step in answers if step is not None), None)
            return due or self._bulk(market, {talk.order_no for talk in talks})
        self.own.clear()  # offers lapse with the day
        self.counters.clear()
        self.hopeless.clear()
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

    def _answer(self, market: PublicMarket, talk: NegotiationView) -> Step | None:
        """Answer a negotiation if it is this house's turn (TR-72): who named the terms confirms."""
        which = (talk.order_no, talk.counterparty)
        whom: dict[str, Any] = {"order_no": talk.order_no}
        if talk.initiator:
            whom["counterparty"] = talk.counterparty
        if which in self.hopeless:
            return Step("bulk_decline", whom)
        if talk.your_terms:
            return Step("bulk_confirm", whom) if talk.status == "agreed" else None
        if talk.status == "agreed":
            return None
        side = talk.side if talk.initiator else "buy" if talk.side == "sell" else "sell"
        worse_bp = market.worse_bp(talk.instrument, side, talk.price_ticks)
        if worse_bp is None:
            return None
        if self.counters[which] < ROUNDS_MAX and self._bargains(worse_bp):
            self.counters[which] += 1
            price = market.quotes[talk.instrument].reference_ticks + talk.price_ticks
            return Step("bulk_counter", whom | {"price_ticks": price // 2, "qty": talk.qty_tonnes})
        if worse_bp <= FAR_BP:
            terms = {"price_ticks": talk.price_ticks, "qty": talk.qty_tonnes}
            return Step("bulk_accept", whom | terms)
        return Step("bulk_decline", whom)

    def _bargains(self, worse_bp: float) -> bool:
        """Whether to name better terms: never than good ones, always than those that displease."""
        return worse_bp > FAR_BP or (worse_bp > 0 and self.rng.random() < BARGAIN)

    def _bulk(self, market: PublicMarket, talking: set[int]) -> Step | None:
        """Meet an offer of somebody else, make one, or take one back."""
        draw = self.rng.random()
        mine = self.own | talking
        foreign = [each for number, each in market.offers.items() if number not in mine]
        if foreign and draw < 0.35:
            code, offer = foreign[int(self.rng.integers(len(foreign)))]
            met = self._meet(market, code, offer)
            if met is not None:
                return met
        if len(self.own) < OFFERS_MAX:
            return self._offer(market)
        if draw > 0.85:
            return Step("bulk_withdraw", {"order_no": min(self.own)})
        return None

    def _meet(self, market: PublicMarket, code: str, offer: Offer) -> Step | None:
        """Accept an offer that pleases, or name terms halfway to the reference (TR-70, TR-72)."""
        side = "buy" if offer.side == "sell" else "sell"
        worse_bp = market.worse_bp(code, side, offer.price_ticks)
        if worse_bp is None or worse_bp > 2 * FAR_BP:
            return None
        terms = {"order_no": offer.order_no, "qty": offer.qty_tonnes}
        if self._bargains(worse_bp):
            price = market.quotes[code].reference_ticks + offer.price_ticks
            return Step("bulk_counter", terms | {"price_ticks": price // 2})
        return Step("bulk_accept", terms | {"price_ticks": offer.price_ticks})

    def refused(self, step: Step, talks: Sequence[NegotiationView]) -> None:
        """The venue said no to a step: a negotiation it belongs to leads nowhere."""
        for talk in talks:
            if step.arguments.get("order_no") == talk.order_no and (
                step.arguments.get("counterparty", talk.counterparty) == talk.counterparty
            ):
                self.hopeless.add((talk.order_no, talk.counterparty))

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

    async def trade(self, client: Client, house: House) -> None:
        """Look and act for ever; a refusal hurts nobody."""
        while True:
            await asyncio.sleep(float(house.rng.exponential(self._pause_s)))
            talks = await self._talks(client)
            step = house.step(self.market, talks)
            if step is None:
                continue
            try:
                answer = await getattr(client, step.verb)(**step.arguments)
            except RefusedError as refusal:
                self.refused[refusal.code] += 1
                house.refused(step, talks)
                continue
            self.done[step.verb] += 1
            if step.verb == "bulk_offer":
                house.own.add(answer.order_no)

    async def _talks(self, client: Client) -> list[NegotiationView]:
        """Return the open negotiations of a house; there are none but in the afternoon (TR-31)."""
        if self.market.status is None or self.market.status.phase != "afternoon":
            return []
        page = await client.get("/api/negotiations")
        return msgspec.convert(page, NegotiationList).negotiations
