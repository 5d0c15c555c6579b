"""What became of it? Questions about commands, the private stream and the account.

Every answer is told only once everything said before it is applied (reliability.md 5.5): accepted,
refused, turned away by the gateway, or never heard of. There is no other one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from engine.records import Event, OrderStatus
from gateway.desk.commands import FIELDS, Body
from gateway.desk.negotiations import Handlers
from gateway.desk.reports import CODES, SENTENCES, reports
from gateway.desk.snapshot_view import account_snapshot, limits_now
from gateway.journal.sequencer import ROW
from gateway.wire import messages as m
from gateway.wire.refusals import REFUSALS

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

TURNED_AWAY_MAX = 1000  # refusals of the gateway that are remembered, per account and day
PERSON = FIELDS.index("operator")
WITH_ORDER = frozenset(
    int(kind) for kind in (Event.ACCEPTED, Event.CANCELLED, Event.AMENDED, Event.BULK_OFFERED)
)


class Questions:
    """One per desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turned_away: dict[int, dict[str, str]] = {}
        self._deferred: list[tuple[int, Callable[[], None]]] = []
        self.handlers: Handlers = {
            m.StatusRequest: self._status,
            m.Resume: self._resume,
            m.SnapshotRequest: self._snapshot,
            m.LimitsRequest: self._limits,
        }

    def _status(self, session: Session, message: m.StatusRequest) -> None:
        identity = message.client_order_id
        ticket = session.ids.get(identity)
        code = self._turned_away.get(session.owner, {}).get(identity, "")
        if ticket is None and code:
            reason = REFUSALS[code].sentence
            session.say(m.Status(identity, "turned_away", code=code, reason=reason))
            return
        if not ticket:  # unknown here, or a request to the registry
            self._desk.transfers.status(session, message)
            return

        def answer() -> None:
            session.say(self.state_of(session, identity, self._desk.sequencer.seq_of(ticket)))

        self.when_applied(ticket, answer)

    def state_of(self, session: Session, identity: str, seq: int) -> m.Status:
        """Return what became of the command at ``seq``."""
        if seq < self._desk.record.first_seq:
            return m.Status(identity, "unknown")
        ref, number = self._desk.record.answers(session.owner, seq)[0]
        event = self._desk.record.events.all[ref >> 2]
        answer = m.Status(identity, "accepted", seq, number)
        if event["kind"] == Event.REFUSED:
            answer.order_no = int(event["order_no"])
            answer.outcome = "refused"
            answer.code, answer.reason = CODES[event["reason"]], SENTENCES[event["reason"]]
            return answer
        answer.order_no = self._order_of(event, ref & 3)
        row = answer.order_no - int(self._desk.exchange.state.market[0]["order_base"])
        if answer.order_no:
            order = self._desk.exchange.orders_today()[row]
            answer.order_status = OrderStatus(int(order["status"])).name.lower()
            answer.qty_tonnes = int(order["qty_tonnes"])
            answer.leaves_qty = int(order["leaves_qty"])
        return answer

    @staticmethod
    def _order_of(event: np.void, view: int) -> int:
        """Return the number of the reader's order that an event is about, 0 if it is about none."""
        kind = int(event["kind"])
        if kind == Event.BULK_AGREED:
            return int(event["other_order_no"])
        if kind == Event.TRADED:
            return int(event["other_order_no" if view == 1 else "order_no"])
        return int(event["order_no"]) if kind in WITH_ORDER else 0

    def used_before(self, session: Session, identity: str, bodies: tuple[Body, ...]) -> None:
        ticket, name = session.ids[identity], identity.encode()
        sent = b"".join(ROW.pack(0, 0, *_nobodys(body), name) for body in bodies)
        last = ticket + len(bodies) - 1
        self.when_applied(last, lambda: self._again(session, identity, ticket, sent))

    def _again(self, session: Session, identity: str, ticket: int, sent: bytes) -> None:
        seq, count = self._desk.sequencer.seq_of(ticket), len(sent) // ROW.size
        if seq < self._desk.record.first_seq or self._desk.record.bodies(seq, count) != sent:
            session.refuse("duplicate_client_order_id", identity)
            return
        self.repeat(session, seq)

    def repeat(self, session: Session, seq: int) -> None:
        """Say the first answer to a command of the day again."""
        answers = self._desk.record.answers(session.owner, seq)
        refs, numbers = np.array(answers, np.int64).T
        for report in reports(self._desk.record, self._desk.codes, refs, numbers, repeated=True):
            session.say(report)

    def when_applied(self, ticket: int, act: Callable[[], None]) -> None:
        """Act now, or once that command (and so everything said before) is applied."""
        if ticket <= self._desk.exchange.seq:
            act()
        else:
            self._deferred.append((ticket, act))
            self._deferred.sort(key=lambda each: each[0])

    def turn_away(self, session: Session, client_order_id: str, code: str) -> None:
        """Remember what the gateway itself refused, so that ``status`` can tell (the newest)."""
        known = self._turned_away.setdefault(session.owner, {})
        known.pop(client_order_id, None)
        known[client_order_id] = code
        if len(known) > TURNED_AWAY_MAX:
            del known[next(iter(known))]

    def _resume(self, session: Session, message: m.Resume) -> None:
        date, last = (
            int(self._desk.exchange.state.market[0]["date"]),
            self._desk.record.report_seq(session.owner),
        )
        same_day = message.date == date
        if message.date > date or (same_day and message.after > last):
            session.refuse("resume_ahead")
            return
        complete = same_day and message.after >= 0
        session.say(m.StreamResumed(date, message.after, last, complete))
        if complete:
            session.replay(message.after)

    def _snapshot(self, session: Session, _message: m.SnapshotRequest) -> None:
        session.say(account_snapshot(self._desk, session))

    def _limits(self, session: Session, _message: m.LimitsRequest) -> None:
        session.say(limits_now(self._desk, session))

    def applied(self) -> None:
        """A batch is applied: answer what waited for it."""
        while self._deferred and self._deferred[0][0] <= self._desk.exchange.seq:
            self._deferred.pop(0)[1]()

    def new_day(self) -> None:
        """Client order ids begin anew."""
        self._turned_away.clear()


def _nobodys(body: Body) -> Body:
    """Blank who sent it: the account's people may repeat each other's commands."""
    return (*body[:PERSON], 0, *body[PERSON + 1 :])
