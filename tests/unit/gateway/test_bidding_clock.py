"""Which step of which bidding session is due when (TR-32, TR-81)."""

import datetime as dt
from pathlib import Path

import pytest

from engine.records import Kind, Phase, SessionStatus
from engine.units import minute_of_day
from gateway.bidding_clock import next_session_step
from gateway.clock import beijing_ns
from tests.unit.gateway.inline_desk import Floor

DAY = dt.date(2026, 1, 5)
TEN, HALF_PAST, ELEVEN, NOON = (beijing_ns(DAY, minute) for minute in (600, 630, 660, 720))


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def put(floor: Floor, row: int, status: SessionStatus, begins_ns: int, ends_ns: int) -> None:
    state = floor.exchange.state
    state.ensure_sessions(row + 1)
    state.market["sessions"] = max(int(state.market[0]["sessions"]), row + 1)
    session = state.sessions[row]
    session["status"], session["instrument"] = status, 5
    session["from_minute"], session["until_minute"] = map(minute_of_day, (begins_ns, ends_ns))


def step(floor: Floor) -> tuple[Kind, int, int] | None:
    found = next_session_step(floor.exchange.state)
    return None if found is None else (found.kind, found.session_no, found.due_ns)


def test_nothing_is_due_without_published_sessions(floor: Floor) -> None:
    assert step(floor) is None
    for row, status in enumerate(
        (
            SessionStatus.APPLIED,
            SessionStatus.CLOSED,
            SessionStatus.FAILED,
            SessionStatus.REJECTED,
        ),
        start=1,
    ):
        put(floor, row, status, TEN, HALF_PAST)
    assert step(floor) is None


def test_the_earliest_step_comes_first(floor: Floor) -> None:
    put(floor, 1, SessionStatus.NOTICED, HALF_PAST, ELEVEN)
    put(floor, 2, SessionStatus.OPEN, TEN, HALF_PAST)
    assert step(floor) == (Kind.OPEN_SESSION, 1, HALF_PAST)
    put(floor, 1, SessionStatus.NOTICED, ELEVEN, NOON)
    assert step(floor) == (Kind.CLOSE_SESSION, 2, HALF_PAST)
    command = next_session_step(floor.exchange.state)
    assert command is not None
    assert (int(command.command()[0]["kind"]), int(command.command()[0]["ref"])) == (
        Kind.CLOSE_SESSION,
        2,
    )


@pytest.mark.parametrize("why", ["market", "instrument", "lunch", "over"])
def test_what_cannot_be_opened_in_its_window_is_rejected_at_its_end(floor: Floor, why: str) -> None:
    put(floor, 1, SessionStatus.NOTICED, TEN, HALF_PAST)
    state = floor.exchange.state
    if why == "market":
        state.market["halted"] = 1
    elif why == "instrument":
        state.instruments["halted"][5] = 1
    elif why == "lunch":
        floor.phase(Phase.LUNCH)
    else:
        state.market["time_ns"] = HALF_PAST
    assert step(floor) == (Kind.REJECT_SESSION, 1, HALF_PAST)
