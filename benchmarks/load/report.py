"""A record as one page of HTML that needs nothing but itself, made from the record alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from benchmarks.load import drawn
from benchmarks.load.charts import CSS as CHART_CSS
from benchmarks.load.charts import Chart, svg
from benchmarks.load.compare import Comparison, compare
from benchmarks.load.record import Record
from benchmarks.load.verdict import headline, most, percentiles, verdict, why
from benchmarks.load.words import NONE, duration, plural, rate, share
from sim.pictures.page import page, paragraph, section, table, text

CSS = (
    CHART_CSS
    + """
p.said { margin: 0.35rem 0; padding: 0.3rem 0.7rem; border-left: 4px solid var(--muted);
  background: var(--soft); }
p.good { border-color: var(--c3); } p.bad { border-color: var(--bad); font-weight: 600; }
p.warn { border-color: var(--c5); }
"""
)
NOTHING = "Nothing was measured."
ARRIVALS = {
    "poisson": "at random moments, independent of each other (Poisson)",
    "constant": "evenly spaced",
    "bursts": "in bursts",
    "ramp": "at a rate that rises evenly",
    "recorded": "in the rhythm of a recorded day",
}
Sections = list[tuple[str, str, str]]


def report(record: Record, file: Path, old: Record | None = None) -> None:
    """Write the page of a record; with ``old``, a section that holds it against that record.

    The same records give the same bytes. Raises OSError.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(html_of(record, old), encoding="utf-8")


def html_of(record: Record, old: Record | None = None) -> str:
    """The page as text."""
    sections: Sections = []

    def add(name: str, title: str, *parts: str) -> None:
        sections.append((name, title, section(name, title, *parts)))

    add("summary", "Summary", *_summary(record))
    add("percentiles", "Latency by percentile", _percentiles(record))
    if record.knee is not None:
        add("knee", "The knee", *_knee(record))
    if old is not None:
        add("compared", "Compared with the older record", *_compared(old, record))
    add("time", "Over time", *_time(record))
    add("ends", "End states and refusals", *_ends(record))
    add("checks", "Correctness", *_checks(record))
    add("plan", "The plan", _facts(_plan(record)))
    add("machine", "The machine", _facts(_machine(record)))
    return page(f"Load test of {record.url}", _lead(record), sections, CSS)


def _lead(record: Record) -> str:
    began = dt.datetime.fromtimestamp(record.began_us / 1e6, dt.UTC)
    told = [paragraph(f"{headline(record)}. Begun {began:%Y-%m-%d %H:%M:%S} UTC.")]
    told += [paragraph(said.sentence, f"said {said.kind}") for said in verdict(record)]
    return "\n".join(told)


def _summary(record: Record) -> list[str]:
    orders = record.orders
    asked = record.plan.orders_per_second
    counts = [
        ("asked for", f"{rate(asked)} orders/s" if asked else "as recorded", ""),
        ("answered a second", f"{rate(record.orders_per_second)} orders/s", ""),
        ("orders due", f"{orders.intended:,}", ""),
        ("sent", f"{orders.sent:,}", share(orders.sent, orders.intended)),
        ("answered", f"{orders.answered:,}", share(orders.answered, orders.intended)),
        ("accepted", f"{orders.accepted:,}", share(orders.accepted, orders.intended)),
        ("refused", f"{orders.refused:,}", share(orders.refused, orders.intended)),
        ("unanswered", f"{orders.unanswered:,}", share(orders.unanswered, orders.intended)),
        ("ended by", record.ended_by, ""),
    ]
    pairs = zip(percentiles(record.latency_us), percentiles(record.service_us), strict=True)
    rows = [(name, duration(due), duration(service)) for (name, due), (_, service) in pairs]
    parts = [
        table(("", "", "of those due"), counts, numbers=(1, 2)),
        table(("latency", drawn.DUE, drawn.SERVICE), rows, numbers=(1, 2)),
    ]
    if record.warmup_orders:
        parts.append(
            paragraph(
                f"Not in any figure: a warm-up of {record.warmup_s:g} s,"
                f" {plural(record.warmup_orders, 'order')}, p50"
                f" {duration(record.warmup_latency_us.p50 or None)}, p99"
                f" {duration(record.warmup_latency_us.p99 or None)}.",
                "note",
            )
        )
    return parts


def _figure(chart: Chart | None, told: str) -> str:
    if chart is None:
        return paragraph(NOTHING, "note")
    return (
        f'<figure><div class="wide">{svg(chart)}</div>'
        f"<figcaption>{text(told)}</figcaption></figure>"
    )


def _percentiles(record: Record) -> str:
    return _figure(
        drawn.percentiles(record),
        "Both lines are of the same orders. Where they part, orders had to wait before they could"
        " be sent: a tester that counts from the actual send would not have seen it (coordinated"
        " omission). A percentile says how many orders were answered within the time beside it.",
    )


def _knee(record: Record) -> list[str]:
    knee = record.knee
    assert knee is not None
    rows = [
        (
            rate(step.orders_per_second),
            rate(step.answered_per_second),
            duration(step.p99_us or None),
            "kept" if step.passed else why(step) or "not kept",
        )
        for step in knee.steps
    ]
    classes = ["ok" if step.passed else "bad" for step in knee.steps]
    heads = ("orders/s asked for", "answered per second", "p99", f"p99 ≤ {duration(knee.bound_us)}")
    return [
        _figure(
            drawn.knee(record),
            "Each dot is a run at that rate, p99 from the moment orders were due. The figures of"
            " this page are of the best step.",
        ),
        table(heads, rows, numbers=(0, 1, 2), classes=classes),
    ]


def _compared(old: Record, new: Record) -> list[str]:
    found: Comparison = compare(old, new)
    classes = {None: "", True: "ok", False: "bad"}
    rows = [row.told() for row in found.rows]
    parts = [
        paragraph(found.sentence()),
        table(
            ("", "older run", "this run", "change", "spread"),
            rows,
            numbers=(1, 2, 3),
            classes=[classes[row.better] for row in found.rows],
        ),
        _figure(drawn.two_percentiles(old, new), "From the moment orders were due."),
        paragraph(
            "Beyond the spread: the bands from 10 to 90 % of the measured seconds of both runs do"
            " not overlap. Figures of the whole run have no such band and are not judged.",
            "note",
        ),
    ]
    if found.differs:
        parts.append("<h3>What is not the same</h3>")
        parts.append(table(("", "older run", "this run"), found.differs))
    return parts


def _time(record: Record) -> list[str]:
    if not record.seconds:
        return [paragraph(NOTHING, "note")]
    return [
        _figure(drawn.throughput(record), "Orders that were due and that were answered."),
        _figure(
            drawn.latencies(record),
            "Of the orders answered in each second, from the moment they were due.",
        ),
        _figure(drawn.backlog(record), "At the end of each second."),
    ]


def _ends(record: Record) -> list[str]:
    orders = record.orders
    known = sum(orders.ends.values())
    ends = [(state, f"{n:,}", share(n, known)) for state, n in orders.ends.items()]
    kinds = [(kind, f"{n:,}", share(n, orders.sent)) for kind, n in orders.by_kind.items()]
    ends = [row for row in ends if row[1] != "0"]
    refused = [(c, f"{n:,}", share(n, orders.answered)) for c, n in most(record.refusals)]
    nothing = [("none", "", "")]
    return [
        table(("kind of order", "orders", "of those sent"), kinds or nothing, numbers=(1, 2)),
        table(("state at the end", "orders", "of all"), ends or nothing, numbers=(1, 2)),
        table(("refused with", "orders", "of answers"), refused or nothing, numbers=(1, 2)),
    ]


def _checks(record: Record) -> list[str]:
    checks = record.checks
    facts = [
        ("orders checked: each in exactly one state", f"{checks.orders_checked:,}"),
        ("accounts checked: money and tonnes add up", f"{checks.accounts_checked:,}"),
        ("trades checked: both sides tell the same", f"{checks.trades_checked:,}"),
        ("trades with others than the load's accounts", f"{checks.trades_with_others:,}"),
        ("findings", f"{len(checks.findings):,}"),
    ]
    parts = [table(("", ""), facts, numbers=(1,))]
    if checks.findings:
        items = "\n".join(f"<li>{text(each)}</li>" for each in checks.findings)
        parts.append(f'<ol class="findings">{items}</ol>')
    return parts


def _plan(record: Record) -> dict[str, Any]:
    """What was asked for; what has no part in this arrival is left out."""
    plan = record.plan
    found: dict[str, Any] = {
        "arrival": f"{plan.arrival}: orders are due {ARRIVALS.get(plan.arrival, NONE)}",
        "orders a second": plan.orders_per_second or "as recorded",
    }
    if plan.arrival == "ramp":
        found["rising from, orders a second"] = plan.ramp_from
    if plan.arrival == "bursts":
        found["orders in a burst"] = plan.burst_size
    if plan.arrival == "recorded":
        found["recorded day"] = Path(plan.recorded).name
    found |= {
        "measured seconds": plan.seconds,
        "warm-up, seconds": plan.warmup_s,
        "clients": plan.clients,
        "encoding": plan.encoding,
        "mix": ", ".join(f"{kind} {part:.1%}" for kind, part in plan.shares.items()),
        "seed": plan.seed,
        "instrument": plan.instrument or "the first that can be traded",
        "tonnes of a listing": f"{plan.qty_min:,} to {plan.qty_max:,}",
        "reach, share of the day's band": plan.reach,
        "answers awaited at the end, seconds": plan.answer_within_s,
        "stop condition": _stop(record),
    }
    return found


def _stop(record: Record) -> str:
    stop = record.plan.stop
    told = [
        (stop.p99_us, f"p99 above {duration(stop.p99_us)} for {stop.for_s} s"),
        (stop.refused_share, f"refused above {stop.refused_share:.0%} over {stop.for_s} s"),
        (stop.backlog, f"backlog above {stop.backlog:,}"),
        (stop.orders, f"after {stop.orders:,} orders"),
    ]
    return "; ".join(words for given, words in told if given) or "none"


def _machine(record: Record) -> dict[str, Any]:
    client = record.client
    core = {} if client.core is None else {"core of the load tester": client.core}
    return record.machine | {
        "load tester's core busy": f"{client.busy:.0%}",
        "load tester sent late (p99)": duration(client.lateness_p99_us),
        "load tester was the limit": "yes" if client.is_the_limit else "no",
        **core,
    }


def _facts(found: dict[str, Any]) -> str:
    rows = [(name.replace("_", " "), _word(value)) for name, value in found.items()]
    return table(("", ""), rows)


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
