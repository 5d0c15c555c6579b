"""Figures of the day, the year and the whole life, per vintage and over all of them.

Fed by events only. Open, high, low and last are those of listed trades (TR-101, TR-102), the close
is the one the engine sets (TR-100), totals are kept per modality (TR-142). A voided trade leaves
all of them (TR-121).
"""

from __future__ import annotations

from engine.records import MODALITIES, Modality
from engine.units import BP, half_up
from marketdata.composite import CompositePrice

ROW_OF_MODALITY = {int(modality): row for row, modality in enumerate(MODALITIES)}


def change_bp(now_ticks: int, before_ticks: int) -> int:
    """Return now / before - 1 in basis points, half away from zero; 0 if either is 0 (TR-103)."""
    if now_ticks <= 0 or before_ticks <= 0:
        return 0
    difference = now_ticks - before_ticks
    size = half_up(abs(difference) * BP, before_ticks)
    return size if difference >= 0 else -size


class Totals:
    """Volume (tonnes) and turnover (fen) of one vintage and modality: day, year, since launch."""

    __slots__ = (
        "all_qty",
        "all_turnover",
        "day_qty",
        "day_turnover",
        "year_qty",
        "year_turnover",
    )

    def __init__(self) -> None:
        self.day_qty = self.day_turnover = 0
        self.year_qty = self.year_turnover = 0
        self.all_qty = self.all_turnover = 0

    def add(self, qty_tonnes: int, value_fen: int) -> None:
        """Count one trade in the running day; year and all follow when the day is folded."""
        self.day_qty += qty_tonnes
        self.day_turnover += value_fen

    def take_back(self, qty_tonnes: int, value_fen: int) -> None:
        """Count one trade of the running day no longer."""
        self.day_qty -= qty_tonnes
        self.day_turnover -= value_fen

    def begin_day(self, new_year: bool) -> None:
        """Fold the day before into year and all, and begin the next one."""
        self.year_qty = 0 if new_year else self.year_qty + self.day_qty
        self.year_turnover = 0 if new_year else self.year_turnover + self.day_turnover
        self.all_qty += self.day_qty
        self.all_turnover += self.day_turnover
        self.day_qty = self.day_turnover = 0

    def row(self) -> tuple[int, int, int, int, int, int]:
        """Return day, year and all, each as volume and turnover, the running day included."""
        return (
            self.day_qty,
            self.day_turnover,
            self.year_qty + self.day_qty,
            self.year_turnover + self.day_turnover,
            self.all_qty + self.day_qty,
            self.all_turnover + self.day_turnover,
        )


class Vintage:
    """The price line of one instrument and its totals, one per modality (TR-142)."""

    __slots__ = (
        "close",
        "days",
        "deals",
        "high",
        "last",
        "low",
        "lower_limit",
        "open",
        "reference",
        "totals",
        "upper_limit",
        "weight",
    )

    def __init__(self, reference_ticks: int) -> None:
        self.reference = reference_ticks
        self.upper_limit = self.lower_limit = 0
        self.open = self.high = self.low = self.last = self.close = 0
        self.deals: dict[int, int] = {}  # listed trades of the day that stand: number -> ticks
        self.days = 0  # trading days begun: 1 on the first day, which has no previous close
        self.weight = 0
        self.totals = tuple(Totals() for _ in MODALITIES)

    def begin_day(self, new_year: bool) -> None:
        """Empty the day's figures; a new year empties the year's totals."""
        self.open = self.high = self.low = self.last = self.close = 0
        self.deals = {}
        self.days += 1
        for totals in self.totals:
            totals.begin_day(new_year)

    def trade(
        self, modality: int, trade_no: int, price_ticks: int, qty_tonnes: int, value_fen: int
    ) -> None:
        """Count one trade; only listed ones move the price line (TR-76, TR-93, TR-101, TR-102)."""
        self.totals[ROW_OF_MODALITY[modality]].add(qty_tonnes, value_fen)
        if modality != Modality.LISTED:
            return
        if not self.deals:
            self.open = self.high = self.low = price_ticks
        elif price_ticks > self.high:
            self.high = price_ticks
        elif price_ticks < self.low:
            self.low = price_ticks
        self.last = price_ticks
        self.deals[trade_no] = price_ticks

    def void(self, modality: int, trade_no: int, qty_tonnes: int, value_fen: int) -> None:
        """Take a trade back; the price line is then that of the trades that stand (TR-121)."""
        self.totals[ROW_OF_MODALITY[modality]].take_back(qty_tonnes, value_fen)
        if modality != Modality.LISTED:
            return
        del self.deals[trade_no]
        prices = list(self.deals.values()) or [0]
        self.open, self.last = prices[0], prices[-1]
        self.high, self.low = max(prices), min(prices)

    @property
    def trades(self) -> int:
        """Listed trades of the day that stand."""
        return len(self.deals)

    @property
    def current(self) -> int:
        """The current price: the latest listed trade of the day, before it the reference."""
        return self.last or self.reference

    @property
    def prev_close(self) -> int:
        """The previous close; 0 on the first day, which shows none (TR-103)."""
        return self.reference if self.days > 1 else 0

    @property
    def change_ticks(self) -> int:
        """The close, before it the latest price, less the reference; 0 without a trade (TR-103)."""
        now = self.close or self.last
        return now - self.reference if now else 0

    def line(self) -> tuple[int, ...]:
        """Return the price line in the order of messages.Quote, from the latest price on."""
        listed = self.totals[0]
        now = self.close or self.last
        return (
            self.last,
            self.open,
            self.high,
            self.low,
            self.close,
            self.prev_close,
            self.reference,
            self.upper_limit,
            self.lower_limit,
            listed.day_qty,
            listed.day_turnover,
            self.trades,
            self.change_ticks,
            change_bp(now, self.reference),
        )


class Figures:
    """All vintages in the order of their rows, and the composite price over them."""

    def __init__(self) -> None:
        self.vintages: list[Vintage] = []
        self.composite = CompositePrice()
        self.date = 0  # YYYYMMDD, 0 before the first day
        self.biddings = self.biddings_failed = 0  # sessions of the day held; of them without a deal
        self.voided = 0  # trades of the day undone

    def admit(self, reference_ticks: int) -> None:
        """INSTRUMENT_ADMITTED: the next row."""
        self.vintages.append(Vintage(reference_ticks))

    def begin_day(self, date: int) -> None:
        """PHASE_CHANGED to PRE_OPEN: empty the day's figures, with a new year the year's totals."""
        new_year = date // 10_000 != self.date // 10_000
        self.date = date
        self.biddings = self.biddings_failed = self.voided = 0
        for vintage in self.vintages:
            vintage.begin_day(new_year)
        self.composite.begin_day()

    def refer(self, instrument: int, price_ticks: int) -> None:
        """REFERENCE_SET."""
        vintage = self.vintages[instrument]
        vintage.reference = price_ticks
        self.composite.refer(vintage.weight, price_ticks)

    def trade(
        self,
        instrument: int,
        modality: int,
        trade_no: int,
        price_ticks: int,
        qty_tonnes: int,
        value_fen: int,
    ) -> None:
        """TRADED."""
        vintage = self.vintages[instrument]
        if modality == Modality.LISTED:
            self.composite.move(vintage.weight, vintage.current, price_ticks)
        vintage.trade(modality, trade_no, price_ticks, qty_tonnes, value_fen)

    def void(
        self, instrument: int, modality: int, trade_no: int, qty_tonnes: int, value_fen: int
    ) -> None:
        """TRADE_VOIDED; the composite's extremes stay as they were published."""
        vintage = self.vintages[instrument]
        before = vintage.current
        vintage.void(modality, trade_no, qty_tonnes, value_fen)
        self.composite.shift(vintage.weight, before, vintage.current)
        self.voided += 1

    def held(self, failed: bool) -> None:
        """SESSION_CLOSED."""
        self.biddings += 1
        self.biddings_failed += failed

    def composite_line(self) -> tuple[int, ...]:
        """Return the composite's line in the order of messages.Composite, from latest on."""
        price, listed = self.composite, [vintage.totals[0] for vintage in self.vintages]
        now = price.close or price.latest
        return (
            price.latest,
            price.open,
            price.high,
            price.low,
            price.close,
            price.prev_close,
            now - price.before if now and price.before else 0,
            change_bp(now, price.before),
            sum(totals.day_qty for totals in listed),
            sum(totals.day_turnover for totals in listed),
            sum(vintage.trades for vintage in self.vintages),
        )
