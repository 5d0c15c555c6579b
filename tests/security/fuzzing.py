"""One fuzzed run in process: a cast of people, frames without end, and what must hold after each.

``attack`` is the test's and the night's alike; it raises AssertionError with the seed and frame.
"""

from __future__ import annotations

import itertools
import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from engine.reasons import Reason
from gateway import market_messages
from gateway.authority import VIEWER
from gateway.codec import Codec
from gateway.keys import Key
from gateway.messages import Error, Message, Refused, Request
from gateway.protocol import Session, State
from gateway.rare_messages import KeyIssued, KeyRevoked
from gateway.refusals import REFUSALS
from gateway.subscriber import Subscriber
from tests.security.hostile_frames import Content, Frames, as_frame
from tests.unit.gateway.inline_desk import Floor, order
from tests.unit.gateway.test_publisher import Stage

DOCUMENTED = frozenset({*REFUSALS, *(reason.code for reason in Reason), "", "logout"})
NEVER = frozenset({"internal_error", "shutting_down"})
FRAMES_PER_FLOOR = 2_500
TURN = 25  # frames until another person of the cast goes on
DIGEST_EVERY = 10
OFFICES = ("exchange_operator", "registry_maker", "registry_checker", "supervisor")
TRADING: list[Content] = [
    *(order("a", price=None, price_ticks=7500 + n, side="sell") for n in (0, 3, 700)),
    *(order("a", price=None, price_ticks=7400 - n, side="buy") for n in (0, 3, 700)),
    order("a", type="take_best", side="buy", price="79.00"),
    *({"type": "take", "client_order_id": "a", "order_no": n, "qty_tonnes": 1} for n in (1, 2, 9)),
    {"type": "take", "client_order_id": "a", "legs": [[1, 2], [2, 3]]},
    *({"type": "cancel", "client_order_id": "a", "order_no": n} for n in (1, 2, 3)),
    {"type": "block_account", "client_order_id": "a", "account": 0, "blocks": []},
    {"type": "login", "key_id": "key-0", "time_us": 1, "signature": "00" * 32},
    {"type": "status", "client_order_id": "a"},
    {"type": "resume", "date": 20260105, "after": 0},
]
WATCHING: list[Content] = [
    {"type": "subscribe"},
    {"type": "subscribe", "instruments": ["CEA25"], "channels": ["depth", "trade"]},
    {"type": "subscribe", "channels": ["bar_1m"], "pace": "every", "epoch": 1, "after": 0},
    {"type": "unsubscribe", "instruments": ["CEA25"]},
    {"type": "snapshot", "instruments": ["CEA24"]},
]


class Warnings(logging.Handler):
    """Keeps what is logged: a client's nonsense is no news."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@contextmanager
def nothing_logged() -> Iterator[None]:
    """Hold that no warning or error is logged in the block."""
    heard, root = Warnings(), logging.getLogger()
    root.addHandler(heard)
    try:
        yield
    finally:
        root.removeHandler(heard)
    assert not heard.records, [record.getMessage() for record in heard.records[:3]]


class Cast:
    """The people who send frames, on one floor; who was let go comes back as another."""

    def __init__(self, floor: Floor, codec: Codec) -> None:
        self.floor, self.codec = floor, codec
        viewer = floor.keys.create(1, "key-viewer", (VIEWER,))
        offices = [floor.keys.create_office(role) for role in OFFICES]
        self.keys: list[Key | None] = [None, floor.key[0], viewer, floor.key[2], *offices]
        self.turn = 0
        self.session = self._enter()

    def _enter(self) -> Session:
        key = self.keys[self.turn % len(self.keys)]
        if key is None:
            return self.floor.session(None, self.codec)
        found = self.floor.keys.find(key.key_id)  # somebody may have changed it, or taken it away
        return self.floor.session_of(found, self.codec) if found else self.floor.session(0)

    def next(self) -> Session:
        """Return the session of the next frame."""
        if self.session.state is State.CLOSED or self.turn % TURN == TURN - 1:
            self.session.drop()
        self.turn += 1
        if self.session.state is State.CLOSED:
            self.session = self._enter()
        return self.session


def attack(folder: Path, codec: Codec, seed: int, count: int) -> Iterator[int]:
    """Send ``count`` frames to sessions of every kind; yield how many were refused, now and then.

    After each frame: only documented answers; without a sequenced one the exchange stands where it
    stood; who is not logged in moves nothing at all.
    """
    frames = iter(Frames(seed, codec, Request.__args__, TRADING))
    refused = 0
    for first in range(0, count, FRAMES_PER_FLOOR):
        place = folder / f"{codec.name}-{seed}-{first}"
        place.mkdir()
        cast = Cast(Floor(place), codec)
        for number in range(first, min(count, first + FRAMES_PER_FLOOR)):
            raw = next(frames)
            refused += _one(cast, raw, f"seed {seed}, frame {number}: {raw[:200]!r}", number)
        yield refused


def _one(cast: Cast, raw: bytes, what: str, number: int) -> int:
    floor, session = cast.floor, cast.next()
    known, seq = session.key is not None, floor.exchange.seq
    watched = number % DIGEST_EVERY == 0 or not known
    before = _state(floor) if watched else None
    session.receive(as_frame(cast.codec, raw))
    said = heard(session)
    refused = sum(_check(each, what) for each in said)
    moved = floor.exchange.seq != seq
    if moved:
        assert known, f"who is not logged in moved the exchange: {what}"
        told = any(getattr(each, "seq", 0) > seq for each in said)
        assert told or session.state is State.CLOSED, f"nobody was told: {what}"
    elif watched and not any(isinstance(each, KeyIssued | KeyRevoked) for each in said):
        assert _state(floor) == before, f"something changed without a command: {what}"
    return refused


def _state(floor: Floor) -> tuple[str, int, bytes]:
    """Everything that a refused frame must not change: exchange, keys, what people were told."""
    streams = b"".join(bytes(stream) for stream in floor.record.streams.values())
    return floor.digest(), len(floor.keys), streams


def _check(said: Any, what: str) -> int:
    assert isinstance(said, Message), (said, what)
    code = getattr(said, "code", "")
    assert code in DOCUMENTED, (said, what)
    assert code not in NEVER, (said, what)
    return isinstance(said, Refused | Error)


def heard(session: Session | Subscriber) -> list[Any]:
    """Return everything that waits for a client."""
    found: list[Any] = []
    while more := session.output():
        found += more if isinstance(more, list) else [more]
    return found


def attack_market_data(folder: Path, codec: Codec, seed: int, count: int) -> int:
    """Send frames to subscribers of a feed that tells of trades; return how many were refused."""
    stage = Stage(folder)
    stage.trades(20)
    frames = Frames(seed, codec, market_messages.Request.__args__, WATCHING)
    subscriber = stage.subscriber(codec=codec.name)
    refused = 0
    for number, raw in enumerate(itertools.islice(iter(frames), count)):
        what = f"market data, seed {seed}, frame {number}: {raw[:200]!r}"
        subscriber.receive(as_frame(codec, raw))
        if number % 7 == 0:
            stage.publisher.tick()
        for frame in heard(subscriber):
            said = codec.loose(frame)
            for each in said if isinstance(said, list) else [said]:
                assert each.get("code", "") in DOCUMENTED - NEVER, (each, what)
                refused += each["type"] == "error"
        if subscriber.close_code or number % 100 == 99:
            stage.publisher.leave(subscriber)
            subscriber = stage.subscriber(codec=codec.name)
    return refused


def byte_by_byte(seed: int, codec: Codec, good: bytes) -> Iterator[bytes]:
    """Yield a good frame cut at every byte and with every byte flipped in a bit drawn at random."""
    draw = random.Random(seed)
    for at in range(len(good)):
        yield good[:at]
        yield good[:at] + bytes((good[at] ^ (1 << draw.randrange(8)),)) + good[at + 1 :]
