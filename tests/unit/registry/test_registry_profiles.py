"""Two markets, one code: who settles, what is traded, what it costs (ST-01, VM-01, VM-05…10)."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from engine.records import Kind, Parameter, Phase
from registry import schema
from registry.errors import RefusalError, StopError
from registry.institution import Registry
from registry.profiles import NATIONAL, PROFILES, VOLUNTARY
from tests.unit.registry.registry_venue import DATES, NOW_NS, Venue

BATCHES = ("CCER0017B001", "CCER0042B003")  # per project and registered batch (VM-06)
SIX_PER_MILLE = 6_000  # parts per million (VM-05)


def names(registry: Registry) -> dict[str, str]:
    with registry.database.read() as tx:
        rows = tx.execute(select(schema.accounts.c.code, schema.accounts.c.name))
        return {code: name for code, name in rows if code.isupper()}


def test_each_market_has_its_institutions_st_01_vm_01(tmp_path: Path) -> None:
    with Registry.open(f"sqlite:///{tmp_path}/cea.db") as national:
        assert national.profile is NATIONAL
        assert names(national)["BANK"] == "Special account of the national registry"
    with Registry.open(f"sqlite:///{tmp_path}/ccer.db", VOLUNTARY) as voluntary:
        assert names(voluntary)["BANK"] == "Special account of the Beijing exchange"
        assert VOLUNTARY.settlement == VOLUNTARY.exchange != VOLUNTARY.registry
    with pytest.raises(StopError, match="profile_differs"):
        Registry.open(f"sqlite:///{tmp_path}/ccer.db")
    with pytest.raises(StopError, match="profile_differs"):
        Registry.open(f"sqlite:///{tmp_path}/cea.db", VOLUNTARY)
    assert set(PROFILES) == {"national", "voluntary"}


def test_the_voluntary_market_settles_at_its_exchange_vm_05_vm_09(url: str) -> None:
    """Beside a national market in the same process, in books of its own."""
    with Registry.open("sqlite://") as other, Registry.open(url, VOLUNTARY) as registry:
        national, venue = Venue(other), Venue(registry, BATCHES)
        national.fund(2)
        venue.do(Kind.SET_PARAMETER, ref=Parameter.LISTED_TRADING_FEE_PPM, amount=SIX_PER_MILLE)
        venue.fund(2)
        national.open_day(DATES[0])
        venue.open_day(DATES[0])
        venue.trade(0, 1, 1_000, instrument=1)
        venue.close_day()
        assert venue.settle() == Phase.POSTED  # same day, trade by trade, fully funded
        value = 1_000 * 4_800
        fee = value * 6 // 1_000
        assert registry.fees() == (2 * fee, 0)
        assert registry.balances(1).cash_fen == 100_000_000 - value - fee
        assert registry.balances(0).cash_fen == 100_000_000 + value - fee
        assert registry.vintages() == list(BATCHES)
        told = registry.statement(0, DATES[0])
        assert told is not None
        assert (told.sell_fee, told.settlement_fee) == (fee, 0)
        venue.sound()
        national.sound()
        assert national.phase == Phase.MORNING
        assert other.vintages() == ["CEA", "CEA21"]


def test_cancellation_kinds_are_the_market_s_own_vm_10() -> None:
    with Registry.open("sqlite://", VOLUNTARY) as registry:
        venue = Venue(registry, BATCHES)
        venue.fund(1)
        values = {"account": 0, "vintage": BATCHES[0], "qty_tonnes": 5, "document": "d"}
        for purpose in ("voluntary", "offset", "other"):
            venue.hand("cancel_voluntarily", purpose=purpose, **values)
        with pytest.raises(RefusalError, match="purpose_invalid"):
            venue.hand("cancel_voluntarily", purpose="pleasure", **values)
        assert registry.balances(0).holdings[BATCHES[0]].cancelled == 15
        assert registry.window_open("transfer_in", NOW_NS)
