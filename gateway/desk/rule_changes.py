"""Rule changes of two people: which parameters there are, and what stands against the rulebook.

Every morning the day cycle brings the exchange to the rulebook. What two people have set stands
all the same (ST-07), until they set it again or the rulebook changes that parameter on a later day.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np

from engine.accounts import PARAMETER_BOUNDS
from engine.calendar import date_of, next_trading_day, number_of
from engine.records import RULES, Parameter
from engine.rulebook import Rules, parameter_commands
from engine.state import State
from gateway.desk.proposals import APPROVED, Proposals, Stored

WEIGHT = "composite_weight"  # the one parameter of an instrument
PARAMETERS = {name: number for number, name in enumerate(RULES.names or (), start=1)}
PARAMETERS[WEIGHT] = int(Parameter.COMPOSITE_WEIGHT)
PARAMETER_NAMES = {number: name for name, number in PARAMETERS.items()}

Place = tuple[int, int]  # parameter, instrument's row or -1


def bounds(parameter: str) -> tuple[int, int]:
    """Return the least and the greatest value of a parameter. KeyError: there is none."""
    return PARAMETER_BOUNDS[PARAMETERS[parameter]]


def first_day(state: State, today: int) -> int:
    """Return the day from which a rule set now is in force; ``today``: before the first day."""
    last = date_of(int(state.market[0]["date"]))
    return today if last is None else number_of(next_trading_day(last))


def standing(
    batch: np.ndarray, proposals: Proposals, state: State, rules: Callable[[dt.date], Rules]
) -> np.ndarray:
    """Return which commands of the rulebook would undo what two people have set.

    batch: shape (n,), dtype COMMAND, what ``parameter_commands`` wants. The answer: shape (n,),
    bool. A proposal is in force where the exchange has its value: one that was refused is not.
    """
    count = int(state.market[0]["instruments"])
    codes = [code.decode() for code in state.instruments["code"][:count].tolist()]
    found = np.zeros(len(batch), bool)
    if len(batch) == 0:
        return found
    in_force = _in_force(proposals, state, codes)
    for at, command in enumerate(batch):
        place = (int(command["ref"]), int(command["instrument"]))
        stored = in_force.get(place)
        day = None if stored is None else date_of(stored.first_day)
        if day is not None:
            wanted = parameter_commands(rules(day), state.rules, state.instruments[:count])
            found[at] = int(command["amount"]) == _values(wanted).get(place)
    return found


def _values(batch: np.ndarray) -> dict[Place, int]:
    columns = (batch["ref"].tolist(), batch["instrument"].tolist(), batch["amount"].tolist())
    return {(ref, row): amount for ref, row, amount in zip(*columns, strict=True)}


def _in_force(proposals: Proposals, state: State, codes: list[str]) -> dict[Place, Stored]:
    """Return the newest approved change of each place that the exchange has in its rules."""
    found: dict[Place, Stored] = {}
    for stored in proposals.all():
        if stored.action != "set_parameter" or stored.status != APPROVED:
            continue
        name, value = stored.values["parameter"], stored.values["value"]
        if name == WEIGHT:
            code = stored.values["instrument"]
            row = codes.index(code) if code in codes else -1
            now = int(state.instruments["weight"][row]) if row >= 0 else None
        else:
            row, now = -1, int(state.rules[0][name])
        if now == value:
            found[PARAMETERS[name], row] = stored
    return found
