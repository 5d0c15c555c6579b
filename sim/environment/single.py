"""``tanshi/Season-v0``: one entity of a season as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium

from sim.environment.acting import action_space
from sim.environment.choosing import Choice, scenario_of
from sim.environment.observing import Observation, observation_space
from sim.environment.table import Settings, Table
from sim.scenario.model import Scenario
from sim.season.streams import Array

SEED_MAX = 2**31


class SeasonEnv(gymnasium.Env[Observation, Array]):
    """The agent plays one entity; everybody else is the season's, with unchanged draws.

    Observations: sim.environment.observing. Actions: sim.environment.acting. Rewards:
    sim.environment.rewarding. An episode ends (``terminated``) on the evening on which the entity
    has surrendered all that it owes in the season, or with the season's last day; it is never
    truncated.

    Args:
        scenario: name of a season, path of a scenario file, or a Scenario.
        share: part of the population that is simulated (with a name or a path).
        overrides: dotted keys of the scenario, as ``sim.scenario.reading.load`` takes them.
        entity: name of the entity to play; None = chosen by ``size`` and ``position``.
        size: 0 the smallest … 1 the largest of the position.
        position: "short", "long" or "any".
        render_mode: "ansi" or None.
        settings: those of sim.environment.table.Settings, e.g. ``step="slot"``.

    Raises:
        SettingError: a setting that cannot be used.
        ScenarioError: a scenario that cannot be read.
    """

    metadata = {"render_modes": ["ansi"], "render_fps": 4}  # noqa: RUF012 - Gymnasium's own way

    def __init__(
        self,
        scenario: str | Scenario = "2024",
        share: float = 1.0,
        overrides: Mapping[str, object] | None = None,
        entity: str | None = None,
        size: float = 0.5,
        position: str = "short",
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        choice = Choice(entity, size, position)
        self.table = Table(scenario_of(scenario, share, overrides), [choice], Settings(**settings))
        self.render_mode = render_mode
        self.observation_space = observation_space(self.table.vintages)
        self.action_space = action_space(self.table.vintages)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Begin a season: that of ``seed``, or without one the next of the environment's own.

        Returns the observation of the first moment and its info. ``options`` are not used.
        """
        super().reset(seed=seed)
        drawn = int(self.np_random.integers(SEED_MAX))
        self.table.begin(drawn if seed is None else seed)
        seat = self.table.seats[0]
        return self.table.observe(seat), self.table.info(seat)

    def step(self, action: Array) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        """Do an action and live on to the next moment.

        Raises:
            gymnasium.error.InvalidAction: not inside ``action_space``.
            gymnasium.error.ResetNeeded: before the first reset, or after the end.
        """
        if not self.action_space.contains(action):
            raise gymnasium.error.InvalidAction(f"{action!r} is not in {self.action_space}")
        if not self.table.seats or self.table.seats[0].done:
            raise gymnasium.error.ResetNeeded("the season is over or has not begun: call reset()")
        rewards = self.table.play({0: action})
        seat = self.table.seats[0]
        return self.table.observe(seat), rewards[0], seat.done, False, self.table.info(seat)

    def render(self) -> str | None:
        """Return the moment as text with render_mode "ansi", else None."""
        return self.table.text(self.table.seats[0]) if self.render_mode == "ansi" else None
