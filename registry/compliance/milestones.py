"""The interim deadlines of the first two cycles: by then 95 % of the entities have surrendered.

AL-14 for 2019 and 2020, AL-25 for 2021 and 2022; later cycles have none. An entity has surrendered
when all it owes for the years of the cycle was applied for before the interim deadline and
approved since (CP-41). It is a mark for provinces: missing it costs an entity nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select
from sqlalchemy import cast as sql_cast

from registry import notices
from registry.compliance import eligibility
from registry.compliance.disclosure import rate
from registry.compliance.eligibility import Milestone
from registry.compliance.schema import applications, obligation_notices, offset_uses
from registry.errors import RefusalError
from registry.monitoring import entities, provinces
from registry.schema import Number
from registry.windows import moment


class Reached(NamedTuple):
    """How many entities of a province (or "" = of all) had surrendered; the rate in per cent."""

    province: str
    entities: int
    completed: int
    completion_pct: str
    is_met: bool

    @property
    def missing(self) -> int:
        """How many have not."""
        return self.entities - self.completed


class Progress(NamedTuple):
    """Where a cycle stands: as of ``at_ns``, but at most as of the interim deadline."""

    milestone: Milestone
    end_ns: int
    at_ns: int
    nation: Reached
    provinces: tuple[Reached, ...]

    @property
    def behind(self) -> tuple[Reached, ...]:
        """The provinces with less than the share that is asked for."""
        return tuple(one for one in self.provinces if not one.is_met)


def progress(tx: Connection, year: int, at_ns: int) -> Progress:
    """Return where the cycle of a year stands.

    RefusalError: time_invalid, no_milestone, no_notice (nobody owes anything yet).
    """
    moment(at_ns)
    goal = eligibility.milestone_of(year)
    end_ns = eligibility.end_of(goal.date, goal.end)
    due = _due(tx, goal.years, at_ns)
    if not due:
        years = " and ".join(map(str, goal.years))
        raise RefusalError("no_notice", f"Nobody had a compliance notice for {years} yet (CP-32).")
    came: dict[tuple[str, int], int] = defaultdict(int)
    for table in (applications, offset_uses):
        for key, tonnes in _came(tx, table, goal.years, end_ns, at_ns):
            came[key] += tonnes
    short = {entity for (entity, of), owed in due.items() if came[entity, of] < owed}
    who = entities.all_by_code(tx)
    of_province: dict[str, list[str]] = defaultdict(list)
    for entity in sorted({entity for entity, _ in due}):
        of_province[who[entity].province].append(entity)
    parts = tuple(_reached(code, names, short, goal) for code, names in sorted(of_province.items()))
    everybody = [entity for names in of_province.values() for entity in names]
    return Progress(goal, end_ns, at_ns, _reached("", everybody, short, goal), parts)


def _due(tx: Connection, years: Iterable[int], at_ns: int) -> dict[tuple[str, int], int]:
    n = obligation_notices.c
    query = select(n.entity, n.year, n.tonnes).where(n.year.in_(years), n.notice_ns <= at_ns)
    rows = tx.execute(query.order_by(n.year, n.entity, n.line))  # the last line counts
    return {(str(entity), int(year)): int(tonnes) for entity, year, tonnes in rows}


def _came(
    tx: Connection, table: Table, years: Iterable[int], end_ns: int, at_ns: int
) -> list[tuple[tuple[str, int], int]]:
    """Return what was applied for before the interim deadline and has been approved by then."""
    t = table.c
    chosen = (t.year.in_(years), t.status == "approved", t.applied_ns < end_ns)
    query = (
        select(t.entity, t.year, sql_cast(func.sum(t.tonnes), Number))
        .where(*chosen, t.decided_ns <= at_ns)
        .group_by(t.entity, t.year)
    )
    return [((str(row[0]), int(row[1])), int(row[2])) for row in tx.execute(query)]


def _reached(province: str, names: list[str], short: set[str], goal: Milestone) -> Reached:
    completed = sum(name not in short for name in names)
    met = 100 * completed >= goal.percent * len(names)
    return Reached(province, len(names), completed, rate(completed, len(names)), met)


def warn(tx: Connection, year: int, at_ns: int) -> Progress:
    """Tell the provinces that are behind (AL-14, AL-25); return where the cycle stands."""
    found = progress(tx, year, at_ns)
    account_of = {code: one.account for code, one in provinces.all_of(tx).items()}
    told = [(account_of[one.province], _sentence(found, one)) for one in found.behind]
    notices.tell_many(tx, "warning", told, at_ns)
    return found


def _sentence(found: Progress, one: Reached) -> str:
    goal = found.milestone
    years = " and ".join(map(str, goal.years))
    end = "24:00" if goal.end is None else f"{goal.end:%H:%M}"
    word = "are due" if found.at_ns < found.end_ns else "were due"
    return (
        f"{one.completed} of {one.entities} entities ({one.completion_pct} %) have surrendered for "
        f"{years}; {goal.percent} % {word} by {goal.date} {end} ({goal.clause})."
    )
