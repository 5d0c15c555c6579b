"""Playing one entity, or several, of a season: a Gymnasium and a PettingZoo environment.

Importing this package registers ``tanshi/Season-v0`` with Gymnasium; see
docs/how-to/train-an-agent.md.
"""

from __future__ import annotations

import gymnasium

from sim.environment.choosing import Choice, SettingError
from sim.environment.several import SeveralEnv, parallel_env
from sim.environment.single import SeasonEnv
from sim.environment.table import Settings

__all__ = [
    "ENV_ID",
    "Choice",
    "SeasonEnv",
    "SettingError",
    "Settings",
    "SeveralEnv",
    "parallel_env",
]

ENV_ID = "tanshi/Season-v0"

if ENV_ID not in gymnasium.registry:
    gymnasium.register(ENV_ID, entry_point="sim.environment.single:SeasonEnv")
