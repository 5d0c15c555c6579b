"""A trader's brakes at the rim: many cancels at once, a lost line, a dead-man's timer (TR-43).

What they do is decided by the exchange, by journalled commands (``engine.safeguards``); here is
only when. A line that is lost starts a grace of real time: networks heal by the wall's clock. The
timer runs in the venue's time. Both survive a restart: the exchange's state remembers them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.records import Cause, Event, Kind
from gateway.authority import TRADER
from gateway.desk.commands import body, venue_body
from gateway.desk.negotiations import BUY_SELL, Handlers
from gateway.journal.sequencer import Clock
from gateway.wire import trader_messages as t

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

GRACE_AT_START_S = 10.0  # for those whose lines were lost with the venue itself


class Safeguards:
    """One per desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._graces: dict[int, asyncio.TimerHandle] = {}  # by account
        self._changed = asyncio.Event()
        self.handlers: Handlers = {t.CancelAll: self._cancel_all, t.CancelAfter: self._cancel_after}

    # messages

    def _cancel_all(self, session: Session, message: t.CancelAll) -> None:
        named: dict[str, int] = {}
        if message.instrument is not None:
            instrument = self._desk.row_of(session, message)
            if instrument is None:
                return
            named["instrument"] = instrument
        if message.side is not None:
            if message.side not in BUY_SELL:  # the exchange would take "" for both sides
                session.refuse("out_of_range", message.client_order_id, "side")
                return
            named["side"] = BUY_SELL[message.side]
        made = body(session, Kind.MASS_CANCEL, **named)
        self._desk.enter(session, message.client_order_id, made)

    def _cancel_after(self, session: Session, message: t.CancelAfter) -> None:
        made = body(session, Kind.SET_TIMER, amount=message.timeout_ms)
        self._desk.enter(session, message.client_order_id, made)

    # lines

    def joined(self, session: Session) -> None:
        """A line of an account is logged in: no grace runs any more, and it may arm itself."""
        if not _trades(session):
            return
        grace = self._graces.pop(session.account, None)
        if grace is not None:
            grace.cancel()
        if session.cancel_on_disconnect or grace is not None:  # who comes back decides anew
            self._arm(session.account, session.cancel_on_disconnect)

    def left(self, session: Session, *, lost: bool) -> None:
        """A line is gone; ``lost``: without a logout. The last armed one starts the grace."""
        if not _trades(session) or not session.cancel_on_disconnect:
            return
        others = self._desk.sessions.get(session.account, ())
        if any(_trades(other) and other.cancel_on_disconnect for other in others):
            return
        if lost:
            self._begin_grace(session.account, session.grace_ms / 1000)
        else:
            self._arm(session.account, False)

    def _arm(self, account: int, wanted: bool) -> None:
        state = self._desk.exchange.state
        if account >= int(state.market[0]["accounts"]):
            return  # the key is there before its account
        if bool(state.accounts[account]["cancel_on_disconnect"]) != wanted:
            self._enter(Kind.SET_DISCONNECT, account, amount=int(wanted))

    def _begin_grace(self, account: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._graces[account] = loop.call_later(seconds, self._grace_over, account)

    def _grace_over(self, account: int) -> None:
        self._graces.pop(account, None)
        self._enter(Kind.MASS_CANCEL, account, mode=Cause.DISCONNECT)

    def _enter(self, kind: Kind, account: int, **fields: int) -> None:
        sequencer = self._desk.sequencer
        sequencer.stamp()
        sequencer.enter(venue_body(kind, account=account, **fields))
        sequencer.flush()

    # the venue

    def note(self, kinds: np.ndarray[Any, Any]) -> None:
        """New events (their kinds): a timer may have been set."""
        if (kinds == Event.TIMER_SET).any():
            self._changed.set()

    async def run(self, clock: Clock) -> None:
        """Begin the graces of lines lost with the venue, then watch the timers for ever."""
        state = self._desk.exchange.state
        for account in np.flatnonzero(state.accounts["cancel_on_disconnect"]).tolist():
            if account not in self._graces and account not in self._desk.sessions:
                self._begin_grace(account, GRACE_AT_START_S)
        while True:
            self._changed.clear()
            await _first(self._changed.wait, *self._next_timer(clock))

    def _next_timer(self, clock: Clock) -> list[Callable[[], Any]]:
        """Return what to wait for until the next timer is due; fire those that are."""
        timers = self._desk.exchange.state.accounts["cancel_at_ns"]
        set_now = np.flatnonzero(timers)
        if not len(set_now):
            return []
        now_ns = clock.now_ns()
        due = set_now[timers[set_now] <= now_ns]
        if len(due):
            for account in due.tolist():
                self._enter(Kind.MASS_CANCEL, account, mode=Cause.TIMER)
            return [lambda: asyncio.sleep(FIRED_AGAIN_S)]
        next_ns = int(timers[set_now].min())
        return [lambda: clock.wait_until(next_ns)]


FIRED_AGAIN_S = 0.05  # the exchange has switched the timer off by then


def _trades(session: Session) -> bool:
    return session.account >= 0 and session.key is not None and TRADER in session.key.roles


async def _first(*waits: Callable[[], Any]) -> None:
    """Return when the first of several waits is over; the others are given up."""
    tasks = [asyncio.ensure_future(wait()) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
