"""The messages of ``/ws/md`` around the feed's own (``marketdata.messages``)."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from gateway.message_base import Text
from gateway.messages import Inbound, Int53, Logout, Outbound, Ping
from marketdata import messages as feed
from marketdata.bars import INTERVALS

VENUE_CHANNELS = ("status", "notice", "composite")  # of no instrument
INSTRUMENT_CHANNELS = ("depth", "trade", "quote", "bulk_offer", "bidding", "halt")
BAR_CHANNELS = tuple(feed.BAR_CHANNEL + interval for interval in INTERVALS)  # named to get them
DEFAULT_CHANNELS = (*INSTRUMENT_CHANNELS, *VENUE_CHANNELS)
CHANNELS = (*DEFAULT_CHANNELS, *BAR_CHANNELS)
INSTRUMENTS_MAX = 64

Names = Annotated[list[Text], Meta(max_length=INSTRUMENTS_MAX)]
Pace = Literal["tick", "every"]


class Subscribe(Inbound, tag="subscribe", gc=True):
    """Also these channels of these instruments; leave a list out for all of them (but the bars).

    ``pace``: pictures once a tick, or ``every`` time they change. With ``epoch`` and ``after`` what
    followed is sent in place of snapshots, as ``replay`` does.
    """

    instruments: Names | None = None
    channels: Names | None = None
    pace: Pace = "tick"
    epoch: Int53 | None = None
    after: Int53 | None = None


class Unsubscribe(Inbound, tag="unsubscribe", gc=True):
    """No longer these channels of these instruments; leave a list out for all of them."""

    instruments: Names | None = None
    channels: Names | None = None


class Replay(Inbound, tag="replay"):
    """Send again what followed message ``after`` of this ``epoch``: closes a gap."""

    epoch: Int53
    after: Int53


class SnapshotRequest(Inbound, tag="snapshot", gc=True):
    """The whole picture once more; leave the list out for all that is subscribed."""

    instruments: Names | None = None


Request = Subscribe | Unsubscribe | Replay | SnapshotRequest | Ping | Logout


class Subscribed(Outbound, tag="subscribed", gc=True):
    """What this connection gets from now on, besides what it had; snapshots or a replay follow."""

    epoch: int
    seq: int
    instruments: list[str]
    channels: list[str]
    pace: str = "tick"


class Unsubscribed(Outbound, tag="unsubscribed", gc=True):
    """What this connection gets no longer; what was on its way may still come."""

    instruments: list[str]
    channels: list[str]


class Replayed(Outbound, tag="replayed", omit_defaults=False):
    """The end of a replay. ``whole``: nothing is missing; else snapshots came in its place."""

    epoch: int
    after: int
    seq: int
    whole: bool


class Heartbeat(Outbound, tag="heartbeat", omit_defaults=False):
    """The line is alive. ``seq`` is the feed's last number, ``sent_seq`` your last fact's.

    ``sent`` counts all facts this connection was sent: who counts otherwise, or holds a smaller
    number than ``sent_seq``, has missed something. ``merged`` counts pictures that were replaced by
    newer ones before this connection took them.
    """

    epoch: int
    seq: int
    sent: int
    sent_seq: int
    merged: int
    time_us: int


FeedMessage = feed.Message
Message = FeedMessage | feed.Snapshot | Subscribed | Unsubscribed | Replayed | Heartbeat


def encoded_array(parts: list[bytes], *, binary: bool) -> bytes:
    """Return one frame of messages that were encoded before: an array, or the one message."""
    if len(parts) == 1:
        return parts[0]
    if not binary:
        return b"[" + b",".join(parts) + b"]"
    count = len(parts)
    head = bytes((0x90 + count,)) if count < 16 else b"\xdc" + count.to_bytes(2, "big")
    return head + b"".join(parts)


FEED_TYPES: tuple[type[msgspec.Struct], ...] = FeedMessage.__args__
