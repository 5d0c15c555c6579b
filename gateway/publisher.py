"""Market data to many: the feed's messages, each encoded once per encoding, to every subscriber.

A subscriber holds the newest picture of each instrument (depth, quote) and a bounded list of facts
(trades, status, notices), so a slow one costs little and harms nobody: its pictures are merged, and
when its facts pass the bound it is told so and closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from gateway.codec import Codec, Fault, codecs
from gateway.market_messages import (
    CHANNELS,
    Replay,
    Replayed,
    Request,
    SnapshotRequest,
    Subscribe,
    Subscribed,
    encoded_array,
)
from gateway.messages import Bye, Error, Logout, Ping, Pong
from gateway.refusals import REFUSALS, sentence
from marketdata.feed import Feed

FLUSH_S = 0.1
FACTS_MAX = 1000
REPLAY_MAX = 500  # messages; who missed more gets snapshots
FRAME_PARTS_MAX = 500
PICTURES = frozenset(("depth", "quote", "composite"))
CODECS: dict[str, Codec] = codecs(Request)


class Subscriber:
    """One connection to ``/ws/md``: frames in, frames out, no sockets."""

    def __init__(self, codec: Codec, publisher: Publisher) -> None:
        self.codec = codec
        self.close_code = 0
        self.urgent = False
        self.instruments: set[str] = set()
        self.channels: set[str] = set()
        self.wake: Callable[[], None] = lambda: None
        self._publisher = publisher
        self._pictures: dict[tuple[str, str], bytes] = {}
        self._facts: list[bytes] = []
        self._handlers: dict[type, Callable[[Any], None]] = {
            Subscribe: self._subscribe,
            Replay: self._replay,
            SnapshotRequest: self._snapshot,
            Ping: self._ping,
            Logout: lambda _: self.close("logout"),
            Fault: lambda fault: self._refuse(fault.code, fault.detail),
        }

    def receive(self, frame: str | bytes) -> None:
        """Take one frame. Never raises on a client's account."""
        for message in self.codec.decode(frame):
            if not self.close_code:
                self._handlers[type(message)](message)

    def wants(self, message: Any) -> bool:
        """Whether a message of the feed is for this connection."""
        if message.channel not in self.channels:
            return False
        return getattr(message, "instrument", None) is None or message.instrument in (
            self.instruments
        )

    def take(self, message: Any, data: bytes) -> None:
        """Hold a message of the feed until the writer is free."""
        if message.channel in PICTURES:
            key = (message.channel, getattr(message, "instrument", ""))
            self._pictures.pop(key, None)
            self._pictures[key] = data
        elif len(self._facts) >= FACTS_MAX:
            self._refuse("slow_consumer")
        else:
            self._facts.append(data)

    def output(self) -> bytes | None:
        """Return the next outgoing frame, None where nothing waits."""
        parts = self._facts[:FRAME_PARTS_MAX]
        self._facts = self._facts[FRAME_PARTS_MAX:]
        if not self._facts:
            parts += self._pictures.values()
            self._pictures.clear()
        return encoded_array(parts, binary=self.codec.binary) if parts else None

    @property
    def full(self) -> bool:
        """Whether so much waits that the reader should pause."""
        return len(self._facts) >= FACTS_MAX

    def close(self, code: str) -> None:
        """Say good bye with ``code`` and be closed."""
        if self.close_code:
            return
        text = REFUSALS[code].sentence if code in REFUSALS else "Good bye."
        self._say(Bye(code, text))
        self.close_code = REFUSALS[code].close_code if code in REFUSALS else 1000
        self.wake()

    def _say(self, message: Any) -> None:
        self._facts.append(self.codec.encode(message))
        self.wake()

    def _refuse(self, code: str, detail: str = "") -> None:
        closes = bool(REFUSALS[code].close_code)
        self._say(Error(code, sentence(code, detail), closes))
        if closes:
            self.close(code)

    def _subscribe(self, message: Subscribe) -> None:
        feed = self._publisher.feed
        instruments = feed.codes if message.instruments is None else message.instruments
        channels = list(CHANNELS) if message.channels is None else message.channels
        for channel in channels:
            if channel not in CHANNELS:
                self._refuse("unknown_channel", channel[:32])
                return
        if not self._known(instruments):
            return
        self._publisher.flush()
        self.instruments, self.channels = set(instruments), set(channels)
        answer = Subscribed(feed.epoch, feed.seq, list(instruments), list(channels))
        self._say(answer)
        self._send_snapshots(list(instruments))

    def _known(self, instruments: list[str]) -> bool:
        for code in instruments:
            if code not in self._publisher.feed.codes:
                self._refuse("unknown_instrument", code[:32])
                return False
        return True

    def _snapshot(self, message: SnapshotRequest) -> None:
        wanted = self.instruments if message.instruments is None else message.instruments
        if self._known(list(wanted)):
            self._publisher.flush()
            self._send_snapshots(sorted(wanted))

    def _send_snapshots(self, instruments: list[str]) -> None:
        for code in instruments:
            for channel in PICTURES:
                self._pictures.pop((channel, code), None)
                self._pictures.pop((channel, ""), None)
            self._say(self._publisher.feed.snapshot(code))

    def _replay(self, message: Replay) -> None:
        feed = self._publisher.feed
        self._publisher.flush()
        missed = feed.since(message.after) if message.epoch == feed.epoch else None
        if missed is None or len(missed) > REPLAY_MAX:
            missed = None
            self._send_snapshots(sorted(self.instruments))
        else:
            for each in missed:
                if self.wants(each):
                    self._say(each)
        self._say(Replayed(feed.epoch, message.after, feed.seq, missed is not None))

    def _ping(self, message: Ping) -> None:
        now_us = self._publisher.time_us
        self._say(Pong(message.ref, now_us, self._publisher.feed.seq, 0))


class Publisher:
    """Flushes the feed at most every ``FLUSH_S`` and hands the messages on."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.time_us = 0
        self.subscribers: set[Subscriber] = set()
        self._changed = asyncio.Event()

    def changed(self) -> None:
        """The feed has absorbed something."""
        self._changed.set()

    async def run(self) -> None:
        """Work for ever."""
        while True:
            await self._changed.wait()
            self.flush()
            await asyncio.sleep(FLUSH_S)

    def flush(self) -> None:
        """Number what has happened and give it to every subscriber."""
        self._changed.clear()
        messages = self.feed.flush()
        if not messages or not self.subscribers:
            return
        self.time_us = messages[-1].time_us
        in_use = {subscriber.codec.name: subscriber.codec for subscriber in self.subscribers}
        encoded = {
            name: [codec.encode(message) for message in messages] for name, codec in in_use.items()
        }
        for subscriber in list(self.subscribers):
            for message, data in zip(messages, encoded[subscriber.codec.name], strict=True):
                if subscriber.wants(message):
                    subscriber.take(message, data)
            subscriber.wake()
