"""Market data to many: numbers, conflation, replay, and a subscriber that does not read."""

import json
from pathlib import Path

import msgpack
import pytest

from gateway.desk import Desk
from gateway.publisher import CODECS, FACTS_MAX, FRAME_PARTS_MAX, Publisher, Subscriber
from marketdata.feed import Feed
from tests.unit.gateway.inline_desk import Floor, frame, order, say
from tests.unit.marketdata.streams import batch, day_begun, day_closed


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
        self.publisher.join(made)
        self.ask(made, *messages)
        return made

    def ask(self, subscriber: Subscriber, *messages: dict) -> None:
        """Send messages; what they ask of the feed is answered at the tick that follows."""
        for message in messages:
            subscriber.receive(frame(subscriber.codec, message))
        self.publisher.tick()

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
    stage.publisher.tick()
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
    stage.publisher.tick()
    assert {each["type"] for each in read(other)} == {"composite"}  # of all instruments together
    assert read(silent) == []


def test_pictures_of_a_slow_reader_are_merged_into_the_newest(stage: Stage) -> None:
    subscriber = stage.subscriber(SUBSCRIBE | {"channels": ["depth"]})
    read(subscriber)
    for n in range(5):
        session = stage.floor.session(0)
        session.receive(frame(session.codec, order(f"o{n}")))
        session.drop()
        stage.publisher.tick()
    (depth,) = read(subscriber)
    assert depth["asks"][0]["orders"] == 5


def test_a_reader_that_never_reads_is_closed_and_harms_nobody(stage: Stage) -> None:
    lazy, eager = stage.subscriber(SUBSCRIBE), stage.subscriber(SUBSCRIBE)
    read(eager)
    seen = 0
    for _ in range(6):
        stage.trades(FACTS_MAX // 5)
        stage.publisher.tick()
        seen += sum(each["type"] == "trade" for each in read(eager))
    assert seen == 6 * (FACTS_MAX // 5)
    assert eager.close_code == 0
    assert lazy.close_code == 4013
    assert read(lazy)[-1]["code"] == "slow_consumer"


def test_a_replay_closes_a_gap_or_says_that_it_cannot(stage: Stage) -> None:
    subscriber = stage.subscriber(SUBSCRIBE)
    _, snapshot = read(subscriber)
    stage.trades(4)
    stage.publisher.tick()
    lost = read(subscriber)
    replay = {"type": "replay", "epoch": stage.feed.epoch, "after": snapshot["seq"]}
    stage.ask(subscriber, replay)
    *again, replayed = read(subscriber)
    assert [each for each in again if each["type"] == "trade"] == lost
    assert [each["type"] for each in again[4:]] == ["depth"]
    assert replayed["whole"] is True
    for change in ({"after": -1}, {"epoch": 7}, {"after": 10**9}):
        stage.ask(subscriber, replay | change)
        found = read(subscriber)
        assert found[-1]["whole"] is False
        assert found[-2]["type"] == "snapshot"


def test_a_long_replay_is_sent_in_parts_while_new_facts_wait_behind_it(stage: Stage) -> None:
    subscriber = stage.subscriber(SUBSCRIBE)
    _, snapshot = read(subscriber)
    for _ in range(3):
        stage.trades(FRAME_PARTS_MAX - 7)
        stage.publisher.tick()
        read(subscriber)
    stage.ask(subscriber, {"type": "replay", "epoch": stage.feed.epoch, "after": snapshot["seq"]})
    stage.trades(2)
    stage.publisher.tick()
    frames = []
    while (data := subscriber.output()) is not None:
        frames.append(json.loads(data))
    assert max(len(each) for each in frames) <= FRAME_PARTS_MAX + 2
    found = [message for each in frames for message in each]
    trades = [each for each in found if each["type"] == "trade"]
    assert len(trades) == 3 * (FRAME_PARTS_MAX - 7) + 2
    assert [each["prev"] for each in trades[1:]] == [each["seq"] for each in trades[:-1]]
    assert found[-3]["type"] == "replayed"


def test_a_subscription_resumes_after_a_number_in_place_of_snapshots(stage: Stage) -> None:
    first = stage.subscriber(SUBSCRIBE)
    read(first)
    stage.trades(2)
    stage.publisher.tick()
    *_, last = (each for each in read(first) if each["type"] == "trade")
    stage.publisher.leave(first)
    stage.trades(3)
    resumed = {"epoch": stage.feed.epoch, "after": last["seq"]}
    again = stage.subscriber(SUBSCRIBE | resumed)
    kinds = [each["type"] for each in read(again)]
    assert kinds == ["subscribed", "trade", "trade", "trade", "depth", "replayed"]
    half = stage.subscriber(SUBSCRIBE | {"after": 3})
    assert [each["code"] for each in read(half)] == ["missing_field"]


def test_subscriptions_add_up_and_are_taken_back_one_by_one(stage: Stage) -> None:
    subscriber = stage.subscriber({"type": "subscribe", "instruments": [], "channels": ["status"]})
    assert [each["type"] for each in read(subscriber)] == ["subscribed", "snapshot"]
    stage.ask(subscriber, SUBSCRIBE, SUBSCRIBE | {"instruments": ["CEA24"]})
    assert {("status", ""), ("trade", "CEA25"), ("depth", "CEA24")} <= set(subscriber.wanted)
    found = read(subscriber)
    snapshots = [each["instrument"] for each in found if each["type"] == "snapshot"]
    assert snapshots == ["CEA25", "CEA24"]
    stage.trades(1)
    stage.publisher.tick()
    assert "trade" in [each["type"] for each in read(subscriber)]
    stage.ask(subscriber, {"type": "unsubscribe", "instruments": ["CEA25"], "channels": ["trade"]})
    (gone,) = read(subscriber)
    assert gone == {"type": "unsubscribed", "instruments": ["CEA25"], "channels": ["trade"]}
    stage.trades(1)
    stage.publisher.tick()
    assert "trade" not in [each["type"] for each in read(subscriber)]
    stage.ask(subscriber, {"type": "unsubscribe"})
    read(subscriber)
    assert not subscriber.wanted
    stage.trades(1)
    stage.publisher.tick()
    assert read(subscriber) == []


def test_all_instruments_but_one(stage: Stage) -> None:
    subscriber = stage.subscriber({"type": "subscribe", "channels": ["trade"]})
    stage.ask(subscriber, {"type": "unsubscribe", "instruments": ["CEA24"]})
    read(subscriber)
    assert ("trade", "CEA25") in subscriber.wanted
    assert not {("trade", "CEA24"), ("trade", "*")} & set(subscriber.wanted)


def test_what_does_not_exist_is_refused_and_nothing_is_changed(stage: Stage) -> None:
    subscriber = stage.subscriber(SUBSCRIBE)
    read(subscriber)
    before = dict(subscriber.wanted)
    wrong = (
        ({"type": "subscribe", "channels": ["depth", "depht"]}, "unknown_channel"),
        ({"type": "subscribe", "instruments": ["CEA24", "CEA99"]}, "unknown_instrument"),
        ({"type": "unsubscribe", "channels": ["depht"]}, "unknown_channel"),
        ({"type": "snapshot", "instruments": ["CEA99"]}, "unknown_instrument"),
        ({"type": "subscribe", "pace": "sometimes"}, "wrong_type"),
        ({"type": "replay", "epoch": 1}, "missing_field"),
    )
    for message, code in wrong:
        stage.ask(subscriber, message)
        assert [each["code"] for each in read(subscriber)] == [code]
    assert subscriber.wanted == before
    assert subscriber.close_code == 0


def test_every_change_or_once_a_tick(stage: Stage) -> None:
    """``prev`` names the picture the feed made before, not the one this connection got."""
    wanted = SUBSCRIBE | {"channels": ["depth"]}
    eager, steady = stage.subscriber(wanted | {"pace": "every"}), stage.subscriber(wanted)
    read(eager)
    read(steady)
    session = stage.floor.session(0)
    shown = []
    for n in range(3):
        session.receive(frame(session.codec, order(f"e{n}", price=f"80.1{n}")))
        stage.publisher.flush()
        shown += read(eager)
        assert read(steady) == []
    stage.publisher.tick()
    assert read(eager) == []
    (last,) = read(steady)
    assert [len(each["asks"]) for each in shown] == [1, 2, 3]
    assert [each["prev"] for each in shown[1:]] == [each["seq"] for each in shown[:-1]]
    assert last == shown[-1]
    assert steady.merged == 0  # the feed's own merging is not the reader's fault


def test_merged_pictures_are_counted_and_told_in_the_heartbeat(stage: Stage) -> None:
    subscriber = stage.subscriber(SUBSCRIBE)
    read(subscriber)
    session = stage.floor.session(0)
    for n in range(4):
        session.receive(frame(session.codec, order(f"m{n}")))
        stage.publisher.tick()
    assert subscriber.merged == 3
    assert stage.publisher.merged == 3
    stage.publisher._beat()
    (depth,) = read(subscriber)
    assert depth["asks"][0]["orders"] == 4  # no heartbeat to somebody who does not read
    stage.trades(2)
    stage.publisher.tick()
    *_, trade = (each for each in read(subscriber) if each["type"] == "trade")
    stage.publisher._beat()
    (beat,) = read(subscriber)
    assert (beat["type"], beat["merged"], beat["sent_seq"]) == ("heartbeat", 3, trade["seq"])
    assert beat["seq"] == stage.feed.seq >= trade["seq"]


def test_a_frame_is_made_once_for_all_who_want_the_same(stage: Stage) -> None:
    crowd = [stage.subscriber(SUBSCRIBE) for _ in range(5)]
    for each in crowd:
        read(each)
    stage.trades(3)
    stage.publisher.tick()
    assert len({id(each.output()) for each in crowd}) == 1


def test_notices_since_the_day_began_come_with_a_subscription(stage: Stage) -> None:
    stage.feed.absorb(batch(*day_closed([8000] * len(stage.feed.codes), 8000)))
    wanted = {"type": "subscribe", "instruments": [], "channels": ["notice"]}
    late = stage.subscriber(wanted)
    _, snapshot = read(late)
    assert snapshot["instrument"] == "composite"
    assert [each["date"] for each in snapshot["notices"]] == [20260105]
    assert snapshot["notices"][0]["seq"] == snapshot["notice_seq"]
    stage.feed.absorb(batch(*day_begun([8000], 20260821)))
    stage.publisher.tick()
    read(late)
    _, snapshot = read(stage.subscriber(wanted))
    assert snapshot["notices"] == []


def test_bars_are_asked_for_by_name_and_end_once(stage: Stage) -> None:
    subscriber = stage.subscriber(
        {"type": "subscribe", "instruments": ["CEA25", "composite"], "channels": ["bar_1m"]}
    )
    kinds = [(each["type"], each.get("instrument")) for each in read(subscriber)[1:]]
    assert kinds == [("snapshot", "CEA25"), ("snapshot", "composite")]
    stage.trades(2)
    stage.publisher.tick()
    found = read(subscriber)
    assert [(each["type"], each["instrument"]) for each in found] == [
        ("open_bar", "composite"),
        ("open_bar", "CEA25"),
    ]
    stage.trades(1)
    stage.publisher.tick()  # not read: the open bars wait in their slots ...
    stage.feed.charts.end(stage.feed.charts.bars.end_ns)
    stage.publisher.tick()
    ended = read(subscriber)  # ... and are let go when they end
    assert [(each["type"], each["trades"]) for each in ended] == [("bar", 3), ("bar", 3)]


def test_both_encodings_say_the_same(stage: Stage) -> None:
    text, binary = stage.subscriber(SUBSCRIBE), stage.subscriber(SUBSCRIBE, codec="msgpack.v1")
    read(text)
    binary.output()
    stage.trades(20)
    stage.publisher.tick()
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
    stage.publisher.tick()
    found = read(subscriber)
    kinds = [each["type"] for each in found]
    assert sorted(kinds) == ["bidding", "bulk_offer", "composite", "halt", "halt"]
    assert "account" not in str(found)
    assert "counterparty" not in str(found)
    replay = {"type": "replay", "epoch": stage.feed.epoch, "after": snapshot["seq"]}
    stage.ask(subscriber, replay)
    *again, replayed = read(subscriber)
    assert replayed["whole"] is True
    assert sorted(each["type"] for each in again) == sorted(kinds)
    late = stage.subscriber(SUBSCRIBE | {"channels": channels})
    _, picture = read(late)
    assert len(picture["offers"]) == 1
    assert [each["status"] for each in picture["sessions"]] == ["noticed"]
