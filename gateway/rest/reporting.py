"""The REST pages on which an entity's own people report: plan, deposit, annual report, re-check."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response
from sqlalchemy import select

from gateway.keys import Key
from gateway.rest.answers import answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.compliance_scope import Seen, seen_by, taken, view
from gateway.rest.monitoring import recheck_view
from gateway.rest.monitoring_messages import (
    AnswerRequest,
    DepositRequest,
    DepositView,
    FindingView,
    PlanFiled,
    PlanRequest,
    RecheckRequest,
    RecheckView,
    ReportRequest,
    ReportView,
)
from gateway.venue import Venue
from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring.deposits import Deposit
from registry.monitoring.findings import Kept
from registry.monitoring.report_schema import findings

Content = Annotated[dict[str, Any], Body()]
PROBLEMS = (401, 403, 404, 409, 422)


def reporting_routes(router: APIRouter, venue: Venue) -> None:
    """Add what an entity reports of itself."""
    _depositing_routes(router, venue)
    _reporting_routes(router, venue)
    _doubting_routes(router, venue)


def _depositing_routes(router: APIRouter, venue: Venue) -> None:
    may_plan = signed_by(venue, "POST /api/monitoring/plans")
    may_deposit = signed_by(venue, "POST /api/monitoring/deposits")

    @router.post(
        "/api/monitoring/plans",
        tags=["mine"],
        status_code=201,
        responses=documented(PlanFiled, *PROBLEMS),
        openapi_extra=sent("PlanRequest"),
    )
    async def plan(content: Content, key: Key = may_plan) -> Response:
        """File the data-quality plan of a year; again: its next version (CP-09)."""
        wanted, at_ns = taken(content, PlanRequest), now_ns(venue)

        def act() -> PlanFiled:
            rows = [(seen_by(venue.registry, key).entity(), wanted.content)]
            filed = venue.registry.monitoring.file_plans(wanted.year, rows, key.person, at_ns)
            return view(PlanFiled, filed[0])

        return answer(await asked(act), 201)

    @router.post(
        "/api/monitoring/deposits",
        tags=["mine"],
        status_code=201,
        responses=documented(DepositView, *PROBLEMS),
        openapi_extra=sent("DepositRequest"),
    )
    async def deposit(content: Content, key: Key = may_deposit) -> Response:
        """Deposit a facility's month; again: its next version (CP-09)."""
        wanted, at_ns = taken(content, DepositRequest), now_ns(venue)

        def act() -> DepositView:
            entity = seen_by(venue.registry, key).entity()
            row = Deposit(entity, wanted.facility, wanted.month, wanted.reported)
            return view(DepositView, venue.registry.monitoring.deposit([row], key.person, at_ns)[0])

        return answer(await asked(act), 201)


def _reporting_routes(router: APIRouter, venue: Venue) -> None:
    may_report = signed_by(venue, "POST /api/monitoring/reports")
    may_answer = signed_by(venue, "POST /api/monitoring/finding-answers")

    @router.post(
        "/api/monitoring/reports",
        tags=["mine"],
        status_code=201,
        responses=documented(ReportView, *PROBLEMS),
        openapi_extra=sent("ReportRequest"),
    )
    async def report(content: Content, key: Key = may_report) -> Response:
        """Report a year from its deposits (CP-10)."""
        wanted, at_ns = taken(content, ReportRequest), now_ns(venue)

        def act() -> ReportView:
            entity = seen_by(venue.registry, key).entity()
            made = venue.registry.monitoring.report(wanted.year, entity, key.person, at_ns)
            return view(ReportView, made, verified_tonnes=None)

        return answer(await asked(act), 201)

    @router.post(
        "/api/monitoring/finding-answers",
        tags=["mine"],
        responses=documented(FindingView, *PROBLEMS),
        openapi_extra=sent("AnswerRequest"),
    )
    async def explain(content: Content, key: Key = may_answer) -> Response:
        """Say why a finding about your papers is no mistake (CP-10)."""
        wanted, at_ns = taken(content, AnswerRequest), now_ns(venue)

        def act() -> FindingView:
            seen, monitoring = seen_by(venue.registry, key), venue.registry.monitoring
            found = own_finding(venue.registry, seen, wanted.number)
            monitoring.answer_finding(wanted.number, wanted.words, key.person, at_ns)
            return view(FindingView, found._replace(answer=wanted.words), number=found.id)

        return answer(await asked(act))


def own_finding(registry: Registry, seen: Seen, number: int) -> Kept:
    """Return a finding that is seen and counts; RefusalError unknown_finding."""
    with registry.database.read() as tx:
        year = tx.execute(select(findings.c.year).where(findings.c.id == number)).scalar()
    for one in [] if year is None else registry.monitoring.findings(year, seen.entity()):
        if one.id == number:
            return one
    raise RefusalError("unknown_finding", f"There is no finding {number!r}.")


def _doubting_routes(router: APIRouter, venue: Venue) -> None:
    may_doubt = signed_by(venue, "POST /api/monitoring/rechecks")

    @router.post(
        "/api/monitoring/rechecks",
        tags=["mine"],
        status_code=201,
        responses=documented(RecheckView, *PROBLEMS),
        openapi_extra=sent("RecheckRequest"),
    )
    async def doubt(content: Content, key: Key = may_doubt) -> Response:
        """Ask for a re-check of your verified figure, within 7 working days (CP-11)."""
        wanted, at_ns = taken(content, RecheckRequest), now_ns(venue)

        def act() -> RecheckView:
            entity = seen_by(venue.registry, key).entity()
            order = (entity, wanted.year, wanted.words, key.person, at_ns)
            return recheck_view(venue.registry.monitoring.ask_recheck(*order))

        return answer(await asked(act), 201)
