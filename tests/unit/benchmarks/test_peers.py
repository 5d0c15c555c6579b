"""The published books are driven rightly, held against the yardstick, and caught when wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from benchmarks import runner
from benchmarks.flow import Stream, price_time
from benchmarks.peers import own, player, question
from benchmarks.peers.book import Book, Told
from benchmarks.peers.process import Player, PlayerError
from benchmarks.peers.question import FULL, QUICK, Size, measure, show
from benchmarks.peers.roster import OWN, PEERS, Peer
from benchmarks.peers.streams import part, requeued
from benchmarks.runner import QUESTIONS, module_of
from benchmarks.yardstick import ADD, BUY, CANCEL, REDUCE, REPLACE, SELL, Message
from engine.records import Kind, commands

TINY = Size(messages=500, messages_slow=500, messages_slowest=500, parts=3, runs=1)


def hand_written(*messages: Message) -> Stream:
    """A stream without commands of the engine; buyers are even accounts, sellers odd ones."""
    batch = commands(len(messages))
    owners = {number: 2 * number + (side == SELL) for _, number, side, _, _ in messages if side}
    batch["account"] = [owners[message[1]] for message in messages]
    return Stream(batch, list(messages), 1_000, 1)


# name -> messages and what must come of them where a reduction keeps its place, and where not:
# trades, volume, sum of maker's number x quantity, best bid, best ask, numbers that rest, open.
CASES: dict[str, tuple[list[Message], tuple[int, ...], tuple[int, ...]]] = {
    "partial fill of the maker": (
        [(ADD, 1, SELL, 100, 10), (ADD, 2, BUY, 100, 4)],
        (1, 4, 4, 0, 100, 1, 6),
        (1, 4, 4, 0, 100, 1, 6),
    ),
    "partial fill of the taker; the rest becomes the best": (
        [(ADD, 1, BUY, 90, 5), (ADD, 2, SELL, 100, 3), (ADD, 3, BUY, 101, 10)],
        (1, 3, 6, 101, 0, 4, 12),
        (1, 3, 6, 101, 0, 4, 12),
    ),
    "a sweep of three levels stops at its own price": (
        [
            *[(ADD, 1, SELL, 100, 2), (ADD, 2, SELL, 101, 2), (ADD, 3, SELL, 101, 2)],
            *[(ADD, 4, SELL, 102, 2), (ADD, 5, SELL, 103, 2), (ADD, 6, BUY, 102, 9)],
        ],
        (4, 8, 20, 102, 103, 11, 3),
        (4, 8, 20, 102, 103, 11, 3),
    ),
    "a sweep of the bids from the top": (
        [
            (ADD, 1, BUY, 99, 5),
            (ADD, 2, BUY, 101, 5),
            (ADD, 3, BUY, 100, 5),
            (ADD, 4, SELL, 99, 11),
        ],
        (3, 11, 26, 99, 0, 1, 4),
        (3, 11, 26, 99, 0, 1, 4),
    ),
    "cancel in the middle of a level": (
        [
            *[(ADD, 1, SELL, 100, 5), (ADD, 2, SELL, 100, 5), (ADD, 3, SELL, 100, 5)],
            *[(CANCEL, 2, 0, 0, 0), (ADD, 4, BUY, 100, 7)],
        ],
        (2, 7, 11, 0, 100, 3, 3),
        (2, 7, 11, 0, 100, 3, 3),
    ),
    "the last of a level goes, and the level with it": (
        [(ADD, 1, BUY, 100, 5), (ADD, 2, BUY, 99, 5), (CANCEL, 1, 0, 0, 0), (ADD, 3, SELL, 99, 5)],
        (1, 5, 10, 0, 0, 0, 0),
        (1, 5, 10, 0, 0, 0, 0),
    ),
    "partly filled, then cancelled": (
        [
            (ADD, 1, SELL, 100, 5),
            (ADD, 2, BUY, 100, 2),
            (CANCEL, 1, 0, 0, 0),
            (ADD, 3, BUY, 100, 1),
        ],
        (1, 2, 2, 100, 0, 3, 1),
        (1, 2, 2, 100, 0, 3, 1),
    ),
    "a reduction keeps its place, or goes behind as number 3": (
        [
            *[(ADD, 1, SELL, 100, 5), (ADD, 2, SELL, 100, 5)],
            *[(REDUCE, 1, SELL, 100, 2), (ADD, 3, BUY, 100, 4)],
        ],
        (2, 4, 5, 0, 100, 2, 4),
        (1, 4, 8, 0, 100, 5, 4),  # the buyer is number 4 there, and meets number 2
    ),
    "a replace queues behind at its new price": (
        [
            *[(ADD, 1, SELL, 100, 5), (ADD, 2, SELL, 101, 5)],
            *[(REPLACE, 1, SELL, 101, 5), (ADD, 3, BUY, 101, 6)],
        ],
        (2, 6, 11, 0, 101, 1, 4),
        (2, 6, 13, 0, 101, 3, 4),  # number 1 goes on as number 3
    ),
    "replaced into the other side it takes at the maker's price": (
        [(ADD, 1, SELL, 105, 5), (ADD, 2, BUY, 100, 3), (REPLACE, 1, SELL, 99, 5)],
        (1, 3, 6, 0, 99, 1, 2),
        (1, 3, 6, 0, 99, 3, 2),
    ),
    "reduced, replaced, cancelled": (
        [
            *[(ADD, 1, BUY, 100, 9), (REDUCE, 1, BUY, 100, 4), (REPLACE, 1, BUY, 98, 5)],
            *[(ADD, 2, BUY, 97, 1), (CANCEL, 1, 0, 0, 0), (ADD, 3, SELL, 97, 2)],
        ],
        (1, 1, 2, 0, 97, 3, 1),
        (1, 1, 4, 0, 97, 5, 1),
    ),
}
NAMES = ("trades", "volume", "checksum", "best_bid", "best_ask", "live_sum", "open_qty")


def installed(peer: Peer) -> Peer:
    """The peer, or a skip: only the one that needs a compiler may be missing in development."""
    if peer.version() is None and peer.extra == "peers-native":
        pytest.skip(f"{peer.package} is not installed")
    return peer


def played(adapter: str, stream: Stream) -> Told:
    book = player.opener(adapter, stream)()
    book.play(stream)
    return book.told()


ADAPTERS = [
    pytest.param(OWN["yardstick"], way, None, id=f"yardstick-{way}") for way in (True, False)
]
ADAPTERS += [pytest.param(OWN[name], False, None, id=name) for name in ("engine", "engine_calls")]
ADAPTERS += [pytest.param(peer.adapter, peer.in_place, peer, id=peer.name) for peer in PEERS]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(("adapter", "in_place", "peer"), ADAPTERS)
def test_a_case_written_by_hand(adapter: str, in_place: bool, peer: Peer | None, case: str) -> None:
    if peer is not None:
        installed(peer)
    messages, keeps_place, goes_behind = CASES[case]
    # The engine's band is 9,000 … 11,000 ticks; 100 of the case is 10,000.
    shifted = [(k, n, s, p + 9_900 if p else 0, q) for k, n, s, p, q in messages]
    stream = hand_written(*shifted)
    sent = stream if in_place else requeued(stream)[0]
    told = asdict(played(adapter, sent))
    expected = dict(zip(NAMES, keeps_place if in_place else goes_behind, strict=True))
    for side in ("best_bid", "best_ask"):
        expected[side] += 9_900 if expected[side] else 0
    for name, right in expected.items():
        assert told[name] in {right, None}, f"{name} {told[name]}, {right} by hand"
    reports_trades = adapter != "benchmarks.peers.limit_order_book_book:opened"
    assert (told["trades"] is not None) == reports_trades


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("peer", PEERS, ids=lambda peer: peer.name)
def test_a_peer_agrees_with_the_yardstick_after_every_part(peer: Peer, seed: int) -> None:
    installed(peer)
    stream = price_time(1_500, seed)
    sent = stream if peer.in_place else requeued(stream)[0]
    found, right = (
        player.check(sent, player.opener(adapter, sent), 7)["told"]
        for adapter in (peer.adapter, OWN["yardstick"])
    )
    assert len(right) == 7
    for own_row, right_row in zip(found, right, strict=True):
        assert Told(**own_row).unlike(Told(**right_row)) == []
    assert right[-1]["trades"] > 100
    assert right[-1]["live"] > 50


@pytest.mark.parametrize("adapter", [OWN["engine"], OWN["engine_calls"]])
@pytest.mark.parametrize("in_place", [True, False])
def test_the_engine_agrees_on_both_streams(adapter: str, in_place: bool) -> None:
    stream = price_time(2_000, 4)
    sent = stream if in_place else requeued(stream)[0]
    make = player.opener(adapter, sent)
    right = played(OWN["yardstick"], sent)
    for _ in range(2):  # every book starts from the same opening
        book = make()
        book.play(part(sent, 0, 700))
        book.play(part(sent, 700, len(sent.messages)))
        assert book.told() == right


def test_the_stream_without_amends_names_only_orders_that_rest() -> None:
    stream = price_time(5_000, 7)
    sent, fallen = requeued(stream)
    kinds = {message[0] for message in sent.messages}
    assert kinds == {ADD, CANCEL}
    alive: set[int] = set()
    book = own.Yardstick()
    for number, message in enumerate(sent.messages):
        if message[0] == CANCEL:
            assert message[1] in book.book.orders
        else:
            alive.add(message[1])
        book.play(part(sent, number, number + 1))
    assert alive == set(range(1, len(alive) + 1)), "numbers are given as the orders come"
    amends = sum(message[0] in {REDUCE, REPLACE} for message in stream.messages)
    assert amends > 150
    assert len(sent.messages) <= len(stream.messages) - fallen + amends
    added = sent.commands["kind"] == Kind.ADD
    assert (sent.commands["ref"][added] == 0).all()
    assert (sent.commands["ref"][~added] > 0).all()


def test_a_message_whose_order_has_ended_under_the_other_rules_falls_away() -> None:
    stream = hand_written(
        (ADD, 1, SELL, 100, 5),
        (ADD, 2, SELL, 100, 5),
        (REDUCE, 1, SELL, 100, 1),
        (ADD, 3, BUY, 100, 5),  # kept in place: 4 of number 1, 1 of number 2; else all of number 2
        (CANCEL, 2, SELL, 0, 0),
        (ADD, 4, BUY, 99, 1),
    )
    sent, fallen = requeued(stream)
    assert fallen == 1
    assert [message[:2] for message in sent.messages] == [
        *[(ADD, 1), (ADD, 2), (CANCEL, 1), (ADD, 3), (ADD, 4), (ADD, 5)]
    ]
    assert sent.commands["account"].tolist() == [3, 5, 3, 3, 6, 8]


def test_a_saved_stream_is_the_stream(tmp_path: Path) -> None:
    stream = price_time(300, 5)
    player.save(tmp_path / "there", stream)
    read = player.load(tmp_path / "there")
    assert read.messages == stream.messages
    np.testing.assert_array_equal(read.commands, stream.commands)
    assert (read.accounts, read.instruments) == (stream.accounts, stream.instruments)


# Books that are wrong in one way each, as a package might be. ``opened`` is the adapter.
WRONG = {
    "youngest_first": "def add(self, *order):\n        super().add(*order)\n"
    "        for side in self.sides.values():\n"
    "            for queue, _ in side.values():\n"
    "                queue.reverse() if len(queue) == 2 else None\n",
    "forgets_cancels": "def cancel(self, number):\n        self.orders.get(number)\n",
    "one_fill_a_sweep": "def _sweep(self, level, qty):\n"
    "        before = self.trades\n        super()._sweep(level, qty)\n"
    "        return 0\n",
    "another_maker": "def _trade(self, maker, qty):\n"
    "        super()._trade(maker, qty)\n        self.checksum += self.trades == 20\n",
    "raises": "def cancel(self, number):\n        raise KeyError('no such order')\n",
    "ends": "def cancel(self, number):\n        import os\n        os._exit(3)\n",
}
MODULE = """from benchmarks.peers.own import Yardstick
from benchmarks.yardstick import PlainBook

class Patient(PlainBook):  # after a wrong fill it is told to cancel what it does not have
    def cancel(self, number):
        if number in self.orders:
            super().cancel(number)

class Wrong(Patient):
    {method}

class Book(Yardstick):
    def __init__(self):
        self.book = Wrong()

def opened(stream):
    return Book
"""


@pytest.fixture
def wrong_peer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Peer]:
    """Make a peer of an adapter that is wrong in the named way; numpy stands for its package."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    def make(way: str) -> Peer:
        (tmp_path / f"{way}.py").write_text(MODULE.format(method=WRONG[way]), encoding="utf-8")
        return Peer(way, "numpy", f"{way}:opened", False, "messages")

    return make


def printed(figures: dict[str, Any]) -> str:
    console = Console(width=200, force_terminal=False)
    with console.capture() as captured:
        show(figures, console)
    return captured.get()


def test_a_wrong_book_is_caught_told_and_not_timed(wrong_peer: Callable[[str], Peer]) -> None:
    ways = list(WRONG)
    right = Peer("right", "sortedcontainers", OWN["yardstick"], True, "messages")
    absent = replace(right, name="absent", package="a-package-that-nobody-has")
    right = replace(right, in_place=False)
    peers = [*map(wrong_peer, ways), absent, right]
    figures = measure(TINY, lambda _: None, peers)
    rows = {row["peer"]: row for row in figures["peers"]}
    states = {name: row["state"] for name, row in rows.items()}
    assert states == {
        **dict.fromkeys(ways, "differs"),
        "raises": "failed",
        "ends": "failed",
        "absent": "not installed",
        "right": "measured",
    }
    assert "after part" in rows["youngest_first"]["reason"]
    assert "checksum" in rows["another_maker"]["reason"]
    assert "KeyError: 'no such order'" in rows["raises"]["reason"]
    assert "its process ended (3)" in rows["ends"]["reason"]
    assert rows["absent"]["reason"] == "not installed: pip install 'tanshi[peers]'"
    for name, row in rows.items():
        assert ("ns_per_message" in row) == (name == "right"), name
    assert set(figures["ratios"]) == {"engine_over_right"}
    text = printed(figures)
    for said in ("differs: after part", "failed: KeyError", rows["absent"]["reason"]):
        assert said in text
    assert text.count("ns/message") == 1


def test_nothing_installed_is_told_and_is_no_failure() -> None:
    absent = Peer("absent", "a-package-that-nobody-has", "nothing:opened", True, "messages")
    said: list[str] = []
    figures = measure(TINY, said.append, [absent])
    assert figures["engine_over_peer_least"] is None
    assert figures["ratios"] == {}
    assert said == ["absent is not installed: pip install 'tanshi[peers]'"]
    assert "no peer could be measured" in printed(figures)


def test_a_wrong_engine_makes_no_figure_count(
    wrong_peer: Callable[[str], Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Peer("right", "sortedcontainers", OWN["yardstick"], True, "messages")
    monkeypatch.setitem(OWN, "engine", wrong_peer("another_maker").adapter)
    with pytest.raises(AssertionError, match=r"engine differs: after part .* checksum"):
        measure(TINY, lambda _: None, [right])
    monkeypatch.setitem(OWN, "engine", wrong_peer("raises").adapter)
    with pytest.raises(PlayerError, match="engine: KeyError"):
        measure(TINY, lambda _: None, [right])


def test_a_book_that_does_not_end_is_ended(
    tmp_path: Path, wrong_peer: Callable[[str], Peer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(WRONG, "hangs", "def cancel(self, number):\n        while True: pass\n")
    peer = wrong_peer("hangs")
    player.save(tmp_path / "stream", price_time(300, 1))
    with Player(peer.adapter, tmp_path / "stream", within_s=20.0) as book:
        book.begin()
        book.within_s = 0.5
        with pytest.raises(PlayerError, match=r"no answer within 0\.5 s"):
            book.ask("warm")
    assert book.process.returncode is not None


def test_the_question_measures_every_peer() -> None:
    figures = runner.measure("peers", TINY, lambda _: None)
    rows = {row["peer"]: row for row in figures["peers"]}
    assert set(rows) == {peer.name for peer in PEERS}
    for peer in PEERS:
        row = rows[peer.name]
        if row["state"] == "not installed" and peer.extra == "peers-native":
            continue
        assert row["state"] == "measured", row
        assert row["version"] == peer.version()
        assert row["ns_per_message"] > 0
        assert row["x_yardstick"]["min"] <= row["x_yardstick"]["max"]
        assert row["warmup_s"] > 0
        assert 0 <= row["memory_growth_mib"] < row["peak_rss_mib"] <= figures["peak_rss_mib"]
        assert figures["ratios"][f"engine_over_{peer.name}"] == row["times"]
    assert [own_row["in_place"] for own_row in figures["rounds"]] == [True, False]
    for own_row in figures["rounds"]:
        assert own_row["yardstick"]["x_yardstick"]["median"] == 1.0
        assert own_row["engine"]["engine_over_peer"]["median"] == 1.0
    assert set(runner.COMMON) <= set(figures)
    text = printed(figures)
    assert f"order-matching {rows['order_matching']['version']}" in text
    assert "one command a call" in text


def test_a_peer_is_given_as_many_messages_as_it_can_bear(tmp_path: Path) -> None:
    size = Size(messages=90, messages_slow=60, messages_slowest=30)
    rounds = question.rounds(size, PEERS, tmp_path, lambda _: None)
    given = {peer.name: one for one in rounds for peer in one.peers}
    assert set(given) == {peer.name for peer in PEERS}
    for peer in PEERS:
        one = given[peer.name]
        assert one.messages == getattr(size, peer.count)
        assert one.in_place == peer.in_place
        stream = player.load(one.folder)
        assert len(stream.messages) == len(stream.commands) == one.messages
    whole = requeued(price_time(90, size.seed))[0].messages
    for one in rounds:
        if not one.in_place:
            assert player.load(one.folder).messages == whole[: one.messages]


def test_the_sizes_and_the_name_of_the_question() -> None:
    assert module_of("peers").FULL is FULL
    assert QUESTIONS["peers"].module == "benchmarks.peers.question"
    for field in fields(Size):
        assert getattr(QUICK, field.name) <= getattr(FULL, field.name)
    assert (FULL.messages, FULL.messages_slow, FULL.messages_slowest) == (1_000_000, 200_000, 5_000)


def test_adapters_of_the_roster_are_books() -> None:
    stream = price_time(10, 1)
    for peer in PEERS:
        if peer.version() is None:
            continue
        book: Book = player.opener(peer.adapter, stream)()
        assert book.told() == replace(
            book.told(), best_bid=0, best_ask=0, live=0, live_sum=0, open_qty=0
        )


def test_the_page_names_every_peer_as_the_roster_does() -> None:
    page = Path(__file__).parents[3].joinpath("docs", "reference", "peers.md")
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in page.read_text(encoding="utf-8").splitlines()
        if line.startswith("| `")
    ]
    ways = {True: "in place", False: "cancel and new order"}
    assert [[cells[0], cells[2], cells[4]] for cells in rows] == [
        [f"`{peer.package}`", ways[peer.in_place], f"`{peer.count}`"] for peer in PEERS
    ]
