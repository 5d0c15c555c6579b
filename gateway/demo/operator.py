"""The demo's person at the exchange: answers applications for bidding sessions (TR-80, TR-81).

Whoever applies is given the next window of the rulebook; who comes too late for today's windows is
turned down. The day cycle opens and closes what is published. Answers are commands through the
sequencer, decided from the exchange's state alone, so a restart goes on where the journal ends.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import numpy as np

from engine.bidding import session_no
from engine.calendar import date_of
from engine.records import Event, Kind, Phase, SessionStatus, commands
from engine.rulebook import Rulebook
from gateway.clock import beijing_ns
from gateway.venue import Venue

logger = logging.getLogger(__name__)

LOOK_S = 0.2  # real time between two looks
OPERATOR = 1  # who it is, in the journal
BEFORE_LUNCH = (Phase.PRE_OPEN, Phase.MORNING)  # later no window is still to come


class DemoOperator:
    """``run`` works until it is cancelled; ``now_ns`` is the demo's clock."""

    def __init__(self, venue: Venue, now_ns: Callable[[], int]) -> None:
        self._venue = venue
        self._now_ns = now_ns

    async def run(self) -> None:
        """Look at the day's sessions again and again."""
        while True:
            for batch in self.due():
                events = await self._venue.sequencer.submit(batch)
                if (events["kind"] == Event.REFUSED).any():
                    logger.info("bidding session %d: not now", int(batch[0]["ref"]))
            await asyncio.sleep(LOOK_S)

    def due(self) -> list[np.ndarray]:
        """Return the answers that are due, one batch each."""
        state = self._venue.exchange.state
        early, now_ns = int(state.market[0]["phase"]) in BEFORE_LUNCH, self._now_ns()
        found = []
        for row in range(1, int(state.market[0]["sessions"])):
            if int(state.sessions[row]["status"]) == SessionStatus.APPLIED:
                number = session_no(state, row)
                late = _command(Kind.REJECT_SESSION, number)
                found.append(self._answer(number, now_ns) if early else late)
        return found

    def _answer(self, number: int, now_ns: int) -> np.ndarray:
        """Publish a session in the first window that is still to come, or turn it down (TR-32)."""
        day = date_of(int(self._venue.exchange.state.market[0]["date"]))
        assert day is not None, "the day has begun"
        for window in Rulebook.on(day).auction_windows:
            if beijing_ns(day, window.opens_minute) > now_ns:
                batch = _command(Kind.NOTICE_SESSION, number)
                batch["from_minute"] = window.opens_minute
                batch["until_minute"] = window.closes_minute
                return batch
        return _command(Kind.REJECT_SESSION, number)


def _command(kind: Kind, number: int) -> np.ndarray:
    batch = commands(1)
    batch["kind"], batch["ref"], batch["operator"] = kind, number, OPERATOR
    return batch
