"""The deal file: what the exchange hands to the registry after the close (ST-01, ST-03, ST-16).

A pure function of the state: the day's deals in order, and the positions and money that the
exchange's own books show, so that the registry can recompute and compare (ST-17).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from engine.records import Modality
from engine.state import Array, State
from engine.units import PPM

DEAL = np.dtype(
    [
        ("trade_no", "<i8"),
        ("seq", "<i8"),
        ("time_ns", "<i8"),
        ("qty_tonnes", "<i8"),
        ("value_fen", "<i8"),
        ("buy_trading_fee_fen", "<i8"),
        ("buy_settlement_fee_fen", "<i8"),
        ("sell_trading_fee_fen", "<i8"),
        ("sell_settlement_fee_fen", "<i8"),
        ("price_ticks", "<i4"),
        ("buyer", "<i4"),
        ("seller", "<i4"),
        ("instrument", "<i2"),
        ("modality", "<i1"),
        ("taker_side", "<i1"),
    ]
)
POSITION = np.dtype([("account", "<i4"), ("instrument", "<i4"), ("qty_tonnes", "<i8")])
CASH = np.dtype([("account", "<i4"), ("spare", "<i4"), ("cash_fen", "<i8")])

_COPIED = (
    "seq",
    "time_ns",
    "qty_tonnes",
    "price_ticks",
    "buyer",
    "seller",
    "instrument",
    "modality",
    "taker_side",
)
TRADING_FEE_RATE = {
    Modality.LISTED: "listed_trading_fee_ppm",
    Modality.BULK: "bulk_trading_fee_ppm",
    Modality.AUCTION: "auction_trading_fee_ppm",
}


@dataclass(frozen=True)
class DealFile:
    """One trading day's deals and closing books.

    date: YYYYMMDD. codes: instrument codes by instrument row. deals: dtype DEAL in trade order.
    positions: dtype POSITION, the trading side's total tonnes, rows above zero, sorted. cash: dtype
    CASH, total fen of each account, rows above zero, sorted.
    """

    date: int
    codes: tuple[str, ...]
    deals: Array
    positions: Array
    cash: Array

    def sha256(self) -> str:
        """Return the hash of the whole file in hexadecimal: both institutions quote it (ST-04)."""
        seen = hashlib.sha256(f"{self.date} {' '.join(self.codes)}".encode())
        for rows in (self.deals, self.positions, self.cash):
            seen.update(f" {len(rows)} ".encode())
            seen.update(np.ascontiguousarray(rows).tobytes())
        return seen.hexdigest()

    @property
    def tag(self) -> int:
        """The first 63 bits of the hash: what CONFIRM_DAY and POST_DAY carry in ``ref``."""
        return int(self.sha256()[:16], 16) >> 1


def deal_file(state: State) -> DealFile:
    """Return the deal file of the day in the state (meant for phases CLOSED and later)."""
    market = state.market[0]
    accounts, instruments = int(market["accounts"]), int(market["instruments"])
    held = state.holdings[:accounts, :instruments]
    total = np.zeros(held.shape, np.int64)
    for part in ("available_tonnes", "frozen_tonnes", "bought_today_tonnes", "judicial_tonnes"):
        total += held[part]
    where = np.nonzero(total)
    positions = np.zeros(len(where[0]), POSITION)
    positions["account"], positions["instrument"] = where
    positions["qty_tonnes"] = total[where]
    rows = state.accounts[:accounts]
    money = rows["cash_available_fen"] + rows["cash_frozen_fen"]
    funded = np.flatnonzero(money)
    cash = np.zeros(len(funded), CASH)
    cash["account"] = funded
    cash["cash_fen"] = money[funded]
    codes = tuple(bytes(code).decode("ascii") for code in state.instruments["code"][:instruments])
    return DealFile(int(market["date"]), codes, _deals(state), positions, cash)


def _deals(state: State) -> Array:
    """Return the day's trades with their fees split into the two components (TR-130)."""
    market, rules = state.market[0], state.rules[0]
    trades = state.trades[: int(market["trades"])]
    numbers = np.flatnonzero(trades["void"] == 0)
    trades = trades[numbers]
    deals = np.zeros(len(trades), DEAL)
    for field in _COPIED:
        deals[field] = trades[field]
    deals["trade_no"] = market["trade_base"] + 1 + numbers
    value = trades["price_ticks"].astype(np.int64) * trades["qty_tonnes"]
    deals["value_fen"] = value
    rate = np.zeros(len(trades), np.int64)
    for modality, parameter in TRADING_FEE_RATE.items():
        rate[trades["modality"] == modality] = rules[parameter]
    trading = value // PPM * rate + (2 * (value % PPM) * rate + PPM) // (2 * PPM)
    for leg in ("buy", "sell"):
        fee = trades[f"{leg}_fee_fen"]
        deals[f"{leg}_trading_fee_fen"] = np.minimum(trading, fee)
        deals[f"{leg}_settlement_fee_fen"] = fee - np.minimum(trading, fee)
    return deals
