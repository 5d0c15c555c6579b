"""A client that loses messages and lines, of a venue that restarts, ends with the true picture."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import msgpack
import msgspec
import pytest

from gateway.client import market_data
from gateway.client.market_data import MarketData, Received
from gateway.market_messages import CHANNELS
from gateway.publisher import CODECS, Publisher
from gateway.subscriber import Subscriber
from marketdata.feed import Feed
from marketdata.messages import Fact, OpenBar, Trade
from marketdata.told import TAPE
from tests.unit.marketdata.trading_floor import CODES, Floor

STRETCH = 500  # of the floor's time, so that minutes pass
STEPS = 60


class Line:
    """A connection without sockets: what the client sends is taken at once."""

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber

    async def send(self, data: bytes) -> None:
        self.subscriber.receive(data)

    def received(self) -> list[Received]:
        found: list[Any] = []
        while (data := self.subscriber.output()) is not None:
            content = msgpack.unpackb(data)
            found += content if isinstance(content, list) else [content]
        return [msgspec.convert(each, Received) for each in found]


class Street:
    """A random market, its feed, and a client that follows it over bad lines."""

    def __init__(self, seed: int, facts_max: int) -> None:
        self.random = random.Random(seed)
        self.floor = Floor(seed)
        self.facts_max = facts_max
        self.read = 0
        self.restart()

    def restart(self) -> None:
        """The venue starts anew: the feed is made again from all events."""
        self.feed = Feed(CODES.__getitem__, facts_max=self.facts_max)
        self.publisher = Publisher(self.feed)
        self.read = 0
        self.absorb()
        self.feed.flush()

    def absorb(self) -> None:
        """Tell the feed what has happened."""
        for events in self.floor.events[self.read :]:
            later = events.copy()
            later["time_ns"] += later["seq"] * 1_000_000 * STRETCH
            self.feed.absorb(later)
        self.read = len(self.floor.events)

    def trade(self) -> None:
        """Let some commands happen, now and then a phase end."""
        self.floor.steps(self.random.randrange(1, 12))
        if self.random.random() < 0.08:
            self.floor.next_phase()
        self.absorb()

    async def connect(self, client: MarketData, monkeypatch: pytest.MonkeyPatch) -> Line:
        """Connect the client as it does itself, but for the socket."""
        subscriber = Subscriber(CODECS["msgpack.v1"], self.publisher)
        self.publisher.join(subscriber)
        line = Line(subscriber)

        async def connected(*_: Any, **__: Any) -> Line:
            return line

        monkeypatch.setattr(market_data, "connect", connected)
        monkeypatch.setattr(MarketData, "_frame", lambda _: frame(line))
        await client.connect()
        return line

    async def deliver(self, client: MarketData, line: Line, lose: float) -> None:
        """A tick; each fact is lost with a probability."""
        self.publisher.tick()
        for message in line.received():
            lost = self.random.random() < lose and isinstance(message, Fact)
            if not lost:
                await client._take_in(message)

    async def settle(self, client: MarketData, line: Line) -> None:
        """Let gaps be found by a heartbeat, asked about and closed."""
        for _ in range(4):
            await self.deliver(client, line, 0)
            self.publisher._beat()
            await self.deliver(client, line, 0)


async def frame(line: Line) -> list[Received]:
    line.subscriber._publisher.tick()
    return line.received()


def picture(client: MarketData) -> dict[str, Any]:
    """What a client holds, as far as a fresh snapshot has it too."""
    tapes: dict[str, list[Trade]] = {code: [] for code in CODES}
    for trade in client.tape:
        tapes[trade.instrument].append(trade)
    pictures = [*client.depth.values(), *client.quote.values(), client.composite]
    open_bars = {key: bar for key, bar in client.bars.items() if isinstance(bar, OpenBar)}
    shown = [
        msgspec.structs.replace(each, prev=0) for each in [*pictures, *open_bars.values()] if each
    ]
    return {
        "pictures": sorted(msgspec.json.encode(each) for each in shown),
        "status": client.status,
        "offers": client.offers,
        "sessions": client.sessions,
        "halted": client.halted,
        "tapes": {code: tape[-TAPE:] for code, tape in tapes.items()},
    }


async def follow(seed: int, facts_max: int, monkeypatch: pytest.MonkeyPatch) -> MarketData:
    street = Street(seed, facts_max)
    rng = street.random
    client = MarketData("ws://nowhere", channels=CHANNELS)
    line = await street.connect(client, monkeypatch)
    for _ in range(STEPS):
        street.trade()
        await street.deliver(client, line, lose=0.1)
        if rng.random() < 0.4:
            street.publisher._beat()
        draw = rng.random()
        if draw < 0.1:
            street.publisher.leave(line.subscriber)
            street.trade()
            if draw < 0.05:
                street.restart()
            line = await street.connect(client, monkeypatch)
    await street.settle(client, line)
    fresh = MarketData("ws://nowhere", channels=CHANNELS)
    other = await street.connect(fresh, monkeypatch)
    await street.deliver(fresh, other, 0)
    assert picture(client) == picture(fresh), f"seed {seed}"
    assert client.gaps > 0
    return client


@pytest.mark.parametrize("seed", range(20))
def test_whoever_loses_messages_and_lines_ends_with_a_fresh_snapshots_picture(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(follow(seed, 20_000, monkeypatch))


@pytest.mark.parametrize("seed", range(4))
def test_and_so_does_who_missed_more_than_is_remembered(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(follow(seed, 5, monkeypatch))


def test_the_whole_tape_is_kept_while_enough_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Over losses, reconnects and restarts not one trade is missing (TR-140)."""
    client = asyncio.run(follow(3, 20_000, monkeypatch))
    assert client._last["bar_1m", "composite"] > 0  # bars have ended on the way
    numbers = [trade.trade_no for trade in client.tape]
    assert len(numbers) == len(set(numbers)) > 0
    for code in CODES:  # what was lost of one instrument may come after a later one of another
        seqs = [trade.seq for trade in client.tape if trade.instrument == code]
        assert seqs == sorted(seqs)
