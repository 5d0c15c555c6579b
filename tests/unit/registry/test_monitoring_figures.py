"""Provinces, entities and verified figures (RG-03, RG-04, RG-18, CP-01, CP-05, CP-30)."""

from __future__ import annotations

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring.entities import Entity, Facility
from registry.monitoring.provinces import NATIONAL, national_account
from registry.monitoring.verified import Figure, Version
from registry.schema import accounts
from tests.unit.registry.registry_venue import NOW_NS

VERIFIER = 30
POWER = ("E1", "One Power", "42", "power")
STEEL = ("E2", "Two Steel", "13", "steel")


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


@pytest.fixture
def covered(registry: Registry) -> Registry:
    """Books with provinces and two entities."""
    registry.monitoring.open_provinces()
    registry.monitoring.add_entities([POWER, STEEL])
    return registry


def test_the_nation_and_its_provinces_have_accounts_once_rg_04(registry: Registry) -> None:
    registry.monitoring.open_provinces()
    registry.monitoring.open_provinces()
    found = registry.monitoring.provinces()
    assert len(found) == 32
    assert (found["11"].name, found["65"].name) == ("Beijing", "Xinjiang")
    assert found["66"].name.endswith("Corps")
    with registry.database.read() as tx:
        rows = tx.execute(select(accounts).where(accounts.c.kind.in_(("province", "national"))))
        kinds = {row.id: (row.code, row.kind, row.trading_index) for row in rows}
        national = national_account(tx)
    assert len(kinds) == 33
    assert kinds[national] == (NATIONAL, "national", None)
    assert kinds[found["42"].account] == ("PROVINCE-42", "province", None)
    assert registry.open_account("ACME", "Acme") == 0  # the exchange's rows stay dense
    assert registry.violations() == []


def test_a_subject_with_a_provinces_number_stops_the_opening(registry: Registry) -> None:
    registry.open_account("PROVINCE-42", "Somebody")
    with refused("account_exists"):
        registry.monitoring.open_provinces()
    assert registry.monitoring.provinces() == {}


def test_entities_adopt_the_account_of_their_number_cp_05(registry: Registry) -> None:
    registry.open_accounts([("X", "other"), ("E1", "One")])
    registry.monitoring.open_provinces()
    registry.monitoring.add_entities([POWER, STEEL])
    with registry.database.read() as tx:
        own = tx.execute(select(accounts.c.id).where(accounts.c.code == "E1")).scalar_one()
    assert registry.monitoring.entity("E1") == Entity(*POWER, own)
    assert registry.monitoring.entity("E2").account is None
    assert registry.monitoring.open_accounts() == 1
    assert registry.monitoring.open_accounts() == 0
    assert registry.account(2).code == "E2"
    assert registry.monitoring.entity("E2").account is not None
    assert list(registry.monitoring.entities()) == ["E1", "E2"]


def test_an_account_of_another_kind_is_not_adopted(covered: Registry) -> None:
    covered.open_accounts([("E2", "A fund")], "other")
    with refused("account_exists"):
        covered.monitoring.open_accounts()
    assert covered.monitoring.entity("E2").account is None


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("E 3", "Three", "42", "power"), "entity_invalid"),
        (("E" * 33, "Three", "42", "power"), "entity_invalid"),
        (("E3", " ", "42", "power"), "name_invalid"),
        (("E3", "Three", "99", "power"), "unknown_province"),
        (("E3", "Three", "42", "paper"), "sector_invalid"),
        (("E1", "Three", "42", "power"), "entity_exists"),
        (("FUND", "Three", "42", "power"), "account_exists"),
    ],
)
def test_a_bad_entity_lets_nothing_in(
    covered: Registry, row: tuple[str, str, str, str], code: str
) -> None:
    covered.open_accounts([("FUND", "A fund")], "other")
    with refused(code):
        covered.monitoring.add_entities([("E9", "Nine", "42", "cement"), row])
    assert list(covered.monitoring.entities()) == ["E1", "E2"]


def test_facilities_are_of_their_sectors_kind(covered: Registry) -> None:
    unit = Facility("E1", "U1", "unit", "I", "660.5", "coal", 20100131)
    covered.monitoring.add_facilities([unit, Facility("E2", "MAIN", "enterprise")])
    assert covered.monitoring.facilities("E1") == [unit]
    for bad, code in (
        (unit, "facility_exists"),
        (unit._replace(code="U2", kind="line"), "kind_invalid"),
        (unit._replace(code="U2", capacity_mw="-1"), "capacity_invalid"),
        (unit._replace(code="U2", closed=20230230), "date_invalid"),
        (unit._replace(code="", kind="unit"), "facility_invalid"),
        (unit._replace(entity="E7"), "unknown_entity"),
    ):
        with refused(code):
            covered.monitoring.add_facilities([bad])
    with refused("unknown_entity"):
        covered.monitoring.facilities("E7")


def test_the_highest_version_of_a_figure_counts_rg_18(covered: Registry) -> None:
    monitoring = covered.monitoring
    assert monitoring.verified_tonnes("E1", 2023) is None
    first = monitoring.record_verified("E1", 2023, 1_000_010, VERIFIER, NOW_NS, {"report": 7})
    assert first == Version("E1", 2023, 1, 1_000_010, None)
    again = monitoring.record_verified_many(
        [("E1", 2023, 1_000_000), ("E2", 2023, 5), ("E1", 2024, 9)], VERIFIER, NOW_NS
    )
    assert again[0] == Version("E1", 2023, 2, 1_000_000, 1_000_010)
    assert [one.is_changed for one in again] == [True, False, False]
    assert monitoring.verified_tonnes("E1", 2023) == 1_000_000
    assert monitoring.verified_of_year(2023) == {"E1": 1_000_000, "E2": 5}
    assert monitoring.verified_of_year(2022) == {}


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (Figure("E7", 2023, 1), "unknown_entity"),
        (Figure("E1", 1999, 1), "year_invalid"),
        (Figure("E1", 2023, -1), "tonnes_invalid"),
        (Figure("E1", 2023, True), "tonnes_invalid"),
        (Figure("E2", 2023, 1), "verified_twice"),
        (Figure("E1", 2023, 1, {"x": object()}), "content_invalid"),
        (Figure("E1", 2023, 3, {"facilities": {"U1": 1, "U2": 1}}), "content_invalid"),
        (Figure("E1", 2023, 0, {"facilities": []}), "content_invalid"),
        (Figure("E1", 2023, 1, {"facilities": {"U1": 2, "U2": -1}}), "tonnes_invalid"),
    ],
)
def test_a_bad_figure_lets_nothing_in(covered: Registry, row: Figure, code: str) -> None:
    with refused(code):
        covered.monitoring.record_verified_many([Figure("E2", 2023, 4), row], VERIFIER, NOW_NS)
    assert covered.monitoring.verified_of_year(2023) == {}


def test_figures_come_from_somebody_at_some_time(covered: Registry) -> None:
    with refused("person_invalid"):
        covered.monitoring.record_verified("E1", 2023, 1, 0, NOW_NS)
    with refused("time_invalid"):
        covered.monitoring.record_verified("E1", 2023, 1, VERIFIER, -1)


@pytest.mark.parametrize(
    "statement", ["UPDATE verified SET emissions_tonnes = 1", "DELETE FROM verified"]
)
def test_a_verified_figure_is_never_changed_rg_17(covered: Registry, statement: str) -> None:
    covered.monitoring.record_verified("E1", 2023, 5, VERIFIER, NOW_NS)
    with pytest.raises(DBAPIError, match="append only"), covered.database.write() as tx:
        tx.execute(text(statement))
    assert covered.monitoring.verified_tonnes("E1", 2023) == 5


def test_thousands_of_figures_are_one_insert(registry: Registry) -> None:
    monitoring = registry.monitoring
    monitoring.open_provinces()
    codes = [f"K{number:04d}" for number in range(4_000)]
    monitoring.add_entities([(code, f"Firm {code}", "37", "power") for code in codes])
    assert monitoring.open_accounts() == 4_000
    assert all(one.account for one in monitoring.entities().values())
    for tonnes in (7, 8):
        monitoring.record_verified_many([(code, 2024, tonnes) for code in codes], VERIFIER, NOW_NS)
    assert monitoring.verified_of_year(2024) == dict.fromkeys(codes, 8)
