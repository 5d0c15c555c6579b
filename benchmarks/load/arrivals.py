"""When orders are due, fixed before the first is sent: nothing that happens later moves them."""

from __future__ import annotations

import numpy as np

from benchmarks.load.plan import Plan

SECOND_NS = 1_000_000_000


def due_ns(plan: Plan) -> np.ndarray:
    """Return the moments, in nanoseconds since the run's begin, rising; the seed fixes them.

    The warm-up comes first, at the same rate (a ramp's at the rate that it begins with).
    """
    rng = np.random.default_rng([plan.seed, 1])
    whole_s, rate = plan.warmup_s + plan.seconds, plan.orders_per_second
    if plan.arrival == "poisson":
        found = _poisson(rng, rate, whole_s)
    elif plan.arrival == "constant":
        found = np.arange(round(whole_s * rate)) / rate
    elif plan.arrival == "bursts":
        found = _bursts(plan, whole_s)
    else:
        found = _ramp(rng, plan)
    return (found * SECOND_NS).astype(np.int64)


def _poisson(rng: np.random.Generator, rate: float, seconds: float) -> np.ndarray:
    """Given their number, the points of a Poisson process lie uniformly (in seconds)."""
    return np.sort(rng.uniform(0.0, seconds, rng.poisson(rate * seconds)))


def _bursts(plan: Plan, seconds: float) -> np.ndarray:
    period_s = plan.burst_size / plan.orders_per_second
    begins = np.arange(max(1, round(seconds / period_s))) * period_s
    return np.repeat(begins, plan.burst_size)


def _ramp(rng: np.random.Generator, plan: Plan) -> np.ndarray:
    """A Poisson process whose rate grows evenly from ``ramp_from`` over the measured time."""
    low, high, seconds = plan.ramp_from, plan.orders_per_second, plan.seconds
    warmup = _poisson(rng, low, plan.warmup_s)
    count = rng.poisson((low + high) / 2 * seconds)
    share = np.sort(rng.uniform(0.0, 1.0, count))
    # Inverse of the share of orders until t: (low t + (high - low) t² / 2) / ((low + high) / 2).
    grow = high - low
    if abs(grow) < 1e-9:
        ramped = share
    else:
        ramped = (np.sqrt(low**2 + share * (high**2 - low**2)) - low) / grow
    return np.concatenate([warmup, plan.warmup_s + seconds * ramped])
