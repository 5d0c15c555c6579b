"""More wrong books: amendments, limits, own orders, money and goods, several instruments."""

from __future__ import annotations

from tests.conformance.book_under_test import Report
from tests.conformance.price_time_language import BUY, Market, Side
from tests.conformance.price_time_model import FifoBook, Order
from tests.conformance.price_time_wrong import WRONG, wrong

__all__ = ["WRONG"]

# ---- amendments ----------------------------------------------------------------------------------


@wrong("amend up keeps the place")
class UpKeeps(FifoBook):
    """A larger quantity keeps its place."""

    def keeps_place(self, order: Order, price: int, qty: int) -> bool:
        return price == order.price


@wrong("reduce loses the place")
class ReduceLoses(FifoBook):
    """A smaller quantity queues last."""

    def keeps_place(self, order: Order, price: int, qty: int) -> bool:
        return False


@wrong("an amendment without change loses the place")
class NoChangeLoses(FifoBook):
    """The same price and quantity queue last; only less keeps the place."""

    def keeps_place(self, order: Order, price: int, qty: int) -> bool:
        return price == order.price and qty < order.qty


@wrong("a new price is first at its level")
class PriceToTheFront(FifoBook):
    """An amended order goes to the head of its new level."""

    def enqueue(self, order: Order) -> None:
        again = order.number in self.seen
        super().enqueue(order)
        if again:
            level = self.level(order.instrument, order.side, order.price)
            level.insert(0, level.pop())
        self.seen.add(order.number)

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.seen: set[int] = set()


@wrong("an amendment does not trade")
class AmendDoesNotMatch(FifoBook):
    """An order amended across the other side rests there, crossed."""

    def amend(self, account: int, order: int, price_ticks: int, qty: int) -> list[Report]:
        self.quiet = True
        reports = super().amend(account, order, price_ticks, qty)
        self.quiet = False
        return reports

    def match(self, order: Order) -> list[Report]:
        return [] if self.quiet else super().match(order)

    quiet = False


@wrong("an amendment deals at its own price")
class AmendDealsAtOwn(FifoBook):
    """An order amended across the other side deals at the amended price."""

    def amend(self, account: int, order: int, price_ticks: int, qty: int) -> list[Report]:
        self.amending = True
        reports = super().amend(account, order, price_ticks, qty)
        self.amending = False
        return reports

    def price(self, order: Order, maker: Order) -> int:
        return order.price if self.amending else maker.price

    amending = False


@wrong("the new total is what is open")
class AmendForgetsFills(FifoBook):
    """What is filled is not taken off the new total."""

    def filled(self, order: Order) -> int:
        return 0


@wrong("a total below the fills is taken")
class BelowFilledEnds(FifoBook):
    """An amendment to no more than is filled is not refused."""

    def why_not_amend(self, order: Order | None, price: int, qty: int) -> str:
        reason = super().why_not_amend(order, price, qty)
        return "" if reason == "qty_below_filled" else reason


@wrong("an amendment to nothing cancels")
class ZeroCancels(FifoBook):
    """An amendment to no quantity takes the order out."""

    def amend(self, account: int, order: int, price_ticks: int, qty: int) -> list[Report]:
        if qty == 0:
            return super().cancel(account, order)
        return super().amend(account, order, price_ticks, qty)


@wrong("a refused amendment pulls the order")
class RefusedPulls(FifoBook):
    """The order is taken out before the amendment is looked at, and put back behind."""

    def amend(self, account: int, order: int, price_ticks: int, qty: int) -> list[Report]:
        reports = super().amend(account, order, price_ticks, qty)
        found = self.find(account, order)
        if reports[0].kind == "refused" and found is not None:
            self.remove(found)
            self.enqueue(found)
        return reports


@wrong("an amendment gives a new number")
class NewNumber(FifoBook):
    """Amending is cancelling and adding: the old number is dead."""

    def enqueue(self, order: Order) -> None:
        if order.number in self.seen:
            order.number = self.next_number(order)
        self.seen.add(order.number)
        super().enqueue(order)

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.seen: set[int] = set()


# ---- limits and own orders -----------------------------------------------------------------------


@wrong("no price limits")
class NoBand(FifoBook):
    """Any positive price is good."""

    def why_not(self, order: Order, price: int, qty: int) -> str:
        reason = super().why_not(order, price, qty)
        return "" if reason == "price_out_of_band" else reason


@wrong("limit prices are outside")
class NarrowBand(FifoBook):
    """The day's limits themselves are refused."""

    def why_not(self, order: Order, price: int, qty: int) -> str:
        if price in self.market.limits():
            return "price_out_of_band"
        return super().why_not(order, price, qty)


@wrong("limits are cut, not rounded")
class TruncatedBand(FifoBook):
    """The limits' fractions of a tick are dropped."""

    def why_not(self, order: Order, price: int, qty: int) -> str:
        reference, part = self.market.reference_ticks, self.market.band_bp
        lower, upper = (reference * (10_000 + p) // 10_000 for p in (-part, part))
        reason = super().why_not(order, price, qty)
        if reason in {"", "price_out_of_band"} and price > 0:
            reason = "" if lower <= price <= upper else "price_out_of_band"
        return reason


@wrong("amendments are not limited")
class AmendUnbound(FifoBook):
    """Price limits and sizes bind new orders only."""

    def why_not(self, order: Order, price: int, qty: int) -> str:
        return "" if order.number else super().why_not(order, price, qty)


@wrong("the largest quantity is refused")
class MaxOneLess(FifoBook):
    """Sizes must stay below the largest, which itself is refused."""

    def why_not(self, order: Order, price: int, qty: int) -> str:
        reason = super().why_not(order, price, qty)
        return reason or ("qty_above_max" if qty == self.market.qty_max else "")


@wrong("a fill frees no room for an order")
class SlotsLeak(FifoBook):
    """The number of open orders goes down with cancellations only."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.used = [0] * market.accounts

    def enqueue(self, order: Order) -> None:
        super().enqueue(order)
        self.used[order.account] += 1

    def cancel(self, account: int, order: int) -> list[Report]:
        reports = super().cancel(account, order)
        self.used[account] -= reports[0].kind == "cancelled"
        return reports

    def too_many(self, account: int) -> str:
        most = self.market.open_orders_max
        return "too_many_open_orders" if most and self.used[account] >= most else ""


@wrong("own orders meet")
class SelfTrades(FifoBook):
    """An account trades with itself."""

    def minds_itself(self) -> bool:
        return False


@wrong("own orders are passed over")
class SelfSkips(FifoBook):
    """An incoming order goes past its own account's and trades with the next."""

    def head(self, order: Order, level: list[Order]) -> Order:
        return next((maker for maker in level if maker.account != order.account), level[0])


@wrong("what met its own order rests")
class SelfRests(FifoBook):
    """At its own order the incoming one stops and rests, crossed."""

    def meet_itself(self, order: Order) -> list[Report]:
        return []


@wrong("any own order across refuses the whole")
class SelfRefused(FifoBook):
    """An order that could meet an own one is refused, even where it would not get there."""

    def short(self, order: Order, price: int, qty: int, own: int) -> str:
        for price_there, level in self.side(order.instrument, 3 - order.side).items():
            mine = any(maker.account == order.account for maker in level)
            if mine and (price_there <= price if order.side == BUY else price_there >= price):
                return "self_trade"
        return super().short(order, price, qty, own)


# ---- money, goods, instruments -------------------------------------------------------------------


@wrong("price improvement stays frozen")
class ImprovementKept(FifoBook):
    """What a buyer did not have to pay is not given back."""

    def arrive(self, order: Order, told: Report) -> list[Report]:
        reports = super().arrive(order, told)
        for report in reports[1:]:
            if report.kind == "trade" and order.side == BUY:
                less = (order.price - report.price_ticks) * report.qty
                self.cash[order.account][0] -= less
                self.cash[order.account][1] += less
        return reports


@wrong("a filled order keeps what its lock had left")
class RestOfLockKept(FifoBook):
    """Fees rounded per deal can be less than the lock's: the difference is not given back."""

    def trade(self, order: Order, maker: Order) -> Report:
        report = super().trade(order, maker)
        if maker.side == BUY and maker.leaves == 0:
            self.set_aside(maker, maker.lock, 0)
        return report


@wrong("fees pass the lock")
class FeesUnbound(FifoBook):
    """Fees rounded per deal can be more than the lock's: the buyer pays them all the same."""

    def fees(self, buyer: Order, value: int) -> tuple[int, int]:
        return self.market.fee(value), self.market.fee(value)


@wrong("locks leave the fee out")
class LockWithoutFee(FifoBook):
    """A buyer's order is taken if the amount is covered, whatever the fee."""

    def short(self, order: Order, price: int, qty: int, own: int) -> str:
        reason = super().short(order, price, qty, own)
        if reason == "insufficient_funds":
            more = price * qty - (order.lock if own else 0)
            return reason if more > self.cash[order.account][0] else ""
        return reason


@wrong("a cancellation frees nothing")
class CancelKeeps(FifoBook):
    """What a cancelled order had frozen stays frozen."""

    def cancel(self, account: int, order: int) -> list[Report]:
        found = self.find(account, order)
        reports = super().cancel(account, order)
        if found is not None and reports[0].kind == "cancelled":
            self.freeze(found)
        return reports


@wrong("orders need no cover")
class NoCover(FifoBook):
    """Neither money nor goods are looked at before a deal."""

    def short(self, order: Order, price: int, qty: int, own: int) -> str:
        return ""


@wrong("an amendment needs no cover")
class AmendUncovered(FifoBook):
    """Only new orders are looked at."""

    def short(self, order: Order, price: int, qty: int, own: int) -> str:
        return "" if own else super().short(order, price, qty, own)


@wrong("an amendment must be covered on top")
class AmendCoversTwice(FifoBook):
    """What an order has frozen already does not count for its amendment."""

    def short(self, order: Order, price: int, qty: int, own: int) -> str:
        return super().short(order, price, qty, 0)


@wrong("bought today is sold today")
class SoldToday(FifoBook):
    """Purchases are available at once."""

    def trade(self, order: Order, maker: Order) -> Report:
        report = super().trade(order, maker)
        buyer = order.account if order.side == BUY else maker.account
        goods = self.goods[buyer][order.instrument]
        goods[0], goods[2] = goods[0] + goods[2], 0
        return report


@wrong("proceeds are not available")
class ProceedsWait(FifoBook):
    """What a sale brings is kept back."""

    def trade(self, order: Order, maker: Order) -> Report:
        report = super().trade(order, maker)
        seller = maker.account if order.side == BUY else order.account
        self.cash[seller][0] -= report.amount_fen or 0
        return report


@wrong("a refused order keeps its lock")
class RefusedKeepsLock(FifoBook):
    """Money is set aside before the order is looked at."""

    def add(
        self, account: int, instrument: int, side: Side, price_ticks: int, qty: int, name: str
    ) -> list[Report]:
        reports = super().add(account, instrument, side, price_ticks, qty, name)
        if reports[0].kind == "refused" and side == BUY:
            lock = min(price_ticks * qty, self.cash[account][0])
            self.cash[account][0] -= lock
            self.cash[account][1] += lock
        return reports


@wrong("instruments share a book")
class OneBook(FifoBook):
    """The instrument of an order is not looked at when it matches."""

    def side(self, instrument: int, side: Side) -> dict[int, list[Order]]:
        return super().side(0, side)


@wrong("goods of all instruments cover each other")
class OneHolding(FifoBook):
    """Tonnes of one instrument cover a sale of another."""

    def short(self, order: Order, price: int, qty: int, own: int) -> str:
        reason = super().short(order, price, qty, own)
        if reason == "insufficient_holding":
            held = sum(goods[0] for goods in self.goods[order.account])
            return "" if qty - own <= held else reason
        return reason
