"""Market data to many: each message encoded once per encoding, each frame made once per group.

Subscribers who want the same in the same encoding are a group. Once a tick the group's frame is
made and handed to each of its members; nobody waits for anybody (``gateway.subscriber``). Who asked
for ``every`` change gets facts and those pictures after each batch of commands.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from gateway.subscriber import FACTS_MAX, FRAME_PARTS_MAX, Pair, Portion, Subscriber, wants
from gateway.wire.codec import Codec, codecs
from gateway.wire.market_messages import Heartbeat, Request, encoded_array
from marketdata.feed import Feed
from marketdata.messages import Bar, Picture

__all__ = ["CODECS", "FACTS_MAX", "FRAME_PARTS_MAX", "Publisher", "Subscriber"]

FLUSH_S = 0.1
HEARTBEAT_S = 5.0
CODECS: dict[str, Codec] = codecs(Request)

GroupKey = tuple[str, frozenset[tuple[Pair, str]]]


class Encoded:
    """A message of the feed and its bytes, made when somebody wants them."""

    __slots__ = ("_bytes", "message", "pair")

    def __init__(self, message: Any) -> None:
        self.message = message
        self.pair: Pair = (message.channel, getattr(message, "instrument", ""))
        self._bytes: dict[str, bytes] = {}

    def bytes(self, codec: Codec) -> bytes:
        """Return it in one encoding."""
        found = self._bytes.get(codec.name)
        if found is None:
            found = self._bytes[codec.name] = codec.encode(self.message)
        return found


class Group:
    """Subscribers who want the same in the same encoding."""

    def __init__(self, codec: Codec, wanted: dict[Pair, str]) -> None:
        self.codec = codec
        self.wanted = dict(wanted)
        self.eager = "every" in wanted.values()
        self.members: set[Subscriber] = set()

    def hand(self, facts: list[Encoded], pictures: list[Encoded], pace: str | None) -> None:
        """Hand on facts, and pictures wanted at this pace (None: at any)."""
        wanted, codec = self.wanted, self.codec
        mine = [each for each in facts if wants(wanted, each.message)]
        shown = {}
        for each in pictures:
            found = wants(wanted, each.message)
            if found and (pace is None or found == pace):
                shown[each.pair] = each.bytes(codec)
        if not mine and not shown:
            return
        data = [each.bytes(codec) for each in mine]
        ended = [each.pair for each in mine if is_ended_bar(each.message)]
        seq = mine[-1].message.seq if mine else 0
        parts = [*data, *shown.values()]
        whole = len(parts) <= FRAME_PARTS_MAX
        frame = encoded_array(parts, binary=codec.binary) if whole else b""
        portion = Portion(data, shown, ended, seq, frame)
        for member in self.members:
            member.take(portion)


def is_ended_bar(message: Any) -> bool:
    """Whether the open bar of the channel is over with this message."""
    return type(message) is Bar and not message.restated


class Publisher:
    """Flushes the feed and hands its messages on, once every ``FLUSH_S`` at most."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.now_us: Callable[[], int] = lambda: self._told_us  # the venue's clock, once it runs
        self.subscribers: set[Subscriber] = set()
        self.cut_off = 0  # connections that were too slow for their facts
        self._told_us = 0
        self._groups: dict[GroupKey, Group] = {}
        self._group_of: dict[Subscriber, GroupKey] = {}
        self._facts: list[Encoded] = []  # since the last tick
        self._pictures: dict[Pair, Encoded] = {}
        self._snapshots: dict[tuple[str, str], bytes] = {}  # as of the last flush
        self._changed = asyncio.Event()

    @property
    def merged(self) -> int:
        """Pictures that newer ones replaced before the connections of now took them."""
        return sum(each.merged for each in self.subscribers)

    @property
    def time_us(self) -> int:
        """The venue's time."""
        return self.now_us()

    def changed(self) -> None:
        """The feed has absorbed something, or a subscriber waits for a tick."""
        self._changed.set()

    def join(self, subscriber: Subscriber) -> None:
        """A connection came; it gets nothing before it subscribes."""
        self.subscribers.add(subscriber)

    def leave(self, subscriber: Subscriber) -> None:
        """A connection is gone."""
        self.subscribers.discard(subscriber)
        self._take_out(subscriber)

    def regroup(self, subscriber: Subscriber) -> None:
        """What a connection wants has changed."""
        self._take_out(subscriber)
        if not subscriber.wanted or subscriber not in self.subscribers:
            return
        key = (subscriber.codec.name, frozenset(subscriber.wanted.items()))
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(subscriber.codec, subscriber.wanted)
        group.members.add(subscriber)
        self._group_of[subscriber] = key

    def _take_out(self, subscriber: Subscriber) -> None:
        key = self._group_of.pop(subscriber, None)
        if key is not None:
            members = self._groups[key].members
            members.discard(subscriber)
            if not members:
                del self._groups[key]

    def snapshot(self, code: str, codec: Codec) -> bytes:
        """Return an encoded snapshot as of the last flush; made once for all who ask."""
        key = (codec.name, code)
        if key not in self._snapshots:
            self._snapshots[key] = codec.encode(self.feed.snapshot(code))
        return self._snapshots[key]

    async def run(self) -> None:
        """Work for ever."""
        loop = asyncio.get_running_loop()
        next_tick, next_beat = loop.time(), loop.time() + HEARTBEAT_S
        awaited = False  # a timer for the tick is set
        while True:
            timeout = next_beat - loop.time()
            try:
                async with asyncio.timeout(timeout):
                    await self._changed.wait()
                    if not any(group.eager for group in self._groups.values()):
                        await asyncio.sleep(next_tick - loop.time())
            except TimeoutError:
                self._beat()
                next_beat = loop.time() + HEARTBEAT_S
                continue
            self._changed.clear()
            if loop.time() >= next_tick:
                self.tick()
                next_tick, awaited = loop.time() + FLUSH_S, False
            else:
                self.flush()
                if not awaited:
                    loop.call_at(next_tick, self.changed)
                awaited = True

    def flush(self) -> None:
        """Number what has happened; who wants every change gets it, the others at the next tick."""
        messages = self.feed.flush()
        if not messages:
            return
        self._told_us = messages[-1].time_us
        self._snapshots.clear()
        if not self._groups:
            return
        fresh = [Encoded(message) for message in messages]
        facts = [each for each in fresh if not isinstance(each.message, Picture)]
        pictures = [each for each in fresh if isinstance(each.message, Picture)]
        for group in self._groups.values():
            if group.eager:
                group.hand(facts, pictures, "every")
        self._facts += facts
        for each in facts:
            if is_ended_bar(each.message):
                self._pictures.pop(each.pair, None)
        self._pictures.update({each.pair: each for each in pictures})

    def tick(self) -> None:
        """Give every subscriber what has happened since the last tick, then begin what is due."""
        self.flush()
        due = [each for each in self.subscribers if each.due]
        ready = [each for each in due if each.ready]
        facts, pictures = self._facts, list(self._pictures.values())
        self._facts, self._pictures = [], {}
        for group in list(self._groups.values()):
            if group.eager:
                group.hand([], pictures, "tick")
            else:
                group.hand(facts, pictures, None)
        for subscriber in ready:
            if not subscriber.close_code:
                subscriber.serve()
        if len(ready) < len(due):
            self._changed.set()  # at the next tick again

    def _beat(self) -> None:
        """Tell every connection that it is alive, and what its last number is."""
        epoch, seq, time_us = self.feed.epoch, self.feed.seq, self.time_us

        def heartbeat(sent: int, sent_seq: int, merged: int) -> Heartbeat:
            return Heartbeat(epoch, seq, sent, sent_seq, merged, time_us)

        for subscriber in list(self.subscribers):
            subscriber.beat(heartbeat)
