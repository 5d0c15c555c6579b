"""The audit sees what is wrong with allocation, earmarks, applications and offsets (I1, I12)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import insert, update

from registry import ledger
from registry.compliance.schema import (
    allocation_files,
    allocations,
    applications,
    deduction_uses,
    deductions,
    earmarks,
    offset_uses,
)
from registry.institution import Registry
from registry.ledger import Bucket, Move
from registry.schema import ISSUED, PENDING, REGISTRY_AVAILABLE, SURRENDERED, accounts
from tests.unit.registry.compliance_town import DOCUMENT, ENTITY, Town, at

NOW = at(2024, 12, 1)


@pytest.fixture
def town(registry: Registry) -> Town:
    """P1 has 90 t on its account and 100 to surrender, P2 has 80 t earmarked."""
    made = Town(registry)
    made.verified(2023, P1=100, P2=100)
    made.issue(2023, "pre", {"P1": 0, "P2": 0}, at(2024, 3, 1))
    made.issue(2023, "final", {"P1": 90, "P2": 80}, at(2024, 11, 1), reasons={"P2": "risk"})
    made.compliance.notify(2023, at(2024, 11, 2))
    assert registry.violations() == []
    return made


def move(town: Town, debit: tuple[str, str], credit: tuple[str, str], tonnes: int) -> None:
    """Book a move that nobody has decided."""
    with town.registry.database.write() as tx:
        unit = ledger.unit_of(tx, "CEA23")
        one, other = (Bucket(ids_of(tx, code), unit, kind) for code, kind in (debit, credit))
        ledger.book(tx, "allocation", "amiss", [Move(one, other, tonnes)], NOW)


def ids_of(tx: Any, code: str) -> int:
    return int(tx.execute(accounts.select().where(accounts.c.code == code)).one().id)


def found(town: Town, words: str) -> bool:
    return any(words in one for one in town.registry.violations())


def test_what_waits_or_is_surrendered_without_an_application(town: Town) -> None:
    move(town, ("P1", REGISTRY_AVAILABLE), ("P1", PENDING), 5)
    assert found(town, "5 t of unit 1 are pending")
    move(town, ("P1", PENDING), ("P1", SURRENDERED), 5)
    assert found(town, "5 t of unit 1 are surrendered")
    assert not found(town, "are pending")


def test_what_leaves_a_provincial_account_unbooked(town: Town) -> None:
    move(town, ("PROVINCE-42", REGISTRY_AVAILABLE), ("P1", REGISTRY_AVAILABLE), 30)
    assert found(town, "has 50 t of unit 1, 80 are earmarked")


def test_what_the_nation_issues_without_an_allocation(town: Town) -> None:
    with town.registry.database.write() as tx:
        unit = ledger.unit_of(tx, "CEA23")
        nation = Bucket(ids_of(tx, "NATIONAL"), unit, ISSUED)
        goes = Move(nation, Bucket(ids_of(tx, "P1"), unit, REGISTRY_AVAILABLE), 7)
        ledger.book(tx, "issue", "amiss", [goes], NOW)
    assert found(town, "177 t of unit 1 were issued to provinces, allocations say 170")


def test_an_allocation_whose_parts_do_not_add_up(town: Town) -> None:
    row: dict[str, Any] = {"id": 9, "file": 1, "plan": "x", "year": 2023, "entity": "P1"}
    row |= {"stage": "additional", "unit": 1, "tonnes": 95, "waived_tonnes": 0, "reason": ""}
    row |= {"deduction_tonnes": 0, "issued_tonnes": 0, "earmarked_tonnes": 0, "owed_tonnes": 0}
    with town.registry.database.write() as tx:
        values = {**row, "taken_back_tonnes": 0, "sha256": "", "decided_ns": NOW}
        tx.execute(insert(allocations), values)
    assert found(town, "P1 has 95 t of 2023 approved, its parts add up to 90")


def test_a_vintage_that_does_not_serve(town: Town) -> None:
    town.compliance.apply("P1", 2023, "CEA23", 10, ENTITY, NOW)
    with town.registry.database.write() as tx:
        tx.execute(update(applications).values(year=2025))
    assert found(town, "Application 1 surrenders CEA23 for 2025")


def test_more_reductions_than_five_percent(town: Town) -> None:
    row: dict[str, Any] = {"id": 1, "entity": "P1", "year": 2023, "tonnes": 6, "batch": "B"}
    row |= {"proof": "A", "proof_sha256": "", "registered": 20240601, "status": "pending"}
    with town.registry.database.write() as tx:
        values = {**row, "late": 0, "maker": 1, "applied_ns": NOW, "note": ""}
        tx.execute(insert(offset_uses), values)
    assert found(town, "6 t of reductions are used by P1 for 2023")


def test_a_deduction_netted_beyond_itself(town: Town) -> None:
    with town.registry.database.write() as tx:
        row: dict[str, Any] = {"id": 1, "entity": "P1", "from_year": 2023, "tonnes": 5}
        row |= {"grounds": "correction", "document": DOCUMENT, "decided_ns": NOW}
        tx.execute(insert(deductions), row)
        tx.execute(insert(deduction_uses), {"allocation": 3, "deduction": 1, "tonnes": 6})
    assert found(town, "Of deduction 1 -1 t of 5 remain")


def test_a_file_that_is_not_what_was_signed(town: Town) -> None:
    row: dict[str, Any] = {"id": 9, "plan": "x", "year": 2023, "stage": "pre", "document": "x"}
    with town.registry.database.write() as tx:
        values = {**row, "content": "[]", "sha256": "", "entities": 1, "tonnes": 0}
        tx.execute(insert(allocation_files), {**values, "maker": 1, "made_ns": NOW})
    assert found(town, "Allocation file 9 is not what was handed over")


def test_an_earmark_that_says_it_has_more(town: Town) -> None:
    with town.registry.database.write() as tx:
        tx.execute(update(earmarks).values(tonnes=90))
    assert found(town, "has 80 t of unit 1, 90 are earmarked")
