"""The picture of an experiment: what each arm changes, pair by pair."""

from __future__ import annotations

import textwrap

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.experiments.read_outs import WORDS
from sim.experiments.reading import BASE
from sim.experiments.running import Outcome
from sim.pictures.style import (
    BLUE,
    MUTED,
    VERMILLION,
    empty,
    legend_in,
    panels_over_key,
    sheet,
    styled,
)
from sim.results.days import Floats

PANELS_MAX = 6
SPREAD = 0.26  # half the height over which the dots of an arm are strewn
PERCENT = 100.0


def picture(outcome: Outcome) -> Figure:
    """Draw a panel a read-out: a dot a seed, the mean of the pairs and its 95 % interval."""
    experiment = outcome.experiment
    shown = [name for name in experiment.read_outs if name in set(outcome.table["read_out"])]
    shown = shown[:PANELS_MAX]
    arms = [arm for arm in outcome.arms if arm.label != BASE]
    columns = min(3, max(1, len(shown)))
    rows = -(-max(1, len(shown)) // columns)
    seeds = outcome.table["seed"].nunique()
    words = (
        f"Simulated: tanshi, season {experiment.season}, {seeds} seeds, "
        f"{outcome.share:g} of the population. Each dot: one seed against the same seed."
    )
    with styled():
        figure = sheet(experiment.title, words, 1.6 + rows * (0.9 + 0.34 * len(arms)))
        if not shown:
            empty(figure.subplots(), "no pair is finished")
            return figure
        panels, key = panels_over_key(figure, rows, columns)
        for at, axes in enumerate(panels):
            if at >= len(shown):
                axes.axis("off")
                continue
            _panel(axes, outcome, shown[at])
            labels = [_label(arm.label, arm.against) if at % columns == 0 else "" for arm in arms]
            axes.set_yticks(range(len(arms)), labels)
            axes.set_ylim(len(arms) - 0.5, -0.5)
        legend_in(key, panels[0])
    return figure


def _label(label: str, against: str) -> str:
    words = textwrap.fill(label, 24)
    return words if against == BASE else f"{words}\n(against {against})"


def _panel(axes: Axes, outcome: Outcome, name: str) -> None:
    said = WORDS[name]
    factor = 1.0 if said.unit else PERCENT  # shares and logs in percentage points
    axes.axvline(0.0, color="#444444", lw=0.8)
    wide = outcome.table[outcome.table["read_out"] == name]
    wide = wide.pivot_table(index="seed", columns="arm", values="value")
    arms = [arm for arm in outcome.arms if arm.label != BASE]
    for at, arm in enumerate(arms):
        if arm.label not in wide.columns or arm.against not in wide.columns:
            axes.text(0.0, at, " nothing to compare with", va="center", fontsize=7, color=MUTED)
        else:
            change = (wide[arm.label] - wide[arm.against]).dropna().to_numpy() * factor
            row = outcome.pairs
            row = row[(row["arm"] == arm.label) & (row["read_out"] == name)]
            _strewn(axes, change, at)
            _mean(axes, row, at, factor)
    axes.set_title(textwrap.fill(said.words, 30), fontsize=8.5)
    axes.set_xlabel(f"difference, {said.unit or 'percentage points'}", fontsize=8)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.tick_params(axis="both", labelsize=7.5)


def _strewn(axes: Axes, change: Floats, at: int) -> None:
    """Draw the pairs of an arm; far ones at the edge count in the mean all the same."""
    lift = np.linspace(-SPREAD, SPREAD, max(len(change), 2))[: len(change)]
    order = np.random.default_rng(at).permutation(len(change))
    label = "one seed" if at == 0 else ""
    axes.plot(change, at + lift[order], ".", color=BLUE, ms=2.6, alpha=0.5, label=label)


def _mean(axes: Axes, row: pd.DataFrame, at: int, factor: float) -> None:
    if row.empty:
        return
    middle = float(row.iloc[0]["difference"]) * factor
    low, high = (float(row.iloc[0][name]) * factor for name in ("low", "high"))
    if np.isfinite(low):
        label = "95 % interval of the mean" if at == 0 else ""
        axes.hlines(at, low, high, color=VERMILLION, lw=3.0, label=label, zorder=3)
    label = "mean of the pairs" if at == 0 else ""
    axes.plot([middle], [at], "|", color="#000000", ms=9, mew=1.4, label=label, zorder=4)
