"""The figures of a run that is over: what was due, what became of it, how long it took."""

from __future__ import annotations

from collections import Counter

import numpy as np

from benchmarks.load.arrivals import SECOND_NS
from benchmarks.load.ends import ENDS, REFUSED, UNSENT
from benchmarks.load.outcome import Outcome
from benchmarks.load.plan import KINDS, Plan
from benchmarks.load.record import Client, Latency, Orders, encoded, histogram, latency

BUSY_MAX = 0.9  # of its core: beyond it this program was the limit
LATE_US, LATE_SHARE = 1_000.0, 0.25  # p99 of its lateness, and what that is of the p99 measured
RATE_LIMITED = ("rate_limited", "rate_abused")


class Figures:
    """Of the ``count`` orders that were due in a run that ended after ``over_ns``.

    An order that was due and never sent counts as any other without an answer. The warm-up stands
    apart. ``ends``: each order's state before what rested was taken back.
    """

    def __init__(self, plan: Plan, outcome: Outcome, ends: bytes, count: int, over_ns: int) -> None:
        self._plan = plan
        self._outcome = outcome
        self._over_ns = over_ns
        self._due = np.array(outcome.due[:count], dtype=np.int64)
        self._sent = np.frombuffer(outcome.sent, dtype=np.int64)[:count]
        self._answered = np.frombuffer(outcome.answered, dtype=np.int64)[:count]
        self._first = int(np.searchsorted(self._due, round(plan.warmup_s * SECOND_NS)))
        self._count = count
        self._kinds = np.frombuffer(outcome.kind, dtype=np.uint8)[:count]
        self._ends = np.frombuffer(ends, dtype=np.uint8)[:count]

    @property
    def warmup_orders(self) -> int:
        """Orders of the warm-up."""
        return self._first

    def warmup(self) -> Latency:
        """Return the latencies of the warm-up."""
        return latency(histogram(self._latencies(0, self._first)))

    def _latencies(self, first: int, until: int) -> np.ndarray:
        """Return the time since an order was due; without an answer it waits until the end."""
        part = slice(first, until)
        known = self._answered[part] > 0
        heard = np.where(known, self._answered[part], self._over_ns)
        return np.maximum(0, heard - self._due[part])

    def latencies(self) -> tuple[Latency, Latency, dict[str, str]]:
        """Return the latency from the intended time, the service time, and both histograms."""
        waited = histogram(self._latencies(self._first, self._count))
        part = slice(self._first, self._count)
        both = (self._answered[part] > 0) & (self._sent[part] > 0)
        served = histogram((self._answered[part] - self._sent[part])[both])
        encodings = {"latency": encoded(waited), "service": encoded(served)}
        return latency(waited), latency(served), encodings

    def orders(self) -> Orders:
        """Return the counts of the measured time."""
        part = slice(self._first, self._count)
        answered = int((self._answered[part] > 0).sum())
        ends = self._ends[part]
        refused = int((ends == REFUSED).sum())
        kinds = Counter(self._kinds[part].tolist())
        counts = Counter(ends.tolist())
        sent = len(ends) - counts[UNSENT]
        return Orders(
            intended=len(ends),
            sent=sent,
            answered=answered,
            accepted=max(0, answered - refused),
            refused=refused,
            unanswered=len(ends) - answered,
            by_kind={word: kinds[number] for number, word in enumerate(KINDS) if kinds[number]},
            ends={word: counts[state] for state, word in ENDS.items()},
        )

    def per_second(self) -> float:
        """Return the answers a second of the measured time."""
        begin = round(self._plan.warmup_s * SECOND_NS)
        end = min(self._over_ns, begin + round(self._plan.seconds * SECOND_NS))
        count = int(((self._answered >= begin) & (self._answered < end)).sum())
        return round(count * SECOND_NS / (end - begin), 1) if end > begin else 0.0

    def refusals(self) -> dict[str, int]:
        """Return how often each code was told in the measured time, the most frequent first."""
        codes = (code for order, code in self._outcome.refused_as.items() if order >= self._first)
        return dict(Counter(codes).most_common())

    def client(self, late_ns: np.ndarray, busy: float, core: int | None, p99_us: float) -> Client:
        """Return how this program did: too busy, or too late for what it measured, is the limit."""
        late = late_ns[self._first :] / 1000
        late_us = float(np.percentile(late, 99)) if len(late) else 0.0
        slow = late_us > LATE_US and late_us > p99_us * LATE_SHARE
        return Client(round(busy, 3), round(late_us, 1), busy > BUSY_MAX or slow, core)


def advice(
    plan: Plan, orders: Orders, refusals: dict[str, int], client: Client, rate: int, ended_by: str
) -> list[str]:
    """Return what the reader of a record should know.

    ``rate``: orders a second that the venue lets an account send, 0: as many as it likes.
    """
    found = []
    limited = sum(refusals.get(code, 0) for code in RATE_LIMITED)
    if limited or "rate_abused" in ended_by:
        share = limited / max(1, orders.answered)
        found.append(
            f"{share:.0%} of the answers are rate_limited: the venue lets an account send {rate}"
            f" orders a second, the plan wants {plan.orders_per_second / plan.clients:.0f} of each"
            f" of {plan.clients} clients. Take more clients, or raise the venue's limits: tanshi"
            " serve --limit orders_per_second=N --limit orders_burst=N."
        )
    if client.is_the_limit:
        found.append(
            f"This load tester was the limit, not the venue: it had its core {client.busy:.0%} of"
            f" the time, and p99 of its own lateness was {client.lateness_p99_us:.0f} µs. Give it a"
            " core of its own, or a machine."
        )
    if orders.unanswered:
        found.append(
            f"{orders.unanswered} orders had no answer when the run ended; they count in the"
            " latency as waiting until then."
        )
    return found
