"""When a bidding session opens and closes: by the window the exchange published (TR-81, TR-32).

Pure: looks at the state and at the time, returns the next step of any session and when it is due.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from engine.calendar import date_of
from engine.records import Kind, Phase, SessionStatus, commands
from engine.state import State
from gateway.clock import beijing_ns

TRADING = (Phase.MORNING, Phase.AFTERNOON)


class SessionStep(NamedTuple):
    """OPEN_SESSION, CLOSE_SESSION or REJECT_SESSION of ``session_no``, due at ``due_ns``."""

    due_ns: int
    kind: Kind
    session_no: int

    def command(self) -> np.ndarray:
        """Return the command, shape (1,), dtype COMMAND."""
        batch = commands(1)
        batch["kind"], batch["ref"] = self.kind, self.session_no
        return batch


def next_session_step(state: State) -> SessionStep | None:
    """Return the earliest step that can be taken, now or later, of today's sessions.

    A session that could not be opened within its window (the market was halted or closed, or the
    venue did not run) is rejected at its end: nobody could bid.
    """
    market = state.market[0]
    day = date_of(int(market["date"]))
    if day is None:
        return None  # there is no session before the first day
    found: list[SessionStep] = []
    for row in range(1, int(market["sessions"])):
        session = state.sessions[row]
        number = int(market["session_base"]) + row
        begins, ends = (beijing_ns(day, int(session[f])) for f in ("from_minute", "until_minute"))
        status = int(session["status"])
        if status == SessionStatus.OPEN:
            found.append(SessionStep(ends, Kind.CLOSE_SESSION, number))
        elif status == SessionStatus.NOTICED:
            halted = market["halted"] or state.instruments[int(session["instrument"])]["halted"]
            if int(market["phase"]) in TRADING and not halted and int(market["time_ns"]) < ends:
                found.append(SessionStep(begins, Kind.OPEN_SESSION, number))
            else:
                found.append(SessionStep(ends, Kind.REJECT_SESSION, number))
    return min(found, default=None)
