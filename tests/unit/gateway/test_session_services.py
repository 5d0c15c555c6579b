"""What a session offers besides orders: resume, snapshot, limits, heartbeat, status, rates."""

import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from engine.records import Phase
from gateway.keys import login_signature
from gateway.limits import Limits
from gateway.protocol import HEARTBEATS_MISSED_MAX, Session, State
from gateway.wire.codec import JSON
from gateway.wire.messages import Bye, Error, Refused, Snapshot, Status, StreamResumed
from gateway.wire.refusals import REFUSALS
from tests.unit.gateway.inline_desk import CASH_FEN, DATE, TONNES, Floor, frame, order


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


class SteadyClock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def line(floor: Floor, clock: SteadyClock, account: int = 0, **more: Any) -> Session:
    """A logged-in session on the test's clock; ``more``: fields of the login."""
    session = Session(JSON, floor.desk, f"n{id(clock)}-{account}", clock)
    session.open()
    now_us, key = time.time_ns() // 1000, floor.key[account]
    session.receive(
        json.dumps(
            {
                "type": "login",
                "key_id": key.key_id,
                "time_us": now_us,
                "signature": login_signature(key.secret, session.nonce, now_us),
                "cancel_on_disconnect": False,
                **more,
            }
        )
    )
    session.output()
    return session


def say(session: Session, *messages: dict[str, object]) -> list[Any]:
    session.receive(frame(session.codec, *messages))
    return all_of(session)


def all_of(session: Session) -> list[Any]:
    said = []
    while more := session.output():
        said += more
    return said


# the private stream


def test_resume_tells_the_reports_after_a_number_again_and_goes_on(floor: Floor) -> None:
    first = floor.session(0)
    told = [say(first, order(f"o{n}", price=None, price_ticks=7500 + n))[0] for n in range(5)]
    again = floor.session(0)
    resumed, *missed = say(again, {"type": "resume", "date": DATE, "after": 2})
    assert resumed == StreamResumed(DATE, 2, 5, True)
    assert missed == told[2:]
    (live,) = say(first, order("o5", price=None, price_ticks=7600))
    assert all_of(again) == [live]


def test_resume_of_another_day_or_of_nothing_missed_says_so(floor: Floor) -> None:
    session = floor.session(0)
    say(session, order("a"))
    assert say(session, {"type": "resume", "date": DATE - 1, "after": 0}) == [
        StreamResumed(DATE, 0, 1, False)
    ]
    assert say(session, {"type": "resume", "date": DATE, "after": 1}) == [
        StreamResumed(DATE, 1, 1, True)
    ]
    assert say(session, {"type": "resume", "date": DATE, "after": -1}) == [
        StreamResumed(DATE, -1, 1, False)
    ]


@pytest.mark.parametrize(("date", "after"), [(DATE, 2), (DATE + 1, 0)])
def test_who_has_seen_more_than_there_is_is_told_that_history_is_lost(
    floor: Floor, date: int, after: int
) -> None:
    session = floor.session(0)
    say(session, order("a"))
    (error,) = say(session, {"type": "resume", "date": date, "after": after})
    assert isinstance(error, Error)
    assert error.code == "resume_ahead"


def test_every_line_of_the_account_has_the_same_numbers(floor: Floor) -> None:
    """A second line is a drop copy."""
    trading, copy = floor.session(0), floor.session(0)
    told = say(trading, order("a"), order("b", price="81.00"))
    assert all_of(copy) == told


def test_a_snapshot_names_the_report_that_it_includes(floor: Floor) -> None:
    session = floor.session(0)
    (accepted,) = say(session, order("mine", qty_tonnes=70))
    (found,) = say(session, {"type": "snapshot"})
    assert isinstance(found, Snapshot)
    assert (found.account, found.date, found.phase) == (0, DATE, "morning")
    assert (found.report_seq, found.seq) == (accepted.report_seq, accepted.seq)
    assert (found.cash_available_fen, found.cash_frozen_fen) == (CASH_FEN, 0)
    assert [msgspec.to_builtins(each) for each in found.holdings] == [
        {
            "instrument": "CEA25",
            "available_tonnes": TONNES - 70,
            "frozen_tonnes": 70,
            "bought_today_tonnes": 0,
            "judicial_tonnes": 0,
        }
    ]
    (standing,) = found.orders
    assert (standing.order_no, standing.client_order_id) == (accepted.order_no, "mine")
    assert (standing.kind, standing.leaves_qty) == ("list", 70)


# what became of it


def test_status_knows_what_the_gateway_turned_away(floor: Floor) -> None:
    session = floor.session(0)
    say(session, order("a", instrument="CEA99"))
    assert say(session, {"type": "status", "client_order_id": "a"}) == [
        Status("a", "turned_away", code="unknown_instrument", reason=_sentence(session))
    ]
    assert say(session, {"type": "status", "client_order_id": "b"}) == [Status("b", "unknown")]
    (accepted,) = say(session, order("a"))
    (status,) = say(session, {"type": "status", "client_order_id": "a"})
    assert (status.outcome, status.order_no) == ("accepted", accepted.order_no)
    other = floor.session(1)
    assert say(other, {"type": "status", "client_order_id": "a"}) == [Status("a", "unknown")]


def _sentence(session: Session) -> str:
    return REFUSALS["unknown_instrument"].sentence


# cancel all, cancel after


def test_cancel_all_by_side_and_instrument_is_answered_last_and_repeated(floor: Floor) -> None:
    session = floor.session(0)
    say(session, order("s1"), order("s2", price="81.00"), order("b1", side="buy", price="79.00"))
    *ended, done = say(session, {"type": "cancel_all", "client_order_id": "c", "side": "sell"})
    assert [(each.client_order_id, each.request_id, each.code) for each in ended] == [
        ("s1", "c", "by_owner"),
        ("s2", "c", "by_owner"),
    ]
    assert (done.cancelled, done.side, done.instrument, done.code) == (2, "sell", "", "by_owner")
    (again,) = say(session, {"type": "cancel_all", "client_order_id": "c", "side": "sell"})
    assert (again.repeated, again.report_seq) == (True, done.report_seq)
    (*_, rest) = say(session, {"type": "cancel_all", "client_order_id": "d", "instrument": "CEA25"})
    assert (rest.cancelled, rest.instrument) == (1, "CEA25")


@pytest.mark.parametrize(
    ("more", "code"),
    [({"side": "both"}, "out_of_range"), ({"instrument": "CEA99"}, "unknown_instrument")],
)
def test_cancel_all_refuses_nonsense(floor: Floor, more: dict[str, str], code: str) -> None:
    session = floor.session(0)
    say(session, order("a"))
    (refused,) = say(session, {"type": "cancel_all", "client_order_id": "c", **more})
    assert refused.code == code
    assert len(say(session, {"type": "snapshot"})[0].orders) == 1


def test_cancel_after_is_shown_in_the_snapshot_and_switched_off(floor: Floor) -> None:
    session = floor.session(0)
    (told,) = say(session, {"type": "cancel_after", "client_order_id": "t", "timeout_ms": 5000})
    assert told.timeout_ms == 5000
    (found,) = say(session, {"type": "snapshot"})
    assert found.cancel_at_us == told.time_us + 5_000_000
    say(session, {"type": "cancel_after", "client_order_id": "u", "timeout_ms": 0})
    assert say(session, {"type": "snapshot"})[0].cancel_at_us == 0
    (refused,) = say(session, {"type": "cancel_after", "client_order_id": "v", "timeout_ms": 5})
    assert refused.code == "parameter_invalid"


# rates


def rated(floor: Floor, **more: Any) -> SteadyClock:
    floor.desk.limits = Limits(orders_per_second=10, orders_burst=5, questions_burst=3, **more)
    return SteadyClock()


def test_what_is_beyond_the_rate_is_refused_with_the_time_to_wait(floor: Floor) -> None:
    clock = rated(floor)
    session = line(floor, clock)
    orders = [order(f"o{n}", price=None, price_ticks=7500 + n) for n in range(7)]
    said = say(session, *orders)
    refused = [each for each in said if isinstance(each, Refused)]
    assert sorted(each.client_order_id for each in refused) == ["o5", "o6"]
    assert {each.code for each in refused} == {"rate_limited"}
    assert all(each.retry_ms == 100 and not each.sequenced for each in refused)
    clock.now_s += 0.1
    (accepted,) = say(session, orders[5])
    assert accepted.client_order_id == "o5"
    (status,) = say(session, {"type": "status", "client_order_id": "o6"})
    assert (status.outcome, status.code) == ("turned_away", "rate_limited")


def test_cancels_and_questions_pass_when_orders_do_not(floor: Floor) -> None:
    clock = rated(floor, questions_per_second=2)
    session = line(floor, clock)
    made = say(session, *(order(f"o{n}", price=None, price_ticks=7500 + n) for n in range(5)))
    cancels = [
        {"type": "cancel", "client_order_id": f"c{n}", "order_no": each.order_no}
        for n, each in enumerate(made)
    ]
    assert [each.type for each in map(_typed, say(session, *cancels))] == ["cancelled"] * 5
    assert session.pause_s > 0  # but the line is read more slowly now
    clock.now_s += 10
    say(session, {"type": "ping"})
    assert session.pause_s == 0


def _typed(message: Any) -> Any:
    return SimpleNamespace(type=type(message).__struct_config__.tag)


def test_insisting_for_ten_seconds_ends_the_line(floor: Floor) -> None:
    clock = rated(floor)
    session = line(floor, clock)
    said: list[Any] = []
    for n in range(2000):
        said = say(session, order(f"o{n}", price=None, price_ticks=7500 + n % 50))
        clock.now_s += 0.01
        if session.state is State.CLOSED:
            break
    assert isinstance(said[-1], Bye)
    assert (said[-1].code, session.close_code) == ("rate_abused", 4029)
    assert 1000 < n < 1100


def test_limits_are_told_with_what_is_left(floor: Floor) -> None:
    session = line(floor, rated(floor))
    say(session, order("a"), order("b", price="81.00"))
    (told,) = say(session, {"type": "limits"})
    assert (told.orders_per_second, told.orders_burst, told.orders_left) == (10, 5, 3)
    assert (told.open_orders, told.open_orders_max) == (2, 1000)
    free = floor.session(1)
    floor.desk.limits = Limits(orders_per_second=0)
    (told,) = say(free, {"type": "limits"})
    assert (told.orders_per_second, told.orders_burst) == (0, 0)


def test_an_account_has_so_many_lines(floor: Floor) -> None:
    clock = rated(floor, lines_per_account_max=2)
    lines = [line(floor, clock) for _ in range(3)]
    assert [each.state for each in lines] == [State.LOGGED_IN, State.LOGGED_IN, State.CLOSED]
    assert lines[2].close_code == 4029
    lines[0].drop()
    assert line(floor, clock).state is State.LOGGED_IN


# signs of life


def test_heartbeats_carry_the_last_number_and_a_silent_client_is_let_go(floor: Floor) -> None:
    clock = SteadyClock()
    session = line(floor, clock, heartbeat_ms=1000)
    (accepted,) = say(session, order("a"))
    for _ in range(HEARTBEATS_MISSED_MAX):
        clock.now_s += 1
        session.beat()
    beats = all_of(session)
    assert [each.report_seq for each in beats] == [accepted.report_seq] * 3
    say(session, {"type": "ping"})
    clock.now_s += 3.5
    session.beat()
    error, bye = all_of(session)
    assert (error.code, bye.code, session.close_code) == ("heartbeat_lost", "heartbeat_lost", 4014)


def test_a_line_that_is_closed_beats_no_more(floor: Floor) -> None:
    session = line(floor, SteadyClock(), heartbeat_ms=1000)
    session.drop()
    session.beat()
    assert all_of(session) == []
    assert session.state is State.CLOSED


def test_lunch_lets_cancel_all_pass(floor: Floor) -> None:
    """TR-34: no new declarations, cancelling goes on."""
    session = floor.session(0)
    say(session, order("a"))
    floor.phase(Phase.LUNCH)
    *_, done = say(session, {"type": "cancel_all", "client_order_id": "c"})
    assert done.cancelled == 1
