"""A published bidding session as the public may know it (TR-80…95).

Made from the events of the session itself and of its trades; bids before the close never get here
(TR-89), nor does the applicant.
"""

from __future__ import annotations

from copy import copy
from typing import NamedTuple, Self

from engine.records import Pricing, Side

PRICING_NAMES = {int(pricing): pricing.name.lower() for pricing in Pricing}


class Win(NamedTuple):
    """One deal of a session's clearing."""

    price_ticks: int
    qty_tonnes: int
    value_fen: int


class BiddingSession:
    """Its notice, and its result as the trades of its clearing come in."""

    __slots__ = (
        "clearing_ticks",
        "from_minute",
        "instrument",
        "limit_ticks",
        "number",
        "pricing",
        "qty_tonnes",
        "side",
        "until_minute",
        "wins",
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
        self.clearing_ticks = 0
        self.wins: dict[int, Win] = {}  # by trade number

    def close(self, clearing_ticks: int) -> None:
        """SESSION_CLOSED; its trades follow."""
        self.clearing_ticks = clearing_ticks

    def won(self, trade_no: int, win: Win) -> None:
        """One of its bids was dealt with."""
        self.wins[trade_no] = win

    def without(self, trade_no: int) -> Self:
        """Return the session as if a voided trade had never been (TR-121).

        What was dealt with it is unsold; the lowest winning price (of a buyer's session the
        highest) is that of the deals that stand, 0 if none does.
        """
        restated = copy(self)
        restated.wins = {no: win for no, win in self.wins.items() if no != trade_no}
        prices = [win.price_ticks for win in restated.wins.values()]
        marginal = max if self.side == Side.BUY else min
        restated.clearing_ticks = marginal(prices, default=0)
        return restated

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
        dealt_tonnes = sum(win.qty_tonnes for win in self.wins.values())
        return (
            dealt_tonnes,
            self.qty_tonnes - dealt_tonnes,
            self.clearing_ticks,
            sum(win.value_fen for win in self.wins.values()),
            len(self.wins),
        )
