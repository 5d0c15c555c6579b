"""The score as a picture: how many tolerances each target is away."""

from __future__ import annotations

import math
import textwrap
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.pictures.style import BLUE, MUTED, VERMILLION, empty, sheet, styled
from sim.results.observed import SOURCE
from sim.results.score import ScoreTable, TargetScore

EDGE = 4.0  # beyond it a mark stands at the edge, with its number
ROW_INCHES = 0.2


def rows_of_runs(table: ScoreTable) -> list[TargetScore]:
    """The targets of seasons that were simulated, scored or not."""
    return [row for row in table.rows if any(year in table.runs for year in row.target.years)]


def targets(table: ScoreTable) -> Figure:
    """z of every target of the simulated seasons: within 1 the tolerance is kept.

    Targets that could not be scored stay in the picture, with the reason.
    """
    rows = rows_of_runs(table)
    scored = [row for row in rows if row.scored]
    within = sum(row.within for row in scored)
    runs = ", ".join(f"{year}: {count}" for year, count in table.runs.items())
    with styled():
        title = f"Targets: {within} of {len(scored)} scored ones within tolerance"
        words = (
            "z = (median over the runs - observed) / tolerance; bars: 10–90 % of the runs. "
            f"Simulated: tanshi, runs by season {runs}. Observed: {SOURCE}; targets as in the file."
        )
        figure = sheet(title, words, 1.3 + ROW_INCHES * max(3, len(rows)))
        axes = figure.subplots()
        if not rows:
            empty(axes, "no target is of a simulated season")
            return figure
        _draw(axes, rows)
    return figure


def _draw(axes: Axes, rows: list[TargetScore]) -> None:
    axes.axvspan(-1, 1, color="#E8F1F8", lw=0, zorder=0)
    axes.axvline(0, color="#888888", lw=0.8)
    for at, row in enumerate(rows):
        if row.scored:
            _mark(axes, at, row)
        else:
            why = textwrap.shorten(f"not scored: {row.reason}", 68, placeholder=" …")
            axes.text(-EDGE, at, why, va="center", fontsize=6.5, color=MUTED, style="italic")
    words = []
    for row in rows:
        metric = textwrap.shorten(row.target.metric, 50, placeholder=" …")
        words.append(f"{metric}  {row.target.id}")
    axes.set_yticks(range(len(rows)), words, fontsize=6.8)
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlim(-EDGE - 0.35, EDGE + 1.15)
    axes.set_xticks(range(-int(EDGE), int(EDGE) + 1))
    axes.set_xlabel("z, tolerances away from what was observed (shaded: within)")
    axes.grid(visible=False, axis="x")


def _mark(axes: Axes, at: int, row: TargetScore) -> None:
    part = next(each for each in row.parts if each.part.label == row.decisive)
    colour, shape = (BLUE, "o") if row.within else (VERMILLION, "s")
    if abs(row.z) > EDGE:
        shape = ">" if row.z > 0 else "<"
    ends = [part.part.z(value) for value in (part.p10, part.p90)]
    if part.runs > 1 and all(map(math.isfinite, ends)):
        low, high = (min(max(end, -EDGE), EDGE) for end in sorted(ends))
        axes.hlines(at, low, high, color=colour, lw=1.0, alpha=0.7)
    place = min(max(row.z, -EDGE), EDGE)
    axes.plot([place], [at], shape, color=colour, ms=4.5, clip_on=False)
    style: dict[str, Any] = {"va": "center", "ha": "right", "fontsize": 6.8, "color": colour}
    axes.text(EDGE + 1.1, at, f"{row.z:+.2f}", **style)
