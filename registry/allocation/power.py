"""The power formula, unit by unit: A = Qe Be Fl Fr Ff + Qh Bh (AL-10, AL-20, AL-30, AL-60).

A factor that a plan does not have is 1. Quotas are rounded down to whole tonnes, electricity and
heat each or their sum, as the plan says (AL-62).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from registry.allocation import factors
from registry.allocation.exact import FACTOR, MICRO, Ints, Term, floor_of, scaled
from registry.allocation.plan import Plan, PowerRules
from registry.allocation.units import PowerInputs, Units


@dataclass(frozen=True)
class PowerParts:
    """What the formula was made of; arrays of shape (n,)."""

    electricity_benchmark: Ints  # t/MWh in 1/MICRO
    heat_benchmark: Ints  # t/GJ in 1/MICRO
    cooling: Ints  # Fl, Fr, Ff in 1/FACTOR
    heat_supply: Ints
    load: Ints
    electricity_micro_t: Ints  # quotas of the parts, rounded down to millionths or whole tonnes
    heat_micro_t: Ints


def rules_of(plan: Plan) -> PowerRules:
    """Return the power rules of a plan that has them."""
    assert plan.power is not None
    return plan.power


def inputs_of(units: Units) -> PowerInputs:
    """Return the power inputs of units that have them."""
    assert units.power is not None
    return units.power


def quotas(plan: Plan, units: Units) -> tuple[Ints, PowerParts]:
    """Return each unit's quota in whole tonnes by the formula, shape (n,), and its parts."""
    rules, inputs, n = rules_of(plan), inputs_of(units), len(units)
    benchmarks = rules.benchmarks[units.year]
    of_electricity = np.array([scaled(b.electricity, MICRO) for b in benchmarks])[units.kind]
    of_heat = np.array([scaled(b.heat or Decimal(0), MICRO) for b in benchmarks])[units.kind]
    fl = factors.cooling(rules.cooling, units.kind, inputs.air_cooled)
    fr = factors.heat_supply(rules, units.kind, inputs.heat_ratio_micropct)
    ff = factors.load(rules.load, units.kind, inputs.heat_micro, inputs.load_micropct)
    electricity = _electricity(inputs.electricity_micro, of_electricity, fl, fr, ff)
    heat = _heat(inputs.heat_micro, of_heat)
    if plan.rounding.value == "part":
        electricity_t, heat_t = floor_of((electricity,), n), floor_of((heat,), n)
        quota_t = electricity_t + heat_t
        shown = (electricity_t * MICRO, heat_t * MICRO)
    else:
        quota_t = floor_of((electricity, heat), n)
        shown = (floor_of((_in_micro(electricity),), n), floor_of((_in_micro(heat),), n))
    return quota_t, PowerParts(of_electricity, of_heat, fl, fr, ff, *shown)


def terms(units: Units, parts: PowerParts) -> tuple[Term, Term]:
    """Return the exact quotas of electricity and heat before any rounding."""
    inputs = inputs_of(units)
    fs = (parts.cooling, parts.heat_supply, parts.load)
    return (
        _electricity(inputs.electricity_micro, parts.electricity_benchmark, *fs),
        _heat(inputs.heat_micro, parts.heat_benchmark),
    )


def of_base_year(plan: Plan, units: Units, parts: PowerParts) -> tuple[Term, ...]:
    """Return the exact quota of the base year's output, with this year's factors (AL-12)."""
    inputs = inputs_of(units)
    fs = (parts.cooling, parts.heat_supply, parts.load)
    return (
        _electricity(inputs.base_electricity_micro, parts.electricity_benchmark, *fs),
        _heat(inputs.base_heat_micro, parts.heat_benchmark),
    )


def _electricity(micro: Ints, benchmark: Ints, fl: Ints, fr: Ints, ff: Ints) -> Term:
    return Term((micro, benchmark, fl, fr, ff), (MICRO, MICRO, FACTOR, FACTOR, FACTOR))


def _heat(micro: Ints, benchmark: Ints) -> Term:
    return Term((micro, benchmark), (MICRO, MICRO))


def _in_micro(term: Term) -> Term:
    return Term((*term.numerators, MICRO), term.denominators)
