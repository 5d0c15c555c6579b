"""The published composite by another rule than that of the date (TR-104; simulation.md 5.8)."""

from __future__ import annotations

import dataclasses

from engine.rulebook import Rules
from sim.season.streams import Array


def with_composite(rules: Rules, rule: str, codes: list[str], listed_t: Array) -> Rules:
    """Return the day's rules with the weights of ``rule``: "mean", "volume" or "newest".

    codes, listed_t: instruments on the market and their listed tonnes of the day before, which
    weigh "volume"; before anything traded all weigh the same.
    """
    names = [each.code for each in rules.vintages]
    if rule == "newest":
        weights = [0] * (len(names) - 1) + [1]
    elif rule == "volume" and listed_t.any():
        traded = dict(zip(codes, listed_t.tolist(), strict=False))
        weights = [int(traded.get(name, 0)) for name in names]
    else:
        weights = [1] * len(names)
    return dataclasses.replace(rules, composite_weights=tuple(weights))
