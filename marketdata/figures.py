"""Figures of the day, the year and the whole life, per vintage and for the composite price.

Fed by events only. Open, high, low and last are those of listed trades (TR-101, TR-102), the close
is the one the engine sets (TR-100), totals are kept per modality (TR-142), the composite price is
the weighted one of TR-104 and TR-105.
"""

from __future__ import annotations

from engine.records import MODALITIES, Modality
from engine.units import BP, half_up

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
        "high",
        "last",
        "low",
        "lower_limit",
        "open",
        "reference",
        "totals",
        "trades",
        "upper_limit",
        "weight",
    )

    def __init__(self, reference_ticks: int) -> None:
        self.reference = reference_ticks
        self.upper_limit = self.lower_limit = 0
        self.open = self.high = self.low = self.last = self.close = 0
        self.trades = 0  # listed trades of the day
        self.days = 0  # trading days begun: 1 on the first day, which has no previous close
        self.weight = 0
        self.totals = tuple(Totals() for _ in MODALITIES)

    def begin_day(self, new_year: bool) -> None:
        """Empty the day's figures; a new year empties the year's totals."""
        self.open = self.high = self.low = self.last = self.close = 0
        self.trades = 0
        self.days += 1
        for totals in self.totals:
            totals.begin_day(new_year)

    def trade(self, modality: int, price_ticks: int, qty_tonnes: int, value_fen: int) -> None:
        """Count one trade; only listed ones move the price line (TR-76, TR-93, TR-101, TR-102)."""
        self.totals[ROW_OF_MODALITY[modality]].add(qty_tonnes, value_fen)
        if modality != Modality.LISTED:
            return
        if not self.trades:
            self.open = self.high = self.low = price_ticks
        elif price_ticks > self.high:
            self.high = price_ticks
        elif price_ticks < self.low:
            self.low = price_ticks
        self.last = price_ticks
        self.trades += 1

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


class Composite:
    """Weighted price of all vintages (TR-104, TR-105).

    ``weighted`` is the running sum of weight x then-current price; dividing it by the sum of the
    weights is left to the moment somebody looks, since only its extremes matter until then.
    """

    __slots__ = (
        "close",
        "high_sum",
        "low_sum",
        "open_sum",
        "prev_close",
        "reference_sum",
        "traded",
        "weighted",
        "weights",
    )

    def __init__(self) -> None:
        self.prev_close = self.close = 0  # 0: there is none yet
        self.weights = self.weighted = self.reference_sum = 0
        self.open_sum = self.high_sum = self.low_sum = 0
        self.traded = False  # a listed trade of any vintage today

    def begin_day(self) -> None:
        """Keep yesterday's close; the references follow."""
        self.prev_close = self.close or self.prev_close
        self.close = 0
        self.traded = False

    def refer(self, vintages: list[Vintage]) -> None:
        """Start from the day's references; a vintage that does not trade keeps its own."""
        self.weights = sum(vintage.weight for vintage in vintages)
        self.weighted = sum(vintage.weight * vintage.reference for vintage in vintages)
        self.reference_sum = self.weighted

    def move(self, weight: int, from_ticks: int, to_ticks: int) -> None:
        """Recompute at a listed trade of a vintage whose current price moves (TR-105)."""
        now = self.weighted = self.weighted + weight * (to_ticks - from_ticks)
        if not self.traded:
            self.traded = True
            self.open_sum = self.high_sum = self.low_sum = now
        elif now > self.high_sum:
            self.high_sum = now
        elif now < self.low_sum:
            self.low_sum = now

    def _price(self, weighted_sum: int) -> int:
        return half_up(weighted_sum, self.weights) if self.weights else 0

    @property
    def before(self) -> int:
        """What a change is measured from: the previous close, on a first day the references."""
        return self.prev_close or self._price(self.reference_sum)

    @property
    def latest(self) -> int:
        """The latest value; 0 while nothing was traded: it is not shown then (TR-105)."""
        return self._price(self.weighted) if self.traded else 0

    @property
    def open(self) -> int:
        """The value at the first listed trade of any vintage; none: the previous close."""
        return self._price(self.open_sum) if self.traded else self.before

    @property
    def high(self) -> int:
        """The largest of open, every latest value and the close; 0 if nothing was traded."""
        return max(self._price(self.high_sum), self.close) if self.traded else 0

    @property
    def low(self) -> int:
        """The least of open, every latest value and the close; 0 if nothing was traded."""
        if not self.traded:
            return 0
        least = self._price(self.low_sum)
        return min(least, self.close) if self.close else least


class Figures:
    """All vintages in the order of their rows, and the composite price over them."""

    def __init__(self) -> None:
        self.vintages: list[Vintage] = []
        self.composite = Composite()
        self.date = 0  # YYYYMMDD, 0 before the first day

    def admit(self, reference_ticks: int) -> None:
        """INSTRUMENT_ADMITTED: the next row."""
        self.vintages.append(Vintage(reference_ticks))

    def begin_day(self, date: int) -> None:
        """PHASE_CHANGED to PRE_OPEN: empty the day's figures, with a new year the year's totals."""
        new_year = date // 10_000 != self.date // 10_000
        self.date = date
        for vintage in self.vintages:
            vintage.begin_day(new_year)
        self.composite.begin_day()

    def refer(self, instrument: int, price_ticks: int) -> None:
        """REFERENCE_SET."""
        self.vintages[instrument].reference = price_ticks
        self.composite.refer(self.vintages)

    def trade(
        self, instrument: int, modality: int, price_ticks: int, qty_tonnes: int, value_fen: int
    ) -> None:
        """TRADED."""
        vintage = self.vintages[instrument]
        if modality == Modality.LISTED:
            self.composite.move(vintage.weight, vintage.last or vintage.reference, price_ticks)
        vintage.trade(modality, price_ticks, qty_tonnes, value_fen)
