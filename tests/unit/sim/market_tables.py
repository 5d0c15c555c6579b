"""Small tables in the shape of a run's, for the tests of facts and scores."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

COLUMNS = (
    *("close_cny", "listed_volume_t", "listed_turnover_cny", "bulk_volume_t"),
    *("bulk_turnover_cny", "auction_volume_t", "auction_turnover_cny"),
)


def quotes(first: str, days: int, **columns: Any) -> pd.DataFrame:
    """Business days from ``first``: close 50, listed 2,000 t at 50, no bulk, unless given."""
    table = pd.DataFrame({"date": pd.bdate_range(first, periods=days), "instrument": "COMPOSITE"})
    plain = {"close_cny": 50.0, "listed_volume_t": 2_000.0, "listed_turnover_cny": 100_000.0}
    for name in COLUMNS:
        table[name] = np.asarray(columns.pop(name, plain.get(name, 0.0)), dtype=float)
    for name, values in columns.items():
        table[name] = values
    return table


def compliance(**columns: Any) -> pd.DataFrame:
    """Four entities, 1 Mt due each: one lacks 100 kt, one used 50 kt CCER, two traded."""
    plain: dict[str, Any] = {
        "entity": ["a", "b", "c", "d"],
        "emissions_t": [1e6, 1e6, 1e6, 1e6],
        "allocation_t": [9e5, 1e6, 1e6, 1.2e6],
        "ccer_t": [0.0, 5e4, 0.0, 0.0],
        "late_t": [0.0, 0.0, 10.0, 0.0],
        "traded": [True, True, False, False],
    }
    return pd.DataFrame(plain | columns)


def run(season: str, seed: int, table: pd.DataFrame, due: pd.DataFrame | None = None) -> Any:
    """What the score reads of a run."""
    return SimpleNamespace(
        season=season,
        seed=seed,
        quotes=table,
        compliance=compliance() if due is None else due,
    )
