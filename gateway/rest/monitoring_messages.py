"""What the REST pages of monitoring take and answer: roster, deposits, reports, verification."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import msgspec

from gateway.rest.compliance_messages import Asked, Code, Line, Number, Words, Year
from gateway.rest.message_base import Answer, Listed

Emitted: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Cells: TypeAlias = Annotated[list[Line], msgspec.Meta(min_length=2, max_length=3)]


class EntityView(Answer):
    """A key emitting entity (CP-01); ``has_account``: at the registry."""

    code: str
    name: str
    province: str
    sector: str
    industry: str
    process: str
    has_account: bool


class EntityList(Listed):
    """Entities by code."""

    entities: list[EntityView]


class RosterRow(Answer):
    """An entity on the roster of a year, or struck off it, and why (CP-03, CP-04)."""

    year: int
    entity: str
    sector: str
    province: str
    status: str
    grounds: str
    emissions_tonnes: int | None
    document: str
    decided_us: int


class Roster(Listed):
    """The roster of a year by entity."""

    roster: list[RosterRow]


class FindingView(Answer):
    """What an automatic check found; ``month`` YYYYMM, 0 of the whole year."""

    number: int
    entity: str
    facility: str
    year: int
    month: int
    rule: str
    severity: str
    parameter: str
    value: str
    low: str
    high: str
    answer: str


class FindingList(Listed):
    """Findings about the papers that count, in order."""

    findings: list[FindingView]


class ReportView(Answer):
    """An annual report; ``verified_tonnes`` is null until it is verified (CP-10)."""

    entity: str
    year: int
    version: int
    emissions_tonnes: int
    verified_tonnes: int | None
    sha256: str
    is_late: bool
    facilities: dict[str, Any]


class ReportList(Listed):
    """The reports of a year that count, by entity."""

    reports: list[ReportView]


class RecheckView(Answer):
    """A re-check and its answer; ``outcome`` is empty while there is none (CP-11)."""

    number: int
    entity: str
    year: int
    subject: str
    version: int
    words: str
    answer_until_us: int
    outcome: str
    answer: str
    is_late: bool


class RecheckList(Listed):
    """Re-checks of a year in order."""

    rechecks: list[RecheckView]


class PlanRequest(Asked):
    """Your data-quality plan of a year, by section (CP-09)."""

    year: Year
    content: dict[str, Any]


class PlanFiled(Answer):
    """The plan was filed as this version."""

    entity: str
    year: int
    version: int
    sha256: str
    is_late: bool


class DepositRequest(Asked):
    """A facility's month YYYYMM: parameter -> [value, unit] or [value, unit, basis] (CP-09)."""

    facility: Code
    month: Annotated[int, msgspec.Meta(ge=200001, le=209912)]
    reported: dict[Code, Cells]


class DepositView(Answer):
    """The deposit was taken as this version; ``findings``: so many checks have something to say."""

    entity: str
    facility: str
    month: int
    version: int
    emissions_t: str
    is_late: bool
    findings: int


class ReportRequest(Asked):
    """Of which year your deposits are added up to the annual report."""

    year: Year


class AnswerRequest(Asked):
    """Why a finding about your papers is no mistake."""

    number: Number
    words: Words


class VerificationRequest(Asked):
    """Which reports are verified (none named: all); ``adjusted``: entity -> facility -> tonnes."""

    year: Year
    words: Words
    entities: Annotated[tuple[Code, ...], msgspec.Meta(max_length=5_000)] = ()
    adjusted: dict[Code, dict[Code, Emitted]] = msgspec.field(default_factory=dict)


class VerifiedView(Answer):
    """A verified figure."""

    entity: str
    year: int
    version: int
    emissions_tonnes: int


class LeftOut(Answer):
    """An entity that was left out of a run, with a code and a sentence."""

    entity: str
    code: str
    reason: str


class Verification(Answer):
    """What was verified and what was left out."""

    verified: list[VerifiedView]
    refused: list[LeftOut]


class FeedbackRequest(Asked):
    """Which verified figures are told to your entities (none named: all of them)."""

    year: Year
    entities: Annotated[tuple[Code, ...], msgspec.Meta(max_length=5_000)] = ()


class FeedbackView(Answer):
    """Who was told, and until when a re-check can be asked for (CP-11)."""

    told: list[str]
    recheck_until_us: int


class RecheckRequest(Asked):
    """Why you want your verified figure of a year looked at again (CP-11)."""

    year: Year
    words: Words


class RecheckAnswer(Asked):
    """What the province says to a re-check; with tonnes: the figure is corrected."""

    number: Number
    words: Words
    emissions_tonnes: Emitted | None = None


class ListingRow(Asked):
    """An entity and the grounds: threshold, listed_before, below_two_years, ceased."""

    entity: Code
    grounds: Code = "threshold"
    emissions_tonnes: Emitted | None = None


class RosterRequest(Asked):
    """What your province decides about the roster of a year: all of it, or nothing."""

    year: Year
    document: Words
    listings: Annotated[list[ListingRow], msgspec.Meta(min_length=1, max_length=5_000)]


class RosterPublished(Answer):
    """How many are listed and removed, and which sectors came late (CP-05)."""

    listed: int
    removed: int
    late_sectors: list[str]


MONITORING_DOCUMENTED: tuple[type, ...] = (
    *(EntityList, Roster, FindingList, ReportList, ReportView, RecheckList, RecheckView),
    *(PlanRequest, PlanFiled, DepositRequest, DepositView, ReportRequest, AnswerRequest),
    *(VerificationRequest, Verification, FeedbackRequest, FeedbackView),
    *(RecheckRequest, RecheckAnswer, RosterRequest, RosterPublished),
)
