"""Rules of a day as an experiment would have them, beside single numbers (simulation.md 5.8)."""

from __future__ import annotations

import dataclasses

from engine.rulebook import Rules
from sim.scenario.model import Scenario
from sim.season.streams import Array


def with_extras(
    rules: Rules, scenario: Scenario, codes: list[str], listed_t: Array, weights: Array
) -> Rules:
    """Return the day's rules as a scenario's extras would have them.

    One-way bidding is allowed where the state sells (TR-80), and the composite has the weights of
    ``extras.composite`` (TR-104). codes, listed_t, weights: instruments on the market, their listed
    tonnes of the day before, and their weights then.
    """
    if sells(scenario) and "auction" not in rules.modalities:
        rules = dataclasses.replace(rules, modalities=(*rules.modalities, "auction"))
    if scenario.extras.composite == "rule":
        return rules
    found = composite_weights(rules, scenario.extras.composite, codes, listed_t, weights)
    return dataclasses.replace(rules, composite_weights=found)


def sells(scenario: Scenario) -> bool:
    """Whether the state sells allowances in this scenario."""
    extras = scenario.extras
    paid = extras.auction_share or any(each.paid_share for each in scenario.issues)
    return bool(paid or extras.reserve is not None)


def composite_weights(
    rules: Rules, composite: str, codes: list[str], listed_t: Array, weights: Array
) -> tuple[int, ...]:
    """Return a weight per vintage: "mean", by "volume" of the day before, or "newest" alone.

    After a day without listed trades the weights by volume stay; before the first, all are alike.
    """
    names = [each.code for each in rules.vintages]
    if composite == "newest":
        return (0,) * (len(names) - 1) + (1,)
    last = listed_t if listed_t.any() else weights
    if composite == "volume" and last.any():
        traded = dict(zip(codes, last.tolist(), strict=True))
        return tuple(int(traded.get(name, 0)) for name in names)
    return (1,) * len(names)
