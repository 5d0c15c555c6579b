"""Two people for what is done by hand (ST-07), corrections, cancellation, succession.

RG-13, RG-14, RG-17; E52, E54; reliability 8.2 (what you see is what you sign).
"""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from registry.actions import ACTIONS
from registry.approvals import Step
from registry.errors import RefusalError, StopError
from registry.institution import Holding, Registry
from registry.offices import decisions, directives, requests
from registry.schema import voids
from tests.unit.registry.registry_venue import CHECKER, MAKER, NOW_NS, Venue

ISSUE: dict[str, Any] = {"account": 0, "vintage": "CEA", "qty_tonnes": 50, "document": "MEE 3"}
CANCEL: dict[str, Any] = {**ISSUE, "purpose": "voluntary"}
SUCCESSION: dict[str, Any] = {
    "from_account": 0,
    "to_account": 1,
    "vintage": "CEA",
    "qty_tonnes": 10_000,
    "grounds": "merger",
    "document": "contract",
    "provincial_approval": "Hubei 12",
}


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


def held(registry: Registry, account: int) -> Holding:
    return registry.balances(account).holdings["CEA"]


def test_nothing_moves_before_another_person_has_approved_st_07(venue: Venue) -> None:
    registry = venue.registry
    asked = venue.ask("issue", **ISSUE)
    assert (asked.status, asked.outcome, asked.values) == ("open", "", ISSUE)
    assert held(registry, 0).registry_available == 10_000
    with refused("maker_is_checker"):
        registry.approvals.approve(asked.number, MAKER, asked.sha256, NOW_NS)
    with refused("values_differ"):
        registry.approvals.approve(asked.number, CHECKER, asked.sha256[::-1], NOW_NS)
    assert registry.approvals.all("open") == [asked]
    done = registry.approvals.approve(asked.number, CHECKER, asked.sha256, NOW_NS + 5)
    assert (done.status, done.checker, done.outcome) == ("approved", CHECKER, "done")
    assert done.txn is not None
    assert held(registry, 0).registry_available == 10_050
    with refused("decided_before"):
        registry.approvals.approve(asked.number, CHECKER, asked.sha256, NOW_NS + 6)
    assert registry.approvals.trail(asked.number) == [
        Step(NOW_NS, MAKER, "made", ""),
        Step(NOW_NS, MAKER, "approve", "maker_is_checker"),
        Step(NOW_NS, CHECKER, "approve", "values_differ"),
        Step(NOW_NS + 5, CHECKER, "approved", ""),
        Step(NOW_NS + 6, CHECKER, "approve", "decided_before"),
    ]
    assert registry.approvals.all("open") == []
    venue.sound()


def test_a_request_is_refused_or_withdrawn_with_words(venue: Venue) -> None:
    approvals = venue.registry.approvals
    first, second = venue.ask("issue", **ISSUE), venue.ask("issue", **ISSUE)
    assert first.sha256 != second.sha256  # one approval cannot serve two requests
    with refused("maker_is_checker"):
        approvals.refuse(first.number, MAKER, "no", NOW_NS)
    with refused("text_invalid"):
        approvals.refuse(first.number, CHECKER, " ", NOW_NS)
    done = approvals.refuse(first.number, CHECKER, "no document", NOW_NS)
    assert (done.status, done.note, done.txn) == ("refused", "no document", None)
    with refused("not_the_maker"):
        approvals.withdraw(second.number, CHECKER, "mine", NOW_NS)
    assert approvals.withdraw(second.number, MAKER, "typing error", NOW_NS).status == "withdrawn"
    for number in (first.number, second.number):
        with refused("decided_before"):
            approvals.approve(number, CHECKER, first.sha256, NOW_NS)
    assert [one.status for one in approvals.all()] == ["refused", "withdrawn"]
    strangers: list[Any] = [0, 3, -1, 2**70, "1"]
    for number in strangers:
        with refused("unknown_request"):
            approvals.approve(number, CHECKER, first.sha256, NOW_NS)
    assert held(venue.registry, 0).registry_available == 10_000


BAD: list[tuple[str, str, dict[str, Any]]] = [
    ("action_invalid", "print_money", {}),
    ("fields_invalid", "issue", {}),
    ("fields_invalid", "issue", {**ISSUE, "more": 1}),
    ("qty_invalid", "issue", {**ISSUE, "qty_tonnes": 0}),
    ("qty_invalid", "issue", {**ISSUE, "qty_tonnes": 10**10}),
    ("qty_invalid", "issue", {**ISSUE, "qty_tonnes": 1.0}),
    ("text_invalid", "issue", {**ISSUE, "document": ""}),
    ("text_invalid", "issue", {**ISSUE, "document": "a\nb"}),
    ("text_invalid", "issue", {**ISSUE, "document": "d" * 501}),
    ("text_invalid", "issue", {**ISSUE, "document": 7}),
    ("unknown_account", "issue", {**ISSUE, "account": 9}),
    ("unknown_account", "issue", {**ISSUE, "account": True}),
    ("unknown_vintage", "cancel_voluntarily", {**CANCEL, "vintage": "CEA99"}),
    ("bits_invalid", "restrict", {"account": 0, "bits": 64, "grounds": "g"}),
    ("number_invalid", "correct", {"transaction": 0, "evidence": "e"}),
    ("amount_invalid", "reserve_in", {"amount_fen": -1, "document": "d"}),
]


@pytest.mark.parametrize(("code", "action", "values"), BAD)
def test_a_request_that_cannot_be_is_not_written(
    venue: Venue, code: str, action: str, values: dict[str, Any]
) -> None:
    with refused(code):
        venue.ask(action, **values)
    assert venue.registry.approvals.all() == []


@pytest.mark.parametrize("person", [0, -1, True, 2**31, "2"])
def test_nobody_is_no_person(venue: Venue, person: Any) -> None:
    with refused("person_invalid"):
        venue.registry.approvals.request(person, "issue", ISSUE, NOW_NS)
    asked = venue.ask("issue", **ISSUE)
    with refused("person_invalid"):
        venue.registry.approvals.approve(asked.number, person, asked.sha256, NOW_NS)


def test_what_the_rules_refuse_leaves_the_request_open_and_the_books_as_they_were(
    venue: Venue,
) -> None:
    before = venue.registry.balances(0)
    asked = venue.ask("cancel_voluntarily", **{**CANCEL, "qty_tonnes": 10_001})
    with refused("insufficient_holding"):
        venue.approve(asked)
    assert venue.registry.approvals.find(asked.number).status == "open"
    assert venue.registry.approvals.trail(asked.number)[-1].code == "insufficient_holding"
    assert venue.registry.balances(0) == before
    assert venue.registry.notices() == []


def test_the_database_itself_wants_two_people_st_07(venue: Venue) -> None:
    asked = venue.ask("issue", **ISSUE)
    row = {"request": asked.number, "verdict": "approved", "note": "", "decided_at_ns": 1}
    for people in ({"maker": 1, "checker": 1}, {"maker": 2, "checker": 1}):
        with pytest.raises(IntegrityError), venue.registry.database.write() as tx:
            tx.execute(insert(decisions), {**row, **people})
    order = {"number": 9, "kind": "freeze", "account": 7, "unit": 1, "amount": 1}
    order |= {"document": "d", "status": "pending", "reason": "", "maker": 1, "checker": 1}
    with pytest.raises(IntegrityError), venue.registry.database.write() as tx:
        tx.execute(insert(directives), order)
    with pytest.raises(IntegrityError), venue.registry.database.write() as tx:
        tx.execute(insert(voids), {"trade_no": 1, "seq": 1, "maker": 3, "checker": 3})
    assert venue.registry.approvals.all("open") == [asked]


def test_an_altered_request_stops(registry: Registry) -> None:
    venue = Venue(registry)
    venue.fund(1)
    values = {**ISSUE, "qty_tonnes": 51}
    with registry.database.write() as tx:
        row = {"id": 1, "maker": 1, "action": "issue", "sha256": "0" * 64, "made_at_ns": 1}
        tx.execute(insert(requests), {**row, "payload": str(values)})
    with pytest.raises(StopError, match="request_altered"):
        registry.approvals.approve(1, CHECKER, "0" * 64, NOW_NS)
    assert held(registry, 0).registry_available == 10_000


def test_voluntary_cancellation_is_for_ever_and_published_rg_13_e52(venue: Venue) -> None:
    registry = venue.registry
    done = venue.hand("cancel_voluntarily", **{**CANCEL, "qty_tonnes": 4_000})
    assert held(registry, 0) == Holding(6_000, 0, 10_000, cancelled=4_000)
    assert held(registry, 0).position == 16_000
    [notice] = registry.notices()
    assert (notice.kind, notice.account) == ("cancellation", None)
    assert "4,000 t of CEA" in notice.sentence
    wrong = venue.ask("correct", transaction=done.txn, evidence="changed my mind")
    with refused("not_correctable"):
        venue.approve(wrong)
    back = (
        "INSERT INTO entries (txn, line, unit, debit_account, debit_kind, credit_account,"
        " credit_kind, amount) VALUES (1, 999, 1, 7, 'cancelled', 7, 'registry_available', 1)"
    )
    with pytest.raises(IntegrityError), registry.database.write() as tx:
        tx.execute(text(back))
    with refused("purpose_invalid"):
        venue.hand("cancel_voluntarily", **{**CANCEL, "purpose": "offset"})
    venue.sound()


def test_a_merger_moves_holdings_only_with_the_province_rg_14_e54(venue: Venue) -> None:
    for change, code in (
        ({"provincial_approval": ""}, "approval_missing"),
        ({"provincial_approval": "", "grounds": "split"}, "approval_missing"),
        ({"grounds": "friendship"}, "grounds_invalid"),
        ({"to_account": 0}, "same_account"),
        ({"qty_tonnes": 10_001}, "insufficient_holding"),
    ):
        with refused(code):
            venue.hand("succeed", **{**SUCCESSION, **change})
    assert held(venue.registry, 1).registry_available == 10_000
    venue.hand("succeed", **SUCCESSION)
    assert held(venue.registry, 0).registry_available == 0
    assert held(venue.registry, 1).registry_available == 20_000
    heir = {**SUCCESSION, "from_account": 1, "to_account": 2, "qty_tonnes": 1}
    venue.hand("succeed", **{**heir, "grounds": "succession", "provincial_approval": ""})
    assert [notice.kind for notice in venue.registry.notices()] == ["succession"] * 2
    venue.sound()


def test_a_wrong_entry_is_taken_back_by_new_ones_once_rg_17(venue: Venue) -> None:
    registry = venue.registry
    wrong = venue.hand("issue", **{**ISSUE, "account": 3})
    done = venue.hand("correct", transaction=wrong.txn, evidence="issued to the wrong plant")
    assert held(registry, 3).registry_available == 10_000
    assert done.txn == (wrong.txn or 0) + 1
    again = venue.ask("correct", transaction=wrong.txn, evidence="again")
    with refused("corrected_before"):
        venue.approve(again)
    deposit = venue.ask("correct", transaction=2, evidence="not by hand")
    with refused("not_correctable"):
        venue.approve(deposit)
    assert registry.notices(3)[-1].kind == "correction"
    venue.sound()


def test_a_correction_that_the_books_do_not_cover_is_refused_rg_17(venue: Venue) -> None:
    wrong = venue.hand("issue", **{**ISSUE, "account": 3})
    venue.hand("cancel_voluntarily", **{**CANCEL, "account": 3, "qty_tonnes": 10_050})
    with refused("insufficient_holding"):
        venue.hand("correct", transaction=wrong.txn, evidence="too late")


def test_every_action_is_tried_somewhere() -> None:
    """A new action has to be added here, and to the tables of docs/reference/registry.md."""
    assert sorted(ACTIONS) == [
        "bank_debit",
        "cancel_voluntarily",
        "close_account",
        "correct",
        "cover_default",
        "deduct",
        "deduct_allocation",
        "force_surrender",
        "freeze",
        "issue",
        "issue_allocation",
        "lift",
        "register_batch",
        "register_project",
        "release",
        "reopen_account",
        "reserve_in",
        "restrict",
        "succeed",
    ]
