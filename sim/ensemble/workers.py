"""Seasons side by side: what is sent to a worker process, and what comes back."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import joblib
import pandas as pd

from sim.scenario.model import Scenario
from sim.season.floor import FloorError
from sim.simulation import simulate


@dataclass(frozen=True, slots=True)
class Stuck:
    """A season that could not be lived to its end: the exchange refused what the model must do."""

    season: str
    seed: int
    reason: str


@dataclass(frozen=True, slots=True)
class Sample:
    """What a score needs of a run, small enough to travel between processes."""

    season: str
    seed: int
    digest: str
    quotes: pd.DataFrame
    compliance: pd.DataFrame
    seconds: float


def sample(scenario: Scenario, seed: int, starter: int) -> Sample | Stuck:
    """Simulate one season in the calling process; ``starter``: process that waits for it."""
    leave_interrupts_to(starter)
    try:
        run = simulate(scenario, seed)
    except FloorError as error:  # e.g. a price that ran away: no market with these parameters
        return Stuck(scenario.name, seed, str(error))
    return Sample(run.season, seed, run.digest, run.quotes, run.compliance, run.seconds)


def leave_interrupts_to(starter: int) -> None:
    """Let Ctrl-C stop only ``starter``: it ends its workers itself, without their tracebacks."""
    alone = threading.current_thread() is threading.main_thread()
    if os.getpid() != starter and alone:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


@contextmanager
def noticing_interrupts() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C sets, besides raising KeyboardInterrupt as ever.

    The exception may be raised inside a library that catches everything; the event cannot be lost.
    """
    seen = threading.Event()
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield seen
        return

    def notice(number: int, frame: FrameType | None) -> None:
        seen.set()
        before(number, frame)

    signal.signal(signal.SIGINT, notice)
    try:
        yield seen
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def workers(jobs: int) -> Iterator[joblib.Parallel]:
    """Keep ``jobs`` processes (-1: one a core) for several rounds of ``sampled``."""
    with joblib.Parallel(n_jobs=jobs, backend="loky", batch_size=1) as parallel:
        yield parallel


def sampled(
    parallel: joblib.Parallel, scenarios: Mapping[str, Scenario], seeds: Iterable[int]
) -> list[Sample | Stuck]:
    """Simulate every scenario with every seed; in the order of seeds, then scenarios."""
    starter = os.getpid()
    work = joblib.delayed(sample)
    jobs = [work(each, seed, starter) for seed in seeds for each in scenarios.values()]
    found: list[Sample | Stuck] = parallel(jobs)
    return found
