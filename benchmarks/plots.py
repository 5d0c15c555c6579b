"""Pictures of the figures: cost as the work grows, the peers, and all targets on one scale.

Drawn in the house style, so the same figures give the same bytes. Each picture carries the mark of
what it was drawn from; a test holds the committed pictures to the committed figures by it.
"""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.targets import TARGETS, Verdict, verdicts
from sim.pictures import style

Figures = Mapping[str, Any]

LOG_FROM = 20.0  # values that differ by more are shown on a log axis
MARK = "drawn from "
TICKS = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)
GROWTH = "growth_"  # a ratio of that name and a series belong together
SMALL = " — a small run: its figures mean little"


def mark_of(drawn: object) -> str:
    """Return the mark of what a picture was drawn from."""
    text = json.dumps(drawn, sort_keys=True, ensure_ascii=False)
    return MARK + hashlib.sha256(text.encode()).hexdigest()[:16]


def file_of(question: str, series: Mapping[str, Any]) -> str:
    """Return the name of the picture of a series."""
    own = str(series["name"]).replace("_", "-").removeprefix(f"{question}-")
    return f"bench-{question}-{own}.svg".replace("_", "-")


def sources(found: Mapping[str, Figures]) -> dict[str, object]:
    """Return by file name what each picture is drawn from."""
    drawn: dict[str, object] = {}
    told = verdicts(found)
    if told:
        drawn["bench-targets.svg"] = [
            [each.target.words, each.target.asked, each.value, each.low, each.high, each.full]
            for each in told
        ]
    for name, figures in found.items():
        full = bool(figures.get("full"))
        for series in figures["series"]:
            drawn[file_of(name, series)] = [series, full]
    if bars := peer_bars(found.get("peers")):
        drawn["bench-peers.svg"] = [bars, bool(found["peers"].get("full"))]
    return drawn


def pictures(found: Mapping[str, Figures]) -> dict[str, bytes]:
    """Return every picture as SVG, by file name."""
    drawn = sources(found)
    made: dict[str, Figure] = {}
    with style.styled():
        if "bench-targets.svg" in drawn:
            made["bench-targets.svg"] = targets_picture(verdicts(found))
        for name, figures in found.items():
            full = bool(figures.get("full"))
            for series in figures["series"]:
                made[file_of(name, series)] = series_picture(name, series, full)
        if "bench-peers.svg" in drawn:
            full = bool(found["peers"].get("full"))
            made["bench-peers.svg"] = peers_picture(peer_bars(found["peers"]), full)
    return {file: marked(style.svg_of(figure), drawn[file]) for file, figure in made.items()}


def marked(svg: bytes, drawn: object) -> bytes:
    """Return a picture with the mark of what it was drawn from at its end."""
    return svg.rstrip() + f"\n<!-- {mark_of(drawn)} -->\n".encode()


def series_picture(question: str, series: Mapping[str, Any], full: bool) -> Figure:
    """Draw cost as the work grows, with the band of least and most, and the target if any."""
    title = series["title"].replace("price_time", "price–time")
    figure = style.sheet(title, _below(question, full), 3.4)
    axes = figure.add_subplot()
    x, y, low, high = (series[each] for each in ("x", "y", "low", "high"))
    axes.fill_between(x, low, high, color=style.BLUE, alpha=0.18, lw=0, label="least to most")
    axes.plot(x, y, "o-", color=style.BLUE, ms=4.5, label="median")
    bound = _bound(question, series)
    if bound is not None:
        axes.axhline(bound[0], color=style.VERMILLION, ls="--", lw=1.2, label=bound[1])
    if series["log_x"]:
        axes.set_xscale("log")
        _plain_ticks(axes, x)
    else:
        axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    if min(y) > 0 and max(y) / min(y) > LOG_FROM:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.12 * max([*high, *([bound[0]] if bound else [])]))
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    axes.set_xlabel(series["x_label"])
    axes.set_ylabel(series["y_label"])
    axes.legend(loc="best")
    return figure


def _bound(question: str, series: Mapping[str, Any]) -> tuple[float, str] | None:
    """Return where the target of a series lies, and its words."""
    own = str(series["name"]).removeprefix(f"{question}-")
    for target in TARGETS:
        if target.question != question:
            continue
        if target.series == own:
            side = "at least" if target.least else "at most"
            return target.asked, f"asked: {side} {_plain(target.asked)}{target.unit}"
        starts = [at for at, x in enumerate(series["x"]) if x >= _from(target.words)]
        if target.figure == GROWTH + own and starts:
            first = series["x"][starts[0]]
            words = f"asked: below {target.asked:g} times the cost at {_plain(first)}"
            return target.asked * series["y"][starts[0]], words
    return None


def _from(words: str) -> int:
    """Return from which x on a target of growth counts."""
    return 1_000 if "10³" in words else 1


def _plain_ticks(axes: Axes, x: Sequence[float]) -> None:
    """Put a tick below every point that was measured, and none between."""
    axes.set_xticks(list(x), [_plain(each) for each in x])
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.minorticks_off()


def _plain(value: float, _: object = None) -> str:
    return f"{value:,.0f}" if abs(value) >= 1_000 else f"{value:.3g}"


def _below(question: str, full: bool) -> str:
    return f"tanshi bench {question}" + ("" if full else SMALL)


def peer_bars(figures: Figures | None) -> list[dict[str, Any]]:
    """Return the peers that were measured, the fastest first: name, times slower, least, most."""
    if figures is None:
        return []
    packages = {row["peer"]: row["package"] for row in figures.get("peers", [])}
    bars = [
        {
            "name": packages.get(peer := name.removeprefix("engine_over_"), peer),
            **{part: each[part] for part in ("value", "min", "max")},
        }
        for name, each in figures["ratios"].items()
        if name.startswith("engine_over_")
    ]
    return sorted(bars, key=lambda bar: (bar["value"], bar["name"]))


def peers_picture(bars: Sequence[Mapping[str, Any]], full: bool) -> Figure:
    """Draw how many times slower than the engine each peer is, on a log axis."""
    title = "How many times slower than our engine, on the same messages"
    figure = style.sheet(title, _below("peers", full), 1.5 + 0.36 * len(bars))
    axes = figure.add_subplot()
    target = next(each for each in TARGETS if each.question == "peers")
    places = range(len(bars) - 1, -1, -1)
    colours = [style.BLUE if bar["value"] >= target.asked else style.VERMILLION for bar in bars]
    axes.barh(places, [bar["value"] for bar in bars], color=colours, height=0.62, alpha=0.85)
    for place, bar in zip(places, bars, strict=True):
        axes.plot([bar["min"], bar["max"]], [place, place], color=style.OBSERVED, lw=1.2)
        axes.text(bar["max"] * 1.08, place, f"{_plain(bar['value'])} ×", va="center", fontsize=8.5)
    words = f"asked of each: {target.asked:g} × slower at least"
    axes.axvline(target.asked, color=style.VERMILLION, ls="--", lw=1.2, label=words)
    axes.axvline(1, color=style.MUTED, lw=1.0, label="our engine")
    axes.set_xscale("log")
    axes.set_xlim(min(0.8, 0.8 * min(bar["min"] for bar in bars)), 4 * bars[-1]["max"])
    axes.xaxis.set_major_formatter(FuncFormatter(_plain))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_yticks(list(places), [bar["name"] for bar in bars])
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("times slower (log scale; black: least to most of the runs)")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.28 / (0.4 + 0.1 * len(bars))), ncols=2)
    return figure


def targets_picture(told: Sequence[Verdict]) -> Figure:
    """Draw every target on one log axis: how many times as good as asked."""
    small = "" if all(each.full for each in told) else " — hollow: a small run, means little"
    title = "How many times as good as asked"
    figure = style.sheet(title, f"tanshi bench all{small}", 1.4 + 0.44 * len(told))
    axes = figure.add_subplot()
    for place, each in zip(range(len(told) - 1, -1, -1), told, strict=True):
        colour = style.BLUE if each.met else style.VERMILLION
        ends = [each.times(end) for end in (each.low, each.high)]
        axes.plot(ends, [place, place], color=colour, lw=1.6)
        fill = colour if each.full else "white"
        axes.plot(each.times(each.value), place, "o", color=colour, ms=6, mfc=fill)
    axes.axvline(1, color=style.OBSERVED, lw=1.2)
    axes.axvspan(0.001, 1, color=style.VERMILLION, alpha=0.06, lw=0)
    axes.set_xscale("log")
    reach = [each.times(end) for each in told for end in (each.low, each.high)]
    left, right = min(0.5, 0.8 * min(reach)), max(2.0, 1.25 * max(reach))
    axes.set_xlim(left, right)
    ticks = [each for each in TICKS if left <= each <= right]
    axes.set_xticks(ticks, [_plain(each) for each in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(told) - 1, -1, -1), [_asked(each) for each in told], fontsize=7.5)
    axes.set_xlabel("1: just as asked; left of it: not met; line: least to most of the runs")
    return figure


def _asked(verdict: Verdict) -> str:
    target = verdict.target
    bound = f"{'≥' if target.least else '≤'} {_plain(target.asked)}{target.unit}"
    return f"{textwrap.fill(target.words, 46)}\n{bound}"
