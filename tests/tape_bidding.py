"""Draws for one-way bidding: several sessions at once, each on its way."""

from __future__ import annotations

from tests.reference.bidding import bid_limits, possible_limits
from tests.reference.endings import DAY_MINUTES, minute_of_day
from tests.reference.orders import Order, Role, Session
from tests.reference.vocabulary import Kind, Parameter, SessionStatus, Side
from tests.tape_draws import CommandDict, Draws


class BiddingDraws(Draws):
    """Each method draws one command."""

    def apply_session(self) -> CommandDict:
        """An application, mostly by a seller who has the tonnes."""
        account, instrument = self._account(), self._any_instrument()
        sides = (Side.SELL, Side.SELL, Side.BUY, 0)
        side = self.random.choice(sides[:3] if self._chance(0.97) else sides)
        command = self._command(
            Kind.APPLY_SESSION, account=account, side=int(side), qty_tonnes=1,
            mode=self.random.choice((0, 1) if self._chance(0.97) else (2, -1)),
        )  # fmt: skip
        if instrument is not None and self._known(account) and side:
            way = Side(side)
            price = self.random.choice(possible_limits(instrument, way))
            if self._chance(0.05):
                price += 1
            command["instrument"], command["price_ticks"] = instrument.number, price
            rows = self.twin.venue.accounts
            qty = self._amount_near(rows[account], instrument, way, price)
            least = self.twin.venue.parameters[Parameter.AUCTION_QTY_MIN]
            if not self.giant:
                qty = max(qty, least) if self._chance(0.9) and least < 10_000 else qty
                qty = least - 1 if self._chance(0.04) else qty
            command["qty_tonnes"] = qty
        return command

    def notice_session(self) -> CommandDict:
        """A window that mostly lies ahead."""
        venue = self.twin.venue
        if self._lacks(SessionStatus.APPLIED):
            return self.apply_session()
        now = minute_of_day(venue.time_ns)
        begin = max(0, now + self.random.choice((0, 1, 60, -60, -DAY_MINUTES)))
        until = self.random.choice((max(begin, now) + 1, now + 30, DAY_MINUTES))
        if self._chance(0.06):
            until = self.random.choice((begin, begin - 1, now, 0, DAY_MINUTES + 1))
        number = self._session(SessionStatus.APPLIED)
        return self._command(Kind.NOTICE_SESSION, ref=number, from_minute=begin, until_minute=until)

    def reject_session(self) -> CommandDict:
        """Of an application or a notice."""
        status = self.random.choice((SessionStatus.APPLIED, SessionStatus.NOTICED))
        return self._command(Kind.REJECT_SESSION, ref=self._session(status))

    def open_session(self) -> CommandDict:
        """The window opens."""
        if self._lacks(SessionStatus.NOTICED):
            return self.notice_session()
        return self._command(Kind.OPEN_SESSION, ref=self._session(SessionStatus.NOTICED))

    def close_session(self) -> CommandDict:
        """The window closes, mostly once somebody bid."""
        if self._lacks(SessionStatus.OPEN) or (not self._bids() and self._chance(0.7)):
            return self.bid()
        return self._command(Kind.CLOSE_SESSION, ref=self._session(SessionStatus.OPEN))

    def bid(self) -> CommandDict:
        """A bid, mostly within the session's limits; equal prices are common."""
        if self._lacks(SessionStatus.OPEN):
            return self.open_session()
        number, account = self._session(SessionStatus.OPEN), self._account()
        command = self._command(
            Kind.BID, account=account, ref=number, qty_tonnes=self._small(), price_ticks=1
        )
        session = self.twin.venue.sessions.get(number)
        if session is not None and self._known(account):
            if session.applicant.number == account and self._chance(0.8):
                command["account"] = account = self._account()
            limits = bid_limits(session)
            steps = self.random.choice((0, 0, 1, 1, 2, 3, limits.upper - limits.lower))
            price = min(limits.lower + steps, limits.upper)
            if self._chance(0.05):
                price = self.random.choice((limits.lower - 1, limits.upper + 1))
            command["price_ticks"] = price
            bidder = self.twin.venue.accounts[account]
            qty = self._amount_near(bidder, session.instrument, session.side.other, price)
            least = self.twin.venue.parameters[Parameter.AUCTION_BID_QTY_MIN]
            command["qty_tonnes"] = max(qty, least) if self._chance(0.95) else least - 1
        return command

    def cancel_bid(self) -> CommandDict:
        """Mostly one's own."""
        bids = self._bids()
        if not bids and self._chance(0.7):
            return self.bid()
        if not bids or self._chance(0.1):
            number = self.random.choice((0, self.twin.venue.order_no))
            return self._command(Kind.CANCEL_BID, account=self._wrong_account(), ref=number)
        order = self.random.choice(bids)
        account = order.account.number if self._chance(0.9) else self._wrong_account()
        return self._command(Kind.CANCEL_BID, account=account, ref=order.number)

    def _bids(self) -> list[Order]:
        return [o for o in self.twin.venue.resting.values() if o.role is Role.BID]

    def _lacks(self, status: SessionStatus) -> bool:
        """No session is in that state, and chance does not want an error."""
        sessions = self.twin.venue.sessions.values()
        return self._chance(0.9) and all(s.status is not status for s in sessions)

    def _session(self, status: SessionStatus) -> int:
        """Number of a session in that state, if there is one and chance wills."""
        sessions = list(self.twin.venue.sessions.values())
        fitting: list[Session] = [s for s in sessions if s.status is status]
        if fitting and self._chance(0.95):
            return self.random.choice(fitting).number
        if sessions and self._chance(0.8):
            return self.random.choice(sessions).number
        return self.random.choice((0, 1, self.twin.venue.session_no + 1))
