"""What an agent is told in words and records: its fills, and the moment as text."""

from __future__ import annotations

from typing import Any

from engine.records import Modality, Side
from sim.environment.observing import TICK, Observation
from sim.results.quotes import MODALITIES
from sim.season.streams import Array


def fills(deals: Array, row: int, codes: list[str]) -> list[dict[str, Any]]:
    """Return an entity's own fills among TRADED events, oldest first.

    Each has vintage, modality ("listed", "bulk"), side, price_cny and qty_tonnes.
    """
    own = deals[(deals["account"] == row) | (deals["counterparty"] == row)]
    found = []
    for deal in own:
        taker_buys, is_taker = deal["side"] == Side.BUY, deal["account"] == row
        found.append(
            {
                "vintage": codes[int(deal["instrument"])],
                "modality": MODALITIES[Modality(int(deal["modality"]))],
                "side": "buy" if taker_buys == is_taker else "sell",
                "price_cny": int(deal["price_ticks"]) / TICK,
                "qty_tonnes": int(deal["qty_tonnes"]),
            }
        )
    return found


def told(head: str, seen: Observation, codes: list[str]) -> str:
    """Return an observation as text: position and the best quotes, one line a vintage."""
    own = seen["own"]
    lines = [
        f"{head}  need {own[0]:,.0f} t  surplus {own[1]:,.0f} t  cash {own[5]:+,.0f} yuan"
        f"{'  refused' if own[6] else ''}"
    ]
    for number, code in enumerate(codes):
        bid, ask = seen["bids"][number, 0], seen["asks"][number, 0]
        lines.append(
            f"  {code:6s} last {seen['prices'][number, 0]:7.2f}  "
            f"buy {bid[1]:9,.0f} t at {bid[0]:6.2f}  sell {ask[1]:9,.0f} t at {ask[0]:6.2f}  "
            f"own {seen['holdings'][number].sum():12,.0f} t"
        )
    return "\n".join(lines)
