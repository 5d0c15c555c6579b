"""The REST pages of the compliance year that write: apply, withdraw, decide, notify, hand over.

Who acts is the key's: the entity is that of its account, the province that of its office.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Body
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.compliance_messages import (
    ApplicationView,
    Handover,
    HandoverRequest,
    NoticeRequest,
    Notified,
    OffsetRequest,
    OffsetView,
    RefusedView,
    SurrenderRequest,
    TakeBackRequest,
    Verdict,
    VerdictRequest,
)
from gateway.rest.compliance_scope import (
    Seen,
    refuse_foreign,
    refuse_unseen,
    seen_by,
    taken,
    view,
    views,
)
from gateway.rest.registry import request_view
from gateway.venue import Venue
from registry.compliance import papers
from registry.compliance.deciding import Decision
from registry.compliance.surrender import Application
from registry.errors import RefusalError
from registry.institution import Registry

Content = Annotated[dict[str, Any], Body()]
PROBLEMS = (401, 403, 404, 409, 422)
HIDDEN = ("unknown_entity", "no_notice", "more_than_owed", "year_not_covered")


def surrender_routes(router: APIRouter, venue: Venue) -> None:
    """Add what an entity's people, the province and the registry's makers do."""
    _applying_routes(router, venue)
    _withdrawing_route(router, venue)
    _province_routes(router, venue)
    _handover_route(router, venue)


def _applying_routes(router: APIRouter, venue: Venue) -> None:
    may_apply = signed_by(venue, "POST /api/compliance/applications")
    may_offset = signed_by(venue, "POST /api/compliance/offsets")

    @router.post(
        "/api/compliance/applications",
        tags=["mine"],
        status_code=201,
        responses=documented(ApplicationView, *PROBLEMS),
        openapi_extra=sent("SurrenderRequest"),
    )
    async def apply(content: Content, key: Key = may_apply) -> Response:
        """Apply for surrender, from your own registry side; the tonnes wait (CP-32, RG-06)."""
        wanted, at_ns = taken(content, SurrenderRequest), now_ns(venue)

        def act() -> Application:
            seen = seen_by(venue.registry, key)
            if wanted.entity and wanted.entity != seen.only:
                return _help(venue.registry, seen, wanted, key.person, at_ns)
            order = (seen.entity(), wanted.year, wanted.vintage, wanted.tonnes)
            return venue.registry.compliance.apply(*order, key.person, at_ns)

        return answer(view(ApplicationView, await asked(act)), 201)

    @router.post(
        "/api/compliance/offsets",
        tags=["mine"],
        status_code=201,
        responses=documented(OffsetView, *PROBLEMS),
        openapi_extra=sent("OffsetRequest"),
    )
    async def offset(content: Content, key: Key = may_offset) -> Response:
        """Use reductions that were cancelled for an obligation of yours (RG-12, CP-35)."""
        wanted, at_ns = taken(content, OffsetRequest), now_ns(venue)

        def act() -> OffsetView:
            entity = seen_by(venue.registry, key).entity()
            compliance = venue.registry.compliance
            order = (entity, wanted.year, wanted.proof, wanted.sha256)
            number = _proven(lambda: compliance.offset(*order, key.person, at_ns))
            made = next(one for one in compliance.offsets(entity) if one.number == number)
            return view(OffsetView, made)

        return answer(await asked(act), 201)


def _help(
    registry: Registry, seen: Seen, wanted: SurrenderRequest, person: int, at_ns: int
) -> Application:
    """Surrender for somebody else; what he owes is none of the helper's business (AL-42)."""
    try:
        return registry.compliance.apply(
            *(wanted.entity, wanted.year, wanted.vintage, wanted.tonnes, person, at_ns),
            helper=seen.own,
            document=wanted.document,
        )
    except RefusalError as no:
        if no.code not in HIDDEN:
            raise
        raise RefusalError(
            "unknown_obligation",
            f"{wanted.entity} has no obligation for {wanted.year} that so much can come for.",
        ) from None


def _proven(use: Callable[[], int]) -> int:
    """Return what ``use`` returns; a proof of somebody else is like one that there is not."""
    try:
        return use()
    except RefusalError as no:
        if no.code != "proof_differs":
            raise
        raise RefusalError("unknown_proof", "The CCER registry has no such proof (RG-12).") from no


def _withdrawing_route(router: APIRouter, venue: Venue) -> None:
    may_withdraw = signed_by(venue, "POST /api/compliance/withdrawals")

    @router.post(
        "/api/compliance/withdrawals",
        tags=["mine"],
        responses=documented(Verdict, *PROBLEMS),
        openapi_extra=sent("TakeBackRequest"),
    )
    async def withdraw(content: Content, key: Key = may_withdraw) -> Response:
        """Take back what you have applied for and nobody has decided (CP-33)."""
        wanted, at_ns = taken(content, TakeBackRequest), now_ns(venue)
        decision = Decision("withdrawn", key.person, at_ns, wanted.note)
        return answer(
            await asked(
                lambda: decided(venue.registry, key, wanted.paper, [wanted.number], decision)
            )
        )


def _province_routes(router: APIRouter, venue: Venue) -> None:
    may_decide = signed_by(venue, "POST /api/compliance/decisions")
    may_notify = signed_by(venue, "POST /api/compliance/notices")

    @router.post(
        "/api/compliance/decisions",
        tags=["office"],
        responses=documented(Verdict, *PROBLEMS),
        openapi_extra=sent("VerdictRequest"),
    )
    async def decide(content: Content, key: Key = may_decide) -> Response:
        """Approve or reject what entities of your province have applied for (CP-32, CP-33)."""
        wanted, at_ns = taken(content, VerdictRequest), now_ns(venue)
        word = "approved" if wanted.approve else "rejected"
        decision = Decision(word, key.person, at_ns, wanted.note, key.province)
        return answer(
            await asked(
                lambda: decided(venue.registry, key, wanted.paper, wanted.numbers, decision)
            )
        )

    @router.post(
        "/api/compliance/notices",
        tags=["office"],
        responses=documented(Notified, *PROBLEMS),
        openapi_extra=sent("NoticeRequest"),
    )
    async def notify(content: Content, key: Key = may_notify) -> Response:
        """Give compliance notices to entities of your province (CP-32)."""
        wanted, at_ns = taken(content, NoticeRequest), now_ns(venue)

        def act() -> Notified:
            seen = seen_by(venue.registry, key)
            for entity in wanted.entities:
                refuse_foreign(seen, entity)
            return _notify(venue.registry, seen, wanted, at_ns)

        return answer(await asked(act))


def _notify(registry: Registry, seen: Seen, wanted: NoticeRequest, at_ns: int) -> Notified:
    compliance, year = registry.compliance, wanted.year
    chosen = set(wanted.entities)
    waiting: set[str] = set()
    if not chosen:
        final = {one.entity for one in compliance.allocations(year=year) if one.stage != "pre"}
        verified = {e for e in registry.monitoring.verified_of_year(year) if seen.has(e)}
        chosen, waiting = verified & final, verified - final
    found = compliance.notify(year, at_ns, chosen) if chosen else None
    told = [] if found is None else list(found.notified)
    return Notified(notified=told, without_allocation=sorted(waiting))


def decided(
    registry: Registry, key: Key, paper: str, numbers: list[int], decision: Decision
) -> Verdict:
    """Decide on papers that a key sees: all of them, or none."""
    refuse_unseen(registry, seen_by(registry, key), paper, numbers)
    with registry.database.write() as tx:
        papers.decide(tx, paper, numbers, decision)
    return Verdict(paper=paper, status=decision.verdict, decided=len(numbers))


def _handover_route(router: APIRouter, venue: Venue) -> None:
    may_hand_over = signed_by(venue, "POST /api/compliance/handovers")

    @router.post(
        "/api/compliance/handovers",
        tags=["office"],
        status_code=201,
        responses=documented(Handover, *PROBLEMS),
        openapi_extra=sent("HandoverRequest"),
    )
    async def hand_over(content: Content, key: Key = may_hand_over) -> Response:
        """Hand an allocation's rows over; a checker approves the request it makes (7.3, RG-09)."""
        wanted, at_ns = taken(content, HandoverRequest), now_ns(venue)
        rows = [{name: getattr(row, name) for name in row.__struct_fields__} for row in wanted.rows]

        def act() -> Handover:
            order = (wanted.plan, wanted.year, wanted.stage, rows, key.person, at_ns)
            issued = venue.registry.compliance.propose(
                *order, wanted.document, strict=wanted.strict
            )
            found, request = issued.handover, issued.request
            return Handover(
                entities=found.entities,
                tonnes=found.tonnes,
                refused=views(RefusedView, found.refused),
                mismatches=[one._asdict() for one in found.mismatches],
                request=None if request is None else request_view(request),
            )

        return answer(await asked(act), 201)
