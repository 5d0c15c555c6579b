"""The charts of a record: percentiles, throughput, latency and backlog over time, the knee."""

from __future__ import annotations

import math

from benchmarks.load.charts import Chart, Line, Mark, Point, latency, linear, nines, seconds
from benchmarks.load.record import Record, Second, decoded
from benchmarks.load.spans import with_spans
from benchmarks.load.words import duration, plural

POINTS_A_NINE = 40
DUE, SERVICE = "from when it was due", "from the actual send"
TIME = "seconds since the run began"
LATENCIES = (("max", "max_us", 2), ("p99", "p99_us", 4), ("p50", "p50_us", 1))  # and colours


def percentile_points(text: str) -> list[Point]:
    """A histogram of the record as points: number of nines, microseconds; none if it is empty."""
    found = decoded(text)
    count = found.get_total_count()
    if not count:
        return []
    most = math.log10(count)
    places = [at / POINTS_A_NINE for at in range(int(most * POINTS_A_NINE) + 1)]
    shares = {place: (1 - 10.0**-place) * 100 for place in places}
    values = found.get_percentile_to_value_dict(list(shares.values()))
    points = [(place, float(values[part])) for place, part in shares.items()]
    return [*points, (most, float(found.get_max_value()))]


def percentiles(record: Record) -> Chart | None:
    """Latency from the moment orders were due and from the actual send, by percentile."""
    lines = [
        Line(DUE, percentile_points(record.histograms["latency"]), 1),
        Line(SERVICE, percentile_points(record.histograms["service"]), 2, dashed=True),
    ]
    return _by_percentile("percentiles", "Latency by percentile", lines)


def two_percentiles(old: Record, new: Record) -> Chart | None:
    """Latency of two runs by percentile, from the moment orders were due."""
    lines = [
        Line("this run", percentile_points(new.histograms["latency"]), 1),
        Line("older run", percentile_points(old.histograms["latency"]), 4, dashed=True),
    ]
    return _by_percentile("two-percentiles", "Latency of both runs by percentile", lines)


def _by_percentile(name: str, title: str, lines: list[Line]) -> Chart | None:
    values = [y for line in lines for _, y in line.points]
    if not values:
        return None
    count = round(10 ** max(line.points[-1][0] for line in lines if line.points))
    x = nines("percentile of orders (each nine as wide as the one before)", count)
    return Chart(name, title, x, latency("latency (log axis)", values), lines)


def throughput(record: Record) -> Chart | None:
    """Orders due and orders answered in each second."""
    lines = [
        Line("answered", _per_second(record, "answered"), 1),
        Line("due", _per_second(record, "intended"), 2, dashed=True),
    ]
    return _over_time(record, "throughput", "Throughput over time", "orders per second", lines)


def latencies(record: Record) -> Chart | None:
    """p50, p99 and the largest latency of each second, on a log axis."""
    rows = [row for row, _ in with_spans(record.seconds)]
    if not any(row.answered for row in rows):
        return None
    lines = [
        Line(name, [(row.t, _seen(row, field)) for row in rows], colour)
        for name, field, colour in (
            ("max", "max_us", 2),
            ("p99", "p99_us", 4),
            ("p50", "p50_us", 1),
        )
    ]
    y = latency("latency (log axis)", [value for line in lines for _, value in line.points])
    x = seconds(TIME, [row.t for row in rows])
    return Chart("latencies", "Latency over time", x, y, lines, _marks(record))


def _seen(row: Second, field: str) -> float | None:
    return float(getattr(row, field)) if row.answered else None


def backlog(record: Record) -> Chart | None:
    """Orders that were due and had no answer at the end of each second."""
    points: list[Point] = [(row.t, float(row.backlog)) for row, _ in with_spans(record.seconds)]
    lines = [Line("due and unanswered", points, 1)]
    return _over_time(record, "backlog", "Backlog over time", "orders", lines)


def knee(record: Record) -> Chart | None:
    """p99 of every rate that the search for the knee tried."""
    found = record.knee
    if found is None or not found.steps:
        return None
    steps = sorted(found.steps, key=lambda step: step.orders_per_second)
    kept: list[Point] = [(s.orders_per_second, s.p99_us or None) for s in steps if s.passed]
    broke: list[Point] = [(s.orders_per_second, s.p99_us or None) for s in steps if not s.passed]
    lines = [
        Line("kept the bound", kept, 3, dots=True),
        Line("did not", broke, 2, dashed=True, dots=True),
    ]
    marks = [Mark(f"bound {duration(found.bound_us)}", y=found.bound_us)]
    if found.orders_per_second:
        marks.append(Mark("the knee", x=found.orders_per_second))
    x = linear("orders per second asked for", [step.orders_per_second for step in steps])
    y = latency("p99 (log axis)", [*(step.p99_us for step in steps), found.bound_us])
    return Chart("knee", "p99 by rate", x, y, lines, marks)


def _per_second(record: Record, field: str) -> list[Point]:
    return [(row.t, getattr(row, field) / span) for row, span in with_spans(record.seconds)]


def _over_time(
    record: Record, name: str, title: str, label: str, lines: list[Line]
) -> Chart | None:
    if not record.seconds:
        return None
    values = [y for line in lines for _, y in line.points if y is not None]
    x = seconds(TIME, [row.t for row in record.seconds])
    return Chart(name, title, x, linear(label, values, "{:,g}".format), lines, _marks(record))


def _marks(record: Record) -> list[Mark]:
    """Where the warm-up ended, and where a run that did not finish broke off."""
    marks = []
    warm = [row.t for row in record.seconds if row.warmup]
    if warm:
        marks.append(Mark(f"warm-up ends ({plural(len(warm), 'second')})", x=warm[-1]))
    if not record.finished and record.seconds:
        marks.append(Mark("ended early", x=record.seconds[-1].t))
    return marks
