"""One row of the user's table: which unit it is and what the plan's formula needs of it."""

from __future__ import annotations

from typing import NamedTuple

from registry.allocation.cells import Cells, load_pct, unit_classes
from registry.allocation.exact import MICRO
from registry.allocation.plan import EMISSIONS, UNIT_CLASSES, IndustryRules, Plan, PowerRules
from registry.allocation.units import NOT_GIVEN

COMMON = (
    *("entity", "unit", "province", "year", "emissions_t", "base_emissions_t", "special"),
    *("pre_allocated_t", "deduction_t", "differentiated", "note"),
)
POWER_ONLY = (
    *("class", "fuel", "capacity_mw", "unconventional_pct", "other_fuel_pct"),
    *("generated_mwh", "supplied_mwh", "heat_gj", "load_factor_pct", "heat_ratio_pct", "cooling"),
    *("base_electricity_mwh", "base_heat_gj"),
)
INDUSTRY_ONLY = (
    *("sector", "output_t", "ironmaking_emissions_t", "sintering_emissions_t"),
    "iron_output_t",
)
COLUMNS = (*COMMON, *POWER_ONLY, *INDUSTRY_ONLY)
ENTERPRISE = "enterprise"  # steel has one row per entity
INTENSITY_MAX = 1000  # t/t


class OfPower(NamedTuple):
    """In the order of ``units.PowerInputs``."""

    electricity: int
    heat: int
    load: int
    heat_ratio: int
    air_cooled: bool
    base_electricity: int
    base_heat: int


class OfLine(NamedTuple):
    """In the order of ``units.LineInputs``."""

    key_emissions: int
    output: int


class Row(NamedTuple):
    """One unit that can be computed."""

    line: int
    year: int
    entity: str
    unit: str
    kind: int
    emissions_t: int
    base_emissions_t: int
    special: int
    inputs: OfPower | OfLine
    province: str
    deduction_t: int | None  # of the entity: None where the cell is blank
    pre_allocated_t: int | None
    differentiated: int | None


NO_POWER = OfPower(0, 0, 0, 0, False, 0, 0)
NO_LINE = OfLine(0, 1)


def year_of(plan: Plan, cells: Cells, year: int | None) -> int:
    """Return the data year of a row: its own cell, else ``year``; ``wrong_year``."""
    text = cells.text("year")
    if not text and year is not None:
        return year
    known = (year,) if year is not None else plan.years
    names = tuple(str(one) for one in known)
    return known[cells.one_of("year", names, "wrong_year")]


def row_of(plan: Plan, line: int, year: int, cells: Cells) -> Row:
    """Return a row of the plan's ``year``; raises CellError for the first thing that is wrong."""
    kind, sector = 0, plan.sectors[0]
    if plan.industry and (len(plan.sectors) > 1 or cells.text("sector")):
        kind = cells.one_of("sector", plan.sectors, "unknown_sector")
        sector = plan.sectors[kind]
    entity = cells.needed("entity")
    unit = ENTERPRISE if sector == "steel" else cells.needed("unit")  # AL-83
    province = cells.needed("province")
    emissions = cells.tonnes("emissions_t")
    special = _special(plan, year, sector, cells)
    inputs: OfPower | OfLine = NO_POWER if plan.power else NO_LINE
    if special == NOT_GIVEN and plan.power:
        kind, inputs = _power(plan.power, year, cells)
    elif special == NOT_GIVEN and plan.industry and plan.industry.quota.value != EMISSIONS:
        inputs = _line(plan.industry, sector, emissions, cells)
    return Row(
        *(line, year, entity, unit, kind, emissions),
        cells.tonnes_or("base_emissions_t", 0),
        special,
        inputs,
        province,
        *_of_entity(plan, cells),
    )


def _special(plan: Plan, year: int, sector: str, cells: Cells) -> int:
    code = cells.text("special")
    if not code:
        return NOT_GIVEN
    known = []
    for i, special in enumerate(plan.special):
        if year in special.years and sector in special.sectors:
            if special.code == code:
                return i
            known.append(special.code)
    sentence = f"{code!r} is no special case of {plan.name} in {year}: {', '.join(known)}"
    return cells.refuse("special", "unknown_special", sentence)


def _power(rules: PowerRules, year: int, cells: Cells) -> tuple[int, OfPower]:
    """Return the class and the inputs of the power formula."""
    benchmarks = rules.benchmarks[year]
    # Merged reporting takes the least favourable class (AL-03): the lowest benchmark.
    kind = min(unit_classes(cells, rules.classes), key=lambda i: benchmarks[i].electricity)
    electricity = cells.micro("supplied_mwh" if rules.supplied.value else "generated_mwh")
    heat = cells.micro_or_zero("heat_gj")
    load, ratio, air = 0, 0, False
    rule = rules.load
    if rule and kind in rule.classes and not (rule.condensing_only.value and heat):
        load = load_pct(cells, electricity)
    if kind in rules.heat_supply and (heat or cells.text("heat_ratio_pct")):
        ratio = cells.percent("heat_ratio_pct", ", and the unit supplies heat")
    if rules.cooling and kind in rules.cooling.classes:
        why = f", and class {UNIT_CLASSES[kind]} has a factor for it"
        air = cells.one_of("cooling", ("water", "air"), "unknown_cooling", why) == 1
    base = cells.micro_or_zero("base_electricity_mwh"), cells.micro_or_zero("base_heat_gj")
    return kind, OfPower(electricity, heat, load, ratio, air, *base)


def _line(rules: IndustryRules, sector: str, emissions: int, cells: Cells) -> OfLine:
    """Return emissions and output of the line or key process (AL-83)."""
    if rules.key_process[sector].value:
        parts = ("ironmaking_emissions_t", "sintering_emissions_t")
        key, field = sum(cells.micro(part) for part in parts), "iron_output_t"
        if key > emissions * MICRO:
            sentence = "ironmaking and sintering emit more than the whole enterprise"
            cells.refuse("emissions_t", "out_of_range", sentence)
    else:
        key, field = emissions * MICRO, "output_t"
    output = cells.micro(field)
    if output == 0 or key == 0:
        what = "output" if output == 0 else "emissions"
        cells.refuse(field, "out_of_range", f"without {what} there is no intensity")
    if key > output * INTENSITY_MAX:
        cells.refuse(field, "out_of_range", f"more than {INTENSITY_MAX} t per t of product")
    return OfLine(key, output)


def _of_entity(plan: Plan, cells: Cells) -> tuple[int | None, int | None, int | None]:
    """Return deduction, given pre-allocation and reason of differentiated issue of the entity."""
    deduction = cells.tonnes("deduction_t") if cells.text("deduction_t") else None
    if deduction and plan.deductions is None:
        cells.refuse("deduction_t", "not_in_plan", f"{plan.name} has no deductions")
    given = cells.tonnes("pre_allocated_t") if cells.text("pre_allocated_t") else None
    reason = None
    if cells.text("differentiated"):
        if plan.differentiated is None:
            sentence = f"{plan.name} has no differentiated allocation"
            cells.refuse("differentiated", "not_in_plan", sentence)
        reason = cells.one_of("differentiated", plan.differentiated.reasons, "unknown_reason")
    if reason is not None and given:
        sentence = "a differentiated allocation is issued at the end only (AL-40, AL-66)"
        cells.refuse("pre_allocated_t", "entity_conflict", sentence)
    return deduction, given, reason
