"""The messages of ``/ws/md`` around the feed's own (``marketdata.messages``)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.messages import Inbound, Int53, Logout, Outbound, Ping
from marketdata import messages as feed

CHANNELS = (
    *("depth", "trade", "quote", "status", "notice"),
    *("composite", "bulk_offer", "bidding", "halt"),
)
INSTRUMENTS_MAX = 64

Names = Annotated[list[str], Meta(max_length=INSTRUMENTS_MAX)]


class Subscribe(Inbound, tag="subscribe", gc=True):
    """From now on these channels of these instruments; leave a list out for all of them."""

    instruments: Names | None = None
    channels: Names | None = None


class Replay(Inbound, tag="replay"):
    """Send again what followed message ``after`` of this ``epoch``: closes a gap."""

    epoch: Int53
    after: Int53


class SnapshotRequest(Inbound, tag="snapshot", gc=True):
    """The whole picture once more; leave the list out for all that is subscribed."""

    instruments: Names | None = None


Request = Subscribe | Replay | SnapshotRequest | Ping | Logout


class Subscribed(Outbound, tag="subscribed", gc=True):
    """What this connection now gets; snapshots follow, then messages with seq above ``seq``."""

    epoch: int
    seq: int
    instruments: list[str]
    channels: list[str]


class Replayed(Outbound, tag="replayed", omit_defaults=False):
    """The end of a replay. ``whole``: nothing is missing; else snapshots came in its place."""

    epoch: int
    after: int
    seq: int
    whole: bool


FeedMessage = feed.Message
Message = FeedMessage | feed.Snapshot | Subscribed | Replayed


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
