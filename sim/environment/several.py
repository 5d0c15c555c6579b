"""Several entities of a season as a PettingZoo parallel environment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium
import numpy as np
from gymnasium import spaces
from pettingzoo import ParallelEnv

from sim.environment.acting import action_space
from sim.environment.choosing import Choice, SettingError, scenario_of
from sim.environment.observing import Observation, observation_space
from sim.environment.single import SEED_MAX
from sim.environment.table import Settings, Table
from sim.scenario.model import Scenario
from sim.season.streams import Array

By = dict[str, Any]


class SeveralEnv(ParallelEnv[str, Observation, Array]):  # type: ignore[misc]  # untyped package
    """Each agent plays one entity; all act at the same moments, in an order drawn each time.

    Agents are "seat_0", "seat_1" …; ``info["entity"]`` names whom they play. Observations, actions,
    rewards and settings are those of SeasonEnv. An agent leaves when its entity has surrendered
    everything; the others go on.

    Args:
        scenario, share, overrides, render_mode, settings: as in SeasonEnv.
        entities: names or Choices, one an agent.

    Raises:
        SettingError: no entity, one twice, or a setting that cannot be used.
    """

    metadata = {"name": "tanshi_season_v0", "render_modes": ["ansi"]}  # noqa: RUF012

    def __init__(
        self,
        entities: Sequence[str | Choice] = (Choice(size=0.25), Choice(size=0.75)),
        scenario: str | Scenario = "2024",
        share: float = 1.0,
        overrides: Mapping[str, object] | None = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        if not entities:
            raise SettingError("entities", entities, "at least one entity")
        choices = [each if isinstance(each, Choice) else Choice(each) for each in entities]
        self.table = Table(scenario_of(scenario, share, overrides), choices, Settings(**settings))
        self.render_mode = render_mode
        self.possible_agents = [f"seat_{number}" for number in range(len(choices))]
        self.agents: list[str] = []
        self.numbers = {name: number for number, name in enumerate(self.possible_agents)}
        v = self.table.vintages
        self.observation_spaces: dict[str, spaces.Space[Any]] = {
            name: observation_space(v) for name in self.possible_agents
        }
        self.action_spaces: dict[str, spaces.Space[Any]] = {
            name: action_space(v) for name in self.possible_agents
        }
        self._random = np.random.default_rng()

    def observation_space(self, agent: str) -> spaces.Space[Any]:
        """Return an agent's space of observations, always the same object."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> spaces.Space[Any]:
        """Return an agent's space of actions, always the same object."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Observation], dict[str, dict[str, Any]]]:
        """Begin a season: that of ``seed``, or without one the next of the environment's own."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        drawn = int(self._random.integers(SEED_MAX))
        self.table.begin(drawn if seed is None else seed)
        self.agents = list(self.possible_agents)
        return self._seen(self.agents), self._infos(self.agents)

    def step(self, actions: dict[str, Array]) -> tuple[By, By, By, By, By]:
        """Do everybody's actions and live on to the next moment.

        Returns observations, rewards, terminations, truncations and infos of those who acted.

        Raises:
            gymnasium.error.InvalidAction: an action outside its space, or of nobody who plays.
        """
        for name, action in actions.items():
            if name not in self.agents or not self.action_spaces[name].contains(action):
                raise gymnasium.error.InvalidAction(f"{name}: {action!r}")
        if not self.agents:
            return {}, {}, {}, {}, {}
        playing = self.agents
        rewards = self.table.play({self.numbers[name]: each for name, each in actions.items()})
        ended = {name: self.table.seats[self.numbers[name]].done for name in playing}
        self.agents = [name for name in playing if not ended[name]]
        return (
            self._seen(playing),
            {name: rewards[self.numbers[name]] for name in playing},
            ended,
            dict.fromkeys(playing, False),
            self._infos(playing),
        )

    def render(self) -> str | None:
        """Return every seat's moment as text with render_mode "ansi", else None."""
        if self.render_mode != "ansi":
            return None
        return "\n".join(self.table.text(seat) for seat in self.table.seats)

    def _seen(self, names: list[str]) -> dict[str, Observation]:
        seats = self.table.seats
        return {name: self.table.observe(seats[self.numbers[name]]) for name in names}

    def _infos(self, names: list[str]) -> dict[str, dict[str, Any]]:
        seats = self.table.seats
        return {name: self.table.info(seats[self.numbers[name]]) for name in names}


def parallel_env(**arguments: Any) -> SeveralEnv:
    """Return the parallel environment; arguments as for SeveralEnv (PettingZoo's usual name)."""
    return SeveralEnv(**arguments)
