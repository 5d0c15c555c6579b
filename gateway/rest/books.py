"""The REST pages of the books: holdings, postings, certificates, notices, deductions, earmarks."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response
from sqlalchemy import Connection, select

from gateway.keys import Key
from gateway.rest.answers import ProblemError, answer, asked, documented, signed_by
from gateway.rest.books_messages import (
    CertificatePaper,
    DeductionList,
    DeductionRow,
    EarmarkList,
    EarmarkRow,
    HeldList,
    HeldRow,
    ObligationNotice,
    ObligationNoticeList,
    PostingList,
    PostingRow,
)
from gateway.rest.compliance_scope import seen_by, view, views
from gateway.rest.lists import LIMIT_MAX, Page, Paged, listed, place_of
from gateway.venue import Venue
from registry import accounts, listing
from registry.compliance.schema import obligation_notices
from registry.institution import Registry
from registry.listing import Posting

TABLE_ROWS_MAX = 200_000
READ = (401, 403, 404, 422)
AnyYear = Annotated[int | None, Query(ge=2018, le=2099, description="Only of this year.")]
PathNumber = Annotated[int, Path(ge=1, le=2**53)]


def book_routes(router: APIRouter, venue: Venue) -> None:
    """Add what lies in the books, and their papers."""
    _holding_route(router, venue)
    _posting_route(router, venue)
    _certificate_route(router, venue)
    _notice_route(router, venue)
    _beside_routes(router, venue)


def _id_of(tx: Connection, key: Key) -> int | None:
    """Return the account id of a key, None of an institution's."""
    return None if key.account < 0 else accounts.id_of(tx, key.account)


def _holding_route(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/registry/holdings")

    @router.get(
        "/api/registry/holdings", tags=["mine", "office"], responses=documented(HeldList, *READ)
    )
    async def holdings(page: Paged, key: Key = may_look) -> Response:
        """What lies where: an account's own, or to institutions everybody's (RG-06)."""

        def find() -> list[HeldRow]:
            with venue.registry.database.read() as tx:
                own = _id_of(tx, key)
                return views(HeldRow, listing.holdings(tx, None if own is None else (own,)))

        return await listed(page, HeldList, find, "account", "vintage", "bucket")


def _posting_route(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/registry/transactions")

    @router.get(
        "/api/registry/transactions",
        tags=["mine", "office"],
        responses=documented(PostingList, *READ),
    )
    async def transactions(page: Paged, key: Key = may_look) -> Response:
        """How it came there: every posting of an account, or to institutions of all (RG-17)."""
        bounded = page._replace(limit=page.limit or _rows_max(page))

        def find() -> list[PostingRow]:
            return views(PostingRow, _postings(venue.registry, bounded, key))

        return await listed(bounded, PostingList, find, "number", "line", "side")


def _rows_max(page: Page) -> int:
    return LIMIT_MAX if page.form == "json" else TABLE_ROWS_MAX


def _postings(registry: Registry, page: Page, key: Key) -> list[Posting]:
    """Return a little more than a page of postings; an entry has up to two of them."""
    number, line, _ = place_of(page.after, (0, 0, 0)) if page.after else (0, 0, 0)
    with registry.database.read() as tx:
        place = (int(number), int(line) - 1)  # the other side of this very entry may be missing
        return listing.postings(tx, place, page.limit + 2, _id_of(tx, key))


def _certificate_route(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/certificates")

    @router.get(
        "/api/compliance/certificates/{number}",
        tags=["mine", "office"],
        responses=documented(CertificatePaper, *READ),
    )
    async def certificate(number: PathNumber, key: Key = may_look) -> Response:
        """One certificate with what its hash is of, for whoever it is shown to (CP-32)."""

        def find() -> CertificatePaper | None:
            seen = seen_by(venue.registry, key)
            for one in venue.registry.compliance.certificates(seen.only):
                if one.number == number and seen.has(one.entity):
                    content = "|".join(map(str, one[:-1]))
                    return view(CertificatePaper, one, content=content)
            return None

        found = await asked(find)
        if found is None:
            raise ProblemError(404, "unknown_certificate", f"There is no certificate {number}.")
        return answer(found)


def _notice_route(router: APIRouter, venue: Venue) -> None:
    may_look = signed_by(venue, "GET /api/compliance/notices")

    @router.get(
        "/api/compliance/notices",
        tags=["mine", "office"],
        responses=documented(ObligationNoticeList, *READ),
    )
    async def notices(page: Paged, year: AnyYear = None, key: Key = may_look) -> Response:
        """Every compliance notice that was given, corrections included (CP-32, RG-18)."""

        def find() -> list[ObligationNotice]:
            seen, query = seen_by(venue.registry, key), select(obligation_notices)
            if year is not None:
                query = query.where(obligation_notices.c.year == year)
            with venue.registry.database.read() as tx:
                rows = tx.execute(query).all()
            return views(ObligationNotice, (row for row in rows if seen.has(row.entity)))

        return await listed(page, ObligationNoticeList, find, "entity", "year", "line")


def _beside_routes(router: APIRouter, venue: Venue) -> None:
    may_deductions = signed_by(venue, "GET /api/compliance/deductions")
    may_earmarks = signed_by(venue, "GET /api/compliance/earmarks")

    @router.get(
        "/api/compliance/deductions",
        tags=["mine", "office"],
        responses=documented(DeductionList, *READ),
    )
    async def deductions(page: Paged, key: Key = may_deductions) -> Response:
        """What later allocations are reduced by, and what remains of it (AL-41, AL-67)."""

        def find() -> list[DeductionRow]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.deductions(seen.only)
            return views(DeductionRow, (row for row in rows if seen.has(row.entity)))

        return await listed(page, DeductionList, find)

    @router.get(
        "/api/compliance/earmarks",
        tags=["mine", "office"],
        responses=documented(EarmarkList, *READ),
    )
    async def earmarks(page: Paged, key: Key = may_earmarks) -> Response:
        """What lies on provincial accounts for entities (AL-26, AL-40, AL-66)."""

        def find() -> list[EarmarkRow]:
            seen = seen_by(venue.registry, key)
            rows = venue.registry.compliance.earmarks(seen.only)
            return views(EarmarkRow, (row for row in rows if seen.has(row.entity)))

        return await listed(page, EarmarkList, find)
