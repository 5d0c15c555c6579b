"""Moving the composite price: from the references through open, high and low to the closes.

The composite price is a sum of weight x current price over the sum of the weights, rounded (TR-104,
TR-105); it moves when a vintage trades at another price. Here single tonnes are traded at chosen
prices so that the sum passes through what is published and never leaves the day's range.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

Range = tuple[int, int]
ANY: Range = (0, 10**12)
STEPS_MAX = 16


class Step(NamedTuple):
    """A vintage trades at a price."""

    vintage: int
    price_ticks: int


class Sums(NamedTuple):
    """Ranges of the sum that round to the published figures; ANY = not published."""

    open: Range
    high: Range
    low: Range
    close: Range

    @property
    def least(self) -> int:
        """The lowest sum the day may see."""
        return self.low[0]

    @property
    def most(self) -> int:
        """The highest sum the day may see."""
        return self.high[1]


def sums_at(price_ticks: int, weights: int) -> Range:
    """Return the least and most sum that, over ``weights``, rounds half up to the price (U30)."""
    least = -((weights - 2 * weights * price_ticks) // 2)
    return least, -((-weights - 2 * weights * price_ticks) // 2) - 1


def paths(
    weights: Sequence[int],
    references: Sequence[int],
    closes: Sequence[int],
    limits: Sequence[Range],
    sums: Sums,
    carriers: Sequence[int],
    *,
    thorough: bool,
) -> Iterator[list[Step]]:
    """Yield paths from ``references`` to ``closes``.

    Args:
        carriers: rows, those first that should make the moves; others are tried in turn.
        thorough: also try the extreme that is farther from the open first.
    """
    end = sum(weight * close for weight, close in zip(weights, closes, strict=True))
    if not sums.close[0] <= end <= sums.close[1]:
        return
    for far_first in (False, True) if thorough else (False,):
        for turn in range(len(carriers)):
            order = [*carriers[turn:], *carriers[:turn]]
            for first in order:
                walk = _Walk(weights, references, closes, limits, sums, order)
                if walk.run(first, end, far_first=far_first):
                    yield walk.steps


class _Walk:
    """One path being made: the prices now, their sum, the steps so far."""

    def __init__(
        self,
        weights: Sequence[int],
        references: Sequence[int],
        closes: Sequence[int],
        limits: Sequence[Range],
        sums: Sums,
        carriers: Sequence[int],
    ) -> None:
        self.weights, self.closes, self.limits = weights, closes, limits
        self.sums, self.carriers = sums, carriers
        self.prices = list(references)
        self.sum = sum(w * price for w, price in zip(weights, references, strict=True))
        self.seen: list[int] = []
        self.steps: list[Step] = []

    def run(self, first: int, end: int, *, far_first: bool) -> bool:
        """Walk the whole path, beginning with a trade of ``first``; False if it cannot be done."""
        if not self._open(first):
            return False
        low, high = self.sums.low, self.sums.high
        low_is_nearer = self.sum - low[0] < high[0] - self.sum
        for span in (low, high) if low_is_nearer != far_first else (high, low):
            reached = any(span[0] <= each <= span[1] for each in (*self.seen, end))
            if span != ANY and not reached and not self._reach(span):
                return False
        return self._finish()

    def _trade(self, row: int, price: int) -> None:
        self.sum += self.weights[row] * (price - self.prices[row])
        self.prices[row] = price
        self.seen.append(self.sum)
        self.steps.append(Step(row, price))

    def _toward(self, row: int, wanted: int) -> int:
        """Return the price of ``row`` that brings the sum nearest to ``wanted``."""
        low, high = self.limits[row]
        weight = self.weights[row]
        if not weight:
            return self.prices[row]
        return min(max(self.prices[row] + (wanted - self.sum) // weight, low), high)

    def _open(self, first: int) -> bool:
        """Make the first trade of the day; at the close if that gives the open already."""
        least, most = self.sums.open
        weight, price = self.weights[first], self.closes[first]
        if not least <= self.sum + weight * (price - self.prices[first]) <= most:
            price = self._toward(first, (least + most) // 2)
        self._trade(first, price)
        return least <= self.sum <= most

    def _reach(self, span: Range) -> bool:
        """Bring the sum into ``span``, one carrier after the other."""
        for row in self.carriers:
            if span[0] <= self.sum <= span[1]:
                return True
            price = self._toward(row, (span[0] + span[1]) // 2)
            if price != self.prices[row]:
                self._trade(row, price)
        return span[0] <= self.sum <= span[1]

    def _finish(self) -> bool:
        """Bring every vintage to its close without leaving the day's range."""
        pending = [row for row in self.carriers if self.prices[row] != self.closes[row]]
        least, most = self.sums.least, self.sums.most
        while pending and len(self.steps) < STEPS_MAX:
            ready = [row for row in pending if least <= self._sum_at_close(row) <= most]
            if ready:
                row = max(ready, key=lambda each: abs(self.closes[each] - self.prices[each]))
                self._trade(row, self.closes[row])
                pending.remove(row)
            elif not self._part_way(pending):
                return False
        return not pending

    def _sum_at_close(self, row: int) -> int:
        return self.sum + self.weights[row] * (self.closes[row] - self.prices[row])

    def _part_way(self, pending: Sequence[int]) -> bool:
        """Move a vintage part of its way, to the edge of the range: others can follow then."""
        for row in pending:
            up = self.closes[row] > self.prices[row]
            edge = self.sums.most if up else self.sums.least
            price = self._toward(row, edge)
            if price != self.prices[row]:
                self._trade(row, price)
                return True
        return False
