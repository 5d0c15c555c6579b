"""Draws for a trader's own brakes, and for the time that lets its timer run out."""

from __future__ import annotations

from tests.reference.orders import Role
from tests.reference.venue import Account
from tests.reference.vocabulary import Cause, Kind
from tests.tape_draws import I8, CommandDict, Draws

SECOND_NS = 10**9
MOMENTS_NS = (0, 1, 1_000, 10**6)
OUTAGES_NS = (SECOND_NS, 90 * SECOND_NS, 3_600 * SECOND_NS, 20 * 3_600 * SECOND_NS)
TIMERS_MS = (1_000, 1_000, 5_000, 86_400_000, 0)
NO_TIMERS_MS = (1, 999, 86_400_001, -1, -1_000, I8, -I8 - 1)


class SafeguardDraws(Draws):
    """Each public method draws one command, but ``pause_ns``."""

    def mass_cancel(self) -> CommandDict:
        """All of an account, or of one vintage or side; for each of the three causes."""
        rows = self.twin.venue.accounts
        cause = self.random.choice((*Cause, Cause.OWNER, Cause.OWNER))
        ready = self._who_has_something()
        if cause is Cause.TIMER:
            ready = [row for row in rows if row.cancel_at_ns] or ready
            if not any(row.cancel_at_ns for row in rows) and self._chance(0.8):
                return self.set_timer()
        if cause is Cause.DISCONNECT and self._chance(0.5):
            ready = [row for row in rows if row.cancel_on_disconnect] or ready
        account = self._wrong_account()
        if ready and self._chance(0.9):
            account = self.random.choice(ready).number
        vintages = range(len(self.twin.venue.instruments))
        instrument, side, mode = self.random.choice((-1, -1, *vintages)), 0, int(cause)
        if self._chance(0.5):
            side = self.random.choice((1, 2))
        if self._chance(0.06):
            instrument = self.random.choice((99, -2, len(vintages)))
        if self._chance(0.06):
            side = self.random.choice((3, -1, 127))
        if self._chance(0.06):
            mode = self.random.choice((3, -1, 127))
        return self._command(
            Kind.MASS_CANCEL, account=account, instrument=instrument, side=side, mode=mode
        )

    def set_timer(self) -> CommandDict:
        """Set, refresh or switch off; sometimes for no time that is one."""
        among = NO_TIMERS_MS if self._chance(0.12) else TIMERS_MS
        amount = self.random.choice(among)
        return self._command(Kind.SET_TIMER, account=self._wrong_account(), amount=amount)

    def set_disconnect(self) -> CommandDict:
        """Wanted or not, sometimes neither."""
        amount = self.random.choice((1, 1, 0, 2, -1) if self._chance(0.2) else (1, 1, 0))
        return self._command(Kind.SET_DISCONNECT, account=self._wrong_account(), amount=amount)

    def pause_ns(self, command: CommandDict) -> int:
        """Nanoseconds until this command: a moment; an outage; just until a timer runs out."""
        by_timer = command["kind"] == Kind.MASS_CANCEL and command["mode"] == Cause.TIMER
        if by_timer and self._known(command["account"]) and self._chance(0.7):
            venue = self.twin.venue
            left = venue.accounts[command["account"]].cancel_at_ns - venue.time_ns
            if left > 0:
                return left + self.random.choice((0, 0, -1, 1, 3_600 * SECOND_NS))
        return self.random.choice(OUTAGES_NS if self._chance(0.0005) else MOMENTS_NS)

    def _who_has_something(self) -> list[Account]:
        """Owners of open orders and responders; those in talks and sessions rather than others."""
        venue = self.twin.venue
        open_talks = [talk for talk in venue.negotiations if talk.is_open]
        special = [talk.responder for talk in open_talks]
        special += [talk.offer.account for talk in open_talks]
        special += [o.account for o in venue.resting.values() if o.role is not Role.BOOK]
        if special and self._chance(0.6):
            return special
        return [order.account for order in venue.resting.values()]
