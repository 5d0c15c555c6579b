"""Allowances and money between the two institutions, as an account's people ask (RG-07, ST-14).

Out: a command of the exchange, within the window. In: the registry books it and instructs the
exchange; the answer comes when the exchange has done it and it is usable. Windows are judged by
the venue's time (U11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from engine.records import Kind
from gateway import terms
from gateway import trader_messages as t
from gateway.commands import body
from gateway.rare_messages import CashMoved, HoldingMoved
from registry.errors import RefusalError, RegistryError
from registry.institution import Registry

if TYPE_CHECKING:
    from gateway.desk import Desk
    from gateway.protocol import Session

Asked = tuple[int, str, int]  # account, instrument ("" = money), amount


class Transfers:
    """The handlers of one desk; ``registry`` is asked in a thread, one request after the other."""

    def __init__(self, desk: Desk, registry: Registry | None) -> None:
        self._desk = desk
        self._registry = registry
        self._one_at_a_time = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()
        self._expected: dict[Asked, list[str]] = {}
        self._named: dict[tuple[int, int], str] = {}  # reports of the day that answer a request
        self._used: dict[int, set[str]] = {}  # ids of requests to the registry, of the day
        self.handlers: dict[type, Callable[[Any, Any], None]] = {
            t.TransferIn: self._transfer_in,
            t.TransferOut: self._transfer_out,
            t.CashIn: self._cash_in,
            t.CashOut: self._cash_out,
        }

    def new_day(self) -> None:
        """Ids of requests and numbers of reports begin again."""
        self._used.clear()
        self._named.clear()

    def _transfer_out(self, session: Session, message: t.TransferOut) -> None:
        identity = message.client_order_id
        instrument = self._desk.row_of(session, message)
        if instrument is not None and self._open(session, identity, "transfer_out"):
            named = {"instrument": instrument, "qty_tonnes": message.qty_tonnes}
            self._desk.enter(session, identity, body(session, Kind.TRANSFER_OUT, **named))

    def _cash_out(self, session: Session, message: t.CashOut) -> None:
        identity = message.client_order_id
        amount = terms.fen(session, message)
        if amount is not None and self._open(session, identity, "cash_out"):
            self._desk.enter(session, identity, body(session, Kind.CASH_OUT, amount=amount))

    def _transfer_in(self, session: Session, message: t.TransferIn) -> None:
        if self._desk.row_of(session, message) is not None:
            asked = (session.account, message.instrument, message.qty_tonnes)
            self._ask(session, message.client_order_id, asked)

    def _cash_in(self, session: Session, message: t.CashIn) -> None:
        amount = terms.fen(session, message)
        if amount is not None:
            self._ask(session, message.client_order_id, (session.account, "", amount))

    def _open(self, session: Session, identity: str, operation: str) -> bool:
        """Whether the window is open now by the venue's time, else say so (RG-08, ST-14)."""
        registry, now_ns = self._registry, self._desk.sequencer.time_ns
        if registry is None or registry.window_open(operation, now_ns):
            return True
        session.refuse("window_closed", identity)
        return False

    def _ask(self, session: Session, identity: str, asked: Asked) -> None:
        """Send a request to the registry, once per id and day."""
        used = self._used.setdefault(session.account, set())
        if identity in used or identity in session.ids:
            session.refuse("duplicate_client_order_id", identity)
        elif self._desk.valid(session, identity):
            if self._registry is None:
                session.refuse("registry_silent", identity)
                return
            used.add(identity)
            task = asyncio.get_running_loop().create_task(self._book(session, identity, asked))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _book(self, session: Session, identity: str, asked: Asked) -> None:
        registry, (account, vintage, amount) = self._registry, asked
        assert registry is not None, "asked before"
        at_ns = self._desk.sequencer.time_ns
        self._expected.setdefault(asked, []).append(identity)
        try:
            async with self._one_at_a_time:
                if vintage:
                    await asyncio.to_thread(registry.transfer_in, account, vintage, amount, at_ns)
                else:
                    await asyncio.to_thread(registry.deposit, account, amount, at_ns)
        except RegistryError as no:
            self._forget(asked, identity)
            self._used.get(account, set()).discard(identity)
            if isinstance(no, RefusalError):
                session.refuse_by_registry(no.code, no.sentence, identity)
            else:
                session.refuse("registry_silent", identity)

    def _forget(self, asked: Asked, identity: str) -> None:
        waiting = self._expected.get(asked, [])
        if identity in waiting:
            waiting.remove(identity)
        if not waiting:
            self._expected.pop(asked, None)

    def name_arrivals(self, owner: int, reports: list[Any]) -> None:
        """Give what came in the id of the request it answers: the oldest one for just that."""
        if not (self._expected or self._named):
            return
        for report in reports:
            asked = _arrived(owner, report)
            if asked is None:
                continue
            place = (owner, report.report_seq)
            if place not in self._named and asked in self._expected:
                self._named[place] = self._expected[asked][0]
                self._forget(asked, self._named[place])
            report.client_order_id = self._named.get(place, "")


def _arrived(owner: int, report: Any) -> Asked | None:
    """Return what a report says has come in, None if it says something else."""
    if isinstance(report, HoldingMoved) and report.direction == "in":
        return owner, report.instrument, report.qty_tonnes
    if isinstance(report, CashMoved) and report.direction == "in":
        return owner, "", report.amount_fen
    return None
