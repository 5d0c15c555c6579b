"""Transfers and cash at the desk: windows, bad requests, whose arrival is whose (ST-14, RG-08)."""

from pathlib import Path
from typing import Any

import pytest

from engine.records import Kind, commands
from gateway.desk import Desk
from gateway.rare_messages import CashMoved, HoldingMoved
from gateway.transfers import Transfers
from tests.unit.gateway.inline_desk import Floor, say


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


def arrive(floor: Floor, account: int, amount: int) -> None:
    batch = commands(1)
    batch["kind"], batch["account"], batch["amount"] = Kind.CASH_IN, account, amount
    floor.sequencer.submit(batch)


def test_an_arrival_answers_the_oldest_request_for_just_that(floor: Floor) -> None:
    session, other = floor.session(0), floor.session(1)
    transfers: Transfers = floor.desk.transfers
    transfers._expected = {(0, "", 500): ["first", "second"], (0, "CEA25", 5): ["goods"]}
    for account, amount in ((1, 500), (0, 400), (0, 500), (0, 500), (0, 500)):
        arrive(floor, account, amount)
    assert [each.client_order_id for each in session.output()] == ["", "first", "second", ""]
    assert [each.client_order_id for each in other.output()] == [""]
    assert transfers._expected == {(0, "CEA25", 5): ["goods"]}
    late = floor.session(0)
    late.next_report_seq = 1
    again: Desk = floor.desk
    assert [each.client_order_id for each in again.fetch(late, 10)] == ["", "first", "second", ""]
