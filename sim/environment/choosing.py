"""Which entity an agent plays: by its name, or by size and position."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.scenario.model import Scenario
from sim.scenario.reading import load, smaller
from sim.season.people import People

POSITIONS = ("short", "long", "any")


class SettingError(ValueError):
    """A setting of the environment cannot be used; ``setting`` names it."""

    code = "setting_invalid"

    def __init__(self, setting: str, value: object, expected: str) -> None:
        super().__init__(f"{setting} = {value!r}: {expected} is expected")
        self.setting = setting


@dataclass(frozen=True)
class Choice:
    """One entity: its name, or else its place by size among those of a position.

    Args:
        name: as in the tables, e.g. ``"PW00017"``; the same in every seed.
        size: 0 the smallest … 1 the largest of those that fit, by yearly emissions. Sizes are
            drawn, so another seed may choose another name.
        position: ``"short"`` (allowances issued and old holdings fall short of what is due),
            ``"long"`` (they do not), or ``"any"``.

    Raises:
        SettingError: size outside 0…1, or an unknown position.
    """

    name: str | None = None
    size: float = 0.5
    position: str = "short"

    def __post_init__(self) -> None:
        if not 0.0 <= self.size <= 1.0:
            raise SettingError("size", self.size, "a number from 0 to 1")
        if self.position not in POSITIONS:
            raise SettingError("position", self.position, " or ".join(POSITIONS))

    def row(self, people: People) -> int:
        """Return the entity's row in a population.

        Raises:
            SettingError: nobody has that name, or nobody is in that position.
        """
        if self.name is not None:
            if self.name not in people.names:
                said = f"an entity from {people.names[0]} to {people.names[-1]}"
                raise SettingError("entity", self.name, said)
            return people.names.index(self.name)
        due = people.due_t.sum(axis=0)
        short = people.allocation_t.sum(axis=0) + people.old_t.sum(axis=0) < due
        fits = {"short": short, "long": ~short, "any": np.ones(people.count, bool)}[self.position]
        rows = np.flatnonzero(fits & (due > 0))
        if not len(rows):
            raise SettingError("position", self.position, "a position that some entity has")
        ranked = rows[np.argsort(people.size_t[rows], kind="stable")]
        return int(ranked[round(self.size * (len(ranked) - 1))])


def scenario_of(
    scenario: str | Scenario, share: float, overrides: Mapping[str, object] | None
) -> Scenario:
    """Return a season to play: a name or path, ``share`` of its population, overrides on top.

    Raises:
        SettingError: share not above 0 and at most 1, or given together with a ready Scenario.
        ScenarioError: the scenario cannot be read or an override is wrong.
    """
    if isinstance(scenario, Scenario):
        if share != 1.0 or overrides:
            raise SettingError("share", share, "1 and no overrides with a scenario made by hand")
        return scenario
    if not 0.0 < share <= 1.0:
        raise SettingError("share", share, "a number above 0 and at most 1")
    changes = {} if share == 1.0 else smaller(load(scenario), share)
    return load(scenario, {**changes, **(overrides or {})})
