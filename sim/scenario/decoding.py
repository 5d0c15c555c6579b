"""From the tables of a TOML file to the records of ``sim.scenario.model``, all problems at once.

The records are the only schema: names, types and units (the ends of the names) are read from
them. A library's decoder stops at the first mistake; someone who writes a scenario wants them all.
"""

from __future__ import annotations

import datetime as dt
import difflib
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import msgspec

from sim.scenario.model import Record
from sim.scenario.refusing import Problem

# What may end a name that holds a quantity, and what it says.
UNITS = {
    "_cny_t": "yuan per tonne",
    "_mt": "million tonnes",
    "_t": "tonnes",
    "_share": "a part of one",
    "_days": "days",
}
SIGNED_SHARES = {"net_surplus_share", "rate_min_share"}
PRICE_SIGNS = (-1, 0, 1)
INTEGER_MAX = 2**63 - 1  # what TOML promises
LIKE = 0.6  # similarity from which a name is taken for a misspelling


def unit_of(name: str) -> str:
    """Return the unit that the end of ``name`` states, or ``""``; ``share`` is one, too."""
    return next((unit for unit in UNITS if f"_{name}".endswith(unit)), "")


@cache
def fields(record: type[Record]) -> dict[str, tuple[Any, bool]]:
    """Return the fields of a record: name to (type, whether the file must give it)."""
    hints = typing.get_type_hints(record)
    return {item.name: (hints[item.name], item.required) for item in msgspec.structs.fields(record)}


@dataclass(slots=True)
class Found:
    """What decoding brought to light besides the records."""

    problems: list[Problem] = field(default_factory=list)
    blank: set[str] = field(default_factory=set)  # sections in which a value had to be made up

    def tell(self, code: str, key: str, value: object, expected: str) -> None:
        """Keep a problem."""
        self.problems.append(Problem(code, key, value, expected))


def decode(data: Mapping[str, Any], record: type[Record], key: str, found: Found) -> Any:
    """Return ``record`` filled from a table; ``found`` grows by everything wrong below ``key``.

    Where a value is missing or of a wrong type, a neutral one takes its place and the section is
    noted in ``found.blank``, so that all other sections can still be checked.
    """
    known = fields(record)
    data = dict(data)
    for name in [each for each in data if each not in known]:
        value = data.pop(name)
        meant = _unknown(name, value, data, known, key, found)
        if meant and meant not in data:
            data[meant] = value  # so that what it says is checked with the rest
    values: dict[str, Any] = {}
    for name, (hint, required) in known.items():
        at = _at(key, name)
        if name in data:
            values[name] = _value(data[name], hint, at, found)
        elif required:
            values[name] = _blank(hint, at, found)
            found.tell("missing_key", at, None, _kind(hint, name))
    return record(**values)


def _blank(hint: Any, key: str, found: Found) -> Any:
    """Return a neutral value of a type; its section is noted."""
    found.blank.add(key.split(".", maxsplit=1)[0])
    if isinstance(hint, types.UnionType):
        return None
    if typing.get_origin(hint) is tuple:
        return ()
    if issubclass(hint, Record):
        return decode({}, hint, key, Found())
    return dt.date.min if hint is dt.date else hint()


def _at(key: str, name: object) -> str:
    return f"{key}.{name}" if key else str(name)


def _unknown(
    name: str,
    value: object,
    data: Mapping[str, Any],
    known: Mapping[str, tuple[Any, bool]],
    key: str,
    found: Found,
) -> str:
    """Report a key that nobody knows; return the name that was probably meant, or ``""``."""
    free = [candidate for candidate in known if candidate not in data]
    for meant in free:
        if unit_of(meant) and meant in {name + unit for unit in UNITS}:
            said = f"the unit in the name: {meant} ({UNITS[unit_of(meant)]})"
            found.tell("missing_unit", _at(key, name), value, said)
            return meant
    close = difflib.get_close_matches(str(name), free, 1, LIKE)
    close = close or difflib.get_close_matches(str(name), list(known), 1, LIKE)
    if close:
        said = f"a known key: did you mean {close[0]}?"
    else:
        said = "one of " + ", ".join(known)
    found.tell("unknown_key", _at(key, name), value, said)
    return close[0] if close else ""


def _value(value: object, hint: Any, key: str, found: Found) -> Any:
    if isinstance(hint, types.UnionType):  # a record that need not be there
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if isinstance(hint, type) and issubclass(hint, Record):
        if isinstance(value, Mapping):
            return decode(value, hint, key, found)
    elif typing.get_origin(hint) is tuple:
        if isinstance(value, list | tuple):
            inner = typing.get_args(hint)[0]
            return tuple(_value(v, inner, _at(key, i), found) for i, v in enumerate(value))
    else:
        return _scalar(value, hint, key, found)
    found.tell("wrong_type", key, value, _kind(hint, key))
    return _blank(hint, key, found)


def _scalar(value: object, hint: type, key: str, found: Found) -> Any:
    name = key.rpartition(".")[2]
    if type(value) is int and abs(value) > INTEGER_MAX:
        found.tell("out_of_range", key, value, f"a number up to {INTEGER_MAX}")
        return _blank(hint, key, found)
    if hint is float and type(value) is int:
        value = float(value)
    if type(value) is not hint:  # a bool is no int, a date-time no date
        found.tell("wrong_type", key, value, _kind(hint, name))
        return _blank(hint, key, found)
    expected = _range_broken(name, value)
    if expected:
        found.tell("out_of_range", key, value, expected)
    return value


def _range_broken(name: str, value: Any) -> str:
    """Return what the name promises and the value does not keep, or ``""``."""
    if isinstance(value, float) and not math.isfinite(value):
        return "a finite number"
    if name == "price_sign":
        return "" if value in PRICE_SIGNS else "-1 (looser), 0 (neither) or +1 (tighter)"
    if unit_of(name) == "_share":
        low = -1.0 if name in SIGNED_SHARES else 0.0
        return "" if low <= value <= 1.0 else f"a share from {low:g} to 1"
    if type(value) is int and value < 0 and name != "value":
        return "0 or more"
    if unit_of(name) and value < 0:
        return f"0 or more, in {UNITS[unit_of(name)]}"
    return ""


def _kind(hint: Any, key: str) -> str:
    """Return in words what may stand at ``key``."""
    name = key.rpartition(".")[2]
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    if typing.get_origin(hint) is tuple:
        return f"a list of {typing.get_args(hint)[0].__name__}"
    words = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        str: "a text in quotes",
        dt.date: "a date such as 2024-12-31, without quotes",
    }
    word = words.get(hint, f"a table of {hint.__name__}")
    return f"{word} in {UNITS[unit_of(name)]}" if unit_of(name) else word
