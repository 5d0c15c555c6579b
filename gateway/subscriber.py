"""One connection to ``/ws/md`` as a machine without sockets: frames in, frames out.

What waits for a reader is bounded: the newest picture of each channel (one slot each), facts
(``FACTS_MAX`` and those of one tick; their bytes are shared by all), answers, one round of
snapshots, one part of a replay. A reader that is too slow for its facts is told so and closed; its
pictures are merged and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from gateway.codec import Codec, Fault
from gateway.market_messages import (
    BAR_CHANNELS,
    CHANNELS,
    DEFAULT_CHANNELS,
    INSTRUMENT_CHANNELS,
    VENUE_CHANNELS,
    Heartbeat,
    Replay,
    Replayed,
    SnapshotRequest,
    Subscribe,
    Subscribed,
    Unsubscribe,
    Unsubscribed,
    encoded_array,
)
from gateway.messages import Bye, Error, Logout, Ping, Pong
from gateway.refusals import REFUSALS, sentence
from marketdata.messages import COMPOSITE

if TYPE_CHECKING:
    from gateway.publisher import Publisher

FACTS_MAX = 1000  # facts and answers of earlier ticks that wait for a reader
ANSWER_BYTES_MAX = 256 * 1024  # of answers that wait before its requests are read no more
FRAME_PARTS_MAX = 500  # messages in one frame, and facts of a replay fetched at a time
EVERY = "*"  # all instruments, also those listed later

Pair = tuple[str, str]  # channel and instrument


class Portion(NamedTuple):
    """What one tick holds for subscribers who want the same: encoded once, framed once."""

    facts: list[bytes]
    pictures: dict[Pair, bytes]
    ended: list[Pair]  # pictures that facts have made out of date: ended bars
    seq: int  # of the last fact, 0 if there is none
    frame: bytes  # b"": too many messages for one


class Subscriber:
    """What one client wants, and what waits for it."""

    def __init__(self, codec: Codec, publisher: Publisher) -> None:
        self.codec = codec
        self.close_code = 0
        self.urgent = False
        self.pause_s = 0.0
        self.wanted: dict[Pair, str] = {}  # and its pace
        self.merged = 0
        self.sent = 0  # facts
        self.sent_seq = 0
        self.due = False  # it waits for the next tick
        self.wake: Callable[[], None] = lambda: None
        self._publisher = publisher
        self._fresh: Portion | None = None
        self._facts: list[bytes] = []
        self._pictures: dict[Pair, bytes] = {}
        self._answer_bytes = 0
        self._pictured = False  # a round of snapshots waits
        self._before: list[bytes] = []  # what goes before a replay
        self._replaying: tuple[int, int, int] | None = None  # asked after, now at, up to
        self._due_pairs: dict[Pair, str] = {}
        self._due_snapshots: dict[str, None] = {}
        self._due_replay: tuple[int, int] | None = None
        self._handlers: dict[type, Callable[[Any], None]] = {
            Subscribe: self._subscribe,
            Unsubscribe: self._unsubscribe,
            Replay: self._replay,
            SnapshotRequest: self._snapshot,
            Ping: self._ping,
            Logout: lambda _: self.close("logout"),
            Fault: lambda fault: self._refuse(fault.code, fault.detail),
        }

    def receive(self, *frames: str | bytes) -> None:
        """Take frames in the order they came. Never raises on a client's account."""
        for frame in frames:
            self._receive(frame)

    def _receive(self, frame: str | bytes) -> None:
        """Take one frame. Never raises on a client's account."""
        for message in self.codec.decode(frame):
            if not self.close_code:
                self._handlers[type(message)](message)

    @property
    def idle(self) -> bool:
        """Whether nothing waits for the writer."""
        return self.ready and not self._facts and not self._before

    @property
    def ready(self) -> bool:
        """Whether it can be served: at most facts and answers wait."""
        return not (self._fresh or self._pictures or self._replaying or self._pictured)

    @property
    def full(self) -> bool:
        """Whether so much waits that its requests should not be read."""
        return len(self._facts) >= FACTS_MAX or self._answer_bytes >= ANSWER_BYTES_MAX

    def take(self, portion: Portion) -> None:
        """Hold a tick's messages until the writer is free."""
        if self.close_code:
            return
        if portion.frame and self.idle:
            self._fresh = portion
        else:
            self._settle()
            if len(self._facts) > FACTS_MAX:
                self._cut_off()
                return
            self._hold(portion)
        self.sent += len(portion.facts)
        self.sent_seq = portion.seq or self.sent_seq
        self.wake()

    def _settle(self) -> None:
        """A whole frame was not taken in time: from now on its messages wait one by one."""
        if self._fresh is not None:
            self._hold(self._fresh)
            self._fresh = None

    def _hold(self, portion: Portion) -> None:
        self._facts += portion.facts
        for pair in portion.ended:
            self._pictures.pop(pair, None)
        before = len(self._pictures) + len(portion.pictures)
        self._pictures.update(portion.pictures)
        self.merged += before - len(self._pictures)

    def _cut_off(self) -> None:
        """It cannot keep up with the facts: what waits is let go but for the reason."""
        self._facts, self._before = [], []
        self._pictures.clear()
        self._replaying = None
        self._publisher.cut_off += 1
        self._refuse("slow_consumer")

    def output(self) -> bytes | None:
        """Return the next outgoing frame, None where nothing waits."""
        if self._fresh is not None:
            frame, self._fresh = self._fresh.frame, None
            return frame
        if self._before:
            parts, self._before = self._before, []
        elif self._replaying is not None:
            parts = self._fetched(*self._replaying)
        else:
            parts, self._facts = self._facts[:FRAME_PARTS_MAX], self._facts[FRAME_PARTS_MAX:]
            if not self._facts:
                self._answer_bytes, self._pictured = 0, False
                parts += self._pictures.values()
                self._pictures.clear()
        return encoded_array(parts, binary=self.codec.binary) if parts else None

    def close(self, code: str) -> None:
        """Say good bye with ``code`` and be closed."""
        if self.close_code:
            return
        text = REFUSALS[code].sentence if code in REFUSALS else "Good bye."
        self._say(Bye(code, text))
        self.close_code = REFUSALS[code].close_code if code in REFUSALS else 1000
        self.wake()

    def beat(self, heartbeat: Callable[[int, int, int], Heartbeat]) -> None:
        """Tell that the line is alive, unless more important things wait."""
        if self.idle and not self.close_code:
            self._say(heartbeat(self.sent, self.sent_seq, self.merged))

    def _say(self, message: Any) -> None:
        self._settle()
        data = self.codec.encode(message)
        self._facts.append(data)
        self._answer_bytes += len(data)
        self.wake()

    def _refuse(self, code: str, detail: str = "") -> None:
        closes = bool(REFUSALS[code].close_code)
        self._say(Error(code, sentence(code, detail), closes))
        if closes:
            self.close(code)

    # what a client asks for; what needs the feed waits for the next tick

    def _subscribe(self, message: Subscribe) -> None:
        feed = self._publisher.feed
        if not self._known(message.instruments, message.channels):
            return
        if (message.epoch is None) is not (message.after is None):
            self._refuse("missing_field", "epoch and after belong together")
            return
        channels = DEFAULT_CHANNELS if message.channels is None else message.channels
        codes = [EVERY] if message.instruments is None else message.instruments
        for pair in pairs(channels, codes):
            self._due_pairs[pair] = message.pace
        if message.after is None or message.epoch is None:
            self._due_snapshots.update(dict.fromkeys(self._begun_with(message, channels)))
        else:
            self._due_replay = (message.epoch, message.after)
        named = feed.codes if message.instruments is None else message.instruments
        answer = Subscribed(feed.epoch, feed.seq, list(named), list(channels), message.pace)
        self._say(answer)
        self._ask()

    def _begun_with(self, message: Subscribe, channels: Iterable[str]) -> list[str]:
        """Return what a subscription begins with snapshots of; ``composite``: the venue's own."""
        every = message.instruments is None
        codes = list(self._publisher.feed.codes if every else message.instruments or ())
        if all(channel in VENUE_CHANNELS for channel in channels):
            codes = []
        bars = every and any(channel in BAR_CHANNELS for channel in channels)
        return [*codes, COMPOSITE] if bars or not codes else codes

    def _unsubscribe(self, message: Unsubscribe) -> None:
        if not self._known(message.instruments, message.channels):
            return
        known = [*self._publisher.feed.codes, COMPOSITE]
        whole = CHANNELS if message.instruments is None else (*INSTRUMENT_CHANNELS, *BAR_CHANNELS)
        channels = whole if message.channels is None else message.channels
        codes = known if message.instruments is None else message.instruments
        gone = set(pairs(channels, [*codes, EVERY] if message.instruments is None else codes))
        for wanted in (self.wanted, self._due_pairs):
            for channel in channels:
                pace = wanted.get((channel, EVERY))
                if pace is not None and message.instruments is not None:
                    del wanted[channel, EVERY]  # all of them becomes the others
                    wanted.update(dict.fromkeys(pairs([channel], known), pace))
            for pair in gone:
                wanted.pop(pair, None)
        for pair in gone:
            self._pictures.pop(pair, None)
        self._publisher.regroup(self)
        self._say(Unsubscribed(list(codes), list(channels)))

    def _known(self, instruments: list[str] | None, channels: list[str] | None) -> bool:
        """Whether there is all of this; if not, say so: nothing of the request is done."""
        for channel in channels or ():
            if channel not in CHANNELS:
                self._refuse("unknown_channel", channel[:32])
                return False
        for code in instruments or ():
            if code != COMPOSITE and code not in self._publisher.feed.codes:
                self._refuse("unknown_instrument", code[:32])
                return False
        return True

    def _snapshot(self, message: SnapshotRequest) -> None:
        if self._known(message.instruments, None):
            codes = message.instruments
            self._due_snapshots.update(dict.fromkeys(self._codes() if codes is None else codes))
            self._ask()

    def _codes(self) -> list[str]:
        """Return the instruments of all that is wanted; without any the venue's own."""
        wanted = (*self.wanted, *self._due_pairs)
        named = {code for _, code in wanted if code}
        if any((channel, EVERY) in wanted for channel in BAR_CHANNELS):
            named.add(COMPOSITE)
        if EVERY in named:
            named = {*named, *self._publisher.feed.codes} - {EVERY}
        return sorted(named) or [COMPOSITE]

    def _replay(self, message: Replay) -> None:
        self._due_replay = (message.epoch, message.after)
        self._ask()

    def _ping(self, message: Ping) -> None:
        self._say(Pong(message.ref, self._publisher.time_us, self._publisher.feed.seq, 0))

    def _ask(self) -> None:
        self.due = True
        self._publisher.changed()

    # at a tick, when everything before it has been handed on

    def serve(self) -> None:
        """Begin what is due: new subscriptions, snapshots, a replay. It must have been ready."""
        self.due = False
        if self._fresh is not None:
            self._facts += [*self._fresh.facts, *self._fresh.pictures.values()]
            self._fresh = None
        if self._due_pairs:
            self.wanted.update(self._due_pairs)
            self._due_pairs.clear()
            self._publisher.regroup(self)
        feed = self._publisher.feed
        if self._due_replay is not None:
            (epoch, after), self._due_replay = self._due_replay, None
            if epoch == feed.epoch and feed.history.facts_after(after, 0) is not None:
                self._replaying = (after, after, feed.seq)
                self._before, self._facts = self._facts, []
            else:
                self._due_snapshots.update(dict.fromkeys(self._codes()))
                self._send_snapshots()
                self._say(Replayed(feed.epoch, after, feed.seq, whole=False))
        if self._due_snapshots:
            self._send_snapshots()
        self.wake()

    def _send_snapshots(self) -> None:
        for code in self._due_snapshots:
            self._facts.append(self._publisher.snapshot(code, self.codec))
            self._pictured = True
        self._due_snapshots.clear()

    def _fetched(self, after: int, at: int, upto: int) -> list[bytes]:
        """Return the next part of a replay: facts, in the end the newest pictures."""
        feed, encode = self._publisher.feed, self.codec.encode
        facts = feed.history.facts_after(at, FRAME_PARTS_MAX)
        if facts is None:  # the feed has forgotten them while they were being sent
            self._replaying = None
            codes = self._codes()
            parts = [self._publisher.snapshot(code, self.codec) for code in codes]
            return [*parts, encode(Replayed(feed.epoch, after, upto, whole=False))]
        within = [fact for fact in facts if fact.seq <= upto]
        self.sent_seq = max([self.sent_seq, *(fact.seq for fact in within)])
        parts = [encode(fact) for fact in within if wants(self.wanted, fact)]
        self.sent += len(parts)
        if len(within) == FRAME_PARTS_MAX:
            self._replaying = (after, within[-1].seq, upto)
            return parts or self._fetched(*self._replaying)
        self._replaying = None
        newest = feed.history.pictures.values()  # all: slots may have waited behind facts
        parts += [encode(picture) for picture in newest if wants(self.wanted, picture)]
        return [*parts, encode(Replayed(feed.epoch, after, upto, whole=True))]


def pairs(channels: Iterable[str], codes: Iterable[str]) -> list[Pair]:
    """Return every channel of every instrument; what belongs to the venue only once."""
    found = [
        (channel, code) for channel in channels if channel not in VENUE_CHANNELS for code in codes
    ]
    return [*found, *((channel, "") for channel in channels if channel in VENUE_CHANNELS)]


def wants(wanted: dict[Pair, str], message: Any) -> str | None:
    """Return the pace at which a message of the feed is wanted, None if it is not."""
    channel = message.channel
    pace = wanted.get((channel, getattr(message, "instrument", "")))
    return wanted.get((channel, EVERY)) if pace is None else pace
