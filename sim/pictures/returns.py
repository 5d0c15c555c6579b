"""Daily returns: their course, their law, their memory."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.pictures.sample import Observed, Runs, Sample, Seen, daily_from, observed_of, sample_of
from sim.pictures.style import (
    OBSERVED,
    SIMULATED,
    dated,
    empty,
    headroom,
    quantiles,
    sheet,
    styled,
    with_band,
)
from sim.results.days import Days, Floats, Window
from sim.results.facts import returns_of

LAGS = 10


def autocorrelation(series: Floats, lags: int = LAGS) -> Floats:
    """Correlation of a series with itself 1 … ``lags`` steps later; NaN where it has none."""
    found = np.full(lags, np.nan)
    for lag in range(1, lags + 1):
        now, before = series[lag:], series[:-lag]
        if len(now) < 3:
            break
        now, before = now - now.mean(), before - before.mean()
        spread = float(np.sqrt((now @ now) * (before @ before)))
        if spread > 0:
            found[lag - 1] = float(now @ before) / spread
    return found


def returns(runs: Runs, observed: Seen = None) -> Figure:
    """Daily log returns over time, their distribution, autocorrelation plain and absolute."""
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    window = Window(daily_from(sample.year))
    found = [returns_of(days.within(window)) for days in sample.days]
    real = returns_of(seen.daily) if seen.daily is not None else None
    with styled():
        title = f"Daily returns of the composite close, season {sample.runs[0].season}"
        figure = sheet(title, sample.source() + seen.source(), 5.2)
        panels = figure.subplots(2, 2)
        _course(panels[0, 0], sample, seen)
        _law(panels[0, 1], found, real, seen)
        words = (("AC1", "Autocorrelation of returns"), ("ACABS", "Autocorrelation of |returns|"))
        for axes, (fact, title) in zip(panels[1], words, strict=True):
            absolute = fact == "ACABS"
            axes.set_title(title)
            series = [np.abs(each) if absolute else each for each in found]
            against = None if real is None else (np.abs(real) if absolute else real)
            _memory(axes, series, against, seen.facts.get(fact))
        panels[1, 0].legend(loc="upper right", fontsize=7)
    return figure


def _every_day(days: Days) -> Floats:
    """Return of each day, per cent; NaN where there is none by the definition of the facts."""
    traded = days.listed > 0
    good = traded[1:] & traded[:-1] & (days.basis[1:] == days.basis[:-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        change = 100 * np.log(days.close[1:] / days.close[:-1])
    return np.concatenate([[np.nan], np.where(good, change, np.nan)])


def _course(axes: Axes, sample: Sample, seen: Observed) -> None:
    first = sample.runs[0].seed
    axes.set_title(f"Log return of a day, seed {first}, %")
    axes.set_ylabel("%")
    change = _every_day(sample.days[0])
    axes.axhline(0, color="#888888", lw=0.6)
    axes.vlines(sample.dates, 0, change, color=SIMULATED, lw=0.8, label=f"seed {first}")
    if seen.daily is not None:
        label = "observed"
        axes.plot(
            seen.daily.dates, _every_day(seen.daily), ".", ms=2.5, color=OBSERVED, label=label
        )
        axes.legend(loc="upper left", fontsize=7)
    dated(axes, sample.dates[0], sample.dates[-1])
    axes.tick_params(axis="x", labelsize=7)


def _law(axes: Axes, found: list[Floats], real: Floats | None, seen: Observed) -> None:
    axes.set_title("Distribution of returns")
    axes.set_xlabel("log return, %")
    axes.set_ylabel("% of the days")
    known = [each for each in found if len(each) >= 2]
    if not known:
        empty(axes, "no two neighbouring days\nwith listed trades")
        return
    most = 100 * max(float(np.abs(each).max()) for each in known)
    most = max(most, 1.0, 100 * float(np.abs(real).max()) if real is not None else 0.0)
    edges = np.linspace(-most, most, 32)
    shares = np.array([100 * np.histogram(100 * each, edges)[0] / len(each) for each in known])
    low, middle, high = quantiles(shares)
    spread = 100 * float(np.median([each.std(ddof=1) for each in known]))
    axes.stairs(middle, edges, fill=True, color=SIMULATED, alpha=0.55)
    axes.stairs(middle, edges, color=SIMULATED, label=f"simulated, sd {spread:.2f} %")
    if len(known) > 1:
        centre = (edges[:-1] + edges[1:]) / 2
        axes.vlines(centre, low, high, color="#444444", lw=0.7)
    if real is not None:
        share = 100 * np.histogram(100 * real, edges)[0] / len(real)
        axes.stairs(share, edges, color=OBSERVED, lw=0.9)
    if "SD" in seen.facts:
        axes.plot([], [], color=OBSERVED, label=f"observed, sd {100 * seen.facts['SD']:.2f} %")
    headroom(axes, 2)
    axes.legend(loc="upper left", fontsize=7)


def _memory(axes: Axes, found: list[Floats], real: Floats | None, first: float | None) -> None:
    lags = np.arange(1, LAGS + 1)
    curves = np.array([autocorrelation(each) for each in found])
    if not np.isfinite(curves).any():
        empty(axes, "too few returns")
    else:
        count = float(np.median([len(each) for each in found]))
        edge = 1.96 / np.sqrt(count)
        axes.axhspan(-edge, edge, color="#EEEEEE", lw=0, label="no memory (95 %)")
        with_band(axes, lags, curves, "simulated")
    if real is not None:
        axes.plot(lags, autocorrelation(real), color=OBSERVED, lw=0.9, label="observed")
    elif first is not None:
        axes.plot([1], [first], "D", ms=5, mfc="white", mec=OBSERVED, label="observed, lag 1")
    axes.axhline(0, color="#888888", lw=0.6)
    axes.set_xlabel("lag, trading days")
    axes.set_ylabel("correlation")
    axes.set_xticks(lags)
    axes.set_ylim(-1, 1)
