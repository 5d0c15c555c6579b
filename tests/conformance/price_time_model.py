"""A small book of its own: price–time priority in ordinary lists, written to be read.

It shares nothing with ``engine`` or ``tests.reference``. The random walk compares the engine with
it; the wrong books of price_time_wrong.py each replace one of its small methods.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.conformance.book_under_test import Balance, Depth, Level, Queues, Report
from tests.conformance.price_time_language import BUY, SELL, Market, Side


@dataclass(eq=False)
class Order:
    """An order; ``leaves`` is what is still open."""

    number: int
    account: int
    instrument: int
    side: Side
    price: int
    qty: int
    leaves: int
    name: str = ""
    lock: int = 0  # what is left of a buyer's, in fen


class FifoBook:
    """A price–time book with limits, money and tonnes."""

    def __init__(self, market: Market) -> None:
        self.market = market
        self.levels: dict[tuple[int, Side], dict[int, list[Order]]] = {}
        self.open: dict[int, Order] = {}
        self.count = 0
        rows = range(market.accounts)
        self.cash = [[market.cash_fen(row), 0] for row in rows]  # available, frozen
        self.goods = [  # available, frozen, bought today
            [[market.tonnes(row), 0, 0] for _ in range(market.instruments)] for row in rows
        ]

    # ---- messages ----------------------------------------------------------------------------

    def add(
        self, account: int, instrument: int, side: Side, price_ticks: int, qty: int, name: str
    ) -> list[Report]:
        """Match what crosses, let the rest queue."""
        order = Order(0, account, instrument, side, price_ticks, qty, qty, name)
        reason = self.why_not(order, price_ticks, qty) or self.too_many(account)
        reason = reason or self.short(order, price_ticks, qty, 0)
        if reason:
            return [Report("refused", reason=reason)]
        order.number, order.lock = self.next_number(order), self.market.lock(price_ticks, qty)
        told = Report("accepted", order.number, qty, price_ticks=price_ticks)
        return self.arrive(order, told)

    def cancel(self, account: int, order: int) -> list[Report]:
        """Take back what is open."""
        found = self.find(account, order)
        if found is None:
            return [Report("refused", reason="unknown_order")]
        left = self.cancelled_qty(found)
        amount = self.free(found)
        self.remove(found)
        return [Report("cancelled", found.number, left, amount_fen=amount)]

    def amend(self, account: int, order: int, price_ticks: int, qty: int) -> list[Report]:
        """Less at the same price keeps the place; all else comes in anew."""
        found = self.find(account, order)
        reason = self.why_not_amend(found, price_ticks, qty)
        if found is None or reason:
            return [Report("refused", reason=reason)]
        was, filled = found.leaves, self.filled(found)
        stays = self.keeps_place(found, price_ticks, qty)
        amount = self.free(found)
        if not stays:
            self.remove(found)
        found.price, found.qty, found.leaves = price_ticks, qty, qty - filled
        found.lock = self.market.lock(price_ticks, found.leaves)
        told = Report("amended", found.number, qty, price_ticks=price_ticks, was=was)
        if not stays:
            return self.arrive(found, told)
        amount = self.freeze(found)
        return [told._replace(leaves=found.leaves, amount_fen=amount)]

    # ---- what may be sent --------------------------------------------------------------------

    def why_not(self, order: Order, price: int, qty: int) -> str:
        """Why such terms are refused, or nothing (TR-10, TR-11, TR-20)."""
        lower, upper = self.market.limits()
        if price < 1:
            return "price_invalid"
        if not lower <= price <= upper:
            return "price_out_of_band"
        if qty < 1:
            return "qty_invalid"
        return "qty_above_max" if qty > self.market.qty_max else ""

    def why_not_amend(self, order: Order | None, price: int, qty: int) -> str:
        """Why an amendment is refused, or nothing."""
        if price < 1:
            return "price_invalid"
        if qty < 1:
            return "qty_invalid"
        if order is None:
            return "unknown_order"
        reason = self.why_not(order, price, qty)
        if not reason and qty <= self.filled(order):
            reason = "qty_below_filled"
        return reason or self.short(order, price, qty - self.filled(order), order.leaves)

    def too_many(self, account: int) -> str:
        """Why an account may not have one order more, or nothing."""
        most = self.market.open_orders_max
        mine = sum(order.account == account for order in self.open.values()) if most else 0
        return "too_many_open_orders" if most and mine >= most else ""

    def short(self, order: Order, price: int, qty: int, own: int) -> str:
        """Why an order of that size is not covered, or nothing; ``own`` t of it are (TR-40)."""
        if order.side == BUY:
            more = self.market.lock(price, qty) - (order.lock if own else 0)
            return "insufficient_funds" if more > self.cash[order.account][0] else ""
        available, _, bought = self.goods[order.account][order.instrument]
        if qty - own <= available:
            return ""
        enough = qty - own <= available + bought
        return "holding_bought_today" if enough else "insufficient_holding"

    def find(self, account: int, number: int) -> Order | None:
        """An open order of that account."""
        order = self.open.get(number)
        return order if order is not None and order.account == account else None

    def filled(self, order: Order) -> int:
        """Tonnes dealt so far."""
        return order.qty - order.leaves

    def cancelled_qty(self, order: Order) -> int:
        """What a cancellation takes back."""
        return order.leaves

    def keeps_place(self, order: Order, price: int, qty: int) -> bool:
        """Whether an amendment leaves the order where it stands."""
        return price == order.price and qty <= order.qty

    def next_number(self, order: Order) -> int:
        """A number nobody had before."""
        self.count += 1
        return self.count

    # ---- matching ----------------------------------------------------------------------------

    def arrive(self, order: Order, told: Report) -> list[Report]:
        """Let an incoming order trade, then rest; ``told`` is completed."""
        reports = self.match(order)
        amount = 0
        if order.leaves and self.may_rest(order):
            self.enqueue(order)
            amount = self.freeze(order)
        return [told._replace(leaves=order.leaves, amount_fen=amount), *reports]

    def match(self, order: Order) -> list[Report]:
        """Trade with the best prices, oldest orders first; stop before an own order (TR-50)."""
        reports: list[Report] = []
        while order.leaves and not self.enough(reports):
            best = self.best(order.instrument, 3 - order.side)
            if best is None or not self.crosses(order, best):
                break
            maker = self.head(order, self.level(order.instrument, 3 - order.side, best))
            if maker.account == order.account and self.minds_itself():
                return [*reports, *self.meet_itself(order)]
            reports.append(self.trade(order, maker))
        return reports

    def enough(self, reports: list[Report]) -> bool:
        """Whether a sweep ends for another reason than price and quantity: never."""
        return False

    def minds_itself(self) -> bool:
        """Whether an account's orders may not meet."""
        return True

    def meet_itself(self, order: Order) -> list[Report]:
        """End the rest of an order that met its own account's."""
        left, order.leaves = order.leaves, 0
        return [Report("stopped", order.number, left, amount_fen=0)]

    def may_rest(self, order: Order) -> bool:
        """Whether the rest queues."""
        return True

    def best(self, instrument: int, side: Side) -> int | None:
        """The best price of a side."""
        prices = self.side(instrument, side)
        if not prices:
            return None
        return max(prices) if side == BUY else min(prices)

    def crosses(self, order: Order, best: int) -> bool:
        """Whether an incoming order trades at the other side's best price."""
        return best <= order.price if order.side == BUY else best >= order.price

    def head(self, order: Order, level: list[Order]) -> Order:
        """Whose turn it is."""
        return level[0]

    def price(self, order: Order, maker: Order) -> int:
        """At which price two orders deal."""
        return maker.price

    def trade(self, order: Order, maker: Order) -> Report:
        """Let two orders deal."""
        qty, price = min(order.leaves, maker.leaves), self.price(order, maker)
        self.free(maker)
        order.leaves -= qty
        maker.leaves -= qty
        buyer, seller = (order, maker) if order.side == BUY else (maker, order)
        value, fees = price * qty, self.fees(buyer, price * qty)
        self.cash[buyer.account][0] -= value + fees[0]
        self.cash[seller.account][0] += value - fees[1]
        buyer.lock -= value + fees[0]
        self.goods[seller.account][order.instrument][0] -= qty
        self.goods[buyer.account][order.instrument][2] += qty  # TR-47
        if maker.leaves == 0:
            self.remove(maker)
        else:
            self.set_aside(maker, maker.lock, maker.leaves)
            self.after_part(maker)
        left = (order.leaves, price, maker.number, maker.leaves)
        fees = fees if buyer is order else fees[::-1]
        return Report("trade", order.number, qty, *left, amount_fen=value, fees_fen=fees)

    def fees(self, buyer: Order, value: int) -> tuple[int, int]:
        """The buyer's fee, never beyond its lock, and the seller's (TR-130)."""
        fee = self.market.fee(value)
        return min(fee, buyer.lock - value - buyer.price * buyer.leaves), min(fee, value)

    def after_part(self, maker: Order) -> None:
        """A partly filled order keeps its place."""

    # ---- places and locks --------------------------------------------------------------------

    def side(self, instrument: int, side: Side) -> dict[int, list[Order]]:
        """The levels of a side."""
        return self.levels.setdefault((instrument, side), {})

    def level(self, instrument: int, side: Side, price: int) -> list[Order]:
        """The queue at a price, oldest first."""
        return self.side(instrument, side).setdefault(price, [])

    def enqueue(self, order: Order) -> None:
        """Queue last."""
        self.level(order.instrument, order.side, order.price).append(order)
        self.open[order.number] = order

    def remove(self, order: Order) -> None:
        """Leave the queue; an empty level goes."""
        level = self.level(order.instrument, order.side, order.price)
        level.remove(order)
        if not level:
            del self.side(order.instrument, order.side)[order.price]
        del self.open[order.number]

    def freeze(self, order: Order) -> int:
        """Set aside what an order may cost; return the fen (TR-42)."""
        order.lock = min(self.market.lock(order.price, order.leaves), order.lock)
        self.set_aside(order, order.lock, order.leaves)
        return order.lock if order.side == BUY else 0

    def free(self, order: Order) -> int:
        """Give back what is set aside; return the fen (TR-43)."""
        self.set_aside(order, -order.lock, -order.leaves)
        return order.lock if order.side == BUY else 0

    def set_aside(self, order: Order, fen: int, tonnes: int) -> None:
        """Move a buyer's money or a seller's tonnes from available to frozen."""
        if order.side == BUY:
            store, amount = self.cash[order.account], fen
        else:
            store, amount = self.goods[order.account][order.instrument], tonnes
        store[0] -= amount
        store[1] += amount

    # ---- what is shown -----------------------------------------------------------------------

    def depth(self, instrument: int) -> Depth:
        """All levels, best first."""
        bids, asks = (self.shown(instrument, side) for side in (BUY, SELL))
        return bids, asks

    def shown(self, instrument: int, side: Side) -> tuple[Level, ...]:
        """One side's levels."""
        levels = self.side(instrument, side)
        return tuple(
            Level(price, sum(order.leaves for order in levels[price]), len(levels[price]))
            for price in sorted(levels, reverse=side == BUY)
        )

    def queues(self, instrument: int) -> Queues | None:
        """Not shown: wrong books are to be caught by what any book shows."""
        return None

    def balances(self) -> list[Balance] | None:
        """What every account has."""
        return [
            Balance(cash[0], cash[1], tuple((part[0], part[1], part[2]) for part in goods))
            for cash, goods in zip(self.cash, self.goods, strict=True)
        ]

    def problems(self) -> list[str]:
        """It does not look at itself."""
        return []
