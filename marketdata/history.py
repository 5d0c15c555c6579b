"""Numbers of the feed's messages and the memory that lets a subscriber close a gap."""

from __future__ import annotations

from collections import deque
from operator import attrgetter

from marketdata.messages import Fact, Message, Picture

by_seq = attrgetter("seq")


class History:
    """Gives each message its numbers and keeps the latest ones.

    Facts are kept one by one, at most ``facts_max``; of each picture channel only the newest
    message is kept, since it replaces those before it.
    """

    def __init__(self, facts_max: int) -> None:
        self.seq = 0
        self.facts: deque[Fact] = deque()
        self.facts_max = facts_max
        self.forgotten_seq = 0  # of the youngest fact that had to make room
        self.pictures: dict[tuple[str, str], Picture] = {}
        self._prev: dict[tuple[str, str], int] = {}
        self._iseq: dict[str, int] = {}

    def number(self, channel: str, instrument: str = "") -> tuple[int, int, int]:
        """Return (seq, prev, iseq) of the next message of a channel; iseq 0 without instrument."""
        self.seq += 1
        key = (channel, instrument)
        prev = self._prev.get(key, 0)
        self._prev[key] = self.seq
        if not instrument:
            return self.seq, prev, 0
        iseq = self._iseq[instrument] = self._iseq.get(instrument, 0) + 1
        return self.seq, prev, iseq

    def last(self, channel: str, instrument: str = "") -> int:
        """Return the number of the channel's last message, 0 if there was none."""
        return self._prev.get((channel, instrument), 0)

    def iseq(self, instrument: str) -> int:
        """Return the last number of an instrument, 0 if there was none."""
        return self._iseq.get(instrument, 0)

    def keep(self, message: Message) -> None:
        """Remember a message that was just numbered."""
        if isinstance(message, Picture):
            instrument: str = getattr(message, "instrument", "")  # the composite has none
            self.pictures[message.channel, instrument] = message
            return
        self.facts.append(message)
        if len(self.facts) > self.facts_max:
            self.forgotten_seq = self.facts.popleft().seq

    def since(self, seq: int) -> list[Message] | None:
        """Return what follows ``seq``: every fact, the newest picture of each channel, in order.

        None: ``seq`` is ahead of the feed or too old to be answered; a snapshot is needed.
        """
        if not self.forgotten_seq <= seq <= self.seq:
            return None
        found: list[Message] = []
        for fact in reversed(self.facts):
            if fact.seq <= seq:
                break
            found.append(fact)
        found += [picture for picture in self.pictures.values() if picture.seq > seq]
        found.sort(key=by_seq)
        return found
