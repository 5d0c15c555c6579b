"""Who holds which vintage, from the opening to the surrender."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.pictures.sample import OTHERS, Runs, Seen, class_names, classes_of, sample_of
from sim.pictures.style import (
    CLASS_COLOURS,
    empty,
    legend_in,
    month_words,
    panels_over_key,
    quantiles,
    sheet,
    styled,
)
from sim.results.days import Floats
from sim.results.facts import MT


def holdings_by_vintage(runs: Runs, observed: Seen = None) -> Figure:
    """Holdings of each vintage (Mt) at the month ends, by class of holder; nothing is observed."""
    sample = sample_of(runs)
    tables = [_by_class(run.holdings, classes_of(run)) for run in sample.runs]
    vintages = sorted({str(code) for table in tables for code in table["instrument"].unique()})
    names = class_names([table["holder"] for table in tables])
    height = 1.3 + 1.5 * max(1, (len(vintages) + 1) // 2)
    with styled():
        title = f"Holdings by vintage and holder at month ends, season {sample.runs[0].season}"
        figure = sheet(title, sample.source(), height)
        if not vintages:
            empty(figure.subplots(), "nobody holds anything")
            return figure
        columns = min(2, len(vintages))
        panels, key = panels_over_key(figure, -(-len(vintages) // columns), columns)
        for axes in panels[len(vintages) :]:
            axes.axis("off")
        for axes, code in zip(panels, vintages, strict=False):
            _vintage(axes, tables, code, names)
        legend_in(key, panels[0])
    return figure


def _by_class(holdings: pd.DataFrame, classes: pd.Series) -> pd.DataFrame:
    """Mt by date, instrument and class of holder."""
    table = holdings.assign(holder=holdings["entity"].map(classes).fillna(OTHERS))
    found = table.groupby(["date", "instrument", "holder"], sort=True)["tonnes"].sum() / MT
    return found.rename("mt").reset_index()


def _vintage(axes: Axes, tables: list[pd.DataFrame], code: str, names: list[str]) -> None:
    dates = np.unique(np.concatenate([table["date"].to_numpy() for table in tables]))

    def amounts(name: str) -> Floats:
        rows = []
        for table in tables:
            mine = table[(table["instrument"] == code) & (table["holder"] == name)]
            rows.append(mine.set_index("date")["mt"].reindex(dates, fill_value=0.0).to_numpy())
        return np.array(rows, dtype=np.float64)

    each = [amounts(name) for name in names]
    base = np.zeros(len(dates))
    x = np.arange(len(dates))
    for name, mt, colour in zip(names, each, CLASS_COLOURS, strict=False):
        middle = quantiles(mt)[1]
        axes.bar(x, middle, 0.75, bottom=base, color=colour, label=name)
        base = base + middle
    if len(tables) > 1:
        low, _, high = quantiles(np.sum(each, axis=0))
        axes.vlines(x, low, high, color="#444444", lw=0.8)
    axes.set_title(code)
    axes.set_ylabel("Mt")
    axes.set_xticks(x, month_words(dates))
    axes.tick_params(axis="x", labelsize=7)
