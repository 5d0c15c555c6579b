"""Prices and volumes over the season, with the policy events."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.pictures.sample import Observed, Runs, Sample, Seen, observed_of, sample_of
from sim.pictures.style import (
    BLUE,
    KEY_LINE_INCHES,
    MODALITY_COLOURS,
    MODALITY_WORDS,
    OBSERVED,
    dated,
    day_number,
    draw_key,
    draw_marks,
    headroom,
    key_lines,
    legend_in,
    marks_of,
    month_words,
    panels_over_key,
    quantiles,
    sheet,
    styled,
    whiskers,
    with_band,
)
from sim.results.days import Days, Floats
from sim.results.facts import MT

MODALITIES = ("listed", "bulk", "auction")


def price_and_volume(runs: Runs, observed: Seen = None) -> Figure:
    """Composite close (CNY/t) above, weekly volume by modality (Mt) below, policy events marked."""
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    marks = marks_of(sample.runs[0].events, sample.dates)
    columns = key_lines(marks)
    key = KEY_LINE_INCHES * max(len(each) for each in columns) + 0.1
    with styled():
        title = f"Price and volume of season {sample.runs[0].season}, policy events marked"
        figure = sheet(title, sample.source() + seen.source(), 5.2 + key)
        rows = figure.subplots(3, 1, gridspec_kw={"height_ratios": [2.6, 2.2, key]})
        _price(rows[0], sample, seen)
        _weeks(rows[1], sample, seen)
        rows[1].sharex(rows[0])
        draw_marks(rows[:2], marks)
        draw_key(rows[2], columns)
        levels = 1 + max((mark.level for mark in marks), default=-1)
        rows[0].set_title("Composite close, CNY/t", pad=6 + 12 * levels)
    return figure


def _price(axes: Axes, sample: Sample, seen: Observed) -> None:
    with_band(axes, sample.dates, sample.by_day(lambda days: days.close), "simulated close", BLUE)
    if seen.daily is not None:
        axes.plot(
            seen.daily.dates, seen.daily.close, color=OBSERVED, lw=0.9, label="observed close"
        )
    months = seen.months
    simulated = sample.dates.astype("datetime64[M]").astype(str)
    traded = months[(months["listed_volume_t"] > 0) & months["month"].isin(simulated)]
    if len(traded):
        middle = [
            np.median(day_number(sample.dates[simulated == each])) for each in traded["month"]
        ]
        mean = traded["listed_turnover_cny"] / traded["listed_volume_t"]
        label = "observed monthly mean of listed trades"
        axes.plot(middle, mean, "D", ms=4, mfc="white", mec=OBSERVED, label=label)
    axes.set_ylabel("CNY/t")
    dated(axes, sample.dates[0], sample.dates[-1])
    headroom(axes, 2)
    axes.legend(loc="upper left", ncols=2)


def mondays(days: Days) -> np.ndarray[tuple[int], np.dtype[np.datetime64]]:
    """The Monday of each day's week."""
    number = days.dates.astype("datetime64[D]").astype(np.int64)
    return (number - (number + 3) % 7).astype("datetime64[D]")


def _weeks(axes: Axes, sample: Sample, seen: Observed) -> None:
    week, place = np.unique(mondays(sample.days[0]), return_inverse=True)

    def summed(values: Floats) -> Floats:
        return np.bincount(place, values, len(week)) / MT

    base = np.zeros(len(week))
    middle = day_number(week) + 2  # a bar from Monday to Friday
    for name in MODALITIES:
        tonnes = np.array([summed(getattr(days, name)) for days in sample.days])
        if name == "auction" and not tonnes.any():
            continue
        median = quantiles(tonnes)[1]
        style: dict[str, Any] = {"color": MODALITY_COLOURS[name], "label": MODALITY_WORDS[name]}
        axes.bar(middle, median, 5.6, bottom=base, **style)
        base = base + median
    total = np.array([summed(days.volume) for days in sample.days])
    errors = whiskers(total)
    if errors is not None:
        spread: dict[str, Any] = {"fmt": "none", "ecolor": "#444444", "elinewidth": 0.6}
        centre = quantiles(total)[1]
        axes.errorbar(middle, centre, errors, label="total, 10–90 % of the seeds", **spread)
    if seen.daily is not None:
        starts, at = np.unique(mondays(seen.daily), return_inverse=True)
        amount = np.bincount(at, seen.daily.volume, len(starts)) / MT * seen.scale
        axes.plot(
            day_number(starts) + 2, amount, color=OBSERVED, lw=0.9, label=f"{seen.word}, total"
        )
    words = "Volume a week, Mt" + ("" if len(sample.runs) == 1 else " (medians)")
    axes.set_title(words)
    axes.set_ylabel("Mt a week")
    headroom(axes, 2)
    axes.legend(loc="upper left", ncols=2)


def monthly_volume(runs: Runs, observed: Seen = None) -> Figure:
    """Volume a month by modality (Mt), simulated beside observed."""
    sample = sample_of(runs)
    seen = observed_of(sample, observed)
    months = np.unique(sample.dates.astype("datetime64[M]"))
    shown = [
        name
        for name in MODALITIES
        if name != "auction" or any(days.auction.any() for days in sample.days)
    ]
    with styled():
        title = f"Monthly volume by modality, season {sample.runs[0].season}"
        figure = sheet(title, sample.source() + seen.source(), 1.2 + 1.85 * len(shown))
        panels, key = panels_over_key(figure, len(shown), 1)
        for axes, name in zip(panels, shown, strict=True):
            _month_bars(axes, sample, seen, months, name)
        for axes in panels:
            axes.set_xticks(range(len(months)), month_words(months))
        legend_in(key, panels[0])
    return figure


def _month_bars(
    axes: Axes,
    sample: Sample,
    seen: Observed,
    months: np.ndarray[tuple[int], np.dtype[np.datetime64]],
    name: str,
) -> None:
    place = np.searchsorted(months, sample.dates.astype("datetime64[M]"))
    tonnes = sample.by_day(lambda days: getattr(days, name)) / MT
    sums = np.array([np.bincount(place, row, len(months)) for row in tonnes])
    both = len(seen.months) > 0
    x, width = np.arange(len(months)), 0.4 if both else 0.7
    many = len(sample.runs) > 1
    label = "simulated, median and 10–90 % of the seeds" if many else "simulated"
    at = x - width / 2 if both else x
    style: dict[str, Any] = {"error_kw": {"elinewidth": 0.8}, "color": MODALITY_COLOURS[name]}
    axes.bar(at, quantiles(sums)[1], width, yerr=whiskers(sums), label=label, **style)
    if both:
        figures = seen.months.set_index("month")[f"{name}_volume_t"] / MT * seen.scale
        real = figures.reindex([str(month) for month in months]).to_numpy()
        edge: dict[str, Any] = {"facecolor": "white", "edgecolor": OBSERVED, "hatch": "////"}
        axes.bar(x + width / 2, real, width, label=seen.word, linewidth=0.8, **edge)
    axes.set_title(MODALITY_WORDS[name].capitalize() + ", Mt a month")
    axes.set_ylabel("Mt")
