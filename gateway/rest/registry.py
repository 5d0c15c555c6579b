"""The REST pages of the registry's people: what two of them decide about its own books (ST-07).

A request of a maker is never changed; whoever approves quotes the hash of what was read. Court
orders and restrictions go on to the exchange as commands with both people's numbers.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import ProblemError, answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.lists import Paged, listed
from gateway.rest.messages import (
    DecisionRequest,
    DefaultList,
    RegistryRequest,
    RequestList,
    RequestView,
    WithdrawalRequest,
)
from gateway.venue import Venue
from registry.approvals import Request

Content = Annotated[dict[str, Any], Body()]
PROBLEMS = (401, 403, 404, 409, 422)


def registry_routes(router: APIRouter, venue: Venue) -> None:
    """Add the registry's counter: ask, look, decide; and its defaults."""
    _deciding_routes(router, venue)
    _withdrawing_route(router, venue)
    approvals, registry = venue.registry.approvals, venue.registry
    may_read = signed_by(venue, "GET /api/registry/requests")
    may_look = signed_by(venue, "GET /api/registry/defaults")

    @router.get(
        "/api/registry/requests", tags=["office"], responses=documented(RequestList, 401, 403)
    )
    async def requests(page: Paged, _key: Key = may_read) -> Response:
        """Every request at the registry and what became of it (ST-07)."""

        def find() -> list[RequestView]:
            return [request_view(each) for each in approvals.all()]

        return await listed(page, RequestList, find)

    @router.get(
        "/api/registry/defaults", tags=["office"], responses=documented(DefaultList, 401, 403)
    )
    async def defaults(_key: Key = may_look) -> Response:
        """Defaults of subjects, and the settlement risk reserve (ST-08, ST-11)."""
        found, reserve_fen = await asked(lambda: (registry.defaults(), registry.reserve_fen()))
        rows = [each._asdict() for each in found]
        return answer(DefaultList(reserve_fen=reserve_fen, defaults=rows))


def _deciding_routes(router: APIRouter, venue: Venue) -> None:
    approvals = venue.registry.approvals
    may_ask = signed_by(venue, "POST /api/registry/requests")
    may_decide = signed_by(venue, "POST /api/registry/decisions")

    @router.post(
        "/api/registry/requests",
        tags=["office"],
        status_code=201,
        responses=documented(RequestView, *PROBLEMS),
        openapi_extra=sent("RegistryRequest"),
    )
    async def ask(content: Content, key: Key = may_ask) -> Response:
        """Ask for an issue, a correction, a court order, a restriction …; nothing moves yet."""
        wanted = _read(content, RegistryRequest)
        at_ns = now_ns(venue)
        made = await asked(
            lambda: approvals.request(key.person, wanted.action, wanted.values, at_ns)
        )
        return answer(request_view(made), 201)

    @router.post(
        "/api/registry/decisions",
        tags=["office"],
        responses=documented(RequestView, *PROBLEMS),
        openapi_extra=sent("DecisionRequest"),
    )
    async def decide(content: Content, key: Key = may_decide) -> Response:
        """Approve (with the hash of what was read) or refuse somebody else's request."""
        wanted = _read(content, DecisionRequest)
        at_ns, number = now_ns(venue), wanted.number

        def act() -> Request:
            if wanted.approve:
                return approvals.approve(number, key.person, wanted.sha256, at_ns)
            return approvals.refuse(number, key.person, wanted.note, at_ns)

        return answer(request_view(await asked(act)))


def _withdrawing_route(router: APIRouter, venue: Venue) -> None:
    approvals = venue.registry.approvals
    may_withdraw = signed_by(venue, "POST /api/registry/withdrawals")

    @router.post(
        "/api/registry/withdrawals",
        tags=["office"],
        responses=documented(RequestView, *PROBLEMS),
        openapi_extra=sent("WithdrawalRequest"),
    )
    async def withdraw(content: Content, key: Key = may_withdraw) -> Response:
        """Take an own request back that nobody has decided about, saying why."""
        wanted = _read(content, WithdrawalRequest)
        at_ns = now_ns(venue)
        taken = await asked(
            lambda: approvals.withdraw(wanted.number, key.person, wanted.note, at_ns)
        )
        return answer(request_view(taken))


def _read(content: dict[str, Any], kind: Any) -> Any:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise ProblemError(422, "invalid_request", str(error)) from error


def request_view(request: Request) -> RequestView:
    """Return a request as people see it."""
    return RequestView(
        number=request.number,
        maker=request.maker,
        action=request.action,
        values=request.values,
        sha256=request.sha256,
        status=request.status,
        checker=request.checker,
        note=request.note,
        outcome=request.outcome,
        reason=request.reason,
    )
