"""What the REST pages of terms and penalties take and answer."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from gateway.rest.compliance_messages import Asked, Code, Line, Year
from gateway.rest.message_base import Answer, Listed

Fen = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Micros = Annotated[int, msgspec.Meta(ge=0, le=2**52)]


class PenaltyView(Answer):
    """A case, its range in fen, and what was decided (CP-60 … CP-67).

    ``missing_tonnes`` of ``short_tonnes`` have not come since; the average price of a tonne is
    ``turnover_fen`` over ``volume_tonnes``, both 0 where the rule asks for none (CP-63).
    ``limit_us``: the first moment at which a correction comes too late, 0: at once.
    """

    number: int
    subject: str
    entity: str | None
    offence: str
    regime: str
    clause: str
    year: int
    short_tonnes: int
    missing_tonnes: int
    turnover_fen: int
    volume_tonnes: int
    least_fen: int
    most_fen: int
    fine_fen: int
    confiscated_fen: int
    cut_tonnes: int
    cut_year: int
    limit_us: int
    document: str
    status: str
    maker: int
    made_us: int
    checker: int
    decided_us: int
    note: str


class PenaltyList(Listed):
    """Penalties in order."""

    penalties: list[PenaltyView]


class PenaltyRequest(Asked):
    """A case about an entity of your province; the range follows from the regime.

    ``regime_by``: that of the day of the decision, or of the deadline that was missed (U20).
    ``limit_us``: by when a shortage is to be corrected, the first moment too late; 0: at once.
    """

    entity: Code
    offence: Code
    document: Line
    year: Annotated[int, msgspec.Meta(ge=0, le=2099)] = 0
    fine_fen: Fen | None = None
    gains_fen: Fen = 0
    value_fen: Fen = 0
    cut_percent: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    regime_by: Literal["decision", "deadline"] = "decision"
    limit_us: Micros = 0


class ReachedRow(Answer):
    """How many of a province's entities had surrendered; ``province`` "" is the nation."""

    province: str
    entities: int
    completed: int
    missing: int
    completion_pct: str
    is_met: bool


class MilestoneView(Answer):
    """Where a cycle stands as of ``at_us``, at most as of its interim deadline (AL-14, AL-25).

    ``percent`` of the entities must have surrendered for ``years`` before ``end_us``.
    """

    years: list[int]
    percent: int
    clause: str
    end_us: int
    at_us: int
    nation: ReachedRow
    provinces: list[ReachedRow]


class AdjustmentRow(Answer):
    """A figure that was changed after the final issue, and what has followed it (RG-18).

    ``needs_issue``: an additional issue is due in any case. ``issued_us``, ``told_us``,
    ``done_us``: when it came, 0: not yet; ``due_us``: the first moment that is too late.
    """

    entity: str
    province: str
    year: int
    version: int
    before_tonnes: int
    emissions_tonnes: int
    changed_us: int
    due_us: int
    needs_issue: bool
    issued_us: int
    told_us: int
    done_us: int
    is_overdue: bool


class AdjustmentList(Listed):
    """Changed figures by entity and version."""

    adjustments: list[AdjustmentRow]


class TermRequest(Asked):
    """Of which year provinces are told what is open."""

    year: Year


class Reminded(Answer):
    """Who is behind and was told of: provinces, or entities whose adjustment is open."""

    told: list[str]


TERMS_DOCUMENTED: tuple[type, ...] = (
    *(PenaltyList, PenaltyView, PenaltyRequest, MilestoneView, AdjustmentList),
    *(TermRequest, Reminded),
)
