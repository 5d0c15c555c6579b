"""The composite price of all vintages, as it moves with every listed trade (TR-104, TR-105).

A sum of weight x current price is kept, exactly as the engine keeps it (engine/closing.py): the
weights are fixed for the day, so the extremes of the sum are those of the price, and dividing and
rounding (half up, once, U30) is left to the moment somebody looks. At the close the engine's own
figures stand.
"""

from __future__ import annotations

from engine.units import half_up


class CompositePrice:
    """Open, high, low, latest and close in ticks; 0 where there is none.

    Changes are measured from ``before``: the previous close, on a venue's first day the references.
    """

    __slots__ = (
        "_fixed",
        "close",
        "high_sum",
        "low_sum",
        "open_sum",
        "prev_close",
        "reference_sum",
        "weighted",
        "weights",
    )

    def __init__(self) -> None:
        self.prev_close = self.close = 0  # 0: there is none yet
        self.weights = self.weighted = self.reference_sum = 0
        self.open_sum = self.high_sum = self.low_sum = 0  # 0 while nothing was traded
        self._fixed: dict[str, int] = {}  # what the engine published at the close

    def begin_day(self) -> None:
        """Keep yesterday's close; the references follow."""
        self.prev_close = self.close or self.prev_close
        self.close = 0
        self.weights = self.weighted = self.reference_sum = 0
        self.open_sum = self.high_sum = self.low_sum = 0
        self._fixed = {}

    def refer(self, weight: int, reference_ticks: int) -> None:
        """Count in one vintage's reference, its current price until it trades (TR-24, TR-105)."""
        self.weights += weight
        self.weighted += weight * reference_ticks
        self.reference_sum = self.weighted

    def shift(self, weight: int, from_ticks: int, to_ticks: int) -> None:
        """A vintage's current price becomes another one, without a trade (a voided one)."""
        self.weighted += weight * (to_ticks - from_ticks)

    def move(self, weight: int, from_ticks: int, to_ticks: int) -> None:
        """A listed trade, of a vintage with or without a weight (TR-105)."""
        self.shift(weight, from_ticks, to_ticks)
        now = self.weighted
        if not self.open_sum:
            self.open_sum = self.high_sum = self.low_sum = now
        elif now > self.high_sum:
            self.high_sum = now
        elif now < self.low_sum:
            self.low_sum = now

    def fix(self, figure: str, price_ticks: int) -> None:
        """Take over what the engine publishes at the close: ``open``, ``high`` or ``low``."""
        self._fixed[figure] = price_ticks

    def _price(self, weighted_sum: int) -> int:
        return half_up(weighted_sum, self.weights) if self.weights else 0

    @property
    def before(self) -> int:
        """What a change is measured from."""
        return self.prev_close or self._price(self.reference_sum)

    @property
    def latest(self) -> int:
        """The latest value; 0 while nothing was traded: it is not shown then."""
        return self._price(self.weighted) if self.open_sum else 0

    @property
    def open(self) -> int:
        """The value right after the first listed trade; at a close without one the last close."""
        return self._fixed.get("open", self._price(self.open_sum))

    @property
    def high(self) -> int:
        """The largest of open, every latest value and, once it is set, the close."""
        return self._fixed.get("high", self._price(self.high_sum))

    @property
    def low(self) -> int:
        """The least of open, every latest value and, once it is set, the close."""
        return self._fixed.get("low", self._price(self.low_sum))
