"""The REST pages that take tables: each bad row is refused with its number, the rest is taken.

JSON (an array of objects), CSV or Parquet by content type; up to 16 MiB (``gateway.rest.uploads``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from gateway.keys import Key
from gateway.rest.answers import UPLOAD, ProblemError, answer, asked, documented, now_ns, signed_by
from gateway.rest.bulk_messages import AccountsOpened, TableTaken
from gateway.rest.compliance_messages import RefusedView
from gateway.rest.compliance_scope import seen_by, views
from gateway.rest.uploads import BULK_BYTES_MAX, CELLS_MAX, FORMS
from gateway.venue import Venue
from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring.bulk import Scope
from registry.monitoring.takers import COLUMNS

PROBLEMS = (401, 403, 408, 409, 413, 415, 422, 503)
OF_THE_FILE = ("file_unreadable", "file_kind", "unknown_column", "missing_column", "bad_row")
PARQUET_BYTES_MAX = 16 * BULK_BYTES_MAX
Year = Annotated[int | None, Query(ge=2018, le=2099, description="Of which year the rows are.")]
Document = Annotated[str, Query(max_length=500, description="The paper it rests on.")]
Strict = Annotated[bool, Query(description="If one row is refused nothing is done.")]


def bulk_routes(router: APIRouter, venue: Venue) -> None:
    """Add the tables of monitoring, and the opening of accounts."""
    for table in COLUMNS:
        _monitoring_table(router, venue, table)
    may_open = signed_by(venue, "POST /api/monitoring/accounts")

    @router.post(
        "/api/monitoring/accounts",
        tags=["office"],
        responses=documented(AccountsOpened, 401, 403, 409),
    )
    async def open_accounts(_key: Key = may_open) -> Response:
        """Open the provinces' accounts, and those that entities still lack (RG-04, CP-05)."""

        def act() -> AccountsOpened:
            monitoring = venue.registry.monitoring
            monitoring.open_provinces()
            opened, provinces = monitoring.open_accounts(), monitoring.provinces()
            return AccountsOpened(opened=opened, provinces=len(provinces))

        return answer(await asked(act))


def table_of(*columns: Sequence[str]) -> dict[str, Any]:
    """Return what OpenAPI says about a table that a page takes: columns needed, and optional."""
    needed, optional = columns
    cell = {"type": ["string", "number", "boolean", "null"]}
    row = {
        "type": "object",
        "properties": dict.fromkeys((*needed, *optional), cell),
        "required": list(needed),
        "additionalProperties": False,
    }
    kinds: dict[str, Any] = {"application/json": {"schema": {"type": "array", "items": row}}}
    texts = {"text/csv": {"type": "string", "description": ",".join((*needed, *optional))}}
    kinds |= {kind: {"schema": schema} for kind, schema in texts.items()}
    binary = {"type": "string", "format": "binary"}
    kinds |= {kind: {"schema": binary} for kind in FORMS if kind not in kinds}
    return {"requestBody": {"required": True, "content": kinds}}


def file_of(request: Request) -> Path:
    """Return the file of the table that was handed in."""
    path: Path = request.scope[UPLOAD].path
    return path


async def table_asked(work: Callable[[], TableTaken]) -> Response:
    """Answer with what became of a table; one of which no row could be understood: 422."""

    def act() -> TableTaken | RefusalError:
        try:
            return work()
        except RefusalError as no:
            if no.code not in OF_THE_FILE:
                raise
            return no

    done = await asked(act)
    if isinstance(done, RefusalError):
        raise ProblemError(422, done.code, done.sentence)
    return answer(done)


def refuse_swollen(path: Path) -> None:
    """Raise RefusalError file_unreadable for a Parquet file of little that says much."""
    if path.suffix != ".parquet":
        return
    try:
        found = pq.read_metadata(path)
    except (OSError, pa.ArrowException) as error:
        reason = f"The table cannot be read: {error}"
        raise RefusalError("file_unreadable", reason[:300]) from None
    size = sum(found.row_group(n).total_byte_size for n in range(found.num_row_groups))
    if found.num_rows * found.num_columns > CELLS_MAX or size > PARQUET_BYTES_MAX:
        reason = f"A table has at most {CELLS_MAX:,} cells and {PARQUET_BYTES_MAX:,} bytes."
        raise RefusalError("file_unreadable", reason)


def taken_of(
    table: str, rows: int, taken: int, written: bool, refused: Sequence[Any], **more: Any
) -> TableTaken:
    """Return what became of a table."""
    counts = dict(Counter(one.code for one in refused).most_common())
    shown = views(RefusedView, refused)
    head: dict[str, Any] = {"table": table, "rows": rows, "taken": taken, "written": written}
    return TableTaken(**head, **more, refused=shown, by_code=counts)


def _monitoring_table(router: APIRouter, venue: Venue, table: str) -> None:
    may_hand_in = signed_by(venue, f"POST /api/monitoring/tables/{table}")

    @router.post(
        f"/api/monitoring/tables/{table}",
        name=f"hand_in_{table}",
        tags=["mine", "office"],
        description=f"Hand in a table of {table}; see docs/reference/monitoring.md (CP-10).",
        responses=documented(TableTaken, *PROBLEMS),
        openapi_extra=table_of(*COLUMNS[table]),
    )
    async def hand_in(
        request: Request,
        year: Year = None,
        document: Document = "",
        strict: Strict = False,
        key: Key = may_hand_in,
    ) -> Response:
        at_ns, path = now_ns(venue), file_of(request)

        def work() -> TableTaken:
            refuse_swollen(path)
            scope = _scope(venue.registry, key, table)
            order = (table, path, key.person, at_ns, year, document, strict, scope)
            done = venue.registry.monitoring.import_table(*order)
            return taken_of(table, done.rows, done.taken, done.is_written, done.refused)

        return await table_asked(work)


def _scope(registry: Registry, key: Key, table: str) -> Scope:
    """Return whose rows a key may hand in: its own entity's, its province's, or all."""
    if table == "entities":
        return Scope(None, key.province)
    return Scope(seen_by(registry, key).entities)
