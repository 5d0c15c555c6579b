"""What may fulfil which obligation, and until when: the rulebook's tables as data (CP-34 … CP-41).

Pure. A vintage is known by its code (``CEA`` for 2019 and 2020, ``CEA21`` …); sectors play no
part: allowances of any sector serve any other (AL-70).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import NamedTuple

from registry.errors import RefusalError
from registry.windows import moment, nanoseconds

FIRST_CODE = "CEA"  # of 2019 and 2020, issued under one plan
FIRST_YEARS = (2019, 2020)
LAST = 2099
CEA = re.compile(r"CEA([0-9]{2})")


class Rule(NamedTuple):
    """Vintages of these years serve obligations of those years, both ends included."""

    years: tuple[int, int]
    vintages: tuple[int, int]
    clause: str


IN_TIME = (  # until the deadline
    Rule((2019, 2020), (2019, 2020), "CP-34"),
    Rule((2021, 2022), (2019, 2022), "CP-34"),
    Rule((2023, 2023), (2019, 2023), "AL-38"),
    Rule((2024, 2024), (2019, 2024), "AL-38"),
    Rule((2025, 2025), (2025, 2026), "AL-68"),
    Rule((2026, LAST), (2025, LAST), "AL-68"),
)
ARREARS_2025 = (  # after it, until the end of 2025: the plan of 2023 and 2024 rules
    Rule((2019, 2023), (2019, 2023), "AL-38"),
    Rule((2024, 2024), (2019, 2024), "AL-38"),
    *IN_TIME[-2:],
)
ARREARS = (  # after it, from 2026 on
    Rule((2019, 2024), (2019, 2026), "AL-68"),
    *IN_TIME[-2:],
)
ARREARS_NS = nanoseconds(dt.date(2026, 1, 1), dt.time(0))  # where AL-56 and AL-68 begin
OLD_VINTAGES = (2019, 2024)  # not carried over: never for 2025 and later (AL-56, E75)
TOGETHER = ((2019, 2020), (2021, 2022))  # years that are cleared at one deadline (CP-34)

CCER_ONE_IN = 20  # at most 5 % of an obligation (CP-35)


class Deadline(NamedTuple):
    """The last day of surrender for obligations of these years, and its time of day."""

    years: tuple[int, int]
    years_later: int | None  # 31 December so many years after; None: the date below
    date: dt.date | None
    end: dt.time | None  # None: 24:00
    clause: str


DEADLINES = (
    Deadline((2019, 2020), None, dt.date(2021, 12, 31), dt.time(17), "AL-14"),
    Deadline((2021, 2022), None, dt.date(2023, 12, 31), None, "AL-25"),
    Deadline((2023, 2024), 1, None, None, "AL-39"),
    Deadline((2025, LAST), 1, None, None, "AL-69"),
)


class OffsetRule(NamedTuple):
    """Reductions registered from ``first`` to before ``end`` serve ``years`` if applied for in
    time: from ``applied_from`` to before ``applied_end`` (all YYYYMMDD)."""

    years: tuple[int, int]
    first: int
    end: int
    applied_from: int
    applied_end: int
    clause: str


FOREVER = 99991231
OFFSETS = (  # CP-37
    OffsetRule((2019, 2023), 0, 20170314, 0, 20250101, "CP-37"),  # the old ones
    OffsetRule((2023, LAST), 20240122, FOREVER, 20240122, FOREVER, "CP-37"),  # the new ones
    OffsetRule((2019, 2022), 20240122, FOREVER, 20250101, FOREVER, "CP-37"),  # arrears since 2025
)


class Milestone(NamedTuple):
    """By then so many per cent of the entities have surrendered for these years."""

    years: tuple[int, int]
    date: dt.date
    end: dt.time | None  # None: 24:00
    percent: int
    clause: str


MILESTONES = (  # the first two cycles only
    Milestone((2019, 2020), dt.date(2021, 12, 15), dt.time(17), 95, "AL-14"),
    Milestone((2021, 2022), dt.date(2023, 11, 15), None, 95, "AL-25"),
)


def year_after(year: int) -> int:
    """Return the first plan year after a year and those cleared together with it."""
    return next((pair[1] for pair in TOGETHER if year in pair), year) + 1


def milestone_of(year: int) -> Milestone:
    """Return the interim deadline of a year; RefusalError no_milestone."""
    for one in MILESTONES:
        if year in one.years:
            return one
    raise RefusalError("no_milestone", f"There is no interim deadline for {year} (AL-14, AL-25).")


def end_of(date: dt.date, end: dt.time | None) -> int:
    """Return the first moment after ``end`` of a day, or after the day."""
    if end is not None:
        return nanoseconds(date, end)
    return nanoseconds(date + dt.timedelta(days=1), dt.time(0))


def vintage_of(year: int) -> str:
    """Return the code of the vintage in which the allowances of a plan year are issued."""
    return FIRST_CODE if year in FIRST_YEARS else f"CEA{year % 100:02d}"


def is_vintage(code: str) -> bool:
    """Whether a unit's code is that of a vintage of allowances."""
    found = CEA.fullmatch(code)
    return code == FIRST_CODE or (found is not None and int(found[1]) > FIRST_YEARS[1] % 100)


def year_of(vintage: str) -> int:
    """Return the (last) year of a vintage's code; RefusalError unknown_vintage."""
    if vintage == FIRST_CODE:
        return FIRST_YEARS[1]
    if not isinstance(vintage, str) or not is_vintage(vintage):
        raise RefusalError("unknown_vintage", f"{vintage!r} is no vintage of allowances.")
    return 2000 + int(vintage[-2:])


def is_late(year: int, at_ns: int) -> bool:
    """Whether that moment is after the deadline of a year's obligations (CP-41)."""
    return at_ns >= deadline_ns(year)


def deadline_ns(year: int) -> int:
    """Return the first moment at which surrender for ``year`` is too late (CP-41, AL-14 …).

    RefusalError year_not_covered.
    """
    for rule in DEADLINES:
        if rule.years[0] <= year <= rule.years[1]:
            date = rule.date or dt.date(year + (rule.years_later or 0), 12, 31)
            return end_of(date, rule.end)
    raise RefusalError("year_not_covered", f"There are no obligations of {year} (CP-30).")


def rule_of(year: int, at_ns: int) -> Rule:
    """Return which vintages serve a year at a moment; RefusalError year_not_covered."""
    rules: tuple[Rule, ...] = IN_TIME
    if is_late(year, at_ns):
        rules = ARREARS if at_ns >= ARREARS_NS else ARREARS_2025
    for rule in rules:
        if rule.years[0] <= year <= rule.years[1]:
            return rule
    raise RefusalError("year_not_covered", f"There are no obligations of {year} (CP-30).")


def is_eligible(vintage: str, year: int, at_ns: int) -> bool:
    """Whether a vintage serves an obligation year at a moment (CP-34)."""
    first, last = rule_of(year, at_ns).vintages
    return first <= year_of(vintage) <= last


def refuse_ineligible(vintage: str, year: int, at_ns: int) -> None:
    """Raise RefusalError vintage_not_eligible with the clause (E75, E76), or unknown_vintage."""
    if is_eligible(vintage, year, at_ns):
        return
    rule, late = rule_of(year, at_ns), is_late(year, at_ns)
    first, last = (vintage_of(one) for one in rule.vintages)
    clause = "AL-56" if rule.vintages[0] > year_of(vintage) else rule.clause
    last = "later" if rule.vintages[1] == LAST else last
    raise RefusalError(
        "vintage_not_eligible",
        f"{vintage} does not serve {'arrears' if late else 'the obligation'} of {year}: "
        f"vintages {first} to {last} do ({clause}, CP-34).",
    )


def refuse_ineligible_offset(year: int, registered: int, at_ns: int) -> None:
    """Raise RefusalError offset_not_eligible unless reductions registered on that day count."""
    now = moment(at_ns)
    today = now.year * 10_000 + now.month * 100 + now.day
    for rule in OFFSETS:
        serves = rule.years[0] <= year <= rule.years[1]
        in_time = rule.applied_from <= today < rule.applied_end
        if serves and in_time and rule.first <= registered < rule.end:
            return
    raise RefusalError(
        "offset_not_eligible",
        f"Reductions registered on {registered} do not count for {year} on {today}: those filed "
        "before 2017-03-14 did until 2024-12-31 for 2019 to 2023, those of the market restarted "
        "on 2024-01-22 do for 2023 and later (CP-37).",
    )


def ccer_max_tonnes(obligation_tonnes: int) -> int:
    """Return how much of an obligation reductions may fulfil, rounded down (CP-35, E78)."""
    return obligation_tonnes // CCER_ONE_IN
