"""The client of an account's people: everything a trader can do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Unpack

from gateway import messages as m
from gateway import rare_messages as r
from gateway import trader_messages as t
from gateway.client.answers import Outcomes
from gateway.client.line import Line, NewKey
from gateway.client.orders import Order
from gateway.client.terms import BulkTerms, Money, Named, Partner, Terms, Tonnes, Which


class Client(Line):
    """One logged-in connection of an account's person. The calls' keywords: ``client.terms``."""

    # listed orders

    async def list(self, instrument: str, side: str, **terms: Unpack[Terms]) -> Order:
        """Put a listing into the book (TR-60) and return it."""
        return await self._ask(Order, m.List, terms, instrument=instrument, side=side)

    async def take(self, order_no: int, qty: int, **named: Unpack[Named]) -> Order:
        """Deal with one listing for ``qty`` tonnes (TR-61…65) and return the filled order."""
        return await self._ask(Order, m.Take, named, order_no=order_no, qty_tonnes=qty)

    async def sweep(self, legs: Iterable[tuple[int, int]], **named: Unpack[Named]) -> Outcomes:
        """Take several listings in one instruction (TR-66): an order or a refusal per leg.

        legs: pairs of an order number and tonnes.
        """
        return await self._talk.enter([self._make(m.Take, named, legs=[*legs])])

    async def take_best(self, instrument: str, side: str, **terms: Unpack[Terms]) -> Order:
        """Let the venue take the best listings up to a limit; return the order with its fills."""
        return await self._ask(Order, m.TakeBest, terms, instrument=instrument, side=side)

    async def add(self, instrument: str, side: str, **terms: Unpack[Terms]) -> Order:
        """Enter a limit order in a price-time book."""
        return await self._ask(Order, m.Add, terms, instrument=instrument, side=side)

    async def amend(self, order: Order | int, **terms: Unpack[Terms]) -> Order:
        """Change price and total quantity of an order in a price-time book."""
        return await self._ask(Order, m.Amend, terms, order_no=_number(order))

    async def cancel(self, order: Order | int, **named: Unpack[Named]) -> Order:
        """Take an open order back (TR-43) and return it."""
        return await self._ask(Order, m.Cancel, named, order_no=_number(order))

    async def cancel_all(self, **which: Unpack[Which]) -> r.MassCancelled:
        """Take all own open orders back, of one instrument or side if named (TR-43)."""
        return await self._ask(r.MassCancelled, t.CancelAll, which)

    async def cancel_after(self, timeout_ms: int, **named: Unpack[Named]) -> r.TimerSet:
        """Set the dead-man's timer: all own open orders end then, unless it is set again.

        timeout_ms: of the venue's time, 1,000 to 86,400,000; 0 switches it off.
        """
        return await self._ask(r.TimerSet, t.CancelAfter, named, timeout_ms=timeout_ms)

    async def enter_many(self, commands: Iterable[m.Command]) -> Outcomes:
        """Send many commands in few frames; return an order or a refusal for each, in order."""
        return await self._talk.enter([*commands])

    # bulk agreement; ``counterparty`` is the number of a trading account

    async def bulk_offer(
        self, instrument: str, side: str, **terms: Unpack[BulkTerms]
    ) -> r.BulkOffered:
        """Offer a bulk deal to everybody, or to ``counterparty`` (TR-70, TR-75)."""
        return await self._ask(r.BulkOffered, t.BulkOffer, terms, instrument=instrument, side=side)

    async def bulk_counter(self, order_no: int, **terms: Unpack[BulkTerms]) -> r.BulkCountered:
        """Name other terms; the initiator says whom it answers (TR-72, TR-73)."""
        return await self._ask(r.BulkCountered, t.BulkCounter, terms, order_no=order_no)

    async def bulk_accept(
        self, order_no: int, **terms: Unpack[BulkTerms]
    ) -> r.BulkAgreed | m.Filled:
        """Accept exactly these terms: the offer's own at once a deal, countered ones agreed."""
        outcome = await self._outcome(self._make(t.BulkAccept, terms, order_no=order_no))
        assert isinstance(outcome, r.BulkAgreed | m.Filled), f"answered by {outcome}"
        return outcome

    async def bulk_confirm(self, order_no: int, **partner: Unpack[Partner]) -> m.Filled:
        """Confirm the terms that the other side accepted: the deal (TR-72)."""
        return await self._ask(m.Filled, t.BulkConfirm, partner, order_no=order_no)

    async def bulk_decline(self, order_no: int, **partner: Unpack[Partner]) -> r.BulkDeclined:
        """End a negotiation (TR-72)."""
        return await self._ask(r.BulkDeclined, t.BulkDecline, partner, order_no=order_no)

    async def bulk_withdraw(self, order_no: int, **named: Unpack[Named]) -> Order:
        """Take an own bulk offer back (TR-72)."""
        return await self._ask(Order, t.BulkWithdraw, named, order_no=order_no)

    # bidding sessions

    async def apply_session(
        self,
        instrument: str,
        *,
        side: str = "sell",
        pricing: str = "uniform",
        **terms: Unpack[Terms],
    ) -> r.SessionApplied:
        """Apply for a session with this floor; ``pricing``: uniform or pay_as_bid (TR-81…83)."""
        about = {"instrument": instrument, "side": side, "pricing": pricing}
        return await self._ask(r.SessionApplied, t.ApplySession, terms, **about)

    async def bid(self, session_no: int, **terms: Unpack[Terms]) -> Order:
        """Bid in an open session; sealed until it closes (TR-89)."""
        return await self._ask(Order, t.Bid, terms, session_no=session_no)

    async def cancel_bid(self, order: Order | int, **named: Unpack[Named]) -> Order:
        """Take a bid back while its session is open (TR-89)."""
        return await self._ask(Order, t.CancelBid, named, order_no=_number(order))

    # allowances, money, the kill switch, keys

    async def transfer_in(self, instrument: str, **tonnes: Unpack[Tonnes]) -> r.HoldingMoved:
        """Move allowances to the trading side; returns when they can be sold (RG-07)."""
        return await self._ask(r.HoldingMoved, t.TransferIn, tonnes, instrument=instrument)

    async def transfer_out(self, instrument: str, **tonnes: Unpack[Tonnes]) -> r.HoldingMoved:
        """Move allowances back to the registry side (RG-07)."""
        return await self._ask(r.HoldingMoved, t.TransferOut, tonnes, instrument=instrument)

    async def cash_in(self, amount: str | None = None, **money: Unpack[Money]) -> r.CashMoved:
        """Pay money in, e.g. ``cash_in("123.45")``; returns when it can be used (ST-14)."""
        return await self._ask(r.CashMoved, t.CashIn, money, amount=amount)

    async def cash_out(self, amount: str | None = None, **money: Unpack[Money]) -> r.CashMoved:
        """Take settled money out (ST-14)."""
        return await self._ask(r.CashMoved, t.CashOut, money, amount=amount)

    async def kill(self, *, instrument: str | None = None, **named: Unpack[Named]) -> r.Killed:
        """Cancel all own orders and block own buying and selling until the exchange lifts it."""
        return await self._ask(r.Killed, t.Kill, named, instrument=instrument)

    async def create_key(self, *, roles: Iterable[str], key_id: str | None = None) -> NewKey:
        """Make a key for somebody of the own account (role admin)."""
        asked = {"roles": [*roles], "key_id": key_id}
        return self._new_key(await self._ask(r.KeyIssued, t.CreateKey, {}, **asked))

    async def rotate_key(self, key_id: str) -> NewKey:
        """Give a key of the own account another secret; its connections end (role admin)."""
        return self._new_key(await self._ask(r.KeyIssued, t.RotateKey, {}, key_id=key_id))

    async def revoke_key(self, key_id: str) -> None:
        """Take a key of the own account away; its connections end (role admin)."""
        await self._ask(r.KeyRevoked, t.RevokeKey, {}, key_id=key_id)


def _number(order: Order | int) -> int:
    return order.order_no if isinstance(order, Order) else order
