"""How REST pages answer: content, problems, and who may read a private page."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import Depends, Header, Request
from fastapi.responses import Response

from gateway.authority import permitted
from gateway.keys import Key, body_sha256
from gateway.rest.message_base import Listed
from gateway.rest.messages import Problem
from gateway.venue import Venue
from gateway.wire.refusals import REFUSALS
from registry.errors import RefusalError, RegistryError

CLAUSE = re.compile(r"\b(?:AL|CP|RG|VM|TR|ST|CA)-[0-9]{2,3}\b")
UNNAMED = {  # codes whose sentences name no clause
    **dict.fromkeys(("year_not_in_plan", "plan_unknown"), "AL-01"),
    **dict.fromkeys(("unknown_facility", "month_invalid"), "CP-09"),
    **dict.fromkeys(("unknown_vintage", "unknown_account"), "RG-06"),
    "insufficient_holding": "RG-06",
    "stage_invalid": "RG-09",
}
TIME_DIGITS_MAX = 17
KINDS = {  # of what a list is answered with
    "json": "application/json",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
UPLOAD = "tanshi.upload"  # where the scope of a request has the table that was handed in


class ProblemError(Exception):
    """Ends a request with a status, a stable code and a sentence."""

    def __init__(self, status: int, code: str, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.problem = Problem(code=code, reason=reason, clauses=clauses_of(code, reason))


def clauses_of(code: str, reason: str) -> str:
    """Return the clauses that a refusal rests on, as its sentence names them, else its code."""
    named = ", ".join(dict.fromkeys(CLAUSE.findall(reason)))
    known = REFUSALS[code].clauses if code in REFUSALS else ""
    return named or known or UNNAMED.get(code, "")


def answer(content: object, status: int = 200) -> Response:
    """Return ``content`` as JSON."""
    return Response(msgspec.json.encode(content), status, media_type="application/json")


def documented(kind: type, *problems: int) -> dict[int | str, dict[str, Any]]:
    """Return the ``responses`` of a page for OpenAPI."""

    def of(name: str, text: str) -> dict[str, Any]:
        schema = {"$ref": f"#/components/schemas/{name}"}
        return {"description": text, "content": {"application/json": {"schema": schema}}}

    found: dict[int | str, dict[str, Any]] = {200: of(kind.__name__, (kind.__doc__ or "").strip())}
    if issubclass(kind, Listed):
        text, binary = {"type": "string"}, {"type": "string", "format": "binary"}
        tables = {KINDS["csv"]: {"schema": text}, KINDS["parquet"]: {"schema": binary}}
        found[200]["content"] |= tables
    for status in problems:
        found[status] = of("Problem", "Refused.")
    return found


def sent(name: str) -> dict[str, Any]:
    """Return what OpenAPI says about the body that a page takes: the schema of this name."""
    schema = {"$ref": f"#/components/schemas/{name}"}
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}


def signed_by(venue: Venue, page: str) -> Any:
    """Return the dependency that finds the caller's key and asks whether it may use ``page``."""

    async def caller(
        request: Request,
        x_tanshi_key: Annotated[str, Header(description="Your key id.")] = "",
        x_tanshi_time: Annotated[str, Header(description="Microseconds since 1970.")] = "",
        x_tanshi_signature: Annotated[str, Header(description="See the description above.")] = "",
    ) -> Key:
        said = Said(x_tanshi_key, x_tanshi_time, x_tanshi_signature)
        upload = request.scope.get(UPLOAD)
        digest = body_sha256(await request.body()) if upload is None else upload.sha256
        return who_signed(venue, page, request.scope, said, digest)

    return Depends(caller)


class Said(NamedTuple):
    """What a request says of who has signed it."""

    key: str
    time: str
    signature: str


def who_signed(
    venue: Venue, page: str, scope: Mapping[str, Any], said: Said, body_sha256: str
) -> Key:
    """Return the key that signed a request of ``page``; ProblemError 401, 403, 409."""
    query, path = scope["query_string"].decode("latin-1"), scope["raw_path"].decode("latin-1")
    found = venue.keys.check_request(
        said.key,
        int(said.time) if _is_time(said.time) else 0,
        scope["method"],
        f"{path}?{query}" if query else path,
        said.signature,
        time.time_ns() // 1000,
        body_sha256,
    )
    known = int(venue.exchange.state.market[0]["accounts"])
    if found is None:
        raise ProblemError(401, "bad_credentials", REFUSALS["bad_credentials"].sentence)
    if found.account >= known:  # the registry's word about it is on its way
        raise ProblemError(409, "account_not_open", REFUSALS["account_not_open"].sentence)
    if not permitted(found.roles, page):
        raise ProblemError(403, "not_permitted", REFUSALS["not_permitted"].sentence)
    return found


def _is_time(text: str) -> bool:
    """Whether it is a time in microseconds as people may have to write it."""
    return text.isascii() and text.isdigit() and len(text) <= TIME_DIGITS_MAX


def now_ns(venue: Venue) -> int:
    """Return the venue's time as it is now, not that of its last command (CP-41: a day counts)."""
    venue.sequencer.stamp()
    return venue.sequencer.time_ns


def registry_problem(no: RegistryError) -> ProblemError:
    """Return the registry's no as a problem: 404 where it knows nothing, 409, or 503."""
    if not isinstance(no, RefusalError):
        return ProblemError(503, "registry_silent", REFUSALS["registry_silent"].sentence)
    status = 404 if no.code.startswith("unknown") or no.code == "day_not_posted" else 409
    return ProblemError(status, no.code, no.sentence)


async def asked(question: Callable[[], Any]) -> Any:
    """Ask the registry in a thread; its no becomes a problem."""
    try:
        return await asyncio.to_thread(question)
    except RegistryError as no:
        raise registry_problem(no) from no
