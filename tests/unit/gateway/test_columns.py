"""A frame of many orders comes to the same as the orders one by one."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from gateway.authority import VIEWER
from gateway.codec import MSGPACK
from gateway.protocol import MANY, Session
from tests.unit.gateway.inline_desk import Floor, frame, order

ODD: list[dict[str, Any]] = [
    order("twice", price=None, price_ticks=8001),
    order("bad id"),
    order("x" * 33),
    order("unknown", instrument="CEA99"),
    order("side", side="both"),
    order("both", price_ticks=8001),
    order("empty", price="", price_ticks=8001),
    order("tick", price="80.005"),
    order("decimal", price="80.05"),
    order("none", price=None),
    order("far", price=None, price_ticks=2**31 - 1),
    order("much", price=None, price_ticks=8000, qty_tonnes=10**15),
    order("line\nbreak", price=None, price_ticks=8001),
    {"type": "cancel", "client_order_id": "c-gone", "order_no": 10**9},
    {"type": "cancel", "client_order_id": "c-twice", "order_no": 1},
    {"type": "ping"},
]


def plain(random: Random, count: int) -> list[dict[str, Any]]:
    """Listings, and cancels of the first few of them."""
    made: list[dict[str, Any]] = []
    for n in range(count):
        if random.random() < 0.3:
            made.append(
                {
                    "type": "cancel",
                    "client_order_id": f"c{n}",
                    "order_no": random.randrange(1, count + 1),
                }
            )
        else:
            side, ticks = random.choice((("sell", 8000), ("buy", 7900)))
            named = {"price": None, "price_ticks": ticks + n % 40, "side": side}
            made.append(order(f"o{n}", qty_tonnes=1 + n, **named))
    return made


def played(floor: Floor, frames: list[list[dict[str, Any]]], account: int = 0) -> list[Any]:
    """What a session is told about the frames."""
    session: Session = floor.session(account, MSGPACK)
    said = []
    for messages in frames:
        session.receive(frame(MSGPACK, *messages))
        while more := session.output():
            said += more
    return said


def commands(floor: Floor) -> bytes:
    rows = floor.record.commands.all.copy()
    rows["time_ns"] = 0
    return rows.tobytes()


def made_in(folder: Path) -> Floor:
    folder.mkdir()
    return Floor(folder)


@pytest.mark.parametrize("seed", range(40))
def test_many_at_once_are_the_same_commands_as_one_by_one(tmp_path: Path, seed: int) -> None:
    random = Random(seed)
    messages = plain(random, 60)
    for odd in random.sample(ODD, seed % 6):
        messages.insert(random.randrange(len(messages)), odd)
    if seed % 5 == 4:
        messages.insert(30, messages[10])  # the same id once more, with the same content
    whole, single = (made_in(tmp_path / name) for name in ("whole", "single"))
    told = [played(whole, [messages]), played(single, [[each] for each in messages])]
    assert commands(whole) == commands(single)
    kinds = [sorted((type(m).__name__, getattr(m, "client_order_id", "")) for m in t) for t in told]
    assert kinds[0] == kinds[1]


def test_an_id_of_before_is_answered_again_in_a_frame_of_many(tmp_path: Path) -> None:
    floor = Floor(tmp_path)
    messages = [order(f"o{n}", price=None, price_ticks=8000 + n) for n in range(2 * MANY)]
    first = played(floor, [messages[:3]])
    again = played(floor, [messages])
    repeated = [each for each in again if each.repeated]
    assert [each.order_no for each in repeated] == [each.order_no for each in first]
    assert len(again) == 2 * MANY
    assert len(floor.exchange.orders_today()) - 1 == 2 * MANY


def test_a_viewer_enters_nothing_however_many(tmp_path: Path) -> None:
    floor = Floor(tmp_path)
    floor.key[0] = floor.keys.create(0, "viewer", (VIEWER,))
    before = floor.exchange.digest()
    said = played(floor, [[order(f"o{n}", price=None, price_ticks=8000) for n in range(MANY)]])
    assert {each.code for each in said} == {"not_permitted"}
    assert floor.exchange.digest() == before


def test_columns_are_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    floor = Floor(tmp_path)
    monkeypatch.delattr(type(floor.desk), "_priced")  # the way of single orders
    said = played(floor, [[order(f"o{n}", price=None, price_ticks=8000 + n) for n in range(MANY)]])
    assert [each.price_ticks for each in said] == [8000 + n for n in range(MANY)]
