"""The REST pages of the registry of voluntary reductions (VM-10, RG-12)."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.compliance_scope import taken, view, views
from gateway.rest.later_messages import (
    BatchList,
    BatchRequest,
    BatchView,
    CancellationDecision,
    CancellationList,
    CancellationRequest,
    CancellationTakeBack,
    CancellationView,
    ProjectList,
    ProjectRequest,
    ProjectView,
    ProofView,
    Reductions,
)
from gateway.rest.lists import Paged, listed
from gateway.rest.messages import RequestView
from gateway.rest.registry import request_view
from gateway.venue import Venue
from registry import listing
from registry.errors import RefusalError
from registry.institution import Registry
from registry.offsets.cancelling import Cancellation, NewCancellation
from registry.offsets.registering import refuse_other_market

Content = Annotated[dict[str, Any], Body()]
ProofNumber = Annotated[str, Path(max_length=32)]
READ = (401, 403, 404)
WRITE = (401, 403, 404, 409, 422)


def offset_routes(router: APIRouter, venue: Venue) -> None:
    """Add projects and batches, cancellations and their proofs."""
    _public_route(router, venue)
    _entering_routes(router, venue)
    _looking_routes(router, venue)
    _asking_routes(router, venue)
    _deciding_route(router, venue)


def _public_route(router: APIRouter, venue: Venue) -> None:
    @router.get("/api/offsets/reductions", tags=["market"], responses=documented(Reductions))
    async def reductions() -> Response:
        """Every project, and every batch: what of it is held, traded, cancelled (VM-10)."""

        def find() -> Reductions:
            offsets = venue.registry.offsets
            projects = views(ProjectView, offsets.projects().values())
            return Reductions(projects=projects, batches=views(BatchView, offsets.standings()))

        return answer(await asked(find))

    @router.get("/api/offsets/projects", tags=["market"], responses=documented(ProjectList, 422))
    async def projects(page: Paged) -> Response:
        """Every project, page by page (VM-10)."""

        def find() -> list[ProjectView]:
            return views(ProjectView, venue.registry.offsets.projects().values())

        return await listed(page, ProjectList, find, "code")

    @router.get("/api/offsets/batches", tags=["market"], responses=documented(BatchList, 422))
    async def batches(page: Paged) -> Response:
        """Every batch, page by page: what of it is held, traded, cancelled (VM-10)."""

        def find() -> list[BatchView]:
            return views(BatchView, venue.registry.offsets.standings())

        return await listed(page, BatchList, find, "batch")


def _entering_routes(router: APIRouter, venue: Venue) -> None:
    may_project = signed_by(venue, "POST /api/offsets/projects")
    may_batch = signed_by(venue, "POST /api/offsets/batches")
    approvals = venue.registry.approvals

    @router.post(
        "/api/offsets/projects",
        tags=["office"],
        status_code=201,
        responses=documented(RequestView, *WRITE),
        openapi_extra=sent("ProjectRequest"),
    )
    async def enter(content: Content, key: Key = may_project) -> Response:
        """Ask for a project to be entered; a checker decides (VM-06, ST-07)."""
        wanted, at_ns = taken(content, ProjectRequest), now_ns(venue)

        def act() -> RequestView:
            refuse_other_market(venue.registry.profile)
            with venue.registry.database.read() as tx:
                owner = listing.index_of(tx, wanted.owner)
            values = {**msgspec.structs.asdict(wanted), "owner": owner}
            order = (key.person, "register_project", values, at_ns)
            return request_view(approvals.request(*order))

        return answer(await asked(act), 201)

    @router.post(
        "/api/offsets/batches",
        tags=["office"],
        status_code=201,
        responses=documented(RequestView, *WRITE),
        openapi_extra=sent("BatchRequest"),
    )
    async def register(content: Content, key: Key = may_batch) -> Response:
        """Ask for a batch to be registered and issued; a checker decides (VM-06, ST-07)."""
        wanted, at_ns = taken(content, BatchRequest), now_ns(venue)

        def act() -> RequestView:
            refuse_other_market(venue.registry.profile)
            venue.registry.offsets.project(wanted.project)
            order = (key.person, "register_batch", msgspec.structs.asdict(wanted), at_ns)
            return request_view(approvals.request(*order))

        return answer(await asked(act), 201)


def _looking_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/offsets/cancellations")
    may_prove = signed_by(venue, "GET /api/offsets/proofs")

    @router.get(
        "/api/offsets/cancellations",
        tags=["mine", "office"],
        responses=documented(CancellationList, *READ),
    )
    async def cancellations(page: Paged, key: Key = may_look) -> Response:
        """Cancellations: an account's own, or to the registry's people all (VM-10)."""
        own = key.account if key.account >= 0 else None

        def find() -> list[CancellationView]:
            return views(CancellationView, venue.registry.offsets.cancellations(own))

        return await listed(page, CancellationList, find)

    @router.get(
        "/api/offsets/proofs/{number}",
        tags=["mine", "office"],
        responses=documented(ProofView, *READ),
    )
    async def proof(number: ProofNumber, key: Key = may_prove) -> Response:
        """The proof of a cancellation, to show to the allowance registry (RG-12)."""

        def find() -> ProofView:
            offsets = venue.registry.offsets
            if key.account >= 0:
                mine = {one.proof for one in offsets.cancellations(key.account) if one.proof}
                if number not in mine:
                    text = f"No proof {number[:40]!r} was issued (RG-12)."
                    raise RefusalError("unknown_proof", text)
            return view(ProofView, offsets.proof(number))

        return answer(await asked(find))


def _asking_routes(router: APIRouter, venue: Venue) -> None:
    may_ask = signed_by(venue, "POST /api/offsets/cancellations")
    may_withdraw = signed_by(venue, "POST /api/offsets/withdrawals")

    @router.post(
        "/api/offsets/cancellations",
        tags=["mine"],
        status_code=201,
        responses=documented(CancellationView, *WRITE),
        openapi_extra=sent("CancellationRequest"),
    )
    async def cancel(content: Content, key: Key = may_ask) -> Response:
        """Ask for reductions of yours to be cancelled: the tonnes wait (VM-10)."""
        wanted, at_ns = taken(content, CancellationRequest), now_ns(venue)
        order = (wanted.batch, wanted.tonnes, wanted.kind, wanted.purpose, wanted.beneficiary)
        new = NewCancellation(key.account, *order, wanted.obligation_year)
        made = await asked(
            lambda: venue.registry.offsets.apply(new, key.person, at_ns, wanted.document)
        )
        return answer(view(CancellationView, made), 201)

    @router.post(
        "/api/offsets/withdrawals",
        tags=["mine"],
        responses=documented(CancellationView, *WRITE),
        openapi_extra=sent("CancellationTakeBack"),
    )
    async def withdraw(content: Content, key: Key = may_withdraw) -> Response:
        """Take back what you have asked for and nobody has decided."""
        wanted, at_ns = taken(content, CancellationTakeBack), now_ns(venue)

        def act() -> Cancellation:
            _refuse_foreign(venue.registry, key.account, wanted.number)
            order = (wanted.number, key.person, wanted.note, at_ns)
            return venue.registry.offsets.withdraw(*order)

        return answer(view(CancellationView, await asked(act)))


def _refuse_foreign(registry: Registry, account: int, number: int) -> None:
    if registry.offsets.cancellation(number).account != account:
        raise unknown(number)


def unknown(number: int) -> RefusalError:
    """Return the refusal of a cancellation that is not there, or somebody else's."""
    return RefusalError("unknown_cancellation", f"There is no cancellation {number!r}.")


def _deciding_route(router: APIRouter, venue: Venue) -> None:
    may_decide = signed_by(venue, "POST /api/offsets/decisions")

    @router.post(
        "/api/offsets/decisions",
        tags=["office"],
        responses=documented(CancellationView, *WRITE),
        openapi_extra=sent("CancellationDecision"),
    )
    async def decide(content: Content, key: Key = may_decide) -> Response:
        """Cancel for ever and issue the proof, or give the tonnes back (VM-10, ST-07)."""
        wanted, at_ns = taken(content, CancellationDecision), now_ns(venue)

        def act() -> Cancellation:
            offsets = venue.registry.offsets
            if wanted.approve:
                return offsets.approve(wanted.number, key.person, wanted.sha256, at_ns)
            return offsets.reject(wanted.number, key.person, wanted.note, at_ns)

        return answer(view(CancellationView, await asked(act)))
