"""Lost lines and dead-man's timers end the account's orders, by journalled commands (P13)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from engine.records import Kind
from gateway.authority import TRADER, VIEWER
from gateway.desk import safeguards
from gateway.keys import Key, login_signature
from gateway.protocol import Session
from gateway.wire.codec import JSON
from gateway.wire.messages import Login
from tests.unit.gateway.inline_desk import Floor, frame, order

GRACE_MS = 30


@pytest.fixture
def floor(tmp_path: Path) -> Floor:
    return Floor(tmp_path)


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


def armed(floor: Floor, key: Key | None = None, *, grace_ms: int = GRACE_MS) -> Session:
    """A line that wants its orders cancelled when it is lost: the default of a login."""
    session = Session(JSON, floor.desk, f"nonce-{time.monotonic_ns()}")
    session.open()
    key, now_us = key or floor.key[0], time.time_ns() // 1000
    signature = login_signature(key.secret, session.nonce, now_us)
    wanted = Login(key_id=key.key_id, time_us=now_us, signature=signature, grace_ms=grace_ms)
    session.receive(frame(JSON, wanted))
    session.output()
    return session


def rests(floor: Floor, session: Session, name: str = "a") -> None:
    session.receive(frame(JSON, order(name)))
    session.output()
    assert open_orders(floor) > 0


def open_orders(floor: Floor, account: int = 0) -> int:
    return int(floor.exchange.state.accounts[account]["open_orders"])


def is_armed(floor: Floor, account: int = 0) -> bool:
    return bool(floor.exchange.state.accounts[account]["cancel_on_disconnect"])


async def until(condition: Any) -> None:
    for _ in range(2_000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it did not happen")


def test_a_lost_line_cancels_after_its_grace(floor: Floor) -> None:
    async def work() -> None:
        watcher, session = floor.session(0), armed(floor)
        assert is_armed(floor)
        rests(floor, session)
        watcher.output()
        session.drop()
        await asyncio.sleep(GRACE_MS / 3000)
        assert open_orders(floor) == 1
        await until(lambda: open_orders(floor) == 0)
        ended, done = watcher.output()
        assert (ended.client_order_id, ended.code, ended.request_id) == ("a", "disconnected", "")
        assert (done.cancelled, done.code, done.client_order_id) == (1, "disconnected", "")
        assert not is_armed(floor)

    run(work())


def test_coming_back_within_the_grace_keeps_the_orders(floor: Floor) -> None:
    async def work() -> None:
        session = armed(floor)
        rests(floor, session)
        session.drop()
        again = armed(floor, grace_ms=10_000)
        await asyncio.sleep(3 * GRACE_MS / 1000)
        assert open_orders(floor) == 1
        again.receive(frame(JSON, {"type": "logout"}))
        await asyncio.sleep(3 * GRACE_MS / 1000)
        assert (open_orders(floor), is_armed(floor)) == (1, False)

    run(work())


def test_coming_back_as_one_who_opts_out_ends_the_grace_too(floor: Floor) -> None:
    async def work() -> None:
        session = armed(floor)
        rests(floor, session)
        session.drop()
        floor.session(0)
        await asyncio.sleep(3 * GRACE_MS / 1000)
        assert (open_orders(floor), is_armed(floor)) == (1, False)

    run(work())


def test_the_last_armed_line_counts(floor: Floor) -> None:
    async def work() -> None:
        first, second = armed(floor), armed(floor)
        rests(floor, first)
        first.drop()
        await asyncio.sleep(3 * GRACE_MS / 1000)
        assert open_orders(floor) == 1
        second.drop()
        await until(lambda: open_orders(floor) == 0)

    run(work())


def test_a_logout_leaves_orders_and_a_refused_line_counts_as_lost(floor: Floor) -> None:
    async def work() -> None:
        session = armed(floor)
        rests(floor, session)
        session.close("slow_consumer")
        await until(lambda: open_orders(floor) == 0)

    run(work())


def test_keys_that_cannot_trade_neither_arm_nor_keep_orders_alive(floor: Floor) -> None:
    viewer = floor.keys.create(0, "viewer", (VIEWER,))

    async def work() -> None:
        watching = armed(floor, viewer)
        assert not is_armed(floor)
        trading = armed(floor, floor.keys.create(0, "trader", (TRADER,)))
        rests(floor, trading)
        trading.drop()
        await until(lambda: open_orders(floor) == 0)
        watching.drop()

    run(work())


class VenueClock:
    """The venue's time, moved by the test."""

    def __init__(self, now_ns: int) -> None:
        self.time_ns = now_ns
        self._moved = asyncio.Event()

    def now_ns(self) -> int:
        return self.time_ns

    def pass_ms(self, ms: int) -> None:
        self.time_ns += ms * 1_000_000
        self._moved.set()

    async def wait_until(self, time_ns: int) -> None:
        while self.time_ns < time_ns:
            self._moved.clear()
            await self._moved.wait()


def watched(floor: Floor) -> tuple[VenueClock, asyncio.Task[None]]:
    """A clock that the floor's commands follow, and the watch over the timers."""
    clock = VenueClock(floor.sequencer.time_ns)
    floor.sequencer.stamp = lambda: setattr(floor.sequencer, "time_ns", clock.time_ns)
    return clock, asyncio.create_task(floor.desk.safeguards.run(clock))


def say_after(session: Session, name: str, timeout_ms: int) -> None:
    session.receive(
        frame(JSON, {"type": "cancel_after", "client_order_id": name, "timeout_ms": timeout_ms})
    )


def test_a_timer_runs_out_unless_it_is_set_again(floor: Floor) -> None:
    async def work() -> None:
        clock, watch = watched(floor)
        session = floor.session(0)
        rests(floor, session)
        say_after(session, "t1", 2_000)
        clock.pass_ms(1_900)
        say_after(session, "t2", 2_000)
        clock.pass_ms(1_900)
        await asyncio.sleep(0.05)
        assert open_orders(floor) == 1
        clock.pass_ms(100)
        await until(lambda: open_orders(floor) == 0)
        *_, done = session.output()
        assert (done.cancelled, done.code) == (1, "timer_expired")
        rests(floor, session, "b")
        clock.pass_ms(60_000)
        await asyncio.sleep(0.05)
        assert open_orders(floor) == 1  # it runs out once
        watch.cancel()

    run(work())


def test_what_was_set_before_the_venue_stopped_is_done_when_it_starts(
    floor: Floor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A timer that ran out meanwhile at once; a line lost with the venue after a grace."""
    monkeypatch.setattr(safeguards, "GRACE_AT_START_S", 0.05)

    async def before() -> None:
        for account in (0, 1):
            session = armed(floor, floor.key[account], grace_ms=300_000)
            rests(floor, session, f"a{account}")
        say_after(session, "t", 1_000)
        assert is_armed(floor, 0)

    async def after() -> None:
        desk = floor.desk
        desk.sessions.clear()
        desk.safeguards = safeguards.Safeguards(desk)
        clock, watch = watched(floor)
        clock.pass_ms(3_600_000)
        await until(lambda: open_orders(floor, 1) == 0)
        assert open_orders(floor, 0) == 1
        await until(lambda: open_orders(floor, 0) == 0)
        watch.cancel()

    run(before())
    run(after())
    kinds = floor.record.commands.all["kind"].tolist()
    assert kinds.count(Kind.MASS_CANCEL) == 3  # one line, one timer, and the other line's grace
