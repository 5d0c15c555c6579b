"""The REST pages beside the main line of the compliance year: carry-over and borrowing."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.compliance_scope import seen_by, taken, view, views
from gateway.rest.later_messages import (
    BorrowList,
    BorrowRequest,
    BorrowView,
    CarryLimit,
    CarryLimitList,
    CarryList,
    CarryNotified,
    CarryOver,
    CarryRequest,
    CarryView,
)
from gateway.rest.lists import Paged, listed
from gateway.venue import Venue
from registry.compliance.carry_over import Standing

Content = Annotated[dict[str, Any], Body()]
READ = (401, 403, 404, 422)
WRITE = (401, 403, 404, 409, 422)


def later_routes(router: APIRouter, venue: Venue) -> None:
    """Add carry-over and borrowing."""
    _carry_routes(router, venue)
    _borrow_routes(router, venue)


def _carry_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/carry-over")

    @router.get(
        "/api/compliance/carry-over",
        tags=["mine", "office"],
        responses=documented(CarryOver, *READ),
    )
    async def carried(key: Key = may_look) -> Response:
        """Limits of carry-over, and what was applied for (AL-50 … AL-58)."""

        def find() -> CarryOver:
            seen = seen_by(venue.registry, key)
            door = venue.registry.compliance.carry_over
            limits, papers = door.standings(seen.entities), door.applications(seen.only)
            return CarryOver(
                limits=[_limit(one) for code, one in limits.items() if seen.has(code)],
                applications=views(CarryView, (one for one in papers if seen.has(one.entity))),
            )

        return answer(await asked(find))

    _carry_lists(router, venue)
    _applying_route(router, venue)
    _notifying_route(router, venue)


def _carry_lists(router: APIRouter, venue: Venue) -> None:
    may_limits = signed_by(venue, "GET /api/compliance/carry-limits")
    may_papers = signed_by(venue, "GET /api/compliance/carry-applications")

    @router.get(
        "/api/compliance/carry-limits",
        tags=["mine", "office"],
        responses=documented(CarryLimitList, *READ),
    )
    async def limits(page: Paged, key: Key = may_limits) -> Response:
        """Limits of carry-over and their use, page by page (AL-51, AL-54)."""

        def find() -> list[CarryLimit]:
            seen = seen_by(venue.registry, key)
            found = venue.registry.compliance.carry_over.standings(seen.entities)
            return [_limit(one) for code, one in found.items() if seen.has(code)]

        return await listed(page, CarryLimitList, find, "entity")

    @router.get(
        "/api/compliance/carry-applications",
        tags=["mine", "office"],
        responses=documented(CarryList, *READ),
    )
    async def carry_applications(page: Paged, key: Key = may_papers) -> Response:
        """What was applied for, page by page (AL-54, AL-55)."""

        def find() -> list[CarryView]:
            seen = seen_by(venue.registry, key)
            papers = venue.registry.compliance.carry_over.applications(seen.only)
            return views(CarryView, (one for one in papers if seen.has(one.entity)))

        return await listed(page, CarryList, find)


def _notifying_route(router: APIRouter, venue: Venue) -> None:
    may_notify = signed_by(venue, "POST /api/compliance/carry-notices")

    @router.post(
        "/api/compliance/carry-notices",
        tags=["office"],
        responses=documented(CarryNotified, *WRITE),
    )
    async def notify(_key: Key = may_notify) -> Response:
        """Compute the limits that are missing and give their notices (AL-50 … AL-54)."""
        at_ns = now_ns(venue)

        def act() -> CarryNotified:
            found = venue.registry.compliance.carry_over.give_notices(at_ns)
            tonnes = sum(one.tonnes for one in found)
            return CarryNotified(notified=[one.entity for one in found], limit_tonnes=tonnes)

        return answer(await asked(act))


def _applying_route(router: APIRouter, venue: Venue) -> None:
    may_apply = signed_by(venue, "POST /api/compliance/carry-over")

    @router.post(
        "/api/compliance/carry-over",
        tags=["mine"],
        status_code=201,
        responses=documented(CarryView, *WRITE),
        openapi_extra=sent("CarryRequest"),
    )
    async def carry(content: Content, key: Key = may_apply) -> Response:
        """Apply for carry-over, again and again up to your limit (AL-54)."""
        wanted, at_ns = taken(content, CarryRequest), now_ns(venue)

        def act() -> CarryView:
            entity = seen_by(venue.registry, key).entity()
            door = venue.registry.compliance.carry_over
            order = (entity, wanted.vintage, wanted.tonnes, key.person, at_ns, wanted.document)
            number = door.apply(*order)
            made = next(one for one in door.applications(entity) if one.number == number)
            return view(CarryView, made)

        return answer(await asked(act), 201)


def _limit(one: Standing) -> CarryLimit:
    mine = {"limit_tonnes": one.limit.tonnes, "open_tonnes": one.open_tonnes}
    mine |= {"pending_tonnes": one.pending_tonnes, "carried_tonnes": one.carried_tonnes}
    return view(CarryLimit, one.limit, **mine)


def _borrow_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/borrowings")
    may_ask = signed_by(venue, "POST /api/compliance/borrowings")

    @router.get(
        "/api/compliance/borrowings",
        tags=["mine", "office"],
        responses=documented(BorrowList, *READ),
    )
    async def borrowings(page: Paged, key: Key = may_look) -> Response:
        """Who has asked to borrow from 2023, and what became of it (AL-24)."""

        def find() -> list[BorrowView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.borrowings.found(seen.only)
            return views(BorrowView, (row for row in rows if seen.has(row.entity)))

        return await listed(page, BorrowList, find)

    @router.post(
        "/api/compliance/borrowings",
        tags=["mine"],
        status_code=201,
        responses=documented(BorrowView, *WRITE),
        openapi_extra=sent("BorrowRequest"),
    )
    async def borrow(content: Content, key: Key = may_ask) -> Response:
        """Ask to borrow for 2021 or 2022 (AL-24)."""
        wanted, at_ns = taken(content, BorrowRequest), now_ns(venue)

        def act() -> BorrowView:
            entity = seen_by(venue.registry, key).entity()
            order = (entity, wanted.year, wanted.tonnes, wanted.document, key.person, at_ns)
            door = venue.registry.compliance.borrowings
            number = door.ask(*order)
            return view(BorrowView, next(o for o in door.found(entity) if o.number == number))

        return answer(await asked(act), 201)
