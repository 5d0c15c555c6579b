"""What an experiment looks at in a run (simulation.md 5.8): one number each.

All of a run's stylised facts (sim.results.facts) and what policy asks beside them: prices paid,
cost by size and sector, who is late, what lapses, who holds how much. ``WORDS`` names each with
its unit; a read-out that a run cannot give is left out.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.results.days import COMPOSITE
from sim.results.facts import facts
from sim.results.run import Run
from sim.season.surrender import AFTER_SURRENDER

MT, MILLION = 1e6, 1e6
SMALL_T, LARGE_T = 100_000, 1_000_000  # yearly emissions: small below, large from
LATE_DAYS = 10  # trading days before the last deadline
TOP_HOLDERS = 10
SIZES = ("small", "medium", "large")
SECTORS = ("power", "steel", "cement", "aluminium")


class Wording(NamedTuple):
    """How a read-out is called and counted."""

    words: str
    unit: str  # "" = a share or a pure number


WORDS: dict[str, Wording] = {
    "price_mean": Wording("mean price, all trades", "CNY/t"),
    "price_p05": Wording("close, 5 % quantile over days", "CNY/t"),
    "price_p25": Wording("close, 25 % quantile over days", "CNY/t"),
    "price_p50": Wording("close, median over days", "CNY/t"),
    "price_p75": Wording("close, 75 % quantile over days", "CNY/t"),
    "price_p95": Wording("close, 95 % quantile over days", "CNY/t"),
    "price_end": Wording("last close", "CNY/t"),
    "price_oct_nov": Wording("mean close of October and November", "CNY/t"),
    "price_run_q4": Wording("change of the close over the last quarter, log", ""),
    "price_late": Wording("mean price, last 10 days before the deadline", "CNY/t"),
    "late_premium": Wording("that price over the mean price of the season", ""),
    "price_small_buyers": Wording("mean price paid by small entities", "CNY/t"),
    "price_auction": Wording("mean price in bidding sessions", "CNY/t"),
    "SD": Wording("standard deviation of daily returns", ""),
    "ACABS": Wording("autocorrelation of absolute returns", ""),
    "KURT": Wording("excess kurtosis of daily returns", ""),
    "RUN20": Wording("change of the close, last 20 days", ""),
    "move_max": Wording("largest daily move, log", ""),
    "spread_share": Wording("price of buying takers over selling takers, listed", ""),
    "ZERO": Wording("share of unchanged closes", ""),
    "THIN": Wording("share of days with at most 1,000 t listed", ""),
    "limit_days": Wording("days with a trade at a price limit", "days"),
    "index_gap": Wording("composite against listed mean, mean distance", ""),
    "VOL": Wording("volume", "Mt"),
    "SPLIT.listed": Wording("listed volume", "Mt"),
    "SPLIT.bulk": Wording("bulk volume", "Mt"),
    "SPLIT.auction": Wording("volume of bidding sessions", "Mt"),
    "BULK": Wording("share of bulk in volume", ""),
    "BDTAIL": Wording("share of bulk days below -20 %", ""),
    "BDMED": Wording("median bulk discount", ""),
    "Q4": Wording("share of volume in October to December", ""),
    "DEC": Wording("share of volume in December", ""),
    "TOP10": Wording("share of the ten busiest days", ""),
    "WPK": Wording("share of the busiest week", ""),
    "bulk_mid_december": Wording("bulk volume, 10 to 20 December", "Mt"),
    "sellers": Wording("entities that sold", "entities"),
    "PART": Wording("entities that traded", "entities"),
    "cost": Wording("net outlay of all entities, offsets included", "M CNY"),
    "cost_buyers": Wording("outlay of net buyers", "M CNY"),
    "penalty": Wording("least fines for what is missing", "M CNY"),
    **{
        f"cost_{size}": Wording(f"net outlay per tonne due, {size} entities", "CNY/t")
        for size in SIZES
    },
    **{f"cost_{name}": Wording(f"net outlay per tonne due, {name}", "CNY/t") for name in SECTORS},
    "cost_other_sectors": Wording("net outlay per tonne due, other sectors", "CNY/t"),
    "late_entities": Wording("entities late at a deadline", "entities"),
    "late": Wording("tonnes missing at deadlines", "Mt"),
    "ccer": Wording("offsets used", "Mt"),
    "expired": Wording("tonnes that may not be carried over", "Mt"),
    "carried": Wording("tonnes carried over", "Mt"),
    "held_end": Wording("held by entities at the end", "Mt"),
    "held_top": Wording("share of the ten largest holders at the end", ""),
    "others_bought": Wording("bought by makers and institutions", "Mt"),
    "state_revenue": Wording("turnover of bidding sessions", "M CNY"),
}


def read_outs(run: Run) -> dict[str, float]:
    """Return every read-out of a run that it can give; finite numbers only."""
    found = facts(run.quotes, run.trades, run.compliance)
    whole = run.quotes[run.quotes["instrument"] == COMPOSITE].sort_values("date")
    found |= _prices(whole) | _trading(run, whole) | _compliance(run) | _holdings(run.holdings)
    found["late_premium"] = _ratio(found["price_late"], found["price_mean"]) - 1.0
    return {
        name: float(found[name]) for name in WORDS if name in found and np.isfinite(found[name])
    }


def _ratio(part: float, whole: float) -> float:
    return float(part) / float(whole) if whole else float("nan")


def _prices(whole: pd.DataFrame) -> dict[str, float]:
    close = whole["close_cny"].to_numpy()
    months = whole["date"].dt.month.to_numpy()
    quantiles = np.quantile(close, (0.05, 0.25, 0.5, 0.75, 0.95))
    found = {
        f"price_p{percent:02d}": value
        for percent, value in zip((5, 25, 50, 75, 95), quantiles, strict=True)
    }
    turnover = sum(whole[f"{kind}_turnover_cny"].sum() for kind in ("listed", "bulk", "auction"))
    volume = sum(whole[f"{kind}_volume_t"].sum() for kind in ("listed", "bulk", "auction"))
    moves = np.abs(np.diff(np.log(close)))
    listed = whole["listed_volume_t"].to_numpy() > 0
    mean = whole["listed_turnover_cny"].to_numpy()[listed] / whole["listed_volume_t"][listed]
    gap = np.abs(close[listed] / mean.to_numpy() - 1.0)
    touched = whole["touched_upper"].to_numpy(bool) | whole["touched_lower"].to_numpy(bool)
    autumn = close[(months == 10) | (months == 11)]
    before, last = close[months < 10], close[months >= 10]
    auction_t = whole["auction_volume_t"].sum()
    return found | {
        "price_mean": _ratio(turnover, volume),
        "price_end": close[-1],
        "price_oct_nov": autumn.mean() if len(autumn) else float("nan"),
        "price_run_q4": np.log(last[-1] / before[-1]) if len(before) * len(last) else np.nan,
        "price_auction": _ratio(whole["auction_turnover_cny"].sum(), auction_t),
        "move_max": moves.max() if len(moves) else float("nan"),
        "limit_days": float(touched.sum()),
        "index_gap": gap.mean() if len(gap) else float("nan"),
        "state_revenue": whole["auction_turnover_cny"].sum() / MILLION,
    }


def _trading(run: Run, whole: pd.DataFrame) -> dict[str, float]:
    trades = run.trades
    date = whole["date"]
    middle = (date.dt.month == 12) & (date.dt.day >= 10) & (date.dt.day <= 20)
    last_days = set(date.to_numpy()[-LATE_DAYS:])
    late = trades[trades["date"].isin(last_days) & ~trades["same_group"]]
    others = trades["buyer"].astype(str).str.match("MAKER|INSTITUTION")
    return {
        "bulk_mid_december": whole["bulk_volume_t"][middle].sum() / MT,
        "price_late": _ratio(late["value_cny"].sum(), late["qty_tonnes"].sum()),
        "others_bought": trades["qty_tonnes"][others].sum() / MT,
        "spread_share": _spread(trades[trades["modality"] == "listed"]),
    }


def _spread(listed: pd.DataFrame) -> float:
    """Return the mean log distance of what buying takers paid from what selling takers got.

    Over days and vintages on which both traded; weights are the day's tonnes. It is what a round
    trip costs a taker.
    """
    if listed.empty:
        return float("nan")
    keys = ["date", "instrument", "taker_side"]
    sums = listed.groupby(keys)[["value_cny", "qty_tonnes"]].sum()
    sums["mean"] = np.log(sums["value_cny"] / sums["qty_tonnes"])
    mean = sums["mean"].unstack("taker_side")
    tonnes = sums["qty_tonnes"].unstack("taker_side").sum(axis=1)
    if not {"buy", "sell"} <= set(mean.columns):
        return float("nan")
    gap = (mean["buy"] - mean["sell"]).dropna()
    return float(np.average(gap, weights=tonnes[gap.index])) if len(gap) else float("nan")


def _compliance(run: Run) -> dict[str, float]:
    """Cost, lateness and what lapsed. Outlays are of the season up to an entity's last deadline."""
    table = run.compliance
    if table.empty:
        return {}
    last = table.groupby("entity", sort=True).last()
    due = table.groupby("entity", sort=True)["emissions_t"].sum()
    cost = last["cost_cny"]
    classes = np.where(due < SMALL_T, "small", np.where(due < LARGE_T, "medium", "large"))
    found = {
        f"cost_{size}": _ratio(cost[classes == size].sum(), due[classes == size].sum())
        for size in SIZES
    }
    for name in SECTORS:
        inside = last["sector"] == name
        found[f"cost_{name}"] = _ratio(cost[inside].sum(), due[inside].sum())
    rest = ~last["sector"].isin(SECTORS)
    small = last[(classes == "small") & (last["bought_t"] > 0)]
    return found | {
        "cost_other_sectors": _ratio(cost[rest].sum(), due[rest].sum()),
        "cost": cost.sum() / MILLION,
        "cost_buyers": cost[last["bought_t"] > last["sold_t"]].sum() / MILLION,
        "penalty": table["penalty_low_cny"].sum() / MILLION,
        "price_small_buyers": _ratio(small["bought_cny"].sum(), small["bought_t"].sum()),
        "late_entities": float(table.loc[table["late_t"] > 0, "entity"].nunique()),
        "late": table["late_t"].sum() / MT,
        "ccer": table["ccer_t"].sum() / MT,
        "expired": last["expired_t"].sum() / MT,
        "carried": last["carried_t"].sum() / MT,
        "sellers": float((last["sold_t"] > 0).sum()),
    }


def _holdings(holdings: pd.DataFrame) -> dict[str, float]:
    if holdings.empty:
        return {}
    last = holdings[holdings["date"] == holdings["date"].max()]
    after = last[last["moment"] == AFTER_SURRENDER]
    end = last if after.empty else after
    tonnes = end.groupby("entity")["tonnes"].sum().sort_values()
    return {
        "held_end": tonnes.sum() / MT,
        "held_top": _ratio(tonnes.iloc[-TOP_HOLDERS:].sum(), tonnes.sum()),
    }
