"""A real desk over a real exchange, without threads, disk and sockets: flush applies at once."""

import time
from typing import Any, get_type_hints

import msgspec
import numpy as np

from engine.exchange import Exchange
from engine.records import COMMAND, Kind, Phase, commands
from engine.rulebook import Rulebook, admission_commands, parameter_commands
from gateway.codec import CODECS, JSON, Codec
from gateway.day_record import DayRecord
from gateway.daycycle import beijing, nanoseconds
from gateway.desk import Desk
from gateway.keys import Key, Keys, login_signature
from gateway.limits import Limits
from gateway.messages import Challenge, Login
from gateway.protocol import Session, tag_of
from gateway.sequencer import ROW

SAMPLES = {
    "instrument": "CEA25",
    "side": "sell",
    "opens": "10:00",
    "closes": "10:30",
    "action": "void_trade",
    "key_id": "nobody",
    "pricing": "uniform",
    "signature": "00",
}
DATE = 20260105
CASH_FEN = 10**11
TONNES = 300_000


class InlineSequencer:
    """Numbers commands like the real one and applies them when told to flush."""

    def __init__(self, desk: Desk, hold: bool = False) -> None:
        self.desk = desk
        self.hold = hold
        self.time_ns = nanoseconds(beijing(0).replace(year=2026, month=1, day=5, hour=9, minute=45))
        self.next_seq = desk.exchange.seq + 1
        self.rows = bytearray()

    def stamp(self) -> None:
        self.time_ns += 1000

    def enter(self, body: tuple) -> int:
        seq = self.next_seq
        self.rows += ROW.pack(seq, self.time_ns, *body)
        self.next_seq += 1
        return seq

    enter_urgent = enter

    def enter_many(self, count: int) -> np.ndarray:
        seq, start = self.next_seq, len(self.rows)
        self.rows += bytes(count * ROW.size)
        self.next_seq += count
        rows = np.frombuffer(self.rows, COMMAND, count, start)
        rows["seq"], rows["time_ns"] = np.arange(seq, seq + count), self.time_ns
        return rows

    def seq_of(self, ticket: int) -> int:
        return ticket

    def forget(self, before_seq: int) -> None:
        pass

    def flush(self) -> None:
        if self.rows and not self.hold:
            rows, self.rows = np.frombuffer(bytes(self.rows), COMMAND), bytearray()
            events = self.desk.exchange.apply(rows)
            self.desk.tell(events, self.desk.record.absorb(rows, events))

    def submit(self, batch: np.ndarray) -> None:
        for row in batch.tolist():
            self.enter(row[2:])
        self.flush()


class Floor:
    """A desk with three funded accounts in the morning of CEA25's first day."""

    def __init__(self, folder, accounts: int = 3) -> None:
        self.exchange = Exchange()
        self.keys = Keys(folder / "keys.json")
        self.record = DayRecord()
        self.desk = Desk(self.exchange, self.record, self.keys)
        self.desk.limits = Limits(orders_per_second=0, questions_per_second=0)
        self.sequencer = self.desk.sequencer = InlineSequencer(self.desk)
        self._open(accounts)
        self.key = [self.keys.create(row, f"key-{row}") for row in range(accounts)]

    def _open(self, accounts: int) -> None:
        rules = Rulebook.on(beijing(self.sequencer.time_ns).date())
        pairs = [(each.code, each.first_reference_ticks) for each in rules.vintages]
        self.sequencer.submit(admission_commands(pairs, 0))
        state = self.exchange.state
        self.sequencer.submit(parameter_commands(rules, state.rules, state.instruments))
        batch = commands(3 * accounts + 2)
        for row in range(accounts):
            opened, paid, moved = batch[3 * row : 3 * row + 3]
            opened["kind"], opened["account"] = Kind.OPEN_ACCOUNT, row
            paid["kind"], paid["account"], paid["amount"] = Kind.CASH_IN, row, CASH_FEN
            moved["kind"], moved["account"] = Kind.TRANSFER_IN, row
            moved["instrument"], moved["qty_tonnes"] = 5, TONNES
        batch[-2]["kind"], batch[-2]["ref"] = Kind.BEGIN_DAY, DATE
        batch[-1]["kind"], batch[-1]["ref"] = Kind.SET_PHASE, Phase.MORNING
        self.sequencer.submit(batch)

    def phase(self, phase: Phase) -> None:
        batch = commands(1)
        batch["kind"], batch["ref"] = Kind.SET_PHASE, phase
        self.sequencer.submit(batch)

    def session(self, account: int | None = 0, codec: Codec = JSON) -> Session:
        """A session, logged in unless ``account`` is None, with its greetings read."""
        session = Session(codec, self.desk, f"nonce-{account}")
        session.open()
        if account is not None:
            key = self.key[account]
            session.receive(frame(codec, login(session, key)))
            said = session.output()
            assert [type(each).__name__ for each in said] == ["Challenge", "Welcome"]
        else:
            assert isinstance(session.output()[0], Challenge)
        return session

    def session_of(self, key: Key, codec: Codec = JSON) -> Session:
        """A session logged in with this key, with its greetings read."""
        session = Session(codec, self.desk, f"nonce-{key.key_id}")
        session.open()
        session.receive(frame(codec, login(session, key)))
        said = session.output()
        assert [type(each).__name__ for each in said] == ["Challenge", "Welcome"]
        return session

    def office(self, role: str, name: str = "") -> Session:
        """A session of a new person of an institution."""
        return self.session_of(self.keys.create_office(role, name))

    def afternoon(self) -> None:
        """Go on to the afternoon, when bulk agreement is possible (TR-31)."""
        self.phase(Phase.LUNCH)
        self.phase(Phase.AFTERNOON)

    def cycle(self, kind: Kind, ref: int) -> None:
        """What the day cycle submits by itself."""
        batch = commands(1)
        batch["kind"], batch["ref"] = kind, ref
        self.sequencer.submit(batch)

    def digest(self) -> str:
        return self.exchange.digest()


def login(session: Session, key: Key, *, secret: str | None = None, late_us: int = 0) -> Login:
    now_us = time.time_ns() // 1000 - late_us
    signature = login_signature(secret or key.secret, session.nonce, now_us)
    own = {"key_id": key.key_id, "time_us": now_us, "signature": signature}
    return Login(**own, cancel_on_disconnect=False)  # arming is a command: tests count their own


def frame(codec: Codec, *messages: object) -> str | bytes:
    """One frame of messages: dicts or Structs, without fields that are None."""
    plain = [
        {k: v for k, v in msgspec.to_builtins(each).items() if v is not None} for each in messages
    ]
    return CODECS[codec.name].encode_messages(plain)


def say(session: Session, *messages: dict[str, object]) -> list:
    """Send one frame and return what the session hears."""
    session.receive(frame(session.codec, *messages))
    return session.output()


def order(identity: str = "a", **changes: object) -> dict[str, object]:
    """A good listing, with changes; a change to None leaves the field out."""
    message = {
        "type": "list",
        "client_order_id": identity,
        "instrument": "CEA25",
        "side": "sell",
        "price": "80.05",
        "qty_tonnes": 10,
    } | changes
    return {name: value for name, value in message.items() if value is not None}


def sample(kind: Any, identity: str) -> dict[str, object]:
    """A message of this type with every field it needs, good enough to be decoded."""
    hints = get_type_hints(kind, include_extras=False)
    content: dict[str, object] = {"type": tag_of(kind)}
    for each in msgspec.structs.fields(kind):
        if each.name == "client_order_id":
            content[each.name] = identity
        elif each.required:
            plain = SAMPLES.get(each.name, 1)
            content[each.name] = ["viewer"] if "list" in str(hints[each.name]) else plain
    return content
