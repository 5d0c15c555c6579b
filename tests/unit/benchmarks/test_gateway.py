"""The gateway's benchmark checks what it counts: a lost, doubled or refused order spoils it."""

from __future__ import annotations

import json
import select
import socket
import struct
import threading
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner
from websockets.frames import Frame
from websockets.streams import StreamReader

from benchmarks.gateway import QUICK, measure
from benchmarks.gateway_line import (
    Answer,
    Lane,
    Line,
    Stretch,
    WrongAnswerError,
    check,
    frames,
    masked,
    play,
)
from benchmarks.runner import COMMON
from tanshi import app

PROMISED = {
    *("orders_per_second_single", "orders_per_second_batch100", "echo_ratio_single"),
    *("echo_ratio_batch100", "roundtrip_p50_us", "roundtrip_p99_us", "sync_p50_us"),
    "connections",
}


def parsed(data: bytes) -> list[Frame]:
    """Read client frames with the library that the server uses."""
    reader, found = StreamReader(), []
    reader.feed_data(data)
    reader.feed_eof()
    for _ in range(2):
        parsing = Frame.parse(reader.read_exact, mask=True)
        try:
            next(parsing)
        except StopIteration as done:
            found.append(done.value)
    return found


@pytest.mark.parametrize("size", [0, 1, 125, 126, 4_000, 65_535])
def test_frames_are_what_a_server_reads(size: int) -> None:
    payload = bytes(n % 251 for n in range(size))
    first, second = parsed(masked(payload) + masked(b"next"))
    assert (first.fin, first.opcode, bytes(first.data)) == (True, 2, payload)
    assert bytes(second.data) == b"next"


def test_messages_are_put_into_frames_of_the_size_asked_for() -> None:
    messages: list[dict[str, object]] = [{"type": "list", "n": n} for n in range(250)]
    alone, together = frames(messages, 1), frames(messages, 100)
    assert len(alone) == 250
    assert len(together) == 3
    last = parsed(together[2] + alone[0])[0]
    assert msgspec.msgpack.decode(last.data) == messages[200:]


class Answering:
    """A server on a free port that shakes hands with one client; ``peer`` is its end then."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self._thread = threading.Thread(target=self._greet, daemon=True)

    def __enter__(self) -> Answering:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(10)
        self.peer.close()
        self._listening.close()

    def _greet(self) -> None:
        self.peer, _ = self._listening.accept()
        self.peer.recv(65536)
        self.peer.sendall(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")


def told(*answers: dict[str, object]) -> bytes:
    """Return one server frame."""
    payload = msgspec.msgpack.encode(list(answers))
    return b"\x82\x7e" + struct.pack(">H", len(payload)) + payload


def accepted(number: int) -> dict[str, object]:
    """Return what the venue says of an order."""
    name = f"o{number}"
    return {"type": "accepted", "seq": number, "client_order_id": name, "order_no": number}


def test_reports_that_two_reads_share_are_counted_and_checked() -> None:
    whole = told(accepted(1), accepted(2), accepted(3))
    with Answering() as server:
        line = Line(server.port, None)
        for cut in range(1, len(whole)):
            lane = Lane(line, [], 1, 64)
            for piece in (whole[:cut], whole[cut:]):
                server.peer.sendall(piece)
                lane.pull()
            assert lane.counted == 3, cut
            assert [each.seq for each in line.taken(lane.read)] == [1, 2, 3]
        line.close()


def test_a_stretch_ends_when_all_are_answered() -> None:
    with Answering() as server:
        line = Line(server.port, None)
        server.peer.sendall(told(accepted(1), accepted(2)))
        stretch = play([line], [frames([{"n": 1}, {"n": 2}], 1)], 2, 1, 64)
        line.close()
    check(stretch, [WANTED], sequenced=True)


def test_a_server_that_hangs_up_is_told() -> None:
    with Answering() as server:
        line = Line(server.port, None)
        server.peer.sendall(told(accepted(1)))
        server.peer.shutdown(socket.SHUT_WR)
        with pytest.raises(WrongAnswerError, match="hung up"):
            play([line], [frames([{"n": 1}, {"n": 2}], 1)], 2, 1, 64)
        line.close()


def test_an_idle_line_answers_pings_and_takes_nothing_else() -> None:
    with Answering() as server:
        line = Line(server.port, None)
        line.tend()
        server.peer.sendall(b"\x89\x04ping")
        select.select([line.socket], [], [], 10)
        line.tend()
        assert server.peer.recv(65536) == masked(b"ping", 10)
        server.peer.sendall(told(accepted(1)))
        select.select([line.socket], [], [], 10)
        with pytest.raises(WrongAnswerError, match="nobody asked"):
            line.tend()
        line.close()


def stretch_of(*lines: list[Answer]) -> Stretch:
    return Stretch(1.0, 0.1, list(lines))


def answer(number: int, kind: str = "accepted") -> Answer:
    return Answer(type=kind, client_order_id=f"o{number}", order_no=number, seq=number)


WANTED = [("accepted", "o1"), ("accepted", "o2")]


@pytest.mark.parametrize(
    ("answers", "match"),
    [
        ([answer(1)], "1 answers to 2 orders"),
        ([answer(1), answer(1)], "number 1"),
        ([answer(1), answer(2), answer(2)], "3 answers"),
        ([answer(1), answer(2, "refused")], "refused"),
        ([answer(2), answer(1)], "number 0"),
    ],
    ids=["lost", "doubled", "one too many", "refused", "out of order"],
)
def test_wrong_answers_spoil_a_stretch(answers: list[Answer], match: str) -> None:
    check(stretch_of([answer(1), answer(2)]), [WANTED], sequenced=True)
    with pytest.raises(WrongAnswerError, match=match):
        check(stretch_of(answers), [WANTED], sequenced=True)


def test_two_orders_in_one_place_of_the_journal_are_told() -> None:
    with pytest.raises(WrongAnswerError, match="one place"):
        check(stretch_of([answer(1)], [answer(1)]), [WANTED[:1], WANTED[:1]], sequenced=True)


def test_the_command_answers_every_order_and_writes_the_promised_keys(tmp_path: Path) -> None:
    file = tmp_path / "gateway.json"
    arguments = ["bench", "gateway", "--quick", "--data", str(tmp_path), "--json", str(file)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    figures = json.loads(file.read_text())
    assert set(figures) == PROMISED | {*COMMON, "detail"}
    assert all(figures[key] > 0 for key in PROMISED)
    assert figures["connections"] == QUICK.connections
    listed = QUICK.connections * QUICK.orders
    roundtrips = 2 * QUICK.roundtrips
    entered = 2 * 4 * listed + roundtrips  # per case: listings, mixed (twice as many), cancels
    assert figures["detail"]["commands_in_journal"] > entered
    assert [file] == list(tmp_path.iterdir()), "the journal's folder is removed"


def test_more_orders_than_may_rest_are_not_even_tried(tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(ValueError, match="open orders"):
        measure(replace(QUICK, orders=1_000), lambda _: None, tmp_path)
