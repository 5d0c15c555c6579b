"""Draws for risk control and institutions: restrictions, halts, kills, voids, court orders.

What chokes a market is lifted again sooner than it is imposed, so that tapes stay busy.
"""

from __future__ import annotations

from tests.reference.ledger import buying_tonnes
from tests.reference.orders import Order, Role
from tests.reference.vocabulary import (
    QTY_TONNES_MAX,
    Kind,
    NegotiationStatus,
    SessionStatus,
    Side,
)
from tests.tape_draws import I8, CommandDict, Draws

NOT_ANY_TIME = (Kind.ADMIT_INSTRUMENT, Kind.OPEN_ACCOUNT, Kind.CLOSE_DAY, Kind.BEGIN_DAY)
HARMLESS = tuple(kind for kind in Kind if kind not in NOT_ANY_TIME)


class ControlDraws(Draws):
    """Each method draws one command."""

    def set_free(self) -> CommandDict:
        """Lift a restriction or a halt, if there is one."""
        venue = self.twin.venue
        lifts = [
            self._command(Kind.BLOCK_ACCOUNT, account=row.number)
            for row in venue.accounts
            if row.blocks
        ]
        lifts += [
            self._command(Kind.RESUME_INSTRUMENT, instrument=row.number)
            for row in venue.instruments
            if row.halted
        ]
        return self.random.choice(lifts) if lifts else self.noop()

    def block(self) -> CommandDict:
        """Restrict an account or, more often, set it free."""
        rows = self.twin.venue.accounts
        blocked = [row.number for row in rows if row.blocks]
        if blocked and self._chance(0.7):
            return self._command(Kind.BLOCK_ACCOUNT, account=self.random.choice(blocked))
        bits = self.random.choice((1, 2, 4, 8, 16, 3, 28, 31, 32, -1, 0))
        return self._command(Kind.BLOCK_ACCOUNT, account=self._wrong_account(), amount=bits)

    def guard(self) -> CommandDict:
        """Guard tonnes around what is available, or none."""
        account, instrument = self._wrong_account(), self._any_instrument()
        qty, number = 0, 0
        if instrument is not None and self._known(account):
            number = instrument.number
            row = self.twin.holding(account, number)
            qty = self.random.choice((0, 0, row.available // 2, row.available, self._small()))
        if self._chance(0.05):
            qty = self.random.choice((-1, QTY_TONNES_MAX, QTY_TONNES_MAX + 1))
        if self._chance(0.04):
            number = 99
        return self._command(Kind.GUARD_HOLDING, account=account, instrument=number, qty_tonnes=qty)

    def limit(self) -> CommandDict:
        """Limit an account to a little more than it has and wants, or lift the limit."""
        venue, account, qty = self.twin.venue, self._wrong_account(), 0
        limited = [row.number for row in venue.accounts if row.holding_max]
        if limited and self._chance(0.7):
            return self._command(Kind.LIMIT_HOLDING, account=self.random.choice(limited))
        if self._known(account):
            row = venue.accounts[account]
            qty = row.tonnes + buying_tonnes(venue, row) + self.random.choice((0, 3, 10, 30))
        if self._chance(0.05):
            qty = self.random.choice((-1, QTY_TONNES_MAX, QTY_TONNES_MAX + 1))
        return self._command(Kind.LIMIT_HOLDING, account=account, qty_tonnes=qty)

    def warn(self) -> CommandDict:
        """A stage of a warning."""
        stage = self.random.choice((1, 2, 3, 4, 0, 5))
        return self._command(Kind.WARN_ACCOUNT, account=self._wrong_account(), amount=stage)

    def halt(self) -> CommandDict:
        """Halts, rarely; the end of one, often."""
        venue = self.twin.venue
        halted = [row.number for row in venue.instruments if row.halted]
        if venue.halted and self._chance(0.7):
            again = self._chance(0.12)
            return self._command(Kind.HALT_MARKET if again else Kind.RESUME_MARKET)
        if halted and self._chance(0.7):
            return self._command(Kind.RESUME_INSTRUMENT, instrument=self.random.choice(halted))
        kind = self.random.choice(
            (Kind.HALT_INSTRUMENT, Kind.HALT_MARKET, Kind.RESUME_INSTRUMENT, Kind.RESUME_MARKET)
        )
        if kind is Kind.HALT_MARKET and self._chance(0.6):
            kind = Kind.HALT_INSTRUMENT
        rows = len(venue.instruments)
        return self._command(kind, instrument=self.random.choice((*range(rows), rows, -1)))

    def kill(self) -> CommandDict:
        """An account, a vintage, both, or the market."""
        account = self.random.choice((-1, self._account(), self._account()))
        rows = len(self.twin.venue.instruments)
        instrument = self.random.choice((-1, -1, *range(rows)))
        if self._chance(0.1):
            account, instrument = self.random.choice(((99, -1), (-1, 99), (-2, -1), (-1, -2)))
        bits = self.random.choice((0, 0, 1, 2, 3, 31))
        if self._chance(0.05):
            bits = self.random.choice((32, -1, I8, -I8 - 1, 2**31))
        return self._command(Kind.KILL, account=account, instrument=instrument, amount=bits)

    def void(self) -> CommandDict:
        """Undo a trade of today, mostly one that stands."""
        trades = list(self.twin.venue.trades.values())
        number = self.random.choice((0, 1, self.twin.venue.trade_no + 1))
        if trades and self._chance(0.9):
            number = self.random.choice(trades[-12:]).number
        return self._command(Kind.VOID_TRADE, ref=number, **self._two_people())

    def court(self) -> CommandDict:
        """Freeze, release, deduct; freezing often reaches into open sales and sessions."""
        account, instrument = self._wrong_account(), self._any_instrument()
        sellers = [o for o in self.twin.venue.resting.values() if o.side is Side.SELL]
        if sellers and self._chance(0.6):
            special = [o for o in sellers if o.role is not Role.BOOK]
            order: Order = self.random.choice(special or sellers)
            account, instrument = order.account.number, order.instrument
        kinds = (Kind.FREEZE_HOLDING, Kind.RELEASE_HOLDING, Kind.DEDUCT_HOLDING)
        kind, qty, number = self.random.choice(kinds), self._small(), -1
        if self._chance(0.06):
            number = self.random.choice((99, -1))
        elif instrument is not None and self._known(account):
            number = instrument.number
            row = self.twin.holding(account, number)
            both = row.available + row.frozen
            near = (qty, row.available, row.available + 1, both, both + 1, both - 1)
            if kind is not Kind.FREEZE_HOLDING:
                near = (row.judicial, row.judicial, row.judicial + 1, row.judicial // 2, 0, qty)
            qty = self.random.choice(near)
        return self._command(
            kind, account=account, instrument=number, qty_tonnes=qty, **self._two_people()
        )

    def undermine(self) -> CommandDict:
        """Take away what somebody needs soon: money, tonnes, or the right to act."""
        venue = self.twin.venue
        victims = [t.responder for t in venue.negotiations if t.is_open]
        victims += [t.offer.account for t in venue.negotiations if t.is_open]
        agreed = [t for t in venue.negotiations if t.status is NegotiationStatus.AGREED]
        victims += [t.proposer for t in agreed] * 3
        waiting = [s for s in venue.sessions.values() if s.status is SessionStatus.APPLIED]
        victims += [s.applicant for s in waiting] * 2
        instruments = [t.offer.instrument for t in venue.negotiations if t.is_open]
        instruments += [s.instrument for s in waiting]
        if not victims:
            return self.noop()
        account, instrument = self.random.choice(victims), self.random.choice(instruments)
        row = account.holdings[instrument.number]
        fields = {"account": account.number, "instrument": instrument.number}
        limit = account.tonnes + buying_tonnes(venue, account) + self.random.randint(0, 3)
        free = account.cash_available - account.proceeds_today
        return self.random.choice(
            (
                self._command(Kind.TRANSFER_OUT, **fields, qty_tonnes=max(1, row.available)),
                self._command(Kind.CASH_OUT, account=account.number, amount=max(1, free)),
                self._command(Kind.BLOCK_ACCOUNT, account=account.number, amount=3),
                self._command(Kind.GUARD_HOLDING, **fields, qty_tonnes=row.available),
                self._command(Kind.LIMIT_HOLDING, account=account.number, qty_tonnes=limit),
            )
        )

    def any_kind(self) -> CommandDict:
        """Any kind with fields that could be somebody's, wherever the day is."""
        return self.of_kind(self.random.choice(HARMLESS))

    def of_kind(self, kind: Kind) -> CommandDict:
        """This kind with fields that could be somebody's."""
        venue = self.twin.venue
        rows = max(1, len(venue.instruments))
        return self._command(
            kind,
            account=self._wrong_account(),
            instrument=self.random.randrange(rows),
            side=self.random.choice((1, 2)),
            price_ticks=self._small(),
            qty_tonnes=0 if kind in (Kind.LIMIT_HOLDING, Kind.GUARD_HOLDING) else self._small(),
            ref=self.random.choice((1, venue.order_no, venue.session_no, venue.trade_no)),
            amount=self.random.choice((0, 0, 1)),
            counterparty=self.random.choice((-1, self._account())),
            **self._two_people(),
        )
