"""Frames to typed messages and back: ``json.v1`` (text) and ``msgpack.v1`` (binary).

A frame holds one message or an array of them. A sound frame is decoded in one typed pass; only a
faulty one is looked at message by message, so that the sound ones in it still count and each
faulty one gets its own answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec

from gateway.messages import FRAME_BYTES_MAX, MESSAGES_MAX, Outbound, Request

DETAIL_MAX = 60  # of a client's own text in an answer

CHARACTERS_MAX = FRAME_BYTES_MAX // 4  # that are never too many bytes


class Fault(NamedTuple):
    """A message, or a whole frame, that could not be read. The id is "" where there is none."""

    code: str
    client_order_id: str = ""
    detail: str = ""


Decoded = list[Any]  # of Request | Fault

_PATTERNS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"unknown field"), "unknown_field"),
    (re.compile(r"missing required field `type`"), "unknown_message"),
    (re.compile(r"missing required field"), "missing_field"),
    (re.compile(r"^Invalid value .* at `\$\.type`"), "unknown_message"),
    (re.compile(r"^Expected `str`.* at `\$\.type`"), "unknown_message"),
    (re.compile(r"out of range|^Expected `int` [<>]="), "out_of_range"),
    (re.compile(r"^Expected `(array|str)` of length <="), "out_of_range"),
)
_FIELD = re.compile(r"`(?:\$\.)?([A-Za-z0-9_.\[\]$]{1,40})`$|field `([^`]{1,40})")


class Codec(NamedTuple):
    """One encoding: its subprotocol's name and how it reads and writes."""

    name: str
    binary: bool
    typed: Callable[[Any], Any]
    each: Callable[[Any], list[msgspec.Raw]]
    one: Callable[[Any], Any]
    loose: Callable[[Any], Any]
    encode: Callable[[Any], bytes]

    def decode(self, frame: str | bytes) -> Decoded:
        """Return the frame's messages in order, with a ``Fault`` for each that is none.

        Never raises, whatever the bytes; a frame that cannot be taken apart is one ``Fault``.
        """
        if len(frame) > FRAME_BYTES_MAX or (len(frame) > CHARACTERS_MAX and _too_big(frame)):
            return [Fault("frame_too_big")]
        if isinstance(frame, bytes) is not self.binary:
            return [Fault("malformed_frame", detail="binary frames for msgpack, text for json")]
        try:
            message = self.typed(frame)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            return self._one_by_one(frame)
        if type(message) is not list:
            return [message]
        return message if len(message) <= MESSAGES_MAX else [Fault("too_many_messages")]

    def _one_by_one(self, frame: str | bytes) -> Decoded:
        try:
            loose = self.loose(frame)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            return [Fault("malformed_frame", detail=_clipped(error))]
        if not isinstance(loose, list):
            return [self._message(frame, loose)]
        if len(loose) > MESSAGES_MAX:
            return [Fault("too_many_messages")]
        raws = self.each(frame)
        return [self._message(raw, item) for raw, item in zip(raws, loose, strict=True)]

    def _message(self, raw: Any, loose: object) -> Any:
        if not isinstance(loose, dict):
            return Fault("wrong_type", detail="a message is a map")
        try:
            return self.one(raw)
        except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
            found = loose.get("client_order_id")
            identity = found if isinstance(found, str) and len(found) <= 32 else ""
            return Fault(_code(str(error)), identity, _field(str(error)))

    def encode_messages(self, messages: Sequence[Outbound | msgspec.Struct]) -> str | bytes:
        """Return one frame: the message itself, or an array where there are several."""
        data = self.encode(messages[0] if len(messages) == 1 else messages)
        return data if self.binary else data.decode()


def _too_big(frame: str | bytes) -> bool:
    """Whether a text of so many characters has too many bytes."""
    if isinstance(frame, bytes) or frame.isascii():
        return False
    return len(frame.encode("utf-8", "surrogatepass")) > FRAME_BYTES_MAX


def _code(text: str) -> str:
    for pattern, code in _PATTERNS:
        if pattern.search(text):
            return code
    return "wrong_type"


def _field(text: str) -> str:
    found = _FIELD.search(text)
    return next((group for group in found.groups() if group), "") if found else ""


def _clipped(error: BaseException) -> str:
    return str(error).encode("ascii", "replace").decode()[:DETAIL_MAX]


def codecs(request: Any) -> dict[str, Codec]:
    """Return both encodings of ``request``, a tagged union of Structs, by subprotocol name."""
    return {
        name: Codec(
            name=name,
            binary=module is msgspec.msgpack,
            typed=module.Decoder(request | list[request]).decode,
            each=module.Decoder(list[msgspec.Raw]).decode,
            one=module.Decoder(request).decode,
            loose=module.Decoder().decode,
            encode=module.Encoder().encode,
        )
        for name, module in _MODULES.items()
    }


_MODULES: dict[str, Any] = {"msgpack.v1": msgspec.msgpack, "json.v1": msgspec.json}
CODECS: dict[str, Codec] = codecs(Request)
MSGPACK, JSON = CODECS["msgpack.v1"], CODECS["json.v1"]
