"""Bad input never changes state and never gets more than a documented refusal (promise P7).

Frames of every message type, both encodings, before and after the login, of traders and of the
institutions; the same generator attacks a socket in test_fuzz_wire.py and the night in nightly.py.
"""

import itertools
import json
import time
import tracemalloc
from pathlib import Path

import msgspec
import pytest

from gateway import market_messages
from gateway.codec import CODECS, Codec
from gateway.message_base import TEXT_MAX
from gateway.messages import FRAME_BYTES_MAX, Error, Request
from gateway.protocol import State, tag_of
from gateway.publisher import CODECS as MARKET_CODECS
from tests.security.fuzzing import (
    TRADING,
    attack,
    attack_market_data,
    byte_by_byte,
    nothing_logged,
)
from tests.security.hostile_frames import FORMS, Frames, as_frame
from tests.unit.gateway.inline_desk import Floor, frame, order, sample, say

FRAMES = 25_000  # of each encoding
MARKET_FRAMES = 3_000
MEASURED = 1_500
MEMORY_BYTES_MAX = 1 << 20  # of one frame
SECONDS_MAX = 0.05  # of one frame; 1 ms is meant, but a test machine has other things to do
BOTH = pytest.mark.parametrize("codec", CODECS.values(), ids=list(CODECS))


@BOTH
def test_hostile_frames_get_documented_refusals_and_change_nothing(
    tmp_path: Path, codec: Codec, base_seed: int
) -> None:
    with nothing_logged():
        *_, refused = attack(tmp_path, codec, base_seed, FRAMES)
    assert refused > FRAMES / 50_000 * 1_000  # of the last floor: most are refused


@pytest.mark.parametrize("codec", MARKET_CODECS.values(), ids=list(MARKET_CODECS))
def test_hostile_frames_at_the_door_of_market_data(
    tmp_path: Path, codec: Codec, base_seed: int
) -> None:
    with nothing_logged():
        refused = attack_market_data(tmp_path, codec, base_seed, MARKET_FRAMES)
    assert refused > MARKET_FRAMES / 3


def test_every_type_of_message_is_mutated() -> None:
    """A message type that is added is attacked from then on; every form is drawn."""
    for codecs, request in ((CODECS, Request), (MARKET_CODECS, market_messages.Request)):
        frames = Frames(1, codecs["json.v1"], request.__args__, TRADING)
        drawn = {message["type"] for _ in range(2_000) for message in frames.messages()}
        assert drawn >= {tag_of(kind) for kind in request.__args__}
    assert all(weight > 0 for weight in FORMS.values())


@BOTH
def test_every_single_byte_changed_in_a_good_frame(
    tmp_path: Path, codec: Codec, base_seed: int
) -> None:
    """Each byte of an order, cut there and flipped there: never an error of ours."""
    session = Floor(tmp_path).session(0, codec)
    good = frame(codec, order("victim"))
    raw = good if isinstance(good, bytes) else good.encode()
    with nothing_logged():
        for changed in byte_by_byte(base_seed, codec, raw):
            session.receive(as_frame(codec, changed))
            for each in session.output():
                assert getattr(each, "code", "") != "internal_error", changed
            assert session.state is State.LOGGED_IN


@BOTH
def test_a_frame_costs_little_memory_and_time(codec: Codec, base_seed: int) -> None:
    frames = Frames(base_seed, codec, Request.__args__, TRADING)
    drawn = [as_frame(codec, raw) for raw in itertools.islice(iter(frames), MEASURED)]
    slowest = 0.0
    for each in drawn:
        took = min(_seconds(codec, each) for _ in range(2))
        slowest = max(slowest, took if took < SECONDS_MAX else _best_of_ten(codec, each))
    print(f"{codec.name}: the slowest of {MEASURED} frames took {slowest * 1e3:.2f} ms")
    assert slowest < SECONDS_MAX
    tracemalloc.start()
    try:
        for each in drawn:
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            codec.decode(each)
            _, peak = tracemalloc.get_traced_memory()
            assert peak - before < MEMORY_BYTES_MAX, each[:100]
    finally:
        tracemalloc.stop()


def _seconds(codec: Codec, each: str | bytes) -> float:
    began = time.perf_counter()
    codec.decode(each)
    return time.perf_counter() - began


def _best_of_ten(codec: Codec, each: str | bytes) -> float:
    return min(_seconds(codec, each) for _ in range(10))


# the limits of a message: frame, messages, nesting, fields, texts


@pytest.mark.parametrize("text", ["x" * FRAME_BYTES_MAX, "é" * (FRAME_BYTES_MAX // 2)])
def test_a_frame_is_measured_in_bytes(tmp_path: Path, text: str) -> None:
    session = Floor(tmp_path).session(0)
    session.receive(json.dumps({"type": "status", "client_order_id": text}, ensure_ascii=False))
    error, bye = session.output()
    assert (error.code, error.closes, bye.code) == ("frame_too_big", True, "frame_too_big")
    assert session.close_code == 4009


def test_the_biggest_frame_is_read(tmp_path: Path) -> None:
    session = Floor(tmp_path).session(0)
    message = json.dumps({"type": "ping", "ref": 1})
    session.receive(message + " " * (FRAME_BYTES_MAX - len(message)))
    assert [each.ref for each in session.output()] == [1]


def texts() -> list[tuple[str, str]]:
    """Every field of a request that is a text or a list of texts, by type and name."""
    return [
        (tag_of(kind), each.name)
        for kind in Request.__args__
        for each in msgspec.structs.fields(kind)
        if "str" in str(each.type)
    ]


@pytest.mark.parametrize(("kind", "name"), texts(), ids=str)
def test_no_text_is_longer_than_256_characters(kind: str, name: str) -> None:
    (of,) = (each for each in Request.__args__ if tag_of(each) == kind)
    (field,) = (each for each in msgspec.structs.fields(of) if each.name == name)
    for codec in CODECS.values():
        for length, bad in ((TEXT_MAX, False), (TEXT_MAX + 1, True)):
            text: object = "x" * length
            message = sample(of, "a") | {name: [text] if "list" in str(field.type) else text}
            (read,) = codec.decode(frame(codec, message))
            assert getattr(read, "code", "") == ("out_of_range" if bad else ""), message
            if bad:
                assert read.detail.startswith(name)


def test_nesting_and_fields_are_those_of_the_types(tmp_path: Path) -> None:
    """Four levels: the frame, the message, the legs, a leg. No message has 32 fields."""
    session = Floor(tmp_path).session(0)
    legs = [[4711, 1], [4712, 1]]
    said = say(session, *({"type": "take", "client_order_id": n, "legs": legs} for n in "ab"))
    assert {each.code for each in said} == {"unknown_order"}
    for deep in ([[[4711, 1]]], [[4711, [1]]], [[{"a": 1}, 1]]):
        (no,) = say(session, {"type": "take", "client_order_id": "c", "legs": deep})
        assert no.code == "wrong_type"
    assert max(len(kind.__struct_fields__) for kind in Request.__args__) + 1 <= 32
    (no,) = say(session, {"type": "ping", **{f"k{n}": n for n in range(1_000)}})
    assert isinstance(no, Error)
    assert no.code == "unknown_field"
