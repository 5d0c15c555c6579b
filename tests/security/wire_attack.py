"""Hostile frames through real sockets beside a client that trades: for the tests and the night."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gateway import market_messages
from gateway.codec import CODECS, Codec
from gateway.keys import Key
from gateway.limits import Limits
from gateway.messages import Request
from gateway.publisher import CODECS as MARKET_CODECS
from tests.e2e.live_venue import LiveVenue, live_venue
from tests.security.fuzzing import DOCUMENTED, NEVER, TRADING, WATCHING
from tests.security.hostile_frames import Frames
from tests.security.raw_line import (
    BINARY,
    CLOSE,
    TEXT,
    RawLine,
    framed,
    in_pieces,
    login_message,
    raw_line,
)

UNLIMITED = Limits(orders_per_second=0, questions_per_second=0, lines_per_account_max=64)
ACCOUNTS = 40
FRAMES_PER_LINE = 20  # many a frame ends its line
PIECES_BELOW = 200  # bytes of a frame that is also sent byte by byte


async def attack_over_the_wire(folder: Path, seed: int, count: int) -> Counter[str]:
    """Send ``count`` frames to both doors; return counts by what came of them.

    A well-behaved client trades all the while and loses nothing.
    """
    told: Counter[str] = Counter()
    async with live_venue(folder, accounts=ACCOUNTS, limits=UNLIMITED) as venue:
        office = venue.running.venue.keys.create_office("exchange_operator", key_id="op")
        good = asyncio.create_task(_well_behaved(venue, venue.keys[0]))
        jobs = [
            _attack(venue, CODECS[name], who, seed + n, count // 4, told)
            for n, (name, who) in enumerate(
                [
                    ("json.v1", venue.keys[1:20]),
                    ("msgpack.v1", venue.keys[20:]),
                    ("json.v1", [office]),
                ]
            )
        ]
        jobs.append(_attack(venue, MARKET_CODECS["json.v1"], [], seed + 9, count // 4, told))
        await asyncio.gather(*jobs)
        good.cancel()
        (result,) = await asyncio.gather(good, return_exceptions=True)
        if isinstance(result, Exception):
            raise result
        await venue.settled()
        assert venue.running.venue.working
    return told


async def _attack(
    venue: LiveVenue, codec: Codec, keys: Sequence[Key], seed: int, count: int, told: Counter[str]
) -> None:
    """One hostile line after the other, most of them logged in."""
    kinds = Request if keys else market_messages.Request
    good = TRADING if keys else WATCHING
    frames = iter(Frames(seed, codec, kinds.__args__, good))
    opcode = BINARY if codec.binary else TEXT
    for number in range(0, count, FRAMES_PER_LINE):
        portion = list(itertools.islice(frames, min(FRAMES_PER_LINE, count - number)))
        door = "/ws/trade" if keys else "/ws/md"
        key = keys[number // FRAMES_PER_LINE % len(keys)] if keys else None  # a kill blocks one
        async with raw_line(venue.url, door, Sec_WebSocket_Protocol=codec.name) as line:
            if key is not None:
                challenge: Any = codec.loose((await line.read())[1])
                if number % (4 * FRAMES_PER_LINE):  # three of four lines log in
                    greeting = login_message(challenge["nonce"], key)
                    line.send(framed(opcode, codec.encode(greeting)))
            reading = asyncio.create_task(_listen(line, codec, told))
            for raw in portion:
                pieces = len(raw) < PIECES_BELOW and len(raw) % 2
                line.send((in_pieces if pieces else framed)(opcode, raw))
                told["sent"] += 1
                await asyncio.sleep(0)
            await asyncio.sleep(0.01)  # reports come once the disk has answered
            line.send(framed(opcode, codec.encode({"type": "logout"})))
            async with asyncio.timeout(60):
                await reading


async def _listen(line: RawLine, codec: Codec, told: Counter[str]) -> None:
    while True:
        opcode, payload = await line.read(within_s=60)
        if opcode == CLOSE:
            return
        if opcode not in (TEXT, BINARY):
            continue
        found: Any = codec.loose(payload)
        for each in found if isinstance(found, list) else [found]:
            code = each.get("code", "")
            assert code in DOCUMENTED, each
            assert code not in NEVER, each
            told["refused" if each["type"] in {"refused", "error"} else each["type"]] += 1


async def _well_behaved(venue: LiveVenue, key: Key) -> None:
    """Asks, and is answered; nobody else's nonsense comes between."""
    async with raw_line(venue.url) as line:
        await line.login(key)
        for number in itertools.count():
            identity = f"w{number}"
            line.say({"type": "status", "client_order_id": identity})
            told = await line.until("status", within_s=30)
            assert told["client_order_id"] == identity
            await asyncio.sleep(0.01)
