"""From plan and deposit to a verified figure and a second look (CP-09…12, RG-18, U27)."""

from __future__ import annotations

import datetime as dt

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from registry.errors import RefusalError
from registry.institution import Registry
from registry.monitoring import parameters, report_schema
from registry.monitoring.deposits import Deposit, Reported
from registry.monitoring.entities import Facility
from registry.monitoring.reports import Refused
from registry.monitoring.roster import Listing
from registry.monitoring.verified import Figure, Version
from registry.windows import nanoseconds
from tests.unit.registry.test_monitoring_emissions import GOOD

REPORTER, VERIFIER, PROVINCE, OTHER = 11, 22, 33, 44
PLAN = {"parameters": "all measured"}


def at(date: str, hour: int = 12) -> int:
    return nanoseconds(dt.date.fromisoformat(date), dt.time(hour))


def refused(code: str) -> pytest.RaisesExc[RefusalError]:
    return pytest.raises(RefusalError, match=rf"\[{code}\]$")


def reported(set_name: str, **bent: str) -> Reported:
    units = parameters.parameters(set_name)
    given = {**GOOD[set_name], **bent}
    return {name: (value, units[name].unit) for name, value in given.items() if value}


@pytest.fixture
def covered(registry: Registry) -> Registry:
    """Books with a power plant of two units, and a smelter, on the rosters of 2024 and 2025."""
    monitoring = registry.monitoring
    monitoring.open_provinces()
    monitoring.add_entities([("P", "Plant", "42", "power"), ("A", "Smelter", "15", "aluminium")])
    monitoring.open_accounts()
    monitoring.add_facilities(
        [
            Facility("P", "U1", "unit", "I", "500", "coal"),
            Facility("P", "U2", "unit", "IV", "450", "gas", 20251115),
            Facility("A", "POTS", "process"),
        ]
    )
    for year in (2024, 2025):
        listings = [Listing(code, "threshold", 1_000_000) for code in ("P", "A")]
        monitoring.publish_roster(year, listings, "list", PROVINCE, at("2025-04-01"))
    monitoring.file_plans(2025, [("P", PLAN), ("A", PLAN)], REPORTER, at("2024-12-31"))
    return registry


def year_of_deposits(registry: Registry, person: int = REPORTER) -> None:
    rows = [
        Deposit("P", "U1", month, reported("power_coal", hours="600", load="70"))
        for month in range(202501, 202513)
    ]
    rows += [Deposit("P", "U2", month, reported("power_gas")) for month in (202511, 202512)]
    rows += [Deposit("A", "POTS", month, reported("aluminium")) for month in range(202501, 202513)]
    registry.monitoring.deposit(rows, person, at("2026-01-05"))


def verified_year(registry: Registry) -> None:
    year_of_deposits(registry)
    registry.monitoring.report_all(2025, REPORTER, at("2026-03-01"))
    registry.monitoring.verify(2025, VERIFIER, at("2026-05-06"), "inspected")


def test_plans_are_filed_before_the_year_cp_09(covered: Registry) -> None:
    monitoring = covered.monitoring
    again = monitoring.file_plans(
        2025, [("P", PLAN), ("A", {"meters": [1, 2]})], REPORTER, at("2025-06-30", 23)
    )
    assert [(one.entity, one.version, one.is_late) for one in again] == [
        ("P", 2, True),  # power: by 31 December of the year before
        ("A", 2, False),  # the new sectors' first plan: by 30 June 2025
    ]
    assert [one.version for one in monitoring.plans(2025)] == [1, 2, 1, 2]
    for rows, code in (
        ([("X", PLAN)], "unknown_entity"),
        ([("P", {})], "content_invalid"),
        ([("P", {"poem": "x"})], "content_invalid"),
        ([("P", {"meters": object()})], "content_invalid"),
        ([("P", PLAN), ("P", PLAN)], "filed_twice"),
    ):
        with refused(code):
            monitoring.file_plans(2026, rows, REPORTER, at("2025-06-30"))
    assert monitoring.plans(2026) == []


def test_a_deposit_is_computed_checked_and_dated_cp_09(covered: Registry) -> None:
    monitoring = covered.monitoring
    good = Deposit("P", "U1", 202503, reported("power_coal", load=""))
    bad = Deposit("A", "POTS", 202503, reported("aluminium", c2f6="251"))
    taken = monitoring.deposit([good, bad], REPORTER, at("2025-05-11"))
    assert [tuple(one) for one in taken] == [
        ("P", "U1", 202503, 1, "188760", True, 0),  # 40 days after 31 March: 10 May
        ("A", "POTS", 202503, 1, "68106.233333", False, 1),  # back-filled by 31 October
    ]
    found = monitoring.findings(2025)
    assert [(one.rule, one.parameter, one.entity, one.month) for one in found] == [
        ("PC-51", "c2f6", "A", 202503)
    ]
    monitoring.deposit([bad._replace(reported=reported("aluminium"))], REPORTER, at("2025-05-12"))
    assert monitoring.findings(2025) == []  # of the version that counts


def test_jumps_are_seen_within_a_batch_and_across_batches(covered: Registry) -> None:
    monitoring = covered.monitoring
    first = Deposit("P", "U1", 202501, reported("power_coal", ncv="21", load=""))
    second = Deposit("P", "U1", 202502, reported("power_coal", ncv="16", load=""))
    third = Deposit("P", "U1", 202503, reported("power_coal", ncv="20", load=""))
    taken = monitoring.deposit([second, first], REPORTER, at("2025-03-01"))
    assert [(one.month, one.findings) for one in taken] == [(202501, 0), (202502, 1)]
    taken = monitoring.deposit([third], REPORTER, at("2025-04-01"))
    assert [one.rule for one in monitoring.findings(2025)] == ["PC-21", "PC-21"]


@pytest.mark.parametrize(
    ("row", "when", "code"),
    [
        (("P", "U9", 202503), "2025-05-01", "unknown_facility"),
        (("P", "U1", 202513), "2025-05-01", "month_invalid"),
        (("P", "U1", 202503), "2025-03-31", "too_early"),
        (("P", "U1", 202303), "2025-05-01", "not_listed"),
        (("P", "U2", 202510), "2025-12-01", "facility_not_at_work"),
        (("A", "POTS", 202502), "2025-05-01", "missing_parameter"),
        (("P", "U1", 202502), "2025-05-01", "deposited_twice"),
    ],
)
def test_a_bad_deposit_lets_nothing_in(
    covered: Registry, row: tuple[str, str, int], when: str, code: str
) -> None:
    coal = reported("power_coal", load="")
    with refused(code):
        covered.monitoring.deposit(
            [Deposit("P", "U1", 202502, coal), Deposit(*row, coal and _coal_or_less(row[0]))],
            REPORTER,
            at(when),
        )
    assert covered.monitoring.overdue(2025, at("2025-03-20"))[0] == ("P", "U1", 202501)


def _coal_or_less(entity: str) -> Reported:
    return {} if entity == "A" else reported("power_coal", load="")


def test_no_deposit_without_a_plan_and_none_that_swallows_carbon(covered: Registry) -> None:
    monitoring = covered.monitoring
    monitoring.add_entities([("S", "Steel", "13", "steel"), ("Q", "Plant", "42", "power")])
    monitoring.add_facilities([Facility("S", "S", "enterprise"), Facility("Q", "U1", "unit")])
    rows = [Listing("S", "threshold", 30_000), Listing("Q", "threshold", 30_000)]
    monitoring.publish_roster(2025, rows, "list", PROVINCE, at("2025-04-01"))
    with refused("no_quality_plan"):
        monitoring.deposit(
            [Deposit("Q", "U1", 202501, reported("power_coal"))], REPORTER, at("2025-03-01")
        )
    monitoring.file_plans(2025, [("S", PLAN)], REPORTER, at("2025-04-01"))
    with refused("emissions_negative"):
        monitoring.deposit(
            [Deposit("S", "S", 202501, reported("steel", pig_iron_sold="99999999"))],
            REPORTER,
            at("2025-05-01"),
        )


def test_overdue_deposits_by_sector_cp_09(covered: Registry) -> None:
    monitoring = covered.monitoring
    assert monitoring.overdue(2025, at("2025-03-12", 23)) == []
    assert monitoring.overdue(2025, at("2025-03-13", 0)) == [("P", "U1", 202501)]
    found = monitoring.overdue(2025, at("2025-11-01"))
    assert [one for one in found if one[0] == "A"] == [
        ("A", "POTS", month) for month in range(202501, 202510) if month != 202509
    ]


def test_a_year_is_the_exact_sum_rounded_once_a_facility_u27(covered: Registry) -> None:
    monitoring = covered.monitoring
    year_of_deposits(covered)
    done, left_out = monitoring.report_all(2025, REPORTER, at("2026-03-31"))
    assert left_out == []
    smelter, plant = done
    # 12 x (16,400 x 97.6 % x 44/12 + 7,740): months rounded one by one would give 797,160
    assert smelter.facilities["POTS"]["emissions_t"] == "797161.6"
    assert (smelter.emissions_tonnes, smelter.is_late) == (797_162, False)
    assert smelter.facilities["POTS"]["sums"]["cf4"] == "12000"
    # 12 x 188,760, and 2 x 43,427.571 of the gas unit that began in November
    assert plant.facilities["U1"]["emissions_tonnes"] == 2_265_120
    assert plant.facilities["U2"]["emissions_t"] == "86855.142"
    assert plant.emissions_tonnes == 2_265_120 + 86_855
    assert monitoring.findings(2025, open_errors_only=True) == []
    assert list(monitoring.reports(2025)) == ["A", "P"]


def test_a_report_comes_after_the_year_from_who_is_listed_cp_10(covered: Registry) -> None:
    monitoring = covered.monitoring
    with refused("too_early"):
        monitoring.report(2025, "P", REPORTER, at("2025-12-31", 23))
    with refused("no_deposits"):
        monitoring.report(2025, "P", REPORTER, at("2026-01-01"))
    with refused("not_listed"):
        monitoring.report(2023, "P", REPORTER, at("2026-01-01"))
    with refused("unknown_entity"):
        monitoring.report(2025, "X", REPORTER, at("2026-01-01"))
    year_of_deposits(covered)
    assert monitoring.report(2025, "P", REPORTER, at("2026-04-01", 0)).is_late
    assert monitoring.report(2025, "P", REPORTER, at("2026-03-31", 23)).version == 2


def test_a_missing_month_must_be_answered_before_verification(covered: Registry) -> None:
    monitoring = covered.monitoring
    rows = [
        Deposit("P", "U1", month, reported("power_coal", load="")) for month in (202501, 202503)
    ]
    monitoring.deposit(rows, REPORTER, at("2026-01-05"))
    monitoring.report(2025, "P", REPORTER, at("2026-01-06"))
    open_errors = monitoring.findings(2025, "P", open_errors_only=True)
    assert [(one.rule, one.facility, one.value) for one in open_errors][:2] == [
        ("PC-61", "U1", "202502"),
        ("PC-61", "U1", "202504"),
    ]
    assert len(open_errors) == 12  # ten of the first unit, two of the second
    done = monitoring.verify(2025, VERIFIER, at("2026-05-01"), "inspected")
    assert (done.versions, [one.code for one in done.refused]) == ([], ["findings_open"])
    for one in open_errors:
        monitoring.answer_finding(one.id, "stood still", VERIFIER, at("2026-05-02"))
    with refused("answered_before"):
        monitoring.answer_finding(open_errors[0].id, "again", VERIFIER, at("2026-05-02"))
    with refused("unknown_finding"):
        monitoring.answer_finding(999, "what", VERIFIER, at("2026-05-02"))
    assert monitoring.findings(2025, "P")[0].answer == "stood still"
    assert len(monitoring.verify(2025, VERIFIER, at("2026-05-03"), "inspected").versions) == 1


def test_totals_stand_in_where_no_deposits_were_due_cp_10(covered: Registry) -> None:
    monitoring = covered.monitoring
    pots = {**reported("aluminium"), "c2f6": ("900", "kg")}
    (done,) = monitoring.report_totals(2024, {"A": {"POTS": pots}}, REPORTER, at("2025-06-30"))
    assert (done.emissions_tonnes, done.is_late) == (75_310, False)
    assert [one.rule for one in monitoring.findings(2024)] == ["PC-51"]
    coal = reported("power_coal")
    for rows, code in (
        ({"P": {"U1": coal}}, "deposits_due"),
        ({"A": {"U1": coal}}, "unknown_facility"),
        ({"A": {"POTS": {"cf4": ("1", "t")}}}, "wrong_unit"),
        ({"A": {"POTS": {"cf4": ("1", "kg")}}}, "missing_parameter"),
        ({"A": {"POTS": {**pots, "anode_ash": ("900", "%")}}}, "emissions_negative"),
    ):
        with refused(code):
            monitoring.report_totals(2024, rows, REPORTER, at("2025-06-30"))


def test_totals_of_a_power_plant_before_2023_with_bought_electricity_cp_07_cp_30(
    covered: Registry,
) -> None:
    monitoring = covered.monitoring
    monitoring.publish_roster(2022, [Listing("P", "threshold", 1_000_000)], "list", PROVINCE, 1)
    monitoring.add_facilities(
        [Facility("P", "U0", "unit", "II", "300", "coal", 20100101, 20220301)]
    )
    year = {"fuel": "1200000", "generated": "2500000", "supplied": "2350000", "heat": "600000"}
    year |= {"hours": "7200", "load": "69", "bought_electricity": "1000"}
    totals = {"P": {"U1": reported("power_coal", **year)}}
    (done,) = monitoring.report_totals(2022, totals, REPORTER, at("2023-03-30"))
    # 12 x 188,760 t of coal and 1,000 MWh x 0.5703
    assert (done.emissions_tonnes, done.is_late) == (2_265_690, False)
    # U2 came later; U0 was at work until March and is left out
    found = [(one.rule, one.facility, one.value) for one in monitoring.findings(2022)]
    assert found == [("PC-61", "U0", "2022")]


def test_a_year_that_differs_much_is_found(covered: Registry) -> None:
    monitoring = covered.monitoring
    monitoring.record_verified_many([("A", 2024, 1_700_000), ("P", 2024, 2_400_000)], VERIFIER, 1)
    year_of_deposits(covered)
    monitoring.report_all(2025, REPORTER, at("2026-03-31"))
    found = [one for one in monitoring.findings(2025) if one.rule == "PC-62"]
    assert [(one.entity, one.value, one.low, one.high) for one in found] == [
        ("A", "797162", "850000", "2550000")
    ]


def test_somebody_else_verifies_and_it_counts_cp_10(covered: Registry) -> None:
    monitoring = covered.monitoring
    year_of_deposits(covered)
    monitoring.report_all(2025, REPORTER, at("2026-03-01"))
    done = monitoring.verify(2025, REPORTER, at("2026-05-01"), "all fine")
    assert [(one.entity, one.code) for one in done.refused] == [
        ("A", "verifier_is_reporter"),
        ("P", "verifier_is_reporter"),
    ]
    monitoring.report(
        2025, "P", OTHER, at("2026-03-02")
    )  # another hand; the deposits are his still
    done = monitoring.verify(2025, REPORTER, at("2026-05-01"), "all fine", ["P"])
    assert [one.code for one in done.refused] == ["verifier_is_reporter"]
    done = monitoring.verify(
        2025, VERIFIER, at("2026-07-01"), "inspected", adjusted={"P": {"U2": 90_000}}
    )
    assert done.versions == [
        Version("A", 2025, 1, 797_162, None),
        Version("P", 2025, 1, 2_355_120, None),
    ]
    assert monitoring.verified_facilities(2025)["P"] == {"U1": 2_265_120, "U2": 90_000}
    assert monitoring.verified_tonnes("P", 2025) == 2_355_120
    with covered.database.read() as tx:
        rows = tx.execute(text("SELECT entity, late FROM verifications"))
        late = {row.entity: row.late for row in rows}
    assert late == {"P": 1, "A": 0}  # power by 30 June, aluminium by 31 July 2026
    again = monitoring.verify(2025, VERIFIER, at("2026-07-01"), "inspected", ["P", "X"])
    assert again.refused == [
        Refused("P", "verified_already", "2025 of P is verified (CP-11)."),
        Refused("X", "no_report", "X has not reported 2025 (CP-10)."),
    ]
    with refused("verified_already"):
        monitoring.report(2025, "P", REPORTER, at("2026-07-02"))
    with refused("verified_already"):
        year_of_deposits(covered)


def test_an_adjustment_is_of_a_facility_in_whole_tonnes(covered: Registry) -> None:
    monitoring = covered.monitoring
    year_of_deposits(covered)
    monitoring.report_all(2025, REPORTER, at("2026-03-01"))
    for adjusted, code in (({"U9": 1}, "unknown_facility"), ({"U1": -1}, "tonnes_invalid")):
        done = monitoring.verify(2025, VERIFIER, at("2026-05-01"), "x", ["P"], {"P": adjusted})
        assert [one.code for one in done.refused] == [code]
    assert monitoring.verified_tonnes("P", 2025) is None


def test_feedback_and_recheck_run_on_working_days_cp_11(covered: Registry) -> None:
    monitoring = covered.monitoring
    verified_year(covered)  # on Wednesday 6 May 2026
    with refused("not_fed_back"):
        monitoring.ask_recheck("P", 2025, "too much", REPORTER, at("2026-05-07"))
    with refused("too_early"):
        monitoring.feed_back(2025, PROVINCE, at("2026-05-05"))
    (told,) = monitoring.feed_back(2025, PROVINCE, at("2026-05-15", 23), ["P"])
    assert (told.entity, told.is_late) == ("P", False)
    assert told.recheck_until_ns == at("2026-05-27", 0)
    (late,) = monitoring.feed_back(2025, PROVINCE, at("2026-05-16", 0))
    assert (late.entity, late.is_late) == ("A", True)
    assert monitoring.feed_back(2025, PROVINCE, at("2026-05-17")) == []
    assert "2,351,975 t" in covered.notices(1)[-1].sentence
    with refused("recheck_late"):
        monitoring.ask_recheck("P", 2025, "too much", REPORTER, at("2026-05-27", 0))
    asked = monitoring.ask_recheck("P", 2025, "too much", REPORTER, at("2026-05-26", 23))
    assert (asked.subject, asked.version, asked.outcome) == ("verification", 1, "")
    assert asked.answer_until_ns == at("2026-06-10", 0)  # Tuesday 9 June is the tenth
    with refused("asked_before"):
        monitoring.ask_recheck("P", 2025, "again", REPORTER, at("2026-05-26"))


def test_an_answer_may_correct_the_figure_cp_11_rg_18(covered: Registry) -> None:
    monitoring = covered.monitoring
    verified_year(covered)
    monitoring.feed_back(2025, PROVINCE, at("2026-05-07"))
    asked = monitoring.ask_recheck("P", 2025, "the meter was wrong", REPORTER, at("2026-05-08"))
    for person, code in ((REPORTER, "same_person"), (VERIFIER, "same_person")):
        with refused(code):
            monitoring.answer_recheck(asked.id, "no", person, at("2026-05-09"))
    with refused("no_change"):
        monitoring.answer_recheck(asked.id, "same", PROVINCE, at("2026-05-09"), 2_351_975)
    parts = {"U1": 2_210_000, "U2": 90_000}
    with refused("content_invalid"):
        monitoring.answer_recheck(asked.id, "it was", PROVINCE, at("2026-05-09"), 2_300_001, parts)
    done = monitoring.answer_recheck(
        asked.id, "it was", PROVINCE, at("2026-05-22", 23), 2_300_000, parts
    )
    assert monitoring.verified_facilities(2025)["P"] == parts
    assert (done.outcome, done.answer, done.is_late) == ("corrected", "it was", False)
    assert monitoring.verified_tonnes("P", 2025) == 2_300_000
    (change,) = monitoring.changes(2025)
    assert change[:5] == ("P", 2025, 2, 2_351_975, 2_300_000)
    assert change.due_ns == at("2026-06-06", 0)  # ten working days after Friday 22 May
    assert monitoring.changes(2025, at("2026-05-23")) == []
    with refused("answered_before"):
        monitoring.answer_recheck(asked.id, "again", PROVINCE, at("2026-05-25"))
    again = monitoring.ask_recheck("P", 2025, "still", REPORTER, at("2026-05-25"))
    done = monitoring.answer_recheck(again.id, "no", OTHER, at("2026-06-09", 0))
    assert (done.outcome, done.is_late) == ("upheld", True)
    assert [one.outcome for one in monitoring.rechecks(2025, "P")] == ["corrected", "upheld"]
    with refused("unknown_recheck"):
        monitoring.answer_recheck(9, "what", OTHER, at("2026-06-09"))


def test_an_allocation_can_be_doubted_too_cp_11(covered: Registry) -> None:
    monitoring = covered.monitoring
    told_ns = at("2026-09-21")
    asked = monitoring.ask_recheck("P", 2025, "class I", REPORTER, at("2026-09-22"), told_ns)
    assert (asked.subject, asked.version) == ("allocation", 0)
    with refused("allocation_recheck"):
        monitoring.answer_recheck(asked.id, "no", PROVINCE, at("2026-09-23"), 5)
    monitoring.answer_recheck(asked.id, "class II it is", PROVINCE, at("2026-09-23"))
    assert covered.notices(1)[-1].kind == "recheck"
    with refused("too_early"):
        monitoring.ask_recheck("P", 2025, "class I", REPORTER, at("2026-09-20"), told_ns)


def test_two_people_correct_a_figure_on_other_grounds_rg_18(covered: Registry) -> None:
    monitoring = covered.monitoring
    figure = Figure("P", 2024, 900)
    with refused("not_verified"):
        monitoring.correct(figure, "inspection", "MEE 5", PROVINCE, OTHER, at("2026-01-01"))
    monitoring.record_verified("P", 2024, 1_000, VERIFIER, at("2025-06-01"))
    with refused("maker_is_checker"):
        monitoring.correct(figure, "inspection", "MEE 5", OTHER, OTHER, at("2026-01-01"))
    done = monitoring.correct(figure, "inspection", "MEE 5", PROVINCE, OTHER, at("2026-01-01"))
    assert (done.version, done.is_changed) == (2, True)
    assert [one.entity for one in monitoring.changes(2024)] == ["P"]


def test_what_was_filed_stays_cp_12(covered: Registry) -> None:
    verified_year(covered)
    covered.monitoring.feed_back(2025, PROVINCE, at("2026-05-07"))
    filled = [table.name for table in report_schema.APPEND_ONLY if _count(covered, table.name)]
    assert {"quality_plans", "deposits", "reports", "verifications", "feedbacks"} <= set(filled)
    for name in filled:
        with pytest.raises(DBAPIError, match="append only"), covered.database.write() as tx:
            tx.execute(text(f"DELETE FROM {name}"))


def _count(registry: Registry, name: str) -> int:
    with registry.database.read() as tx:
        return int(tx.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())
