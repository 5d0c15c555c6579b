"""The REST pages beside the main line of the compliance year: carry-over, borrowing, penalties."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Body
from fastapi.responses import Response
from sqlalchemy import Connection

from gateway.compliance_scope import refuse_foreign, seen_by, taken, view, views
from gateway.keys import Key
from gateway.later_messages import (
    BorrowList,
    BorrowRequest,
    BorrowView,
    CarryLimit,
    CarryOver,
    CarryRequest,
    CarryView,
    PenaltyList,
    PenaltyRequest,
    PenaltyView,
)
from gateway.rest_answers import answer, asked, documented, sent, signed_by
from gateway.venue import Venue
from registry.compliance import borrowing, carry_deciding, carry_over, penalties
from registry.errors import RefusalError
from registry.institution import Registry

Content = Annotated[dict[str, Any], Body()]
READ = (401, 403, 404, 422)
WRITE = (401, 403, 404, 409, 422)
Found = TypeVar("Found")


def reading(registry: Registry, find: Callable[[Connection], Found]) -> Found:
    """Return what ``find`` reads in one transaction."""
    with registry.database.read() as tx:
        return find(tx)


def later_routes(router: APIRouter, venue: Venue) -> None:
    """Add carry-over, borrowing and penalties."""
    _carry_routes(router, venue)
    _borrow_routes(router, venue)
    _penalty_routes(router, venue)


def _carry_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/carry-over")
    may_apply = signed_by(venue, "POST /api/compliance/carry-over")

    @router.get(
        "/api/compliance/carry-over",
        tags=["mine", "office"],
        responses=documented(CarryOver, *READ),
    )
    async def carried(key: Key = may_look) -> Response:
        """Limits of carry-over, and what was applied for (AL-50 … AL-58)."""

        def find() -> CarryOver:
            seen = seen_by(venue.registry, key)
            with venue.registry.database.read() as tx:
                limits = carry_over.standings(tx)
                papers = carry_deciding.found(tx)
            return CarryOver(
                limits=[_limit(one) for code, one in limits.items() if seen.has(code)],
                applications=views(CarryView, (one for one in papers if seen.has(one.entity))),
            )

        return answer(await asked(find))

    @router.post(
        "/api/compliance/carry-over",
        tags=["mine"],
        status_code=201,
        responses=documented(CarryView, *WRITE),
        openapi_extra=sent("CarryRequest"),
    )
    async def carry(content: Content, key: Key = may_apply) -> Response:
        """Apply for carry-over, again and again up to your limit (AL-54)."""
        wanted, at_ns = taken(content, CarryRequest), venue.sequencer.time_ns

        def act() -> CarryView:
            entity = seen_by(venue.registry, key).entity()
            row = carry_over.Wanted(entity, wanted.vintage, wanted.tonnes, wanted.document)
            with venue.registry.database.write() as tx:
                done = carry_over.apply_many(tx, [row], key.person, at_ns, True)
                for bad in done.refused:
                    raise RefusalError(bad.code, f"{bad.reason.rstrip('.')}.")
                papers = carry_deciding.found(tx)
            return view(CarryView, next(p for p in papers if p.number == done.numbers[0]))

        return answer(await asked(act), 201)


def _limit(one: carry_over.Standing) -> CarryLimit:
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
    async def borrowings(key: Key = may_look) -> Response:
        """Who has asked to borrow from 2023, and what became of it (AL-24)."""

        def find() -> list[BorrowView]:
            seen = seen_by(venue.registry, key)
            rows = reading(venue.registry, lambda tx: borrowing.found(tx, seen.only))
            return views(BorrowView, (row for row in rows if seen.has(row.entity)))

        return answer(BorrowList(borrowings=await asked(find)))

    @router.post(
        "/api/compliance/borrowings",
        tags=["mine"],
        status_code=201,
        responses=documented(BorrowView, *WRITE),
        openapi_extra=sent("BorrowRequest"),
    )
    async def borrow(content: Content, key: Key = may_ask) -> Response:
        """Ask to borrow for 2021 or 2022 (AL-24)."""
        wanted, at_ns = taken(content, BorrowRequest), venue.sequencer.time_ns

        def act() -> BorrowView:
            entity = seen_by(venue.registry, key).entity()
            order = (entity, wanted.year, wanted.tonnes, wanted.document, key.person, at_ns)
            with venue.registry.database.write() as tx:
                number = borrowing.ask(tx, *order)
                return view(BorrowView, borrowing.found(tx, number=number)[0])

        return answer(await asked(act), 201)


def _penalty_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/penalties")
    may_propose = signed_by(venue, "POST /api/compliance/penalties")

    @router.get(
        "/api/compliance/penalties",
        tags=["mine", "office"],
        responses=documented(PenaltyList, *READ),
    )
    async def fines(key: Key = may_look) -> Response:
        """Penalties of entities; of bodies and persons only the nation's offices see any."""

        def find() -> list[PenaltyView]:
            seen = seen_by(venue.registry, key)
            rows = reading(venue.registry, penalties.found)
            return views(PenaltyView, (row for row in rows if seen.has(row.entity or "")))

        return answer(PenaltyList(penalties=await asked(find)))

    @router.post(
        "/api/compliance/penalties",
        tags=["office"],
        status_code=201,
        responses=documented(PenaltyView, *WRITE),
        openapi_extra=sent("PenaltyRequest"),
    )
    async def propose(content: Content, key: Key = may_propose) -> Response:
        """Propose a penalty for an entity of your province; a colleague decides (CP-60 …)."""
        wanted, at_ns = taken(content, PenaltyRequest), venue.sequencer.time_ns

        def act() -> PenaltyView:
            refuse_foreign(seen_by(venue.registry, key), wanted.entity)
            head = (wanted.entity, wanted.offence, wanted.document, wanted.year, wanted.fine_fen)
            amounts = (wanted.gains_fen, wanted.value_fen, wanted.cut_percent)
            with venue.registry.database.write() as tx:
                case = penalties.Case(*head, *amounts)
                number = penalties.propose(tx, case, key.person, at_ns)
                return view(PenaltyView, penalties.found(tx, number=number)[0])

        return answer(await asked(act), 201)
