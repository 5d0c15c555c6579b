"""What a change of one parameter does to the facts of a season: a tornado."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from sim.pictures.facts_words import wording
from sim.pictures.sample import PictureError
from sim.pictures.style import BLUE, ORANGE, empty, legend_in, panels_over_key, sheet, styled
from sim.results.facts import facts as facts_of
from sim.results.run import Run

BASE = ""  # the parameter of the rows that nothing was changed in
SHOWN = ("VOL", "Q4", "BULK", "P.end", "SD", "COMP.rate")
COLUMNS = ("parameter", "value", "seed")


def sensitivity_table(
    base: Sequence[Run], changed: Mapping[tuple[str, float], Sequence[Run]]
) -> pd.DataFrame:
    """One row a run: ``parameter`` ("" = base), ``value``, ``seed``, and one column a fact.

    ``changed``: runs by parameter and the value it was given, with the seeds of ``base``.
    """
    rows = []
    for (parameter, value), runs in {(BASE, float("nan")): base, **changed}.items():
        for run in runs:
            found = facts_of(run.quotes, run.trades, run.compliance)
            rows.append({"parameter": parameter, "value": value, "seed": run.seed} | found)
    return pd.DataFrame(rows)


class SweptRun(Protocol):
    """What is read of one run of a sweep."""

    @property
    def folder(self) -> Path:
        """Where the run is saved."""

    @property
    def seed(self) -> int:
        """Its seed."""

    @property
    def overrides(self) -> dict[str, object]:
        """What was changed; empty = the base."""


def table_of_sweep(runs: Iterable[SweptRun]) -> pd.DataFrame:
    """The table of a sweep's runs (``Sweep.runs``), read from their folders one at a time.

    Every arm changes one number, and one arm nothing: a grid like ``[{}, {"behaviour.reluctance":
    0.05}]``. Raises PictureError for an arm that changes more, or no number.
    """
    rows = []
    for each in runs:
        parameter, value = BASE, float("nan")
        if each.overrides:
            (parameter, given), *more = each.overrides.items()
            if more or isinstance(given, bool) or not isinstance(given, int | float):
                raise PictureError(f"one changed number an arm is expected, not {each.overrides}")
            value = float(given)
        run = Run.load(each.folder)
        found = facts_of(run.quotes, run.trades, run.compliance)
        rows.append({"parameter": parameter, "value": value, "seed": each.seed} | found)
    return pd.DataFrame(rows)


def effects(table: pd.DataFrame, facts: Sequence[str]) -> pd.DataFrame:
    """Change of each fact by parameter and value: ``median``, ``low``, ``high`` over the seeds.

    Seeds are paired with their own base run (common random numbers). Raises PictureError where a
    column is missing or there is no base run.
    """
    missing = [name for name in (*COLUMNS, *facts) if name not in table.columns]
    if missing:
        raise PictureError(f"the sweep table lacks the columns {', '.join(missing)}")
    base = table[table["parameter"] == BASE].set_index("seed")[list(facts)]
    if base.empty:
        raise PictureError(f"the sweep table has no base run (parameter {BASE!r})")
    rows = []
    changed = table[table["parameter"] != BASE]
    for (parameter, value), mine in changed.groupby(["parameter", "value"], sort=True):
        change = mine.set_index("seed")[list(facts)] - base
        for fact in facts:
            known = change[fact].dropna().to_numpy()
            if len(known):
                low, middle, high = np.quantile(known, (0.1, 0.5, 0.9))
                rows.append((parameter, value, fact, middle, low, high, len(known)))
    names = ["parameter", "value", "fact", "median", "low", "high", "seeds"]
    return pd.DataFrame(rows, columns=names)


def sensitivity(
    table: pd.DataFrame, facts: Sequence[str] | None = None, source: str = ""
) -> Figure:
    """Change of facts against the base when one parameter is lowered or raised.

    ``table``: as ``sensitivity_table`` makes it. ``facts``: which columns, at most six by default.
    Raises PictureError.
    """
    shown = list(facts or [name for name in SHOWN if name in table.columns])
    found = effects(table, shown)
    order = _order(found, shown)
    columns = min(3, max(1, len(shown)))
    rows = -(-len(shown) // columns)
    with styled():
        title = "Sensitivity: change of a fact when one parameter is changed"
        words = f"Simulated: tanshi. Medians over seeds paired with the base, 10–90 %. {source}"
        figure = sheet(title, words, 1.3 + rows * (0.7 + 0.42 * max(1, len(order))))
        if not order:
            empty(figure.subplots(), "nothing was changed")
            return figure
        panels, key = panels_over_key(figure, rows, columns)
        for at, axes in enumerate(panels):
            if at >= len(shown):
                axes.axis("off")
                continue
            _tornado(axes, found[found["fact"] == shown[at]], shown[at], order)
            names = [_label(found, name) if at % columns == 0 else "" for name in order]
            axes.set_yticks(range(len(order)), names)
            axes.set_ylim(len(order) - 0.4, -0.6)
        legend_in(key, panels[0])
    return figure


def _order(found: pd.DataFrame, shown: Sequence[str]) -> list[str]:
    """The parameters, the strongest first: by the mean of their share of each fact's largest."""
    strength: dict[str, float] = {}
    for fact in shown:
        mine = found[found["fact"] == fact]
        most = float(mine["median"].abs().max()) if len(mine) else 0.0
        for parameter, value in zip(mine["parameter"], mine["median"].abs(), strict=True):
            share = value / most if most else 0.0
            strength[parameter] = strength.get(parameter, 0.0) + share
    return sorted(strength, key=lambda name: (-strength[name], name))


def _label(found: pd.DataFrame, parameter: str) -> str:
    values = sorted(found.loc[found["parameter"] == parameter, "value"].unique())
    return f"{parameter}\n" + " / ".join(
        f"{value:g}" for value in values[:: max(1, len(values) - 1)]
    )


def _tornado(axes: Axes, found: pd.DataFrame, fact: str, order: list[str]) -> None:
    said = wording(fact)
    axes.axvline(0, color="#444444", lw=0.8)
    for at, parameter in enumerate(order):
        mine = found[found["parameter"] == parameter].sort_values("value")
        if mine.empty:
            continue
        ends = [(mine.iloc[0], BLUE, "lowest value", -0.17)]
        if len(mine) > 1:
            ends.append((mine.iloc[-1], ORANGE, "highest value", 0.17))
        for row, colour, words, shift in ends:
            label = words if at == 0 else None
            change = said.factor * row["median"]
            axes.barh(at + shift, change, 0.32, color=colour, label=label)
            if row["seeds"] > 1:
                low, high = said.factor * row["low"], said.factor * row["high"]
                axes.hlines(at + shift, low, high, color="#444444", lw=0.8)
    unit = {"%": "percentage points"}.get(said.unit, said.unit)
    axes.set_title(textwrap.fill(said.words, 26), fontsize=8.5)
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.set_xlabel(f"change, {unit}" if unit else "change", fontsize=8)
    axes.tick_params(axis="both", labelsize=7.5)
