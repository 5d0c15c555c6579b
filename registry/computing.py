"""An allocation computed from what the books have of the units, ready to be handed over (7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from registry.allocation import engine, reading, report
from registry.allocation.plan import Plan
from registry.allocation.reading import Refused
from registry.allocation.units import Units
from registry.compliance import books, rows
from registry.compliance.rows import AllocationRow
from registry.institution import Registry
from registry.stored_units import units_of

COLUMNS = ("entity", "province", "emissions_tonnes", "approved_tonnes", "early_tonnes")


class Lacking(NamedTuple):
    """A unit that could not be computed: its line in the file or "-", whose it is, code, reason."""

    line: str
    unit: str
    code: str
    reason: str


class Computed(NamedTuple):
    """Rows to hand over, the units they come from, and what each entity comes to (``COLUMNS``).

    ``refused``: lines of the file that say nothing sound; ``lacking``: units that could not be
    computed. Entities of which a unit is missing are in neither.
    """

    rows: list[AllocationRow]
    units: list[dict[str, str]]
    table: list[Sequence[Any]]
    refused: list[Refused]
    lacking: list[Lacking]


def compute(registry: Registry, name: str, year: int, stage: str, file: Path | None) -> Computed:
    """Compute a stage of a plan year from the books and a file that fills what they lack.

    RefusalError: those of ``books.order`` and ``stored_units.units_of``.
    """
    what = books.order(name, year, stage)
    plan = what.plan
    stored = units_of(registry, plan, year, stage, file)
    read = reading.read_rows(plan, enumerate((texts for _, texts in stored.rows), 1), year)
    lacking = [Lacking(*_where(stored.rows[a.row - 1]), a.code, a.reason) for a in read.refused]
    of_year = read.units.get(year)
    if of_year is not None and not of_year.entities.complete.all():
        of_year = _whole(plan, of_year, stored.rows)
    if of_year is None:
        return Computed([], [], [], stored.refused, lacking)
    with registry.database.read() as tx:
        balance = books.balance_values(tx, what)
    result = engine.allocate(plan, of_year, balance)
    found = [row for row in report.entities(result) if row["complete"] == "yes"]
    whole = {str(row["entity"]) for row in found}
    table: list[Sequence[Any]] = [
        [row["entity"], row["province"], *(row[name] for name in QUANTITIES)] for row in found
    ]
    good = [row for row in rows.of_result(result, stage) if row.entity in whole]
    units = [texts for _, texts in stored.rows if texts.get("entity", "") in whole]
    return Computed(good, units, table, stored.refused, lacking)


def _whole(plan: Plan, of_year: Units, rows: Sequence[tuple[int, dict[str, str]]]) -> Units | None:
    """Return the units of those entities of which none is missing.

    Only these are handed over, and the registry solves the balance values from what it is given:
    lines that stay behind must not have moved them (AL-82).
    """
    entities = of_year.entities
    names = {name for name, whole in zip(entities.names, entities.complete, strict=True) if whole}
    kept = [
        (number, texts)
        for number, (_, texts) in enumerate(rows, 1)
        if texts.get("entity", "") in names
    ]
    return reading.read_rows(plan, kept, of_year.year).units.get(of_year.year)


QUANTITIES = ("emissions_t", "approved_t", "pre_allocation_t")


def _where(row: tuple[int, dict[str, str]]) -> tuple[str, str]:
    line, texts = row
    return str(line or "-"), f"{texts.get('entity', '')}/{texts.get('unit', '')}"
