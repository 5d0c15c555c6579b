"""Tables of precedence: each rank says what makes a command wrong in one way.

The test for a rank takes a command that is wrong in this way and in all ways further down, and
expects this rank's reason. (Where one field can only be wrong in one way at a time, the upper
rank's value stands.)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from engine.reasons import Reason
from engine.records import Kind
from tests.scenarios.floor import Floor


@dataclass
class Rank:
    """One way to be wrong: the fields that make it so, the part of the day, what came before."""

    reason: Reason
    fields: dict[str, int | str] = field(default_factory=dict)
    stage: str = ""
    before: dict[str, int] | None = None  # a command of the exchange that is sent first


Ladder = tuple[Kind, list[Rank]]
HALTS = (
    Rank(Reason.MARKET_HALTED, before={"kind": Kind.HALT_MARKET}),
    Rank(Reason.INSTRUMENT_HALTED, before={"kind": Kind.HALT_INSTRUMENT}),  # every vintage
)


def rank(reason: Reason, stage: str = "", **fields: int | str) -> Rank:
    """Shorthand of the tables."""
    return Rank(reason, fields, stage)


def cases(ladders: dict[str, Ladder]) -> dict[str, Any]:
    """Arguments of ``parametrize``: every rank of every ladder, with a readable name."""
    places = [(name, place) for name, (_, ranks) in ladders.items() for place in range(len(ranks))]
    names = [f"{name}-{ladders[name][1][place].reason.name}" for name, place in places]
    return {"argvalues": places, "ids": names}


def play(
    floor: Floor,
    named: dict[str, int],
    ladder: Ladder,
    place: int,
    go_to: Callable[[Floor, str], None],
) -> None:
    """Send what is wrong from this rank downwards; this rank's reason must be given."""
    kind, ranks = ladder
    fields: dict[str, int] = {}
    stage, halts = "", []
    for wrong in reversed(ranks[place:]):
        fields |= {k: named[v] if isinstance(v, str) else v for k, v in wrong.fields.items()}
        stage = wrong.stage or stage
        halts += [wrong.before] if wrong.before else []
    go_to(floor, stage)
    for before in halts:
        _halt(floor, before)
    floor.send(kind, **fields).refused(ranks[place].reason)


def _halt(floor: Floor, before: dict[str, int]) -> None:
    if before["kind"] == Kind.HALT_MARKET:
        floor.send(Kind.HALT_MARKET).done()
        return
    for instrument in range(len(floor.vintages)):
        floor.send(Kind.HALT_INSTRUMENT, instrument=instrument).done()
