"""What the REST pages beside the main line take and answer: carry-over, disclosure …"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from gateway.rest.compliance_messages import Asked, Code, Line, Number, Tonnes, Words, Year
from gateway.rest.message_base import Answer, Listed


class CarryLimit(Answer):
    """How much of 2019-2024 an entity may carry over, and what it has made of it (AL-51)."""

    entity: str
    base_tonnes: int
    sold_tonnes: int
    bought_tonnes: int
    position_tonnes: int
    limit_tonnes: int
    pending_tonnes: int
    carried_tonnes: int
    open_tonnes: int


class CarryView(Answer):
    """An application for carry-over; ``due`` YYYYMMDD: handled by then, 0: no date is set."""

    number: int
    entity: str
    vintage: str
    tonnes: int
    late: bool
    document: str
    due: int
    status: str
    maker: int
    applied_us: int
    checker: int
    decided_us: int
    note: str


class CarryOver(Answer):
    """Limits, and what was applied for."""

    limits: list[CarryLimit]
    applications: list[CarryView]


class CarryLimitList(Listed):
    """Limits by entity."""

    limits: list[CarryLimit]


class CarryList(Listed):
    """Applications for carry-over in order."""

    applications: list[CarryView]


class CarryNotified(Answer):
    """Who got a notice of carry-over, and how much they may carry over together."""

    notified: list[str]
    limit_tonnes: int


class CarryRequest(Asked):
    """So much of an old vintage is to become 2025; ``document``: of a court's release (AL-57)."""

    vintage: Code
    tonnes: Tonnes
    document: Line = ""


class BorrowView(Answer):
    """A request to borrow and what became of it (AL-24)."""

    number: int
    entity: str
    year: int
    tonnes: int
    obligation_tonnes: int
    allocation_tonnes: int
    document: str
    status: str
    maker: int
    asked_us: int
    checker: int
    decided_us: int
    note: str


class BorrowList(Listed):
    """Borrowings in order."""

    borrowings: list[BorrowView]


class BorrowRequest(Asked):
    """How much you want to borrow for 2021 or 2022, and the proof of difficulty."""

    year: Year
    tonnes: Tonnes
    document: Line


class WarningView(Answer):
    """Who will fall short, as it was told to the province (CP-40); ``level``, worst last.

    over_selling, short, unaffordable.
    """

    number: int
    entity: str
    province: str
    year: int
    level: str
    due_tonnes: int
    short_tonnes: int
    short_if_sold_tonnes: int
    price_fen: int
    cost_fen: int
    cash_fen: int
    warned_us: int


class WarningList(Listed):
    """Warnings in order."""

    warnings: list[WarningView]


class GuardView(Answer):
    """A proposal: these tonnes should stay on the trading side (TR-116)."""

    entity: str
    account: int
    vintage: str
    tonnes: int


class GuardList(Listed):
    """The proposals of the last risk watch; an operator guards with ``guard_holding``."""

    guards: list[GuardView]


class WatchRequest(Asked):
    """Of which years risk is watched (none: all), at which price of a tonne (0: the last close)."""

    years: Annotated[tuple[Year, ...], msgspec.Meta(max_length=20)] = ()
    price_fen: Annotated[int, msgspec.Meta(ge=0, le=100_000)] = 0


class Watched(Answer):
    """How many obligations are open and at risk, and how many holdings should be guarded."""

    open: int
    at_risk: int
    guards: int


class PublishRequest(Asked):
    """Which year is disclosed, as of now."""

    year: Year


class PublishedView(Answer):
    """A publication (CP-39): ``content`` has annual, provinces, sectors, entities."""

    number: int
    year: int
    sha256: str
    published_us: int
    content: dict[str, Any]


class PublishedRow(Answer):
    """A publication without its content."""

    number: int
    year: int
    sha256: str
    published_us: int


class PublishedList(Listed):
    """Publications in order."""

    disclosures: list[PublishedRow]


class ProjectView(Answer):
    """A project of voluntary reductions; ``covered``: under the allowance system (CP-36)."""

    code: str
    name: str
    type: str
    owner: str
    methodology: str
    installation: str
    covered: bool


class BatchView(Answer):
    """A batch of registered reductions: registered, held, in the market, cancelled for what."""

    batch: str
    project: str
    registered: int
    registered_tonnes: int
    held_tonnes: int
    market_tonnes: int
    offset_tonnes: int
    voluntary_tonnes: int
    other_tonnes: int


class Reductions(Answer):
    """Every project and batch (VM-10)."""

    projects: list[ProjectView]
    batches: list[BatchView]


class ProjectList(Listed):
    """Projects by code."""

    projects: list[ProjectView]


class BatchList(Listed):
    """Batches by code."""

    batches: list[BatchView]


class ProjectRequest(Asked):
    """A project to enter (VM-06); ``owner``: customer number of an account in these books.

    ``covered``: its installation is under the allowance system (CP-36).
    """

    code: Code
    name: Words
    type: Words
    owner: Code
    methodology: Words
    installation: Words
    document: Words
    covered: bool = False


class BatchRequest(Asked):
    """Reductions of a project to register (VM-06); days YYYYMMDD, the period with both ends."""

    code: Code
    project: Code
    registered: Number
    period_first: Number
    period_last: Number
    tonnes: Tonnes
    document: Words


class CancellationRequest(Asked):
    """What you want cancelled for ever; of an offset whose obligation of which year (RG-12)."""

    batch: Code
    tonnes: Tonnes
    kind: Literal["offset", "voluntary", "other"]
    purpose: Line
    document: Line
    beneficiary: Line = ""
    obligation_year: Year | None = None


class CancellationView(Answer):
    """A cancellation, and its proof once it is approved (VM-10)."""

    number: int
    account: int
    batch: str
    tonnes: int
    kind: str
    purpose: str
    beneficiary: str
    obligation_year: int | None
    document: str
    sha256: str
    status: str
    maker: int
    applied_us: int
    checker: int
    decided_us: int
    note: str
    proof: str


class CancellationList(Listed):
    """Cancellations in order."""

    cancellations: list[CancellationView]


class CancellationDecision(Asked):
    """Approve with the hash of what was read, or reject with a note."""

    number: Number
    approve: bool
    sha256: Line = ""
    note: Line = ""


class CancellationTakeBack(Asked):
    """Which application of yours you take back, and why."""

    number: Number
    note: Line


class ProofView(Answer):
    """The proof of a cancellation: its record as canonical JSON and the hash of it (RG-12)."""

    number: str
    content: str
    sha256: str


LATER_DOCUMENTED: tuple[type, ...] = (
    *(CarryOver, CarryView, CarryRequest, BorrowList, BorrowView, BorrowRequest),
    *(WarningList, GuardList, WatchRequest, Watched),
    *(PublishRequest, PublishedView, PublishedList, Reductions),
    *(CancellationRequest, CancellationView, CancellationList, CancellationDecision),
    *(CancellationTakeBack, ProofView, CarryLimitList, CarryList, CarryNotified),
    *(ProjectList, BatchList, ProjectRequest, BatchRequest),
)
