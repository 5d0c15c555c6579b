"""What is shown of a run so far: cheap enough to be counted in the loop, near enough to be shown.

The figures of the record are computed from every single order when the run is over.
"""

from __future__ import annotations

from collections import Counter
from itertools import islice

import numpy as np

from benchmarks.load.ends import ENDS
from benchmarks.load.outcome import Outcome
from benchmarks.load.record import Latency

BINS_A_DOUBLING = 64  # a value is known to about 1 %
DOUBLINGS = 44  # of a nanosecond: up to about five hours


class Tally:
    """Latencies, refusals and ends of a run until now, its warm-up included."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._bins = np.zeros(BINS_A_DOUBLING * DOUBLINGS, dtype=np.int64)
        self._most_ns = 0
        self._codes: Counter[str] = Counter()
        self._codes_seen = 0

    def add(self, latencies_ns: np.ndarray) -> None:
        """Count the latencies of a second."""
        if not len(latencies_ns):
            return
        logs = np.log2(np.maximum(latencies_ns, 1)) * BINS_A_DOUBLING
        places = np.clip(logs.astype(np.int64), 0, len(self._bins) - 1)
        self._bins += np.bincount(places, minlength=len(self._bins))
        self._most_ns = max(self._most_ns, int(latencies_ns.max()))

    def latency(self) -> Latency:
        """p50, p99 and the largest so far, in microseconds; the other figures are not counted."""
        sums = np.cumsum(self._bins)
        if not sums[-1]:
            return Latency()
        middle, high = (
            2.0 ** ((int(np.searchsorted(sums, sums[-1] * part)) + 0.5) / BINS_A_DOUBLING) / 1e3
            for part in (0.5, 0.99)
        )
        most = self._most_ns / 1e3
        return Latency(p50=min(middle, most), p99=min(high, most), max=most)

    def refusals(self) -> dict[str, int]:
        """How often each code was told so far."""
        found = self._outcome.refused_as
        self._codes.update(islice(found.values(), self._codes_seen, None))
        self._codes_seen = len(found)
        return dict(self._codes)

    def ends(self) -> dict[str, int]:
        """How many orders are in each state now."""
        counts = np.bincount(np.frombuffer(self._outcome.end, dtype=np.uint8), minlength=10)
        return {word: int(counts[state]) for state, word in ENDS.items() if counts[state]}
