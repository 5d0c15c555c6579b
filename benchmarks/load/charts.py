"""Charts of a load test as SVG inside the page: they take its colours, light and dark.

A ``Chart`` has a figure's name, two axes, lines and marks; ``svg`` draws it. Nothing is computed
here and nothing is fetched; hovering a column shows its values (``<title>``, no script).
"""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from benchmarks.load.words import NONE, duration, rate

WIDTH, PANEL_HEIGHT = 760, 260
LEFT, RIGHT, BOTTOM, LINE = 66, 28, 44, 18
LETTER = 6.6  # width of a letter of a legend, about
COLUMNS_MAX = 240  # of tooltips
NINES_MAX = 7
Point = tuple[float, float | None]
Word = Callable[[float], str]
CSS = """
:root { --c1: #0072b2; --c2: #d55e00; --c3: #00815f; --c4: #a4447c; --c5: #8a6100; }
@media (prefers-color-scheme: dark) { :root { --c1: #56b4e9; --c2: #ff9d66; --c3: #35c99b;
  --c4: #e79ac4; --c5: #e6b34a; } }
svg.chart { display: block; width: 100%; min-width: 36rem; height: auto; }
figure .wide:has(> svg.chart) { background: transparent; }
svg.chart text { fill: var(--ink); font: 12px system-ui, sans-serif; }
svg.chart text.soft { fill: var(--muted); }
svg.chart text.end { text-anchor: end; }
svg.chart text.mid { text-anchor: middle; }
svg.chart .grid { stroke: var(--line); stroke-width: 0.7; }
svg.chart .axis { stroke: var(--muted); stroke-width: 1; }
svg.chart .mark { stroke: var(--muted); stroke-width: 1; stroke-dasharray: 3 3; }
svg.chart .line { fill: none; stroke-width: 1.9; stroke-linejoin: round; }
svg.chart .dashed { stroke-dasharray: 6 4; }
svg.chart .k1 { stroke: var(--c1); } svg.chart .k2 { stroke: var(--c2); }
svg.chart .k3 { stroke: var(--c3); } svg.chart .k4 { stroke: var(--c4); }
svg.chart .k5 { stroke: var(--c5); }
svg.chart circle { stroke-width: 1.6; fill: var(--paper); }
svg.chart .hit { fill: transparent; }
svg.chart .hit:hover { fill: var(--muted); fill-opacity: 0.18; }
"""


@dataclass(frozen=True)
class Axis:
    """An axis: what it counts (with its unit), its ends, its ticks, and how it says a value."""

    label: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    word: Word
    log: bool = False

    def share(self, value: float) -> float:
        """Where ``value`` stands between the ends, 0 to 1."""
        low, high, here = self.low, self.high, value
        if self.log:
            low, high, here = math.log(low), math.log(high), math.log(max(value, low))
        return min(1.0, max(0.0, (here - low) / (high - low)))


@dataclass(frozen=True)
class Line:
    """A line of a chart. ``colour``: 1 to 5; a point without a value interrupts it."""

    name: str
    points: Sequence[Point]
    colour: int
    dashed: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Mark:
    """A dashed line across the chart with its words: at an ``x`` or at a ``y``."""

    words: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True)
class Chart:
    """A chart: ``name`` is its place in the page, ``title`` what a reader without eyes hears."""

    name: str
    title: str
    x: Axis
    y: Axis
    lines: Sequence[Line]
    marks: Sequence[Mark] = field(default=())


def linear(label: str, values: Sequence[float], word: Word = rate) -> Axis:
    """An axis from 0 to just above the largest value, with round ticks."""
    most = max([value for value in values if math.isfinite(value)], default=0.0)
    most = most if most > 0 else 1.0
    step = _round_step(most / 5)
    last = math.ceil(most / step - 1e-9)
    ticks = tuple((n * step, word(n * step)) for n in range(last + 1))
    return Axis(label, 0.0, last * step, ticks, word)


def _round_step(rough: float) -> float:
    power = 10.0 ** math.floor(math.log10(rough))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= rough - 1e-12))


def seconds(label: str, values: Sequence[float]) -> Axis:
    """An axis of seconds since the run began, up to the last one."""
    axis = linear(label, values, lambda s: f"{s:,.10g}")
    last = max(values, default=axis.high)
    ticks = tuple(tick for tick in axis.ticks if tick[0] <= last)
    return replace(axis, high=last, ticks=ticks) if last > 0 else axis


def latency(label: str, values: Sequence[float | None]) -> Axis:
    """A log axis of microseconds, said in the unit that fits."""
    known = [value for value in values if value is not None and value > 0]
    low, high = (min(known), max(known)) if known else (100.0, 10_000.0)
    steps = (1, 2, 5) if high / low < 2_000 else (1,)
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    rounds = [s * 10.0**n for n in range(first, last + 1) for s in steps]
    below = max([r for r in rounds if r <= low * 1.0001], default=rounds[0])
    above = min([r for r in rounds if r >= high * 0.9999 and r > below], default=below * 10)
    ticks = tuple((r, _short(r)) for r in rounds if below <= r <= above)
    return Axis(label, below, above, ticks, duration, log=True)


def _short(us: float) -> str:
    return f"{us / 1e6:g} s" if us >= 1e6 else f"{us / 1e3:g} ms" if us >= 1e3 else f"{us:g} µs"


def nines(label: str, count: int) -> Axis:
    """Percentiles as HdrHistogram plots them: each further nine as wide as the one before.

    A value on it is the number of nines, -log10(1 - share); ``count`` says how many can be told.
    """
    most = max(2.0, min(float(NINES_MAX), math.log10(max(count, 1))))
    ticks = [(0.0, "0 %"), (-math.log10(0.5), "50 %")]
    ticks += [(float(n), percent_of(n)) for n in range(1, int(most) + 1)]
    return Axis(label, 0.0, most, tuple(ticks), percent_of)


def percent_of(count: float) -> str:
    """``count`` nines as a percentile: 2 is 99 %, 3 is 99.9 %."""
    places = max(0, math.ceil(count) - 2)
    return f"{(1 - 10.0**-count) * 100:.{max(places, 0 if count == int(count) else 2)}f} %"


def svg(chart: Chart) -> str:
    """The chart as an SVG element; it needs ``CSS`` in the page."""
    legend, rows = _legend(chart.lines)
    top = 12 + LINE * rows + LINE
    height = top + PANEL_HEIGHT + BOTTOM
    frame = _Frame(chart, top)
    parts = [
        f'<svg class="chart" id="chart-{chart.name}" role="img" viewBox="0 0 {WIDTH} {height}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{_text(chart.title)}</title>',
        legend,
        *frame.grid(),
        *frame.marks(),
        *(frame.line(each) for each in chart.lines),
        *frame.columns(),
        "</svg>",
    ]
    return "\n".join(parts)


def _text(words: str) -> str:
    return html.escape(words)


def _legend(lines: Sequence[Line]) -> tuple[str, int]:
    """The names of the lines above the panel, and how many rows they take."""
    x, row, parts = float(LEFT), 0, []
    for line in lines:
        width = 34 + LETTER * len(line.name) + 14
        if x > LEFT and x + width > WIDTH - RIGHT:
            x, row = float(LEFT), row + 1
        y = 14 + LINE * row
        dashed = " dashed" if line.dashed else ""
        parts.append(
            f'<line class="line k{line.colour}{dashed}" x1="{x:.0f}" x2="{x + 26:.0f}" y1="{y}" '
            f'y2="{y}"/><text x="{x + 32:.0f}" y="{y + 4}">{_text(line.name)}</text>'
        )
        x += width
    return "\n".join(parts), row + 1


class _Frame:
    """The panel of one chart: where a value stands on it."""

    def __init__(self, chart: Chart, top: int) -> None:
        self.chart, self.top = chart, top
        self.bottom = top + PANEL_HEIGHT

    def x(self, value: float) -> float:
        return LEFT + self.chart.x.share(value) * (WIDTH - LEFT - RIGHT)

    def y(self, value: float) -> float:
        return self.bottom - self.chart.y.share(value) * PANEL_HEIGHT

    def grid(self) -> list[str]:
        """Grid, ticks and the names of both axes."""
        right, parts = WIDTH - RIGHT, []
        for value, words in self.chart.y.ticks:
            y = self.y(value)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(
                f'<text class="soft end" x="{LEFT - 7}" y="{y + 4:.1f}">{_text(words)}</text>'
            )
        for value, words in self.chart.x.ticks:
            x = self.x(value)
            parts.append(
                f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{self.top}" y2="{self.bottom}"/>'
            )
            parts.append(
                f'<text class="soft mid" x="{x:.1f}" y="{self.bottom + 17}">{_text(words)}</text>'
            )
        middle = (LEFT + right) / 2
        parts += [
            f'<line class="axis" x1="{LEFT}" x2="{right}" y1="{self.bottom}" y2="{self.bottom}"/>',
            f'<text x="8" y="{self.top - 10}">{_text(self.chart.y.label)}</text>',
            f'<text class="mid" x="{middle:.0f}" y="{self.bottom + 36}">'
            f"{_text(self.chart.x.label)}</text>",
        ]
        return parts

    def marks(self) -> list[str]:
        """Lines across the panel; the words of upright ones stand on their left, inside."""
        parts = []
        for mark in self.chart.marks:
            if mark.x is not None:
                x = self.x(mark.x)
                side, at = ("end", x - 5) if x > (LEFT + WIDTH) / 2 else ("", x + 5)
                ends = f'x1="{x:.1f}" x2="{x:.1f}" y1="{self.top}" y2="{self.bottom}"'
                place = f'class="soft {side}" x="{at:.1f}" y="{self.top + 14}"'
            else:
                y = self.y(mark.y or 0.0)
                ends = f'x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"'
                place = f'class="soft" x="{LEFT + 6}" y="{y - 5:.1f}"'
            parts.append(f'<line class="mark" {ends}/><text {place}>{_text(mark.words)}</text>')
        return parts

    def line(self, line: Line) -> str:
        """One line, broken where a value is missing; a lonely point is a dot."""
        runs: list[list[str]] = [[]]
        for x, y in line.points:
            if y is None:
                runs.append([])
            else:
                runs[-1].append(f"{self.x(x):.1f},{self.y(y):.1f}")
        dashed = " dashed" if line.dashed else ""
        name = _text(line.name)
        parts = [
            f'<polyline class="line k{line.colour}{dashed}" data-name="{name}" '
            f'points="{" ".join(run)}"/>'
            for run in runs
            if len(run) > 1
        ]
        dots = [run[0] for run in runs if len(run) == 1]
        if line.dots:
            dots = [point for run in runs for point in run]
        for point in dots:
            left, down = point.split(",")
            parts.append(
                f'<circle class="k{line.colour}" data-name="{name}" cx="{left}" cy="{down}" '
                'r="3.5"/>'
            )
        return "\n".join(parts)

    def columns(self) -> list[str]:
        """Columns that say their values when hovered, as many as can be told apart."""
        values: dict[float, list[str]] = {}
        for line in self.chart.lines:
            for x, y in line.points:
                told = NONE if y is None else self.chart.y.word(y)
                values.setdefault(x, []).append(f"{line.name}: {told}")
        places = sorted(values)
        places = places[:: max(1, math.ceil(len(places) / COLUMNS_MAX))]
        edges = [self.x(each) for each in places]
        parts = []
        for at, (place, here) in enumerate(zip(places, edges, strict=True)):
            left = (edges[at - 1] + here) / 2 if at else max(LEFT, here - 8)
            right = (here + edges[at + 1]) / 2 if at + 1 < len(edges) else min(WIDTH, here + 8)
            told = "\n".join([f"{self.chart.x.label}: {self.chart.x.word(place)}", *values[place]])
            parts.append(
                f'<rect class="hit" x="{left:.1f}" y="{self.top}" width="{right - left:.1f}" '
                f'height="{PANEL_HEIGHT}"><title>{_text(told)}</title></rect>'
            )
        return parts
