"""REST: what is listed, what is mine, what the public may know. Orders go by socket.

Private pages want three headers: ``X-Tanshi-Key`` (key id), ``X-Tanshi-Time`` (microseconds since
1970) and ``X-Tanshi-Signature`` = hex HMAC-SHA256(secret, time + ":" + METHOD + ":" + target); the
target is the path with its query as sent; where there is a body, ":" and its hex SHA-256 follow.
Pages run in the event loop, between two batches; what asks the registry waits in a thread.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import Response

from engine.records import Mode, Phase
from gateway.rest.answers import ProblemError, answer, documented
from gateway.rest.books import book_routes
from gateway.rest.bulk import bulk_routes
from gateway.rest.bulk_compliance import bulk_compliance_routes
from gateway.rest.clock import clock_routes
from gateway.rest.compliance import compliance_routes
from gateway.rest.disclosure import disclosure_routes
from gateway.rest.later import later_routes
from gateway.rest.market import market_routes
from gateway.rest.messages import (
    BoardView,
    BulletinDates,
    DepthView,
    Health,
    InstrumentList,
    InstrumentView,
    OfferView,
    SessionList,
)
from gateway.rest.monitoring import monitoring_routes
from gateway.rest.office import office_routes
from gateway.rest.offsets import offset_routes
from gateway.rest.private import private_routes
from gateway.rest.registry import registry_routes
from gateway.rest.reporting import reporting_routes
from gateway.rest.surrender import surrender_routes
from gateway.rest.terms import term_routes
from gateway.venue import Venue
from gateway.wire.asyncapi import as_text
from gateway.wire.refusals import REFUSALS
from marketdata.bulletin import Bulletin

Code = Annotated[str, Path(max_length=16)]


def routes(venue: Venue) -> APIRouter:
    """Return the REST pages of ``venue``, under the path of its market."""
    router = APIRouter(prefix=venue.market.path)
    _public_routes(router, venue)
    clock_routes(router, venue)
    private_routes(router, venue)
    office_routes(router, venue)
    registry_routes(router, venue)
    compliance_routes(router, venue)
    surrender_routes(router, venue)
    monitoring_routes(router, venue)
    reporting_routes(router, venue)
    later_routes(router, venue)
    term_routes(router, venue)
    disclosure_routes(router, venue)
    offset_routes(router, venue)
    book_routes(router, venue)
    bulk_routes(router, venue)
    bulk_compliance_routes(router, venue)
    return router


def _known(venue: Venue, instrument: str) -> None:
    if instrument not in venue.feed.codes:
        raise ProblemError(404, "unknown_instrument", REFUSALS["unknown_instrument"].sentence)


def _public_routes(router: APIRouter, venue: Venue) -> None:
    @router.get("/api/instruments", tags=["market"], responses=documented(InstrumentList))
    async def instruments() -> Response:
        """Every listed vintage with today's reference and price limits."""
        return answer(_instruments(venue))

    @router.get("/api/depth/{instrument}", tags=["market"], responses=documented(DepthView, 404))
    async def depth(instrument: Code) -> Response:
        """The five best levels of both sides."""
        venue.publisher.flush()
        _known(venue, instrument)
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

    _negotiated_routes(router, venue)
    _venue_routes(router, venue)
    market_routes(router, venue)


def _negotiated_routes(router: APIRouter, venue: Venue) -> None:
    @router.get("/api/bulk/{instrument}", tags=["market"], responses=documented(BoardView, 404))
    async def board(instrument: Code) -> Response:
        """The board of public bulk offers, buyers then sellers, best price first (TR-75)."""
        venue.publisher.flush()
        _known(venue, instrument)
        offers = [
            OfferView(
                order_no=each.order_no,
                side=each.side,
                price_ticks=each.price_ticks,
                qty_tonnes=each.qty_tonnes,
            )
            for each in venue.feed.board(instrument).offers()
        ]
        return answer(BoardView(instrument=instrument, offers=offers))

    @router.get(
        "/api/sessions/{instrument}", tags=["market"], responses=documented(SessionList, 404)
    )
    async def sessions(instrument: Code) -> Response:
        """The published bidding sessions of today and their results (TR-81, TR-84)."""
        venue.publisher.flush()
        _known(venue, instrument)
        seen = venue.feed.snapshot(instrument).sessions
        return answer(SessionList(instrument=instrument, sessions=list(seen)))


def _venue_routes(router: APIRouter, venue: Venue) -> None:
    @router.get("/asyncapi.json", include_in_schema=False)
    async def sockets() -> Response:
        """The sockets' messages, as AsyncAPI 3."""
        return Response(as_text(), media_type="application/json")

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
