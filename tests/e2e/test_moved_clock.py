"""A venue of the past whose time an operator moves over REST: day by day, over a year's end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from engine.records import Phase
from gateway.client import Client
from gateway.clock import BeijingClock, DemoClock, ManualClock, beijing_day
from gateway.front import Choices, _clock, open_account, open_office
from gateway.keys import Key
from gateway.market import CCER, CEA
from gateway.moving import DAYS_AT_ONCE_MAX, manual_clock
from gateway.serve import Options, running
from gateway.venue import Venue
from tanshi import app
from tests.security.test_fuzz_wire import signed

pytestmark = pytest.mark.anyio
RUN = CliRunner()
ARGUMENTS = ("serve", "--clock", "manual", "--from", "2021-12-30", "--port", "0")
START_WITHIN_S = 60.0


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Operator:
    """Asks a venue for its time and moves it."""

    def __init__(self, url: str, key: Key) -> None:
        self.url, self._key = url, key

    async def time(self) -> Any:
        """Return what anybody is told about the time."""
        async with httpx.AsyncClient(base_url=self.url) as web:
            return (await web.get("/api/clock")).json()

    async def move(self, until: str, code: str = "") -> Any:
        """Move the clock; the answer is 200, or a problem of this code."""
        body = json.dumps({"until": until}).encode()
        headers = signed(self._key, "POST", "/api/clock", body)
        headers["content-type"] = "application/json"
        async with httpx.AsyncClient(base_url=self.url, timeout=120) as web:
            found = await web.post("/api/clock", content=body, headers=headers)
        said = found.json()
        assert said.get("code", "") == code, said
        return said


@contextlib.asynccontextmanager
async def served(folder: Path) -> AsyncIterator[str]:
    """Start the command line's venue as a process of its own; yield its address; interrupt it."""
    command = (sys.executable, "-m", "tanshi", *ARGUMENTS, "--data", str(folder))
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_WITHIN_S):
            line = (await process.stdout.readline()).decode()
        (url,) = re.findall(r"^http://\S+", line)
        yield url
    finally:
        process.terminate()
        await process.communicate()
    assert process.returncode == 0


async def test_a_year_ends_between_two_trades_and_the_clock_stands_after_a_restart(
    tmp_path: Path,
) -> None:
    """2021-12-31 is settled, 2022-01-03 is a holiday (CA-03), goods are free on the 4th (TR-27)."""
    seller = open_account(tmp_path, None, "Seller", "0", ["CEA=500"])
    buyer = open_account(tmp_path, None, "Buyer", "100000", [])
    operator = open_office(tmp_path, "exchange_operator", "Op")
    async with served(tmp_path) as url:
        desk = Operator(url, operator)
        told = await desk.time()
        assert (told["beijing"], told["manual"]) == ("2021-12-30T00:00:00", True)
        assert (await desk.move("2021-12-31T09:45"))["days"] == 2
        async with (
            Client(url, seller.key_id, seller.secret) as giving,
            Client(url, buyer.key_id, buyer.secret) as taking,
        ):
            (row,) = (await giving.get("/api/instruments"))["instruments"]
            price = f"{row['reference_ticks'] // 100}.{row['reference_ticks'] % 100:02}"
            listed = await giving.list("CEA", "sell", price=price, qty=120)
            await taking.take_best("CEA", "buy", price=price, qty=120)
            assert listed.order_no == 1
        moved = await desk.move("2022-01-04T10:00")
        assert moved == {**moved, "beijing": "2022-01-04T10:00:00", "days": 1}
        async with Client(url, buyer.key_id, buyer.secret) as taking:
            (held,) = (await taking.get("/api/account"))["holdings"]
            assert held["available_tonnes"] == 120  # bought today is over
            dates = (await taking.get("/api/bulletins"))["dates"]
        assert dates == [20211230, 20211231]
        await desk.move("2022-01-04T09:59", "clock_behind")
        assert (await desk.move("2022-01-04T20:00"))["days"] == 0
    async with served(tmp_path) as url:  # its journal ends in the evening, its clock at eight
        desk = Operator(url, operator)
        assert (await desk.time())["beijing"] == "2022-01-04T20:00:00"
        assert (await desk.move("2022-01-05T09:30:01"))["days"] == 1
        async with httpx.AsyncClient(base_url=url) as web:
            well = (await web.get("/healthz")).json()
        assert (well["date"], well["phase"], well["held"]) == (20220105, "morning", "")


async def test_what_is_refused(tmp_path: Path) -> None:
    """Who may not, what is no time, too far at once; a clock that runs is nobody's to move."""
    maker = open_office(tmp_path, "registry_maker", "M")
    key = open_office(tmp_path, "exchange_operator", "Op")

    def clock(venue: Venue) -> ManualClock:
        return manual_clock(venue, None, tmp_path / "clock.json")

    async with running(Options(clock=clock, port=0, data_dir=tmp_path)) as server:
        desk = Operator(server.url, key)
        year = int((await desk.time())["beijing"][:4])
        await Operator(server.url, maker).move("2030-01-01", "not_permitted")
        for wrong in ("2030-13-01", "tomorrow at noon", "2030-01-01T10:00+08", "1999-01-01"):
            await desk.move(wrong, "invalid_request")
        await desk.move(f"{year + 2}-12-31", "clock_too_far")
        assert DAYS_AT_ONCE_MAX < 2 * 365
    beijing = Options(clock=lambda _: BeijingClock(), port=0, data_dir=tmp_path)
    async with running(beijing) as server:
        desk = Operator(server.url, key)
        assert not (await desk.time())["manual"]
        await desk.move("2030-01-01", "clock_not_manual")


async def test_a_market_that_is_held_holds_the_clock(tmp_path: Path) -> None:
    """ST-17: a disputed evening is not passed over; the clock stands where it came about."""
    account = open_account(tmp_path, None, "A", "1000", ["CEA=500"])
    key = open_office(tmp_path, "exchange_operator", "Op")
    choices = Choices(
        clock="manual",
        first_day=beijing_day(1_639_353_600 * 10**9),  # 2021-12-13
        demo=False,
        host="127.0.0.1",
        port=0,
        data_dir=tmp_path,
        registry_url=None,
    )
    options = Options(clock=lambda venue: _clock(choices, venue), port=0, data_dir=tmp_path)
    async with running(options) as server:
        desk = Operator(server.url, key)
        await desk.move("2021-12-13T10:00")
        state = server.venue.exchange.state
        assert state.accounts[account.account]["cash_available_fen"] == 100_000
        state.accounts[account.account]["cash_available_fen"] += 1
        held = await desk.move("2021-12-14T10:00", "market_held")
        assert "20211213" in held["reason"]
        assert (await desk.time())["beijing"] == "2021-12-13T15:00:00"
        assert state.market[0]["phase"] == Phase.DISPUTED


async def test_two_markets_move_together(tmp_path: Path) -> None:
    """VM-01: both live by one clock; a market without a batch has no days yet."""
    key = open_office(tmp_path, "exchange_operator", "Op")

    def clock(venue: Venue) -> ManualClock:
        return manual_clock(venue, beijing_day(1_639_353_600 * 10**9), tmp_path / "clock.json")

    options = Options(clock=clock, port=0, data_dir=tmp_path, markets=(CEA, CCER))
    async with running(options) as server:
        assert (await Operator(server.url, key).move("2021-12-16"))["days"] == 3
        dates = [int(venue.exchange.state.market[0]["date"]) for venue in server.venues.values()]
        assert dates == [20211215, 0]
        async with httpx.AsyncClient(base_url=server.url) as web:
            assert (await web.get("/ccer/api/clock")).json()["beijing"] == "2021-12-16T00:00:00"


async def test_a_demo_clock_begins_on_the_day_that_was_chosen(tmp_path: Path) -> None:
    """A new venue's first day is the first trading day from there on (CA-01)."""
    venue = Venue.recover(tmp_path)
    choices = Choices(
        clock="demo",
        first_day=beijing_day(1_639_800_000 * 10**9),  # 2021-12-18, a Saturday
        demo=False,
        host="",
        port=0,
        data_dir=tmp_path,
        registry_url=None,
    )
    clock = _clock(choices, venue)
    venue.journal.close()
    venue.registry.close()
    venue.history.close()
    assert isinstance(clock, DemoClock)
    assert f"{beijing_day(clock.now_ns())}" == "2021-12-20"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--from", "2021-07-16"], "Beijing time begins now"),
        (["--from", "2021-07-16", "--demo"], "hold vintages of today"),
        (["--from", "2018-12-31", "--clock", "manual"], "a day from 2019-01-01"),
    ],
)
def test_days_that_no_venue_begins_on(tmp_path: Path, arguments: list[str], sentence: str) -> None:
    result = RUN.invoke(app, ["serve", *arguments, "--data", str(tmp_path / "new")])
    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert not (tmp_path / "new").exists()
