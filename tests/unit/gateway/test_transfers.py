"""Transfers and cash at the desk: windows, bad requests, whose arrival is whose (ST-14, RG-08)."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.records import Kind, Phase
from gateway.desk.desk import Desk
from gateway.protocol import Session
from gateway.wire.rare_messages import CashMoved, HoldingMoved
from registry.errors import UnavailableError
from registry.institution import Registry
from tests.unit.gateway.inline_desk import Floor, order, say


class Counter:
    """A registry whose window is as one likes."""

    def __init__(self) -> None:
        self.open = True
        self.asked: list[str] = []

    def window_open(self, operation: str, at_ns: int) -> bool:
        self.asked.append(operation)
        return self.open


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def message(kind: str, identity: str = "x", **fields: Any) -> dict[str, Any]:
    return {"type": kind, "client_order_id": identity, **fields}


def test_out_is_a_command_and_answered_when_it_is_durable(floor: Floor) -> None:
    session = floor.session(0)
    out = message("transfer_out", "a", instrument="CEA25", qty_tonnes=10)
    (moved,) = say(session, out)
    assert isinstance(moved, HoldingMoved)
    assert (moved.direction, moved.instrument, moved.client_order_id) == ("out", "CEA25", "a")
    (again,) = say(session, out)
    assert again.repeated
    (paid,) = say(session, message("cash_out", "b", amount="10.50"))
    assert isinstance(paid, CashMoved)
    assert (paid.direction, paid.amount_fen) == ("out", 1050)


def test_the_window_is_judged_before_anything_is_sequenced(floor: Floor) -> None:
    """U11, RG-08."""
    counter = Counter()
    floor.desk.transfers._registry = counter  # type: ignore[assignment]
    session, digest = floor.session(0), floor.digest()
    counter.open = False
    for kind, fields in (
        ("transfer_out", {"instrument": "CEA25", "qty_tonnes": 1}),
        ("cash_out", {"amount_fen": 100}),
    ):
        (refused,) = say(session, message(kind, **fields))
        assert (refused.code, refused.clauses) == ("window_closed", "RG-08, ST-14")
    assert counter.asked == ["transfer_out", "cash_out"]
    assert floor.digest() == digest


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (message("transfer_out", instrument="CEA99", qty_tonnes=1), "unknown_instrument"),
        (message("transfer_out", instrument="CEA25", qty_tonnes=0), "qty_invalid"),
        (message("transfer_out", instrument="CEA25", qty_tonnes=10**9), "insufficient_holding"),
        (message("transfer_in", instrument="CEA99", qty_tonnes=1), "unknown_instrument"),
        (message("transfer_in", instrument="CEA25", qty_tonnes=1), "registry_silent"),
        (message("cash_in"), "missing_field"),
        (message("cash_in", amount="1.005"), "amount_off_fen"),
        (message("cash_in", amount="1", amount_fen=100), "conflicting_fields"),
        (message("cash_in", amount="1e5"), "wrong_type"),
        (message("cash_in", "no id!", amount="1"), "client_order_id_invalid"),
        (message("cash_out", amount="-1.00"), "amount_invalid"),
        (message("cash_out", amount_fen=10**15), "insufficient_funds"),
        (message("cash_out", amount="99999999999999.00"), "out_of_range"),
        (message("cash_out", account=1, amount_fen=1), "unknown_field"),
    ],
    ids=lambda each: str(each)[:50],
)
def test_bad_requests_change_nothing(floor: Floor, sent: dict, code: str) -> None:
    session = floor.session(0)
    accounts = floor.exchange.state.accounts.tobytes()
    (said,) = say(session, sent)
    assert said.code == code
    assert floor.exchange.state.accounts.tobytes() == accounts


def booked(floor: Floor, registry: Registry, identity: str, amount: int, account: int = 0) -> int:
    """Book a payment at the registry as a session's request would have."""
    return registry.deposit(account, amount, floor.sequencer.time_ns, identity)


@pytest.fixture
def registry(floor: Floor) -> Iterator[Registry]:
    """A registry with the floor's accounts, whose exchange has opened them."""
    with Registry.open("sqlite://") as opened:
        opened.open_accounts([(f"K{n}", f"Plant {n}") for n in range(3)])
        opened.record_done(3)
        floor.desk.transfers._registry = opened
        floor.desk.transfers.recover()
        yield opened


def do_instructions(floor: Floor, registry: Registry) -> None:
    floor.sequencer.submit(registry.pending_commands(floor.exchange.state))
    count = floor.record.commands.size
    registry.absorb(floor.record.commands.all[:count], floor.record.events.all, ())


def ask(floor: Floor, session: Session, *messages: dict[str, Any]) -> list[Any]:
    """Send requests in one frame and let the registry's threads answer them."""

    async def main() -> list[Any]:
        said = say(session, *messages)
        while floor.desk.transfers._asking:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        return [*said, *session.output()]

    floor.desk.transfers._one_at_a_time = asyncio.Lock()
    return asyncio.run(main())


def status(session: Session, identity: str) -> tuple[str, int]:
    (said,) = say(session, {"type": "status", "client_order_id": identity})
    return said.outcome, said.report_seq


def test_an_arrival_names_the_request_it_answers(floor: Floor, registry: Registry) -> None:
    """Two requests for the same amount, and money that nobody asked for, are told apart."""
    session, other = floor.session(0), floor.session(1)
    paid = message("cash_in", "b", amount_fen=500)
    assert ask(floor, session, paid, message("cash_in", "a", amount_fen=500)) == []
    registry.deposit(0, 500)
    assert (status(session, "a"), status(session, "c")) == (("pending", 0), ("unknown", 0))
    do_instructions(floor, registry)
    said = session.output()
    assert [each.client_order_id for each in said] == ["b", "a", ""]
    assert (status(session, "a"), status(session, "b")) == (("accepted", 2), ("accepted", 1))
    assert status(other, "a") == ("unknown", 0)
    (again,) = ask(floor, session, paid)
    assert again.repeated
    assert (again.client_order_id, again.report_seq) == ("b", 1)
    late = floor.session(0)
    late.next_report_seq = 1
    assert [each.client_order_id for each in floor.desk.fetch(late, 10)] == ["b", "a", ""]


def test_an_id_stands_for_one_thing(floor: Floor, registry: Registry) -> None:
    session = floor.session(0)
    say(session, order("o"))
    paid = message("cash_in", "a", amount_fen=500)
    twice = ask(floor, session, paid, paid, paid | {"amount_fen": 501})
    assert [each.code for each in twice] == ["duplicate_client_order_id"]
    for sent in (order("a"), message("cash_out", "a", amount_fen=500)):
        (refused,) = say(session, sent)
        assert refused.code == "duplicate_client_order_id"
    (refused,) = ask(floor, session, message("cash_in", "o", amount_fen=500))
    assert refused.code == "duplicate_client_order_id"
    do_instructions(floor, registry)
    (moved,) = session.output()
    assert moved.amount_fen == 500
    (refused,) = say(session, order("a"))
    assert refused.code == "duplicate_client_order_id"
    assert registry.balances(0).cash_fen == 500


def test_what_the_registry_refuses_leaves_the_id_free(floor: Floor, registry: Registry) -> None:
    session = floor.session(0)
    goods = message("transfer_in", "a", instrument="CEA25", qty_tonnes=5)
    (refused,) = ask(floor, session, goods)
    assert (refused.code, refused.sequenced) == ("unknown_vintage", False)
    assert status(session, "a") == ("unknown", 0)
    registry.issue("CEA25", 0, 5)
    assert ask(floor, session, goods) == []
    assert status(session, "a") == ("pending", 0)


def test_status_waits_for_the_registry(floor: Floor, registry: Registry) -> None:
    """``unknown`` is only said after everything that was sent before was judged."""
    session = floor.session(0)
    question = {"type": "status", "client_order_id": "a"}
    (said,) = ask(floor, session, message("cash_in", "a", amount_fen=500), question)
    assert said.outcome == "pending"


def test_a_silent_registry_is_asked_again_under_the_same_id(
    floor: Floor, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F31: it may have booked and only the answer was lost."""
    session, deposit = floor.session(0), registry.deposit

    def lost(*asked: Any) -> int:
        deposit(*asked)
        raise UnavailableError("registry_unavailable", "gone")

    paid = message("cash_in", "a", amount_fen=500)
    monkeypatch.setattr(registry, "deposit", lost)
    (said,) = ask(floor, session, paid)
    assert said.code == "registry_silent"
    (refused,) = say(session, order("a"))
    assert refused.code == "duplicate_client_order_id"
    monkeypatch.setattr(registry, "deposit", deposit)
    assert ask(floor, session, paid) == []
    do_instructions(floor, registry)
    assert [each.amount_fen for each in session.output()] == [500]


def test_what_went_to_a_debt_is_answered_at_once(floor: Floor, registry: Registry) -> None:
    """ST-11: nothing comes in; asked again the answer is the same."""
    do_all = registry.approvals
    registry.record_done(registry.deposit(0, 1_000))
    now = floor.sequencer.time_ns
    values = {"account": 0, "amount_fen": 900, "document": "seized", "limit_at_ns": now * 2}
    asked = do_all.request(1, "bank_debit", values, now)
    do_all.approve(asked.number, 2, asked.sha256, now)
    session = floor.session(0)
    paid = message("cash_in", "a", amount_fen=500)
    for _ in range(2):
        (said,) = ask(floor, session, paid)
        assert (type(said), said.amount_fen, said.report_seq) == (CashMoved, 0, 0)
    assert status(session, "a") == ("accepted", 0)


def restart(floor: Floor, registry: Registry) -> None:
    """Put a desk in place that knows only what journal and registry know."""
    floor.record.ids.clear()
    floor.record.learn_ids()
    again = Desk(floor.exchange, floor.record, floor.keys, registry)
    again.sequencer = floor.sequencer
    floor.desk = floor.sequencer.desk = again
    again.transfers.recover()


def test_after_a_restart_the_registry_knows_what_is_pending(
    floor: Floor, registry: Registry
) -> None:
    session = floor.session(0)
    paid = message("cash_in", "a", amount_fen=500)
    ask(floor, session, paid)
    booked(floor, registry, "b", 7, account=1)
    restart(floor, registry)
    session, other = floor.session(0), floor.session(1)
    assert (status(session, "a"), status(other, "b")) == (("pending", 0), ("pending", 0))
    assert say(session, order("a"))[0].code == "duplicate_client_order_id"
    assert ask(floor, session, paid) == []
    assert ask(floor, session, paid | {"amount_fen": 1})[0].code == "duplicate_client_order_id"
    do_instructions(floor, registry)
    (moved,) = session.output()
    restart(floor, registry)
    session = floor.session(0)
    assert status(session, "a") == ("accepted", moved.report_seq)
    (again,) = ask(floor, session, paid)
    assert (again.repeated, again.seq, again.report_seq) == (True, moved.seq, moved.report_seq)
    (refused,) = ask(floor, session, paid | {"amount_fen": 1})
    assert refused.code == "duplicate_client_order_id"


def test_what_the_exchange_refuses_is_told_under_the_requests_id(
    floor: Floor, registry: Registry
) -> None:
    """RG-24: here it is not listed by the time the instruction comes."""
    registry.issue("CEA99", 0, 5)
    floor.desk.instruments["CEA99"] = 99
    session = floor.session(0)
    goods = message("transfer_in", "a", instrument="CEA99", qty_tonnes=5)
    assert ask(floor, session, goods) == []
    do_instructions(floor, registry)
    (refused,) = session.output()
    assert (refused.code, refused.client_order_id) == ("unknown_instrument", "a")
    assert status(session, "a")[0] == "refused"
    (again,) = ask(floor, session, goods)
    assert (again.code, again.repeated) == ("unknown_instrument", True)
    registry_side = registry.balances(0).holdings["CEA99"].registry_available
    assert registry_side == 5


def test_a_new_day_forgets_what_is_over(floor: Floor, registry: Registry) -> None:
    session = floor.session(0)
    ask(floor, session, message("cash_in", "a", amount_fen=500))
    do_instructions(floor, registry)
    ask(floor, session, message("cash_in", "b", amount_fen=500))
    session.output()
    for kind, ref in (
        (Kind.SET_PHASE, Phase.LUNCH),
        (Kind.SET_PHASE, Phase.AFTERNOON),
        (Kind.CLOSE_DAY, 0),
        (Kind.CONFIRM_DAY, 1),
        (Kind.POST_DAY, 1),
    ):
        floor.cycle(kind, ref)
    floor.sequencer.time_ns += 24 * 3_600 * 10**9
    floor.cycle(Kind.BEGIN_DAY, 20260106)
    session.output()
    assert (status(session, "a"), status(session, "b")) == (("unknown", 0), ("pending", 0))
    do_instructions(floor, registry)
    (moved,) = session.output()[-1:]
    assert (moved.client_order_id, moved.report_seq) == ("b", 1)
    assert status(session, "b") == ("accepted", 1)
    assert ask(floor, session, message("cash_in", "a", amount_fen=9)) == []


def test_what_was_turned_away_and_then_booked_is_pending(floor: Floor, registry: Registry) -> None:
    session = floor.session(0)
    paid = message("cash_in", "a", amount_fen=500)
    (refused,) = ask(floor, session, paid | {"amount": "1"})
    assert refused.code == "conflicting_fields"
    assert status(session, "a")[0] == "turned_away"
    assert ask(floor, session, paid) == []
    assert status(session, "a") == ("pending", 0)
