"""The platform's units of a year, as the books have them: what an allocation is computed from.

Outputs and heat are sums of the annual reports, emissions the verified tonnes of each facility; who
opened in the year or closed before the approval is known by his dates.
What nobody deposits (cooling, load, special cases …) comes from a file and fills blanks only: a
file that contradicts the books is refused, row by row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import select

from registry.allocation.cells import CellError
from registry.allocation.plan import EMISSIONS, Plan
from registry.allocation.reading import Refused
from registry.allocation.report import decimal_text
from registry.allocation.rows import COLUMNS, ENTERPRISE
from registry.errors import RefusalError
from registry.handed_in import rows_of
from registry.institution import Registry
from registry.monitoring.entities import Entity, Facility
from registry.monitoring.schema import facilities as facilities_table

Texts = dict[str, str]
Key = tuple[str, str]  # entity, unit
POWER_SUMS = {"generated_mwh": "generated", "supplied_mwh": "supplied", "heat_gj": "heat"}
INDUSTRY_SUMS = {
    "steel": {
        "ironmaking_emissions_t": "ironmaking_emissions",
        "sintering_emissions_t": "sintering_emissions",
        "iron_output_t": "iron",
    },
    "cement": {"output_t": "clinker"},
    "aluminium": {"output_t": "aluminium"},
}
EARLY = {"generated_mwh": "0", "supplied_mwh": "0", "emissions_t": "0", "load_factor_pct": "0"}


class Stored(NamedTuple):
    """Rows with their line in the file, 0 where only the books have them; and refused lines."""

    rows: list[tuple[int, Texts]]
    refused: list[Refused]


def units_of(
    registry: Registry, plan: Plan, year: int, stage: str, file: Path | None = None
) -> Stored:
    """Return the units of a plan's year for a stage; RefusalError as ``handed_in.rows_of``.

    An entity of which a line of the file is refused is left out whole.
    """
    stored = _stored(registry, plan, year, stage)
    if file is None:
        return Stored([(0, texts) for texts in stored.values()], [])
    found: dict[Key, tuple[int, Texts]] = {key: (0, texts) for key, texts in stored.items()}
    refused, lacking, seen = [], set(), dict[Key, int]()
    given = rows_of(file)
    _check_columns(given)
    for line, texts in given:
        key = (texts.get("entity", ""), texts.get("unit", "") or ENTERPRISE)
        try:
            if key in seen:
                reason = f"{key[0]}, {key[1]} is in line {seen[key]}"
                raise CellError("unit", "duplicate_unit", reason)
            seen[key] = line
            found[key] = (line, _filled(stored.get(key, {}), texts))
        except CellError as error:
            refused.append(Refused(line, error.field, error.code, error.reason))
            lacking.add(key[0])
    kept = [row for key, row in found.items() if key[0] not in lacking]
    return Stored(kept, refused)


def _check_columns(given: Sequence[tuple[int, Texts]]) -> None:
    for name in given[0][1] if given else ():
        if name not in COLUMNS:
            raise RefusalError("unknown_column", f"The column {name!r} is no column of units.")


def _filled(stored: Mapping[str, str], texts: Mapping[str, str]) -> Texts:
    """Return a stored row with its blanks filled; CellError differs_from_books."""
    row = dict(stored)
    for name, text in texts.items():
        if name == "special":  # the file knows cases that the books do not
            row[name] = text or row.get(name, "")
            continue
        if row.get(name) and text and row[name] != text:
            reason = f"{name} is {text} here and {row[name]} in the books"
            raise CellError(name, "differs_from_books", reason)
        row[name] = row.get(name) or text
    return row


def _stored(registry: Registry, plan: Plan, year: int, stage: str) -> dict[Key, Texts]:
    books, found = _Books(registry, plan, year, stage), {}
    for entity in books.listed:
        for unit, texts in books.rows(entity):
            found[entity.code, unit] = texts
    return found


class _Books:
    """What the books say about a year, read once."""

    def __init__(self, registry: Registry, plan: Plan, year: int, stage: str) -> None:
        monitoring = registry.monitoring
        self.plan, self.year, self.early = plan, year, stage == "pre"
        entities = monitoring.entities()
        rows = monitoring.roster(year)
        self.listed = [
            entities[row.entity]
            for row in rows
            if row.status == "listed" and row.sector in plan.sectors
        ]
        rule = plan.pre_allocation.get(year)
        base_year = None if rule is None else rule.base_year.value
        self.base = {} if base_year is None else monitoring.verified_of_year(base_year)
        self.base_parts = {} if base_year is None else monitoring.verified_facilities(base_year)
        self.verified = monitoring.verified_of_year(year)
        self.parts = monitoring.verified_facilities(year)
        self.reports = monitoring.reports(year)
        self.facilities = _by_entity(registry)

    def rows(self, entity: Entity) -> list[tuple[str, Texts]]:
        """Return (unit, texts) of an entity: nothing before its figure is verified."""
        known = self.base if self.early else self.verified
        if entity.code not in known:
            return []
        facilities = [one for one in self.facilities.get(entity.code, []) if self._at_work(one)]
        if entity.sector == "steel":
            return [(ENTERPRISE, self._enterprise(entity, facilities))]
        found = []
        for place, facility in enumerate(facilities):
            row = self._head(entity, facility.code)
            row["emissions_t"] = self._tonnes(entity, facility)
            row |= self._base(entity, facility, place)
            row |= self._sums(entity, [facility])
            row |= self._special(facility)
            if entity.sector == "power":
                row |= {"class": facility.unit_class, "fuel": facility.fuel}
                row["capacity_mw"] = facility.capacity_mw
                row["load_factor_pct"] = self._load(entity, facility)
                row = {**row, **EARLY, "cooling": "water"} if self.early else row
            found.append((facility.code, row))
        return found

    def _at_work(self, facility: Facility) -> bool:
        first, last = facility.commissioned // 10_000, facility.closed // 10_000 or 9999
        return first <= self.year <= last

    def _special(self, facility: Facility) -> Texts:
        """Return the case of a unit that opened in the year or closed before the final approval.

        Only where the plan gives it its emissions (AL-65, AL-86). Where such a unit is out of scope
        (AL-04) its emissions are no obligation either, which the file says, not its dates alone.
        """
        due = self.plan.dates.get((self.year, "final_issue_due"))
        approved = int(f"{due.value:%Y%m%d}") if due else self.year * 10_000 + 1231
        is_new = facility.commissioned // 10_000 == self.year
        code = "closed" if 0 < facility.closed <= approved else "new" if is_new else ""
        known = [
            one.code
            for one in self.plan.special
            if self.year in one.years and one.treatment == EMISSIONS
        ]
        return {"special": code} if code in known and not self.early else {}

    def _head(self, entity: Entity, unit: str) -> Texts:
        head = {"entity": entity.code, "unit": unit, "province": entity.province}
        head["year"] = str(self.year)
        return head if entity.sector == "power" else {**head, "sector": entity.sector}

    def _tonnes(self, entity: Entity, facility: Facility) -> str:
        part = self.parts.get(entity.code, {}).get(facility.code)
        return "" if part is None else str(part)

    def _base(self, entity: Entity, facility: Facility, place: int) -> Texts:
        if not self.base:
            return {}
        parts = self.base_parts.get(entity.code)
        if parts is not None:
            return {"base_emissions_t": str(parts.get(facility.code, 0))}
        return {"base_emissions_t": str(self.base.get(entity.code, 0) if place == 0 else 0)}

    def _sums(self, entity: Entity, facilities: Sequence[Facility]) -> Texts:
        report = self.reports.get(entity.code)
        if report is None or self.early:
            return {}
        names = POWER_SUMS if entity.sector == "power" else INDUSTRY_SUMS[entity.sector]
        part = report.facilities.get(facilities[0].code, {})
        sums: Mapping[str, Any] = part.get("sums", {})
        return {column: str(sums.get(name, "")) for column, name in names.items()}

    def _load(self, entity: Entity, facility: Facility) -> str:
        """Return electricity over capacity and hours in per cent, blank where these lack.

        Rounded down to six decimals: a step of the load factor must be reached.
        """
        report = self.reports.get(entity.code)
        sums = {} if report is None else report.facilities.get(facility.code, {}).get("sums", {})
        hours, generated = sums.get("hours"), sums.get("generated")
        if generated is not None and not Fraction(generated):
            return "0"
        if not facility.capacity_mw or generated is None or not hours or not Fraction(hours):
            return ""
        load = Fraction(generated) / (Fraction(facility.capacity_mw) * Fraction(hours)) * 100
        return decimal_text(int(load * 10**6), 10**6)

    def _enterprise(self, entity: Entity, facilities: Sequence[Facility]) -> Texts:
        """Return the one row of a steel enterprise (AL-83)."""
        row = self._head(entity, ENTERPRISE)
        row["emissions_t"] = str(self.verified.get(entity.code, ""))
        if self.base:
            row["base_emissions_t"] = str(self.base.get(entity.code, 0))
        if facilities:
            row |= self._sums(entity, facilities) | self._special(facilities[0])
        return row


def _by_entity(registry: Registry) -> dict[str, list[Facility]]:
    found: dict[str, list[Facility]] = {}
    f = facilities_table.c
    query = select(facilities_table).order_by(f.entity, f.code)
    with registry.database.read() as tx:
        for row in tx.execute(query):
            found.setdefault(str(row.entity), []).append(Facility(*row))
    return found
