"""The session without sockets: what is said to what; no mistake of a client changes state."""

import json
from pathlib import Path

import msgpack
import pytest

from engine.exchange import Exchange
from engine.records import Phase
from gateway.desk.day_record import DayRecord
from gateway.desk.desk import Desk
from gateway.keys import Keys
from gateway.protocol import OUT_MAX, Session, State
from gateway.wire.codec import CODECS, JSON, MSGPACK
from gateway.wire.messages import (
    Accepted,
    Bye,
    Cancelled,
    Error,
    Filled,
    PhaseChanged,
    Pong,
    Refused,
    Status,
)
from gateway.wire.refusals import REFUSALS
from tests.unit.gateway.inline_desk import (
    CASH_FEN,
    DATE,
    Floor,
    InlineSequencer,
    frame,
    login,
    order,
)


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def say(session, *messages: dict[str, object]) -> list:
    session.receive(frame(session.codec, *messages))
    return session.output()


@pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))
def test_a_listing_is_accepted_and_taken(floor: Floor, codec) -> None:
    lister, taker = floor.session(0, codec), floor.session(1, codec)
    (accepted,) = say(lister, order("mine", qty_tonnes=100))
    assert isinstance(accepted, Accepted)
    assert (accepted.client_order_id, accepted.price_ticks, accepted.leaves_qty) == (
        "mine",
        8005,
        100,
    )
    assert accepted.report_seq == 1
    take = {"type": "take", "client_order_id": "t1", "order_no": accepted.order_no}
    taken, filled = say(taker, take | {"qty_tonnes": 30})
    assert isinstance(taken, Accepted)
    assert isinstance(filled, Filled)
    assert (filled.taker, filled.side, filled.qty_tonnes, filled.leaves_qty) == (True, "buy", 30, 0)
    (mine,) = lister.output()
    assert (mine.client_order_id, mine.taker, mine.side, mine.leaves_qty) == (
        "mine",
        False,
        "sell",
        70,
    )
    assert (mine.report_seq, filled.report_seq, mine.trade_no) == (2, 2, filled.trade_no)
    assert mine.amount_fen == filled.amount_fen == 30 * 8005


def test_a_sweep_is_answered_leg_by_leg(floor: Floor) -> None:
    lister, taker = floor.session(0), floor.session(1)
    first, second = say(lister, order("a", price="80.00"), order("b", price="80.01"))
    legs = [[first.order_no, 10], [second.order_no, 4], [999, 1]]
    said = say(taker, {"type": "take", "client_order_id": "sweep", "legs": legs})
    assert [type(each) for each in said] == [Accepted, Filled, Accepted, Filled, Refused]
    assert [each.leg for each in said] == [1, 1, 2, 2, 3]
    assert {each.client_order_id for each in said} == {"sweep"}
    assert said[-1].code == "unknown_order"
    again = say(taker, {"type": "take", "client_order_id": "sweep", "legs": legs})
    assert [type(each) for each in again] == [Accepted, Accepted, Refused]
    assert all(each.repeated for each in again)


def test_take_best_and_what_does_not_rest(floor: Floor) -> None:
    lister, taker = floor.session(0), floor.session(1)
    say(lister, order("a", price="80.00"), order("b", price="80.01"))
    best = order("t", type="take_best", side="buy", qty_tonnes=25, price="80.01")
    accepted, one, two, rest = say(taker, best)
    assert isinstance(accepted, Accepted)
    assert [fill.price_ticks for fill in (one, two)] == [8000, 8001]
    assert isinstance(rest, Cancelled)
    assert (rest.code, rest.qty_tonnes, rest.client_order_id) == ("take_remainder", 5, "t")
    assert rest.request_id == ""


def test_cancel_names_order_and_request(floor: Floor) -> None:
    session = floor.session(0)
    (accepted,) = say(session, order("mine"))
    cancel = {"type": "cancel", "client_order_id": "c1", "order_no": accepted.order_no}
    (cancelled,) = say(session, cancel)
    assert isinstance(cancelled, Cancelled)
    assert (cancelled.client_order_id, cancelled.request_id) == ("mine", "c1")
    assert cancelled.order_no == accepted.order_no
    (again,) = say(session, cancel)
    assert again.repeated
    assert again.report_seq == cancelled.report_seq
    (refused,) = say(session, cancel | {"client_order_id": "c2"})
    assert (refused.code, refused.sequenced) == ("unknown_order", True)


def test_the_same_id_is_answered_again_and_never_done_twice(floor: Floor) -> None:
    session = floor.session(0)
    (first,) = say(session, order("a"))
    digest = floor.digest()
    (again,) = say(session, order("a"))
    assert again.repeated
    assert not first.repeated
    assert (again.order_no, again.report_seq, again.seq) == (
        first.order_no,
        first.report_seq,
        first.seq,
    )
    (same_price,) = say(session, order("a", price=None, price_ticks=8005))
    assert same_price.repeated
    (other,) = say(session, order("a", qty_tonnes=11))
    assert (other.code, other.sequenced) == ("duplicate_client_order_id", False)
    assert floor.digest() == digest
    (refused,) = say(session, order("b", price="9.00"))
    (refused_again,) = say(session, order("b", price="9.00"))
    assert refused.code == refused_again.code == "price_out_of_band"
    assert refused_again.repeated
    stranger = floor.session(1)
    (own,) = say(stranger, order("a"))
    assert isinstance(own, Accepted), "ids are unique per account, not among all"


def test_a_repeat_in_the_same_frame_waits_for_the_first_answer(floor: Floor) -> None:
    session = floor.session(0)
    first, again, other = say(session, order("a"), order("a"), order("a", qty_tonnes=3))
    assert isinstance(first, Accepted)
    assert (again.order_no, again.repeated) == (first.order_no, True)
    assert other.code == "duplicate_client_order_id"
    assert int(floor.exchange.state.market[0]["open_orders"]) == 1


def test_a_gateway_refusal_leaves_the_id_free(floor: Floor) -> None:
    session = floor.session(0)
    (refused,) = say(session, order("a", instrument="CEA99"))
    assert (refused.code, refused.sequenced) == ("unknown_instrument", False)
    (accepted,) = say(session, order("a"))
    assert isinstance(accepted, Accepted)


def test_status_answers_for_every_id(floor: Floor) -> None:
    session = floor.session(0)
    said = say(
        session,
        order("a"),
        order("b", price="9.00"),
        *({"type": "status", "client_order_id": each} for each in ("a", "b", "never")),
    )
    found = {each.client_order_id: each for each in said if isinstance(each, Status)}
    assert found["a"].outcome == "accepted"
    assert found["a"].order_status == "open"
    assert found["b"].outcome == "refused"
    assert found["b"].code == "price_out_of_band"
    assert found["never"].outcome == "unknown"
    stranger = floor.session(1)
    (foreign,) = say(stranger, {"type": "status", "client_order_id": "a"})
    assert foreign.outcome == "unknown"


def test_each_message_of_an_array_is_answered_on_its_own(floor: Floor) -> None:
    session = floor.session(0)
    said = say(
        session,
        order("a"),
        order("b", qty=1),
        {"type": "dance", "client_order_id": "c"},
        order("d", qty_tonnes=None),
        order("e"),
    )
    by_id = {each.client_order_id: each for each in said}
    assert isinstance(by_id["a"], Accepted)
    assert isinstance(by_id["e"], Accepted)
    assert by_id["b"].code == "unknown_field"
    assert by_id["c"].code == "unknown_message"
    assert by_id["d"].code == "missing_field"


BAD_ORDERS = [
    ({"volume": 3}, "unknown_field", False),
    ({"Qty_tonnes": 3}, "unknown_field", False),
    ({"account": 1}, "unknown_field", False),
    ({"qty_tonnes": "10"}, "wrong_type", False),
    ({"qty_tonnes": 0.5}, "wrong_type", False),
    ({"qty_tonnes": True}, "wrong_type", False),
    ({"qty_tonnes": [1]}, "wrong_type", False),
    ({"instrument": 5}, "wrong_type", False),
    ({"price": 80.05}, "wrong_type", False),
    ({"price": "80.005"}, "price_off_tick", False),
    ({"price": "eighty"}, "wrong_type", False),
    ({"price": "8e1"}, "wrong_type", False),
    ({"price": "80.05", "price_ticks": 8005}, "conflicting_fields", False),
    ({"price": None}, "missing_field", False),
    ({"price": "999999999.99"}, "out_of_range", False),
    ({"price": None, "price_ticks": 2**31}, "out_of_range", False),
    ({"price": None, "price_ticks": -(2**62)}, "out_of_range", False),
    ({"qty_tonnes": None}, "missing_field", False),
    ({"side": None}, "missing_field", False),
    ({"qty_tonnes": 2**63 - 1}, "out_of_range", False),
    ({"qty_tonnes": 2**64 - 1}, "out_of_range", False),
    ({"qty_tonnes": -(2**63)}, "out_of_range", False),
    ({"instrument": "CEA99"}, "unknown_instrument", False),
    ({"instrument": ""}, "unknown_instrument", False),
    ({"client_order_id": ""}, "client_order_id_invalid", False),
    ({"client_order_id": "a b"}, "client_order_id_invalid", False),
    ({"client_order_id": "é"}, "client_order_id_invalid", False),
    ({"client_order_id": "x" * 33}, "client_order_id_invalid", False),
    ({"client_order_id": 7}, "wrong_type", False),
    ({"type": "lst"}, "unknown_message", False),
    ({"type": None}, "unknown_message", False),
    ({"type": 4}, "unknown_message", False),
    ({"side": "hold"}, "side_invalid", True),
    ({"price": "80.0"}, "", True),
    ({"price": "88.19"}, "price_out_of_band", True),
    ({"price": "0"}, "price_invalid", True),
    ({"price": "-80.05"}, "price_invalid", True),
    ({"price": None, "price_ticks": 2**31 - 1}, "price_invalid", True),
    ({"qty_tonnes": 0}, "qty_invalid", True),
    ({"qty_tonnes": -5}, "qty_invalid", True),
    ({"qty_tonnes": 10**15}, "qty_invalid", True),
    ({"qty_tonnes": 100_000}, "qty_above_max", True),
    ({"instrument": "CEA24"}, "insufficient_holding", True),
    ({"type": "add"}, "wrong_mode", True),
]


@pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))
@pytest.mark.parametrize(("changes", "code", "sequenced"), BAD_ORDERS)
def test_every_bad_order_is_refused_with_its_code(
    floor: Floor, codec, changes: dict[str, object], code: str, sequenced: bool
) -> None:
    session = floor.session(0, codec)
    before = floor.exchange.seq
    (said,) = say(session, order(**changes))
    if not code:
        assert isinstance(said, Accepted)
        return
    assert isinstance(said, Refused | Error)
    assert said.code == code
    assert said.reason.endswith((".", ")", "-"))
    assert floor.exchange.seq == before + sequenced
    assert session.state is State.LOGGED_IN
    assert int(floor.exchange.state.market[0]["open_orders"]) == 0
    assert int(floor.exchange.state.accounts[0]["cash_available_fen"]) == CASH_FEN


BAD_FRAMES = [
    (b"", "malformed_frame"),
    (b"{", "malformed_frame"),
    (b"[" * 10_000, "malformed_frame"),
    (b'{"a":' * 3_000, "malformed_frame"),
    (b"\xff\xfe", "malformed_frame"),
    (b'{"type": "ping\xff"}', "malformed_frame"),
    (b'{"type":"ping","ref":NaN}', "malformed_frame"),
    (b'{"type":"ping"} {"type":"ping"}', "malformed_frame"),
    (b"7", "wrong_type"),
    (b"null", "wrong_type"),
    (b'"ping"', "wrong_type"),
    (b"[[]]", "wrong_type"),
    (b"[7]", "wrong_type"),
    (b"{}", "unknown_message"),
    (b'{"type":"ping","ref":1e400}', "malformed_frame"),
    (b'{"type":"ping","ref":' + b"9" * 4000 + b"}", "out_of_range"),
    (b"[" + b",".join([b'{"type":"ping"}'] * 101) + b"]", "too_many_messages"),
]


@pytest.mark.parametrize(
    ("raw", "code"), BAD_FRAMES, ids=[f"{raw[:12]!r}" for raw, _ in BAD_FRAMES]
)
def test_every_bad_frame_is_refused_and_keeps_the_session(
    floor: Floor, raw: bytes, code: str
) -> None:
    session = floor.session(0)
    digest = floor.digest()
    session.receive(raw.decode("utf-8", "surrogateescape"))
    (said,) = session.output()
    assert isinstance(said, Error)
    assert said.code == code
    assert floor.digest() == digest
    (pong,) = say(session, {"type": "ping", "ref": 3})
    assert pong.ref == 3


def test_an_oversized_frame_closes(floor: Floor) -> None:
    session = floor.session(0)
    session.receive(" " * (16 * 1024 + 1))
    error, bye = session.output()
    assert (error.code, error.closes) == ("frame_too_big", True)
    assert isinstance(bye, Bye)
    assert session.close_code == REFUSALS["frame_too_big"].close_code
    digest = floor.digest()
    assert say(session, order("late")) == []
    assert floor.digest() == digest


def test_the_kind_of_frame_must_fit_the_encoding(floor: Floor) -> None:
    text, binary = floor.session(0, JSON), floor.session(0, MSGPACK)
    text.receive(msgpack.packb(order("a")))
    binary.receive(json.dumps(order("a")))
    for session in (text, binary):
        (said,) = session.output()
        assert said.code == "malformed_frame"


def test_nothing_is_done_before_the_login(floor: Floor) -> None:
    session = floor.session(None)
    digest = floor.digest()
    for message in (order("a"), {"type": "status", "client_order_id": "a"}):
        (said,) = say(session, message)
        assert said.code == "not_logged_in"
    assert floor.digest() == digest
    (pong,) = say(session, {"type": "ping"})
    assert isinstance(pong, Pong)
    session.receive(frame(JSON, login(session, floor.key[0])))
    assert session.state is State.LOGGED_IN
    (_,) = session.output()
    session.receive(frame(JSON, login(session, floor.key[1])))
    (said,) = session.output()
    assert said.code == "already_logged_in"
    assert session.account == 0


@pytest.mark.parametrize(
    "wrong", [{"secret": "0" * 64}, {"late_us": 120_000_000}, {"late_us": -120_000_000}]
)
def test_wrong_credentials_close(floor: Floor, wrong: dict) -> None:
    session = floor.session(None)
    session.receive(frame(JSON, login(session, floor.key[0], **wrong)))
    error, bye = session.output()
    assert (error.code, error.closes, bye.code) == ("bad_credentials", True, "bad_credentials")
    assert session.state is State.CLOSED
    say(session, order("a"))
    assert floor.desk.sessions == {}


def test_an_unknown_key_and_a_nonce_of_another_connection_get_the_same_answer(floor: Floor) -> None:
    stranger, replayed = floor.session(None), floor.session(None)
    good = login(stranger, floor.key[0])
    good.key_id = "nobody"
    stranger.receive(frame(JSON, good))
    old = login(replayed, floor.key[0])
    replayed.nonce = "another nonce"
    replayed.receive(frame(JSON, old))
    assert [each.code for each in stranger.output()] == [each.code for each in replayed.output()]


def test_the_time_to_log_in_is_limited(floor: Floor) -> None:
    session = floor.session(None)
    session.login_expired()
    error, bye = session.output()
    assert error.code == bye.code == "login_timeout"
    logged_in = floor.session(0)
    logged_in.login_expired()
    assert logged_in.state is State.LOGGED_IN


def test_a_reading_key_hears_everything_and_does_nothing(floor: Floor) -> None:
    key = floor.keys.create(0, "auditor", ("viewer",))
    trader, session = floor.session(0), floor.session(None)
    session.receive(frame(JSON, login(session, key)))
    session.output()
    digest = floor.digest()
    (said,) = say(session, order("a"))
    assert said.code == "not_permitted"
    assert floor.digest() == digest
    (accepted,) = say(trader, order("b"))
    assert session.output() == [accepted]


def test_logout_is_answered_and_orders_stay(floor: Floor) -> None:
    session = floor.session(0)
    say(session, order("a"))
    (bye,) = say(session, {"type": "logout"})
    assert (bye.code, session.close_code) == ("logout", 1000)
    assert int(floor.exchange.state.market[0]["open_orders"]) == 1
    assert floor.desk.sessions == {}


def test_a_burst_of_reports_is_bounded_and_nothing_is_lost(floor: Floor) -> None:
    session = floor.session(0)
    count = OUT_MAX + 300
    for n in range(count):
        session.receive(frame(JSON, order(f"o{n}", price=None, price_ticks=7500 + n % 50)))
    session_reports = []
    while said := session.output():
        assert len(session._out) <= OUT_MAX
        session_reports += said
    assert [each.report_seq for each in session_reports] == list(range(1, count + 1))
    (live,) = say(session, order("last", price="81.00"))
    assert live.report_seq == count + 1


def test_phases_are_told_and_a_new_day_begins_the_numbers_again(floor: Floor) -> None:
    session = floor.session(0)
    say(session, order("a"))
    floor.phase(Phase.LUNCH)
    (told,) = session.output()
    assert isinstance(told, PhaseChanged)
    assert (told.phase, told.date) == ("lunch", DATE)
    (refused,) = say(session, order("b"))
    assert refused.code == "phase_closed"


def test_reports_come_after_the_batch_is_applied_only(floor: Floor) -> None:
    session = floor.session(0)
    floor.sequencer.hold = True
    assert say(session, order("a")) == []
    floor.sequencer.hold = False
    floor.sequencer.flush()
    (accepted,) = session.output()
    assert isinstance(accepted, Accepted)


def test_a_venue_that_lists_nothing_yet_refuses_calmly(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    desk = Desk(Exchange(), DayRecord(), keys)
    desk.sequencer = InlineSequencer(desk)
    session = Session(JSON, desk, "nonce")
    session.open()
    session.receive(frame(JSON, login(session, keys.create(0))))
    session.output()
    (said,) = say(session, {"type": "cancel", "client_order_id": "c", "order_no": 1})
    assert (said.code, said.sequenced) == ("unknown_account", True)
    (listed,) = say(session, order("a"))
    assert listed.code == "unknown_instrument"
