"""Frames made at random and frames mutated from good ones: documented refusals, nothing else.

In process, both encodings, a logged-in session and one that is not (promise P7).
"""

import json
import random
from pathlib import Path

import msgpack
import pytest

from engine.reasons import Reason
from gateway.codec import CODECS, Codec
from gateway.messages import Command, Message, Refused
from gateway.protocol import State
from gateway.refusals import REFUSALS
from tests.unit.gateway.inline_desk import Floor, frame, order, sample

FRAMES = 5000
DOCUMENTED = {*REFUSALS, *(reason.code for reason in Reason)}
GOOD = [
    order("a"),
    order("b", price=None, price_ticks=8005),
    order("c", type="take_best", side="buy"),
    {"type": "take", "client_order_id": "t", "order_no": 1, "qty_tonnes": 1},
    {"type": "take", "client_order_id": "u", "legs": [[1, 2], [2, 3]]},
    {"type": "cancel", "client_order_id": "x", "order_no": 1},
    {"type": "amend", "client_order_id": "y", "order_no": 1, "qty_tonnes": 1, "price": "80.00"},
    {"type": "status", "client_order_id": "a"},
    {"type": "ping", "ref": 4},
    {"type": "login", "key_id": "key-0", "time_us": 1, "signature": "00"},
    *(sample(kind, f"g{n}") for n, kind in enumerate(Command.__args__)),
]
STRANGE = [
    None, True, 0, -1, 0.5, 2**31, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1, "", "x" * 300, "\0",
    "𝄞", "80.005", "1e9", [], [[]], {}, {"type": "list"}, [[1, 2, 3]], "NaN", "-0.01", "../../etc",
]  # fmt: skip


def mutated(seed: random.Random, codec: Codec) -> bytes:
    """A good frame with strange values, without fields, or with other bytes."""
    messages = [dict(seed.choice(GOOD)) for _ in range(seed.choice((1, 1, 1, 2, 5)))]
    for message in messages:
        for _ in range(seed.randrange(3)):
            name = seed.choice([*message, "account", "seq", "Qty"])
            if seed.random() < 0.3:
                message.pop(name, None)
            else:
                message[name] = seed.choice(STRANGE)
    content = messages[0] if len(messages) == 1 else messages
    raw = bytearray(msgpack.packb(content) if codec.binary else json.dumps(content).encode())
    if seed.random() < 0.5:
        for _ in range(seed.randrange(1, 6)):
            at = seed.randrange(len(raw))
            choice = seed.random()
            if choice < 0.5:
                raw[at] = seed.randrange(256)
            elif choice < 0.8:
                del raw[at : at + seed.randrange(1, 9)]
            else:
                raw[at:at] = seed.randbytes(seed.randrange(1, 9))
            if not raw:
                break
    return bytes(raw)


def noise(seed: random.Random) -> bytes:
    return seed.randbytes(seed.choice((0, 1, 2, 8, 60, 400, 16_384, 16_385)))


def as_frame(codec: Codec, raw: bytes) -> str | bytes:
    return raw if codec.binary else raw.decode("utf-8", "surrogateescape")


@pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))
def test_random_frames_get_documented_refusals_and_change_nothing(
    tmp_path: Path, codec: Codec, base_seed: int
) -> None:
    floor = Floor(tmp_path)
    seed = random.Random(base_seed)
    session, unknown = floor.session(0, codec), floor.session(None, codec)
    operator = floor.keys.create_office("exchange_operator")
    people = [lambda: floor.session(0, codec), lambda: floor.session_of(operator, codec)]
    refused = 0
    for n in range(FRAMES // 2):
        raw = noise(seed) if n % 4 == 0 else mutated(seed, codec)
        before, seq = floor.digest() if n % 50 == 0 else "", floor.exchange.seq
        unknown.receive(as_frame(codec, raw))
        assert floor.exchange.seq == seq, "an unknown line reached the exchange"
        unknown.output()
        if before:
            assert floor.digest() == before
        if unknown.state is State.CLOSED:
            unknown = floor.session(None, codec)
        session.receive(as_frame(codec, raw))
        said = session.output()
        for each in said:
            if isinstance(each, Refused) or hasattr(each, "code"):
                assert each.code in DOCUMENTED | {"", "logout"}, (raw, each)
                assert each.code != "internal_error", raw
                refused += 1
            else:
                assert isinstance(each, Message), each
        if not said or all(not getattr(each, "sequenced", True) for each in said):
            assert floor.exchange.seq == seq, raw
        if session.state is State.CLOSED or n % 100 == 99:
            session.drop()
            session = people[n // 100 % 2]()
    assert refused > FRAMES // 4


@pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))
def test_every_single_byte_changed_in_a_good_frame(tmp_path: Path, codec: Codec) -> None:
    """Each byte of an order, cut there and flipped there: never an error of ours."""
    floor = Floor(tmp_path)
    session = floor.session(0, codec)
    good = frame(codec, order("victim"))
    raw = good if isinstance(good, bytes) else good.encode()
    for at in range(len(raw)):
        for changed in (raw[:at], raw[:at] + bytes((raw[at] ^ 0x15,)) + raw[at + 1 :]):
            session.receive(as_frame(codec, changed))
            for each in session.output():
                assert getattr(each, "code", "") != "internal_error", changed
            assert session.state is State.LOGGED_IN
