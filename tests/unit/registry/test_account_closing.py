"""An account is restricted or closed, and closed only when nothing is left of it (RG-05)."""

from __future__ import annotations

from typing import Any

import pytest

from engine.reasons import Reason
from engine.records import Event, Kind, Side
from registry.compliance.rows import AllocationRow
from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring.roster import Listing
from registry.offsets.registering import NewBatch, NewProject, Paper
from registry.profiles import VOLUNTARY
from tests.unit.registry.compliance_town import (
    DOCUMENT,
    ENTITY,
    PLATFORM,
    PROVINCE,
    REGISTRAR,
    Town,
    at,
)
from tests.unit.registry.registry_venue import Venue

PAPER = {"grounds": "unqualified", "document": "decision 9"}


def refused(code: str, words: str = "") -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"{words}.*\[{code}\]$")


@pytest.fixture
def newcomer(venue: Venue) -> int:
    """An account with nothing in it."""
    index = venue.registry.open_account("K0004", "Plant 4")
    venue.instruct()
    return index


def close(town: Town, entity: str) -> None:
    values = {**PAPER, "account": town.index(entity)}
    asked = town.registry.approvals.request(PLATFORM, "close_account", values, at(2027, 2, 1))
    town.registry.approvals.approve(asked.number, REGISTRAR, asked.sha256, at(2027, 2, 1))


def test_a_closed_account_is_barred_from_everything_rg_05(venue: Venue, newcomer: int) -> None:
    """RG-05, ST-07: two people; at the exchange no order, here no goods and no money."""
    registry = venue.registry
    asked = venue.ask("close_account", **PAPER, account=newcomer)
    with refused("maker_is_checker"):
        registry.approvals.approve(asked.number, asked.maker, asked.sha256, asked.made_at_ns)
    venue.approve(asked)
    venue.instruct()
    assert registry.approvals.find(asked.number).outcome == "done"
    order: dict[str, Any] = {
        "instrument": 0,
        "side": Side.BUY,
        "price_ticks": 4_800,
        "qty_tonnes": 1,
    }
    found = venue.do(Kind.LIST, account=newcomer, **order)[0]
    assert (found["kind"], found["reason"]) == (Event.REFUSED, Reason.ACCOUNT_RESTRICTED)
    with refused("account_restricted"):
        registry.deposit(newcomer, 100)
    goods = {"vintage": "CEA", "qty_tonnes": 1, "document": "x"}
    heir = {"grounds": "succession", "provincial_approval": ""}
    owner = {"side": "registry", "new_owner": newcomer}
    for action, values in (
        ("issue", {**goods, "account": newcomer}),
        ("succeed", {**goods, **heir, "from_account": 0, "to_account": newcomer}),
        ("deduct", {**goods, **owner, "account": 0}),
        ("lift", {"account": newcomer, "bits": 32, "grounds": "x"}),
        ("close_account", {**PAPER, "account": newcomer}),
    ):
        with refused("account_closed", "K0004"):
            venue.hand(action, **values)
    assert "closed: unqualified, decision 9" in registry.notices(newcomer)[-1].sentence
    venue.sound()


def test_who_comes_back_gets_the_same_account_rg_03(venue: Venue, newcomer: int) -> None:
    """RG-03: one account a subject; what was closed is reopened, not opened a second time."""
    back = {"account": newcomer, "document": "decision 10"}
    with refused("account_open"):
        venue.hand("reopen_account", **back)
    venue.hand("close_account", **PAPER, account=newcomer)
    with refused("account_exists"):
        venue.registry.open_account("K0004", "Plant 4")
    venue.hand("reopen_account", **back)
    assert int(venue.state.accounts[newcomer]["blocks"]) == 0
    venue.registry.deposit(newcomer, 100)
    venue.instruct()
    with refused("account_in_use", "100 fen"):
        venue.hand("close_account", **PAPER, account=newcomer)
    venue.sound()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"grounds": "dislike"}, "grounds_invalid"),
        ({"account": 99}, "unknown_account"),
        ({"document": " "}, "text_invalid"),
    ],
)
def test_a_closing_that_cannot_be(
    venue: Venue, newcomer: int, change: dict[str, object], code: str
) -> None:
    with refused(code):
        venue.hand("close_account", **{**PAPER, "account": newcomer, **change})


def test_nothing_may_be_left_on_either_side_rg_05(venue: Venue) -> None:
    """RG-05, RG-06: available here and there, money; everything in the way is named at once."""
    words = r"100,000,000 fen.*20,000 t of CEA are.*20,000 t of CEA21 are"
    with refused("account_in_use", words):
        venue.hand("close_account", **PAPER, account=0)


def test_an_open_order_is_in_the_way_rg_05(venue: Venue) -> None:
    """RG-05, TR-42: what an order freezes is on the trading side until it is withdrawn."""
    registry = venue.registry
    buyer = registry.open_account("K0005", "Plant 5")
    registry.deposit(buyer, 48_000)
    venue.instruct()
    order: dict[str, Any] = {
        "instrument": 0,
        "side": Side.BUY,
        "price_ticks": 4_800,
        "qty_tonnes": 10,
    }
    number = int(venue.do(Kind.LIST, account=buyer, **order)[0]["order_no"])
    with refused("account_in_use", "48,000 fen"):
        venue.hand("close_account", **PAPER, account=buyer)
    venue.do(Kind.CANCEL, account=buyer, ref=number)
    venue.do(Kind.CASH_OUT, account=buyer, amount=48_000)
    assert venue.hand("close_account", **PAPER, account=buyer).outcome == "done"
    venue.sound()


@pytest.mark.parametrize("side", ["registry", "trading"])
def test_what_a_court_has_frozen_is_in_the_way_rg_15(venue: Venue, side: str) -> None:
    """RG-05, RG-15, RG-16."""
    registry = venue.registry
    owner = registry.open_account("K0005", "Plant 5")
    registry.issue("CEA", owner, 7)
    if side == "trading":
        registry.transfer_in(owner, "CEA", 7)
    venue.instruct()
    order = {"account": owner, "vintage": "CEA", "qty_tonnes": 7, "side": side, "document": "c"}
    venue.hand("freeze", **order)
    with refused("account_in_use", "7 t of CEA"):
        venue.hand("close_account", **PAPER, account=owner)
    venue.hand("deduct", **order, new_owner=0)
    assert venue.hand("close_account", **PAPER, account=owner).outcome == "done"


def test_a_transfer_on_its_way_is_in_the_way_rg_07(venue: Venue, newcomer: int) -> None:
    """RG-05, RG-07: in transit, and the exchange has not answered."""
    venue.registry.issue("CEA", newcomer, 5)
    venue.registry.transfer_in(newcomer, "CEA", 5)
    with refused("account_in_use", r"5 t of CEA.*not answered"):
        venue.approve(venue.ask("close_account", **PAPER, account=newcomer))


def test_an_obligation_is_in_the_way_until_it_is_fulfilled_rg_05(registry: Registry) -> None:
    """RG-05, CP-31: owed, applied for, surrendered; what is surrendered is no obstacle."""
    town = Town(registry)
    town.year(2025, {"P1": 100}, {"P1": 100})
    with refused("account_in_use", r"100 t of CEA25 are there.*100 t of 2025 are owed"):
        close(town, "P1")
    made = town.compliance.apply("P1", 2025, "CEA25", 100, ENTITY, at(2026, 12, 1))
    with refused("account_in_use", "100 t of CEA25 are there"):
        close(town, "P1")
    town.compliance.approve(made.number, PROVINCE, at(2026, 12, 2))
    with pytest.raises(RefusalError, match="not answered"):
        close(town, "P1")  # the exchange has not opened the account yet
    town.registry.record_done(3)
    close(town, "P1")
    rows = [AllocationRow("P1", 50)]
    paper = (PLATFORM, at(2027, 6, 1), DOCUMENT)
    back = town.compliance.propose("power-2025-2026", 2026, "pre", rows, *paper)
    assert [one.code for one in back.handover.refused] == ["account_closed"]


def test_no_reductions_are_issued_to_a_closed_account_rg_05(url: str) -> None:
    """RG-05, VM-06: the registry of voluntary reductions closes accounts in the same way."""
    paper = Paper(7, 8, at(2026, 2, 14), "register 12")
    with Registry.open(url, VOLUNTARY) as registry:
        [owner] = registry.open_accounts([("O1", "Owner")], "other")
        registry.record_done(1)
        project = NewProject("W1", "Wind", "offshore wind", owner, "CCER-01-002", "Bay 3")
        registry.offsets.register_project(project, paper)
        asked = registry.approvals.request(7, "close_account", {**PAPER, "account": owner}, 1)
        registry.approvals.approve(asked.number, 8, asked.sha256, 1)
        batch = NewBatch("CCER0001B001", "W1", 20250306, 20200922, 20231231, 1_000)
        with refused("account_closed", "O1"):
            registry.offsets.register_batch(batch, paper)
        assert registry.vintages() == []


def test_what_is_still_to_come_is_in_the_way_rg_05(registry: Registry) -> None:
    """RG-05, AL-40, AL-41: an earmark, a deduction, the notice of a year on the roster."""
    town = Town(registry)
    town.registry.record_done(3)
    town.verified(2025, P1=30_000)
    town.issue(2025, "pre", {"P1": 0})
    town.issue(2025, "final", {"P1": 20_000}, reasons={"P1": "closed"})
    people = (PLATFORM, REGISTRAR, at(2027, 1, 5))
    town.compliance.deduct("P1", 2027, "correction", 5, DOCUMENT, *people)
    words = "deduction 1 waits for an allocation; 20,000 t of CEA25 are on the provincial account"
    with refused("account_in_use", words):
        close(town, "P1")
    listing = [Listing("P1", "threshold", 30_000)]
    town.registry.monitoring.publish_roster(2025, listing, DOCUMENT, PLATFORM, at(2024, 10, 30))
    with refused("account_in_use", "the notice of 2025 is to come"):
        close(town, "P1")
