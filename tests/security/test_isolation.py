"""No account can touch or see another's business (promise P6): every command, foreign number."""

import hashlib
from pathlib import Path

import pytest

from engine.records import Kind
from gateway import messages as m
from gateway.authority import ACCOUNT_ROLES, PERMITTED
from gateway.messages import Refused
from gateway.protocol import tag_of
from tests.unit.gateway.inline_desk import Floor, order, say

QTY = 100_000
NUMBERS = ("live", "filled", "cancelled", "bid", "offer", "never used", "zero", "negative", "huge")
TERMS = {"price": "74.00", "qty_tonnes": QTY}
BY_NUMBER: dict[str, dict[str, object]] = {
    "cancel": {},
    "amend": {"qty_tonnes": 1, "price": "80.05"},
    "bulk_counter": TERMS,
    "bulk_accept": TERMS,
    "bulk_confirm": {},
    "bulk_decline": {},
    "bulk_withdraw": {},
    "cancel_bid": {},
}
BY_SESSION: dict[str, dict[str, object]] = {"bid": {"price": "75.00", "qty_tonnes": 5}}
BY_KEY = {"rotate_key", "revoke_key"}
ELSEWHERE = {"take"}  # taking somebody's listing by its number is what the market is for


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def numbers(floor: Floor) -> dict[str, int]:
    """Numbers of a victim's orders of every kind and state, and numbers of nobody."""
    victim, other = floor.session(0), floor.session(1)
    live, filled, gone = (each.order_no for each in say(victim, *map(order, "lfg")))
    say(other, {"type": "take", "client_order_id": "t", "order_no": filled, "qty_tonnes": 10})
    say(victim, {"type": "cancel", "client_order_id": "x", "order_no": gone})
    apply = {"instrument": "CEA25", "price": "74.63", "qty_tonnes": QTY}
    say(other, {"type": "apply_session", "client_order_id": "s", **apply})
    window = {"opens": "10:00", "closes": "14:30"}
    operator = floor.office("exchange_operator")
    say(operator, {"type": "notice_session", "client_order_id": "n", "session_no": 1, **window})
    floor.cycle(Kind.OPEN_SESSION, 1)
    bid = {"session_no": 1, "price": "75.00", "qty_tonnes": 5}
    (placed,) = [
        each
        for each in say(victim, {"type": "bid", "client_order_id": "b", **bid})
        if isinstance(each, m.Accepted)
    ]
    floor.afternoon()
    directed = {"instrument": "CEA25", "side": "sell", **TERMS, "counterparty": 1}
    say(victim, {"type": "bulk_offer", "client_order_id": "o", **directed})
    offer = int(floor.exchange.state.market[0]["order_base"]) + int(
        floor.exchange.state.market[0]["orders"] - 1
    )
    found = (live, filled, gone, placed.order_no, offer, 4711, 0, -1, 2**53)
    return dict(zip(NUMBERS, found, strict=True))


def digest_of(floor: Floor, account: int) -> str:
    """Everything the exchange holds for one account, and what it was told."""
    state = floor.exchange.state
    mine = state.orders[state.orders["account"] == account]
    parts = (mine, state.accounts[account], state.holdings[account], state.negotiations)
    text = b"".join(part.tobytes() for part in (*parts, state.sessions))
    text += bytes(floor.record.streams[account])
    return hashlib.sha256(text).hexdigest()


def test_every_command_of_an_account_is_in_a_matrix() -> None:
    """A new command by number needs its row here; what names no number can only be one's own."""
    account_types = {
        tag_of(kind): kind
        for kind in m.Command.__args__
        if PERMITTED[tag_of(kind)] & set(ACCOUNT_ROLES)
    }
    by_number = {
        name for name, kind in account_types.items() if "order_no" in kind.__struct_fields__
    }
    by_session = {
        name for name, kind in account_types.items() if "session_no" in kind.__struct_fields__
    }
    by_key = {
        name
        for name, kind in account_types.items()
        if "key_id" in kind.__struct_fields__ and name != "create_key"
    }
    assert by_number == {*BY_NUMBER, *ELSEWHERE}
    assert by_session == set(BY_SESSION)
    assert by_key == BY_KEY, "see tests/unit/gateway/test_institutions.py"
    named = {name for name, kind in account_types.items() if "account" in kind.__struct_fields__}
    assert named == {"kill"}, "an account may not name an account, see test_institutions.py"


@pytest.mark.parametrize("command", list(BY_NUMBER))
def test_foreign_and_unknown_numbers_get_the_same_answer(floor: Floor, command: str) -> None:
    known = numbers(floor)
    hostile = floor.session(2)
    before = digest_of(floor, 0), digest_of(floor, 1)
    answers = set()
    for n, name in enumerate(NUMBERS):
        message = {"type": command, "client_order_id": f"h{n}", "order_no": known[name]}
        (said,) = say(hostile, message | BY_NUMBER[command])
        assert isinstance(said, Refused)
        answers.add((said.code, said.reason, said.clauses, said.sequenced))
        assert said.code in {"unknown_order", "phase_closed"}, name
    assert len(answers) == 1
    assert before == (digest_of(floor, 0), digest_of(floor, 1))


OWN_OLD = ("filled", "cancelled", "never used")


@pytest.mark.parametrize("command", list(BY_NUMBER))
def test_own_orders_that_are_over_are_answered_as_unknown_ones(floor: Floor, command: str) -> None:
    known = numbers(floor)
    victim = floor.session(0)
    state = floor.exchange.state
    before = state.orders.tobytes(), state.accounts.tobytes(), state.negotiations.tobytes()
    answers = set()
    for n, name in enumerate(OWN_OLD):
        message = {"type": command, "client_order_id": f"o{n}", "order_no": known[name]}
        (said,) = say(victim, message | BY_NUMBER[command])
        answers.add((said.code, said.reason, said.clauses))
    assert {code for code, *_ in answers} <= {"unknown_order", "phase_closed"}
    assert len(answers) == 1
    assert before == (
        state.orders.tobytes(),
        state.accounts.tobytes(),
        state.negotiations.tobytes(),
    )


def test_the_initiator_of_an_offer_learns_nothing_of_others_by_naming_them(floor: Floor) -> None:
    """A counterparty without a negotiation, and one that does not exist, are answered alike."""
    known = numbers(floor)
    victim = floor.session(0)
    for n, command in enumerate(("bulk_counter", "bulk_accept", "bulk_confirm", "bulk_decline")):
        answers = set()
        for other in (0, 2, 77):
            message = {
                "type": command,
                "client_order_id": f"v{n}-{other}",
                "order_no": known["offer"],
                "counterparty": other,
            }
            (said,) = say(victim, message | BY_NUMBER[command])
            answers.add((said.code, said.sequenced))
        assert answers == {("unknown_negotiation", True)}, command


@pytest.mark.parametrize("command", list(BY_SESSION))
def test_sessions_that_are_not_open_and_unknown_ones_get_the_same_answer(
    floor: Floor, command: str
) -> None:
    numbers(floor)
    hostile = floor.session(2)
    apply = {"instrument": "CEA25", "price": "74.63", "qty_tonnes": QTY}
    say(floor.session(1), {"type": "apply_session", "client_order_id": "s2", **apply})
    before = digest_of(floor, 0)
    answers = set()
    for n, number in enumerate((2, 4711, 0, -1, 2**53)):
        message = {"type": command, "client_order_id": f"h{n}", "session_no": number}
        (said,) = say(hostile, message | BY_SESSION[command])
        answers.add((said.code, said.reason, said.clauses))
    assert {code for code, *_ in answers} == {"unknown_session"}
    assert len(answers) == 1
    assert before == digest_of(floor, 0)


def test_reports_and_status_stay_with_their_owner(floor: Floor) -> None:
    victim, hostile = floor.session(0), floor.session(2)
    say(victim, order("secret"))
    assert hostile.output() == []
    (status,) = say(hostile, {"type": "status", "client_order_id": "secret"})
    (never,) = say(hostile, {"type": "status", "client_order_id": "never"})
    assert (status.outcome, status.seq, status.order_no) == (never.outcome, 0, 0)
    (pong,) = say(hostile, {"type": "ping"})
    assert pong.report_seq == 0


def test_the_account_cannot_be_named_in_a_message(floor: Floor) -> None:
    session = floor.session(2)
    for name in ("account", "counterparty", "operator", "seq"):
        (said,) = say(session, order("a", **{name: 0}))
        assert said.code == "unknown_field"
