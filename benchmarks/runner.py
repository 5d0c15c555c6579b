"""The one runner: every question that can be measured, asked in the same way.

A question is a module of this room with ``FULL`` and ``QUICK`` (frozen dataclasses of sizes),
``measure(size, say) -> figures``, ``show(figures, console)`` and perhaps ``PROBLEMS``: the failures
that are foreseen, told in one sentence. Modules are imported only when they are asked.
"""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from types import ModuleType
from typing import Any

Say = Callable[[str], None]
Figures = dict[str, Any]

COMMON = (  # what every question tells under the same names
    *("benchmark", "size", "ratios", "series", "warmup_s", "runs", "core", "peak_rss_mib"),
    *("machine", "full", "took_s"),
)


class CannotMeasureError(Exception):
    """A question that gave no figure that counts; its text is one sentence for people."""


@dataclass(frozen=True)
class Question:
    """A module to ask, and one line on what it answers."""

    module: str
    help: str


QUESTIONS = {
    "matching": Question(
        "benchmarks.matching", "Commands/s with every check on, against a plain Python book."
    ),
    "mixed": Question(
        "benchmarks.mixed", "The three modalities in one stream: nanoseconds a command."
    ),
    "latency": Question(
        "benchmarks.latency", "One command per call instead of batches: nanoseconds each."
    ),
    "scaling": Question(
        "benchmarks.scaling", "Is a command dearer with more orders, vintages, accounts?"
    ),
    "journal": Question(
        "benchmarks.journal", "Durable commands/s: a sync each, group commit, sequencer."
    ),
    "recovery": Question(
        "benchmarks.recovery", "Start after a crash, replay of a journal: commands/s."
    ),
    "gateway": Question(
        "benchmarks.gateway", "Durable orders/s over WebSocket, against a bare echo."
    ),
    "fanout": Question(
        "benchmarks.fanout", "Market data to 500 readers, one stalled: lost and late."
    ),
    "registry": Question(
        "benchmarks.registry", "Settlement and mass runs on large books, two databases."
    ),
    "season": Question(
        "benchmarks.season", "Whole seasons: seconds, decisions/s, two processes, memory."
    ),
    "peers": Question("benchmarks.peers.question", "Published Python order books, same messages."),
}


def module_of(name: str) -> ModuleType:
    """Import the module of a question.

    Raises:
        CannotMeasureError: it is not in this version, or needs a package that is not installed.
    """
    try:
        return importlib.import_module(QUESTIONS[name].module)
    except ModuleNotFoundError as missing:
        if missing.name == QUESTIONS[name].module:
            raise CannotMeasureError(f"{name} is not in this version") from None
        raise CannotMeasureError(
            f"{name} needs the package {missing.name}, which is not installed"
        ) from None


def size_of(name: str, quick: bool, changes: Mapping[str, object] | None = None) -> Any:
    """Return the size to measure; a change that is None leaves the field as it is.

    Raises:
        CannotMeasureError: the question cannot be asked.
    """
    module = module_of(name)
    given = {field: value for field, value in (changes or {}).items() if value is not None}
    return replace(module.QUICK if quick else module.FULL, **given)


def measure(name: str, size: Any, say: Say, **more: object) -> Figures:
    """Ask a question; return its figures with its size and how long asking took.

    ``more``: what only this question's ``measure`` understands.

    Raises:
        CannotMeasureError: something foreseeable went wrong, or the cross-check failed.
    """
    module = module_of(name)
    foreseen: tuple[type[Exception], ...] = getattr(module, "PROBLEMS", ())
    began = time.perf_counter()
    try:
        figures: Figures = module.measure(size, say, **more)
    except Exception as wrong:
        if not isinstance(wrong, (AssertionError, *foreseen)):
            raise
        raise CannotMeasureError(f"no figure counts: {wrong}") from wrong
    return {
        **figures,
        "benchmark": name,
        "size": asdict(size),
        "full": size == module.FULL,
        "took_s": time.perf_counter() - began,
    }
