"""The tables of this room, on the registry's own metadata."""

from __future__ import annotations

from sqlalchemy import Table

APPEND_ONLY: tuple[Table, ...] = ()
