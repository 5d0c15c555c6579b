"""What is shown of a run so far is near what its record will say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.load.ends import CANCELLED, FILLED, SENT, UNSENT
from benchmarks.load.record import Latency
from benchmarks.load.tally import Tally


def a_tally(refused_as: dict[int, str] | None = None, end: bytes = b"") -> Tally:
    outcome = SimpleNamespace(refused_as=refused_as or {}, end=bytearray(end))
    return Tally(outcome)  # type: ignore[arg-type]


@pytest.mark.parametrize("scale_ns", [5e3, 1e6, 2e9])
def test_percentiles_are_within_two_per_cent(scale_ns: float) -> None:
    tally = a_tally()
    values = np.random.default_rng(3).lognormal(np.log(scale_ns), 0.8, 20_000).astype(np.int64)
    for part in np.array_split(values, 7):
        tally.add(part)
    middle, high = np.percentile(values, (50, 99)) / 1e3
    found = tally.latency()
    assert found.p50 == pytest.approx(middle, rel=0.02)
    assert found.p99 == pytest.approx(high, rel=0.02)
    assert found.max == values.max() / 1e3


def test_nothing_was_measured_yet() -> None:
    tally = a_tally()
    tally.add(np.array([], dtype=np.int64))
    assert tally.latency() == Latency()


def test_extremes_have_a_place() -> None:
    tally = a_tally()
    tally.add(np.array([0, -5, 10**15], dtype=np.int64))
    assert tally.latency().max == 1e12


def test_refusals_are_counted_once_as_they_come() -> None:
    codes = {3: "price_limit"}
    tally = a_tally(codes)
    assert tally.refusals() == {"price_limit": 1}
    codes |= {9: "price_limit", 11: "insufficient_cash"}
    assert tally.refusals() == {"price_limit": 2, "insufficient_cash": 1}
    assert tally.refusals() == {"price_limit": 2, "insufficient_cash": 1}


def test_ends_are_those_that_are_known() -> None:
    tally = a_tally(end=bytes([UNSENT, SENT, FILLED, FILLED, CANCELLED]))
    assert tally.ends() == {"filled": 2, "cancelled": 1}
