"""What the REST pages answer about the books and their papers."""

from __future__ import annotations

from typing import Any

from gateway.rest.message_base import Answer, Listed


class HeldRow(Answer):
    """What an account (by customer number) has of a vintage in one bucket (RG-06)."""

    account: str
    vintage: str
    bucket: str
    tonnes: int


class HeldList(Listed):
    """Holdings by account, vintage and bucket."""

    holdings: list[HeldRow]


class PostingRow(Answer):
    """One side of an entry: ``change`` of a bucket in tonnes, in fen where ``vintage`` is empty.

    ``number`` is the transaction's, ``side`` 0 gives and 1 gains; ``corrects``: what it takes back
    (RG-17); ``note`` is told to institutions only; ``booked_us``: the moment it counts from.
    """

    number: int
    line: int
    side: int
    kind: str
    date: int
    account: str
    vintage: str
    bucket: str
    change: int
    corrects: int
    note: str
    booked_us: int


class PostingList(Listed):
    """Postings in the order of the books."""

    postings: list[PostingRow]


class CertificatePaper(Answer):
    """A certificate; ``sha256`` is that of ``content``, its fields from number on with ``|``."""

    number: int
    entity: str
    year: int
    version: int
    tonnes: int
    surrendered_tonnes: int
    offset_tonnes: int
    late: bool
    fulfilled_us: int
    content: str
    sha256: str


class ObligationNotice(Answer):
    """A compliance notice as it was given, ``line`` 1 first; the last one counts (CP-32)."""

    entity: str
    year: int
    line: int
    version: int
    verified_tonnes: int
    waived_tonnes: int
    tonnes: int
    notice_us: int


class ObligationNoticeList(Listed):
    """Compliance notices by entity, year and line."""

    notices: list[ObligationNotice]


class DeductionRow(Answer):
    """What later allocations are reduced by (AL-41, AL-67)."""

    number: int
    entity: str
    from_year: int
    grounds: str
    tonnes: int
    remaining_tonnes: int
    document: str
    decided_us: int


class DeductionList(Listed):
    """Deductions in order."""

    deductions: list[DeductionRow]


class EarmarkRow(Answer):
    """An entity's allowances on the provincial account (AL-26, AL-40, AL-66)."""

    number: int
    entity: str
    year: int
    vintage: str
    reason: str
    tonnes: int
    forced_tonnes: int
    released_tonnes: int
    recovered_tonnes: int
    left_tonnes: int


class EarmarkList(Listed):
    """Earmarks in order."""

    earmarks: list[EarmarkRow]


class PartList(Listed):
    """The rows of one part of a publication (CP-38, CP-39)."""

    rows: list[dict[str, Any]]


BOOKS_DOCUMENTED: tuple[type, ...] = (
    *(HeldList, PostingList, CertificatePaper, ObligationNoticeList),
    *(DeductionList, EarmarkList, PartList),
)
