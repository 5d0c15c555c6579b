"""``sim.load``: a scenario with overrides as keywords."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sim.scenario import reading
from sim.scenario.model import Scenario


def load(
    name_or_path: str | Path, overrides: Mapping[str, object] | None = None, **more: object
) -> Scenario:
    """Return a season of the product by name, or one's own by path, checked throughout.

    Overrides have dotted keys: ``load("2024", {"banking.sales_multiple": 3})``, or as keywords
    ``load("2024", **{"banking.sales_multiple": 3})``. Raises ScenarioError.
    """
    return reading.load(name_or_path, {**(overrides or {}), **more})
