"""Automatic plausibility checks: reported values in, findings out (rules in ``plausibility.toml``).

Pure. Every finding names the rule, the parameter, the value and the bounds it broke.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from registry.monitoring.emissions import input_heat_gj, text_of, value
from registry.monitoring.parameters import Values, parameters

GJ_PER_MWH = Fraction(36, 10)
HEAT_MWH_PER_GJ = Fraction(13, 100)  # what a GJ of heat counts in an intensity
OUTPUT = {"steel": "crude_steel", "cement": "clinker", "aluminium": "aluminium"}


class Rule(NamedTuple):
    """A check; fields that its kind does not use are empty or None."""

    code: str
    kind: str
    severity: str
    sets: tuple[str, ...]
    parameter: str
    quantity: str
    than: str
    factor: Fraction
    low: Fraction | None
    high: Fraction | None
    percent: Fraction
    why: str


class Finding(NamedTuple):
    """What a check has found; bounds and value as decimal texts, empty where there is none."""

    rule: str
    severity: str
    parameter: str
    value: str
    low: str
    high: str


class Month(NamedTuple):
    """A facility's month YYYYMM as the checks see it, or its whole year YYYY00 (CP-10)."""

    set_name: str
    month: int
    values: Values
    emissions: Fraction
    capacity_mw: Fraction | None = None


@cache
def rules() -> dict[str, Rule]:
    """Return the checks by code."""
    text = files("registry.monitoring").joinpath("plausibility.toml").read_text("utf-8")
    return {row["code"]: _rule(row) for row in tomllib.loads(text)["rule"]}


def _rule(row: dict[str, Any]) -> Rule:
    return Rule(
        code=row["code"],
        kind=row["kind"],
        severity=row["severity"],
        sets=tuple(row["sets"]),
        parameter=row.get("parameter", ""),
        quantity=row.get("quantity", ""),
        than=row.get("than", ""),
        factor=Fraction(row.get("factor", "1")),
        low=Fraction(row["low"]) if "low" in row else None,
        high=Fraction(row["high"]) if "high" in row else None,
        percent=Fraction(row.get("percent", "0")),
        why=row["why"],
    )


@cache
def _of_set(set_name: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in rules().values() if set_name in rule.sets)


def check(month: Month, before: Month | None = None) -> list[Finding]:
    """Return what is implausible about a month, seen with the month before."""
    found: list[Finding] = []
    for rule in _of_set(month.set_name):
        if rule.kind == "jump":
            found += _jump(rule, month, before)
        elif rule.kind == "default_below":
            found += _default_below(rule, month, before)
        elif rule.kind in CHECKS:
            found += CHECKS[rule.kind](rule, month)
    return found


def finding(code: str, value_text: str, low: str = "", high: str = "") -> Finding:
    """Return a finding of a rule about its own parameter."""
    rule = rules()[code]
    return Finding(code, rule.severity, rule.parameter, value_text, low, high)


def change_percent(now: Fraction, before: Fraction) -> Fraction:
    """Return by how many per cent ``now`` differs from ``before``, which is not 0."""
    return abs(now - before) / before * 100


def quantity(name: str, month: Month) -> Fraction | None:
    """Return a derived quantity or a parameter's value; None if it cannot be said."""
    if name in DERIVED:
        return DERIVED[name](month)
    known = parameters(month.set_name)
    if name in month.values or name in known:
        return value(month.values, name)
    return None


def _extreme(rule: Rule, month: Month) -> Iterator[Finding]:
    for one in parameters(month.set_name).values():
        given = month.values.get(one.name)
        if given is None:
            continue
        times = 12 if one.sums and not month.month % 100 else 1  # a year's sum has twelve bounds
        low, high = (None if bound is None else bound * times for bound in (one.low, one.high))
        if low is not None and given.value < low:
            pass
        elif high is None or given.value <= high:
            continue
        yield _finding(rule, one.name, given.value, low, high)


def _standard(rule: Rule, month: Month) -> Iterator[Finding]:
    wanted = "default" if rule.kind == "default" else "measured"
    for one in parameters(month.set_name).values():
        given = month.values.get(one.name)
        if given is None or one.default_usual or given.basis != wanted:
            continue
        if one.standard is not None and given.value == Fraction(one.standard):
            yield _finding(rule, one.name, given.value, None, None)


def _within(rule: Rule, month: Month) -> Iterator[Finding]:
    found = quantity(rule.quantity, month)
    if found is None or rule.low is None or rule.high is None:
        return
    if not rule.low <= found <= rule.high:
        yield _finding(rule, rule.parameter, found, rule.low, rule.high)


def _at_most(rule: Rule, month: Month) -> Iterator[Finding]:
    found, than = quantity(rule.quantity, month), quantity(rule.than, month)
    if found is not None and than is not None and found > rule.factor * than:
        yield _finding(rule, rule.parameter, found, None, rule.factor * than)


def _positive_with(rule: Rule, month: Month) -> Iterator[Finding]:
    if quantity(rule.than, month) and not quantity(rule.quantity, month):
        yield _finding(rule, rule.parameter, Fraction(0), Fraction(0), None)


def _jump(rule: Rule, month: Month, before: Month | None) -> Iterator[Finding]:
    if before is None or before.set_name != month.set_name:
        return
    now, then = quantity(rule.quantity, month), quantity(rule.quantity, before)
    if now is None or not then or change_percent(now, then) <= rule.percent:
        return
    part = then * rule.percent / 100
    name = rule.parameter if rule.parameter in month.values else OUTPUT[month.set_name]
    yield _finding(rule, name, now, then - part, then + part)


def _default_below(rule: Rule, month: Month, before: Month | None) -> Iterator[Finding]:
    """Find a standard value that is lower than the measured one of the month before."""
    now = month.values.get(rule.parameter)
    then = None if before is None else before.values.get(rule.parameter)
    if now is None or then is None or (now.basis, then.basis) != ("default", "measured"):
        return
    if now.value < then.value:
        yield _finding(rule, rule.parameter, now.value, then.value, None)


CHECKS: dict[str, Callable[[Rule, Month], Iterator[Finding]]] = {
    "extreme": _extreme,
    "standard": _standard,
    "default": _standard,
    "within": _within,
    "at_most": _at_most,
    "positive_with": _positive_with,
}


def _finding(
    rule: Rule, parameter: str, found: Fraction, low: Fraction | None, high: Fraction | None
) -> Finding:
    bounds = ("" if one is None else text_of(one) for one in (low, high))
    return Finding(rule.code, rule.severity, parameter, text_of(found), *bounds)


def _ratio(over: Fraction, under: Fraction) -> Fraction | None:
    return over / under if under else None


def _output(month: Month) -> Fraction:
    values = month.values
    if month.set_name in OUTPUT:
        return value(values, OUTPUT[month.set_name])
    return value(values, "generated") + value(values, "heat") * HEAT_MWH_PER_GJ


def _capacity_mwh(month: Month) -> Fraction | None:
    if month.capacity_mw is None:
        return None
    year, number = divmod(month.month, 100)
    days = calendar.monthrange(year, number)[1] if number else 365 + calendar.isleap(year)
    return month.capacity_mw * 24 * days


def _load_difference(month: Month) -> Fraction | None:
    """Reported load less what electricity, capacity and hours give, in points."""
    hours = value(month.values, "hours")
    if month.capacity_mw is None or not hours or "load" not in month.values:
        return None
    given = value(month.values, "generated") / (month.capacity_mw * hours) * 100
    return value(month.values, "load") - given


def _useful_gj(month: Month) -> Fraction:
    return value(month.values, "generated") * GJ_PER_MWH + value(month.values, "heat")


def _key_emissions(month: Month) -> Fraction:
    return value(month.values, "ironmaking_emissions") + value(month.values, "sintering_emissions")


DERIVED: dict[str, Callable[[Month], Fraction | None]] = {
    "emissions": lambda m: m.emissions,
    "input_heat": lambda m: input_heat_gj(m.values),
    "intensity": lambda m: _ratio(m.emissions, _output(m)),
    "efficiency": lambda m: _ratio(_useful_gj(m), input_heat_gj(m.values)),
    "supplied_share": lambda m: _ratio(value(m.values, "supplied"), value(m.values, "generated")),
    "capacity_mwh": _capacity_mwh,
    "load_difference": _load_difference,
    "key_emissions": _key_emissions,
    "key_intensity": lambda m: _ratio(_key_emissions(m), value(m.values, "iron")),
    "anode_rate": lambda m: _ratio(value(m.values, "anode"), value(m.values, "aluminium")),
}
