"""The board of public bulk offers of one instrument, best price first per side (TR-75).

Knows order numbers, prices and tonnes, never accounts. The index is sorted by price (for buyers
downwards), then by order number, so that the board reads the same to everybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from sortedcontainers import SortedDict

from marketdata.messages import Offer

SIDES = ("buy", "sell")


class Board:
    """Offers of both sides; ``put`` opens or changes one, ``drop`` ends it."""

    __slots__ = ("_keys", "_sides")

    def __init__(self) -> None:
        self._sides = {side: SortedDict() for side in SIDES}
        self._keys: dict[int, tuple[str, tuple[int, int]]] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def put(self, offer: Offer) -> None:
        """Show an offer; one with the same number is replaced."""
        self.drop(offer.order_no)
        key = (offer.price_ticks if offer.side == "sell" else -offer.price_ticks, offer.order_no)
        self._sides[offer.side][key] = offer
        self._keys[offer.order_no] = (offer.side, key)

    def drop(self, order_no: int) -> None:
        """Take an offer off the board, if it is there."""
        side, key = self._keys.pop(order_no, ("", (0, 0)))
        if side:
            del self._sides[side][key]

    def side(self, side: str, count: int | None = None) -> Iterator[Offer]:
        """Return the ``count`` best offers of ``buy`` or ``sell`` (None: all), best first."""
        return islice(self._sides[side].values(), count)

    def offers(self) -> tuple[Offer, ...]:
        """Return every offer: buyers, then sellers, each best price first."""
        return tuple(offer for side in SIDES for offer in self.side(side))
