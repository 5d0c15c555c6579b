"""What a changed verification asks for, and whether it is done within ten working days (RG-18).

Where a verified figure changes after the final issue, the allocation is corrected (an additional
issue, either way) and the obligation is told anew. An industry's allocation follows its emissions
(AL-80, AL-81), so that both are due; a power company's may stay, so that the notice alone can do.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from sqlalchemy import Connection, select

from registry import notices
from registry.compliance.schema import allocations, obligation_notices
from registry.monitoring import entities, provinces, rechecks
from registry.monitoring.rechecks import Change
from registry.windows import moment

MAY_STAY = ("power",)  # sectors whose allocation need not follow a changed emission


class Adjustment(NamedTuple):
    """One changed figure, and when it was followed by an issue and by a notice; 0 = not yet.

    ``due_ns``: the first moment that is too late.
    """

    entity: str
    province: str
    year: int
    version: int
    before_tonnes: int
    emissions_tonnes: int
    changed_ns: int
    due_ns: int
    issued_ns: int
    told_ns: int
    needs_issue: int  # 1 = an additional issue is due in any case

    @property
    def done_ns(self) -> int:
        """When all of it was done; 0 while something is open."""
        if not self.told_ns or (self.needs_issue and not self.issued_ns):
            return 0
        return max(self.issued_ns, self.told_ns)

    def is_overdue(self, at_ns: int) -> bool:
        """Whether it was done too late, or is open and late at a moment."""
        return (self.done_ns or at_ns) >= self.due_ns


def of_year(tx: Connection, year: int) -> list[Adjustment]:
    """Return the changes after the final issue of a year, in order of time; year_invalid."""
    issued = _issued(tx, year)
    told = _told(tx, year)
    who = entities.all_by_code(tx)
    found = []
    for one in rechecks.changes(tx, year):
        stages = issued.get(one.entity, [])
        if not any(stage == "final" and at_ns <= one.decided_ns for stage, at_ns in stages):
            continue
        found.append(_adjustment(one, stages, told.get(one.entity, []), who[one.entity]))
    return found


def _issued(tx: Connection, year: int) -> dict[str, list[tuple[str, int]]]:
    a = allocations.c
    query = select(a.entity, a.stage, a.decided_ns).where(a.year == year).order_by(a.id)
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for entity, stage, at_ns in tx.execute(query):
        found[str(entity)].append((str(stage), int(at_ns)))
    return found


def _told(tx: Connection, year: int) -> dict[str, list[tuple[int, int]]]:
    n = obligation_notices.c
    query = select(n.entity, n.version, n.notice_ns).where(n.year == year).order_by(n.line)
    found: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for entity, version, at_ns in tx.execute(query):
        found[str(entity)].append((int(version), int(at_ns)))
    return found


def _adjustment(
    change: Change,
    stages: list[tuple[str, int]],
    told: list[tuple[int, int]],
    owner: entities.Entity,
) -> Adjustment:
    """Return a change with the first issue and the first notice that follow it."""
    issues = [t for stage, t in stages if stage == "additional" and t >= change.decided_ns]
    notices_ns = [t for version, t in told if version >= change.version]
    return Adjustment(
        *(change.entity, owner.province, change.year, change.version, change.before_tonnes),
        *(change.emissions_tonnes, change.decided_ns, change.due_ns),
        *(min(issues, default=0), min(notices_ns, default=0), int(owner.sector not in MAY_STAY)),
    )


def remind(tx: Connection, year: int, at_ns: int) -> list[Adjustment]:
    """Tell the provinces what is open, and since when it is too late; return it."""
    moment(at_ns)
    waiting = [one for one in of_year(tx, year) if not one.done_ns]
    account_of = {code: one.account for code, one in provinces.all_of(tx).items()}
    told = [(account_of[one.province], _sentence(one, at_ns)) for one in waiting]
    notices.tell_many(tx, "warning", told, at_ns)
    return waiting


def _sentence(one: Adjustment, at_ns: int) -> str:
    last = moment(one.due_ns - 1).date()
    missing = [] if one.issued_ns or not one.needs_issue else ["the additional issue"]
    missing += [] if one.told_ns else ["the new notice"]
    word = "was due" if one.is_overdue(at_ns) else "is due"
    return (
        f"{one.entity}: {one.year} was changed from {one.before_tonnes:,} to "
        f"{one.emissions_tonnes:,} t; {' and '.join(missing)} {word} by {last} (RG-18)."
    )
