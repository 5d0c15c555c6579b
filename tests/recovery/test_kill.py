"""Every acknowledged command survives ``kill -9`` (promise P1), through real processes and sockets.

Each cycle sends 2,000 orders in frames, kills the server at a random moment, and keeps a record of
its own of every answer. After the restart (which is killed too, now and then) each answer must
still be true, no order may be there twice, and the recovered digest must be that of a clean replay
of the journal.
"""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.exchange import Exchange
from gateway import messages as m
from gateway.client import Client, LineLostError, Order, RefusedError
from gateway.journal import Journal
from gateway.keys import Key, Keys
from tests.e2e.live_venue import fund

CYCLES = int(os.environ.get("TANSHI_KILL_CYCLES", "12"))
ACCOUNTS_PER_CYCLE = 2
ORDERS_PER_ACCOUNT = 1000  # the most that may be open (open_orders_max)
FRAME = 50
PAUSE_S = 0.004
ROOT = Path(__file__).parents[2]

Sent = list[tuple[Key, list[m.Command], dict[str, Order]]]


class Served:
    """A server process of ours; ``kill`` ends it without a word."""

    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.recovery.served_venue", str(folder)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> dict[str, str]:
        """Return what it has recovered and where it listens."""
        return self._said() | self._said()

    def _said(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the server did not start: exit code {self.process.wait()}"
        found: dict[str, str] = json.loads(line)
        return found

    def kill(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def clean_replay(folder: Path) -> tuple[int, str]:
    """Sequence number and digest that the journal alone gives."""
    journal = Journal(folder / "journal")
    exchange = Exchange()
    for batch in journal.replay():
        exchange.apply(batch)
    journal.close()
    return exchange.seq, exchange.digest()


def orders(account: int, cycle: int) -> list[m.Command]:
    return [
        m.List(
            client_order_id=f"c{cycle}-{n}",
            instrument="CEA25",
            side="sell",
            price_ticks=7500 + (account * 7 + n) % 300,
            qty_tonnes=1 + n % 9,
        )
        for n in range(ORDERS_PER_ACCOUNT)
    ]


async def send(url: str, key: Key, commands: list[m.Command], told: dict[str, Order]) -> None:
    """Send in frames and write down each answer the moment it comes; end with the line."""
    async with Client(url, key.key_id, key.secret) as client:
        reports = client.reports()
        sending = asyncio.create_task(_paced(client, commands))
        async for report in reports:
            assert isinstance(report, m.Accepted), report
            told[report.client_order_id] = client.orders[report.order_no]
            if len(told) == len(commands):
                break
        await asyncio.gather(sending, return_exceptions=True)


async def _paced(client: Client, commands: list[m.Command]) -> None:
    """Send frame after frame without waiting for answers, over about a tenth of a second."""
    frames = []
    for at in range(0, len(commands), FRAME):
        frames.append(asyncio.create_task(client.enter_many(commands[at : at + FRAME])))
        await asyncio.sleep(PAUSE_S)
    await asyncio.gather(*frames, return_exceptions=True)


async def verify(url: str, key: Key, commands: list[m.Command], told: dict[str, Order]) -> None:
    """Check what was told against the venue, send everything again, and count the orders."""
    async with Client(url, key.key_id, key.secret) as client:
        found, after = {}, 0
        while True:
            page = await client.get(f"/api/orders?after={after}")
            found |= {each["client_order_id"]: each["order_no"] for each in page["orders"]}
            if not page["more"]:
                break
            after = page["orders"][-1]["order_no"]
        missing = {name for name, order in told.items() if found.get(name) != order.order_no}
        assert not missing, f"{len(missing)} acknowledged orders are lost"
        again = await client.enter_many(commands)
        assert not [each for each in again if isinstance(each, RefusedError)]
        numbers = {each.client_order_id: each.order_no for each in again if isinstance(each, Order)}
        assert {name: numbers[name] for name in found} == found, "an order was entered twice"
        account = await client.get("/api/account")
        assert account["open_orders"] == len(commands)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[list[Served]]:
    processes: list[Served] = []
    yield processes
    for each in processes:
        each.kill()


def test_every_acknowledged_order_survives_kill_9(
    tmp_path: Path, served: list[Served], base_seed: int
) -> None:
    seed = random.Random(base_seed)
    accounts = CYCLES * ACCOUNTS_PER_CYCLE
    fund(tmp_path, accounts, tonnes=10**6)
    keys = Keys(tmp_path / "keys.json").create_many([(row, f"k{row}") for row in range(accounts)])
    sent: Sent = []
    in_flight = 0
    for cycle in range(CYCLES + 1):
        url = restarted(tmp_path, served, seed)
        asyncio.run(_verify_all(url, sent))
        if cycle < CYCLES:
            mine = keys[cycle * ACCOUNTS_PER_CYCLE :][:ACCOUNTS_PER_CYCLE]
            sent = [(key, orders(key.account, cycle), {}) for key in mine]
            moment = seed.randrange(2 * ORDERS_PER_ACCOUNT), seed.uniform(0, 0.004)
            asyncio.run(_until_killed(served[-1], url, sent, moment))
            in_flight += sum(len(told) for _, _, told in sent) < 2 * ORDERS_PER_ACCOUNT
    assert in_flight > CYCLES // 4, "the kills came too late to mean anything"
    served[-1].kill()
    assert clean_replay(tmp_path) == clean_replay(tmp_path)


def restarted(folder: Path, served: list[Served], seed: random.Random) -> str:
    """Start a server, one in five times kill it while it starts, and check what it recovered."""
    replayed = clean_replay(folder)
    served.append(Served(folder))
    if seed.random() < 0.2:
        time.sleep(seed.uniform(0, 1.0))
        served[-1].kill()
        replayed = clean_replay(folder)
        served.append(Served(folder))
    state = served[-1].ready()
    assert (state["seq"], state["digest"]) == replayed
    return state["url"]


async def _until_killed(server: Served, url: str, sent: Sent, moment: tuple[int, float]) -> None:
    """Kill once so many answers have come, and a few milliseconds later still."""
    clients = [asyncio.create_task(send(url, *each)) for each in sent]
    while sum(len(told) for _, _, told in sent) < moment[0]:  # noqa: ASYNC110
        await asyncio.sleep(0.0005)
    await asyncio.sleep(moment[1])
    server.kill()
    for result in await asyncio.gather(*clients, return_exceptions=True):
        if isinstance(result, BaseException) and not isinstance(result, (LineLostError, OSError)):
            raise result


async def _verify_all(url: str, sent: Sent) -> None:
    for each in sent:
        await verify(url, *each)
