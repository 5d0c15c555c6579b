"""What makes the registry the registry: its record decides, outlives a disaster, and is issued to.

RG-01, RG-09, RG-19; and whose accounts there are.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from engine.deals import deal_file
from engine.reasons import Reason
from engine.records import Event, Kind, Phase, Side
from registry import schema
from registry.errors import RefusalError, StopError
from registry.institution import Holding, Registry
from tests.unit.registry.crashing import dump
from tests.unit.registry.registry_venue import DATES, Venue

DATE = DATES[0]


def test_the_record_decides_against_the_exchange_rg_01(venue: Venue) -> None:
    """Given 7 t that the exchange has with the wrong account: the record stands, nothing posts."""
    venue.trade(seller=0, buyer=1, qty=10)
    held = venue.state.holdings
    held[2, 0]["available_tonnes"] -= 7
    held[3, 0]["available_tonnes"] += 7
    recorded = [venue.registry.balances(account) for account in range(4)]
    venue.close_day()
    assert venue.settle() == Phase.DISPUTED
    assert [venue.registry.balances(account) for account in range(4)] == recorded
    report = venue.registry.report(DATE)
    assert [("K0002" in line, "K0003" in line) for line in report] == [(True, False), (False, True)]
    assert all("10,000 t" in line for line in report)
    assert venue.do(Kind.BEGIN_DAY, ref=DATES[1])[0]["reason"] == Reason.DAY_UNCONFIRMED
    held[2, 0]["available_tonnes"] += 7  # the exchange follows the record, never the reverse
    held[3, 0]["available_tonnes"] -= 7
    assert venue.registry.clear(deal_file(venue.state)).sound
    assert venue.settle() == Phase.POSTED
    assert venue.registry.balances(1).holdings["CEA"] == Holding(10_000, 0, 10_010)
    assert venue.registry.balances(3).holdings["CEA"] == Holding(10_000, 0, 10_000)
    venue.sound()


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Registry]:
    """Books on a disk that is going to be lost."""
    with Registry.open(f"sqlite:///{tmp_path / 'house.db'}") as opened:
        yield opened


def copied(source: Path, target: Path) -> str:
    """Copy the books of a running registry to another place; return their URL."""
    with closing(sqlite3.connect(source)) as ours, closing(sqlite3.connect(target)) as theirs:
        ours.backup(theirs)
    return f"sqlite:///{target}"


def test_a_copy_and_the_exchanges_journal_bring_the_books_back_rg_19(
    house: Registry, tmp_path: Path
) -> None:
    """Given a copy of the morning; when the disk is lost by day, the journal tells the rest."""
    venue = Venue(house)
    venue.fund(4)
    venue.open_day(DATE)
    venue.trade(seller=0, buyer=1, qty=10)
    backup = copied(tmp_path / "house.db", tmp_path / "backup.db")
    venue.trade(seller=2, buyer=3, qty=20, instrument=1)
    venue.do(Kind.TRANSFER_OUT, account=0, instrument=0, qty_tonnes=70)
    venue.do(Kind.CASH_OUT, account=1, amount=55_500)
    number = int(venue.trade(seller=0, buyer=1, qty=5)[1]["trade_no"])
    venue.do(Kind.VOID_TRADE, ref=number, operator=1, checker=2)
    lost = dump(house)
    house.close()
    (tmp_path / "house.db").unlink()
    with Registry.open(backup) as restored:
        assert dump(restored) != lost
        for commands, events in venue.tape:
            restored.absorb(commands, events, venue.codes)
        assert dump(restored) == lost
        venue.registry = restored
        venue.close_day()
        assert venue.settle() == Phase.POSTED
        assert restored.balances(0).holdings["CEA"] == Holding(10_070, 0, 9_920)
        assert restored.balances(3).holdings["CEA21"] == Holding(10_000, 0, 10_020)
        venue.sound()
        assert venue.do(Kind.BEGIN_DAY, ref=DATES[1])[0]["kind"] == Event.PHASE_CHANGED


def test_a_copy_that_is_too_old_for_the_journal_is_noticed_rg_19(
    house: Registry, tmp_path: Path
) -> None:
    """Given a copy without the registry's own last deed: it stops, says why, invents nothing."""
    venue = Venue(house)
    venue.fund(2)
    venue.open_day(DATE)
    backup = copied(tmp_path / "house.db", tmp_path / "backup.db")
    house.deposit(0, 999)
    venue.instruct()
    house.close()
    with Registry.open(backup) as restored:
        venue.registry = restored
        venue.close_day()
        with pytest.raises(StopError, match="older than the exchange's") as caught:
            venue.settle()
        assert caught.value.code == "instruction_unknown"
        assert restored.balances(0).cash_fen == 100_000_000
        assert restored.day(DATE) is None


def test_a_vintage_exists_once_it_is_issued_to_somebody_rg_09(venue: Venue) -> None:
    """RG-09 but for the provinces: two people, a document, and from then on a vintage with a sum.

    Goods go to an entity's registry side; nothing of them can trade before they are moved.
    """
    assert "CEA23" not in venue.registry.vintages()
    values = {"account": 1, "vintage": "CEA23", "qty_tonnes": 900, "document": "plan 2023, no. 7"}
    asked = venue.ask("issue", **values)
    assert "CEA23" not in venue.registry.vintages()
    venue.approve(asked)
    assert "CEA23" in venue.registry.vintages()
    assert venue.registry.holdings("CEA23") == {1: Holding(900)}
    with venue.registry.database.read() as tx:
        unit = select(schema.units.c.id).where(schema.units.c.code == "CEA23").scalar_subquery()
        source = select(schema.buckets.c.balance).where(
            schema.buckets.c.unit == unit, schema.buckets.c.kind == schema.ISSUED
        )
        assert tx.execute(source).scalars().all() == [-900]  # all there is came out of it (I1)
    listing: dict[str, Any] = {"side": Side.SELL, "price_ticks": 4_800, "qty_tonnes": 10_001}
    refused = venue.do(Kind.LIST, account=1, instrument=0, **listing)
    assert refused[0]["reason"] == Reason.INSUFFICIENT_HOLDING
    venue.sound()


def test_two_kinds_of_subjects_trade_and_the_institutions_do_not(registry: Registry) -> None:
    """Key emitting entities and others; issue, bank, fees and reserve have no trading side."""
    registry.open_accounts([("K1", "Plant 1")])
    registry.open_accounts([("F1", "Fund 1")], kind="other")
    for kind in ("fees", "bank", "issue_reserve", "risk_reserve", "", "province"):
        with pytest.raises(RefusalError, match="kind_invalid"):
            registry.open_accounts([("X1", "X")], kind=kind)
    with registry.database.read() as tx:
        rows = tx.execute(
            select(schema.accounts.c.kind, schema.accounts.c.trading_index).order_by(
                schema.accounts.c.id
            )
        ).all()
    assert [kind for kind, index in rows if index is not None] == ["key_emitting_entity", "other"]
    silent = {kind for kind, index in rows if index is None}
    assert silent == {"issue_reserve", "bank", "fees", "risk_reserve"}
