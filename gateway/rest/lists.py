"""Lists over REST: page by page, or whole as a table (JSON, CSV, Parquet).

A list is ordered by one field or several that are unique; ``after`` is the place of the last row
one has, as the answer's ``next`` named it. Rows that come meanwhile never shift a page.
"""

from __future__ import annotations

import csv
import io
import types
import typing
from collections.abc import Callable, Iterable, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from fastapi import Depends, Query, Request
from fastapi.responses import Response

from gateway.rest.answers import KINDS, ProblemError, asked

LIMIT_MAX = 10_000
NEXT = "X-Tanshi-Next"
Form = Literal["json", "csv", "parquet"]
Place = tuple[int | str, ...]


class Page(NamedTuple):
    """What a reader wants of a list: at most ``limit`` rows (0: as many as may be) after a place.

    Of JSON that is ``LIMIT_MAX``, a table has all rows.
    """

    limit: int
    after: str
    form: str


async def page_of(
    request: Request,
    limit: Annotated[int, Query(ge=0, le=LIMIT_MAX, description="At most so many rows.")] = 0,
    after: Annotated[
        str, Query(max_length=200, description="After this place: `next` of the page before.")
    ] = "",
    form: Annotated[
        Form | None, Query(alias="format", description="Or say it by the header Accept.")
    ] = None,
) -> Page:
    """Return what the reader wants, by the query or the header ``Accept``."""
    accepted = request.headers.get("accept", "")
    heard = next((name for name, kind in KINDS.items() if kind in accepted), "json")
    return Page(limit, after, form or heard)


Paged = Annotated[Page, Depends(page_of)]


async def listed(
    page: Page,
    kind: type[msgspec.Struct],
    find: Callable[[], Iterable[Any]],
    *by: str,
    **head: Any,
) -> Response:
    """Answer with a page of what ``find`` returns, in a thread, ordered by ``by``.

    ``kind`` is the message of the list: one field of rows, ``next``, and those of ``head``.
    """
    name, row = rows_of(kind, head)

    def work() -> Response:
        rows, following = cut(page, find(), by or ("number",))
        if page.form == "json":
            content = kind(**{name: rows, "next": following, **head})
            return Response(msgspec.json.encode(content), media_type=KINDS["json"])
        return as_table(page.form, row, rows, following)

    found: Response = await asked(work)
    return found


def rows_of(kind: type[msgspec.Struct], head: Iterable[str] = ()) -> tuple[str, Any]:
    """Return the field of a list that has its rows, and the type of a row."""
    hints = typing.get_type_hints(kind)
    (name,) = (each for each in kind.__struct_fields__ if each not in ("next", *head))
    return name, typing.get_args(hints[name])[0]


def cut(page: Page, found: Iterable[Any], by: Sequence[str]) -> tuple[list[Any], str]:
    """Return the rows of a page and the place of the next one, "" after the last."""

    def place(row: Any) -> Place:
        return tuple(getattr(row, name) for name in by)

    rows = sorted(found, key=place)
    if page.after and rows:
        after = place_of(page.after, place(rows[0]))
        rows = [row for row in rows if place(row) > after]
    most = page.limit or (LIMIT_MAX if page.form == "json" else len(rows))
    shown = rows[:most]
    return shown, "/".join(map(str, place(shown[-1]))) if len(rows) > most else ""


def place_of(text: str, like: Place) -> Place:
    """Return a place of the form of ``like`` from its text; ProblemError 422 invalid_request."""
    parts = text.split("/")
    is_one = len(parts) == len(like) and all(
        not isinstance(kind, int) or (part.isascii() and part.isdigit() and len(part) < 20)
        for part, kind in zip(parts, like, strict=True)
    )
    if not is_one:
        raise ProblemError(422, "invalid_request", f"after: {text[:40]!r} is no place of this list")
    return tuple(
        int(part) if isinstance(kind, int) else part for part, kind in zip(parts, like, strict=True)
    )


def cut_at(page: Page, rows: Sequence[Any]) -> tuple[Sequence[Any], str]:
    """Return the rows of a page of a list that never changes; its places are numbers."""
    first = int(place_of(page.after, (0,))[0]) if page.after else 0
    most = page.limit or (LIMIT_MAX if page.form == "json" else len(rows))
    return rows[first : first + most], str(first + most) if len(rows) > first + most else ""


def dicts_as_table(form: str, rows: Sequence[dict[str, Any]], following: str = "") -> Response:
    """Answer with mappings of the same names as CSV or Parquet."""
    names = list(rows[0]) if rows else []
    headers = {NEXT: following} if following else {}
    if form == "csv":
        content = csv_of(names, ([row[name] for name in names] for row in rows))
    else:
        out = io.BytesIO()
        pq.write_table(pa.Table.from_pylist(list(rows)), out)
        content = out.getvalue()
    return Response(content, media_type=KINDS[form], headers=headers)


def as_table(form: str, row: Any, rows: Sequence[Any], following: str = "") -> Response:
    """Answer with rows of a message as CSV or Parquet, the fields of the message as columns."""
    names = row.__struct_fields__
    cells = [[_plain(getattr(one, name)) for name in names] for one in rows]
    hints = typing.get_type_hints(row)
    content = csv_of(names, cells) if form == "csv" else _parquet(names, cells, hints)
    headers = {NEXT: following} if following else {}
    return Response(content, media_type=KINDS[form], headers=headers)


def _plain(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        return msgspec.json.encode(value).decode()
    return value


def csv_of(names: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Return rows as CSV (UTF-8): true and false as such, nothing for null."""
    out = io.StringIO(newline="")
    lines = csv.writer(out, lineterminator="\n")
    lines.writerow(names)
    lines.writerows([_word(cell) for cell in row] for row in rows)
    return out.getvalue().encode()


def _word(cell: Any) -> Any:
    return ("true" if cell else "false") if isinstance(cell, bool) else cell


def _parquet(names: Sequence[str], rows: Sequence[Sequence[Any]], hints: dict[str, Any]) -> bytes:
    columns = [
        pa.array([row[n] for row in rows], _arrow(hints[name])) for n, name in enumerate(names)
    ]
    out = io.BytesIO()
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), out)
    return out.getvalue()


def _arrow(hint: Any) -> pa.DataType:
    kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    if bool in kinds:
        return pa.bool_()
    return pa.int64() if int in kinds else pa.string()
