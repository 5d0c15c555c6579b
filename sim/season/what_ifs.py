"""Rules of a day as an experiment would have them, beside single numbers (simulation.md 5.8)."""

from __future__ import annotations

import dataclasses

from engine.rulebook import Rules
from sim.scenario.model import Scenario
from sim.season.streams import Array


def with_extras(rules: Rules, scenario: Scenario, codes: list[str], listed_t: Array) -> Rules:
    """Return the day's rules as a scenario's extras would have them.

    One-way bidding is allowed where the state sells (TR-80), and the composite has the weights of
    ``extras.composite`` (TR-104). codes, listed_t: instruments on the market and their listed
    tonnes of the day before.
    """
    if sells(scenario) and "auction" not in rules.modalities:
        rules = dataclasses.replace(rules, modalities=(*rules.modalities, "auction"))
    if scenario.extras.composite == "rule":
        return rules
    weights = composite_weights(rules, scenario.extras.composite, codes, listed_t)
    return dataclasses.replace(rules, composite_weights=weights)


def sells(scenario: Scenario) -> bool:
    """Whether the state sells allowances in this scenario."""
    extras = scenario.extras
    paid = extras.auction_share or any(each.paid_share for each in scenario.issues)
    return bool(paid or extras.reserve is not None)


def composite_weights(
    rules: Rules, composite: str, codes: list[str], listed_t: Array
) -> tuple[int, ...]:
    """Return a weight per vintage: "mean", by "volume" of the day before, or "newest" alone.

    Before anything traded, all weigh the same by volume.
    """
    names = [each.code for each in rules.vintages]
    if composite == "newest":
        return (0,) * (len(names) - 1) + (1,)
    if composite == "volume" and listed_t.any():
        traded = dict(zip(codes, listed_t.tolist(), strict=False))
        return tuple(int(traded.get(name, 0)) for name in names)
    return (1,) * len(names)
