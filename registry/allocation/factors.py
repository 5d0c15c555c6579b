"""The factors of the power formula: Fl (cooling), Fr (heat supply), Ff (load), exactly.

All are ``int64`` in units of 1/FACTOR. Cooling, heat supply and the straight steps of the load
factor are exact decimals. The curved steps (AL-10, AL-32, AL-61) are irrational; they are rounded
half up to the plan's decimals: estimated in doubles, and with 50 decimal digits where the estimate
lies near a half.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_UP, Context, Decimal, localcontext

import numpy as np

from registry.allocation.exact import FACTOR, MICRO, Bools, Floats, Ints, scaled
from registry.allocation.plan import Cooling, LoadFactor, LoadStep, PowerRules

_PRECISE = Context(prec=50)
_NEAR_HALF = 0.05  # in units of the last decimal; a double's error there is below 0.01


def cooling(rule: Cooling | None, kind: Ints, air_cooled: Bools) -> Ints:
    """Return Fl of units of class ``kind`` (AL-10): 1 where the plan has none."""
    if rule is None:
        return np.full(len(kind), FACTOR, dtype=np.int64)
    of_cooling = np.where(
        air_cooled, scaled(rule.air.value, FACTOR), scaled(rule.water.value, FACTOR)
    )
    return np.where(np.isin(kind, rule.classes), of_cooling, FACTOR)


def heat_supply(rules: PowerRules, kind: Ints, ratio_micropct: Ints) -> Ints:
    """Return Fr = 1 - slope x heat ratio (AL-10): 1 where the plan has none."""
    found = np.full(len(kind), FACTOR, dtype=np.int64)
    for unit_class, slope in rules.heat_supply.items():
        # slope in 1/10^4, the ratio in 1/10^8: their product is in 1/FACTOR
        step = scaled(slope.value, 10**4) * ratio_micropct
        found = np.where(kind == unit_class, FACTOR - step, found)
    return found


def load(rule: LoadFactor | None, kind: Ints, heat_micro: Ints, load_micropct: Ints) -> Ints:
    """Return Ff (AL-10, AL-32, AL-61): 1 for every class and unit outside its scope."""
    found = np.full(len(kind), FACTOR, dtype=np.int64)
    if rule is None:
        return found
    open_rows = np.isin(kind, rule.classes)
    if rule.condensing_only.value:
        open_rows &= heat_micro == 0
    for step in rule.steps:
        here = open_rows & (load_micropct >= scaled(step.from_pct, MICRO))
        found[here] = of_step(step, rule.decimals.value, load_micropct[here])
        open_rows &= ~here
    return found


def of_step(step: LoadStep, decimals: int, load_micropct: Ints) -> Ints:
    """Return one step's factors, rounded half up to ``decimals``; shape of ``load_micropct``."""
    unit = 10**decimals
    value = _estimate(step, load_micropct) * unit
    found = np.floor(value + 0.5).astype(np.int64)
    offset = np.abs(value - np.floor(value) - 0.5)
    for i in np.flatnonzero(offset <= _NEAR_HALF).tolist():
        found[i] = precisely(step, decimals, int(load_micropct[i]))
    exact: Ints = found * (FACTOR // unit)
    return exact


def precisely(step: LoadStep, decimals: int, load_micropct: int) -> int:
    """Return one factor in units of 10^-decimals, computed with 50 digits and rounded half up."""
    with localcontext(_PRECISE):
        value = curve(step, Decimal(load_micropct) / MICRO)
        return int((value * 10**decimals).to_integral_value(ROUND_HALF_UP))


def shown(step: LoadStep, load_micropct: int, decimals: int) -> str:
    """Return the step's value cut to ``decimals``, as a text with an ellipsis."""
    with localcontext(_PRECISE):
        value = curve(step, Decimal(load_micropct) / MICRO)
        cut = value.quantize(Decimal(1).scaleb(-decimals), ROUND_DOWN)
        return f"{cut}…" if cut != value else f"{cut.normalize():f}"


def curve(step: LoadStep, load_pct: Decimal) -> Decimal:
    """Return the step's formula at a load in per cent, in the precision of the context."""
    n = step.numbers
    if step.form == "constant":
        return n["at"]
    if step.form == "linear":
        return n["at"] + n["slope"] * (n["pivot_pct"] - load_pct)
    if step.form == "power":
        exponent: Decimal = n["exponent"] - n["exponent_slope"] * load_pct / 100
        return n["base"] ** exponent
    value = n["at"]
    for weight, scale in zip(step.weights, step.scales_pct, strict=True):
        value -= weight * (1 - (-load_pct / scale).exp())
    return value


def _estimate(step: LoadStep, load_micropct: Ints) -> Floats:
    n = {name: float(value) for name, value in step.numbers.items()}
    load_pct = load_micropct / MICRO
    if step.form == "constant":
        return np.full(len(load_pct), n["at"])
    if step.form == "linear":
        return n["at"] + n["slope"] * (n["pivot_pct"] - load_pct)
    if step.form == "power":
        return np.asarray(n["base"] ** (n["exponent"] - n["exponent_slope"] * load_pct / 100))
    value = np.full(len(load_pct), n["at"])
    for weight, scale in zip(step.weights, step.scales_pct, strict=True):
        value -= float(weight) * (1 - np.exp(-load_pct / float(scale)))
    return value
