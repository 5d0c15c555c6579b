"""Numbers of the feed: a gap is seen, and closed by ``since`` or by a snapshot."""

from __future__ import annotations

import random

import msgspec
import numpy as np
import pytest

from engine.records import Event, Phase, Side
from marketdata.feed import Feed
from marketdata.messages import (
    Bar,
    Composite,
    Depth,
    Fact,
    Message,
    Notice,
    OpenBar,
    Picture,
    Quote,
    Snapshot,
    Status,
    Trade,
)
from tests.unit.marketdata.streams import (
    RandomMarket,
    admitted,
    batch,
    day_begun,
    day_closed,
    event,
    listed_and_taken,
)


class Reader:
    """A subscriber as the reference page describes it: believes nothing after a gap."""

    def __init__(self) -> None:
        self.last: dict[tuple[str, str], int] = {}
        self.seq = 0
        self.trades: list[int] = []
        self.pictures: dict[tuple[str, str], Picture] = {}

    def take(self, message: Message) -> bool:
        """Take a message in; False if something before it is missing."""
        key = (message.channel, getattr(message, "instrument", ""))
        picture = isinstance(message, Picture)
        if not picture and message.prev != self.last.get(key, 0):
            return False
        self.last[key] = self.seq = message.seq
        if isinstance(message, Picture):
            self.pictures[key] = message
        elif isinstance(message, Trade):
            self.trades.append(message.trade_no)
        return True

    def start(self, snapshot: Snapshot) -> None:
        code = snapshot.instrument
        self.seq = snapshot.seq
        self.last[Trade.channel, code] = snapshot.trade_seq
        self.last[Status.channel, ""] = snapshot.status_seq
        self.last[Notice.channel, ""] = snapshot.notice_seq
        self.trades = [trade.trade_no for trade in snapshot.trades]
        for picture in (snapshot.depth, snapshot.quote, snapshot.composite):
            if picture is not None:
                key = (picture.channel, getattr(picture, "instrument", ""))
                self.last[key] = picture.seq
                self.pictures[key] = picture


def played(seed: int, steps: int = 600, instruments: int = 2) -> tuple[Feed, list[list[Message]]]:
    market, feed = RandomMarket(seed, instruments), Feed(epoch=7)
    feed.absorb(batch(*market.start()))
    flushes = [feed.flush()]
    for _ in range(steps // 10):
        feed.absorb(batch(*(row for _ in range(10) for row in market.step())))
        flushes.append(feed.flush())
    return feed, flushes


def test_numbers_rise_and_facts_are_chained_per_channel_and_instrument() -> None:
    """``prev`` chains facts, ``iseq`` counts them; a picture has the ``iseq`` it includes."""
    _, flushes = played(1)
    messages = [message for flush in flushes for message in flush]
    last: dict[tuple[str, str], int] = {}
    shown: dict[tuple[str, str], int] = {}
    iseq: dict[str, int] = {}
    seq = 0
    for message in messages:
        code = getattr(message, "instrument", "")
        key = (message.channel, code)
        assert message.seq >= seq
        if isinstance(message, Picture):
            assert message.prev == shown.get(key, 0) < message.seq
            shown[key] = message.seq
            if code:
                assert message.iseq == iseq.get(code, 0)
        else:
            assert message.seq > seq or isinstance(messages[messages.index(message) - 1], Picture)
            assert message.prev == last.get(key, 0)
            last[key] = message.seq
            if code and not isinstance(message, Bar):
                iseq[code] = iseq.get(code, 0) + 1
                assert message.iseq == iseq[code]
        seq = message.seq
    assert {type(message) for message in messages} == {
        *(Composite, Depth, Quote, Trade, Status, OpenBar)
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_same_events_give_the_same_numbers_however_they_were_told(seed: int) -> None:
    """A feed built again from the journal goes on as if nothing had been (P3)."""
    market, rng = RandomMarket(seed), random.Random(seed)
    rows = [row for _ in range(400) for row in market.step()]
    events = batch(*market.start(), *rows, *market.lapse(), *day_closed([10_000, 10_000], 10_000))
    events["time_ns"][3:] += np.arange(len(events) - 3) * 2 * 10**9  # bars end on the way
    live, again = Feed(), Feed()
    facts: list[Fact] = []
    start = 0
    while start < len(events):
        end = start + rng.randrange(1, 60)
        live.absorb(events[start:end])
        if rng.random() < 0.5:
            facts += [message for message in live.flush() if isinstance(message, Fact)]
        start = end
    facts += [message for message in live.flush() if isinstance(message, Fact)]
    again.absorb(events)
    assert [each for each in again.flush() if isinstance(each, Fact)] == facts
    assert sum(isinstance(each, Bar) for each in facts) > 20
    assert (again.seq, again.epoch) == (live.seq, live.epoch)
    for code in (*live.codes, "composite"):
        one, other = live.snapshot(code), again.snapshot(code)
        assert one.iseq == other.iseq
        assert (one.trades, one.trade_seq, one.bar_seqs) == (
            other.trades,
            other.trade_seq,
            other.bar_seqs,
        )


def test_trades_are_never_merged_and_pictures_are() -> None:
    feed = Feed()
    feed.absorb(batch(*admitted([8000]), *day_begun([8000])))
    feed.flush()
    rows = [row for n in range(1, 101) for row in listed_and_taken(0, 8000 + n, 3, 2 * n, n)]
    feed.absorb(batch(*rows))
    messages = feed.flush()
    trades = [message for message in messages if isinstance(message, Trade)]
    assert [trade.trade_no for trade in trades] == list(range(1, 101))
    assert [trade.price_ticks for trade in trades] == list(range(8001, 8101))
    _, _, *bars = messages[100:]
    assert [type(m) for m in messages[100:102]] == [Quote, Composite]  # the book is as before
    assert {type(bar) for bar in bars} == {OpenBar}
    assert messages[100].qty_tonnes == messages[101].qty_tonnes == 300
    assert feed.flush() == []


@pytest.mark.parametrize("seed", range(5))
def test_a_lost_message_is_noticed_and_since_closes_the_gap(seed: int) -> None:
    rng = random.Random(seed)
    feed, flushes = played(seed)
    messages = [message for flush in flushes for message in flush]
    whole = Reader()
    assert all(whole.take(message) for message in messages)
    facts = [place for place, message in enumerate(messages) if isinstance(message, Trade)]
    lost = rng.choice(facts[:-5])
    reader = Reader()
    for place, message in enumerate(messages):
        if place == lost:
            continue
        if not reader.take(message):
            key = (messages[lost].channel, messages[lost].instrument)
            assert (message.channel, message.instrument) == key
            assert message.prev == messages[lost].seq
            break
    else:
        pytest.fail("the gap was not noticed")
    # it asks from the last number before the gap; what it already has is told by seq
    after = reader.last.get(key, 0)
    again = feed.since(after)
    assert again is not None
    facts = [m.seq for m in again if isinstance(m, Fact)]
    assert facts == sorted(facts)
    fresh = Reader()
    assert all(fresh.take(m) for m in messages[:lost] if m.seq <= after)
    assert all(fresh.take(message) for message in again)
    assert fresh.trades == whole.trades
    assert fresh.pictures == whole.pictures
    assert fresh.last == whole.last


def test_since_gives_only_the_newest_picture_of_an_instrument() -> None:
    feed, flushes = played(3)
    early = flushes[5][-1].seq
    again = feed.since(early)
    assert again is not None
    pictures = [m for m in again if isinstance(m, Depth | Quote)]
    assert len(pictures) == len({(m.channel, m.instrument) for m in pictures}) == 4
    assert len([m for m in again if isinstance(m, Composite)]) == 1
    newest = feed.since(feed.seq)  # pictures may share a number with what is known
    assert newest is not None
    assert all(isinstance(m, Picture) and m.seq == feed.seq for m in newest)


def test_since_says_when_it_cannot_answer() -> None:
    feed = Feed(facts_max=10)
    feed.absorb(batch(*admitted([8000]), *day_begun([8000])))
    feed.flush()
    rows = [row for n in range(1, 21) for row in listed_and_taken(0, 8000, 1, 2 * n, n)]
    feed.absorb(batch(*rows))
    last = feed.flush()[-1].seq
    assert feed.since(0) is None
    forgotten = feed.history.facts[0].prev
    assert feed.since(forgotten - 1) is None
    kept = feed.since(forgotten)
    assert kept is not None
    assert [m.trade_no for m in kept if isinstance(m, Trade)] == list(range(11, 21))
    assert feed.since(last + 1) is None
    assert feed.since(-1) is None


@pytest.mark.parametrize("seed", range(3))
def test_a_snapshot_is_continued_by_the_messages_after_it(seed: int) -> None:
    market, feed = RandomMarket(seed), Feed(epoch=42)
    feed.absorb(batch(*market.start()))
    whole, late = Reader(), Reader()
    for message in feed.flush():
        whole.take(message)
    for step in range(60):
        feed.absorb(batch(*(row for _ in range(10) for row in market.step())))
        if step == 30:  # events absorbed but not flushed yet are not in the snapshot
            snapshot = feed.snapshot("I1")
            assert snapshot.epoch == 42
            assert snapshot.seq == feed.seq == whole.seq
            late.start(snapshot)
        for message in feed.flush():
            assert whole.take(message)
            if step >= 30 and getattr(message, "instrument", "I1") == "I1":
                assert late.take(message), "the snapshot does not join"
    assert late.pictures == {k: v for k, v in whole.pictures.items() if k[1] in {"I1", ""}}
    assert late.trades == [t for t in whole.trades if t in set(late.trades)]
    assert len(late.trades) > 20


def test_status_and_notice_tell_phases_and_the_bulletin() -> None:
    feed = Feed()
    feed.absorb(batch(*admitted([8000], [1]), *day_begun([8000])))
    feed.absorb(batch(event(Event.PHASE_CHANGED, phase=Phase.MORNING)))
    feed.absorb(batch(*listed_and_taken(0, 8100, 100, 1)))
    feed.absorb(batch(*day_closed([8100], 8100)))
    messages = feed.flush()
    phases = [m.phase for m in messages if isinstance(m, Status)]
    assert phases == ["pre_open", "morning", "closed"]
    (notice,) = [m for m in messages if isinstance(m, Notice)]
    assert (notice.date, notice.traded, notice.composite_close_ticks) == (20260820, True, 8100)
    assert (notice.change_bp, notice.qty_tonnes, notice.turnover_fen) == (125, 100, 810_000)
    assert feed.snapshot(0).status.phase == "closed"
    assert feed.phase == Phase.CLOSED


def test_times_are_microseconds_of_the_event_that_caused_them() -> None:
    feed = Feed()
    feed.absorb(batch(*admitted([8000]), *day_begun([8000])))
    feed.flush()
    rows = listed_and_taken(0, 8000, 1, 1, time_ns=1_787_190_600_123_456_789)
    feed.absorb(batch(*rows))
    assert {m.time_us for m in feed.flush()} == {1_787_190_600_123_456}


def test_unknown_instruments_are_a_key_error() -> None:
    feed = Feed()
    feed.absorb(batch(*admitted([8000])))
    for unknown in ("CEA99", 1, -1):
        with pytest.raises(KeyError):
            feed.snapshot(unknown)
    with pytest.raises(KeyError):
        feed.listings("CEA99", Side.BUY, 1)


def test_messages_survive_both_codecs() -> None:
    feed, flushes = played(2, steps=100)
    for codec in (msgspec.json, msgspec.msgpack):
        for message in (m for flush in flushes for m in flush):
            encoded = codec.encode(message)
            assert codec.decode(encoded, type=Message) == message
        snapshot = feed.snapshot(0)
        assert codec.decode(codec.encode(snapshot), type=Snapshot) == snapshot
