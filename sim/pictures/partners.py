"""Who traded with whom, and how much of it stayed within a group."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from sim.pictures.sample import OTHERS, Runs, Sample, Seen, class_names, classes_of, sample_of
from sim.pictures.style import (
    BLUE,
    MODALITY_COLOURS,
    MODALITY_WORDS,
    VERMILLION,
    empty,
    headroom,
    month_words,
    quantiles,
    sheet,
    styled,
    whiskers,
)
from sim.results.days import Floats
from sim.results.facts import MT
from sim.results.run import Run

SHADES = LinearSegmentedColormap.from_list("tanshi", ["#FFFFFF", "#9ECAE1", "#08519C"])
WIDE_MOST = 4  # classes up to which the panels stand side by side
PLAIN_SHARE = 0.25  # no single share is shaded as if it were large below this
DARK_SHARE = 0.8  # of the darkest shade: from here on numbers are white


def matrix(run: Run, modality: str, names: list[str], classes: pd.Series) -> Floats:
    """Mt by class of seller (rows) and of buyer (columns), shape (n, n)."""
    trades = run.trades[run.trades["modality"] == modality]
    place = {name: at for at, name in enumerate(names)}
    at = [
        trades[side].map(classes).fillna(OTHERS).map(place).to_numpy(dtype=np.int64)
        for side in ("seller", "buyer")
    ]
    size = len(names)
    tonnes = np.bincount(at[0] * size + at[1], trades["qty_tonnes"], size * size)
    return np.asarray(tonnes.reshape(size, size) / MT, dtype=np.float64)


def who_traded_with_whom(runs: Runs, observed: Seen = None) -> Figure:
    """Volume by class of seller and buyer, one panel a modality; medians over the seeds."""
    sample = sample_of(runs)
    classes = [classes_of(run) for run in sample.runs]
    names = class_names(classes)
    for run, each in zip(sample.runs, classes, strict=True):
        both = pd.concat([run.trades["buyer"], run.trades["seller"]])
        if OTHERS not in names and not both.isin(each.index).all():
            names.append(OTHERS)
    shown = [
        modality
        for modality in MODALITY_WORDS
        if modality != "auction"
        or any((run.trades["modality"] == modality).any() for run in sample.runs)
    ]
    with styled():
        title = f"Who traded with whom, season {sample.runs[0].season}"
        tall = len(names) > WIDE_MOST  # many classes: the panels stand below each other
        rows, columns = (len(shown), 1) if tall else (1, len(shown))
        height = 1.9 + 0.42 * len(names)
        figure = sheet(title, sample.source(), 0.5 + rows * height if tall else height)
        panels = figure.subplots(rows, columns, sharey=True, squeeze=False).ravel()
        found = [_median(sample, modality, names, classes) for modality in shown]
        for axes, modality, mt in zip(panels, shown, found, strict=True):
            _panel(axes, modality, mt, names)
        for axes in panels if tall else panels[:1]:
            axes.set_ylabel("seller")
    return figure


def _median(sample: Sample, modality: str, names: list[str], classes: list[pd.Series]) -> Floats:
    each = [matrix(run, modality, names, of) for run, of in zip(sample.runs, classes, strict=True)]
    return np.asarray(np.median(np.array(each), axis=0), dtype=np.float64)


def _panel(axes: Axes, modality: str, mt: Floats, names: list[str]) -> None:
    """One matrix; the darkest shade is its largest share, or a quarter where all are smaller."""
    total = float(mt.sum())
    axes.set_title(f"{MODALITY_WORDS[modality].capitalize()}: {total:.3g} Mt\nMt (% of it)")
    axes.grid(visible=False)
    share = mt / total if total else mt
    most = max(PLAIN_SHARE, float(share.max()))
    axes.imshow(share, cmap=SHADES, vmin=0, vmax=most, aspect="auto")
    words = [name.replace(" ", "\n") for name in names]
    axes.set_xticks(range(len(names)), words, fontsize=7.5)
    axes.set_yticks(range(len(names)), words, fontsize=7.5)
    axes.set_xlabel("buyer")
    if not total:
        empty(axes, "no trade")
        return
    for row in range(len(names)):
        for column in range(len(names)):
            value, part = float(mt[row, column]), float(share[row, column])
            text = f"{value:.3g}\n({100 * part:.0f} %)" if value else "–"
            colour = "white" if part / most > DARK_SHARE else "black"
            place: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5}
            axes.text(column, row, text, color=colour, **place)


def group_internal(runs: Runs, observed: Seen = None) -> Figure:
    """Bulk volume within and between groups by month (Mt), and the share within groups (%)."""
    sample = sample_of(runs)
    months = np.unique(sample.dates.astype("datetime64[M]"))
    inside = _monthly(sample, months, "bulk", same_group=True)
    outside = _monthly(sample, months, "bulk", same_group=False)
    x = np.arange(len(months))
    with styled():
        title = f"Trades within groups, season {sample.runs[0].season}"
        figure = sheet(title, sample.source(), 4.6)
        top, bottom = figure.subplots(2, 1, sharex=True)
        between, within = quantiles(outside)[1], quantiles(inside)[1]
        top.bar(x, between, 0.7, color=BLUE, label="between groups and independents")
        top.bar(x, within, 0.7, bottom=between, color=VERMILLION, label="within a group")
        many = " (medians)" if len(sample.runs) > 1 else ""
        top.set_title(f"Bulk agreement, Mt a month{many}")
        top.set_ylabel("Mt")
        headroom(top, 2)
        top.legend(loc="upper left")
        _shares(bottom, sample, months)
        bottom.set_xticks(x, month_words(months))
    return figure


def _monthly(
    sample: Sample,
    months: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    modality: str,
    *,
    same_group: bool | None = None,
) -> Floats:
    """Mt of a modality by run and month; only within or only between groups unless None."""
    rows = []
    for run in sample.runs:
        trades = run.trades[run.trades["modality"] == modality]
        if same_group is not None:
            trades = trades[trades["same_group"] == same_group]
        place = np.searchsorted(months, trades["date"].to_numpy().astype("datetime64[M]"))
        rows.append(np.bincount(place, trades["qty_tonnes"], len(months)) / MT)
    return np.array(rows)


def _shares(
    axes: Axes, sample: Sample, months: np.ndarray[tuple[int], np.dtype[np.datetime64]]
) -> None:
    words = []
    for shift, modality in ((-0.18, "bulk"), (0.18, "listed")):
        inside = _monthly(sample, months, modality, same_group=True)
        whole = _monthly(sample, months, modality)
        share = 100 * np.divide(inside, whole, out=np.full(whole.shape, np.nan), where=whole > 0)
        middle = quantiles(share)[1]
        style: dict[str, Any] = {
            "color": MODALITY_COLOURS[modality],
            "error_kw": {"elinewidth": 0.8},
        }
        x = np.arange(len(months)) + shift
        label = MODALITY_WORDS[modality]
        axes.bar(x, middle, 0.36, yerr=whiskers(share), label=label, **style)
        sums = whole.sum(axis=1)
        kept = sums > 0
        if kept.any():
            season = float(np.median(100 * inside.sum(axis=1)[kept] / sums[kept]))
            words.append(f"{label} {season:.0f} %")
    whole_season = f" (whole season: {', '.join(words)})" if words else ""
    axes.set_title(f"Share of the volume traded within a group, %{whole_season}")
    axes.set_ylabel("%")
    headroom(axes, 2)
    axes.legend(loc="upper left")
    if not words:
        empty(axes, "no trade")
