"""Which scenario it is: one canonical form, one hash, the difference of two.

Two files that say the same have the same hash: comments, white space, the order of keys and of
tables, and whether a default is written out do not count. The hash covers every value in force,
behaviour and defaults included, and the content of a file of unit data instead of its place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from engine.rulebook_data import ENTRIES
from sim.scenario.model import Obligation, Scenario

NOTHING = "nothing"  # stands in a difference where only the other scenario has the key


class Difference(NamedTuple):
    """One key in which two scenarios differ, with the value of each or ``"nothing"``."""

    key: str
    left: object
    right: object


def canonical(scenario: Scenario) -> Scenario:
    """Return the same scenario with every list in its one order: by date, by code, by sector."""
    rank = _sector_rank()
    population = scenario.population
    return msgspec.structs.replace(
        scenario,
        vintages=_sorted(scenario.vintages, lambda each: each.code),
        obligations=_sorted(
            tuple(_obligation(each) for each in scenario.obligations),
            lambda each: (each.deadline, each.year, [rank(name) for name in each.sectors]),
        ),
        issues=_sorted(
            tuple(
                msgspec.structs.replace(each, sectors=_sorted(each.sectors, rank))
                for each in scenario.issues
            ),
            lambda each: (each.date, each.obligation, [rank(name) for name in each.sectors]),
        ),
        events=_sorted(scenario.events, lambda each: (each.date, each.category, each.title)),
        offsets=_sorted(
            scenario.offsets, lambda each: (each.date, each.price_cny_t, each.stock_mt)
        ),
        rule_changes=_sorted(
            scenario.rule_changes, lambda each: (each.since, each.parameter, each.value)
        ),
        banking=scenario.banking
        and msgspec.structs.replace(
            scenario.banking, vintages=tuple(sorted(scenario.banking.vintages))
        ),
        population=msgspec.structs.replace(
            population,
            sectors=_sorted(population.sectors, lambda each: rank(each.name)),
            old_holdings=_sorted(population.old_holdings, lambda each: each.vintage),
        ),
    )


def _obligation(due: Obligation) -> Obligation:
    return msgspec.structs.replace(
        due,
        sectors=_sorted(due.sectors, _sector_rank()),
        usable=tuple(sorted(due.usable)),
        milestones=_sorted(due.milestones, lambda each: each.date),
    )


def _sorted(items: tuple[Any, ...], key: Callable[[Any], Any]) -> tuple[Any, ...]:
    return tuple(sorted(items, key=key))


def _sector_rank() -> Callable[[str], tuple[int, str]]:
    """Sectors in the order in which the market took them in, others after them by name."""
    latest = max((each for each in ENTRIES if each.name == "sectors"), key=lambda e: e.since)
    order = [str(name) for name in latest.value]  # type: ignore[attr-defined]
    return lambda name: (order.index(name) if name in order else len(order), name)


def canonical_form(scenario: Scenario) -> bytes:
    """Return the bytes that are hashed: JSON of the canonical scenario, keys sorted, UTF-8.

    Raises:
        OSError: the file of unit data cannot be read.
    """
    data = msgspec.to_builtins(canonical(scenario))
    units = data["population"]["units_file"]
    if units:
        digest = hashlib.sha256(Path(units).read_bytes()).hexdigest()
        data["population"]["units_file"] = f"sha256:{digest}"
    text = json.dumps(
        _without_minus_zero(data), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return text.encode()


def _without_minus_zero(data: Any) -> Any:
    if isinstance(data, dict):
        return {name: _without_minus_zero(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_without_minus_zero(value) for value in data]
    return data + 0.0 if isinstance(data, float) else data


def scenario_hash(scenario: Scenario) -> str:
    """Return the SHA-256 of the canonical form, 64 hex digits. OSError as ``canonical_form``."""
    return hashlib.sha256(canonical_form(scenario)).hexdigest()


def difference(left: Scenario, right: Scenario) -> list[Difference]:
    """Return every key in which two scenarios differ, in the order of the keys.

    Entries of lists go by what they are about (``obligations[2023 power].deadline``), not by
    their place; an empty list is returned exactly if the two have the same hash, unit data apart.
    """
    one, other = flat(left), flat(right)
    return [
        Difference(key, one.get(key, NOTHING), other.get(key, NOTHING))
        for key in sorted(one.keys() | other.keys())
        if one.get(key, NOTHING) != other.get(key, NOTHING)
    ]


# What an entry of a list is about.
ABOUT: dict[str, tuple[str, ...]] = {
    "vintages": ("code",),
    "obligations": ("year", "sectors"),
    "milestones": ("date",),
    "issues": ("date", "obligation", "sectors"),
    "events": ("date", "category", "title"),
    "offsets": ("date",),
    "rule_changes": ("since", "parameter"),
    "sectors": ("name",),
    "old_holdings": ("vintage",),
}


def flat(scenario: Scenario) -> dict[str, object]:
    """Return every value of the canonical scenario by its dotted key, dates as ISO text."""
    result: dict[str, object] = {}
    for key, value in _leaves("", "", msgspec.to_builtins(canonical(scenario))):
        free, count = key, 1
        while free in result:  # two entries about the same
            count += 1
            free = f"{key} #{count}"
        result[free] = value
    return result


def _leaves(key: str, name: str, data: Any) -> Iterator[tuple[str, object]]:
    if isinstance(data, dict):
        for each, value in data.items():
            yield from _leaves(f"{key}.{each}" if key else each, each, value)
    elif isinstance(data, list | tuple) and data and isinstance(data[0], dict):
        for item in data:
            label = " ".join(_label(item[each]) for each in ABOUT[name])
            yield from _leaves(f"{key}[{label}]", name, item)
    elif isinstance(data, list | tuple):
        yield key, ", ".join(str(item) for item in data)
    else:
        yield key, data


def _label(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
