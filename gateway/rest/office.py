"""The REST pages of people of the institutions: surveillance, disputes, proposals."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from gateway.desk.institutions import proposal_view
from gateway.keys import Key
from gateway.rest.answers import ProblemError, answer, documented, signed_by
from gateway.rest.lists import Paged, listed
from gateway.rest.messages import DisputeView, ProposalList, SurveillanceDates
from gateway.venue import Venue
from marketdata.surveillance_report import SurveillanceReport

Date = Annotated[int, Path(ge=0, le=99999999)]


def office_routes(router: APIRouter, venue: Venue) -> None:
    """Add the pages of the exchange operator, the registry's people and the supervisor."""
    may_disputes = signed_by(venue, "GET /api/disputes")
    may_proposals = signed_by(venue, "GET /api/proposals")

    watching = signed_by(venue, "GET /api/surveillance")

    @router.get(
        "/api/surveillance", tags=["office"], responses=documented(SurveillanceDates, 401, 403)
    )
    async def dates(_key: Key = watching) -> Response:
        """The days that have a surveillance report (TR-144)."""
        return answer(SurveillanceDates(dates=venue.oversight.dates))

    @router.get(
        "/api/surveillance/{date}",
        tags=["office"],
        responses=documented(SurveillanceReport, 401, 403, 404),
    )
    async def surveillance(date: Date, _key: Key = watching) -> Response:
        """Self-dealing, cancelling, limit days, swings, large holders, measures (TR-112…144)."""
        found = venue.oversight.report(date)
        if found is None:
            raise ProblemError(404, "unknown_date", "There is no report of this date.")
        return answer(found)

    @router.get(
        "/api/disputes/{date}", tags=["office"], responses=documented(DisputeView, 401, 403)
    )
    async def dispute(date: Date, _key: Key = may_disputes) -> Response:
        """What differs between the institutions on a disputed day (ST-17); empty while nothing."""
        report = await asyncio.to_thread(venue.registry.report, date)
        return answer(DisputeView(date=date, held=venue.held, report=report))

    @router.get("/api/proposals", tags=["office"], responses=documented(ProposalList, 401, 403))
    async def proposals(page: Paged, _key: Key = may_proposals) -> Response:
        """Every proposal and where it stands (ST-07)."""
        found = [proposal_view(each) for each in venue.proposals.all()]
        return await listed(page, ProposalList, lambda: found, "proposal_id")
