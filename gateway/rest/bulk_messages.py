"""What the pages answer that take tables."""

from __future__ import annotations

from typing import Any

from gateway.rest.compliance_messages import RefusedView
from gateway.rest.message_base import Answer
from gateway.rest.messages import RequestView


class TableTaken(Answer, omit_defaults=True):
    """What became of a table; a row is its line (the header is 1), of a JSON array its place (1 …).

    ``written``: false where nothing was, because of ``strict``. ``numbers``: of the applications.
    ``request``: what a checker approves, with how many ``entities`` and ``tonnes``; ``mismatches``:
    where the registry computes another figure (7.3); ``lacking``: units that were not computed.
    """

    table: str
    rows: int
    taken: int
    written: bool
    refused: list[RefusedView]
    by_code: dict[str, int]
    numbers: list[int] = []  # noqa: RUF012 - msgspec makes a new one each time
    request: RequestView | None = None
    entities: int = 0
    tonnes: int = 0
    mismatches: list[dict[str, Any]] = []  # noqa: RUF012
    lacking: list[dict[str, Any]] = []  # noqa: RUF012


class AccountsOpened(Answer):
    """How many accounts were opened, and how many provinces there are."""

    opened: int
    provinces: int


BULK_DOCUMENTED: tuple[type, ...] = (TableTaken, AccountsOpened)
