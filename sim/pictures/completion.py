"""Who met the obligation, and what was missing (CP-30 to CP-34, CP-60 to CP-62)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.pictures.sample import Runs, Seen, observed_of, sample_of
from sim.pictures.style import BLUE, OBSERVED, ORANGE, VERMILLION, empty, quantiles, sheet, styled
from sim.results.days import Floats

ALL = "all"


def due_by_sector(
    table: pd.DataFrame, names: list[str], of: Callable[[pd.DataFrame], float]
) -> Floats:
    """``of`` the rows of each sector, and of all rows for the name ``all``."""
    rows = [of(table if name == ALL else table[table["sector"] == name]) for name in names]
    return np.array(rows, dtype=np.float64)


def completion_rate(rows: pd.DataFrame) -> float:
    """Surrendered and offset over due, per cent."""
    due = float(rows["emissions_t"].sum())
    return 100 * (1 - float(rows["shortfall_t"].sum()) / due) if due else float("nan")


def late_entities(rows: pd.DataFrame) -> float:
    """Entities with something outstanding at the deadline."""
    return float(rows.loc[rows["late_t"] > 0, "entity"].nunique())


def shortfall_kt(rows: pd.DataFrame) -> float:
    """Outstanding at the deadline, thousand tonnes."""
    return float(rows["shortfall_t"].sum()) / 1e3


PANELS = (
    ("Met at the deadline", "% of the tonnes due", completion_rate, BLUE, "COMP.rate", 100.0),
    ("Not in full compliance", "entities", late_entities, VERMILLION, "COMP", 1.0),
    ("Shortfall", "thousand tonnes", shortfall_kt, ORANGE, "", 1.0),
)


def completion(runs: Runs, observed: Seen = None) -> Figure:
    """Completion rate, entities not in full compliance and shortfall, by sector."""
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    sectors = sorted({str(n) for run in sample.runs for n in run.compliance["sector"].unique()})
    names = [*sectors, ALL] if len(sectors) > 1 else sectors
    with styled():
        title = f"Compliance of season {sample.runs[0].season}: what was due and what was missing"
        figure = sheet(title, sample.source() + seen.source(), 1.75 + 0.45 * max(1, len(names)))
        panels = figure.subplots(1, len(PANELS), sharey=True)
        if not names:
            for axes in panels:
                empty(axes, "nothing was due")
            return figure
        for axes, (words, unit, of, colour, fact, factor) in zip(panels, PANELS, strict=True):
            values = np.array([due_by_sector(run.compliance, names, of) for run in sample.runs])
            known = fact in seen.facts and seen.scale == 1.0
            _bars(axes, values, colour, factor * seen.facts[fact] if known else None)
            axes.set_title(words)
            axes.set_xlabel(unit)
        panels[0].set_yticks(range(len(names)), names)
        panels[0].set_ylim(len(names) - 0.4, -0.6)
    return figure


def _bars(axes: Axes, values: Floats, colour: str, real: float | None) -> None:
    """One bar a sector; ``real``: what was observed over all sectors, the last bar."""
    low, middle, high = quantiles(values)
    places = np.arange(len(middle))
    axes.barh(places, middle, 0.5, color=colour)
    if len(values) > 1:
        axes.hlines(places, low, high, color="#444444", lw=1.0)
    most = float(np.nanmax(high, initial=0.0))
    axes.set_xlim(0, 1.0 if most <= 0 else 1.02 * most)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if most >= 10 else f"{value:g}")
    for place, value in zip(places, middle, strict=True):
        words = f"{value:.4f}".rstrip("0").rstrip(".") if value < 1000 else f"{value:,.0f}"
        if real is not None and place == places[-1]:
            words += f"   (observed {real:.6g})"
        axes.text(0.02, place - 0.38, words, transform=axes.get_yaxis_transform(), fontsize=7.5)
    if real is not None:
        axes.set_xlim(right=max(axes.get_xlim()[1], 1.02 * real))
        axes.plot([real], [places[-1]], "D", clip_on=False, ms=5, mfc="white", mec=OBSERVED)
