"""Wrong books: each is the small book with one mistake. Every one must be caught by some case.

Most of the mistakes were found in published engines; the docstrings say what each one does.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.conformance.book_under_test import Level, Report
from tests.conformance.price_time_language import BUY, Market, Side
from tests.conformance.price_time_model import FifoBook, Order

WRONG: dict[str, type[FifoBook]] = {}


def wrong(name: str) -> Callable[[type[FifoBook]], type[FifoBook]]:
    """Note the class below under a name."""

    def note(book: type[FifoBook]) -> type[FifoBook]:
        WRONG[name] = book
        return book

    return note


# ---- queues --------------------------------------------------------------------------------------


@wrong("youngest first")
class Lifo(FifoBook):
    """The youngest order of a level is served first."""

    def head(self, order: Order, level: list[Order]) -> Order:
        return level[-1]


@wrong("largest first")
class LargestFirst(FifoBook):
    """Size decides within a level, not time."""

    def head(self, order: Order, level: list[Order]) -> Order:
        return max(level, key=lambda maker: maker.leaves)


@wrong("a partly filled maker queues anew")
class PartToTheBack(FifoBook):
    """A partial fill costs the maker its place."""

    def after_part(self, maker: Order) -> None:
        level = self.level(maker.instrument, maker.side, maker.price)
        level.remove(maker)
        level.append(maker)


@wrong("cancel in the middle loses the rest")
class BrokenChain(FifoBook):
    """A cancellation in the middle of a level cuts off the orders behind it."""

    def cancel(self, account: int, order: int) -> list[Report]:
        found = self.find(account, order)
        behind: list[Order] = []
        if found is not None:
            level = self.level(found.instrument, found.side, found.price)
            place = level.index(found)
            behind = level[place + 1 :] if place else []
        reports = super().cancel(account, order)
        for lost in behind:
            self.remove(lost)
        return reports


@wrong("cancel of the youngest breaks the tail")
class TailLost(FifoBook):
    """After the youngest order was cancelled, the next to come stands before the others."""

    broken = False

    def cancel(self, account: int, order: int) -> list[Report]:
        found = self.find(account, order)
        if found is not None:
            level = self.level(found.instrument, found.side, found.price)
            self.broken = len(level) > 1 and level[-1] is found
        return super().cancel(account, order)

    def enqueue(self, order: Order) -> None:
        super().enqueue(order)
        if self.broken:
            level = self.level(order.instrument, order.side, order.price)
            level.insert(0, level.pop())
            self.broken = False


@wrong("cancel and add keeps the place")
class PlaceKept(FifoBook):
    """Who cancels and comes again at the same price gets the old place back."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.places: dict[tuple[int, int], int] = {}

    def cancel(self, account: int, order: int) -> list[Report]:
        found = self.find(account, order)
        if found is not None:
            level = self.level(found.instrument, found.side, found.price)
            self.places[account, found.price] = level.index(found)
        return super().cancel(account, order)

    def enqueue(self, order: Order) -> None:
        super().enqueue(order)
        place = self.places.pop((order.account, order.price), None)
        if place is not None:
            level = self.level(order.instrument, order.side, order.price)
            level.insert(place, level.pop())


@wrong("a cancelled order blocks its level")
class TombstoneBlocks(FifoBook):
    """Lazy cancellation: a sweep ends where a cancelled order once stood before others."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.tombs: dict[int, int] = {}  # order before the tomb -> tombs behind it

    def cancel(self, account: int, order: int) -> list[Report]:
        found = self.find(account, order)
        if found is not None:
            level = self.level(found.instrument, found.side, found.price)
            place = level.index(found)
            if 0 < place < len(level) - 1:
                self.tombs[level[place - 1].number] = order
        return super().cancel(account, order)

    def enough(self, reports: list[Report]) -> bool:
        last = reports[-1] if reports else None
        return last is not None and last.maker_leaves == 0 and last.maker in self.tombs


@wrong("a level holds 512 orders")
class RingOf512(FifoBook):
    """Beyond 512 orders at a price, the oldest are no longer seen first."""

    def head(self, order: Order, level: list[Order]) -> Order:
        return level[-512:][0]


@wrong("clearing away cancelled orders turns a level round")
class Compaction(FifoBook):
    """Every 64th cancellation at a price tidies the level up and loses its order."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.gone: dict[int, int] = {}

    def cancel(self, account: int, order: int) -> list[Report]:
        found = self.find(account, order)
        reports = super().cancel(account, order)
        if found is not None and found.price in self.side(found.instrument, found.side):
            self.gone[found.price] = self.gone.get(found.price, 0) + 1
            if self.gone[found.price] % 64 == 0:
                self.level(found.instrument, found.side, found.price).reverse()
        return reports


@wrong("numbers begin anew after 1,024 orders")
class NumbersRestart(FifoBook):
    """Order numbers are places in a table that is used again."""

    def next_number(self, order: Order) -> int:
        return 1 + super().next_number(order) % 1_024


# ---- sweeps --------------------------------------------------------------------------------------


@wrong("taker's price")
class TakersPrice(FifoBook):
    """Deals are made at the incoming order's price."""

    def price(self, order: Order, maker: Order) -> int:
        return order.price


@wrong("price between the two")
class MiddlePrice(FifoBook):
    """Deals are made in the middle of both prices."""

    def price(self, order: Order, maker: Order) -> int:
        return (order.price + maker.price) // 2


@wrong("one price for the whole sweep")
class LastMakersPrice(FifoBook):
    """All deals of a sweep are made at the first maker's price."""

    first = 0, 0

    def price(self, order: Order, maker: Order) -> int:
        if self.first[0] != order.number:
            self.first = order.number, maker.price
        return self.first[1]


@wrong("sweep stops after one maker")
class OneMaker(FifoBook):
    """An incoming order deals once; the rest rests."""

    def enough(self, reports: list[Report]) -> bool:
        return bool(reports)


@wrong("sweep stops after one level")
class OneLevel(FifoBook):
    """An incoming order deals at one price only."""

    def match(self, order: Order) -> list[Report]:
        best, limit = self.best(order.instrument, 3 - order.side), order.price
        if best is not None and self.crosses(order, best):
            order.price = best
        reports = super().match(order)
        order.price = limit
        return reports


@wrong("sweep stops after 4,096 deals")
class FullBuffer(FifoBook):
    """The list of reports has an end."""

    def enough(self, reports: list[Report]) -> bool:
        return len(reports) >= 4_096


@wrong("limit is not looked at beyond the first deal")
class NoLimit(FifoBook):
    """Once it trades, an order takes whatever is there."""

    def match(self, order: Order) -> list[Report]:
        best, limit = self.best(order.instrument, 3 - order.side), order.price
        if best is not None and self.crosses(order, best):
            order.price = 10**7 if order.side == BUY else 0
        reports = super().match(order)
        order.price = limit
        return reports


@wrong("equal prices do not cross")
class TouchDoesNotTrade(FifoBook):
    """Crossing needs a strictly better price."""

    def crosses(self, order: Order, best: int) -> bool:
        return best != order.price and super().crosses(order, best)


@wrong("one tick apart crosses")
class NearCrosses(FifoBook):
    """Crossing is one tick too generous."""

    def crosses(self, order: Order, best: int) -> bool:
        return best <= order.price + 1 if order.side == BUY else best >= order.price - 1


@wrong("the next level is looked for a few ticks away")
class GapStops(FifoBook):
    """The best price is found by walking at most 32 ticks from the last one."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.last: dict[tuple[int, Side], int] = {}

    def best(self, instrument: int, side: Side) -> int | None:
        best = super().best(instrument, side)
        if best is None:
            self.last.pop((instrument, side), None)
            return None
        before = self.last.get((instrument, side), best)
        if abs(best - before) > 32:
            return None
        self.last[instrument, side] = best
        return best


@wrong("the rest does not rest")
class RestIsLost(FifoBook):
    """What is left after a deal is dropped as if it were immediate-or-cancel."""

    def may_rest(self, order: Order) -> bool:
        return order.leaves == order.qty


@wrong("the rest rests at the last deal's price")
class RestAtLastPrice(FifoBook):
    """What is left rests at the price last dealt at."""

    def match(self, order: Order) -> list[Report]:
        reports = super().match(order)
        if reports and reports[-1].kind == "trade":
            order.price = reports[-1].price_ticks
        return reports


@wrong("a partly filled maker counts twice")
class PartCountsTwice(FifoBook):
    """The number of orders of a level grows with every partial fill."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.ghosts: dict[tuple[int, Side, int], int] = {}

    def after_part(self, maker: Order) -> None:
        key = (maker.instrument, maker.side, maker.price)
        self.ghosts[key] = self.ghosts.get(key, 0) + 1

    def shown(self, instrument: int, side: Side) -> tuple[Level, ...]:
        return tuple(
            level._replace(orders=level.orders + self.ghosts.get((instrument, side, price), 0))
            for level in super().shown(instrument, side)
            for price in [level.price_ticks]
        )


@wrong("depth forgets partial fills")
class PartNotShown(FifoBook):
    """A level shows what its orders declared."""

    def shown(self, instrument: int, side: Side) -> tuple[Level, ...]:
        levels = self.side(instrument, side)
        return tuple(
            level._replace(qty=sum(order.qty for order in levels[level.price_ticks]))
            for level in super().shown(instrument, side)
        )


@wrong("levels are not sorted")
class LevelsAsTheyCame(FifoBook):
    """A new best price stands behind the levels that were there before."""

    def shown(self, instrument: int, side: Side) -> tuple[Level, ...]:
        levels = {level.price_ticks: level for level in super().shown(instrument, side)}
        return tuple(levels[price] for price in self.side(instrument, side))


# ---- dead orders and phantom levels --------------------------------------------------------------


@wrong("phantom level after cancel")
class Phantom(FifoBook):
    """The last order's cancellation leaves its level, empty."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.empty: set[tuple[int, Side, int]] = set()

    def cancel(self, account: int, order: int) -> list[Report]:
        found = self.find(account, order)
        reports = super().cancel(account, order)
        if found is not None and found.price not in self.side(found.instrument, found.side):
            self.empty.add((found.instrument, found.side, found.price))
        return reports

    def shown(self, instrument: int, side: Side) -> tuple[Level, ...]:
        there = set(self.side(instrument, side))
        ghosts = [Level(p, 0, 0) for i, s, p in self.empty if (i, s) == (instrument, side)]
        levels = [*super().shown(instrument, side), *(g for g in ghosts if g[0] not in there)]
        return tuple(sorted(levels, reverse=side == BUY))


@wrong("phantom level after fill")
class PhantomFill(FifoBook):
    """A sweep that empties a level ends there: the emptied level is still thought the best."""

    def match(self, order: Order) -> list[Report]:
        best = self.best(order.instrument, 3 - order.side)
        reports = super().match(order)
        gone = best is not None and best not in self.side(order.instrument, 3 - order.side)
        self.phantom = (order.instrument, 3 - order.side, best) if gone else None
        return reports

    phantom: tuple[int, Side, int | None] | None = None

    def shown(self, instrument: int, side: Side) -> tuple[Level, ...]:
        levels = super().shown(instrument, side)
        if self.phantom is not None and self.phantom[:2] == (instrument, side):
            return (Level(self.phantom[2] or 0, 0, 0), *levels)
        return levels


@wrong("cancel of a dead order removes another")
class DeadCancelTakesAnother(FifoBook):
    """A cancellation of a dead number takes the account's oldest open order."""

    def find(self, account: int, number: int) -> Order | None:
        found = super().find(account, number)
        if found is None and 0 < number <= self.count:
            mine = (order for order in self.open.values() if order.account == account)
            return next(mine, None)
        return found


@wrong("cancel of a dead order is confirmed")
class DeadCancelConfirmed(FifoBook):
    """A cancellation of a filled or cancelled order is answered as done."""

    def cancel(self, account: int, order: int) -> list[Report]:
        if order not in self.open and 0 < order <= self.count:
            return [Report("cancelled", order, 0, amount_fen=0)]
        return super().cancel(account, order)


@wrong("anybody may cancel")
class AnybodyCancels(FifoBook):
    """The owner of an order is not looked at."""

    def find(self, account: int, number: int) -> Order | None:
        return self.open.get(number)


@wrong("cancel tells the declared quantity")
class CancelsDeclared(FifoBook):
    """A cancellation tells and frees what was declared, filled or not."""

    def cancelled_qty(self, order: Order) -> int:
        return order.qty


@wrong("a used id gives the old number")
class IdRevives(FifoBook):
    """Orders are kept by the client's id: used again, it revives the dead order's number."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.by_name: dict[tuple[int, str], int] = {}

    def next_number(self, order: Order) -> int:
        number = self.by_name.get((order.account, order.name)) if order.name else None
        number = number or super().next_number(order)
        self.by_name[order.account, order.name] = number
        return number


@wrong("an old number finds the id's new order")
class IdFindsTheNew(FifoBook):
    """A dead order's number leads through the client's id to the order that has the id now."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.by_number: dict[int, tuple[int, str]] = {}

    def next_number(self, order: Order) -> int:
        number = super().next_number(order)
        self.by_number[number] = order.account, order.name
        return number

    def find(self, account: int, number: int) -> Order | None:
        found = super().find(account, number)
        owner, name = self.by_number.get(number, (-1, ""))
        if found is None and name and owner == account:
            return next((o for o in self.open.values() if o.name == name), None)
        return found


@wrong("an id is refused after its fill")
class IdRefusedAfterFill(FifoBook):
    """A filled order's id is never given back."""

    def __init__(self, market: Market) -> None:
        super().__init__(market)
        self.filled_names: set[str] = set()

    def trade(self, order: Order, maker: Order) -> Report:
        report = super().trade(order, maker)
        self.filled_names |= {o.name for o in (order, maker) if o.leaves == 0} - {""}
        return report

    def why_not(self, order: Order, price: int, qty: int) -> str:
        if order.number == 0 and order.name in self.filled_names:
            return "duplicate_client_order_id"
        return super().why_not(order, price, qty)
