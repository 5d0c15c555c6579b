"""At which prices bulk agreements are made, against the listed market."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.pictures.sample import Observed, Runs, Sample, Seen, daily_from, observed_of, sample_of
from sim.pictures.style import (
    BAND_WORDS,
    BLUE,
    OBSERVED,
    ORANGE,
    VERMILLION,
    empty,
    headroom,
    quantiles,
    sheet,
    styled,
)
from sim.results.days import Days, Floats, Window
from sim.results.run import Run

EDGES = np.round(np.arange(-0.32, 0.3201, 0.02), 4)
BAND_SHARE = 0.30  # TR-21: bulk prices within 30 % of the previous close


def day_discounts(days: Days) -> Floats:
    """The day's bulk mean price over its listed mean price, less one, on days with both legs."""
    both = (days.bulk > 0) & (days.listed > 0)
    listed = days.listed_cny[both] / days.listed[both]
    return np.asarray(days.bulk_cny[both] / days.bulk[both] / listed - 1, dtype=np.float64)


def trade_discounts(run: Run) -> pd.DataFrame:
    """Every bulk trade against the reference its limits are around: columns discount, qty_tonnes,
    same_group. The middle of the day's limits is the reference; a day without limits is left out.
    """
    trades = run.trades[run.trades["modality"] == "bulk"]
    quotes = run.quotes[["date", "instrument", "upper_limit_cny", "lower_limit_cny"]]
    found = trades.merge(quotes, on=["date", "instrument"], how="left")
    middle = (found["upper_limit_cny"] + found["lower_limit_cny"]) / 2
    found["discount"] = found["price_cny"] / middle - 1
    return found.loc[found["discount"].notna(), ["discount", "qty_tonnes", "same_group"]]


def bulk_discount(runs: Runs, observed: Seen = None) -> Figure:
    """Distribution of bulk prices: by day against listed trades, by trade against the reference."""
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    with styled():
        title = f"Bulk prices against the listed market, season {sample.runs[0].season}"
        figure = sheet(title, sample.source() + seen.source(), 3.7)
        left, right = figure.subplots(1, 2)
        _days(left, sample, seen)
        _trades(right, sample)
        for axes in (left, right):
            axes.set_xlim(-32, 32)
    return figure


def _shares(values: Floats, weights: Floats | None = None) -> Floats:
    """Per cent in each bin; values beyond the edges count in the outer bins."""
    inside = np.clip(values, EDGES[0], EDGES[-1] - 1e-9)
    counts = np.histogram(inside, EDGES, weights=weights)[0].astype(np.float64)
    total = float(counts.sum())
    return 100 * counts / total if total else counts


def _days(axes: Axes, sample: Sample, seen: Observed) -> None:
    axes.set_title("Days with both legs: bulk mean\nover listed mean of the day")
    axes.set_xlabel("bulk over listed mean price, %")
    axes.set_ylabel("% of such days")
    start = daily_from(sample.year)
    found = [day_discounts(days.within(Window(start))) for days in sample.days]
    if not any(map(len, found)):
        empty(axes, "no day with both bulk\nand listed trades")
    else:
        shares = np.array([_shares(each) for each in found if len(each)])
        middle = 100 * (EDGES[:-1] + EDGES[1:]) / 2
        low, median, high = quantiles(shares)
        axes.bar(middle, median, 1.8, color=ORANGE, label="simulated")
        if len(shares) > 1:
            axes.vlines(middle, low, high, color="#444444", lw=0.8, label=BAND_WORDS)
        values = [float(np.median(each)) for each in found if len(each)]
        mark = 100 * float(np.median(values))
        axes.axvline(mark, color=BLUE, lw=1.4, label=f"simulated median {mark:+.1f} %")
    if "BDMED" in seen.facts:
        value = 100 * seen.facts["BDMED"]
        words = f"observed median {value:+.1f} %"
        axes.axvline(value, color=OBSERVED, ls="--", lw=1.2, label=words)
    if seen.daily is not None:
        shares = _shares(day_discounts(seen.daily))
        axes.stairs(shares, 100 * EDGES, color=OBSERVED, lw=0.9, label="observed days")
    if entries := len(axes.get_legend_handles_labels()[0]):
        headroom(axes, entries, 0.062)
        axes.legend(loc="upper right", fontsize=7)


def _trades(axes: Axes, sample: Sample) -> None:
    axes.set_title("Bulk trades: price over the\nprevious close, by volume")
    axes.set_xlabel("bulk price over reference, %")
    axes.set_ylabel("% of the bulk volume")
    found = [trade_discounts(run) for run in sample.runs]
    if not any(map(len, found)):
        empty(axes, "no bulk trade")
        return
    middle = 100 * (EDGES[:-1] + EDGES[1:]) / 2
    parts = {}
    for inside in (False, True):
        rows = []
        for each in found:
            mine = each["same_group"].to_numpy() == inside
            tonnes = np.where(mine, each["qty_tonnes"].to_numpy(), 0).astype(np.float64)
            whole = float(each["qty_tonnes"].sum())
            scaled = _shares(each["discount"].to_numpy(), tonnes)
            rows.append(scaled * (tonnes.sum() / whole if whole else 0.0))
        parts[inside] = quantiles(np.array(rows))[1]
    axes.bar(middle, parts[False], 1.8, color=BLUE, label="between groups")
    axes.bar(
        middle, parts[True], 1.8, bottom=parts[False], color=VERMILLION, label="within a group"
    )
    for limit in (-BAND_SHARE, BAND_SHARE):
        axes.axvline(100 * limit, color="#666666", ls=":", lw=1)
    headroom(axes, 2, 0.062)
    axes.annotate("limit", (-29.6, 0.98), xycoords=("data", "axes fraction"), va="top", fontsize=7)
    axes.legend(loc="upper right", fontsize=7)
