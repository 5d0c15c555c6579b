"""What the live view shows of a venue at one moment, made from its feed and its counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from marketdata.feed import Feed
from marketdata.messages import Bidding, Composite, Offer, Snapshot, Trade


class Counters(Protocol):
    """What the gateway counts; any object with these will do."""

    @property
    def sessions(self) -> int:
        """Connections that are logged in."""
        ...

    @property
    def subscribers(self) -> int:
        """Connections that read market data."""
        ...

    @property
    def commands(self) -> int:
        """Commands in the journal."""
        ...

    @property
    def orders(self) -> int:
        """Orders accepted today."""
        ...

    @property
    def trades(self) -> int:
        """Trades made today."""
        ...

    @property
    def held(self) -> str:
        """Why the next day cannot open; "" if it can."""
        ...


@dataclass(frozen=True)
class View:
    """One moment of the venue."""

    time_ns: int
    clock_label: str
    date: int
    phase: str
    instruments: tuple[Snapshot, ...]
    selected: str
    sessions: int = 0
    subscribers: int = 0
    commands: int = 0
    commands_per_s: float = 0.0
    orders: int = 0
    trades: int = 0
    held: str = ""
    halted: bool = False
    footer: tuple[str, ...] = ()

    @property
    def book(self) -> Snapshot | None:
        """The instrument whose book is shown."""
        return next((each for each in self.instruments if each.instrument == self.selected), None)

    @property
    def tape(self) -> list[Trade]:
        """The latest trades of all instruments, newest first."""
        trades = [trade for each in self.instruments for trade in each.trades]
        return sorted(trades, key=lambda trade: trade.trade_no, reverse=True)

    @property
    def composite(self) -> Composite | None:
        """The composite price, the same in every snapshot."""
        return self.instruments[0].composite if self.instruments else None

    @property
    def offers(self) -> list[tuple[str, Offer]]:
        """Public bulk offers of all instruments, those of the selected one first."""
        books = sorted(self.instruments, key=lambda each: each.instrument != self.selected)
        return [(each.instrument, offer) for each in books for offer in each.offers]

    @property
    def session(self) -> Bidding | None:
        """The bidding session there was the latest word of."""
        sessions = [session for each in self.instruments for session in each.sessions]
        return max(sessions, key=lambda session: session.seq, default=None)


class Watcher:
    """Makes views of a running venue: ``feed`` and ``counters`` are read, never changed."""

    def __init__(
        self,
        feed: Feed,
        counters: Counters,
        now_ns: Callable[[], int],
        clock_label: str,
        footer: Sequence[str] = (),
        selected: str = "",
    ) -> None:
        self.selected = selected
        self._feed = feed
        self._counters = counters
        self._now_ns = now_ns
        self._clock_label = clock_label
        self._footer = tuple(footer)
        self._rate = 0.0
        self._counted: tuple[float, int] | None = None

    def select(self, key: str) -> None:
        """Show another book: keys 1 … 9 are the instruments in their order."""
        codes = self._feed.codes
        if key.isdecimal() and 1 <= int(key) <= len(codes):
            self.selected = codes[int(key) - 1]

    def view(self, real_s: float) -> View:
        """Return the moment; ``real_s`` is any steady clock, for the throughput."""
        feed, counters = self._feed, self._counters
        if self._counted is None:
            self._counted = (real_s, counters.commands)
        elif real_s - self._counted[0] >= 1.0:
            since_s, before = self._counted
            self._rate = (counters.commands - before) / (real_s - since_s)
            self._counted = (real_s, counters.commands)
        if self.selected not in feed.codes:
            self.selected = feed.codes[-1] if feed.codes else ""
        return View(
            time_ns=self._now_ns(),
            clock_label=self._clock_label,
            date=feed.date,
            phase=feed.phase.name.lower(),
            instruments=tuple(feed.snapshot(code) for code in feed.codes),
            selected=self.selected,
            sessions=counters.sessions,
            subscribers=counters.subscribers,
            commands=counters.commands,
            commands_per_s=self._rate,
            orders=counters.orders,
            trades=counters.trades,
            held=counters.held,
            halted=feed.halted,
            footer=self._footer,
        )
