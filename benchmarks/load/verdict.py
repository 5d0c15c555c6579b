"""What a record comes to: sentences for the head of the page and the end of the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from benchmarks.load.record import Latency, Record, Step
from benchmarks.load.words import (
    NONE,
    PERCENTILES,
    duration,
    percentile_name,
    plural,
    rate,
    share,
)

BEHIND = 0.98  # below this share of what was due, the venue (or the client) did not keep up
HIDDEN = 1.5  # times: from here on, what the actual send hides is worth a sentence
FIGURES = (*(name for name, _ in PERCENTILES), "max", "mean")
FINDINGS_SHOWN = 20
WHY = {  # a step of the search for the knee did not pass
    "p99": "p99 above the bound",
    "backlog": "the venue did not keep up",
    "client": "the load tester was the limit",
    "rate_limited": "the venue's own limit of orders a second",
    "finding": "something was found wrong",
    "lost": "the venue was lost",
    "no_answer": "no order was answered",
}


class Said(NamedTuple):
    """One sentence of a verdict. ``kind``: good, bad (found wrong), warn (read with care)."""

    kind: str
    sentence: str


def percentiles(found: Latency) -> Iterator[tuple[str, float | None]]:
    """Name and microseconds of each figure of a latency; None where nothing was measured."""
    for name in FIGURES:
        value = float(getattr(found, name))
        yield percentile_name(name), value if found.max > 0 else None


def verdict(record: Record) -> list[Said]:
    """What is to be known of a run before its figures are read, the gravest first."""
    orders = record.orders
    if not orders.answered:
        nothing = Said("warn", "No order was answered.")
        return [*_wrong(record), *_ended(record), nothing, *_advice(record)]
    parts = (_wrong, _ended, _right, _knee, _advice, _care)
    return [said for part in parts for said in part(record)]


def _wrong(record: Record) -> Iterator[Said]:
    count = len(record.checks.findings)
    if not record.checks.passed:
        yield Said("bad", f"Found wrong: {plural(count, 'finding')}. No figure of this run counts.")


def _ended(record: Record) -> Iterator[Said]:
    if not record.finished:
        yield Said(
            "warn",
            f"Ended early ({record.ended_by}): what was measured until then is shown,"
            f" {measured_s(record):.3g} of {record.plan.seconds:g} seconds.",
        )


def measured_s(record: Record) -> float:
    """How long was measured, in seconds: neither the warm-up nor the wait for the last answers."""
    until = record.seconds[-1].t if record.seconds else 0.0
    end = min(until, record.warmup_s + record.plan.seconds)
    return max(0.0, end - record.warmup_s)


def _right(record: Record) -> Iterator[Said]:
    checks = record.checks
    if checks.passed and checks.orders_checked:
        yield Said(
            "good",
            f"Nothing wrong was found: {plural(checks.orders_checked, 'order')} and"
            f" {plural(checks.accounts_checked, 'account')} checked.",
        )
    elif checks.passed:
        yield Said("warn", "Nothing was checked.")


def _care(record: Record) -> Iterator[Said]:
    orders, found = record.orders, record.latency_us
    if orders.answered < BEHIND * orders.intended:
        yield Said(
            "warn",
            f"{share(orders.answered, orders.intended)} of the orders that were due were answered.",
        )
    if found.p99 > HIDDEN * record.service_us.p99 > 0:
        yield Said(
            "warn",
            f"Counted from the actual send p99 would be {duration(record.service_us.p99)}; from the"
            f" moment each order was due it is {duration(found.p99)}.",
        )


def _advice(record: Record) -> Iterator[Said]:
    """What the load tester itself noticed, e.g. that it was the limit and not the venue."""
    yield from (Said("warn", sentence) for sentence in record.advice)


def why(step: Step) -> str:
    """Why a step of the search for the knee did not pass."""
    return WHY.get(step.why, step.why)


def step_line(step: Step) -> str:
    """What a step of the search for the knee came to, in one line."""
    came = "passed" if step.passed else f"did not pass: {why(step)}"
    return f"step {rate(step.orders_per_second)}/s: p99 {duration(step.p99_us or None)}, {came}"


def _knee(record: Record) -> Iterator[Said]:
    knee = record.knee
    if knee is None:
        return
    bound = duration(knee.bound_us)
    if knee.orders_per_second:
        found = rate(knee.orders_per_second)
        yield Said("good", f"The knee: {found} orders/s is the highest rate with p99 ≤ {bound}.")
    else:
        yield Said("warn", f"No rate that was tried kept p99 within {bound}.")


def headline(record: Record) -> str:
    """The run in one line: rate, latency, how long."""
    found = record.latency_us
    return (
        f"{rate(record.orders_per_second)} orders/s answered over {measured_s(record):.3g} s,"
        f" p50 {duration(found.p50 or None)}, p99 {duration(found.p99 or None)},"
        f" max {duration(found.max or None)} from the moment each order was due"
    )


STYLES = {"good": "green", "bad": "bold red", "warn": "yellow"}


def show(record: Record, console: Console) -> None:
    """Print a record: figures as a table, then the verdict, findings and advice."""
    table = Table(title=f"{record.plan.arrival} load of {record.url}", title_justify="left")
    table.add_column("latency")
    table.add_column("from when it was due", justify="right")
    table.add_column("from the actual send", justify="right")
    pairs = zip(percentiles(record.latency_us), percentiles(record.service_us), strict=True)
    for (name, due), (_, service) in pairs:
        table.add_row(name, duration(due), duration(service))
    console.print(table)
    console.print(counts(record), markup=False, highlight=False)
    for step in record.knee.steps if record.knee else []:
        console.print(f"  {step_line(step)}", style="dim", markup=False, highlight=False)
    for said in verdict(record):
        console.print(said.sentence, style=STYLES[said.kind], markup=False, highlight=False)
    for finding in record.checks.findings[:FINDINGS_SHOWN]:
        console.print(f"  - {finding}", style="red", markup=False, highlight=False)
    if len(record.checks.findings) > FINDINGS_SHOWN:
        console.print(f"  and {len(record.checks.findings) - FINDINGS_SHOWN} more: see the record")


def counts(record: Record) -> str:
    """Orders of a run in two lines: how many, and how they ended."""
    orders = record.orders
    due = f"{plural(orders.intended, 'order')} due, {orders.sent:,} sent"
    told = f"{due}, {orders.answered:,} answered, {orders.unanswered:,} not"
    ends = ", ".join(f"{state} {count:,}" for state, count in orders.ends.items() if count)
    refusals = ", ".join(f"{code} {count:,}" for code, count in most(record.refusals))
    lines = [
        f"{rate(record.orders_per_second)} answered per second: {told}.",
        f"Ends: {ends or NONE}. Refused: {refusals or 'none'}.",
    ]
    return "\n".join(lines)


def most(found: dict[str, int]) -> list[tuple[str, int]]:
    """Codes and counts, the most frequent first."""
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))
