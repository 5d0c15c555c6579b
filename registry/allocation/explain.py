"""How a unit got its quota, step by step: clause, numbers, before and after which rounding."""

from __future__ import annotations

from fractions import Fraction

from registry.allocation import industry, power
from registry.allocation.engine import Allocation
from registry.allocation.exact import FACTOR, MICRO, exactly
from registry.allocation.factors import shown
from registry.allocation.plan import GAS, UNIT_CLASSES, Benchmark, LoadStep, PowerRules
from registry.allocation.power import PowerParts
from registry.allocation.steps import (
    DOWN,
    EXACT,
    Sourced,
    Step,
    grouped,
    grouped_fraction,
    said,
)
from registry.allocation.units import NOT_GIVEN


def unit_steps(of: Allocation, i: int) -> list[Step]:
    """Return how unit ``i`` got what was approved for it, and its part of the early share."""
    if not of.unit.in_scope[i]:
        rule = of.plan.special[int(of.units.special[i])]
        return [said(rule, f"out of scope: {rule.title}", "", "", EXACT, "no quota")]
    if of.unit.as_emitted[i]:
        steps = [_as_emitted(of, i)]
    elif isinstance(of.parts, PowerParts):
        steps = _power(of, of.parts, i)
    else:
        steps = _industry(of, i)
    return steps + _gas_relief(of, i) + _early(of, i)


def _gas_relief(of: Allocation, i: int) -> list[Step]:
    """Return what was done about the shortage of a gas unit, also where there is none."""
    if not of.plan.power or of.unit.as_emitted[i] or int(of.units.kind[i]) != GAS:
        return []
    top_up, waived = int(of.unit.gas_top_up_t[i]), int(of.unit.gas_waived_t[i])
    quota, after = int(of.unit.quota_t[i]), int(of.unit.approved_t[i])
    text = f"{quota:,} t against {int(of.units.emissions_t[i]):,} t emitted"
    what, left = "gas unit: not short", f"{after:,} t"
    if top_up:
        what = "gas unit: raised to its emissions"
    elif waived:
        what, left = "gas unit: shortage waived", f"{after:,} t, {waived:,} t waived"
    return [
        said(relief, what, text, f"{quota:,} t", EXACT, left)
        for relief in of.plan.relief
        if relief.step == "gas_units"
    ]


def _as_emitted(of: Allocation, i: int) -> Step:
    number = int(of.units.special[i])
    if number != NOT_GIVEN:
        rule: Sourced = of.plan.special[number]
        title = of.plan.special[number].title
    else:
        assert of.plan.threshold is not None
        rule = of.plan.threshold.tonnes
        title = f"an entity below {of.plan.threshold.tonnes.value:,} t"
    emitted = f"{int(of.units.emissions_t[i]):,} t"
    return said(rule, f"quota = verified emissions: {title}", "", emitted, EXACT, emitted)


def _power(of: Allocation, parts: PowerParts, i: int) -> list[Step]:
    rules, inputs = power.rules_of(of.plan), power.inputs_of(of.units)
    kind, year = int(of.units.kind[i]), of.units.year
    benchmark = rules.benchmarks[year][kind]
    name = UNIT_CLASSES[kind]
    split = rules.classes.split_mw
    text = f"benchmarks of class {name} in {year}: {_both(benchmark)}"
    steps = [said(split, "unit class", text, "", EXACT, name)]
    used = _power_factors(rules, parts, of, i)
    steps += used
    electricity, heat = power.terms(of.units, parts)
    product = [
        f"{grouped(int(inputs.electricity_micro[i]), MICRO)} MWh",
        f"{benchmark.electricity} t/MWh",
        *(step.after for step in used),
    ]
    by_part = of.plan.rounding.value == "part"
    before = [grouped_fraction(exactly((term,), i)) for term in (electricity, heat)]
    shown = [int(array[i]) for array in (parts.electricity_micro_t, parts.heat_micro_t)]
    texts = [" x ".join(product)]
    texts.append(
        f"{grouped(int(inputs.heat_micro[i]), MICRO)} GJ x {benchmark.heat} t/GJ",
    )
    for what, text, exact, part in zip(
        ("electricity quota", "heat quota"), texts, before, shown, strict=True
    ):
        if what == "heat quota" and not inputs.heat_micro[i]:
            continue
        after = f"{part // MICRO:,} t" if by_part else f"{exact} t"
        rounding = DOWN if by_part else EXACT
        steps.append(said(benchmark, what, text, f"{exact} t", rounding, after))
    total = exactly((electricity, heat), i)
    exact = f"{grouped_fraction(total)} t" if not by_part else f"{int(of.unit.quota_t[i]):,} t"
    rounding = EXACT if by_part else DOWN
    after = f"{int(of.unit.quota_t[i]):,} t"
    text = "electricity + heat"
    return [*steps, said(of.plan.rounding, "unit quota", text, exact, rounding, after)]


def _both(benchmark: Benchmark) -> str:
    heat = "" if benchmark.heat is None else f", {benchmark.heat} t/GJ"
    return f"{benchmark.electricity} t/MWh{heat}"


def _power_factors(rules: PowerRules, parts: PowerParts, of: Allocation, i: int) -> list[Step]:
    inputs, kind = power.inputs_of(of.units), int(of.units.kind[i])
    steps = []
    if rules.cooling and kind in rules.cooling.classes:
        air = bool(inputs.air_cooled[i])
        rule = rules.cooling.air if air else rules.cooling.water
        text = "air cooling" if air else "water cooling"
        after = grouped(int(parts.cooling[i]), FACTOR)
        steps.append(said(rule, "cooling factor Fl", text, after, EXACT, after))
    if kind in rules.heat_supply:
        slope = rules.heat_supply[kind]
        ratio = grouped(int(inputs.heat_ratio_micropct[i]), MICRO)
        after = grouped(int(parts.heat_supply[i]), FACTOR)
        text = f"1 - {slope.value} x {ratio} %"
        steps.append(said(slope, "heat supply factor Fr", text, after, EXACT, after))
    if rules.load and kind in rules.load.classes:
        steps.append(_load(rules, parts, of, i))
    return steps


def _load(rules: PowerRules, parts: PowerParts, of: Allocation, i: int) -> Step:
    rule, inputs = rules.load, power.inputs_of(of.units)
    assert rule is not None
    after = grouped(int(parts.load[i]), FACTOR)
    if rule.condensing_only.value and inputs.heat_micro[i]:
        text = "the unit supplies heat: no load factor"
        return said(rule.condensing_only, "load factor Ff", text, after, EXACT, after)
    load = int(inputs.load_micropct[i])
    step = next(step for step in rule.steps if load >= step.from_pct * MICRO)
    place = rule.steps.index(step)
    bounds = f"from {step.from_pct} %" if step.from_pct else ""
    if place:
        below = f"below {rule.steps[place - 1].from_pct} %"
        bounds = f"{bounds}, {below}" if bounds else below
    text = f"F = {grouped(load, MICRO)} %, {bounds}"
    if step.form == "constant":
        return said(step, "load factor Ff", text, after, EXACT, after)
    rounding = f"half up to {rule.decimals.value} decimals"
    before = shown(step, load, rule.decimals.value + 3)
    text = f"{text}: {formula_text(step, grouped(load, MICRO))}"
    return said(step, "load factor Ff", text, before, rounding, after)


def formula_text(step: LoadStep, load_pct: str) -> str:
    """Return the formula of a step of the load factor with its numbers, at a load in per cent."""
    n = step.numbers
    if step.form == "linear":
        return f"{n['at']} + {n['slope']} x ({n['pivot_pct']} - {load_pct})"
    if step.form == "power":
        return f"{n['base']}^({n['exponent']} - {n['exponent_slope']} x {load_pct} %)"
    terms = (
        f" - {weight} x (1 - e^(-{load_pct}/{scale}))"
        for weight, scale in zip(step.weights, step.scales_pct, strict=True)
    )
    return f"{n['at']}{''.join(terms)}"


def _industry(of: Allocation, i: int) -> list[Step]:
    rules = industry.rules_of(of.plan)
    emitted, quota = int(of.units.emissions_t[i]), int(of.unit.quota_t[i])
    if rules.balance is None:
        text = f"{emitted:,} t"
        return [said(rules.quota, "quota = verified emissions", "", text, EXACT, text)]
    assert not isinstance(of.parts, PowerParts)
    lines, sector = industry.inputs_of(of.units), int(of.units.kind[i])
    key, output = int(lines.key_emissions_micro[i]), int(lines.output_micro[i])
    value = int(of.parts.balance_value[sector])
    share = industry.alpha(rules.balance, value, key, output)
    x = 1 - Fraction(key * FACTOR, output * value)
    name = of.plan.sectors[sector]
    bp, intensity = grouped(value, FACTOR), grouped_fraction(Fraction(key, output), 9)
    ratio = f"{grouped(key, MICRO)} t / {grouped(output, MICRO)} t"
    solved = "solved for the lines of these rows" if of.parts.solved[sector] else "given"
    distance = grouped_fraction(x, 9)
    text = f"{rules.balance.slope.value} x {distance}"
    if of.parts.clamp[i]:
        text = f"X is not within {rules.balance.bound.value}: the limit"
    before = grouped_fraction(emitted * (1 + share))
    gap = f"({bp} - {intensity}) / {bp}"
    alpha = grouped_fraction(share, 9)
    sign, size = ("-", grouped_fraction(-share, 9)) if share < 0 else ("+", alpha)
    product, after = f"{emitted:,} t x (1 {sign} {size})", f"{quota:,} t"
    return [
        said(rules.key_process[name], "intensity I", ratio, intensity, EXACT, intensity),
        Step("AL-82", f"balance value BP of {name}", solved, bp, "12 decimals", bp),
        said(rules.balance.bound, "X = (BP - I) / BP", gap, distance, EXACT, distance),
        said(rules.balance.slope, "alpha", text, alpha, EXACT, alpha),
        said(of.plan.rounding, "quota = E x (1 + alpha)", product, f"{before} t", DOWN, after),
    ]


def _early(of: Allocation, i: int) -> list[Step]:
    rule, tonnes = of.plan.pre_allocation.get(of.units.year), int(of.unit.pre_allocation_t[i])
    if rule is None or not tonnes:
        return []
    year = rule.base_year.value
    if rule.of_output.value:
        assert isinstance(of.parts, PowerParts)
        terms = power.of_base_year(of.plan, of.units, of.parts)
        output = exactly(terms, i)
        text = f"{rule.share.value} x {grouped_fraction(output)} t, the quota of {year}'s output"
    else:
        output = Fraction(int(of.units.base_emissions_t[i]))
        text = f"{rule.share.value} x {int(output):,} t of {year}"
    before = f"{grouped_fraction(Fraction(rule.share.value) * output)} t"
    return [said(rule.share, "part of pre-allocation", text, before, DOWN, f"{tonnes:,} t")]
