"""The client's parts by themselves: the order of reports, the pace, the blocking twin."""

from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace
from typing import Any

import pytest

from gateway.client import BlockingClient, Client
from gateway.client.orders import OwnOrders
from gateway.client.pace import Pace
from gateway.client.stream import Place, Stream
from gateway.wire import messages as m
from tests.unit.gateway.fake_venue import accepted, snapshot


def report(number: int, seq: int) -> Any:
    return SimpleNamespace(report_seq=number, seq=seq)


# the order of reports


def test_each_report_has_its_place() -> None:
    stream = Stream()
    stream.begin(20260105, 4, 100)
    assert stream.place(report(3, 90)) is Place.KNOWN
    assert stream.place(report(6, 102)) is Place.EARLY
    assert stream.place(report(5, 101)) is Place.NEXT
    assert stream.place(report(5, 101)) is Place.KNOWN
    assert stream.place(report(6, 101)) is Place.NEXT, "one command, two reports"
    assert stream.last == 6


def test_a_smaller_number_from_later_in_the_journal_is_of_a_new_day() -> None:
    stream = Stream()
    stream.begin(20260105, 9, 100)
    assert stream.place(report(1, 200)) is Place.NEXT
    assert stream.turn(20260106, 199)
    assert stream.place(report(2, 201)) is Place.NEXT, "the day had turned already"
    assert not stream.turn(20260106, 300)
    assert stream.turn(20260107, 400)
    assert stream.place(report(1, 401)) is Place.NEXT


def test_going_back_tells_again_without_taking_in_again() -> None:
    stream = Stream()
    stream.begin(20260105, 0, 100)
    for number in (1, 2, 3):
        stream.place(report(number, 100 + number))
    assert not stream.rewind(1)
    assert stream.place(report(2, 102)) is Place.TOLD
    assert stream.place(report(3, 103)) is Place.TOLD
    assert stream.place(report(4, 104)) is Place.NEXT


def test_what_is_missing_is_asked_for_once() -> None:
    stream = Stream()
    stream.begin(20260105, 4, 100)
    assert stream.missing(6)
    assert stream.ask() == (20260105, 4)
    assert not stream.missing(7)
    stream.resumed(6)
    assert not stream.whole
    stream.place(report(5, 101))
    stream.place(report(6, 102))
    assert stream.whole
    assert stream.missing(7)


# own orders


def test_a_snapshot_corrects_the_open_orders() -> None:
    own = OwnOrders()
    gone = own.take_in(accepted(1, "gone"))
    stays = own.take_in(accepted(2, "stays"))
    now = m.OrderNow(2, "stays", "list", "CEA25", "sell", 8000, 10, 4)
    new = m.OrderNow(3, "new", "list", "CEA25", "buy", 7900, 7, 7)
    found = snapshot(3)
    found.orders = [now, new]
    own.agree(found)
    assert gone is not None
    assert stays is not None
    assert (gone.status, stays.status, stays.leaves_qty) == ("ended", "part_filled", 4)
    assert [order.order_no for order in own.open] == [2, 3]


# the pace


def limits(per_second: int, burst: int, left: int) -> m.LimitsNow:
    return m.LimitsNow(per_second, burst, left, 0, 0, 8, 1000, 0, 16384, 100)


async def paced(count: int, known: m.LimitsNow | None, retry_ms: int = 0) -> float:
    pace, loop = Pace(), asyncio.get_running_loop()
    if known is not None:
        pace.learn(known)
    if retry_ms:
        pace.refused(retry_ms)
    began_s = loop.time()
    await asyncio.gather(*(pace.take() for _ in range(count)))
    return loop.time() - began_s


@pytest.mark.parametrize(
    ("count", "known", "retry_ms", "least_s", "most_s"),
    [
        (1000, None, 0, 0, 2),
        (1000, limits(0, 0, 0), 0, 0, 2),
        (20, limits(100, 20, 20), 0, 0, 0.19),
        (30, limits(100, 20, 20), 0, 0.1, 1),
        (1, limits(100, 20, 20), 200, 0.2, 1),
        (1, None, 100, 0.1, 1),
    ],
)
def test_orders_keep_to_the_rate(
    count: int, known: m.LimitsNow | None, retry_ms: int, least_s: float, most_s: float
) -> None:
    took_s = asyncio.run(paced(count, known, retry_ms))
    assert least_s <= took_s < most_s


# the blocking twin


def public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


def test_the_blocking_client_has_every_call_with_its_words() -> None:
    assert public(Client) == public(BlockingClient)
    for name in public(Client):
        ours, theirs = getattr(BlockingClient, name), getattr(Client, name)
        assert not inspect.iscoroutinefunction(ours)
        if inspect.iscoroutinefunction(theirs) and name not in {"connect", "close"}:
            assert inspect.signature(ours) == inspect.signature(theirs)
            assert ours.__doc__ == theirs.__doc__
