"""The industry formula: A = E (1 + alpha) around a balance value solved per sector (AL-80 to 83).

With the intensity I = P / Q of a line and the sector's balance value BP, X = (BP - I) / BP and
alpha = slope x X, never beyond slope x bound = 0.03 either way. BP makes the allocations of the
sector's lines sum to their emissions before rounding (AL-82, I13).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import numpy as np

from registry.allocation.exact import FACTOR, Bools, Ints, Term, floor_of, scaled
from registry.allocation.plan import Balance, IndustryRules, Plan
from registry.allocation.units import LineInputs, Units


@dataclass(frozen=True)
class IndustryParts:
    """What the formula was made of; balance values in 1/FACTOR t/t, by sector (0: none)."""

    balance_value: Ints  # shape (sectors,)
    solved: Bools  # shape (sectors,): False where the value was published or given
    clamp: Ints  # shape (n,): 1 where X >= bound, -1 where X <= -bound, else 0


def rules_of(plan: Plan) -> IndustryRules:
    """Return the industry rules of a plan that has them."""
    assert plan.industry is not None
    return plan.industry


def inputs_of(units: Units) -> LineInputs:
    """Return the lines of units that have them."""
    assert units.lines is not None
    return units.lines


def quotas(
    plan: Plan, units: Units, by_formula: Bools, given: dict[str, Decimal]
) -> tuple[Ints, IndustryParts]:
    """Return each line's quota in whole tonnes, shape (n,), and what it was made of.

    ``by_formula``, shape (n,): the lines that the formula covers; they alone balance. ``given``:
    balance values in t/t by sector that are used instead of solving; they go before the plan's.
    """
    rules, count = rules_of(plan), len(plan.sectors)
    values = np.zeros(count, dtype=np.int64)
    solved = np.zeros(count, dtype=bool)
    clamp = np.zeros(len(units), dtype=np.int64)
    if rules.balance is None:
        return units.emissions_t.copy(), IndustryParts(values, solved, clamp)
    inputs = inputs_of(units)
    for sector, name in enumerate(plan.sectors):
        published = rules.published.get((units.year, name))
        known = given.get(name, published.value if published else None)
        lines = by_formula & (units.kind == sector)
        if known is not None:
            values[sector] = scaled(known, FACTOR, f"balance value of {name}")
        elif lines.any():
            solved[sector] = True
            values[sector] = solve(
                rules.balance,
                units.emissions_t[lines],
                inputs.key_emissions_micro[lines],
                inputs.output_micro[lines],
            )
    of_line = values[units.kind]
    quota_t = units.emissions_t.copy()
    rows = np.flatnonzero(by_formula)
    clamp[rows] = _clamps(rules.balance, of_line[rows], inputs, rows)
    quota_t[rows] = _quota(rules.balance, units, of_line, clamp, rows)
    return quota_t, IndustryParts(values, solved, clamp)


def solve(balance: Balance, emissions_t: Ints, key_emissions: Ints, output: Ints) -> int:
    """Return a sector's balance value in 1/FACTOR by bisection (AL-82).

    The smallest value at which the sum of the alphas, weighted with the emissions, is not
    negative. Emissions, key emissions and output have shape (n,), n > 0; output is positive.
    """
    intensity = key_emissions / output
    weight = emissions_t.astype(np.float64)
    sharpness = 1 / float(balance.bound.value)

    def excess(candidate: int) -> float:
        # In units of alpha_max: what is at the limit counts as a whole number, so that lines
        # that balance at their limits do so exactly; fsum makes it the same on every machine.
        x = 1 - intensity / (candidate / FACTOR)
        return math.fsum(weight * np.clip(x * sharpness, -1, 1))

    low = 0  # excess is negative towards 0, unless nothing was emitted
    high = int(float(intensity.max()) / (1 - float(balance.bound.value)) * FACTOR) + 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if excess(middle) >= 0 else (middle, high)
    return high


def alpha(balance: Balance, balance_value: int, key_emissions: int, output: int) -> Fraction:
    """Return alpha of one line as an exact fraction (AL-81)."""
    x = 1 - Fraction(key_emissions * FACTOR, output * balance_value)
    slope, most = Fraction(balance.slope.value), Fraction(balance.alpha_max.value)
    return max(-most, min(most, slope * x))


def _clamps(balance: Balance, value: Ints, inputs: LineInputs, rows: Ints) -> Ints:
    """Return 1 where X >= bound, -1 where X <= -bound: compared exactly, as whole numbers."""
    top = scaled(1 - balance.bound.value, FACTOR)
    bottom = scaled(1 + balance.bound.value, FACTOR)
    found = np.zeros(len(rows), dtype=np.int64)
    keys = inputs.key_emissions_micro[rows].tolist()
    outputs = inputs.output_micro[rows].tolist()
    for i, (key, output, bp) in enumerate(zip(keys, outputs, value.tolist(), strict=True)):
        intensity, unit = key * FACTOR * FACTOR, output * bp  # I / BP against 1 -+ bound
        found[i] = int(intensity <= unit * top) - int(intensity >= unit * bottom)
    return found


def _quota(balance: Balance, units: Units, value: Ints, clamp: Ints, rows: Ints) -> Ints:
    """Return floor(E (1 + alpha)) of the lines in ``rows``, exactly."""
    inputs = inputs_of(units)
    emissions, inside = units.emissions_t[rows], (clamp[rows] == 0).astype(np.int64)
    slope = scaled(balance.slope.value, FACTOR)
    most = scaled(balance.alpha_max.value, FACTOR)
    at_limit = clamp[rows] * most + inside * slope
    key, output = inputs.key_emissions_micro[rows], inputs.output_micro[rows]
    terms = (
        Term((emissions,), (1,)),
        Term((emissions, at_limit), (FACTOR,)),
        Term((emissions, -inside * slope, key, FACTOR), (FACTOR, output, value[rows])),
    )
    return floor_of(terms, len(rows))
