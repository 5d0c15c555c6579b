"""Daily quotes of a season from the exchange's own events: one row a day and vintage (TR-100…106).

The COMPOSITE row of a day holds the totals over the vintages and the composite close by the rule
of the date (TR-104).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.records import Event, Modality
from sim.season.streams import Array

COMPOSITE = "COMPOSITE"
MODALITIES = {Modality.LISTED: "listed", Modality.BULK: "bulk", Modality.AUCTION: "auction"}
FEN, TICK = 100.0, 100.0
INSTRUMENTS_MAX = 16


def quotes_of(events: Array, codes: list[str]) -> pd.DataFrame:
    """Return the quotes table (docs/reference/season.md). events: shape (n,), dtype EVENT."""
    closes = events[events["kind"] == Event.CLOSE_SET]
    trades = events[events["kind"] == Event.TRADED]
    days = np.unique(closes["date"])
    day, instrument = np.searchsorted(days, closes["date"]), closes["instrument"].astype(np.int64)
    width = len(codes)
    frame: dict[str, Array] = {"date": closes["date"], "row": instrument}
    cell = day * width + instrument
    cells = len(days) * width
    at = np.searchsorted(days, trades["date"]) * width + trades["instrument"]
    for modality, name in MODALITIES.items():
        mine = trades["modality"] == modality
        tonnes = np.bincount(at[mine], trades["qty_tonnes"][mine], cells)
        fen = np.bincount(at[mine], trades["amount_fen"][mine].astype(np.float64), cells)
        frame[f"{name}_volume_t"] = tonnes[cell]
        frame[f"{name}_turnover_cny"] = fen[cell] / FEN
    listed = trades["modality"] == Modality.LISTED
    frame |= _moments(at[listed], trades["price_ticks"][listed], cells, cell)
    frame["close_cny"] = closes["price_ticks"] / TICK
    for name, kind in (("upper", Event.UPPER_LIMIT_SET), ("lower", Event.LOWER_LIMIT_SET)):
        limits = np.full(cells, np.nan)
        rows = events[events["kind"] == kind]
        seen = np.searchsorted(days, rows["date"])
        known = (seen < len(days)) & (days[np.minimum(seen, len(days) - 1)] == rows["date"])
        limits[(seen * width + rows["instrument"])[known]] = rows["price_ticks"][known] / TICK
        frame[f"{name}_limit_cny"] = limits[cell]
    table = pd.DataFrame(frame)
    table["touched_upper"] = table["high_cny"] >= table["upper_limit_cny"]
    table["touched_lower"] = table["low_cny"] <= table["lower_limit_cny"]
    table["instrument"] = np.array(codes, dtype=object)[instrument]
    whole = _composite(events, table)
    table = pd.concat([table.drop(columns="row"), whole], ignore_index=True)
    table["date"] = pd.to_datetime(table["date"].astype(str), format="%Y%m%d").dt.as_unit("ns")
    table = table.sort_values(["date", "instrument"], kind="stable", ignore_index=True)
    return table[COLUMNS]


COLUMNS = [
    *("date", "instrument", "open_cny", "high_cny", "low_cny", "close_cny"),
    *("listed_volume_t", "listed_turnover_cny", "bulk_volume_t", "bulk_turnover_cny"),
    *("auction_volume_t", "auction_turnover_cny", "upper_limit_cny", "lower_limit_cny"),
    *("touched_upper", "touched_lower"),
]


def _moments(at: Array, ticks: Array, cells: int, cell: Array) -> dict[str, Array]:
    """Return open, high and low of listed trades by cell, not a number where none traded."""
    first, high, low = (np.full(cells, np.nan) for _ in range(3))
    if len(at):
        high[:] = -np.inf
        low[:] = np.inf
        np.maximum.at(high, at, ticks / TICK)
        np.minimum.at(low, at, ticks / TICK)
        high[~np.isfinite(high)] = np.nan
        low[~np.isfinite(low)] = np.nan
        places, where = np.unique(at, return_index=True)
        first[places] = ticks[where] / TICK
    return {"open_cny": first[cell], "high_cny": high[cell], "low_cny": low[cell]}


def _composite(events: Array, table: pd.DataFrame) -> pd.DataFrame:
    """Return one row a day: totals, and the composite prices the exchange announced."""
    sums = [name for name in table.columns if name.endswith(("_volume_t", "_turnover_cny"))]
    whole = table.groupby("date", sort=True)[sums].sum()
    whole[["touched_upper", "touched_lower"]] = table.groupby("date", sort=True)[
        ["touched_upper", "touched_lower"]
    ].any()
    whole["instrument"] = COMPOSITE
    names = {
        Event.COMPOSITE_SET: "close_cny",
        Event.COMPOSITE_OPEN_SET: "open_cny",
        Event.COMPOSITE_HIGH_SET: "high_cny",
        Event.COMPOSITE_LOW_SET: "low_cny",
    }
    for kind, name in names.items():
        rows = events[events["kind"] == kind]
        prices = pd.Series(rows["price_ticks"] / TICK, index=rows["date"])
        prices = prices[~prices.index.duplicated(keep="last")]
        whole[name] = prices.reindex(whole.index).where(lambda price: price > 0)
    mean = table.groupby("date", sort=True)["close_cny"].mean()  # until the first trade
    whole["close_cny"] = whole["close_cny"].fillna(mean)
    whole["upper_limit_cny"] = whole["lower_limit_cny"] = np.nan
    return whole.reset_index()
