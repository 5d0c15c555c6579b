"""The knee: the highest rate whose p99 stays within a bound, found by runs of their own.

The rate doubles until a run fails, then the gap is halved; the best rate has to pass once more. A
rate passes if p99 from the intended time is within the bound, the venue kept up with what was due,
and no finding, no rate limit and no limit of this program spoils the figure.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence

from benchmarks.load.drive import Watch, run
from benchmarks.load.figures import RATE_LIMITED
from benchmarks.load.keys import Credentials
from benchmarks.load.plan import LoadError, Plan
from benchmarks.load.record import Knee, Record, Step

CLOSE = 1.1  # rates as near as this are one
UNDER_WAY = 5  # orders
KEPT_UP = 0.97  # of the orders of the measured time, answered within it
LEAST = 1.0  # orders a second
STEPS_MAX = 24
PAUSE_S = 0.5
BACKLOG_S = 3.0  # a run ends early once the orders of so many seconds have no answer
OVER = {"interrupted", "finding", "lost"}  # the search ends with these, whatever was found


class _Search:
    """What was tried: ``low`` passed, ``high`` did not (0: nothing yet)."""

    def __init__(
        self, plan: Plan, keys: Sequence[Credentials], bound_us: float, watch: Watch
    ) -> None:
        self._plan = plan
        self._keys = keys
        self._watch = watch
        self.bound_us = bound_us
        self.steps: list[Step] = []
        self.low = self.high = 0.0
        self.confirmed = False  # ``low`` has passed twice
        self.best: Record | None = None
        self.last: Record | None = None

    def try_rate(self, rate: float) -> str:
        """Run at a rate and return why it does not pass, or ""."""
        if self.steps:
            time.sleep(PAUSE_S)
        stop = dataclasses.replace(
            self._plan.stop, backlog=self._plan.stop.backlog or max(1000, round(rate * BACKLOG_S))
        )
        seed = self._plan.seed + len(self.steps)
        plan = dataclasses.replace(self._plan, orders_per_second=rate, stop=stop, seed=seed)
        record = self.last = run(plan, self._keys, self._watch)
        why = failing(record, self.bound_us)
        step = Step(rate, record.orders_per_second, record.latency_us.p99, not why, why)
        self.steps.append(step)
        if why:
            self.high = rate
            passed = (each.orders_per_second for each in self.steps if each.passed)
            self.low = max((each for each in passed if each < rate), default=0.0)
        else:
            self.confirmed = rate == self.low
            self.low, self.best = rate, record
        return why

    def next_rate(self) -> float:
        """Return the rate to try next, 0 once low and high are close."""
        if not self.high:
            return self.low * 2
        if not self.low:
            return self.high / 2 if self.high / 2 >= LEAST else 0.0
        return (self.low * self.high) ** 0.5 if self.high / self.low > CLOSE else 0.0

    def result(self, ended: str) -> Record:
        """Return the record of the best run, or of the last one where none passed."""
        record = self.best if self.confirmed or self.best is not None else self.last
        record = self.last if ended or record is None else record
        assert record is not None, "there was a step"
        record.knee = Knee(self.bound_us, self.low if self.confirmed else 0.0, self.steps)
        record.advice = [*record.advice, *self._advice()]
        record.finished = not ended
        if ended:
            record.ended_by = ended
        return record

    def _advice(self) -> list[str]:
        words = {each.why for each in self.steps}
        found = []
        if not self.confirmed:
            found.append("No rate was found that passes twice: see the steps.")
        if "client" in words:
            found.append("This load tester was the limit at a rate that did not pass.")
        if "rate_limited" in words:
            found.append("The venue's own limit of orders a second was reached, not its speed.")
        return found


def find(
    plan: Plan,
    keys: Sequence[Credentials],
    bound_us: float,
    watch: Watch,
    tell: Callable[[Step], None] = lambda step: None,
) -> Record:
    """Return the record of the best rate's confirming run, with the knee and all its steps.

    It starts at the plan's rate; ``tell`` hears of each step. A search that was ended early
    returns what it has, ``finished`` False; the knee's rate is 0 where none passed.

    Raises:
        LoadError: as ``drive.run`` before the first step; ``bad_plan`` for a bound that is none or
            an arrival without a steady rate.
    """
    if bound_us <= 0:
        raise LoadError("bad_plan", "The bound of the knee is above 0 µs.")
    if plan.arrival in {"ramp", "recorded"}:
        raise LoadError("bad_plan", "The knee is found with poisson, constant or bursts.")
    search = _Search(plan, keys, bound_us, watch)
    rate, ended = plan.orders_per_second, ""
    while not search.confirmed and not ended and len(search.steps) < STEPS_MAX:
        try:
            why = search.try_rate(rate)
        except LoadError as error:
            if not search.steps:
                raise
            ended = f"server lost: {error.sentence}"
            break
        tell(search.steps[-1])
        if why in OVER and search.last is not None:
            ended = search.last.ended_by
        rate = search.next_rate() or search.low
        if not rate:
            break
    return search.result(ended)


def failing(record: Record, bound_us: float) -> str:
    """Return in a word why a run's rate does not pass, or ""."""
    orders = record.orders
    for wrong, word in (
        (record.ended_by == "interrupted", "interrupted"),
        (record.ended_by.startswith("server lost"), "lost"),
        (not record.checks.passed, "finding"),
        (any(record.refusals.get(code) for code in RATE_LIMITED), "rate_limited"),
        (not record.finished, "backlog"),
        (record.latency_us.p99 > bound_us, "p99"),
        (not orders.answered, "no_answer"),
        (not _kept_up(record), "backlog"),
    ):
        if wrong:  # this program's own lateness is in the latency: without it a pass stays one
            own = word in {"p99", "backlog"} and record.client.is_the_limit
            return "client" if own else word
    return ""


def _kept_up(record: Record) -> bool:
    """Whether nearly all orders were answered within the time in which they were due.

    By chance they are not as many as the plan's rate says; a few may be on their way at its end.
    """
    seconds = record.plan.seconds
    due = min(record.plan.orders_per_second * seconds, record.orders.intended)
    return record.orders_per_second * seconds + UNDER_WAY >= KEPT_UP * due
