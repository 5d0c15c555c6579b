"""A published bidding session as the public may know it (TR-80…95).

Made from the events of the session itself and of its trades; bids before the close never get here
(TR-89), nor does the applicant.
"""

from __future__ import annotations

from engine.records import Pricing, Side

PRICING_NAMES = {int(pricing): pricing.name.lower() for pricing in Pricing}


class BiddingSession:
    """Its notice, and its result as the trades of its clearing come in."""

    __slots__ = (
        "clearing_ticks",
        "dealt_tonnes",
        "from_minute",
        "instrument",
        "limit_ticks",
        "number",
        "pricing",
        "qty_tonnes",
        "side",
        "turnover_fen",
        "unsold_tonnes",
        "until_minute",
        "winning_bids",
    )

    def __init__(
        self,
        number: int,
        instrument: int,
        side: int,
        limit_ticks: int,
        qty_tonnes: int,
        window: tuple[int, int],
        pricing: int,
    ) -> None:
        self.number = number
        self.instrument = instrument
        self.side = side
        self.limit_ticks = limit_ticks
        self.qty_tonnes = qty_tonnes
        self.from_minute, self.until_minute = window
        self.pricing = pricing
        self.dealt_tonnes = self.unsold_tonnes = self.clearing_ticks = 0
        self.turnover_fen = self.winning_bids = 0

    def close(self, clearing_ticks: int, dealt_tonnes: int, unsold_tonnes: int) -> None:
        """SESSION_CLOSED; its trades follow."""
        self.clearing_ticks, self.dealt_tonnes = clearing_ticks, dealt_tonnes
        self.unsold_tonnes = unsold_tonnes

    def won(self, value_fen: int) -> None:
        """One of its bids was dealt with."""
        self.turnover_fen += value_fen
        self.winning_bids += 1

    def notice(self) -> tuple[str, str, int, int, int, int]:
        """Return side, pricing, limit, quantity and window in the order of the message."""
        return (
            "buy" if self.side == Side.BUY else "sell",
            PRICING_NAMES[self.pricing],
            self.limit_ticks,
            self.qty_tonnes,
            self.from_minute,
            self.until_minute,
        )

    def result(self) -> tuple[int, int, int, int, int]:
        """Return the result in the order of the message."""
        return (
            self.dealt_tonnes,
            self.unsold_tonnes,
            self.clearing_ticks,
            self.turnover_fen,
            self.winning_bids,
        )
