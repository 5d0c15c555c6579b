"""Emissions from parameters, exactly (CP-02, CP-07: direct ones; of power, bought electricity too
until 2022, CP-30).

Every step is a fraction; nothing is rounded before the year is over. Then each facility's year is
rounded half up to whole tonnes, and an entity's year is the sum of these (U27, AL-02).
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from registry.monitoring.parameters import Values, constants

CO2_PER_C = Fraction(44, 12)
CO2_PER_CAO = Fraction(44, 56)
CO2_PER_MGO = Fraction(44, 40)
KG_PER_T = 1000
DIRECT_ONLY_FROM = 2023  # CP-07


def value(values: Values, name: str) -> Fraction:
    """Return a value, 0 where it is not reported."""
    found = values.get(name)
    return Fraction(0) if found is None else found.value


def input_heat_gj(values: Values) -> Fraction:
    """Return the heat of the fuel: consumption x net calorific value."""
    return value(values, "fuel") * value(values, "ncv")


def fuel_t(values: Values) -> Fraction:
    """Return t CO2 of burning: heat x carbon content x oxidation x 44/12."""
    carbon_t = input_heat_gj(values) * value(values, "carbon_content")
    return carbon_t * value(values, "oxidation") / 100 * CO2_PER_C


def bought_t(values: Values, year: int) -> Fraction:
    """Return t CO2 of bought electricity: of power, before data year 2023 (CP-07, CP-30)."""
    if year >= DIRECT_ONLY_FROM:
        return Fraction(0)
    return value(values, "bought_electricity") * constants("grid_factors").get(str(year), 0)


def steel_t(values: Values) -> Fraction:
    """Return t CO2 of fuel, flux and electrodes, less the carbon that leaves in products."""
    factor = constants("factors")
    total = fuel_t(values)
    for name in ("limestone", "dolomite", "electrodes"):
        total += value(values, name) * factor[name]
    for name in ("crude_steel", "pig_iron_sold"):
        total -= value(values, name) * factor[name]
    return total


def cement_t(values: Values) -> Fraction:
    """Return t CO2 of fuel and of the carbonates that became clinker."""
    cao = (value(values, "cao") - value(values, "cao_other")) / 100
    mgo = (value(values, "mgo") - value(values, "mgo_other")) / 100
    per_clinker = cao * CO2_PER_CAO + mgo * CO2_PER_MGO
    return fuel_t(values) + value(values, "clinker") * per_clinker


def aluminium_t(values: Values) -> Fraction:
    """Return t CO2 equivalent of anodes, CF4 and C2F6 (CP-02)."""
    pure = 1 - (value(values, "anode_sulphur") + value(values, "anode_ash")) / 100
    gases_kg = Fraction(0)
    for gas, potential in constants("gwp").items():
        gases_kg += value(values, gas) * potential
    return value(values, "anode") * pure * CO2_PER_C + gases_kg / KG_PER_T


FORMULAS: dict[str, Callable[[Values], Fraction]] = {
    "power_coal": fuel_t,
    "power_gas": fuel_t,
    "steel": steel_t,
    "cement": cement_t,
    "aluminium": aluminium_t,
}


def emissions_t(set_name: str, values: Values, year: int) -> Fraction:
    """Return the exact emissions of a facility's month or year in t CO2 equivalent.

    ``year``: the data year, which decides whether bought electricity counts (CP-07).
    """
    return FORMULAS[set_name](values) + bought_t(values, year)


def whole_tonnes(exact: Fraction) -> int:
    """Return whole tonnes, half up (U27)."""
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def text_of(exact: Fraction, decimals: int = 6) -> str:
    """Return a fraction as a decimal text, half up, without trailing zeros."""
    scaled = whole_tonnes(abs(exact) * 10**decimals)
    whole, rest = divmod(scaled, 10**decimals)
    digits = str(rest).rjust(decimals, "0").rstrip("0")
    sign = "-" if exact < 0 and scaled else ""
    return f"{sign}{whole}{'.' if digits else ''}{digits}"
