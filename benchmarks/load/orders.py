"""The orders of a run: when each is due, whose it is, of which kind, how far from the reference.

Same plan, same seed: same orders. Which listing a cancel or a take is aimed at depends on what the
venue has said by then; ``pick`` chooses among what is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.load import arrivals, recorded
from benchmarks.load.plan import KINDS, Plan

LIST, TAKE, TAKE_BEST, CANCEL, PING_KIND, BULK = range(len(KINDS))
RESTS = (LIST, BULK)
BULK_TONNES = 100_000  # the least of a bulk offer (TR-13)
BUY, SELL = 1, 2
PICK_MAX = 1 << 30
DEPTH = 4.0  # share = uniform ** DEPTH: half of the listings lie at the best price, as in a market


@dataclass(frozen=True)
class Orders:
    """Columns of one length, an element per order, in the order in which they are due.

    due_ns: since the run's begin. kind: place in ``KINDS``. client: number of the connection.
    side: 1 buy, 2 sell. away: how far a listing lies from the reference, share of the band
    (0 … 1). qty_tonnes. pick: a random number below ``PICK_MAX``.
    """

    due_ns: np.ndarray
    kind: np.ndarray
    client: np.ndarray
    side: np.ndarray
    away: np.ndarray
    qty_tonnes: np.ndarray
    pick: np.ndarray

    def __len__(self) -> int:
        return len(self.due_ns)


def planned(plan: Plan) -> Orders:
    """Return the plan's orders.

    Raises:
        LoadError: a recorded day cannot be read, see ``recorded.day``.
    """
    rng = np.random.default_rng([plan.seed, 2])
    if plan.arrival == "recorded":
        return _recorded(plan, rng)
    due = arrivals.due_ns(plan)
    count, shares = len(due), plan.shares
    kinds = np.array([KINDS.index(kind) for kind in shares], np.int8)
    return Orders(
        due_ns=due,
        kind=rng.choice(kinds, count, p=list(shares.values())),
        client=rng.integers(0, plan.clients, count, np.int32),
        side=rng.integers(BUY, SELL + 1, count, np.int8),
        away=plan.reach * rng.uniform(0.0, 1.0, count) ** DEPTH,
        qty_tonnes=rng.integers(plan.qty_min, plan.qty_max + 1, count),
        pick=rng.integers(0, PICK_MAX, count),
    )


def _recorded(plan: Plan, rng: np.random.Generator) -> Orders:
    """The recorded day's flow, as much of it as fits into the run."""
    day = recorded.day(plan.recorded, plan.instrument)
    due = day.due_ns
    if plan.orders_per_second > 0 and len(due) > 1:
        as_recorded = (len(due) - 1) / max(1, int(due[-1])) * arrivals.SECOND_NS
        due = (due * (as_recorded / plan.orders_per_second)).astype(np.int64)
    fits = due < (plan.warmup_s + plan.seconds) * arrivals.SECOND_NS
    count = int(fits.sum())
    return Orders(
        due_ns=due[fits],
        kind=day.kind[fits],
        client=(day.account[fits] % plan.clients).astype(np.int32),
        side=day.side[fits],
        away=day.away[fits],
        qty_tonnes=day.qty_tonnes[fits],
        pick=rng.integers(0, PICK_MAX, count),
    )
