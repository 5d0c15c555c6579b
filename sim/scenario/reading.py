"""Reading a scenario: ``load("2024")`` a season of the product, ``load("my.toml")`` one's own.

Overrides are dotted keys, lists by index: ``{"banking.sales_multiple": 3.0}``,
``{"population.sectors.0.entities": 100}``, ``{"banking": None}`` (take the table away). They are
applied before anything is checked, so a what-if is held to the same rules as a file. Indices are
those of the file; the scenario that is returned has its lists in canonical order.
"""

from __future__ import annotations

import datetime as dt
import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from sim.scenario.checking import check
from sim.scenario.decoding import Found, decode
from sim.scenario.identity import canonical
from sim.scenario.model import Scenario
from sim.scenario.refusing import Problem, ScenarioError

BEHAVIOUR_FILE = "behaviour.toml"
NO_OVERRIDES: Mapping[str, object] = MappingProxyType({})


def season_names() -> list[str]:
    """Return the names of the seasons that the product ships, e.g. ``"2024"``."""
    folder = files("sim.scenario") / "seasons"
    return sorted(item.name[:-5] for item in folder.iterdir() if item.name.endswith(".toml"))


def load(name_or_path: str | Path, overrides: Mapping[str, object] = NO_OVERRIDES) -> Scenario:
    """Return the scenario of a name or a path, with ``overrides`` applied, checked throughout.

    Raises:
        ScenarioError: with ``problems``; ``code`` is ``scenario_unknown``, ``scenario_unreadable``
            or ``scenario_invalid``.
    """
    file, text = _text(name_or_path)
    return parse(text, file, overrides)


def parse(text: str, file: str, overrides: Mapping[str, object] = NO_OVERRIDES) -> Scenario:
    """Return the scenario that a TOML text states; ``file`` names it in refusals, as ``load``.

    A ``units_file`` is looked for beside ``file``.
    """
    data = _toml(text, file)
    shipped = _shipped_behaviour() if "behaviour" not in data else None
    if shipped is not None:
        data["behaviour"] = shipped
    return _made(data, file, overrides, shipped is not None)


def changed(scenario: Scenario, overrides: Mapping[str, object]) -> Scenario:
    """Return ``scenario`` with ``overrides``, checked as ``load``; indices as in the scenario.

    Raises:
        ScenarioError: as ``load``.
    """
    data = _present(msgspec.to_builtins(scenario, builtin_types=(dt.date,)))
    return _made(data, scenario.name, overrides, False)


def _present(data: Any) -> Any:
    """Return tables without what is not there: TOML has no word for nothing."""
    if isinstance(data, dict):
        return {name: _present(value) for name, value in data.items() if value is not None}
    if isinstance(data, list | tuple):
        return [_present(value) for value in data]
    return data


def _made(
    data: dict[str, Any], file: str, overrides: Mapping[str, object], shipped: bool
) -> Scenario:
    """Return the scenario of a file's tables with overrides, checked throughout."""
    found = Found()
    for key, value in overrides.items():
        _override(data, key, _plain(value), found)
    scenario: Scenario = decode(data, Scenario, "", found)
    scenario = _with_units(scenario, file, found)
    check(scenario, found.blank, found.problems)
    if found.problems:
        named = tuple(_named(each, file, shipped) for each in found.problems)
        raise ScenarioError("scenario_invalid", file, named)
    return canonical(scenario)


def smaller(scenario: Scenario, share: float) -> dict[str, object]:
    """Return overrides that keep ``share`` of the entities and of every quantity they hold or owe.

    For trials: 2,200 entities and 5.24 Gt at 0.05 become 110 entities and 0.262 Gt. Apply them to
    the file that ``scenario`` was loaded from when its lists are in canonical order, as those of
    the product's seasons are.

    Raises:
        ValueError: ``share`` is not above 0 and at most 1.
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"a share above 0 and at most 1 is expected, not {share}")
    result: dict[str, object] = {}
    for index, sector in enumerate(scenario.population.sectors):
        key = f"population.sectors.{index}"
        result[f"{key}.entities"] = max(1, round(sector.entities * share))
        result[f"{key}.emissions_mt"] = sector.emissions_mt * share
    for index, due in enumerate(scenario.obligations):
        result[f"obligations.{index}.emissions_mt"] = due.emissions_mt * share
    for index, holding in enumerate(scenario.population.old_holdings):
        result[f"population.old_holdings.{index}.total_mt"] = holding.total_mt * share
    for index, offset in enumerate(scenario.offsets):
        result[f"offsets.{index}.stock_mt"] = offset.stock_mt * share
    return result


def _with_units(scenario: Scenario, file: str, found: Found) -> Scenario:
    """Return ``scenario`` with the path of its unit data made complete."""
    name = scenario.population.units_file
    if not name:
        return scenario
    path = Path(file).parent / name
    if not path.is_file():
        said = f"a file of unit data, {path} is none"
        found.tell("unknown_name", "population.units_file", name, said)
    population = msgspec.structs.replace(scenario.population, units_file=str(path))
    return msgspec.structs.replace(scenario, population=population)


def _named(problem: Problem, file: str, shipped: bool) -> Problem:
    in_behaviour = shipped and problem.key.split(".")[0] == "behaviour"
    return replace(problem, file=BEHAVIOUR_FILE if in_behaviour else file)


def _text(name_or_path: str | Path) -> tuple[str, str]:
    """Return the file's name for refusals and its text."""
    names = season_names()
    if isinstance(name_or_path, str) and name_or_path in names:
        source = files("sim.scenario") / "seasons" / f"{name_or_path}.toml"
        return source.name, source.read_text("utf-8")
    path = Path(name_or_path)
    if path.suffix != ".toml":
        close = difflib.get_close_matches(str(name_or_path), names, 1)
        hint = f"; did you mean {close[0]}?" if close else ""
        said = f"a season ({', '.join(names)}) or the path of a .toml file{hint}"
        raise _alone("scenario_unknown", "unknown_name", str(path), said, str(name_or_path))
    try:
        return str(path), path.read_text("utf-8")
    except (OSError, ValueError) as error:  # not there, not UTF-8, no path at all
        said = f"a file of UTF-8 text ({error})"
        raise _alone("scenario_unknown", "unknown_name", str(path), said) from None


def _alone(code: str, kind: str, file: str, expected: str, value: object = None) -> ScenarioError:
    return ScenarioError(code, file, (Problem(kind, "", value, expected, file),))


def _toml(text: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # also numbers too long, tables too deep
        raise _alone("scenario_unreadable", "wrong_type", file, f"TOML ({error})") from None


def _shipped_behaviour() -> object:
    text = (files("sim.scenario") / BEHAVIOUR_FILE).read_text("utf-8")
    return _toml(text, BEHAVIOUR_FILE).get("behaviour", {})


def _plain(value: object) -> object:
    """Return records of an override as the tables a file would give."""
    if isinstance(value, msgspec.Struct):
        return {name: _plain(item) for name, item in msgspec.structs.asdict(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    return value


def _override(data: dict[str, Any], key: str, value: object, found: Found) -> None:
    """Put ``value`` at a dotted key; tables that are not there yet are made, lists never grow."""
    *way, last = key.split(".")
    place: Any = data
    for step in way:
        place = _step(place, step)
        if place is None:
            break
    index = _index(place, last)
    if isinstance(place, dict) and value is None:
        place.pop(last, None)
    elif isinstance(place, dict):
        place[last] = value
    elif index is not None and value is None:
        del place[index]
    elif index is not None:
        place[index] = value
    else:
        found.tell("unknown_key", key, value, "a key that leads to a value")


def _step(place: Any, step: str) -> Any:
    if isinstance(place, dict):
        return place.setdefault(step, {})
    index = _index(place, step)
    return None if index is None else place[index]


def _index(place: Any, step: str) -> int | None:
    inside = isinstance(place, list) and step.isdecimal() and int(step) < len(place)
    return int(step) if inside else None
