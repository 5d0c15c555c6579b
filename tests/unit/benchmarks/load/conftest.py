"""A record of a made-up run, for tests of what reads records."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.load.plan import Plan
from benchmarks.load.record import (
    Checks,
    Client,
    Knee,
    Latency,
    Orders,
    Record,
    Second,
    Step,
    encoded,
    histogram,
    latency,
)

RATE, SECONDS = 1000, 5


@pytest.fixture
def sample() -> Record:
    """Five seconds at 1,000 orders a second, a stall in the third one, a knee of two steps."""
    rng = np.random.default_rng(7)
    service_ns = rng.lognormal(12.5, 0.4, RATE * SECONDS)
    latency_ns = service_ns.copy()
    latency_ns[2 * RATE : 2 * RATE + 200] += np.linspace(2e8, 0, 200)
    waited, served = histogram(latency_ns), histogram(service_ns)
    rows = []
    for second in range(SECONDS):
        part = latency(histogram(latency_ns[second * RATE : (second + 1) * RATE]))
        refused = 12 if second == 4 else 0
        rows.append(
            Second(second + 2.0, RATE, RATE, RATE, refused, 3, part.p50, part.p99, part.max, False)
        )
    warmup = Second(1.0, RATE, RATE, RATE, 0, 2, 500.0, 2500.0, 4000.0, True)
    steps = [Step(1000.0, 999.8, 900.0, True), Step(2000.0, 1500.0, 90_000.0, False, "p99")]
    kinds = {"list": 2500, "take": 1000, "cancel": 1500}
    return Record(
        url="ws://127.0.0.1:8000",
        finished=True,
        ended_by="time",
        plan=Plan(url="ws://127.0.0.1:8000", orders_per_second=RATE, seconds=SECONDS),
        machine={"cpu": "a processor", "cores": 2, "system": "Linux", "python": "3.11"},
        began_us=1_767_577_500_000_000,
        warmup_s=1.0,
        orders=Orders(
            intended=5000,
            sent=5000,
            answered=4998,
            accepted=4986,
            refused=12,
            unanswered=2,
            by_kind=kinds,
            ends={"resting": 0, "filled": 1500, "cancelled": 3486, "refused": 12, "unknown": 2},
        ),
        orders_per_second=999.6,
        latency_us=latency(waited),
        service_us=latency(served),
        histograms={"latency": encoded(waited), "service": encoded(served)},
        seconds=[warmup, *rows],
        refusals={"better_price_available": 12},
        checks=Checks(passed=True, orders_checked=5000, accounts_checked=4),
        client=Client(busy=0.21, lateness_p99_us=85.0, is_the_limit=False, core=1),
        knee=Knee(5000.0, 1000.0, steps),
        warmup_orders=RATE,
        warmup_latency_us=Latency(500.0, 900.0, 2500.0, 3000.0, 3500.0, 4000.0, 600.0),
    )
