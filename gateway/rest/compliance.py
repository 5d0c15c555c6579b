"""The REST pages of the compliance year that are read: obligations, applications, certificates.

One page serves an entity's own people, its province and the institutions; each sees what is its
own (``compliance_scope``).
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import documented, signed_by
from gateway.rest.compliance_messages import (
    AllocationList,
    AllocationView,
    ApplicationList,
    ApplicationView,
    CertificateList,
    CertificateView,
    ObligationList,
    ObligationView,
    OffsetList,
    OffsetView,
    PlanList,
    PlanView,
)
from gateway.rest.compliance_scope import Seen, seen_by, views
from gateway.rest.lists import Paged, listed
from gateway.venue import Venue
from registry.allocation import plan_file
from registry.compliance.schema import STATUSES
from registry.compliance.surrender import Application

PageYear = Annotated[int, Query(ge=2018, le=2099, description="The year of the obligation.")]
AnyYear = Annotated[
    int | None, Query(ge=2018, le=2099, description="The year of the obligation; none: all.")
]
Status = Annotated[
    str, Query(pattern=f"^({'|'.join(STATUSES)})?$", description="Only of this status.")
]
PROBLEMS = (401, 403, 404, 422)


def compliance_routes(router: APIRouter, venue: Venue) -> None:
    """Add what is read of the compliance year."""
    _obligation_routes(router, venue)
    _application_routes(router, venue)
    _plan_route(router)


def _obligation_routes(router: APIRouter, venue: Venue) -> None:
    may_obligations = signed_by(venue, "GET /api/compliance/obligations")
    may_certificates = signed_by(venue, "GET /api/compliance/certificates")

    @router.get(
        "/api/compliance/obligations",
        tags=["mine", "office"],
        responses=documented(ObligationList, *PROBLEMS),
    )
    async def obligations(page: Paged, year: PageYear, key: Key = may_obligations) -> Response:
        """What is due for a year, what has come, what is missing (CP-30 … CP-33)."""

        def find() -> list[ObligationView]:
            seen = seen_by(venue.registry, key)
            found = venue.registry.compliance.standings(year)
            return views(ObligationView, (one for one in found if seen.has(one.entity)))

        return await listed(page, ObligationList, find, "entity")

    @router.get(
        "/api/compliance/certificates",
        tags=["mine", "office"],
        responses=documented(CertificateList, *PROBLEMS),
    )
    async def certificates(
        page: Paged, year: AnyYear = None, key: Key = may_certificates
    ) -> Response:
        """Certificates of fulfilled obligations (CP-32)."""

        def find() -> list[CertificateView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.certificates(seen.only, year)
            return views(CertificateView, (row for row in rows if seen.has(row.entity)))

        return await listed(page, CertificateList, find)

    _allocation_route(router, venue)


def _allocation_route(router: APIRouter, venue: Venue) -> None:
    may_allocations = signed_by(venue, "GET /api/compliance/allocations")

    @router.get(
        "/api/compliance/allocations",
        tags=["mine", "office"],
        responses=documented(AllocationList, *PROBLEMS),
    )
    async def allocations(
        page: Paged, year: AnyYear = None, key: Key = may_allocations
    ) -> Response:
        """What was allocated, withheld and taken back (RG-09, RG-18, AL-40)."""

        def find() -> list[AllocationView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.allocations(seen.only, year)
            return views(AllocationView, (row for row in rows if seen.has(row.entity)))

        return await listed(page, AllocationList, find)


def _application_routes(router: APIRouter, venue: Venue) -> None:
    may_applications = signed_by(venue, "GET /api/compliance/applications")
    may_offsets = signed_by(venue, "GET /api/compliance/offsets")

    @router.get(
        "/api/compliance/applications",
        tags=["mine", "office"],
        responses=documented(ApplicationList, *PROBLEMS),
    )
    async def applications(
        page: Paged, year: AnyYear = None, status: Status = "", key: Key = may_applications
    ) -> Response:
        """Surrenders that were applied for; an account also sees where it has helped (AL-42)."""

        def find() -> list[ApplicationView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.applications(None, year, status or None)
            return views(ApplicationView, (row for row in rows if _concerns(seen, row)))

        return await listed(page, ApplicationList, find)

    @router.get(
        "/api/compliance/offsets",
        tags=["mine", "office"],
        responses=documented(OffsetList, *PROBLEMS),
    )
    async def offsets(page: Paged, year: AnyYear = None, key: Key = may_offsets) -> Response:
        """Reductions used, or wanted, for obligations (CP-35 … CP-37)."""

        def find() -> list[OffsetView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.offsets(seen.only, year)
            return views(OffsetView, (row for row in rows if seen.has(row.entity)))

        return await listed(page, OffsetList, find)


def _concerns(seen: Seen, row: Application) -> bool:
    return seen.has(row.entity) or row.payer == seen.own


def _plan_route(router: APIRouter) -> None:
    @router.get("/api/compliance/plans", tags=["market"], responses=documented(PlanList))
    async def plans(page: Paged) -> Response:
        """The allocation plans, as they were published (AL-01)."""

        def read() -> list[PlanView]:
            found = (plan_file.load(name) for name in plan_file.names())
            return [
                PlanView(
                    name=plan.name,
                    version=plan.version,
                    sectors=list(plan.sectors),
                    years=list(plan.years),
                )
                for plan in found
            ]

        return await listed(page, PlanList, read, "name")
