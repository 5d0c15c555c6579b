"""The order-entry session as a machine without sockets: frames in, messages out.

    CONNECTED --open--> CHALLENGED --login--> LOGGED_IN --logout, or an error that closes--> CLOSED

A client's mistake is answered with a stable code; most keep the session, those with a close code in
``gateway.wire.refusals`` end it. The account comes from the login, never from a message.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol, get_args

from engine.records import CLIENT_ORDER_ID_BYTES
from gateway.authority import permitted
from gateway.desk.day_record import office
from gateway.keys import Key
from gateway.limits import Credit, Limits, Meter
from gateway.wire.codec import Codec, Fault
from gateway.wire.messages import (
    Bye,
    Cancel,
    Challenge,
    Command,
    Error,
    Heartbeat,
    List,
    Login,
    Logout,
    Outbound,
    Ping,
    Pong,
    Question,
    Refused,
    Welcome,
)
from gateway.wire.refusals import REFUSALS, sentence
from gateway.wire.trader_messages import (
    BulkDecline,
    BulkWithdraw,
    CancelAfter,
    CancelAll,
    CancelBid,
    Kill,
)

logger = logging.getLogger(__name__)

OUT_MAX = (
    1000  # messages that wait for the writer; reports beyond are fetched again when it is free
)
FRAME_MESSAGES_MAX = 500  # of the messages that wait, in one outgoing frame
CLOSE_NORMAL = 1000
MANY = 16  # messages in a frame from which whole columns pay
HEARTBEATS_MISSED_MAX = 3
PACED = frozenset(  # never refused for their rate: cancels and questions
    (
        *(Cancel, CancelBid, CancelAll, CancelAfter, BulkWithdraw, BulkDecline, Kill),
        *(*get_args(Question), Login, Logout),
    )
)


class State(Enum):
    """Where a session stands."""

    CONNECTED = "connected"
    CHALLENGED = "challenged"
    LOGGED_IN = "logged_in"
    CLOSED = "closed"


class Venue(Protocol):
    """What a session needs of the venue behind it (``gateway.desk.desk.Desk``)."""

    handlers: dict[type, Callable[[Any, Any], None]]
    limits: Limits

    def now_us(self) -> int: ...
    def check_login(self, nonce: str, login: Login) -> Key | None: ...
    def room_for(self, owner: int) -> bool: ...
    def credit_of(self, owner: int) -> Credit: ...
    def join(self, session: Session) -> Welcome: ...
    def leave(self, session: Session, *, lost: bool) -> None: ...
    def turn_away(self, session: Session, client_order_id: str, code: str) -> None: ...
    def heartbeat(self, session: Session) -> Heartbeat: ...
    def pong(self, session: Session, ref: int) -> Pong: ...
    def stamp(self) -> None: ...
    def flush(self) -> None: ...
    def take_many(self, session: Session, messages: list[Any]) -> bool: ...
    def fetch(self, session: Session, count: int) -> list[Any]: ...


class Session:
    """One connection of one client. The caller pumps; ``wake`` is called when output waits.

    ``joined`` is called once somebody has logged in; ``now_s`` is a steady clock.
    """

    def __init__(
        self, codec: Codec, venue: Venue, nonce: str, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.codec = codec
        self.venue = venue
        self.nonce = nonce
        self.meter = Meter(venue.limits)
        self.cancel_on_disconnect = False
        self.grace_ms = 0
        self.heartbeat_ms = 0
        self.joined: Callable[[], None] = lambda: None
        self._now_s = now_s
        self._heard_s = now_s()
        self._metered = True
        self.state = State.CONNECTED
        self.account = -1
        self.operator = 0  # the person behind the key
        self.owner = -1  # whose reports it gets: the account, or a person of an institution
        self.key: Key | None = None
        self.ids: dict[str, int] = {}  # the account's client order ids of the day
        self.many: frozenset[type] = frozenset()  # kinds that it may send in columns
        self.next_report_seq = 1
        self.behind = False
        self.close_code = 0
        self.wake: Callable[[], None] = lambda: None
        self._out: list[Outbound] = []
        self._handlers: dict[type, Callable[[Any, Any], None]] = {}

    def open(self) -> None:
        """Send the challenge: the first thing a client hears."""
        assert self.state is State.CONNECTED, "a session opens once"
        self.state = State.CHALLENGED
        self._handlers = TRANSITIONS[State.CHALLENGED]
        within_ms = self.venue.limits.login_within_ms
        self.say(Challenge(self.nonce, self.venue.now_us(), within_ms))

    def receive(self, *frames: str | bytes) -> None:
        """Take frames in the order they came. Never raises on a client's account."""
        if self.state is State.CLOSED:
            return
        decode = self.codec.decode
        if len(frames) == 1:
            messages = decode(frames[0])
        else:
            messages = [message for frame in frames for message in decode(frame)]
        self._heard_s = now_s = self._now_s()
        if self._metered:
            messages = self._within_rate(messages, now_s)
        self.venue.stamp()
        try:
            if len(messages) >= MANY and self.venue.take_many(self, messages):
                return
            for message in messages:
                handler = self._handlers.get(type(message))
                if handler is not None:
                    handler(self, message)
                else:
                    self._out_of_turn(message)
        except AssertionError:
            raise  # the process ends, see gateway.connection
        except Exception:
            logger.exception("a frame of account %d could not be handled", self.account)
            self.refuse("internal_error")
        finally:
            self.venue.flush()

    def _within_rate(self, messages: list[Any], now_s: float) -> list[Any]:
        """Return what may pass of a frame; what is beyond the rate is refused one by one."""
        if len(messages) == 1:
            paced = int(type(messages[0]) in PACED)
        else:
            paced = sum(map(PACED.__contains__, map(type, messages)))
        if paced:
            self.meter.questions(paced, now_s)
        orders = len(messages) - paced
        if orders == 0 or self.meter.orders(orders, now_s):
            return messages
        return [
            message for message in messages if type(message) in PACED or self._paid(message, now_s)
        ]

    def _paid(self, message: Any, now_s: float) -> bool:
        meter = self.meter
        if meter.orders(1, now_s):
            return True
        meter.refuse(now_s)
        retry_ms = math.ceil(meter.wait_s * 1000)
        self.refuse("rate_limited", getattr(message, "client_order_id", ""), retry_ms=retry_ms)
        if meter.abused(now_s):
            self.refuse("rate_abused")
        return False

    def refuse(
        self, code: str, client_order_id: str = "", detail: str = "", retry_ms: int = 0
    ) -> None:
        """Say no, without a place in the journal; close where the code closes."""
        closes = REFUSALS[code].close_code
        text = sentence(code, detail)
        if client_order_id:
            identity = client_order_id[:CLIENT_ORDER_ID_BYTES]
            clauses = REFUSALS[code].clauses
            self.say(Refused(code, text, clauses, identity, retry_ms=retry_ms))
        else:
            self.say(Error(code, text, bool(closes), retry_ms))
        self.venue.turn_away(self, client_order_id[:CLIENT_ORDER_ID_BYTES], code)
        if closes:
            self.close(code)

    def refuse_by_registry(self, code: str, text: str, client_order_id: str) -> None:
        """Pass the registry's no on: its code and sentence."""
        self.say(Refused(code, text, "", client_order_id))

    def say(self, message: Outbound) -> None:
        """Put one message behind those that wait for the writer."""
        if self.state is not State.CLOSED:
            self._out.append(message)
            self.wake()

    def offer(self, first_report_seq: int, reports: list[Any]) -> None:
        """Take the account's newest reports, unless the writer is still behind older ones."""
        if self.state is not State.LOGGED_IN or first_report_seq < self.next_report_seq:
            return
        gap = first_report_seq != self.next_report_seq
        if self.behind or gap or len(self._out) + len(reports) > OUT_MAX:
            self.behind = True
        else:
            self._out.extend(reports)
            self.next_report_seq += len(reports)
        self.wake()

    def replay(self, after: int) -> None:
        """Say the day's reports after this number again, then go on with the newest."""
        self.next_report_seq, self.behind = after + 1, True
        self.wake()

    def beat(self) -> None:
        """Say that the line lives; let a client go that has said nothing for three beats."""
        if self.state is not State.LOGGED_IN:
            return
        silent_ms = (self._now_s() - self._heard_s) * 1000
        if silent_ms > HEARTBEATS_MISSED_MAX * self.heartbeat_ms:
            self.refuse("heartbeat_lost")
        else:
            self.say(self.venue.heartbeat(self))

    def new_day(self, ids: dict[str, int]) -> None:
        """Numbers of the account's reports begin again at 1, client order ids too."""
        self.next_report_seq, self.behind, self.ids = 1, False, ids

    def output(self) -> list[Outbound]:
        """Return the messages of the next outgoing frame, [] where nothing waits."""
        if not self._out and self.behind:
            fetched = self.venue.fetch(self, FRAME_MESSAGES_MAX)
            self.next_report_seq += len(fetched)
            self.behind = bool(fetched)
            return fetched
        frame, self._out = self._out[:FRAME_MESSAGES_MAX], self._out[FRAME_MESSAGES_MAX:]
        return frame

    @property
    def full(self) -> bool:
        """Whether so much waits that the reader should pause."""
        return len(self._out) >= OUT_MAX

    @property
    def pause_s(self) -> float:
        """How long the line is not to be read: it has sent too many cancels and questions."""
        return self.meter.pause_s if self._metered else 0.0

    @property
    def urgent(self) -> bool:
        """Whether it is read even while the sequencer is full: an institution's."""
        return self.state is State.LOGGED_IN and self.account < 0

    def close(self, code: str) -> None:
        """Say good bye with ``code`` and be closed; orders stay."""
        if self.state is State.CLOSED:
            return
        text = REFUSALS[code].sentence if code in REFUSALS else "Good bye."
        self.say(Bye(code, text))
        self.close_code = REFUSALS[code].close_code if code in REFUSALS else CLOSE_NORMAL
        self.drop(lost=code != "logout")
        self.wake()

    def drop(self, *, lost: bool = True) -> None:
        """The line is gone; ``lost``: the client did not log out."""
        if self.state is State.LOGGED_IN:
            self.state = State.CLOSED
            self.venue.leave(self, lost=lost)
        self.state, self.behind = State.CLOSED, False
        self._handlers = TRANSITIONS[State.CLOSED]

    def login_expired(self) -> None:
        """The time to log in is over."""
        if self.state is State.CHALLENGED:
            self.refuse("login_timeout")

    def _login(self, message: Login) -> None:
        key = self.venue.check_login(self.nonce, message)
        if key is None:
            self.refuse("bad_credentials")
            return
        owner = key.account if key.account >= 0 else office(key.person)
        if not self.venue.room_for(owner):
            self.refuse("too_many_lines")
            return
        self.key, self.account, self.operator = key, key.account, key.person
        self.owner = owner
        self.cancel_on_disconnect, self.grace_ms = message.cancel_on_disconnect, message.grace_ms
        self.heartbeat_ms = message.heartbeat_ms
        self._metered = key.account >= 0
        self.meter.join(self.venue.credit_of(owner))
        self.state = State.LOGGED_IN
        self._handlers = {**TRANSITIONS[State.LOGGED_IN], **self._allowed(key.roles)}
        self.many = frozenset(
            kind
            for kind in (List, Cancel)
            if key.account >= 0 and self._handlers[kind] is self.venue.handlers[kind]
        )
        self.say(self.venue.join(self))
        self.joined()

    def _allowed(self, roles: tuple[str, ...]) -> dict[type, Callable[[Any, Any], None]]:
        """Return what each message does: deny by default, by the one table (rules.md 7.5)."""
        return {
            kind: handler if permitted(roles, tag_of(kind)) else Session._refuse_role
            for kind, handler in self.venue.handlers.items()
        }

    def _logout(self, _message: Logout) -> None:
        self.close("logout")

    def _ping(self, message: Ping) -> None:
        self.say(self.venue.pong(self, message.ref))

    def _fault(self, fault: Fault) -> None:
        self.refuse(fault.code, fault.client_order_id, fault.detail)

    def _already(self, _message: Login) -> None:
        self.refuse("already_logged_in")

    @staticmethod
    def _refuse_role(session: Session, message: Any) -> None:
        session.refuse("not_permitted", getattr(message, "client_order_id", ""))

    def _ignore(self, _message: Any) -> None:
        """Nothing is heard after the good bye."""

    def _out_of_turn(self, message: Any) -> None:
        if self.state is State.CHALLENGED:
            self.refuse("not_logged_in", getattr(message, "client_order_id", ""))


def tag_of(kind: Any) -> str:
    """Return the type of a message on the wire."""
    return str(kind.__struct_config__.tag)


COMMANDS: tuple[type, ...] = Command.__args__
TRANSITIONS: dict[State, dict[type, Callable[[Any, Any], None]]] = {
    State.CONNECTED: {},
    State.CHALLENGED: {
        Login: Session._login,
        Logout: Session._logout,
        Ping: Session._ping,
        Fault: Session._fault,
    },
    State.LOGGED_IN: {
        Login: Session._already,
        Logout: Session._logout,
        Ping: Session._ping,
        Fault: Session._fault,
    },
    State.CLOSED: dict.fromkeys(
        (*COMMANDS, *get_args(Question), Login, Logout, Fault), Session._ignore
    ),
}
