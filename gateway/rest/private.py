"""The private REST pages of an account's people."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body, Path, Query
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import ProblemError, answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.lists import Paged, listed
from gateway.rest.messages import (
    AccountView,
    KeyList,
    KeyView,
    NegotiationList,
    NoticeList,
    NoticeView,
    ObjectionRequest,
    ObjectionView,
    OrderList,
    StatementView,
    TradeList,
)
from gateway.rest.views import (
    own_account,
    own_negotiations,
    own_orders,
    own_trades,
    registry_side,
)
from gateway.venue import Venue

After = Annotated[int, Query(ge=0, le=2**53, description="Show what is numbered above this.")]
Date = Annotated[int, Path(ge=0, le=99999999)]


def private_routes(router: APIRouter, venue: Venue) -> None:
    """Add the pages of an account: what it traded, what it has, what the registry says."""
    may_keys = signed_by(venue, "GET /api/keys")

    _trading_routes(router, venue)
    _registry_routes(router, venue)

    @router.get("/api/keys", tags=["mine"], responses=documented(KeyList, 401, 403))
    async def keys(key: Key = may_keys) -> Response:
        """The keys of your account, without secrets (role admin)."""
        found = [
            KeyView(key_id=each.key_id, person=each.person, roles=list(each.roles))
            for each in venue.keys.of_account(key.account)
        ]
        return answer(KeyList(keys=found))


def _trading_routes(router: APIRouter, venue: Venue) -> None:
    may_orders = signed_by(venue, "GET /api/orders")
    may_trades = signed_by(venue, "GET /api/trades")
    may_negotiations = signed_by(venue, "GET /api/negotiations")
    may_account = signed_by(venue, "GET /api/account")

    @router.get("/api/orders", tags=["mine"], responses=documented(OrderList, 401, 403))
    async def orders(
        key: Key = may_orders,
        after: After = 0,
        open: Annotated[bool, Query(description="Only what is open.")] = False,  # noqa: A002
    ) -> Response:
        """Your orders of today."""
        return answer(own_orders(venue.desk, key.account, after, open))

    @router.get("/api/trades", tags=["mine"], responses=documented(TradeList, 401, 403))
    async def trades(
        key: Key = may_trades,
        after: After = 0,
    ) -> Response:
        """Your trades of today; the deal record names the other side (U5)."""
        return answer(own_trades(venue.desk, key.account, after))

    @router.get("/api/negotiations", tags=["mine"], responses=documented(NegotiationList, 401, 403))
    async def negotiations(key: Key = may_negotiations) -> Response:
        """Your open bulk negotiations, and the offers directed at you (TR-72, TR-75)."""
        return answer(own_negotiations(venue.desk, key.account))

    @router.get("/api/account", tags=["mine"], responses=documented(AccountView, 401, 403))
    async def account(key: Key = may_account) -> Response:
        """Your cash and holdings, on the trading side and at the registry (RG-06)."""
        other = await asyncio.to_thread(registry_side, venue.registry, key.account)
        found = own_account(venue.desk, key.account)
        found.registry = other
        return answer(found)


def _registry_routes(router: APIRouter, venue: Venue) -> None:
    may_statements = signed_by(venue, "GET /api/statements")
    may_objections = signed_by(venue, "POST /api/objections")

    registry = venue.registry

    @router.get(
        "/api/statements/{date}", tags=["mine"], responses=documented(StatementView, 401, 403, 404)
    )
    async def statement(date: Date, key: Key = may_statements) -> Response:
        """Your statement of a posted day (ST-05), and whether it stands (ST-06)."""
        at_ns = now_ns(venue)

        def find() -> Any:
            found = registry.statement(key.account, date)
            status = "" if found is None else registry.statement_status(key.account, date, at_ns)
            return found, status

        found, status = await asked(find)
        if found is None:
            raise ProblemError(404, "unknown_date", "There is no statement of this date.")
        return answer({"status": status, **found.as_dict()})

    @router.post(
        "/api/objections",
        tags=["mine"],
        status_code=201,
        responses=documented(ObjectionView, 401, 403, 404, 409, 422),
        openapi_extra=sent("ObjectionRequest"),
    )
    async def objection(
        content: Annotated[dict[str, Any], Body()],
        key: Key = may_objections,
    ) -> Response:
        """Object to a statement, in writing, before the next day opens (ST-06, E53)."""
        try:
            wanted = msgspec.convert(content, ObjectionRequest)
        except msgspec.ValidationError as error:
            raise ProblemError(422, "invalid_request", str(error)) from error
        at_ns = now_ns(venue)
        made = await asked(lambda: registry.object(key.account, wanted.date, wanted.wording, at_ns))
        view = ObjectionView(date=made.date, time_us=made.at_ns // 1000, wording=made.wording)
        return answer(view, 201)

    _notice_route(router, venue)


def _notice_route(router: APIRouter, venue: Venue) -> None:
    may_notices = signed_by(venue, "GET /api/notices")
    registry = venue.registry

    @router.get("/api/notices", tags=["mine"], responses=documented(NoticeList, 401, 403))
    async def notices(page: Paged, key: Key = may_notices) -> Response:
        """What the registry has told you (RG-14, RG-15, ST-05)."""

        def find() -> list[NoticeView]:
            found = registry.notices(key.account)
            return [NoticeView(**each._asdict(), time_us=each.at_ns // 1000) for each in found]

        return await listed(page, NoticeList, find)
