"""The rules a season was played by, in words, from the rulebook and the scenario's own changes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from engine.rulebook import Rulebook
from sim.scenario.model import Scenario

# Parameters that shape a season; the rest are in force as well (`tanshi rulebook`).
SHOWN = {
    "modalities": "Modalities",
    "vintages": "Vintages",
    "sectors": "Sectors covered",
    "listed_band_bp": "Price limit, listed",
    "bulk_band_bp": "Price limit, bulk",
    "listed_qty_min": "Least quantity, listed",
    "listed_qty_max": "Most in one listed order",
    "bulk_qty_min": "Least quantity, bulk",
    "auction_qty_min": "Least quantity, one-way bidding",
    "listed_windows": "Hours, listed",
    "bulk_windows": "Hours, bulk",
    "goods_t_plus": "Bought allowances may be sold after",
    "take_levels_max": "Price levels a take may reach",
    "quote_levels_max": "Price levels shown",
    "composite_weights": "Weights of the vintages in the composite",
    "penalty_regime": "Fine for a shortfall",
}


PENALTIES = {
    "order_19": "20,000 to 30,000 CNY",
    "order_775": "5 to 10 times the mean price, a tonne",
    "order_775_amended": "1 to 5 million CNY",
}


def in_words(name: str, value: Any) -> str:
    """A parameter's value as people write it."""
    if name.endswith("_bp"):
        return f"±{value / 100:g} %"
    if "_qty_" in name:
        return f"{value:,} t" if value else "none"
    if name.endswith("_windows"):
        return ", ".join(f"{_clock(each[0])}–{_clock(each[1])}" for each in value)
    if name == "penalty_regime":
        return PENALTIES.get(str(value), str(value))
    if name == "vintages":
        return ", ".join(each.code for each in value)
    if name.endswith("_t_plus"):
        return "the same day" if value == 0 else f"{value} trading day"
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value) or "none"
    return str(value)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def rules_rows(first: dt.date, last: dt.date, scenario: Scenario | None) -> list[tuple[str, ...]]:
    """One row a rule: what, its value, since when, clauses, certainty.

    Rules as on ``first``, then every change up to ``last``, then what the scenario changes.
    """
    rules = Rulebook.on(first)
    rows = []
    for name, words in SHOWN.items():
        entry = rules.entry(name)
        rows.append(_row(words, name, entry.value, "", entry.clauses, entry.certainty))
        for later in Rulebook.history(name):
            if first < later.since <= last:
                since = later.since.isoformat()
                rows.append(_row(words, name, later.value, since, later.clauses, later.certainty))
    for change in scenario.rule_changes if scenario else ():
        since = change.since.isoformat()
        value = in_words(change.parameter, change.value)
        rows.append((change.parameter, value, since, "", "changed by the scenario"))
    return rows


def _row(
    words: str, name: str, value: Any, since: str, clauses: Iterable[str], certainty: str
) -> tuple[str, ...]:
    return words, in_words(name, value), since, " ".join(clauses), certainty
