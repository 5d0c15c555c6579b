"""Deadlines by sector and year, and working days (CP-09, CP-10, CP-11, CA-05, RG-18)."""

from __future__ import annotations

import datetime as dt

import pytest

from registry.errors import RefusalError
from registry.monitoring import clock
from registry.monitoring.schema import SECTORS
from registry.windows import moment, nanoseconds


@pytest.mark.parametrize(
    ("what", "sector", "period", "date", "clause"),
    [
        ("deposit", "steel", 202501, "2025-10-31", "CP-09"),
        ("deposit", "aluminium", 202506, "2025-10-31", "CP-09"),
        ("deposit", "steel", 202507, "2025-09-09", "CP-09"),
        ("deposit", "power", 202501, "2025-03-12", "CP-09"),
        ("deposit", "power", 202402, "2024-04-09", "CP-09"),
        ("quality_plan", "cement", 2025, "2025-06-30", "CP-09"),
        ("quality_plan", "cement", 2026, "2025-12-31", "CP-09"),
        ("quality_plan", "power", 2025, "2024-12-31", "CP-09"),
        ("annual_report", "steel", 2024, "2025-06-30", "CP-10"),
        ("annual_report", "power", 2024, "2025-03-31", "CP-10"),
        ("annual_report", "steel", 2025, "2026-03-31", "CP-10"),
        ("verification", "power", 2021, "2023-06-30", "CA-05"),
        ("verification", "power", 2024, "2025-06-30", "CP-10"),
        ("verification", "cement", 2024, "2025-08-31", "CP-10"),
        ("verification", "cement", 2025, "2026-07-31", "CP-10"),
        ("verifier_evaluation", "power", 2024, "2025-12-31", "CP-10"),
        ("verifier_evaluation", "steel", 2025, "2026-11-30", "CP-10"),
    ],
)
def test_every_deadline_has_its_clause(
    what: str, sector: str, period: int, date: str, clause: str
) -> None:
    assert clock.due(what, sector, period) == clock.Due(dt.date.fromisoformat(date), clause)


def test_new_sectors_owe_no_deposits_before_2025_cp_09() -> None:
    assert clock.due("deposit", "steel", 202412) is None
    much_later_ns = nanoseconds(dt.date(2030, 1, 1), dt.time())
    assert not clock.is_late("deposit", "steel", 202412, much_later_ns)


def test_a_deadline_ends_at_midnight() -> None:
    last = nanoseconds(dt.date(2025, 3, 31), dt.time(23, 59, 59))
    assert not clock.is_late("annual_report", "power", 2024, last)
    assert clock.is_late("annual_report", "power", 2024, last + 10**9)


def test_every_rule_names_sectors_and_a_clause() -> None:
    for rule in clock.rules():
        assert set(rule["sectors"]) <= set(SECTORS)
        assert rule["clause"].startswith(("CP-", "CA-"))
        assert sum(name in rule for name in ("date", "year_offset", "days_after_month")) == 1


@pytest.mark.parametrize(
    ("start", "days", "over"),
    [
        ("2025-06-27", 7, "2025-07-09"),  # Friday; a plain week and two days
        ("2025-09-26", 7, "2025-10-16"),  # over the holiday; worked weekends are not counted
        ("2025-09-27", 1, "2025-09-30"),  # from a Saturday
        ("2026-06-18", 1, "2026-06-23"),  # 19 June 2026 is a holiday
        ("2025-07-01", 10, "2025-07-16"),
    ],
)
def test_working_days_cp_11(start: str, days: int, over: str) -> None:
    from_ns = nanoseconds(dt.date.fromisoformat(start), dt.time(15, 0))
    ends_ns = clock.after_working_days(from_ns, days)
    assert moment(ends_ns).date() == dt.date.fromisoformat(over)
    assert moment(ends_ns).time() == dt.time()


@pytest.mark.parametrize("month", [0, 202500, 202513, 99901])
def test_a_month_is_a_month(month: int) -> None:
    with pytest.raises(RefusalError, match=r"\[month_invalid\]$"):
        clock.month_end(month)
