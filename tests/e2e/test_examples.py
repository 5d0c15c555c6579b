"""The Python examples of the docs, each as a process of its own against a real venue."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import re
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from engine.invariants import violations
from engine.records import Phase
from gateway.client import Client, OfficeClient
from tests.e2e.live_venue import CASH_FEN, TONNES, LiveVenue, live_venue

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs/examples/python"
WITHIN_S = 30
DAY = dt.datetime(2026, 1, 5)

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Program:
    """An example that runs; ``said`` are its lines so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            self.said.append(line.decode().rstrip())

    async def says(self, text: str) -> str:
        """Return its first line with this text."""
        async with asyncio.timeout(WITHIN_S):
            while not (found := [line for line in self.said if text in line]):
                assert not self._reading.done(), f"it ended without {text!r}: {self.said}"
                await asyncio.sleep(0.02)
        return found[0]

    async def ends(self) -> int:
        async with asyncio.timeout(WITHIN_S):
            await self._reading
            return await self.process.wait()


@contextlib.asynccontextmanager
async def program(venue: LiveVenue, name: str, *arguments: str) -> AsyncIterator[Program]:
    """Run an example with the keys of accounts 0 and 1."""
    first, second = venue.keys[:2]
    keys = {"KEY": first.key_id, "SECRET": first.secret}
    keys |= {"KEY2": second.key_id, "SECRET2": second.secret}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(EXAMPLES / name), *arguments),
        env=os.environ | keys | {"URL": venue.url, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield Program(process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def client(venue: LiveVenue, account: int) -> Client:
    key = venue.keys[account]
    return Client(venue.url, key.key_id, key.secret)


async def come_true(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(WITHIN_S):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def resting(venue: LiveVenue, account: int = 0) -> list[tuple[int, int, int]]:
    """Side, price and leaves of the account's open orders; 1 buys, 2 sells."""
    orders = venue.running.venue.exchange.orders_today()
    rows = orders[(orders["account"] == account) & (orders["leaves_qty"] > 0)]
    return sorted(
        (int(row["side"]), int(row["price_ticks"]), int(row["leaves_qty"])) for row in rows
    )


def blocks() -> list[str]:
    """The programs that the how-to shows in full."""
    page = (ROOT / "docs/how-to/write-a-bot.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


async def test_the_programs_of_the_how_to_run(tmp_path: Path) -> None:
    said = []
    async with live_venue(tmp_path / "venue") as venue:
        for number, text in enumerate(blocks()):
            file = tmp_path / f"block_{number}.py"
            file.write_text(text, encoding="utf-8")
            async with program(venue, str(file)) as shown:
                assert await shown.ends() == 0, shown.said
                said.append(shown.said)
    assert said == [
        [
            "order 1: 10 t at 82.09 yuan, open",
            "order 1: cancelled",
            "1,000,000,000.00 yuan, 2 vintages",
        ],
        ["price_out_of_band TR-20, TR-23, TR-26", "3 Refused"],
    ]


async def test_the_market_maker_quotes_requotes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue, client(venue, 1) as other:
        async with program(venue, "market_maker.py", "--every", "0.1", "--qty", "50") as maker:
            await come_true(lambda: len(resting(venue)) == 2)
            (_, bid, _), (_, ask, _) = resting(venue)
            assert ask - bid == 20
            taken = await other.take_best("CEA25", "buy", price_ticks=ask, qty=20)
            assert taken.filled_qty == 20
            await come_true(lambda: [each[2] for each in resting(venue)] == [50, 50])
            assert resting(venue)[1][1] == ask + 10, "it follows the last price"
            account = venue.running.venue.exchange.state.accounts[0]
            assert int(account["cancel_at_ns"]) > 0
            maker.process.kill()
            await maker.ends()
        venue.clock.leap_to(DAY.replace(hour=10, minute=30))
        await come_true(lambda: resting(venue) == [])


async def test_a_market_maker_that_ends_takes_its_listings_back(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        rounds = ("--every", "0.05", "--rounds", "5")
        async with program(venue, "market_maker.py", *rounds) as maker:
            assert await maker.ends() == 0, maker.said
        assert maker.said[-1] == "0 fills today"
        assert resting(venue) == []
        assert int(venue.running.venue.exchange.state.accounts[0]["cancel_at_ns"]) == 0


async def test_the_compliance_buyer_waits_for_its_price_and_buys_what_it_needs(
    tmp_path: Path,
) -> None:
    async with live_venue(tmp_path) as venue, client(venue, 1) as seller:
        await seller.list("CEA25", "sell", price="76.00", qty=500)
        wanted = ("100", "--until", "2026-01-05", "--limit", "75.00")
        async with program(venue, "compliance_buyer.py", *wanted) as buyer:
            await seller.list("CEA25", "sell", price="74.90", qty=60)
            assert await buyer.says("t at") == "60 t at 74.90 yuan"
            await seller.list("CEA25", "sell", price="75.00", qty=900)
            assert await buyer.ends() == 0, buyer.said
        assert "100 of 100 t" in buyer.said[-1]
        state = venue.running.venue.exchange.state
        assert int(state.holdings[0]["bought_today_tonnes"].sum()) == 100
        assert resting(venue, 1) == [(2, 7500, 860), (2, 7600, 500)]


async def test_the_compliance_buyer_ends_with_its_date(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        wanted = ("100", "--until", "2026-01-04", "--limit", "75.00")
        async with program(venue, "compliance_buyer.py", *wanted) as buyer:
            assert await buyer.ends() == 1, buyer.said
        assert buyer.said[-1].startswith("0 of 100 t")


async def test_the_bulk_negotiation_ends_in_a_deal(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        prices = ("--price", "75.00", "--counter", "74.50")
        async with program(venue, "bulk_negotiation.py", *prices) as both:
            await both.says("waiting")
            for hour, minute, phase in ((11, 31, Phase.LUNCH), (13, 1, Phase.AFTERNOON)):
                venue.clock.leap_to(DAY.replace(hour=hour, minute=minute))
                await venue.phase(phase)
            assert await both.ends() == 0, both.said
        assert "confirms: 100000 t at 74.50" in both.said[-1]
        state = venue.running.venue.exchange.state
        async with client(venue, 1) as buyer:
            (trade,) = (await buyer.get("/api/trades"))["trades"]
        assert (trade["modality"], trade["price_ticks"], trade["counterparty"]) == ("bulk", 7450, 0)
        assert int(state.holdings[1]["bought_today_tonnes"].sum()) == 100_000
        paid_fen = CASH_FEN - int(state.accounts[1]["cash_available_fen"])
        assert paid_fen >= 100_000 * 7450
        assert violations(state) == []


async def test_a_negotiation_that_is_refused_says_why(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        prices = ("--price", "75.00", "--counter", "74.50", "--qty", "99999")
        async with program(venue, "bulk_negotiation.py", *prices) as both:
            for hour, minute, phase in ((11, 31, Phase.LUNCH), (13, 1, Phase.AFTERNOON)):
                venue.clock.leap_to(DAY.replace(hour=hour, minute=minute))
                await venue.phase(phase)
            assert await both.ends() == 1
        assert "[qty_below_min]" in both.said[-1]


async def test_an_application_that_is_rejected_ends_the_example(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        key = venue.running.venue.keys.create_office("exchange_operator")
        async with (
            OfficeClient(venue.url, key.key_id, key.secret) as operator,
            program(venue, "bidding_session.py") as both,
        ):
            number = int((await both.says("applied for session")).split()[-1])
            await operator.reject_session(number)
            assert await both.ends() == 1
        assert "rejected" in both.said[-1]


async def test_the_bidding_session_is_held_and_cleared(tmp_path: Path) -> None:
    async with live_venue(tmp_path) as venue:
        key = venue.running.venue.keys.create_office("exchange_operator")
        async with (
            OfficeClient(venue.url, key.key_id, key.secret) as operator,
            program(venue, "bidding_session.py", "--above", "57") as both,
        ):
            number = int((await both.says("applied for session")).split()[-1])
            await operator.notice_session(number, opens="10:00", closes="10:30")
            await both.says("open from 10:00 to 10:30")
            venue.clock.leap_to(DAY.replace(hour=10))
            await both.says("sealed")
            venue.clock.leap_to(DAY.replace(hour=10, minute=30))
            assert await both.ends() == 0, both.said
        assert both.said[-2:] == [
            "public: closed, 1000 t at 75.20, 1 winning",
            "bidder: won 1000 t",
        ]
        state = venue.running.venue.exchange.state
        sold = 2 * TONNES - int(state.holdings[0]["available_tonnes"].sum())
        assert sold == 1_000
