"""A minute for every change: are the ratios still those that were kept? It warns, and fails nobody.

Small sizes of the questions whose ratios are stable when they are small. A ratio is called worse
only if even its best run of now lies beyond the kept median by more than the tolerance: how far
the worst kept run was from that median, but LEAST_TOLERANCE at least (another kind of processor
shifts ratios too) and MOST_TOLERANCE at most (a restless hour must not allow everything). One
restless run of now thus warns of nothing, and a loss that every run shows does.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import compare, runner
from benchmarks.machine import machine

LEAST_TOLERANCE, MOST_TOLERANCE = 0.20, 0.50
Say = Callable[[str], None]
Kept = dict[str, Any]


class GuardError(Exception):
    """Nothing can be held against the kept ratios; its text is one sentence for people."""


@dataclass(frozen=True)
class Guarded:
    """Which ratios of a question are guarded, and how its quick size is changed for that."""

    ratios: tuple[str, ...]
    changes: Mapping[str, object] = field(default_factory=dict)


GUARDED = {
    "matching": Guarded(("price_time", "listed"), {"messages": 100_000, "runs": 5}),
    "latency": Guarded(
        ("price_time_call_by_bare_loop", "listed_call_by_bare_loop", "bulk_call_by_bare_loop"),
        {"runs": 5},
    ),
    "mixed": Guarded(("busy_times_yardstick_of_listed_part", "busy_last_fifth_of_day_by_first")),
    "scaling": Guarded(
        (
            *("growth_resting_price_time", "growth_resting_listed"),
            *("growth_instruments_price_time", "growth_instruments_listed"),
        ),
        {"runs": 3},
    ),
}


@dataclass(frozen=True)
class Finding:
    """One guarded ratio: kept and now, and by which part it may be worse."""

    name: str
    better: str
    kept: float
    now: float
    best: float
    tolerance: float

    @property
    def worse(self) -> float:
        """By which part the best run of now is worse than what was kept; below 0: better."""
        change = self.best / self.kept - 1
        return -change if self.better == "higher" else change

    @property
    def warns(self) -> bool:
        """Whether that is more than the tolerance."""
        return self.worse > self.tolerance


def measure(say: Say) -> Kept:
    """Measure what is guarded.

    Raises:
        CannotMeasureError: a question gave no figures, or the cross-check failed.
    """
    found: Kept = {"guard": 1, "questions": {}, "machine": machine()}
    for name, guarded in GUARDED.items():
        began = time.perf_counter()
        size = runner.size_of(name, quick=True, changes=guarded.changes)
        figures = runner.measure(name, size, lambda _: None)
        ratios = {each: figures["ratios"][each] for each in guarded.ratios}
        found["questions"][name] = {"size": as_kept(size), "ratios": ratios}
        say(f"{name}: {time.perf_counter() - began:.0f} s")
    return found


def as_kept(size: Any) -> dict[str, Any]:
    """Return a size as a file has it."""
    kept: dict[str, Any] = json.loads(json.dumps(asdict(size)))
    return kept


def read(file: Path) -> Kept:
    """Return the kept ratios.

    Raises:
        GuardError: the file is not there, is not JSON, or holds something else.
    """
    kept = compare.read_json(file, GuardError)
    if not isinstance(kept, dict) or not isinstance(kept.get("questions"), dict):
        raise GuardError(f"{file} does not hold ratios of tanshi bench guard")
    return kept


def write(file: Path, found: Kept) -> None:
    """Keep ratios."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def findings(kept: Kept, now: Kept) -> list[Finding]:
    """Hold every guarded ratio against the kept one.

    Raises:
        GuardError: the kept ones are of another size, or one is not there.
    """
    told = []
    for question, found in now["questions"].items():
        before = kept["questions"].get(question)
        if before is None or before.get("size") != found["size"]:
            raise GuardError(
                f"{question} was kept in another size: write the ratios anew with --write"
            )
        for name, each in found["ratios"].items():
            if name not in before["ratios"]:
                raise GuardError(f"{question} {name} was not kept: write anew with --write")
            told.append(_finding(f"{question} {name}", before["ratios"][name], each))
    return told


def _finding(name: str, kept: Mapping[str, Any], now: Mapping[str, Any]) -> Finding:
    higher = now["better"] == "higher"
    worst, best = (kept["min"], now["max"]) if higher else (kept["max"], now["min"])
    spread = abs(worst / kept["value"] - 1)
    tolerance = min(MOST_TOLERANCE, max(LEAST_TOLERANCE, spread))
    return Finding(name, now["better"], kept["value"], now["value"], best, tolerance)


def warning(finding: Finding) -> str:
    """Return a finding as a line that people, or GitHub's runner, see as a warning."""
    words = (
        f"{finding.name} is {compare.number(finding.now)}, kept was"
        f" {compare.number(finding.kept)} ({finding.better} is better): even the best run,"
        f" {compare.number(finding.best)}, is {finding.worse:.0%} worse,"
        f" more than the {finding.tolerance:.0%} that runs and machines differ by"
    )
    if os.environ.get("GITHUB_ACTIONS"):
        return f"::warning title=Speed::{words}"
    return f"warning: {words}"


def show(kept: Kept, now: Kept, console: Console) -> None:
    """Print the ratios and, for each that is worse, a warning.

    Raises:
        GuardError: the kept ratios are others.
    """
    told = findings(kept, now)
    table = Table("ratio", "kept", "now", "best run", "tolerance", "", title="Guard")
    for each in told:
        cells = [compare.number(value) for value in (each.kept, each.now, each.best)]
        verdict = "worse" if each.warns else "as kept or better"
        table.add_row(each.name, *cells, f"{each.tolerance:.0%}", verdict)
    console.print(table)
    for each in told:
        if each.warns:
            console.print(warning(each), markup=False, highlight=False, soft_wrap=True)
    other = compare.machines_differ(kept, now)
    if other:
        words = f"The machines differ: {'; '.join(other)}."
        console.print(words, markup=False, highlight=False, soft_wrap=True)
