"""What changed since figures that were kept in a file: ratios with spreads, then absolute ones.

A ratio was taken between two things in the same run, so it can be held against one from another day
or machine. It *moved* if the new spread and the old one have no value in common; anything else is
what runs differ by anyway. Absolute figures are shown too, and said to drift between machines.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

ABOUT_THE_RUN = {"warmup_s", "took_s", "seconds"}
WITH_A_UNIT = re.compile(r"(^|_)(per_second|ns|us|ms|s|mib)(_|$)")
ABSOLUTE = "absolute: drifts between machines"


class CompareError(Exception):
    """A file whose figures cannot be held against these; its text is one sentence for people."""


class SizeError(CompareError):
    """Figures of the same question, measured in another size."""


@dataclass(frozen=True)
class Change:
    """One ratio, before and now."""

    name: str
    better: str
    old: float
    new: float
    old_spread: tuple[float, float]
    new_spread: tuple[float, float]

    @property
    def part(self) -> float:
        """By which part of the old value it changed."""
        return self.new / self.old - 1 if self.old else 0.0

    @property
    def verdict(self) -> str:
        """Say "better" or "worse" where the spreads have nothing in common, else nothing."""
        rose = self.new_spread[0] > self.old_spread[1]
        fell = self.new_spread[1] < self.old_spread[0]
        if not (rose or fell):
            return ""
        return "better" if rose == (self.better == "higher") else "worse"


def read_json(file: Path, problem: type[Exception]) -> Any:
    """Return what a JSON file holds.

    Raises:
        Exception: ``problem``, with a sentence: it cannot be read, or is not JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise problem(f"{file} cannot be read: {wrong.strerror}") from None
    except ValueError:
        raise problem(f"{file} is not JSON: it was cut off, or is another file") from None


def read(file: Path) -> dict[str, Any]:
    """Return the figures that a file of ``--json`` holds.

    Raises:
        CompareError: there is no such file, or it does not hold figures.
    """
    figures = read_json(file, CompareError)
    if not isinstance(figures, dict) or not isinstance(figures.get("benchmark"), str):
        raise CompareError(f"{file} does not hold figures of tanshi bench")
    if not isinstance(figures.get("size"), dict) or not _sound(figures.get("ratios")):
        raise CompareError(f"{file} holds figures without their size or ratios")
    return figures


def _sound(ratios: object) -> bool:
    """Whether every ratio has a value, a spread and a direction."""
    if not isinstance(ratios, dict):
        return False
    return all(
        isinstance(each, dict)
        and each.get("better") in {"higher", "lower"}
        and all(isinstance(each.get(part), int | float) for part in ("value", "min", "max"))
        for each in ratios.values()
    )


def fits(old: dict[str, Any], name: str, size: dict[str, Any], file: Path) -> None:
    """Refuse figures of another question, or of the same one in another size.

    Raises:
        CompareError: they are of another question; SizeError: they are of another size.
    """
    if old["benchmark"] != name:
        raise CompareError(f"{file} holds figures of {old['benchmark']}, not of {name}")
    ours = json.loads(json.dumps(size))  # as a file would have it
    differ = [
        f"{field} {old['size'].get(field)!r} there and {ours.get(field)!r} here"
        for field in [*ours, *(old["size"].keys() - ours.keys())]
        if old["size"].get(field) != ours.get(field)
    ]
    if differ:
        raise SizeError(f"{file} was measured in another size: {'; '.join(differ)}")


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Return every ratio that both have."""
    found = []
    for name, now in new["ratios"].items():
        before = old["ratios"].get(name)
        if before is not None:
            spreads = ((before["min"], before["max"]), (now["min"], now["max"]))
            found.append(Change(name, now["better"], before["value"], now["value"], *spreads))
    return found


def headlines(figures: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures that stand at the top with a unit in their name, sizes left out."""
    return {
        name: float(value)
        for name, value in figures.items()
        if isinstance(value, int | float) and WITH_A_UNIT.search(name)
        if name not in ABOUT_THE_RUN and name not in figures["size"]
    }


def machines_differ(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """Return in words what is different about the two machines and their versions."""
    before, now = old.get("machine") or {}, new.get("machine") or {}
    return [
        f"{what} {before.get(what, 'unknown')} → {now.get(what, 'unknown')}"
        for what in [*now, *(before.keys() - now.keys())]
        if before.get(what) != now.get(what)
    ]


def number(value: float) -> str:
    """Return a figure as people read it: four digits that matter, thousands apart."""
    if value == 0 or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def show(old: dict[str, Any], new: dict[str, Any], console: Console) -> None:
    """Print what changed."""
    table = Table(title=f"{new['benchmark']}: what changed")
    for head in ("figure", "before", "now", "change", "outside both spreads"):
        left = head in {"figure", "outside both spreads"}
        table.add_column(head, justify="left" if left else "right", no_wrap=head != "figure")
    for each in changes(old, new):
        cells = (number(each.old), number(each.new), f"{each.part:+.1%}")
        table.add_row(f"{each.name} (ratio)", *cells, each.verdict or "no")
    table.add_section()
    before, now = headlines(old), headlines(new)
    for name in [name for name in now if name in before]:
        part = f"{now[name] / before[name] - 1:+.1%}" if before[name] else ""
        table.add_row(name, number(before[name]), number(now[name]), part, "absolute")
    console.print(table)
    console.print(f"{ABSOLUTE}; only ratios, of two things in one run, can be told apart.")
    gone = [*(old["ratios"].keys() - new["ratios"].keys())]
    if gone:
        console.print(f"No longer measured: {', '.join(sorted(gone))}.")
    other = machines_differ(old, new)
    if other:
        console.print(f"The machines differ: {'; '.join(other)}.", style="yellow", markup=False)
