"""The issue of allocation, in the language of the rules (RG-09, AL-12 … AL-67, RG-18)."""

from __future__ import annotations

import pytest

from registry.compliance.rows import AllocationRow
from registry.errors import RefusalError
from registry.institution import Registry
from tests.unit.registry.compliance_town import (
    DOCUMENT,
    ENTITY,
    PLATFORM,
    PROVINCE,
    REGISTRAR,
    Town,
    at,
)

PLAN = "power-2023-2024"


@pytest.fixture
def town(registry: Registry) -> Town:
    return Town(registry)


def test_an_issue_goes_from_the_nation_through_the_province_to_the_entity(town: Town) -> None:
    """RG-09, AL-33, AL-34: pre-allocation, then what is approved less what was given."""
    town.verified(2023, P1=1000, P2=500)
    town.issue(2023, "pre", {"P1": 700, "P2": 350}, at(2024, 3, 1))
    assert (town.has("P1", "CEA23"), town.has("P2", "CEA23")) == (700, 350)
    town.issue(2023, "final", {"P1": 980, "P2": 350}, at(2024, 11, 1))
    assert (town.has("P1", "CEA23"), town.has("P2", "CEA23")) == (980, 350)
    assert [one.issued_tonnes for one in town.compliance.allocations("P1")] == [700, 280]
    assert town.registry.violations() == []


def test_two_people_issue_and_the_checker_quotes_what_was_signed(town: Town) -> None:
    """ST-07, 7.3: nothing moves before another person has approved these very rows."""
    rows = [AllocationRow("P1", 700)]
    made = town.compliance.propose(PLAN, 2023, "pre", rows, PLATFORM, at(2024, 3, 1), DOCUMENT)
    assert made.request is not None
    assert town.has("P1", "CEA23") == 0
    approvals, number = town.registry.approvals, made.request.number
    with pytest.raises(RefusalError, match="maker_is_checker"):
        approvals.approve(number, PLATFORM, made.request.sha256, at(2024, 3, 2))
    approvals.approve(number, REGISTRAR, made.request.sha256, at(2024, 3, 2))
    assert town.has("P1", "CEA23") == 700
    with pytest.raises(RefusalError, match="decided_before"):
        approvals.approve(number, REGISTRAR, made.request.sha256, at(2024, 3, 2))
    with pytest.raises(RefusalError, match="maker_is_checker"):
        town.compliance.issue(PLAN, 2023, "pre", [], 5, 5, at(2024, 3, 2), DOCUMENT)


def test_a_file_that_was_issued_meanwhile_is_not_issued_again(town: Town) -> None:
    made = [
        town.compliance.propose(
            PLAN, 2023, "pre", [AllocationRow("P1", 700)], PLATFORM, at(2024, 3, 1), DOCUMENT
        ).request
        for _ in range(2)
    ]
    assert made[0]
    assert made[1]
    town.registry.approvals.approve(made[0].number, REGISTRAR, made[0].sha256, at(2024, 3, 2))
    with pytest.raises(RefusalError, match="issued_before"):
        town.registry.approvals.approve(made[1].number, REGISTRAR, made[1].sha256, at(2024, 3, 2))
    assert town.has("P1", "CEA23") == 700
    assert town.registry.violations() == []


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (AllocationRow("NOBODY", 1), "unknown_entity"),
        (AllocationRow("S1", 1), "sector_not_in_plan"),
        (AllocationRow("P2", -1), "tonnes_invalid"),
        (AllocationRow("P1", 5), "duplicate_entity"),
        (AllocationRow("P2", 5, "bad luck"), "unknown_reason"),
        (AllocationRow("P2", 5, "closed"), "unknown_reason"),
        (AllocationRow("P2", 5, "risk"), "differentiated_early"),
        (AllocationRow("P2", 5, "", 5), "not_in_plan"),
        ({"entity": "P2"}, "fields_invalid"),
        ({"entity": "P2", "tonnes": "5"}, "tonnes_invalid"),
    ],
)
def test_a_bad_row_goes_back_with_its_number_and_nothing_is_posted(
    town: Town, row: AllocationRow, code: str
) -> None:
    rows = [AllocationRow("P1", 700), row]
    when = (PLATFORM, REGISTRAR, at(2024, 3, 1), DOCUMENT)
    back = town.compliance.issue(PLAN, 2023, "pre", rows, *when)
    assert [(one.row, one.code) for one in back.handover.refused] == [(2, code)]
    assert back.request is None
    assert town.has("P1", "CEA23") == 0
    rest = town.compliance.issue(PLAN, 2023, "pre", rows, *when, strict=False)
    assert [(one.row, one.code) for one in rest.handover.refused] == [(2, code)]
    assert town.has("P1", "CEA23") == 700


def test_what_comes_out_of_order_goes_back_with_the_clause(town: Town) -> None:
    """Final before pre-allocation (AL-33), before verification (CP-10), twice (RG-18)."""

    def refused(stage: str, plan: str = PLAN, year: int = 2023, entity: str = "P1") -> str:
        rows = [AllocationRow(entity, 1)]
        back = town.compliance.issue(
            plan, year, stage, rows, PLATFORM, REGISTRAR, at(2024, 11, 1), DOCUMENT
        )
        assert back.request is None
        return f"{back.handover.refused[0].code}: {back.handover.refused[0].reason}"

    assert refused("final").startswith("pre_allocation_missing")
    assert "(AL-33)" in refused("final")
    town.issue(2023, "pre", {"P1": 0}, at(2024, 3, 1))
    assert refused("final").startswith("not_verified")
    assert refused("pre").startswith("issued_before")
    assert "RG-18" in refused("additional")
    town.verified(2023, P1=10)
    town.issue(2023, "final", {"P1": 8}, at(2024, 11, 1))
    assert refused("final").startswith("issued_before")
    with pytest.raises(RefusalError, match=r"AL-80.*no_pre_allocation"):
        refused("pre", "industry-2024", 2024, "S1")
    with pytest.raises(RefusalError, match="year_not_in_plan"):
        refused("pre", PLAN, 2025)
    with pytest.raises(RefusalError, match="plan_unknown"):
        refused("pre", "../plan.toml")


def test_the_registry_recomputes_the_platforms_figures(town: Town) -> None:
    """7.3: every figure that differs goes back, with both values, and nothing is posted."""
    town.verified(2024, S1=1_000_001)
    units = [
        {"entity": "S1", "province": "13", "emissions_t": "1000001", "sector": "steel"},
    ]
    when = (PLATFORM, REGISTRAR, at(2025, 11, 20), DOCUMENT)

    def issue(tonnes: int, emissions: str) -> list[tuple[str, int | str, int | str]]:
        given = [{**units[0], "emissions_t": emissions}]
        rows = [AllocationRow("S1", tonnes)]
        done = town.compliance.issue("industry-2024", 2024, "final", rows, *when, units=given)
        return [(one.field, one.platform, one.registry) for one in done.handover.mismatches]

    assert issue(1_000_002, "1000001") == [("tonnes", 1_000_002, 1_000_001)]
    assert issue(1_000_000, "1000000") == [("emissions_tonnes", 1_000_000, 1_000_001)]
    assert town.has("S1", "CEA24") == 0
    assert issue(1_000_001, "1000001") == []
    assert town.has("S1", "CEA24") == 1_000_001


def test_an_early_share_is_at_most_the_plans(town: Town) -> None:
    """AL-63: up to 50 % of the previous year's verified emissions; the province may lower it."""
    town.verified(2024, P1=100_001, P2=100_001)
    rows = [AllocationRow("P1", 50_001), AllocationRow("P2", 40_000)]
    when = (PLATFORM, REGISTRAR, at(2026, 6, 30), DOCUMENT)
    back = town.compliance.issue("power-2025-2026", 2025, "pre", rows, *when)
    assert back.request is None
    assert back.handover.mismatches == (("P1", "tonnes", 50_001, 50_000),)
    rows[0] = rows[0]._replace(tonnes=50_000)
    assert town.compliance.issue("power-2025-2026", 2025, "pre", rows, *when).request


def test_what_was_given_too_much_is_handed_back(town: Town) -> None:
    """AL-34: 多退少补. What the entity has not any more is deducted from later issues (AL-67)."""
    town.verified(2023, P1=1000, P2=1000)
    town.issue(2023, "pre", {"P1": 700, "P2": 700}, at(2024, 3, 1))
    town.registry.transfer_in(town.index("P2"), "CEA23", 680)
    town.issue(2023, "final", {"P1": 600, "P2": 600}, at(2024, 11, 1))
    assert town.has("P1", "CEA23") == 600
    assert town.has("P2", "CEA23") == 0
    last = town.compliance.allocations("P2")[-1]
    assert (last.taken_back_tonnes, last.owed_tonnes) == (20, 80)
    owed = town.compliance.deductions("P2")
    assert [(one.grounds, one.remaining_tonnes) for one in owed] == [("claw_back", 80)]
    town.verified(2024, P2=500)
    town.issue(2024, "pre", {"P2": 100}, at(2025, 4, 1))
    assert town.has("P2", "CEA24") == 20
    assert town.registry.violations() == []


def test_a_deduction_that_is_not_absorbed_is_carried_forward(town: Town) -> None:
    """AL-67, the annex's example: early 50 kt, approved 30 kt, deduction 70 kt."""
    town.verified(2024, P1=100_000)
    town.verified(2025, P1=100_000)
    town.compliance.deduct(
        "P1", 2025, "unpaid", 70_000, DOCUMENT, PLATFORM, REGISTRAR, at(2026, 1, 5)
    )
    town.issue(2025, "pre", {"P1": 50_000}, at(2026, 6, 1))
    assert town.has("P1", "CEA25") == 0
    assert town.compliance.deductions("P1")[0].remaining_tonnes == 20_000
    town.issue(2025, "final", {"P1": 30_000}, at(2026, 9, 20))
    assert town.has("P1", "CEA25") == 0
    assert town.compliance.deductions("P1")[0].remaining_tonnes == 40_000
    town.verified(2026, P1=100_000)
    town.issue(2026, "pre", {"P1": 45_000}, at(2027, 6, 1))
    assert town.has("P1", "CEA26") == 5_000
    assert town.compliance.deductions("P1")[0].remaining_tonnes == 0
    assert town.registry.violations() == []


def test_a_deduction_waits_for_its_year(town: Town) -> None:
    """AL-24, AL-41: what was borrowed from 2023 does not reduce 2022."""
    town.compliance.deduct(
        "P1", 2024, "borrowed", 50, DOCUMENT, PLATFORM, REGISTRAR, at(2024, 1, 5)
    )
    town.issue(2023, "pre", {"P1": 100}, at(2024, 3, 1))
    assert town.has("P1", "CEA23") == 100
    town.issue(2024, "pre", {"P1": 80}, at(2025, 3, 1))
    assert town.has("P1", "CEA24") == 30


def test_a_corrected_figure_is_issued_additionally_or_handed_back(town: Town) -> None:
    """RG-18: an equal quantity, both ways, as often as the verification changes."""
    town.year(2023, {"P1": 1000}, {"P1": 900})
    town.issue(2023, "additional", {"P1": 950}, at(2024, 11, 20))
    assert town.has("P1", "CEA23") == 950
    town.issue(2023, "additional", {"P1": 910}, at(2024, 12, 2))
    assert town.has("P1", "CEA23") == 910
    assert [one.tonnes for one in town.compliance.allocations("P1")] == [0, 900, 950, 910]
    rows = [AllocationRow("P1", 910)]
    again = town.compliance.issue(
        PLAN, 2023, "additional", rows, PLATFORM, REGISTRAR, at(2024, 12, 3), DOCUMENT
    )
    assert again.handover.refused[0].code == "nothing_changed"
    assert town.registry.violations() == []


@pytest.mark.parametrize(
    ("approved", "released", "still_owed"), [(1_200_000, 200_000, 0), (800_000, 0, 200_000)]
)
def test_a_differentiated_allocation_is_surrendered_by_force_and_the_rest_released(
    town: Town, approved: int, released: int, still_owed: int
) -> None:
    """AL-66: approved 1.2 Mt or 0.8 Mt against 1.0 Mt owed."""
    town.verified(2025, P1=1_000_000)
    town.issue(2025, "pre", {"P1": 0, "P2": 0}, at(2026, 6, 1))
    town.issue(2025, "final", {"P1": approved}, at(2026, 9, 20), reasons={"P1": "risk"})
    assert town.has("P1", "CEA25") == 0
    assert town.compliance.earmarks("P1")[0].left_tonnes == approved
    with pytest.raises(RefusalError, match=r"CP-32.*no_notice"):
        town.compliance.force("P1", DOCUMENT, PLATFORM, REGISTRAR, at(2026, 10, 1))
    town.compliance.notify(2025, at(2026, 10, 1))
    town.compliance.force("P1", DOCUMENT, PLATFORM, REGISTRAR, at(2026, 11, 1))
    assert town.has("P1", "CEA25") == released
    assert town.has("P1", "CEA25", "surrendered") == min(approved, 1_000_000)
    assert town.compliance.standing("P1", 2025).missing_tonnes == still_owed
    assert len(town.compliance.certificates("P1")) == (still_owed == 0)
    with pytest.raises(RefusalError, match="nothing_earmarked"):
        town.compliance.force("P1", DOCUMENT, PLATFORM, REGISTRAR, at(2026, 11, 2))
    assert town.registry.violations() == []
    assert town.registry.approvals.all("open") == []


def test_own_year_first_then_the_year_cleared_together(town: Town) -> None:
    """AL-26: each year from its own vintage first, the rest of 2021 for 2022."""
    for year, approved in ((2021, 130), (2022, 90)):
        town.verified(year, P1=100)
        town.issue(year, "pre", {"P1": 0}, at(2023, 4, 1))
        if year == 2021:  # what is left of 2021 is not released before 2022 is known
            town.issue(year, "final", {"P1": approved}, at(2023, 8, 1), reasons={"P1": "debts"})
            town.compliance.notify(2021, at(2023, 9, 1))
    with pytest.raises(RefusalError, match=r"for 2022 yet.*no_notice"):
        town.compliance.force("P1", DOCUMENT, PLATFORM, REGISTRAR, at(2023, 9, 2))
    town.issue(2022, "final", {"P1": approved}, at(2023, 8, 1), reasons={"P1": "debts"})
    town.compliance.notify(2022, at(2023, 9, 1))
    town.compliance.force("P1", DOCUMENT, PLATFORM, REGISTRAR, at(2023, 9, 2))
    used = [(one.year, one.vintage, one.tonnes) for one in town.compliance.applications("P1")]
    assert sorted(used) == [(2021, "CEA21", 100), (2022, "CEA21", 10), (2022, "CEA22", 90)]
    assert (town.has("P1", "CEA21"), town.has("P1", "CEA22")) == (20, 0)
    assert town.registry.violations() == []


def test_who_missed_a_year_gets_the_next_one_on_the_provincial_account(town: Town) -> None:
    """E67, AL-40: a KEE that missed 2023; nothing early, earmarked, forced, rest released."""
    town.year(2023, {"P1": 100, "P2": 100}, {"P1": 90, "P2": 100})
    town.surrender("P1", 2023, "CEA23", 90, at(2024, 12, 1))
    town.surrender("P2", 2023, "CEA23", 100, at(2024, 12, 1))
    town.verified(2024, P1=100, P2=100)
    town.issue(2024, "pre", {"P1": 70, "P2": 70}, at(2025, 4, 1))
    assert (town.has("P1", "CEA24"), town.has("P2", "CEA24")) == (0, 70)
    town.issue(2024, "final", {"P1": 130, "P2": 100}, at(2025, 8, 1))
    assert (town.has("P1", "CEA24"), town.has("P2", "CEA24")) == (0, 100)
    assert town.compliance.earmarks("P1")[0].reason == "unpaid"
    town.compliance.notify(2024, at(2025, 9, 1))
    town.compliance.force("P1", DOCUMENT, PLATFORM, REGISTRAR, at(2025, 9, 2))
    used = {one.year: one.tonnes for one in town.compliance.applications("P1")[1:]}
    assert used == {2024: 100}  # CEA24 does not serve 2023 (AL-38): 10 t stay owed
    assert town.has("P1", "CEA24") == 30
    assert town.compliance.standing("P1", 2023).missing_tonnes == 10
    assert town.registry.violations() == []


def test_obligation_caps_of_the_first_years(town: Town) -> None:
    """E61, AL-13: allocation 70, emissions 100: the allocation stays, 90 are owed; AL-14, E60."""
    town.year(2019, {"P1": 100}, {"P1": 70})
    owed = town.compliance.obligations("P1")[0]
    assert (owed.verified_tonnes, owed.tonnes) == (100, 90)
    assert owed.deadline_ns == at(2021, 12, 31, 17)
    assert town.has("P1", "CEA") == 70
    town.year(2023, {"P2": 100}, {"P2": 80})
    assert town.compliance.obligations("P2")[0].tonnes == 100
    assert town.compliance.obligations("P2")[0].deadline_ns == at(2025, 1, 1, 0)


def test_people_of_the_entity_hear_of_it(town: Town) -> None:
    town.year(2023, {"P1": 100}, {"P1": 90})
    town.surrender("P1", 2023, "CEA23", 90, at(2024, 12, 1))
    kinds = [one.kind for one in town.registry.notices(town.index("P1"))]
    assert kinds == ["allocation", "allocation", "obligation", "surrender"]
    assert ENTITY != PROVINCE


def test_an_allocation_is_corrected_by_an_additional_issue_only(town: Town) -> None:
    """RG-17, RG-18: not by taking the nation's issue back behind the allocation's back."""
    town.verified(2023, P1=100)
    town.issue(2023, "pre", {"P1": 0}, at(2024, 3, 1))
    town.issue(2023, "final", {"P1": 90}, at(2024, 11, 1), reasons={"P1": "risk"})
    issue = town.compliance.allocations("P1")[-1].txn
    approvals = town.registry.approvals
    values = {"transaction": issue, "evidence": "a wish"}
    asked = approvals.request(PLATFORM, "correct", values, at(2024, 11, 2))
    with pytest.raises(RefusalError, match=r"RG-18.*not_correctable"):
        approvals.approve(asked.number, REGISTRAR, asked.sha256, at(2024, 11, 2))
    assert town.registry.violations() == []


def test_only_the_file_that_was_signed_is_issued(town: Town) -> None:
    """7.3: the registry matches paper and system: the number and the hash of the file."""
    rows = [AllocationRow("P1", 700)]
    when = at(2024, 3, 1)
    kept = town.compliance.propose(PLAN, 2023, "pre", rows, PLATFORM, when, DOCUMENT).handover
    approvals = town.registry.approvals
    for values, code in (
        ({"file": kept.file, "sha256": "0" * 64}, "file_differs"),
        ({"file": kept.file + 1, "sha256": kept.sha256}, "unknown_file"),
    ):
        asked = approvals.request(PLATFORM, "issue_allocation", values, when)
        with pytest.raises(RefusalError, match=code):
            approvals.approve(asked.number, REGISTRAR, asked.sha256, when)
    assert town.has("P1", "CEA23") == 0
