"""Who connects a live season to a venue. Rooms do not know each other: the front door says it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.live.port import Venue

    Opener = Callable[[str, Path], Venue]  # address, and the venue's data folder


class _Door:
    opener: Opener | None = None


def connect_with(opener: Opener) -> None:
    """Say who opens venues."""
    _Door.opener = staticmethod(opener)


def open_venue(url: str, data: Path) -> Venue:
    """Return the venue at an address; ``data`` is its folder.

    Raises:
        ConnectionError, PermissionError: as every call of a Venue (sim.live.port).
    """
    if _Door.opener is None:
        raise ConnectionError("nobody here connects to venues: start this as tanshi")
    return _Door.opener(url, data)
