"""The knee of a venue whose capacity is known lies below that capacity, and was found twice."""

from __future__ import annotations

import pytest

from benchmarks.load import knee
from benchmarks.load.plan import LoadError, Plan
from benchmarks.load.record import Progress, Record, Step
from tests.unit.benchmarks.load.fake_venue import FakeVenue, served

BOUND_US = 100_000.0
SERVE_S = 0.005  # so that 200 orders a second are the most


def nobody(progress: Progress) -> None:
    del progress


def plan_of(venue: FakeVenue) -> Plan:
    return Plan(
        url=venue.url,
        orders_per_second=25.0,
        seconds=1.5,
        warmup_s=0.2,
        clients=2,
        encoding="json",
        mix={"list": 1.0, "cancel": 0.8},
        answer_within_s=20.0,
        seed=2,
    )


def test_the_knee_lies_below_the_capacity() -> None:
    steps: list[Step] = []
    with served(FakeVenue(serve_s=SERVE_S)) as venue:
        record = knee.find(plan_of(venue), venue.keys(2), BOUND_US, nobody, steps.append)
    assert record.knee is not None
    assert record.knee.steps == steps
    assert record.finished
    found = record.knee.orders_per_second
    assert 25 <= found <= 230
    assert sum(step.passed and step.orders_per_second == found for step in steps) == 2
    assert record.plan.orders_per_second == found  # the record is of the confirming run
    assert record.latency_us.p99 <= BOUND_US
    failed = [step for step in steps if not step.passed]
    assert {step.why for step in failed} <= {"p99", "backlog", "client"}
    assert min(step.orders_per_second for step in failed) <= found * 1.3


def test_a_finding_ends_the_search() -> None:
    with served(FakeVenue(lie="steals_money", at=30)) as venue:
        record = knee.find(plan_of(venue), venue.keys(2), BOUND_US, nobody)
    assert record.knee is not None
    assert record.knee.steps[-1].why == "finding"
    assert record.knee.orders_per_second == 0
    assert not record.checks.passed


def test_a_rate_that_passed_once_and_not_again_is_given_up(
    sample: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The search alone: a venue that is good for 1,000 a second, with one lucky run at 1,414."""
    tried: list[float] = []

    def pretend(plan: Plan, keys: object, watch: object) -> Record:
        del keys, watch
        rate = plan.orders_per_second
        good = rate <= 1000 or (1400 < rate < 1500 and rate not in tried)
        tried.append(rate)
        record = Record(**{name: getattr(sample, name) for name in sample.__struct_fields__})
        record.plan, record.orders_per_second = plan, rate
        record.orders = type(sample.orders)(
            intended=round(rate * plan.seconds), answered=round(rate * plan.seconds)
        )
        record.latency_us = type(sample.latency_us)(p99=100.0 if good else 1e6)
        record.knee, record.refusals = None, {}
        return record

    monkeypatch.setattr(knee, "run", pretend)
    monkeypatch.setattr(knee, "PAUSE_S", 0.0)
    start = Plan(url="ws://x", orders_per_second=500)
    record = knee.find(start, [], 1000.0, nobody)
    assert record.knee is not None
    assert tried[:4] == [500, 1000, 2000, pytest.approx(1414.2, abs=0.1)]
    assert record.knee.orders_per_second == 1000
    assert tried.count(1000) == 2
    assert tried[-1] == 1000


@pytest.mark.parametrize(("bound", "arrival"), [(0.0, "poisson"), (10.0, "ramp")])
def test_a_knee_needs_a_bound_and_a_steady_rate(bound: float, arrival: str) -> None:
    with pytest.raises(LoadError, match="bad_plan"):
        knee.find(Plan(url="ws://x", arrival=arrival), [], bound, nobody)
