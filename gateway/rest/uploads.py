"""Tables that are handed in: large bodies, kept in a file while their page reads them.

Such a page takes 16 MiB where others take 64 KiB, but only of who has signed for it beforehand: the
header ``X-Tanshi-Content-SHA256`` names the body's hash, so the signature is checked before a byte
of the body is read. What comes goes to a file; the page gets it as ``Upload``.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple

from starlette.types import Receive, Scope

from gateway.authority import PERMITTED
from gateway.rest.answers import ProblemError, Said, who_signed
from gateway.venue import Venue

BODY_BYTES_MAX = 64 * 1024
BODY_WITHIN_S = 10.0
BULK_BYTES_MAX = 16 * 1024 * 1024
BULK_WITHIN_S = 60.0
BULK_AT_ONCE = 2  # of one key one
CELLS_MAX = 3_000_000  # what it takes in memory is a multiple of what came
TABLE_PAGES = ("POST /api/monitoring/tables/", "POST /api/compliance/tables/")
FORMS = {
    "application/json": ".json",
    "text/csv": ".csv",
    "application/vnd.apache.parquet": ".parquet",
    "application/x-parquet": ".parquet",
}
SEPARATORS = (b"\n", b"\r", b",", b"{")


class Upload(NamedTuple):
    """A table that was handed in: the file it lies in, and the hex SHA-256 of what came."""

    path: Path
    sha256: str


class Room(NamedTuple):
    """What one request may send: ``key`` is who has signed for it, "" nobody."""

    venue: Venue
    page: str
    key: str
    sha256: str
    bytes_max: int
    within_s: float


class Uploads:
    """Who may hand in how much, and how many do at the moment."""

    def __init__(self, venues: Sequence[Venue]) -> None:
        self._venues = venues
        self._busy: list[str] = []

    def room(self, scope: Scope) -> Room | None:
        """Return what a request may send, None if its page takes no tables; ProblemError."""
        found = self._page(scope)
        if found is None:
            return None
        venue, page = found
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"content-type", "").partition(";")[0].strip().lower() not in FORMS:
            known = ", ".join(FORMS)
            raise ProblemError(415, "media_type", f"A table comes as one of {known}.")
        digest = headers.get(b"x-tanshi-content-sha256", "")
        if not digest:
            return Room(venue, page, "", "", BODY_BYTES_MAX, BODY_WITHIN_S)
        said = Said(*(headers.get(b"x-tanshi-" + name, "") for name in SAID))
        key = who_signed(venue, page, scope, said, digest)
        return Room(venue, page, key.key_id, digest, BULK_BYTES_MAX, BULK_WITHIN_S)

    def _page(self, scope: Scope) -> tuple[Venue, str] | None:
        for venue in self._venues:
            path = str(scope["path"])
            if path.startswith(venue.market.path + "/"):
                page = f"{scope['method']} {path[len(venue.market.path) :]}"
                if page.startswith(TABLE_PAGES) and page in PERMITTED:
                    return venue, page
        return None

    def enter(self, room: Room) -> None:
        """Let a large body come; ProblemError 503 busy."""
        if not room.key:
            return
        if room.key in self._busy or len(self._busy) >= BULK_AT_ONCE:
            reason = f"{BULK_AT_ONCE} large tables come at once, one of a key: try again later."
            raise ProblemError(503, "busy", reason)
        self._busy.append(room.key)

    def leave(self, room: Room) -> None:
        """Make room for the next one."""
        if room.key:
            self._busy.remove(room.key)


SAID = (b"key", b"time", b"signature")


async def kept(room: Room, headers: Mapping[bytes, bytes], receive: Receive) -> Upload:
    """Write a body to a file, which the caller deletes; ProblemError 413, 422."""
    kind = headers.get(b"content-type", b"").decode("latin-1").partition(";")[0].strip().lower()
    with tempfile.NamedTemporaryFile(suffix=FORMS[kind], delete=False) as file:
        path = Path(file.name)
        try:
            digest = await _received(room, file, FORMS[kind] != ".parquet", receive)
        except BaseException:
            drop(path)
            raise
    return Upload(path, digest)


def drop(path: Path) -> None:
    """Delete a table that was handed in."""
    path.unlink()


async def _received(room: Room, file: IO[bytes], is_text: bool, receive: Receive) -> str:
    seen, size, cells = hashlib.sha256(), 0, 0
    more = True
    while more:
        message: Any = await receive()
        part = message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        size += len(part)
        if size > room.bytes_max:
            raise ProblemError(413, "body_too_big", too_big(room))
        if is_text:
            cells += sum(map(part.count, SEPARATORS))
        if cells > CELLS_MAX:
            raise ProblemError(413, "body_too_big", f"A table has at most {CELLS_MAX:,} cells.")
        seen.update(part)
        file.write(part)
    digest = seen.hexdigest() if size else ""
    if room.sha256 and digest != room.sha256:
        raise ProblemError(422, "invalid_request", "The body is not the one that was signed for.")
    return digest


def too_big(room: Room) -> str:
    """Say how much may come, and how more may."""
    if room.key:
        return f"A table has at most {BULK_BYTES_MAX} bytes."
    return (
        f"A body has at most {BODY_BYTES_MAX} bytes; a table at most {BULK_BYTES_MAX}, with the"
        " header X-Tanshi-Content-SHA256."
    )
