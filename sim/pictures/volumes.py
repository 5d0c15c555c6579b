"""How the season's volume adds up."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.pictures.sample import Observed, Runs, Sample, Seen, daily_from, observed_of, sample_of
from sim.pictures.style import OBSERVED, dated, legend_in, panels_over_key, sheet, styled, with_band
from sim.results.days import Days, Floats
from sim.results.facts import MT


def cumulative_volume(runs: Runs, observed: Seen = None) -> Figure:
    """Volume traded up to each day: in Mt, and as a share of the season's."""
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    with styled():
        title = f"Cumulative volume of season {sample.runs[0].season}"
        figure = sheet(title, sample.source() + seen.source(), 3.9)
        (left, right), key = panels_over_key(figure, 1, 2)
        for axes, share in ((left, False), (right, True)):
            curves = sample.by_day(_share if share else _running)
            with_band(axes, sample.dates, curves, "simulated")
            _observed(axes, sample, seen, share)
            dated(axes, sample.dates[0], sample.dates[-1])
            axes.tick_params(axis="x", labelsize=7)
            axes.set_ylim(bottom=0)
        left.set_title("Volume up to the day, Mt")
        left.set_ylabel("Mt")
        legend_in(key, left)
        right.set_title("Share of the season's volume, %")
        right.set_ylabel("% of the season")
    return figure


def _running(days: Days) -> Floats:
    return np.cumsum(days.volume) / MT


def _share(days: Days) -> Floats:
    running = np.cumsum(days.volume)
    return 100 * running / running[-1] if running[-1] else np.zeros(len(running))


def _observed(axes: Axes, sample: Sample, seen: Observed, share: bool) -> None:
    """Month ends from the monthly figures, every day where a daily file covers the season."""
    if not len(seen.months):
        return
    names = ["listed_volume_t", "bulk_volume_t", "auction_volume_t"]
    tonnes = seen.months[names].sum(axis=1).to_numpy()
    running = np.cumsum(tonnes)
    ends = pd.to_datetime(seen.months["month"]) + pd.offsets.MonthEnd(0)
    values = 100 * running / running[-1] if share else running / MT * seen.scale
    label = "observed, month ends" if share else f"{seen.word}, month ends"
    last = np.minimum(ends.to_numpy(), sample.dates[-1].astype("datetime64[ns]"))
    axes.plot(last, values, "D", ms=4, mfc="white", mec=OBSERVED, label=label)
    if seen.daily is not None and daily_from(seen.year) is None:
        curve = _share(seen.daily) if share else _running(seen.daily) * seen.scale
        axes.plot(seen.daily.dates, curve, color=OBSERVED, lw=0.9, label="observed, daily")
