"""Surrender, in the language of the rules (CP-30 … CP-41, AL-42, AL-56, AL-68, AL-70)."""

from __future__ import annotations

import datetime as dt

import pytest

from registry.allocation import plan_file
from registry.compliance import eligibility
from registry.compliance.surrender import Wanted
from registry.errors import RefusalError
from registry.institution import Registry
from registry.windows import nanoseconds
from tests.unit.registry.compliance_town import DOCUMENT, ENTITY, PROVINCE, Town, at

IN_TIME = at(2024, 12, 20)


@pytest.fixture
def town(registry: Registry) -> Town:
    """P1 and P2 owe 100 t each for 2023 and have 90 and 120."""
    made = Town(registry)
    made.year(2023, {"P1": 100, "P2": 100}, {"P1": 90, "P2": 120})
    return made


def give(town: Town, entity: str, vintage: str, tonnes: int) -> None:
    """Let an entity have allowances of a vintage, wherever they come from."""
    town.registry.issue(vintage, town.index(entity), tonnes)


def test_from_the_notice_to_the_certificate(town: Town) -> None:
    """CP-32, RG-11: notice, application, frozen, reviewed, surrendered, certificate."""
    made = town.compliance.apply("P2", 2023, "CEA23", 60, ENTITY, IN_TIME)
    assert (made.status, made.late, made.origin) == ("pending", 0, "own")
    assert (town.has("P2", "CEA23"), town.has("P2", "CEA23", "pending")) == (60, 60)
    done = town.compliance.approve(made.number, PROVINCE, IN_TIME, province="42")
    assert (done.status, done.checker) == ("approved", PROVINCE)
    assert (town.has("P2", "CEA23", "pending"), town.has("P2", "CEA23", "surrendered")) == (0, 60)
    assert town.compliance.certificates() == []
    assert town.compliance.standing("P2", 2023).missing_tonnes == 40
    town.surrender("P2", 2023, "CEA23", 40, IN_TIME)
    proof = town.compliance.certificates("P2", 2023)[0]
    assert (proof.tonnes, proof.surrendered_tonnes, proof.late) == (100, 100, 0)
    assert town.registry.violations() == []


def test_only_what_lies_on_the_registry_side_can_be_surrendered(town: Town) -> None:
    """E45, RG-07: transfer out first. What is not there at all is simply missing (RG-06)."""
    town.registry.transfer_in(town.index("P1"), "CEA23", 50)
    with pytest.raises(RefusalError, match=r"RG-07.*transfer_out_first"):
        town.compliance.apply("P1", 2023, "CEA23", 60, ENTITY, IN_TIME)
    with pytest.raises(RefusalError, match="insufficient_holding"):
        town.compliance.apply("P1", 2023, "CEA23", 95, ENTITY, IN_TIME)
    assert town.compliance.apply("P1", 2023, "CEA23", 40, ENTITY, IN_TIME).status == "pending"


def test_what_was_rejected_or_withdrawn_comes_back(town: Town) -> None:
    """CP-33; nobody decides on his own application (ST-07), nor twice, nor for another province."""
    one, two = (
        town.compliance.apply("P2", 2023, "CEA23", 30, ENTITY, IN_TIME).number for _ in range(2)
    )
    with pytest.raises(RefusalError, match="maker_is_checker"):
        town.compliance.approve(one, ENTITY, IN_TIME)
    with pytest.raises(RefusalError, match=r"CP-31.*other_province"):
        town.compliance.approve(one, PROVINCE, IN_TIME, province="13")
    with pytest.raises(RefusalError, match="not_the_maker"):
        town.compliance.withdraw(two, PROVINCE, IN_TIME)
    assert town.compliance.reject(one, PROVINCE, "wrong form", IN_TIME).note == "wrong form"
    assert town.compliance.withdraw(two, ENTITY, IN_TIME).status == "withdrawn"
    assert (town.has("P2", "CEA23"), town.has("P2", "CEA23", "pending")) == (120, 0)
    with pytest.raises(RefusalError, match="decided_before"):
        town.compliance.approve(one, PROVINCE, IN_TIME)
    with pytest.raises(RefusalError, match="unknown_application"):
        town.compliance.approve(99, PROVINCE, IN_TIME)
    assert town.registry.violations() == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (("NOBODY", 2023, "CEA23", 1), "unknown_entity"),
        (("P1", 2024, "CEA23", 1), "no_notice"),
        (("P1", 2023, "CEA99x", 1), "unknown_vintage"),
        (("P1", 2023, "CEA22", 1), "unknown_vintage"),
        (("P1", 2023, "CEA23", 0), "tonnes_invalid"),
        (("P1", 2023, "CEA23", 1.5), "tonnes_invalid"),
        (("P1", 2023, "CEA23", True), "tonnes_invalid"),
        (("P2", 2023, "CEA23", 101), "more_than_owed"),
        (("P1", 2023, "CEA23", 1, "P9", DOCUMENT), "unknown_helper"),
        (("P1", 2023, "CEA23", 1, "P1", DOCUMENT), "same_account"),
        (("P1", 2023, "CEA23", 1, "P2"), "consent_missing"),
    ],
)
def test_a_bad_application_is_refused_and_nothing_is_frozen(
    town: Town, row: tuple[str, int, str, int], code: str
) -> None:
    with pytest.raises(RefusalError) as refused:
        town.compliance.apply(*row[:4], ENTITY, IN_TIME, *row[4:])
    assert refused.value.code == code
    rows = [("P2", 2023, "CEA23", 10), row]
    back = town.compliance.apply_many(rows, ENTITY, IN_TIME)
    assert (back.numbers, [(one.row, one.code) for one in back.refused]) == ((), [(2, code)])
    assert town.has("P2", "CEA23", "pending") == 0
    rest = town.compliance.apply_many(rows, ENTITY, IN_TIME, strict=False)
    assert len(rest.numbers) == 1
    assert town.has("P2", "CEA23", "pending") == 10


def test_two_applications_do_not_spend_the_same_tonnes(town: Town) -> None:
    """CP-31: together no more than is owed and no more than is there."""
    rows = [("P2", 2023, "CEA23", 60), ("P2", 2023, "CEA23", 41)]
    assert town.compliance.apply_many(rows, ENTITY, IN_TIME).refused[0].code == "more_than_owed"
    rows = [("P1", 2023, "CEA23", 60), ("P1", 2023, "CEA23", 31)]
    assert (
        town.compliance.apply_many(rows, ENTITY, IN_TIME).refused[0].code == "insufficient_holding"
    )


def test_vintages_of_later_years_do_not_serve_earlier_ones(town: Town) -> None:
    """E76, AL-38: CEA24 for 2023 is rejected, in time and in 2025; CEA22 serves."""
    for vintage in ("CEA22", "CEA24"):
        give(town, "P1", vintage, 50)
    for when in (IN_TIME, at(2025, 8, 20)):
        with pytest.raises(RefusalError, match=r"AL-38.*vintage_not_eligible"):
            town.compliance.apply("P1", 2023, "CEA24", 10, ENTITY, when)
    town.surrender("P1", 2023, "CEA22", 10, IN_TIME)


def test_what_was_not_carried_over_never_serves_2025(town: Town) -> None:
    """E75, AL-56; vintages 2025 and 2026 do, of whatever sector (E82, AL-68, AL-70)."""
    town.year(2025, {"P1": 100}, {"P1": 0})
    for vintage in ("CEA24", "CEA25", "CEA26"):
        give(town, "P1", vintage, 50)
    when = at(2026, 12, 1)
    with pytest.raises(RefusalError, match=r"AL-56.*vintage_not_eligible"):
        town.compliance.apply("P1", 2025, "CEA24", 10, ENTITY, when)
    town.surrender("P1", 2025, "CEA25", 50, when)
    town.surrender("P1", 2025, "CEA26", 50, when)
    assert town.registry.violations() == []


def test_steel_surrenders_what_it_bought_from_power(town: Town) -> None:
    """E82, AL-70: allowances of any sector serve any other."""
    town.verified(2025, S1=100)
    town.issue(2025, "pre", {"S1": 0}, at(2026, 4, 1), plan="industry-2025-2026")
    town.issue(2025, "final", {"S1": 97}, at(2026, 9, 1), plan="industry-2025-2026")
    town.compliance.notify(2025, at(2026, 10, 1))
    give(town, "S1", "CEA25", 3)
    town.surrender("S1", 2025, "CEA25", 100, at(2026, 12, 1))
    assert town.compliance.standing("S1", 2025).is_met_in_time


def test_deadlines() -> None:
    """CP-41: 17:00 in 2021, 24:00 later; the same days as in the plans (AL-14 … AL-69)."""
    assert eligibility.deadline_ns(2020) == at(2021, 12, 31, 17)
    assert eligibility.deadline_ns(2021) == at(2024, 1, 1, 0)
    for name in plan_file.names():
        for (year, what), due in _dates(name):
            if what == "surrender_due":
                end = nanoseconds(due + dt.timedelta(days=1), dt.time(0))
                late = at(2021, 12, 31, 17) if year < 2021 else end
                assert eligibility.deadline_ns(year) == late
    with pytest.raises(RefusalError, match="year_not_covered"):
        eligibility.deadline_ns(2018)


def _dates(name: str) -> list[tuple[tuple[int, str], dt.date]]:
    return [(key, cited.value) for key, cited in plan_file.load(name).dates.items()]


def test_who_applied_in_time_was_in_time_whenever_it_is_reviewed(town: Town) -> None:
    """CP-41: the time of submission decides, the review may follow."""
    made = town.compliance.apply("P2", 2023, "CEA23", 100, ENTITY, at(2024, 12, 31, 23, 59, 59))
    town.compliance.approve(made.number, PROVINCE, at(2025, 1, 6))
    found = town.compliance.standing("P2", 2023)
    assert (found.is_fulfilled, found.is_met_in_time) == (True, True)
    assert town.compliance.certificates("P2")[0].late == 0


def test_who_is_late_pays_arrears_with_the_arrears_vintages(town: Town) -> None:
    """CP-41, AL-68: 2023 is in arrears from 2025-01-01 on; CEA24 serves it from 2026-01-01."""
    town.surrender("P1", 2023, "CEA23", 90, IN_TIME)
    give(town, "P1", "CEA24", 10)
    with pytest.raises(RefusalError, match=r"arrears of 2023.*AL-38.*vintage_not_eligible"):
        town.compliance.apply("P1", 2023, "CEA24", 10, ENTITY, at(2025, 12, 31, 23, 59, 59))
    town.surrender("P1", 2023, "CEA24", 10, at(2026, 1, 1, 0))
    found = town.compliance.standing("P1", 2023)
    assert (found.is_fulfilled, found.is_met_in_time, found.in_time_tonnes) == (True, False, 90)
    assert town.compliance.certificates("P1")[0].late == 1
    assert town.registry.violations() == []


def test_in_2021_the_day_ends_at_17(registry: Registry) -> None:
    """AL-14, CP-41."""
    town = Town(registry)
    town.year(2019, {"P1": 100, "P2": 100}, {"P1": 100, "P2": 100})
    on_time = town.compliance.apply("P1", 2019, "CEA", 90, ENTITY, at(2021, 12, 31, 16, 59, 59))
    late = town.compliance.apply("P2", 2019, "CEA", 90, ENTITY, at(2021, 12, 31, 17))
    assert (on_time.late, late.late) == (0, 1)


def test_another_firm_helps_with_the_provinces_consent(town: Town) -> None:
    """E84, AL-42: direct, no trade, no price; the tonnes count for who was helped."""
    made = town.compliance.apply("P1", 2023, "CEA23", 20, ENTITY, IN_TIME, "P2", DOCUMENT)
    assert (made.origin, made.payer) == ("help", "P2")
    assert (town.has("P2", "CEA23"), town.has("P2", "CEA23", "pending")) == (100, 20)
    town.compliance.approve(made.number, PROVINCE, IN_TIME)
    assert (town.has("P2", "CEA23", "pending"), town.has("P1", "CEA23", "surrendered")) == (0, 20)
    assert town.has("P1", "CEA23") == 90
    assert town.compliance.standing("P1", 2023).missing_tonnes == 80
    back = town.compliance.apply("P1", 2023, "CEA23", 20, ENTITY, IN_TIME, "P2", DOCUMENT)
    town.compliance.reject(back.number, PROVINCE, "no consent", IN_TIME)
    assert town.has("P2", "CEA23") == 100
    assert town.registry.trades(town.index("P1")) == []
    assert town.registry.violations() == []


def test_a_notice_follows_verification_and_the_final_issue(town: Town) -> None:
    """CP-32, 7.3; a correction of the verified figure is a further notice (RG-18)."""
    town.verified(2024, P1=100)
    with pytest.raises(RefusalError, match=r"CP-30.*not_verified"):
        town.compliance.notify(2024, at(2025, 9, 1), ["P2"])
    with pytest.raises(RefusalError, match=r"CP-32.*final_missing"):
        town.compliance.notify(2024, at(2025, 9, 1), ["P1"])
    assert town.compliance.notify(2024, at(2025, 9, 1)).without_allocation == ("P1",)
    with pytest.raises(RefusalError, match=r"CP-32.*no_notice"):
        town.compliance.apply("P1", 2024, "CEA23", 1, ENTITY, IN_TIME)
    assert town.compliance.notify(2023, IN_TIME).notified == ()
    town.verified(2023, P1=110)
    assert town.compliance.notify(2023, IN_TIME).notified == ("P1",)
    assert town.compliance.standing("P1", 2023).tonnes == 110
    town.verified(2023, P1=90)
    town.surrender("P1", 2023, "CEA23", 90, IN_TIME)
    assert town.compliance.certificates("P1") == []
    town.compliance.notify(2023, at(2024, 12, 30))
    assert town.compliance.certificates("P1")[0].tonnes == 90
    told = [one.kind for one in town.registry.notices(town.index("P1"))]
    assert told.count("obligation") == 3
    assert town.registry.violations() == []


def test_everybody_surrenders_at_the_end_of_the_year(town: Town) -> None:
    """CP-34: eligible vintages only, the oldest first; who is short is named."""
    give(town, "P2", "CEA22", 30)
    give(town, "P1", "CEA24", 50)
    town.compliance.apply("P2", 2023, "CEA23", 5, ENTITY, IN_TIME)
    with pytest.raises(RefusalError, match="maker_is_checker"):
        town.compliance.surrender_all(2023, ENTITY, ENTITY, IN_TIME)
    with pytest.raises(RefusalError, match=r"CP-32.*no_notice"):
        town.compliance.surrender_all(2024, ENTITY, PROVINCE, IN_TIME)
    done = town.compliance.surrender_all(2023, ENTITY, PROVINCE, IN_TIME)
    assert (done.entities, done.applications, done.tonnes) == (2, 3, 185)
    assert done.short == (("P1", 10),)
    assert town.has("P2", "CEA22", "surrendered") == 30
    assert town.has("P2", "CEA23", "surrendered") == 65
    assert town.has("P1", "CEA24") == 50
    assert done.certificates == 0  # five tonnes of P2 still wait for the province
    assert town.compliance.approve_many(PROVINCE, IN_TIME, year=2023) == 1
    assert [one.entity for one in town.compliance.certificates()] == ["P2"]
    again = town.compliance.surrender_all(2023, ENTITY, PROVINCE, IN_TIME)
    assert (again.tonnes, again.short) == (0, (("P1", 10),))
    assert town.registry.violations() == []


def test_many_are_approved_all_or_none(town: Town) -> None:
    rows = [Wanted("P1", 2023, "CEA23", 10), Wanted("P2", 2023, "CEA23", 10)]
    numbers = town.compliance.apply_many(rows, ENTITY, IN_TIME).numbers
    town.compliance.withdraw(numbers[1], ENTITY, IN_TIME)
    with pytest.raises(RefusalError, match="decided_before"):
        town.compliance.approve_many(PROVINCE, IN_TIME, numbers)
    with pytest.raises(RefusalError, match="application_twice"):
        town.compliance.approve_many(PROVINCE, IN_TIME, [numbers[0], numbers[0]])
    assert town.has("P1", "CEA23", "surrendered") == 0
    assert town.compliance.approve_many(PROVINCE, IN_TIME) == 1
    assert town.has("P1", "CEA23", "surrendered") == 10
