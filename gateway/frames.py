"""Frames of a WebSocket (RFC 6455, 5.2) as nearly all of them are: whole, masked, of one piece.

These are cut from the stream here, many per read; what is anything else is for websockets to judge.
"""

from __future__ import annotations

from typing import NamedTuple

from websockets.utils import apply_mask

TEXT, BINARY = 0x81, 0x82  # first byte: the last, and only, piece of a message, nothing reserved
_CONTROL = frozenset((0x88, 0x89, 0x8A))  # close, ping, pong
_MASKED, _KEY_BYTES, _SHORT_MAX, _TWO_BYTES = 128, 4, 125, 126


class Frame(NamedTuple):
    """A message: TEXT or BINARY, and its payload, unmasked."""

    kind: int
    payload: bytes


def whole_messages(data: bytes) -> tuple[list[Frame], int]:
    """Return the messages that ``data`` begins with, each in one whole frame, and where they end.

    A frame of more than 65,535 bytes is never among them.
    """
    found: list[Frame] = []
    at, size = 0, len(data)
    while size - at >= 2 and (kind := data[at]) in (TEXT, BINARY):
        length, begin = data[at + 1] - _MASKED, at + 2
        if length == _TWO_BYTES and size - at >= 4:
            length, begin = data[at + 2] << 8 | data[at + 3], at + 4
        elif not 0 <= length <= _SHORT_MAX:
            break
        begin += _KEY_BYTES
        end = begin + length
        if end > size:
            break
        found.append(Frame(kind, apply_mask(data[begin:end], data[begin - _KEY_BYTES : begin])))
        at = end
    return found, at


def awaited(data: bytes) -> bool:
    """Whether ``data`` may become a frame of ``whole_messages``, or a control frame, with more."""
    if len(data) < 2:
        return True
    length = data[1] - _MASKED
    if data[0] in _CONTROL:
        return 0 <= length <= _SHORT_MAX
    return data[0] in (TEXT, BINARY) and 0 <= length <= _TWO_BYTES


def control_ends(data: bytes) -> int:
    """Return where the control frame ends that ``data`` begins with; 0: there is no whole one."""
    if len(data) < 2 or data[0] not in _CONTROL or not 0 <= data[1] - _MASKED <= _SHORT_MAX:
        return 0
    end = 2 + _KEY_BYTES + data[1] - _MASKED
    return end if end <= len(data) else 0
