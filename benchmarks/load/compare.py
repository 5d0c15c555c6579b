"""Two records side by side: figures, change, and whether it is more than the runs' own unrest.

Of the whole run every figure is shown. Judged is the median second: its difference counts as
*beyond the spread* where the bands from 10 to 90 % of both runs' measured seconds do not overlap.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from rich.console import Console
from rich.table import Table

from benchmarks.load.plan import Plan
from benchmarks.load.record import Record
from benchmarks.load.spans import SHORTEST_S, with_spans
from benchmarks.load.verdict import most, percentiles
from benchmarks.load.words import NONE, duration, rate

FEWEST_SECONDS = 5  # below, a run has no spread to speak of
LOW, HIGH = 0.1, 0.9
ANSWERED = "answered/s"
BY_SECOND = {"answered": "answered", "p50_us": "p50", "p99_us": "p99", "max_us": "max"}
MEDIAN = "a second: "
OTHERWISE = {"url", "seed"}  # may differ without the work being another one


class Band(NamedTuple):
    """Where 10, 50 and 90 % of a run's measured seconds lie."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Row:
    """One figure of both runs. ``beyond``: it differs by more than the spread; None: not judged."""

    name: str
    old: float | None
    new: float | None
    higher_is_better: bool
    rate: bool
    beyond: bool | None = None

    @property
    def change(self) -> float | None:
        """New over old, less one; None where either is missing."""
        if not self.old or self.new is None:
            return None
        return self.new / self.old - 1

    @property
    def better(self) -> bool | None:
        """Whether the new run is better, beyond the spread; None: neither."""
        if not self.beyond or self.change is None:
            return None
        return (self.change > 0) == self.higher_is_better

    def told(self) -> tuple[str, str, str, str, str]:
        """Name, old, new, change and verdict as words."""
        word = rate if self.rate else duration
        old, new = (NONE if each is None else word(each) for each in (self.old, self.new))
        change = NONE if self.change is None else f"{self.change:+.1%}".replace("%", " %")
        verdict = "" if self.beyond is None else "within the spread"
        if self.better is not None:
            verdict = f"{'better' if self.better else 'worse'}, beyond it"
        return self.name, old, new, change, verdict


@dataclass(frozen=True)
class Comparison:
    """Rows of figures, and what of plan, machine and outcome is not the same: name, old, new."""

    rows: tuple[Row, ...]
    differs: tuple[tuple[str, str, str], ...]
    same_work: bool

    def sentence(self) -> str:
        """What the comparison comes to."""
        if all(row.beyond is None for row in self.rows):
            words = (
                f"A run of fewer than {FEWEST_SECONDS} measured seconds has no spread to judge by."
            )
        else:
            told = [self._named("better", True), self._named("worse", False)]
            told = [each for each in told if each] or ["nothing differs by"]
            words = f"In the median second, {'; '.join(told)} more than the runs' own spread."
        if not self.same_work:
            words += " The plans differ: this is not the same work."
        return words

    def _named(self, word: str, better: bool) -> str:
        names = [row.name.removeprefix(MEDIAN) for row in self.rows if row.better is better]
        if not names:
            return ""
        *most_of, last = names
        listed = f"{', '.join(most_of)} and {last} are" if most_of else f"{last} is"
        return f"{listed} {word} by"


def compare(old: Record, new: Record) -> Comparison:
    """Hold a new record against an old one."""
    rows = [_rates(ANSWERED, old.orders_per_second, new.orders_per_second)]
    pairs = zip(percentiles(old.latency_us), percentiles(new.latency_us), strict=True)
    rows += [Row(name, before, after, False, False) for (name, before), (_, after) in pairs]
    if old.knee and new.knee:
        knees = (old.knee.orders_per_second, new.knee.orders_per_second)
        rows.append(_rates("the knee, orders/s", *knees))
    rows += _by_second(old, new)
    plans = [*_differs("plan", _plan(old.plan), _plan(new.plan))]
    machines = _differs("machine", old.machine, new.machine)
    outcomes = _differs("", _outcome(old), _outcome(new))
    work = all(name.removeprefix("plan: ") in OTHERWISE for name, _, _ in plans)
    return Comparison(tuple(rows), (*plans, *machines, *outcomes), work)


def band(record: Record, name: str) -> Band | None:
    """The band of a figure over the measured seconds that had answers; None: too few."""
    until = record.warmup_s + record.plan.seconds + SHORTEST_S  # what is awaited later is no load
    values = [
        float(getattr(row, name)) / (span if name == "answered" else 1)
        for row, span in with_spans(record.seconds)
        if not row.warmup and row.answered and row.t < until
    ]
    if len(values) < FEWEST_SECONDS:
        return None
    values.sort()
    last = len(values) - 1
    return Band(values[round(LOW * last)], statistics.median(values), values[round(HIGH * last)])


def _rates(name: str, old: float, new: float) -> Row:
    return Row(name, old or None, new or None, higher_is_better=True, rate=True)


def _by_second(old: Record, new: Record) -> Iterator[Row]:
    for name, words in BY_SECOND.items():
        before, after = band(old, name), band(new, name)
        if before is not None and after is not None:
            beyond = before.high < after.low or after.high < before.low
            counts = name == "answered"
            yield Row(MEDIAN + words, before.middle, after.middle, counts, counts, beyond)


def _plan(plan: Plan) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(plan)
    found["mix"] = ", ".join(f"{kind} {part:.0%}" for kind, part in plan.shares.items())
    stop = found.pop("stop")
    recorded = {"recorded": Path(found["recorded"]).name}  # a folder's place is no difference
    return found | recorded | {f"stop {name}": value for name, value in stop.items()}


def _outcome(record: Record) -> dict[str, Any]:
    return {
        "ended by": record.ended_by,
        "found wrong": len(record.checks.findings),
        "load tester was the limit": "yes" if record.client.is_the_limit else "no",
        "unanswered": record.orders.unanswered,
        "refused": ", ".join(f"{code} {n:,}" for code, n in most(record.refusals)) or "none",
    }


def _differs(what: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name, NONE), new.get(name, NONE)
        if before != after:
            yield f"{what}: {name}" if what else name, str(before), str(after)


STYLES = {None: "", True: "green", False: "red"}


def show(found: Comparison, console: Console) -> None:
    """Print a comparison."""
    table = Table(title="Compared with the older record", title_justify="left")
    for at, head in enumerate(("", "old", "new", "change", "spread")):
        table.add_column(head, justify="right" if 0 < at < 4 else "left", no_wrap=True)
    for row in found.rows:
        table.add_row(*row.told(), style=STYLES[row.better])
    console.print(table)
    console.print(found.sentence(), markup=False, highlight=False)
    for name, before, after in found.differs:
        line = f"  {name}: {before} → {after}"
        console.print(line, style="dim", markup=False, highlight=False)
