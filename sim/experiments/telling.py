"""An experiment's outcome in words: Markdown and JSON."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from sim.experiments.read_outs import WORDS
from sim.experiments.running import Outcome

SUMMARY_MD, SUMMARY_JSON = "summary.md", "summary.json"
SMALLEST = 5e-5  # below it a number is nothing
SIGN_WORDS = {"+": "more", "-": "less", "0": "no change"}


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the whole outcome but the single seeds; NaN becomes null."""
    experiment = outcome.experiment
    return {
        "experiment": experiment.name,
        "title": experiment.title,
        "question": experiment.question,
        "season": experiment.season,
        "share": outcome.share,
        "finished": outcome.finished,
        "total": outcome.total,
        "arms": [
            {
                "label": arm.label,
                "against": arm.against,
                "overrides": {key: _plain(value) for key, value in arm.overrides.items()},
            }
            for arm in outcome.arms
        ],
        "pairs": [_row(row) for row in outcome.pairs.to_dict("records")],
        "expectations": [
            _row({name: getattr(each, name) for name in each.__dataclass_fields__})
            for each in outcome.verdicts
        ],
    }


def _row(row: dict[Any, Any]) -> dict[str, Any]:
    return {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int | str | bool | None) else str(value)


def as_markdown(outcome: Outcome) -> str:
    """Return the summary as a page: what was expected, what was found, every read-out shown."""
    experiment = outcome.experiment
    seeds = outcome.table["seed"].nunique()
    lines = [
        f"# {experiment.title}",
        "",
        experiment.question,
        "",
        f"Season {experiment.season}, {seeds} seeds, {outcome.share:g} of the population; "
        f"{outcome.finished} of {outcome.total} runs are done. A difference is the mean over pairs "
        "of the same seed, in brackets its 95 % bootstrap interval.",
        "",
        *_expected(outcome),
        *_shown(outcome),
    ]
    return "\n".join(lines) + "\n"


def _expected(outcome: Outcome) -> list[str]:
    if not outcome.verdicts:
        return []
    lines = ["## What was expected", "", "| arm | read-out | expected | found | occurred | why |"]
    lines.append("|---|---|---|---|---|---|")
    for each in outcome.verdicts:
        said = WORDS[each.read_out]
        found = _interval(each.difference, each.low, each.high, said.unit)
        expected = SIGN_WORDS[each.sign]
        cells = (each.arm, said.words, expected, found, each.occurred, each.why)
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _shown(outcome: Outcome) -> list[str]:
    lines = ["## What was found", ""]
    first = list(outcome.experiment.read_outs)
    rest = [name for name in WORDS if name not in first]
    for name in (*first, *rest):
        mine = outcome.pairs[outcome.pairs["read_out"] == name]
        if len(mine):
            lines += _of_one(name, mine)
    return lines


def _of_one(name: str, mine: pd.DataFrame) -> list[str]:
    said = WORDS[name]
    unit = f", {said.unit}" if said.unit else ""
    lines = [f"### {said.words}{unit} (`{name}`)", ""]
    lines.append("| arm | compared with | its median | median | 5–95 % | sd | difference | more |")
    lines.append("|---|---|---|---|---|---|---|---|")
    for row in mine.to_dict("records"):
        cells = (
            row["arm"],
            row["against"],
            number(row["base_median"]),
            number(row["median"]),
            f"{number(row['p05'])} … {number(row['p95'])}",
            number(row["sd"]),
            _interval(row["difference"], row["low"], row["high"], ""),
            f"{row['more_share']:.0%}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _interval(difference: float, low: float, high: float, unit: str) -> str:
    if not math.isfinite(difference):
        return "–"
    return f"{number(difference, True)} [{number(low, True)}, {number(high, True)}] {unit}".strip()


def number(value: float, signed: bool = False) -> str:
    """Return a number with as many places as its size needs."""
    if not math.isfinite(value):
        return "–"
    size = abs(value)
    places = 0 if size >= 1000 else 1 if size >= 100 else 2 if size >= 1 else 4
    sign = "+" if signed else ""
    return f"{value:{sign},.{places}f}" if size >= SMALLEST else "0"


def write(outcome: Outcome, folder: Path) -> list[Path]:
    """Write the Markdown and the JSON summary; return the files."""
    pages = (folder / SUMMARY_MD, folder / SUMMARY_JSON)
    pages[0].write_text(as_markdown(outcome), encoding="utf-8")
    text = json.dumps(as_json(outcome), indent=2, ensure_ascii=False)
    pages[1].write_text(text + "\n", encoding="utf-8")
    return list(pages)
