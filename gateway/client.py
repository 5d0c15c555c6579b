"""An asyncio client of the venue, for traders and bots.

    async with Client("ws://127.0.0.1:8000", key_id, secret) as c:
        order = await c.list("CEA25", "sell", price="80.05", qty=100)
        await c.cancel(order)

Every call returns when the venue has answered, which is when the command is durable, and raises
``RefusedError`` with the venue's code and sentence. If the line breaks first, ``LineLostError``
says so: the outcome is then unknown, and ``status(client_order_id)`` on a new line tells it (or the
same command with the same ``client_order_id`` again: it is never done twice).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from gateway import messages as m
from gateway import rare_messages as r
from gateway import trader_messages as t
from gateway.client_line import ANSWER_WITHIN_S, Line, NewKey, endpoint
from gateway.client_orders import LineLostError, Order, Outcomes, RefusedError

__all__ = ["Client", "LineLostError", "Order", "RefusedError", "endpoint"]

FRAME_ORDERS = 60  # of the longest ids, in one frame below the venue's 16 KiB
Frames = list[list[m.Command]]


class Client(Line):
    """One logged-in connection of an account's person."""

    # orders

    async def list(
        self,
        instrument: str,
        side: str,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Put a listing into the book (TR-60) and return it."""
        return await self._order(
            m.List(
                client_order_id=self._identity(client_order_id),
                instrument=instrument,
                side=side,
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
            )
        )

    async def take(self, order_no: int, qty: int, *, client_order_id: str | None = None) -> Order:
        """Deal with one listing for ``qty`` tonnes (TR-61…65) and return the filled order."""
        identity = self._identity(client_order_id)
        return await self._order(
            m.Take(client_order_id=identity, order_no=order_no, qty_tonnes=qty)
        )

    async def sweep(
        self, legs: Iterable[tuple[int, int]], *, client_order_id: str | None = None
    ) -> Outcomes:
        """Take several listings in one instruction (TR-66): an order or a refusal per leg."""
        identity = self._identity(client_order_id)
        return await self._enter(m.Take(client_order_id=identity, legs=[*legs]))

    async def take_best(
        self,
        instrument: str,
        side: str,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Let the venue take the best listings up to a limit; return the order with its fills."""
        return await self._order(
            m.TakeBest(
                client_order_id=self._identity(client_order_id),
                instrument=instrument,
                side=side,
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
            )
        )

    async def add(
        self,
        instrument: str,
        side: str,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Enter a limit order in a price-time book."""
        return await self._order(
            m.Add(
                client_order_id=self._identity(client_order_id),
                instrument=instrument,
                side=side,
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
            )
        )

    async def amend(
        self,
        order: Order | int,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Change price and total quantity of an order in a price-time book."""
        return await self._order(
            m.Amend(
                client_order_id=self._identity(client_order_id),
                order_no=_number(order),
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
            )
        )

    async def cancel(self, order: Order | int, *, client_order_id: str | None = None) -> Order:
        """Take an open order back (TR-43) and return it."""
        identity = self._identity(client_order_id)
        return await self._order(m.Cancel(client_order_id=identity, order_no=_number(order)))

    async def enter_many(self, commands: Iterable[m.Command]) -> Outcomes:
        """Send many commands in few frames; return an order or a refusal for each, in order."""
        futures = []
        for frame in _frames([*commands]):
            futures += [self._expect(command) for command in frame]
            await self._send(*frame)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            answers = await asyncio.gather(*futures)
        return [each for answer in answers for each in answer]

    # bulk agreement; ``counterparty`` is the number of a trading account

    async def bulk_offer(
        self,
        instrument: str,
        side: str,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        counterparty: int | None = None,
        client_order_id: str | None = None,
    ) -> r.BulkOffered:
        """Offer a bulk deal to everybody, or to ``counterparty`` (TR-70, TR-75)."""
        report: r.BulkOffered = await self._ask(
            t.BulkOffer(
                client_order_id=self._identity(client_order_id),
                instrument=instrument,
                side=side,
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
                counterparty=counterparty,
            )
        )
        return report

    async def bulk_counter(
        self,
        order_no: int,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        counterparty: int | None = None,
        client_order_id: str | None = None,
    ) -> r.BulkCountered:
        """Name other terms; the initiator says whom it answers (TR-72, TR-73)."""
        report: r.BulkCountered = await self._ask(
            t.BulkCounter(
                client_order_id=self._identity(client_order_id),
                order_no=order_no,
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
                counterparty=counterparty,
            )
        )
        return report

    async def bulk_accept(
        self,
        order_no: int,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        counterparty: int | None = None,
        client_order_id: str | None = None,
    ) -> r.BulkAgreed | m.Filled:
        """Accept exactly these terms: the offer's own at once a deal, countered ones agreed."""
        report: r.BulkAgreed | m.Filled = await self._ask(
            t.BulkAccept(
                client_order_id=self._identity(client_order_id),
                order_no=order_no,
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
                counterparty=counterparty,
            )
        )
        return report

    async def bulk_confirm(
        self,
        order_no: int,
        *,
        counterparty: int | None = None,
        client_order_id: str | None = None,
    ) -> m.Filled:
        """Confirm the terms that the other side accepted: the deal (TR-72)."""
        identity = self._identity(client_order_id)
        fill: m.Filled = await self._ask(
            t.BulkConfirm(client_order_id=identity, order_no=order_no, counterparty=counterparty)
        )
        return fill

    async def bulk_decline(
        self,
        order_no: int,
        *,
        counterparty: int | None = None,
        client_order_id: str | None = None,
    ) -> r.BulkDeclined:
        """End a negotiation (TR-72)."""
        identity = self._identity(client_order_id)
        report: r.BulkDeclined = await self._ask(
            t.BulkDecline(client_order_id=identity, order_no=order_no, counterparty=counterparty)
        )
        return report

    async def bulk_withdraw(self, order_no: int, *, client_order_id: str | None = None) -> Order:
        """Take an own bulk offer back (TR-72)."""
        identity = self._identity(client_order_id)
        return await self._order(t.BulkWithdraw(client_order_id=identity, order_no=order_no))

    # bidding sessions

    async def apply_session(
        self,
        instrument: str,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        side: str = "sell",
        pricing: str = "uniform",
        client_order_id: str | None = None,
    ) -> r.SessionApplied:
        """Apply for a session with this floor; ``pricing``: uniform or pay_as_bid (TR-81…83)."""
        report: r.SessionApplied = await self._ask(
            t.ApplySession(
                client_order_id=self._identity(client_order_id),
                instrument=instrument,
                side=side,
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
                pricing=pricing,
            )
        )
        return report

    async def bid(
        self,
        session_no: int,
        *,
        qty: int,
        price: str | None = None,
        price_ticks: int | None = None,
        client_order_id: str | None = None,
    ) -> Order:
        """Bid in an open session; sealed until it closes (TR-89)."""
        return await self._order(
            t.Bid(
                client_order_id=self._identity(client_order_id),
                session_no=session_no,
                qty_tonnes=qty,
                price=price,
                price_ticks=price_ticks,
            )
        )

    async def cancel_bid(self, order: Order | int, *, client_order_id: str | None = None) -> Order:
        """Take a bid back while its session is open (TR-89)."""
        identity = self._identity(client_order_id)
        return await self._order(t.CancelBid(client_order_id=identity, order_no=_number(order)))

    # allowances, money, the kill switch, keys

    async def transfer_in(
        self, instrument: str, *, qty: int, client_order_id: str | None = None
    ) -> r.HoldingMoved:
        """Move allowances to the trading side; returns when they can be sold (RG-07)."""
        identity = self._identity(client_order_id)
        report: r.HoldingMoved = await self._ask(
            t.TransferIn(client_order_id=identity, instrument=instrument, qty_tonnes=qty)
        )
        return report

    async def transfer_out(
        self, instrument: str, *, qty: int, client_order_id: str | None = None
    ) -> r.HoldingMoved:
        """Move allowances back to the registry side (RG-07)."""
        identity = self._identity(client_order_id)
        report: r.HoldingMoved = await self._ask(
            t.TransferOut(client_order_id=identity, instrument=instrument, qty_tonnes=qty)
        )
        return report

    async def cash_in(
        self,
        amount: str | None = None,
        *,
        amount_fen: int | None = None,
        client_order_id: str | None = None,
    ) -> r.CashMoved:
        """Pay money in, e.g. ``cash_in("123.45")``; returns when it can be used (ST-14)."""
        identity = self._identity(client_order_id)
        report: r.CashMoved = await self._ask(
            t.CashIn(client_order_id=identity, amount=amount, amount_fen=amount_fen)
        )
        return report

    async def cash_out(
        self,
        amount: str | None = None,
        *,
        amount_fen: int | None = None,
        client_order_id: str | None = None,
    ) -> r.CashMoved:
        """Take settled money out (ST-14)."""
        identity = self._identity(client_order_id)
        report: r.CashMoved = await self._ask(
            t.CashOut(client_order_id=identity, amount=amount, amount_fen=amount_fen)
        )
        return report

    async def kill(
        self, *, instrument: str | None = None, client_order_id: str | None = None
    ) -> r.Killed:
        """Cancel all own orders and block own buying and selling until the exchange lifts it."""
        identity = self._identity(client_order_id)
        report: r.Killed = await self._ask(t.Kill(client_order_id=identity, instrument=instrument))
        return report

    async def create_key(self, *, roles: Iterable[str], key_id: str | None = None) -> NewKey:
        """Make a key for somebody of the own account (role admin)."""
        identity = self._identity(None)
        asked = t.CreateKey(client_order_id=identity, roles=[*roles], key_id=key_id)
        return self._new_key(await self._ask(asked))

    async def rotate_key(self, key_id: str) -> NewKey:
        """Give a key of the own account another secret; its connections end (role admin)."""
        identity = self._identity(None)
        return self._new_key(await self._ask(t.RotateKey(client_order_id=identity, key_id=key_id)))

    async def revoke_key(self, key_id: str) -> None:
        """Take a key of the own account away; its connections end (role admin)."""
        await self._ask(t.RevokeKey(client_order_id=self._identity(None), key_id=key_id))

    async def _order(self, command: m.Command) -> Order:
        order: Order = await self._ask(command)
        return order


def _number(order: Order | int) -> int:
    return order.order_no if isinstance(order, Order) else order


def _frames(commands: list[m.Command]) -> Frames:
    return [commands[at : at + FRAME_ORDERS] for at in range(0, len(commands), FRAME_ORDERS)]
