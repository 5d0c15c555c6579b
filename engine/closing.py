"""Closing prices (TR-100) and the composite price of all vintages (TR-104…107).

The kernels keep sums of weight x current price (engine/orders.py). The weights are fixed for the
day, so a sum divided by their sum is the price, exactly, rounded half up once (U30).
"""

from __future__ import annotations

from typing import NamedTuple

from engine.outcome import Outcome
from engine.records import Event
from engine.state import State
from engine.units import half_up

_LISTED_ROW = 0


class Composite(NamedTuple):
    """The day's composite figures in ticks; 0 where there is none."""

    open_ticks: int
    high_ticks: int
    low_ticks: int
    latest_ticks: int
    close_ticks: int


def _price(total: int, weights: int) -> int:
    return half_up(total, weights) if weights > 0 and total > 0 else 0


def begin_composite(state: State) -> None:
    """Start the day: current prices are the references, nothing has traded."""
    market = state.market[0]
    instruments = state.instruments[: int(market["instruments"])]
    market["composite_weights"] = instruments["weight"].sum()
    market["composite_sum"] = (instruments["weight"] * instruments["reference_ticks"]).sum()
    for moment in ("open", "high", "low"):
        market[f"composite_{moment}_sum"] = 0


def figures(state: State) -> Composite:
    """Return the composite figures as they are now (TR-105)."""
    market = state.market[0]
    weights = int(market["composite_weights"])
    traded = int(market["composite_open_sum"]) > 0
    latest = int(market["composite_sum"]) if traded else 0
    return Composite(
        _price(int(market["composite_open_sum"]), weights),
        _price(int(market["composite_high_sum"]), weights),
        _price(int(market["composite_low_sum"]), weights),
        _price(latest, weights),
        int(market["composite_close_ticks"]),
    )


def close_composite(state: State, outcome: Outcome) -> None:
    """Set the composite close from the vintages' closes; without a trade open is the last close."""
    market = state.market[0]
    instruments = state.instruments[: int(market["instruments"])]
    weights = int(market["composite_weights"])
    if weights > 0:
        total = int((instruments["weight"] * instruments["close_ticks"]).sum())
        if int(market["composite_open_sum"]) > 0:
            market["composite_high_sum"] = max(int(market["composite_high_sum"]), total)
            market["composite_low_sum"] = min(int(market["composite_low_sum"]), total)
            market["composite_close_ticks"] = half_up(total, weights)
    announce_composite(state, outcome)


def announce_composite(state: State, outcome: Outcome) -> None:
    """Write the events of the composite close; without a trade it repeats the last one."""
    now = figures(state)
    opened = now.open_ticks or (now.close_ticks if state.market[0]["composite_weights"] else 0)
    for kind, price in (
        (Event.COMPOSITE_OPEN_SET, opened),
        (Event.COMPOSITE_HIGH_SET, now.high_ticks),
        (Event.COMPOSITE_LOW_SET, now.low_ticks),
        (Event.COMPOSITE_SET, now.close_ticks),
    ):
        outcome.add(kind, price_ticks=price)


def set_close(state: State, instrument: int, outcome: Outcome) -> None:
    """Set one vintage's close from the day's listed volume and turnover; say so (TR-100)."""
    row, total = state.instruments[instrument], state.totals[instrument, _LISTED_ROW]
    qty, turnover = int(total["day_qty_tonnes"]), int(total["day_turnover_fen"])
    row["close_ticks"] = half_up(turnover, qty) if qty > 0 else row["reference_ticks"]
    outcome.add(
        Event.CLOSE_SET,
        instrument=instrument,
        price_ticks=int(row["close_ticks"]),
        qty_tonnes=qty,
        amount_fen=turnover,
    )
