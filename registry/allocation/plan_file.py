"""Reading an allocation plan from its TOML file, strictly.

``load("power-2023-2024")`` reads a plan of the product, ``load("my/plan.toml")`` one of the user.
Refused with a sentence: unknown or missing keys, numbers without a clause or out of range, steps
of the load factor out of order or rising with the load, check values that the curve does not give.
"""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

from registry.allocation import plan_load, plan_power
from registry.allocation.plan import (
    EMISSIONS,
    INDUSTRY,
    OUT_OF_SCOPE,
    POWER,
    Balance,
    Borrowing,
    CarryOver,
    Cited,
    Differentiated,
    IndustryRules,
    Plan,
    PreAllocation,
    Relief,
    Special,
    Threshold,
)
from registry.allocation.toml_table import TomlTable, refuse
from registry.errors import RefusalError

SECTORS = ("steel", "cement", "aluminium")
DATES = ("pre_allocation_due", "final_issue_due", "surrender_due")
RELIEF_STEPS = ("gas_units", "entity_cap")


def names() -> list[str]:
    """Return the names of the plans that the product ships."""
    folder = files("registry.allocation") / "plans"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def load(plan: str | Path) -> Plan:
    """Read a plan by name or by path.

    RefusalError ``plan_unknown`` (no such plan or file), ``plan_unreadable`` (not TOML) or
    ``plan_invalid`` (says what and where).
    """
    if isinstance(plan, str) and plan in names():
        text = (files("registry.allocation") / "plans" / f"{plan}.toml").read_text("utf-8")
        return parse(text)
    path = Path(plan)
    if path.suffix != ".toml":
        known = ", ".join(names())
        raise RefusalError("plan_unknown", f"there is no plan {str(plan)!r}; there are {known}")
    try:
        return parse(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise RefusalError("plan_unknown", f"{path} cannot be read: {error}") from None


def parse(text: str) -> Plan:
    """Return the plan that a TOML text states; refusals as ``load``."""
    try:
        data: dict[str, Any] = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise RefusalError("plan_unreadable", f"the plan is not TOML: {error}") from None
    table = TomlTable(data)
    plan = _plan(table)
    table.finish()
    return plan


def _plan(table: TomlTable) -> Plan:
    method = table.text("method", (POWER, INDUSTRY))
    years = table.years("years")
    sectors = table.texts("sectors", (POWER,) if method == POWER else SECTORS)
    formula = table.table("formula")
    rounding = formula.cited_text("rounding", ("part", "unit"))
    true_up = formula.cited_text("true_up", ("issue_or_take_back",))
    power = plan_power.rules(table, formula, years) if method == POWER else None
    industry = _industry(table, formula, years, sectors) if method == INDUSTRY else None
    formula.finish()
    deductions = table.optional("deductions")
    return Plan(
        name=table.text("name"),
        title=table.text("title"),
        version=table.text("version"),
        years=years,
        sectors=sectors,
        rounding=rounding,
        true_up=true_up,
        power=power,
        industry=industry,
        pre_allocation=_pre_allocation(table, years, method),
        relief=_relief(table, method),
        special=_special(table, years, sectors),
        threshold=_threshold(table, years),
        differentiated=_differentiated(table),
        deductions=_deductions(deductions) if deductions else None,
        borrowing=_borrowing(table),
        carry_over=_carry_over(table),
        dates=_dates(table, years),
    )


def _industry(
    table: TomlTable, formula: TomlTable, years: tuple[int, ...], sectors: tuple[str, ...]
) -> IndustryRules:
    quota = formula.cited_text("quota", (EMISSIONS, "balance"))
    if quota.value == EMISSIONS:
        return IndustryRules(quota, None, {}, {})
    balance = Balance(
        formula.cited_number("slope", 0, 1),
        formula.cited_number("bound", 0, 1),
        formula.cited_number("alpha_max", 0, 1),
    )
    if balance.slope.value * balance.bound.value != balance.alpha_max.value or not (
        0 < balance.bound.value < 1
    ):
        refuse("formula.alpha_max", "must be slope x bound: alpha must not jump (AL-81)")
    inner = table.table("intensity")
    key_process = {name: inner.cited_flag(name, "key_process", "line") for name in sectors}
    inner.finish()
    published = {}
    if by_year := table.optional("balance"):
        for year in plan_load.years_of(by_year, years):
            row = by_year.table(str(year))
            for sector in row.key_names():
                if sector not in sectors:
                    refuse(row.at(sector), "is no sector of the plan")
                published[year, sector] = row.cited_number(sector, Decimal("1e-6"), 1000)
    return IndustryRules(quota, balance, key_process, published)


def _pre_allocation(
    table: TomlTable, years: tuple[int, ...], method: str
) -> dict[int, PreAllocation]:
    found: dict[int, PreAllocation] = {}
    by_year = table.optional("pre_allocation")
    if by_year is None:
        return found
    for year in plan_load.years_of(by_year, years):
        row = by_year.table(str(year))
        found[year] = PreAllocation(
            row.cited_number("share", 0, 1),
            row.cited_flag("base", "output", EMISSIONS),
            row.cited_whole("base_year", 2000, 2100),
        )
        if found[year].of_output.value and method != POWER:
            refuse(row.at("base"), "can be output in a plan of the power sector only")
        row.finish()
    return found


def _relief(table: TomlTable, method: str) -> tuple[Relief, ...]:
    found: list[Relief] = []
    for row in table.tables("relief"):
        step = row.text("step", RELIEF_STEPS)
        if method != POWER:
            refuse(row.place, "is relief, which only the power sector has (AL-36)")
        if step in [relief.step for relief in found]:
            refuse(row.at("step"), f"lists {step} twice")
        side = row.text("side", ("allocation", "obligation"))
        share = row.number("share", 0, 1) if step == "entity_cap" else None
        found.append(Relief(step, side, *row.source(), share))
        row.finish()
    return tuple(found)


def _special(
    table: TomlTable, years: tuple[int, ...], sectors: tuple[str, ...]
) -> tuple[Special, ...]:
    found: list[Special] = []
    for row in table.tables("special"):
        special = Special(
            row.text("code"),
            row.text("title"),
            row.text("treatment", (EMISSIONS, OUT_OF_SCOPE)),
            row.years("years", years) if row.has("years") else years,
            row.texts("sectors", sectors) if row.has("sectors") else sectors,
            *row.source(),
        )
        for other in found:
            if special.code == other.code and set(special.years) & set(other.years):
                refuse(row.at("code"), f"lists {special.code} twice for one year")
        found.append(special)
        row.finish()
    return tuple(found)


def _threshold(table: TomlTable, years: tuple[int, ...]) -> Threshold | None:
    row = table.optional("threshold")
    if row is None:
        return None
    found = Threshold(row.cited_whole("tonnes"), row.years("years", years))
    row.finish()
    return found


def _differentiated(table: TomlTable) -> Differentiated | None:
    row = table.optional("differentiated")
    if row is None:
        return None
    found = Differentiated(row.texts("reasons"), *row.source())
    row.finish()
    return found


def _deductions(row: TomlTable) -> Cited[bool]:
    found = Cited(True, *row.source())
    row.finish()
    return found


def _borrowing(table: TomlTable) -> Borrowing | None:
    row = table.optional("borrowing")
    if row is None:
        return None
    found = Borrowing(row.cited_number("deficit_min", 0, 1), row.cited_number("share", 0, 1))
    row.finish()
    return found


def _carry_over(table: TomlTable) -> CarryOver | None:
    row = table.optional("carry_over")
    if row is None:
        return None
    found = CarryOver(
        row.cited_whole("base_tonnes"),
        row.cited_number("net_sales_multiple", 0, 100),
        row.cited_date("trades_from"),
        row.cited_date("trades_to"),
    )
    row.finish()
    return found


def _dates(table: TomlTable, years: tuple[int, ...]) -> dict[tuple[int, str], Cited[Any]]:
    found: dict[tuple[int, str], Cited[Any]] = {}
    if by_year := table.optional("dates"):
        for year in plan_load.years_of(by_year, years):
            row = by_year.table(str(year))
            found |= {(year, key): row.cited_date(key) for key in DATES if row.has(key)}
            row.finish()
    return found
