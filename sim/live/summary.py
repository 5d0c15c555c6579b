"""What came of a live season, and whether the accounts' own snapshots agree with the reports."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from engine.records import EVENT, Event, Modality, Side
from sim.live.season import CASH_FEN, LiveSeason
from sim.season.streams import Array

MODALITIES = {Modality.LISTED: "listed", Modality.BULK: "bulk", Modality.AUCTION: "auction"}
ORDERS = (Event.ACCEPTED, Event.BULK_OFFERED, Event.REFUSED)


def figures_of(
    season: LiveSeason, asked: int, stopped: str, problems: list[str] | None
) -> dict[str, Any]:
    """Return the summary. asked: days that were to be played; problems: of ``disagreements``.

    Without problems (None) they could not be looked for.
    """
    events = season.floor.events()
    deals = events[events["kind"] == Event.TRADED]
    nobody = season.people.count
    others = (deals["account"] == nobody) | (deals["counterparty"] == nobody)
    tonnes = {
        name: int(deals["qty_tonnes"][deals["modality"] == modality].sum())
        for modality, name in MODALITIES.items()
    }
    return {
        "season": season.scenario.name,
        "seed": season.seed,
        "entities": season.people.count,
        "first_day": season.days[season.first_number].isoformat(),
        "days": season.days_live,
        "days_asked": asked,
        "slots_played": season.slots_played,
        "slots_missed": season.slots_missed,
        "decisions": season.decisions,
        "commands": season.floor.commands,
        "orders": int(np.isin(events["kind"], ORDERS).sum()),
        "trades": len(deals),
        "trades_with_others": int(others.sum()),
        "refused": dict(Counter(season.live_floor.venue.refusals())),
        "volume_t": tonnes,
        "given_t": int(season.live_floor.moved_t.sum()),
        "conserved": None if problems is None else not problems,
        "disagreements": problems or [],
        "stopped": stopped,
    }


def disagreements(season: LiveSeason) -> list[str]:
    """Return where money or tonnes of an account are not what its reports add up to; [] is right.

    Each account, each vintage: given - taken back + bought - sold = available + frozen + bought
    today; money: paid in - spent + earned - fees = available + frozen (TR-41, TR-48, ST-16).
    """
    floor, count = season.live_floor, season.people.count
    money, tonnes = floor.venue.standings(range(count))
    held = tonnes.sum(axis=2)
    log = np.concatenate(floor.log) if floor.log else np.empty(0, EVENT)
    bought_t, spent_fen = _flows(log[log["kind"] == Event.TRADED], count, held.shape[1])
    expected = floor.moved_t[:, : held.shape[1]] + bought_t
    found = [
        f"{season.people.names[row]} has {held[row, column]} t of {floor.codes[column]},"
        f" not {expected[row, column]} t"
        for row, column in np.argwhere(held != expected)
    ]
    cash, due = money.sum(axis=1), CASH_FEN - spent_fen
    found += [
        f"{season.people.names[row]} has {cash[row]} fen, not {due[row]} fen"
        for row in np.flatnonzero(cash != due)
    ]
    return found


def _flows(deals: Array, count: int, width: int) -> tuple[Array, Array]:
    """Return tonnes bought less sold (count, width) and fen spent less earned (count,), int64."""
    bought, spent = np.zeros((count, width), np.int64), np.zeros(count, np.int64)
    for owner, fee, way in (("account", "fee_fen", 1), ("counterparty", "other_fee_fen", -1)):
        own = deals[(deals[owner] >= 0) & (deals[owner] < count)]
        sign = np.where(own["side"] == Side.BUY, way, -way)
        np.add.at(bought, (own[owner], own["instrument"]), sign * own["qty_tonnes"])
        np.add.at(spent, own[owner], sign * own["amount_fen"] + own[fee])
    return bought, spent
