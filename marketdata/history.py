"""Numbers of the feed's messages and the memory that lets a subscriber close a gap."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from itertools import islice
from operator import attrgetter
from typing import Any, cast, get_args

from marketdata.messages import Fact, Message, Picture

by_seq = attrgetter("seq")
PICTURES = frozenset(get_args(Picture))


MANY = "many"  # before a maker of many facts at once


class Outbox:
    """Facts that wait for the next flush, each under its number: a maker and its arguments.

    ``number`` counts public changes: every fact, and every change to what a picture is made of.
    It is a function of the events alone, so a feed built again from the journal counts the same.
    """

    __slots__ = ("number", "waiting")

    def __init__(self) -> None:
        self.number = 0
        self.waiting: list[tuple[Any, ...]] = []  # (MANY, maker, numbers, ...): gives a list

    def append(self, fact: tuple[Any, ...]) -> None:
        """Put a fact behind the others: (maker, argument, ...); the maker gets the number first."""
        self.number += 1
        self.waiting.append((fact[0], self.number, *fact[1:]))

    def take(self, latest: int | None = None) -> tuple[list[Message], int]:
        """Return the facts that wait as messages, in order, and the last number left out or 0.

        ``latest``: so many of them are wanted at least; long runs before them are numbered only.
        """
        made: list[Message] = []
        left_out = 0
        runs = (len(fact[2]) if fact[0] is MANY else 1 for fact in self.waiting)
        behind = 0 if latest is None else sum(runs)
        for make, *arguments in self.waiting:
            if make is MANY:
                maker, seqs, *more = arguments
                behind -= len(seqs)
                heard = latest is None or behind < latest
                made += maker(seqs, *more, heard)
                left_out = left_out if heard else int(seqs[-1])
            else:
                behind -= 1
                made.append(make(*arguments))
        self.waiting.clear()
        return made, left_out


class History:
    """Gives each message its numbers and keeps the latest ones.

    Facts are kept one by one, at most ``facts_max``; of each picture channel only the newest
    message is kept, since it replaces those before it.
    """

    def __init__(self, facts_max: int) -> None:
        self.seq = 0  # of the last public change that was flushed
        self.facts: deque[Fact] = deque()
        self.facts_max = facts_max
        self.forgotten_seq = 0  # of the youngest fact that had to make room
        self.pictures: dict[tuple[str, str], Picture] = {}
        self._prev: dict[tuple[str, str], int] = {}
        self._iseq: dict[str, int] = {}

    def derived(self, seq: int, channel: str, instrument: str) -> tuple[int, int, int]:
        """Return (seq, prev, iseq) of a fact that follows from others: an ended bar."""
        key = (channel, instrument)
        prev = self._prev.get(key, 0)
        self._prev[key] = seq
        return seq, prev, self._iseq.get(instrument, 0)

    def fact(self, seq: int, channel: str, instrument: str = "") -> tuple[int, int, int]:
        """Return (seq, prev, iseq) of a fact; iseq 0 without instrument."""
        key = (channel, instrument)
        prev = self._prev.get(key, 0)
        self._prev[key] = seq
        if not instrument:
            return seq, prev, 0
        iseq = self._iseq[instrument] = self._iseq.get(instrument, 0) + 1
        return seq, prev, iseq

    def run(self, seqs: list[int], channel: str, instrument: str) -> tuple[list[int], int]:
        """Return ``prev`` of each fact of a run of one channel, and the first one's ``iseq``."""
        key = (channel, instrument)
        prevs = [self._prev.get(key, 0), *seqs[:-1]]
        first = self._iseq.get(instrument, 0) + 1
        self._prev[key] = seqs[-1]
        self._iseq[instrument] = first + len(seqs) - 1
        return prevs, first

    def picture(self, channel: str, instrument: str = "") -> tuple[int, int, int]:
        """Return (seq, prev, iseq) of a picture of everything up to now."""
        before = self.pictures.get((channel, instrument))
        return self.seq, before.seq if before else 0, self._iseq.get(instrument, 0)

    def last(self, channel: str, instrument: str = "") -> int:
        """Return the number of the channel's last fact, 0 if there was none."""
        return self._prev.get((channel, instrument), 0)

    def iseq(self, instrument: str) -> int:
        """Return the number of facts of an instrument so far."""
        return self._iseq.get(instrument, 0)

    def keep(self, messages: Sequence[Message]) -> None:
        """Remember messages that were just numbered, in order."""
        for message in messages:
            if type(message) in PICTURES:  # much faster than isinstance of a union
                instrument: str = getattr(message, "instrument", "")  # the composite has none
                self.pictures[message.channel, instrument] = cast(Picture, message)
        facts = self.facts
        facts.extend(cast(list[Fact], [each for each in messages if type(each) not in PICTURES]))
        over = len(facts) - self.facts_max
        if over > 0:
            self.forget(facts[over - 1].seq)
            for _ in range(over):
                facts.popleft()

    def forget(self, seq: int) -> None:
        """Facts up to ``seq`` cannot be told any more."""
        self.forgotten_seq = max(self.forgotten_seq, seq)

    def drop_picture(self, channel: str, instrument: str) -> None:
        """A picture is over: a bar has ended."""
        self.pictures.pop((channel, instrument), None)

    def facts_after(self, seq: int, count: int) -> list[Fact] | None:
        """Return the first ``count`` facts with a number above ``seq``, in order.

        None: ``seq`` is ahead of the feed or too old to be answered; a snapshot is needed.
        """
        if not self.forgotten_seq <= seq <= self.seq:
            return None
        at = bisect_right(self.facts, seq, key=by_seq)
        return list(islice(self.facts, at, at + count))

    def since(self, seq: int) -> list[Message] | None:
        """Return what a reader of everything up to ``seq`` lacks: facts in order, then pictures.

        Every fact above ``seq`` is there; of pictures the newest of each channel whose number is
        not below it (facts and pictures of one flush may share a number). None: as above.
        """
        facts = self.facts_after(seq, len(self.facts))
        if facts is None:
            return None
        newest = [picture for picture in self.pictures.values() if picture.seq >= seq]
        return [*facts, *sorted(newest, key=by_seq)]
