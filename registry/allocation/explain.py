"""Each result step by step: which clause, which numbers, before and after which rounding."""

from __future__ import annotations

from fractions import Fraction
from typing import NamedTuple, Protocol

from registry.allocation import industry, power
from registry.allocation.engine import Allocation
from registry.allocation.exact import FACTOR, MICRO, exactly
from registry.allocation.factors import shown
from registry.allocation.plan import UNIT_CLASSES, PowerRules
from registry.allocation.power import PowerParts
from registry.allocation.report import decimal_text, percent_text
from registry.allocation.units import NOT_GIVEN

DOWN = "down to whole tonnes"
EXACT = "none"


class Step(NamedTuple):
    """One step: ``before`` and ``after`` the ``rounding``, as texts."""

    clause: str
    what: str
    calculation: str
    before: str
    rounding: str
    after: str
    certainty: str = "certain"


class Sourced(Protocol):
    """Whatever a plan says with a clause."""

    @property
    def clause(self) -> str:
        """The clause that states it."""

    @property
    def certainty(self) -> str:
        """How sure it is: certain, likely, or our choice."""


def _said(
    source: Sourced, what: str, calculation: str, before: str, rounding: str, after: str
) -> Step:
    return Step(source.clause, what, calculation, before, rounding, after, source.certainty)


def grouped(value: int, scale: int) -> str:
    """Return ``value / scale`` as a decimal with thousands apart."""
    whole, dot, digits = decimal_text(value, scale).partition(".")
    return f"{int(whole):,}{dot}{digits}" if whole != "-0" else f"{whole}{dot}{digits}"


def grouped_fraction(value: Fraction, decimals: int = 6) -> str:
    """Return a fraction cut to ``decimals`` with thousands apart, an ellipsis where it was cut."""
    unit = 10**decimals
    cut = int(value * unit)
    return grouped(cut, unit) + ("…" if Fraction(cut, unit) != value else "")


def unit_steps(of: Allocation, i: int) -> list[Step]:
    """Return how unit ``i`` got what was approved for it, and its part of the early share."""
    if not of.unit.in_scope[i]:
        rule = of.plan.special[int(of.units.special[i])]
        return [_said(rule, f"out of scope: {rule.title}", "", "", EXACT, "no quota")]
    if of.unit.as_emitted[i]:
        steps = [_as_emitted(of, i)]
    elif isinstance(of.parts, PowerParts):
        steps = _power(of, of.parts, i)
    else:
        steps = _industry(of, i)
    for relief in of.plan.relief:
        top_up, waived = int(of.unit.gas_top_up_t[i]), int(of.unit.gas_waived_t[i])
        if relief.step == "gas_units" and (top_up or waived):
            what = "gas unit: raised to its emissions" if top_up else "gas unit: shortage waived"
            quota, after = int(of.unit.quota_t[i]), int(of.unit.approved_t[i])
            text = f"{quota:,} t against {int(of.units.emissions_t[i]):,} t emitted"
            left = f"{after:,} t" if top_up else f"{after:,} t, {waived:,} t waived"
            steps.append(_said(relief, what, text, f"{quota:,} t", EXACT, left))
    return steps + _early(of, i)


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
    return _said(rule, f"quota = verified emissions: {title}", "", emitted, EXACT, emitted)


def _power(of: Allocation, parts: PowerParts, i: int) -> list[Step]:
    rules, inputs = power.rules_of(of.plan), power.inputs_of(of.units)
    kind, year = int(of.units.kind[i]), of.units.year
    benchmark = rules.benchmarks[year][kind]
    name = UNIT_CLASSES[kind]
    split = rules.classes.split_mw
    text = f"benchmarks of class {name} in {year}"
    steps = [_said(split, "unit class", text, "", EXACT, name)]
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
        steps.append(_said(benchmark, what, text, f"{exact} t", rounding, after))
    total = exactly((electricity, heat), i)
    exact = f"{grouped_fraction(total)} t" if not by_part else f"{int(of.unit.quota_t[i]):,} t"
    rounding = EXACT if by_part else DOWN
    after = f"{int(of.unit.quota_t[i]):,} t"
    text = "electricity + heat"
    return [*steps, _said(of.plan.rounding, "unit quota", text, exact, rounding, after)]


def _power_factors(rules: PowerRules, parts: PowerParts, of: Allocation, i: int) -> list[Step]:
    inputs, kind = power.inputs_of(of.units), int(of.units.kind[i])
    steps = []
    if rules.cooling and kind in rules.cooling.classes:
        air = bool(inputs.air_cooled[i])
        rule = rules.cooling.air if air else rules.cooling.water
        text = "air cooling" if air else "water cooling"
        after = grouped(int(parts.cooling[i]), FACTOR)
        steps.append(_said(rule, "cooling factor Fl", text, after, EXACT, after))
    if kind in rules.heat_supply:
        slope = rules.heat_supply[kind]
        ratio = grouped(int(inputs.heat_ratio_micropct[i]), MICRO)
        after = grouped(int(parts.heat_supply[i]), FACTOR)
        text = f"1 - {slope.value} x {ratio} %"
        steps.append(_said(slope, "heat supply factor Fr", text, after, EXACT, after))
    if rules.load and kind in rules.load.classes:
        steps.append(_load(rules, parts, of, i))
    return steps


def _load(rules: PowerRules, parts: PowerParts, of: Allocation, i: int) -> Step:
    rule, inputs = rules.load, power.inputs_of(of.units)
    assert rule is not None
    after = grouped(int(parts.load[i]), FACTOR)
    if rule.condensing_only.value and inputs.heat_micro[i]:
        text = "the unit supplies heat: no load factor"
        return _said(rule.condensing_only, "load factor Ff", text, after, EXACT, after)
    load = int(inputs.load_micropct[i])
    step = next(step for step in rule.steps if load >= step.from_pct * MICRO)
    text = f"F = {grouped(load, MICRO)} %, step from {step.from_pct} % on"
    if step.form == "constant":
        return _said(step, "load factor Ff", text, after, EXACT, after)
    numbers = ", ".join(f"{name} {value}" for name, value in step.numbers.items())
    if step.weights:
        pairs = zip(step.weights, step.scales_pct, strict=True)
        numbers += "".join(f", weight {weight} scale {scale}" for weight, scale in pairs)
    rounding = f"half up to {rule.decimals.value} decimals"
    text = f"{text}, {step.form}: {numbers}"
    before = shown(step, load, rule.decimals.value + 3)
    return _said(step, "load factor Ff", text, before, rounding, after)


def _industry(of: Allocation, i: int) -> list[Step]:
    rules = industry.rules_of(of.plan)
    emitted, quota = int(of.units.emissions_t[i]), int(of.unit.quota_t[i])
    if rules.balance is None:
        text = f"{emitted:,} t"
        return [_said(rules.quota, "quota = verified emissions", "", text, EXACT, text)]
    assert not isinstance(of.parts, PowerParts)
    lines, sector = industry.inputs_of(of.units), int(of.units.kind[i])
    key, output = int(lines.key_emissions_micro[i]), int(lines.output_micro[i])
    value = int(of.parts.balance_value[sector])
    share = industry.alpha(rules.balance, value, key, output)
    x = 1 - Fraction(key * FACTOR, output * value)
    name = of.plan.sectors[sector]
    bp, intensity = grouped(value, FACTOR), grouped_fraction(Fraction(key, output), 9)
    ratio = f"{grouped(key, MICRO)} t / {grouped(output, MICRO)} t"
    solved = "solved for all lines" if of.parts.solved[sector] else "given"
    text = f"{rules.balance.slope.value} x X"
    if of.parts.clamp[i]:
        text = f"X beyond {rules.balance.bound.value}: at the limit"
    before = grouped_fraction(emitted * (1 + share))
    alpha, distance = grouped_fraction(share, 9), grouped_fraction(x, 9)
    product, after = f"{emitted:,} t x (1 + {alpha})", f"{quota:,} t"
    return [
        _said(rules.key_process[name], "intensity I", ratio, intensity, EXACT, intensity),
        Step("AL-82", f"balance value BP of {name}", solved, bp, "12 decimals", bp),
        _said(rules.balance.bound, "X = (BP - I) / BP", "", distance, EXACT, distance),
        _said(rules.balance.slope, "alpha", text, alpha, EXACT, alpha),
        _said(of.plan.rounding, "quota = E x (1 + alpha)", product, f"{before} t", DOWN, after),
    ]


def _early(of: Allocation, i: int) -> list[Step]:
    rule, tonnes = of.plan.pre_allocation.get(of.units.year), int(of.unit.pre_allocation_t[i])
    if rule is None or not tonnes:
        return []
    base = "output of" if rule.of_output.value else f"{int(of.units.base_emissions_t[i]):,} t of"
    text = f"{rule.share.value} x {base} {rule.base_year.value}"
    if rule.of_output.value:
        text += " x benchmarks x factors"
        before = ""
    else:
        share = Fraction(rule.share.value) * int(of.units.base_emissions_t[i])
        before = f"{grouped_fraction(share)} t"
    return [_said(rule.share, "part of pre-allocation", text, before, DOWN, f"{tonnes:,} t")]


def entity_steps(of: Allocation, j: int) -> list[Step]:
    """Return how entity ``j`` got from the sum of its units to what is issued and owed."""
    e = of.entity
    emitted, quota = int(e.emissions_t[j]), int(e.quota_t[j])
    count = int(e.units[j])
    text = f"{count} unit{'' if count == 1 else 's'}, {emitted:,} t emitted"
    steps = [Step("AL-02", "sum of the units", text, f"{quota:,} t", EXACT, f"{quota:,} t")]
    approved, obligation = quota, emitted
    for relief in of.plan.relief:
        old_approved, old_obligation, rounding = approved, obligation, EXACT
        what = "shortages of gas units"
        if relief.step == "gas_units":
            approved += int(e.gas_top_up_t[j])
            obligation -= _gas_waived(of, j)
        else:
            what, rounding = f"shortage beyond {relief.share} of the emissions", DOWN
            approved += int(e.cap_top_up_t[j])
            obligation = int(e.obligation_t[j])
        for name, old, new in (
            ("approved", old_approved, approved),
            ("obligation", old_obligation, obligation),
        ):
            if new != old:
                step = _said(relief, what, name, f"{old:,} t", rounding, f"{new:,} t")
                steps.append(step)
    return [*steps, *_issue_steps(of, j), _balance_step(of, j)]


def _gas_waived(of: Allocation, j: int) -> int:
    return int(of.unit.gas_waived_t[of.units.entity == j].sum())


def _issue_steps(of: Allocation, j: int) -> list[Step]:
    issue, approved = of.entity.issue, int(of.entity.approved_t[j])
    early, issued = int(issue.pre_allocation_t[j]), int(issue.pre_issued_t[j])
    steps = []
    if of.plan.deductions and (int(issue.deducted_t[j]) or int(issue.deduction_left_t[j])):
        taken, left = int(issue.deducted_t[j]), int(issue.deduction_left_t[j])
        text = (
            f"{early - issued:,} t of it early, {int(issue.credited_back_t[j]):,} t credited back"
        )
        owed = f"{taken + left:,} t owed"
        after = f"{taken:,} t deducted, {left:,} t carried on"
        steps.append(_said(of.plan.deductions, "deduction", text, owed, EXACT, after))
    final, back = int(issue.final_issue_t[j]), int(issue.take_back_t[j])
    text = f"{approved:,} - {int(issue.deducted_t[j]):,} deducted - {issued:,} issued early"
    after = f"{back:,} t taken back" if back else f"{final:,} t issued"
    due = approved - int(issue.deducted_t[j]) - issued
    steps.append(_said(of.plan.true_up, "true-up", text, f"{due:,} t", EXACT, after))
    if issue.differentiated[j] and of.plan.differentiated:
        text = f"{final:,} t to the provincial account"
        forced, free = int(issue.forced_surrender_t[j]), int(issue.released_t[j])
        after = f"{forced:,} t surrendered, {free:,} t released, "
        after += f"{int(issue.still_owed_t[j]):,} t still owed"
        steps.append(
            _said(
                of.plan.differentiated, "differentiated issue", text, f"{final:,} t", EXACT, after
            )
        )
    return steps


def _balance_step(of: Allocation, j: int) -> Step:
    e = of.entity
    obligation, approved = int(e.obligation_t[j]), int(e.approved_t[j])
    short, more = int(e.shortfall_t[j]), int(e.surplus_t[j])
    text = f"obligation {obligation:,} t, approved {approved:,} t"
    ratio = percent_text(int(e.shortfall_bp[j]))
    after = f"{short:,} t short ({ratio} %)" if short else f"{more:,} t left over"
    rounding = "per cent half up to 2 decimals"
    return Step("CP-30", "balance", text, f"{approved - obligation:,} t", rounding, after)
