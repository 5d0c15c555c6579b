"""How every picture looks: palette, fonts, dates, event marks, bytes that do not change.

Colours are those of Okabe and Ito, which people with any colour vision tell apart; what is observed
is always black. Pictures are made without pyplot, so nothing is kept between them.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib import font_manager
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sim.results.days import Dates, Floats

BLUE, VERMILLION, GREEN = "#0072B2", "#D55E00", "#009E73"
ORANGE, SKY, PURPLE, YELLOW = "#E69F00", "#56B4E9", "#CC79A7", "#F0E442"
OBSERVED, MUTED, PALE = "#000000", "#666666", "#D9D9D9"
SIMULATED = BLUE
MODALITY_COLOURS = {"listed": SKY, "bulk": ORANGE, "auction": GREEN}
MODALITY_WORDS = {"listed": "listed", "bulk": "bulk agreement", "auction": "one-way bidding"}
CLASS_COLOURS = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW)
NS_A_DAY = 86_400e9
SHORT_DAYS = 45  # below it an axis shows days, not months
EARLY_DAY = 7  # a season that begins up to here has a tick for its first month
WIDTH = 7.6  # inches: 730 pixels of a browser at its natural size
BAND_WORDS = "10–90 % of the seeds"
PNG_DPI = 160
# Event titles of a scenario may hold Chinese: the first of these that is installed has its glyphs.
CJK_FONTS = (
    *("Noto Sans CJK SC", "Source Han Sans SC", "Microsoft YaHei", "PingFang SC", "SimHei"),
    *("WenQuanYi Micro Hei", "Arial Unicode MS"),
)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@cache
def families() -> tuple[str, ...]:
    """Font families in the order in which a glyph is looked for."""
    there = set(font_manager.get_font_names())
    return ("DejaVu Sans", *[name for name in CJK_FONTS if name in there][:1])


@contextmanager
def styled() -> Iterator[None]:
    """Draw and save in the house style, whatever the user's settings."""
    settings: Any = {
        "font.family": list(families()),
        "font.size": 9.0,
        "axes.titlesize": 9.5,
        "axes.titlelocation": "left",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": "#E6E6E6",
        "grid.linewidth": 0.6,
        "lines.linewidth": 1.4,
        "hatch.linewidth": 0.6,
        "legend.facecolor": "white",
        "legend.edgecolor": "none",
        "legend.framealpha": 0.85,
        "legend.fontsize": 8.0,
        "figure.facecolor": "white",
        "svg.fonttype": "path",
        "svg.hashsalt": "tanshi",
    }
    with mpl.rc_context():
        backend = mpl.rcParams["backend"]
        mpl.rcdefaults()
        mpl.rcParams.update(settings | {"backend": backend})
        yield


def sheet(title: str, source: str, height: float) -> Figure:
    """Return an empty figure with its title above and where the data come from below."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left", fontsize=11.5, fontweight="bold")
    figure.supxlabel(textwrap.fill(source, 150), x=0.01, ha="left", fontsize=6.5, color=MUTED)
    return figure


def empty(axes: Axes, words: str) -> None:
    """Say in an empty panel why it is empty."""
    place: dict[str, Any] = {"transform": axes.transAxes, "ha": "center", "va": "center"}
    axes.text(0.5, 0.5, words, color=MUTED, fontsize=10, **place)


def day_number(dates: Any) -> Floats:
    """Dates as an axis counts them: days since 1970, matplotlib's epoch."""
    return np.asarray(dates, dtype="datetime64[ns]").astype(np.int64) / NS_A_DAY


def dated(axes: Axes, first: Any, last: Any) -> None:
    """Give an axis of dates one tick a month, the year below January and the first one."""
    left, right = (float(day_number(each)) for each in (first, last))
    room = max(1.0, (right - left) * 0.012)
    start, end = np.datetime64(first, "D"), np.datetime64(last, "D")
    if right - left < SHORT_DAYS:
        days = np.unique(np.linspace(0, right - left, 5).astype(int)) + start
        words = [str(day) if at == 0 else str(day)[5:] for at, day in enumerate(days)]
    else:
        late = int(str(start)[8:]) > EARLY_DAY
        months = np.arange(start.astype("datetime64[M]") + late, end.astype("datetime64[M]") + 1)
        days = np.maximum(months.astype("datetime64[D]"), start)
        words = month_words(days)
    axes.set_xticks(day_number(days), words)
    axes.set_xlim(left - room, right + room)


def month_words(days: Any) -> list[str]:
    """Names of months, with the year below January and the first one."""
    words = []
    for at, day in enumerate(days):
        month = int(str(day)[5:7])
        words.append(MONTHS[month - 1] + (f"\n{str(day)[:4]}" if at == 0 or month == 1 else ""))
    return words


def with_band(axes: Axes, x: Any, values: Floats, label: str, colour: str = SIMULATED) -> None:
    """Draw the median over the runs (rows of ``values``) and the band from 10 to 90 %."""
    low, middle, high = quantiles(values)
    axes.plot(x, middle, color=colour, label=label if len(values) == 1 else f"{label}, median")
    if len(values) > 1:
        axes.fill_between(x, low, high, color=colour, alpha=0.22, lw=0, label=BAND_WORDS)


def quantiles(values: Floats) -> tuple[Floats, Floats, Floats]:
    """10, 50 and 90 % over the first axis, leaving out what is not a number."""
    known = np.isfinite(values).any(axis=0)
    safe = np.where(known, values, 0.0)
    low, middle, high = np.nanquantile(safe, (0.1, 0.5, 0.9), axis=0)
    low, middle, high = (np.where(known, each, np.nan) for each in (low, middle, high))
    return low, middle, high


def whiskers(values: Floats) -> Floats | None:
    """Lengths below and above the median for ``errorbar``, shape (2, n); None for one run."""
    if len(values) < 2:
        return None
    low, middle, high = quantiles(values)
    lengths: Floats = np.nan_to_num(np.array([middle - low, high - middle]))
    return lengths


class Mark(NamedTuple):
    """A policy event of the season as it is marked: its number and how high its badge stands."""

    number: int
    date: pd.Timestamp
    title: str
    level: int


def marks_of(events: pd.DataFrame, dates: Dates, nearest_share: float = 0.03) -> list[Mark]:
    """Return the events between the first and the last day, numbered by date.

    ``nearest_share``: of the time shown; badges nearer to each other stand on different levels.
    """
    first, last = pd.Timestamp(dates[0]), pd.Timestamp(dates[-1])
    rows = events[(events["date"] >= first) & (events["date"] <= last)].sort_values(
        "date", kind="stable"
    )
    nearest = (last - first) * nearest_share
    ends: list[pd.Timestamp] = []  # by level, where its last badge stands
    marks = []
    for number, (date, title) in enumerate(zip(rows["date"], rows["title"], strict=True), 1):
        free = [at for at, end in enumerate(ends) if date - end >= nearest]
        level = free[0] if free else len(ends)
        ends[level : level + 1] = [date]
        marks.append(Mark(number, date, str(title), level))
    return marks


def draw_marks(panels: Sequence[Axes], marks: Sequence[Mark]) -> None:
    """Draw a line a mark through all panels and its number above the first."""
    for mark in marks:
        for axes in panels:
            axes.axvline(
                float(day_number(mark.date)), color=MUTED, lw=0.7, ls=(0, (2, 2)), zorder=1
            )
        panels[0].annotate(
            str(mark.number),
            (float(day_number(mark.date)), 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 7 + 12 * mark.level),
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=7,
            bbox={"boxstyle": "circle,pad=0.22", "fc": "white", "ec": MUTED, "lw": 0.7},
            gid=f"event-{mark.number}",
        )


def key_lines(marks: Sequence[Mark], width: int = 62) -> tuple[list[str], list[str]]:
    """The words of the marks in two columns of lines."""
    entries = []
    for mark in marks:
        text = f"{mark.number}  {mark.date:%Y-%m-%d}  {mark.title}"
        entries.append(textwrap.wrap(text, width, subsequent_indent="     "))
    half = (sum(map(len, entries)) + 1) // 2
    left: list[str] = []
    right: list[str] = []
    for lines in entries:
        (left if len(left) < half and not right else right).extend(lines)
    return left, right


def draw_key(axes: Axes, columns: tuple[list[str], list[str]]) -> None:
    """Write the two columns of a key into an otherwise empty panel."""
    axes.axis("off")
    for x, lines in zip((0.0, 0.51), columns, strict=True):
        place: dict[str, Any] = {
            "transform": axes.transAxes,
            "va": "top",
            "ha": "left",
            "fontsize": 7,
        }
        axes.text(x, 1.0, "\n".join(lines), linespacing=1.35, **place)


KEY_LINE_INCHES = 0.135


def panels_over_key(figure: Figure, rows: int, columns: int) -> tuple[list[Axes], Axes]:
    """Return ``rows`` x ``columns`` panels, row by row, and a flat empty one below for a legend."""
    key_height = 0.25
    panel = (figure.get_figheight() - 0.9 - key_height) / rows
    ratios = [panel] * rows + [key_height]
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=ratios)
    panels = [figure.add_subplot(grid[at // columns, at % columns]) for at in range(rows * columns)]
    key = figure.add_subplot(grid[rows, :])
    key.axis("off")
    return panels, key


def headroom(axes: Axes, lines: int, height: float = 0.085) -> None:
    """Leave room above what is drawn for a legend of ``lines`` lines.

    ``height``: of one line, as a share of the panel's.
    """
    low, high = axes.get_ylim()
    axes.set_ylim(low, low + (high - low) / (1 - min(0.6, lines * height + 0.04)))


def legend_in(key: Axes, of: Axes) -> None:
    """Write the legend of a panel into an empty one, in one line."""
    handles, words = of.get_legend_handles_labels()
    key.legend(handles, words, loc="center left", ncols=max(1, len(words)), borderaxespad=0.0)


def png_of(figure: Figure) -> bytes:
    """The picture as PNG; the same bytes for the same picture."""
    return _saved(figure, "png", {"Software": None}, dpi=PNG_DPI)


def svg_of(figure: Figure) -> bytes:
    """The picture as SVG with its letters as outlines; the same bytes for the same picture."""
    return _saved(figure, "svg", {"Date": None, "Creator": None})


def _saved(figure: Figure, kind: str, metadata: dict[str, Any], **more: Any) -> bytes:
    stream = io.BytesIO()
    with styled():
        figure.savefig(stream, format=kind, metadata=metadata, **more)
    return stream.getvalue()


def write(figure: Figure, folder: Path, name: str) -> tuple[Path, Path]:
    """Write ``name.png`` and ``name.svg`` into ``folder``; return both paths."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / f"{name}.png", folder / f"{name}.svg"
    paths[0].write_bytes(png_of(figure))
    paths[1].write_bytes(svg_of(figure))
    return paths
