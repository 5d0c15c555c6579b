"""The REST pages of terms: the 95 % milestones, adjustments, and penalties that follow."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.compliance_scope import refuse_foreign, seen_by, taken, view, views
from gateway.rest.lists import Paged, listed
from gateway.rest.penalty_messages import (
    AdjustmentList,
    AdjustmentRow,
    MilestoneView,
    PenaltyList,
    PenaltyRequest,
    PenaltyView,
    ReachedRow,
    Reminded,
    TermRequest,
)
from gateway.venue import Venue
from registry.compliance.milestones import Progress
from registry.compliance.penalties import Case

Content = Annotated[dict[str, Any], Body()]
OfYear = Annotated[int, Query(ge=2018, le=2099, description="The year of the obligation.")]
READ = (401, 403, 404, 409, 422)
WRITE = (401, 403, 404, 409, 422)


def term_routes(router: APIRouter, venue: Venue) -> None:
    """Add milestones, adjustments and penalties."""
    _milestone_routes(router, venue)
    _adjustment_routes(router, venue)
    _penalty_routes(router, venue)


def _milestone_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/milestones")
    may_warn = signed_by(venue, "POST /api/compliance/milestones")

    @router.get(
        "/api/compliance/milestones", tags=["office"], responses=documented(MilestoneView, *READ)
    )
    async def milestone(year: OfYear, key: Key = may_look) -> Response:
        """How many entities have surrendered in time; a province sees its own (AL-14, AL-25)."""
        at_ns = now_ns(venue)
        found = await asked(
            lambda: _shown(venue.registry.compliance.terms.progress(year, at_ns), key.province)
        )
        return answer(found)

    @router.post(
        "/api/compliance/milestones",
        tags=["office"],
        responses=documented(Reminded, *WRITE),
        openapi_extra=sent("TermRequest"),
    )
    async def warn(content: Content, _key: Key = may_warn) -> Response:
        """Tell the provinces that are behind (AL-14, AL-25)."""
        wanted, at_ns = taken(content, TermRequest), now_ns(venue)
        found = await asked(lambda: venue.registry.compliance.terms.warn(wanted.year, at_ns))
        return answer(Reminded(told=[one.province for one in found.behind]))


def _shown(found: Progress, province: str) -> MilestoneView:
    goal = found.milestone
    seen = [one for one in found.provinces if province in ("", one.province)]
    return MilestoneView(
        years=list(goal.years),
        percent=goal.percent,
        clause=goal.clause,
        end_us=found.end_ns // 1000,
        at_us=min(found.at_ns, found.end_ns) // 1000,
        nation=view(ReachedRow, found.nation),
        provinces=views(ReachedRow, seen),
    )


def _adjustment_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/adjustments")
    may_remind = signed_by(venue, "POST /api/compliance/adjustments")

    @router.get(
        "/api/compliance/adjustments",
        tags=["mine", "office"],
        responses=documented(AdjustmentList, *READ),
    )
    async def adjustments(page: Paged, year: OfYear, key: Key = may_look) -> Response:
        """Figures changed after the final issue, and what is due within ten days (RG-18)."""
        at_ns = now_ns(venue)

        def find() -> list[AdjustmentRow]:
            seen = seen_by(venue.registry, key)
            return [
                view(AdjustmentRow, one, is_overdue=one.is_overdue(at_ns))
                for one in venue.registry.compliance.terms.adjustments(year)
                if seen.has(one.entity)
            ]

        return await listed(page, AdjustmentList, find, "entity", "version")

    @router.post(
        "/api/compliance/adjustments",
        tags=["office"],
        responses=documented(Reminded, *WRITE),
        openapi_extra=sent("TermRequest"),
    )
    async def remind(content: Content, _key: Key = may_remind) -> Response:
        """Tell the provinces what of it is open, and since when it is too late (RG-18)."""
        wanted, at_ns = taken(content, TermRequest), now_ns(venue)
        found = await asked(lambda: venue.registry.compliance.terms.remind(wanted.year, at_ns))
        return answer(Reminded(told=[one.entity for one in found]))


def _penalty_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/penalties")
    may_propose = signed_by(venue, "POST /api/compliance/penalties")

    @router.get(
        "/api/compliance/penalties",
        tags=["mine", "office"],
        responses=documented(PenaltyList, *READ),
    )
    async def fines(page: Paged, key: Key = may_look) -> Response:
        """Penalties of entities; of bodies and persons only the nation's offices see any."""

        def find() -> list[PenaltyView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.penalties.found()
            return views(PenaltyView, (row for row in rows if seen.has(row.entity or "")))

        return await listed(page, PenaltyList, find)

    @router.post(
        "/api/compliance/penalties",
        tags=["office"],
        status_code=201,
        responses=documented(PenaltyView, *WRITE),
        openapi_extra=sent("PenaltyRequest"),
    )
    async def propose(content: Content, key: Key = may_propose) -> Response:
        """Propose a penalty for an entity of your province; a colleague decides (CP-60 …)."""
        wanted, at_ns = taken(content, PenaltyRequest), now_ns(venue)

        def act() -> PenaltyView:
            refuse_foreign(seen_by(venue.registry, key), wanted.entity)
            head = (wanted.entity, wanted.offence, wanted.document, wanted.year, wanted.fine_fen)
            amounts = (wanted.gains_fen, wanted.value_fen, wanted.cut_percent)
            case = Case(*head, *amounts, wanted.regime_by, wanted.limit_us * 1000)
            made = venue.registry.compliance.penalties.propose(case, key.person, at_ns)
            return view(PenaltyView, made)

        return answer(await asked(act), 201)
