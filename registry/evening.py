"""What the registry has to say to the exchange next, in the evening (ST-04, ST-16, ST-17).

``next_command`` is asked until it answers None; each answer is submitted to the exchange in
between. It remembers nothing: both institutions' books say where the evening stands, so a crash
of either side, at any point, is followed by simply asking again.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.deals import deal_file
from engine.records import Kind, Phase, commands
from engine.state import State
from registry.errors import StopError
from registry.institution import Registry


def next_command(registry: Registry, state: State) -> np.ndarray[Any, Any] | None:
    """Return the next command of the evening, COMMAND of shape (1,), or None if there is none.

    CLOSED: CONFIRM_DAY if the registry clears the day, else DISPUTE_DAY. CONFIRMED: POST_DAY once
    the registry has posted. DISPUTED: CONFIRM_DAY once the cause is mended, until then None.
    A trade undone between clearing and CONFIRM_DAY has the exchange refuse it (FILE_DIFFERS); once
    the registry has heard of the void, asking again clears what is left (TR-121).
    ``seq`` and ``time_ns`` are left to the sequencer. Raises StopError and UnavailableError; then
    nothing has moved.
    """
    market = state.market[0]
    phase = int(market["phase"])
    if phase in (Phase.CLOSED, Phase.DISPUTED):
        registry.record_done(int(market["instruction_no"]))
        file = deal_file(state)
        cleared = registry.clear(file, goods_t_plus=int(state.rules[0]["goods_t_plus"]))
        if cleared.sound:
            return _command(Kind.CONFIRM_DAY, file.tag, len(file.deals))
        return _command(Kind.DISPUTE_DAY) if phase == Phase.CLOSED else None
    if phase == Phase.CONFIRMED:
        tag = int(market["file_tag"])
        if deal_file(state).tag != tag:
            raise StopError(
                "file_differs", "The exchange has confirmed another deal file than it has now."
            )
        registry.post(int(market["date"]), tag)
        return _command(Kind.POST_DAY, tag)
    return None


def _command(kind: Kind, ref: int = 0, amount: int = 0) -> np.ndarray[Any, Any]:
    batch = commands(1)
    batch["kind"] = kind
    batch["ref"] = ref
    batch["amount"] = amount
    return batch
