"""On which days listed trades reached the day's price limits (TR-20)."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.pictures.sample import Observed, Runs, Sample, Seen, observed_of, sample_of
from sim.pictures.style import BLUE, OBSERVED, VERMILLION, dated, empty, sheet, styled
from sim.results.days import COMPOSITE, Floats

ANY = "any vintage"


def limit_days(runs: Runs, observed: Seen = None) -> Figure:
    """Days with a listed trade at a limit: when, and how many by vintage."""
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    against = seen.source() if "LIM.upper" in seen.facts else ""
    rows = counts(sample, "upper")
    with styled():
        title = f"Days on which listed trades reached a price limit, season {sample.runs[0].season}"
        figure = sheet(title, sample.source() + against, 3.1 + 0.3 * len(rows))
        sizes = {"height_ratios": [1.4, 0.6 + 0.3 * len(rows)]}
        top, bottom = figure.subplots(2, 1, gridspec_kw=sizes)
        _when(top, sample)
        _how_many(bottom, sample, seen)
    return figure


def _when(axes: Axes, sample: Sample) -> None:
    upper, lower = (
        100 * np.mean([_flags(sample, run, side) for run in range(len(sample.runs))], axis=0)
        for side in ("upper", "lower")
    )
    many = len(sample.runs) > 1
    axes.set_title("Share of the seeds with a touch, %" if many else "Days with a touch")
    axes.axhline(0, color="#888888", lw=0.6)
    axes.vlines(sample.dates, 0, upper, color=VERMILLION, lw=1.6, label="upper limit")
    axes.vlines(sample.dates, 0, -lower, color=BLUE, lw=1.6, label="lower limit")
    dated(axes, sample.dates[0], sample.dates[-1])
    most = max(10.0, float(upper.max(initial=0)), float(lower.max(initial=0)))
    axes.set_ylim(-1.15 * most, 1.75 * most)
    if many:
        axes.yaxis.set_major_formatter(lambda value, _: f"{abs(value):.0f}")
        axes.set_ylabel("% of the seeds")
    else:
        axes.set_yticks([-most, 0, most], ["lower", "", "upper"])
    if not upper.any() and not lower.any():
        empty(axes, "no listed trade at a limit")
        return
    axes.legend(loc="upper left", ncols=2)


def _flags(sample: Sample, run: int, side: str) -> Floats:
    days = sample.days[run]
    flags = days.upper if side == "upper" else days.lower
    none = np.zeros(len(days.dates))
    return none if flags is None else np.asarray(flags, dtype=np.float64)


def counts(sample: Sample, side: str) -> dict[str, Floats]:
    """Days with a touch by instrument and over all, one number a run."""
    codes = sorted(
        {str(code) for run in sample.runs for code in run.quotes["instrument"].unique()}
        - {COMPOSITE}
    )
    found: dict[str, Floats] = {}
    for code in [*codes, COMPOSITE] if len(codes) > 1 else codes:
        name = ANY if code == COMPOSITE else code
        column = f"touched_{side}"
        numbers = [
            run.quotes.loc[run.quotes["instrument"] == code, column].sum() for run in sample.runs
        ]
        found[name] = np.array(numbers, dtype=np.float64)
    return found


def _how_many(axes: Axes, sample: Sample, seen: Observed) -> None:
    for shift, side, colour in ((-0.19, "upper", VERMILLION), (0.19, "lower", BLUE)):
        found = counts(sample, side)
        places = np.arange(len(found)) + shift
        low, middle, high = np.quantile(np.array(list(found.values())), (0.1, 0.5, 0.9), axis=1)
        axes.barh(places, middle, 0.36, color=colour, label=f"{side} limit")
        if len(sample.runs) > 1:
            axes.hlines(places, low, high, color="#444444", lw=0.9)
        for place, value, edge in zip(places, middle, high, strict=True):
            words = f" {value:g}"
            axes.text(max(edge, value), place, words, va="center", fontsize=7.5, color="#333333")
        fact = f"LIM.{side}"
        if fact in seen.facts:
            label = "observed" if side == "upper" else None
            at = [places[-1]]
            axes.plot([seen.facts[fact]], at, "D", ms=5, mfc="white", mec=OBSERVED, label=label)
    names = list(counts(sample, "upper"))
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(left=0, right=1.25 * max(1.0, axes.get_xlim()[1]))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    many = ", median and 10–90 % of the seeds" if len(sample.runs) > 1 else ""
    axes.set_title(f"Number of days by vintage{many}")
    axes.set_xlabel("trading days")
    axes.legend(loc="lower right")
