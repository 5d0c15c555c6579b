"""The REST pages of monitoring that are read, and what the province and the verifier do there."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Path
from fastapi.responses import Response
from sqlalchemy import select

from gateway.keys import Key
from gateway.rest.answers import answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.compliance_scope import Seen, refuse_foreign, seen_by, taken, view, views
from gateway.rest.lists import Paged, listed
from gateway.rest.monitoring_messages import (
    EntityList,
    EntityView,
    FeedbackRequest,
    FeedbackView,
    FindingList,
    FindingView,
    LeftOut,
    RecheckAnswer,
    RecheckList,
    RecheckView,
    ReportList,
    ReportView,
    Roster,
    RosterPublished,
    RosterRequest,
    RosterRow,
    Verification,
    VerificationRequest,
    VerifiedView,
)
from gateway.venue import Venue
from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring.rechecks import Recheck
from registry.monitoring.report_schema import rechecks
from registry.monitoring.roster import Listing

PathYear = Annotated[int, Path(ge=2018, le=2099)]
Content = Annotated[dict[str, Any], Body()]
READ = (401, 403, 404, 422)
WRITE = (401, 403, 404, 409, 422)


def monitoring_routes(router: APIRouter, venue: Venue) -> None:
    """Add what is read of monitoring, and the province's and the verifier's part."""
    _entity_routes(router, venue)
    _paper_routes(router, venue)
    _verifier_route(router, venue)
    _province_routes(router, venue)
    _recheck_routes(router, venue)


def _entity_routes(router: APIRouter, venue: Venue) -> None:
    may_entities = signed_by(venue, "GET /api/monitoring/entities")
    may_roster = signed_by(venue, "GET /api/monitoring/roster")

    @router.get(
        "/api/monitoring/entities",
        tags=["mine", "office"],
        responses=documented(EntityList, *READ),
    )
    async def entities(page: Paged, key: Key = may_entities) -> Response:
        """Key emitting entities (CP-01)."""

        def find() -> list[EntityView]:
            seen = seen_by(venue.registry, key)
            found = venue.registry.monitoring.entities().values()
            return [
                view(EntityView, one, has_account=one.account is not None)
                for one in found
                if seen.has(one.code)
            ]

        return await listed(page, EntityList, find, "code")

    @router.get(
        "/api/monitoring/roster/{year}",
        tags=["mine", "office"],
        responses=documented(Roster, *READ),
    )
    async def roster(page: Paged, year: PathYear, key: Key = may_roster) -> Response:
        """Who is on the roster of a year, who was struck off it, and why (CP-03 … CP-05)."""

        def find() -> list[RosterRow]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.monitoring.roster(year)
            return views(RosterRow, (row for row in rows if seen.has(row.entity)))

        return await listed(page, Roster, find, "entity")


def _paper_routes(router: APIRouter, venue: Venue) -> None:
    may_findings = signed_by(venue, "GET /api/monitoring/findings")
    may_reports = signed_by(venue, "GET /api/monitoring/reports")

    @router.get(
        "/api/monitoring/findings/{year}",
        tags=["mine", "office"],
        responses=documented(FindingList, *READ),
    )
    async def findings(page: Paged, year: PathYear, key: Key = may_findings) -> Response:
        """What the plausibility checks found about deposits and reports of a year."""

        def find() -> list[FindingView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.monitoring.findings(year, seen.only)
            return [view(FindingView, row, number=row.id) for row in rows if seen.has(row.entity)]

        return await listed(page, FindingList, find)

    @router.get(
        "/api/monitoring/reports/{year}",
        tags=["mine", "office"],
        responses=documented(ReportList, *READ),
    )
    async def reports(page: Paged, year: PathYear, key: Key = may_reports) -> Response:
        """Annual reports of a year, and what was verified of them (CP-10)."""

        def find() -> list[ReportView]:
            seen, monitoring = seen_by(venue.registry, key), venue.registry.monitoring
            verified = monitoring.verified_of_year(year)
            return [
                view(ReportView, one, verified_tonnes=verified.get(one.entity))
                for one in monitoring.reports(year).values()
                if seen.has(one.entity)
            ]

        return await listed(page, ReportList, find, "entity")


def _verifier_route(router: APIRouter, venue: Venue) -> None:
    may_verify = signed_by(venue, "POST /api/monitoring/verifications")

    @router.post(
        "/api/monitoring/verifications",
        tags=["office"],
        responses=documented(Verification, *WRITE),
        openapi_extra=sent("VerificationRequest"),
    )
    async def verify(content: Content, key: Key = may_verify) -> Response:
        """Verify reports of a year, which nobody does for his own (CP-10)."""
        wanted, at_ns = taken(content, VerificationRequest), now_ns(venue)

        def act() -> Verification:
            only = list(dict.fromkeys(wanted.entities)) or None
            order = (wanted.year, key.person, at_ns, wanted.words, only, wanted.adjusted)
            done = venue.registry.monitoring.verify(*order)
            verified = views(VerifiedView, done.versions)
            return Verification(verified=verified, refused=views(LeftOut, done.refused))

        return answer(await asked(act))


def _province_routes(router: APIRouter, venue: Venue) -> None:
    may_publish = signed_by(venue, "POST /api/monitoring/roster")
    may_feed_back = signed_by(venue, "POST /api/monitoring/feedbacks")

    @router.post(
        "/api/monitoring/roster",
        tags=["office"],
        responses=documented(RosterPublished, *WRITE),
        openapi_extra=sent("RosterRequest"),
    )
    async def publish(content: Content, key: Key = may_publish) -> Response:
        """Put entities of your province on the roster of a year, or take them off (CP-05)."""
        wanted, at_ns = taken(content, RosterRequest), now_ns(venue)

        def act() -> RosterPublished:
            seen = seen_by(venue.registry, key)
            for one in wanted.listings:
                refuse_foreign(seen, one.entity)
            rows = [
                Listing(one.entity, one.grounds, one.emissions_tonnes) for one in wanted.listings
            ]
            order = (wanted.year, rows, wanted.document, key.person, at_ns)
            done = venue.registry.monitoring.publish_roster(*order)
            return RosterPublished(
                listed=done.listed, removed=done.removed, late_sectors=list(done.late_sectors)
            )

        return answer(await asked(act))

    @router.post(
        "/api/monitoring/feedbacks",
        tags=["office"],
        responses=documented(FeedbackView, *WRITE),
        openapi_extra=sent("FeedbackRequest"),
    )
    async def feed_back(content: Content, key: Key = may_feed_back) -> Response:
        """Tell verified figures to entities of your province (CP-11)."""
        wanted, at_ns = taken(content, FeedbackRequest), now_ns(venue)

        def act() -> FeedbackView:
            seen = seen_by(venue.registry, key)
            for entity in wanted.entities:
                refuse_foreign(seen, entity)
            only = set(wanted.entities) or seen.entities
            done = venue.registry.monitoring.feed_back(wanted.year, key.person, at_ns, only)
            until_us = max((one.recheck_until_ns for one in done), default=0) // 1000
            return FeedbackView(told=[one.entity for one in done], recheck_until_us=until_us)

        return answer(await asked(act))


def _recheck_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/monitoring/rechecks")
    may_answer = signed_by(venue, "POST /api/monitoring/recheck-answers")

    @router.get(
        "/api/monitoring/rechecks/{year}",
        tags=["mine", "office"],
        responses=documented(RecheckList, *READ),
    )
    async def asked_again(page: Paged, year: PathYear, key: Key = may_look) -> Response:
        """Who wants what looked at again, and the answers (CP-11)."""

        def find() -> list[RecheckView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.monitoring.rechecks(year, seen.only)
            return [recheck_view(row) for row in rows if seen.has(row.entity)]

        return await listed(page, RecheckList, find)

    @router.post(
        "/api/monitoring/recheck-answers",
        tags=["office"],
        responses=documented(RecheckView, *WRITE),
        openapi_extra=sent("RecheckAnswer"),
    )
    async def answer_recheck(content: Content, key: Key = may_answer) -> Response:
        """Answer a re-check of an entity of your province (CP-11)."""
        wanted, at_ns = taken(content, RecheckAnswer), now_ns(venue)

        def act() -> Recheck:
            _refuse_unseen(venue.registry, seen_by(venue.registry, key), wanted.number)
            order = (wanted.number, wanted.words, key.person, at_ns, wanted.emissions_tonnes)
            return venue.registry.monitoring.answer_recheck(*order)

        return answer(recheck_view(await asked(act)))


def _refuse_unseen(registry: Registry, seen: Seen, number: int) -> None:
    with registry.database.read() as tx:
        owner = tx.execute(select(rechecks.c.entity).where(rechecks.c.id == number)).scalar()
    if owner is None or not seen.has(owner):
        raise RefusalError("unknown_recheck", f"There is no re-check {number!r}.")


def recheck_view(row: Recheck) -> RecheckView:
    """Return a re-check as people see it."""
    return view(RecheckView, row, number=row.id)
