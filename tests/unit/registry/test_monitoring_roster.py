"""The roster of a year: threshold, removal, dates, boundary, pilots (CP-01, CP-03…06, CP-08)."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import select

from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring import clock
from registry.monitoring.boundary import refuse_outside
from registry.monitoring.entities import Facility
from registry.monitoring.roster import Entry, Listing, Published
from registry.monitoring.schema import roster_log
from registry.windows import nanoseconds

PERSON = 40
DOC = "Hubei list 7"
EARLY_NS = nanoseconds(dt.date(2025, 10, 31), dt.time(23, 59))
LATE_NS = nanoseconds(dt.date(2025, 11, 1), dt.time(0, 0))


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


@pytest.fixture
def covered(registry: Registry) -> Registry:
    """Books with five power plants of Hubei and a steel works of Hebei."""
    monitoring = registry.monitoring
    monitoring.open_provinces()
    monitoring.add_entities([(f"P{i}", f"Plant {i}", "42", "power") for i in range(1, 6)])
    monitoring.add_entities([("S1", "Steel", "13", "steel", "3110", "long_route")])
    return registry


def listed(registry: Registry, year: int, *codes: str, tonnes: int = 26_000) -> Published:
    rows = [Listing(code, "threshold", tonnes) for code in codes]
    return registry.monitoring.publish_roster(year, rows, DOC, PERSON, EARLY_NS)


def figures(registry: Registry, year: int, **tonnes: int) -> None:
    registry.monitoring.record_verified_many(
        [(code, year, value) for code, value in tonnes.items()], PERSON, EARLY_NS
    )


def test_who_reaches_the_threshold_is_listed_cp_03(covered: Registry) -> None:
    monitoring = covered.monitoring
    figures(covered, 2024, P1=26_000, P2=25_999, S1=3_000_000)
    proposed = monitoring.propose_roster(2026)
    assert proposed == [Listing("P1", "threshold", 26_000), Listing("S1", "threshold", 3_000_000)]
    done = monitoring.publish_roster(2026, proposed, DOC, PERSON, EARLY_NS)
    assert done == Published(2, 0, ())
    assert monitoring.roster(2026, province="42") == [
        Entry(2026, "P1", "power", "42", "listed", "threshold", 26_000, DOC, PERSON, EARLY_NS)
    ]
    assert [one.entity for one in monitoring.roster(2026, sector="steel")] == ["S1"]
    with refused("below_threshold"):
        monitoring.publish_roster(2026, [Listing("P2")], DOC, PERSON, EARLY_NS)
    with refused("no_figure"):
        monitoring.publish_roster(2026, [Listing("P3")], DOC, PERSON, EARLY_NS)
    with refused("below_threshold"):  # what is verified counts, not what the list says
        listed(covered, 2026, "P2", tonnes=90_000)


def test_two_years_below_or_ceased_leave_the_roster_cp_04_e83(covered: Registry) -> None:
    monitoring = covered.monitoring
    listed(covered, 2025, "P1", "P2", "P3", "P4", "P5")
    monitoring.open_accounts()
    covered.issue("CEA24", 0, 700)
    figures(covered, 2023, P1=25_999, P2=26_000, P3=10, P5=10)
    figures(covered, 2024, P1=25_999, P2=25_999, P3=26_000)
    monitoring.add_facilities([Facility("P4", "U1", "unit", closed=20251231)])
    assert monitoring.propose_roster(2026) == [
        Listing("P1", "below_two_years", 25_999),
        Listing("P2", "listed_before", 25_999),  # one year below is not two
        Listing("P3", "threshold", 26_000),
        Listing("P4", "ceased", None),
        Listing("P5", "listed_before", None),  # nobody knows: he stays
    ]
    done = monitoring.publish_roster(2026, monitoring.propose_roster(2026), DOC, PERSON, EARLY_NS)
    assert done == Published(3, 2, ())
    assert [one.status for one in monitoring.roster(2026)][:2] == ["removed", "listed"]
    assert covered.balances(0).holdings["CEA24"].registry_available == 700  # E83: he keeps it
    covered.transfer_in(0, "CEA24", 700)
    assert [one.entity for one in monitoring.propose_roster(2027, ceased=["P3"])] == [
        *("P2", "P3", "P5"),  # P1 and P4 are gone and do not come back by themselves
    ]


@pytest.mark.parametrize(
    ("listing", "code"),
    [
        (Listing("P9"), "unknown_entity"),
        (Listing("P1", "whim"), "grounds_invalid"),
        (Listing("P1", "listed_before"), "must_leave"),
        (Listing("P2", "below_two_years"), "removal_unfounded"),
        (Listing("P3", "listed_before"), "not_listed_before"),
        (Listing("P3", "ceased"), "not_listed_before"),
        (Listing("P3", "threshold", -1), "tonnes_invalid"),
    ],
)
def test_a_list_the_rules_do_not_bear_is_refused_whole(
    covered: Registry, listing: Listing, code: str
) -> None:
    listed(covered, 2025, "P1", "P2")
    figures(covered, 2023, P1=1, P2=1)
    figures(covered, 2024, P1=1, P2=26_000, P5=30_000)
    with refused(code):
        covered.monitoring.publish_roster(2026, [Listing("P5"), listing], DOC, PERSON, EARLY_NS)
    assert covered.monitoring.roster(2026) == []


def test_nobody_is_listed_twice_and_a_strike_is_logged_cp_04(covered: Registry) -> None:
    monitoring = covered.monitoring
    listed(covered, 2025, "P1")
    with refused("listed_twice"):
        listed(covered, 2025, "P2", "P1")
    with refused("not_listed"):
        monitoring.strike(2025, "P2", DOC, PERSON, EARLY_NS)
    monitoring.strike(2025, "P1", "closure order", PERSON, EARLY_NS)
    with refused("not_listed"):
        monitoring.strike(2025, "P1", DOC, PERSON, EARLY_NS)
    assert [(one.status, one.grounds) for one in monitoring.roster(2025)] == [("removed", "ceased")]
    with covered.database.read() as tx:
        log = tx.execute(select(roster_log.c.status).order_by(roster_log.c.line)).scalars().all()
    assert log == ["listed", "removed"]


def test_a_sector_is_covered_from_its_first_data_year_cp_01(covered: Registry) -> None:
    with refused("sector_not_covered"):
        listed(covered, 2023, "S1")
    assert listed(covered, 2024, "S1").listed == 1
    figures(covered, 2020, S1=3_000_000)
    assert covered.monitoring.propose_roster(2022) == []


def test_a_late_list_says_so_cp_05(covered: Registry) -> None:
    row = Listing("P1", "threshold", 30_000)
    done = covered.monitoring.publish_roster(2026, [row], DOC, PERSON, LATE_NS)
    assert done == Published(1, 0, ("power",))


@pytest.mark.parametrize(
    ("sector", "year", "date"),
    [
        ("steel", 2024, dt.date(2025, 5, 10)),
        ("cement", 2025, dt.date(2025, 5, 10)),
        ("power", 2026, dt.date(2025, 10, 31)),
        ("aluminium", 2027, dt.date(2026, 10, 31)),
    ],
)
def test_dates_of_the_lists_cp_05(sector: str, year: int, date: dt.date) -> None:
    assert clock.due("roster", sector, year) == clock.Due(date, "CP-05")
    assert clock.due("roster", "power", 2025) is None
    assert clock.due("account", "steel", 2025) == clock.Due(dt.date(2025, 5, 15), "CP-05")


@pytest.mark.parametrize(
    ("sector", "industry", "process", "code"),
    [
        ("power", "4411", "", ""),
        ("power", "3216", "captive", ""),
        ("power", "3216", "", "outside_boundary"),
        ("power", "4430", "", "outside_boundary"),
        ("steel", "3120", "long_route", ""),
        ("steel", "3110", "electric_arc", "outside_boundary"),
        ("steel", "3130", "", "outside_boundary"),
        ("steel", "3110", "foundry_iron", "outside_boundary"),
        ("cement", "3011", "other_clinker", ""),
        ("cement", "3012", "", "outside_boundary"),
        ("aluminium", "3216", "electrolysis", ""),
        ("aluminium", "", "", ""),
        ("aluminium", "3216", "captive", "process_invalid"),
    ],
)
def test_the_boundary_of_the_sectors_cp_06(
    sector: str, industry: str, process: str, code: str
) -> None:
    if not code:
        refuse_outside(sector, industry, process)
        return
    with refused(code):
        refuse_outside(sector, industry, process)


def test_an_entity_outside_the_boundary_does_not_come_in_cp_06(covered: Registry) -> None:
    row = ("S2", "Mini mill", "13", "steel", "3110", "electric_arc")
    with refused("outside_boundary"):
        covered.monitoring.add_entities([row])


def test_who_is_listed_leaves_his_pilot_market_cp_08(covered: Registry) -> None:
    monitoring = covered.monitoring
    monitoring.note_pilots([("P1", "hubei"), ("P2", "hubei"), ("P1", "hubei")])
    for row, code in ((("P9", "hubei"), "unknown_entity"), (("P1", "wuhan"), "market_invalid")):
        with refused(code):
            monitoring.note_pilots([row])
    listed(covered, 2025, "P1")
    assert monitoring.pilot_exits(2025) == [("P1", "hubei")]
    listed(covered, 2026, "P1", "P2")
    assert monitoring.pilot_exits(2026) == [("P2", "hubei")]


def test_a_roster_of_thousands_is_one_run(registry: Registry) -> None:
    monitoring = registry.monitoring
    monitoring.open_provinces()
    codes = [f"K{number:04d}" for number in range(4_000)]
    monitoring.add_entities([(code, f"Firm {code}", "37", "power") for code in codes])
    for year in (2023, 2024):
        monitoring.record_verified_many([(code, year, 90_000) for code in codes], 1, EARLY_NS)
    proposed = monitoring.propose_roster(2026)
    assert monitoring.publish_roster(2026, proposed, DOC, PERSON, EARLY_NS).listed == 4_000
