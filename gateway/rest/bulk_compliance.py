"""The REST pages that take tables of the compliance year: applications, carry-over, allocation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import documented, now_ns, signed_by
from gateway.rest.bulk import (
    PROBLEMS,
    Document,
    Strict,
    file_of,
    refuse_swollen,
    table_asked,
    table_of,
    taken_of,
)
from gateway.rest.bulk_messages import TableTaken
from gateway.rest.compliance_scope import Seen, seen_by
from gateway.rest.registry import request_view
from gateway.venue import Venue
from registry import handed_in
from registry.allocation.cells import Cells
from registry.allocation.reading import Refused
from registry.allocation.rows import COLUMNS as UNIT_COLUMNS
from registry.compliance import carry_over
from registry.compliance.door import Issued
from registry.compliance.surrender import Wanted
from registry.computing import compute
from registry.errors import RefusalError
from registry.institution import Registry

Stage = Literal["pre", "final", "additional"]
Plan = Annotated[str, Query(max_length=64, description="Name of the plan (AL-01).")]
Year = Annotated[int, Query(ge=2018, le=2099)]
Trial = Annotated[bool, Query(description="Compute and answer; hand nothing over.")]
APPLICATIONS = (("year", "vintage", "tonnes"), ("entity", "helper", "document"))
CARRY = (("vintage", "tonnes"), ("entity", "document"))
ALLOCATIONS = (("entity", "tonnes"), ("reason", "waived_tonnes"))
NOTICES: tuple[tuple[str, ...], tuple[str, ...]] = (("entity",), ())


def bulk_compliance_routes(router: APIRouter, venue: Venue) -> None:
    """Add the tables of applications, carry-over, allocations, units and notices."""
    _application_table(router, venue)
    _carry_table(router, venue)
    _allocation_table(router, venue)
    _unit_table(router, venue)
    _notice_table(router, venue)


def _whose(seen: Seen, cells: Cells) -> str:
    """Return whose row it is: an account's own where it says nothing; CellError unknown_entity."""
    entity = cells.text("entity")
    if not entity and seen.only is not None:
        return seen.only
    entity = cells.needed("entity")
    if not seen.has(entity):
        cells.refuse("entity", "unknown_entity", f"There is no entity {entity!r}.")
    return entity


def _application_table(router: APIRouter, venue: Venue) -> None:
    page = "/api/compliance/tables/applications"
    may_apply = signed_by(venue, f"POST {page}")

    @router.post(
        page,
        tags=["mine", "office"],
        responses=documented(TableTaken, *PROBLEMS),
        openapi_extra=table_of(*APPLICATIONS),
    )
    async def apply(request: Request, strict: Strict = False, key: Key = may_apply) -> Response:
        """Apply for surrender, row by row; an account for its own entity (CP-32)."""
        at_ns, path = now_ns(venue), file_of(request)

        def work() -> TableTaken:
            refuse_swollen(path)
            seen = seen_by(venue.registry, key)

            def make(cells: Cells) -> Wanted:
                vintage, year = cells.needed("vintage"), handed_in.year(cells)
                helped = (cells.text("helper"), cells.text("document"))
                if helped[0] and seen.only is not None:
                    cells.refuse("helper", "unknown_helper", "Who helps applies himself (AL-42).")
                return Wanted(_whose(seen, cells), year, vintage, cells.tonnes("tonnes"), *helped)

            made, bad = handed_in.read(path, *APPLICATIONS, make)
            many = venue.registry.compliance.apply_many
            return _applied("applications", made, bad, strict, many, (key.person, at_ns))

        return await table_asked(work)


def _carry_table(router: APIRouter, venue: Venue) -> None:
    page = "/api/compliance/tables/carry-over"
    may_apply = signed_by(venue, f"POST {page}")

    @router.post(
        page,
        tags=["mine", "office"],
        responses=documented(TableTaken, *PROBLEMS),
        openapi_extra=table_of(*CARRY),
    )
    async def carry(request: Request, strict: Strict = False, key: Key = may_apply) -> Response:
        """Apply for carry-over, row by row, up to each limit (AL-54)."""
        at_ns, path = now_ns(venue), file_of(request)

        def work() -> TableTaken:
            refuse_swollen(path)
            seen = seen_by(venue.registry, key)

            def make(cells: Cells) -> carry_over.Wanted:
                vintage, tonnes = cells.needed("vintage"), cells.tonnes("tonnes")
                whose, paper = _whose(seen, cells), cells.text("document")
                return carry_over.Wanted(whose, vintage, tonnes, paper)

            made, bad = handed_in.read(path, *CARRY, make)
            many = venue.registry.compliance.carry_over.apply_many
            return _applied("carry-over", made, bad, strict, many, (key.person, at_ns))

        return await table_asked(work)


def _applied(
    table: str,
    made: dict[int, Any],
    bad: list[Refused],
    strict: bool,
    many: Callable[..., Any],
    who: tuple[int, int],
) -> TableTaken:
    """Apply for the sound rows; ``strict``: for none if one row is bad."""
    numbers: tuple[int, ...] = ()
    count = len(made) + len(bad)
    if made and not (strict and bad):
        done = many(list(made.values()), *who, strict)
        numbers = done.numbers
        bad = sorted(bad + handed_in.at_lines(list(made), done.refused))
    written = not (strict and bad)
    return taken_of(table, count, len(numbers), written, bad, numbers=list(numbers))


def _allocation_table(router: APIRouter, venue: Venue) -> None:
    page = "/api/compliance/tables/allocations"
    may_hand_over = signed_by(venue, f"POST {page}")

    @router.post(
        page,
        tags=["office"],
        responses=documented(TableTaken, *PROBLEMS),
        openapi_extra=table_of(*ALLOCATIONS),
    )
    async def hand_over(
        request: Request,
        plan: Plan,
        year: Year,
        stage: Stage,
        document: Document,
        strict: Strict = False,
        key: Key = may_hand_over,
    ) -> Response:
        """Hand the rows of an allocation over; a checker approves the request it makes (7.3)."""
        at_ns, path = now_ns(venue), file_of(request)

        def work() -> TableTaken:
            refuse_swollen(path)
            made, bad = handed_in.read(path, *ALLOCATIONS, _allocation_row)
            count = len(made) + len(bad)
            if strict and bad:
                return taken_of("allocations", count, 0, False, bad)
            order = (plan, year, stage, list(made.values()), key.person, at_ns, document)
            issued = venue.registry.compliance.propose(*order, strict=strict)
            refused = handed_in.at_lines(list(made), issued.handover.refused)
            return _handed("allocations", count, sorted(bad + refused), issued)

        return await table_asked(work)


def _allocation_row(cells: Cells) -> dict[str, Any]:
    waived = cells.tonnes("waived_tonnes") if cells.text("waived_tonnes") else None
    row = {"entity": cells.needed("entity"), "tonnes": cells.tonnes("tonnes")}
    return {**row, "reason": cells.text("reason"), "waived_tonnes": waived}


def _handed(table: str, count: int, bad: list[Refused], issued: Issued, **more: Any) -> TableTaken:
    found, request = issued.handover, issued.request
    more |= {"entities": found.entities, "tonnes": found.tonnes}
    more["mismatches"] = [one._asdict() for one in found.mismatches]
    if request is not None:
        more["request"] = request_view(request)
    return taken_of(table, count, found.entities, request is not None, bad, **more)


def _unit_table(router: APIRouter, venue: Venue) -> None:
    page = "/api/compliance/tables/units"
    may_compute = signed_by(venue, f"POST {page}")

    @router.post(
        page,
        tags=["office"],
        responses=documented(TableTaken, *PROBLEMS),
        openapi_extra=table_of((), UNIT_COLUMNS),
    )
    async def units(
        request: Request,
        plan: Plan,
        year: Year,
        stage: Stage,
        document: Document = "",
        strict: Strict = False,
        trial: Trial = False,
        key: Key = may_compute,
    ) -> Response:
        """Compute an allocation from the books and what they lack of the units; hand it over."""
        at_ns, path = now_ns(venue), file_of(request)

        def work() -> TableTaken:
            refuse_swollen(path)
            done = compute(venue.registry, plan, year, stage, path)
            lacking = [one._asdict() for one in done.lacking]
            count = len(done.units) + len(done.refused) + len(lacking)
            if trial or not done.rows or (strict and (done.refused or lacking)):
                tonnes = sum(row.tonnes for row in done.rows)
                more = {"entities": len(done.rows), "tonnes": tonnes, "lacking": lacking}
                return taken_of("units", count, 0, False, done.refused, **more)
            order = (plan, year, stage, done.rows, key.person, at_ns, document)
            issued = venue.registry.compliance.propose(*order, done.units, strict)
            said = [
                {"line": "-", "unit": done.rows[one.row - 1].entity, **_said(one)}
                for one in issued.handover.refused
            ]
            return _handed("units", count, done.refused, issued, lacking=lacking + said)

        return await table_asked(work)


def _said(one: Any) -> dict[str, str]:
    return {"code": one.code, "reason": one.reason}


def _notice_table(router: APIRouter, venue: Venue) -> None:
    page = "/api/compliance/tables/notices"
    may_notify = signed_by(venue, f"POST {page}")

    @router.post(
        page,
        tags=["office"],
        responses=documented(TableTaken, *PROBLEMS),
        openapi_extra=table_of(*NOTICES),
    )
    async def notify(
        request: Request, year: Year, strict: Strict = False, key: Key = may_notify
    ) -> Response:
        """Set obligations and give notices to these entities of your province (CP-30, CP-32)."""
        at_ns, path = now_ns(venue), file_of(request)

        def work() -> TableTaken:
            refuse_swollen(path)
            registry = venue.registry
            ready = _Ready(registry, seen_by(registry, key), year)
            made, bad = handed_in.read(path, *NOTICES, ready.make)
            written = bool(made) and not (strict and bad)
            if written:
                registry.compliance.notify(year, at_ns, set(made.values()))
            taken = len(made) if written else 0
            return taken_of("notices", len(made) + len(bad), taken, written, bad)

        return await table_asked(work)


class _Ready:
    """Who can have a notice of a year: verified, with a final allocation (7.3, CP-32)."""

    def __init__(self, registry: Registry, seen: Seen, year: int) -> None:
        if year < 2019:
            raise RefusalError("year_not_covered", "Obligations begin with 2019 (CP-01).")
        self._seen, self._year = seen, year
        self._known = set(registry.monitoring.entities())
        self._verified = set(registry.monitoring.verified_of_year(year))
        of_year = registry.compliance.allocations(year=year)
        self._final = {one.entity for one in of_year if one.stage != "pre"}
        self._named: set[str] = set()

    def make(self, cells: Cells) -> str:
        """Return whose row it is; CellError."""
        entity = cells.needed("entity")
        if not self._seen.has(entity) or entity not in self._known:
            cells.refuse("entity", "unknown_entity", f"There is no entity {entity!r}.")
        if entity in self._named:
            cells.refuse("entity", "duplicate_row", f"{entity} is in this table already")
        if entity not in self._verified:
            reason = f"{entity} has no verified emissions of {self._year} (CP-10)"
            cells.refuse("entity", "not_verified", reason)
        if entity not in self._final:
            reason = f"{entity} has no final allocation of {self._year} (7.3)"
            cells.refuse("entity", "final_missing", reason)
        self._named.add(entity)
        return entity
