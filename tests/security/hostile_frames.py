"""Frames that a hostile client sends: made at random, or mutated from good ones of every type.

``Frames`` is endless and depends on its seed only; ``FORMS`` names every form it draws from.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgpack
import msgspec

from gateway.codec import Codec
from gateway.messages import FRAME_BYTES_MAX, MESSAGES_MAX
from tests.unit.gateway.inline_desk import sample

Content = dict[str, Any]

STRANGE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 0.5, -0.0, 2**31, 2**53, 2**53 + 1, 2**63 - 1, -(2**63), 2**64 - 1),
    *(10**15, -(10**15), 86_400_001, float("nan"), float("inf"), -float("inf"), 1e308),
    *("", "x" * 33, "x" * 256, "x" * 257, "x" * 16_000, "\0", "\n", "𝄞", "𝄞" * 64, "80.005", "1e9"),
    *("NaN", "-0.01", "../../etc", "' OR 1=1 --", "\x1b[31m", "é", "٣", "9" * 5_000, "0x10"),
    *([], [[]], [[[]]], {}, {"type": "list"}, [[1, 2, 3]], [[1]], [[1, 1]] * 101, [1] * 17),
    *(["buy"] * 17, ["buy", "buy"], ["x" * 300], {"a": {"b": {"c": {"d": 1}}}}),
)
EXTRA = ("account", "seq", "Qty", "type ", "operator", "checker", "", "\0", "x" * 300)


class Frames:
    """An endless run of frames of one encoding."""

    def __init__(self, seed: int, codec: Codec, kinds: Sequence[Any], good: Sequence[Content]):
        self.random = random.Random(seed)
        self.codec = codec
        self.count = 0
        self.good = [*good, *(sample(kind, "g") for kind in kinds)]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            self.count += 1
            form = self.random.choices(tuple(FORMS), tuple(FORMS.values()))[0]
            yield form(self)

    def messages(self) -> list[Content]:
        """Good messages under fresh ids, most of them alone."""
        found = [dict(self.random.choice(self.good)) for _ in range(self.random.choice((1, 1, 3)))]
        for number, message in enumerate(found):
            if "client_order_id" in message and self.random.random() < 0.9:
                message["client_order_id"] = f"h{self.count}-{number}"
        return found

    def packed(self, content: object) -> bytes:
        """Return content as a frame, also what the encoding does not know (NaN)."""
        if self.codec.binary:
            return bytes(msgpack.packb(content))
        return json.dumps(content).encode()

    def mutated(self) -> bytes:
        """Good messages with strange values, without fields, with fields that are none."""
        messages = self.messages()
        for message in messages:
            for _ in range(self.random.randrange(3)):
                name = self.random.choice([*message, *EXTRA])
                if self.random.random() < 0.3:
                    message.pop(name, None)
                else:
                    message[name] = self.random.choice(STRANGE)
        return self.packed(messages[0] if len(messages) == 1 else messages)

    def sound(self) -> bytes:
        """Good messages as they are: what is refused must not hide behind what is malformed."""
        return self.packed(self.messages())

    def bitten(self) -> bytes:
        """Good messages in other bytes."""
        raw = bytearray(self.mutated())
        for _ in range(self.random.randrange(1, 6)):
            at, draw = self.random.randrange(len(raw) + 1), self.random.random()
            if draw < 0.5 and at < len(raw):
                raw[at] = self.random.randrange(256)
            elif draw < 0.8:
                del raw[at : at + self.random.randrange(1, 9)]
            else:
                raw[at:at] = self.random.randbytes(self.random.randrange(1, 9))
        return bytes(raw)

    def noise(self) -> bytes:
        """Bytes."""
        return self.random.randbytes(self.random.choice((0, 1, 2, 8, 60, 400, 4_000, 16_384)))

    def nested(self) -> bytes:
        """A field, or a whole frame, in a thousand brackets."""
        depth = self.random.choice((4, 5, 6, 100, 1_000, 4_000))
        if self.codec.binary:
            opened = self.random.choice((b"\x91", b"\x81\xa1a", b"\x81\x91", b"\xdc\0\x01"))
            inner, head = opened * depth, b"\x82\xa4type\xa4take\xa4legs"
        else:
            opened = self.random.choice((b"[", b'{"a":', b'[{"type":', b" [ "))
            inner, head = opened * depth, b'{"type":"take","legs":'
        return head + inner if self.random.random() < 0.5 else inner

    def numbers(self) -> bytes:
        """Numbers without end, and such as no integer of ours can hold."""
        digits = self.random.choice((b"9" * 20, b"9" * 4_301, b"-" + b"9" * 16_000, b"1e999"))
        if self.codec.binary:
            whole = self.random.choice((b"\xcf" + b"\xff" * 8, b"\xd3\x80" + b"\0" * 7))
            broken = self.random.choice((b"\xcb\x7f\xf8" + b"\0" * 6, b"\xc7\xff\x01" + b"x" * 255))
            return b"\x82\xa4type\xa4ping\xa3ref" + self.random.choice((whole, broken))
        value = self.random.choice((digits, b"NaN", b"-Infinity", b"0x1", b"01", b"1_000", b"+1"))
        return b'{"type":"ping","ref":' + value + b"}"

    def repeated(self) -> bytes:
        """One key many times, thousands of keys, thousands of values."""
        times, same = self.random.choice((2, 33, 900)), self.random.random() < 0.5
        keys = ["ref" if same else f"k{number}" for number in range(times)]
        if not self.codec.binary:
            fields = ",".join(f'"{key}":1' for key in keys)
            return f'{{"type":"ping",{fields},"type":"ping"}}'.encode()
        fields = b"".join(msgpack.packb(key) + b"\x01" for key in keys)
        return b"\xde" + (times + 1).to_bytes(2, "big") + b"\xa4type\xa4ping" + fields

    def crowded(self) -> bytes:
        """More messages than a frame holds, or just as many as it may."""
        count = self.random.choice((MESSAGES_MAX, MESSAGES_MAX + 1, 5_000))
        return self.packed([{"type": "ping"} if count <= MESSAGES_MAX + 1 else 0] * count)

    def oversized(self) -> bytes:
        """One byte too many, or as many as the server takes; in few characters, too."""
        size = self.random.choice((FRAME_BYTES_MAX + 1, 4 * FRAME_BYTES_MAX - 100))
        text = self.random.choice(("x" * size, "𝄞" * (size // 4), "é" * (size // 2)))
        return self.packed({"type": "status", "client_order_id": text})

    def miscoded(self) -> bytes:
        """Text that is no UTF-8, half characters, types of one encoding in the other."""
        if self.codec.binary:
            ends = (
                b"\xa2\xff\xfe",
                b"\xa3\xed\xa0\x80",
                b"\xc4\x01a",
                b"\xd6\xff\0\0\0\0",
                b"\xc1",
            )
            return b"\x82\xa4type\xa6status\xafclient_order_id" + self.random.choice(ends)
        ends = (
            b"\xff\xfe",
            b"\xed\xa0\x80",
            b"\\ud800",
            b"\\ud800\\u0041",
            b"\\u12",
            b"\x00",
            b"\\",
        )
        head = b'{"type":"status","client_order_id":"'
        return head + self.random.choice(ends) + b'"}'


FORMS: dict[Callable[[Frames], bytes], int] = {
    Frames.mutated: 40,
    Frames.sound: 15,
    Frames.bitten: 20,
    Frames.noise: 6,
    Frames.nested: 4,
    Frames.numbers: 4,
    Frames.repeated: 3,
    Frames.crowded: 2,
    Frames.oversized: 2,
    Frames.miscoded: 4,
}


def as_frame(codec: Codec, raw: bytes) -> str | bytes:
    """Return what the rim would hand on; text that is no UTF-8 with surrogates in it."""
    return raw if codec.binary else raw.decode("utf-8", "surrogateescape")


def plain(message: msgspec.Struct) -> Content:
    """Return a message as a map, without fields that are None."""
    found: Content = msgspec.to_builtins(message)
    return {name: value for name, value in found.items() if value is not None}
