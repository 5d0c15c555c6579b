"""The REST pages of risk watch (CP-40) and of what the public may know of a year (CP-39)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import ProblemError, answer, asked, documented, now_ns, sent, signed_by
from gateway.rest.books_messages import PartList
from gateway.rest.compliance_scope import seen_by, taken, view, views
from gateway.rest.later_messages import (
    GuardList,
    GuardView,
    PublishedList,
    PublishedRow,
    PublishedView,
    PublishRequest,
    WarningList,
    WarningView,
    Watched,
    WatchRequest,
)
from gateway.rest.lists import Paged, cut_at, dicts_as_table, listed
from gateway.venue import Venue
from registry.compliance.risk import market_of

Content = Annotated[dict[str, Any], Body()]
Part = Literal["annual", "provinces", "sectors", "entities"]
PathNumber = Annotated[int, Path(ge=1, le=2**53)]
READ = (401, 403, 404, 422)
WRITE = (401, 403, 404, 409, 422)


def disclosure_routes(router: APIRouter, venue: Venue) -> None:
    """Add warnings, proposals to the exchange, and the published years."""
    _watch_routes(router, venue)
    _public_routes(router, venue)
    _publishing_route(router, venue)


def _watch_routes(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/warnings")
    may_watch = signed_by(venue, "POST /api/compliance/warnings")
    may_guard = signed_by(venue, "GET /api/compliance/guards")

    @router.get(
        "/api/compliance/warnings",
        tags=["mine", "office"],
        responses=documented(WarningList, *READ),
    )
    async def warnings(page: Paged, key: Key = may_look) -> Response:
        """Who will fall short, by how much, at what cost (CP-40)."""

        def find() -> list[WarningView]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.watch.warnings(entity=seen.only)
            return views(WarningView, (row for row in rows if seen.has(row.entity)))

        return await listed(page, WarningList, find)

    @router.post(
        "/api/compliance/warnings",
        tags=["office"],
        status_code=201,
        responses=documented(Watched, *WRITE),
        openapi_extra=sent("WatchRequest"),
    )
    async def warn(content: Content, key: Key = may_watch) -> Response:
        """Watch risk now: warn the provinces, propose what must not be sold (CP-40, TR-116)."""
        wanted, at_ns = taken(content, WatchRequest), now_ns(venue)
        market = market_of(venue.exchange.state)

        order = (market, at_ns, wanted.years, wanted.price_fen or None)
        found = await asked(lambda: venue.registry.compliance.watch.warn(*order))
        count = {"open": len(found.risks), "at_risk": len(found.at_risk)}
        return answer(Watched(**count, guards=len(found.guards)), 201)

    @router.get(
        "/api/compliance/guards", tags=["office"], responses=documented(GuardList, 401, 403)
    )
    async def guards(page: Paged, _key: Key = may_guard) -> Response:
        """What the last risk watch proposes to guard (TR-116)."""

        def find() -> list[GuardView]:
            return views(GuardView, venue.registry.compliance.watch.guards())

        return await listed(page, GuardList, find, "entity", "account", "vintage")


def _public_routes(router: APIRouter, venue: Venue) -> None:
    @router.get("/api/disclosures", tags=["market"], responses=documented(PublishedList))
    async def disclosures(page: Paged) -> Response:
        """Which years were published when (CP-39)."""

        def find() -> list[PublishedRow]:
            return views(PublishedRow, venue.registry.compliance.disclosures.published())

        return await listed(page, PublishedList, find)

    @router.get(
        "/api/disclosures/{number}",
        tags=["market"],
        responses=documented(PublishedView, 404, 422),
    )
    async def published(number: PathNumber) -> Response:
        """A year as it was published: annual figures, provinces, sectors, entities."""
        found = await asked(venue.registry.compliance.disclosures.published)
        for one in found:
            if one.number == number:
                return answer(view(PublishedView, one, content=one.data()))
        raise ProblemError(404, "unknown_disclosure", "There is no disclosure of this number.")

    @router.get(
        "/api/disclosures/{number}/{part}",
        tags=["market"],
        responses=documented(PartList, 404, 422),
    )
    async def part(page: Paged, number: PathNumber, part: Part) -> Response:
        """One part of a published year as a table: JSON, CSV or Parquet (CP-38, CP-39)."""

        def find() -> list[dict[str, Any]] | None:
            for one in venue.registry.compliance.disclosures.published():
                if one.number == number:
                    found = one.data()[part]
                    return [found] if isinstance(found, dict) else list(found)
            return None

        rows = await asked(find)
        if rows is None:
            raise ProblemError(404, "unknown_disclosure", "There is no disclosure of this number.")
        shown, following = cut_at(page, rows)
        if page.form == "json":
            return answer(PartList(rows=list(shown), next=following))
        return dicts_as_table(page.form, shown, following)


def _publishing_route(router: APIRouter, venue: Venue) -> None:
    may_publish = signed_by(venue, "POST /api/compliance/disclosures")

    @router.post(
        "/api/compliance/disclosures",
        tags=["office"],
        status_code=201,
        responses=documented(PublishedView, *WRITE),
        openapi_extra=sent("PublishRequest"),
    )
    async def publish(content: Content, key: Key = may_publish) -> Response:
        """Publish how far a year is fulfilled, as of now; it stays as it is (CP-39)."""
        wanted, at_ns = taken(content, PublishRequest), now_ns(venue)

        def act() -> PublishedView:
            order = (wanted.year, key.person, at_ns)
            made = venue.registry.compliance.disclosures.publish(*order)
            return view(PublishedView, made, content=made.data())

        return answer(await asked(act), 201)
