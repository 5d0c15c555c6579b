"""Records of load runs as they could have been measured, made from a seed: for what shows them."""

from __future__ import annotations

import numpy as np

from benchmarks.load.plan import Plan
from benchmarks.load.record import (
    Checks,
    Client,
    Knee,
    Orders,
    Record,
    Second,
    Step,
    encoded,
    histogram,
    latency,
)

URL = "ws://127.0.0.1:8000"
MACHINE = {"cpu": "AMD EPYC", "cores": 2, "system": "Linux 6.18", "python": "3.11.7"}
FINDING = "order 17 of account 3: filled and cancelled"


def a_record(
    seed: int = 1, rate: int = 1000, seconds: int = 20, slower: float = 1.0, stalled_at: int = 8
) -> Record:
    """A finished run whose venue stood still for half a second at ``stalled_at``.

    ``slower``: times all latencies.
    """
    draw = np.random.default_rng(seed)
    services, dues, rows, backlog = [], [], [], 0
    for t in range(1, seconds + 1):
        service = draw.lognormal(np.log(900e3), 0.35, rate) * slower  # nanoseconds
        wait = np.zeros(rate)
        if t == stalled_at:
            wait[: rate // 2] = np.linspace(500e6, 0, rate // 2)
        due = service + wait
        services.append(service)
        dues.append(due)
        intended = rate + int(draw.integers(-20, 20))
        backlog = 40 if t == stalled_at else 0
        p50, p99 = (float(value) / 1e3 for value in np.percentile(due, (50, 99)))
        most = float(due.max()) / 1e3
        rows.append(Second(t, intended, intended, intended, t % 3, backlog, p50, p99, most, t == 1))
    due_all, service_all = (histogram(np.concatenate(each[1:])) for each in (dues, services))
    count = sum(row.answered for row in rows[1:])
    refused = sum(row.refused for row in rows[1:])
    return Record(
        url=URL,
        finished=True,
        ended_by="time",
        plan=Plan(url=URL, orders_per_second=rate, seconds=seconds - 1, clients=10, seed=seed),
        machine=MACHINE,
        began_us=1_767_577_500_000_000,
        warmup_s=1.0,
        orders=_orders(count, refused),
        orders_per_second=count / (seconds - 1),
        latency_us=latency(due_all),
        service_us=latency(service_all),
        histograms={"latency": encoded(due_all), "service": encoded(service_all)},
        seconds=rows,
        refusals={"insufficient_cash": refused - 4, "price_limit": 4},
        checks=Checks(passed=True, orders_checked=count, accounts_checked=10),
        client=Client(busy=0.41, lateness_p99_us=180.0),
    )


def _orders(count: int, refused: int) -> Orders:
    """All of them were answered; a quarter was done and is in no state."""
    return Orders(
        intended=count,
        sent=count,
        answered=count,
        accepted=count - refused,
        refused=refused,
        by_kind={"list": count // 2, "cancel": count // 4, "take": count - count // 4 * 3},
        ends={"resting": count // 4, "filled": count // 4, "cancelled": count // 4},
    )


def interrupted(record: Record) -> Record:
    """The same run, but the server was lost in its twelfth second."""
    record.finished, record.ended_by = False, "server lost: the line was closed (1006)"
    record.seconds = record.seconds[:12]
    record.orders.unanswered = 37
    record.orders.ends["unknown"] = 37
    return record


def wrong(record: Record) -> Record:
    """The same run with something found wrong."""
    record.checks.passed = False
    record.checks.findings = [FINDING, "cash: 12.00 yuan more than at the beginning <b>"]
    return record


def nothing() -> Record:
    """A run that was lost before a single answer."""
    empty = histogram([])
    return Record(
        url=URL,
        finished=False,
        ended_by="server lost: refused",
        plan=Plan(url=URL),
        machine=MACHINE,
        began_us=1_767_577_500_000_000,
        warmup_s=1.0,
        orders=Orders(),
        orders_per_second=0.0,
        latency_us=latency(empty),
        service_us=latency(empty),
        histograms={"latency": encoded(empty), "service": encoded(empty)},
        seconds=[],
        refusals={},
        checks=Checks(),
        client=Client(),
    )


def with_knee(record: Record) -> Record:
    """The same run as the best step of a search."""
    tried = [(1000, 1_800.0), (2000, 2_400.0), (4000, 48_000.0), (3000, 6_100.0), (3500, 11_000.0)]
    steps = [Step(r, min(r, 3400.0), p99, p99 <= 10_000.0) for r, p99 in tried]
    record.knee = Knee(10_000.0, 3000.0, steps)
    return record
