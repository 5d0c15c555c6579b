"""The desk between sessions and the sequencer: typed messages become commands, events reports.

Here are the client order ids (the same id with the same body is answered again, never done twice),
the decimal prices, the legs of a sweep, and the way of every report to the sessions of its owner.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np

from engine.exchange import Exchange
from engine.records import Event, Kind, Phase
from gateway import messages as m
from gateway.columns import Columns
from gateway.commands import Body
from gateway.day_record import DayRecord, Group, day_begins
from gateway.institutions import Institutions
from gateway.keys import Key, Keys
from gateway.limits import Credit, Limits
from gateway.negotiations import BUY_SELL, Negotiations
from gateway.people import People
from gateway.proposals import Proposals
from gateway.protocol import Session
from gateway.questions import Questions
from gateway.reports import reports
from gateway.safeguards import Safeguards
from gateway.sequencer import Sequencer
from gateway.terms import ticks
from gateway.transfers import Transfers
from registry.institution import Registry

_PHASE_CHANGED, _ADMITTED = int(Event.PHASE_CHANGED), int(Event.INSTRUMENT_ADMITTED)
LIST, TAKE, TAKE_BEST, CANCEL, ADD, AMEND = (int(kind) for kind in Kind if 1 <= kind <= 6)

_id_ok = re.compile(r"[A-Za-z0-9._:\-]{1,32}").fullmatch


_id_of_institutions = re.compile(r"[IP][0-9]+").fullmatch  # the registry's and approved commands

NO_WINDOW = (0, 0, 0)  # checker, from_minute, until_minute
NO_LEG = (0, 0, 0, 0, 0)  # side, leg, legs, mode, tail


class Desk:
    """One per venue; called from the event loop only."""

    def __init__(
        self,
        exchange: Exchange,
        record: DayRecord,
        keys: Keys,
        registry: Registry | None = None,
        proposals: Proposals | None = None,
    ) -> None:
        self.exchange = exchange
        self.record = record
        self.keys = keys
        self.sequencer: Sequencer
        self.codes: list[str] = []
        self.instruments: dict[str, int] = {}
        self.sessions: dict[int, list[Session]] = {}  # by whose reports they get
        self.transfers = Transfers(self, registry)
        self.institutions = Institutions(self, proposals or Proposals(None))
        self.safeguards = Safeguards(self)
        self.limits = Limits()
        self.refusals: Counter[str] = Counter()  # of the gateway itself, by code
        self._credits: dict[int, Credit] = {}
        self.questions = Questions(self)
        self.take_many = Columns(self).take_many
        self.handlers: dict[type, Callable[[Any, Any], None]] = {
            m.List: self._list,
            m.Take: self._take,
            m.TakeBest: self._take_best,
            m.Add: self._add,
            m.Amend: self._amend,
            m.Cancel: self._cancel,
            **self.questions.handlers,
            **self.safeguards.handlers,
            **Negotiations(self).handlers,
            **self.transfers.handlers,
            **self.institutions.handlers,
            **People(self, keys).handlers,
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

    def room_for(self, owner: int) -> bool:
        """Whether the account, or person, may have another connection."""
        return len(self.sessions.get(owner, ())) < self.limits.lines_per_account_max

    def credit_of(self, owner: int) -> Credit:
        """Return what the owner's lines use together."""
        return self._credits.setdefault(owner, Credit(self.limits))

    def join(self, session: Session) -> m.Welcome:
        """From now on the session gets the reports of its account, or of its person."""
        self.sessions.setdefault(session.owner, []).append(session)
        last = self.record.report_seq(session.owner)
        session.next_report_seq = last + 1
        session.ids = self.record.ids_of(session.owner)
        self.safeguards.joined(session)
        market = self.exchange.state.market[0]
        return m.Welcome(
            account=session.account,
            date=int(market["date"]),
            phase=Phase(int(market["phase"])).name.lower(),
            seq=self.exchange.seq,
            report_seq=last,
            time_us=self.now_us(),
        )

    def leave(self, session: Session, *, lost: bool) -> None:
        """The session ends; what becomes of the orders of a lost one: see ``safeguards``."""
        sessions = self.sessions.get(session.owner, [])
        if session in sessions:
            sessions.remove(session)
        if not sessions:
            self.sessions.pop(session.owner, None)
        self.safeguards.left(session, lost=lost)

    def turn_away(self, session: Session, client_order_id: str, code: str) -> None:
        """The gateway itself has refused something, a command if it has an id."""
        self.refusals[code] += 1
        if client_order_id:
            self.questions.turn_away(session, client_order_id, code)

    def heartbeat(self, session: Session) -> m.Heartbeat:
        """Return the session's sign of life."""
        last = self.record.report_seq(session.owner)
        return m.Heartbeat(self.now_us(), self.exchange.seq, last)

    def pong(self, session: Session, ref: int) -> m.Pong:
        """Answer a ping."""
        last = self.record.report_seq(session.owner)
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
        refs = self.record.refs(session.owner, first, count)
        if len(refs) == 0:
            return []
        return reports(self.record, self.codes, refs, np.arange(first, first + len(refs)))

    def close_all(self, code: str) -> None:
        """Say good bye to every session, e.g. because the venue stops."""
        for sessions in list(self.sessions.values()):
            for session in list(sessions):
                session.close(code)

    def end_sessions_of(self, key_id: str) -> None:
        """End every connection of a key that was changed or taken away."""
        for sessions in list(self.sessions.values()):
            for session in list(sessions):
                if session.key is not None and session.key.key_id == key_id:
                    session.close("key_changed")

    # what the sequencer tells

    def tell(self, events: np.ndarray, groups: list[Group]) -> None:
        """Hand new reports to their owners' sessions, then answer what waited for this batch."""
        usual = bool(groups) and groups[0].usual
        phases = events[:0]
        if not usual:
            phases = events[events["kind"] == _PHASE_CHANGED]
            if len(phases) and day_begins(phases) is not None:
                self._new_day()
            elif (events["kind"] == _ADMITTED).any():
                self.learn_instruments()
            self.transfers.arrived(events)
            self.safeguards.note(events["kind"])
        live = [group for group in groups if group.owner in self.sessions]
        if live:
            numbers = [
                np.arange(g.first_report_seq, g.first_report_seq + len(g.refs)) for g in live
            ]
            refs = np.concatenate([group.refs for group in live])
            seqs = np.concatenate(numbers)
            made = reports(self.record, self.codes, refs, seqs, usual=usual)
            at = 0
            for group in live:
                mine = made[at : at + len(group.refs)]
                at += len(group.refs)
                for session in self.sessions[group.owner]:
                    session.offer(group.first_report_seq, mine)
        for event in phases:
            self._phase_changed(event)
        self.questions.applied()

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
        self.transfers.new_day()
        self.sequencer.forget(self.record.first_seq)
        self.questions.new_day()
        for sessions in self.sessions.values():
            for session in sessions:
                session.new_day(self.record.ids_of(session.owner))

    def row_of(self, session: Session, message: Any) -> int | None:
        """Return the row of the message's instrument, None after refusing it."""
        row = self.instruments.get(message.instrument)
        if row is None:
            session.refuse("unknown_instrument", message.client_order_id)
        return row

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
            price = ticks(session, message)
            if price is None:
                return
        side = BUY_SELL.get(message.side, 0)
        qty, account = message.qty_tonnes, session.account
        identity, ids = message.client_order_id, session.ids
        if identity in ids or _id_ok(identity) is None:
            terms = (0, qty, 0, 0, account, -1, price, session.operator, *NO_WINDOW)
            body = (*terms, instrument, kind, side, *NO_LEG[1:])
            self.enter(session, identity, body)
            return
        name = identity.encode()
        sent = (0, qty, 0, 0, account, -1, price, session.operator, 0, 0, 0, instrument, kind)
        ids[identity] = self.sequencer.enter((*sent, side, 0, 0, 0, 0, name))

    def _amend(self, session: Session, message: m.Amend) -> None:
        price = message.price_ticks
        if price is None or message.price is not None:
            price = ticks(session, message)
            if price is None:
                return
        qty = message.qty_tonnes
        who = (session.account, -1, price, session.operator, *NO_WINDOW)
        body = (message.order_no, qty, 0, 0, *who, -1, AMEND, *NO_LEG)
        self.enter(session, message.client_order_id, body)

    def _cancel(self, session: Session, message: m.Cancel) -> None:
        who = (session.account, -1, 0, session.operator, *NO_WINDOW)
        body = (message.order_no, 0, 0, 0, *who, -1, CANCEL, *NO_LEG)
        self.enter(session, message.client_order_id, body)

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
        who = (session.account, -1, 0, session.operator, *NO_WINDOW)
        bodies = [
            (ref, qty, total, 0, *who, -1, TAKE, 0, leg, count, 0, 0)
            for leg, (ref, qty) in enumerate(legs, start=1 if count else 0)
        ]
        self.enter(session, message.client_order_id, *bodies)

    def enter(self, session: Session, identity: str, *bodies: Body, urgent: bool = False) -> None:
        """Enter the commands of one message under its id, unless the id was used before."""
        if identity in session.ids:
            self.questions.used_before(session, identity, bodies)
        elif self.valid(session, identity):
            sequencer, name = self.sequencer, identity.encode()
            session.ids[identity] = sequencer.next_seq
            enter = sequencer.enter_urgent if urgent else sequencer.enter
            for body in bodies:
                enter((*body, name))

    def valid(self, session: Session, identity: str) -> bool:
        """Whether an id is one that this session may use; if not, say so."""
        if _id_ok(identity) is None or (session.account < 0 and _id_of_institutions(identity)):
            session.refuse("client_order_id_invalid", detail=identity[:32])
            return False
        return True
