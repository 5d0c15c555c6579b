"""The web application: two WebSocket doors, the REST pages, and their description (OpenAPI)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from fastapi import FastAPI, Request, WebSocket
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.responses import PlainTextResponse, Response
from fastapi_offline import FastAPIOffline
from starlette.exceptions import HTTPException

from gateway.connection import Door, serve_market_data, serve_trading
from gateway.limits import Limits
from gateway.metrics import CONTENT_TYPE, Metrics
from gateway.rest.answers import ProblemError, answer, documented
from gateway.rest.bodies import Bodies
from gateway.rest.books_messages import BOOKS_DOCUMENTED
from gateway.rest.bulk_messages import BULK_DOCUMENTED
from gateway.rest.clock import CLOCK_DOCUMENTED
from gateway.rest.compliance_messages import COMPLIANCE_DOCUMENTED
from gateway.rest.later_messages import LATER_DOCUMENTED
from gateway.rest.market_views import MARKET_DOCUMENTED
from gateway.rest.messages import DOCUMENTED, Problem, Ready
from gateway.rest.monitoring_messages import MONITORING_DOCUMENTED
from gateway.rest.penalty_messages import TERMS_DOCUMENTED
from gateway.rest.routes import routes
from gateway.rest.uploads import Uploads
from gateway.rest.web_page import page_routes
from gateway.venue import Venue

DESCRIPTION = """
A trading-system simulator of China's national carbon market.

Orders go by WebSocket (`/ws/trade`, market data `/ws/md`; subprotocols `json.v1` and `msgpack.v1`).
These pages read. Private ones want a signed request: headers `X-Tanshi-Key` (key id),
`X-Tanshi-Time` (microseconds since 1970, within a minute) and `X-Tanshi-Signature` =
hex HMAC-SHA256(secret, `<time>:<METHOD>:<path and query>`, and `:<hex SHA-256 of the body>` where
there is one). What a page wants of your key's roles is in `gateway/authority.py`.

Prices are ticks of 0.01 yuan, quantities tonnes, money fen, times microseconds since 1970 (UTC),
dates YYYYMMDD: all whole numbers.
"""


def create_app(
    venues: Venue | Sequence[Venue], origins: Iterable[str] = (), limits: Limits | None = None
) -> FastAPI:
    """Return the application of started venues, each under the path of its market.

    ``origins`` are web pages that may connect; ``limits`` bound the connections.
    """
    app = FastAPIOffline(  # /docs with scripts of its own: it works without internet
        title="tanshi", description=DESCRIPTION, version="1", redoc_url=None
    )
    venues = [venues] if isinstance(venues, Venue) else venues
    app.add_middleware(Bodies, uploads=Uploads(venues))
    door = Door(origins, limits or Limits())
    _watching(app, Metrics(venues, door), venues)
    for venue in venues:
        app.include_router(routes(venue))
        app.include_router(page_routes(venue.market.path))
        _sockets(app, venue, door)

    @app.exception_handler(ProblemError)
    async def problem(_request: Request, error: ProblemError) -> Response:
        return answer(error.problem, error.status)

    @app.exception_handler(HTTPException)
    async def elsewhere(_request: Request, error: HTTPException) -> Response:
        code = {404: "unknown_page", 405: "unknown_method"}.get(
            error.status_code, "invalid_request"
        )
        return answer(Problem(code=code, reason=str(error.detail)), error.status_code)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return answer(Problem(code="invalid_request", reason=f"{where}: {first['msg']}"), 422)

    _describe(app)
    return app


def _watching(app: FastAPI, metrics: Metrics, venues: Sequence[Venue]) -> None:
    """Pages for who runs the process; ``/healthz`` of each market is beside its other pages."""

    @app.get("/metrics", tags=["process"], response_class=PlainTextResponse)
    async def figures() -> Response:
        """Figures in the format of Prometheus; docs/reference/operations.md names them."""
        return Response(metrics.page(), media_type=CONTENT_TYPE)

    @app.get("/readyz", tags=["process"], responses=documented(Ready, 503))
    async def ready() -> Response:
        """Whether orders are taken: 503 once a venue has stopped working or is stopping."""
        broken = [venue.market.name for venue in venues if not venue.working]
        if broken:
            raise ProblemError(
                503, "not_ready", f"These markets have stopped: {', '.join(broken)}."
            )
        return answer(Ready(ready=True, markets=[venue.market.name for venue in venues]))


def _sockets(app: FastAPI, venue: Venue, door: Door) -> None:
    @app.websocket(venue.market.path + "/ws/trade")
    async def trade(socket: WebSocket) -> None:
        await serve_trading(socket, venue, door)

    @app.websocket(venue.market.path + "/ws/md")
    async def market_data(socket: WebSocket) -> None:
        await serve_market_data(socket, venue, door)


def _describe(app: FastAPI) -> None:
    """Put the answers' schemas, made from the very Structs, into the OpenAPI document."""
    described = (*DOCUMENTED, *MARKET_DOCUMENTED, *COMPLIANCE_DOCUMENTED)
    described += (*MONITORING_DOCUMENTED, *LATER_DOCUMENTED, *BULK_DOCUMENTED)
    described += (*BOOKS_DOCUMENTED, *CLOCK_DOCUMENTED, *TERMS_DOCUMENTED)
    _, schemas = msgspec.json.schema_components(
        described, ref_template="#/components/schemas/{name}"
    )

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = get_openapi(
                title=app.title,
                version=app.version,
                description=app.description,
                routes=app.routes,
            )
            document.setdefault("components", {}).setdefault("schemas", {}).update(schemas)
            app.openapi_schema = document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
