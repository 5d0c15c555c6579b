"""Orders, trades, holdings and calendar of a season, from the exchange's events."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from engine.reasons import Reason
from engine.records import Event, Modality, Side
from sim.results.quotes import FEN, MODALITIES, TICK
from sim.scenario.model import OldHolding, Scenario
from sim.season.streams import Array
from sim.season.surrender import Snapshot

BEIJING_NS = 8 * 3600 * 1_000_000_000
ORDER_KINDS = (Event.ACCEPTED, Event.BULK_OFFERED, Event.REFUSED)
ENDS = {Event.CANCELLED: "cancelled", Event.LAPSED: "lapsed"}


def _moments(events: Array) -> dict[str, Array]:
    """Return the date and the Beijing wall time of events, both datetime64[ns]."""
    time = (events["time_ns"] + BEIJING_NS).astype("datetime64[ns]")
    return {"date": time.astype("datetime64[D]").astype("datetime64[ns]"), "time": time}


def _named(rows: Array, names: Array, none: str = "") -> Array:
    """Return names by row; ``none`` where the row is nobody's (-1) or unknown."""
    inside = (rows >= 0) & (rows < len(names))
    return np.where(inside, names[np.where(inside, rows, 0)], none)


def _sides(sides: Array) -> Array:
    return np.where(sides == Side.BUY, "buy", "sell").astype(object)


def trades_of(events: Array, codes: list[str], names: Array, group: Array) -> pd.DataFrame:
    """Return the trades table: one row a deal, both entities named."""
    deals = events[events["kind"] == Event.TRADED]
    first, second = deals["account"], deals["counterparty"]
    buys = deals["side"] == Side.BUY
    buyer, seller = np.where(buys, first, second), np.where(buys, second, first)
    known = (buyer < len(group)) & (seller < len(group))
    b, s = np.where(known, buyer, 0), np.where(known, seller, 0)
    kinds = np.full(64, "", dtype=object)
    for modality, word in MODALITIES.items():
        kinds[int(modality)] = word
    return pd.DataFrame(
        {
            **_moments(deals),
            "trade_no": deals["trade_no"],
            "instrument": _named(deals["instrument"], np.array(codes, dtype=object)),
            "modality": kinds[deals["modality"]],
            "price_cny": deals["price_ticks"] / TICK,
            "qty_tonnes": deals["qty_tonnes"],
            "value_cny": deals["amount_fen"] / FEN,
            "buyer": _named(buyer, names),
            "seller": _named(seller, names),
            "taker_side": _sides(deals["side"]),
            "same_group": known & (group[b] == group[s]) & (group[b] >= 0),
        }
    )


def orders_of(events: Array, codes: list[str], names: Array) -> pd.DataFrame:
    """Return the orders table: every declaration by an entity, refused ones with the reason."""
    kinds = events["kind"]
    own = np.isin(kinds, ORDER_KINDS) & (events["account"] >= 0)
    asked = events[own]
    filled, ended = _fates(events)
    number = asked["order_no"]
    refused = asked["kind"] == Event.REFUSED
    place = np.where(refused, 0, number)
    kind = np.where(asked["leaves_qty"] > 0, "list", "take").astype(object)
    kind[asked["kind"] == Event.BULK_OFFERED] = "bulk"
    kind[(asked["modality"] == Modality.AUCTION) & ~refused] = "bid"
    kind[refused] = ""
    end = ended[place].copy()
    end[end == ""] = "filled"
    end[refused] = "refused"
    reasons = np.full(256, "", dtype=object)
    for reason in Reason:
        reasons[int(reason)] = reason.code
    return pd.DataFrame(
        {
            **_moments(asked),
            "order_no": number,
            "entity": _named(asked["account"], names),
            "instrument": _named(asked["instrument"], np.array(codes, dtype=object)),
            "side": _sides(asked["side"]),
            "kind": kind,
            "price_cny": asked["price_ticks"] / TICK,
            "qty_tonnes": asked["qty_tonnes"],
            "filled_tonnes": np.where(refused, 0, filled[place]),
            "end": end,
            "reason": np.where(refused, reasons[asked["reason"]], ""),
        }
    )


def _fates(events: Array) -> tuple[Array, Array]:
    """Return, by order number, the tonnes filled (int64) and how it ended if not filled."""
    most = int(max(events["order_no"].max(initial=0), events["other_order_no"].max(initial=0))) + 1
    deals = events[events["kind"] == Event.TRADED]
    filled = np.bincount(deals["order_no"], deals["qty_tonnes"], most)
    # The other side of a bid is a session; sessions have numbers of their own (TR-80).
    deals = deals[deals["modality"] != Modality.AUCTION]
    filled += np.bincount(deals["other_order_no"], deals["qty_tonnes"], most)
    ended = np.full(most, "", dtype=object)
    for kind, word in ENDS.items():
        ended[events["order_no"][events["kind"] == kind]] = word
    return filled.astype(np.int64), ended


def holdings_of(snapshots: Sequence[Snapshot], codes: list[str], names: Array) -> pd.DataFrame:
    """Return holdings above nothing at each snapshot, with the moment it was taken at."""
    frames = []
    for date, moment, tonnes in snapshots:
        rows, columns = np.nonzero(tonnes)
        frames.append(
            pd.DataFrame(
                {
                    "date": np.datetime64(date, "ns"),
                    "moment": moment,
                    "entity": names[rows],
                    "instrument": np.array(codes, dtype=object)[columns],
                    "tonnes": tonnes[rows, columns],
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def opening_t(old: tuple[OldHolding, ...], old_t: Array, codes: list[str]) -> Array:
    """Return what is held before the first day, shape (n, v), from (rows of ``old``, n)."""
    held = np.zeros((old_t.shape[1], len(codes)), np.int64)
    for row, each in enumerate(old):
        held[:, codes.index(each.vintage)] += old_t[row]
    return held


def events_of(scenario: Scenario) -> pd.DataFrame:
    """Return the calendar of the scenario."""
    rows = sorted(scenario.events, key=lambda each: each.date)
    return pd.DataFrame(
        {
            "date": np.array([each.date for each in rows], dtype="datetime64[ns]"),
            "category": [each.category for each in rows],
            "title": [each.title for each in rows],
            "price_sign": [each.price_sign for each in rows],
            "pulse": [each.pulse for each in rows],
        }
    )
