"""The run second by second, and the conditions that end it."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque

import numpy as np

from benchmarks.load.arrivals import SECOND_NS
from benchmarks.load.ends import SENT
from benchmarks.load.outcome import Outcome
from benchmarks.load.plan import Stop
from benchmarks.load.record import Second
from benchmarks.load.tally import Tally


class Seconds:
    """Counts; ``roll`` closes a second. ``next_ns``: when the one that runs is over."""

    def __init__(self, outcome: Outcome, warmup_s: float) -> None:
        self._outcome = outcome
        self._warmup_s = warmup_s
        self._due = outcome.due
        self._made = 0
        self._intended = 0
        self._first_open = 0  # all before it have their answer
        self.rows: list[Second] = []
        self.tally = Tally(outcome)
        self.answered = 0
        self.refused = 0
        self.next_ns = SECOND_NS

    def roll(self, now_ns: int, made: int, limit: int) -> Second:
        """Close the second that runs; ``made``: orders sent so far, ``limit``: that will be.

        Its latencies are those of the orders answered in it, and the age of those that were due
        before it and still have no answer: a venue that says nothing shows in each second.
        """
        outcome = self._outcome
        intended = max(self._intended, min(limit, bisect_right(self._due, now_ns)))
        waits = self._waiting_ns(now_ns, made)
        fresh = np.frombuffer(outcome.fresh, dtype=np.int64)
        values = np.concatenate([fresh, waits]) / 1000
        middle, high, most = np.percentile(values, (50, 99, 100)) if len(values) else np.zeros(3)
        self.answered += len(fresh)
        self.tally.add(fresh)
        row = Second(
            t=round(now_ns / SECOND_NS, 3),
            intended=intended - self._intended,
            sent=made - self._made,
            answered=len(fresh),
            refused=outcome.refused_now,
            backlog=intended - self.answered,
            p50_us=round(float(middle), 1),
            p99_us=round(float(high), 1),
            max_us=round(float(most), 1),
            warmup=now_ns <= (self._warmup_s + 0.5) * SECOND_NS,
        )
        del fresh
        outcome.fresh = type(outcome.fresh)("q")
        self.refused += outcome.refused_now
        outcome.refused_now = 0
        self._made, self._intended = made, intended
        self.rows.append(row)
        while self.next_ns <= now_ns:
            self.next_ns += SECOND_NS
        return row

    def _waiting_ns(self, now_ns: int, made: int) -> np.ndarray:
        """Return the age of orders that were due before this second and are not answered."""
        end = self._outcome.end
        until = min(made, bisect_right(self._due, self.next_ns - SECOND_NS))
        while self._first_open < until and end[self._first_open] != SENT:
            self._first_open += 1
        first = self._first_open
        states = np.frombuffer(end, dtype=np.uint8)[first:until]
        due = np.array(self._due[first:until], dtype=np.int64)
        ages: np.ndarray = now_ns - due[states == SENT]
        return ages

    @property
    def totals(self) -> dict[str, int]:
        """What there was since the begin, warm-up included."""
        backlog = self.rows[-1].backlog if self.rows else 0
        return {
            "intended": self._intended,
            "sent": self._made,
            "answered": self.answered,
            "refused": self.refused,
            "backlog": backlog,
        }


class Stopping:
    """Looks at each second whether a condition of the plan ends the run."""

    def __init__(self, stop: Stop, warmup_s: float) -> None:
        self._stop = stop
        self._warmup_s = warmup_s
        self._slow = 0
        self._last: deque[Second] = deque(maxlen=stop.for_s)

    def why(self, row: Second) -> str:
        """Return the condition that is met, or ""."""
        stop = self._stop
        if stop.backlog and row.backlog > stop.backlog:
            return f"{row.backlog} orders without an answer, more than {stop.backlog}"
        if row.warmup:
            return ""
        self._slow = self._slow + 1 if row.p99_us > stop.p99_us else 0
        if stop.p99_us and self._slow >= stop.for_s:
            return f"p99 above {stop.p99_us:g} µs for {stop.for_s} s"
        self._last.append(row)
        answered = sum(each.answered for each in self._last)
        share = sum(each.refused for each in self._last) / answered if answered else 0.0
        if stop.refused_share and len(self._last) == stop.for_s and share > stop.refused_share:
            return f"{share:.0%} refused in {stop.for_s} s, more than {stop.refused_share:.0%}"
        return ""
