"""The results as rows of texts and numbers: units, entities, provinces, the nation.

Every row is a dictionary whose keys are the columns of the CSV files and of the JSON document;
tonnes are whole numbers, factors and benchmarks exact decimals as texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from registry.allocation import industry
from registry.allocation.engine import Allocation
from registry.allocation.exact import FACTOR, MICRO, Bools
from registry.allocation.power import PowerParts
from registry.allocation.units import NOT_GIVEN

Record: TypeAlias = dict[str, str | int]

SUMMED = (
    *("units", "emissions_t", "quota_t", "gas_top_up_t", "cap_top_up_t", "approved_t"),
    *("waived_t", "obligation_t", "shortfall_t", "surplus_t"),
)
ISSUED = (
    *("pre_allocation_t", "pre_issued_t", "deducted_t", "deduction_left_t", "credited_back_t"),
    *("final_issue_t", "take_back_t", "forced_surrender_t", "released_t", "still_owed_t"),
)


def decimal_text(value: int, scale: int) -> str:
    """Return ``value / scale`` (a power of ten) as a plain decimal without trailing zeros."""
    whole, rest = divmod(abs(value), scale)
    digits = str(rest).rjust(len(str(scale)) - 1, "0").rstrip("0")
    return f"{'-' if value < 0 else ''}{whole}{'.' if digits else ''}{digits}"


def rounded_text(value: Fraction, decimals: int = 9) -> str:
    """Return a fraction rounded half up to ``decimals``."""
    unit = 10**decimals
    return decimal_text((value * unit + Fraction(1, 2)).__floor__(), unit)


def percent_text(hundredths: int) -> str:
    """Return hundredths of a per cent as a per cent with two decimals."""
    return f"{Decimal(hundredths) / 100:.2f}"


def kind_text(of: Allocation, i: int) -> str:
    """Return the class or sector of unit ``i``; blank where no class was needed."""
    special = int(of.units.special[i]) != NOT_GIVEN
    return "" if special and of.plan.power else of.plan.kinds[int(of.units.kind[i])]


def special_text(of: Allocation, i: int) -> str:
    """Return the special case of unit ``i``; ``below_threshold`` by AL-65; blank for none."""
    number = int(of.units.special[i])
    if number != NOT_GIVEN:
        return of.plan.special[number].code
    return "below_threshold" if of.unit.as_emitted[i] else ""


def units(of: Allocation) -> list[Record]:
    """Return a row per unit, in the order of the file."""
    provinces, names = of.units.entities.provinces, of.units.entities.names
    found: list[Record] = []
    for i, name in enumerate(of.units.names):
        entity = int(of.units.entity[i])
        row: Record = {
            "year": of.units.year,
            "entity": names[entity],
            "unit": name,
            "province": provinces[entity],
            "kind": kind_text(of, i),
            "special": special_text(of, i),
            "in_scope": "yes" if of.unit.in_scope[i] else "no",
        }
        row |= _factors(of, i)
        row["emissions_t"] = int(of.units.emissions_t[i])
        for field in ("quota_t", "gas_top_up_t", "approved_t", "gas_waived_t", "pre_allocation_t"):
            row[field] = int(getattr(of.unit, field)[i])
        found.append(row)
    return found


def _factors(of: Allocation, i: int) -> Record:
    formula = bool(of.unit.in_scope[i] and not of.unit.as_emitted[i])
    if isinstance(of.parts, PowerParts):
        p = of.parts
        columns = {
            "electricity_benchmark": decimal_text(int(p.electricity_benchmark[i]), MICRO),
            "heat_benchmark": decimal_text(int(p.heat_benchmark[i]), MICRO),
            "cooling_factor": decimal_text(int(p.cooling[i]), FACTOR),
            "heat_supply_factor": decimal_text(int(p.heat_supply[i]), FACTOR),
            "load_factor": decimal_text(int(p.load[i]), FACTOR),
            "electricity_quota_t": decimal_text(int(p.electricity_micro_t[i]), MICRO),
            "heat_quota_t": decimal_text(int(p.heat_micro_t[i]), MICRO),
        }
    else:
        columns = {"balance_value": "", "intensity": "", "alpha": ""}
        rules = industry.rules_of(of.plan)
        if formula and rules.balance:
            lines = industry.inputs_of(of.units)
            key, output = int(lines.key_emissions_micro[i]), int(lines.output_micro[i])
            value = int(of.parts.balance_value[int(of.units.kind[i])])
            share = industry.alpha(rules.balance, value, key, output)
            columns["balance_value"] = decimal_text(value, FACTOR)
            columns["intensity"] = rounded_text(Fraction(key, output))
            columns["alpha"] = rounded_text(share)
    return {name: text if formula else "" for name, text in columns.items()}


def entities(of: Allocation) -> list[Record]:
    """Return a row per entity, in the order of their first rows."""
    e, names = of.entity, of.units.entities.names
    found: list[Record] = []
    for j, name in enumerate(names):
        row: Record = {
            "year": of.units.year,
            "entity": name,
            "province": of.units.entities.provinces[j],
            "complete": "yes" if of.units.entities.complete[j] else "no",
        }
        row |= {field: int(getattr(e, field)[j]) for field in SUMMED}
        row["shortfall_pct"] = percent_text(int(e.shortfall_bp[j]))
        reason = int(of.units.entities.differentiated[j])
        rule = of.plan.differentiated
        row["differentiated"] = rule.reasons[reason] if rule and reason != NOT_GIVEN else ""
        row |= {field: int(getattr(e.issue, field)[j]) for field in ISSUED}
        row["borrow_max_t"] = int(e.borrow_max_t[j])
        found.append(row)
    return found


def provinces(of: Allocation) -> list[Record]:
    """Return a row per province, by name."""
    of_entity = np.array(of.units.entities.provinces)
    found: list[Record] = []
    for name in sorted(set(of.units.entities.provinces)):
        row: Record = {"year": of.units.year, "province": name}
        found.append(row | _totals(of, of_entity == name))
    return found


def nation(of: Allocation) -> Record:
    """Return the sums of all entities (AL-02: the total is the sum from below)."""
    every = np.ones(len(of.units.entities.names), dtype=bool)
    row: Record = {"year": of.units.year}
    return row | _totals(of, every)


def _totals(of: Allocation, wanted: Bools) -> Record:
    row: Record = {"entities": int(wanted.sum())}
    row |= {field: int(getattr(of.entity, field)[wanted].sum()) for field in SUMMED}
    row |= {field: int(getattr(of.entity.issue, field)[wanted].sum()) for field in ISSUED}
    deficit, due = int(row["obligation_t"]) - int(row["approved_t"]), int(row["obligation_t"])
    row["net_deficit_t"] = deficit
    hundredths = (abs(deficit) * 20_000 + due) // (2 * due) if due else 0
    row["net_deficit_pct"] = percent_text(hundredths if deficit >= 0 else -hundredths)
    return row


def balance_values(ofs: Iterable[Allocation]) -> list[Record]:
    """Return the balance values that were used, in t/t, and whether they were solved (AL-82)."""
    found: list[Record] = []
    for of in ofs:
        if of.plan.industry and not isinstance(of.parts, PowerParts):
            for sector, name in enumerate(of.plan.sectors):
                value = int(of.parts.balance_value[sector])
                if value:
                    row: Record = {"year": of.units.year, "sector": name}
                    row["balance_value"] = decimal_text(value, FACTOR)
                    row["solved"] = "yes" if of.parts.solved[sector] else "no"
                    found.append(row)
    return found
