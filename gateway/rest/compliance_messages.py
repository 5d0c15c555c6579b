"""What the REST pages of the compliance year take and answer: obligations, surrender, offset."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from gateway.rest.message_base import Answer, Listed
from gateway.rest.messages import RequestView

Code: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Line: TypeAlias = Annotated[str, msgspec.Meta(max_length=500)]
Words: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
Year: TypeAlias = Annotated[int, msgspec.Meta(ge=2018, le=2099)]
Tonnes: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Number: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**53)]
Numbers: TypeAlias = Annotated[list[Number], msgspec.Meta(min_length=1, max_length=5_000)]
Paper: TypeAlias = Literal["surrender", "offset", "carry_over", "borrowing", "penalty"]


class Asked(Answer, forbid_unknown_fields=True):
    """What somebody sends; a field that is not known is refused."""


class ObligationView(Answer):
    """What is due for a year and what has come for it (CP-30, CP-32); ``deadline_us``: too late."""

    entity: str
    year: int
    version: int
    tonnes: int
    deadline_us: int
    ccer_max_tonnes: int
    surrendered_tonnes: int
    offset_tonnes: int
    pending_tonnes: int
    pending_offset_tonnes: int
    in_time_tonnes: int
    missing_tonnes: int
    open_tonnes: int
    is_fulfilled: bool
    is_met_in_time: bool


class ObligationList(Listed):
    """Obligations by year and entity."""

    obligations: list[ObligationView]


class ApplicationView(Answer):
    """A surrender that was applied for; ``status``: pending, approved, rejected, withdrawn.

    ``origin``: own, help, forced or borrowed; ``payer`` is whose allowances they are.
    """

    number: int
    entity: str
    year: int
    vintage: str
    tonnes: int
    origin: str
    payer: str
    document: str
    status: str
    late: bool
    maker: int
    applied_us: int
    checker: int
    decided_us: int
    note: str


class ApplicationList(Listed):
    """Applications in the order they were made."""

    applications: list[ApplicationView]


class CertificateView(Answer):
    """An obligation is fulfilled (CP-32); ``late``: not all of it was applied for in time."""

    number: int
    entity: str
    year: int
    version: int
    tonnes: int
    surrendered_tonnes: int
    offset_tonnes: int
    late: bool
    fulfilled_us: int
    sha256: str


class CertificateList(Listed):
    """Certificates in order."""

    certificates: list[CertificateView]


class AllocationView(Answer):
    """What an entity was given at one stage, and what was withheld or taken back (RG-09, RG-18)."""

    number: int
    plan: str
    year: int
    entity: str
    stage: str
    tonnes: int
    waived_tonnes: int
    deduction_tonnes: int
    issued_tonnes: int
    earmarked_tonnes: int
    taken_back_tonnes: int
    owed_tonnes: int
    reason: str
    decided_us: int


class AllocationList(Listed):
    """Allocations in the order they were issued."""

    allocations: list[AllocationView]


class OffsetView(Answer):
    """Reductions used, or wanted, for an obligation (CP-35)."""

    number: int
    entity: str
    year: int
    tonnes: int
    batch: str
    proof: str
    status: str
    late: bool
    maker: int
    applied_us: int
    checker: int
    decided_us: int
    note: str


class OffsetList(Listed):
    """Offsets in order."""

    offsets: list[OffsetView]


class SurrenderRequest(Asked):
    """What you want to surrender for a year (CP-32).

    ``entity`` and ``document`` only where you help somebody else with the province's consent
    (AL-42).
    """

    year: Year
    vintage: Code
    tonnes: Tonnes
    entity: Annotated[str, msgspec.Meta(max_length=64)] = ""
    document: Line = ""


class OffsetRequest(Asked):
    """A proof of the CCER registry, with its hash, for an obligation of yours (RG-12)."""

    year: Year
    proof: Code
    sha256: Code


class TakeBackRequest(Asked):
    """Which application of yours you take back."""

    number: Number
    paper: Paper = "surrender"
    note: Line = ""


class VerdictRequest(Asked):
    """What the province decides about applications of one kind: all of them, or none."""

    numbers: Numbers
    approve: bool
    paper: Paper = "surrender"
    note: Line = ""


class Verdict(Answer):
    """How many applications were decided, and how."""

    paper: str
    status: str
    decided: int


class NoticeRequest(Asked):
    """Of which year compliance notices go out; without ``entities`` to all who are ready."""

    year: Year
    entities: Annotated[tuple[Code, ...], msgspec.Meta(max_length=5_000)] = ()


class Notified(Answer):
    """Who got a notice, and who is verified but without final allocation (7.3)."""

    notified: list[str]
    without_allocation: list[str]


class AllocationRow(Asked):
    """What one entity is to have; see docs/reference/compliance.md."""

    entity: Code
    tonnes: Annotated[int, msgspec.Meta(ge=0, le=2**53)]
    reason: Annotated[str, msgspec.Meta(max_length=64)] = ""
    waived_tonnes: Annotated[int, msgspec.Meta(ge=0, le=2**53)] | None = None


class HandoverRequest(Asked):
    """Rows of an allocation that the province has signed; ``strict``: all or none (7.3, RG-09)."""

    plan: Code
    year: Year
    stage: Literal["pre", "final", "additional"]
    document: Line
    rows: Annotated[list[AllocationRow], msgspec.Meta(min_length=1, max_length=5_000)]
    strict: bool = True


class RefusedView(Answer):
    """A row that was not taken: its number (the first is 1), the field, a stable code, why."""

    row: int
    field: str
    code: str
    reason: str


class Handover(Answer):
    """What became of the rows; ``request`` is what a checker approves, none if all went back."""

    entities: int
    tonnes: int
    refused: list[RefusedView]
    mismatches: list[dict[str, Any]]
    request: RequestView | None


class PlanView(Answer):
    """An allocation plan: its name and version, and the plan years it is for."""

    name: str
    version: str
    sectors: list[str]
    years: list[int]


class PlanList(Listed):
    """Every plan."""

    plans: list[PlanView]


COMPLIANCE_DOCUMENTED: tuple[type, ...] = (
    ObligationList,
    ApplicationView,
    ApplicationList,
    CertificateList,
    AllocationList,
    OffsetView,
    OffsetList,
    SurrenderRequest,
    OffsetRequest,
    TakeBackRequest,
    VerdictRequest,
    Verdict,
    NoticeRequest,
    Notified,
    HandoverRequest,
    Handover,
    PlanList,
)
