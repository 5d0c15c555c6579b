"""P11 over real sockets: lines cut at every byte, and the venue killed while answers are due."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.client import Client, Options
from gateway.keys import Key, Keys
from gateway.limits import Limits
from tests.e2e.live_venue import fund, live_venue
from tests.recovery import cut_lines as c
from tests.recovery.cutting_proxy import CuttingProxy
from tests.recovery.test_kill import Served

CUTS = 520
LANES = 4
KILLS = 3
FREE = Limits(orders_per_second=0, questions_per_second=0)  # no bound

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@contextlib.asynccontextmanager
async def lane(url: str, key: Key, other: Key) -> AsyncIterator[c.Lane]:
    """Open a lane for one account, with another one to trade with."""
    options: Options = {"reconnect": True, "cancel_on_disconnect": False, "heartbeat_ms": 0}
    async with (
        CuttingProxy(url) as proxy,
        Client(proxy.url, key.key_id, key.secret, **options) as client,
        Client(url, other.key_id, other.secret) as helper,
    ):
        opened = c.Lane(key, client, helper, proxy)
        listening = asyncio.create_task(opened.listen())
        await asyncio.sleep(0)
        yield opened
        proxy.disarm()
        await client.ping()
        await asyncio.sleep(0.05)
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def test_every_outcome_is_known_after_a_cut_at_any_byte(
    tmp_path: Path, base_seed: int
) -> None:
    async with live_venue(tmp_path, accounts=2 * LANES, limits=FREE) as venue:
        async with contextlib.AsyncExitStack() as stack:
            pairs = zip(venue.keys[::2], venue.keys[1::2], strict=True)
            lanes = [await stack.enter_async_context(lane(venue.url, *pair)) for pair in pairs]
            places = c.spread(await c.measure(lanes[0]), CUTS, base_seed)
            done = await asyncio.gather(*(c.cut_all(each, places) for each in lanes))
        assert sum(done) >= 500
        assert sum(each.proxy.cuts for each in lanes) > 0.9 * sum(done)
        assert all(c.told_in_order(each) for each in lanes)
        print(f"{sum(done)} cuts, slowest {max(each.slowest_s for each in lanes):.2f} s")
    journal = c.journal_of(tmp_path)
    wrong = [text for each in lanes for text in c.untruths(each, journal)]
    assert not wrong, "\n".join(wrong[:10])


@pytest.fixture
def served(tmp_path: Path) -> Iterator[list[Served]]:
    processes: list[Served] = []
    yield processes
    for each in processes:
        each.kill()


async def test_every_outcome_is_known_after_the_venue_was_killed(
    tmp_path: Path, served: list[Served], base_seed: int
) -> None:
    """Four clients list and cancel as fast as they can while the venue dies three times."""
    fund(tmp_path, LANES)
    rows = [(row, f"k{row}") for row in range(LANES)]
    keys = Keys(tmp_path / "keys.json").create_many(rows)
    chance = random.Random(base_seed)
    async with contextlib.AsyncExitStack() as stack:
        url = await started(tmp_path, served)
        lanes = [await stack.enter_async_context(lane(url, key, key)) for key in keys]
        done = asyncio.Event()
        working = [asyncio.create_task(c.list_and_cancel(each, done)) for each in lanes]
        for _ in range(KILLS):
            await asyncio.sleep(chance.uniform(0.3, 0.8))
            served[-1].kill()
            moved = await started(tmp_path, served)
            for each in lanes:
                each.proxy.upstream = moved
            await asyncio.gather(*(each.client.ping() for each in lanes))
        await asyncio.sleep(0.5)
        done.set()
        await asyncio.gather(*working)
        assert all(each.client.reconnects == KILLS for each in lanes)
        assert all(c.told_in_order(each) for each in lanes)
    served[-1].kill()
    journal = c.journal_of(tmp_path)
    wrong = [text for each in lanes for text in c.untruths(each, journal)]
    assert not wrong, "\n".join(wrong[:10])
    assert sum(len(each.outcomes) for each in lanes) > 100


async def started(folder: Path, served: list[Served]) -> str:
    served.append(Served(folder))
    return (await asyncio.to_thread(served[-1].ready))["url"]
