"""The REST page of the venue's time: what time it is, and where somebody may move it, on to when.

Only a venue that lives by a manual clock is moved; on Beijing time and on demo days it is told no.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Body
from fastapi.responses import Response

from gateway.daycycle import NEVER_NS, beijing, nanoseconds
from gateway.keys import Key
from gateway.moving import FIRST_DAY, LAST_DAY, MoveError
from gateway.rest.answers import ProblemError, answer, documented, now_ns, sent, signed_by
from gateway.rest.compliance_scope import taken
from gateway.rest.message_base import Answer
from gateway.venue import Venue


class ClockView(Answer):
    """The venue's time; ``manual``: POST moves it. ``beijing`` is wall time there.

    ``next_us``: when the day cycle has something to do next, 0 where nothing is in sight.
    """

    time_us: int
    beijing: str
    manual: bool
    next_us: int


class ClockRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Where to: a Beijing wall time, ``2021-12-31T17:00`` or with seconds, or a date (00:00)."""

    until: Annotated[str, msgspec.Meta(min_length=10, max_length=19)]


class ClockMoved(Answer):
    """Where the clock stands now, and how many trading days have begun on the way."""

    time_us: int
    beijing: str
    days: int


CLOCK_DOCUMENTED: tuple[type, ...] = (ClockView, ClockRequest, ClockMoved)


def clock_routes(router: APIRouter, venue: Venue) -> None:
    """Add the venue's time, and the way on."""
    may_move = signed_by(venue, "POST /api/clock")

    @router.get("/api/clock", tags=["venue"], responses=documented(ClockView))
    async def clock() -> Response:
        """What time it is at the venue."""
        at_ns, next_ns = now_ns(venue), venue.cycle.rests_until_ns
        found = ClockView(
            time_us=at_ns // 1000,
            beijing=beijing(at_ns).isoformat(timespec="seconds"),
            manual=venue.mover is not None,
            next_us=next_ns // 1000 if at_ns < next_ns < NEVER_NS else 0,
        )
        return answer(found)

    @router.post(
        "/api/clock",
        tags=["office"],
        responses=documented(ClockMoved, 401, 403, 409, 422),
        openapi_extra=sent("ClockRequest"),
    )
    async def move(content: Annotated[dict[str, Any], Body()], _key: Key = may_move) -> Response:
        """Move a manual clock on, through every day, evening and settlement until then."""
        until_ns = _moment(taken(content, ClockRequest).until)
        if venue.mover is None:
            raise ProblemError(
                409, "clock_not_manual", "This venue's time runs by itself: nobody moves it."
            )
        try:
            moved = await venue.mover.move(until_ns)
        except MoveError as no:
            raise ProblemError(409, no.code, str(no)) from no
        wall = beijing(moved.time_ns).isoformat(timespec="seconds")
        return answer(ClockMoved(time_us=moved.time_ns // 1000, beijing=wall, days=moved.days))


def _moment(text: str) -> int:
    """Return nanoseconds since 1970 (UTC) of a Beijing wall time; ProblemError 422."""
    no = f"until: {text!r} is no Beijing time, e.g. 2021-12-31T17:00"
    try:
        local = dt.datetime.fromisoformat(text)
    except ValueError:
        raise ProblemError(422, "invalid_request", no) from None
    if local.tzinfo is not None or not FIRST_DAY <= local.date() <= LAST_DAY:
        raise ProblemError(422, "invalid_request", no)
    return nanoseconds(local)
