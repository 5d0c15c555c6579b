"""The order-entry session as a machine without sockets: frames in, messages out.

    CONNECTED --open--> CHALLENGED --login--> LOGGED_IN --logout, or an error that closes--> CLOSED

A client's mistake is answered with a stable code; most keep the session, those with a close code in
``gateway.refusals`` end it. The account comes from the login, never from a message.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from enum import Enum
from typing import Any, Protocol

from engine.records import CLIENT_ORDER_ID_BYTES
from gateway.authority import permitted
from gateway.codec import Codec, Fault
from gateway.day_record import office
from gateway.keys import Key
from gateway.messages import (
    Bye,
    Challenge,
    Command,
    Error,
    Login,
    Logout,
    Outbound,
    Ping,
    Pong,
    Refused,
    StatusRequest,
    Welcome,
)
from gateway.refusals import REFUSALS, sentence

logger = logging.getLogger(__name__)

OUT_MAX = (
    1000  # messages that wait for the writer; reports beyond are fetched again when it is free
)
FRAME_MESSAGES_MAX = 500  # of the messages that wait, in one outgoing frame
CLOSE_NORMAL = 1000


class State(Enum):
    """Where a session stands."""

    CONNECTED = "connected"
    CHALLENGED = "challenged"
    LOGGED_IN = "logged_in"
    CLOSED = "closed"


class Venue(Protocol):
    """What a session needs of the venue behind it (``gateway.desk.Desk``)."""

    handlers: dict[type, Callable[[Any, Any], None]]

    def now_us(self) -> int: ...
    def check_login(self, nonce: str, login: Login) -> Key | None: ...
    def join(self, session: Session) -> Welcome: ...
    def leave(self, session: Session) -> None: ...
    def pong(self, session: Session, ref: int) -> Pong: ...
    def stamp(self) -> None: ...
    def flush(self) -> None: ...
    def fetch(self, session: Session, count: int) -> list[Any]: ...


class Session:
    """One connection of one client. The caller pumps; ``wake`` is called when output waits."""

    def __init__(self, codec: Codec, venue: Venue, nonce: str, login_within_ms: int) -> None:
        self.codec = codec
        self.venue = venue
        self.nonce = nonce
        self.login_within_ms = login_within_ms
        self.state = State.CONNECTED
        self.account = -1
        self.operator = 0  # the person behind the key
        self.owner = -1  # whose reports it gets: the account, or a person of an institution
        self.key: Key | None = None
        self.ids: dict[str, int] = {}  # the account's client order ids of the day
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
        self.say(Challenge(self.nonce, self.venue.now_us(), self.login_within_ms))

    def receive(self, frame: str | bytes) -> None:
        """Take one frame. Never raises on a client's account."""
        if self.state is State.CLOSED:
            return
        messages = self.codec.decode(frame)
        self.venue.stamp()
        try:
            handlers = self._handlers
            for message in messages:
                handler = handlers.get(type(message))
                if handler is not None:
                    handler(self, message)
                else:
                    self._out_of_turn(message)
                if handlers is not self._handlers:
                    handlers = self._handlers
        except AssertionError:
            raise  # the process ends, see gateway.connection
        except Exception:
            logger.exception("a frame of account %d could not be handled", self.account)
            self.refuse("internal_error")
        finally:
            self.venue.flush()

    def refuse(self, code: str, client_order_id: str = "", detail: str = "") -> None:
        """Say no, without a place in the journal; close where the code closes."""
        closes = REFUSALS[code].close_code
        text = sentence(code, detail)
        if client_order_id:
            identity = client_order_id[:CLIENT_ORDER_ID_BYTES]
            self.say(Refused(code, text, REFUSALS[code].clauses, identity))
        else:
            self.say(Error(code, text, bool(closes)))
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
        self.drop()
        self.wake()

    def drop(self) -> None:
        """The line is gone."""
        if self.state is State.LOGGED_IN:
            self.venue.leave(self)
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
        self.key, self.account, self.operator = key, key.account, key.person
        self.owner = key.account if key.account >= 0 else office(key.person)
        self.state = State.LOGGED_IN
        self._handlers = {**TRANSITIONS[State.LOGGED_IN], **self._allowed(key.roles)}
        self.say(self.venue.join(self))

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
        (*COMMANDS, Login, Logout, Ping, StatusRequest, Fault), Session._ignore
    ),
}
