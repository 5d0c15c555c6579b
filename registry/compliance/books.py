"""What an issue of allocation needs of the books, read once for all entities of a year."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection, func, insert, select

from registry import accounts
from registry.allocation import plan_file
from registry.allocation.plan import Plan
from registry.compliance import deductions, rows, standing
from registry.compliance.deductions import Deduction
from registry.compliance.eligibility import vintage_of
from registry.compliance.rows import AllocationRow
from registry.compliance.schema import STAGES, allocation_files, allocations, earmarks
from registry.errors import RefusalError
from registry.ledger import unit_ids
from registry.monitoring import entities, provinces, verified
from registry.monitoring.entities import Entity
from registry.monitoring.provinces import Province
from registry.schema import units


class Order(NamedTuple):
    """Which stage of which plan year is issued."""

    plan: Plan
    year: int
    stage: str


class Earmarked(NamedTuple):
    """What is left of an earmark."""

    number: int
    tonnes: int


@dataclass
class Prior:
    """What an entity has had of a plan year, in tonnes."""

    stages: set[str] = field(default_factory=set)
    entitled_tonnes: int = 0  # early, or approved altogether
    waived_tonnes: int = 0
    issued_tonnes: int = 0  # to it or its earmark, less what was taken back or is owed
    earmarks: list[Earmarked] = field(default_factory=list)


class Books(NamedTuple):
    """The state an issue starts from; everything by entity."""

    entities: dict[str, Entity]
    provinces: dict[str, Province]
    prior: dict[str, Prior]
    verified: dict[str, int]
    base_verified: dict[str, int]  # of the base year of the early share
    waiting: dict[str, list[Deduction]]
    used: dict[str, dict[int, int]]
    in_arrears: set[str]
    closed: set[int]  # accounts (RG-05)
    balance: dict[str, Decimal]  # by sector


def order(plan: str, year: int, stage: str) -> Order:
    """Return what is ordered; RefusalError plan_unknown, year_not_in_plan, stage_invalid,
    no_pre_allocation (the plan has none: AL-80)."""
    if plan not in plan_file.names():
        known = ", ".join(plan_file.names())
        raise RefusalError("plan_unknown", f"There is no plan {plan!r}; there are {known}.")
    found = plan_file.load(plan)
    if year not in found.years:
        years = ", ".join(map(str, found.years))
        raise RefusalError("year_not_in_plan", f"{plan} has the years {years}, not {year!r}.")
    if stage not in STAGES:
        raise RefusalError("stage_invalid", f"A stage is one of {', '.join(STAGES)}.")
    if stage == "pre" and year not in found.pre_allocation:
        raise RefusalError("no_pre_allocation", f"{plan} issues nothing early for {year} (AL-80).")
    return Order(found, year, stage)


def read(tx: Connection, what: Order, at_ns: int) -> Books:
    """Return the books an issue starts from."""
    rule = what.plan.pre_allocation.get(what.year)
    base = {} if rule is None else verified.of_year(tx, rule.base_year.value)
    return Books(
        entities.all_by_code(tx),
        provinces.all_of(tx),
        _prior(tx, what.year),
        verified.of_year(tx, what.year),
        base,
        deductions.open_of_year(tx, what.year),
        deductions.uses_of_year(tx, what.year),
        standing.in_arrears(tx, at_ns),
        accounts.closed(tx),
        balance_values(tx, what),
    )


def balance_values(tx: Connection, what: Order) -> dict[str, Decimal]:
    """Return the balance values of a plan year in t/t, as its first final issue found them (AL-82).

    Published once, a value stays: who comes later, or is corrected, is computed with it (RG-18),
    or everybody's allocation would move with every correction. One in the plan goes before.
    """
    a, f = allocations.c, allocation_files.c
    issued = select(a.file).where(a.plan == what.plan.name, a.year == what.year)
    query = select(f.content).where(f.id.in_(issued), f.stage == "final").order_by(f.id)
    found: dict[str, Decimal] = {}
    for content in tx.execute(query).scalars():
        for sector, value in rows.balance_of(content).items():
            found.setdefault(sector, Decimal(value))
    rules = what.plan.industry
    published = (
        set() if rules is None else {name for year, name in rules.published if year == what.year}
    )
    return {sector: value for sector, value in found.items() if sector not in published}


def _prior(tx: Connection, year: int) -> dict[str, Prior]:
    a, e = allocations.c, earmarks.c
    found: dict[str, Prior] = {}
    for row in tx.execute(select(allocations).where(a.year == year).order_by(a.id)):
        one = found.setdefault(row.entity, Prior())
        one.stages.add(row.stage)
        one.entitled_tonnes, one.waived_tonnes = row.tonnes, row.waived_tonnes
        one.issued_tonnes += row.issued_tonnes + row.earmarked_tonnes
        one.issued_tonnes -= row.taken_back_tonnes + row.owed_tonnes
    left = e.tonnes - e.forced_tonnes - e.released_tonnes - e.recovered_tonnes
    query = select(e.id, e.entity, left).where(e.year == year, left > 0).order_by(e.id)
    for number, entity, tonnes in tx.execute(query):
        found[entity].earmarks.append(Earmarked(int(number), int(tonnes)))
    return found


def waived(what: Order, state: Books, row: AllocationRow) -> int:
    """Return the relief of an obligation: as given, or by the plan's cap (AL-13, E61)."""
    if what.stage == "pre" or row.waived_tonnes is not None:
        return row.waived_tonnes or 0
    emitted = state.verified.get(row.entity, 0)
    for relief in what.plan.relief:
        if relief.side == "obligation" and relief.share is not None:
            return max(emitted - row.tonnes - int(emitted * relief.share), 0)
    return 0


def unit_for(tx: Connection, year: int) -> int:
    """Return the vintage of a plan year, created where it is new (RG-09)."""
    code = vintage_of(year)
    known = unit_ids(tx).get(code)
    if known is None:
        known = int(tx.execute(select(func.max(units.c.id))).scalar_one()) + 1
        tx.execute(insert(units), {"id": known, "code": code})
    return known
