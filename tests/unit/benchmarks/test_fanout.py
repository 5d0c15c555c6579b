"""The fan-out benchmark counts nothing that was lost."""

from __future__ import annotations

import asyncio

import msgspec
import pytest
from websockets.frames import Frame, Opcode

from benchmarks.fanout import LEGS, LostError, Size, Trader, _round, measure
from benchmarks.fanout_lines import MARKET_DATA, Crowd, Reader, frame_at

PROMISED = {
    *("subscribers", "lost", "p50_ms_quiet", "p99_ms_quiet", "p50_ms_stalled", "p99_ms_stalled"),
    *("p99_ratio", "rss_before_mib", "rss_connected_mib", "rss_after_mib"),
}


def served(*messages: dict[str, object]) -> bytes:
    payload = msgspec.msgpack.encode([*messages])
    return Frame(Opcode.BINARY, payload).serialize(mask=False)


class Transport(asyncio.Transport):
    def __init__(self) -> None:
        super().__init__()
        self.written = b""

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_frames_of_a_server_are_found_whole_or_not_at_all(size: int) -> None:
    data = Frame(Opcode.BINARY, bytes(size)).serialize(mask=False)
    opcode, begin, end = frame_at(data + b"\x82", 0) or (0, 0, 0)
    assert (opcode, end - begin, end) == (2, size, len(data))
    assert all(frame_at(data[:cut], 0) is None for cut in {0, 1, 2, 3, len(data) - 1} if cut < end)


def reading() -> Reader:
    reader = Reader(Crowd(0), {"type": "subscribe"})
    transport = Transport()
    reader.connection_made(transport)
    assert transport.written == MARKET_DATA
    reader.data_received(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    return reader


def trade(seq: int, prev: int) -> dict[str, object]:
    return {"type": "trade", "seq": seq, "prev": prev, "time_us": 5}


def test_a_reader_counts_trades_and_notices_a_missing_one() -> None:
    reader = reading()
    data = served({"type": "snapshot", "trade_seq": 3}) + served(trade(5, 3), trade(6, 5))
    reader.data_received(data[:40])
    reader.data_received(data[40:])
    assert (reader.trades, reader.last_seq, reader.ended) == (2, 6, "")
    reader.data_received(served(trade(9, 8)))
    assert "not 8" in reader.ended


def test_a_round_with_a_lost_trade_counts_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.fanout.SETTLE_S", 0.02)
    reader, size = reading(), Size(seconds=0.02, sweeps_per_s=50)

    class Taker:
        async def sweep(self, legs: list[tuple[int, int]]) -> list[int]:
            sent = [trade(n + 1, n) for n in range(len(legs))]
            reader.data_received(served({"type": "snapshot"}, *sent[:-1]))
            return [1] * len(legs)

    trader = Trader(Taker(), [1] * LEGS)  # type: ignore[arg-type]
    with pytest.raises(LostError, match="1 trades lost"):
        asyncio.run(_round([reader], reader._crowd, trader, size))


def test_a_small_crowd_loses_nothing_beside_a_stalled_one() -> None:
    figures = measure(Size(subscribers=8, rounds=1, seconds=0.4), say=lambda _: None)
    assert set(figures) >= PROMISED
    assert figures["lost"] == 0
    assert 0 < figures["p50_ms_quiet"] <= figures["p99_ms_quiet"]
