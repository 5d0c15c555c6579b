"""What a live season needs of a venue; whoever connects one gives an object that has it.

Entities are rows 0, 1, 2 …, instruments the places of their codes; commands and events are the
engine's records (COMMAND, EVENT) with these numbers in them. An event tells one owner's view: of a
deal the other side is NOBODY's row, one after the last entity.

Every call may raise ConnectionError (the venue is not there, or not any more) or PermissionError
(it lets nobody in with these keys, or does not carry out what a season cannot do without).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from sim.season.streams import Array

TRADING = ("morning", "afternoon")
DAY = ("pre_open", "morning", "lunch", "afternoon")  # phases in which a day is not over


class Venue(Protocol):
    """A running venue with one line to it for each entity."""

    def open_accounts(self, names: Sequence[str], cash_fen: int) -> None:
        """Open an account for each name, pay ``cash_fen`` in, log each in; row = place in names."""
        ...

    def moment(self) -> tuple[int, str]:
        """Return the venue's time (nanoseconds since 1970, UTC) and phase (TR-30…34)."""
        ...

    def codes(self) -> list[str]:
        """Return the codes of the instruments in the venue's order; asks anew."""
        ...

    def quotes(self, date: int) -> list[Mapping[str, int]]:
        """Return each instrument's public figures on ``date`` (YYYYMMDD), in the order of codes.

        Ticks, 0 = none: ``reference_ticks, lower_limit_ticks, upper_limit_ticks, last_ticks,
        close_ticks, bid_ticks, ask_ticks`` (best listed prices, TR-61).
        """
        ...

    def composite_ticks(self, date: int) -> int:
        """Return the composite close of the bulletin of ``date`` (TR-104, TR-141); waits for it."""
        ...

    def standings(self, rows: Sequence[int]) -> tuple[Array, Array]:
        """Return what accounts have by their own snapshots, int64.

        Money in fen, shape (rows, 2): available, frozen; tonnes, shape (rows, instruments, 3):
        available, frozen, bought today.
        """
        ...

    def send(self, command: np.void) -> Array:
        """Send one order from its entity's line; return what this line was told, dtype EVENT."""
        ...

    def heard(self) -> Array:
        """Return what all lines were told since the last call, dtype EVENT."""
        ...

    def give(self, instrument: int, tonnes: Array) -> None:
        """Issue ``tonnes``, shape (entities,), and move them to the trading side (RG-07, RG-09)."""
        ...

    def take(self, instrument: int, tonnes: Array) -> None:
        """Move ``tonnes`` of shape (entities,) back to the registry side (RG-07)."""
        ...

    def refusals(self) -> Mapping[str, int]:
        """Return how many commands were refused, by code."""
        ...

    def close(self) -> None:
        """Log everybody out."""
        ...
