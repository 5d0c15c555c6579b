"""The market data client after a gap too large to be replayed: nothing that ended is left over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosedOK

from engine.records import Kind, Phase, Side
from gateway.client import MarketData
from gateway.publisher import CODECS, Publisher, Subscriber
from marketdata.messages import Bidding, Snapshot
from tests.unit.marketdata.trading_floor import WINDOW, Floor

QTY = 100_000


class Line:
    """A connection to a publisher without a socket; "closes" whenever nothing waits."""

    def __init__(self, publisher: Publisher) -> None:
        self.publisher = publisher
        self.subscriber = Subscriber(CODECS["msgpack.v1"], publisher)
        publisher.join(self.subscriber)

    async def send(self, frame: bytes) -> None:
        """Send a request; what it asks of the feed is answered at the next tick."""
        self.subscriber.receive(frame)
        self.publisher.tick()

    async def recv(self) -> bytes:
        data = self.subscriber.output()
        if data is None:
            raise ConnectionClosedOK(None, None)
        return data

    def lose(self) -> None:
        """Everything that waits is lost on the way."""
        while self.subscriber.output() is not None:
            pass


class Reader:
    """A floor, its publisher, and a client that reads it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, phase: Phase) -> None:
        self.floor = Floor()
        self.feed = self.floor.feed()
        self.publisher = Publisher(self.feed)
        self.go_to(phase)
        self.feed.flush()
        self.line = Line(self.publisher)

        async def connect(*_: Any, **__: Any) -> Line:
            return self.line

        monkeypatch.setattr("gateway.client.market_data.connect", connect)
        self.md = MarketData("ws://127.0.0.1:9")
        asyncio.run(self.md.connect())

    def go_to(self, phase: Phase) -> None:
        while self.floor.phase != phase:
            self.floor.next_phase()

    def send(self, **fields: Any) -> int:
        """Let one command happen; the number of its order."""
        return int(self.floor.send(fields)[0]["order_no"])

    def offer(self, instrument: int, price_ticks: int) -> int:
        terms = {"instrument": instrument, "price_ticks": price_ticks, "qty_tonnes": QTY}
        return self.send(kind=Kind.BULK_OFFER, account=0, side=Side.SELL, counterparty=-1, **terms)

    def withdraw(self, order_no: int) -> None:
        self.send(kind=Kind.BULK_WITHDRAW, account=0, ref=order_no)

    def trade(self, price_ticks: int) -> None:
        fields = {"instrument": 1, "price_ticks": price_ticks, "qty_tonnes": 10}
        number = self.send(kind=Kind.LIST, account=0, side=Side.SELL, **fields)
        self.send(kind=Kind.TAKE, account=1, ref=number, qty_tonnes=10)

    def noticed(self, instrument: int, reference: int) -> int:
        """Apply for a session and publish it."""
        terms = {"instrument": instrument, "price_ticks": reference, "qty_tonnes": QTY}
        number = self.send(kind=Kind.APPLY_SESSION, account=0, side=Side.SELL, **terms)
        self.floor.send({"kind": Kind.NOTICE_SESSION, "ref": number, **WINDOW})
        return number

    def read(self) -> list[Any]:
        """Tell the public what happened and let the client read it all."""
        self.publisher.tick()

        async def everything() -> list[Any]:
            return [message async for message in self.md]

        return asyncio.run(everything())

    def miss(self) -> None:
        """Tell the public what happened, but not this client, and forget how it came about."""
        self.publisher.tick()
        self.line.lose()
        self.feed.history.forgotten_seq = self.feed.seq  # only snapshots can tell now

    def tape(self) -> list[int]:
        return [trade.trade_no for trade in self.md.tape]


def test_after_a_gap_offers_that_are_gone_are_off_the_board(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TR-75: of the instrument and of the others; what still stands, stays."""
    reader = Reader(monkeypatch, Phase.AFTERNOON)
    gone, stays, elsewhere = reader.offer(1, 9800), reader.offer(1, 9900), reader.offer(0, 4900)
    reader.read()
    assert list(reader.md.offers) == [gone, stays, elsewhere]
    reader.withdraw(gone)
    reader.withdraw(elsewhere)
    fresh = reader.offer(1, 9700)
    reader.miss()
    last = reader.offer(1, 9600)
    reader.read()
    assert reader.md.gaps == 1
    assert set(reader.md.offers) == {stays, fresh, last}
    reader.withdraw(stays)
    reader.read()
    assert reader.md.gaps == 1
    assert set(reader.md.offers) == {fresh, last}


def test_after_a_gap_voided_trades_are_off_the_tape(monkeypatch: pytest.MonkeyPatch) -> None:
    """TR-121: also one so old that the snapshot does not reach back to it."""
    reader = Reader(monkeypatch, Phase.AFTERNOON)
    for _ in range(60):
        reader.trade(9800)
    reader.read()
    assert reader.tape() == list(range(1, 61))
    reader.floor.send(reader.floor.void(3))
    reader.floor.send(reader.floor.void(58))
    reader.trade(9810)
    reader.miss()
    reader.trade(9820)
    reader.read()
    assert reader.md.gaps == 1
    snapshot = reader.feed.snapshot(1)
    assert list(reader.md.tape) == list(snapshot.trades)
    assert not {3, 58} & set(reader.tape())
    assert reader.tape()[-2:] == [61, 62]
    reader.floor.send(reader.floor.void(61))
    reader.read()
    assert reader.tape()[-2:] == [60, 62]


def test_a_snapshot_that_adds_nothing_leaves_the_tape_as_long_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reader = Reader(monkeypatch, Phase.AFTERNOON)
    for _ in range(60):
        reader.trade(9800)
    reader.read()
    asyncio.run(reader.line.send(CODECS["msgpack.v1"].encode({"type": "snapshot"})))
    assert any(isinstance(each, Snapshot) for each in reader.read())
    assert reader.tape() == list(range(1, 61))


@pytest.mark.parametrize("missed", [False, True])
def test_sessions_are_those_of_the_day(monkeypatch: pytest.MonkeyPatch, missed: bool) -> None:
    """TR-80: a new day begins without any, told or missed; a halt and its end change nothing."""
    reader = Reader(monkeypatch, Phase.MORNING)
    numbers = [reader.noticed(0, 4872), reader.noticed(1, 9740)]
    messages = reader.read()
    assert [each.status for each in messages if isinstance(each, Bidding)] == ["noticed"] * 2
    reader.floor.send({"kind": Kind.HALT_MARKET}, {"kind": Kind.RESUME_MARKET})
    reader.read()
    assert list(reader.md.sessions) == numbers
    reader.go_to(Phase.PRE_OPEN)
    if not missed:
        reader.read()
        assert reader.md.sessions == {}
    reader.noticed(1, 9740)
    if missed:
        reader.miss()
    reader.floor.send({"kind": Kind.HALT_MARKET}, {"kind": Kind.RESUME_MARKET})
    reader.read()
    assert reader.md.gaps == missed
    assert list(reader.md.sessions) == [numbers[1] + 1]
