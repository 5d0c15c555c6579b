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
from sim.season.surrender import AFTER_SURRENDER, MONTH_END, OPENING


def holdings_by_vintage(runs: Runs, observed: Seen = None) -> Figure:
    """Holdings of each vintage (Mt) at the month ends, by class of holder; nothing is observed."""
    sample = sample_of(runs)
    tables = [_by_class(run.holdings, classes_of(run)) for run in sample.runs]
    vintages = sorted({str(code) for table in tables for code in table["instrument"].unique()})
    names = class_names([table["holder"] for table in tables])
    height = 1.3 + 1.5 * max(1, (len(vintages) + 1) // 2)
    with styled():
        title = f"Holdings by vintage at month ends, season {sample.runs[0].season}"
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
    """Mt by snapshot (date, and whether it is the one after surrender), instrument, holder."""
    table = holdings.assign(
        holder=holdings["entity"].map(classes).fillna(OTHERS),
        after=holdings["moment"] == AFTER_SURRENDER,
    )
    found = table.groupby(["date", "after", "moment", "instrument", "holder"])["tonnes"].sum()
    return (found / MT).rename("mt").reset_index()


def _vintage(axes: Axes, tables: list[pd.DataFrame], code: str, names: list[str]) -> None:
    moments = ["date", "after", "moment"]
    every = pd.concat(tables)[moments].drop_duplicates().sort_values(moments)
    times = pd.MultiIndex.from_frame(every)

    def amounts(name: str) -> Floats:
        rows = []
        for table in tables:
            mine = table[(table["instrument"] == code) & (table["holder"] == name)]
            rows.append(mine.set_index(moments)["mt"].reindex(times, fill_value=0.0).to_numpy())
        return np.array(rows, dtype=np.float64)

    each = [amounts(name) for name in names]
    base = np.zeros(len(times))
    x = np.arange(len(times))
    for name, mt, colour in zip(names, each, CLASS_COLOURS, strict=False):
        middle = quantiles(mt)[1]
        axes.bar(x, middle, 0.75, bottom=base, color=colour, label=name)
        base = base + middle
    if len(tables) > 1:
        low, _, high = quantiles(np.sum(each, axis=0))
        axes.vlines(x, low, high, color="#444444", lw=0.8)
    axes.set_title(code)
    axes.set_ylabel("Mt")
    month_ends = every["moment"] == MONTH_END
    words = iter(month_words(every["date"][month_ends].to_numpy()))
    short = {OPENING: "before", AFTER_SURRENDER: "\nafter"}
    labels = [short[each] if each in short else next(words) for each in every["moment"]]
    axes.set_xticks(x, labels)
    axes.tick_params(axis="x", labelsize=7)
