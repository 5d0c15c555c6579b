"""What an agent is rewarded for: minus the cost of compliance, plus what sales bring.

The reward of a step, in ``reward_unit_cny`` yuan, is

- the change of its cash (fees included; money frozen by an order is still its own), less what its
  offsets cost in that time, and,
- on the evening of a surrender, less the fine for what is missing (CP-60…62, at ``penalty_share``
  of the way from the least to the most) and less the price of the missing tonnes themselves: they
  are taken from the next allocation (CP-60) or have to be handed in later (CP-61, CP-62). They are
  counted at the mean price of CP-63, or at the composite close in a month without a trade, and
- in the end, plus ``rest_share`` times the composite close for every tonne that is left and may
  be carried over (AL-51). It is 0 by default: then tonnes that are left over are worth nothing.

With ``shaping`` every step adds the change of a potential: minus the need times the composite
close, 0 in the end. It sums to a constant, the need at the start, so it changes no ranking of
policies.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.environment.choosing import SettingError
from sim.environment.played import PlayedSeason
from sim.results.compliance import penalty_cny
from sim.season.surrender import Surrender

Ending = dict[str, float]


@dataclass(frozen=True)
class Costs:
    """How rewards are counted.

    Args:
        reward_unit_cny: yuan in a reward of 1.
        penalty_share: 0 = the least fine of the law … 1 = the most.
        rest_share: of the close, what a tonne that is left over is worth.
        shaping: add the change of the potential.

    Raises:
        SettingError: a value outside its bounds.
    """

    reward_unit_cny: float = 1e6
    penalty_share: float = 0.5
    rest_share: float = 0.0
    shaping: bool = False

    def __post_init__(self) -> None:
        if not self.reward_unit_cny > 0.0:
            raise SettingError("reward_unit_cny", self.reward_unit_cny, "a number above 0")
        for name in ("penalty_share", "rest_share"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise SettingError(name, value, "a number from 0 to 1")


def surrender_cost(season: PlayedSeason, end: Surrender, row: int, costs: Costs) -> Ending:
    """Return what a surrender cost one entity: tonnes and yuan by name."""
    price = end.money.december_cny_t or close_cny_t(season)
    short = end.short_t[row : row + 1]
    obligation = season.scenario.obligations[end.row]
    low, high = (float(each[0]) for each in penalty_cny(obligation, short, price))
    return {
        "due_t": float(season.people.due_t[end.row, row]),
        "offset_t": float(end.offset_t[row]),
        "surrendered_t": float(end.surrendered_t[row]),
        "short_t": float(short[0]),
        "fine_cny": low + costs.penalty_share * (high - low),
        "missing_cny": float(short[0]) * price,
        "expired_t": float(end.expired_t[row]),
    }


def rest_cny(season: PlayedSeason, row: int, ends: list[Ending], costs: Costs) -> float:
    """Return what the tonnes are worth that are left after the evening's surrenders, yuan.

    ends: of this evening, whose tonnes are still in the account (they leave it in the morning).
    """
    left = float(season.floor.holdings_t()[row].sum())
    left -= sum(each["surrendered_t"] for each in ends)
    left -= max((each["expired_t"] for each in ends), default=0.0)
    return float(costs.rest_share * close_cny_t(season) * max(left, 0.0))


def close_cny_t(season: PlayedSeason) -> float:
    """Return the composite close, yuan a tonne (TR-104)."""
    return season.floor.composite_ticks() / 100.0


def potential_cny(season: PlayedSeason, need_t: int) -> float:
    """Return the potential of shaping: minus what the need would cost at the close, yuan."""
    return float(-np.float64(need_t) * close_cny_t(season))
