"""Tables of units for the allocation tests: texts by column, as a CSV file would have them."""

from __future__ import annotations

from decimal import Decimal

from registry.allocation import plan_file
from registry.allocation.engine import Allocation, allocate
from registry.allocation.plan import Plan
from registry.allocation.reading import Reading, read_rows
from registry.allocation.report import Record, entities, units

UNIT = {"entity": "E", "unit": "1", "province": "Hubei", "emissions_t": "1000000"}


def read(plan: Plan | str, *rows: dict[str, str], year: int | None = None) -> Reading:
    """Read rows, each filled up with UNIT; numbered from 2 as in a file."""
    known = plan_file.load(plan) if isinstance(plan, str) else plan
    return read_rows(known, list(enumerate(({**UNIT, **row} for row in rows), 2)), year)


def allocated(plan: Plan | str, year: int, *rows: dict[str, str], **balance: str) -> Allocation:
    """Compute one year of rows that are all taken."""
    known = plan_file.load(plan) if isinstance(plan, str) else plan
    reading = read(known, *rows, year=year)
    assert reading.refused == ()
    values = {sector: Decimal(value) for sector, value in balance.items()}
    return allocate(known, reading.units[year], values)


def unit_of(plan: Plan | str, year: int, **cells: str) -> Record:
    """Return the result of one unit."""
    return units(allocated(plan, year, cells))[0]


def entity_of(plan: Plan | str, year: int, *rows: dict[str, str]) -> Record:
    """Return the result of the only entity of the rows."""
    found = entities(allocated(plan, year, *rows))
    assert len(found) == 1
    return found[0]
