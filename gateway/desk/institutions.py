"""What people of the institutions do, into commands; and proposals, which two people decide.

A measure names its account or instrument; who acts is the person behind the key. What undoes deals
or takes allowances is proposed by one and approved by another (ST-07): the approved command is
written down before it is entered, so that it is executed exactly once, see ``desk.proposals``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.records import Block, Kind
from gateway.authority import permitted
from gateway.desk import terms
from gateway.desk.commands import Body, body
from gateway.desk.day_record import office
from gateway.desk.proposals import PENDING, Proposals, Stored
from gateway.desk.rule_changes import PARAMETERS, WEIGHT, bounds, first_day
from gateway.wire import office_messages as o
from gateway.wire import trader_messages as t
from gateway.wire.rare_messages import Proposal
from registry.asking import day_of

if TYPE_CHECKING:
    from gateway.desk.desk import Desk
    from gateway.protocol import Session

BLOCKS = {(block.name or "").lower(): int(block) for block in Block}
BUY_AND_SELL = int(Block.BUY | Block.SELL)


class Action(NamedTuple):
    """What two people decide: its command, the fields it needs, and those it may have."""

    kind: Kind
    needed: tuple[str, ...]
    may: tuple[str, ...] = ()


_GOODS = ("account", "instrument", "qty_tonnes")
ACTIONS = {
    "void_trade": Action(Kind.VOID_TRADE, ("trade_no",)),
    "freeze_holding": Action(Kind.FREEZE_HOLDING, _GOODS),
    "release_holding": Action(Kind.RELEASE_HOLDING, _GOODS),
    "deduct_holding": Action(Kind.DEDUCT_HOLDING, _GOODS),
    "set_parameter": Action(Kind.SET_PARAMETER, ("parameter", "value"), ("instrument",)),
}
NAMED = ("trade_no", *_GOODS, "parameter", "value")


class Institutions:
    """The handlers of one desk. ``proposals`` are kept beside the journal."""

    def __init__(self, desk: Desk, proposals: Proposals) -> None:
        self._desk = desk
        self.proposals = proposals
        self.handlers: dict[type, Callable[[Any, Any], None]] = {
            t.Kill: self._kill,
            o.NoticeSession: self._notice,
            o.RejectSession: self._reject,
            o.BlockAccount: self._block,
            o.GuardHolding: self._guard,
            o.LimitHolding: self._limit,
            o.WarnAccount: self._warn,
            o.HaltInstrument: self._switch(Kind.HALT_INSTRUMENT),
            o.ResumeInstrument: self._switch(Kind.RESUME_INSTRUMENT),
            o.HaltMarket: self._switch(Kind.HALT_MARKET),
            o.ResumeMarket: self._switch(Kind.RESUME_MARKET),
            o.AdmitInstrument: self._admit,
            o.Propose: self._propose,
            o.WithdrawProposal: self._withdraw,
            o.Approve: self._approve,
            o.RejectProposal: self._reject_proposal,
        }

    def _kill(self, session: Session, message: t.Kill) -> None:
        """Throw the kill switch; an account's people only their own (TR-115, TR-117)."""
        identity = message.client_order_id
        own = session.account >= 0
        if own and not (message.account is None and message.blocks is None):
            session.refuse("not_permitted", identity, "account and blocks are the exchange's")
            return
        account = session.account if own else message.account
        instrument: int | None = -1
        if message.instrument is not None:
            instrument = self._desk.row_of(session, message)
        bits = self._bits(session, identity, message.blocks)
        if instrument is None or bits is None:
            return
        named = {} if account is None else {"account": account, "amount": bits}
        made = body(session, Kind.KILL, **{"account": -1, **named}, instrument=instrument)
        self._desk.enter(session, identity, made, urgent=True)

    def _bits(self, session: Session, identity: str, words: list[str] | None) -> int | None:
        if words is None:
            return BUY_AND_SELL
        for word in words:
            if word not in BLOCKS:
                session.refuse("out_of_range", identity, f"blocks: {word[:32]}")
                return None
        return sum({BLOCKS[word] for word in words})

    def _notice(self, session: Session, message: o.NoticeSession) -> None:
        """Publish a session of today with its window (TR-81)."""
        opens = terms.minute(session, message, "opens")
        closes = terms.minute(session, message, "closes") if opens is not None else None
        if opens is None or closes is None:
            return
        window = {"from_minute": opens, "until_minute": closes}
        made = body(session, Kind.NOTICE_SESSION, ref=message.session_no, **window)
        self._desk.enter(session, message.client_order_id, made)

    def _reject(self, session: Session, message: o.RejectSession) -> None:
        made = body(session, Kind.REJECT_SESSION, ref=message.session_no)
        self._desk.enter(session, message.client_order_id, made)

    def _block(self, session: Session, message: o.BlockAccount) -> None:
        identity = message.client_order_id
        bits = self._bits(session, identity, message.blocks)
        if bits is not None:
            made = body(session, Kind.BLOCK_ACCOUNT, account=message.account, amount=bits)
            self._desk.enter(session, identity, made)

    def _guard(self, session: Session, message: o.GuardHolding) -> None:
        instrument = self._desk.row_of(session, message)
        if instrument is not None:
            named = {"account": message.account, "instrument": instrument}
            made = body(session, Kind.GUARD_HOLDING, **named, qty_tonnes=message.qty_tonnes)
            self._desk.enter(session, message.client_order_id, made)

    def _limit(self, session: Session, message: o.LimitHolding) -> None:
        named = {"account": message.account, "qty_tonnes": message.qty_tonnes}
        made = body(session, Kind.LIMIT_HOLDING, **named)
        self._desk.enter(session, message.client_order_id, made)

    def _warn(self, session: Session, message: o.WarnAccount) -> None:
        made = body(session, Kind.WARN_ACCOUNT, account=message.account, amount=message.stage)
        self._desk.enter(session, message.client_order_id, made)

    def _switch(self, kind: Kind) -> Callable[[Any, Any], None]:
        urgent = kind in (Kind.HALT_INSTRUMENT, Kind.HALT_MARKET)

        def handle(session: Session, message: Any) -> None:
            instrument: int | None = -1
            if hasattr(message, "instrument"):
                instrument = self._desk.row_of(session, message)
            if instrument is not None:
                made = body(session, kind, instrument=instrument)
                self._desk.enter(session, message.client_order_id, made, urgent=urgent)

        return handle

    def _admit(self, session: Session, message: o.AdmitInstrument) -> None:
        """List an instrument in the next row; its code is the id of the request (TR-04, VM-02)."""
        code = message.instrument
        if not (0 < len(code) <= 16 and code.isascii() and code.replace("-", "").isalnum()):
            session.refuse(
                "client_order_id_invalid", detail="a code has 1 to 16 letters, digits, -"
            )
        elif code in self._desk.instruments:
            session.refuse("instrument_listed", code)
        else:
            priced = message.price is not None or message.price_ticks is not None
            price = terms.ticks(session, message) if priced else 0
            if price is not None:
                row = len(self._desk.instruments)
                made = body(session, Kind.ADMIT_INSTRUMENT, instrument=row, price_ticks=price)
                self._desk.enter(session, code, made)

    # what two people decide

    def _propose(self, session: Session, message: o.Propose) -> None:
        action, identity = message.action, message.client_order_id
        if action not in ACTIONS:
            session.refuse("out_of_range", identity, f"action: {action[:32]}")
            return
        if not self._may(session, "propose", action):
            session.refuse("not_permitted", identity)
            return
        named = {name: getattr(message, name) for name in NAMED}
        if not self._fields_fit(session, message, named):
            return
        values = {name: value for name, value in named.items() if value is not None}
        stored = self.proposals.same(session.operator, identity)
        if stored is None and self._desk.valid(session, identity):
            stored = self.proposals.propose(action, values, session.operator, identity)
        elif stored is not None and (stored.action, stored.values) != (action, values):
            session.refuse("duplicate_client_order_id", identity)
            return
        if stored is not None:
            self._tell(stored)

    def _fields_fit(self, session: Session, message: o.Propose, named: dict[str, Any]) -> bool:
        """Whether a proposal has exactly the fields of its action, within bounds; else say so."""
        action, identity = ACTIONS[message.action], message.client_order_id
        for name, value in named.items():
            needed = name in action.needed
            if (value is None) == needed and not (name in action.may and value is not None):
                code = "missing_field" if value is None else "conflicting_fields"
                session.refuse(code, identity, name)
                return False
        if message.instrument is not None and self._desk.row_of(session, message) is None:
            return False
        return message.parameter is None or self._rule_fits(session, message)

    @staticmethod
    def _rule_fits(session: Session, message: o.Propose) -> bool:
        name, value, identity = message.parameter or "", message.value or 0, message.client_order_id
        if name not in PARAMETERS:
            session.refuse("out_of_range", identity, f"parameter: {name[:32]}")
        elif (message.instrument is None) == (name == WEIGHT):
            code = "missing_field" if name == WEIGHT else "conflicting_fields"
            session.refuse(code, identity, "instrument")
        elif not bounds(name)[0] <= value <= bounds(name)[1]:
            least, most = bounds(name)
            session.refuse("out_of_range", identity, f"{name} is {least} to {most}")
        else:
            return True
        return False

    def _withdraw(self, session: Session, message: o.WithdrawProposal) -> None:
        """Let a maker take a proposal back, unless it was decided before (ST-07)."""
        identity = message.client_order_id
        stored = self.proposals.find(message.proposal_id)
        if stored is None or not self._may(session, "propose", stored.action):
            session.refuse("unknown_proposal", identity)
        elif stored.maker != session.operator:
            session.refuse("not_the_maker", identity)
        elif stored.status != PENDING:
            session.refuse("proposal_decided", identity)
        else:
            withdrawn = self.proposals.withdraw(stored.proposal_id)
            self._tell(withdrawn, session.owner, identity)

    def _approve(self, session: Session, message: o.Approve) -> None:
        stored = self._decidable(session, message.proposal_id, message.client_order_id)
        if stored is not None:
            day = 0
            if stored.action == "set_parameter":
                day = first_day(self._desk.exchange.state, day_of(self._desk.sequencer.time_ns))
            decided = self.proposals.decide(
                stored.proposal_id, session.operator, approved=True, first_day=day
            )
            self.execute(decided)
            self._tell(decided, session.owner, message.client_order_id)

    def _reject_proposal(self, session: Session, message: o.RejectProposal) -> None:
        stored = self._decidable(session, message.proposal_id, message.client_order_id)
        if stored is not None:
            decided = self.proposals.decide(stored.proposal_id, session.operator, approved=False)
            self._tell(decided, session.owner, message.client_order_id)

    def _decidable(self, session: Session, proposal_id: int, identity: str) -> Stored | None:
        """Return the pending proposal this person may decide, or None after saying why not."""
        stored = self.proposals.find(proposal_id)
        if stored is None or not self._may(session, "approve", stored.action):
            session.refuse("unknown_proposal", identity)
        elif stored.maker == session.operator:
            session.refuse("maker_may_not_approve", identity)
        elif stored.status != PENDING:
            session.refuse("proposal_decided", identity)
        else:
            return stored
        return None

    @staticmethod
    def _may(session: Session, step: str, action: str) -> bool:
        return session.key is not None and permitted(session.key.roles, f"{step}.{action}")

    def execute(self, stored: Stored) -> None:
        """Enter the command of an approved proposal: exactly what was proposed."""
        self._desk.sequencer.stamp()
        self._desk.sequencer.enter((*self._command(stored), stored.name))
        self._desk.sequencer.flush()

    def _command(self, stored: Stored) -> Body:
        values = stored.values
        instrument = self._desk.instruments.get(values.get("instrument", ""), -1)
        return body(
            _Person(stored.maker),
            ACTIONS[stored.action].kind,
            ref=values.get("trade_no", PARAMETERS.get(values.get("parameter", ""), 0)),
            account=values.get("account", -1),
            instrument=instrument,
            qty_tonnes=values.get("qty_tonnes", 0),
            amount=values.get("value", 0),
            checker=stored.checker,
        )

    def _tell(self, stored: Stored, asked_by: int | None = None, identity: str = "") -> None:
        """Tell both people where a proposal stands; each hears the id of its own request."""
        ids = {office(stored.maker): stored.client_order_id}
        if stored.checker:
            ids[office(stored.checker)] = ""
        if asked_by is not None:
            ids[asked_by] = identity
        for owner, name in ids.items():
            for session in self._desk.sessions.get(owner, []):
                session.say(proposal_view(stored, name))


class _Person:
    """Stands for a session where there is none: the maker of an approved proposal."""

    account = -1

    def __init__(self, operator: int) -> None:
        self.operator = operator


def proposal_view(stored: Stored, identity: str = "") -> Proposal:
    """Return a proposal as people are told of it."""
    return Proposal(
        client_order_id=identity,
        proposal_id=stored.proposal_id,
        status=stored.status,
        action=stored.action,
        maker=stored.maker,
        checker=stored.checker,
        **stored.values,
    )
