"""Demo traders: simple people who trade over real connections, so that a visitor sees a market.

A handful of entities is connected at a time; each stays for a while, then another one comes. They
look at the public market data and at their own account, list around a drifting idea of the price,
take what looks cheap or dear, cancel what has grown old. A refusal teaches them nothing and hurts
nobody; a lost line is opened again. They rest while the market does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import httpx
import numpy as np
from websockets.exceptions import WebSocketException

from gateway.client import Client, LineLostError, MarketData, Order, RefusedError
from gateway.keys import Key
from marketdata.messages import Depth, Level, Quote

logger = logging.getLogger(__name__)

TRADING = frozenset(("morning", "afternoon"))
RETRY_S = 1.0
CANCEL_FROM = 4  # open orders from which an entity rather cancels one
QTY_MAX = 20_000
LOST = (LineLostError, TimeoutError, OSError, WebSocketException, httpx.HTTPError)


@dataclass(frozen=True, kw_only=True)
class Habits:
    """How lively the demo is."""

    active: int = 12  # entities connected at a time
    orders_per_s: float = 15.0  # of all together, real time
    stay_s: float = 45.0  # mean time an entity stays connected
    favourite: str = "CEA25"
    favourite_share: float = 0.45  # of all orders; the rest is spread over the other vintages
    seed: int = 1


class Fair:
    """What everybody believes a vintage to be worth: a slow random walk that follows the trades."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._anchor: dict[str, float] = {}
        self._ticks: dict[str, float] = {}

    def ticks(self, quote: Quote) -> float:
        """Return the idea of now and let it drift: pulled to the last and the first price seen."""
        code, last = quote.instrument, float(quote.last_ticks or quote.reference_ticks)
        anchor = self._anchor.setdefault(code, last)
        now = self._ticks.setdefault(code, last)
        now *= float(np.exp(self._rng.normal(0.0, 0.0008)))
        now += 0.01 * (last - now) + 0.001 * (anchor - now)
        room = 0.01 * quote.reference_ticks  # stay a percent away from the limits
        now = min(max(now, quote.lower_limit_ticks + room), quote.upper_limit_ticks - room)
        self._ticks[code] = now
        return now


@dataclass(frozen=True)
class Wish:
    """What a trader wants to do next. ``order_no`` for take and cancel, else 0."""

    verb: str  # list, take, take_best, cancel
    instrument: str = ""
    side: str = ""
    qty: int = 0
    price_ticks: int = 0
    order_no: int = 0


@dataclass
class Purse:
    """What an account can still use, as it was told once and has spent since."""

    cash_fen: int
    tonnes: dict[str, int]

    def spend(self, wish: Wish) -> None:
        """Count a wish that came true; what is bought today cannot be sold today (TR-47)."""
        if wish.side == "sell":
            self.tonnes[wish.instrument] -= wish.qty
        elif wish.side == "buy":
            self.cash_fen -= wish.qty * wish.price_ticks


@dataclass
class Mind:
    """Decides; knows no sockets."""

    rng: np.random.Generator
    fair: Fair
    habits: Habits = field(default_factory=Habits)

    def wish(
        self,
        quotes: Mapping[str, Quote],
        depths: Mapping[str, Depth],
        purse: Purse,
        own: Iterable[Order],
    ) -> Wish | None:
        """Return what to do next, None for nothing."""
        rng = self.rng
        open_orders = [order for order in own if order.status in {"open", "part_filled"}]
        if open_orders and (len(open_orders) >= CANCEL_FROM or rng.random() < 0.15):
            return Wish("cancel", order_no=open_orders[0].order_no)
        codes = [code for code, quote in quotes.items() if quote.upper_limit_ticks]
        if not codes:
            return None
        code = self._code(codes)
        quote = quotes[code]
        fair = self.fair.ticks(quote)
        depth = depths.get(code)
        bids, asks = (depth.bids, depth.asks) if depth else ((), ())
        side = "buy" if rng.random() < self._appetite(fair, bids, asks) else "sell"
        facing = asks if side == "buy" else bids
        qty = self._qty(side, code, fair, purse)
        if qty == 0:
            return None
        if facing and rng.random() < 0.45 and self._pleases(side, facing[0], fair):
            return self._take(code, side, qty, facing, quote)
        return self._list(code, side, qty, facing, fair, quote)

    def _code(self, codes: Sequence[str]) -> str:
        favourite = self.habits.favourite
        if favourite in codes and self.rng.random() < self.habits.favourite_share:
            return favourite
        return codes[int(self.rng.integers(len(codes)))]

    def _appetite(self, fair: float, bids: Sequence[Level], asks: Sequence[Level]) -> float:
        """Probability to buy: more when the market stands below the idea of the price."""
        if not (bids and asks):
            return 0.5 if bids or not asks else 0.4
        middle = (bids[0].price_ticks + asks[0].price_ticks) / 2
        return float(np.clip(0.5 + 40 * (fair / middle - 1), 0.2, 0.8))

    def _pleases(self, side: str, level: Level, fair: float) -> bool:
        gain = fair - level.price_ticks if side == "buy" else level.price_ticks - fair
        return gain > -0.004 * fair * self.rng.exponential()

    def _qty(self, side: str, code: str, fair: float, purse: Purse) -> int:
        wanted = round(float(self.rng.lognormal(6.2, 1.0)) / 10) * 10  # median about 500 t
        there = purse.tonnes.get(code, 0)
        if side == "buy":
            there = int(purse.cash_fen / (fair * 1.05)) // 10 * 10
        return max(0, min(wanted, there, QTY_MAX))

    def _take(self, code: str, side: str, qty: int, facing: Sequence[Level], quote: Quote) -> Wish:
        best = facing[0]
        if best.listings and self.rng.random() < 0.3:  # TR-63: any listing of the level
            order_no, leaves_qty = best.listings[int(self.rng.integers(len(best.listings)))]
            return Wish("take", code, side, min(qty, leaves_qty), best.price_ticks, order_no)
        slip = int(self.rng.integers(0, 6))
        limit = best.price_ticks + (slip if side == "buy" else -slip)
        limit = min(max(limit, quote.lower_limit_ticks), quote.upper_limit_ticks)
        return Wish("take_best", code, side, qty, limit)

    def _list(
        self, code: str, side: str, qty: int, facing: Sequence[Level], fair: float, quote: Quote
    ) -> Wish:
        away = abs(float(self.rng.normal(0.0, 0.004))) * fair
        price = round(fair - away if side == "buy" else fair + away)
        if facing and side == "buy":  # a listing must not cross (TR-67)
            price = min(price, facing[0].price_ticks - 1)
        elif facing:
            price = max(price, facing[0].price_ticks + 1)
        price = min(max(price, quote.lower_limit_ticks), quote.upper_limit_ticks)
        return Wish("list", code, side, qty, price)


class DemoTraders:
    """The crowd. ``run`` works until it is cancelled; ``sent``, ``refused`` count what happened."""

    def __init__(self, url: str, keys: Sequence[Key], habits: Habits | None = None) -> None:
        self.url = url
        self.habits = habits or Habits()
        self.sent = 0
        self.refused: Counter[str] = Counter()
        self.connected = 0
        self._rng = np.random.default_rng(self.habits.seed)
        self._waiting = [keys[place] for place in self._rng.permutation(len(keys))]
        self._market: MarketData | None = None

    async def run(self) -> None:
        """Trade until cancelled; every connection is closed then."""
        count = min(self.habits.active, len(self._waiting))
        fair = Fair(np.random.default_rng(self._rng.integers(2**63)))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch())
            for _ in range(count):
                mind = Mind(np.random.default_rng(self._rng.integers(2**63)), fair, self.habits)
                group.create_task(self._desk(mind))

    async def _watch(self) -> None:
        """Keep one market data connection open for all."""
        while True:
            with contextlib.suppress(*LOST, RefusedError):
                async with MarketData(self.url) as market:
                    self._market = market
                    async for _ in market:
                        pass
            self._market = None
            await asyncio.sleep(RETRY_S)

    async def _desk(self, mind: Mind) -> None:
        """One place in the crowd: an entity comes, stays a while, and makes room."""
        while True:
            key = self._waiting.pop(0)
            stay_s = self.habits.stay_s * float(mind.rng.uniform(0.3, 1.7))
            try:
                async with Client(self.url, key.key_id, key.secret) as client:
                    self.connected += 1
                    try:
                        async with asyncio.timeout(stay_s) as stay:
                            await self._trade(client, mind)
                    except TimeoutError:
                        if not stay.expired():
                            raise
                    finally:
                        self.connected -= 1
            except RefusedError as refusal:
                self.refused[refusal.code] += 1
                await asyncio.sleep(RETRY_S)
            except LOST as lost:
                logger.info("demo trader %s: %s", key.key_id, lost or type(lost).__name__)
                await asyncio.sleep(RETRY_S)
            finally:
                self._waiting.append(key)

    async def _trade(self, client: Client, mind: Mind) -> None:
        pause_s = self.habits.active / self.habits.orders_per_s
        purse: Purse | None = None
        while True:
            await asyncio.sleep(float(mind.rng.exponential(pause_s)))
            market = self._market
            if market is None or market.status is None or market.status.phase not in TRADING:
                purse = None  # tomorrow, or after lunch, things may stand otherwise
                continue
            if purse is None:
                purse = await self._purse(client)
            wish = mind.wish(market.quote, market.depth, purse, client.orders.values())
            if wish is None:
                continue
            try:
                self.sent += 1
                await self._do(client, wish)
                purse.spend(wish)
            except RefusedError as refusal:
                self.refused[refusal.code] += 1

    async def _purse(self, client: Client) -> Purse:
        view = await client.get("/api/account")
        return Purse(
            view["cash_available_fen"],
            {each["instrument"]: each["available_tonnes"] for each in view["holdings"]},
        )

    async def _do(self, client: Client, wish: Wish) -> None:
        if wish.verb == "cancel":
            await client.cancel(wish.order_no)
        elif wish.verb == "take":
            await client.take(wish.order_no, wish.qty)
        else:
            call = client.list if wish.verb == "list" else client.take_best
            await call(wish.instrument, wish.side, qty=wish.qty, price_ticks=wish.price_ticks)
