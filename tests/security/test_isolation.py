"""No account can touch or see another's orders (promise P6): every command, foreign number."""

from pathlib import Path

import pytest

from engine.records import Kind
from gateway.messages import Command, Refused
from tests.unit.gateway.inline_desk import Floor, frame, order

NUMBERS = ("live", "filled", "cancelled", "never used", "zero", "negative", "huge")
BY_NUMBER = {
    "cancel": lambda no, n: {"type": "cancel", "client_order_id": f"c{n}", "order_no": no},
    "amend": lambda no, n: {
        "type": "amend",
        "client_order_id": f"m{n}",
        "order_no": no,
        "qty_tonnes": 1,
        "price": "80.05",
    },
}


def say(session, *messages: dict[str, object]) -> list:
    session.receive(frame(session.codec, *messages))
    return session.output()


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def numbers(floor: Floor) -> dict[str, int]:
    """Order numbers of a victim in every state, and numbers of nobody."""
    victim, other = floor.session(0), floor.session(1)
    live, filled, gone = (each.order_no for each in say(victim, *map(order, "lfg")))
    say(other, {"type": "take", "client_order_id": "t", "order_no": filled, "qty_tonnes": 10})
    say(victim, {"type": "cancel", "client_order_id": "x", "order_no": gone})
    found = (live, filled, gone, 4711, 0, -1, 2**53)
    return dict(zip(NUMBERS, found, strict=True))


def test_every_command_that_names_an_order_is_in_the_matrix() -> None:
    names = {kind.__struct_config__.tag for kind in Command.__args__}
    assert names == {each.name.lower() for each in Kind if 1 <= each < 20}
    by_number = {
        kind.__struct_config__.tag
        for kind in Command.__args__
        if "order_no" in kind.__struct_fields__
    }
    assert by_number == {*BY_NUMBER, "take"}, "a new command by number needs its row here"


@pytest.mark.parametrize("command", list(BY_NUMBER))
def test_foreign_and_unknown_numbers_get_the_same_answer(floor: Floor, command: str) -> None:
    known = numbers(floor)
    hostile = floor.session(2)
    state = floor.exchange.state
    orders, accounts = state.orders.tobytes(), state.accounts.tobytes()
    answers = set()
    for n, name in enumerate(NUMBERS):
        (said,) = say(hostile, BY_NUMBER[command](known[name], n))
        assert isinstance(said, Refused)
        answers.add((said.code, said.reason, said.clauses))
        assert said.code == "unknown_order", name
    assert len(answers) == 1
    assert (state.orders.tobytes(), state.accounts.tobytes()) == (orders, accounts)


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
