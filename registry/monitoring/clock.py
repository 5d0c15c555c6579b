"""Deadlines of the monitoring year, from ``deadlines.toml``, and working days (CP-05, CP-09…11).

Pure. Working days are Monday to Friday outside the market's closures. A weekend worked to make up
for a holiday is not counted: a period then ends a day later rather than a day too early (our
choice; the clause does not say).
"""

from __future__ import annotations

import calendar
import datetime as dt
import tomllib
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from engine.calendar import CLOSURES
from registry.errors import RefusalError
from registry.windows import moment, nanoseconds

FEEDBACK_DAYS = 7  # CP-11: the result of verification is fed back
RECHECK_DAYS = 7  # CP-11: asking for a re-check
ANSWER_DAYS = 10  # CP-11: the province's answer
ADJUST_DAYS = 10  # RG-18: issue or claw back after a changed verification
DAY = dt.timedelta(days=1)


class Due(NamedTuple):
    """The last day of something and the clause that says so."""

    date: dt.date
    clause: str

    def is_late(self, at_ns: int) -> bool:
        """Whether ``at_ns`` is after 24:00 of the day."""
        return moment(at_ns).date() > self.date


@cache
def rules() -> tuple[dict[str, Any], ...]:
    """Return the tables of ``deadlines.toml``, in order."""
    text = files("registry.monitoring").joinpath("deadlines.toml").read_text("utf-8")
    return tuple(tomllib.loads(text)["deadline"])


@cache
def due(what: str, sector: str, period: int) -> Due | None:
    """Return when ``what`` is due for a data year, or a month YYYYMM; None if no rule says.

    ``what``: roster, account, quality_plan, deposit, annual_report, verification,
    verifier_evaluation.
    """
    for rule in rules():
        first, last = rule.get("months") or rule["years"]
        if rule["what"] == what and sector in rule["sectors"] and first <= period <= last:
            return Due(_date(rule, period), rule["clause"])
    return None


def _date(rule: dict[str, Any], period: int) -> dt.date:
    if "days_after_month" in rule:
        return month_end(period) + int(rule["days_after_month"]) * DAY
    if "date" in rule:
        fixed: dt.date = rule["date"]
        return fixed
    return dt.date.fromisoformat(f"{period + rule['year_offset']}-{rule['month_day']}")


def is_late(what: str, sector: str, period: int, at_ns: int) -> bool:
    """Whether ``at_ns`` is after the deadline; never where there is none."""
    found = due(what, sector, period)
    return found is not None and found.is_late(at_ns)


def month_end(month: int) -> dt.date:
    """Return the last day of a month YYYYMM; RefusalError month_invalid."""
    year, number = divmod(month, 100)
    if not (1 <= number <= 12 and 2000 <= year <= 2099):
        raise RefusalError("month_invalid", f"{month} is no month YYYYMM.")
    return dt.date(year, number, calendar.monthrange(year, number)[1])


def refuse_early(end: dt.date, at_ns: int, what: str) -> None:
    """Raise RefusalError too_early while the period ``what`` speaks of is not over."""
    if moment(at_ns).date() <= end:
        raise RefusalError("too_early", f"{what} cannot come before {end} is over (CP-09, CP-10).")


def is_working_day(date: dt.date) -> bool:
    """Whether a day counts in the periods of CP-11 and RG-18."""
    return date.weekday() < 5 and date not in CLOSURES


def after_working_days(at_ns: int, days: int) -> int:
    """Return the moment at which the period of ``days`` working days after ``at_ns`` is over.

    The day of the event does not count; the period ends at 24:00 of its last day, and what is
    returned is the first nanosecond that is too late.
    """
    day = moment(at_ns).date()
    while days > 0:
        day += DAY
        days -= is_working_day(day)
    return nanoseconds(day + DAY, dt.time())
