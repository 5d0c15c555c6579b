"""The desk between sessions and the sequencer: typed messages become commands, events reports.

Here are the client order ids (the same id with the same body is answered again, never done twice),
the decimal prices, the legs of a sweep, and the way of every report to the sessions of its owner.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.exchange import Exchange
from engine.records import Event, Kind, OrderStatus, Phase, Side
from gateway import messages as m
from gateway.day_record import DayRecord, Group, day_begins
from gateway.keys import Key, Keys
from gateway.protocol import Session
from gateway.reports import CODES, SENTENCES, reports
from gateway.sequencer import ROW, Sequencer

BUY_SELL = {"buy": int(Side.BUY), "sell": int(Side.SELL)}
_PHASE_CHANGED = int(Event.PHASE_CHANGED)
LIST, TAKE, TAKE_BEST, CANCEL, ADD, AMEND = (int(kind) for kind in Kind if 1 <= kind <= 6)

_id_ok = re.compile(r"[A-Za-z0-9._:\-]{1,32}").fullmatch
_price = re.compile(r"(-?)([0-9]{1,9})(?:\.([0-9]{1,9}))?").fullmatch

Body = tuple[object, ...]  # COMMAND's fields from ``ref`` to ``tail``
NO_LEG = (0, 0, 0, 0, 0)  # side, leg, legs, mode, tail


class Desk:
    """One per venue; called from the event loop only."""

    def __init__(self, exchange: Exchange, record: DayRecord, keys: Keys) -> None:
        self.exchange = exchange
        self.record = record
        self.keys = keys
        self.sequencer: Sequencer
        self.codes: list[str] = []
        self.instruments: dict[str, int] = {}
        self.sessions: dict[int, list[Session]] = {}
        self._deferred: list[tuple[int, Callable[[], None]]] = []
        self.handlers: dict[type, Callable[[Any, Any], None]] = {
            m.List: self._list,
            m.Take: self._take,
            m.TakeBest: self._take_best,
            m.Add: self._add,
            m.Amend: self._amend,
            m.Cancel: self._cancel,
            m.StatusRequest: self._status,
        }
        self.learn_instruments()

    # what a session asks

    def now_us(self) -> int:
        """The venue's time in microseconds."""
        return self.sequencer.time_ns // 1000

    def check_login(self, nonce: str, login: m.Login) -> Key | None:
        """Return the key that signed ``nonce``, or None. Signatures age by the wall's clock."""
        now_us = time.time_ns() // 1000
        return self.keys.check_login(login.key_id, nonce, login.time_us, login.signature, now_us)

    def join(self, session: Session) -> m.Welcome:
        """From now on the session gets its account's reports."""
        self.sessions.setdefault(session.account, []).append(session)
        last = self.record.report_seq(session.account)
        session.next_report_seq = last + 1
        session.ids = self.record.ids_of(session.account)
        market = self.exchange.state.market[0]
        return m.Welcome(
            account=session.account,
            date=int(market["date"]),
            phase=Phase(int(market["phase"])).name.lower(),
            seq=self.exchange.seq,
            report_seq=last,
            time_us=self.now_us(),
        )

    def leave(self, session: Session) -> None:
        """The session ends; orders stay."""
        sessions = self.sessions.get(session.account, [])
        if session in sessions:
            sessions.remove(session)
        if not sessions:
            self.sessions.pop(session.account, None)

    def pong(self, session: Session, ref: int) -> m.Pong:
        """Answer a ping."""
        last = self.record.report_seq(session.account)
        return m.Pong(ref, self.now_us(), self.exchange.seq, last)

    def stamp(self) -> None:
        """A frame has arrived: its commands get the time of now."""
        self.sequencer.stamp()

    def flush(self) -> None:
        """The frame is read: its commands may go."""
        self.sequencer.flush()

    def fetch(self, session: Session, count: int) -> list[Any]:
        """Return the session's next ``count`` reports from the day's record."""
        first = session.next_report_seq
        refs = self.record.refs(session.account, first, count)
        if len(refs) == 0:
            return []
        return reports(self.record, self.codes, refs, np.arange(first, first + len(refs)))

    def close_all(self, code: str) -> None:
        """Say good bye to every session, e.g. because the venue stops."""
        for sessions in list(self.sessions.values()):
            for session in list(sessions):
                session.close(code)

    # what the sequencer tells

    def tell(self, events: np.ndarray, groups: list[Group]) -> None:
        """Hand new reports to their owners' sessions, then answer what waited for this batch."""
        phases = events[events["kind"] == _PHASE_CHANGED]
        if len(phases) and day_begins(phases) is not None:
            self._new_day()
        live = [group for group in groups if group.account in self.sessions]
        if live:
            numbers = [
                np.arange(g.first_report_seq, g.first_report_seq + len(g.refs)) for g in live
            ]
            refs = np.concatenate([group.refs for group in live])
            made = reports(self.record, self.codes, refs, np.concatenate(numbers))
            at = 0
            for group in live:
                mine = made[at : at + len(group.refs)]
                at += len(group.refs)
                for session in self.sessions[group.account]:
                    session.offer(group.first_report_seq, mine)
        for event in phases:
            self._phase_changed(event)
        while self._deferred and self._deferred[0][0] <= self.exchange.seq:
            self._deferred.pop(0)[1]()

    def learn_instruments(self) -> None:
        """Read the instruments' codes from the exchange."""
        count = int(self.exchange.state.market[0]["instruments"])
        listed = self.exchange.state.instruments["code"][:count].tolist()
        self.codes = [code.decode() for code in listed]
        self.instruments = {code: row for row, code in enumerate(self.codes)}

    def _phase_changed(self, event: np.void) -> None:
        phase = Phase(int(event["phase"]))
        notice = m.PhaseChanged(
            date=int(event["date"]),
            phase=phase.name.lower(),
            seq=int(event["seq"]),
            time_us=int(event["time_ns"]) // 1000,
        )
        for sessions in self.sessions.values():
            for session in sessions:
                session.say(notice)

    def _new_day(self) -> None:
        self.learn_instruments()
        for sessions in self.sessions.values():
            for session in sessions:
                session.new_day(self.record.ids_of(session.account))

    # commands: fields of COMMAND from ``ref`` on

    def _list(self, session: Session, message: m.List) -> None:
        self._priced(session, message, LIST)

    def _take_best(self, session: Session, message: m.TakeBest) -> None:
        self._priced(session, message, TAKE_BEST)

    def _add(self, session: Session, message: m.Add) -> None:
        self._priced(session, message, ADD)

    def _priced(self, session: Session, message: m.List | m.TakeBest | m.Add, kind: int) -> None:
        instrument = self.instruments.get(message.instrument)
        if instrument is None:
            session.refuse("unknown_instrument", message.client_order_id)
            return
        price = message.price_ticks
        if price is None or message.price is not None:
            price = self._ticks(session, message)
            if price is None:
                return
        side = BUY_SELL.get(message.side, 0)
        qty, account = message.qty_tonnes, session.account
        identity, ids = message.client_order_id, session.ids
        if identity in ids or _id_ok(identity) is None:
            terms = (0, qty, 0, 0, 0, 0, account, -1, price, session.operator)
            body = (*terms, 0, 0, instrument, kind, side, *NO_LEG[1:])
            self._enter(session, identity, body)
            return
        name = identity.encode()
        ids[identity] = self.sequencer.enter(
            # fmt: off
            (0, qty, 0, 0, 0, 0, account, -1, price, session.operator, 0, 0,
             instrument, kind, side, 0, 0, 0, 0, name)
            # fmt: on
        )

    def _amend(self, session: Session, message: m.Amend) -> None:
        price = message.price_ticks
        if price is None or message.price is not None:
            price = self._ticks(session, message)
            if price is None:
                return
        qty = message.qty_tonnes
        who = (session.account, -1, price, session.operator, 0, 0)
        body = (message.order_no, qty, 0, 0, 0, 0, *who, -1, AMEND, *NO_LEG)
        self._enter(session, message.client_order_id, body)

    def _cancel(self, session: Session, message: m.Cancel) -> None:
        who = (session.account, -1, 0, session.operator, 0, 0)
        body = (message.order_no, 0, 0, 0, 0, 0, *who, -1, CANCEL, *NO_LEG)
        self._enter(session, message.client_order_id, body)

    def _take(self, session: Session, message: m.Take) -> None:
        legs = message.legs
        if legs is None:
            if message.order_no is None or message.qty_tonnes is None:
                missing = "order_no" if message.order_no is None else "qty_tonnes"
                session.refuse("missing_field", message.client_order_id, missing)
                return
            legs = [(message.order_no, message.qty_tonnes)]
        elif message.order_no is not None or message.qty_tonnes is not None:
            session.refuse("conflicting_fields", message.client_order_id, "legs")
            return
        if not 1 <= len(legs) <= m.LEGS_MAX:
            session.refuse("out_of_range", message.client_order_id, "legs")
            return
        count = len(legs) if len(legs) > 1 else 0
        total = sum(qty for _, qty in legs) if count else 0
        who = (session.account, -1, 0, session.operator, 0, 0)
        bodies = [
            (ref, qty, total, 0, 0, 0, *who, -1, TAKE, 0, leg, count, 0, 0)
            for leg, (ref, qty) in enumerate(legs, start=1 if count else 0)
        ]
        self._enter(session, message.client_order_id, *bodies)

    def _enter(self, session: Session, identity: str, *bodies: Body) -> None:
        """Enter the commands of one message under its id, unless the id was used before."""
        if identity in session.ids:
            self._used_before(session, identity, bodies)
        elif _id_ok(identity) is None:
            session.refuse("client_order_id_invalid", detail=identity[:32])
        else:
            sequencer, name = self.sequencer, identity.encode()
            session.ids[identity] = sequencer.next_seq
            for body in bodies:
                sequencer.enter((*body, name))

    def _used_before(self, session: Session, identity: str, bodies: tuple[Body, ...]) -> None:
        seq, name = session.ids[identity], identity.encode()
        sent = b"".join(ROW.pack(0, 0, *body, name) for body in bodies)
        last = seq + len(bodies) - 1
        self._when_applied(last, lambda: self._again(session, identity, seq, sent))

    def _ticks(self, session: Session, message: Any) -> int | None:
        """Return the price in ticks, or None after refusing it."""
        identity, text = message.client_order_id, message.price
        if text is None:
            session.refuse("missing_field", identity, "price_ticks")
            return None
        if message.price_ticks is not None:
            session.refuse("conflicting_fields", identity, "price")
            return None
        found = _price(text)
        if found is None:
            session.refuse("wrong_type", identity, "price is a decimal such as 80.05")
            return None
        sign, whole, part = found.group(1), found.group(2), (found.group(3) or "").rstrip("0")
        if len(part) > 2:
            session.refuse("price_off_tick", identity)
            return None
        ticks = int(whole) * 100 + int(part.ljust(2, "0"))
        if ticks > m.PRICE_MAX:
            session.refuse("out_of_range", identity, "price")
            return None
        return -ticks if sign else ticks

    # ids that were used before, and questions about them

    def _when_applied(self, seq: int, act: Callable[[], None]) -> None:
        """Act now, or once the command ``seq`` (and so everything said before) is applied."""
        if seq <= self.exchange.seq:
            act()
        else:
            self._deferred.append((seq, act))
            self._deferred.sort(key=lambda each: each[0])

    def _again(self, session: Session, identity: str, seq: int, sent: bytes) -> None:
        first_seq, count = self.record.first_seq, len(sent) // ROW.size
        if seq < first_seq or self.record.bodies(seq, count) != sent:
            session.refuse("duplicate_client_order_id", identity)
            return
        answers = self.record.answers(session.account, seq)
        refs, numbers = np.array(answers, np.int64).T
        for report in reports(self.record, self.codes, refs, numbers, repeated=True):
            session.say(report)

    def _status(self, session: Session, message: m.StatusRequest) -> None:
        identity = message.client_order_id
        seq = session.ids.get(identity)
        if seq is None:
            session.say(m.Status(identity[:32], "unknown"))
        else:
            self._when_applied(seq, lambda: session.say(self._state_of(session, identity, seq)))

    def _state_of(self, session: Session, identity: str, seq: int) -> m.Status:
        ref, number = self.record.answers(session.account, seq)[0]
        event = self.record.events.all[ref >> 1]
        answer = m.Status(identity, "accepted", seq, number, order_no=int(event["order_no"]))
        if event["kind"] == Event.REFUSED:
            answer.outcome = "refused"
            answer.code, answer.reason = CODES[event["reason"]], SENTENCES[event["reason"]]
            return answer
        row = int(event["order_no"]) - int(self.exchange.state.market[0]["order_base"])
        order = self.exchange.orders_today()[row]
        answer.order_status = OrderStatus(int(order["status"])).name.lower()
        answer.qty_tonnes, answer.leaves_qty = int(order["qty_tonnes"]), int(order["leaves_qty"])
        return answer
