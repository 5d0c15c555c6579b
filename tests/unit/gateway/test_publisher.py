"""Market data to many: numbers, conflation, replay, and a subscriber that does not read."""

import json
from pathlib import Path

import msgpack
import pytest

from gateway.desk import Desk
from gateway.publisher import CODECS, FACTS_MAX, REPLAY_MAX, Publisher, Subscriber
from marketdata.feed import Feed
from tests.unit.gateway.inline_desk import Floor, frame, order, say


class Stage:
    """A floor whose events go to a feed, and subscribers to it."""

    def __init__(self, folder: Path) -> None:
        self.feed = Feed(lambda row: bytes(floor.exchange.state.instruments["code"][row]).decode())
        self.publisher = Publisher(self.feed)
        floor = self.floor = Floor.__new__(Floor)
        self._tap(folder)

    def _tap(self, folder: Path) -> None:
        original = Desk.tell

        def tell(desk, events, groups) -> None:
            original(desk, events, groups)
            self.feed.absorb(events)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Desk, "tell", tell)
            self.floor.__init__(folder)
            self.floor.desk.tell = tell.__get__(self.floor.desk)
        self.feed.flush()

    def subscriber(self, *messages: dict, codec: str = "json.v1") -> Subscriber:
        made = Subscriber(CODECS[codec], self.publisher)
        self.publisher.subscribers.add(made)
        for message in messages:
            made.receive(frame(made.codec, message))
        return made

    def trades(self, count: int) -> None:
        """Make ``count`` trades of one tonne."""
        lister, taker = self.floor.session(0), self.floor.session(1)
        lister.receive(frame(lister.codec, order(f"l{self.feed.seq}", qty_tonnes=count)))
        (accepted,) = lister.output()
        for n in range(count):
            take = {"type": "take", "order_no": accepted.order_no, "qty_tonnes": 1}
            identity = f"t{accepted.order_no}-{n}"
            taker.receive(frame(taker.codec, take | {"client_order_id": identity}))
        lister.drop()
        taker.drop()


def read(subscriber: Subscriber) -> list[dict]:
    found: list[dict] = []
    while (data := subscriber.output()) is not None:
        content = json.loads(data)
        found += content if isinstance(content, list) else [content]
    return found


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return Stage(tmp_path)


SUBSCRIBE = {"type": "subscribe", "instruments": ["CEA25"], "channels": ["trade", "depth"]}


def test_snapshot_then_updates_that_continue_it(stage: Stage) -> None:
    subscriber = stage.subscriber(SUBSCRIBE)
    subscribed, snapshot = read(subscriber)
    assert (subscribed["type"], snapshot["type"]) == ("subscribed", "snapshot")
    stage.trades(3)
    session = stage.floor.session(0)
    session.receive(frame(session.codec, order("rests", price="80.10")))
    stage.publisher.flush()
    *trades, depth = read(subscriber)
    assert [each["prev"] for each in trades] == [
        snapshot["trade_seq"],
        *(each["seq"] for each in trades[:-1]),
    ]
    assert depth["type"] == "depth"
    assert depth["asks"][0]["price_ticks"] == 8010


def test_only_what_was_asked_for_is_sent(stage: Stage) -> None:
    other = stage.subscriber({"type": "subscribe", "instruments": ["CEA24"]})
    silent = stage.subscriber()
    read(other)
    stage.trades(2)
    stage.publisher.flush()
    assert {each["type"] for each in read(other)} == {"composite"}  # of all instruments together
    assert read(silent) == []


def test_pictures_of_a_slow_reader_are_merged_into_the_newest(stage: Stage) -> None:
    subscriber = stage.subscriber(SUBSCRIBE | {"channels": ["depth"]})
    read(subscriber)
    for n in range(5):
        session = stage.floor.session(0)
        session.receive(frame(session.codec, order(f"o{n}")))
        session.drop()
        stage.publisher.flush()
    (depth,) = read(subscriber)
    assert depth["asks"][0]["orders"] == 5


def test_a_reader_that_never_reads_is_closed_and_harms_nobody(stage: Stage) -> None:
    lazy, eager = stage.subscriber(SUBSCRIBE), stage.subscriber(SUBSCRIBE)
    read(eager)
    seen = 0
    for _ in range(6):
        stage.trades(FACTS_MAX // 5)
        stage.publisher.flush()
        seen += sum(each["type"] == "trade" for each in read(eager))
    assert seen == 6 * (FACTS_MAX // 5)
    assert eager.close_code == 0
    assert lazy.close_code == 4013
    assert read(lazy)[-1]["code"] == "slow_consumer"


def test_a_replay_closes_a_gap_or_says_that_it_cannot(stage: Stage) -> None:
    subscriber = stage.subscriber(SUBSCRIBE)
    _, snapshot = read(subscriber)
    stage.trades(4)
    stage.publisher.flush()
    lost = read(subscriber)
    replay = {"type": "replay", "epoch": stage.feed.epoch, "after": snapshot["seq"]}
    subscriber.receive(frame(subscriber.codec, replay))
    *again, replayed = read(subscriber)
    assert again == sorted(lost, key=lambda each: each["seq"])
    assert replayed["whole"] is True
    stage.trades(REPLAY_MAX + 1)
    for change in ({"after": snapshot["seq"]}, {"epoch": 7}, {"after": 10**9}):
        subscriber.receive(frame(subscriber.codec, replay | change))
        found = read(subscriber)
        assert found[-1]["whole"] is False
        assert found[-2]["type"] == "snapshot"


def test_both_encodings_say_the_same(stage: Stage) -> None:
    text, binary = stage.subscriber(SUBSCRIBE), stage.subscriber(SUBSCRIBE, codec="msgpack.v1")
    read(text)
    binary.output()
    stage.trades(20)
    stage.publisher.flush()
    data = binary.output()
    assert data is not None
    assert msgpack.unpackb(data) == read(text)


def test_boards_sessions_halts_and_the_composite_are_channels_of_their_own(stage: Stage) -> None:
    """TR-75, TR-81, TR-104, TR-117: told as facts, in a snapshot, and in a replay."""
    channels = ["bulk_offer", "bidding", "halt", "composite"]
    subscriber = stage.subscriber(SUBSCRIBE | {"channels": channels})
    _, snapshot = read(subscriber)
    floor = stage.floor
    seller, operator = floor.session(0), floor.office("exchange_operator")
    goods = {"instrument": "CEA25", "qty_tonnes": 100_000}
    say(seller, {"type": "apply_session", "client_order_id": "s", "price": "74.63", **goods})
    window = {"session_no": 1, "opens": "10:00", "closes": "10:30"}
    say(operator, {"type": "notice_session", "client_order_id": "n", **window})
    for kind in ("halt_instrument", "resume_instrument"):
        say(operator, {"type": kind, "client_order_id": kind, "instrument": "CEA25"})
    stage.trades(1)
    floor.afternoon()
    offer = {"type": "bulk_offer", "side": "sell", "price": "74.00", **goods}
    say(seller, offer | {"client_order_id": "public"})
    say(seller, offer | {"client_order_id": "directed", "counterparty": 1})
    stage.publisher.flush()
    found = read(subscriber)
    kinds = [each["type"] for each in found]
    assert sorted(kinds) == ["bidding", "bulk_offer", "composite", "halt", "halt"]
    assert "account" not in str(found)
    assert "counterparty" not in str(found)
    replay = {"type": "replay", "epoch": stage.feed.epoch, "after": snapshot["seq"]}
    subscriber.receive(frame(subscriber.codec, replay))
    *again, replayed = read(subscriber)
    assert replayed["whole"] is True
    assert sorted(each["type"] for each in again) == sorted(kinds)
    late = stage.subscriber(SUBSCRIBE | {"channels": channels})
    _, picture = read(late)
    assert len(picture["offers"]) == 1
    assert [each["status"] for each in picture["sessions"]] == ["noticed"]
