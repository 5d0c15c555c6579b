"""REST: what is listed, what is mine, what the public may know. Read only; orders go by socket.

Private pages want three headers: ``X-Tanshi-Key`` (key id), ``X-Tanshi-Time`` (microseconds since
1970) and ``X-Tanshi-Signature`` = hex HMAC-SHA256(secret, time + ":" + METHOD + ":" + target); the
target is the path with its query as sent. Pages run in the event loop, between two batches.
"""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import Response

from engine.records import Kind, Mode, OrderStatus, Phase
from gateway.desk import Desk
from gateway.keys import Key
from gateway.refusals import REFUSALS
from gateway.reports import CODES, SIDES
from gateway.rest_messages import (
    AccountView,
    BulletinDates,
    DepthView,
    Health,
    HoldingView,
    InstrumentList,
    InstrumentView,
    OrderList,
    OrderView,
    Problem,
    TradeList,
    TradeView,
)
from gateway.venue import Venue
from marketdata.bulletin import Bulletin

PAGE_MAX = 500
After = Annotated[int, Query(ge=0, le=2**53, description="Show what is numbered above this.")]


class ProblemError(Exception):
    """Ends a request with a status, a stable code and a sentence."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.problem = Problem(code=code, reason=reason)


def answer(content: object, status: int = 200) -> Response:
    """Return ``content`` as JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def documented(kind: type, *problems: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a page for OpenAPI."""

    def of(name: str, text: str) -> dict[str, Any]:
        schema = {"$ref": f"#/components/schemas/{name}"}
        return {"description": text, "content": {"application/json": {"schema": schema}}}

    found: dict[int | str, dict[str, Any]] = {200: of(kind.__name__, (kind.__doc__ or "").strip())}
    for status in problems:
        found[status] = of("Problem", "Refused.")
    return found


def own_orders(desk: Desk, account: int, after: int, only_open: bool) -> OrderList:
    """Return the account's orders of today numbered above ``after``, at most a page."""
    market = desk.exchange.state.market[0]
    base = int(market["order_base"])
    orders = desk.exchange.orders_today()
    mine = orders["account"] == account
    mine[: max(1, after - base + 1)] = False
    if only_open:
        mine &= (orders["status"] == OrderStatus.OPEN) | (
            orders["status"] == OrderStatus.PART_FILLED
        )
    chosen = np.flatnonzero(mine)
    found = [
        OrderView(
            order_no=base + int(row),
            client_order_id=_identity(desk, base + int(row)),
            kind=Kind(int(order["kind"])).name.lower(),
            instrument=desk.codes[int(order["instrument"])],
            side=SIDES[int(order["side"])],
            price_ticks=int(order["price_ticks"]),
            qty_tonnes=int(order["qty_tonnes"]),
            leaves_qty=int(order["leaves_qty"]),
            frozen_fen=int(order["frozen_fen"]),
            status=OrderStatus(int(order["status"])).name.lower(),
            reason=CODES[int(order["reason"])] if order["reason"] else "",
            seq=int(order["seq"]),
            time_us=int(order["time_ns"]) // 1000,
        )
        for row, order in zip(chosen[:PAGE_MAX], orders[chosen[:PAGE_MAX]], strict=True)
    ]
    return OrderList(date=int(market["date"]), orders=found, more=len(chosen) > PAGE_MAX)


def own_trades(desk: Desk, account: int, after: int) -> TradeList:
    """Return the account's trades of today numbered above ``after``, at most a page."""
    market = desk.exchange.state.market[0]
    base = int(market["trade_base"])
    trades = desk.exchange.trades_today()
    mine = (trades["buyer"] == account) | (trades["seller"] == account)
    mine[: max(0, after - base)] = False
    chosen = np.flatnonzero(mine)
    found = []
    for row, trade in zip(chosen[:PAGE_MAX], trades[chosen[:PAGE_MAX]], strict=True):
        side = "buy" if int(trade["buyer"]) == account else "sell"
        order_no = int(trade[f"{side}_order_no"])
        value_fen = int(trade["price_ticks"]) * int(trade["qty_tonnes"])
        found.append(
            TradeView(
                trade_no=base + int(row) + 1,
                order_no=order_no,
                client_order_id=_identity(desk, order_no),
                instrument=desk.codes[int(trade["instrument"])],
                side=side,
                price_ticks=int(trade["price_ticks"]),
                qty_tonnes=int(trade["qty_tonnes"]),
                value_fen=value_fen,
                fee_fen=int(trade[f"{side}_fee_fen"]),
                taker=SIDES[int(trade["taker_side"])] == side,
                seq=int(trade["seq"]),
                time_us=int(trade["time_ns"]) // 1000,
            )
        )
    return TradeList(date=int(market["date"]), trades=found, more=len(chosen) > PAGE_MAX)


def own_account(desk: Desk, account: int) -> AccountView:
    """Return the account's cash and holdings; vintages it has nothing of are left out."""
    state = desk.exchange.state
    row = state.accounts[account]
    available, proceeds = int(row["cash_available_fen"]), int(row["proceeds_today_fen"])
    held = [
        HoldingView(
            instrument=code,
            available_tonnes=int(holding["available_tonnes"]),
            frozen_tonnes=int(holding["frozen_tonnes"]),
            bought_today_tonnes=int(holding["bought_today_tonnes"]),
        )
        for code, holding in zip(desk.codes, state.holdings[account], strict=False)
        if holding["available_tonnes"] or holding["frozen_tonnes"] or holding["bought_today_tonnes"]
    ]
    return AccountView(
        account=account,
        cash_available_fen=available,
        cash_frozen_fen=int(row["cash_frozen_fen"]),
        proceeds_today_fen=proceeds,
        withdrawable_fen=max(0, available - proceeds),
        open_orders=int(row["open_orders"]),
        holdings=held,
    )


def _identity(desk: Desk, order_no: int) -> str:
    return desk.record.order_identity(order_no)


def routes(venue: Venue) -> APIRouter:
    """Return the REST pages of ``venue``."""
    router = APIRouter()
    _public_routes(router, venue)
    _private_routes(router, venue)
    return router


def _signed_by(venue: Venue) -> Any:
    async def caller(
        request: Request,
        x_tanshi_key: Annotated[str, Header(description="Your key id.")] = "",
        x_tanshi_time: Annotated[str, Header(description="Microseconds since 1970.")] = "",
        x_tanshi_signature: Annotated[str, Header(description="See the description above.")] = "",
    ) -> Key:
        query = request.scope["query_string"].decode("latin-1")
        path = request.scope["raw_path"].decode("latin-1")
        target = f"{path}?{query}" if query else path
        time_us = int(x_tanshi_time) if x_tanshi_time.isascii() and x_tanshi_time.isdigit() else 0
        found = venue.keys.check_request(
            x_tanshi_key,
            time_us,
            request.method,
            target,
            x_tanshi_signature,
            time.time_ns() // 1000,
        )
        known = int(venue.exchange.state.market[0]["accounts"])
        if found is None or found.account >= known:
            raise ProblemError(401, "bad_credentials", REFUSALS["bad_credentials"].sentence)
        return found

    return Depends(caller)


def _private_routes(router: APIRouter, venue: Venue) -> None:
    signed = _signed_by(venue)

    @router.get("/api/orders", tags=["mine"], responses=documented(OrderList, 401))
    async def orders(
        key: Key = signed,
        after: After = 0,
        open: Annotated[bool, Query(description="Only what is open.")] = False,  # noqa: A002
    ) -> Response:
        """Your orders of today."""
        return answer(own_orders(venue.desk, key.account, after, open))

    @router.get("/api/trades", tags=["mine"], responses=documented(TradeList, 401))
    async def trades(
        key: Key = signed,
        after: After = 0,
    ) -> Response:
        """Your trades of today."""
        return answer(own_trades(venue.desk, key.account, after))

    @router.get("/api/account", tags=["mine"], responses=documented(AccountView, 401))
    async def account(key: Key = signed) -> Response:
        """Your cash and holdings."""
        return answer(own_account(venue.desk, key.account))


def _public_routes(router: APIRouter, venue: Venue) -> None:
    @router.get("/api/instruments", tags=["market"], responses=documented(InstrumentList))
    async def instruments() -> Response:
        """Every listed vintage with today's reference and price limits."""
        return answer(_instruments(venue))

    @router.get("/api/depth/{instrument}", tags=["market"], responses=documented(DepthView, 404))
    async def depth(instrument: Annotated[str, Path(max_length=16)]) -> Response:
        """The five best levels of both sides."""
        venue.publisher.flush()
        if instrument not in venue.feed.codes:
            raise ProblemError(404, "unknown_instrument", REFUSALS["unknown_instrument"].sentence)
        seen = venue.feed.snapshot(instrument)
        return answer(
            DepthView(
                epoch=seen.epoch,
                seq=seen.seq,
                instrument=instrument,
                depth=seen.depth,
                quote=seen.quote,
            )
        )

    @router.get("/api/bulletins", tags=["market"], responses=documented(BulletinDates))
    async def bulletins() -> Response:
        """The days that have a bulletin."""
        return answer(BulletinDates(dates=sorted(venue.feed.bulletins)))

    @router.get("/api/bulletins/{date}", tags=["market"], responses=documented(Bulletin, 404))
    async def bulletin(date: Annotated[int, Path(ge=0, le=99999999)]) -> Response:
        """The daily bulletin in the exchange's own content (TR-141, TR-142)."""
        found = venue.feed.bulletin(date)
        if found is None:
            raise ProblemError(404, "unknown_date", "There is no bulletin of this date.")
        return answer(found)

    @router.get("/healthz", tags=["venue"], responses=documented(Health))
    async def health() -> Response:
        """Whether the venue is well, and where it stands."""
        market = venue.exchange.state.market[0]
        return answer(
            Health(
                status="held" if venue.held else "ok",
                held=venue.held,
                date=int(market["date"]),
                phase=Phase(int(market["phase"])).name.lower(),
                seq=int(market["seq"]),
                time_us=int(market["time_ns"]) // 1000,
            )
        )


def _instruments(venue: Venue) -> InstrumentList:
    market = venue.exchange.state.market[0]
    rows = venue.exchange.state.instruments[: int(market["instruments"])]
    return InstrumentList(
        date=int(market["date"]),
        phase=Phase(int(market["phase"])).name.lower(),
        instruments=[
            InstrumentView(
                code=bytes(row["code"]).decode(),
                mode=Mode(int(row["mode"])).name.lower(),
                reference_ticks=int(row["reference_ticks"]),
                lower_limit_ticks=int(row["lower_limit_ticks"]),
                upper_limit_ticks=int(row["upper_limit_ticks"]),
                last_ticks=int(row["last_ticks"]),
                close_ticks=int(row["close_ticks"]),
            )
            for row in rows
        ],
    )
