"""Allocation a second time, from the words of the rulebook (AL-01 … AL-87): fractions, one by one.

A table is a list of dictionaries of texts, as a CSV file has them; every cell is sound. Nothing is
estimated and nothing is vectorised. ``allocate`` returns tonnes by unit and by entity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_FLOOR, Decimal, localcontext
from fractions import Fraction
from typing import NamedTuple

Cells = Mapping[str, str]
CLASSES = ("I", "II", "III", "IV")
# t/MWh of the four classes, then t/GJ of coal and of gas (AL-11, AL-21, AL-31, AL-60)
BENCHMARKS = {
    2019: "0.877 0.979 1.146 0.392 0.126 0.059",
    2020: "0.877 0.979 1.146 0.392 0.126 0.059",
    2021: "0.8218 0.8773 0.9350 0.3920 0.1111 0.0560",
    2022: "0.8177 0.8729 0.9303 0.3901 0.1105 0.0557",
    2023: "0.7950 0.8090 0.8285 0.3305 0.1038 0.0536",
    2024: "0.7910 0.8049 0.8244 0.3288 0.1033 0.0533",
    2025: "0.7902 0.8017 0.8162 0.3288 0.1027 0.0533",
    2026: "0.7894 0.7985 0.8080 0.3288 0.1021 0.0533",
}
SMALL_T = 26_000  # AL-65
SPLIT_MW = 400  # AL-03
TENTH, FIFTH, HALF = Fraction(1, 10), Fraction(1, 5), Fraction(1, 2)


class UnitTonnes(NamedTuple):
    """Of a unit: quota by formula or special case, its relief, its part of the early share."""

    in_scope: bool
    quota: int
    approved: int
    waived: int
    early: int


class EntityTonnes(NamedTuple):
    """Of an entity, whole tonnes; ``shortfall_hundredths`` of a per cent."""

    approved: int
    obligation: int
    pre_issued: int
    deducted: int
    deduction_left: int
    final_issue: int
    take_back: int
    released: int
    still_owed: int
    shortfall_hundredths: int
    borrow_max: int


def number(cells: Cells, name: str) -> Fraction:
    """Return a cell as a fraction, 0 where it is blank."""
    return Fraction(cells.get(name) or "0")


def down(value: Fraction) -> int:
    """Round down to whole tonnes (AL-62, AL-87)."""
    return value.__floor__()


def half_up(value: Decimal, decimals: int) -> Fraction:
    """Round half up to so many decimals."""
    cut = (value.scaleb(decimals) + Decimal("0.5")).to_integral_value(ROUND_FLOOR)
    return Fraction(int(cut), 10**decimals)


def electricity_benchmark(year: int, unit_class: str) -> Fraction:
    """Return t/MWh."""
    return Fraction(BENCHMARKS[year].split()[CLASSES.index(unit_class)])


def heat_benchmark(year: int, unit_class: str) -> Fraction:
    """Return t/GJ."""
    return Fraction(BENCHMARKS[year].split()[5 if unit_class == "IV" else 4])


def class_of(year: int, cells: Cells) -> str:
    """Return a unit's class; merged units take the least favourable one (AL-03, E58)."""
    if cells.get("class"):
        names = cells["class"].split("+")
    elif cells["fuel"] == "gas":
        names = ["IV"]
    elif number(cells, "unconventional_pct") > 50:
        names = ["III"]
    else:
        powers = [Fraction(one) for one in cells["capacity_mw"].split("+")]
        names = ["I" if one >= SPLIT_MW else "II" for one in powers]
    return min(names, key=lambda name: electricity_benchmark(year, name))


def peak_factor(year: int, unit_class: str, heat: Fraction, load: str) -> Fraction:
    """Return Ff at a load in per cent (AL-10, AL-32, AL-61, E55, E57).

    Conventional coal only; in 2019 and 2020 only of units that supply no heat (U15).
    """
    if unit_class in {"III", "IV"} or (year <= 2020 and heat):
        return Fraction(1)
    with localcontext(prec=60):
        f = Decimal(load)
        if year >= 2025:
            return Fraction(1) if f >= 50 else half_up(_curve_of_2025(f), 6)
        if year >= 2023:
            return Fraction(1) if f >= 65 else half_up(_curve(f), 12)
        if f >= 85:
            return Fraction(1)
        if f >= 80:
            return half_up(1 + Decimal("0.0014") * (85 - f), 12)
        if f >= 75:
            return half_up(Decimal("1.007") + Decimal("0.0016") * (80 - f), 12)
        return half_up(_curve(f), 12)


def _curve(f: Decimal) -> Decimal:
    return Decimal("1.015") ** (16 - 20 * f / 100)


def _curve_of_2025(f: Decimal) -> Decimal:
    slow = Decimal("0.633") * (1 - (-f / Decimal("29.822")).exp())
    fast = Decimal("5.643") * (1 - (-f / Decimal("6.871")).exp())
    return Decimal("7.254") - slow - fast


def other_factors(year: int, unit_class: str, cells: Cells) -> Fraction:
    """Return Fl x Fr, which ended with 2022 (AL-10, AL-20, AL-30)."""
    if year >= 2023:
        return Fraction(1)
    slope = Fraction("0.6") if unit_class == "IV" else Fraction("0.22")
    factor = 1 - slope * number(cells, "heat_ratio_pct") / 100
    air = unit_class != "IV" and cells.get("cooling") == "air"
    return factor * (Fraction("1.05") if air else 1)


def power_parts(year: int, cells: Cells, base: bool = False) -> tuple[Fraction, Fraction]:
    """Return the exact quota of electricity and of heat; ``base``: of 2018's output (AL-12)."""
    unit_class, heat = class_of(year, cells), number(cells, "heat_gj")
    names = ("base_electricity_mwh", "base_heat_gj") if base else (_output(year), "heat_gj")
    factor = peak_factor(year, unit_class, heat, cells.get("load_factor_pct") or "0")
    factor *= other_factors(year, unit_class, cells)
    electricity = number(cells, names[0]) * electricity_benchmark(year, unit_class) * factor
    return electricity, number(cells, names[1]) * heat_benchmark(year, unit_class)


def _output(year: int) -> str:
    return "supplied_mwh" if year <= 2022 else "generated_mwh"


def power_quota(year: int, cells: Cells) -> int:
    """Return a unit's whole tonnes: each part is rounded down from 2025 on (AL-62)."""
    electricity, heat = power_parts(year, cells)
    return down(electricity) + down(heat) if year >= 2025 else down(electricity + heat)


def alpha(balance_value: Fraction, intensity: Fraction) -> Fraction:
    """Return alpha of a line (AL-81, E63)."""
    x = (balance_value - intensity) / balance_value
    if x >= FIFTH:
        return Fraction(3, 100)
    return Fraction(-3, 100) if x <= -FIFTH else Fraction(15, 100) * x


def intensity_of(cells: Cells) -> Fraction:
    """Return t per t of the line, or of a steel enterprise's key processes (AL-83)."""
    if cells["sector"] != "steel":
        return number(cells, "emissions_t") / number(cells, "output_t")
    key = number(cells, "ironmaking_emissions_t") + number(cells, "sintering_emissions_t")
    return key / number(cells, "iron_output_t")


def excess(balance_value: Fraction, lines: Sequence[tuple[int, Fraction]]) -> Fraction:
    """Return by how much allocations exceed the emissions of (emissions, intensity) (AL-82)."""
    return sum((e * alpha(balance_value, i) for e, i in lines), Fraction(0))


def balance_value(lines: Sequence[tuple[int, Fraction]]) -> Fraction:
    """Return the least value that is not short, solved between the corners of the sum (AL-82)."""
    corners = sorted({corner for _, i in lines for corner in (i * 5 / 4, i * 5 / 6)})
    right = next(k for k, corner in enumerate(corners) if excess(corner, lines) >= 0)
    top = corners[right]
    if right == 0 or (excess(top, lines) == 0 and excess(corners[right - 1], lines) == 0):
        return top
    middle = (corners[right - 1] + top) / 2
    inside = [(e, i) for e, i in lines if Fraction(4, 5) < i / middle < Fraction(6, 5)]
    limits = sum(e if i <= middle else -e for e, i in lines if (e, i) not in inside)
    weight = sum(e for e, _ in inside)
    load = sum((e * i for e, i in inside), Fraction(0))
    return Fraction(15, 100) * load / (Fraction(15, 100) * weight + Fraction(3, 100) * limits)


def is_outside(year: int, cells: Cells) -> bool:
    """Whether a special case is out of scope (AL-04, AL-86) and not emissions (AL-65, AL-85)."""
    if cells.get("sector"):
        return year <= 2025 and cells.get("special") in {"closed", "new"}
    return year <= 2024 and bool(cells.get("special"))


def allocate(
    year: int, rows: Sequence[Cells], balance: Mapping[str, Fraction] | None = None
) -> tuple[list[UnitTonnes], dict[str, EntityTonnes]]:
    """Return tonnes of each row and of each entity; ``balance``: a value for each sector."""
    emitted: dict[str, int] = {}
    for cells in rows:
        part = 0 if is_outside(year, cells) else int(cells["emissions_t"])
        emitted[cells["entity"]] = emitted.get(cells["entity"], 0) + part
    units = [_unit(year, cells, emitted[cells["entity"]], balance or {}) for cells in rows]
    found = {}
    for entity, tonnes in emitted.items():
        mine = [i for i, cells in enumerate(rows) if cells["entity"] == entity]
        facts = [rows[i] for i in mine]
        found[entity] = _entity(year, tonnes, [units[i] for i in mine], facts)
    return units, found


def _unit(year: int, cells: Cells, entity_t: int, balance: Mapping[str, Fraction]) -> UnitTonnes:
    if is_outside(year, cells):
        return UnitTonnes(False, 0, 0, 0, 0)
    emissions, gas = int(cells["emissions_t"]), False
    if cells.get("special") or (year >= 2025 and entity_t < SMALL_T):
        quota = emissions
    elif cells.get("sector"):
        quota = emissions
        if year >= 2025:
            share = alpha(balance[cells["sector"]], intensity_of(cells))
            quota = down(emissions * (1 + share))
    else:
        quota = power_quota(year, cells)
    if not cells.get("sector") and not cells.get("special"):
        gas = class_of(year, cells) == "IV"
    short = max(emissions - quota, 0) if gas else 0
    raised = short if year >= 2021 else 0  # AL-23, AL-35, AL-64 …
    waived = short if year <= 2020 else 0  # … and AL-13
    return UnitTonnes(True, quota, quota + raised, waived, _early(year, cells))


def _early(year: int, cells: Cells) -> int:
    """Return a unit's part of the early share (AL-12, AL-22, AL-33, AL-63, AL-84)."""
    if cells.get("sector"):
        share = {2024: Fraction(0), 2025: Fraction(7, 10), 2026: HALF}[year]
    else:
        share = HALF if year >= 2025 else Fraction(7, 10)
    if year <= 2020:
        return down(share * sum(power_parts(year, cells, base=True), Fraction(0)))
    return down(share * number(cells, "base_emissions_t"))


def _given(facts: Sequence[Cells], name: str) -> str:
    return next((cells[name] for cells in facts if cells.get(name)), "")


def _entity(
    year: int, emitted: int, units: Sequence[UnitTonnes], facts: Sequence[Cells]
) -> EntityTonnes:
    approved = sum(unit.approved for unit in units)
    obligation = emitted - sum(unit.waived for unit in units)  # units first, then the cap (AL-36)
    power = not facts[0].get("sector")
    if power and year <= 2020:  # AL-13, E61
        obligation = min(obligation, down(approved + FIFTH * emitted))
    elif power:  # AL-23, AL-36, AL-64, E60
        approved = max(approved, down((1 - FIFTH) * emitted))
    shortfall = max(obligation - approved, 0)
    ratio = Fraction(shortfall, emitted) if emitted else Fraction(0)
    borrows = power and year in {2021, 2022} and shortfall and ratio >= TENTH  # AL-24, AL-37
    late = bool(_given(facts, "differentiated"))
    early = int(_given(facts, "pre_allocated_t") or sum(unit.early for unit in units))
    paid = settle(approved, 0 if late else early, int(_given(facts, "deduction_t") or 0))
    due = approved - paid[1]
    return EntityTonnes(
        approved,
        obligation,
        *paid,
        max(due - obligation, 0) if late else 0,  # AL-40, AL-66, E67
        max(obligation - due, 0) if late else 0,
        down(ratio * 10_000 + HALF),  # AL-62
        down(HALF * shortfall) if borrows else 0,
    )


def settle(approved: int, early: int, owed: int) -> tuple[int, int, int, int, int]:
    """Return pre-issued, deducted, carried on, issued at the end, taken back (AL-67).

    As in the annex: the pre-allocation pays first; what it paid beyond what was approved is owed
    again; the rest of the approved quantity pays the rest of the deduction.
    """
    left, pre_issued = max(owed - early, 0), max(early - owed, 0)
    rest = approved - early
    if rest >= 0:
        carried = max(left - rest, 0)
        return pre_issued, owed - carried, carried, max(rest - left, 0), 0
    left += max(min(owed, early) - approved, 0)
    deducted = owed - left
    return pre_issued, deducted, left, 0, max(pre_issued - (approved - deducted), 0)
