"""Bad input through a real socket and at the REST pages (P7): whole, in pieces, and as HTTP."""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from pathlib import Path

import httpx
import pytest

from gateway.keys import Key, request_signature
from gateway.rest.bodies import BODY_BYTES_MAX
from gateway.serve import FRAME_BYTES_CEILING
from gateway.wire.codec import CODECS
from gateway.wire.messages import Request
from tests.e2e.live_venue import LiveVenue, live_venue
from tests.security.fuzzing import DOCUMENTED, NEVER, TRADING, nothing_logged
from tests.security.hostile_frames import STRANGE, Frames
from tests.security.raw_line import BINARY, TEXT, framed, in_pieces, raw_line
from tests.security.wire_attack import UNLIMITED, attack_over_the_wire

FRAMES = 1_500
PAGES = (
    *("/api/orders", "/api/trades", "/api/account", "/api/negotiations", "/api/notices"),
    *("/api/keys", "/api/proposals", "/api/statements/20260105", "/api/surveillance/20260105"),
    *("/api/depth/CEA25", "/api/bulk/CEA25", "/api/sessions/CEA25", "/api/bulletins/20260105"),
    *("/api/trades/CEA25", "/api/bars/CEA25/1m", "/healthz", "/metrics", "/readyz", "/nothing"),
)
POSTED = ("/api/objections", "/api/registry/requests", "/api/registry/decisions")
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_hostile_frames_through_a_socket(tmp_path: Path, base_seed: int) -> None:
    with nothing_logged():
        told = await attack_over_the_wire(tmp_path, base_seed, FRAMES)
    assert told["refused"] > FRAMES / 10  # what follows the end of a line is not answered
    assert told["welcome"] > 10


@pytest.mark.parametrize("name", list(CODECS))
async def test_a_message_in_pieces_of_one_byte_is_the_message(
    tmp_path: Path, name: str, base_seed: int
) -> None:
    """Whole and byte by byte: the same answers."""
    codec = CODECS[name]
    opcode = BINARY if codec.binary else TEXT
    frames = Frames(base_seed, codec, Request.__args__, TRADING)
    drawn = [raw for raw in itertools.islice(iter(frames), 60) if len(raw) < 3_000]
    if not codec.binary:
        drawn = [raw for raw in drawn if raw.decode("utf-8", "replace").encode() == raw]
    answers: list[list[bytes]] = []
    async with live_venue(tmp_path, limits=UNLIMITED) as venue:
        for sent in (framed, in_pieces):
            said: list[bytes] = []
            for raw in drawn:
                async with raw_line(venue.url, Sec_WebSocket_Protocol=name) as line:
                    await line.read()  # the challenge
                    line.send(sent(opcode, raw))
                    line.send(framed(opcode, codec.encode({"type": "logout"})))
                    _, payload = await line.read()
                    said.append(b"" if b"pong" in payload else payload)
            answers.append(said)
    assert answers[0] == answers[1]
    assert any(b"malformed_frame" in each for each in answers[0])


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (framed(TEXT, b"x" * (FRAME_BYTES_CEILING + 1)), 1009),
        (framed(TEXT, b"x" * 40_000, last=False) + framed(0, b"x" * 40_000), 1009),
        (framed(TEXT, b"", last=False) + framed(0, b"", last=False) * 20_000, 1009),
        (framed(TEXT, b'{"type":"\xff"}'), 1007),
        (framed(TEXT, b"x" * 17_000), 4009),
        (framed(3, b""), 1002),
        (framed(9, b"x" * 126), 1002),
        (b"\xc1\x80\0\0\0\0", 1002),  # a reserved bit: nobody agreed on compression
        (b"\x81\x05hello", 1002),  # without a mask
        (framed(0, b"end of nothing"), 1002),
    ],
    ids=str,
)
@pytest.mark.parametrize("path", ["/ws/trade", "/ws/md"])
async def test_what_is_no_websocket_ends_the_line(
    tmp_path: Path, path: str, sent: bytes, code: int
) -> None:
    async with live_venue(tmp_path) as venue, raw_line(venue.url, path) as line:
        line.send(sent)
        assert await line.gone() == code


# REST


def signed(key: Key, method: str, target: str, body: bytes = b"") -> dict[str, str]:
    now_us = time.time_ns() // 1000
    return {
        "X-Tanshi-Key": key.key_id,
        "X-Tanshi-Time": str(now_us),
        "X-Tanshi-Signature": request_signature(key.secret, now_us, method, target, body),
        "Content-Type": "application/json",
    }


def bodies(draw: random.Random) -> bytes:
    """A body that a page might take, with strange values, or none at all."""
    good = draw.choice(
        (
            {"date": 20260105, "wording": "no"},
            {"action": "issue", "values": {"account": 0, "vintage": "CEA25", "qty_tonnes": 1}},
            {"action": "freeze", "values": {"account": 0, "document": "x", "qty_tonnes": 1}},
            {"number": 1, "approve": True, "sha256": "00", "note": ""},
            {"number": 1, "note": "x"},
        )
    )
    content = json.loads(json.dumps(good))
    for _ in range(draw.randrange(3)):
        inner = draw.choice([content, *(each for each in content.values() if type(each) is dict)])
        inner[draw.choice([*inner, "more", "document"])] = draw.choice(STRANGE)
    raw = bytearray(json.dumps(content).encode())
    kind = draw.random()
    if kind < 0.2:
        raw[draw.randrange(len(raw))] = draw.randrange(256)
    elif kind < 0.3:
        raw = bytearray(draw.randbytes(draw.randrange(200)))
    elif kind < 0.4:
        deep = draw.choice((b"[", b'{"a":')) * draw.choice((5, 500, 9_000))
        raw = bytearray(b'{"number":1,"approve":true,"sha256":' + deep)
    elif kind < 0.5:
        raw = bytearray(
            b'{"date":%s,"wording":"%s"}'
            % (draw.choice((b"9" * 5_000, b"1e999", b"NaN", b"9" * 30)), b"\\ud800")
        )
    return bytes(raw)


def people(venue: LiveVenue) -> list[Key]:
    keys = venue.running.venue.keys
    offices = ("registry_maker", "registry_checker", "supervisor")
    return [venue.keys[0], *(keys.create_office(role) for role in offices)]


async def test_hostile_bodies_and_targets_get_documented_problems(
    tmp_path: Path, base_seed: int
) -> None:
    draw = random.Random(base_seed)
    async with live_venue(tmp_path) as venue, httpx.AsyncClient(base_url=venue.url) as web:
        keys, problems = people(venue), 0
        await venue.settled()
        digest, seq = venue.running.venue.exchange.digest(), venue.running.venue.exchange.seq
        with nothing_logged():
            for number in range(300):
                key = draw.choice(keys)
                if number % 2:
                    method, target, body = "POST", draw.choice(POSTED), bodies(draw)
                else:
                    method, body = draw.choice(("GET", "GET", "POST", "DELETE", "PUT")), b""
                    strange = draw.choice(("?after=9" + "9" * 5_000, "?after=-1", "?x=%00%ff", "/"))
                    target = draw.choice(PAGES) + draw.choice(("", strange, "?limit=1e9"))
                headers = signed(key, method, target, body)
                if draw.random() < 0.1:
                    headers["X-Tanshi-Time"] = draw.choice(("9" * 5_000, "-1", "1.5", "", "x" * 99))
                answer = await web.request(method, target, headers=headers, content=body or None)
                assert answer.status_code < 500, (method, target, body[:200], answer.text)
                if answer.status_code >= 400:
                    problem = answer.json()
                    assert {"code", "reason"} <= set(problem) <= {"code", "reason", "clauses"}
                    problems += 1
        assert problems > 80
        market = venue.running.venue
        assert (market.exchange.seq, market.exchange.digest()) == (seq, digest)


@pytest.mark.parametrize("length", ["known", "unknown"])
async def test_a_body_is_bounded_before_anybody_reads_it(tmp_path: Path, length: str) -> None:
    """Sent without end it is cut off; the venue has read little of it."""
    async with live_venue(tmp_path) as venue:
        host, port = venue.running.host, venue.running.port
        reader, writer = await asyncio.open_connection(host, port)
        size = f"Content-Length: {1 << 30}" if length == "known" else "Transfer-Encoding: chunked"
        head = f"POST /api/objections HTTP/1.1\r\nHost: {host}\r\n{size}\r\n\r\n"
        writer.write(head.encode())
        part = b"x" * 0x4000
        sent = 0
        while sent < 4 * BODY_BYTES_MAX:
            chunk = part if length == "known" else b"4000\r\n" + part + b"\r\n"
            if not writer.transport.is_closing():
                writer.write(chunk)
            sent += len(part)
            await asyncio.sleep(0)
        try:
            async with asyncio.timeout(10):
                answer = await reader.read(12)
        except ConnectionResetError:
            answer = b""  # it was cut off before it listened
        assert answer in {b"HTTP/1.1 413", b""}
        writer.transport.abort()
        async with httpx.AsyncClient(base_url=venue.url) as web:
            assert (await web.get("/healthz")).status_code == 200


async def test_a_body_of_the_allowed_size_is_read(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, httpx.AsyncClient(base_url=venue.url) as web:
        for size, status in ((BODY_BYTES_MAX, 401), (BODY_BYTES_MAX + 1, 413)):
            body = b'"' + b"x" * (size - 2) + b'"'
            answer = await web.post("/api/objections", content=body)
            assert answer.status_code in {status, 422}
            assert (answer.json()["code"] == "body_too_big") is (status == 413)


async def test_documented_codes_are_all_that_there_are() -> None:
    assert DOCUMENTED >= NEVER
