"""Allowances and money between the two institutions, as an account's people ask (RG-07, ST-14).

Out: a command of the exchange, within the window. In: the registry books it, once a day and client
order id, and instructs the exchange; the id travels with the instruction, so the report of the
arrival names it, also after a restart. Windows are judged by the venue's time (U11).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.reasons import EXPLANATIONS, Reason
from engine.records import Event, Kind
from gateway.desk import terms
from gateway.desk.commands import body
from gateway.wire import messages as m
from gateway.wire import trader_messages as t
from gateway.wire.rare_messages import CashMoved, HoldingMoved
from registry.asking import Asked, day_of
from registry.errors import RefusalError, RegistryError
from registry.institution import Registry

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

INSTRUCTIONS = (int(Kind.CASH_IN), int(Kind.TRANSFER_IN))
ANSWERS = (int(Event.CASH_MOVED_IN), int(Event.HOLDING_MOVED_IN), int(Event.REFUSED))
AT_THE_REGISTRY = 0  # in a session's ids: this one stands for a request to the registry
REASONS = {reason.code: reason for reason in Reason if reason}

Key = tuple[int, str]  # account, client order id


@dataclass(slots=True)
class Request:
    """What was asked of the registry and what became of it; ``vintage`` "" is money.

    ``instruction`` 0 with status done: all of it went to what the account owed (ST-11).
    """

    date: int
    vintage: str
    moved: int
    instruction: int = 0
    status: str = "pending"  # done, refused
    reason: str = ""
    seq: int = 0

    @classmethod
    def of(cls, asked: Asked) -> Request:
        """Return what the registry remembers of a request."""
        moved = (asked.moved, asked.instruction, asked.status, asked.reason)
        return cls(asked.date, asked.vintage, *moved)


class Transfers:
    """The handlers of one desk; ``registry`` is asked in a thread, one request after the other."""

    def __init__(self, desk: Desk, registry: Registry | None) -> None:
        self._desk = desk
        self._registry = registry
        self._one_at_a_time = asyncio.Lock()
        self._asking: dict[Key, asyncio.Task[None]] = {}
        self._known: dict[Key, Request] = {}  # of the day, and all that is pending
        self.handlers: dict[type, Callable[[Any, Any], None]] = {
            t.TransferIn: self._transfer_in,
            t.TransferOut: self._transfer_out,
            t.CashIn: self._cash_in,
            t.CashOut: self._cash_out,
        }

    def recover(self) -> None:
        """Learn what was asked before the venue stopped; the journal is absorbed by now."""
        if self._registry is not None and self._today:
            for asked in self._registry.asked_since(self._desk.sequencer.time_ns):
                request = self._known[asked.account, asked.request_id] = Request.of(asked)
                seq = self._desk.record.ids_of(asked.account).get(asked.request_id)
                if seq and self._came_in(seq):
                    request.seq = seq
            self._keep_ids()

    @property
    def _today(self) -> int:
        time_ns = self._desk.sequencer.time_ns
        return day_of(time_ns) if time_ns else 0

    def new_day(self) -> None:
        """What is over is forgotten; what the exchange has not answered keeps its id."""
        today = self._today
        kept = self._known.items()
        self._known = {k: r for k, r in kept if r.status == "pending" or r.date == today}
        self._keep_ids()

    def _keep_ids(self) -> None:
        for (account, identity), request in self._known.items():
            if request.status == "pending":
                self._desk.record.ids_of(account).setdefault(identity, AT_THE_REGISTRY)

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
            self._ask(session, message.client_order_id, message.instrument, message.qty_tonnes)

    def _cash_in(self, session: Session, message: t.CashIn) -> None:
        amount = terms.fen(session, message)
        if amount is not None:
            self._ask(session, message.client_order_id, "", amount)

    def _open(self, session: Session, identity: str, operation: str) -> bool:
        """Whether the window is open now by the venue's time, else say so (RG-08, ST-14).

        A request that was made before is answered again, whatever the time.
        """
        registry, now_ns = self._registry, self._desk.sequencer.time_ns
        if registry is None or identity in session.ids or registry.window_open(operation, now_ns):
            return True
        session.refuse("window_closed", identity)
        return False

    def _ask(self, session: Session, identity: str, vintage: str, amount: int) -> None:
        """Send a request to the registry, which knows whether it was made before."""
        ticket = session.ids.get(identity)
        if ticket is None and not self._desk.valid(session, identity):
            return
        if ticket and not self._came_in(ticket):
            session.refuse("duplicate_client_order_id", identity)
        elif self._registry is None:
            session.refuse("registry_silent", identity)
        else:
            session.ids.setdefault(identity, AT_THE_REGISTRY)
            key = (session.account, identity)
            at_ns = self._desk.sequencer.time_ns
            book = self._book(session, key, vintage, amount, at_ns)
            task = asyncio.get_running_loop().create_task(book)
            self._asking[key] = task
            task.add_done_callback(lambda done: self._asked(key, done))

    def _asked(self, key: Key, task: asyncio.Task[None]) -> None:
        if self._asking.get(key) is task:
            del self._asking[key]

    def _came_in(self, ticket: int) -> bool:
        """Whether an id stands for what came in before a restart (else it is AT_THE_REGISTRY)."""
        record, seq = self._desk.record, self._desk.sequencer.seq_of(ticket)
        if not record.first_seq <= seq <= self._desk.exchange.seq:
            return False
        command = record.commands.all[seq - record.first_seq]
        return int(command["kind"]) in INSTRUCTIONS and int(command["ref"]) > 0

    async def _book(
        self, session: Session, key: Key, vintage: str, amount: int, at_ns: int
    ) -> None:
        registry, (account, identity) = self._registry, key
        assert registry is not None, "asked before"

        def ask() -> int:
            if vintage:
                return registry.transfer_in(account, vintage, amount, at_ns, identity)
            return registry.deposit(account, amount, at_ns, identity)

        try:
            async with self._one_at_a_time:
                number = await asyncio.to_thread(ask)
        except RefusalError as no:
            if no.code == "request_differs":
                session.refuse("duplicate_client_order_id", identity)
            else:
                self._let_go(key)
                session.refuse_by_registry(no.code, no.sentence, identity)
        except RegistryError:
            session.refuse("registry_silent", identity)  # the id is kept: it may have been booked
        else:
            self._booked(session, key, number, Request(day_of(at_ns), vintage, amount, number))

    def _let_go(self, key: Key) -> None:
        """The registry refused: the id is free again."""
        ids = self._desk.record.ids_of(key[0])
        if key not in self._known and ids.get(key[1]) == AT_THE_REGISTRY:
            del ids[key[1]]

    def _booked(self, session: Session, key: Key, number: int, request: Request) -> None:
        """Remember what was booked; answer again what was answered before."""
        known = self._known.get(key)
        if known is None or known.instruction != number:
            if number == 0:
                request.status, request.moved = "done", 0
            self._known[key] = known = request
        self._desk.record.ids_of(key[0]).setdefault(key[1], AT_THE_REGISTRY)
        if known is not request or number == 0:
            self._answer(session, key[1], known)

    def _answer(self, session: Session, identity: str, request: Request) -> None:
        """Say what became of a request once more; of one that is pending its arrival will tell."""
        if request.seq >= self._desk.record.first_seq:
            self._desk.questions.repeat(session, request.seq)
        elif request.status == "refused":
            reason = EXPLANATIONS[REASONS[request.reason]]
            no = m.Refused(request.reason, reason.sentence, reason.clauses, identity, True)
            no.seq, no.repeated = request.seq, True
            session.say(no)
        elif request.status == "done":
            now = (0, request.seq, self._desk.now_us(), identity, "in")  # not numbered
            again = request.seq > 0
            if request.vintage:
                session.say(HoldingMoved(*now, request.vintage, request.moved, again))
            else:
                session.say(CashMoved(*now, request.moved, again))

    # what the exchange has done

    def arrived(self, events: np.ndarray) -> None:
        """Learn from a batch's events which requests the exchange has answered."""
        record = self._desk.record
        told = events[np.isin(events["kind"], ANSWERS) & (events["seq"] >= record.first_seq)]
        if len(told) == 0:
            return
        caused = record.commands.all[told["seq"] - record.first_seq]
        mine = np.isin(caused["kind"], INSTRUCTIONS) & (caused["ref"] > 0)
        mine &= (caused["client_order_id"] != b"") & (caused["account"] >= 0)
        for event, command in zip(told[mine], caused[mine], strict=True):
            if int(event["reason"]) != Reason.DUPLICATE_INSTRUCTION:
                self._learn(event, command)

    def _learn(self, event: np.void, command: np.void) -> None:
        name: bytes = command["client_order_id"]
        key, seq = (int(command["account"]), name.decode()), int(event["seq"])
        cash = int(command["kind"]) == Kind.CASH_IN
        vintage = "" if cash else self._code_of(int(command["instrument"]))
        moved = int(command["amount" if cash else "qty_tonnes"])
        number, reason = int(command["ref"]), Reason(int(event["reason"]))
        known = self._known.get(key)
        if known is None or known.instruction != number:
            known = self._known[key] = Request(self._today, vintage, moved, number)
        known.status, known.seq = ("refused" if reason else "done"), seq
        known.reason = reason.code if reason else ""
        self._desk.record.ids_of(key[0]).setdefault(key[1], AT_THE_REGISTRY)

    def _code_of(self, row: int) -> str:
        return self._desk.codes[row] if row >= 0 else ""

    # questions

    def status(self, session: Session, message: m.StatusRequest) -> None:
        """Say where a request stands that is not in the day's record."""
        key = (session.account, message.client_order_id)
        asking = self._asking.get(key)
        if asking is None:
            session.say(self._state_of(session, key))
        else:  # judged first, as everything that was sent before
            again = self._desk.handlers[m.StatusRequest]
            asking.add_done_callback(lambda _: again(session, message))

    def _state_of(self, session: Session, key: Key) -> m.Status:
        request, identity = self._known.get(key), key[1][:32]
        if request is None:
            return m.Status(identity, "unknown")
        if request.seq >= self._desk.record.first_seq:
            return self._desk.questions.state_of(session, identity, request.seq)
        outcome = "accepted" if request.status == "done" else request.status
        found = m.Status(identity, outcome, request.seq)
        if request.status == "refused":
            found.code = request.reason
            found.reason = EXPLANATIONS[REASONS[request.reason]].sentence
        return found
