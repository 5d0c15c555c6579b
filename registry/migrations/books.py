"""Upgrading books of whichever market by hand, as opening them does by itself."""

from __future__ import annotations

from typing import NamedTuple

from registry.database import Database, kept
from registry.profiles import PROFILES


class Migrated(NamedTuple):
    """Whose books, and their format before and after."""

    market: str
    before: int
    after: int


def migrate(url: str) -> Migrated:
    """Upgrade the books at ``url``; StopError, RefusalError as ``Database``, no_books."""
    before, market = kept(url)
    database = Database(url, PROFILES[market])
    database.close()
    return Migrated(market, before, kept(url)[0])
