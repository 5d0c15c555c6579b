"""The parameters of each sector with their units, from ``parameters.toml`` (CP-02, CP-09).

Pure. A value is kept as the text that was reported and as the exact fraction it stands for.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from fractions import Fraction
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from registry.allocation.cells import CellError

NUMBER = re.compile(r"[0-9]{1,12}(\.[0-9]{1,8})?")
BASES = ("measured", "default")
SETS = ("power_coal", "power_gas", "steel", "cement", "aluminium")


class Parameter(NamedTuple):
    """A thing that is reported; None: no extreme, no standard value."""

    name: str
    unit: str
    sums: bool
    needed: bool
    low: Fraction | None
    high: Fraction | None
    standard: str | None
    default_usual: bool  # nobody expects it to be measured: no PC-02, no PC-03


class Given(NamedTuple):
    """A reported value: exact, as text, and whether it was measured or is the default."""

    value: Fraction
    text: str
    basis: str


Values = Mapping[str, Given]


@cache
def document() -> dict[str, Any]:
    """Return ``parameters.toml``."""
    text = files("registry.monitoring").joinpath("parameters.toml").read_text("utf-8")
    return tomllib.loads(text)


@cache
def constants(table: str) -> dict[str, Fraction]:
    """Return the numbers of ``gwp``, ``factors`` or ``grid_factors``."""
    return {name: Fraction(text) for name, text in document()[table].items()}


@cache
def parameters(set_name: str) -> dict[str, Parameter]:
    """Return a set's parameters by name."""
    return {name: _parameter(name, row) for name, row in document()[set_name].items()}


def _parameter(name: str, row: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name,
        str(row["unit"]),
        bool(row.get("sums")),
        bool(row.get("needed")),
        Fraction(row["low"]) if "low" in row else None,
        Fraction(row["high"]) if "high" in row else None,
        row.get("standard"),
        bool(row.get("default_usual")),
    )


def set_of(sector: str, fuel: str) -> str:
    """Return which set a facility reports: a sector's, for power also by fuel."""
    if sector != "power":
        return sector
    return "power_gas" if fuel == "gas" else "power_coal"


def parse(set_name: str, name: str, text: str, unit: str, basis: str = "measured") -> Given:
    """Return a reported value.

    CellError with the field and unknown_parameter, missing_unit, wrong_unit, basis_invalid,
    no_default, not_the_default, missing_value, negative, not_a_number.
    """
    parameter = parameters(set_name).get(name)
    if parameter is None:
        known = ", ".join(parameters(set_name))
        raise CellError("parameter", "unknown_parameter", f"{name!r} is none of {known}.")
    if not unit:
        raise CellError("unit", "missing_unit", f"{name} needs its unit, {parameter.unit}.")
    if unit != parameter.unit:
        raise CellError("unit", "wrong_unit", f"{name} is in {parameter.unit}, not in {unit}.")
    if basis not in BASES:
        raise CellError("basis", "basis_invalid", f"{basis!r} is none of {', '.join(BASES)}.")
    if basis == "default":
        text = _default(parameter, text)
    if not text:
        raise CellError("value", "missing_value", f"{name} is blank.")
    if not NUMBER.fullmatch(text):
        if text[:1] in {"-", "−"} and NUMBER.fullmatch(text[1:]):
            raise CellError("value", "negative", f"{name} is {text}; it cannot be negative.")
        sentence = f"{name} is {text!r}: no number of at most 12 digits and 8 decimals."
        raise CellError("value", "not_a_number", sentence)
    return Given(Fraction(text), text, basis)


def _default(parameter: Parameter, text: str) -> str:
    if parameter.standard is None:
        raise CellError("basis", "no_default", f"{parameter.name} must be measured.")
    if text and (not NUMBER.fullmatch(text) or Fraction(text) != Fraction(parameter.standard)):
        sentence = f"The default of {parameter.name} is {parameter.standard}, not {text}."
        raise CellError("value", "not_the_default", sentence)
    return parameter.standard


def refuse_incomplete(set_name: str, values: Values) -> None:
    """Raise CellError missing_parameter for the first needed one that is not there."""
    for one in parameters(set_name).values():
        if one.needed and one.name not in values:
            raise CellError(one.name, "missing_parameter", f"{one.name} is not reported.")


def to_content(values: Values, set_name: str) -> dict[str, list[str]]:
    """Return values as plain data: name -> [text, unit, basis]."""
    known = parameters(set_name)
    return {name: [one.text, known[name].unit, one.basis] for name, one in values.items()}


def from_content(content: Mapping[str, list[str]]) -> dict[str, Given]:
    """Return what ``to_content`` wrote."""
    return {
        name: Given(Fraction(text), text, basis) for name, (text, _unit, basis) in content.items()
    }
