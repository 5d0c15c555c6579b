"""Paired differences: the same seed with and without a change (common random numbers)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

RESAMPLES = 2_000
LEVEL = 0.95
COLUMNS = (
    *("arm", "against", "read_out", "seeds", "base_median", "median", "p05", "p95", "sd"),
    *("difference", "low", "high", "more_share"),
)


def paired(table: pd.DataFrame, against: dict[str, str]) -> pd.DataFrame:
    """Return one row per arm and read-out, with the mean difference to what it is compared with.

    Args:
        table: tidy rows (arm, seed, read_out, value).
        against: arm to the arm it is compared with; arms that are not in it are not compared.

    Returns:
        columns ``COLUMNS``: medians, 5 and 95 % quantiles and standard deviation over seeds;
        ``difference`` is the mean of pairs, ``low`` and ``high`` its 95 % bootstrap interval,
        ``more_share`` the share of pairs in which the arm has more. Only seeds that both have.
    """
    wide = table.pivot_table(index="seed", columns=["arm", "read_out"], values="value")
    rows = []
    for arm, base in against.items():
        for name in dict.fromkeys(table.loc[table["arm"] == arm, "read_out"]):
            if (base, name) not in wide.columns:
                continue
            both = wide[[(arm, name), (base, name)]].dropna().to_numpy()
            if len(both):
                rows.append({"arm": arm, "against": base, "read_out": name} | _row(both))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(both: np.ndarray[Any, Any]) -> dict[str, float]:
    values, base = both[:, 0], both[:, 1]
    change = values - base
    low, high = interval(change)
    return {
        "seeds": len(change),
        "base_median": float(np.median(base)),
        "median": float(np.median(values)),
        "p05": float(np.quantile(values, 0.05)),
        "p95": float(np.quantile(values, 0.95)),
        "sd": float(values.std(ddof=1)) if len(values) > 1 else float("nan"),
        "difference": float(change.mean()),
        "low": low,
        "high": high,
        "more_share": float((change > 0).mean()),
    }


def interval(change: np.ndarray[Any, Any]) -> tuple[float, float]:
    """Return the bootstrap interval of the mean; the same draws every time."""
    if len(change) < 2:
        return float("nan"), float("nan")
    draws = np.random.default_rng(0).integers(0, len(change), (RESAMPLES, len(change)))
    means = change[draws].mean(axis=1)
    low, high = np.quantile(means, ((1 - LEVEL) / 2, (1 + LEVEL) / 2))
    return float(low), float(high)


def verdict(low: float, high: float, sign: int) -> str:
    """Return whether an expected sign occurred: "yes", "no", "opposite" or "undecided".

    An interval that holds zero decides nothing about an expected move; it is what "no change"
    expects.
    """
    if not (np.isfinite(low) and np.isfinite(high)):
        return "undecided"
    if low == high == 0.0:
        return "yes" if sign == 0 else "no"
    if sign == 0:
        return "yes" if low <= 0.0 <= high else "no"
    if low > 0.0 or high < 0.0:
        return "yes" if (low > 0.0) == (sign > 0) else "opposite"
    return "undecided"
