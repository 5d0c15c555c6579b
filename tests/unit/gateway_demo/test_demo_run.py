"""The demo as a whole: real connections trade, days pass, files are written, a restart goes on."""

from __future__ import annotations

import asyncio
import io
import json
import os
import pty
import re
import termios
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import numpy as np
import pytest
from rich.console import Console

from engine.records import Kind, Phase, Side
from gateway.bulletin_files import BulletinFiles
from gateway.client import Client
from gateway.demo_houses import QTY_MIN
from gateway.demo_run import DemoOptions, demo, keyboard, paint, run
from gateway.demo_traders import DemoTraders, Habits
from gateway.keys import Keys
from marketdata.bulletin import from_json
from marketdata.feed import Feed
from tests.unit.marketdata.streams import (
    admitted,
    batch,
    day_begun,
    day_closed,
    listed_and_taken,
)
from tests.unit.marketdata.trading_floor import Floor

LIVELY = Habits(active=6, orders_per_s=60.0, stay_s=2.0, seed=3)


def options(folder: Path, speed: float, habits: Habits = LIVELY) -> DemoOptions:
    return DemoOptions(
        data_dir=folder, port=0, entities=25, speed=speed, habits=habits, house_pause_s=0.1
    )


async def until(condition: Callable[[], bool], within_s: float = 40.0) -> None:
    async with asyncio.timeout(within_s):
        while True:
            if condition():
                return
            await asyncio.sleep(0.05)


def test_a_day_is_traded_closed_settled_and_the_next_one_opens(tmp_path: Path) -> None:
    async def first_life() -> tuple[str, int]:
        async with demo(options(tmp_path, speed=3000.0)) as one:
            assert one.crowd.connected <= LIVELY.active
            await until(lambda: len(one.venue.feed.bulletins) >= 1)
            await until(lambda: one.venue.feed.phase == Phase.MORNING)
            assert one.venue.registry.violations(one.venue.exchange.state) == []
            await until(lambda: one.crowd.sent > 50 and bool(one.houses.done))
            assert sum(one.crowd.refused.values()) < one.crowd.sent / 3
            assert "bad_credentials" not in one.crowd.refused
            assert sum(one.houses.refused.values()) < sum(one.houses.done.values())
            date = min(one.venue.feed.bulletins)
            bulletin = one.venue.feed.bulletin(date)
            assert bulletin.traded
        return one.venue.exchange.digest(), date

    async def second_life() -> tuple[int, int]:
        quiet = Habits(orders_per_s=0)
        async with demo(options(tmp_path, speed=1.0, habits=quiet)) as one:
            market = one.venue.exchange.state.market[0]
            assert one.clock.now_ns() >= int(market["time_ns"])
            return int(market["date"]), len(one.venue.feed.bulletins)

    digest, date = asyncio.run(first_life())
    assert digest
    text = tmp_path / "bulletins" / f"{date // 10000}-{date // 100 % 100:02d}-{date % 100:02d}.txt"
    assert "Daily bulletin" in text.read_text()
    assert json.loads(text.with_suffix(".json").read_bytes())["date"] == date
    later, bulletins = asyncio.run(second_life())
    assert later > date
    assert bulletins >= 1


def test_houses_bargain_deal_and_bid_over_real_connections(tmp_path: Path) -> None:
    """TR-72, TR-80: a whole negotiation, from the offer over a counter to the confirmation."""
    wanted = {"bulk_offer", "bulk_counter", "bulk_accept", "bulk_confirm", "apply_session", "bid"}

    async def main() -> None:
        async with demo(options(tmp_path, speed=1500.0)) as one:
            feed, done = one.venue.feed, one.houses.done
            await until(lambda: wanted <= set(done), 120)
            await until(lambda: feed.bulletins, 60)
            bulletins = feed.bulletins.values()
            assert sum(each.bulk.day_qty_tonnes for each in bulletins) >= QTY_MIN
            assert one.venue.registry.violations() == []

    asyncio.run(main())


def test_a_visitor_trades_with_the_printed_key_and_the_demo_stops_cleanly(tmp_path: Path) -> None:
    out = io.StringIO()

    async def main() -> None:
        stop = asyncio.Event()
        console = Console(file=out, width=80)
        running = asyncio.create_task(
            run(options(tmp_path, 300.0, Habits(orders_per_s=0)), stop, console)
        )
        await until(lambda: "trader5" in out.getvalue())
        lines = out.getvalue().splitlines()
        key_id, secret = next(line.split() for line in lines if line.startswith("  trader1"))
        url = lines[0].split(" ")[0]
        async with Client(url, key_id, secret) as visitor:
            await until(lambda: visitor.phase == "morning")
            order = await visitor.list("CEA25", "sell", price="98.00", qty=100)
            assert order.status == "open"
        stop.set()
        await asyncio.wait_for(running, 20)

    asyncio.run(main())
    assert "goes on from here" in out.getvalue()


def test_traders_without_a_venue_wait_and_stop(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json").create_many([(n, f"demo{n}") for n in range(3)])
    crowd = DemoTraders("http://127.0.0.1:9", keys, Habits(active=2))

    async def main() -> None:
        running = asyncio.create_task(crowd.run())
        await asyncio.sleep(0.3)
        assert not running.done()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert crowd.sent == crowd.connected == 0


def test_the_picture_of_a_running_demo_shows_no_secret(tmp_path: Path) -> None:
    svg = asyncio.run(paint(4.0, options(tmp_path, 600.0)))
    assert "CEA25" in svg
    secrets = re.findall(r"[0-9a-f]{32,}", (tmp_path / "keys.json").read_text())
    assert len(secrets) > 30
    assert not [secret for secret in secrets if secret in svg]


def test_bulletin_files_are_written_once_and_missing_ones_caught_up(tmp_path: Path) -> None:
    feed = Feed()
    files = BulletinFiles(tmp_path / "bulletins", feed)
    events = batch(
        *admitted([8000], [1]),
        *day_begun([8000]),
        *listed_and_taken(0, 8000, 5, 1),
        *day_closed([8000], 8000),
    )
    feed.absorb(events[:-1])
    files.listen(np.zeros(0), events[:-1])
    assert not (tmp_path / "bulletins").exists()
    feed.absorb(events[-1:])
    files.listen(np.zeros(0), events[-1:])
    text, data = (tmp_path / "bulletins" / f"2026-08-20.{kind}" for kind in ("txt", "json"))
    assert from_json(data.read_bytes()) == feed.bulletin(20260820)
    assert "80.00" in text.read_text()
    assert sorted(p.name for p in text.parent.iterdir()) == ["2026-08-20.json", "2026-08-20.txt"]
    text.write_text("mine")
    assert files.catch_up() == []
    assert text.read_text() == "mine"
    text.unlink()
    assert files.catch_up() == [text]


def test_a_deal_voided_in_the_evening_restates_the_days_files_and_no_others(tmp_path: Path) -> None:
    """TR-121, TR-141: the latest day's files follow the bulletin; older ones are history."""
    floor = Floor()
    feed = floor.feed()
    files = BulletinFiles(tmp_path, feed)
    both = {"instrument": 0, "price_ticks": 4900, "qty_tonnes": 10}
    for _ in range(2):
        (listing,) = floor.send({"kind": Kind.LIST, "account": 0, "side": Side.SELL, **both})
        take = {"kind": Kind.TAKE, "account": 1, "ref": int(listing["order_no"]), "qty_tonnes": 10}
        floor.send(take)
    while floor.phase != Phase.CLOSED:
        floor.next_phase()
    files.listen(np.zeros(0), floor.events[-1])
    data = tmp_path / "2026-08-20.json"
    assert from_json(data.read_bytes()).listed.day_qty_tonnes == 20
    files.listen(np.zeros(0), floor.send(floor.void(1)))
    assert from_json(data.read_bytes()).listed.day_qty_tonnes == 10
    assert "in none of the figures: 1." in data.with_suffix(".txt").read_text()
    assert files.catch_up() == []
    while floor.phase != Phase.MORNING:
        floor.next_phase()
    data.write_bytes(b"old")
    assert files.catch_up() == [data.with_suffix(".txt")]  # still the latest closed day
    while floor.phase != Phase.CLOSED:
        floor.next_phase()
    data.write_bytes(b"old")
    assert files.catch_up() == [tmp_path / "2026-08-21.txt"]


def test_typed_keys_arrive_and_the_terminal_is_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    pressed: list[str] = []

    async def main(stdin: TextIO) -> None:
        monkeypatch.setattr("sys.stdin", stdin)
        with keyboard(pressed.append):
            assert termios.tcgetattr(slave) != before
            os.write(master, b"26")
            await until(lambda: len(pressed) == 2, 5)

    with os.fdopen(slave) as stdin:
        asyncio.run(main(stdin))
        assert termios.tcgetattr(slave) == before
    os.close(master)
    assert pressed == ["2", "6"]
