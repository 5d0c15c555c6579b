"""Disclosure: how far a year's obligations are fulfilled, by entity, province, sector (CP-39).

Everything is computed as of a moment, from rows that say when they were decided: what was
published once can be computed again from the same books, byte for byte, whatever came later.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, and_, func, insert, select
from sqlalchemy import cast as sql_cast

from registry import notices
from registry.compliance.carry_schema import disclosures
from registry.compliance.obligations import FINAL_STAGES
from registry.compliance.schema import (
    allocations,
    applications,
    obligation_notices,
    offset_uses,
)
from registry.errors import RefusalError
from registry.monitoring import checks, entities
from registry.schema import Number
from registry.windows import moment

COMPLETE = "100.00"


class EntityRow(NamedTuple):
    """One entity's obligation and what came for it, in tonnes; ``completed``: 1 = in full.

    ``allocation_tonnes``: approved altogether, 0 while there is no final allocation.
    ``fulfilled_tonnes``: surrendered and offset, at most the obligation; of these ``in_time``.
    """

    entity: str
    province: str
    sector: str
    year: int
    allocation_tonnes: int
    obligation_tonnes: int
    surrendered_tonnes: int
    offset_tonnes: int
    fulfilled_tonnes: int
    in_time_tonnes: int
    missing_tonnes: int
    completed: int


class GroupRow(NamedTuple):
    """The entities of a province or a sector together; rates in per cent, two decimals."""

    group: str
    year: int
    entities: int
    entities_short: int
    allocation_tonnes: int
    obligation_tonnes: int
    fulfilled_tonnes: int
    offset_tonnes: int
    missing_tonnes: int
    completion_tonnes_pct: str
    completion_entities_pct: str


class Annual(NamedTuple):
    """A year in the form of the progress report (CP-38, CP-39); tonnes, per cent as texts.

    ``net_deficit_tonnes``: obligations less allocations (negative: a surplus), its share of the
    obligations beside it. ``deficit_tonnes``, ``surplus_tonnes``: summed over entities apart.
    """

    year: int
    entities: int
    issued_tonnes: int
    due_tonnes: int
    net_deficit_tonnes: int
    net_deficit_pct: str
    entities_in_deficit: int
    deficit_tonnes: int
    surplus_tonnes: int
    fulfilled_tonnes: int
    entities_short: int
    provinces_complete: int
    completion_tonnes_pct: str
    completion_entities_pct: str
    ccer_tonnes: int
    ccer_entities: int
    ccer_provinces: int

    def in_words(self) -> str:
        """Return it as the progress report says it: Gt and Mt with two decimals, half up."""
        net = self.net_deficit_pct.removeprefix("-")
        side = "surplus" if self.net_deficit_tonnes < 0 else "deficit"
        return (
            f"{self.year}: {amount(self.issued_tonnes)} issued, {amount(self.due_tonnes)} due, a "
            f"{side} of {net} %; {self.completion_tonnes_pct} % fulfilled, "
            f"{self.entities_short} of {self.entities} entities short; "
            f"{amount(self.ccer_tonnes)} of reductions used by {self.ccer_entities} entities."
        )


class Disclosure(NamedTuple):
    """A year as of a moment."""

    annual: Annual
    provinces: list[GroupRow]
    sectors: list[GroupRow]
    entities: list[EntityRow]

    def content(self) -> str:
        """Return it as canonical JSON: what a publication's hash is taken of."""
        parts = {name: [row._asdict() for row in getattr(self, name)] for name in PARTS[1:]}
        return checks.canonical({"annual": self.annual._asdict(), **parts})

    def rows(self, part: str) -> list[dict[str, Any]]:
        """Return the rows of annual, provinces, sectors or entities; RefusalError part_invalid."""
        if part not in PARTS:
            raise RefusalError("part_invalid", f"{part!r} is none of {', '.join(PARTS)}.")
        found = [self.annual] if part == PARTS[0] else getattr(self, part)
        return [row._asdict() for row in found]


PARTS = ("annual", "provinces", "sectors", "entities")


class Published(NamedTuple):
    """A publication; ``content`` is what was told, word for word."""

    number: int
    year: int
    content: str
    sha256: str
    person: int
    published_ns: int

    def data(self) -> dict[str, Any]:
        """Return the content as plain data."""
        found: dict[str, Any] = json.loads(self.content)
        return found


def of_year(tx: Connection, year: int, at_ns: int) -> Disclosure:
    """Return a year as of ``at_ns``; RefusalError year_invalid, time_invalid, no_notice."""
    checks.year(year)
    moment(at_ns)
    due = _due(tx, year, at_ns)
    if not due:
        raise RefusalError("no_notice", f"Nobody had a compliance notice for {year} yet (CP-32).")
    issued = _allocated(tx, year, at_ns)
    surrendered, offset = (_came(tx, table, year, at_ns) for table in (applications, offset_uses))
    rows = []
    for code, who in entities.all_by_code(tx).items():
        if code not in due:
            continue
        own, other = surrendered.get(code, (0, 0)), offset.get(code, (0, 0))
        owed = due[code]
        fulfilled = min(own[0] + other[0], owed)
        in_time = min(own[1] + other[1], owed)
        head = (code, who.province, who.sector, year, issued.get(code, 0), owed, own[0], other[0])
        rows.append(EntityRow(*head, fulfilled, in_time, owed - fulfilled, int(fulfilled == owed)))
    provinces = _groups(rows, lambda row: row.province)
    sectors = _groups(rows, lambda row: row.sector)
    return Disclosure(
        _annual(year, rows, sum(issued.values()), provinces), provinces, sectors, rows
    )


def _due(tx: Connection, year: int, at_ns: int) -> dict[str, int]:
    n = obligation_notices.c
    query = select(n.entity, n.tonnes).where(n.year == year, n.notice_ns <= at_ns)
    rows = tx.execute(query.order_by(n.entity, n.line))  # the last line counts
    return {str(entity): int(tonnes) for entity, tonnes in rows}


def _allocated(tx: Connection, year: int, at_ns: int) -> dict[str, int]:
    a = allocations.c
    chosen = (a.year == year, a.stage.in_(FINAL_STAGES), a.decided_ns <= at_ns)
    rows = tx.execute(select(a.entity, a.tonnes).where(*chosen).order_by(a.id))
    return {str(entity): int(tonnes) for entity, tonnes in rows}


def _came(tx: Connection, table: Table, year: int, at_ns: int) -> dict[str, tuple[int, int]]:
    """Return what was approved by then, and what of it was applied for in time, by entity."""
    t = table.c
    total = sql_cast(func.sum(t.tonnes), Number)
    in_time = sql_cast(func.sum(t.tonnes * (1 - t.late)), Number)
    chosen = and_(t.year == year, t.status == "approved", t.decided_ns <= at_ns)
    rows = tx.execute(select(t.entity, total, in_time).where(chosen).group_by(t.entity))
    return {str(row[0]): (int(row[1]), int(row[2])) for row in rows}


def _groups(rows: Iterable[EntityRow], of: Callable[[EntityRow], str]) -> list[GroupRow]:
    parts: dict[str, list[EntityRow]] = defaultdict(list)
    for row in rows:
        parts[of(row)].append(row)
    return [_group(name, part) for name, part in sorted(parts.items())]


def _group(name: str, rows: list[EntityRow]) -> GroupRow:
    due, fulfilled = _sum(rows, "obligation_tonnes"), _sum(rows, "fulfilled_tonnes")
    completed = _sum(rows, "completed")
    return GroupRow(
        *(name, rows[0].year, len(rows), len(rows) - completed),
        *(_sum(rows, "allocation_tonnes"), due, fulfilled, _sum(rows, "offset_tonnes")),
        *(due - fulfilled, rate(fulfilled, due), rate(completed, len(rows))),
    )


def _sum(rows: Iterable[EntityRow], field: str) -> int:
    return sum(getattr(row, field) for row in rows)


def _annual(year: int, rows: list[EntityRow], issued: int, provinces: list[GroupRow]) -> Annual:
    due, fulfilled = _sum(rows, "obligation_tonnes"), _sum(rows, "fulfilled_tonnes")
    completed = _sum(rows, "completed")
    gaps = [row.obligation_tonnes - row.allocation_tonnes for row in rows]
    using = [row for row in rows if row.offset_tonnes]
    return Annual(
        year=year,
        entities=len(rows),
        issued_tonnes=issued,
        due_tonnes=due,
        net_deficit_tonnes=due - issued,
        net_deficit_pct=percent(due - issued, due),
        entities_in_deficit=sum(gap > 0 for gap in gaps),
        deficit_tonnes=sum(gap for gap in gaps if gap > 0),
        surplus_tonnes=-sum(gap for gap in gaps if gap < 0),
        fulfilled_tonnes=fulfilled,
        entities_short=len(rows) - completed,
        provinces_complete=sum(not one.entities_short for one in provinces),
        completion_tonnes_pct=rate(fulfilled, due),
        completion_entities_pct=rate(completed, len(rows)),
        ccer_tonnes=_sum(rows, "offset_tonnes"),
        ccer_entities=len(using),
        ccer_provinces=len({row.province for row in using}),
    )


def percent(part: int, whole: int) -> str:
    """Return a share in per cent, half up (away from zero) to two decimals."""
    if whole == 0:
        return "0.00"
    hundredths = (abs(part) * 20_000 + whole) // (2 * whole)
    sign = "-" if part < 0 and hundredths else ""
    return f"{sign}{hundredths // 100}.{hundredths % 100:02d}"


def amount(tonnes: int) -> str:
    """Return a quantity in Gt, Mt or t, half up to two decimals where it is not whole tonnes."""
    for unit, of in (("Gt", 10**9), ("Mt", 10**6)):
        if tonnes >= of:
            hundredths = (200 * tonnes + of) // (2 * of)
            return f"{hundredths // 100:,}.{hundredths % 100:02d} {unit}"
    return f"{tonnes:,} t"


def rate(done: int, whole: int) -> str:
    """Return a completion rate like ``percent``, but 100.00 only if nothing is missing."""
    if done >= whole:
        return COMPLETE
    found = percent(done, whole)
    return "99.99" if found == COMPLETE else found


def publish(tx: Connection, year: int, person: int, at_ns: int) -> Published:
    """Publish a year as of ``at_ns``: the content stays, the public is told.

    RefusalError: person_invalid, and those of ``of_year``.
    """
    checks.person(person)
    found = of_year(tx, year, at_ns)
    content = found.content()
    last = int(tx.execute(select(func.coalesce(func.max(disclosures.c.id), 0))).scalar_one())
    row = Published(last + 1, year, content, checks.sha256(content), person, at_ns)
    values = row._asdict()
    tx.execute(insert(disclosures), {"id": values.pop("number"), **values})
    one = found.annual
    sentence = (
        f"{year}: {one.due_tonnes:,} t due, {one.completion_tonnes_pct} % fulfilled, "
        f"{one.entities_short} of {one.entities} entities short (disclosure {row.number}, "
        f"{row.sha256[:16]})."
    )
    notices.tell(tx, "disclosure", sentence, None, at_ns)
    return row


def published(tx: Connection, year: int | None = None) -> list[Published]:
    """Return the publications in order, of one year if told so."""
    d = disclosures.c
    query = select(disclosures).order_by(d.id)
    query = query if year is None else query.where(d.year == year)
    return [Published(*row) for row in tx.execute(query)]


def violations(tx: Connection) -> list[str]:
    """Return one sentence for every publication that the books do not give again."""
    found = []
    for one in published(tx):
        if one.sha256 != checks.sha256(one.content):
            found.append(f"Disclosure {one.number} is not what was published.")
        elif of_year(tx, one.year, one.published_ns).content() != one.content:
            found.append(f"Disclosure {one.number} of {one.year} differs from the books.")
    return found
