"""Every obligation year from 2019 to 2026 against every vintage and every kind of reduction.

The tables are the rulebook's rows (CP-34, CP-37), written out here once more by hand.
"""

from __future__ import annotations

import pytest

from registry.compliance import eligibility, surrender
from registry.compliance.eligibility import refuse_ineligible_offset
from registry.errors import RefusalError
from registry.institution import Registry
from tests.unit.registry.carry_world import MAKER, World, at

VINTAGES = ("CEA", "CEA21", "CEA22", "CEA23", "CEA24", "CEA25", "CEA26", "CEA27")
TO_26 = VINTAGES[:7]
IN_TIME = {  # CP-34
    2019: ("CEA",),
    2020: ("CEA",),
    2021: ("CEA", "CEA21", "CEA22"),
    2022: ("CEA", "CEA21", "CEA22"),
    2023: ("CEA", "CEA21", "CEA22", "CEA23"),
    2024: ("CEA", "CEA21", "CEA22", "CEA23", "CEA24"),
    2025: ("CEA25", "CEA26"),
    2026: ("CEA25", "CEA26", "CEA27"),
}
LATER = {2025: IN_TIME[2025], 2026: IN_TIME[2026]}
ARREARS_2025 = dict.fromkeys(range(2019, 2024), IN_TIME[2023]) | {2024: IN_TIME[2024]} | LATER
ARREARS = dict.fromkeys(range(2019, 2025), TO_26) | LATER
FIRST_LATE = {  # AL-14, AL-25, AL-39, AL-69, CP-41
    2019: at(2021, 12, 31, 17),
    2020: at(2021, 12, 31, 17),
    2021: at(2024, 1, 1, 0),
    2022: at(2024, 1, 1, 0),
    2023: at(2025, 1, 1, 0),
    2024: at(2026, 1, 1, 0),
    2025: at(2027, 1, 1, 0),
    2026: at(2028, 1, 1, 0),
}
SECOND, FIRST_OF_2026 = 10**9, at(2026, 1, 1, 0)


@pytest.mark.parametrize("year", IN_TIME)
def test_the_desk_takes_exactly_the_vintages_of_the_row_cp_34(
    registry: Registry, year: int
) -> None:
    """CP-34, AL-38, AL-56, AL-68, CP-41: a second before the deadline, at it, and from 2026 on."""
    made = World(registry)
    made.add("A")
    made.registry.issue_many([(code, made.account["A"], 10) for code in VINTAGES])
    made.oblige(year, A=1_000)
    deadline = FIRST_LATE[year]
    assert eligibility.deadline_ns(year) == deadline
    steps = [(deadline - SECOND, IN_TIME, 0)]
    if deadline < FIRST_OF_2026:
        steps += [(deadline, ARREARS_2025, 1), (FIRST_OF_2026 - SECOND, ARREARS_2025, 1)]
    steps.append((max(deadline, FIRST_OF_2026), ARREARS, 1))
    for moment, row, late in steps:
        wanted = [surrender.Wanted("A", year, code, 1) for code in VINTAGES]
        with registry.database.write() as tx:
            done = surrender.apply_many(tx, wanted, MAKER, moment, False)
            taken = surrender.found(tx, numbers=done.numbers)
        assert tuple(one.vintage for one in taken) == row[year]
        assert {one.late for one in taken} == {late}
        assert {one.code for one in done.refused} <= {"vintage_not_eligible"}
    assert registry.violations() == []


OLD, BETWEEN, NEW = 20170313, 20200101, 20240122
MOMENTS = (at(2023, 12, 31), at(2024, 12, 31, 23, 59), at(2025, 1, 1, 0), at(2027, 12, 31))
COUNTS = {  # CP-37: at each of these moments, old and new ones
    2019: ("old", "old", "new", "new"),
    2020: ("old", "old", "new", "new"),
    2021: ("old", "old", "new", "new"),
    2022: ("old", "old", "new", "new"),
    2023: ("old", "both", "new", "new"),
    2024: ("", "new", "new", "new"),
    2025: ("", "new", "new", "new"),
    2026: ("", "new", "new", "new"),
}


def counts(year: int, registered: int, at_ns: int) -> bool:
    try:
        refuse_ineligible_offset(year, registered, at_ns)
    except RefusalError as refusal:
        return refusal.code != "offset_not_eligible"
    return True


@pytest.mark.parametrize("year", COUNTS)
def test_old_and_new_reductions_by_year_and_day_cp_37(year: int) -> None:
    """CP-37, VM-11: 2019–2022 old; 2023 by the end of 2024 either; 2024 and later new only.

    From 2025-01-01 on only the new ones count, for arrears too; what was registered between the
    two markets never does.
    """
    for moment, word in zip(MOMENTS, COUNTS[year], strict=True):
        assert counts(year, OLD, moment) == (word in {"old", "both"})
        assert counts(year, NEW, moment) == (word in {"new", "both"})
        assert not counts(year, OLD + 1, moment)
        assert not counts(year, BETWEEN, moment)
        assert not counts(year, NEW - 1, moment)


@pytest.mark.parametrize(
    ("obligation", "most"),
    [
        (0, 0),
        (19, 0),
        (20, 1),
        (39, 1),
        (1_000_010, 50_000),
        (1_000_019, 50_000),
        (2**53, 2**53 // 20),
    ],
)
def test_five_percent_rounded_down_cp_35_e78(obligation: int, most: int) -> None:
    """CP-35, E78: whole tonnes, exact for any size."""
    assert eligibility.ccer_max_tonnes(obligation) == most
