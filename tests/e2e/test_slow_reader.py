"""A reader that stalls on a real socket: told and closed in the end, and nobody else feels it."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.fanout_lines import Stalled, frame_at
from gateway.client import Client, MarketData
from gateway.subscriber import FACTS_MAX, Subscriber
from marketdata.messages import Snapshot
from tests.e2e.live_venue import LiveVenue, live_venue

LEGS = 60
BEFORE = 20  # sweeps: a replay of them is larger than a buffer
SWEEPS = 2 * FACTS_MAX // LEGS + 3  # more than it may fall behind, and what its buffers hold
CLOSE = 8


def rest(stalled: Stalled) -> tuple[list[dict[str, Any]], int]:
    """Read what is left: the messages, and the code it was closed with."""
    stalled.socket.settimeout(2)
    data = b""
    with contextlib.suppress(ConnectionError, TimeoutError):  # it waits for our closing
        while more := stalled.socket.recv(1 << 16):
            data += more
    found: list[dict[str, Any]] = []
    at = code = 0
    while (frame := frame_at(data, at)) is not None:
        opcode, begin, at = frame
        if opcode == CLOSE:
            code = struct.unpack_from(">H", data, begin)[0]
        elif opcode == 2:
            content = msgspec.msgpack.decode(data[begin:at])
            found += content if isinstance(content, list) else [content]
    return found, code


async def stuck(venue: LiveVenue, stalled: Stalled) -> Subscriber:
    """Let it ask for everything again and again until no more goes through.

    Returns it as the venue sees it. The kernel cuts it off 5 s after its buffers are full.
    """
    publisher = venue.running.venue.publisher
    epoch = venue.running.venue.feed.epoch
    stalled.say(type="subscribe")
    quiet = 0
    while quiet < 4:
        stalled.say(type="replay", epoch=epoch, after=0)
        await asyncio.sleep(0.11)
        quiet = 0 if all(each.ready for each in publisher.subscribers) else quiet + 1
    (held,) = publisher.subscribers
    return held


def test_a_stalled_reader_is_told_and_closed_and_the_others_lose_nothing(tmp_path: Path) -> None:
    async def play() -> None:
        async with live_venue(tmp_path) as venue:
            publisher = venue.running.venue.publisher
            seller, buyer = (Client(venue.url, key.key_id, key.secret) for key in venue.keys[:2])
            async with seller, buyer:
                orders = [
                    await seller.list("CEA25", "sell", qty=1000, price="80.00") for _ in range(LEGS)
                ]
                for _ in range(BEFORE):
                    await buyer.sweep([(each.order_no, 1) for each in orders])
                stalled = await asyncio.to_thread(Stalled, venue.running.port)
                async with asyncio.timeout(30):
                    held = await stuck(venue, stalled)
                reader = MarketData(venue.url, ["CEA25"], ["trade"])
                async with reader:
                    await reader.wait_for(Snapshot)
                    for _ in range(SWEEPS):
                        await buyer.sweep([(each.order_no, 1) for each in orders])
                        await asyncio.sleep(0.02)
                    last = venue.running.venue.feed.charts.tape.rows()[-1]["trade_no"]
                    async with asyncio.timeout(10):
                        while not reader.tape or reader.tape[-1].trade_no < last:
                            await reader.wait_for(object)
                    assert reader.gaps == 0
                    numbers = [each.trade_no for each in reader.tape]
                    assert numbers == list(range(int(last) - len(numbers) + 1, int(last) + 1))
            assert publisher.cut_off == 1
            assert held.close_code == 4013
            assert held.merged > 0
            found, code = await asyncio.to_thread(rest, stalled)
            stalled.socket.close()
            assert [each["type"] for each in found[-2:]] == ["error", "bye"]
            assert {each["code"] for each in found[-2:]} == {"slow_consumer"}
            assert code == 4013

    asyncio.run(play())
