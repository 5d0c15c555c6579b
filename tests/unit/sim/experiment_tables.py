"""The tables of docs/reference/experiments.md, made from the experiments themselves.

``python -m tests.unit.sim.experiment_tables --write`` writes them anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from sim.experiments.read_outs import WORDS
from sim.experiments.reading import BASE, experiment_names, experiment_of

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "experiments.md"
END = "<!-- end -->"


def experiments() -> str:
    """Return a row an experiment: name, season, arms, what it looks at first."""
    lines = ["| experiment | season | arms | looks at |", "|---|---|---|---|"]
    for name in experiment_names():
        found = experiment_of(name)
        arms = "; ".join(
            arm.label if arm.against == BASE else f"{arm.label} (against {arm.against})"
            for arm in found.arms
        )
        seen = ", ".join(f"`{each}`" for each in found.read_outs)
        lines.append(f"| `{name}` | {found.season} | {arms} | {seen} |")
    return "\n".join(lines)


def read_outs() -> str:
    """Return a row a read-out: key, words, unit."""
    lines = ["| key | what | unit |", "|---|---|---|"]
    lines += [f"| `{key}` | {said.words} | {said.unit or '1'} |" for key, said in WORDS.items()]
    return "\n".join(lines)


TABLES: dict[str, Callable[[], str]] = {"experiments": experiments, "read-outs": read_outs}


def between(name: str, text: str) -> tuple[int, int]:
    """Return where the table ``name`` stands in the page."""
    mark = f"<!-- {name} -->\n"
    start = text.index(mark) + len(mark)
    return start, text.index(f"\n{END}", start)


def renewed(text: str) -> str:
    """Return the page with every table as it should be."""
    for name, make in TABLES.items():
        start, end = between(name, text)
        text = text[:start] + make() + text[end:]
    return text


if __name__ == "__main__" and sys.argv[1:] == ["--write"]:
    PAGE.write_text(renewed(PAGE.read_text("utf-8")), encoding="utf-8")
